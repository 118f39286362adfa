//! Facts: what a decision about a post rests on, read inside the transaction in which it is taken.
//!
//! Decides only what is read and how it is put together; the rules are `domain::post`'s. What a post would be now is made
//! again from its variant and account, never taken from what was stored beside it, so that nothing can drift unseen (I2).

use domain::approval::{Binding, PolicyVersion};
use domain::calendar::pacing::PacingLimits;
use domain::calendar::quiet::quiet_at;
use domain::client::Client;
use domain::engagement::REPLY_LIMITS;
use domain::experiment::{Experiment, ExperimentKind};
use domain::hash::{ContentHash, Digest};
use domain::hold::Holds;
use domain::post::{CommitFacts, LayerFact, Post, PostKind};
use domain::time::{Span, UtcTime};
use domain::variant::{Content, SurfaceSettings};

use crate::{Stop, StoreError, Tx, View};

/// What the engine knows and the store does not.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Names the rule packs and platform limits that are loaded.
    pub packs: String,
    /// Nothing goes out before this: the clock jumped (I18).
    pub clock_hold: Option<UtcTime>,
}

/// Returns what a post of its own shows as its experiment stands now; `None` where its variant is gone.
pub fn content_of<'a>(experiment: &'a Experiment, post: &Post) -> Option<&'a Content> {
    if post.kind == PostKind::Reply {
        return None;
    }
    let variant = experiment.variants.iter().find(|v| v.id == post.variant)?;
    variant.content(usize::try_from(post.round).ok()?)
}

/// Returns what a post or a reply shows as everything stands now: a reply's words are the stored command's, and they hold
/// only while its thread is the one that its person saw.
pub fn shown_content(view: &View<'_>, experiment: &Experiment, post: &Post) -> Result<Option<Content>, StoreError> {
    let Some(id) = post.conversation else { return Ok(content_of(experiment, post).cloned()) };
    let conversation = view.conversation(id)?;
    Ok(conversation.and_then(|found| found.present_content(post.id, &reply_settings(experiment))))
}

/// Returns what a platform is told beside a reply: the language of the experiment.
pub fn reply_settings(experiment: &Experiment) -> SurfaceSettings {
    let langs = experiment.brief.as_ref().map(|brief| brief.exposure_plan.settings.langs.clone()).unwrap_or_default();
    SurfaceSettings { langs, ..SurfaceSettings::default() }
}

/// Returns what a post would be, as everything stands now.
pub fn present_binding(
    view: &View<'_>,
    experiment: &Experiment,
    client: &Client,
    post: &Post,
    packs: &str,
) -> Result<Binding, StoreError> {
    let account = view.account(&post.account)?;
    let content = shown_content(view, experiment, post)?;
    let content = content.map_or(ContentHash(Digest::of(b"")), |content| content.hash());
    Ok(Binding {
        content,
        account: post.account.clone(),
        identity: account.as_ref().map_or_else(String::new, |a| a.identity_id().to_owned()),
        lane: post.lane,
        window: post.window,
        policy: PolicyVersion { policy: client.policy_version, packs: packs.to_owned() },
    })
}

/// Reads everything that could forbid a post now.
pub fn commit_facts(tx: &mut Tx<'_>, post: &Post, around: &Surroundings) -> Result<CommitFacts, Stop> {
    let now = tx.now();
    let experiment: Experiment = tx.load(&post.experiment)?;
    let client: Client = tx.load(&post.client)?;
    let present = present_binding(tx, &experiment, &client, post, &around.packs)?;
    let duplicate = duplicate_of(tx, post, &client, now)?;
    Ok(CommitFacts {
        now,
        epoch: tx.epoch(),
        present,
        holds: holds_above(tx, post, &client, &experiment)?,
        account: account_trouble(tx, post)?,
        limits: limits_of(post, &client),
        others: others_on_account(tx, post, &client, now)?,
        quiet: quiet_at(&client.policy, client.zone, now).map(|q| q.to_string()),
        repeat_from: duplicate.map(|(_, at)| at.plus(client.policy.repeat_gap)),
        duplicate,
        in_flight: tx.posts_in_flight(&post.account)?.into_iter().find(|other| *other != post.id),
        layer: match post.kind {
            PostKind::Post => layer_fact(tx, &experiment, now)?,
            PostKind::Reply => LayerFact::NotNeeded,
        },
        clock_hold: around.clock_hold,
        asked_by: match post.conversation {
            Some(conversation) => tx.reply_asked_by(conversation, post.id)?,
            None => None,
        },
    })
}

fn limits_of(post: &Post, client: &Client) -> PacingLimits {
    match post.kind {
        PostKind::Post => PacingLimits { min_gap: client.policy.min_gap, max_per_24h: client.policy.max_per_24h },
        PostKind::Reply => REPLY_LIMITS,
    }
}

fn duplicate_of(
    view: &View<'_>,
    post: &Post,
    client: &Client,
    now: UtcTime,
) -> Result<Option<(domain::id::PostId, UtcTime)>, StoreError> {
    let since = now.minus(client.policy.duplicate_window);
    let same = view.posts_with_duplicate_key(&post.account, post.duplicate_key, since)?;
    Ok(same.into_iter().filter(|(other, _)| *other != post.id).max_by_key(|(_, at)| *at))
}

/// Posts that are or may be visible, ours and those by hand, within a day and the gap around now; for a reply, the account's
/// other replies.
fn others_on_account(view: &View<'_>, post: &Post, client: &Client, now: UtcTime) -> Result<Vec<UtcTime>, StoreError> {
    let reach = Span::hours(24).max(client.policy.min_gap);
    let (from, until) = (now.minus(reach), now.plus(reach));
    if post.kind == PostKind::Reply {
        let replies = view.replies_out_on_account(&post.account, from, until)?;
        return Ok(replies.into_iter().filter(|(other, _)| *other != post.id).map(|(_, at)| at).collect());
    }
    let ours = view.posts_out_on_account(&post.account, from, until)?;
    let by_hand = view.external_posts(&post.account, from)?;
    Ok(ours
        .into_iter()
        .filter(|(other, _)| *other != post.id)
        .map(|(_, at)| at)
        .chain(by_hand.into_iter().map(|p| p.at))
        .collect())
}

/// Returns why an account cannot be used, in words.
pub fn account_trouble(view: &View<'_>, post: &Post) -> Result<Option<String>, StoreError> {
    Ok(match view.account(&post.account)? {
        None => Some(format!("there is no account {}", post.account)),
        Some(account) if account.is_connected() => None,
        Some(account) => Some(format!("account {} is not connected", account.id)),
    })
}

/// Returns everything that stops a post from above, in words.
pub fn holds_above(
    view: &View<'_>,
    post: &Post,
    client: &Client,
    experiment: &Experiment,
) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut add = |what: &str, holds: &Holds| {
        for hold in holds.list() {
            found.push(format!("{what} is on hold since {} by {}: {}", hold.at, hold.by, hold.reason));
        }
    };
    add("everything", &view.agency()?.holds);
    add(&format!("client {}", client.id), &client.holds);
    if let Some(account) = view.account(&post.account)? {
        add(&format!("account {}", account.id), &account.holds);
    }
    add(&format!("experiment {}", experiment.code), &experiment.holds);
    // People are answered also after the last post of an experiment.
    if post.kind == PostKind::Post && !experiment.stage.may_send() && experiment.kind != ExperimentKind::House {
        found.push(format!("experiment {} is {}", experiment.code, experiment.stage));
    }
    Ok(found)
}

fn layer_fact(view: &View<'_>, experiment: &Experiment, now: UtcTime) -> Result<LayerFact, StoreError> {
    if experiment.kind == ExperimentKind::House {
        return Ok(LayerFact::NotNeeded);
    }
    let Some(id) = experiment.layer() else { return Ok(LayerFact::NotNeeded) };
    let layer = view.layer(&id)?;
    Ok(match layer {
        Some(layer) if layer.holds(experiment.id, now) => LayerFact::Held,
        Some(_) | None => LayerFact::NotHeld(format!("experiment {} does not hold layer {id} now", experiment.code)),
    })
}
