//! Update: what happened becomes a changed model and a list of effects; nothing is done here.
//!
//! Decides the one way in. Every message passes here, keys through the keymap. Reads no clock and does no I/O: time comes
//! with the message, effects are the runner's to perform.

mod act;
mod answer;
mod day;
mod decision;
mod escalation;
mod field;
mod go;
mod queue;
mod round;
pub(crate) mod stop;
pub(crate) mod undo;

use crate::can::{Can, can};
use crate::frame::Class;
use crate::key::Key;
use crate::keymap::{Intent, Scope, find, key_of};
use crate::message::{Ask, Effects, Message, Redraw, What};
use crate::model::{Model, Open, Pane, Travel};
use crate::sheets::{self, Search, Sheet, Why};
use crate::theme::Role;

/// How soon after the first Ctrl-c the second one leaves.
const CANCEL_MS: u64 = 2_000;
/// How long the cursor stands before the preview follows it.
const REST_MS: u64 = 120;
/// A log that was followed for less than this ended for another reason than the end of who wrote it.
const FOLLOW_MIN: std::time::Duration = std::time::Duration::from_secs(1);
/// The most sheets that are asked for at a time.
const SHEETS_MAX: usize = 40;

/// Takes a message in.
pub fn update(model: &mut Model, message: Message) -> Effects {
    let mut effects = Effects::default();
    let (before, minute_before) = (glance(model), minute(model));
    let open_before = opened(model);
    model.now = message.at;
    effects.redraw = match message.what {
        What::Start => {
            // How far the log is comes first, so that nothing which happens meanwhile is missed.
            model.wanted.insert(Ask::Health);
            Redraw::Everything
        }
        What::Key(key) => {
            press(model, key, &mut effects);
            round::look(model);
            Redraw::Now
        }
        What::Paste(text) => {
            field::paste(model, &text);
            Redraw::Now
        }
        What::Resize(width, height) => {
            model.size.width = width;
            model.size.height = height;
            model.guard_from_ms = model.now.real_ms;
            go::keep_in_view(model);
            Redraw::Everything
        }
        What::Tick => Redraw::Nothing,
        What::Answered(ask, answer) => {
            // A sign of life that says nothing new is no reason to draw.
            let silent = ask == Ask::Health && model.place.pane != Pane::System;
            let people = model.known.people.clone();
            answer::answered(model, ask, *answer, &mut effects);
            if silent && people == model.known.people { Redraw::Nothing } else { Redraw::Soon }
        }
        What::Acted(number, done) => {
            answer::acted(model, number, *done);
            Redraw::Now
        }
        What::News(events) => {
            answer::news(model, events);
            Redraw::Soon
        }
        What::FollowEnded => {
            model.following = false;
            // A log that ends as soon as it is opened is tried again with the next beat.
            if model.now.since(model.follow_began_ms) >= FOLLOW_MIN {
                model.link.doubt();
            }
            Redraw::Nothing
        }
        What::Returned => {
            model.guard_from_ms = model.now.real_ms;
            Redraw::Everything
        }
        What::HungUp => {
            effects.quit = true;
            Redraw::Nothing
        }
        What::EngineStarted(started) => {
            engine_started(model, started);
            Redraw::Now
        }
    }
    .max(effects.redraw);
    settle(model);
    effects.on = opened(model);
    if effects.on != open_before {
        // Others hear of it now, not with the next beat.
        model.link.doubt();
    }
    flush(model, &mut effects);
    if glance(model) != before {
        effects.redraw = effects.redraw.max(Redraw::Now);
    } else if minute(model) != minute_before {
        // A fast clock has many minutes a second; no more of them are drawn than any other news.
        effects.redraw = effects.redraw.max(Redraw::Soon);
    }
    // A large picture takes the desk its time; that is no silence.
    if effects.asks.iter().any(|ask| !matches!(ask, Ask::Picture(_))) || !effects.acts.is_empty() {
        model.link.asked(model.now);
    }
    effects
}

/// What is open on this screen.
fn opened(model: &Model) -> Option<domain::id::ExperimentId> {
    match model.place.open {
        Some(Open::Approval(id) | Open::Detail(id)) => Some(id),
        None => None,
    }
}

/// The minute on the clock.
const fn minute(model: &Model) -> i64 {
    model.now.wall.micros().div_euclid(60_000_000)
}

/// What else changes on the screen by nothing but time.
fn glance(model: &Model) -> (crate::link::State, bool, usize, usize, bool) {
    let ready = model.sheets.last().is_some_and(|sheet| sheets::is_ready(model, sheet));
    let travels = model.travel.is_some_and(|travel| model.now.real_ms < travel.until_ms);
    (model.link.state(model.now), ready, model.morning.seen.len(), model.sheets.len(), travels)
}

/// The next moments at which something may change without a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// In real time.
    pub real_ms: Option<u64>,
    /// In the agency's time: the minute on the clock.
    pub wall: Option<domain::time::UtcTime>,
}

/// Returns when the model next wants to hear that time passed.
pub fn next_wake(model: &Model) -> Wake {
    let now = model.now.real_ms;
    let sheet = model.sheets.last().and_then(|sheet| sheets::ready_ms(model, sheet));
    let seen = match model.place.open {
        Some(Open::Approval(id)) if !crate::approval::is_seen(model, id) => {
            Some(model.approval.opened_ms.saturating_add(crate::approval::SEEN_MS))
        }
        Some(Open::Approval(_) | Open::Detail(_)) | None => None,
    };
    let travel = model.travel.map(|travel| travel.until_ms);
    let moments = [model.link.next_ms(model.now), sheet, seen, model.ask_at_ms, travel];
    let minute = 60_000_000;
    let passed = model.now.wall.micros().rem_euclid(minute);
    let wall = model.now.wall.plus(domain::time::Span::from_micros(minute - passed));
    Wake { real_ms: moments.into_iter().flatten().filter(|at| *at > now).min(), wall: Some(wall) }
}

fn ask_all(model: &mut Model) {
    model.wanted.extend([
        Ask::Health,
        Ask::Me,
        Ask::Clients,
        Ask::Accounts,
        Ask::Queue,
        Ask::Experiments,
        Ask::Escalations,
        Ask::Layers,
        Ask::Checkins,
        Ask::Users,
        model.ask_rounds(),
    ]);
    // What did not come may come now.
    model.known.pictures.retain(|_, picture| picture.is_ok());
    model.ask_at_ms = None;
}

/// Asks what is wanted, one question of a kind at a time.
fn flush(model: &mut Model, effects: &mut Effects) {
    if model.link.is_due(model.now) {
        model.link.beat(model.now);
        model.wanted.insert(Ask::Health);
        if !model.asked.contains(&Ask::Health) {
            effects.asks.push(Ask::Health);
            model.asked.insert(Ask::Health);
            model.wanted.remove(&Ask::Health);
        }
    }
    if model.ask_at_ms.is_some_and(|at| model.now.real_ms < at) {
        return;
    }
    model.ask_at_ms = None;
    let ready: Vec<Ask> = model.wanted.iter().filter(|ask| !model.asked.contains(ask)).cloned().collect();
    for ask in ready {
        model.wanted.remove(&ask);
        model.asked.insert(ask.clone());
        effects.asks.push(ask);
    }
}

/// Brings what depends on several things in order: sheets of the queue, what is open, what was seen.
fn settle(model: &mut Model) {
    let sheets: Vec<Ask> = model.known.sheets_wanted().into_iter().take(SHEETS_MAX).collect();
    model.wanted.extend(sheets.into_iter().filter(|ask| !model.asked.contains(ask)));
    if let Some(id) = model.subject()
        && !model.known.details.contains_key(&id)
        && let Some(line) = model.known.line(id)
    {
        let ask = Ask::Experiment(line.code.clone());
        if !model.asked.contains(&ask) {
            model.wanted.insert(ask);
        }
    }
    day::keep_asked(model);
    round::keep_asked(model);
    round::tick(model);
    queue::bring_back(model);
    escalation::bring_back(model);
    decision::notice_changes(model);
    answer::notice_changes(model);
    go::keep_in_view(model);
    round::reached(model);
    let pictures = crate::picture::wanted(model);
    model.known.pictures.retain(|picture, _| pictures.contains(picture));
    let missing = pictures.into_iter().filter(|picture| !model.known.pictures.contains_key(picture));
    let asks: Vec<Ask> = missing.map(Ask::Picture).filter(|ask| !model.asked.contains(ask)).collect();
    model.wanted.extend(asks);
}

fn engine_started(model: &mut Model, started: Result<(), String>) {
    model.starting_engine = false;
    model.asked.clear();
    model.following = false;
    match started {
        Ok(()) => {
            model.engine_is_ours = true;
            model.say("The engine runs; it goes on without this screen.", Role::Ok);
        }
        Err(why) => model.say(format!("The engine could not be started: {why}"), Role::Danger),
    }
    ask_all(model);
}

fn press(model: &mut Model, key: Key, effects: &mut Effects) {
    round::count(model);
    let scopes = model.scopes();
    let Some(binding) = find(&scopes, key) else {
        if !field::typed(model, key) {
            let help =
                key_of(&scopes, Intent::Help).map_or_else(String::new, |help| format!("; {help} lists the keys"));
            model.say(format!("{key} does nothing here{help}."), Role::Muted);
        }
        return;
    };
    let calm = matches!(binding.intent, Intent::Dismiss | Intent::Cancel | Intent::Redraw | Intent::Suspend);
    if !calm && model.size.class() == Class::TooSmall {
        // Nothing is shown, so nothing can have been meant.
        return;
    }
    if !calm && is_too_early(model) {
        model.guard_from_ms = model.now.real_ms;
        model.say(format!("{key} came before the sheet could be seen; nothing was done."), Role::Warn);
        return;
    }
    let moves = matches!(
        binding.intent,
        Intent::RowDown | Intent::RowUp | Intent::RowFirst | Intent::RowLast | Intent::PageDown | Intent::PageUp
    );
    if !moves {
        model.said = None;
    }
    let from = model.previewed().filter(|_| moves && model.place.open.is_none() && model.sheets.is_empty());
    if binding.intent != Intent::Undo {
        model.undo_said = None;
    }
    match can(model, binding.intent) {
        Can::Not(why) if model.sheets.is_empty() && !model.filtering => {
            model.say(sentence(&format!("{key} does nothing now: {why}")), Role::Warn);
        }
        Can::Yes | Can::As(_) | Can::Not(_) => perform(model, binding.intent, effects),
    }
    let until_ms = model.now.real_ms.saturating_add(REST_MS);
    model.travel = from.filter(|_| from != model.subject()).map(|from| Travel { from, until_ms });
}

/// A sheet takes no key before it could be seen; what is typed into a field confirms nothing.
fn is_too_early(model: &Model) -> bool {
    let typing = matches!(model.scopes().first(), Some(Scope::Field));
    match model.sheets.last() {
        Some(
            sheet @ (Sheet::Approve(_)
            | Sheet::Resume(_)
            | Sheet::Answer(_)
            | Sheet::Decide(_)
            | Sheet::Retract(_)
            | Sheet::SignOff(_)),
        ) if !typing => sheet.shown_ms().is_some() && !sheets::is_ready(model, sheet),
        Some(_) | None => false,
    }
}

/// Ends a text as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

/// Does what a key, the help or the palette asks for.
fn perform(model: &mut Model, intent: Intent, effects: &mut Effects) {
    match intent {
        Intent::PaneMorning => go::to_pane(model, Pane::Morning),
        Intent::PaneMidday => go::to_pane(model, Pane::Midday),
        Intent::PaneEndOfDay => go::to_pane(model, Pane::EndOfDay),
        Intent::PaneExperiments => go::to_pane(model, Pane::Experiments),
        Intent::PaneLayers => go::to_pane(model, Pane::Layers),
        Intent::PaneAccounts => go::to_pane(model, Pane::Accounts),
        Intent::PaneEscalations => go::to_pane(model, Pane::Escalations),
        Intent::PaneMemory => go::to_pane(model, Pane::Memory),
        Intent::PaneSystem => go::to_pane(model, Pane::System),
        Intent::Help => model.sheets.push(Sheet::Help(Search::default())),
        Intent::Palette => model.sheets.push(Sheet::Palette(Search::default())),
        Intent::Filter => model.filtering = true,
        Intent::Scope => go::scope(model),
        Intent::NextNeed => go::to_need(model, true),
        Intent::PreviousNeed => go::to_need(model, false),
        Intent::Back => go::back(model),
        Intent::Undo => undo::undo(model, effects),
        Intent::StopSheet => stop::open(model),
        Intent::Why => {
            if let Some(subject) = go::why_subject(model) {
                model.sheets.push(Sheet::Why(Why { subject, top: 0 }));
            }
        }
        Intent::NewRows => go::let_in(model),
        Intent::Redraw => effects.redraw = Redraw::Everything,
        Intent::Suspend => effects.suspend = true,
        Intent::Cancel => cancel(model, effects),
        Intent::Up => go::up(model),
        Intent::Leave => effects.quit = true,
        Intent::LeaveAndStop => {
            effects.quit = true;
            effects.stop_engine = true;
        }
        Intent::RowDown => go::rows(model, 1),
        Intent::RowUp => go::rows(model, -1),
        Intent::RowFirst => go::rows(model, isize::MIN),
        Intent::RowLast => go::rows(model, isize::MAX),
        Intent::PageDown => go::pages(model, 1),
        Intent::PageUp => go::pages(model, -1),
        Intent::Open => go::open(model),
        Intent::Next => go::sibling(model, true),
        Intent::Previous => go::sibling(model, false),
        Intent::Act => act::act(model, effects),
        Intent::Refuse if model.place.pane == Pane::Memory && model.place.open.is_none() => {
            decision::open_retract(model)
        }
        Intent::Refuse => queue::refuse(model),
        Intent::Mark => queue::mark(model),
        Intent::MarkRun => queue::mark_run(model),
        Intent::MarkClean => queue::mark_clean(model),
        Intent::Later => queue::later(model, effects),
        Intent::Unfold => {
            model.approval.folded = !model.approval.folded;
            model.approval.reached = 0;
        }
        Intent::Fold => {
            model.approval.folded = true;
            model.approval.reached = 0;
        }
        Intent::Pictures => go::pictures(model),
        Intent::Take => escalation::take(model, effects),
        Intent::HandOver => escalation::hand(model),
        Intent::Mislead => decision::open_mislead(model),
        Intent::Learning => decision::words(model, sheets::Typing::Learning),
        Intent::SignOff => round::open(model),
        Intent::Pause => stop::pause(model, effects),
        Intent::Faster => run_at(model, model.speed.and_then(crate::demo::faster), effects),
        Intent::Slower => run_at(model, model.speed.and_then(crate::demo::slower), effects),
        Intent::StartEngine => {
            model.starting_engine = true;
            model.said = None;
            model.say("The engine is being started.", Role::Muted);
            effects.start_engine = true;
        }
        Intent::Confirm => confirm(model, effects),
        Intent::Dismiss => dismiss(model),
        Intent::Words => field::words(model),
        Intent::Choice(number) => choice(model, number, effects),
        Intent::Complete => field::complete(model),
        Intent::Run => run_chosen(model, effects),
    }
}

/// Lets the demo's clock run at another speed; its time so far stays as it is.
fn run_at(model: &mut Model, speed: Option<clock::Speed>, effects: &mut Effects) {
    let Some(speed) = speed else { return };
    model.speed = Some(speed);
    effects.speed = Some(speed);
    model.say(crate::demo::told(speed), Role::Muted);
}

fn cancel(model: &mut Model, effects: &mut Effects) {
    if model.sheets.pop().is_some() {
        model.say("Nothing was done.", Role::Muted);
    } else if model.filtering {
        model.filtering = false;
    } else if model.cancelled_ms.is_some_and(|at| model.now.since(at).as_millis() <= u128::from(CANCEL_MS)) {
        leave(model, effects);
    } else {
        model.cancelled_ms = Some(model.now.real_ms);
        let key = key_of(&[Scope::Always], Intent::Cancel).map_or_else(String::new, |key| key.to_string());
        model.say(format!("{key} once more leaves."), Role::Muted);
    }
}

/// Leaves, or asks first where leaving means that nothing goes out, or that an engine is left behind.
fn leave(model: &mut Model, effects: &mut Effects) {
    let due = model.known.experiments.iter().flatten().any(|(_, line)| line.status == "running" && line.next.is_some());
    let dead = matches!(model.link.state(model.now), crate::link::State::EngineDead { .. });
    model.cancelled_ms = None;
    if model.engine_is_ours || (dead && due) {
        model.sheets.push(Sheet::Leave);
    } else {
        effects.quit = true;
    }
}

fn confirm(model: &mut Model, effects: &mut Effects) {
    if model.filtering {
        model.filtering = false;
        return;
    }
    match model.sheets.last_mut() {
        Some(Sheet::Approve(_)) => queue::confirm(model, effects),
        Some(Sheet::Refuse(_)) => queue::end_words(model, effects),
        Some(Sheet::SignOff(_)) => round::confirm(model, effects),
        Some(Sheet::Stop(_)) => run_chosen(model, effects),
        Some(Sheet::Resume(resume)) if resume.typing => {
            resume.typing = false;
            resume.shown_ms = model.now.real_ms;
        }
        Some(Sheet::Retract(retract)) if retract.typing => {
            retract.typing = false;
            retract.shown_ms = model.now.real_ms;
        }
        Some(Sheet::Retract(_)) => decision::retract(model, effects),
        Some(Sheet::Decide(_)) => decision::confirm(model, effects),
        Some(Sheet::Resume(_)) => stop::resume(model, effects),
        Some(Sheet::Answer(_)) => escalation::confirm(model, effects),
        Some(
            Sheet::Hand(_)
            | Sheet::Mislead(_)
            | Sheet::Why(_)
            | Sheet::Pictures(_)
            | Sheet::Messages(_)
            | Sheet::Help(_)
            | Sheet::Palette(_)
            | Sheet::Leave,
        )
        | None => {}
    }
}

fn dismiss(model: &mut Model) {
    if model.filtering {
        model.filtering = false;
        model.filter_field().reset();
        return;
    }
    match model.sheets.last_mut() {
        Some(Sheet::Refuse(refuse)) if refuse.typing => {
            refuse.typing = false;
            refuse.other = false;
        }
        Some(Sheet::SignOff(sign)) if sign.typing => sign.typing = false,
        Some(Sheet::Resume(resume)) if resume.typing && !resume.text.value().is_empty() => resume.typing = false,
        Some(Sheet::Retract(retract)) if retract.typing && !retract.text.value().is_empty() => retract.typing = false,
        Some(Sheet::Decide(decide)) if decide.typing != sheets::Typing::Nothing => {
            decide.typing = sheets::Typing::Nothing
        }
        Some(Sheet::Answer(answer)) if answer.typing => {
            answer.typing = false;
            if answer.text.value().is_empty() {
                answer.chosen = None;
            }
        }
        Some(Sheet::SignOff(_)) => round::leave(model),
        Some(_) => {
            model.sheets.pop();
        }
        None => {}
    }
}

fn choice(model: &mut Model, number: u8, effects: &mut Effects) {
    match model.sheets.last() {
        Some(Sheet::Refuse(_)) => queue::refuse_because(model, number, effects),
        Some(Sheet::Stop(_)) => stop::numbered(model, number, effects),
        Some(Sheet::Answer(_)) => escalation::choose(model, number),
        Some(Sheet::Hand(_)) => escalation::hand_to(model, number, effects),
        Some(Sheet::Decide(_)) => decision::choose(model, number),
        Some(Sheet::Mislead(_)) => decision::sign(model, number, effects),
        Some(_) | None => {}
    }
}

fn run_chosen(model: &mut Model, effects: &mut Effects) {
    match model.sheets.last() {
        Some(Sheet::Stop(_)) => stop::by_name(model, effects),
        Some(Sheet::Help(search)) => {
            let row = sheets::search::help_rows(model, search.query.value()).into_iter().nth(search.chosen);
            run_row(model, row, effects);
        }
        Some(Sheet::Palette(search)) => {
            let row = sheets::search::palette_rows(model, search.query.value()).into_iter().nth(search.chosen);
            run_row(model, row, effects);
        }
        Some(_) | None => {}
    }
}

fn run_row(model: &mut Model, row: Option<sheets::search::Row>, effects: &mut Effects) {
    use sheets::search::Entry;
    let Some(row) = row else { return };
    if let Some(why) = row.not {
        model.say(sentence(&format!("Not now: {why}")), Role::Warn);
        return;
    }
    model.sheets.pop();
    match row.entry {
        Entry::Intent(intent) => {
            // A sheet that confirms never takes its key from a list.
            if matches!(intent, Intent::Confirm) {
                model.say(format!("{} does this, on the sheet itself.", row.keys), Role::Muted);
                return;
            }
            perform(model, intent, effects);
            if model.said.is_none() {
                model.say(format!("The key for this is {}.", row.keys), Role::Muted);
            }
        }
        Entry::Client(client) => {
            model.scope = Some(client);
            go::cursor_into_view(model);
        }
        Entry::AllClients => model.scope = None,
        Entry::Messages => model.sheets.push(Sheet::Messages(0)),
        Entry::Experiment(id) => go::open_detail(model, id),
        Entry::Quit => leave(model, effects),
    }
}

/// Sends a command; its answer comes back under a number.
pub(super) fn send(
    model: &mut Model,
    effects: &mut Effects,
    group: u64,
    experiment: Option<domain::id::ExperimentId>,
    doing: crate::model::Doing,
    command: desk::Command,
) {
    let number = model.next_number;
    model.next_number += 1;
    model.groups.entry(group).or_default().total += 1;
    model.pending.insert(number, crate::model::Pending { group, experiment, what: doing });
    effects.acts.push((number, command));
}

/// Returns the number of a new group of commands.
pub(super) fn new_group(model: &mut Model) -> u64 {
    let group = model.next_number;
    model.next_number += 1;
    group
}
