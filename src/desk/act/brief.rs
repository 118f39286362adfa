//! Briefs: taken in, edited, looked at by the guards.
//!
//! Decides that a brief's pictures are read and copied into the home before the transaction, so that what is hashed is
//! what will be sent; and that an edit voids what it changes and says which field.

use domain::approval::Field;
use domain::brief::{AssetRef, Brief, Problem as BriefProblem, RoundText, VariantText, read};
use domain::client::Client;
use domain::experiment::{Experiment, ExperimentCommand, ExperimentEvent, ExperimentKind, Stage};
use domain::hold::Holds;
use domain::id::{ExperimentId, VariantId};
use domain::post::{Post, PostCommand};
use domain::preflight::{Level, Severity};
use domain::refusal::Refusal;
use domain::text::Untrusted;
use domain::variant::{Asset, Content, Facet, Variant, check_single_variable};
use serde_json::json;
use store::follow::{experiment_decide, post_decide, release_layer};
use store::{Home, Stop, Tx};

use super::Context;
use crate::command::{Command, Done};
use crate::preflight::look;
use crate::{Desk, Problem};

/// Reads a command's brief and its pictures, before the transaction.
pub(super) async fn read_ahead(desk: &Desk, context: &mut Context, command: &Command) -> Result<(), Problem> {
    let toml = match command {
        Command::BriefNew { toml } | Command::BriefEdit { toml, .. } => toml,
        Command::UserGrant { .. }
        | Command::UserRevoke { .. }
        | Command::ClientNew { .. }
        | Command::ClientEdit { .. }
        | Command::PolicyEdit { .. }
        | Command::AccountConnect { .. }
        | Command::AccountDisconnect { .. }
        | Command::Pause { .. }
        | Command::Resume { .. }
        | Command::VariantEdit { .. }
        | Command::PreflightRun { .. }
        | Command::Submit { .. }
        | Command::Drop { .. }
        | Command::StopExperiment { .. }
        | Command::Approve { .. }
        | Command::Reject { .. }
        | Command::Undo { .. }
        | Command::PostCancel { .. }
        | Command::PostMove { .. }
        | Command::PostConfirm { .. }
        | Command::ReplySend { .. }
        | Command::ReplySkip { .. }
        | Command::EscalationTake { .. }
        | Command::EscalationHand { .. }
        | Command::EscalationLater { .. }
        | Command::EscalationResolve { .. }
        | Command::OutcomeSign { .. }
        | Command::Decide { .. }
        | Command::LearningRetract { .. }
        | Command::CheckinSign { .. }
        | Command::QueueLater { .. }
        | Command::QueueBack { .. } => return Ok(()),
    };
    let brief =
        read(toml).map_err(|problems| Problem::Invalid(problems.iter().map(BriefProblem::to_string).collect()))?;
    let scope = context.person.scope.clone();
    let client = brief.client.clone();
    let known = desk.store.read(move |view| view.client(&client)).await?.filter(|c| scope.holds(&c.id));
    if known.is_none() {
        return Err(Problem::Refused(Refusal::not_found("client", brief.client.as_str())));
    }
    let home = desk.home.clone();
    let names = asset_refs(&brief);
    let client = brief.client.clone();
    let imported = tokio::task::spawn_blocking(move || import_all(&home, &client, names)).await;
    context.assets =
        imported.map_err(|e| Problem::Failed(format!("reading the brief's pictures broke off: {e}")))??;
    context.brief = Some(brief);
    Ok(())
}

fn asset_refs(brief: &Brief) -> Vec<AssetRef> {
    let of_rounds = |rounds: &[RoundText]| rounds.iter().flat_map(|r| r.assets.clone()).collect::<Vec<_>>();
    let of_variant = |v: &VariantText| v.assets.iter().cloned().chain(of_rounds(&v.rounds)).collect::<Vec<_>>();
    std::iter::once(&brief.control_variant)
        .chain(&brief.test_variants)
        .flat_map(of_variant)
        .chain(of_rounds(&brief.exposure_plan.rounds))
        .collect()
}

type Imported = std::collections::BTreeMap<String, Asset>;

fn import_all(home: &Home, client: &domain::id::ClientId, refs: Vec<AssetRef>) -> Result<Imported, Problem> {
    let mut found = Imported::new();
    if refs.is_empty() {
        return Ok(found);
    }
    let (root, kept) = (home.assets(client), home.content_store());
    for folder in [&root, &kept] {
        std::fs::create_dir_all(folder)
            .map_err(|e| Problem::Failed(format!("the folder {} cannot be made: {e}", folder.display())))?;
    }
    let mut problems = Vec::new();
    for asset in refs {
        let name = asset.file.raw().to_owned();
        if found.contains_key(&name) {
            continue;
        }
        match media::import(&root, &name, &kept) {
            Ok(picture) => {
                found.insert(name, as_asset(&asset, &picture));
            }
            Err(refusal) => problems.push(format!(
                "asset `{}`: {refusal} (pictures of {client} are read from {})",
                asset.file.show().truncated(64),
                root.display()
            )),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(Problem::Invalid(problems)) }
}

fn as_asset(asset: &AssetRef, picture: &media::Imported) -> Asset {
    Asset {
        facet: asset.facet,
        file: asset.file.clone(),
        digest: picture.digest,
        mime: picture.mime.to_owned(),
        bytes: picture.bytes,
        width: picture.width,
        height: picture.height,
        alt: asset.alt.clone(),
        has_gps: picture.has_gps,
    }
}

fn take_brief(context: &Context) -> Result<Brief, Refusal> {
    context.brief.clone().ok_or_else(|| {
        Refusal::invalid("brief.missing", "the brief", "none was given", "give a file, or - for standard input")
    })
}

/// Returns the variants of a brief; letters that were there before keep their ids and count a revision.
fn variants_of(context: &mut Context, tx: &Tx<'_>, brief: &Brief, before: &[Variant]) -> Result<Vec<Variant>, Refusal> {
    let assets = context.assets.clone();
    let find = |asset: &AssetRef| {
        let known = assets.get(asset.file.raw())?;
        Some(Asset { facet: asset.facet, alt: asset.alt.clone(), ..known.clone() })
    };
    let contents = brief.contents(&find)?;
    let mut variants = Vec::new();
    for (rounds, letter) in contents.into_iter().zip('A'..='T') {
        let old = before.iter().find(|v| v.letter == letter);
        let changed = old.is_some_and(|v| v.rounds != rounds);
        variants.push(Variant {
            id: old.map_or_else(|| VariantId::new(tx.now(), context.random()), |v| v.id),
            letter,
            revision: old.map_or(1, |v| v.revision.saturating_add(u32::from(changed))),
            rounds,
        });
    }
    check_single_variable(brief.variable_under_test, &variants)?;
    Ok(variants)
}

pub(super) fn new(context: &mut Context, tx: &mut Tx<'_>) -> Result<Done, Stop> {
    let brief = take_brief(context)?;
    let client = context.client(tx, &brief.client)?;
    check_place(tx, &client, &brief)?;
    check_name(tx, &client, &brief, None)?;
    let variants = variants_of(context, tx, &brief, &[])?;
    let id = ExperimentId::new(tx.now(), context.random());
    let number = tx.experiments_ever(&client.id)?.saturating_add(1);
    let experiment = Experiment {
        id,
        code: format!("{}-{number:03}", super::client::code_prefix(&client.id)),
        client: client.id.clone(),
        kind: ExperimentKind::from(brief.kind),
        author: context.writer(),
        editor: context.writer(),
        brief: Some(brief),
        variants,
        findings: Vec::new(),
        level: Level::default(),
        plan: None,
        words: Vec::new(),
        stage: Stage::Creating,
        holds: Holds::default(),
        created: tx.now(),
        later: None,
        review: None,
        parent: None,
    };
    tx.append::<Experiment>(
        &id,
        vec![ExperimentEvent::ExperimentCreated { experiment: Box::new(experiment.clone()) }],
    )?;
    let after = run_guards(context, tx, &experiment, &client)?;
    Ok(told(&after, format!("{} taken in as {}", after.brief.as_ref().map_or("", |b| b.kind.as_str()), after.code)))
}

fn check_place(tx: &Tx<'_>, client: &Client, brief: &Brief) -> Result<(), Stop> {
    let account = tx.account(&brief.exposure_plan.account)?.filter(|a| a.client == client.id);
    let Some(account) = account else {
        return Err(Refusal::not_found("account", brief.exposure_plan.account.as_str()).into());
    };
    if brief.platforms != [account.platform] {
        return Err(Refusal::invalid(
            "brief.platform",
            "platforms",
            format!("account {} is on {}", account.id, account.platform),
            format!("write platforms = [\"{}\"]", account.platform),
        )
        .into());
    }
    Ok(())
}

fn check_name(tx: &Tx<'_>, client: &Client, brief: &Brief, but: Option<ExperimentId>) -> Result<(), Stop> {
    let scope = domain::role::Scope::Only(std::iter::once(client.id.clone()).collect());
    let all = tx.experiments(&scope, &store::ExperimentFilter::default())?;
    let same = |e: &&Experiment| {
        Some(e.id) != but
            && !e.stage.is_over()
            && e.brief.as_ref().is_some_and(|b| b.name.normalised() == brief.name.normalised())
    };
    match all.iter().find(same) {
        None => Ok(()),
        Some(other) => Err(Refusal::invalid(
            "brief.name",
            "name",
            format!("{} has the same name", other.code),
            "give it a name of its own",
        )
        .into()),
    }
}

pub(super) fn run_guards(
    context: &Context,
    tx: &mut Tx<'_>,
    experiment: &Experiment,
    client: &Client,
) -> Result<Experiment, Stop> {
    let (findings, level) = look(tx, &context.rules, experiment, client)?;
    experiment_decide(tx, experiment.id, ExperimentCommand::RecordPreflight { findings, level })
}

fn told(experiment: &Experiment, first: String) -> Done {
    let count = |s: Severity| experiment.findings.iter().filter(|f| f.severity == s).count();
    let (block, warn, info) = (count(Severity::Block), count(Severity::Warn), count(Severity::Info));
    let data = json!({"experiment": experiment.id, "code": experiment.code, "stage": experiment.stage.word(), "level": experiment.level, "findings": experiment.findings});
    let mut done = Done::new(first, data)
        .line(format!("preflight: {block} block, {warn} warn, {info} info; level {}", experiment.level.level));
    for finding in &experiment.findings {
        done = done.line(format!(
            "{} {} {}: {}; {}",
            finding.severity, finding.guard, finding.place, finding.why, finding.mend
        ));
    }
    if block > 0 {
        done.next(format!("expos brief edit {} FILE", experiment.code))
    } else if experiment.stage == Stage::Preflight {
        done.next(format!("expos experiment submit {}", experiment.code))
    } else {
        done.next(format!("expos queue show {}", experiment.code))
    }
}

pub(super) fn preflight(context: &Context, tx: &mut Tx<'_>, name: &str) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let client = context.client(tx, &experiment.client)?;
    let after = run_guards(context, tx, &experiment, &client)?;
    Ok(told(&after, format!("the guards looked at {}", after.code)))
}

pub(super) fn edit(context: &mut Context, tx: &mut Tx<'_>, name: &str) -> Result<Done, Stop> {
    let brief = take_brief(context)?;
    let experiment = context.experiment(tx, name)?;
    if brief.client != experiment.client {
        return Err(Refusal::invalid(
            "brief.client",
            "client",
            "an experiment stays with its client",
            "take it in as a new brief",
        )
        .into());
    }
    let client = context.client(tx, &experiment.client)?;
    check_place(tx, &client, &brief)?;
    check_name(tx, &client, &brief, Some(experiment.id))?;
    let variants = variants_of(context, tx, &brief, &experiment.variants)?;
    apply_edit(context, tx, &experiment, &client, brief, variants)
}

/// Where a text stands in an experiment.
pub(super) struct Place {
    pub(super) letter: char,
    /// From 1.
    pub(super) round: u32,
    pub(super) facet: Facet,
}

pub(super) fn edit_variant(
    context: &mut Context,
    tx: &mut Tx<'_>,
    name: &str,
    place: Place,
    text: String,
) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let client = context.client(tx, &experiment.client)?;
    let Some(brief) = experiment.brief.clone() else {
        return Err(Refusal::rule(
            "experiment.house",
            format!("experiment {}", experiment.code),
            "the house experiment has no variants",
            "edit another one",
        )
        .into());
    };
    let letter = place.letter.to_ascii_uppercase();
    let round = usize::try_from(place.round).ok().and_then(|r| r.checked_sub(1));
    let mut variants = experiment.variants.clone();
    let shared = place.facet != brief.variable_under_test;
    for variant in variants.iter_mut().filter(|v| shared || v.letter == letter) {
        let content = round.and_then(|r| variant.rounds.get_mut(r));
        let Some(content) = content else {
            return Err(Refusal::not_found("variant", &format!("{letter} round {}", place.round)).into());
        };
        set_text(content, place.facet, &text);
        variant.revision = variant.revision.saturating_add(1);
    }
    if !variants.iter().any(|v| v.letter == letter) {
        return Err(Refusal::not_found("variant", &letter.to_string()).into());
    }
    check_single_variable(brief.variable_under_test, &variants)?;
    let brief = with_text(brief, &experiment, &place, letter, &text);
    check_one(&brief, &variants)?;
    apply_edit(context, tx, &experiment, &client, brief, variants)
}

fn set_text(content: &mut Content, facet: Facet, text: &str) {
    if text.is_empty() {
        content.facets.remove(&facet);
    } else {
        content.facets.insert(facet, Untrusted::new(text));
    }
}

/// Brief and variants stay one: a text that the brief cannot say at one place is edited in the brief.
fn check_one(brief: &Brief, variants: &[Variant]) -> Result<(), Refusal> {
    let known = |named: &AssetRef| {
        let all = variants.iter().flat_map(|v| &v.rounds).flat_map(|content| &content.assets);
        let found = all.into_iter().find(|asset| asset.file.raw() == named.file.raw())?;
        Some(Asset { facet: named.facet, alt: named.alt.clone(), ..found.clone() })
    };
    if brief.contents(&known)?.iter().eq(variants.iter().map(|v| &v.rounds)) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "variant.text",
        "the text",
        "the brief gives it at more than one place",
        "change it there with `expos brief edit`",
    ))
}

/// Writes the edited text back into the brief, at the most special place, so that brief and variants stay one.
fn with_text(mut brief: Brief, experiment: &Experiment, place: &Place, letter: char, text: &str) -> Brief {
    let rounds = experiment.variants.first().map_or(1, |v| v.rounds.len());
    let index = usize::try_from(place.round).unwrap_or(1).saturating_sub(1);
    let put = |target: &mut VariantText| {
        if target.rounds.is_empty() {
            target.rounds = vec![RoundText::default(); rounds];
        }
        if let Some(round) = target.rounds.get_mut(index) {
            if text.is_empty() {
                round.facets.remove(&place.facet);
            } else {
                round.facets.insert(place.facet, Untrusted::new(text));
            }
        }
    };
    let shared = place.facet != brief.variable_under_test;
    if shared || letter == 'A' {
        put(&mut brief.control_variant);
    }
    for (test, name) in brief.test_variants.iter_mut().zip('B'..='T') {
        if shared || name == letter {
            put(test);
        }
    }
    brief
}

fn apply_edit(
    context: &Context,
    tx: &mut Tx<'_>,
    experiment: &Experiment,
    client: &Client,
    brief: Brief,
    variants: Vec<Variant>,
) -> Result<Done, Stop> {
    let replan = experiment.brief.as_ref().and_then(|before| plan_change(before, &brief));
    let by = context.writer();
    if let Some(field) = replan {
        withdraw(context, tx, experiment, field)?;
    }
    let command = ExperimentCommand::Edit { brief: Box::new(brief), variants, by };
    let after = experiment_decide(tx, experiment.id, command)?;
    let voided = if replan.is_none() { edit_posts(tx, &after)? } else { Vec::new() };
    let after = run_guards(context, tx, &after, client)?;
    let mut done = told(&after, format!("{} edited", after.code));
    if let Some(field) = replan {
        done = done.line(format!("its plan is withdrawn and every approval void: {field}"));
    }
    for line in voided {
        done = done.line(line);
    }
    Ok(done)
}

/// Returns the field of an approval that an edit of the plan changes; content alone is told post by post.
fn plan_change(before: &Brief, after: &Brief) -> Option<Field> {
    let (old, new) = (&before.exposure_plan, &after.exposure_plan);
    if old.account != new.account || before.surface != after.surface {
        Some(Field::Account)
    } else if old.lane != new.lane {
        Some(Field::Lane)
    } else {
        let slots = old.slots != new.slots
            || old.times != new.times
            || old.days != new.days
            || old.spacing != new.spacing
            || old.blocks != new.blocks;
        let count =
            old.posts_per_variant != new.posts_per_variant || before.test_variants.len() != after.test_variants.len();
        let layer = before.variable_under_test != after.variable_under_test || old.snapshot_ages != new.snapshot_ages;
        let rest = before.run_window != after.run_window
            || old.repeat != new.repeat
            || before.round_count() != after.round_count();
        if slots || count || layer || rest { Some(Field::Slot) } else { None }
    }
}

/// Gives up the slots: every approval is void for that field, every unsent post cancelled, the layer free.
fn withdraw(context: &Context, tx: &mut Tx<'_>, experiment: &Experiment, field: Field) -> Result<(), Stop> {
    match experiment.stage {
        Stage::Drafting | Stage::Creating | Stage::Preflight => return Ok(()),
        Stage::AwaitingApproval | Stage::Scheduled => {}
        Stage::Running | Stage::Maturing | Stage::Reviewing | Stage::Completed { .. } | Stage::Invalid { .. } => {
            return Err(Refusal::rule(
                "experiment.plan-fixed",
                format!("experiment {}", experiment.code),
                format!("it is {} and its plan is drawn: the {field} would change", experiment.stage),
                "move single posts with `expos calendar move`, or stop it and take in a new brief",
            )
            .into());
        }
    }
    super::queue::none_in_doubt(tx, experiment)?;
    let why = format!("the {field} was edited by {}", context.person.name);
    for post in tx.posts_of(experiment.id)? {
        if post.state.is_unsent() && post.approval.is_some() {
            post_decide(tx, post.id, PostCommand::Void { field, why: why.clone() })?;
        }
    }
    let after = experiment_decide(tx, experiment.id, ExperimentCommand::Withdraw { why })?;
    cancel_unsent(context, tx, &after, "the plan was edited")?;
    release_layer(tx, &after, "the plan was edited")
}

/// Cancels what is unsent.
pub(super) fn cancel_unsent(
    context: &Context,
    tx: &mut Tx<'_>,
    experiment: &Experiment,
    reason: &str,
) -> Result<u32, Stop> {
    let mut count = 0_u32;
    let at = tx.now();
    for post in tx.posts_of(experiment.id)? {
        if !post.state.is_unsent() {
            continue;
        }
        post_decide(tx, post.id, PostCommand::Cancel { by: context.actor(), at, reason: reason.to_owned() })?;
        count = count.saturating_add(1);
    }
    Ok(count)
}

/// Gives every unsent post its new content; an approval that stood is void, and told.
fn edit_posts(tx: &mut Tx<'_>, experiment: &Experiment) -> Result<Vec<String>, Stop> {
    let mut told = Vec::new();
    for post in tx.posts_of(experiment.id)? {
        let Some(content) = store::facts::content_of(experiment, &post).cloned() else { continue };
        if content.hash() == post.content {
            continue;
        }
        if !post.state.is_unsent() {
            told.push(format!("{} is {}: the edit is for later posts", post.what(), post.state.word()));
            continue;
        }
        let had = post.approval.is_some();
        let command = PostCommand::Edit { content: content.hash(), duplicate_key: content.duplicate_key() };
        let (after, _): (Post, _) = post_decide(tx, post.id, command)?;
        if had {
            told.push(format!("the approval of {} is void: content", after.what()));
        }
    }
    Ok(told)
}
