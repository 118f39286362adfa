//! Posts: dropped, moved, settled by a person's word.

use domain::calendar::layer::{Layer, LayerCommand, Tenure};
use domain::calendar::pacing::pace;
use domain::calendar::plan::{client_limits, same_band, window_of};
use domain::calendar::quiet::quiet_at;
use domain::client::Client;
use domain::experiment::Experiment;
use domain::id::PostId;
use domain::post::{Post, PostCommand};
use domain::refusal::Refusal;
use domain::time::{Span, UtcTime, Window};
use serde_json::json;
use store::follow::post_decide;
use store::{Stop, Tx};

use super::Context;
use super::queue::words;
use crate::command::{Done, Verdict};

pub(super) fn cancel(context: &Context, tx: &mut Tx<'_>, id: PostId, reason: String) -> Result<Done, Stop> {
    let post = context.post(tx, id)?;
    if reason.trim().is_empty() {
        return Err(Refusal::invalid(
            "post.reason",
            post.what(),
            "cancelling needs a reason",
            "give one with --reason",
        )
        .into());
    }
    let answer = post.answer();
    let at = tx.now();
    let (after, _) = post_decide(tx, id, PostCommand::Cancel { by: context.actor(), at, reason })?;
    Ok(Done::new(
        format!("{}: {}", post.what(), words(&answer)),
        json!({"post": id, "answer": answer, "state": after.state.word()}),
    ))
}

/// A slot moves inside its block and hour band only; anything else is a new plan.
pub(super) fn move_to(context: &Context, tx: &mut Tx<'_>, id: PostId, to: UtcTime) -> Result<Done, Stop> {
    let post = context.post(tx, id)?;
    let client: Client = tx.load(&post.client)?;
    check_move(tx, &post, &client, to)?;
    keep_layer(tx, &post, &client, to)?;
    let had = post.approval.is_some();
    let (after, _) = post_decide(tx, id, PostCommand::Move { window: window_of(&client, to) })?;
    let done = Done::new(
        format!("{} is at {} now", after.what(), to.in_zone(client.zone)),
        json!({"post": id, "slot": to, "voided": had}),
    );
    Ok(if had { done.line("its approval is void: slot").next("expos queue list") } else { done })
}

/// The layer is held as long as the moved slot needs it, or the move is refused (I10).
fn keep_layer(tx: &mut Tx<'_>, post: &Post, client: &Client, to: UtcTime) -> Result<(), Stop> {
    let experiment: Experiment = tx.load(&post.experiment)?;
    let (Some(id), Some(brief)) = (experiment.layer(), &experiment.brief) else { return Ok(()) };
    let run = brief.run_window;
    if to < run.start || to > run.end {
        return Err(Refusal::rule(
            "plan.window",
            format!("{} to {}", post.what(), to.in_zone(client.zone)),
            format!("the run window is from {} to {}", run.start, run.end),
            "move it within the run window",
        )
        .into());
    }
    let Some((layer, _)) = tx.find::<Layer>(&id)? else { return Ok(()) };
    let Some(held) = layer.tenures.iter().find(|t| t.experiment == experiment.id) else { return Ok(()) };
    let age = brief.exposure_plan.snapshot_ages.iter().map(|age| age.0).max().unwrap_or(Span::ZERO);
    let needed =
        Window { from: held.window.from.min(to), until: held.window.until.max(to.plus(client.policy.grace).plus(age)) };
    if needed != held.window {
        let tenure = Tenure { window: needed, ..held.clone() };
        let events = layer.decide(LayerCommand::Take(tenure))?;
        tx.append::<Layer>(&id, events)?;
    }
    Ok(())
}

fn check_move(tx: &Tx<'_>, post: &Post, client: &Client, to: UtcTime) -> Result<(), Stop> {
    let what = || format!("{} to {}", post.what(), to.in_zone(client.zone));
    if to <= tx.now() {
        return Err(
            Refusal::rule("plan.past", what(), "it is in the past; nothing is sent late", "name a later time").into()
        );
    }
    if let Some(quiet) = quiet_at(&client.policy, client.zone, to) {
        return Err(Refusal::rule("plan.quiet", what(), quiet.to_string(), "name another time").into());
    }
    if !same_band(client, to, post.window.from) {
        return Err(Refusal::rule(
            "plan.band",
            what(),
            "it would leave its hour band, and the comparison with it",
            "move it within its part of the day, or draw the plan again",
        )
        .into());
    }
    let siblings = tx.posts_of(post.experiment)?;
    let block = siblings
        .iter()
        .filter(|p| p.block == post.block && (p.state.is_unsent() || p.state.counts_as_out()))
        .map(|p| p.window.from);
    let (first, last) = block.fold((post.window.from, post.window.from), |(a, b), t| (a.min(t), b.max(t)));
    let day = Span::hours(24);
    if to < first.minus(day) || to > last.plus(day) {
        return Err(Refusal::rule(
            "plan.block",
            what(),
            "it would leave its block, and the comparison with it",
            "move it near the others of its block, or draw the plan again",
        )
        .into());
    }
    let near = tx.posts_of_account_between(&post.account, to.minus(Span::days(2)), to.plus(Span::days(2)))?;
    let ours = near
        .iter()
        .filter(|p| p.id != post.id && (p.state.counts_as_out() || p.state.is_unsent()))
        .map(Post::pacing_time);
    let by_hand = tx.external_posts(&post.account, to.minus(Span::days(2)))?;
    let others: Vec<UtcTime> = ours.chain(by_hand.into_iter().map(|p| p.at)).collect();
    let limits = client_limits(client);
    pace(limits, &others, to).map_err(|breach| breach.refusal(what(), limits))?;
    Ok(())
}

pub(super) fn confirm(context: &Context, tx: &mut Tx<'_>, id: PostId, verdict: Verdict) -> Result<Done, Stop> {
    context.post(tx, id)?;
    let (by, at) = (context.actor(), tx.now());
    let (command, line) = match verdict {
        Verdict::Live { url } => {
            (PostCommand::ConfirmLive { by, at, url }, "is live by your word; it will be read back")
        }
        Verdict::NotLive => {
            (PostCommand::ConfirmNotLive { by, at }, "is not live by your word; it needs an approval again")
        }
    };
    let (after, _) = post_decide(tx, id, command)?;
    Ok(Done::new(format!("{} {line}", after.what()), json!({"post": id, "state": after.state.word()})))
}
