//! Presence: who has a dashboard open, and what they look at.
//!
//! Decides that it is soft: it stands in memory alone, is no event, forbids nothing, and is forgotten thirty seconds after
//! a dashboard's last sign of life. Who somebody is, the kernel says; what they look at is told to those alone who see that
//! client, and that they are here to those who work for a client of theirs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clock::Boot;
use domain::actor::Person;
use domain::id::{ClientId, ExperimentId};
use domain::role::Scope;
use serde::{Deserialize, Serialize};

/// A dashboard that was silent for so long is taken for closed.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);
/// The most dashboards of one person that are told apart.
const SESSIONS_MAX: usize = 8;

/// Somebody else who is here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Present {
    /// Their Unix user name.
    pub name: String,
    /// Their Unix user id.
    pub uid: u32,
    /// What they have open, where the asker sees it too.
    pub on: Option<ExperimentId>,
}

/// One dashboard.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    scope: Scope,
    on: Option<(ExperimentId, ClientId)>,
    at: Boot,
}

/// All dashboards, by person and session.
#[derive(Debug, Default)]
pub(crate) struct Presence(Mutex<BTreeMap<(u32, u32), Entry>>);

impl Presence {
    /// Notes a sign of life and returns who else is here.
    pub(crate) fn beat(
        &self,
        person: &Person,
        session: u32,
        on: Option<(ExperimentId, ClientId)>,
        now: Boot,
    ) -> Vec<Present> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| now.since(entry.at) < FORGOTTEN_AFTER);
        let entry = Entry { name: person.name.clone(), scope: person.scope.clone(), on, at: now };
        entries.insert((person.uid, session), entry);
        let mut mine: Vec<(Boot, u32)> =
            entries.iter().filter(|((uid, _), _)| *uid == person.uid).map(|((_, s), e)| (e.at, *s)).collect();
        mine.sort_unstable();
        // A person with more dashboards than that is told by the latest.
        for (_, old) in mine.iter().rev().skip(SESSIONS_MAX) {
            entries.remove(&(person.uid, *old));
        }
        let others = entries.iter().filter(|((uid, _), entry)| *uid != person.uid && person.scope.meets(&entry.scope));
        let mut found: Vec<Present> = others
            .map(|((uid, _), entry)| Present {
                name: entry.name.clone(),
                uid: *uid,
                on: entry.on.as_ref().filter(|(_, client)| person.sees(client)).map(|(id, _)| *id),
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use domain::role::Role;
    use domain::time::UtcTime;

    use super::*;

    fn person(uid: u32, clients: &[&str]) -> Person {
        let scope = if clients.is_empty() {
            Scope::All
        } else {
            Scope::Only(clients.iter().map(|c| c.parse().unwrap()).collect())
        };
        Person { uid, name: format!("u{uid}"), role: Role::Viewer, scope }
    }

    fn at(seconds: u64) -> Boot {
        Boot::from_duration(Duration::from_secs(seconds))
    }

    fn item(n: u8, client: &str) -> (ExperimentId, ClientId) {
        (ExperimentId::new(UtcTime::from_micros(0), [n; 10]), client.parse().unwrap())
    }

    #[test]
    fn a_dashboard_that_is_silent_for_thirty_seconds_is_forgotten() {
        let presence = Presence::default();
        let on = item(1, "acme");
        presence.beat(&person(1, &[]), 1, Some(on.clone()), at(0));
        let told = presence.beat(&person(2, &[]), 1, None, at(29));
        assert_eq!(told, [Present { name: "u1".to_owned(), uid: 1, on: Some(on.0) }]);
        assert_eq!(presence.beat(&person(2, &[]), 1, None, at(30)), []);
        assert_eq!(presence.beat(&person(1, &[]), 1, None, at(31)).len(), 1, "the other one is still here");
    }

    #[test]
    fn the_last_word_of_a_dashboard_holds_and_ones_own_is_not_told() {
        let presence = Presence::default();
        presence.beat(&person(1, &[]), 1, Some(item(1, "acme")), at(0));
        presence.beat(&person(1, &[]), 2, Some(item(2, "acme")), at(0));
        assert_eq!(presence.beat(&person(1, &[]), 3, None, at(1)), []);
        presence.beat(&person(1, &[]), 1, None, at(2));
        presence.beat(&person(1, &[]), 2, None, at(2));
        let told = presence.beat(&person(2, &[]), 1, None, at(3));
        assert_eq!(told, [Present { name: "u1".to_owned(), uid: 1, on: None }], "one person, told once");
    }

    #[test]
    fn what_is_another_clients_is_not_told_and_neither_is_who_works_there_alone() {
        let presence = Presence::default();
        presence.beat(&person(1, &["beta"]), 1, Some(item(1, "beta")), at(0));
        presence.beat(&person(2, &["acme", "beta"]), 1, Some(item(2, "beta")), at(0));
        let told = presence.beat(&person(3, &["acme"]), 1, None, at(1));
        assert_eq!(told, [Present { name: "u2".to_owned(), uid: 2, on: None }]);
        assert_eq!(presence.beat(&person(4, &[]), 1, None, at(1)).iter().filter(|p| p.on.is_some()).count(), 2);
    }

    #[test]
    fn one_person_cannot_fill_the_desks_memory() {
        let presence = Presence::default();
        for session in 0..1_000 {
            presence.beat(&person(1, &[]), session, Some(item(1, "acme")), at(u64::from(session) / 100));
        }
        assert_eq!(presence.0.lock().unwrap().len(), SESSIONS_MAX);
    }
}
