//! What can be done now: for each intent whether its key works here, in which words, and if not, why not.
//!
//! Decides what the face can tell beforehand: the row, the role, the link. The desk decides again, and its word holds.

use desk::Stoppable;
use desk::query::{AccountView, ExperimentLine};
use domain::experiment::Stage;
use domain::hold::HoldCause;
use domain::id::ExperimentId;
use domain::role::{Action, Cell, Column, Role, cell};

use crate::accounts::{self, Health};
use crate::escalations;
use crate::keymap::Intent;
use crate::link::State;
use crate::model::{Model, Open, Pane, Place};
use crate::rounds::{self, Step};
use crate::sheets::Sheet;
use crate::{evening, midday, morning};

/// Whether an intent is possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Can {
    /// It is.
    Yes,
    /// It is, and is called so here.
    As(String),
    /// It is not, because of this.
    Not(String),
}

fn not(why: &str) -> Can {
    Can::Not(why.to_owned())
}

/// Says who ends a stop of everything: `An admin lets it go on.`
pub(crate) fn who_lets_all_go_on() -> String {
    let who = who_releases();
    let mut letters = who.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{} lets it go on.", letters.as_str())
}

/// Tells whether an intent is possible now.
pub(crate) fn can(model: &Model, intent: Intent) -> Can {
    match intent {
        Intent::Act => act(model),
        Intent::Refuse => refuse(model),
        Intent::Later => later(model),
        Intent::Mark | Intent::MarkRun => mark(model),
        Intent::MarkClean => match morning::shown_queue(model).iter().any(|id| morning::is_clean(model, *id)) {
            true => Can::Yes,
            false => not("no item here is clean"),
        },
        Intent::Open => open(model),
        Intent::Previous
            if model.place == (Place { pane: Pane::Layers, open: None }) && model.layers.fortnight == 0 =>
        {
            not("this is the present fortnight")
        }
        Intent::Next | Intent::Previous => siblings(model),
        Intent::Unfold | Intent::Fold => match model.place.open {
            Some(Open::Approval(_)) if intent == Intent::Unfold && !model.approval.folded => Can::As("fold".to_owned()),
            Some(Open::Approval(_)) => Can::Yes,
            Some(Open::Detail(_)) | None => not("there is nothing to fold here"),
        },
        Intent::Pictures => pictures(model),
        Intent::Take => allowed(model, Action::Decide, take(model)),
        Intent::Mislead => mislead(model),
        Intent::HandOver => allowed(model, Action::Decide, hand_over(model)),
        Intent::SignOff => sign_off(model),
        Intent::Pause => pause(model),
        Intent::Faster => match model.speed.and_then(crate::demo::faster) {
            Some(_) => Can::Yes,
            None => not("the clock runs as fast as it may"),
        },
        Intent::Slower => match model.speed.and_then(crate::demo::slower) {
            Some(_) => Can::Yes,
            None => not("the clock stands still"),
        },
        Intent::StartEngine => start_engine(model),
        Intent::Undo => match (allowed(model, Action::Stop, Can::Yes), has_undo(model)) {
            (Can::Yes, true) => Can::Yes,
            (Can::Yes, false) => not("there is no act of yours to take back"),
            (other, _) => other,
        },
        Intent::StopSheet => allowed(model, Action::Stop, Can::Yes),
        Intent::Why => {
            match model.subject().is_some()
                || model.account_subject().is_some()
                || alert(model) == Can::Yes
                || model.place.pane == Pane::System
            {
                true => Can::Yes,
                false => not("there is nothing under the cursor"),
            }
        }
        Intent::NewRows => new_rows(model),
        Intent::NextNeed | Intent::PreviousNeed => match model.needs().is_empty() {
            true => not("nothing needs you now"),
            false => Can::Yes,
        },
        Intent::Back => match model.back.is_empty() {
            true => not("there is nowhere to go back to"),
            false => Can::Yes,
        },
        Intent::Filter => match (model.place.open, model.place.pane) {
            (None, Pane::Morning) if model.morning.step == Step::Queue => Can::Yes,
            (None, Pane::Experiments | Pane::Layers | Pane::Memory) => Can::Yes,
            (Some(_), _)
            | (
                None,
                Pane::Morning | Pane::Midday | Pane::EndOfDay | Pane::Accounts | Pane::Escalations | Pane::System,
            ) => not("there is no list to narrow here"),
        },
        Intent::Scope
        | Intent::PaneMorning
        | Intent::PaneMidday
        | Intent::PaneEndOfDay
        | Intent::PaneExperiments
        | Intent::PaneLayers
        | Intent::PaneAccounts
        | Intent::PaneEscalations
        | Intent::PaneMemory
        | Intent::Learning
        | Intent::PaneSystem
        | Intent::Help
        | Intent::Palette
        | Intent::Redraw
        | Intent::Suspend
        | Intent::Cancel
        | Intent::Up
        | Intent::Leave
        | Intent::RowDown
        | Intent::RowUp
        | Intent::RowFirst
        | Intent::RowLast
        | Intent::PageDown
        | Intent::PageUp
        | Intent::Confirm
        | Intent::Dismiss
        | Intent::Words
        | Intent::Choice(_)
        | Intent::Complete
        | Intent::Run
        | Intent::LeaveAndStop => Can::Yes,
    }
}

/// Returns why a role may not do something; the roles that may are named.
pub(crate) fn why_not_allowed(model: &Model, action: Action) -> Option<String> {
    if model.setting.read_only {
        return Some("this dashboard was opened to read only".to_owned());
    }
    let Some(me) = &model.known.me else { return Some("the desk has not said who you are yet".to_owned()) };
    if !matches!(cell(action, Column::Person(me.role)), Cell::No | Cell::Never) {
        return None;
    }
    let may: Vec<&str> = who_may(action).map(Role::as_str).collect();
    Some(format!("{} may not; it needs {}", with_article(me.role), may.join(" or ")))
}

/// Returns the roles that may do something, from least to most.
fn who_may(action: Action) -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(move |role| !matches!(cell(action, Column::Person(*role)), Cell::No | Cell::Never))
}

fn with_article(role: Role) -> String {
    let article = if matches!(role, Role::Operator | Role::Admin) { "an" } else { "a" };
    format!("{article} {role}")
}

/// Returns why somebody may not let a thing go on that is stopped: what stops all clients is for who has all of them.
pub(crate) fn why_not_resumed(model: &Model, target: &Stoppable) -> Option<String> {
    match target {
        Stoppable::Agency => why_not_allowed(model, Action::ReleaseEngine).or_else(|| {
            let limited = model.known.me.as_ref().is_some_and(|me| me.clients.is_some());
            limited.then(|| "it needs an admin of all clients".to_owned())
        }),
        Stoppable::Client(_) | Stoppable::Account(_) | Stoppable::Experiment(_) => {
            // What a crossed limit stopped is for more than an operator.
            let breach =
                crate::update::stop::holds_of(model, target).iter().any(|hold| hold.cause != HoldCause::Operator);
            why_not_allowed(model, if breach { Action::ResumeBreach } else { Action::ResumeOperator })
        }
    }
}

/// Says who lets everything go on: `an admin`.
pub(crate) fn who_releases() -> String {
    who_may(Action::ReleaseEngine).map(with_article).collect::<Vec<_>>().join(" or ")
}

fn allowed(model: &Model, action: Action, otherwise: Can) -> Can {
    why_not_allowed(model, action).map_or(otherwise, Can::Not)
}

/// Returns why nothing may be begun: the link, or the role.
pub(crate) fn why_no_start(model: &Model, action: Action) -> Option<String> {
    why_not_allowed(model, action).or_else(|| model.link.why_nothing_may_start(model.now).map(str::to_owned))
}

fn take(model: &Model) -> Can {
    let found = model.alert_subject().and_then(|id| escalations::of(model, id));
    match found {
        Some(found) if escalations::is_mine(model, found) => Can::As("give back".to_owned()),
        Some(_) | None => alert(model),
    }
}

fn hand_over(model: &Model) -> Can {
    let found = model.alert_subject().and_then(|id| escalations::of(model, id));
    match found {
        Some(found) if escalations::heirs(model, found).is_empty() => not("nobody else of this client may settle it"),
        Some(_) | None => alert(model),
    }
}

fn alert(model: &Model) -> Can {
    let cursor = model.alert_subject();
    let open = cursor.is_some_and(|id| model.known.escalations.iter().flatten().any(|e| e.id == id));
    if open { Can::Yes } else { not("there is no open alert under the cursor") }
}

fn sign_off(model: &Model) -> Can {
    let Some(round) = rounds::of_pane(model.place.pane) else { return not("this is no round") };
    match (why_no_start(model, Action::CheckIn), rounds::signed_words(model, round), rounds::early_words(model, round))
    {
        (Some(why), _, _) => Can::Not(why),
        (None, Some(words), _) => Can::Not(format!("it is {words}")),
        (None, None, Some(words)) => Can::Not(words),
        (None, None, None) => Can::Yes,
    }
}

fn act(model: &Model) -> Can {
    match (model.place.open, model.place.pane) {
        (Some(Open::Approval(id)), _) => approve(model, id),
        (Some(Open::Detail(id)), _) => main_step(model, id),
        (None, Pane::Morning | Pane::Midday | Pane::EndOfDay) => match model.step() {
            Some(Step::Queue) => approve_marked(model),
            Some(Step::Alerts | Step::Escalations) => answer(model),
            Some(Step::Posts) => answer_post(model),
            Some(Step::Outcomes | Step::Decide) => decide(model),
            Some(Step::Replies) => not("no replies are collected here"),
            Some(Step::Layers | Step::SignOff) | None => not("there is nothing to settle here"),
        },
        (None, Pane::Experiments) => match model.subject() {
            Some(id) => main_step(model, id),
            None => not("there is no experiment under the cursor"),
        },
        (None, Pane::Layers) => not("there is nothing to settle here; who holds a layer gives it back when it is over"),
        (None, Pane::Accounts) => mend(model),
        (None, Pane::Memory) => not("there is nothing to do here but to look, and to retract"),
        (None, Pane::Escalations) => answer(model),
        (None, Pane::System) => start_engine(model),
    }
}

/// A post is answered through the escalation about it.
fn answer_post(model: &Model) -> Can {
    let Some(post) = model.post_subject().and_then(|id| midday::of(model, id)) else {
        return not("there is no post under the cursor");
    };
    if midday::escalation(model, post.id).is_some() {
        return why_no_start(model, Action::Decide).map_or(Can::Yes, Can::Not);
    }
    match post.state.as_str() {
        "awaiting operator" | "claimed" => {
            not("a person posts it from the client's own login; its card is not taken here")
        }
        "unconfirmed" => not("it is being looked at; a person is asked once that tells nothing"),
        state => Can::Not(format!("nothing is asked of you: it is {state}")),
    }
}

/// What asks for a decision is opened with its numbers.
fn decide(model: &Model) -> Can {
    match model.subject().and_then(|id| model.known.line(id)) {
        Some(line) if evening::asks_for_decision(line) => {
            why_no_start(model, Action::Decide).map_or(Can::Yes, Can::Not)
        }
        Some(line) => Can::Not(format!("it asks for no decision yet: it is {}", line.stage.word())),
        None => not("there is no experiment under the cursor"),
    }
}

fn answer(model: &Model) -> Can {
    why_no_start(model, Action::Decide).map_or_else(|| alert(model), Can::Not)
}

fn approve_marked(model: &Model) -> Can {
    let (shown, hidden) = morning::marked(model);
    match (shown.len(), hidden.len()) {
        (0, 0) => match model.subject() {
            Some(id) => approve(model, id),
            None => not(no_item(model)),
        },
        (0, 1) => not("the item that is marked is not shown here"),
        (0, n) => Can::Not(format!("the {n} items that are marked are not shown here")),
        (n, _) => match why_no_start(model, Action::ApproveReview) {
            Some(why) => Can::Not(why),
            None => Can::As(format!("approve {n}")),
        },
    }
}

/// Says why there is no item to act on: none waits, or none of those that are shown is under the cursor.
fn no_item(model: &Model) -> &'static str {
    let nothing = model.place.pane == Pane::Morning && model.morning.queue.order().is_empty();
    if nothing { "nothing waits for a word" } else { "no row that is shown here is under the cursor" }
}

/// Tells whether one item may be approved, as far as the face can tell.
pub(crate) fn approve(model: &Model, id: ExperimentId) -> Can {
    use morning::Standing;
    if let Some(why) = why_no_start(model, Action::ApproveReview) {
        return Can::Not(why);
    }
    if model.is_pending(id) {
        return not("it was sent; the desk has not answered yet");
    }
    let line = model.known.queue.as_ref().and_then(|queue| queue.get(&id));
    let Some(line) = line.filter(|_| model.morning.queue.is_current(&id)) else {
        return not("it waits for nobody's word");
    };
    match morning::standing(model, line) {
        Standing::Blocked(_) => not("a block cannot be waived; mend it in its brief"),
        Standing::NotOneVariable => not("it is not a single-variable test: more than the variable differs"),
        Standing::NotMine => not("its level needs a reviewer or an admin"),
        Standing::Own => not("it is your own work; somebody else gives the word"),
        Standing::Loading => not("its sheet is still being read"),
        Standing::Clean
        | Standing::Warned(_)
        | Standing::NeedsManual
        | Standing::SecondWord
        | Standing::ByHand
        | Standing::Held(_)
        | Standing::Unopened
        | Standing::Voided
        | Standing::Later(_) => Can::As("approve".to_owned()),
    }
}

fn refuse(model: &Model) -> Can {
    if model.place == (Place { pane: Pane::Memory, open: None }) {
        return retract(model);
    }
    if let Some(why) = why_not_allowed(model, Action::ApproveReview) {
        return Can::Not(why);
    }
    match model.subject() {
        Some(id) if morning::is_waiting(model, id) => Can::Yes,
        Some(_) => not("it does not wait for a word"),
        None => not(no_item(model)),
    }
}

fn later(model: &Model) -> Can {
    if model.shows_alerts() {
        return allowed(model, Action::Decide, alert_later(model));
    }
    if let Some(why) = why_not_allowed(model, Action::CheckIn) {
        return Can::Not(why);
    }
    match model.subject() {
        Some(id) if morning::later(model, id).is_some() => Can::As("back now".to_owned()),
        Some(id) if morning::is_waiting(model, id) => Can::Yes,
        Some(_) => not("it does not wait for a word"),
        None => not(no_item(model)),
    }
}

fn alert_later(model: &Model) -> Can {
    let found = model.alert_subject().and_then(|id| escalations::of(model, id));
    match found.and_then(|found| found.later_at(model.wall())) {
        Some(_) => not("it is put off already; take it to look at it now"),
        None => alert(model),
    }
}

fn mark(model: &Model) -> Can {
    match model.subject() {
        Some(id) if morning::is_waiting(model, id) => Can::Yes,
        Some(_) => not("it does not wait for a word"),
        None => not(no_item(model)),
    }
}

fn open(model: &Model) -> Can {
    if model.shows_alerts() {
        return alert(model);
    }
    match (model.place.open, model.place.pane) {
        (None, Pane::Morning) => match model.subject() {
            Some(id) if model.known.items.contains_key(&id) => Can::Yes,
            Some(_) => not("its sheet is still being read"),
            None => not(no_item(model)),
        },
        (None, Pane::Experiments) => match model.subject() {
            Some(_) => Can::Yes,
            None => not("there is no experiment under the cursor"),
        },
        (None, Pane::Midday | Pane::EndOfDay) => match model.subject() {
            Some(_) => Can::Yes,
            None => not("there is nothing under the cursor"),
        },
        (None, Pane::Layers) => match model.subject() {
            Some(_) => Can::Yes,
            None => not("nobody holds this layer"),
        },
        (None, Pane::Memory) => match model.subject() {
            Some(_) => Can::Yes,
            None => not("there is no learning under the cursor"),
        },
        (Some(_), _) | (None, Pane::Accounts | Pane::Escalations | Pane::System) => {
            not("there is nothing to open here")
        }
    }
}

fn pictures(model: &Model) -> Can {
    let Some(id) = model.subject() else { return not("there is nothing under the cursor") };
    match model.known.item(id).map(|item| crate::picture::shown(item).len()) {
        Some(0) => not("it shows no picture"),
        Some(1) => Can::As("picture".to_owned()),
        Some(_) => Can::Yes,
        None => not("its sheet is not known"),
    }
}

fn siblings(model: &Model) -> Can {
    if let Some(Sheet::Pictures(open)) = model.sheets.last() {
        let count = model.known.item(open.experiment).map_or(0, |item| crate::picture::shown(item).len());
        return if count > 1 { Can::Yes } else { not("there is one picture") };
    }
    match (model.place.open, model.place.pane) {
        (Some(Open::Approval(id)), _) => match model.known.items.get(&id).map(crate::item::Item::variants) {
            Some(n) if n > 2 => Can::Yes,
            Some(_) | None => not("there is one test variant"),
        },
        (Some(Open::Detail(_)), _) | (None, Pane::Morning | Pane::Midday | Pane::EndOfDay | Pane::Layers) => Can::Yes,
        (None, Pane::Experiments | Pane::Accounts | Pane::Escalations | Pane::Memory | Pane::System) => {
            not("there is nothing beside this")
        }
    }
}

fn retract(model: &Model) -> Can {
    let Some(view) = crate::memory::under_cursor(model) else { return not("there is no learning under the cursor") };
    if view.learning.retracted.is_some() {
        return not("it is retracted already");
    }
    why_no_start(model, Action::Decide).map_or(Can::Yes, Can::Not)
}

/// What could mislead is signed while nothing is decided.
fn mislead(model: &Model) -> Can {
    match model.subject().and_then(|id| model.known.line(id)).map(|line| &line.stage) {
        Some(Stage::Reviewing) => why_no_start(model, Action::Decide).map_or(Can::Yes, Can::Not),
        Some(_) | None => not("it is signed while it is under review"),
    }
}

/// Tells what an experiment waits for.
fn main_step(model: &Model, id: ExperimentId) -> Can {
    match model.known.line(id).map(|line| &line.stage) {
        Some(Stage::AwaitingApproval) if model.known.items.contains_key(&id) => Can::As("look, approve".to_owned()),
        Some(Stage::AwaitingApproval) => not("its sheet is still being read"),
        Some(Stage::Reviewing | Stage::Invalid { .. }) => match why_no_start(model, Action::Decide) {
            Some(why) => Can::Not(why),
            None => Can::As("decide".to_owned()),
        },
        Some(stage) => Can::Not(format!("nothing is asked of you here: it is {}", stage.word())),
        None => not("there is no experiment under the cursor"),
    }
}

/// Tells whether an experiment is stopped.
pub(crate) fn is_paused(line: &ExperimentLine) -> bool {
    line.status == "paused"
}

/// Tells whether everything may be let go on.
fn release(model: &Model) -> Can {
    if model.known.health.as_ref().is_none_or(|health| health.holds.is_empty()) {
        return not("nothing stops everything");
    }
    let link = || model.link.why_nothing_may_start(model.now).map(str::to_owned);
    match why_not_resumed(model, &Stoppable::Agency).or_else(link) {
        Some(why) => Can::Not(why),
        None => Can::As("let all go on".to_owned()),
    }
}

/// Tells what would mend the account under the cursor.
fn mend(model: &Model) -> Can {
    let Some(account) = model.account_subject().and_then(|id| model.known.accounts.get(id)) else {
        return not("there is no account under the cursor");
    };
    match accounts::health(model, account) {
        Health::NeedsLogin | Health::LoggingIn => Can::As("log in again".to_owned()),
        Health::Paused => resume_account(model, account),
        Health::Watched => not("nothing stops it; its sibling is what needs a hand"),
        Health::Well => not("it is well"),
    }
}

fn resume_account(model: &Model, account: &AccountView) -> Can {
    if account.holds.is_empty() {
        return not("its client is stopped, not this account; its own stop sheet names it");
    }
    let link = || model.link.why_nothing_may_start(model.now).map(str::to_owned);
    match why_not_resumed(model, &Stoppable::Account(account.id.clone())).or_else(link) {
        Some(why) => Can::Not(why),
        None => Can::As("go on".to_owned()),
    }
}

fn pause(model: &Model) -> Can {
    if model.place == (Place { pane: Pane::System, open: None }) {
        return release(model);
    }
    if model.place == (Place { pane: Pane::Accounts, open: None }) {
        let Some(account) = model.account_subject().and_then(|id| model.known.accounts.get(id)) else {
            return not("there is no account under the cursor");
        };
        if !account.holds.is_empty() {
            return resume_account(model, account);
        }
        return allowed(model, Action::Stop, Can::As("pause".to_owned()));
    }
    let Some(line) = model.subject().and_then(|id| model.known.line(id)) else {
        return not("there is no experiment under the cursor");
    };
    if line.stage.is_over() {
        return not("it is over");
    }
    if is_paused(line) {
        return match why_no_start(model, Action::ResumeOperator) {
            Some(why) => Can::Not(why),
            None => Can::As("go on".to_owned()),
        };
    }
    match why_not_allowed(model, Action::Stop) {
        Some(why) => Can::Not(why),
        None => Can::As("pause".to_owned()),
    }
}

fn start_engine(model: &Model) -> Can {
    if model.starting_engine {
        return not("it is being started");
    }
    match model.link.state(model.now) {
        State::EngineDead { .. } | State::Lost { .. } if model.setting.read_only => {
            not("this dashboard was opened to read only")
        }
        State::EngineDead { .. } | State::Lost { .. } if model.setting.can_start_engine => Can::Yes,
        State::EngineDead { .. } | State::Lost { .. } => not("it cannot be started from here; run `expos engine run`"),
        State::ShutOut { .. } => not("the desk does not serve you"),
        State::Opening | State::Live | State::Troubled(_) | State::Held(_) | State::Stale(_) => {
            not("an engine runs already")
        }
    }
}

fn has_undo(model: &Model) -> bool {
    !model.acts.is_empty() || crate::update::undo::from_log(model).is_some()
}

fn new_rows(model: &Model) -> Can {
    let (waiting, over) = match (model.place.open, model.place.pane) {
        (None, Pane::Morning | Pane::Midday | Pane::EndOfDay) => match model.step() {
            Some(Step::Queue) => counts(&model.morning.queue),
            Some(Step::Alerts | Step::Escalations) => counts(&model.escalations.list),
            Some(Step::Posts) => counts(&model.midday.posts),
            Some(Step::Outcomes) => counts(&model.evening.outcomes),
            Some(Step::Decide) => counts(&model.evening.decide),
            Some(Step::Layers | Step::Replies | Step::SignOff) | None => (0, 0),
        },
        (None, Pane::Experiments) => counts(&model.experiments.list),
        (None, Pane::Layers) => counts(&model.layers.list),
        (None, Pane::Accounts) => counts(&model.accounts.list),
        (None, Pane::Memory) => counts(&model.memory.list),
        (None, Pane::Escalations) => counts(&model.escalations.list),
        (Some(_), _) | (None, Pane::System) => (0, 0),
    };
    let queue = model.place == Place { pane: Pane::Morning, open: None } && model.morning.step == Step::Queue;
    match (waiting, over) {
        (0, 0) if queue && model.morning.queue.is_out_of_order() => Can::As("sort".to_owned()),
        (0, 0) => not("no new rows wait"),
        (0, over) => Can::As(format!("clear {over}")),
        (waiting, _) => Can::As(format!("{waiting} new")),
    }
}

fn counts<K: Clone + PartialEq>(list: &crate::list::List<K>) -> (usize, usize) {
    (list.waiting(), list.order().iter().filter(|id| !list.is_current(id)).count())
}
