//! Check-ins: one person's round, signed.
//!
//! Decides what a signature must say, that work which is left needs a sentence about who has it, that a round is signed
//! once a day for the same clients, and not before it is open. What is left and what was done is read by the desk from the
//! store; what was looked at is the one thing that only the face can tell.

mod round;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, StreamKind};
use crate::escalation::Urgency;
use crate::experiment::Writer;
use crate::hash::Framed;
use crate::id::{CheckinId, ClientId, ConversationId, EscalationId, ExperimentId, PostId};
use crate::refusal::Refusal;
use crate::role::Scope;
use crate::time::{Span, UtcTime, Zone};

pub use round::{Round, Step};

/// The most characters of a note.
const NOTE_MAX: usize = 5_000;
/// The most characters that say what was seen at a step.
const WHAT_MAX: usize = 200;
/// How far the clock of a face may be ahead of the desk's.
const AHEAD_MAX: Span = Span::minutes(5);
/// The longest that a round may be said to have taken.
const USED_MAX: u64 = 24 * 60 * 60;

/// What a person looked at, as their face told. It is part of the log: what a later program no longer knows is read over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// At which step.
    pub step: Step,
    /// From when.
    pub from: UtcTime,
    /// Until when.
    pub until: UtcTime,
    /// What stood there: `none open on 9 accounts`.
    pub what: String,
}

/// An experiment by both its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub experiment: ExperimentId,
    /// Its code.
    pub code: String,
}

/// What a person did since they last signed this round.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deeds {
    /// Experiments whose approval stands by their word.
    pub approved: Vec<Named>,
    /// Posts of those.
    pub posts: u32,
    /// Experiments that have their word and wait for another's.
    pub passed_on: Vec<Named>,
    /// Experiments that were sent back.
    pub rejected: Vec<Named>,
    /// Escalations that were settled.
    pub settled: Vec<EscalationId>,
}

impl Deeds {
    /// Tells whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.approved.is_empty() && self.passed_on.is_empty() && self.rejected.is_empty() && self.settled.is_empty()
    }
}

/// What is left of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum LeftOf {
    /// An experiment.
    Experiment(Named),
    /// A post.
    Post {
        /// Its id.
        post: PostId,
    },
    /// An escalation.
    Escalation {
        /// Its id.
        escalation: EscalationId,
    },
    /// Somebody who wrote under a post.
    Conversation {
        /// Its id.
        conversation: ConversationId,
    },
    /// Nothing goes out: no engine, or it is on hold.
    Engine,
}

/// Work that is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Whose step it is.
    pub step: Step,
    /// What.
    pub of: LeftOf,
    /// What it is, in words.
    pub what: String,
    /// Who has it, or who may do it.
    pub to: String,
    /// When it must have been done: the first slot, or the time due.
    pub before: Option<UtcTime>,
}

/// An escalation that was open at the moment of signing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAlert {
    /// Its id.
    pub escalation: EscalationId,
    /// The rule that opened it.
    pub rule: String,
    /// How much it hurries.
    pub urgency: Urgency,
    /// Who has it.
    pub owner: Option<String>,
}

/// A signed round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkin {
    /// Its id.
    pub id: CheckinId,
    /// Which round.
    pub round: Round,
    /// Of which day, in the zone below.
    pub date: NaiveDate,
    /// Where that day is.
    pub zone: Zone,
    /// For which clients.
    pub covers: Scope,
    /// Who signed.
    pub by: Writer,
    /// When.
    pub at: UtcTime,
    /// What was looked at, a line a step.
    pub looked: Vec<Look>,
    /// What they did since they last signed this round.
    pub done: Deeds,
    /// What is left, and to whom.
    pub left: Vec<Left>,
    /// The alerts at that moment.
    pub alerts: Vec<OpenAlert>,
    /// How long the round took, in seconds, as the face counted.
    pub used_s: u64,
    /// What was said.
    pub note: String,
    /// The last event before it: the next signature tells what came after.
    pub log: u64,
}

/// What happened to a check-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CheckinEvent {
    /// It was signed.
    CheckinSigned {
        /// All of it.
        checkin: Box<Checkin>,
    },
}

impl Checkin {
    /// Decides whether it may be signed; `before` are the signatures of that day.
    pub fn sign(self, before: &[Self]) -> Result<Vec<CheckinEvent>, Refusal> {
        let what = format!("the {} round", self.round);
        if let Some(first) = before.iter().find(|b| b.stands_for(self.round, self.date, &self.covers)) {
            let at = first.at.in_zone(first.zone);
            return Err(Refusal::nothing(what, format!("{} signed it at {at}", first.by.name)));
        }
        self.check_begun(&what)?;
        self.check_words(&what)?;
        if !self.left.is_empty() && self.note.trim().is_empty() {
            let (count, first) = (self.left.len(), self.left.first().map_or("", |left| left.what.as_str()));
            let things = if count == 1 { "thing is" } else { "things are" };
            return Err(Refusal::rule(
                "checkin.note",
                what,
                format!("{count} {things} left, first: {first}"),
                "say in the note who has it and why it waits, or do it first",
            ));
        }
        Ok(vec![CheckinEvent::CheckinSigned { checkin: Box::new(self) }])
    }

    /// Nobody signs for a day, or a part of it, that is still to come.
    fn check_begun(&self, what: &str) -> Result<(), Refusal> {
        let Some(opens) = self.round.opens(self.date, self.zone).filter(|opens| self.at < *opens) else {
            return Ok(());
        };
        let begins = self.round.begins(self.date, self.zone).unwrap_or(opens);
        Err(Refusal::rule(
            "checkin.early",
            what.to_owned(),
            format!("it begins at {}", begins.in_zone(self.zone)),
            format!("sign it from {} on", opens.in_zone(self.zone)),
        ))
    }

    fn check_words(&self, what: &str) -> Result<(), Refusal> {
        let invalid =
            |why: &str, mend: &str| Err(Refusal::invalid("checkin.words", what.to_owned(), why.to_owned(), mend));
        if self.note.chars().count() > NOTE_MAX {
            return invalid("its note is longer than 5000 characters", "make it shorter");
        }
        if self.used_s > USED_MAX {
            return invalid("no round takes more than a day", "give the time that it took, in seconds");
        }
        for (place, look) in self.looked.iter().enumerate() {
            if !self.round.steps().contains(&look.step) {
                return invalid("a step that was looked at is of another round", "name the steps of this round");
            }
            if self.looked.iter().skip(place + 1).any(|other| other.step == look.step) {
                return invalid("a step stands there twice", "name each step once");
            }
            if look.from > look.until || look.until > self.at.plus(AHEAD_MAX) {
                return invalid("a step was looked at in the future, or backwards", "set the clock, then look again");
            }
            if look.what.chars().count() > WHAT_MAX {
                return invalid("what was seen at a step is longer than 200 characters", "make it shorter");
            }
        }
        Ok(())
    }

    /// Tells whether it is the signature of a round of a day for these clients, or for more.
    pub fn stands_for(&self, round: Round, date: NaiveDate, clients: &Scope) -> bool {
        self.round == round && self.date == date && self.covers.covers(clients)
    }

    /// Tells whether somebody limited to these clients may read it: it speaks of nothing that they do not see.
    pub fn is_seen_by(&self, scope: &Scope) -> bool {
        scope.covers(&self.covers)
    }

    /// Returns whose it is, where it is one client's.
    pub fn client(&self) -> Option<&ClientId> {
        match &self.covers {
            Scope::Only(clients) if clients.len() == 1 => clients.first(),
            Scope::Only(_) | Scope::All => None,
        }
    }
}

/// What a person is shown before they sign.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Which round.
    pub round: Round,
    /// Of which day.
    pub date: NaiveDate,
    /// For which clients.
    pub covers: &'a Scope,
    /// What is left.
    pub left: &'a [Left],
    /// The alerts that are open.
    pub alerts: &'a [OpenAlert],
}

impl Shown<'_> {
    /// Names all of it, so that nobody signs for something that came in between, for another day or for other clients.
    pub fn name(&self) -> String {
        let mut framed = Framed::new("expos.checkin.shown.2").text(self.round.as_str()).text(&self.date.to_string());
        match self.covers {
            Scope::All => framed = framed.text("all clients"),
            Scope::Only(clients) => {
                framed = framed.text("clients").text(&clients.len().to_string());
                for client in clients {
                    framed = framed.text(client.as_str());
                }
            }
        }
        framed = framed.text(&self.left.len().to_string());
        for left in self.left {
            let before = left.before.map_or_else(String::new, |before| before.to_string());
            framed = framed.text(left.step.as_str()).text(&left.what).text(&left.to).text(&before);
        }
        for alert in self.alerts {
            let owner = alert.owner.as_deref().unwrap_or_default();
            framed = framed.text(&alert.escalation.to_string()).text(alert.urgency.as_str()).text(owner);
        }
        framed.digest().short()
    }
}

impl Aggregate for Checkin {
    type Event = CheckinEvent;
    const KIND: StreamKind = StreamKind::Checkin;

    fn begin(event: &CheckinEvent) -> Option<Self> {
        let CheckinEvent::CheckinSigned { checkin } = event;
        Some((**checkin).clone())
    }

    fn apply(&mut self, event: &CheckinEvent) {
        let CheckinEvent::CheckinSigned { checkin } = event;
        *self = (**checkin).clone();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn time(text: &str) -> UtcTime {
        text.parse().unwrap()
    }

    fn only(names: &[&str]) -> Scope {
        Scope::Only(names.iter().map(|name| name.parse().unwrap()).collect())
    }

    fn look(step: Step) -> Look {
        let at = time("2026-11-24T09:03:00Z");
        Look { step, from: at, until: at, what: "none".to_owned() }
    }

    fn morning(covers: Scope) -> Checkin {
        Checkin {
            id: CheckinId::new(time("2026-11-24T09:12:00Z"), [1; 10]),
            round: Round::Morning,
            date: NaiveDate::from_ymd_opt(2026, 11, 24).unwrap(),
            zone: Zone::UTC,
            covers,
            by: Writer { uid: 7, name: "mira".to_owned() },
            at: time("2026-11-24T09:12:00Z"),
            looked: vec![look(Step::Alerts), look(Step::Queue)],
            done: Deeds::default(),
            left: Vec::new(),
            alerts: Vec::new(),
            used_s: 600,
            note: String::new(),
            log: 9,
        }
    }

    fn left() -> Left {
        Left {
            step: Step::Queue,
            of: LeftOf::Engine,
            what: "ACM-001 waits".to_owned(),
            to: "a reviewer".to_owned(),
            before: None,
        }
    }

    #[test]
    fn a_round_with_nothing_left_is_signed_without_a_word() {
        assert_eq!(morning(Scope::All).sign(&[]).unwrap().len(), 1);
    }

    #[test]
    fn work_that_is_left_needs_a_sentence() {
        let open = Checkin { left: vec![left()], note: " ".to_owned(), ..morning(Scope::All) };
        let refusal = open.clone().sign(&[]).unwrap_err();
        assert_eq!(refusal.rule, "checkin.note");
        assert!(refusal.why.contains("ACM-001 waits") && refusal.mend.contains("who has it"), "{refusal}");
        let said = Checkin { note: "jon has it until noon".to_owned(), ..open };
        assert!(said.sign(&[]).is_ok());
    }

    #[test]
    fn a_round_is_signed_once_a_day_for_the_same_clients_or_more() {
        let all = [morning(Scope::All)];
        for again in [Scope::All, only(&["acme"])] {
            let refusal = morning(again).sign(&all).unwrap_err();
            assert!(refusal.why.contains("mira signed it at"), "{refusal}");
        }
        let one = [morning(only(&["acme"]))];
        assert!(morning(only(&["acme"])).sign(&one).is_err());
        assert!(morning(only(&["beta"])).sign(&one).is_ok());
        assert!(morning(Scope::All).sign(&one).is_ok(), "one client's signature is not everybody's");
        let tomorrow = Checkin {
            date: NaiveDate::from_ymd_opt(2026, 11, 25).unwrap(),
            at: time("2026-11-25T09:12:00Z"),
            ..morning(Scope::All)
        };
        assert!(tomorrow.sign(&all).is_ok());
        let midday = Checkin {
            round: Round::Midday,
            at: time("2026-11-24T13:02:00Z"),
            looked: Vec::new(),
            ..morning(Scope::All)
        };
        assert!(midday.sign(&all).is_ok());
    }

    #[test]
    fn what_was_looked_at_must_be_possible() {
        let mut bad: Vec<Checkin> = Vec::new();
        for looked in [
            vec![look(Step::Posts)],
            vec![look(Step::Queue), look(Step::Queue)],
            vec![Look { until: time("2026-11-24T09:30:00Z"), ..look(Step::Queue) }],
            vec![Look { until: time("2026-11-24T09:00:00Z"), ..look(Step::Queue) }],
            vec![Look { what: "x".repeat(201), ..look(Step::Queue) }],
        ] {
            bad.push(Checkin { looked, ..morning(Scope::All) });
        }
        bad.push(Checkin { note: "x".repeat(5_001), ..morning(Scope::All) });
        bad.push(Checkin { used_s: 90_000, ..morning(Scope::All) });
        for checkin in bad {
            assert_eq!(checkin.clone().sign(&[]).unwrap_err().rule, "checkin.words", "{checkin:?}");
        }
    }

    #[test]
    fn a_signed_round_of_a_program_that_knew_more_is_read() {
        let event = CheckinEvent::CheckinSigned { checkin: Box::new(morning(Scope::All)) };
        let mut written = serde_json::to_value(&event).unwrap();
        written["checkin"]["mood"] = "calm".into();
        written["checkin"]["looked"][0]["keys"] = 7.into();
        assert_eq!(serde_json::from_value::<CheckinEvent>(written).unwrap(), event);
    }

    #[test]
    fn a_signature_is_read_by_those_who_see_all_that_it_speaks_of() {
        assert!(morning(Scope::All).is_seen_by(&Scope::All));
        assert!(!morning(Scope::All).is_seen_by(&only(&["acme"])));
        assert!(morning(only(&["acme"])).is_seen_by(&only(&["acme", "beta"])));
        assert!(!morning(only(&["acme", "beta"])).is_seen_by(&only(&["acme"])));
        assert_eq!(morning(only(&["acme"])).client().map(ClientId::as_str), Some("acme"));
        assert_eq!(morning(only(&["acme", "beta"])).client(), None);
    }

    #[test]
    fn a_round_is_not_signed_before_it_is_open() {
        let at = |text: &str| Checkin { at: time(text), looked: Vec::new(), ..morning(Scope::All) };
        let refusal = at("2026-11-24T06:59:59Z").sign(&[]).unwrap_err();
        assert_eq!(refusal.rule, "checkin.early");
        assert!(refusal.why.contains("2026-11-24 09:00:00 UTC") && refusal.mend.contains("07:00:00"), "{refusal}");
        assert!(at("2026-11-24T07:00:00Z").sign(&[]).is_ok());
        // Where the day begins earlier, so does the round.
        let tokyo = Checkin { zone: "Asia/Tokyo".parse().unwrap(), ..at("2026-11-23T22:00:00Z") };
        assert!(tokyo.sign(&[]).is_ok());
    }

    #[test]
    fn what_is_shown_has_another_name_for_another_day_other_clients_or_anything_that_came_in_between() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        let shown = Shown { round: Round::Morning, date, covers: &Scope::All, left: &[], alerts: &[] };
        let mut names = BTreeSet::from([shown.name()]);
        let other = Left { to: "jon".to_owned(), ..left() };
        let sooner = Left { before: Some(time("2026-11-24T11:00:00Z")), ..left() };
        for left in [vec![left()], vec![other], vec![sooner], vec![left(), left()]] {
            names.insert(Shown { left: &left, ..shown }.name());
        }
        let alert = |urgency, owner: Option<&str>| OpenAlert {
            escalation: EscalationId::new(time("2026-11-24T09:00:00Z"), [1; 10]),
            rule: "account.lost".to_owned(),
            urgency,
            owner: owner.map(str::to_owned),
        };
        for alert in [alert(Urgency::High, None), alert(Urgency::Critical, None), alert(Urgency::Critical, Some("jon"))]
        {
            names.insert(Shown { alerts: &[alert], ..shown }.name());
        }
        for covers in [only(&["acme"]), only(&["beta"]), only(&["acme", "beta"])] {
            names.insert(Shown { covers: &covers, ..shown }.name());
        }
        names.insert(Shown { round: Round::Midday, ..shown }.name());
        names.insert(Shown { date: date.succ_opt().unwrap(), ..shown }.name());
        assert_eq!(names.len(), 13);
    }
}
