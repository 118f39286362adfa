//! The agency: its people, and what stops everything.
//!
//! Decides who is a person here, by Unix user; that the last admin cannot go; and that a home of one person has "not
//! own" off until a second is granted. What a role may do is `role`'s business.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::actor::Person;
use crate::aggregate::{Aggregate, StreamKind};
use crate::hold::{Hold, HoldKey, Holds, Release};
use crate::refusal::{Refusal, RefusalKind};
use crate::role::{NotOwn, Role, Scope};
use crate::time::UtcTime;

/// Whose home it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HomeKind {
    /// One person's.
    Personal,
    /// A service user's, with operators over a socket.
    Shared,
}

/// The agency as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agency {
    /// Whose home it is.
    pub kind: HomeKind,
    /// When it was founded.
    pub founded: UtcTime,
    /// Its people by Unix user id.
    pub people: BTreeMap<u32, Person>,
    /// Whether nobody approves their own work.
    pub not_own: NotOwn,
    /// What stops everything.
    pub holds: Holds,
}

/// What is asked of the agency.
#[derive(Debug, Clone, PartialEq)]
pub enum AgencyCommand {
    /// Make somebody a person here, or change what they are.
    Grant(Person),
    /// Somebody leaves.
    Revoke {
        /// Their Unix user id.
        uid: u32,
    },
    /// Stop everything.
    Hold(Hold),
    /// Go on.
    Release(Release),
}

/// What happened to the agency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgencyEvent {
    /// A home was made.
    AgencyFounded {
        /// As it began.
        agency: Box<Agency>,
    },
    /// Somebody became a person here, or another one.
    PersonGranted {
        /// Who, as what.
        person: Person,
    },
    /// Somebody left.
    PersonRevoked {
        /// Their Unix user id.
        uid: u32,
    },
    /// From now on nobody approves their own work.
    NotOwnInForce,
    /// Everything was stopped.
    AgencyHeld {
        /// By whom and why.
        hold: Hold,
    },
    /// It goes on.
    AgencyReleased {
        /// Why.
        reason: String,
        /// Which holds ended; all of them where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holds: Vec<HoldKey>,
    },
}

impl Agency {
    /// Returns a new agency with its first person, an admin.
    pub fn found(kind: HomeKind, first: Person, at: UtcTime) -> AgencyEvent {
        let not_own = match kind {
            HomeKind::Personal => NotOwn::Off,
            HomeKind::Shared => NotOwn::InForce,
        };
        let people = BTreeMap::from([(first.uid, first)]);
        AgencyEvent::AgencyFounded {
            agency: Box::new(Self { kind, founded: at, people, not_own, holds: Holds::default() }),
        }
    }

    /// Decides what a command means now; `asker` is the Unix user id of who asks.
    pub fn decide(&self, command: AgencyCommand, asker: u32) -> Result<Vec<AgencyEvent>, Refusal> {
        match command {
            AgencyCommand::Grant(person) => self.grant(person, asker),
            AgencyCommand::Revoke { uid } => self.revoke(uid, asker),
            AgencyCommand::Hold(hold) => Ok(vec![AgencyEvent::AgencyHeld { hold }]),
            AgencyCommand::Release(release) => {
                let holds = self.holds.check_release("the engine", &release)?;
                Ok(vec![AgencyEvent::AgencyReleased { reason: release.reason, holds }])
            }
        }
    }

    fn grant(&self, person: Person, asker: u32) -> Result<Vec<AgencyEvent>, Refusal> {
        let what = format!("{} as {}", person.name, person.role);
        if person.uid == asker {
            return Err(Refusal::new(
                RefusalKind::NotAllowed,
                "people.self",
                what,
                "nobody changes their own role",
                "ask another admin",
            ));
        }
        if self.people.get(&person.uid) == Some(&person) {
            return Err(Refusal::nothing(what, "they are so already"));
        }
        self.keep_an_admin(person.uid, person.role, &what)?;
        let second = self.not_own == NotOwn::Off && !self.people.contains_key(&person.uid);
        let mut events = vec![AgencyEvent::PersonGranted { person }];
        if second {
            events.push(AgencyEvent::NotOwnInForce);
        }
        Ok(events)
    }

    fn revoke(&self, uid: u32, asker: u32) -> Result<Vec<AgencyEvent>, Refusal> {
        let Some(person) = self.people.get(&uid) else {
            return Err(Refusal::not_found("user", &uid.to_string()));
        };
        if uid == asker {
            return Err(Refusal::new(
                RefusalKind::NotAllowed,
                "people.self",
                &person.name,
                "nobody removes themselves",
                "ask another admin",
            ));
        }
        self.keep_an_admin(uid, Role::Viewer, &person.name)?;
        Ok(vec![AgencyEvent::PersonRevoked { uid }])
    }

    fn keep_an_admin(&self, uid: u32, becomes: Role, what: &str) -> Result<(), Refusal> {
        let admin_for_all = |p: &Person| p.role == Role::Admin && p.scope == Scope::All;
        let others = self.people.values().any(|p| p.uid != uid && admin_for_all(p));
        if others || becomes == Role::Admin {
            Ok(())
        } else {
            Err(Refusal::rule(
                "people.last-admin",
                what,
                "the agency would have no admin for all clients",
                "grant another admin first",
            ))
        }
    }
}

impl Aggregate for Agency {
    type Event = AgencyEvent;
    const KIND: StreamKind = StreamKind::Agency;

    fn begin(event: &AgencyEvent) -> Option<Self> {
        if let AgencyEvent::AgencyFounded { agency } = event { Some((**agency).clone()) } else { None }
    }

    fn apply(&mut self, event: &AgencyEvent) {
        match event {
            AgencyEvent::AgencyFounded { agency } => *self = (**agency).clone(),
            AgencyEvent::PersonGranted { person } => {
                self.people.insert(person.uid, person.clone());
            }
            AgencyEvent::PersonRevoked { uid } => {
                self.people.remove(uid);
            }
            AgencyEvent::NotOwnInForce => self.not_own = NotOwn::InForce,
            AgencyEvent::AgencyHeld { hold } => self.holds.add(hold.clone()),
            AgencyEvent::AgencyReleased { holds, .. } => self.holds.end(holds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::fold;

    fn person(uid: u32, role: Role) -> Person {
        Person { uid, name: format!("u{uid}"), role, scope: Scope::All }
    }

    fn home() -> Agency {
        fold(None, &[Agency::found(HomeKind::Personal, person(1, Role::Admin), UtcTime::from_micros(0))]).unwrap()
    }

    #[test]
    fn a_second_person_puts_not_own_in_force_for_good() {
        let home = home();
        assert_eq!(home.not_own, NotOwn::Off);
        let two =
            fold(Some(home.clone()), &home.decide(AgencyCommand::Grant(person(2, Role::Viewer)), 1).unwrap()).unwrap();
        assert_eq!(two.not_own, NotOwn::InForce);
        let one = fold(Some(two.clone()), &two.decide(AgencyCommand::Revoke { uid: 2 }, 1).unwrap()).unwrap();
        assert_eq!(one.not_own, NotOwn::InForce);
    }

    #[test]
    fn the_last_admin_stays_and_nobody_changes_themselves() {
        let home = home();
        assert!(home.decide(AgencyCommand::Revoke { uid: 1 }, 1).is_err());
        assert!(home.decide(AgencyCommand::Grant(person(1, Role::Viewer)), 1).is_err());
        assert!(home.decide(AgencyCommand::Grant(person(1, Role::Viewer)), 9).is_err());
    }
}
