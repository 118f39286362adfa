//! How escalations are drawn: the list, and the one under the cursor with what happened and what may be done.
//!
//! Decides columns and order of the page: question, what was seen, what is stopped already, answers as consequences.

use domain::account::Connection;
use domain::brief::Platform;
use domain::escalation::{Escalation, Subject};
use domain::id::EscalationId;
use domain::time::{UtcTime, Zone};
use ratatui::layout::Rect;

use super::answers::{Choice, choices, why_not};
use super::{is_mine, of, shown, sign};
use crate::clean::Clean;
use crate::frame::Class;
use crate::line::{Line, Look, ledger, paragraph};
use crate::list::page_start;
use crate::model::Model;
use crate::morning::view::{columns, split};
use crate::pen::{Pen, text_width};
use crate::sign::Sign;
use crate::theme::Role;
use crate::when;

/// Events of a post that the page tells, the last ones.
const EVENTS_MAX: usize = 6;

/// The column after the times.
const TIMES: usize = 14;

/// Draws the pane.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let (_, area) = split(area, 1);
    let class = model.size.class();
    if class >= Class::L {
        let (list, beside) = columns(area, area.width.saturating_sub(76));
        pen.lines(list, &list_lines(model, text_width(list), usize::from(list.height.saturating_sub(2))));
        pen.divider(Rect { x: list.right().saturating_sub(1), width: 1, ..list });
        pen.lines(beside, &page(model, text_width(beside)));
        return;
    }
    let width = text_width(area);
    let below = if class == Class::Tiny { Vec::new() } else { page(model, width) };
    let room = usize::from(area.height).saturating_sub(2);
    let rows = shown(model).len().max(1);
    let list = rows.min(room.saturating_sub(below.len() + 1).max(room.min(4)));
    let (list_area, rest) = split(area, 2 + list);
    pen.lines(list_area, &list_lines(model, width, list));
    pen.lines(split(rest, 1).1, &below);
}

/// The columns at a width.
struct Columns {
    state: usize,
    age: usize,
    due: usize,
    owner: usize,
    account: usize,
}

impl Columns {
    const fn of(width: usize) -> Self {
        match width {
            0..70 => Self { state: 11, age: 0, due: 13, owner: 0, account: 0 },
            70..90 => Self { state: 11, age: 0, due: 14, owner: 9, account: 0 },
            90..120 => Self { state: 12, age: 9, due: 14, owner: 9, account: 20 },
            _ => Self { state: 12, age: 10, due: 14, owner: 10, account: 28 },
        }
    }
}

/// Returns title, heads and rows.
pub(crate) fn list_lines(model: &Model, width: usize, height: usize) -> Vec<Line> {
    let shown = shown(model);
    let title = if model.link.state(model.now).is_old() { "Open ~" } else { "Open" };
    let mut lines = vec![Line::title(title, aside(model, &shown))];
    if shown.is_empty() {
        let words = if model.known.escalations.is_none() {
            "working"
        } else {
            "Nothing open: no account and no post asks for a person."
        };
        lines.push(Line::new().muted(words));
        return lines;
    }
    let at = Columns::of(width);
    let muted = Look::of(Role::Muted);
    let heads: [(&'static str, usize); 5] =
        [("severity", at.state), ("age", at.age), ("due", at.due), ("owner", at.owner), ("account", at.account)];
    let line = heads
        .into_iter()
        .fold(Line::new(), |line, (head, width)| if width == 0 { line } else { line.cell(head, muted, width, 1) });
    lines.push(line.muted("question"));
    let cursor = model.escalations.list.cursor();
    let place = cursor.and_then(|cursor| shown.iter().position(|id| id == cursor)).unwrap_or(0);
    lines.extend(shown.iter().skip(page_start(place, height)).take(height).map(|id| row(model, *id, &at, width)));
    lines
}

fn aside(model: &Model, shown: &[EscalationId]) -> String {
    let open: Vec<&Escalation> = shown.iter().filter_map(|id| of(model, *id)).collect();
    let waiting = model.escalations.list.waiting();
    let mut parts = Vec::new();
    if waiting > 0 {
        parts.push(format!("{waiting} new, r lets them in"));
    }
    if open.is_empty() {
        return parts.join(", ");
    }
    parts.push(format!("{} open", open.len()));
    if let Some(oldest) = open.iter().map(|e| e.opened).min() {
        parts.push(format!("oldest {}", when::span(model.wall().since(oldest))));
    }
    let critical = open.iter().filter(|e| e.urgency == domain::escalation::Urgency::Critical).count();
    parts.push(if critical == 0 { "none critical".to_owned() } else { format!("{critical} critical") });
    parts.join(", ")
}

fn row(model: &Model, id: EscalationId, at: &Columns, width: usize) -> Line {
    let here = model.escalations.list.cursor() == Some(&id);
    let Some(escalation) = of(model, id) else {
        return Sign::done("settled").put(Line::new(), at.state, 1).selected(here);
    };
    let muted = Look::of(Role::Muted);
    let mut line = sign(model, escalation).put(Line::new(), at.state, 1);
    if at.age > 0 {
        line = line.cell(when::span(model.wall().since(escalation.opened)), Look::default(), at.age, 1);
    }
    let late = escalation.due <= model.wall() && escalation.later_at(model.wall()).is_none();
    let due = match escalation.later_at(model.wall()) {
        Some(later) => format!("back {}", when::clock_then(later.until, model.wall(), model.setting.zone)),
        None => when::clock_then(escalation.due, model.wall(), model.setting.zone),
    };
    line = line.cell(due, if late { Look::of(Role::Warn) } else { Look::default() }, at.due, 1);
    if at.owner > 0 {
        let owner = match &escalation.owner {
            Some(_) if is_mine(model, escalation) => "you".to_owned(),
            Some(owner) => owner.clone(),
            None => "-".to_owned(),
        };
        line = line.cell(owner, Look::default(), at.owner, 1);
    }
    if at.account > 0 {
        let handle = super::account(model, escalation).map(|id| model.known.handle(id));
        let text = handle.unwrap_or_else(|| model.known.client_name(&escalation.client));
        line = line.cell(text, muted, at.account, 1);
    }
    let room = width.saturating_sub(line.end());
    line.plain(question(escalation).cut(room)).selected(here)
}

/// Returns what is asked, on one line.
fn question(escalation: &Escalation) -> Clean {
    crate::morning::preview::one_line(&escalation.what)
}

/// Returns the one under the cursor, whole.
pub(crate) fn page(model: &Model, width: usize) -> Vec<Line> {
    let Some(escalation) = model.escalations.list.cursor().and_then(|id| of(model, *id)) else { return Vec::new() };
    if !model.in_scope(&escalation.client) {
        return Vec::new();
    }
    let mut lines = what_happened(model, escalation, width);
    lines.push(Line::new());
    lines.extend(what_may_be_done(model, escalation, width));
    lines
}

/// Returns whose it is, in words.
fn owner_words(model: &Model, escalation: &Escalation) -> String {
    match (&escalation.owner, escalation.later_at(model.wall())) {
        (_, Some(later)) => {
            let until = when::clock_then(later.until, model.wall(), model.setting.zone);
            format!("{} put it off until {until}", later.by)
        }
        (Some(_), None) if is_mine(model, escalation) => "yours".to_owned(),
        (Some(owner), None) => format!("{owner} has it"),
        (None, None) => "nobody has it".to_owned(),
    }
}

/// Returns the question and what was seen, earliest first, and what is stopped already.
pub(crate) fn what_happened(model: &Model, escalation: &Escalation, width: usize) -> Vec<Line> {
    let zone = model.setting.zone;
    let owner = owner_words(model, escalation);
    let wrapped = Clean::of(escalation.what.clone()).wrapped(width.saturating_sub(owner.chars().count() + 2));
    let mut wrapped = wrapped.into_iter();
    let mut lines = vec![Line::title(wrapped.next().unwrap_or_default(), owner)];
    lines.extend(wrapped.map(|part| Line::new().bold(part)));
    let at = TIMES;
    let opened = format!(
        "opened, due {}, {}",
        when::clock_then(escalation.due, model.wall(), zone),
        model.known.client_name(&escalation.client)
    );
    lines.push(timed(model, escalation.opened, zone).goto(at).plain(opened));
    for evidence in &escalation.evidence {
        lines.extend(seen(model, evidence, zone, at, width));
    }
    lines.extend(events(model, escalation, zone, at));
    lines.extend(ledger("Stopped", at, &stopped(model, escalation), Look::default(), width));
    if let Some(place) = place(model, escalation) {
        lines.extend(ledger("Look at", at, &Clean::of(place), Look::of(Role::Link), width));
    }
    lines
}

fn timed(model: &Model, time: UtcTime, zone: Zone) -> Line {
    Line::new().muted(when::clock_then(time, model.wall(), zone))
}

/// A line of evidence; one that begins with its time stands under the others' times.
fn seen(model: &Model, evidence: &str, zone: Zone, at: usize, width: usize) -> Vec<Line> {
    let (time, words) = match evidence.split_once(": ").map(|(time, words)| (time.parse::<UtcTime>(), words)) {
        Some((Ok(time), words)) => (Some(time), words),
        Some((Err(_), _)) | None => (None, evidence),
    };
    let wrapped = Clean::of(words.to_owned()).wrapped(width.saturating_sub(at));
    let line = |(row, part): (usize, Clean)| {
        let line = match (row, time) {
            (0, Some(time)) => timed(model, time, zone),
            _ => Line::new(),
        };
        line.goto(at).plain(part)
    };
    wrapped.into_iter().enumerate().map(line).collect()
}

/// The last events of the post that it is about.
fn events(model: &Model, escalation: &Escalation, zone: Zone, at: usize) -> Vec<Line> {
    let Subject::Post { post, .. } = &escalation.subject else { return Vec::new() };
    let Some(view) = model.known.posts.get(post) else { return Vec::new() };
    let skip = view.events.len().saturating_sub(EVENTS_MAX);
    let line = |event: &desk::query::EventLine| {
        let words = event.event.replace('_', " ");
        timed(model, event.at, zone).goto(at).plain(words).muted(format!(", {}", event.actor))
    };
    view.events.iter().skip(skip).map(line).collect()
}

/// Says what is stopped because of it.
fn stopped(model: &Model, escalation: &Escalation) -> Clean {
    let account = match &escalation.subject {
        Subject::Account { account } => model.known.accounts.get(account),
        Subject::Post { .. } => None,
    };
    if let Some(account) = account {
        let login = !matches!(account.connection, Connection::Connected { .. } | Connection::Asked { .. });
        return match (account.holds.is_empty(), login) {
            (false, _) => Clean::of(format!("all that is unsent on @{}", account.handle)),
            (true, true) => Clean::of(format!("nothing can go out on @{} without a login", account.handle)),
            (true, false) => Clean::of("nothing is stopped"),
        };
    }
    let Subject::Post { experiment, .. } = &escalation.subject else { return Clean::of("nothing is stopped") };
    let line = model.known.line(*experiment);
    match line {
        Some(line) if crate::can::is_paused(line) => Clean::of(format!("all that is unsent of {}", line.code)),
        Some(_) | None if escalation.rule == "post.unconfirmed" => Clean::of("this post: nothing sends it again"),
        Some(line) => Clean::of(format!("nothing more of {}", line.code)),
        None => Clean::of("nothing is stopped"),
    }
}

/// Returns where a person can look.
fn place(model: &Model, escalation: &Escalation) -> Option<String> {
    if let Subject::Post { post, .. } = &escalation.subject
        && let Some(url) = model.known.posts.get(post).and_then(|view| view.line.url.clone())
    {
        return Some(url);
    }
    let account = model.known.accounts.get(super::account(model, escalation)?)?;
    let public = account.servers == domain::account::Servers::default();
    match account.platform {
        Platform::Bluesky if public => Some(format!("https://bsky.app/profile/{}", account.handle)),
        Platform::Bluesky
        | Platform::Instagram
        | Platform::Tiktok
        | Platform::Youtube
        | Platform::Mastodon
        | Platform::Threads
        | Platform::FacebookPage
        | Platform::Linkedin
        | Platform::X => None,
    }
}

/// Returns the answers, as they stand on the page: nothing is chosen there.
fn what_may_be_done(model: &Model, escalation: &Escalation, width: usize) -> Vec<Line> {
    let choices = choices(model, escalation);
    let mut lines = vec![Line::title("What shall we do?", suggestion(&choices))];
    lines.extend(options(model, &choices, width, false, None));
    lines
}

/// Says which answer is advised and why, or why none is.
pub(crate) fn suggestion(choices: &[Choice]) -> Clean {
    match choices.iter().find_map(|choice| choice.advised.as_ref()) {
        Some(why) => Clean::of(format!("1 is advised: {why}")),
        None if choices.iter().any(|choice| matches!(choice.deed, super::answers::Deed::Live(_))) => {
            "no suggestion: only eyes can tell".into()
        }
        None => "no suggestion".into(),
    }
}

/// Returns answers in two columns: what, and what comes of it. Their digits are keys only where a sheet takes them.
pub(crate) fn options(model: &Model, choices: &[Choice], width: usize, keys: bool, chosen: Option<usize>) -> Vec<Line> {
    let titles = choices.iter().map(|choice| choice.title.chars().count()).max().unwrap_or(0);
    let at = 3 + titles.clamp(12, 22) + 2;
    let mut lines = Vec::new();
    for (row, choice) in choices.iter().enumerate() {
        let not = why_not(model, choice);
        let off = not.is_some() || chosen.is_some_and(|chosen| chosen != row);
        let digit = (row + 1).to_string();
        let line = if keys && !off { Line::new().key(digit) } else { Line::new().muted(digit) };
        let look = if off { Look::of(Role::Muted) } else { Look::bold(Role::Text) };
        let line = line.goto(3).cell(Clean::of(choice.title.clone()), look, at.saturating_sub(3), 2);
        let look = if off { Look::of(Role::Muted) } else { Look::default() };
        let mut parts = Clean::of(choice.comes.clone()).wrapped(width.saturating_sub(at)).into_iter();
        lines.push(line.put(parts.next().unwrap_or_default(), look));
        lines.extend(parts.map(|part| Line::new().goto(at).put(part, look)));
        if let Some(not) = not {
            lines.extend(paragraph(&Clean::of(not), Look::of(Role::Attention), at, width));
        }
    }
    lines
}
