//! The keymap: one table of where which key means what, in which words.
//!
//! Decides every key of the dashboard. Hint bar, help, palette and tests read this table; nothing else spells a key.
//! Whether an intent is possible now, and if not why, is `can`'s business; what it does is `update`'s.
//!
//! Invariants, held by tests: no key twice where both could be meant; nothing destroys on `d`, Delete, Backspace or with
//! Ctrl; what does not exist has no key.

use crate::key::Key;

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    /// In every pane.
    Anywhere,
    /// Where there are rows or pages.
    Rows,
    /// A round, whatever the step.
    Round,
    /// Midday, step 1.
    Posts,
    /// The steps of the end of the day.
    Outcomes,
    /// What a person must settle: Escalations, Morning's first step.
    Alerts,
    /// Morning, step 3.
    Queue,
    /// One item of the queue, whole.
    Approval,
    /// The list of experiments.
    Experiments,
    /// One experiment, by stage.
    Detail,
    /// Layers.
    Layers,
    /// Accounts.
    Accounts,
    /// Memory.
    Memory,
    /// System.
    System,
    /// The sheet before an approval.
    ApproveSheet,
    /// The sheet of a refusal.
    RefuseSheet,
    /// The stop sheet.
    StopSheet,
    /// The sheet before going on.
    ResumeSheet,
    /// The sheet before a decision.
    DecideSheet,
    /// What could mislead about an outcome.
    MisleadSheet,
    /// The sheet before a learning is retracted.
    RetractSheet,
    /// The answers to an alert.
    AnswerSheet,
    /// To whom an alert is handed.
    HandSheet,
    /// The sheet before a round is signed.
    SignSheet,
    /// Why it is like this.
    WhySheet,
    /// The pictures of an item.
    PictureSheet,
    /// Every key that is valid.
    HelpSheet,
    /// Everything by name.
    PaletteSheet,
    /// Before leaving.
    LeaveSheet,
    /// In every pane of the demo.
    Demo,
    /// While something is typed.
    Field,
    /// Wherever help can be asked for.
    Guide,
    /// Whatever stands on top.
    Always,
}

impl Scope {
    /// Returns what the place is called in the help.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Anywhere | Self::Guide | Self::Always => "everywhere",
            Self::Rows => "rows and pages",
            Self::Round => "the round",
            Self::Posts => "posts",
            Self::Outcomes => "outcomes",
            Self::Alerts => "alerts",
            Self::Queue => "queue",
            Self::Approval => "one item",
            Self::Experiments => "experiments",
            Self::Detail => "one experiment",
            Self::Layers => "Layers",
            Self::Accounts => "Accounts",
            Self::Memory => "Memory",
            Self::System => "System",
            Self::ApproveSheet
            | Self::RefuseSheet
            | Self::StopSheet
            | Self::ResumeSheet
            | Self::DecideSheet
            | Self::MisleadSheet
            | Self::RetractSheet
            | Self::AnswerSheet
            | Self::HandSheet
            | Self::SignSheet
            | Self::WhySheet
            | Self::PictureSheet
            | Self::HelpSheet
            | Self::PaletteSheet
            | Self::LeaveSheet => "this sheet",
            Self::Demo => "the demo",
            Self::Field => "typing",
        }
    }
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Intent {
    PaneMorning,
    PaneMidday,
    PaneEndOfDay,
    PaneExperiments,
    PaneLayers,
    PaneAccounts,
    PaneEscalations,
    PaneMemory,
    PaneSystem,
    Help,
    Palette,
    Filter,
    Scope,
    NextNeed,
    PreviousNeed,
    Back,
    Undo,
    StopSheet,
    Why,
    NewRows,
    Redraw,
    Suspend,
    Cancel,
    Up,
    Leave,
    RowDown,
    RowUp,
    RowFirst,
    RowLast,
    PageDown,
    PageUp,
    Open,
    Next,
    Previous,
    Act,
    Refuse,
    Mark,
    MarkRun,
    MarkClean,
    Later,
    Unfold,
    Fold,
    Pictures,
    Take,
    HandOver,
    Mislead,
    Learning,
    SignOff,
    Pause,
    Faster,
    Slower,
    StartEngine,
    Confirm,
    Dismiss,
    Words,
    Choice(u8),
    Complete,
    Run,
    LeaveAndStop,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) scope: Scope,
    pub(crate) keys: &'static [Key],
    pub(crate) intent: Intent,
    /// For the hint bar.
    pub(crate) label: &'static str,
    /// For help and palette.
    pub(crate) sentence: &'static str,
    /// Whether the hint bar shows it; the bar takes them in the table's order.
    pub(crate) hint: bool,
}

const fn shown(
    scope: Scope,
    keys: &'static [Key],
    intent: Intent,
    label: &'static str,
    sentence: &'static str,
) -> Binding {
    Binding { scope, keys, intent, label, sentence, hint: true }
}

const fn quiet(
    scope: Scope,
    keys: &'static [Key],
    intent: Intent,
    label: &'static str,
    sentence: &'static str,
) -> Binding {
    Binding { scope, keys, intent, label, sentence, hint: false }
}

use Key::{Char, Ctrl, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up};
use Scope as S;

/// The whole table. Within a scope the hint bar keeps this order.
pub(crate) const KEYMAP: &[Binding] = &[
    shown(S::Queue, &[Char('a')], Intent::Act, "approve", "approve the marked items, or the one under the cursor"),
    shown(S::Queue, &[Enter], Intent::Open, "look", "look at the item under the cursor, whole"),
    shown(S::Queue, &[Char(' ')], Intent::Mark, "mark", "mark or unmark the item under the cursor"),
    shown(S::Queue, &[Char('x')], Intent::Refuse, "refuse", "refuse the item under the cursor, with a reason"),
    shown(
        S::Queue,
        &[Char('s')],
        Intent::Later,
        "later",
        "put the item under the cursor off until the next round, or take it up again",
    ),
    shown(S::Queue, &[Char('*')], Intent::MarkClean, "all clean", "mark every clean item, and no other"),
    quiet(S::Queue, &[Char('v')], Intent::Pictures, "pictures", "show the pictures of the item under the cursor"),
    quiet(S::Queue, &[Char('V')], Intent::MarkRun, "mark run", "mark every item from the last mark to the cursor"),
    shown(S::Alerts, &[Char('a')], Intent::Act, "answer", "take the alert under the cursor and choose an answer"),
    shown(S::Alerts, &[Char('m')], Intent::Take, "take", "take the alert under the cursor, or give it back"),
    shown(S::Alerts, &[Char('s')], Intent::Later, "later", "put the alert under the cursor off, as long as it may be"),
    shown(S::Alerts, &[Char('L')], Intent::HandOver, "hand over", "give the alert under the cursor to somebody else"),
    quiet(S::Alerts, &[Enter], Intent::Open, "look", "look at the alert under the cursor, whole"),
    shown(S::Posts, &[Char('a')], Intent::Act, "answer", "take the post under the cursor and choose an answer"),
    shown(S::Posts, &[Enter], Intent::Open, "open", "open the posts of the experiment under the cursor"),
    shown(S::Outcomes, &[Char('a')], Intent::Act, "decide", "open what asks for a decision, with its numbers"),
    shown(S::Outcomes, &[Enter], Intent::Open, "numbers", "open the numbers of the experiment under the cursor"),
    quiet(S::Round, &[Char(']'), Tab], Intent::Next, "next step", "go to the next step of the round"),
    quiet(S::Round, &[Char('[')], Intent::Previous, "step before", "go to the step before"),
    shown(S::Round, &[Char('S')], Intent::SignOff, "sign off", "sign this round off: what is left is shown first"),
    shown(
        S::Approval,
        &[Char('a')],
        Intent::Act,
        "approve",
        "approve this item; what was not on the screen yet comes first",
    ),
    shown(S::Approval, &[Char('x')], Intent::Refuse, "refuse", "refuse this item, with a reason"),
    shown(S::Approval, &[Char('s')], Intent::Later, "later", "put this item off until the next round, or take it up"),
    shown(
        S::Approval,
        &[Char('v')],
        Intent::Pictures,
        "pictures",
        "show the pictures of this item, each as large as fits",
    ),
    shown(S::Approval, &[Char('l'), Right], Intent::Unfold, "unfold", "show what all variants share"),
    quiet(S::Approval, &[Char('h'), Left], Intent::Fold, "fold", "fold what all variants share"),
    shown(S::Approval, &[Char(']'), Tab], Intent::Next, "variant", "show the next test variant beside the control"),
    quiet(S::Approval, &[Char('[')], Intent::Previous, "variant before", "show the test variant before"),
    shown(S::Experiments, &[Enter], Intent::Open, "open", "open the experiment under the cursor"),
    shown(S::Experiments, &[Char('a')], Intent::Act, "main step", "do what the experiment under the cursor waits for"),
    shown(
        S::Experiments,
        &[Char('p')],
        Intent::Pause,
        "pause",
        "pause the experiment under the cursor, or let it go on",
    ),
    shown(S::Detail, &[Char('a')], Intent::Act, "main step", "do what this experiment waits for"),
    shown(
        S::Detail,
        &[Char('m')],
        Intent::Mislead,
        "what misleads",
        "sign what could mislead about what this experiment says",
    ),
    shown(S::Detail, &[Char(']'), Tab, Right], Intent::Next, "next page", "show the next page of this experiment"),
    quiet(S::Detail, &[Char('['), Left], Intent::Previous, "page before", "show the page before"),
    shown(S::Detail, &[Char('p')], Intent::Pause, "pause", "pause this experiment, or let it go on"),
    shown(S::Layers, &[Enter], Intent::Open, "holder", "open the experiment that holds the layer under the cursor"),
    shown(S::Layers, &[Char(']'), Tab, Right], Intent::Next, "next fortnight", "show the fortnight after this one"),
    quiet(S::Layers, &[Char('['), Left], Intent::Previous, "fortnight before", "show the fortnight before"),
    shown(
        S::Accounts,
        &[Char('p')],
        Intent::Pause,
        "pause",
        "pause the account under the cursor at once, or let it go on",
    ),
    shown(S::Accounts, &[Char('a')], Intent::Act, "mend", "mend the account under the cursor: let it go on, or log in"),
    shown(S::Memory, &[Enter], Intent::Open, "experiment", "open the experiment that taught this"),
    shown(S::Memory, &[Char('x')], Intent::Refuse, "retract", "say why the learning under the cursor no longer counts"),
    shown(S::System, &[Char('a')], Intent::StartEngine, "start engine", "start the engine in a session of its own"),
    shown(
        S::System,
        &[Char('p')],
        Intent::Pause,
        "let all go on",
        "let everything go on while all of it is stopped, with a reason",
    ),
    shown(
        S::Anywhere,
        &[Char('w')],
        Intent::Why,
        "why",
        "say why it is like this: what happened, what was done, what can be done",
    ),
    shown(S::Anywhere, &[Char('u')], Intent::Undo, "undo", "take your own last act back"),
    shown(S::Anywhere, &[Char('r')], Intent::NewRows, "new rows", "let new rows in, and those out that are over"),
    shown(
        S::Anywhere,
        &[Char('n')],
        Intent::NextNeed,
        "next",
        "go to the next thing that needs a person, most urgent first",
    ),
    quiet(S::Anywhere, &[Char('N')], Intent::PreviousNeed, "previous", "go to the thing before that needs a person"),
    quiet(S::Anywhere, &[Ctrl('o')], Intent::Back, "back", "go back to where you were"),
    shown(
        S::Anywhere,
        &[Char('!')],
        Intent::StopSheet,
        "stop",
        "stop this experiment, its account, its client, or everything",
    ),
    shown(S::Anywhere, &[Char('/')], Intent::Filter, "filter", "narrow the list as you type"),
    quiet(S::Anywhere, &[Char('f')], Intent::Scope, "one client", "show one client's things alone, or all again"),
    quiet(S::Anywhere, &[Char(':')], Intent::Palette, "by name", "find a command, a client or an experiment by name"),
    quiet(S::Anywhere, &[Char('1')], Intent::PaneMorning, "Morning", "go to Morning: alerts, layers, queue"),
    quiet(S::Anywhere, &[Char('2')], Intent::PaneMidday, "Midday", "go to Midday: posts, escalations, replies"),
    quiet(S::Anywhere, &[Char('3')], Intent::PaneEndOfDay, "End of day", "go to End of day: outcomes, decisions"),
    quiet(S::Anywhere, &[Char('5')], Intent::PaneExperiments, "Experiments", "go to Experiments: where each one is"),
    quiet(
        S::Anywhere,
        &[Char('6')],
        Intent::PaneLayers,
        "Layers",
        "go to Layers: who holds what, until when, who waits",
    ),
    quiet(S::Anywhere, &[Char('7')], Intent::PaneAccounts, "Accounts", "go to Accounts: how each is, what may go out"),
    quiet(
        S::Anywhere,
        &[Char('8')],
        Intent::PaneEscalations,
        "Escalations",
        "go to Escalations: what a person must settle, and whose it is",
    ),
    quiet(S::Anywhere, &[Char('9')], Intent::PaneMemory, "Memory", "go to Memory: what was learned, found as you type"),
    quiet(S::Anywhere, &[Char('0')], Intent::PaneSystem, "System", "go to System: the engine, people, last events"),
    quiet(S::Demo, &[Char('+')], Intent::Faster, "faster", "let the agency's clock run faster, or go on"),
    quiet(S::Demo, &[Char('-')], Intent::Slower, "slower", "let the agency's clock run slower, down to standing still"),
    quiet(S::Guide, &[Char('?')], Intent::Help, "help", "list every key that is valid here; type to search"),
    quiet(S::Anywhere, &[Esc, Char('q')], Intent::Up, "up", "go one level up, widen a narrowed list, take marks off"),
    quiet(S::Always, &[Ctrl('l')], Intent::Redraw, "redraw", "draw the whole screen anew"),
    quiet(S::Always, &[Ctrl('z')], Intent::Suspend, "suspend", "suspend the dashboard; the engine goes on"),
    quiet(S::Always, &[Ctrl('c')], Intent::Cancel, "cancel", "cancel what is begun; twice with nothing begun: leave"),
    quiet(S::Rows, &[Char('j'), Down], Intent::RowDown, "down", "one row down"),
    quiet(S::Rows, &[Char('k'), Up], Intent::RowUp, "up", "one row up"),
    quiet(S::Rows, &[Char('g'), Home], Intent::RowFirst, "first", "to the first row"),
    quiet(S::Rows, &[Char('G'), End], Intent::RowLast, "last", "to the last row"),
    quiet(S::Rows, &[Ctrl('d'), PageDown], Intent::PageDown, "page down", "a page down"),
    quiet(S::Rows, &[Ctrl('u'), PageUp], Intent::PageUp, "page up", "a page up"),
    quiet(S::ApproveSheet, &[Char('y')], Intent::Confirm, "approve", "give your word for exactly this"),
    quiet(S::ApproveSheet, &[Esc, Char('q')], Intent::Dismiss, "do nothing", "close the sheet; nothing is approved"),
    quiet(S::SignSheet, &[Char('y')], Intent::Confirm, "sign", "sign for exactly this"),
    quiet(S::SignSheet, &[Char('e')], Intent::Words, "note", "write the note"),
    quiet(S::SignSheet, &[Esc, Char('q')], Intent::Dismiss, "not yet", "close the sheet; nothing is signed"),
    quiet(S::RefuseSheet, &[Char('1')], Intent::Choice(1), "off brand", "refuse: off brand"),
    quiet(S::RefuseSheet, &[Char('2')], Intent::Choice(2), "claim risk", "refuse: claim risk"),
    quiet(S::RefuseSheet, &[Char('3')], Intent::Choice(3), "wrong asset", "refuse: wrong asset"),
    quiet(S::RefuseSheet, &[Char('4')], Intent::Choice(4), "weak test", "refuse: weak test"),
    quiet(S::RefuseSheet, &[Char('5')], Intent::Choice(5), "timing", "refuse: timing"),
    quiet(S::RefuseSheet, &[Char('6')], Intent::Choice(6), "other", "refuse: other, in your words"),
    quiet(S::RefuseSheet, &[Char('e')], Intent::Words, "add words", "add words to the reason, then choose it"),
    quiet(S::RefuseSheet, &[Esc, Char('q')], Intent::Dismiss, "do nothing", "close the sheet; nothing is refused"),
    quiet(S::StopSheet, &[Char('1')], Intent::Choice(1), "this experiment", "stop this experiment at once"),
    quiet(S::StopSheet, &[Char('2')], Intent::Choice(2), "its account", "stop its account at once"),
    quiet(S::StopSheet, &[Char('3')], Intent::Choice(3), "its client", "stop its client at once"),
    quiet(S::StopSheet, &[Char('4')], Intent::Choice(4), "everything", "stop everything at once"),
    quiet(S::StopSheet, &[Enter], Intent::Run, "stop the named", "stop what was typed"),
    quiet(S::StopSheet, &[Esc], Intent::Dismiss, "do nothing", "close the sheet; nothing is stopped"),
    quiet(S::ResumeSheet, &[Char('y')], Intent::Confirm, "go on", "let it go on"),
    quiet(S::ResumeSheet, &[Char('e'), Enter], Intent::Words, "the reason", "type the reason"),
    quiet(S::ResumeSheet, &[Esc, Char('q')], Intent::Dismiss, "do nothing", "close the sheet; it stays stopped"),
    quiet(S::AnswerSheet, &[Char('y')], Intent::Confirm, "give it", "give the answer that is chosen"),
    quiet(S::AnswerSheet, &[Char('1')], Intent::Choice(1), "first answer", "choose the first answer"),
    quiet(S::AnswerSheet, &[Char('2')], Intent::Choice(2), "second answer", "choose the second answer"),
    quiet(S::AnswerSheet, &[Char('3')], Intent::Choice(3), "third answer", "choose the third answer"),
    quiet(S::AnswerSheet, &[Char('4')], Intent::Choice(4), "fourth answer", "choose the fourth answer"),
    quiet(S::AnswerSheet, &[Char('5')], Intent::Choice(5), "fifth answer", "choose the fifth answer"),
    quiet(S::AnswerSheet, &[Char('6')], Intent::Choice(6), "sixth answer", "choose the sixth answer"),
    quiet(S::AnswerSheet, &[Char('e'), Enter], Intent::Words, "words", "type what the answer needs, or a note"),
    quiet(S::AnswerSheet, &[Esc, Char('q')], Intent::Dismiss, "do nothing", "close the sheet; it stays open"),
    quiet(S::HandSheet, &[Char('1')], Intent::Choice(1), "the first", "hand it to the first of them"),
    quiet(S::HandSheet, &[Char('2')], Intent::Choice(2), "the second", "hand it to the second of them"),
    quiet(S::HandSheet, &[Char('3')], Intent::Choice(3), "the third", "hand it to the third of them"),
    quiet(S::HandSheet, &[Char('4')], Intent::Choice(4), "the fourth", "hand it to the fourth of them"),
    quiet(S::HandSheet, &[Char('5')], Intent::Choice(5), "the fifth", "hand it to the fifth of them"),
    quiet(S::HandSheet, &[Char('6')], Intent::Choice(6), "the sixth", "hand it to the sixth of them"),
    quiet(S::HandSheet, &[Char('7')], Intent::Choice(7), "the seventh", "hand it to the seventh of them"),
    quiet(S::HandSheet, &[Char('8')], Intent::Choice(8), "the eighth", "hand it to the eighth of them"),
    quiet(S::HandSheet, &[Char('9')], Intent::Choice(9), "the ninth", "hand it to the ninth of them"),
    quiet(S::HandSheet, &[Esc, Char('q')], Intent::Dismiss, "do nothing", "close the sheet; it stays as it is"),
    quiet(S::DecideSheet, &[Char('y')], Intent::Confirm, "decide", "give this decision"),
    quiet(S::DecideSheet, &[Char('1')], Intent::Choice(1), "first", "choose the first decision"),
    quiet(S::DecideSheet, &[Char('2')], Intent::Choice(2), "second", "choose the second decision"),
    quiet(S::DecideSheet, &[Char('3')], Intent::Choice(3), "third", "choose the third decision"),
    quiet(S::DecideSheet, &[Char('e'), Enter], Intent::Words, "why", "type why"),
    quiet(S::DecideSheet, &[Char('l')], Intent::Learning, "what is remembered", "edit the sentence that is remembered"),
    quiet(S::DecideSheet, &[Char('m')], Intent::Mislead, "what misleads", "sign what could mislead"),
    quiet(S::DecideSheet, &[Esc, Char('q')], Intent::Dismiss, "do nothing", "close the sheet; nothing is decided"),
    quiet(S::MisleadSheet, &[Char('1')], Intent::Choice(1), "explains nothing", "sign that it explains nothing"),
    quiet(S::MisleadSheet, &[Char('2')], Intent::Choice(2), "confounds", "sign that it explains what was seen"),
    quiet(S::MisleadSheet, &[Char('3')], Intent::Choice(3), "nobody can tell", "sign that nobody can tell"),
    quiet(
        S::MisleadSheet,
        &[Esc, Char('q'), Char('m')],
        Intent::Dismiss,
        "close",
        "close the sheet; what is signed stays",
    ),
    quiet(
        S::RetractSheet,
        &[Char('y')],
        Intent::Confirm,
        "retract",
        "retract it with this reason; it stays in the log",
    ),
    quiet(S::RetractSheet, &[Char('e'), Enter], Intent::Words, "the reason", "type the reason"),
    quiet(S::RetractSheet, &[Esc, Char('q')], Intent::Dismiss, "do nothing", "close the sheet; it still counts"),
    quiet(S::WhySheet, &[Esc, Char('q'), Enter, Char('w')], Intent::Dismiss, "close", "close the sheet"),
    shown(S::PictureSheet, &[Char(']'), Tab, Right], Intent::Next, "next picture", "show the next picture"),
    shown(S::PictureSheet, &[Char('['), Left], Intent::Previous, "picture before", "show the picture before"),
    quiet(S::PictureSheet, &[Esc, Char('q'), Char('v')], Intent::Dismiss, "close", "close the picture"),
    quiet(S::HelpSheet, &[Enter], Intent::Run, "do it", "do what the chosen row says"),
    quiet(S::HelpSheet, &[Esc], Intent::Dismiss, "close", "close the help"),
    quiet(S::HelpSheet, &[Down], Intent::RowDown, "down", "one row down"),
    quiet(S::HelpSheet, &[Up], Intent::RowUp, "up", "one row up"),
    quiet(S::HelpSheet, &[PageDown], Intent::PageDown, "page down", "a page down"),
    quiet(S::HelpSheet, &[PageUp], Intent::PageUp, "page up", "a page up"),
    quiet(S::PaletteSheet, &[Enter], Intent::Run, "do it", "do what the chosen row says"),
    quiet(S::PaletteSheet, &[Esc], Intent::Dismiss, "close", "close the palette"),
    quiet(S::PaletteSheet, &[Down], Intent::RowDown, "down", "one row down"),
    quiet(S::PaletteSheet, &[Up], Intent::RowUp, "up", "one row up"),
    quiet(S::PaletteSheet, &[PageDown], Intent::PageDown, "page down", "a page down"),
    quiet(S::PaletteSheet, &[PageUp], Intent::PageUp, "page up", "a page up"),
    quiet(S::LeaveSheet, &[Char('b')], Intent::Leave, "leave", "leave; the engine stays as it is"),
    quiet(S::LeaveSheet, &[Char('s')], Intent::LeaveAndStop, "stop the engine", "stop the engine, then leave"),
    quiet(S::LeaveSheet, &[Esc, Char('q')], Intent::Dismiss, "stay", "stay"),
    quiet(S::Field, &[Enter], Intent::Confirm, "done", "end typing and keep the text"),
    quiet(S::Field, &[Esc], Intent::Dismiss, "stop typing", "end typing; a filter is taken off"),
    quiet(S::Field, &[Tab], Intent::Complete, "complete", "complete the word"),
];

/// Returns the binding of a key, looked for in these scopes in turn.
pub(crate) fn find(scopes: &[Scope], key: Key) -> Option<&'static Binding> {
    scopes.iter().find_map(|scope| KEYMAP.iter().find(|row| row.scope == *scope && row.keys.contains(&key)))
}

/// Returns the key of an intent where these scopes hold.
pub(crate) fn key_of(scopes: &[Scope], intent: Intent) -> Option<Key> {
    let rows = scopes.iter().flat_map(|scope| KEYMAP.iter().filter(move |row| row.scope == *scope));
    rows.into_iter().find(|row| row.intent == intent).and_then(|row| row.keys.first().copied())
}

/// Returns every binding that holds in these scopes, the nearest first; a key that a nearer scope takes is left out.
pub(crate) fn valid(scopes: &[Scope]) -> Vec<&'static Binding> {
    let mut taken: Vec<Key> = Vec::new();
    let mut rows = Vec::new();
    for scope in scopes {
        let mine: Vec<&Binding> = KEYMAP.iter().filter(|row| row.scope == *scope).collect();
        rows.extend(mine.iter().copied().filter(|row| !row.keys.iter().all(|key| taken.contains(key))));
        taken.extend(mine.iter().flat_map(|row| row.keys));
    }
    rows
}
