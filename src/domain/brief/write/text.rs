//! Texts as TOML strings in which nothing is hidden.
//!
//! Decides which characters stand as their numbers: whatever a terminal acts on or a reader cannot see. The joiner inside
//! emoji stays as it is.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

const JOINER: char = '\u{200D}';

/// Quotes a text; one of several lines keeps them.
pub(super) fn quoted(text: &str) -> String {
    if !text.contains('\n') {
        return on_one_line(text);
    }
    let mut out = String::from("\"\"\"\n");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => out.push('\n'),
            // A quote ends the text only beside another one, or at the end.
            '"' if rest.peek().is_some_and(|next| *next != '"') && !out.ends_with('"') => out.push('"'),
            _ => push(&mut out, c),
        }
    }
    out.push_str("\"\"\"");
    out
}

/// Quotes a text on one line, as inline tables need it.
pub(super) fn on_one_line(text: &str) -> String {
    let mut out = String::from("\"");
    text.chars().for_each(|c| push(&mut out, c));
    out.push('"');
    out
}

fn push(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ if is_hidden(c) => {
            let number = u32::from(c);
            out.push_str(&if number > 0xFFFF { format!("\\U{number:08X}") } else { format!("\\u{number:04X}") });
        }
        _ => out.push(c),
    }
}

fn is_hidden(c: char) -> bool {
    c != JOINER
        && matches!(
            c.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::PrivateUse
                | GeneralCategory::Surrogate
                | GeneralCategory::Unassigned
        )
}
