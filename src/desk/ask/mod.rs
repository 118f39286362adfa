//! Asking: what is stored, as a person may see it.
//!
//! Decides the answer to each query from one read snapshot, within the asker's clients (I14). Changes nothing.

mod account;
pub(crate) mod learning;
mod line;
mod outcome;
mod post;
mod review;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use clock::{Clock, RealClock};
use domain::actor::Person;
use domain::checkin::{Checkin, Round};
use domain::client::Client;
use domain::engagement::Standing;
use domain::id::{ClientId, EscalationId, ExperimentId, PostId};
use domain::refusal::Refusal;
use domain::role::Scope;
use domain::time::{UtcTime, Zone};
use store::{Escalations, ExperimentFilter, LearningFilter, StoreError, View};

use crate::query::{
    AccountView, Answer, CHECKINS_MAX, ClientView, EventLine, Health, LEARNINGS_MAX, LayerView, LearningView,
    OutcomeView, PictureView, Query, QueueLine, REPLIES_MAX, ReplyLine, ReplyView, Sheet, SheetPost, SnapshotView,
    StoreInfo, TaskHealth, UserView, Verdict,
};
use crate::rounds::{Engine, Of, RoundView, covered};
use crate::sheet::draft;
use crate::{Desk, Problem, Rules, picture};

/// Why a question has no answer.
enum No {
    Refused(Refusal),
    Failed(StoreError),
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for No {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

pub(crate) async fn answer(desk: &Desk, person: Person, query: Query) -> Result<Answer, Problem> {
    if matches!(query, Query::Health) {
        let health = health(desk, &person).await?;
        return Ok(Answer::Health(health));
    }
    if let Query::Beat { session, on } = query {
        return beat(desk, person, session, on).await;
    }
    if let Query::OutcomeShow { experiment } = query {
        return Ok(Answer::Outcome(Box::new(outcome_of(desk, person, experiment).await?)));
    }
    let rules = std::sync::Arc::clone(&desk.rules);
    let store = desk.store.clone();
    let epoch = store.epoch().0;
    let anchor = store.anchor();
    let engine = desk.engine();
    let read = desk.store.read(move |view| {
        let asked = Asked { person: &person, rules: &rules, view, engine };
        match asked.answer(query, epoch, &anchor) {
            Ok(answer) => Ok(Ok(answer)),
            Err(No::Refused(refusal)) => Ok(Err(refusal)),
            Err(No::Failed(error)) => Err(error),
        }
    });
    let answer = read.await?.map_err(Problem::Refused)?;
    // Decoding takes its time: not inside the read of the store.
    if let Answer::Picture(granted) = answer {
        return Ok(Answer::Picture(picture::small(desk, granted).await?));
    }
    Ok(answer)
}

/// Reads what an experiment's verdict is made from, as far as the person sees it, then has it made.
async fn outcome_of(desk: &Desk, person: Person, name: String) -> Result<OutcomeView, Problem> {
    let (rules, engine) = (std::sync::Arc::clone(&desk.rules), desk.engine());
    let read = desk.store.read(move |view| {
        let asked = Asked { person: &person, rules: &rules, view, engine };
        let found = asked.experiment(&name).and_then(|experiment| Ok((asked.client(&experiment.client)?, experiment)));
        match found {
            Ok((client, experiment)) => Ok(Ok(outcome::Evidence::read(view, experiment, client)?)),
            Err(No::Refused(refusal)) => Ok(Err(refusal)),
            Err(No::Failed(error)) => Err(error),
        }
    });
    outcome::judge(desk, read.await?.map_err(Problem::Refused)?).await
}

struct Asked<'a, 'v> {
    person: &'a Person,
    rules: &'a Rules,
    view: &'a View<'v>,
    engine: Engine,
}

impl Asked<'_, '_> {
    fn scope(&self) -> &Scope {
        &self.person.scope
    }

    fn answer(&self, query: Query, epoch: u64, anchor: &store::Anchor) -> Result<Answer, No> {
        Ok(match query {
            Query::WhoAmI => Answer::User(user(self.person)),
            Query::UserList => Answer::Users(self.users()?),
            Query::ClientList => Answer::Clients(self.view.clients(self.scope())?.iter().map(client_view).collect()),
            Query::ClientShow { client } => Answer::Client(Box::new(client_view(&self.client(&client)?))),
            Query::AccountList => Answer::Accounts(self.accounts()?),
            Query::AccountShow { account } => {
                Answer::Account(Box::new(account::whole(self.view, self.scope(), &account)?))
            }
            Query::ExperimentList { client, all } => Answer::Experiments(self.experiments(client, all)?),
            Query::ExperimentShow { experiment } => {
                Answer::Experiment(Box::new(line::whole(self.view, &self.experiment(&experiment)?)?))
            }
            Query::Picture { experiment, digest, width, height } => {
                let experiment = self.experiment(&experiment)?;
                if !picture::shows(&experiment, &digest) {
                    return Err(picture::not_shown(&experiment.code, &digest).into());
                }
                Answer::Picture(PictureView { digest, width, height, pixels: String::new() })
            }
            Query::QueueList => Answer::Queue(self.queue()?),
            Query::QueueShow { experiment } => Answer::Sheet(Box::new(self.sheet(&experiment)?)),
            Query::LayerList => Answer::Layers(self.layers()?),
            Query::PostList { experiment } => Answer::Posts(self.posts(experiment.as_deref())?),
            Query::PostsBetween { from, until } => Answer::Posts(self.posts_between(from, until)?),
            Query::PostShow { post } => Answer::Post(Box::new(post::whole(self.view, self.scope(), &post)?)),
            Query::SnapshotList { experiment } => Answer::Snapshots(self.snapshots(experiment.as_deref())?),
            Query::ReviewShow { experiment } => {
                Answer::Review(Box::new(review::show(self.view, &self.experiment(&experiment)?)?))
            }
            Query::ReportShow { experiment } => {
                Answer::Report(Box::new(review::report(self.view, &self.experiment(&experiment)?)?))
            }
            Query::LearningList { client, retracted } => Answer::Learnings(self.learnings(None, client, retracted)?),
            Query::LearningSearch { text, client, retracted } => {
                Answer::Learnings(self.learnings(Some(&text), client, retracted)?)
            }
            Query::LearningShow { learning } => {
                let found = learning::named(self.view, self.scope(), &learning)?;
                Answer::Learning(Box::new(learning::view(found, self.view.now())))
            }
            Query::ReplyList { all } => Answer::Replies(self.replies(all)?),
            Query::ReplyShow { conversation } => Answer::Reply(Box::new(self.reply(&conversation)?)),
            Query::EscalationList { all } => {
                let which = if all { Escalations::All } else { Escalations::Open };
                Answer::Escalations(self.view.escalations(self.scope(), which)?)
            }
            Query::EscalationShow { escalation } => Answer::Escalation(Box::new(self.escalation(escalation)?)),
            Query::CheckinList { before } => {
                Answer::Checkins(self.view.checkins(self.scope(), before, CHECKINS_MAX)?)
            }
            Query::CheckinShow { checkin } => Answer::Checkin(Box::new(self.checkin(&checkin)?)),
            Query::CheckinStatus { client } => Answer::Rounds(self.rounds(client)?),
            Query::Events { after, limit } => Answer::Events(
                self.view.events(self.scope(), after, limit.clamp(1, 500))?.iter().map(line::event).collect(),
            ),
            // Answered before it comes here.
            Query::Health | Query::Beat { .. } | Query::OutcomeShow { .. } => Answer::Health(Health::default()),
            Query::StoreInfo => {
                let (events, head) = match last_seen(self.view, self.scope())? {
                    Some(last) => (last.n, last.hash.short()),
                    None if *self.scope() == Scope::All => (anchor.n, anchor.hash.short()),
                    None => (0, String::new()),
                };
                Answer::Store(StoreInfo {
                    store: anchor.store.to_string(),
                    schema: store::SCHEMA_VERSION,
                    events,
                    head,
                    epoch,
                })
            }
        })
    }

    fn client(&self, id: &ClientId) -> Result<Client, No> {
        let found = self.view.client(id)?.filter(|c| self.person.sees(&c.id));
        found.ok_or_else(|| Refusal::not_found("client", id.as_str()).into())
    }

    fn experiment(&self, name: &str) -> Result<domain::experiment::Experiment, No> {
        match self.view.experiment_by_name(self.scope(), name)? {
            Some(found) => Ok(found),
            None if self.view.begins_several_experiments(self.scope(), name)? => {
                Err(Refusal::ambiguous("experiment", name).into())
            }
            None => Err(Refusal::not_found("experiment", name).into()),
        }
    }

    fn escalation(&self, id: EscalationId) -> Result<domain::escalation::Escalation, No> {
        let found = self.view.escalation(id)?.filter(|e| self.person.sees(&e.client));
        found.ok_or_else(|| Refusal::not_found("escalation", &id.to_string()).into())
    }

    fn replies(&self, all: bool) -> Result<Vec<ReplyLine>, No> {
        let found = if all {
            self.view.conversations_newest(self.scope(), REPLIES_MAX)?
        } else {
            self.view.conversations(self.scope(), &[Standing::Waiting, Standing::Sending], REPLIES_MAX)?
        };
        let lines: Result<Vec<ReplyLine>, StoreError> =
            found.iter().map(|one| crate::reply::line(self.view, self.rules, one)).collect();
        Ok(lines?)
    }

    fn reply(&self, name: &str) -> Result<ReplyView, No> {
        let mut found = self.view.conversations_that_begin(self.scope(), name)?;
        match (found.pop(), found.pop()) {
            (Some(one), None) => Ok(crate::reply::whole(self.view, self.rules, &one)?),
            (Some(_), Some(_)) => Err(Refusal::ambiguous("reply", name).into()),
            (None, _) => Err(Refusal::not_found("reply", name).into()),
        }
    }

    fn checkin(&self, name: &str) -> Result<Checkin, No> {
        let mut found = self.view.checkins_that_begin(self.scope(), &name.to_ascii_uppercase())?;
        match (found.pop(), found.pop()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(Refusal::ambiguous("checkin", name).into()),
            (None, _) => Err(Refusal::not_found("checkin", name).into()),
        }
    }

    fn learnings(
        &self,
        text: Option<&str>,
        client: Option<ClientId>,
        retracted: bool,
    ) -> Result<Vec<LearningView>, No> {
        if let Some(client) = &client {
            self.client(client)?;
        }
        let filter = LearningFilter { client, retracted, limit: LEARNINGS_MAX };
        let found = match text {
            Some(text) => self.view.learnings_with(self.scope(), text, &filter)?,
            None => self.view.learnings(self.scope(), &filter)?,
        };
        Ok(found.into_iter().map(|found| learning::view(found, self.view.now())).collect())
    }

    fn rounds(&self, client: Option<ClientId>) -> Result<Vec<RoundView>, No> {
        if let Some(client) = &client {
            self.client(client)?;
        }
        let covers = covered(self.person, client);
        let of = Of::new(self.view, self.person, &covers, self.engine)?;
        let rounds: Result<Vec<RoundView>, StoreError> = Round::ALL.into_iter().map(|round| of.round(round)).collect();
        Ok(rounds?)
    }

    /// People as far as their clients are the asker's: an outsider's name is no business of a limited person.
    fn users(&self) -> Result<Vec<UserView>, No> {
        let agency = self.view.agency()?;
        Ok(agency.people.values().filter(|p| self.scope().meets(&p.scope)).map(|p| self.within(user(p))).collect())
    }

    fn within(&self, mut user: UserView) -> UserView {
        if let Some(clients) = &mut user.clients {
            clients.retain(|c| self.person.sees(c));
        }
        user
    }

    fn accounts(&self) -> Result<Vec<AccountView>, No> {
        let accounts = self.view.accounts(self.scope(), None)?;
        Ok(accounts.into_iter().map(account::view).collect())
    }

    fn experiments(&self, client: Option<ClientId>, all: bool) -> Result<Vec<crate::query::ExperimentLine>, No> {
        let filter = ExperimentFilter { client, ..ExperimentFilter::default() };
        let found = self.view.experiments(self.scope(), &filter)?;
        let mut lines = Vec::new();
        for experiment in found.iter().filter(|e| all || !e.stage.is_over()) {
            lines.push(line::of(self.view, experiment)?);
        }
        Ok(lines)
    }

    fn queue(&self) -> Result<Vec<QueueLine>, No> {
        let mut lines = Vec::new();
        for experiment in self.view.experiments(self.scope(), &ExperimentFilter::default())? {
            if !crate::act::is_waiting(&experiment) || experiment.brief.is_none() {
                continue;
            }
            let sheet = draft(self.view, self.rules, &experiment)?;
            if sheet.posts.is_empty() {
                continue;
            }
            let client = self.client(&experiment.client)?;
            let first = sheet.posts.first().map(|(post, _)| post.window.from);
            let count = |s| sheet.findings.iter().filter(|f| f.severity == s).count();
            use domain::preflight::Severity::{Block, Info, Warn};
            lines.push(QueueLine {
                line: line::of(self.view, &experiment)?,
                fingerprint: sheet.fingerprint.short(),
                findings: [count(Block), count(Warn), count(Info)],
                needed: experiment.words_needed(client.policy.regulated).max(1),
                words: experiment.words.len(),
                later: experiment.later_before(self.view.now(), first, client.policy.prepare_lead).cloned(),
                first,
                level: sheet.level,
            });
        }
        // What is put off stands at the end until it is back.
        lines.sort_by_key(|line| (line.later.is_some(), line.first));
        Ok(lines)
    }

    fn sheet(&self, name: &str) -> Result<Sheet, No> {
        let experiment = self.experiment(name)?;
        let client = self.client(&experiment.client)?;
        let drafted = draft(self.view, self.rules, &experiment)?;
        let mut posts = Vec::new();
        for (post, binding) in drafted.posts {
            let content = store::facts::content_of(&experiment, &post).cloned().unwrap_or_default();
            posts.push(SheetPost {
                line: post::line(&experiment.code, client.zone, &post),
                text: content.text(),
                assets: content.assets,
                binding,
            });
        }
        Ok(Sheet {
            line: line::of(self.view, &experiment)?,
            fingerprint: drafted.fingerprint.to_string(),
            brief: experiment.brief.as_ref().map(domain::brief::write).unwrap_or_default(),
            posts,
            findings: drafted.findings,
            level: drafted.level,
            needed: experiment.words_needed(client.policy.regulated).max(1),
            words: experiment.words.iter().map(|w| w.name.clone()).collect(),
            notes: drafted.notes,
        })
    }

    fn layers(&self) -> Result<Vec<LayerView>, No> {
        let layers = self.view.layers(self.scope())?;
        Ok(layers.into_iter().map(|l| LayerView { layer: l.id.to_string(), tenures: l.tenures }).collect())
    }

    fn posts(&self, name: Option<&str>) -> Result<Vec<crate::query::PostLine>, No> {
        let experiments = self.named_or_all(name)?;
        let mut lines = Vec::new();
        for experiment in experiments {
            let client = self.client(&experiment.client)?;
            let posts = self.view.posts_of(experiment.id)?;
            lines.extend(posts.iter().map(|p| post::line(&experiment.code, client.zone, p)));
        }
        lines.sort_by_key(|l| l.slot);
        Ok(lines)
    }

    /// What has its slot in a span, and whatever a person must settle.
    fn posts_between(&self, from: UtcTime, until: UtcTime) -> Result<Vec<crate::query::PostLine>, No> {
        let mut found = self.view.posts_slotted_between(self.scope(), from, until)?;
        let settle = self.view.posts_in_state(self.scope(), &["unconfirmed", "awaiting operator", "claimed"])?;
        let known: BTreeSet<PostId> = found.iter().map(|post| post.id).collect();
        found.extend(settle.into_iter().filter(|post| !known.contains(&post.id)));
        let (mut codes, mut zones) = (BTreeMap::new(), BTreeMap::new());
        let mut lines = Vec::with_capacity(found.len());
        for post in &found {
            if let Entry::Vacant(place) = codes.entry(post.experiment) {
                place.insert(self.view.experiment(post.experiment)?.map_or_else(String::new, |e| e.code));
            }
            if let Entry::Vacant(place) = zones.entry(post.client.clone()) {
                place.insert(self.view.client(&post.client)?.map_or(Zone::UTC, |c| c.zone));
            }
            let code = codes.get(&post.experiment).map_or("", String::as_str);
            lines.push(post::line(code, zones.get(&post.client).copied().unwrap_or(Zone::UTC), post));
        }
        lines.sort_by_key(|line| line.slot);
        Ok(lines)
    }

    fn named_or_all(&self, name: Option<&str>) -> Result<Vec<domain::experiment::Experiment>, No> {
        match name {
            Some(name) => Ok(vec![self.experiment(name)?]),
            None => Ok(self.view.experiments(self.scope(), &ExperimentFilter::default())?),
        }
    }

    fn snapshots(&self, name: Option<&str>) -> Result<Vec<SnapshotView>, No> {
        let mut all = Vec::new();
        for experiment in self.named_or_all(name)? {
            let posts = self.view.posts_of(experiment.id)?;
            for snapshot in self.view.snapshots_of_experiment(experiment.id)? {
                let Some(post) = posts.iter().find(|p| p.id == snapshot.post) else { continue };
                all.push(SnapshotView {
                    experiment: experiment.code.clone(),
                    letter: post.letter,
                    number: post.number,
                    snapshot,
                });
            }
        }
        all.sort_by(|a, b| (&a.experiment, a.number, a.snapshot.age).cmp(&(&b.experiment, b.number, b.snapshot.age)));
        Ok(all)
    }
}

fn user(person: &Person) -> UserView {
    let clients = match &person.scope {
        Scope::All => None,
        Scope::Only(clients) => Some(clients.iter().cloned().collect()),
    };
    UserView { uid: person.uid, name: person.name.clone(), role: person.role, clients }
}

fn client_view(client: &Client) -> ClientView {
    ClientView {
        id: client.id.clone(),
        name: client.name.clone(),
        zone: client.zone.to_string(),
        kit: client.kit.clone(),
        policy: client.policy.clone(),
        policy_version: client.policy_version,
        house: client.house,
        holds: client.holds.list().to_vec(),
    }
}

/// Returns the last event that a person limited to some clients may know of; none where they see all. How far the whole
/// log is would tell them how much happens to the others (T7).
fn last_seen(view: &View<'_>, scope: &Scope) -> Result<Option<store::EventRecord>, StoreError> {
    if *scope == Scope::All {
        return Ok(None);
    }
    view.last_event(scope)
}

/// What a person limited to some clients may know of a task: that it is late, or has trouble; not whose (T7).
fn without_names(task: TaskHealth) -> TaskHealth {
    let error = task.error.map(|_| "it has trouble; ask a person who sees all clients".to_owned());
    TaskHealth { error, last: None, steps: 0, ..task }
}

/// A dashboard's sign of life. What it says it has open counts only where its person sees it.
async fn beat(desk: &Desk, person: Person, session: u32, on: Option<ExperimentId>) -> Result<Answer, Problem> {
    let health = health(desk, &person).await?;
    let on = match on {
        Some(id) => desk.store.read(move |view| view.experiment(id)).await?,
        None => None,
    };
    let on = on.filter(|e| person.sees(&e.client)).map(|e| (e.id, e.client));
    // Silence is counted in real time, whatever clock the agency goes by.
    let people = desk.presence.beat(&person, session, on, RealClock.boot());
    Ok(Answer::Beat { health, people })
}

async fn health(desk: &Desk, person: &Person) -> Result<Health, Problem> {
    let scope = person.scope.clone();
    let read = desk.store.read(move |view| Ok((view.agency()?.holds.list().to_vec(), last_seen(view, &scope)?)));
    let (holds, seen) = read.await?;
    let limited = person.scope != Scope::All;
    let tasks: Vec<TaskHealth> = desk.beat.as_ref().map(|beat| beat()).unwrap_or_default();
    let tasks: Vec<TaskHealth> = if limited { tasks.into_iter().map(without_names).collect() } else { tasks };
    let now = UtcTime::from(desk.clock.wall());
    let mut lines = Vec::new();
    let mut verdict = Verdict::Well;
    if desk.beat.is_none() {
        verdict = Verdict::DeadOrHeld;
        lines.push("no engine is running: nothing is published; start it with `expos engine run`".to_owned());
    }
    for hold in &holds {
        verdict = Verdict::DeadOrHeld;
        lines.push(format!(
            "on hold since {} by {}: {}; an admin ends it with `expos engine release --reason 'what was done' --yes`",
            hold.at, hold.by, hold.reason
        ));
    }
    for task in &tasks {
        // Late is who has not begun when it was due, and who began and does not come to an end.
        let late = [task.next, task.since].into_iter().flatten().map(|due| now.since(due)).max();
        if let Some(late) = late.filter(|late| late.whole_seconds() > 60) {
            verdict = verdict.worse(Verdict::Degraded);
            // Whole minutes, so that what is told does not change with every look.
            let told = |minutes: i64| match minutes {
                0..120 => format!("late {minutes} min: {}", task.name),
                _ => format!("late {} h: {}", minutes / 60, task.name),
            };
            lines.push(told(late.whole_seconds() / 60));
        }
        if let Some(error) = &task.error {
            verdict = verdict.worse(Verdict::Degraded);
            lines.push(format!("{}: {error}", task.name));
        }
    }
    if lines.is_empty() {
        lines.push("well".to_owned());
    }
    let head = if limited { seen.map_or(0, |last| last.n) } else { desk.store.anchor().n };
    // When a task is next due tells when something of somebody's is due; a lateness that counts was told above.
    let tasks =
        if limited { tasks.into_iter().map(|t| TaskHealth { next: None, since: None, ..t }).collect() } else { tasks };
    Ok(Health {
        verdict,
        lines,
        pid: std::process::id(),
        epoch: desk.store.epoch().0,
        now: Some(now),
        tasks,
        head,
        holds,
    })
}

/// An event as the stream sends it.
pub(crate) fn event_line(record: &store::EventRecord) -> EventLine {
    line::event(record)
}
