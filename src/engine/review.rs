//! Review: what an experiment says, once its last reading is in (G).
//!
//! Decides when that is: all its posts settled and read at each age, or given up; before it, as soon as what became of its
//! posts leaves no way to come out well (X3). What it says, and what could mislead, is the domain's; it is judged on what
//! was read, and recorded only where nothing of that has changed meanwhile. Nothing is polled: a reading that comes in is a
//! change, which wakes this task. A person decides what is done about it.

use domain::actor::Actor;
use domain::client::Client;
use domain::experiment::{Experiment, ExperimentCommand, Stage};
use domain::hash::{Digest, Framed};
use domain::id::ExperimentId;
use domain::outcome::digest;
use domain::post::{Post, PostCommand};
use domain::refusal::Refusal;
use domain::review::{LastReading, Reviewed};
use domain::role::Scope;
use domain::time::UtcTime;
use std::sync::{Arc, PoisonError};
use store::evidence::Evidence;
use store::follow::{experiment_decide, post_decide};
use store::{Cause, ExperimentFilter, Stop, StoreError, Tx, View};

use crate::error::allowed;
use crate::{EngineError, Inner, Task};

/// An experiment that may have something to say.
struct Candidate {
    id: ExperimentId,
    last_reading: LastReading,
    /// Of what became of its posts.
    state: Digest,
}

impl Inner {
    pub(crate) async fn review(self: &Arc<Self>) -> Result<Option<UtcTime>, EngineError> {
        for candidate in self.store.read(candidates).await? {
            if self.was_weighed(&candidate) {
                continue;
            }
            let (id, last_reading) = (candidate.id, candidate.last_reading);
            let surfaces = Arc::clone(&self.surfaces);
            let read = self.store.read(move |view| {
                let Some((experiment, client)) = with_client(view, id)? else { return Ok(None) };
                let evidence = Evidence::read(view, experiment, client)?.with_pauses(view)?;
                let brief = evidence.experiment.brief.as_ref();
                let surface = brief.and_then(|brief| surfaces.get(&brief.surface));
                Ok(Some(Reviewed::make(&evidence.facts(surface), &evidence.beside(), last_reading)))
            });
            let stands = match read.await? {
                Some(Ok(Some(reviewed))) => self.record(id, reviewed).await?,
                Some(Err(refusal)) => {
                    self.pulse.went_wrong(Task::Review, refusal.to_string());
                    true
                }
                Some(Ok(None)) | None => true,
            };
            if stands {
                self.note_weighed(candidate);
            }
        }
        Ok(None)
    }

    /// Records what was found, and stops what is unsent where it ended early: one transaction. Returns false where the
    /// evidence has changed meanwhile: that change wakes this task, and it is weighed again.
    async fn record(&self, id: ExperimentId, reviewed: Reviewed) -> Result<bool, EngineError> {
        let written = self.store.write(Cause::engine(Task::Review.as_str()), move |tx| {
            if evidence_now(tx, id)? != Some(reviewed.evidence) {
                return Ok(false);
            }
            let (at, early) = (reviewed.at, reviewed.early);
            let why = reviewed.outcome.sentence.clone();
            experiment_decide(tx, id, ExperimentCommand::Review(Box::new(reviewed)))?;
            if early {
                cancel_unsent(tx, id, at, &why)?;
            }
            Ok(true)
        });
        match allowed(written.await)? {
            Ok(stands) => {
                self.pulse.went_well(Task::Review);
                Ok(stands)
            }
            Err(refusal) => {
                self.pulse.went_wrong(Task::Review, refusal.to_string());
                Ok(true)
            }
        }
    }

    fn was_weighed(&self, candidate: &Candidate) -> bool {
        let weighed = self.weighed.lock().unwrap_or_else(PoisonError::into_inner);
        weighed.get(&candidate.id) == Some(&candidate.state)
    }

    fn note_weighed(&self, candidate: Candidate) {
        self.weighed.lock().unwrap_or_else(PoisonError::into_inner).insert(candidate.id, candidate.state);
    }
}

fn candidates(view: &View<'_>) -> Result<Vec<Candidate>, StoreError> {
    let stages = vec!["scheduled", "running", "maturing", "reviewing"];
    let filter = ExperimentFilter { stages, ..ExperimentFilter::default() };
    let mut found = Vec::new();
    for experiment in view.experiments(&Scope::All, &filter)? {
        if experiment.brief.is_none() || experiment.plan.is_none() || experiment.review.is_some() {
            continue;
        }
        let posts = view.posts_of(experiment.id)?;
        // Nothing is lost and nothing is read before the first is settled.
        if posts.iter().any(|post| post.state.is_settled()) {
            let last_reading = last_reading(&experiment, &posts);
            let state = state_of(&posts, last_reading);
            found.push(Candidate { id: experiment.id, last_reading, state });
        }
    }
    Ok(found)
}

fn last_reading(experiment: &Experiment, posts: &[Post]) -> LastReading {
    let ages = experiment.brief.as_ref().map(|brief| brief.exposure_plan.snapshot_ages.as_slice()).unwrap_or_default();
    let is_read = |post: &Post| post.live().is_none() || ages.iter().all(|age| post.snapshots.contains(age));
    let ended = matches!(experiment.stage, Stage::Maturing | Stage::Reviewing);
    if ended && posts.iter().all(is_read) { LastReading::In } else { LastReading::ToCome }
}

/// What became of posts, as far as a verdict could change by it.
fn state_of(posts: &[Post], last_reading: LastReading) -> Digest {
    let ended = if last_reading == LastReading::In { "in" } else { "to come" };
    let each = posts.iter().fold(Framed::new("expos.weighed.1").text(ended), |framed, post| {
        let framed = framed.field(&post.id.to_bytes()).text(post.state.word());
        let framed = framed.text(&post.snapshots.len().to_string());
        framed.text(post.altered_to.as_deref().unwrap_or_default())
    });
    each.digest()
}

fn with_client(view: &View<'_>, id: ExperimentId) -> Result<Option<(Experiment, Client)>, StoreError> {
    let Some(experiment) = view.experiment(id)? else { return Ok(None) };
    let client = view.client(&experiment.client)?;
    Ok(client.map(|client| (experiment, client)))
}

fn evidence_now(tx: &Tx<'_>, id: ExperimentId) -> Result<Option<Digest>, Stop> {
    let Some((experiment, client)) = with_client(tx, id)? else { return Ok(None) };
    let evidence = Evidence::read(tx, experiment, client)?;
    Ok(Some(digest(&evidence.facts(None))))
}

/// Nothing more goes out for a verdict that stands: what is unsent is cancelled; what may be out is left to be settled.
fn cancel_unsent(tx: &mut Tx<'_>, id: ExperimentId, at: UtcTime, why: &str) -> Result<(), Stop> {
    for post in tx.posts_of(id)?.into_iter().filter(|post| post.state.is_unsent()) {
        let reason = format!("the experiment ended early: {why}");
        match post_decide(tx, post.id, PostCommand::Cancel { by: Actor::Engine, at, reason }) {
            Ok(_) | Err(Stop::Refused(Refusal { .. })) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(())
}
