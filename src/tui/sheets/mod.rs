//! Sheets: what stands between a key and an act that raises exposure, and whatever else is asked for a moment.
//!
//! Decides the one stack they stand in, that they hang from the bottom over a page that stepped back, and that a sheet
//! which confirms takes its key only after it could be seen (real time, line delay added). What each does is `update`'s.

mod answer;
pub(crate) mod approve;
mod ask;
mod decide;
pub(crate) mod pictures;
pub(crate) mod search;
mod signoff;
mod why;

use domain::hold::Hold;
use domain::id::{AccountId, ExperimentId, LearningId};
use ratatui::layout::Rect;
use tui_input::Input;

use crate::clean::Clean;
use crate::frame::Class;
use crate::keymap::Scope;
use crate::line::{Line, Look};
use crate::model::Model;
use crate::morning::view::split;
use crate::pen::{Pen, text_width};
use crate::theme::Role;

pub(crate) use answer::{Answering, Hand};
pub(crate) use approve::Approve;
pub(crate) use ask::stoppables;
pub(crate) use decide::{Deciding, Mislead, Typing};
pub(crate) use search::Search;
pub(crate) use signoff::SignOff;
pub(crate) use why::Subject;

/// How long a sheet must have been on the screen before it takes a key, the line's delay apart.
pub(crate) const GUARD_MS: u64 = 350;

/// A sheet.
#[derive(Debug, Clone)]
pub(crate) enum Sheet {
    Approve(Approve),
    Refuse(Refuse),
    Stop(Stop),
    Resume(Reasoned<Resume>),
    Answer(Answering),
    Decide(Deciding),
    Mislead(Mislead),
    Retract(Reasoned<LearningId>),
    Hand(Hand),
    SignOff(SignOff),
    Why(Why),
    Pictures(Pictures),
    /// What was said, newest first, from a line on.
    Messages(usize),
    Help(Search),
    Palette(Search),
    Leave,
}

/// A refusal, before its reason is chosen.
#[derive(Debug, Clone)]
pub(crate) struct Refuse {
    pub(crate) experiment: ExperimentId,
    pub(crate) words: Input,
    pub(crate) typing: bool,
    /// The reason is none of the list: what is typed is the reason.
    pub(crate) other: bool,
}

/// What may be stopped from here.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    pub(crate) experiment: Option<ExperimentId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) name: Input,
}

/// What is to go on.
#[derive(Debug, Clone)]
pub(crate) struct Resume {
    pub(crate) target: desk::Stoppable,
    pub(crate) name: String,
    /// What stops it, as the sheet shows it: these end, and what comes meanwhile stays. Empty while that is not known.
    pub(crate) holds: Vec<Hold>,
}

/// Something that needs a sentence, then a key.
#[derive(Debug, Clone)]
pub(crate) struct Reasoned<T> {
    pub(crate) what: T,
    pub(crate) text: Input,
    pub(crate) typing: bool,
    pub(crate) shown_ms: u64,
}

impl<T> Reasoned<T> {
    pub(crate) fn new(what: T, now_ms: u64) -> Self {
        Self { what, text: Input::default(), typing: true, shown_ms: now_ms }
    }
}

/// Why something is as it is.
#[derive(Debug, Clone)]
pub(crate) struct Why {
    pub(crate) subject: Subject,
    pub(crate) top: usize,
}

/// The pictures of an item, one at a time.
#[derive(Debug, Clone)]
pub(crate) struct Pictures {
    pub(crate) experiment: ExperimentId,
    /// Which one, from 0.
    pub(crate) at: usize,
}

/// The reasons of a refusal: statistics need the list, people need the words.
pub(crate) const REASONS: [&str; 6] = ["off brand", "claim risk", "wrong asset", "weak test", "timing", "other"];

/// The number of the last of them, which says nothing without words.
pub(crate) const OTHER: u8 = 6;

impl Sheet {
    /// Returns the scopes that hold while it is on top.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        let calm = |scope| vec![scope, Scope::Rows, Scope::Guide, Scope::Always];
        let typed = |scope| vec![scope, Scope::Always];
        match self {
            Self::Approve(_) => calm(Scope::ApproveSheet),
            Self::SignOff(SignOff { typing: false, .. }) => calm(Scope::SignSheet),
            Self::Refuse(Refuse { typing: true, .. })
            | Self::SignOff(SignOff { typing: true, .. })
            | Self::Resume(Reasoned { typing: true, .. })
            | Self::Retract(Reasoned { typing: true, .. })
            | Self::Decide(Deciding { typing: Typing::Reason | Typing::Learning, .. })
            | Self::Answer(Answering { typing: true, .. }) => typed(Scope::Field),
            Self::Refuse(_) => vec![Scope::RefuseSheet, Scope::Guide, Scope::Always],
            Self::Resume(_) => vec![Scope::ResumeSheet, Scope::Guide, Scope::Always],
            Self::Answer(_) => calm(Scope::AnswerSheet),
            Self::Hand(_) => vec![Scope::HandSheet, Scope::Guide, Scope::Always],
            Self::Decide(_) => calm(Scope::DecideSheet),
            Self::Mislead(_) => calm(Scope::MisleadSheet),
            Self::Retract(_) => vec![Scope::RetractSheet, Scope::Guide, Scope::Always],
            Self::Stop(stop) if stop.name.value().is_empty() => typed(Scope::StopSheet),
            Self::Stop(_) => typed(Scope::Field),
            Self::Why(_) | Self::Messages(_) => calm(Scope::WhySheet),
            Self::Pictures(_) => vec![Scope::PictureSheet, Scope::Guide, Scope::Always],
            Self::Help(_) => typed(Scope::HelpSheet),
            Self::Palette(_) => typed(Scope::PaletteSheet),
            Self::Leave => vec![Scope::LeaveSheet, Scope::Always],
        }
    }

    /// Returns the field that takes what is typed, if one does.
    pub(crate) fn field(&mut self) -> Option<&mut Input> {
        match self {
            Self::Refuse(refuse) if refuse.typing => Some(&mut refuse.words),
            Self::Resume(resume) if resume.typing => Some(&mut resume.text),
            Self::Answer(answer) if answer.typing => Some(&mut answer.text),
            Self::Retract(retract) if retract.typing => Some(&mut retract.text),
            Self::Decide(decide) => match decide.typing {
                Typing::Nothing => None,
                Typing::Reason => Some(&mut decide.reason),
                Typing::Learning => decide.learning.as_mut(),
            },
            Self::SignOff(sign) if sign.typing => Some(&mut sign.note),
            Self::Stop(stop) => Some(&mut stop.name),
            Self::Help(search) | Self::Palette(search) => Some(&mut search.query),
            Self::Approve(_)
            | Self::SignOff(_)
            | Self::Refuse(_)
            | Self::Resume(_)
            | Self::Answer(_)
            | Self::Mislead(_)
            | Self::Retract(_)
            | Self::Hand(_)
            | Self::Why(_)
            | Self::Pictures(_)
            | Self::Messages(_)
            | Self::Leave => None,
        }
    }

    /// Returns since when all that it confirms is on the screen; none where it confirms nothing or is not complete.
    pub(crate) fn shown_ms(&self) -> Option<u64> {
        match self {
            Self::Approve(approve) => approve.complete_ms,
            Self::Resume(resume) => Some(resume.shown_ms),
            Self::Answer(answer) => answer.chosen.as_ref().map(|_| answer.shown_ms),
            Self::Decide(decide) => decide.shown.as_ref().and(decide.chosen).map(|_| decide.shown_ms),
            Self::Retract(retract) => Some(retract.shown_ms),
            Self::SignOff(sign) => sign.round.as_ref().map(|_| sign.shown_ms),
            Self::Refuse(_)
            | Self::Stop(_)
            | Self::Mislead(_)
            | Self::Hand(_)
            | Self::Why(_)
            | Self::Pictures(_)
            | Self::Messages(_)
            | Self::Help(_)
            | Self::Palette(_)
            | Self::Leave => None,
        }
    }
}

/// Returns the real moment from which a sheet takes the key that confirms it.
pub(crate) fn ready_ms(model: &Model, sheet: &Sheet) -> Option<u64> {
    let seen = sheet.shown_ms()?.max(model.guard_from_ms);
    (model.size.class() != Class::TooSmall)
        .then(|| seen.saturating_add(GUARD_MS).saturating_add(model.setting.line_delay_ms))
}

/// Tells whether a sheet takes the key that confirms it now.
pub(crate) fn is_ready(model: &Model, sheet: &Sheet) -> bool {
    ready_ms(model, sheet).is_some_and(|ready| model.now.real_ms >= ready)
}

/// Returns how many lines of a sheet that signs were not on the screen yet; none of the others are counted.
pub(crate) fn unread(model: &Model, sheet: &Sheet) -> usize {
    match sheet {
        Sheet::SignOff(sign) => extent(model, sheet).0.saturating_sub(sign.reached),
        Sheet::Approve(_)
        | Sheet::Refuse(_)
        | Sheet::Stop(_)
        | Sheet::Resume(_)
        | Sheet::Answer(_)
        | Sheet::Decide(_)
        | Sheet::Mislead(_)
        | Sheet::Retract(_)
        | Sheet::Hand(_)
        | Sheet::Why(_)
        | Sheet::Pictures(_)
        | Sheet::Messages(_)
        | Sheet::Help(_)
        | Sheet::Palette(_)
        | Sheet::Leave => 0,
    }
}

/// What a sheet shows: title, lines that scroll, lines that stay at its foot.
pub(crate) struct Content {
    pub(crate) title: Clean,
    pub(crate) aside: Clean,
    pub(crate) lines: Vec<Line>,
    pub(crate) foot: Vec<Line>,
    pub(crate) top: usize,
}

fn content(model: &Model, sheet: &Sheet, width: usize, room: usize) -> Content {
    match sheet {
        Sheet::Approve(approve) => approve::content(model, sheet, approve, width),
        Sheet::Refuse(refuse) => ask::refuse(model, refuse),
        Sheet::Stop(stop) => ask::stop(model, stop),
        Sheet::Resume(resume) => ask::resume(model, sheet, resume, width),
        Sheet::Answer(answer) => answer::content(model, sheet, answer, width),
        Sheet::Hand(hand) => answer::hand(model, hand, width),
        Sheet::Decide(decide) => decide::decide(model, sheet, decide, width),
        Sheet::Mislead(mislead) => decide::mislead(model, mislead, width),
        Sheet::Retract(retract) => ask::retract(model, sheet, retract, width),
        Sheet::SignOff(sign) => signoff::content(model, sheet, sign, width),
        Sheet::Why(why) => why::content(model, why, width),
        Sheet::Messages(top) => why::messages(model, *top, width),
        Sheet::Pictures(open) => pictures::content(model, open, width, room),
        Sheet::Help(search) => search::help(model, search, room),
        Sheet::Palette(search) => search::palette(model, search, room),
        Sheet::Leave => ask::leave(model),
    }
}

/// Returns how many lines of a sheet scroll, and how many of them fit.
pub(crate) fn extent(model: &Model, sheet: &Sheet) -> (usize, usize) {
    let area = model.size.content();
    let room = usize::from(area.height);
    let content = content(model, sheet, text_width(area), room);
    (content.lines.len(), room.saturating_sub(2 + content.foot.len()))
}

/// Draws a sheet at the bottom of the page.
pub(crate) fn draw(model: &Model, sheet: &Sheet, pen: &mut Pen<'_>, area: Rect) {
    let room = usize::from(area.height);
    let content = content(model, sheet, text_width(area), room);
    let fixed = 2 + content.foot.len();
    let height = (content.lines.len() + fixed).min(room);
    let (_, below) = split(area, room - height);
    let fit = height.saturating_sub(fixed);
    let top = content.top.min(content.lines.len().saturating_sub(fit));
    let hidden = content.lines.len().saturating_sub(top + fit);
    let aside = match hidden {
        0 => content.aside,
        1 => "1 line below, j reads on".into(),
        n => format!("{n} lines below, j reads on").into(),
    };
    let mut lines = vec![Line::heavy(content.title, aside), Line::new()];
    let air = split(area, (room - height).saturating_sub(1)).1;
    pen.blank(Rect { height: air.height.min(1), ..air });
    lines.extend(content.lines.into_iter().skip(top).take(fit));
    lines.extend(content.foot);
    // What was drawn there before is the page's.
    pen.blank(below);
    pen.lines(below, &lines);
    if let Sheet::Pictures(open) = sheet {
        for placed in pictures::block(model, open, text_width(area), room).placed {
            crate::approval::view::draw_picture(model, pen, below, &placed, 2);
        }
    }
}

/// A field with what was typed; the cursor is drawn, not the terminal's own.
pub(crate) fn field_line(label: &'static str, field: &Input, typing: bool) -> Line {
    let line = Line::new().key(label).plain(" ");
    if !typing {
        return line.plain(field.value().to_owned());
    }
    let before: String = field.value().chars().take(field.cursor()).collect();
    let after: String = field.value().chars().skip(field.cursor()).collect();
    line.plain(before).put("_", Look::bold(Role::Accent)).plain(after)
}

/// The foot of a sheet that confirms: the key, in accent once it works, and the way out.
pub(crate) fn confirm_foot(
    model: &Model,
    sheet: &Sheet,
    key: (String, String),
    dismiss: (String, &'static str),
) -> Vec<Line> {
    let ready = is_ready(model, sheet);
    let line = if ready {
        Line::new().key(key.0).plain("  ").bold(key.1)
    } else {
        Line::new().muted(key.0).plain("  ").muted(key.1)
    };
    let at = line.end().max(20) + 4;
    vec![Line::new(), line.goto(at).key(dismiss.0).plain("  ").muted(dismiss.1)]
}
