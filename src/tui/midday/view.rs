//! How Midday is drawn: the posts of today, what is under the cursor, replies as far as there are any.
//!
//! Decides columns and words. The list of escalations is that of their pane.

use desk::query::PostLine;
use domain::checkin::Round;
use domain::id::PostId;
use ratatui::layout::Rect;

use super::{client, escalation, experiment, need_a_hand, of, shown, sign};
use crate::clean::Clean;
use crate::escalations;
use crate::frame::Class;
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger, paragraph};
use crate::list::page_start;
use crate::model::Model;
use crate::morning::preview::counted;
use crate::pen::Pen;
use crate::rounds::view::{Parts, sign_off};
use crate::rounds::{Step, view as frame};
use crate::theme::Role;
use crate::when;

/// Events of a post that the preview tells, the last ones.
const EVENTS_MAX: usize = 8;
/// The column of values.
const STOP: usize = 12;

/// Draws the pane.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let parts = Parts {
        round: Round::Midday,
        rows: &|width| rows(model, width),
        list: &|width, height| list_lines(model, width, height),
        preview: &|width| preview_lines(model, width),
        around: &|width| around(model, width),
        widths: [(56, 0), (66, 50)],
    };
    frame::draw(model, pen, area, &parts);
}

fn rows(model: &Model, width: usize) -> usize {
    match model.midday.step {
        Step::Escalations => escalations::shown(model).len() + 1,
        Step::Replies | Step::SignOff => list_lines(model, width, usize::MAX).len(),
        Step::Posts | Step::Alerts | Step::Layers | Step::Queue | Step::Outcomes | Step::Decide => shown(model).len(),
    }
}

fn list_lines(model: &Model, width: usize, height: usize) -> Vec<Line> {
    match model.midday.step {
        Step::Escalations => escalations::view::list_lines(model, width, height),
        Step::Replies => replies(width),
        Step::SignOff => sign_off(model, Round::Midday, width),
        Step::Posts | Step::Alerts | Step::Layers | Step::Queue | Step::Outcomes | Step::Decide => {
            posts(model, width, height)
        }
    }
}

/// Says what is not there.
fn replies(width: usize) -> Vec<Line> {
    let words =
        "Replies are not collected here: whoever answers people does it on the network itself, from the account.";
    let mut lines = vec![Line::title("Replies", "")];
    lines.extend(paragraph(&words.into(), Look::of(Role::Muted), 0, width));
    lines
}

struct Columns {
    state: usize,
    account: usize,
    name: usize,
    variant: usize,
    slot: usize,
    lane: usize,
}

impl Columns {
    const fn of(width: usize) -> Self {
        match width {
            0..70 => Self { state: 12, account: 0, name: 10, variant: 4, slot: 13, lane: 0 },
            70..90 => Self { state: 13, account: 15, name: 9, variant: 4, slot: 14, lane: 0 },
            _ => Self { state: 13, account: 22, name: 10, variant: 4, slot: 14, lane: 9 },
        }
    }
}

fn posts(model: &Model, width: usize, height: usize) -> Vec<Line> {
    let shown = shown(model);
    let title = if model.link.state(model.now).is_old() { "Posts today ~" } else { "Posts today" };
    let waiting = model.midday.posts.waiting();
    let mut aside = counted(shown.len(), "post");
    let hand = need_a_hand(model).len();
    if hand > 0 {
        aside = format!("{hand} of {aside} for a person");
    }
    if waiting > 0 {
        aside = format!("{waiting} new, r lets them in   {aside}");
    }
    let mut lines = vec![Line::title(title, aside)];
    if shown.is_empty() {
        let next = model.known.round(model.scope.as_ref(), Round::Midday).and_then(|round| round.next);
        let words = match (model.known.day_posts.is_none(), next) {
            (true, _) => "working".to_owned(),
            (false, Some(next)) => {
                format!("No posts today; the next one goes out {}.", when::day_clock(next, model.setting.zone))
            }
            (false, None) => "No posts today, and none is planned.".to_owned(),
        };
        lines.push(Line::new().muted(words));
        return lines;
    }
    let at = Columns::of(width);
    let class = model.size.class();
    if class != Class::S && class != Class::Tiny {
        let muted = Look::of(Role::Muted);
        let heads: [(&'static str, usize); 6] = [
            ("state", at.state),
            ("account", at.account),
            ("of", at.name),
            ("v", at.variant),
            ("slot", at.slot),
            ("lane", at.lane),
        ];
        let line = heads
            .into_iter()
            .fold(Line::new(), |line, (head, width)| if width == 0 { line } else { line.cell(head, muted, width, 1) });
        lines.push(line.muted("what is known"));
    }
    let cursor = model.midday.posts.cursor();
    let place = cursor.and_then(|cursor| shown.iter().position(|id| id == cursor)).unwrap_or(0);
    lines.extend(shown.iter().skip(page_start(place, height)).take(height).map(|id| row(model, *id, &at, width)));
    lines
}

fn row(model: &Model, id: PostId, at: &Columns, width: usize) -> Line {
    let here = model.midday.posts.cursor() == Some(&id);
    let muted = Look::of(Role::Muted);
    let Some(post) = of(model, id) else { return Line::new().muted("no longer today").selected(here) };
    let mut line = sign(post).put(Line::new(), at.state, 1);
    if at.account > 0 {
        line = line.cell(model.known.handle(&post.account), muted, at.account, 1);
    }
    line = line.cell(post.experiment.clone(), Look::default(), at.name, 1);
    line = line.cell(format!("{}{}", post.letter, post.number), Look::default(), at.variant, 1);
    let zone = client(model, post).map_or(model.setting.zone, |client| model.known.zone(client));
    let slot = when::clock_then(post.slot, model.wall(), zone);
    let place = Clean::of(when::city(zone)).cut(at.slot.saturating_sub(slot.chars().count() + 2));
    let from = line.end();
    line = line.plain(slot).plain(" ").put(place, muted).goto(from + at.slot);
    if at.lane > 0 {
        line = line.cell(post.lane.as_str(), muted, at.lane, 1);
    }
    let (words, look) = known(model, post);
    let room = width.saturating_sub(line.end());
    line.put(Clean::of(words).cut(room), look).selected(here)
}

/// Says what is known of a post, in a few words.
fn known(model: &Model, post: &PostLine) -> (String, Look) {
    let muted = Look::of(Role::Muted);
    let now = model.wall();
    let since = |words: &str| match post.since {
        Some(since) => format!("{words} {}", when::clock_then(since, now, model.setting.zone)),
        None => words.to_owned(),
    };
    match post.state.as_str() {
        "verified" => (since("seen"), muted),
        "published" => (since("out since"), Look::default()),
        "committing" => (since("under way since"), Look::default()),
        "unconfirmed" => (since("not sent again, since"), Look::of(Role::Warn)),
        "awaiting operator" => (format!("nobody has it, {}", when::relative(post.slot, now)), Look::default()),
        "claimed" | "failed" | "missed" | "removed" | "cancelled" => {
            (post.why.clone().unwrap_or_else(|| post.state.clone()), Look::default())
        }
        _ if post.voided.is_some() => ("its approval is void".to_owned(), Look::of(Role::Warn)),
        _ if !post.approved => ("not approved yet".to_owned(), muted),
        _ if post.slot < now => ("its slot passed".to_owned(), Look::of(Role::Warn)),
        _ => (when::relative(post.slot, now), muted),
    }
}

fn preview_lines(model: &Model, width: usize) -> Vec<Line> {
    match model.midday.step {
        Step::Escalations => escalations::view::page(model, width),
        Step::Posts => model.post_subject().and_then(|id| of(model, id)).map_or_else(Vec::new, |post| {
            let mut lines = about(model, post, width);
            lines.extend(history(model, post, STOP));
            lines
        }),
        Step::Alerts | Step::Layers | Step::Queue | Step::Replies | Step::Outcomes | Step::Decide | Step::SignOff => {
            Vec::new()
        }
    }
}

/// What a post is, why it is as it is, and what may be done.
fn about(model: &Model, post: &PostLine, width: usize) -> Vec<Line> {
    let name = experiment(model, post.id).and_then(|id| model.known.line(id)).map(|line| line.name.clone());
    let title = format!("{} {} of {}", post.letter, post.number, post.experiment);
    let mut lines = vec![Line::title(title, Clean::of(name.unwrap_or_default()).cut(width / 2))];
    let mut add = |label: &'static str, text: String, role: Role| {
        lines.extend(ledger(label, STOP, &Clean::of(text), Look::of(role), width));
    };
    let zone = client(model, post).map_or(model.setting.zone, |client| model.known.zone(client));
    let slot = format!(
        "{} {}, {}",
        when::day_clock(post.slot, zone),
        when::city(zone),
        when::relative(post.slot, model.wall())
    );
    add("Slot", slot, Role::Text);
    add("Account", format!("{}, lane {}", model.known.handle(&post.account), post.lane), Role::Text);
    if let Some(why) = &post.why {
        add("Known", why.clone(), Role::Text);
    }
    if let Some(url) = &post.url {
        add("To be seen", url.clone(), Role::Link);
    }
    if let Some((field, why)) = &post.voided {
        add("Void", format!("{field}: {why}"), Role::Warn);
    }
    if let Some(text) = model.known.posts.get(&post.id).map(|view| &view.text) {
        lines.extend(ledger("Says", STOP, &crate::morning::preview::one_line(text), Look::default(), width));
    }
    lines.extend(ledger("To do", STOP, &Clean::of(to_do(model, post)), Look::of(Role::Muted), width));
    lines
}

fn to_do(model: &Model, post: &PostLine) -> String {
    match (post.state.as_str(), escalation(model, post.id)) {
        (_, Some(found)) => {
            let key = key_of(&[Scope::Posts], Intent::Act).map_or_else(String::new, |key| key.to_string());
            match &found.owner {
                Some(owner) => format!("{owner} has it; {key} opens its answers"),
                None => format!("nobody has it; {key} takes it and opens its answers"),
            }
        }
        ("awaiting operator", None) => {
            "a person posts it from the client's own login; its card is not taken from here".to_owned()
        }
        ("claimed", None) => "whoever has its card says how it ended".to_owned(),
        ("unconfirmed", None) => "it is being looked at; a person is asked once that tells nothing".to_owned(),
        ("failed" | "missed" | "removed", None) => {
            "nothing: it goes out no more, and its experiment says so".to_owned()
        }
        _ => "nothing".to_owned(),
    }
}

/// The last events of a post.
fn history(model: &Model, post: &PostLine, at: usize) -> Vec<Line> {
    let Some(view) = model.known.posts.get(&post.id) else { return Vec::new() };
    let skip = view.events.len().saturating_sub(EVENTS_MAX);
    let line = |event: &desk::query::EventLine| {
        let time = when::clock_then(event.at, model.wall(), model.setting.zone);
        Line::new().muted(time).goto(at).plain(event.event.replace('_', " ")).muted(format!(", {}", event.actor))
    };
    let mut lines = vec![Line::new()];
    lines.extend(view.events.iter().skip(skip).map(line));
    lines
}

fn around(model: &Model, width: usize) -> Vec<Line> {
    let of_post = model.post_subject().and_then(|id| experiment(model, id));
    of_post.map_or_else(Vec::new, |id| crate::morning::view::around(model, id, width))
}
