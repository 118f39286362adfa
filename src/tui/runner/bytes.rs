//! Bytes to keys: what the terminal sends, as keys and pastes.
//!
//! Decides what counts as pressed: a terminal's own answers (strings that begin with OSC, DCS, APC, PM or SOS, and reports)
//! never do, whenever they come and however they are cut (P46); a paste is one thing, whole, and one that never ends does
//! not hold up keys for more than two seconds (P34). Sequences are parsed by `termina`; what a key means is `keymap`'s.

use std::time::Duration;

use termina::event::{KeyCode, KeyEvent, KeyEventKind, Modifiers};
use termina::{Event, Parser};

use crate::key::Key;
use crate::message::What;

/// How long the rest of a sequence may take; an Escape that nothing follows is the key.
const SEQUENCE: Duration = Duration::from_millis(40);
/// How long the rest of a terminal's answer may take.
const ANSWER: Duration = Duration::from_millis(300);
/// How long a paste may stand still.
const PASTE: Duration = Duration::from_secs(2);
/// The most of a paste that is kept.
const PASTE_MAX: usize = 1024 * 1024;

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";
/// How long a paste's marks are.
const MARK: usize = PASTE_BEGINS.len();

/// Where in the stream it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Among keys.
    Keys,
    /// After an Escape.
    Escape,
    /// In an answer of the terminal, which is dropped.
    Answer,
    /// In an answer, after an Escape.
    AnswerEscape,
    /// In a paste; what was kept of it.
    Paste(Vec<u8>),
}

/// Turns bytes into keys.
#[derive(Debug)]
pub(super) struct Bytes {
    parser: Parser,
    place: Place,
    /// The last bytes, as many as a paste's marks have.
    tail: Vec<u8>,
    /// Something was begun and not ended, as far as is known.
    open: bool,
}

impl Bytes {
    pub(super) fn new() -> Self {
        Self { parser: Parser::default(), place: Place::Keys, tail: Vec::new(), open: false }
    }

    /// Takes bytes in, and returns what they complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<What> {
        self.open = true;
        bytes.iter().flat_map(|byte| self.pass(*byte)).collect()
    }

    /// How long to wait for more before [`Bytes::silence`] is to be called; none where nothing is begun.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.open.then_some(match self.place {
            Place::Keys | Place::Escape => SEQUENCE,
            Place::Answer | Place::AnswerEscape => ANSWER,
            Place::Paste(_) => PASTE,
        })
    }

    /// Nothing came for as long as patience lasts: what is half there is what it is, or nothing.
    pub(super) fn silence(&mut self) -> Vec<What> {
        let escape: &[u8] = if self.place == Place::Escape { b"\x1b" } else { b"" };
        self.parser.parse(escape, false);
        let whole = self.popped();
        *self = Self::new();
        whole
    }

    fn pass(&mut self, byte: u8) -> Vec<What> {
        self.tail.push(byte);
        let left = (self.tail.len() > MARK).then(|| self.tail.remove(0));
        match (&mut self.place, byte) {
            (Place::Paste(text), _) => {
                // What has left the tail is no part of a mark.
                if let Some(left) = left.filter(|_| text.len() < PASTE_MAX) {
                    text.push(left);
                }
                if self.tail != PASTE_ENDS {
                    return Vec::new();
                }
                let text = String::from_utf8_lossy(text).into_owned();
                self.tail.clear();
                self.place = Place::Keys;
                vec![What::Paste(text)]
            }
            (Place::Keys, 0x1b) => {
                self.place = Place::Escape;
                Vec::new()
            }
            (Place::Keys, _) if self.tail == PASTE_BEGINS => {
                self.parser = Parser::default();
                self.tail.clear();
                self.place = Place::Paste(Vec::new());
                Vec::new()
            }
            (Place::Keys, _) => self.parsed(&[byte]),
            (Place::Escape, b']' | b'P' | b'_' | b'^' | b'X') => {
                self.place = Place::Answer;
                Vec::new()
            }
            // The first of two was the key.
            (Place::Escape, 0x1b) => vec![What::Key(Key::Esc)],
            (Place::Escape, _) => {
                self.place = Place::Keys;
                self.parsed(&[0x1b, byte])
            }
            (Place::Answer, 0x07) | (Place::AnswerEscape, b'\\') => {
                self.place = Place::Keys;
                Vec::new()
            }
            (Place::Answer | Place::AnswerEscape, 0x1b) => {
                self.place = Place::AnswerEscape;
                Vec::new()
            }
            (Place::Answer | Place::AnswerEscape, _) => {
                self.place = Place::Answer;
                Vec::new()
            }
        }
    }

    fn parsed(&mut self, bytes: &[u8]) -> Vec<What> {
        self.parser.parse(bytes, true);
        self.popped()
    }

    fn popped(&mut self) -> Vec<What> {
        let mut all = Vec::new();
        while let Some(event) = self.parser.pop() {
            match event {
                Event::Key(key) => all.extend(read(key).map(What::Key)),
                Event::Paste(text) => all.push(What::Paste(text)),
                // What the terminal tells of itself.
                Event::Mouse(_)
                | Event::WindowResized(_)
                | Event::FocusIn
                | Event::FocusOut
                | Event::Csi(_)
                | Event::Osc(_)
                | Event::Dcs(_) => {}
            }
        }
        all
    }
}

/// Reads a key; releases and keys that nothing here uses are none.
fn read(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let key = match event.code {
        KeyCode::Char(c) if event.modifiers.contains(Modifiers::CONTROL) => Key::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(_) if event.modifiers.contains(Modifiers::ALT) => return None,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Escape => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Insert
        | KeyCode::KeypadBegin
        | KeyCode::CapsLock
        | KeyCode::ScrollLock
        | KeyCode::NumLock
        | KeyCode::PrintScreen
        | KeyCode::Pause
        | KeyCode::Menu
        | KeyCode::Null
        | KeyCode::Function(_)
        | KeyCode::Modifier(_)
        | KeyCode::Media(_) => return None,
    };
    Some(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a run of pieces gives, each after a pause that is short, and all of it after a long one.
    fn given(pieces: &[&[u8]]) -> Vec<What> {
        let mut bytes = Bytes::new();
        let mut all: Vec<What> = pieces.iter().flat_map(|piece| bytes.take(piece)).collect();
        all.extend(bytes.silence());
        all
    }

    fn keys(pieces: &[&[u8]]) -> String {
        let mut words = Vec::new();
        for what in given(pieces) {
            if let What::Key(key) = what {
                words.push(key.to_string());
            } else if let What::Paste(text) = what {
                words.push(format!("<{text}>"));
            } else {
                panic!("{what:?} is no key");
            }
        }
        words.join(" ")
    }

    #[test]
    fn keys_are_read_whole_however_they_are_cut() {
        assert_eq!(keys(&[b"ay\r\t\x7f\x03"]), "a y Enter Tab Backspace Ctrl-c");
        assert_eq!(
            keys(&[b"\x1b[A\x1b[B\x1bOC\x1b[D\x1b[H\x1b[F\x1b[5~\x1b[6~\x1b[3~\x1b[Z"]),
            "Up Down Right Left Home End PgUp PgDn Delete Shift-Tab"
        );
        assert_eq!(keys(&[b"\x1b", b"[", b"A", b"j"]), "Up j");
        assert_eq!(keys(&["ä".as_bytes().split_at(1).0, "ä".as_bytes().split_at(1).1]), "ä");
        assert_eq!(keys(&[b"a", b"\x1b"]), "a Esc");
        assert_eq!(keys(&[b"\x1b\x1b"]), "Esc Esc");
    }

    #[test]
    fn a_terminals_answers_are_no_keys_whenever_they_come() {
        let answers: [&[u8]; 6] = [
            b"\x1b]11;rgb:1010/1212/1414\x07",
            b"\x1b]11;rgb:1010/1212/1414\x1b\\",
            b"\x1bP>|tmux 3.3a\x1b\\",
            b"\x1b_Gi=31;OK\x1b\\",
            b"\x1b[?62;22c",
            b"\x1b[12;40R",
        ];
        for answer in answers {
            assert_eq!(keys(&[answer, b"j"]), "j", "{answer:?}");
            let cut: Vec<&[u8]> = answer.chunks(1).chain([&b"j"[..]]).collect();
            assert_eq!(keys(&cut), "j", "{answer:?}, byte by byte");
        }
    }

    #[test]
    fn an_answer_that_breaks_off_holds_up_no_key_for_long() {
        let mut bytes = Bytes::new();
        assert!(bytes.take(b"\x1b]11;rgb").is_empty());
        assert_eq!(bytes.patience(), Some(ANSWER));
        assert!(bytes.silence().is_empty());
        assert_eq!(bytes.patience(), None);
        assert!(matches!(bytes.take(b"j").as_slice(), [What::Key(Key::Char('j'))]));
    }

    #[test]
    fn a_paste_is_one_thing_and_one_that_never_ends_is_none() {
        assert_eq!(keys(&[b"\x1b[200~a y\x1b[201~j"]), "<a y> j");
        assert_eq!(keys(&[b"\x1b[200~a", b" y\x1b[20", b"1~j"]), "<a y> j");
        assert_eq!(keys(&[b"\x1b[200~a\x1b]11;x\x07y\x1b[201~"]), "<a\x1b]11;x\x07y>", "nothing in it is an answer");
        let mut bytes = Bytes::new();
        assert!(bytes.take(b"\x1b[200~*ay").is_empty());
        assert_eq!(bytes.patience(), Some(PASTE));
        assert!(bytes.silence().is_empty());
        assert!(matches!(bytes.take(b"j").as_slice(), [What::Key(Key::Char('j'))]));
    }

    #[test]
    fn a_paste_beyond_the_bound_is_cut_and_nothing_of_it_becomes_a_key() {
        let mut bytes = Bytes::new();
        let mut all = bytes.take(PASTE_BEGINS);
        for _ in 0..20 {
            all.extend(bytes.take(&[b'y'; 64 * 1024]));
        }
        all.extend(bytes.take(PASTE_ENDS));
        all.extend(bytes.take(b"j"));
        match all.as_slice() {
            [What::Paste(text), What::Key(Key::Char('j'))] => assert!(text.len() == PASTE_MAX, "{}", text.len()),
            other => panic!("{} things", other.len()),
        }
    }

    #[test]
    fn keys_with_alt_are_none() {
        assert_eq!(keys(&[b"\x1ba"]), "");
    }

    proptest! {
        #[test]
        fn no_bytes_break_it_and_silence_ends_everything(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..12),
        ) {
            let mut bytes = Bytes::new();
            for piece in &pieces {
                bytes.take(piece);
            }
            bytes.silence();
            prop_assert_eq!(bytes.patience(), None);
            let after = bytes.take(b"j");
            prop_assert!(matches!(after.as_slice(), [What::Key(Key::Char('j'))]));
        }
    }
}
