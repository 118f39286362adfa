//! Text: one piece of a line, cleaned when it is made.
//!
//! Decides that nothing can be put on paper without having passed `Untrusted::show` (T10), and how a piece looks. Which
//! characters are shown is `domain::text`'s business, where pieces stand is `output`'s.

use domain::text::{Shown, Untrusted};

/// How a piece looks where colours are on; without them it reads the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Look {
    /// As it is.
    #[default]
    Plain,
    /// A head.
    Strong,
    /// Beside the matter.
    Dim,
    /// Well.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
}

impl Look {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\u{1b}[1m",
            Self::Dim => "\u{1b}[2m",
            Self::Good => "\u{1b}[32m",
            Self::Warn => "\u{1b}[33m",
            Self::Bad => "\u{1b}[31m",
        }
    }
}

/// Whether colours are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Color {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// One piece of a line, fit to be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text {
    shown: Shown,
    look: Look,
}

impl Text {
    /// Cleans a text of one line; a line break in it becomes a marker.
    pub(crate) fn of(raw: impl Into<String>) -> Self {
        Self { shown: Untrusted::new(raw).show(), look: Look::Plain }
    }

    /// Cleans a text of several lines into one piece a line.
    pub(crate) fn lines(raw: impl Into<String>) -> Vec<Self> {
        Untrusted::new(raw).show_lines().lines().into_iter().map(|shown| Self { shown, look: Look::Plain }).collect()
    }

    /// Gives it a look.
    #[must_use]
    pub(crate) fn look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }

    /// Returns the columns it takes.
    pub(crate) fn width(&self) -> usize {
        self.shown.width()
    }

    /// Tells whether something in it is drawn as a marker.
    pub(crate) fn has_markers(&self) -> bool {
        self.shown.has_markers()
    }

    /// Returns it as plain characters.
    pub(crate) fn plain(&self) -> &str {
        self.shown.as_str()
    }

    /// Returns it cut to so many columns.
    pub(crate) fn cut(&self, columns: usize) -> Self {
        Self { shown: self.shown.truncated(columns), look: self.look }
    }

    /// Returns it as a terminal draws it: right-to-left text isolated, so that it cannot reorder its neighbours.
    pub(crate) fn drawn(&self, color: Color) -> String {
        let isolated = if self.shown.has_right_to_left() {
            format!("\u{2068}{}\u{2069}", self.plain())
        } else {
            self.plain().to_owned()
        };
        if color == Color::Off || self.look == Look::Plain {
            isolated
        } else {
            format!("{}{isolated}\u{1b}[0m", self.look.code())
        }
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        Self::of(raw)
    }
}

impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::of(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_sequence_or_override_passes() {
        for hostile in
            ["\u{1b}]52;c;aGk=\u{7}", "\u{9b}31m", "a\u{202e}b", "a\u{200b}b", "a\r\nb", "\u{7f}", "\u{90}q\u{9c}"]
        {
            let text = Text::of(hostile);
            assert!(text.has_markers(), "{hostile:?}");
            assert!(
                !text.drawn(Color::Off).chars().any(|c| c.is_control() || c == '\u{202e}' || c == '\u{200b}'),
                "{hostile:?}"
            );
            assert!(Text::lines(hostile).iter().all(|t| !t.plain().chars().any(char::is_control)), "{hostile:?}");
        }
    }

    #[test]
    fn right_to_left_text_is_isolated_and_looks_end() {
        assert_eq!(Text::of("שלום").drawn(Color::Off), "\u{2068}שלום\u{2069}");
        assert_eq!(Text::of("x").look(Look::Bad).drawn(Color::On), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Text::of("x").look(Look::Bad).drawn(Color::Off), "x");
    }
}
