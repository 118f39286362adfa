//! Text from outside inside our sentences: cleaned and cut.
//!
//! Decides how much of a wrong value a message repeats. How text is cleaned is `text`'s business.

use crate::text::Untrusted;

/// Characters of a text from outside that a message repeats.
const EXCERPT_MAX: usize = 64;

/// Returns a text fit for one line of a message.
pub(super) fn clip(text: &str) -> String {
    // Cut before it is cleaned, since the whole may be large, and after, since a marker is longer than its character.
    let head: String = text.chars().take(EXCERPT_MAX.saturating_add(1)).collect();
    let shown = Untrusted::new(head).show();
    if shown.as_str().chars().count() <= EXCERPT_MAX {
        return shown.as_str().to_owned();
    }
    let mut cut: String = shown.as_str().chars().take(EXCERPT_MAX).collect();
    cut.push('…');
    cut
}

/// Returns the same between quotes.
pub(crate) fn quote(text: &str) -> String {
    format!("`{}`", clip(text))
}
