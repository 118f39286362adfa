//! The approval page: one item of the queue, with everything that a word for it would cover.
//!
//! Decides what counts as seen: every line was on the screen, for a moment or by scrolling. The order of the page is the
//! order of thought. Giving the word is a sheet's business.

pub(crate) mod page;
pub(crate) mod view;

use domain::id::ExperimentId;

use crate::frame::Class;
use crate::line::{Line, Look};
use crate::model::Model;
use crate::pen::text_width;
use crate::theme::Role;

pub(crate) use page::page;

/// How long a page that needs no scrolling must have been on the screen to count as seen.
pub(crate) const SEEN_MS: u64 = 1_500;

/// The state of the page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Approval {
    /// The first line that is shown.
    pub(crate) top: usize,
    /// What all variants share is folded away.
    pub(crate) folded: bool,
    pub(crate) opened_ms: u64,
    /// A person scrolled.
    pub(crate) scrolled: bool,
    /// Lines that were on the screen, from the first.
    pub(crate) reached: usize,
    /// Of which sheet.
    pub(crate) fingerprint: String,
}

/// Returns the page as it is laid out at the present size.
pub(crate) fn present_page(model: &Model, id: ExperimentId) -> page::Page {
    page(model, id, page_width(model, text_width(model.size.content())))
}

/// Returns how many lines the page has, and how many fit.
pub(crate) fn extent(model: &Model, id: ExperimentId) -> (usize, usize) {
    (present_page(model, id).lines.len(), usize::from(model.size.content().height))
}

/// Returns the columns of the page: at L pictures and history stand beside it.
pub(crate) fn page_width(model: &Model, width: usize) -> usize {
    if model.size.class() >= Class::L { width.saturating_sub(view::BESIDE) } else { width }
}

/// Returns how many lines of what must be read were not on the screen yet.
pub(crate) fn unread(model: &Model, id: ExperimentId) -> usize {
    present_page(model, id).must_read.saturating_sub(model.approval.reached)
}

/// Tells whether all that goes out, and every finding, was on the screen.
pub(crate) fn is_read(model: &Model, id: ExperimentId) -> bool {
    model.known.item(id).is_some() && unread(model, id) == 0
}

/// Tells whether an item, as it is now, was seen in full.
pub(crate) fn is_seen(model: &Model, id: ExperimentId) -> bool {
    let print = model.known.item(id).map(|item| &item.sheet.fingerprint);
    print.is_some() && model.morning.seen.get(&id) == print
}

/// Tells whether an item, as it is now, was opened and looked at, though not to its end.
pub(crate) fn is_begun(model: &Model, id: ExperimentId) -> bool {
    let print = model.known.item(id).map(|item| &item.sheet.fingerprint);
    print.is_some() && model.morning.begun.get(&id) == print && !is_seen(model, id)
}

/// Returns what is said of an item whose end was not seen.
pub(crate) fn unseen_words(model: &Model, id: ExperimentId) -> &'static str {
    if is_begun(model, id) { "! not read to the end" } else { "! not opened" }
}

/// Returns what the message line says of the page.
pub(crate) fn seen_line(model: &Model, id: ExperimentId) -> Line {
    if model.known.item(id).is_none() {
        return Line::new().muted("working");
    }
    if is_seen(model, id) {
        return Line::new().put("✓", Look::of(Role::Ok)).muted(" Seen in full.");
    }
    match unread(model, id) {
        0 => Line::new().muted("All that goes out is on the screen."),
        1 => Line::new().put("!", Look::of(Role::Warn)).muted(" 1 line more was not on the screen yet."),
        n => Line::new().put("!", Look::of(Role::Warn)).muted(format!(" {n} lines more were not on the screen yet.")),
    }
}
