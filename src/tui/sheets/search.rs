//! Help and palette: everything that can be asked for, found by typing.
//!
//! Decides what a search finds and in which order. What stands there comes from the keymap and from what is known.

use domain::id::{ClientId, ExperimentId};
use tui_input::Input;

use super::{Content, field_line};
use crate::can::{Can, can};
use crate::keymap::{Intent, Scope, valid};
use crate::line::{Line, Look};
use crate::list::page_start;
use crate::model::Model;
use crate::theme::Role;

/// A search with the row that is chosen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    pub(crate) query: Input,
    pub(crate) chosen: usize,
}

/// What a row does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Intent(Intent),
    Client(ClientId),
    AllClients,
    Messages,
    Experiment(ExperimentId),
    Quit,
}

/// A row of the help or the palette.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) entry: Entry,
    pub(crate) keys: String,
    pub(crate) text: String,
    pub(crate) place: String,
    /// Why it does not work now.
    pub(crate) not: Option<String>,
}

fn bindings(model: &Model) -> Vec<Row> {
    // What lies under the search itself.
    let scopes = model.scopes_under(1);
    let row = |binding: &&crate::keymap::Binding| {
        let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
        let not = match can(model, binding.intent) {
            Can::Not(why) => Some(why),
            Can::Yes | Can::As(_) => None,
        };
        Row {
            entry: Entry::Intent(binding.intent),
            keys: keys.join(" "),
            text: binding.sentence.to_owned(),
            place: binding.scope.name().to_owned(),
            not,
        }
    };
    valid(&scopes).iter().map(row).collect()
}

/// Returns the rows of the help that a query leaves: by word, or by key.
pub(crate) fn help_rows(model: &Model, query: &str) -> Vec<Row> {
    let query = query.to_lowercase();
    let mut rows = bindings(model);
    let by_key = |row: &Row| row.keys.split(' ').any(|key| key.to_lowercase() == query);
    let by_word = |row: &Row| row.text.to_lowercase().contains(&query) || row.place.to_lowercase().contains(&query);
    rows.retain(|row| query.is_empty() || by_key(row) || by_word(row));
    rows.sort_by_key(|row| !by_key(row));
    rows
}

/// Returns the rows of the palette that a query leaves, the best first.
pub(crate) fn palette_rows(model: &Model, query: &str) -> Vec<Row> {
    let other =
        |entry, text: String, place: &str| Row { entry, keys: String::new(), text, place: place.to_owned(), not: None };
    let mut rows = bindings(model);
    rows.retain(|row| row.not.is_none() && !matches!(row.entry, Entry::Intent(Intent::Palette)));
    rows.push(other(Entry::Quit, "quit: leave the dashboard".to_owned(), "everywhere"));
    rows.push(other(Entry::Messages, "messages: what was said, whole".to_owned(), "everywhere"));
    rows.push(other(Entry::AllClients, "all clients".to_owned(), "client"));
    rows.extend(model.known.clients.values().map(|c| other(Entry::Client(c.id.clone()), c.name.clone(), "client")));
    let experiments = model.known.experiments.iter().flatten();
    rows.extend(
        experiments
            .map(|(id, line)| other(Entry::Experiment(*id), format!("{} {}", line.code, line.name), "experiment")),
    );
    if query.trim().is_empty() {
        // Nothing is asked for yet: what can be done here comes first, moving about last.
        rows.sort_by_key(|row| row.place == Scope::Rows.name());
        return rows;
    }
    let mut scored: Vec<(usize, Row)> =
        rows.into_iter().filter_map(|row| Some((score(query, &row.text)?, row))).collect();
    scored.sort_by_key(|(score, _)| *score);
    scored.into_iter().map(|(_, row)| row).collect()
}

/// Scores how well a query's letters stand in a text, in order: less is better; none where they do not.
fn score(query: &str, text: &str) -> Option<usize> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut at = 0;
    let mut total = 0;
    let mut last: Option<usize> = None;
    for letter in query.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let found = text.iter().skip(at).position(|c| *c == letter)? + at;
        let starts = found == 0 || text.get(found - 1).is_some_and(|c| !c.is_alphanumeric());
        let follows = last.is_some_and(|last| last + 1 == found);
        total += if follows {
            0
        } else if starts {
            1
        } else {
            4 + found - at
        };
        last = Some(found);
        at = found + 1;
    }
    Some(total * 100 + text.len().min(99))
}

fn content(title: &'static str, label: &'static str, search: &Search, rows: &[Row], room: usize) -> Content {
    let height = room.saturating_sub(5).max(1);
    let chosen = search.chosen.min(rows.len().saturating_sub(1));
    let start = page_start(chosen, height);
    let mut lines = vec![field_line(label, &search.query, true), Line::new()];
    for (at, row) in rows.iter().enumerate().skip(start).take(height.saturating_sub(2)) {
        let look = if row.not.is_some() { Look::of(Role::Muted) } else { Look::bold(Role::Accent) };
        let mut line = Line::new().cell(row.keys.clone(), look, 15, 2);
        line = match &row.not {
            Some(why) => line.muted(row.text.clone()).muted(format!(" (not now: {why})")),
            None => line.plain(row.text.clone()),
        };
        lines.push(line.right(row.place.clone(), Look::of(Role::Muted)).selected(at == chosen));
    }
    if rows.is_empty() {
        lines.push(Line::new().muted("Nothing is called so."));
    }
    let aside = format!("{} of {}, type to search", if rows.is_empty() { 0 } else { chosen + 1 }, rows.len());
    Content { title: title.into(), aside: aside.into(), lines, foot: Vec::new(), top: 0 }
}

pub(super) fn help(model: &Model, search: &Search, room: usize) -> Content {
    let rows = help_rows(model, search.query.value());
    content("Every key here", "?", search, &rows, room)
}

pub(super) fn palette(model: &Model, search: &Search, room: usize) -> Content {
    let rows = palette_rows(model, search.query.value());
    content("By name", ":", search, &rows, room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_at_the_beginning_of_words_count_most() {
        let best = |query: &str, texts: &[&'static str]| {
            let mut found: Vec<_> = texts.iter().filter_map(|text| Some((score(query, text)?, *text))).collect();
            found.sort_unstable();
            found.first().map(|(_, text)| *text)
        };
        assert_eq!(best("sys", &["show everything at once", "go to System"]), Some("go to System"));
        assert_eq!(best("crm018", &["CRM-017 Door", "CRM-018 Clock"]), Some("CRM-018 Clock"));
        assert_eq!(best("zz", &["go to System"]), None);
    }
}
