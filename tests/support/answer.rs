//! What the program said, judged: the exit code, one sentence that tells what to do, nothing that a terminal would act on.
//!
//! Decided here: which bytes may never be written, and what every refusal has to look like. What a case is refused for is
//! said in the tests.
#![expect(clippy::panic, reason = "what is not as it should be fails the test, with words")]

use std::process::Output;

use super::agency::told;

/// Returns the first character that a terminal would act on or a reader could not see.
pub(crate) fn first_hidden(text: &str) -> Option<char> {
    let hidden = |c: &char| {
        let is_bidi =
            matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        let is_unseen =
            matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}' | '\u{2028}' | '\u{2029}');
        (c.is_control() && !matches!(c, '\n' | '\t')) || is_bidi || is_unseen
    };
    text.chars().find(hidden)
}

/// Nothing that was written acts on a terminal, and nothing broke.
pub(crate) fn is_clean(output: &Output) {
    for (stream, bytes) in [("standard output", &output.stdout), ("standard error", &output.stderr)] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|e| panic!("{stream} is no text: {e}"));
        if let Some(c) = first_hidden(text) {
            panic!("{stream} holds {c:?}: {text:?}");
        }
        for word in ["panicked", "RUST_BACKTRACE", "Location:"] {
            assert!(!text.contains(word), "the program broke: {text}");
        }
    }
}

/// It was refused with that exit code, in words that hold all of these, and nothing came out on standard output.
pub(crate) fn is_refused(output: &Output, exit: i32, words: &[&str]) {
    is_clean(output);
    assert_eq!(output.status.code(), Some(exit), "{}", told(output));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("error: "), "{said:?}");
    assert!(output.stdout.is_empty(), "{}", told(output));
    for word in words {
        assert!(said.contains(word), "it does not say {word:?}: {said}");
    }
    for line in said.lines() {
        assert!(line.chars().count() < 1_000, "a line of {} characters: {line}", line.chars().count());
    }
}

/// It was done, and said so cleanly.
pub(crate) fn is_done(output: &Output) {
    is_clean(output);
    assert!(output.status.success(), "{}", told(output));
}
