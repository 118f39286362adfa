//! The model: everything the screen is a function of.
//!
//! Decides the shape of the state and what can be read from it. How it changes is `update`'s business, how it is drawn
//! the panes'. It holds no clock, no door and no terminal.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use clock::Speed;
use domain::checkin::Round;
use domain::escalation::Escalation;
use domain::hold::HoldKey;
use domain::id::{AccountId, ClientId, EscalationId, ExperimentId, PostId};
use domain::preflight::Level;
use domain::role::Role;
use domain::time::{UtcTime, Zone};
use tui_input::Input;

use crate::Options;
use crate::accounts::Accounts;
use crate::approval::Approval;
use crate::clean::Clean;
use crate::escalations::Escalations;
use crate::evening::Evening;
use crate::experiments::Experiments;
use crate::frame::Size;
use crate::keymap::Scope;
use crate::known::Known;
use crate::layers::Layers;
use crate::link::Link;
use crate::memory::Memory;
use crate::message::{Ask, Moment};
use crate::midday::Midday;
use crate::morning::Morning;
use crate::pen::Symbols;
use crate::rounds::{Rounds, Step};
use crate::sheets::Sheet;
use crate::theme::{Role as Ink, Theme, ThemeError};

/// The panes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Pane {
    /// Is every account safe, does anything collide, what goes out?
    #[default]
    Morning,
    /// Did it go out, what needs a hand, whom do we answer?
    Midday,
    /// What did we learn today, what must be looked at tomorrow?
    EndOfDay,
    /// Where is each one, what is it waiting for?
    Experiments,
    /// Who holds what, until when, and who waits?
    Layers,
    /// Is it healthy, what may still go out today?
    Accounts,
    /// What must a person settle, who owns it, how long has it been?
    Escalations,
    /// What do we know about this client, hook, surface?
    Memory,
    /// Is the machine well, who did what?
    System,
}

impl Pane {
    /// All panes, in the order of the strip.
    pub const ALL: [Self; 9] = [
        Self::Morning,
        Self::Midday,
        Self::EndOfDay,
        Self::Experiments,
        Self::Layers,
        Self::Accounts,
        Self::Escalations,
        Self::Memory,
        Self::System,
    ];

    /// Returns the name that screens show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Morning => "Morning",
            Self::Midday => "Midday",
            Self::EndOfDay => "End of day",
            Self::Experiments => "Experiments",
            Self::Layers => "Layers",
            Self::Accounts => "Accounts",
            Self::Escalations => "Escalations",
            Self::Memory => "Memory",
            Self::System => "System",
        }
    }
}

impl std::str::FromStr for Pane {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|pane| pane.name().replace(' ', "-").eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            let names: Vec<String> =
                Self::ALL.iter().map(|pane| pane.name().to_lowercase().replace(' ', "-")).collect();
            format!("there is no such pane; take one of {}", names.join(", "))
        })
    }
}

/// How long the first answers may take to come.
const OPENING_MS: u64 = 1_000;
/// How many messages are kept.
const LOG_MAX: usize = 200;

/// Something opened over a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// One item of the queue.
    Approval(ExperimentId),
    /// One experiment.
    Detail(ExperimentId),
}

/// Where one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pane: Pane,
    pub(crate) open: Option<Open>,
}

/// Where one was, to the row: the way back leads there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) place: Place,
    pub(crate) step: Option<Step>,
    pub(crate) item: Option<ExperimentId>,
    pub(crate) alert: Option<EscalationId>,
}

/// What the message line says.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) text: Clean,
    pub(crate) tone: Ink,
}

/// An act that can be taken back.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) at: Moment,
    pub(crate) what: Acted,
}

/// What was done.
#[derive(Debug, Clone)]
pub(crate) enum Acted {
    /// Experiments were approved, by code.
    Approved(Vec<(ExperimentId, String)>),
    /// One was refused.
    Refused(ExperimentId, String),
    /// One was put off.
    PutOff(ExperimentId, String),
    /// Something was stopped, by this hold where that is known.
    Stopped(desk::Stoppable, String, Option<HoldKey>),
}

/// What waits for the desk's answer to a command.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    /// Commands sent together are told of together.
    pub(crate) group: u64,
    pub(crate) experiment: Option<ExperimentId>,
    pub(crate) what: Doing,
}

/// What a command is to do.
#[derive(Debug, Clone)]
pub(crate) enum Doing {
    Approve(ExperimentId, String),
    Refuse(ExperimentId, String),
    Later(ExperimentId, String),
    /// The last is the hold that it put, once the desk has named it.
    Stop(desk::Stoppable, String, Option<HoldKey>),
    Resume(String),
    TakeBack(String),
    Take,
    Hand,
    AlertLater,
    Settle,
    Sign(Round),
    /// Of which experiment.
    Decide(String),
    Word(String),
    Retract,
}

/// Commands sent together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    pub(crate) total: usize,
    pub(crate) done: Vec<Doing>,
    pub(crate) lines: Vec<String>,
    pub(crate) failed: Vec<String>,
}

/// For which days the posts of all accounts were asked for, and whether anything happened since.
#[derive(Debug, Clone, Default)]
pub(crate) struct Day {
    pub(crate) asked_for: Option<(UtcTime, UtcTime)>,
    pub(crate) old: bool,
}

/// What is set for as long as the dashboard is open.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) theme: Theme,
    pub(crate) symbols: Symbols,
    pub(crate) zone: Zone,
    pub(crate) read_only: bool,
    pub(crate) line_delay_ms: u64,
    pub(crate) can_start_engine: bool,
}

/// Everything the screen is a function of.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) size: Size,
    pub(crate) now: Moment,
    pub(crate) setting: Setting,
    pub(crate) known: Known,
    pub(crate) link: Link,
    /// Questions under way.
    pub(crate) asked: BTreeSet<Ask>,
    /// Questions to put as soon as may be.
    pub(crate) wanted: BTreeSet<Ask>,
    /// When questions that news raised are put.
    pub(crate) ask_at_ms: Option<u64>,
    pub(crate) following: bool,
    pub(crate) follow_began_ms: u64,
    pub(crate) place: Place,
    pub(crate) back: Vec<Spot>,
    /// What was gone to since it began to need a person.
    pub(crate) visited: BTreeSet<Need>,
    pub(crate) scope: Option<ClientId>,
    pub(crate) rounds: Rounds,
    pub(crate) morning: Morning,
    pub(crate) midday: Midday,
    pub(crate) evening: Evening,
    pub(crate) approval: Approval,
    pub(crate) experiments: Experiments,
    pub(crate) escalations: Escalations,
    pub(crate) accounts: Accounts,
    pub(crate) layers: Layers,
    pub(crate) memory: Memory,
    pub(crate) day: Day,
    pub(crate) system_top: usize,
    pub(crate) sheets: Vec<Sheet>,
    /// The filter, while it is typed.
    pub(crate) filtering: bool,
    pub(crate) said: Option<Said>,
    /// What was said, newest last.
    pub(crate) log: VecDeque<(UtcTime, Said)>,
    pub(crate) pending: BTreeMap<u64, Pending>,
    pub(crate) groups: BTreeMap<u64, Group>,
    pub(crate) next_number: u64,
    pub(crate) acts: Vec<Act>,
    /// What the next `u` takes back, and when it was said.
    pub(crate) undo_said: Option<u64>,
    pub(crate) cancelled_ms: Option<u64>,
    /// Nothing that was shown before this counts as seen by whoever would confirm it: the window changed since, the screen
    /// came back, or a key came too early.
    pub(crate) guard_from_ms: u64,
    /// What the preview still shows while the cursor travels.
    pub(crate) travel: Option<Travel>,
    pub(crate) engine_is_ours: bool,
    pub(crate) starting_engine: bool,
    /// How fast the demo's clock runs; none where this is no demo.
    pub(crate) speed: Option<Speed>,
}

/// A cursor on its way: over a slow line the preview of every row that is passed would be what takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Travel {
    pub(crate) from: ExperimentId,
    /// The cursor has come to rest, unless it moves again until then.
    pub(crate) until_ms: u64,
}

impl Model {
    /// Makes the state in which the dashboard opens.
    pub fn new(options: &Options, at: Moment, size: (u16, u16)) -> Result<Self, ThemeError> {
        let setting = Setting {
            theme: Theme::load(options.theme, options.colours)?,
            symbols: options.symbols,
            zone: options.zone,
            read_only: options.read_only,
            line_delay_ms: u64::try_from(options.line_delay.as_millis()).unwrap_or(0),
            can_start_engine: options.engine.is_some(),
        };
        Ok(Self {
            size: Size { width: size.0, height: size.1 },
            now: at,
            setting,
            known: Known::default(),
            link: Link::default(),
            asked: BTreeSet::new(),
            wanted: BTreeSet::new(),
            ask_at_ms: None,
            following: false,
            follow_began_ms: 0,
            place: Place { pane: options.pane.unwrap_or_default(), open: None },
            back: Vec::new(),
            visited: BTreeSet::new(),
            scope: options.client.clone(),
            rounds: Rounds { opened: options.pane.is_some(), ..Rounds::default() },
            morning: Morning::default(),
            midday: Midday::default(),
            evening: Evening::default(),
            approval: Approval::default(),
            experiments: Experiments::default(),
            escalations: Escalations::default(),
            accounts: Accounts::default(),
            layers: Layers::default(),
            memory: Memory::default(),
            day: Day::default(),
            system_top: 0,
            sheets: Vec::new(),
            filtering: false,
            said: None,
            log: VecDeque::new(),
            pending: BTreeMap::new(),
            groups: BTreeMap::new(),
            next_number: 1,
            acts: Vec::new(),
            undo_said: None,
            cancelled_ms: None,
            guard_from_ms: 0,
            travel: None,
            engine_is_ours: options.engine_is_ours,
            starting_engine: false,
            speed: options.demo.as_ref().map(clock::ScaledClock::speed),
        })
    }

    /// Returns the pane one is in.
    pub fn pane(&self) -> Pane {
        self.place.pane
    }

    /// Tells whether the first answers are still coming.
    pub(crate) const fn is_opening(&self) -> bool {
        self.now.real_ms < OPENING_MS
    }

    /// Returns the agency's time.
    pub(crate) fn wall(&self) -> UtcTime {
        self.now.wall
    }

    /// Returns the scopes in which a key is looked for, the nearest first.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        self.scopes_under(0)
    }

    /// Returns the scopes that hold under so many of the sheets on top.
    pub(crate) fn scopes_under(&self, sheets: usize) -> Vec<Scope> {
        if let Some(sheet) = self.sheets.iter().rev().nth(sheets) {
            return sheet.scopes();
        }
        if self.filtering {
            return vec![Scope::Field, Scope::Always];
        }
        let mut scopes = match (self.place.open, self.place.pane) {
            (Some(Open::Approval(_)), _) => vec![Scope::Approval],
            (Some(Open::Detail(_)), _) => vec![Scope::Detail],
            (None, Pane::Morning | Pane::Midday | Pane::EndOfDay) => match self.step() {
                Some(Step::Alerts | Step::Escalations) => vec![Scope::Alerts, Scope::Round],
                Some(Step::Queue) => vec![Scope::Queue, Scope::Round],
                Some(Step::Posts) => vec![Scope::Posts, Scope::Round],
                Some(Step::Outcomes | Step::Decide) => vec![Scope::Outcomes, Scope::Round],
                Some(Step::Layers | Step::Replies | Step::SignOff) | None => vec![Scope::Round],
            },
            (None, Pane::Experiments) => vec![Scope::Experiments],
            (None, Pane::Layers) => vec![Scope::Layers],
            (None, Pane::Accounts) => vec![Scope::Accounts],
            (None, Pane::Escalations) => vec![Scope::Alerts],
            (None, Pane::Memory) => vec![Scope::Memory],
            (None, Pane::System) => vec![Scope::System],
        };
        scopes.extend([Scope::Rows, Scope::Anywhere]);
        scopes.extend(self.speed.map(|_| Scope::Demo));
        scopes.extend([Scope::Guide, Scope::Always]);
        scopes
    }

    /// Returns the field that takes what is typed, if one does.
    pub(crate) fn field(&mut self) -> Option<&mut Input> {
        if self.sheets.is_empty() {
            return if self.filtering { Some(self.filter_field()) } else { None };
        }
        self.sheets.last_mut().and_then(Sheet::field)
    }

    /// Returns the filter of the present list.
    pub(crate) fn filter_field(&mut self) -> &mut Input {
        match self.place.pane {
            Pane::Layers => &mut self.layers.filter,
            Pane::Memory => &mut self.memory.query,
            Pane::Morning | Pane::Midday | Pane::EndOfDay | Pane::Accounts | Pane::Escalations | Pane::System => {
                &mut self.morning.filter
            }
            Pane::Experiments => &mut self.experiments.filter,
        }
    }

    /// Returns the filter of the present list, to be read.
    pub(crate) fn filter_input(&self) -> &Input {
        match self.place.pane {
            Pane::Layers => &self.layers.filter,
            Pane::Memory => &self.memory.query,
            Pane::Morning | Pane::Midday | Pane::EndOfDay | Pane::Accounts | Pane::Escalations | Pane::System => {
                &self.morning.filter
            }
            Pane::Experiments => &self.experiments.filter,
        }
    }

    /// Returns what the filter of the present list says.
    pub(crate) fn filter_text(&self) -> &str {
        self.filter_input().value()
    }

    /// Returns the experiment that is previewed: the one under the cursor, or while the cursor travels the one it left.
    pub(crate) fn previewed(&self) -> Option<ExperimentId> {
        match self.travel.filter(|travel| self.now.real_ms < travel.until_ms) {
            Some(travel) => Some(travel.from),
            None => self.subject(),
        }
    }

    /// Returns the experiment that a key would act on: one that is open, or a row that is shown.
    pub(crate) fn subject(&self) -> Option<ExperimentId> {
        match (self.place.open, self.place.pane) {
            (Some(Open::Approval(id) | Open::Detail(id)), _) => Some(id),
            (None, Pane::Morning) => match self.morning.step {
                Step::Queue => self.morning.queue.cursor().copied().filter(|id| crate::morning::is_shown(self, *id)),
                Step::Alerts
                | Step::Layers
                | Step::Posts
                | Step::Escalations
                | Step::Replies
                | Step::Outcomes
                | Step::Decide
                | Step::SignOff => None,
            },
            (None, Pane::Midday) => self.post_subject().and_then(|id| crate::midday::experiment(self, id)),
            (None, Pane::EndOfDay) => crate::evening::under_cursor(self),
            (None, Pane::Experiments) => {
                self.experiments.list.cursor().copied().filter(|id| crate::experiments::is_shown(self, *id))
            }
            (None, Pane::Layers) => crate::layers::under_cursor(self),
            (None, Pane::Memory) => crate::memory::experiment(self),
            (None, Pane::Accounts | Pane::Escalations | Pane::System) => None,
        }
    }

    /// Returns the alert that a key would act on: the row under the cursor, if it is shown.
    pub(crate) fn alert_subject(&self) -> Option<EscalationId> {
        let here = self.shows_alerts();
        self.escalations.list.cursor().copied().filter(|id| here && crate::escalations::is_shown(self, *id))
    }

    /// Tells whether the list on the screen is that of what a person must settle.
    pub(crate) fn shows_alerts(&self) -> bool {
        self.place.open.is_none()
            && match self.place.pane {
                Pane::Morning => self.morning.step == Step::Alerts,
                Pane::Midday => self.midday.step == Step::Escalations,
                Pane::Escalations => true,
                Pane::EndOfDay | Pane::Experiments | Pane::Layers | Pane::Accounts | Pane::Memory | Pane::System => {
                    false
                }
            }
    }

    /// Returns the account that a key would act on: the row under the cursor, if it is shown.
    pub(crate) fn account_subject(&self) -> Option<&AccountId> {
        let here = self.place == (Place { pane: Pane::Accounts, open: None });
        self.accounts.list.cursor().filter(|id| here && crate::accounts::is_shown(self, id))
    }

    /// Returns the post that a key would act on: the row under the cursor, if it is shown.
    pub(crate) fn post_subject(&self) -> Option<PostId> {
        let here = self.place == (Place { pane: Pane::Midday, open: None }) && self.midday.step == Step::Posts;
        self.midday.posts.cursor().copied().filter(|id| here && crate::midday::is_shown(self, *id))
    }

    /// Returns the step of the round one is in.
    pub(crate) const fn step(&self) -> Option<Step> {
        match self.place.pane {
            Pane::Morning => Some(self.morning.step),
            Pane::Midday => Some(self.midday.step),
            Pane::EndOfDay => Some(self.evening.step),
            Pane::Experiments | Pane::Layers | Pane::Accounts | Pane::Escalations | Pane::Memory | Pane::System => None,
        }
    }

    /// Goes to a step of the round one is in.
    pub(crate) const fn set_step(&mut self, step: Step) {
        match self.place.pane {
            Pane::Morning => {
                self.morning.step = step;
                self.morning.chosen = true;
            }
            Pane::Midday => self.midday.step = step,
            Pane::EndOfDay => self.evening.step = step,
            Pane::Experiments | Pane::Layers | Pane::Accounts | Pane::Escalations | Pane::Memory | Pane::System => {}
        }
    }

    /// Returns my role; a viewer's while it is not known.
    pub(crate) fn role(&self) -> Role {
        if self.setting.read_only {
            return Role::Viewer;
        }
        self.known.me.as_ref().map_or(Role::Viewer, |me| me.role)
    }

    /// Tells whether the desk has not answered yet for an experiment.
    pub(crate) fn is_pending(&self, id: ExperimentId) -> bool {
        self.pending.values().any(|pending| pending.experiment == Some(id))
    }

    /// Tells whether a level is within my authority.
    pub(crate) fn may_approve(&self, level: &Level) -> bool {
        use domain::approval::ApprovalLevel::{Auto, Manual, Review};
        use domain::role::{Action, Cell, Column, cell};
        let action = match level.level {
            Auto | Review => Action::ApproveReview,
            Manual => Action::ApproveManual,
        };
        !matches!(cell(action, Column::Person(self.role())), Cell::No | Cell::Never)
    }

    /// Returns the question how the rounds of today stand, for the clients that are shown.
    pub(crate) fn ask_rounds(&self) -> Ask {
        Ask::Rounds { client: self.scope.clone() }
    }

    /// Tells whether something of a client is shown.
    pub(crate) fn in_scope(&self, client: &ClientId) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope == client)
    }

    /// Returns what needs a person, most urgent first.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        if self.link.state(self.now).is_alarm() {
            needs.push(Need::Engine);
        }
        // What somebody else has taken needs nobody more.
        let me = self.known.me.as_ref().map(|me| me.name.as_str());
        let free =
            |e: &&Escalation| (e.owner.is_none() || e.owner.as_deref() == me) && e.later_at(self.wall()).is_none();
        let open = self.known.escalations.iter().flatten().filter(free);
        needs.extend(open.filter(|e| self.in_scope(&e.client)).map(|e| Need::Alert(e.id)));
        let latest = self.morning.queue.order().iter().chain(self.morning.queue.arriving());
        let waits = |id: &&ExperimentId| {
            self.morning.queue.is_current(id)
                && !self.is_pending(**id)
                && crate::morning::later(self, **id).is_none()
                && self.known.line(**id).is_some_and(|line| self.in_scope(&line.client))
        };
        needs.extend(latest.filter(waits).map(|id| Need::Item(*id)));
        needs
    }

    /// Says something on the message line.
    pub(crate) fn say(&mut self, text: impl Into<Clean>, tone: Ink) {
        let said = Said { text: text.into(), tone };
        self.log.push_back((self.now.wall, said.clone()));
        while self.log.len() > LOG_MAX {
            self.log.pop_front();
        }
        self.said = Some(said);
    }
}

/// Something that needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Nothing goes out.
    Engine,
    /// An escalation is open.
    Alert(EscalationId),
    /// An item waits for a word.
    Item(ExperimentId),
}
