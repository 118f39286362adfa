//! Posts, as lines and whole: what happened, what was done, what can be done.

use domain::aggregate::StreamKind;
use domain::post::{Post, PostState};
use domain::refusal::Refusal;
use domain::role::Scope;
use domain::time::{UtcTime, Zone};
use store::View;

use super::{No, line};
use crate::query::{PostLine, PostView};

/// Returns a post's line.
pub(super) fn line(code: &str, zone: Zone, post: &Post) -> PostLine {
    let live = post.live();
    PostLine {
        id: post.id,
        experiment: code.to_owned(),
        letter: post.letter,
        round: post.round.saturating_add(1),
        number: post.number,
        block: post.block.saturating_add(1),
        account: post.account.clone(),
        slot: post.window.from,
        local: post.window.from.in_zone(zone),
        state: post.state.word().to_owned(),
        approved: post.approval.is_some(),
        voided: post.voided.clone(),
        url: live.map(|l| l.url.clone()),
        uri: live.map(|l| l.id.clone()).or_else(|| post.attempts.last().map(|a| a.handle.key.clone())),
        cid: live.map(|l| l.digest.clone()).or_else(|| post.attempts.last().map(|a| a.handle.expected.clone())),
        attempts: u32::try_from(post.attempts.len()).unwrap_or(u32::MAX),
        lane: post.lane,
        since: since(post),
        why: why(&post.state),
    }
}

/// Since when a post is as it is; a planned one is so from the beginning.
fn since(post: &Post) -> Option<UtcTime> {
    match &post.state {
        PostState::Committing => post.attempts.last().map(|attempt| attempt.started),
        PostState::Unconfirmed { since, .. } => Some(*since),
        PostState::Claimed { at, .. } | PostState::Removed { at, .. } | PostState::Missed { at, .. } => Some(*at),
        PostState::Published { live } => Some(live.at),
        PostState::Verified { proof, .. } => Some(proof.at),
        PostState::Planned { .. }
        | PostState::Preparing
        | PostState::Prepared { .. }
        | PostState::AwaitingOperator
        | PostState::Failed { .. }
        | PostState::Cancelled { .. } => None,
    }
}

/// Why a post is as it is: what was seen, or what was said.
fn why(state: &PostState) -> Option<String> {
    match state {
        PostState::Unconfirmed { why, .. } | PostState::Failed { why } | PostState::Missed { why, .. } => {
            Some(why.clone())
        }
        PostState::Claimed { by, .. } => Some(format!("{by} has it in hand")),
        PostState::Verified { proof, .. } => Some(proof.looked.clone()),
        PostState::Removed { evidence, .. } => Some(evidence.clone()),
        PostState::Cancelled { by, reason } => Some(format!("{by}: {reason}")),
        PostState::Planned { .. }
        | PostState::Preparing
        | PostState::Prepared { .. }
        | PostState::Committing
        | PostState::AwaitingOperator
        | PostState::Published { .. } => None,
    }
}

/// Returns a post whole.
pub(super) fn whole(view: &View<'_>, scope: &Scope, name: &str) -> Result<PostView, No> {
    let Some(post) = view.post_by_name(scope, name)? else {
        let several = view.begins_several_posts(scope, name)?;
        let refusal = if several { Refusal::ambiguous("post", name) } else { Refusal::not_found("post", name) };
        return Err(refusal.into());
    };
    let experiment = view.experiment(post.experiment)?;
    let zone = view.client(&post.client)?.map_or(Zone::UTC, |c| c.zone);
    let code = experiment.as_ref().map_or_else(String::new, |e| e.code.clone());
    let text = match (&experiment, post.conversation) {
        (Some(experiment), Some(conversation)) => view
            .conversation(conversation)?
            .and_then(|found| found.content_of(post.id, &store::facts::reply_settings(experiment)))
            .map(|content| content.text()),
        (Some(experiment), None) => store::facts::content_of(experiment, &post).map(domain::variant::Content::text),
        (None, _) => None,
    }
    .unwrap_or_default();
    let events = view.events_of(StreamKind::Post, &post.id.to_string())?.iter().map(line::event).collect();
    Ok(PostView {
        line: self::line(&code, zone, &post),
        text,
        answers: answers(&post),
        state: post.state,
        approval: post.approval,
        attempts: post.attempts,
        events,
    })
}

fn answers(post: &Post) -> Vec<String> {
    let id = post.id;
    match &post.state {
        PostState::Planned { .. } | PostState::Preparing | PostState::Prepared { .. } | PostState::AwaitingOperator => {
            vec![format!("expos post cancel {id} --reason TEXT"), format!("expos calendar move {id} TIME")]
        }
        PostState::Unconfirmed { .. } => {
            vec![format!("expos post confirm {id} --live URL"), format!("expos post confirm {id} --not-live --yes")]
        }
        PostState::Committing | PostState::Claimed { .. } => vec!["wait: it is being settled".to_owned()],
        PostState::Published { live } | PostState::Verified { live, .. } => vec![format!("open {}", live.url)],
        PostState::Removed { .. }
        | PostState::Failed { .. }
        | PostState::Missed { .. }
        | PostState::Cancelled { .. } => vec!["plan a new post".to_owned()],
    }
}
