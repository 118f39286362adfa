//! Rounds: Morning, Midday, End of day. What they have in common: steps, time, what was looked at, notes, signatures.
//!
//! Decides which steps a round has, how long it may take, and which note of the round before is read first. The work of a
//! step is its pane's business; what is left and who signed is the desk's word.

pub(crate) mod steps;
pub(crate) mod view;

use std::collections::BTreeMap;

use desk::rounds::Signature;
use domain::checkin::{self, Checkin, Round};
use domain::id::ClientId;
use domain::time::UtcTime;

use crate::model::{Model, Pane};
use crate::when;

/// A step of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Step {
    /// Nothing is approved onto a sick account.
    Alerts,
    /// Nothing collides.
    Layers,
    /// What waits for a word.
    #[default]
    Queue,
    /// What went out, what needs a hand.
    Posts,
    /// What a person must settle.
    Escalations,
    /// Whom we answer.
    Replies,
    /// What came in, what is late, what moved.
    Outcomes,
    /// What asks for a decision.
    Decide,
    /// Who signed, or what is left.
    SignOff,
}

impl Step {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Alerts => "Alerts",
            Self::Layers => "Layers",
            Self::Queue => "Queue",
            Self::Posts => "Posts",
            Self::Escalations => "Escalations",
            Self::Replies => "Replies",
            Self::Outcomes => "Outcomes",
            Self::Decide => "Decide",
            Self::SignOff => "Sign off",
        }
    }

    /// Returns what a signature calls it; none for signing itself.
    pub(crate) const fn of_round(self) -> Option<checkin::Step> {
        match self {
            Self::Alerts => Some(checkin::Step::Alerts),
            Self::Layers => Some(checkin::Step::Layers),
            Self::Queue => Some(checkin::Step::Queue),
            Self::Posts => Some(checkin::Step::Posts),
            Self::Escalations => Some(checkin::Step::Escalations),
            Self::Replies => Some(checkin::Step::Replies),
            Self::Outcomes => Some(checkin::Step::Outcomes),
            Self::Decide => Some(checkin::Step::Decide),
            Self::SignOff => None,
        }
    }

    /// Returns its place in its round, from 1.
    pub(crate) fn number(self, round: Round) -> usize {
        steps(round).iter().position(|step| *step == self).unwrap_or(0) + 1
    }
}

/// Returns the steps of a round; signing is the last.
pub(crate) const fn steps(round: Round) -> &'static [Step] {
    match round {
        Round::Morning => &[Step::Alerts, Step::Layers, Step::Queue, Step::SignOff],
        Round::Midday => &[Step::Posts, Step::Escalations, Step::Replies, Step::SignOff],
        Round::EndOfDay => &[Step::Outcomes, Step::Decide, Step::SignOff],
    }
}

/// Returns how long a round may take, in minutes.
pub(crate) const fn budget_min(round: Round) -> u64 {
    match round {
        Round::Morning | Round::Midday => 15,
        Round::EndOfDay => 10,
    }
}

/// Returns the round of a pane, if it is one's.
pub(crate) const fn of_pane(pane: Pane) -> Option<Round> {
    match pane {
        Pane::Morning => Some(Round::Morning),
        Pane::Midday => Some(Round::Midday),
        Pane::EndOfDay => Some(Round::EndOfDay),
        Pane::Experiments | Pane::Layers | Pane::Accounts | Pane::Escalations | Pane::Memory | Pane::System => None,
    }
}

/// Returns the pane of a round.
pub(crate) const fn pane(round: Round) -> Pane {
    match round {
        Round::Morning => Pane::Morning,
        Round::Midday => Pane::Midday,
        Round::EndOfDay => Pane::EndOfDay,
    }
}

/// A step that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Looked {
    /// From when.
    pub(crate) from: UtcTime,
    /// Until when.
    pub(crate) until: UtcTime,
    /// What stood there when it was looked at last.
    pub(crate) what: String,
}

/// How long a round was worked at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted {
    pub(crate) active_ms: u64,
    pub(crate) last_key_ms: Option<u64>,
}

/// What all rounds keep.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds {
    pub(crate) counted: BTreeMap<Round, Counted>,
    /// Which steps were looked at, in which round.
    pub(crate) looked: BTreeMap<(Round, Step), Looked>,
    /// For which client and day the rounds were asked for last.
    pub(crate) asked_for: Option<(Option<ClientId>, String)>,
    /// Something happened that the rounds may not tell of yet.
    pub(crate) old: bool,
    /// What was typed as a note and is not signed yet, by round and whom it is for.
    pub(crate) notes: BTreeMap<(Round, Option<ClientId>), String>,
    /// The round that is due was opened, or a person went elsewhere.
    pub(crate) opened: bool,
}

/// Returns how long a round was worked at, in minutes.
pub(crate) fn minutes(model: &Model, round: Round) -> u64 {
    model.rounds.counted.get(&round).map_or(0, |counted| counted.active_ms / 60_000)
}

/// Returns when a step was looked at: `09:03`, or `09:04 to 09:13`.
pub(crate) fn looked_words(model: &Model, round: Round, step: Step) -> Option<String> {
    let zone = model.setting.zone;
    let looked = model.rounds.looked.get(&(round, step))?;
    let (from, until) = (when::clock(looked.from, zone), when::clock(looked.until, zone));
    Some(if from == until { from } else { format!("{from} to {until}") })
}

/// Returns the signature under a round of today, for the clients that are shown.
pub(crate) fn signature(model: &Model, round: Round) -> Option<&Signature> {
    let view = model.known.round(model.scope.as_ref(), round)?;
    view.signed.as_ref().filter(|_| view.date == view.zone.local(model.wall()).date)
}

/// Says when a round begins, while it may not be signed yet.
pub(crate) fn early_words(model: &Model, round: Round) -> Option<String> {
    let view = model.known.round(model.scope.as_ref(), round)?;
    let (zone, now) = (model.setting.zone, model.wall());
    let (begins, opens) = (view.begins?, view.opens.filter(|opens| now < *opens)?);
    Some(format!("the round begins {}, it is signed from {} on", when::clock(begins, zone), when::clock(opens, zone)))
}

/// Returns who signed a round and when, in words.
pub(crate) fn signed_words(model: &Model, round: Round) -> Option<String> {
    let signature = signature(model, round)?;
    Some(format!("signed {} by {}", when::clock(signature.at, model.setting.zone), signature.by))
}

/// Returns the note that was left with the last signature before a round; it is read first.
pub(crate) fn note_before(model: &Model, round: Round) -> Option<&Checkin> {
    let begins = model.known.round(model.scope.as_ref(), round).and_then(|view| view.opens);
    let signed = signature(model, round).map(|signature| signature.checkin);
    let before = |checkin: &&Checkin| {
        Some(checkin.id) != signed
            && begins.is_none_or(|begins| checkin.at < begins || checkin.round != round)
            && checkin.at <= model.wall()
    };
    let last = model.known.checkins.iter().filter(before).max_by_key(|checkin| checkin.at)?;
    (!last.note.trim().is_empty()).then_some(last)
}

/// Says whose note it is: `Note from jon, 23 Nov 17:20`.
pub(crate) fn note_head(model: &Model, checkin: &Checkin) -> String {
    let at = when::clock_then(checkin.at, model.wall(), model.setting.zone);
    format!("Note from {}, {at}", checkin.by.name)
}
