//! A hand that presses keys, before a model whose desk is the fixture's agency.
//!
//! Decided here: how time passes between keys and how the desk's answers come in. What the desk says is the fixture's.

use desk::Command;
use domain::time::Span;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fixture::{Agency, NOW, time};
use crate::key::Key;
use crate::message::{Ask, Effects, Message, Moment, What};
use crate::model::Model;
use crate::{Options, update, view};

/// A model, the desk it speaks to, and a hand on the keys.
pub(super) struct Play {
    pub(super) model: Model,
    pub(super) agency: Agency,
    pub(super) acts: Vec<Command>,
    pub(super) real_ms: u64,
    /// The desk answers; a silent one keeps questions for later.
    pub(super) desk_answers: bool,
    held: Vec<Ask>,
    pub(super) last: Effects,
}

impl Play {
    pub(super) fn new(agency: Agency, width: u16, height: u16) -> Self {
        Self::with(agency, &Options::default(), width, height)
    }

    pub(super) fn with(agency: Agency, options: &Options, width: u16, height: u16) -> Self {
        let options = Options { zone: "Europe/Lisbon".parse().unwrap(), ..options.clone() };
        let at = Moment { real_ms: 0, wall: time(NOW) };
        let model = Model::new(&options, at, (width, height)).unwrap();
        let mut play = Self {
            model,
            agency,
            acts: Vec::new(),
            real_ms: 0,
            desk_answers: true,
            held: Vec::new(),
            last: Effects::default(),
        };
        play.put(What::Start);
        play
    }

    /// Opens the dashboard so many milliseconds after the story began.
    pub(super) fn later(agency: Agency, options: &Options, ms: u64) -> Self {
        let options = Options { zone: "Europe/Lisbon".parse().unwrap(), ..options.clone() };
        let wall = time(NOW).plus(Span::from_micros(i64::try_from(ms).unwrap() * 1_000));
        let model = Model::new(&options, Moment { real_ms: ms, wall }, (100, 30)).unwrap();
        let (acts, held, last) = (Vec::new(), Vec::new(), Effects::default());
        let mut play = Self { model, agency, acts, real_ms: ms, desk_answers: true, held, last };
        play.put(What::Start);
        play
    }

    fn moment(&self) -> Moment {
        let wall = time(NOW).plus(Span::from_micros(i64::try_from(self.real_ms).unwrap() * 1_000));
        Moment { real_ms: self.real_ms, wall }
    }

    /// Takes a message in, and all that the desk answers to it.
    pub(super) fn put(&mut self, what: What) {
        let mut inbox = vec![what];
        let mut first = true;
        while let Some(what) = inbox.pop() {
            let at = self.moment();
            let effects = update(&mut self.model, Message { at, what });
            self.held.extend(effects.asks.iter().cloned());
            if self.desk_answers {
                for ask in self.held.drain(..) {
                    let answer = self.agency.told(&ask);
                    inbox.insert(0, What::Answered(ask, Box::new(answer)));
                }
            }
            for (number, command) in &effects.acts {
                self.acts.push(command.clone());
                if self.desk_answers {
                    let done = self.agency.act(command);
                    inbox.insert(0, What::Acted(*number, Box::new(done)));
                }
            }
            if first {
                self.last = effects;
                first = false;
            }
        }
    }

    /// Lets real time pass.
    pub(super) fn wait(&mut self, ms: u64) -> &mut Self {
        self.real_ms += ms;
        self.put(What::Tick);
        self
    }

    /// Presses keys, named as the keymap names them, with time to look in between.
    pub(super) fn keys(&mut self, names: &str) -> &mut Self {
        for name in names.split(' ') {
            self.wait(400);
            self.key(key(name));
        }
        self
    }

    /// Presses a key at once.
    pub(super) fn key(&mut self, key: Key) {
        self.put(What::Key(key));
    }

    /// Types a text.
    pub(super) fn type_text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.key(Key::Char(c));
        }
        self
    }

    /// Tells of the events that the agency has had since.
    pub(super) fn tell_news(&mut self) {
        let events = self.agency.events.clone();
        self.put(What::News(events));
        self.wait(150);
    }

    pub(super) fn buffer(&self) -> Buffer {
        let area = Rect::new(0, 0, self.model.size.width, self.model.size.height);
        let mut buffer = Buffer::empty(area);
        view(&self.model, area, &mut buffer);
        buffer
    }

    /// Returns the screen as text.
    pub(super) fn text(&self) -> String {
        text_of(&self.buffer())
    }

    pub(super) fn resize(&mut self, width: u16, height: u16) {
        self.put(What::Resize(width, height));
    }
}

/// Returns a buffer as text, a line a row, without spaces at the ends.
pub(super) fn text_of(buffer: &Buffer) -> String {
    use unicode_width::UnicodeWidthStr;
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer.cell((x, y)).unwrap().symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = symbol.width().saturating_sub(1);
            row.push_str(symbol);
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// Reads the name of a key.
pub(super) fn key(name: &str) -> Key {
    match name {
        "Enter" => Key::Enter,
        "Esc" => Key::Esc,
        "Tab" => Key::Tab,
        "Space" => Key::Char(' '),
        "Up" => Key::Up,
        "Down" => Key::Down,
        "Left" => Key::Left,
        "Right" => Key::Right,
        "PgDn" => Key::PageDown,
        "PgUp" => Key::PageUp,
        "Delete" => Key::Delete,
        "Backspace" => Key::Backspace,
        _ => match name.strip_prefix("Ctrl-") {
            Some(letter) => Key::Ctrl(letter.chars().next().unwrap()),
            None => Key::Char(name.chars().next().unwrap()),
        },
    }
}
