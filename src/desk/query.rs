//! Queries: what a person may see, and the shapes they see it in.
//!
//! Decides the wire form of questions (a JSON object with `ask`) and of answers. Every answer holds only what the asker's
//! clients allow (I14); text from outside stays raw here and is cleaned by whoever draws it.

use domain::account::{Connection, Identity, Servers, Watch};
use domain::approval::{Approval, Binding, Field};
use domain::brief::{GuardrailAction, Platform};
use domain::calendar::layer::Tenure;
use domain::checkin::Checkin;
use domain::client::{BrandKit, Policy};
use domain::engagement::Suggestion;
use domain::escalation::Escalation;
use domain::experiment::later::Later;
use domain::experiment::{Lineage, Stage};
use domain::guardrail::Alarm;
use domain::hash::Digest;
use domain::hold::Hold;
use domain::id::{AccountId, CheckinId, ClientId, ConversationId, EscalationId, ExperimentId, PostId};
use domain::learning::Learning;
use domain::outcome::Outcome;
use domain::post::{Attempt, PostState};
use domain::preflight::{Finding, Level};
use domain::report::{Item, Report};
use domain::review::Decision;
use domain::role::Role;
use domain::snapshot::Snapshot;
use domain::text::Untrusted;
use domain::time::UtcTime;
use domain::variant::{Lane, Variant};
pub use media::fitted;
use serde::{Deserialize, Serialize};

use crate::presence::Present;
use crate::rounds::RoundView;

/// The most signed rounds of one answer.
pub const CHECKINS_MAX: u32 = 100;

/// The most learnings of one answer.
pub const LEARNINGS_MAX: u32 = 200;

/// The most conversations of one answer.
pub const REPLIES_MAX: u32 = 500;

/// What a person asks to see.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Query {
    /// Who the desk takes me for.
    WhoAmI,
    /// Everybody.
    UserList,
    /// My clients.
    ClientList,
    /// One client with kit and policy.
    ClientShow {
        /// Which.
        client: ClientId,
    },
    /// My clients' accounts.
    AccountList,
    /// One account: how its lanes publish, and what stopped it.
    AccountShow {
        /// Which.
        account: AccountId,
    },
    /// Experiments.
    ExperimentList {
        /// Of one client.
        client: Option<ClientId>,
        /// The finished ones too.
        all: bool,
    },
    /// One experiment.
    ExperimentShow {
        /// Which.
        experiment: String,
    },
    /// A picture that a variant of an experiment shows, made small: at most so many pixels, never more than 160 a side.
    Picture {
        /// Which experiment.
        experiment: String,
        /// Which picture.
        digest: Digest,
        /// The most pixels of a row.
        width: u16,
        /// The most rows.
        height: u16,
    },
    /// What waits for a word.
    QueueList,
    /// One sheet, with its fingerprint.
    QueueShow {
        /// Which experiment.
        experiment: String,
    },
    /// Layers and who holds them.
    LayerList,
    /// Posts.
    PostList {
        /// Of one experiment.
        experiment: Option<String>,
    },
    /// Posts whose slot is in a span, both ends included, and those that a person must settle whatever their slot.
    PostsBetween {
        /// From when.
        from: UtcTime,
        /// Until when.
        until: UtcTime,
    },
    /// One post, with all that happened to it.
    PostShow {
        /// Which, by id or unique prefix.
        post: String,
    },
    /// Metrics.
    SnapshotList {
        /// Of one experiment.
        experiment: Option<String>,
    },
    /// What an experiment says: whether it can be compared, who is ahead, what would change it.
    OutcomeShow {
        /// Which, by code, id or unique prefix.
        experiment: String,
    },
    /// What a review found, what could mislead, what may be decided.
    ReviewShow {
        /// Which experiment.
        experiment: String,
    },
    /// All that is known of a reviewed experiment.
    ReportShow {
        /// Which experiment.
        experiment: String,
    },
    /// What was learned, the newest first, up to [`LEARNINGS_MAX`].
    LearningList {
        /// For one client.
        client: Option<ClientId>,
        /// The retracted ones too.
        retracted: bool,
    },
    /// What was learned and holds all these words, or beginnings of words; the newest first, up to [`LEARNINGS_MAX`].
    LearningSearch {
        /// The words; whatever else stands between them counts for nothing.
        text: String,
        /// For one client.
        client: Option<ClientId>,
        /// The retracted ones too.
        retracted: bool,
    },
    /// One learning.
    LearningShow {
        /// Which, by id or unique prefix.
        learning: String,
    },
    /// What people wrote under our posts and nobody answered yet, the oldest first, up to [`REPLIES_MAX`].
    ReplyList {
        /// What is answered, skipped or taken back too, the newest first.
        all: bool,
    },
    /// One conversation, with its thread and what is suggested.
    ReplyShow {
        /// Which, by id or unique prefix.
        conversation: String,
    },
    /// What a person must settle.
    EscalationList {
        /// The settled ones too.
        all: bool,
    },
    /// One escalation.
    EscalationShow {
        /// Which.
        escalation: EscalationId,
    },
    /// The rounds that were signed, up to [`CHECKINS_MAX`] at a time.
    CheckinList {
        /// Those before this one; the newest where none.
        before: Option<CheckinId>,
    },
    /// One signed round.
    CheckinShow {
        /// Which, by id or unique prefix.
        checkin: String,
    },
    /// The rounds of today: signed or not, and what signing would say.
    CheckinStatus {
        /// For one client alone; for all that one sees where none.
        client: Option<ClientId>,
    },
    /// The log.
    Events {
        /// After this number.
        after: u64,
        /// At most so many, up to 500.
        limit: u32,
    },
    /// How the engine is.
    Health,
    /// The same as a dashboard's sign of life: it says what it has open, and is told who else is here.
    Beat {
        /// Tells the dashboards of one person apart.
        session: u32,
        /// What it has open.
        on: Option<ExperimentId>,
    },
    /// What the store is.
    StoreInfo,
}

/// Who the desk takes somebody for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// Unix user id.
    pub uid: u32,
    /// Unix user name.
    pub name: String,
    /// As what.
    pub role: Role,
    /// For these clients alone; all where none.
    pub clients: Option<Vec<ClientId>>,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientView {
    /// Short name.
    pub id: ClientId,
    /// Full name.
    pub name: String,
    /// Zone.
    pub zone: String,
    /// Kit.
    pub kit: BrandKit,
    /// Policy.
    pub policy: Policy,
    /// Counts edits.
    pub policy_version: u32,
    /// The standing experiment.
    pub house: ExperimentId,
    /// What stops it.
    pub holds: Vec<Hold>,
}

/// An account; its login only as a state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountView {
    /// Short name.
    pub id: AccountId,
    /// Whose.
    pub client: ClientId,
    /// Where.
    pub platform: Platform,
    /// Handle.
    pub handle: String,
    /// Servers by hand.
    pub servers: Servers,
    /// Who it is.
    pub identity: Option<Identity>,
    /// How far the connection is.
    pub connection: Connection,
    /// What stops it.
    pub holds: Vec<Hold>,
    /// Why it is looked at with care although nothing stops it.
    #[serde(default)]
    pub watched: Vec<Watch>,
}

/// An account whole: how well it publishes, and what stopped it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountWhole {
    /// As in a list.
    pub account: AccountView,
    /// The lanes that it published by within thirty days.
    pub lanes: Vec<LaneHealth>,
    /// What the platform let one see and stopped it, newest first.
    pub alarms: Vec<Alarm>,
    /// When a person last let it go on after a breach.
    pub released: Option<UtcTime>,
}

/// How one lane of an account publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneHealth {
    /// Which.
    pub lane: Lane,
    /// Posts of thirty days that it brought out.
    pub good: u32,
    /// Posts of thirty days of which that can be told.
    pub all: u32,
    /// Failures since the last success.
    pub in_a_row: u32,
    /// Evidence that it fails ten times as often as it should; 500 stops the account.
    pub evidence: f64,
}

/// An experiment in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentLine {
    /// Id.
    pub id: ExperimentId,
    /// Code.
    pub code: String,
    /// Whose.
    pub client: ClientId,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Stage.
    pub stage: Stage,
    /// The mission's word: draft, running, paused, completed, invalid.
    pub status: String,
    /// Posts that are out.
    pub out: u32,
    /// Posts planned.
    pub planned: u32,
    /// What waits: the next slot.
    pub next: Option<UtcTime>,
}

/// An experiment whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentView {
    /// As in a list.
    pub line: ExperimentLine,
    /// The brief, as TOML.
    pub brief: Option<String>,
    /// Variants with their content.
    pub variants: Vec<Variant>,
    /// What the guards found.
    pub findings: Vec<Finding>,
    /// How much approval it needs, and why.
    pub level: Level,
    /// Who wrote and who edited last.
    pub author: String,
    /// Who edited last.
    pub editor: String,
    /// The layer, as shown.
    pub layer: Option<String>,
    /// The seed of the plan.
    pub seed: Option<u64>,
    /// Words given so far.
    pub words: Vec<String>,
    /// What stops it.
    pub holds: Vec<Hold>,
    /// What protects its account, limit by limit.
    #[serde(default)]
    pub guardrails: Vec<GuardrailLine>,
    /// Its posts.
    pub posts: Vec<PostLine>,
    /// The experiment that it came out of.
    #[serde(default)]
    pub parent: Option<Lineage>,
    /// The experiment that came out of it.
    #[serde(default)]
    pub child: Option<Lineage>,
    /// What was decided about it.
    #[serde(default)]
    pub decision: Option<Decision>,
}

/// How one guardrail of an experiment stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuardrailLine {
    /// What is watched, as in `publish_failures`.
    pub signal: String,
    /// How much is too much; `None` for the guardrail that no brief sets.
    pub limit: Option<f64>,
    /// What then.
    pub action: GuardrailAction,
    /// How it stands: `kept`, `crossed`, `stops at once` or `not observable`.
    pub state: String,
    /// What that rests on, in words.
    pub why: String,
}

/// A post in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostLine {
    /// Id.
    pub id: PostId,
    /// Of which experiment.
    pub experiment: String,
    /// Variant.
    pub letter: char,
    /// Round, from 1.
    pub round: u32,
    /// Number in the plan.
    pub number: u32,
    /// Block, from 1.
    pub block: u32,
    /// Account.
    pub account: AccountId,
    /// Slot.
    pub slot: UtcTime,
    /// Slot on the client's wall clock.
    pub local: String,
    /// State, in a word.
    pub state: String,
    /// Whether a live approval stands.
    pub approved: bool,
    /// Why the last one is void.
    pub voided: Option<(Field, String)>,
    /// Where it is to be seen.
    pub url: Option<String>,
    /// The platform's id.
    pub uri: Option<String>,
    /// The platform's digest of what it shows.
    pub cid: Option<String>,
    /// How many attempts it took.
    pub attempts: u32,
    /// How it gets out.
    pub lane: Lane,
    /// Since when its state is as it is, where that is recorded.
    #[serde(default)]
    pub since: Option<UtcTime>,
    /// Why its state is as it is, where it is no planned one.
    #[serde(default)]
    pub why: Option<String>,
}

/// A post whole: what happened, what was done, what can be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostView {
    /// As in a list.
    pub line: PostLine,
    /// The text as it goes out.
    pub text: String,
    /// The state with what it holds.
    pub state: PostState,
    /// The approval.
    pub approval: Option<Approval>,
    /// Every try.
    pub attempts: Vec<Attempt>,
    /// Its events, oldest first.
    pub events: Vec<EventLine>,
    /// What can be done now, as commands.
    pub answers: Vec<String>,
}

/// A picture made small, its aspect kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureView {
    /// Of the whole picture.
    pub digest: Digest,
    /// Pixels of a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Red, green and blue of each pixel as six hexadecimal digits, row by row from the top.
    pub pixels: String,
}

impl PictureView {
    /// Returns the pixels row by row, as far as they are told.
    pub fn rows(&self) -> Vec<Vec<[u8; 3]>> {
        let digits: Vec<u32> = self.pixels.chars().map(|c| c.to_digit(16).unwrap_or(0)).collect();
        let byte = |pair: &[u32]| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)).unwrap_or(0);
        let bytes: Vec<u8> = digits.chunks_exact(2).map(byte).collect();
        let pixels: Vec<[u8; 3]> = bytes.chunks_exact(3).filter_map(|pixel| pixel.try_into().ok()).collect();
        let rows = pixels.chunks(usize::from(self.width.max(1)));
        rows.take(usize::from(self.height)).map(<[_]>::to_vec).collect()
    }
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// Number, without a gap.
    pub n: u64,
    /// When.
    pub at: UtcTime,
    /// The stream, as in `post/01J…`.
    pub stream: String,
    /// What happened.
    pub event: String,
    /// Who.
    pub actor: String,
    /// Why: a command's id or a task's name.
    pub cause: String,
    /// Everything.
    pub payload: serde_json::Value,
}

/// What a person is shown before they give their word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    /// As in a list.
    pub line: ExperimentLine,
    /// What the word is bound to; its first 8 digits or more name it.
    pub fingerprint: String,
    /// Hypothesis, variable, proxies: the brief, as TOML.
    pub brief: String,
    /// The posts in slot order.
    pub posts: Vec<SheetPost>,
    /// What the guards found.
    pub findings: Vec<Finding>,
    /// How much approval it needs, and why.
    pub level: Level,
    /// Words needed, and given.
    pub needed: usize,
    /// Words given.
    pub words: Vec<String>,
    /// What must be known: private hosts, "not own" off.
    pub notes: Vec<String>,
}

/// One post on a sheet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SheetPost {
    /// As in a list.
    pub line: PostLine,
    /// The text as it goes out, raw: what is read is what is hashed.
    pub text: String,
    /// The pictures: file, digest, alt text.
    pub assets: Vec<domain::variant::Asset>,
    /// What the word is bound to.
    pub binding: Binding,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerView {
    /// As shown.
    pub layer: String,
    /// Who holds it, and who comes after.
    pub tenures: Vec<Tenure>,
}

/// A snapshot with its post's place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotView {
    /// Of which experiment.
    pub experiment: String,
    /// Variant.
    pub letter: char,
    /// Number in the plan.
    pub number: u32,
    /// The metrics.
    pub snapshot: Snapshot,
}

/// What an experiment says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeView {
    /// The experiment.
    pub line: ExperimentLine,
    /// What is compared, and what comes of it.
    pub outcome: Outcome,
}

/// A reviewed experiment, as a person decides about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewView {
    /// The experiment.
    pub line: ExperimentLine,
    /// When it was reviewed.
    pub at: UtcTime,
    /// It ended before its last reading.
    pub early: bool,
    /// The verdict in force.
    pub outcome: Outcome,
    /// The rules that made it.
    pub rules: String,
    /// Of the evidence it was made from.
    pub evidence: Digest,
    /// What could mislead, each with the last word about it.
    pub confounders: Vec<Item>,
    /// What of that keeps a winner from being shipped, a line each.
    pub open: Vec<String>,
    /// What may be decided, each with what comes of it, or why it may not be.
    pub answers: Vec<domain::review::Answer>,
    /// The sentence that is offered to be remembered.
    pub offered: Option<String>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// The experiment that it came out of.
    pub parent: Option<Lineage>,
    /// What was remembered of it, the retracted too.
    pub learnings: Vec<LearningView>,
}

/// A learning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningView {
    /// As it is.
    pub learning: Learning,
    /// It is held to be true now: neither retracted nor expired.
    pub holds: bool,
}

/// A conversation in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplyLine {
    /// Id.
    pub conversation: ConversationId,
    /// Whose account.
    pub client: ClientId,
    /// The account that would answer.
    pub account: AccountId,
    /// What it is called on the platform.
    pub handle: String,
    /// Under a post of which experiment.
    pub experiment: String,
    /// Which version that post showed.
    pub letter: char,
    /// Our post.
    pub post: PostId,
    /// What our post says.
    pub post_text: String,
    /// Where our post is to be seen.
    pub post_url: Option<String>,
    /// Who wrote what waits; whoever wrote last where nothing does.
    pub who: Untrusted,
    /// What they wrote.
    pub text: Untrusted,
    /// When.
    pub at: UtcTime,
    /// Where it is, in a word: `suggested`, `own words`, `sending`, `sent`, `skipped`, `by hand`, `taken back`.
    pub state: String,
    /// The same in full: `sent 12:41 by mia`, `edited, 38 % changed, sent 12:41 by mia`.
    pub told: String,
    /// What an answer may begin with, or why there is nothing.
    pub suggestion: Suggestion,
    /// How many percent of the suggestion were changed in what was sent.
    pub changed: Option<u8>,
    /// Whether what was sent counts as the person's own and not as the template's.
    pub own: Option<bool>,
    /// What was sent, as a post: until it leaves it is taken back by cancelling that.
    pub reply: Option<PostId>,
    /// Where the answer is to be seen.
    pub reply_url: Option<String>,
    /// The thread as it stands, by name: a send says which it answers.
    pub seen: String,
    /// Not before this may the account send its next reply; at once where none.
    pub next_at: Option<UtcTime>,
}

/// A conversation whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplyView {
    /// As in a list.
    pub line: ReplyLine,
    /// What was said, oldest first; ours too.
    pub thread: Vec<ThreadLine>,
    /// The most letters that an answer may have, as the surface counts them.
    pub letters_max: Option<usize>,
    /// What must be known: holds, replies that did not go out.
    pub notes: Vec<String>,
}

/// One thing said in a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadLine {
    /// Who.
    pub who: Untrusted,
    /// What.
    pub text: Untrusted,
    /// When.
    pub at: UtcTime,
    /// The agency's own.
    pub ours: bool,
    /// Who of the agency sent it from here.
    pub by: Option<String>,
    /// Its words changed after it was first seen.
    pub edited: bool,
}

/// How the engine is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Well, degraded, dead or held.
    pub verdict: Verdict,
    /// Why, a line each; and what to do.
    pub lines: Vec<String>,
    /// The process.
    pub pid: u32,
    /// The fencing epoch.
    pub epoch: u64,
    /// The agency's clock.
    pub now: Option<UtcTime>,
    /// Each task.
    pub tasks: Vec<TaskHealth>,
    /// Events in the log.
    pub head: u64,
    /// What stops everything.
    pub holds: Vec<Hold>,
}

/// How well it is; the exit code of `expos health`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// 0.
    Well,
    /// 1.
    Degraded,
    /// 2: no engine, or on hold.
    #[default]
    DeadOrHeld,
}

impl Verdict {
    /// Returns the worse of two.
    #[must_use]
    pub const fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::DeadOrHeld, _) | (_, Self::DeadOrHeld) => Self::DeadOrHeld,
            (Self::Degraded, _) | (_, Self::Degraded) => Self::Degraded,
            (Self::Well, Self::Well) => Self::Well,
        }
    }
}

/// How a task is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskHealth {
    /// Its name.
    pub name: String,
    /// Since when it is at a step that has not ended; `None` between steps.
    #[serde(default)]
    pub since: Option<UtcTime>,
    /// When it last did something.
    pub last: Option<UtcTime>,
    /// When it is due next.
    pub next: Option<UtcTime>,
    /// Steps since the start.
    pub steps: u64,
    /// Its last error.
    pub error: Option<String>,
}

/// What the store is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreInfo {
    /// Its identity.
    pub store: String,
    /// Schema version.
    pub schema: u32,
    /// Events in the log.
    pub events: u64,
    /// Hash of the last one: 12 digits.
    pub head: String,
    /// The fencing epoch.
    pub epoch: u64,
}

/// An escalation as it is.
pub type EscalationView = Escalation;

/// Any answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", content = "value", rename_all = "snake_case")]
pub enum Answer {
    /// To `WhoAmI`.
    User(UserView),
    /// To `UserList`.
    Users(Vec<UserView>),
    /// To `ClientList`.
    Clients(Vec<ClientView>),
    /// To `ClientShow`.
    Client(Box<ClientView>),
    /// To `AccountList`.
    Accounts(Vec<AccountView>),
    /// To `AccountShow`.
    Account(Box<AccountWhole>),
    /// To `ExperimentList` and `QueueList`.
    Experiments(Vec<ExperimentLine>),
    /// To `ExperimentShow`.
    Experiment(Box<ExperimentView>),
    /// To `Picture`.
    Picture(PictureView),
    /// To `QueueList`: with fingerprints.
    Queue(Vec<QueueLine>),
    /// To `QueueShow`.
    Sheet(Box<Sheet>),
    /// To `LayerList`.
    Layers(Vec<LayerView>),
    /// To `PostList` and `PostsBetween`.
    Posts(Vec<PostLine>),
    /// To `PostShow`.
    Post(Box<PostView>),
    /// To `SnapshotList`.
    Snapshots(Vec<SnapshotView>),
    /// To `OutcomeShow`.
    Outcome(Box<OutcomeView>),
    /// To `ReviewShow`.
    Review(Box<ReviewView>),
    /// To `ReportShow`.
    Report(Box<Report>),
    /// To `LearningList` and `LearningSearch`.
    Learnings(Vec<LearningView>),
    /// To `LearningShow`.
    Learning(Box<LearningView>),
    /// To `ReplyList`.
    Replies(Vec<ReplyLine>),
    /// To `ReplyShow`.
    Reply(Box<ReplyView>),
    /// To `EscalationList`.
    Escalations(Vec<EscalationView>),
    /// To `EscalationShow`.
    Escalation(Box<EscalationView>),
    /// To `CheckinList`, the newest first.
    Checkins(Vec<Checkin>),
    /// To `CheckinShow`.
    Checkin(Box<Checkin>),
    /// To `CheckinStatus`, in the order of the day.
    Rounds(Vec<RoundView>),
    /// To `Events`.
    Events(Vec<EventLine>),
    /// To `Health`.
    Health(Health),
    /// To `Beat`: how the engine is, and who else is here.
    Beat {
        /// As to `Health`.
        health: Health,
        /// Who else.
        people: Vec<Present>,
    },
    /// To `StoreInfo`.
    Store(StoreInfo),
}

/// What waits for a word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueLine {
    /// As in a list.
    pub line: ExperimentLine,
    /// What a word would be bound to.
    pub fingerprint: String,
    /// How much approval it needs.
    pub level: Level,
    /// Findings by severity: block, warn, info.
    pub findings: [usize; 3],
    /// Words needed, and given.
    pub needed: usize,
    /// Words given.
    pub words: usize,
    /// The first slot.
    pub first: Option<UtcTime>,
    /// Until when it is put off, and by whom.
    pub later: Option<Later>,
}
