//! The preview: what an item is, in a dozen lines, without opening it.
//!
//! Decides which facts stand there and how they are worded. Everything that an approval covers is on the approval page.

use domain::id::ExperimentId;
use domain::text::Untrusted;
use domain::time::{Span, UtcTime, Zone};
use domain::variant::{Content, Facet};

use super::{findings_in_words, strip};
use crate::clean::Clean;
use crate::frame::Class;
use crate::item::{Item, facet_text};
use crate::line::{Line, Look};
use crate::model::Model;
use crate::theme::Role;
use crate::when;

/// Returns the item's title and its facts, for a place of so many columns.
pub(crate) fn lines(model: &Model, id: ExperimentId, place: (usize, usize), width: usize) -> Vec<Line> {
    let Some(line) = model.known.line(id) else { return Vec::new() };
    let mut lines = vec![title(model, id, place, width)];
    let tall = model.size.class() >= Class::L;
    let Some(item) = model.known.item(id) else {
        lines.push(Line::new().muted("working: the sheet is being read"));
        return lines;
    };
    let stop = stop(width);
    if let Some(brief) = &item.brief {
        let hypothesis = Clean::of(brief.hypothesis.raw());
        lines.extend(crate::line::paragraph(&hypothesis, Look::default(), 0, width).into_iter().take(3));
        lines.push(Line::new());
    }
    lines.extend(if tall { tall_variants(item, stop, width) } else { variants(item, stop, width) });
    lines.push(Line::new());
    lines.extend(facts(model, item, stop, width));
    if tall {
        lines.extend(more_facts(model, item, stop, width));
    }
    if line.status == "paused" {
        lines.push(Line::new().muted("Stopped").goto(stop).put("it is on hold", Look::of(Role::Warn)));
    }
    lines
}

/// Returns the column of values on a page of that width.
pub(crate) const fn stop(width: usize) -> usize {
    if width < 90 { 11 } else { 12 }
}

fn title(model: &Model, id: ExperimentId, (at, of): (usize, usize), width: usize) -> Line {
    let (name, kind) =
        model.known.line(id).map_or((String::new(), String::new()), |l| (l.name.clone(), l.kind.clone()));
    let variable = model.known.item(id).and_then(Item::variable);
    let aside = match variable {
        Some(variable) if width < 60 => format!("{variable}, {at} of {of}"),
        Some(variable) => format!("{variable} test, {kind}, {at} of {of}"),
        None => format!("{kind}, {at} of {of}"),
    };
    Line::title(name, aside)
}

fn variants(item: &Item, stop: usize, width: usize) -> Vec<Line> {
    let Some(variable) = item.variable() else { return whole_texts(item, stop) };
    let Some(first) = item.rounds_shown().first().and_then(|round| item.rounds.get(*round)).cloned() else {
        return whole_texts(item, stop);
    };
    let mut lines: Vec<Line> = first
        .iter()
        .zip('A'..='Z')
        .map(|(content, letter)| {
            lettered(letter, stop)
                .put(one_line(&value(content, variable)).cut(width - stop.min(width)), Look::default())
        })
        .collect();
    let rounds = item.rounds_shown().len();
    if rounds > 1 {
        lines.push(Line::new().goto(stop).muted(format!("the first of {rounds} rounds")));
    }
    lines
}

/// Every variant's text in full, where there is room for it.
fn tall_variants(item: &Item, stop: usize, width: usize) -> Vec<Line> {
    let (Some(variable), rounds) = (item.variable(), item.rounds_shown()) else { return whole_texts(item, stop) };
    let mut lines = Vec::new();
    for round in &rounds {
        if rounds.len() > 1 {
            lines.push(Line::new().goto(stop).muted(format!("round {}", round + 1)));
        }
        for (content, letter) in item.rounds.get(*round).into_iter().flatten().zip('A'..='Z') {
            let mut first = true;
            for part in
                Clean::lines(&value(content, variable)).iter().flat_map(|line| line.wrapped(width - stop.min(width)))
            {
                let line = if first { lettered(letter, stop) } else { Line::new().goto(stop) };
                first = false;
                lines.push(line.plain(part));
            }
        }
    }
    if lines.is_empty() { whole_texts(item, stop) } else { lines }
}

/// What else is known, where there is room for it: size, level, notes, the days.
fn more_facts(model: &Model, item: &Item, stop: usize, width: usize) -> Vec<Line> {
    let zone = model.known.zone(item.client());
    let mut lines = vec![Line::new()];
    let size = format!("{}, {}", counted(item.variants(), "variant"), counted(item.sheet.posts.len(), "post"));
    lines.push(Line::new().muted("Size").goto(stop).plain(size));
    if let Some(first) = item.first() {
        let text = format!("{} {}", when::day_clock(first, zone), when::city(zone));
        let aside = format!(", {}", when::relative(first, model.wall()));
        lines.push(Line::new().muted("First").goto(stop).plain(text).muted(aside));
    }
    let level = &item.sheet.level;
    let level = Clean::of(format!("{}: {}", level.level, level.reasons.join("; ")));
    lines.extend(crate::line::ledger("Level", stop, &level, Look::default(), width));
    for note in &item.sheet.notes {
        lines.extend(crate::line::ledger("Note", stop, &Clean::of(note.clone()), Look::of(Role::Warn), width));
    }
    if model.size.class() == Class::L {
        let gap = model.known.clients.get(item.client()).map_or(Span::ZERO, |client| client.policy.min_gap);
        lines.push(Line::new());
        lines.extend(super::view::days(model, item, zone, gap, width));
    }
    lines
}

fn whole_texts(item: &Item, stop: usize) -> Vec<Line> {
    let going = item.going_out();
    let line = |going: &crate::item::Going<'_>| lettered(going.letter, stop).put(one_line(going.text), Look::default());
    going.iter().take(4).map(line).collect()
}

/// Begins a line with a variant's letter and what it is.
pub(crate) fn lettered(letter: char, stop: usize) -> Line {
    let sort = if letter == 'A' { "control" } else { "test" };
    Line::new().put(Clean::drawn(letter, 1), Look::bold(Role::of_letter(letter))).plain(" ").muted(sort).goto(stop)
}

/// Returns what a variant shows in a facet: its text, or its pictures.
pub(crate) fn value(content: &Content, facet: Facet) -> String {
    let text = facet_text(content, facet);
    let pictures: Vec<&str> =
        content.assets.iter().filter(|asset| asset.facet == facet).map(|asset| asset.file.raw()).collect();
    match (text.is_empty(), pictures.is_empty()) {
        (false, true) => text,
        (true, false) => pictures.join(", "),
        (false, false) => format!("{text} ({})", pictures.join(", ")),
        (true, true) => "none".to_owned(),
    }
}

/// Returns the first line of a text; where there are more, that is shown.
pub(crate) fn one_line(text: &str) -> Clean {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        Some(_) => Clean::of(first).and(" …"),
        None => Clean::of(first),
    }
}

fn facts(model: &Model, item: &Item, stop: usize, width: usize) -> Vec<Line> {
    let two = width >= 90;
    let half = if two { width * 58 / 100 } else { 0 };
    let same = same(item);
    let (findings, clean) = findings_in_words(item);
    let findings_line = |line: Line| {
        let look = if clean { Look::default() } else { Look::of(Role::Warn) };
        line.put(findings.clone(), look)
    };
    let layer = layer(model, item);
    let mut lines = Vec::new();
    if two {
        let line = findings_line(Line::new().muted("Findings").goto(stop));
        lines.push(
            line.goto(half)
                .muted("Same")
                .goto(half + 7)
                .plain(same.0)
                .plain("  ")
                .put("✓", Look::of(same.1))
                .muted(" equal"),
        );
        let zone = model.known.zone(item.client());
        let policy = model.known.clients.get(item.client()).map(|client| &client.policy);
        let gap = policy.map_or(Span::ZERO, |policy| policy.min_gap);
        let day = first_day(item, zone);
        let columns = (half - stop).saturating_sub(10).min(48);
        let strip = strip(Line::new().muted("Day").goto(stop).muted("00 "), &day, zone, gap, columns).muted(" 24");
        lines.push(strip.goto(half).muted("Layer").goto(half + 7).plain(layer.0).muted(layer.1));
        if let Some(policy) = policy {
            let pace = format!("at most {} in 24 h, least gap ", policy.max_per_24h);
            lines.push(Line::new().muted("Pace").goto(stop).plain(pace).muted("━ ").plain(when::span(policy.min_gap)));
        }
    } else {
        let line =
            Line::new().muted("Same").goto(stop).plain(same.0).plain("  ").put("✓", Look::of(same.1)).muted(" equal");
        lines.push(line);
        lines.push(findings_line(Line::new().muted("Findings").goto(stop)));
        lines.push(Line::new().muted("Layer").goto(stop).plain(layer.0).muted(layer.1));
    }
    lines.push(binds(model, item, stop, width));
    lines
}

/// Returns the facets that are the same in all, in words, and the role of the sign that says so.
pub(crate) fn same(item: &Item) -> (String, Role) {
    let words: Vec<&str> = item.same.iter().map(|facet| facet.as_str()).collect();
    let words = if words.is_empty() { "nothing else is shown".to_owned() } else { words.join("  ") };
    (words, if item.word_for_word { Role::Ok } else { Role::Muted })
}

/// Returns the layer an item stands in, and what is to be known of it.
pub(crate) fn layer(model: &Model, item: &Item) -> (String, String) {
    let Some(brief) = &item.brief else { return ("none".to_owned(), String::new()) };
    let name = format!("{}/{}/{}", brief.client, brief.surface, brief.variable_under_test);
    let found = model.known.layers.iter().flatten().find(|layer| layer.layer == name);
    let zone = model.known.zone(item.client());
    let tenures = found.map(|layer| layer.tenures.as_slice()).unwrap_or_default();
    let mine = tenures.iter().find(|tenure| tenure.experiment == item.sheet.line.id);
    let next =
        mine.and_then(|mine| tenures.iter().filter(|t| t.window.from > mine.window.from).min_by_key(|t| t.window.from));
    let aside = match (mine, next) {
        (Some(mine), Some(next)) => {
            format!(" held to {}, then {}", when::day(mine.window.until, zone), next.code)
        }
        (Some(mine), None) => format!(" held to {}", when::day(mine.window.until, zone)),
        (None, _) if found.is_some() => " held by another".to_owned(),
        (None, _) => String::new(),
    };
    (format!("{}/{}", brief.surface, brief.variable_under_test), aside)
}

/// Returns letters and slots of the first day on which something goes out.
pub(crate) fn first_day(item: &Item, zone: Zone) -> Vec<(char, UtcTime)> {
    let first = item.first().map(|first| zone.local(first).date);
    let posts = item.sheet.posts.iter().map(|post| (post.line.letter, post.line.slot));
    posts.filter(|(_, slot)| Some(zone.local(*slot).date) == first).collect()
}

/// Returns what a word binds to, and its fingerprint at the right.
pub(crate) fn binds(model: &Model, item: &Item, stop: usize, width: usize) -> Line {
    let bindings = item.bindings();
    let zone = model.known.zone(item.client());
    let mut parts = vec![counted(bindings.contents.len(), "content")];
    if !bindings.assets.is_empty() {
        parts.push(counted(bindings.assets.len(), "picture"));
    }
    parts.extend(item.accounts().iter().map(|account| model.known.handle(account)));
    parts.extend(bindings.lanes.iter().map(|lane| (*lane).to_owned()));
    if let (Some(first), Some(last)) = (item.first(), item.last())
        && width >= 70
    {
        parts.push(when::days(first, last, zone));
    }
    parts.extend(bindings.policies.iter().map(|policy| format!("policy {policy}")));
    Line::new()
        .muted("Binds to")
        .goto(stop)
        .plain(parts.join(", "))
        .right(fingerprint(&item.sheet.fingerprint), Look::of(Role::Muted))
}

/// Returns the digits of a fingerprint that people compare: `7f3a 91c2`.
pub(crate) fn fingerprint(whole: &str) -> String {
    let digits: Vec<char> = whole.chars().take(8).collect();
    let (one, two) = digits.split_at(digits.len().min(4));
    format!("{} {}", one.iter().collect::<String>(), two.iter().collect::<String>())
}

/// Returns a number with its noun.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Returns a text of somebody's as one clean line.
pub(crate) fn show(text: &Untrusted) -> Clean {
    Clean::of(text.raw())
}
