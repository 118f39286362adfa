//! Numbers, digests and actors as SQLite holds them.
//!
//! Decides that a count which does not fit is refused instead of wrapped, and how an actor stands in four columns.

use domain::actor::Actor;
use domain::role::{Role, Scope};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// Returns a count as SQLite holds it.
pub(crate) fn to_db(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count)
        .map_err(|_| StoreError::Unstorable { what: format!("the number {count}"), why: "it is too large".to_owned() })
}

/// Returns a stored count.
pub(crate) fn from_db(count: i64) -> Result<u64, StoreError> {
    u64::try_from(count).map_err(|_| StoreError::Unreadable {
        what: format!("the number {count}"),
        why: "a count is never negative".to_owned(),
    })
}

/// Returns the text in which something is stored.
pub(crate) fn to_json<T: Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Unstorable { what: what.to_owned(), why: error.to_string() })
}

/// Reads something stored.
pub(crate) fn from_json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable { what: what.to_owned(), why: error.to_string() })
}

/// Reads an id or a name that was stored as text.
pub(crate) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(what: &str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::Unreadable { what: what.to_owned(), why: error.to_string() })
}

/// Returns the clients of a scope as a JSON list that SQL takes apart; nothing for all clients.
pub(crate) fn scope(scope: &Scope) -> Result<Option<String>, StoreError> {
    match scope {
        Scope::All => Ok(None),
        Scope::Only(clients) => to_json("a scope", clients).map(Some),
    }
}

/// An actor in columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActorColumns {
    pub(crate) kind: String,
    pub(crate) uid: Option<u32>,
    pub(crate) name: String,
    pub(crate) role: String,
}

impl From<&Actor> for ActorColumns {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Person { uid, name, role } => {
                Self { kind: "person".to_owned(), uid: Some(*uid), name: name.clone(), role: role.as_str().to_owned() }
            }
            Actor::Agent { name } => {
                Self { kind: "agent".to_owned(), uid: None, name: name.clone(), role: String::new() }
            }
            Actor::Engine => {
                Self { kind: "engine".to_owned(), uid: None, name: "engine".to_owned(), role: String::new() }
            }
        }
    }
}

impl ActorColumns {
    /// Returns the actor that the columns hold.
    pub(crate) fn actor(&self) -> Result<Actor, StoreError> {
        let role = || Role::ALL.into_iter().find(|role| role.as_str() == self.role);
        match (self.kind.as_str(), self.uid) {
            ("person", Some(uid)) => role().map(|role| Actor::Person { uid, name: self.name.clone(), role }),
            ("agent", None) => Some(Actor::Agent { name: self.name.clone() }),
            ("engine", None) => Some(Actor::Engine),
            _ => None,
        }
        .ok_or_else(|| StoreError::Unreadable {
            what: "an actor".to_owned(),
            why: format!("`{}` with role `{}` is none", self.kind, self.role),
        })
    }
}
