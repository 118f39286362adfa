//! Rounds: what signing one would say now, from what is stored.
//!
//! Decides what counts as left at each round and to whom, which alerts stand, and what a person did since they last signed
//! it; that is told from the beginning of the day before at the latest. Guards are not asked: a signature is made while
//! nobody else can write, and says who may act, not what they will find. Both the sheet that is shown and the signature are made here, so that a face is never trusted with either.
//!
//! The day of a round is that of the office it is worked for, the same whoever asks and wherever they sit: where all clients
//! that it covers are in one zone it is the day there, else the day in UTC. Other clients have no part in it (T7).

use chrono::{NaiveDate, NaiveTime};
use domain::actor::Person;
use domain::checkin::{Checkin, Deeds, Left, LeftOf, Named, OpenAlert, Round, Shown, Step};
use domain::engagement::Standing;
use domain::escalation::Escalation;
use domain::experiment::{Experiment, Stage};
use domain::id::{CheckinId, ClientId, EscalationId};
use domain::role::Scope;
use domain::time::{UtcTime, Zone};
use serde::{Deserialize, Serialize};
use store::{Escalations, ExperimentFilter, StoreError, View};

use crate::sheet::waiting;

/// The most conversations that a signature names; who waits longer is named first.
const WAITING_MAX: u32 = 100;

/// Columns that are told of what somebody wrote.
const SHOWN: usize = 60;

/// The events that a signature tells of as done.
const DEEDS: [&str; 4] = [WORD, REJECTED, SUBMITTED, SETTLED];
const WORD: &str = "word_given";
const REJECTED: &str = "experiment_rejected";
/// After a refusal of one's own: it was taken back.
const SUBMITTED: &str = "experiment_submitted";
const SETTLED: &str = "escalation_resolved";

/// Whether anything goes out at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// An engine runs beside this desk.
    Runs,
    /// None does.
    Absent,
}

/// Whose signature stands under a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The signed round.
    pub checkin: CheckinId,
    /// Who.
    pub by: String,
    /// When.
    pub at: UtcTime,
    /// What they said; empty where it may speak of clients that the asker does not see.
    pub note: String,
}

/// A round of today: whether it is signed, and what signing it would say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundView {
    /// Which.
    pub round: Round,
    /// Of which day.
    pub date: NaiveDate,
    /// Where that day is.
    pub zone: Zone,
    /// When it begins; none at the end of all calendars.
    pub begins: Option<UtcTime>,
    /// From when on it may be signed; none at the end of all calendars.
    pub opens: Option<UtcTime>,
    /// Who signed it, for these clients.
    pub signed: Option<Signature>,
    /// What the asker did since they last signed this round.
    pub done: Deeds,
    /// What is left, and to whom.
    pub left: Vec<Left>,
    /// The alerts that are open.
    pub alerts: Vec<OpenAlert>,
    /// Names the day, the clients and all that is left and open; a signature may give it, and is refused once any of it has
    /// changed.
    pub shown: String,
    /// The next slot of these clients.
    pub next: Option<UtcTime>,
    /// The round that begins next.
    pub after: Option<NextRound>,
}

/// A round to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextRound {
    /// Which.
    pub round: Round,
    /// When it begins.
    pub at: UtcTime,
}

/// What a round is looked at for.
pub(crate) struct Of<'a, 'v> {
    view: &'a View<'v>,
    person: &'a Person,
    covers: &'a Scope,
    zone: Zone,
    engine: Engine,
}

/// Returns the clients that a person's signature covers: one, or all that they see.
pub(crate) fn covered(person: &Person, client: Option<ClientId>) -> Scope {
    client.map_or_else(|| person.scope.clone(), |client| Scope::Only([client].into()))
}

/// Returns the zone in which the rounds of some clients have their day and their hours.
pub(crate) fn zone_of(view: &View<'_>, covers: &Scope) -> Result<Zone, StoreError> {
    let clients = view.clients(covers)?;
    let mut zones = clients.iter().map(|client| client.zone);
    let Some(first) = zones.next() else { return Ok(Zone::UTC) };
    Ok(if zones.all(|zone| zone == first) { first } else { Zone::UTC })
}

impl<'a, 'v> Of<'a, 'v> {
    /// Returns what a round of these clients is looked at for.
    pub(crate) fn new(
        view: &'a View<'v>,
        person: &'a Person,
        covers: &'a Scope,
        engine: Engine,
    ) -> Result<Self, StoreError> {
        Ok(Self { view, person, covers, zone: zone_of(view, covers)?, engine })
    }
}

impl Of<'_, '_> {
    /// Returns a round as it stands.
    pub(crate) fn round(&self, round: Round) -> Result<RoundView, StoreError> {
        let now = self.view.now();
        let date = self.zone.local(now).date;
        let alerts = self.view.escalations(self.covers, Escalations::Open)?;
        let left = self.left(round, &alerts)?;
        let alerts: Vec<OpenAlert> = alerts
            .into_iter()
            .map(|e| OpenAlert { escalation: e.id, rule: e.rule, urgency: e.urgency, owner: e.owner })
            .collect();
        let signed = self.view.checkins_on(date)?.into_iter().find(|c| c.stands_for(round, date, self.covers));
        Ok(RoundView {
            round,
            date,
            zone: self.zone,
            begins: round.begins(date, self.zone),
            opens: round.opens(date, self.zone),
            signed: signed.map(|checkin| self.signature(checkin)),
            done: self.done(round, date)?,
            shown: Shown { round, date, covers: self.covers, left: &left, alerts: &alerts }.name(),
            left,
            alerts,
            next: self.view.post_next_slot(self.covers, &["planned", "preparing", "prepared"], now)?,
            after: Round::next(now, self.zone).map(|(round, at)| NextRound { round, at }),
        })
    }

    fn signature(&self, checkin: Checkin) -> Signature {
        let note = if checkin.is_seen_by(&self.person.scope) { checkin.note } else { String::new() };
        Signature { checkin: checkin.id, by: checkin.by.name, at: checkin.at, note }
    }

    fn left(&self, round: Round, alerts: &[Escalation]) -> Result<Vec<Left>, StoreError> {
        let mut left = self.engine(round)?;
        let step = match round {
            Round::Morning => Step::Alerts,
            Round::Midday => Step::Escalations,
            Round::EndOfDay => Step::Decide,
        };
        // One that somebody has taken is in good hands, and stands among the alerts.
        left.extend(alerts.iter().filter(|e| e.owner.is_none()).map(|e| Left {
            step,
            of: LeftOf::Escalation { escalation: e.id },
            what: e.what.clone(),
            to: match e.later_at(self.view.now()) {
                Some(later) => format!("{} put it off until {}", later.by, later.until.in_zone(self.zone)),
                None => "nobody has taken it".to_owned(),
            },
            before: Some(e.due),
        }));
        match round {
            Round::Morning => left.extend(self.queue()?),
            Round::Midday => {
                left.extend(self.posts()?);
                left.extend(self.replies()?);
            }
            Round::EndOfDay => left.extend(self.decisions()?),
        }
        Ok(left)
    }

    /// While nothing goes out, whoever signs must say that they know.
    fn engine(&self, round: Round) -> Result<Vec<Left>, StoreError> {
        let held = !self.view.agency()?.holds.is_free();
        let (what, to) = match (self.engine, held) {
            (Engine::Runs, false) => return Ok(Vec::new()),
            (Engine::Runs, true) => ("everything is on hold: nothing goes out", "an admin releases it"),
            (Engine::Absent, _) => ("no engine runs: nothing goes out", "whoever starts it"),
        };
        let step = round.steps().first().copied().unwrap_or(Step::Alerts);
        Ok(vec![Left { step, of: LeftOf::Engine, what: what.to_owned(), to: to.to_owned(), before: None }])
    }

    fn queue(&self) -> Result<Vec<Left>, StoreError> {
        let mut left = Vec::new();
        let stages = vec![Stage::AwaitingApproval.word(), Stage::Running.word()];
        let filter = ExperimentFilter { stages, ..ExperimentFilter::default() };
        for experiment in self.view.experiments(self.covers, &filter)? {
            let posts = waiting(self.view, &experiment)?;
            let Some(first) = posts.first().map(|post| post.window.from) else { continue };
            if experiment.brief.is_none() {
                continue;
            }
            let Some(client) = self.view.client(&experiment.client)? else { continue };
            let later = experiment.later_before(self.view.now(), Some(first), client.policy.prepare_lead);
            left.push(Left {
                step: Step::Queue,
                what: format!("{} waits for a word", called(&experiment)),
                to: match later {
                    Some(later) => format!("{} put it off until {}", later.by, later.until.in_zone(self.zone)),
                    None => waits_for(&experiment, client.policy.regulated),
                },
                of: LeftOf::Experiment(named(&experiment)),
                before: Some(first),
            });
        }
        left.sort_by_key(|left| left.before);
        Ok(left)
    }

    fn posts(&self) -> Result<Vec<Left>, StoreError> {
        let states = ["unconfirmed", "awaiting operator", "claimed"];
        let left = self.view.posts_in_state(self.covers, &states)?.into_iter().map(|post| Left {
            step: Step::Posts,
            of: LeftOf::Post { post: post.id },
            what: format!("{} is {}", post.what(), post.state.word()),
            to: "whoever settles it".to_owned(),
            before: Some(post.window.until),
        });
        Ok(left.collect())
    }

    /// Whoever wrote and got no answer yet, the longest wait first.
    fn replies(&self) -> Result<Vec<Left>, StoreError> {
        let waiting = self.view.conversations(self.covers, &[Standing::Waiting], WAITING_MAX)?;
        let left = waiting.into_iter().filter_map(|conversation| {
            let comment = conversation.waiting()?;
            Some(Left {
                step: Step::Replies,
                of: LeftOf::Conversation { conversation: conversation.id },
                what: format!(
                    "{} waits for an answer on {}: {}",
                    comment.handle.show().truncated(SHOWN),
                    conversation.account,
                    comment.text.show().truncated(SHOWN)
                ),
                to: "whoever answers or skips it".to_owned(),
                before: None,
            })
        });
        Ok(left.collect())
    }

    fn decisions(&self) -> Result<Vec<Left>, StoreError> {
        let filter = ExperimentFilter { stages: vec![Stage::Reviewing.word()], ..ExperimentFilter::default() };
        let left = self.view.experiments(self.covers, &filter)?.into_iter().map(|experiment| Left {
            step: Step::Decide,
            what: format!("{} waits for a decision", called(&experiment)),
            to: "whoever decides".to_owned(),
            of: LeftOf::Experiment(named(&experiment)),
            before: None,
        });
        Ok(left.collect())
    }

    /// Returns what the person did since they last signed this round for all of these clients, as far back as the day
    /// before; since midnight where they never did.
    fn done(&self, round: Round, date: NaiveDate) -> Result<Deeds, StoreError> {
        let begin = |day: Option<NaiveDate>| day.and_then(|day| self.zone.at(day, NaiveTime::MIN));
        let before = |at: Option<UtcTime>| at.map_or(Ok(0), |at| self.view.head_before(at));
        let since = match self.view.checkin_last_by(self.person.uid, round, self.covers)? {
            Some(last) => last.log.max(before(begin(date.pred_opt()))?),
            None => before(begin(Some(date)))?,
        };
        let mut deeds = Deeds::default();
        let events = self.view.deeds_by(self.person.uid, since, &DEEDS)?;
        let of = |name: &str| {
            let keys = events.iter().filter(|e| e.event == name).map(|e| e.key.clone());
            keys.collect::<std::collections::BTreeSet<_>>()
        };
        for key in of(WORD) {
            let Some(experiment) = self.experiment(&key)? else { continue };
            let mine = |w: &domain::approval::Approver| w.uid == Some(self.person.uid);
            if !experiment.words.iter().any(mine) {
                continue;
            }
            if experiment.stage == Stage::AwaitingApproval {
                deeds.passed_on.push(named(&experiment));
                continue;
            }
            let posts = self.view.posts_of(experiment.id)?;
            let count = posts.iter().filter(|p| p.approval.as_ref().is_some_and(|a| a.by.iter().any(mine))).count();
            deeds.posts = deeds.posts.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            deeds.approved.push(named(&experiment));
        }
        let last =
            |key: &str| events.iter().rev().find(|e| e.key == key && [REJECTED, SUBMITTED].contains(&e.event.as_str()));
        for key in of(REJECTED).into_iter().filter(|key| last(key).is_some_and(|e| e.event == REJECTED)) {
            deeds.rejected.extend(self.experiment(&key)?.as_ref().map(named));
        }
        for event in events.iter().filter(|e| e.event == SETTLED) {
            if event.client.as_ref().is_some_and(|client| self.covers.holds(client)) {
                deeds.settled.extend(event.key.parse::<EscalationId>().ok());
            }
        }
        Ok(deeds)
    }

    /// Returns an experiment of the clients that are covered.
    fn experiment(&self, key: &str) -> Result<Option<Experiment>, StoreError> {
        let Ok(id) = key.parse() else { return Ok(None) };
        Ok(self.view.experiment(id)?.filter(|e| self.covers.holds(&e.client)))
    }
}

fn named(experiment: &Experiment) -> Named {
    Named { experiment: experiment.id, code: experiment.code.clone() }
}

fn called(experiment: &Experiment) -> String {
    let name = experiment.brief.as_ref().map(|brief| brief.name.raw()).unwrap_or_default();
    format!("{} {name}", experiment.code)
}

fn waits_for(experiment: &Experiment, regulated: bool) -> String {
    match experiment.words_needed(regulated).max(1) {
        1 => "somebody who may approve it".to_owned(),
        needed => format!("those who may approve it, {} of {needed} words given", experiment.words.len()),
    }
}
