//! What stands under the cursor whole, and the posts of these days: asked for while it is on the screen.
//!
//! Decides when: for another day than they were asked for, and once anything happened since.

use domain::escalation::Subject;
use domain::experiment::Stage;
use domain::time::{Span, UtcTime};

use crate::message::Ask;
use crate::model::{Model, Pane};

/// Asks for what the present screen tells of and is not known.
pub(super) fn keep_asked(model: &mut Model) {
    let mut wanted = Vec::new();
    if let Some(found) = model.alert_subject().and_then(|id| crate::escalations::of(model, id))
        && let Subject::Post { post, .. } = &found.subject
        && !model.known.posts.contains_key(post)
        && !model.known.lost_posts.contains(post)
    {
        wanted.push(Ask::Post(*post));
    }
    if model.place.pane == Pane::Accounts {
        let unknown = |id: &&domain::id::AccountId| {
            !model.known.whole.contains_key(*id) && !model.known.lost_accounts.contains(*id)
        };
        wanted.extend(model.account_subject().filter(unknown).cloned().map(Ask::Account));
    }
    if let Some(post) = model.post_subject()
        && !model.known.posts.contains_key(&post)
        && !model.known.lost_posts.contains(&post)
    {
        wanted.push(Ask::Post(post));
    }
    if model.place.pane == Pane::EndOfDay {
        let all = crate::evening::ordered(model).into_iter().take(crate::evening::ASKED_MAX);
        let codes = all.filter_map(|id| model.known.line(id)).map(|line| line.code.clone());
        let unknown = codes.filter(|code| !model.known.outcomes.contains_key(code));
        wanted.extend(unknown.map(Ask::Outcome));
    }
    if model.place.pane == Pane::EndOfDay {
        // What is invalid stays so; whether it was decided is told by its review.
        let invalid = crate::evening::ordered(model).into_iter().filter_map(|id| model.known.line(id));
        let invalid = invalid.filter(|line| matches!(line.stage, Stage::Invalid { .. })).map(|line| line.code.clone());
        let unknown = invalid.take(crate::evening::ASKED_MAX).filter(|code| !model.known.reviews.contains_key(code));
        wanted.extend(unknown.map(Ask::Review));
    }
    learnings(model);
    wanted.retain(|ask| !model.asked.contains(ask));
    model.wanted.extend(wanted);
    posts(model);
}

/// Asks for the posts from the beginning of yesterday to the end of tomorrow, in whatever zone a client is.
fn posts(model: &mut Model) {
    let shown = match model.place.pane {
        Pane::Midday | Pane::Accounts => true,
        Pane::Morning
        | Pane::EndOfDay
        | Pane::Experiments
        | Pane::Layers
        | Pane::Escalations
        | Pane::Memory
        | Pane::System => false,
    };
    let span = span(model.wall());
    let stale = model.day.asked_for != Some(span) || model.day.old;
    let ask = Ask::Posts { from: span.0, until: span.1 };
    if shown && stale && !model.asked.contains(&ask) {
        model.day.asked_for = Some(span);
        model.day.old = false;
        model.wanted.insert(ask);
    }
}

/// Asks for what was learned while Memory is on the screen: for other words than before, and once something was learned.
fn learnings(model: &mut Model) {
    if model.place.pane != Pane::Memory || model.place.open.is_some() {
        return;
    }
    let text = model.memory.query.value().trim().to_owned();
    let ask = Ask::Learnings(text.clone());
    if (model.memory.asked_for.as_ref() != Some(&text) || model.memory.old) && !model.asked.contains(&ask) {
        model.memory.asked_for = Some(text);
        model.memory.old = false;
        model.wanted.insert(ask);
        model.ask_at_ms = None;
    }
}

/// Two days around the present one in UTC, so that today is whole in every zone.
fn span(now: UtcTime) -> (UtcTime, UtcTime) {
    let day = 86_400_000_000_i64;
    let midnight = UtcTime::from_micros(now.micros().div_euclid(day).saturating_mul(day));
    (midnight.minus(Span::hours(24)), midnight.plus(Span::hours(72)))
}
