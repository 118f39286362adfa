//! Breaches: a crossed guardrail stops the account, in the transaction that records it.
//!
//! Decides what follows from an alarm: the account is put on hold, which parks every unsent post on it in all experiments
//! (I19); experiments that say so stop for a person; the client's other accounts are watched and go on; a person gets an
//! escalation with what was seen and what each answer means. Also what follows when a person lets it go on. When a signal
//! is an alarm is `domain::guardrail`'s business.

use std::collections::BTreeMap;

use domain::account::{Account, AccountCommand, Watch};
use domain::actor::Actor;
use domain::brief::{Brief, GuardrailAction, GuardrailLimit, StopCondition};
use domain::escalation::{Escalation, EscalationCommand, EscalationEnd, Subject, Urgency};
use domain::experiment::{Experiment, ExperimentCommand};
use domain::guardrail::{Alarm, LimitState, Reliability, Signal, limit_state, publish_reliability, tries_of};
use domain::hold::Hold;
use domain::id::{AccountId, ClientId, ExperimentId};
use domain::post::{Post, PostState};
use domain::role::{Action, NotOwn, Ownership, Role, Scope, authorise};
use domain::time::{Span, UtcTime};
use domain::variant::Lane;

use crate::follow::{Trouble, experiment_decide, open_once};
use crate::{Escalations, Stop, StoreError, Tx, View};

/// How soon a person should have looked at a breach.
const DUE: Span = Span::minutes(30);

/// How soon a person should have looked at a warning.
const WARN_DUE: Span = Span::hours(4);

/// How far back the posts of an account are read for their failures: the evidence's month, and the usual rate before it.
const HISTORY: Span = Span::days(120);

/// The states in which nothing of a post is visible or on its way, but something may come.
const UNSENT: [&str; 4] = ["planned", "preparing", "prepared", "awaiting operator"];

/// Records an alarm, and all that follows from it. Returns false where it says nothing new.
pub fn alarm(tx: &mut Tx<'_>, id: &AccountId, alarm: &Alarm) -> Result<bool, Stop> {
    let before: Account = tx.load(id)?;
    let events = before.decide(AccountCommand::Alarm(alarm.clone()))?;
    if events.is_empty() {
        return Ok(false);
    }
    let account = tx.append::<Account>(id, events)?;
    let parked = parked(tx, id)?;
    let warned = warn_siblings(tx, &account, alarm)?;
    for experiment in &parked {
        stop_where_any_breach_does(tx, experiment.0, &account, alarm)?;
    }
    escalate(tx, &account, alarm, &parked, &warned)?;
    Ok(true)
}

/// Counts what is unsent on an account, by experiment.
fn parked(tx: &Tx<'_>, account: &AccountId) -> Result<Vec<(ExperimentId, usize)>, StoreError> {
    let mut counts: BTreeMap<ExperimentId, usize> = BTreeMap::new();
    for post in tx.posts_in_state(&Scope::All, &UNSENT)?.iter().filter(|post| post.account == *account) {
        let count = counts.entry(post.experiment).or_default();
        *count = count.saturating_add(1);
    }
    Ok(counts.into_iter().collect())
}

fn warn_siblings(tx: &mut Tx<'_>, account: &Account, alarm: &Alarm) -> Result<Vec<AccountId>, Stop> {
    let mut warned = Vec::new();
    for sibling in tx.accounts(&Scope::All, Some(&account.client))?.into_iter().filter(|a| a.id != account.id) {
        let why = format!("{}: {}", alarm.signal.words(), alarm.words);
        let watch = Watch { of: account.id.clone(), why, at: alarm.at };
        let events = sibling.decide(AccountCommand::Watch(watch))?;
        tx.append::<Account>(&sibling.id, events)?;
        warned.push(sibling.id);
    }
    Ok(warned)
}

fn stop_where_any_breach_does(tx: &mut Tx<'_>, id: ExperimentId, account: &Account, alarm: &Alarm) -> Result<(), Stop> {
    let experiment: Experiment = tx.load(&id)?;
    let stops = experiment.brief.as_ref().is_some_and(|b| b.stop_conditions.contains(&StopCondition::AnyBreach));
    if stops && !experiment.stage.is_over() && !experiment.holds.has_signal(alarm.signal) {
        let why = format!("any breach stops it, and account {} had one: {}", account.id, alarm.signal.words());
        experiment_decide(tx, id, ExperimentCommand::Pause(Hold::breach(alarm.signal, alarm.at, why)))?;
    }
    Ok(())
}

/// Returns the rule of an account's escalation, as scripts know it.
fn rule(signal: Signal) -> String {
    format!("account.{}", signal.as_str().replace('_', "-"))
}

fn escalate(
    tx: &mut Tx<'_>,
    account: &Account,
    alarm: &Alarm,
    parked: &[(ExperimentId, usize)],
    warned: &[AccountId],
) -> Result<(), Stop> {
    let seen = format!("{}: {}", alarm.at, alarm.words);
    if let Some(open) = open_about(tx, account, &rule(alarm.signal))? {
        return add(tx, &open, seen);
    }
    let mut evidence = vec![seen, parked_line(tx, account, parked)?];
    for post in tx.posts_in_state(&Scope::All, &["committing", "unconfirmed", "claimed"])? {
        if post.account == account.id {
            evidence.push(format!("may be out, and nothing recalls it: {}", post.what()));
        }
    }
    if !warned.is_empty() {
        evidence.push(format!("watched, and not stopped: {}", joined(warned.iter().map(AccountId::as_str))));
    }
    let trouble = Trouble {
        client: account.client.clone(),
        subject: Subject::Account { account: account.id.clone() },
        rule: &rule(alarm.signal),
        urgency: Urgency::Critical,
        what: format!("account {} is stopped: {}", account.id, alarm.signal.words()),
        evidence,
        answers: answers(tx, account, alarm.signal, parked)?,
        owner: owner(tx, &account.client, parked)?,
        due: DUE,
    };
    open_once(tx, trouble)
}

fn parked_line(tx: &Tx<'_>, account: &Account, parked: &[(ExperimentId, usize)]) -> Result<String, StoreError> {
    let total: usize = parked.iter().map(|(_, count)| count).sum();
    if total == 0 {
        return Ok(format!("nothing is unsent on {}", account.id));
    }
    let mut each = Vec::new();
    for (id, count) in parked {
        let code = tx.experiment(*id)?.map_or_else(|| id.to_string(), |e| e.code);
        each.push(format!("{code} {count}"));
    }
    let posts = if total == 1 { "1 unsent post is" } else { &format!("{total} unsent posts are") };
    Ok(format!("{posts} parked: {}", each.join(", ")))
}

/// Answers, each with what comes of it; what is advised stands first.
fn answers(
    tx: &Tx<'_>,
    account: &Account,
    signal: Signal,
    parked: &[(ExperimentId, usize)],
) -> Result<Vec<String>, StoreError> {
    let mut answers = vec![
        "stay stopped, and ask the client what the platform told them: nothing goes out, slots that pass are missed \
         (advised: nothing shows that it is over)"
            .to_owned(),
        format!(
            "expos account resume {} --reason TEXT: what is parked goes out again at its slots, after the guards looked anew",
            account.id
        ),
    ];
    if matches!(signal, Signal::LoginChallenge | Signal::AccountRestricted) {
        answers.push(format!(
            "expos account connect {} --account {} --client {} --handle {}: logs in again; the account stays stopped until \
             it is resumed",
            account.platform, account.id, account.client, account.handle
        ));
    }
    for (id, _) in parked {
        if let Some(experiment) = tx.experiment(*id)?.filter(|e| e.brief.is_some())
            && answers.len() < ANSWERS_MAX
        {
            answers.push(format!(
                "expos experiment stop {} --reason TEXT: ends it early, its unsent posts are cancelled",
                experiment.code
            ));
        }
    }
    Ok(answers)
}

/// More than that are not weighed against one another.
const ANSWERS_MAX: usize = 5;

/// Returns who settles a breach: who edited or wrote what is parked, if they may let it go on; else a reviewer of the
/// client, else an admin.
fn owner(tx: &Tx<'_>, client: &ClientId, parked: &[(ExperimentId, usize)]) -> Result<Option<String>, StoreError> {
    let agency = tx.agency()?;
    let own = Ownership { authors: &[], not_own: NotOwn::Off };
    let mut writers = Vec::new();
    for (id, _) in parked {
        if let Some(experiment) = tx.experiment(*id)?.filter(|e| e.brief.is_some()) {
            writers.extend([experiment.editor.uid, experiment.author.uid]);
        }
    }
    let may = agency
        .people
        .values()
        .filter(|p| p.sees(client) && authorise(Action::ResumeBreach, p.role, p.uid, own).is_ok());
    let place = |uid: u32| writers.iter().position(|writer| *writer == uid).unwrap_or(usize::MAX);
    Ok(may.min_by_key(|p| (place(p.uid), p.role == Role::Admin, p.uid)).map(|p| p.name.clone()))
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn open_about(tx: &Tx<'_>, account: &Account, rule: &str) -> Result<Option<Escalation>, StoreError> {
    let subject = Subject::Account { account: account.id.clone() };
    let open = tx.escalations(&Scope::All, Escalations::Open)?;
    Ok(open.into_iter().find(|e| e.subject == subject && e.rule == rule))
}

fn add(tx: &mut Tx<'_>, open: &Escalation, evidence: String) -> Result<(), Stop> {
    let events = open.decide(EscalationCommand::Add { evidence })?;
    tx.append::<Escalation>(&open.id, events)?;
    Ok(())
}

/// Adds a line to the open escalation of a breach that keeps an account from logging in. Returns false where there is none.
pub(crate) fn add_evidence(tx: &mut Tx<'_>, account: &Account, line: &str) -> Result<bool, Stop> {
    for signal in [Signal::AccountRestricted, Signal::LoginChallenge] {
        if let Some(open) = open_about(tx, account, &rule(signal))? {
            if !open.evidence.iter().any(|known| known == line) {
                add(tx, &open, line.to_owned())?;
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// Judges how a lane of an account publishes, by what is known now.
pub fn reliability(view: &View<'_>, account: &Account, lane: Lane) -> Result<Reliability, StoreError> {
    let now = view.now();
    let posts = view.posts_of_account_between(&account.id, now.minus(HISTORY), now.plus(Span::days(2)))?;
    let tries: Vec<_> = posts.iter().filter(|p| p.lane == lane).flat_map(tries_of).collect();
    Ok(publish_reliability(&tries, account.released, now))
}

/// Returns how each limit of a brief stands, and how many tries of its experiment failed since a person last let the account
/// go on.
pub fn limits(account: &Account, brief: &Brief, posts: &[Post]) -> (Vec<(GuardrailLimit, LimitState)>, u32) {
    let is_new = |at: UtcTime| account.released.is_none_or(|since| at >= since);
    let failed = posts.iter().flat_map(tries_of).filter(|tried| tried.failed && is_new(tried.at)).count();
    let failed = u32::try_from(failed).unwrap_or(u32::MAX);
    let state = |limit: &GuardrailLimit| (limit.clone(), limit_state(limit, failed, account.platform));
    (brief.guardrails.iter().map(state).collect(), failed)
}

/// Judges the guardrails that look at publishing, after a try of a post came to nothing.
pub(crate) fn publish_failed(tx: &mut Tx<'_>, post: &Post) -> Result<(), Stop> {
    let Some(account) = tx.account(&post.account)? else { return Ok(()) };
    let judged = reliability(tx, &account, post.lane)?;
    let seen = format!(
        "{} failures in a row over the {} lane, evidence {:.0} of 500; the last: {}",
        judged.in_a_row,
        post.lane.as_str(),
        judged.evidence,
        failure_of(post)
    );
    act(tx, &account, judged.verdict, &seen)?;
    let experiment: Experiment = tx.load(&post.experiment)?;
    let Some(brief) = experiment.brief.clone() else { return Ok(()) };
    let own = tx.posts_of(post.experiment)?;
    let (limits, failed) = limits(&account, &brief, &own);
    for (limit, state) in &limits {
        if let LimitState::Crossed(action) = state {
            let seen = format!(
                "{failed} failures in experiment {}, its limit is {}; the last: {}",
                experiment.code,
                limit.limit,
                failure_of(post)
            );
            act(tx, &account, Some(*action), &seen)?;
        }
    }
    let failed_posts = own.iter().filter(|p| matches!(p.state, PostState::Failed { .. })).count();
    stop_at_failed_posts(tx, &experiment, post, u32::try_from(failed_posts).unwrap_or(u32::MAX))
}

fn failure_of(post: &Post) -> String {
    if let PostState::Failed { why } = &post.state {
        format!("{}: {why}", post.what())
    } else {
        format!("{} did not go out", post.what())
    }
}

fn act(tx: &mut Tx<'_>, account: &Account, action: Option<GuardrailAction>, seen: &str) -> Result<(), Stop> {
    match action {
        Some(GuardrailAction::Pause) => {
            alarm(tx, &account.id, &Alarm::new(Signal::PublishFailures, seen, tx.now()))?;
            Ok(())
        }
        Some(GuardrailAction::Warn) => warn(tx, account, seen),
        None => Ok(()),
    }
}

/// Tells a person, and stops nothing.
fn warn(tx: &mut Tx<'_>, account: &Account, seen: &str) -> Result<(), Stop> {
    let trouble = Trouble {
        client: account.client.clone(),
        subject: Subject::Account { account: account.id.clone() },
        rule: "account.publish-failures-warned",
        urgency: Urgency::High,
        what: format!("account {} fails to publish more often than it should; nothing is stopped", account.id),
        evidence: vec![format!("{}: {seen}", tx.now())],
        answers: vec![
            format!("expos account pause {}: nothing unsent of it goes out until it is resumed", account.id),
            "expos escalation resolve ID --reason TEXT: it goes on as it is".to_owned(),
        ],
        owner: None,
        due: WARN_DUE,
    };
    open_once(tx, trouble)
}

fn stop_at_failed_posts(tx: &mut Tx<'_>, experiment: &Experiment, post: &Post, failed: u32) -> Result<(), Stop> {
    let limits = experiment.brief.iter().flat_map(|brief| &brief.stop_conditions);
    let limit =
        limits.filter_map(|c| if let StopCondition::FailedPosts { limit } = c { Some(*limit) } else { None }).min();
    let is_failed = matches!(post.state, PostState::Failed { .. });
    let now: Experiment = tx.load(&experiment.id)?;
    let Some(limit) = limit.filter(|limit| is_failed && failed >= *limit && !now.stage.is_over()) else {
        return Ok(());
    };
    if now.holds.has_signal(Signal::PublishFailures) {
        return Ok(());
    }
    let why = format!("{failed} of its posts failed, and {limit} stop it");
    let hold = Hold::breach(Signal::PublishFailures, tx.now(), why.clone());
    experiment_decide(tx, experiment.id, ExperimentCommand::Pause(hold))?;
    let code = &experiment.code;
    let trouble = Trouble {
        client: experiment.client.clone(),
        subject: Subject::Post { post: post.id, experiment: experiment.id },
        rule: "experiment.failed-posts",
        urgency: Urgency::High,
        what: format!("experiment {code} is stopped: {why}"),
        evidence: vec![failure_of(post)],
        answers: vec![
            format!("expos experiment stop {code} --reason TEXT: ends it early, its unsent posts are cancelled"),
            format!("expos experiment resume {code} --reason TEXT: it goes on, after the guards looked anew"),
        ],
        owner: owner(tx, &experiment.client, &[(experiment.id, 0)])?,
        due: WARN_DUE,
    };
    open_once(tx, trouble)
}

/// What follows when a person let an account go on: what the ended holds had opened is settled, and its siblings are no
/// longer watched because of it.
pub fn released(tx: &mut Tx<'_>, before: &Account, after: &Account, by: &Actor, reason: &str) -> Result<(), Stop> {
    for signal in Signal::ALL {
        if before.holds.has_signal(signal)
            && !after.holds.has_signal(signal)
            && let Some(open) = open_about(tx, after, &rule(signal))?
        {
            let end = EscalationEnd { by: by.clone(), at: tx.now(), how: format!("resumed: {reason}") };
            let events = open.decide(EscalationCommand::Resolve(end))?;
            tx.append::<Escalation>(&open.id, events)?;
        }
    }
    if after.holds.has_breach() {
        return Ok(());
    }
    for sibling in tx.accounts(&Scope::All, Some(&after.client))?.into_iter().filter(|a| a.id != after.id) {
        let events = sibling.decide(AccountCommand::EndWatch { of: after.id.clone() })?;
        tx.append::<Account>(&sibling.id, events)?;
    }
    Ok(())
}
