//! Accounts: one profile of a client on one platform.
//!
//! Decides how an account comes to be connected, that its identity is pinned once and never changes under us (T25), and
//! what stops it: a hold of a person, or a breach, which parks every unsent post on it. Who is asked on the network is an adapter's business; tokens are in the store's vault, never here.

use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, StreamKind};
use crate::brief::Platform;
use crate::guardrail::Alarm;
use crate::hash::Digest;
use crate::hold::{Hold, HoldKey, Holds, Release};
use crate::id::{AccountId, ClientId};
use crate::refusal::Refusal;
use crate::time::{Span, UtcTime};

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
    /// What stopped it so far, the last ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
    /// When its login was lost, the last times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<UtcTime>,
    /// When a person last let it go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<UtcTime>,
    /// Why it is looked at with care although nothing stops it: a breach on another account of its client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<Watch>,
}

/// How many alarms an account remembers. One of a mark older than these would stop it again, which is the safe side.
const ALARMS_MAX: usize = 100;

/// So many lost logins within a day look like a challenge: the platform wants to see a person, and asks nobody for it.
const CHALLENGE_AFTER: usize = 3;

/// Why an account is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The account that was stopped.
    pub of: AccountId,
    /// Why that was stopped.
    pub why: String,
    /// Since when.
    pub at: UtcTime,
}

impl Account {
    /// Returns the platform's own id, or nothing where it was never connected.
    pub fn identity_id(&self) -> &str {
        self.identity.as_ref().map_or("", |identity| identity.id.as_str())
    }

    /// Tells whether the platform seems to want a person to log in: logins that work and are lost again, three within a day
    /// since a person last let the account go on.
    pub fn seems_challenged(&self, now: UtcTime) -> bool {
        let since = self.released.unwrap_or(now.minus(Span::hours(24))).max(now.minus(Span::hours(24)));
        self.lost.iter().filter(|at| **at >= since).count() >= CHALLENGE_AFTER
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
        /// When.
        at: UtcTime,
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
    /// The platform let one see something that stops it.
    Alarm(Alarm),
    /// Another account of its client was stopped, or goes on.
    Watch(Watch),
    /// The account because of which it was watched goes on.
    EndWatch {
        /// Which that is.
        of: AccountId,
    },
    /// Let it go on.
    Release {
        /// Why, and what ends.
        release: Release,
        /// Now.
        at: UtcTime,
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
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<UtcTime>,
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
        /// Which holds ended; all of them where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holds: Vec<HoldKey>,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<UtcTime>,
    },
    /// The platform let one see something that stops it.
    AccountAlarmed {
        /// What.
        alarm: Alarm,
    },
    /// Another account of its client was stopped.
    AccountWatched {
        /// Which, and why.
        watch: Watch,
    },
    /// That account goes on.
    WatchEnded {
        /// Which.
        of: AccountId,
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
            AccountCommand::LoseLogin { why, at } => {
                if self.is_connected() {
                    Ok(vec![AccountEvent::LoginLost { why, at: Some(at) }])
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
            AccountCommand::Alarm(alarm) => Ok(self.alarm(alarm)),
            AccountCommand::Watch(watch) => {
                if self.watched.iter().any(|known| known.of == watch.of) {
                    return Ok(Vec::new());
                }
                Ok(vec![AccountEvent::AccountWatched { watch }])
            }
            AccountCommand::EndWatch { of } => {
                let known = self.watched.iter().any(|watch| watch.of == of);
                Ok(if known { vec![AccountEvent::WatchEnded { of }] } else { Vec::new() })
            }
            AccountCommand::Release { release, at } => {
                let holds = self.holds.check_release(&what(), &release)?;
                Ok(vec![AccountEvent::AccountReleased { reason: release.reason, holds, at: Some(at) }])
            }
        }
    }

    /// An alarm stops the account. One that stands already is not put a second time, and what a person settled does not
    /// stop it again by still standing there: only something new does.
    fn alarm(&self, alarm: Alarm) -> Vec<AccountEvent> {
        let is_known = alarm.mark.is_some() && self.alarms.iter().any(|known| known.mark == alarm.mark);
        let is_held = self.holds.has_signal(alarm.signal);
        if is_known || (is_held && alarm.mark.is_none()) {
            return Vec::new();
        }
        let hold = Hold::breach(alarm.signal, alarm.at, format!("{}: {}", alarm.signal.words(), alarm.words));
        let mut events = vec![AccountEvent::AccountAlarmed { alarm }];
        if !is_held {
            events.push(AccountEvent::AccountHeld { hold });
        }
        events
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
            AccountEvent::LoginLost { why, at } => {
                self.connection = Connection::Reconnect { why: why.clone() };
                self.lost.extend(at);
                let over = self.lost.len().saturating_sub(CHALLENGE_AFTER);
                self.lost.drain(..over);
            }
            AccountEvent::ExternalPostsSeen { .. } => {}
            AccountEvent::AccountDisconnected => self.connection = Connection::Disconnected,
            AccountEvent::AccountHeld { hold } => self.holds.add(hold.clone()),
            AccountEvent::AccountReleased { holds, at, .. } => {
                self.holds.end(holds);
                self.released = (*at).or(self.released);
            }
            AccountEvent::AccountAlarmed { alarm } => {
                self.alarms.push(alarm.clone());
                let over = self.alarms.len().saturating_sub(ALARMS_MAX);
                self.alarms.drain(..over);
            }
            AccountEvent::AccountWatched { watch } => self.watched.push(watch.clone()),
            AccountEvent::WatchEnded { of } => self.watched.retain(|watch| watch.of != *of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::fold;
    use crate::guardrail::Signal;

    fn account() -> Account {
        let at = UtcTime::from_micros(0);
        Account {
            id: "acme-bs".parse().unwrap(),
            client: "acme".parse().unwrap(),
            platform: Platform::Bluesky,
            handle: "acme.test".to_owned(),
            servers: Servers::default(),
            identity: None,
            connection: Connection::Asked { at },
            holds: Holds::default(),
            added: at,
            alarms: Vec::new(),
            lost: Vec::new(),
            released: None,
            watched: Vec::new(),
        }
    }

    fn did(account: Account, command: AccountCommand) -> Account {
        let events = account.decide(command).unwrap();
        fold(Some(account), &events).unwrap()
    }

    #[test]
    fn a_warning_stops_the_account_once_and_a_settled_one_never_again_by_standing_there() {
        let warned = |mark: &str| {
            AccountCommand::Alarm(Alarm::new(Signal::PlatformWarning, "label", UtcTime::from_micros(1)).marked(mark))
        };
        let stopped = did(account(), warned("label 1"));
        assert_eq!(stopped.holds.list().len(), 1);
        assert!(stopped.holds.has_breach());
        assert!(stopped.decide(warned("label 1")).unwrap().is_empty());
        let more = did(stopped, warned("label 2"));
        assert_eq!((more.holds.list().len(), more.alarms.len()), (1, 2), "one hold, and all that was seen");
        let release = Release { reason: "withdrawn".to_owned(), holds: more.holds.keys() };
        let free = did(more, AccountCommand::Release { release, at: UtcTime::from_micros(9) });
        assert!(free.holds.is_free() && free.released == Some(UtcTime::from_micros(9)));
        assert!(free.decide(warned("label 2")).unwrap().is_empty());
        assert!(!did(free, warned("label 3")).holds.is_free());
    }

    #[test]
    fn a_takedown_that_still_stands_after_a_resume_stops_the_account_again() {
        let down =
            || AccountCommand::Alarm(Alarm::new(Signal::AccountRestricted, "taken down", UtcTime::from_micros(1)));
        let stopped = did(account(), down());
        assert!(stopped.decide(down()).unwrap().is_empty(), "it stands");
        let release = Release { reason: "solved".to_owned(), holds: stopped.holds.keys() };
        let free = did(stopped, AccountCommand::Release { release, at: UtcTime::from_micros(9) });
        assert!(!did(free, down()).holds.is_free());
    }

    #[test]
    fn a_login_that_is_lost_three_times_in_a_day_looks_like_a_challenge() {
        let at = |hour: i64| UtcTime::from_micros(0).plus(Span::hours(hour));
        let connected =
            |account: Account, hour| Account { connection: Connection::Connected { at: at(hour) }, ..account };
        let lost = |account: Account, hour| {
            let lose = AccountCommand::LoseLogin { why: "revoked".to_owned(), at: at(hour) };
            did(connected(account, hour), lose)
        };
        let twice = lost(lost(account(), 1), 2);
        assert!(!twice.seems_challenged(at(2)));
        assert!(!lost(twice.clone(), 26).seems_challenged(at(26)), "the first was a day ago");
        let thrice = lost(twice, 3);
        assert!(thrice.seems_challenged(at(3)));
        assert!(
            !Account { released: Some(at(4)), ..thrice.clone() }.seems_challenged(at(5)),
            "a person has settled it"
        );
        assert!((4..40).fold(thrice, lost).lost.len() <= CHALLENGE_AFTER);
    }

    #[test]
    fn an_account_remembers_a_bounded_number_of_alarms() {
        let mut account = account();
        for n in 0..150 {
            let alarm = Alarm::new(Signal::Spam, "spam", UtcTime::from_micros(1)).marked(&n.to_string());
            account = did(account, AccountCommand::Alarm(alarm));
        }
        assert_eq!((account.alarms.len(), account.holds.list().len()), (ALARMS_MAX, 1));
        assert_eq!(account.alarms.last().unwrap().mark.as_deref(), Some("149"));
    }

    #[test]
    fn another_login_never_takes_over_a_pinned_account() {
        let identity = |id: &str| Identity {
            id: id.to_owned(),
            handle: "acme.test".to_owned(),
            server: "https://pds.test".to_owned(),
        };
        let at = UtcTime::from_micros(0);
        let account = account();
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
