//! Who did it: a person, an agent, or the engine. Part of every event.
//!
//! What each may do is `role`'s business; who a connection belongs to is told by the kernel, never by a body.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::ClientId;
use crate::role::{Role, Scope};

/// A person of the agency, known by their Unix user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The Unix user id, as the kernel tells it.
    pub uid: u32,
    /// The Unix user's name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// For which clients.
    pub scope: Scope,
}

impl Person {
    /// Tells whether a client is within this person's scope.
    pub fn sees(&self, client: &ClientId) -> bool {
        self.scope.holds(client)
    }
}

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A person, with the role they had at that moment.
    Person {
        /// The Unix user id.
        uid: u32,
        /// The Unix user's name.
        name: String,
        /// The role at that moment.
        role: Role,
    },
    /// A creator agent.
    Agent {
        /// The agent's name.
        name: String,
    },
    /// The background engine.
    Engine,
}

impl Actor {
    /// Returns the name that screens show.
    pub fn name(&self) -> &str {
        match self {
            Self::Person { name, .. } | Self::Agent { name } => name,
            Self::Engine => "engine",
        }
    }

    /// Tells whether two events were caused by the same person.
    pub fn is_person(&self, other: u32) -> bool {
        matches!(self, Self::Person { uid, .. } if *uid == other)
    }
}

impl From<&Person> for Actor {
    fn from(person: &Person) -> Self {
        Self::Person { uid: person.uid, name: person.name.clone(), role: person.role }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
