//! Sheets: what a person is shown before they give their word, and its fingerprint.
//!
//! Decides which posts a word covers (unsent, without an approval; all unsent ones where the whole experiment waits for
//! a word), what must be noted beside them, and how the fingerprint is made: from what is stored at this moment, both
//! when the sheet is shown and when the word is given, the brief with it (T8).

use domain::agency::Agency;
use domain::approval::{Binding, fingerprint};
use domain::client::Client;
use domain::experiment::{Experiment, Stage};
use domain::hash::Fingerprint;
use domain::id::PostId;
use domain::post::Post;
use domain::preflight::{Finding, Level, digest};
use domain::role::NotOwn;
use store::facts::present_binding;
use store::{StoreError, View};

use crate::preflight;
use crate::rules::Rules;

/// What a word would be bound to now.
#[derive(Debug)]
pub struct Draft {
    /// The posts it covers, in slot order, with their bindings.
    pub posts: Vec<(Post, Binding)>,
    /// What the guards find now.
    pub findings: Vec<Finding>,
    /// The level they ask for.
    pub level: Level,
    /// What must be known.
    pub notes: Vec<String>,
    /// All of it in one digest.
    pub fingerprint: Fingerprint,
}

/// Makes the sheet of an experiment from what is stored now.
pub fn draft(view: &View<'_>, rules: &Rules, experiment: &Experiment) -> Result<Draft, StoreError> {
    let client =
        view.client(&experiment.client)?.ok_or_else(|| StoreError::missing("client", experiment.client.as_str()))?;
    let (findings, level) = preflight::look(view, rules, experiment, &client)?;
    let mut posts: Vec<(Post, Binding)> = Vec::new();
    for post in waiting(view, experiment)? {
        let binding = present_binding(view, experiment, &client, &post, &rules.version)?;
        posts.push((post, binding));
    }
    let notes = notes(&view.agency()?, &client);
    let bound: Vec<(PostId, Binding)> = posts.iter().map(|(post, binding)| (post.id, binding.clone())).collect();
    let mut beside = notes.clone();
    beside.extend(experiment.brief.as_ref().map(domain::brief::write));
    let fingerprint = fingerprint(&bound, digest(&findings), &beside);
    Ok(Draft { posts, findings, level, notes, fingerprint })
}

/// Returns the posts that a word would cover, in slot order. No guard is asked.
pub(crate) fn waiting(view: &View<'_>, experiment: &Experiment) -> Result<Vec<Post>, StoreError> {
    let mut posts = view.posts_of(experiment.id)?;
    posts.retain(|post| {
        let waits = post.approval.is_none() || experiment.stage == Stage::AwaitingApproval;
        post.state.is_unsent() && waits
    });
    posts.sort_by_key(|post| (post.window.from, post.number));
    Ok(posts)
}

fn notes(agency: &Agency, client: &Client) -> Vec<String> {
    let mut notes = Vec::new();
    if agency.not_own == NotOwn::Off {
        notes.push("this home belongs to one person: nobody else looks at your own work".to_owned());
    }
    if client.policy.allow_private_hosts {
        notes.push(format!("the policy of {} allows private hosts and plain http: for test networks only", client.id));
    }
    notes
}
