//! JSON as it is printed: one line, with everything a terminal would act on or a reader could not see escaped.
//!
//! Decides the escaping only; any JSON reader gives the text back as it was stored. What is printed is the nouns' business.

use std::fmt::Write as _;

use domain::text::Untrusted;
use serde_json::Value;

/// Writes a value on one line.
pub(crate) fn line(value: &Value) -> String {
    escaped(&value.to_string())
}

/// Writes a value on many lines, for people.
pub(crate) fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}

/// Puts `\uXXXX` for each hidden character. Outside strings JSON is plain ASCII, so only strings change.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a string cannot fail.
                write!(out, "\\u{unit:04x}").unwrap_or_default();
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Tells whether a character alone is not drawn as itself.
pub(crate) fn is_hidden(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_control() } else { Untrusted::new(c.to_string()).show().has_markers() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn hidden_characters_are_escaped() {
        let value = json!({"text": "a\u{1b}[2J\u{9d}\u{202e}\u{200b}\u{7f}\u{e0041}é"});
        let line = line(&value);
        assert_eq!(line, r#"{"text":"a\u001b[2J\u009d\u202e\u200b\u007f\udb40\udc41é"}"#);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }

    proptest! {
        #[test]
        fn any_text_reads_back_and_holds_nothing_hidden(text: String) {
            let value = json!({ "text": text });
            for printed in [line(&value), pretty(&value).replace('\n', "")] {
                prop_assert!(!printed.chars().any(is_hidden));
                prop_assert_eq!(&serde_json::from_str::<Value>(&printed).unwrap(), &value);
            }
        }
    }
}
