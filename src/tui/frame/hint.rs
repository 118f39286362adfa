//! The hint bar: the keys that matter here, in words for the row; help is pinned right.
//!
//! Decides how many keys fit. Which keys there are is `keymap`'s business, whether they work now is `can`'s.

use crate::can::{Can, can};
use crate::keymap::{Binding, Intent, Scope, key_of, valid};
use crate::line::{Line, Look};
use crate::model::Model;
use crate::sheets::Sheet;
use crate::theme::Role;

/// The most keys on the bar.
const KEYS_MAX: usize = 8;

/// Returns key and words of every hint that holds now, in order.
pub(crate) fn words(model: &Model) -> Vec<(String, String, Intent)> {
    let scopes = model.scopes();
    let word = |row: &&Binding| match can(model, row.intent) {
        Can::Yes => Some((name(row), row.label.to_owned(), row.intent)),
        Can::As(words) => Some((name(row), words, row.intent)),
        Can::Not(_) => None,
    };
    valid(&scopes).iter().filter(|row| row.hint).filter_map(word).take(KEYS_MAX).collect()
}

fn name(row: &Binding) -> String {
    row.keys.first().map_or_else(String::new, |key| key.to_string())
}

/// Returns the last row.
pub(super) fn line(model: &Model) -> Line {
    let mut line = Line::new();
    let typing = matches!(model.scopes().first(), Some(Scope::Field | Scope::HelpSheet | Scope::PaletteSheet));
    if typing {
        // The words of a refusal that is none of the list are all it waits for.
        let refuses = matches!(model.sheets.last(), Some(Sheet::Refuse(refuse)) if refuse.other);
        let keeps = if refuses { "refuses" } else { "keeps it" };
        for (intent, words) in [(Intent::Confirm, keeps), (Intent::Run, "does it"), (Intent::Dismiss, "ends it")] {
            if let Some(key) = key_of(&model.scopes(), intent) {
                line = line.key(key.to_string()).plain(" ").muted(words).plain("  ");
            }
        }
        return line;
    }
    let room = usize::from(model.size.width).saturating_sub(5 + 9);
    for (row, (key, words, _)) in words(model).into_iter().enumerate() {
        let gap = if row == 0 { 0 } else { 2 };
        let width = gap + key.len() + 1 + words.len();
        if line.end() + width > room {
            break;
        }
        if row > 0 {
            line = line.plain("  ");
        }
        line = line.key(key).plain(" ");
        line = if row == 0 { line.bold(words) } else { line.muted(words) };
    }
    match key_of(&model.scopes(), Intent::Help) {
        Some(help) => line.right(help.to_string(), Look::bold(Role::Accent)).right(" help", Look::of(Role::Muted)),
        None => line,
    }
}
