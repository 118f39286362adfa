//! Evidence: all that an experiment's verdict is made from, read at one moment.
//!
//! Decides only what is read: its posts and snapshots, its plan, the account's other posts, those by hand too, and what
//! stopped it meanwhile. The verdict is `domain`'s. The desk and the engine read the same here, so that what a person sees
//! is what is recorded.

use domain::aggregate::StreamKind;
use domain::client::Client;
use domain::experiment::Experiment;
use domain::outcome::OutcomeFacts;
use domain::post::Post;
use domain::review::ConfounderFacts;
use domain::snapshot::Snapshot;
use domain::surface::Surface;
use domain::time::UtcTime;

use crate::{StoreError, View};

/// What a verdict is made from.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The experiment.
    pub experiment: Experiment,
    /// Its client.
    pub client: Client,
    /// All its posts.
    pub posts: Vec<Post>,
    /// All their snapshots.
    pub snapshots: Vec<Snapshot>,
    others: Vec<UtcTime>,
    by_hand: Vec<UtcTime>,
    pauses: Vec<String>,
    /// When this was read.
    pub now: UtcTime,
}

impl Evidence {
    /// Reads it.
    pub fn read(view: &View<'_>, experiment: Experiment, client: Client) -> Result<Self, StoreError> {
        let posts = view.posts_of(experiment.id)?;
        let (others, by_hand) = neighbours(view, &experiment, &client, &posts)?;
        Ok(Self {
            snapshots: view.snapshots_of_experiment(experiment.id)?,
            others,
            by_hand,
            pauses: Vec::new(),
            now: view.now(),
            posts,
            experiment,
            client,
        })
    }

    /// Reads, beside it, what stopped the experiment: for whoever asks what could mislead.
    pub fn with_pauses(self, view: &View<'_>) -> Result<Self, StoreError> {
        Ok(Self { pauses: pauses(view, &self.experiment)?, ..self })
    }

    /// Returns it as the rules take it. The surface is none where the rules no longer name it.
    pub fn facts<'a>(&'a self, surface: Option<&'a Surface>) -> OutcomeFacts<'a> {
        OutcomeFacts {
            experiment: &self.experiment,
            client: &self.client,
            surface,
            posts: &self.posts,
            snapshots: &self.snapshots,
            others: &self.others,
            now: self.now,
        }
    }

    /// Returns what happened around the posts.
    pub fn beside(&self) -> ConfounderFacts<'_> {
        ConfounderFacts { by_hand: &self.by_hand, pauses: &self.pauses }
    }
}

/// When the account's other posts went out, as far as they could stand close to one of this experiment, and which of them
/// by hand.
fn neighbours(
    view: &View<'_>,
    experiment: &Experiment,
    client: &Client,
    posts: &[Post],
) -> Result<(Vec<UtcTime>, Vec<UtcTime>), StoreError> {
    let (Some(brief), Some(plan)) = (&experiment.brief, &experiment.plan) else { return Ok((Vec::new(), Vec::new())) };
    let account = &brief.exposure_plan.account;
    let gap = client.policy.min_gap;
    let (from, until) = (plan.tenure.from.minus(gap), plan.tenure.until.plus(gap));
    let ours = view.posts_out_on_account(account, from, until)?;
    let foreign = view.external_posts(account, from)?.into_iter().map(|post| post.at);
    let by_hand: Vec<UtcTime> = foreign.filter(|at| *at <= until).collect();
    let mine = |id| posts.iter().any(|post| post.id == id);
    let others = ours.into_iter().filter(|(id, _)| !mine(*id)).map(|(_, at)| at).chain(by_hand.iter().copied());
    Ok((others.collect(), by_hand))
}

/// Every stop of the experiment, its account, its client or everything since its first slot, in words.
fn pauses(view: &View<'_>, experiment: &Experiment) -> Result<Vec<String>, StoreError> {
    let (Some(brief), Some(plan)) = (&experiment.brief, &experiment.plan) else { return Ok(Vec::new()) };
    let streams = [
        (StreamKind::Experiment, experiment.id.to_string(), "experiment_paused", "the experiment"),
        (StreamKind::Account, brief.exposure_plan.account.to_string(), "account_held", "the account"),
        (StreamKind::Client, experiment.client.to_string(), "client_held", "the client"),
        (StreamKind::Agency, String::new(), "agency_held", "everything"),
    ];
    let mut found = Vec::new();
    for (kind, key, begins, word) in streams {
        let events = view.events_of(kind, &key)?.into_iter();
        let stops = events.filter(|event| event.event == begins && plan.tenure.holds(event.at));
        found.extend(stops.map(|event| format!("{word} at {}", event.at)));
    }
    Ok(found)
}
