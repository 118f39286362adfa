//! Accounts: one profile of a client on one platform.
//!
//! Decides how an account comes to be connected, that its identity is pinned once and never changes under us (T25), and
//! what stops it. Who is asked on the network is an adapter's business; tokens are in the store's vault, never here.

use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, StreamKind};
use crate::brief::Platform;
use crate::hash::Digest;
use crate::hold::{Hold, Holds};
use crate::id::{AccountId, ClientId};
use crate::refusal::Refusal;
use crate::time::UtcTime;

/// Where the account's servers are, as an operator gave them or as its identity names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Servers {
    /// The personal data server that an operator named; it wins over the identity document's.
    pub pds: Option<String>,
    /// The server for public reads; the network's public one where absent.
    pub appview: Option<String>,
    /// The directory of identities; the network's public one where absent.
    pub plc: Option<String>,
}

/// Who an account is, as the platform said when it was connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The platform's own id, which never changes: a DID.
    pub id: String,
    /// The handle at that moment.
    pub handle: String,
    /// The server that holds the account.
    pub server: String,
}

/// How far the connection has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Connection {
    /// Asked for; the engine has not been there yet.
    Asked {
        /// Since when.
        at: UtcTime,
    },
    /// Logged in as the pinned identity.
    Connected {
        /// Since when.
        at: UtcTime,
    },
    /// It did not work; a person must ask again.
    Failed {
        /// Why, in one sentence.
        why: String,
    },
    /// It worked once; the login is no longer good.
    Reconnect {
        /// Why, in one sentence.
        why: String,
    },
    /// A person disconnected it.
    Disconnected,
}

/// An account as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its short name.
    pub id: AccountId,
    /// Whose it is.
    pub client: ClientId,
    /// On which platform.
    pub platform: Platform,
    /// The handle that an operator typed.
    pub handle: String,
    /// Its servers.
    pub servers: Servers,
    /// Who it is; pinned at the first connection.
    pub identity: Option<Identity>,
    /// How far the connection is.
    pub connection: Connection,
    /// What stops it.
    pub holds: Holds,
    /// When it was added.
    pub added: UtcTime,
}

impl Account {
    /// Returns the platform's own id, or nothing where it was never connected.
    pub fn identity_id(&self) -> &str {
        self.identity.as_ref().map_or("", |identity| identity.id.as_str())
    }

    /// Tells whether posts may go out on it, the holds apart.
    pub fn is_connected(&self) -> bool {
        matches!(self.connection, Connection::Connected { .. })
    }
}

/// What is asked of an account.
#[derive(Debug, Clone, PartialEq)]
pub enum AccountCommand {
    /// Log in, or again.
    Ask {
        /// The handle.
        handle: String,
        /// The servers.
        servers: Servers,
        /// Now.
        at: UtcTime,
    },
    /// The engine was there.
    Settle {
        /// Which question it answers: when that was asked.
        asked: UtcTime,
        /// What the platform said.
        outcome: ConnectOutcome,
    },
    /// The login is no longer good.
    LoseLogin {
        /// Why.
        why: String,
    },
    /// Posts were found that somebody made by hand; they stand in rows of their own.
    SeeExternal {
        /// How many are new.
        count: u32,
        /// The digest of the batch.
        digest: Digest,
        /// When.
        at: UtcTime,
    },
    /// Forget the login.
    Disconnect,
    /// Stop it.
    Hold(Hold),
    /// Let it go on.
    Release {
        /// Why.
        reason: String,
    },
}

/// What the platform said at a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum ConnectOutcome {
    /// It let us in.
    In {
        /// As whom.
        identity: Identity,
        /// When.
        at: UtcTime,
    },
    /// It did not.
    Out {
        /// Why, in one sentence.
        why: String,
    },
}

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AccountEvent {
    /// It was added, and its connection asked for.
    AccountAdded {
        /// As it began.
        account: Box<Account>,
    },
    /// Its connection was asked for again.
    ConnectAsked {
        /// The handle.
        handle: String,
        /// The servers.
        servers: Servers,
        /// When.
        at: UtcTime,
    },
    /// The platform let us in.
    AccountConnected {
        /// As whom.
        identity: Identity,
        /// When.
        at: UtcTime,
    },
    /// The platform did not let us in.
    ConnectFailed {
        /// Why.
        why: String,
    },
    /// The login is no longer good.
    LoginLost {
        /// Why.
        why: String,
    },
    /// Posts were found that somebody made by hand.
    ExternalPostsSeen {
        /// How many are new.
        count: u32,
        /// The digest of the batch.
        digest: Digest,
        /// When.
        at: UtcTime,
    },
    /// A person disconnected it.
    AccountDisconnected,
    /// It was stopped.
    AccountHeld {
        /// By whom and why.
        hold: Hold,
    },
    /// It may go on.
    AccountReleased {
        /// Why.
        reason: String,
    },
}

impl Account {
    /// Decides what a command means now.
    pub fn decide(&self, command: AccountCommand) -> Result<Vec<AccountEvent>, Refusal> {
        let what = || format!("account {}", self.id);
        match command {
            AccountCommand::Ask { handle, servers, at } => Ok(vec![AccountEvent::ConnectAsked { handle, servers, at }]),
            AccountCommand::Settle { asked, .. } if self.connection != (Connection::Asked { at: asked }) => {
                Err(Refusal::nothing(what(), "that question was answered, or asked anew, meanwhile"))
            }
            AccountCommand::Settle { outcome: ConnectOutcome::In { identity, at }, .. } => Ok(match &self.identity {
                Some(pinned) if pinned.id != identity.id => vec![AccountEvent::ConnectFailed {
                    why: format!(
                        "the login belongs to {} ({}), this account is pinned to {} ({})",
                        identity.handle, identity.id, pinned.handle, pinned.id
                    ),
                }],
                Some(_) | None => vec![AccountEvent::AccountConnected { identity, at }],
            }),
            AccountCommand::Settle { outcome: ConnectOutcome::Out { why }, .. } => {
                Ok(vec![AccountEvent::ConnectFailed { why }])
            }
            AccountCommand::LoseLogin { why } => {
                if self.is_connected() {
                    Ok(vec![AccountEvent::LoginLost { why }])
                } else {
                    Err(Refusal::nothing(what(), "it is not connected"))
                }
            }
            AccountCommand::SeeExternal { count, digest, at } => {
                Ok(vec![AccountEvent::ExternalPostsSeen { count, digest, at }])
            }
            AccountCommand::Disconnect => match self.connection {
                Connection::Disconnected => Err(Refusal::nothing(what(), "it is disconnected")),
                Connection::Asked { .. }
                | Connection::Connected { .. }
                | Connection::Failed { .. }
                | Connection::Reconnect { .. } => Ok(vec![AccountEvent::AccountDisconnected]),
            },
            AccountCommand::Hold(hold) => Ok(vec![AccountEvent::AccountHeld { hold }]),
            AccountCommand::Release { reason } => {
                self.holds.check_release(&what(), &reason)?;
                Ok(vec![AccountEvent::AccountReleased { reason }])
            }
        }
    }
}

impl Aggregate for Account {
    type Event = AccountEvent;
    const KIND: StreamKind = StreamKind::Account;

    fn begin(event: &AccountEvent) -> Option<Self> {
        if let AccountEvent::AccountAdded { account } = event { Some((**account).clone()) } else { None }
    }

    fn apply(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::AccountAdded { account } => *self = (**account).clone(),
            AccountEvent::ConnectAsked { handle, servers, at } => {
                self.handle.clone_from(handle);
                self.servers = servers.clone();
                self.connection = Connection::Asked { at: *at };
            }
            AccountEvent::AccountConnected { identity, at } => {
                self.identity = Some(identity.clone());
                self.connection = Connection::Connected { at: *at };
            }
            AccountEvent::ConnectFailed { why } => self.connection = Connection::Failed { why: why.clone() },
            AccountEvent::LoginLost { why } => self.connection = Connection::Reconnect { why: why.clone() },
            AccountEvent::ExternalPostsSeen { .. } => {}
            AccountEvent::AccountDisconnected => self.connection = Connection::Disconnected,
            AccountEvent::AccountHeld { hold } => self.holds.add(hold.clone()),
            AccountEvent::AccountReleased { .. } => self.holds.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::fold;

    #[test]
    fn another_login_never_takes_over_a_pinned_account() {
        let identity = |id: &str| Identity {
            id: id.to_owned(),
            handle: "acme.test".to_owned(),
            server: "https://pds.test".to_owned(),
        };
        let at = UtcTime::from_micros(0);
        let account = Account {
            id: "acme-bs".parse().unwrap(),
            client: "acme".parse().unwrap(),
            platform: Platform::Bluesky,
            handle: "acme.test".to_owned(),
            servers: Servers::default(),
            identity: None,
            connection: Connection::Asked { at },
            holds: Holds::default(),
            added: at,
        };
        let answer = |asked, id| AccountCommand::Settle {
            asked,
            outcome: ConnectOutcome::In { identity: identity(id), at: UtcTime::from_micros(9) },
        };
        let first = account.decide(answer(at, "did:plc:a")).unwrap();
        let connected = fold(Some(account), &first).unwrap();
        assert!(connected.is_connected());
        assert!(connected.decide(answer(at, "did:plc:a")).is_err(), "one question has one answer");
        let again = UtcTime::from_micros(5);
        let ask = AccountCommand::Ask { handle: "other.test".to_owned(), servers: Servers::default(), at: again };
        let asked = fold(Some(connected.clone()), &connected.decide(ask).unwrap()).unwrap();
        assert!(
            asked.decide(answer(at, "did:plc:a")).is_err(),
            "an answer to the first question is none to the second"
        );
        let after = fold(Some(asked.clone()), &asked.decide(answer(again, "did:plc:b")).unwrap()).unwrap();
        assert!(!after.is_connected());
        assert_eq!(after.identity_id(), "did:plc:a");
    }
}
