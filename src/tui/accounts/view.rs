//! How accounts are drawn: the list, and the one under the cursor below or beside it.
//!
//! Decides columns and the order of what is told: pace, what stops it, how it publishes, what cannot be seen, who else is
//! concerned.

use desk::query::AccountView;
use domain::account::Connection;
use domain::guardrail::Signal;
use domain::id::AccountId;
use ratatui::layout::Rect;

use super::{Health, health, next_slot, shown, sign, today};
use crate::clean::Clean;
use crate::frame::Class;
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger};
use crate::list::page_start;
use crate::model::Model;
use crate::morning::preview::counted;
use crate::morning::view::{columns, split};
use crate::pen::{Pen, text_width};
use crate::theme::Role;
use crate::when;

/// The column of values.
const STOP: usize = 13;
/// Evidence that stops an account.
const STOPS_AT: f64 = 500.0;

/// Draws the pane.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let (_, area) = split(area, 1);
    let class = model.size.class();
    if class >= Class::L {
        let (list, beside) = columns(area, area.width.saturating_sub(68));
        pen.lines(list, &list_lines(model, text_width(list), usize::from(list.height.saturating_sub(2))));
        pen.divider(Rect { x: list.right().saturating_sub(1), width: 1, ..list });
        pen.lines(beside, &page(model, text_width(beside)));
        return;
    }
    let width = text_width(area);
    let below = if class == Class::Tiny { Vec::new() } else { page(model, width) };
    let room = usize::from(area.height).saturating_sub(2);
    let rows = shown(model).len().max(1);
    let list = rows.min(room.saturating_sub(below.len() + 1).max(room.min(5)));
    let (list_area, rest) = split(area, 2 + list);
    pen.lines(list_area, &list_lines(model, width, list));
    pen.lines(split(rest, 1).1, &below);
}

struct Columns {
    health: usize,
    handle: usize,
    platform: usize,
    today: usize,
    signals: usize,
}

impl Columns {
    fn of(width: usize) -> Self {
        let (platform, signals) = match width {
            0..70 => (0, 0),
            70..94 => (10, 0),
            _ => (10, 19),
        };
        let (health, today) = (14, 8);
        let handle = width.saturating_sub(health + platform + today + signals + 21).clamp(14, 40);
        Self { health, handle, platform, today, signals }
    }
}

fn list_lines(model: &Model, width: usize, height: usize) -> Vec<Line> {
    let shown = shown(model);
    let title = if model.link.state(model.now).is_old() { "Accounts ~" } else { "Accounts" };
    let mut lines = vec![Line::title(title, aside(model, &shown))];
    if shown.is_empty() {
        let words = if model.known.clients.is_empty() && model.known.me.is_none() {
            "working"
        } else {
            "No accounts. `expos account connect` connects the first one."
        };
        lines.push(Line::new().muted(words));
        return lines;
    }
    let at = Columns::of(width);
    let muted = Look::of(Role::Muted);
    let heads: [(&'static str, usize); 4] =
        [("health", at.health), ("handle", at.handle), ("platform", at.platform), ("today", at.today)];
    let mut head = heads
        .into_iter()
        .fold(Line::new(), |line, (head, width)| if width == 0 { line } else { line.cell(head, muted, width, 1) });
    if at.signals > 0 {
        head = head.cell("publishing", muted, at.signals, 1);
    }
    lines.push(head.right("next slot", muted));
    let cursor = model.accounts.list.cursor();
    let place = cursor.and_then(|cursor| shown.iter().position(|id| id == cursor)).unwrap_or(0);
    lines.extend(shown.iter().skip(page_start(place, height)).take(height).filter_map(|id| row(model, id, &at)));
    lines
}

fn aside(model: &Model, shown: &[AccountId]) -> String {
    let count = |wanted: Health| {
        shown.iter().filter_map(|id| model.known.accounts.get(id)).filter(|a| health(model, a) == wanted).count()
    };
    let mut parts = Vec::new();
    let waiting = model.accounts.list.waiting();
    if waiting > 0 {
        parts.push(format!("{waiting} new, r lets them in"));
    }
    for (health, word) in [
        (Health::Well, "ok"),
        (Health::Watched, "watched"),
        (Health::Paused, "paused"),
        (Health::LoggingIn, "logging in"),
        (Health::NeedsLogin, "without a login"),
    ] {
        let n = count(health);
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    parts.join(", ")
}

fn row(model: &Model, id: &AccountId, at: &Columns) -> Option<Line> {
    let account = model.known.accounts.get(id)?;
    let here = model.accounts.list.cursor() == Some(id);
    let muted = Look::of(Role::Muted);
    let mut line = sign(model, account).put(Line::new(), at.health, 1);
    line = line.cell(format!("@{}", account.handle), Look::default(), at.handle, 1);
    if at.platform > 0 {
        line = line.cell(account.platform.as_str(), muted, at.platform, 1);
    }
    let today = today(model, account).map_or_else(|| "n/a".to_owned(), |(n, most)| format!("{n} of {most}"));
    line = line.cell(today, Look::default(), at.today, 1);
    if at.signals > 0 {
        let (words, look) = publishing(model, id);
        line = line.cell(words, look, at.signals, 1);
    }
    let zone = model.known.zone(&account.client);
    let next = match (health(model, account), next_slot(model, id)) {
        (Health::NeedsLogin | Health::Paused, _) => "nothing goes out".to_owned(),
        (Health::LoggingIn | Health::Watched | Health::Well, Some(next)) => {
            format!("{} {}", when::clock_then(next, model.wall(), zone), when::city(zone))
        }
        (Health::LoggingIn | Health::Watched | Health::Well, None) if model.known.day_posts.is_none() => {
            "n/a".to_owned()
        }
        (Health::LoggingIn | Health::Watched | Health::Well, None) => "none till tomorrow".to_owned(),
    };
    Some(line.right(next, muted).selected(here))
}

/// Returns how an account publishes, in a few words.
fn publishing(model: &Model, id: &AccountId) -> (String, Look) {
    let Some(whole) = model.known.whole.get(id) else { return ("-".to_owned(), Look::of(Role::Muted)) };
    let worst = whole.lanes.iter().max_by(|a, b| a.evidence.total_cmp(&b.evidence));
    match worst {
        None => ("nothing tried".to_owned(), Look::of(Role::Muted)),
        Some(lane) if lane.in_a_row > 0 => (format!("{} failed in a row", lane.in_a_row), Look::of(Role::Warn)),
        Some(lane) => (format!("{} of {} good", lane.good, lane.all), Look::of(Role::Muted)),
    }
}

/// Returns the account under the cursor, whole.
pub(crate) fn page(model: &Model, width: usize) -> Vec<Line> {
    let Some(account) = model.accounts.list.cursor().and_then(|id| model.known.accounts.get(id)) else {
        return Vec::new();
    };
    if !model.in_scope(&account.client) {
        return Vec::new();
    }
    let place = format!("{} of {}", account.platform.as_str(), model.known.client_name(&account.client));
    let mut lines = vec![Line::title(format!("@{}", account.handle), place)];
    let mut add = |label: &'static str, text: String, role: Role| {
        lines.extend(ledger(label, STOP, &Clean::of(text), Look::of(role), width));
    };
    let (login, role) = login_words(model, account);
    add("Login", login, role);
    for (row, (words, role)) in stops(model, account).into_iter().enumerate() {
        add(if row == 0 { "Stopped" } else { "" }, words, role);
    }
    for (row, watch) in account.watched.iter().enumerate() {
        let since = when::day_clock(watch.at, model.setting.zone);
        let text = format!("since {since}: {} was stopped, {}", model.known.handle(&watch.of), watch.why);
        add(if row == 0 { "Watched" } else { "" }, text, Role::Warn);
    }
    add("Pace", pace(model, account), Role::Text);
    for (row, text) in lanes(model, &account.id).into_iter().enumerate() {
        add(if row == 0 { "Publishing" } else { "" }, text, Role::Text);
    }
    add("Signals", signals(account), Role::Muted);
    add("Last stop", last_stop(model, &account.id), Role::Text);
    let running = running(model, &account.id);
    if !running.is_empty() {
        add("Goes out", running, Role::Text);
    }
    for (row, text) in siblings(model, account).into_iter().enumerate() {
        add(if row == 0 { "Beside it" } else { "" }, text, Role::Muted);
    }
    lines.push(Line::new());
    lines.push(keys(model, account));
    lines
}

fn login_words(model: &Model, account: &AccountView) -> (String, Role) {
    let zone = model.setting.zone;
    match &account.connection {
        Connection::Asked { at } => {
            (format!("asked for {}; the engine logs in", when::day_clock(*at, zone)), Role::Text)
        }
        Connection::Connected { at } => (format!("good since {}", when::day_clock(*at, zone)), Role::Text),
        Connection::Failed { why } => (format!("did not work: {why}"), Role::Danger),
        Connection::Reconnect { why } => (format!("no longer good: {why}"), Role::Danger),
        Connection::Disconnected => ("a person disconnected it".to_owned(), Role::Warn),
    }
}

/// What stops an account: its own holds, its client's.
fn stops(model: &Model, account: &AccountView) -> Vec<(String, Role)> {
    let client = model.known.clients.get(&account.client);
    let of_client = client.iter().flat_map(|client| &client.holds).map(|hold| (hold, "its client: "));
    let all = account.holds.iter().map(|hold| (hold, "")).chain(of_client);
    let words = |(hold, whose): (&domain::hold::Hold, &str)| {
        let since = when::day_clock(hold.at, model.setting.zone);
        let role = if hold.cause == domain::hold::HoldCause::Operator { Role::Warn } else { Role::Danger };
        (format!("since {since} by {}: {whose}{}", hold.by, hold.reason), role)
    };
    all.map(words).collect()
}

fn pace(model: &Model, account: &AccountView) -> String {
    let gap = model.known.clients.get(&account.client).map(|client| when::span(client.policy.min_gap));
    let gap = gap.map_or_else(String::new, |gap| format!(", least gap {gap}"));
    let goes = !matches!(health(model, account), Health::NeedsLogin | Health::Paused);
    let next = next_slot(model, &account.id).filter(|_| goes).map(|next| {
        let zone = model.known.zone(&account.client);
        let at = format!("{} {}", when::clock_then(next, model.wall(), zone), when::city(zone));
        format!("; next {at}, {}", when::relative(next, model.wall()))
    });
    match today(model, account) {
        Some((n, most)) => format!("{n} of {most} today{gap}{}", next.unwrap_or_default()),
        None => "working".to_owned(),
    }
}

fn lanes(model: &Model, id: &AccountId) -> Vec<String> {
    let Some(whole) = model.known.whole.get(id) else { return vec!["working".to_owned()] };
    if whole.lanes.is_empty() {
        return vec!["nothing was tried within 30 days".to_owned()];
    }
    let words = |lane: &desk::query::LaneHealth| {
        let row = if lane.in_a_row > 0 { format!(", {} failed in a row", lane.in_a_row) } else { String::new() };
        format!(
            "{} {} of {} good in 30 days{row}; evidence {:.0} of {STOPS_AT:.0} that it fails too often",
            lane.lane, lane.good, lane.all, lane.evidence
        )
    };
    whole.lanes.iter().map(words).collect()
}

/// Says which signals of people can be seen; none of those that cannot stands as a number.
fn signals(account: &AccountView) -> String {
    match Signal::NegativeFeedback.not_observable_on(account.platform) {
        Some(why) => format!("hides and reports are not observable: {why}"),
        None => "hides and reports are watched against its own month".to_owned(),
    }
}

fn last_stop(model: &Model, id: &AccountId) -> String {
    let Some(whole) = model.known.whole.get(id) else { return "working".to_owned() };
    let Some(alarm) = whole.alarms.first() else { return "no limit was crossed".to_owned() };
    let at = when::day_clock(alarm.at, model.setting.zone);
    let released = match whole.released.filter(|released| *released >= alarm.at) {
        Some(released) => format!("; lifted {}", when::day_clock(released, model.setting.zone)),
        None => String::new(),
    };
    format!("{at}, {}: {}{released}", alarm.signal.words(), alarm.words)
}

/// The experiments that have something on it these days.
fn running(model: &Model, id: &AccountId) -> String {
    let posts = model.known.day_posts.iter().flatten().filter(|post| post.account == *id);
    let mut codes: Vec<&str> = posts.map(|post| post.experiment.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.join(", ")
}

/// The other accounts of its client that are not as they should be.
fn siblings(model: &Model, account: &AccountView) -> Vec<String> {
    let others = model.known.accounts.values().filter(|other| other.client == account.client && other.id != account.id);
    others
        .filter(|other| health(model, other) != Health::Well)
        .map(|other| format!("@{} {}", other.handle, in_words(health(model, other))))
        .collect()
}

const fn in_words(health: Health) -> &'static str {
    match health {
        Health::NeedsLogin => "needs a login",
        Health::Paused => "is stopped",
        Health::LoggingIn => "is logging in",
        Health::Watched => "is watched",
        Health::Well => "is well",
    }
}

fn keys(model: &Model, account: &AccountView) -> Line {
    let key = |intent| key_of(&[Scope::Accounts], intent).map_or_else(String::new, |key| key.to_string());
    match health(model, account) {
        Health::Paused => {
            Line::new().key(key(Intent::Act)).muted(" lets it go on: what ends is named, and takes a reason.")
        }
        Health::NeedsLogin | Health::LoggingIn => {
            Line::new().key(key(Intent::Act)).muted(" says how it logs in again; a password is never typed here.")
        }
        Health::Watched | Health::Well => {
            let n = model.known.day_posts.iter().flatten().filter(|post| post.account == account.id);
            let waits = n.filter(|post| post.slot > model.wall()).count();
            let posts = counted(waits, "post");
            Line::new()
                .key(key(Intent::Pause))
                .muted(format!(" pauses it at once: {posts} wait{} until tomorrow.", if waits == 1 { "s" } else { "" }))
        }
    }
}
