//! Preflight, fed: gathers what the guards may know from the store, and lets them look.
//!
//! Decides only which posts are near and what the week holds; the guards are `domain::preflight`'s.

use domain::brief::Brief;
use domain::client::Client;
use domain::experiment::Experiment;
use domain::post::Post;
use domain::preflight::{Finding, Level, NearbyPost, PreflightFacts, WeekLoad, run};
use domain::role::Scope;
use domain::time::{Span, UtcTime};
use store::facts::content_of;
use store::{StoreError, View};

use crate::rules::Rules;

/// Lets the guards look at an experiment as it stands. The house experiment has no brief and nothing to look at.
pub fn look(
    view: &View<'_>,
    rules: &Rules,
    experiment: &Experiment,
    client: &Client,
) -> Result<(Vec<Finding>, Level), StoreError> {
    let Some(brief) = &experiment.brief else { return Ok((Vec::new(), Level::default())) };
    let account = view
        .account(&brief.exposure_plan.account)?
        .ok_or_else(|| StoreError::missing("account", brief.exposure_plan.account.as_str()))?;
    let surface = rules.surfaces.get(&brief.surface).ok_or_else(|| StoreError::missing("surface", &brief.surface.0))?;
    let slots: Vec<UtcTime> =
        experiment.plan.as_ref().map(|plan| plan.slots.iter().map(|s| s.at).collect()).unwrap_or_default();
    let nearby = nearby(view, experiment, client, brief, &slots)?;
    let week = week(view, experiment, client, brief)?;
    let open_escalation =
        view.escalations(&Scope::All, store::Escalations::Open)?.iter().any(|e| e.client == client.id);
    let facts = PreflightFacts {
        brief,
        client,
        account: &account,
        surface,
        variants: &experiment.variants,
        slots: &slots,
        nearby: &nearby,
        week: &week,
        packs: &rules.packs,
        posts_before: u32::try_from(view.posts_ever_out(&client.id)?).unwrap_or(u32::MAX),
        open_escalation,
        now: view.now(),
    };
    Ok(run(&facts))
}

/// The account's posts from one duplicate window before now to one after the run: out, in doubt, or planned.
fn nearby(
    view: &View<'_>,
    experiment: &Experiment,
    client: &Client,
    brief: &Brief,
    slots: &[UtcTime],
) -> Result<Vec<NearbyPost>, StoreError> {
    let account = &brief.exposure_plan.account;
    let from = view.now().minus(client.policy.duplicate_window);
    let end = slots.iter().copied().max().unwrap_or(brief.run_window.end).max(brief.run_window.end);
    let mut found = Vec::new();
    for post in view.posts_of_account_between(account, from, end.plus(client.policy.duplicate_window))? {
        if post.experiment == experiment.id || !(post.state.counts_as_out() || post.state.is_unsent()) {
            continue;
        }
        found.push(NearbyPost {
            post: Some(post.id),
            at: post.pacing_time(),
            text: text_of(view, &post)?,
            duplicate_key: Some(post.duplicate_key),
            same_experiment: false,
        });
    }
    for by_hand in view.external_posts(account, from)? {
        found.push(NearbyPost {
            post: None,
            at: by_hand.at,
            text: String::new(),
            duplicate_key: None,
            same_experiment: false,
        });
    }
    Ok(found)
}

fn text_of(view: &View<'_>, post: &Post) -> Result<String, StoreError> {
    let experiment = view.experiment(post.experiment)?;
    Ok(experiment.as_ref().and_then(|e| content_of(e, post)).map(domain::variant::Content::text).unwrap_or_default())
}

fn week(view: &View<'_>, experiment: &Experiment, client: &Client, brief: &Brief) -> Result<WeekLoad, StoreError> {
    let scope = Scope::Only(std::iter::once(client.id.clone()).collect());
    let (from, until) = (brief.run_window.start.minus(Span::days(7)), brief.run_window.end.plus(Span::days(7)));
    let posts = view.posts_slotted_between(&scope, from, until)?;
    let counted =
        posts.iter().filter(|p| p.experiment != experiment.id && (p.state.counts_as_out() || p.state.is_unsent()));
    let browser =
        posts.iter().filter(|p| p.experiment != experiment.id && p.lane == domain::variant::Lane::Browser).count();
    Ok(WeekLoad {
        posts: counted.map(Post::pacing_time).collect(),
        operator_minutes: domain::preflight::operator_minutes(0, u32::try_from(browser).unwrap_or(u32::MAX)),
    })
}
