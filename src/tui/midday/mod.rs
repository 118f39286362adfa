//! Midday: did it go out, what needs a hand, whom do we answer?
//!
//! Decides which posts the round looks at: those of today in their client's zone, and whatever a person must settle. What
//! may be done about a post in doubt is its escalation's business.

pub(crate) mod view;

use desk::query::PostLine;
use domain::escalation::{Escalation, Subject};
use domain::id::{ExperimentId, PostId};

use crate::list::List;
use crate::model::Model;
use crate::rounds::Step;
use crate::sign::Sign;

/// The state of the pane.
#[derive(Debug, Clone)]
pub(crate) struct Midday {
    pub(crate) step: Step,
    pub(crate) posts: List<PostId>,
}

impl Default for Midday {
    fn default() -> Self {
        Self { step: Step::Posts, posts: List::default() }
    }
}

/// Returns the client of a post, as far as its account is known.
pub(crate) fn client<'a>(model: &'a Model, post: &PostLine) -> Option<&'a domain::id::ClientId> {
    model.known.accounts.get(&post.account).map(|account| &account.client)
}

/// Tells whether a post waits for a person.
pub(crate) fn needs_a_hand(post: &PostLine) -> bool {
    matches!(post.state.as_str(), "unconfirmed" | "awaiting operator" | "claimed")
}

fn is_today(model: &Model, post: &PostLine) -> bool {
    let zone = client(model, post).map_or(model.setting.zone, |client| model.known.zone(client));
    zone.local(post.slot).date == zone.local(model.wall()).date
}

/// Returns the posts of the round, in the order of their slots.
pub(crate) fn ordered(model: &Model) -> Vec<PostId> {
    let posts = model.known.day_posts.iter().flatten();
    posts.filter(|post| needs_a_hand(post) || is_today(model, post)).map(|post| post.id).collect()
}

/// Returns a post as it is known.
pub(crate) fn of(model: &Model, id: PostId) -> Option<&PostLine> {
    model.known.day_posts.iter().flatten().find(|post| post.id == id)
}

/// Returns those that the scope leaves.
pub(crate) fn shown(model: &Model) -> Vec<PostId> {
    model.midday.posts.order().iter().filter(|id| is_shown(model, **id)).copied().collect()
}

/// Tells whether the scope leaves one.
pub(crate) fn is_shown(model: &Model, id: PostId) -> bool {
    let of_scope = |post: &PostLine| client(model, post).is_none_or(|client| model.in_scope(client));
    of(model, id).is_none_or(of_scope)
}

/// Returns the posts of the scope that wait for a person, whatever their day.
pub(crate) fn need_a_hand(model: &Model) -> Vec<PostId> {
    let posts = model.known.day_posts.iter().flatten().filter(|post| needs_a_hand(post));
    posts.map(|post| post.id).filter(|id| is_shown(model, *id)).collect()
}

/// Returns the experiment of a post.
pub(crate) fn experiment(model: &Model, id: PostId) -> Option<ExperimentId> {
    let code = &of(model, id)?.experiment;
    model.known.experiments.iter().flatten().find(|(_, line)| line.code == *code).map(|(id, _)| *id)
}

/// Returns the open escalation about a post.
pub(crate) fn escalation(model: &Model, id: PostId) -> Option<&Escalation> {
    let about = |e: &&Escalation| matches!(&e.subject, Subject::Post { post, .. } if *post == id);
    model.known.escalations.iter().flatten().find(about)
}

/// Returns the sign of a post's state.
pub(crate) fn sign(post: &PostLine) -> Sign {
    Sign::of_post(&post.state, post.voided.is_some())
}

/// Returns what stands at the step, in words.
pub(crate) fn what(model: &Model) -> String {
    let posts: Vec<&PostLine> =
        ordered(model).into_iter().filter(|id| is_shown(model, *id)).filter_map(|id| of(model, id)).collect();
    let count = |states: &[&str]| posts.iter().filter(|post| states.contains(&post.state.as_str())).count();
    let parts = [
        (count(&["unconfirmed"]), "in doubt"),
        (count(&["awaiting operator", "claimed"]), "by hand"),
        (count(&["failed", "missed", "removed"]), "failed"),
        (count(&["verified"]), "verified"),
        (count(&["published", "committing"]), "out, not verified yet"),
        (count(&["planned", "preparing", "prepared"]), "to come"),
    ];
    let words: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if words.is_empty() { "no posts today".to_owned() } else { words.join(", ") }
}
