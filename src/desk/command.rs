//! Commands: what a person may ask the desk to change.
//!
//! Decides the wire form of each (a JSON object with `do`) and which row of the permission table it needs. Identity is
//! never part of a command: the kernel says who asks (T6). What a command does is in `act`.

use std::fmt;

use domain::account::Servers;
use domain::brief::Platform;
use domain::checkin::{Look, Round, Step};
use domain::hold::HoldKey;
use domain::id::{AccountId, ClientId, ConversationId, EscalationId, PostId};
use domain::review::{Choice, Signed};
use domain::role::{Action, Role};
use domain::secret::Secret;
use domain::time::{UtcTime, Zone};
use domain::variant::Facet;
use serde::{Deserialize, Serialize};

/// A secret on its way to the vault: it crosses the socket once, and shows itself to nobody.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Takes what a person typed.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Gives it on, for the vault.
    pub fn into_secret(self) -> Secret {
        Secret::new(self.0)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// What stands to be stopped or resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", content = "name", rename_all = "snake_case")]
pub enum Stoppable {
    /// Everything.
    Agency,
    /// All accounts of a client.
    Client(ClientId),
    /// One account.
    Account(AccountId),
    /// One experiment, by code or id.
    Experiment(String),
}

/// What a person says of a post in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "it_is", rename_all = "snake_case")]
pub enum Verdict {
    /// It is there.
    Live {
        /// Where.
        url: String,
    },
    /// It is not there, sworn.
    NotLive,
}

/// What a person asks for. Experiments are named by code, id or a unique prefix.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Make somebody a person here.
    UserGrant {
        /// Unix user id.
        uid: u32,
        /// Unix user name.
        name: String,
        /// As what.
        role: Role,
        /// For these clients alone; all where empty.
        clients: Vec<ClientId>,
    },
    /// Somebody leaves.
    UserRevoke {
        /// Unix user id.
        uid: u32,
    },
    /// Take on a client.
    ClientNew {
        /// Short name.
        client: ClientId,
        /// Full name.
        name: String,
        /// Zone, as in `Europe/London`.
        zone: String,
    },
    /// Replace name, zone and kit, as TOML.
    ClientEdit {
        /// Which.
        client: ClientId,
        /// As `client edit` prints it.
        toml: String,
    },
    /// Replace the policy, as TOML.
    PolicyEdit {
        /// Whose.
        client: ClientId,
        /// As `policy edit` prints it.
        toml: String,
    },
    /// Connect an account.
    AccountConnect {
        /// Its short name.
        account: AccountId,
        /// Whose it is.
        client: ClientId,
        /// Where.
        platform: Platform,
        /// Its handle.
        handle: String,
        /// Its servers.
        servers: Servers,
        /// A password made for this program alone.
        password: SecretText,
    },
    /// Forget its login.
    AccountDisconnect {
        /// Which.
        account: AccountId,
    },
    /// Stop sending.
    Pause {
        /// What.
        target: Stoppable,
        /// Why.
        reason: String,
    },
    /// Go on.
    Resume {
        /// What.
        target: Stoppable,
        /// Why.
        reason: String,
        /// The holds that its person saw, by name; one that came meanwhile stays.
        #[serde(default)]
        holds: Vec<HoldKey>,
    },
    /// Take in a brief.
    BriefNew {
        /// The brief.
        toml: String,
    },
    /// Replace a brief.
    BriefEdit {
        /// Which experiment.
        experiment: String,
        /// The brief.
        toml: String,
    },
    /// Replace one text of one variant.
    VariantEdit {
        /// Which experiment.
        experiment: String,
        /// Which variant.
        letter: char,
        /// Which round, from 1.
        round: u32,
        /// Which facet.
        facet: Facet,
        /// The new text.
        text: String,
    },
    /// Let the guards look again.
    PreflightRun {
        /// Which experiment.
        experiment: String,
    },
    /// Take the layer, draw the plan, and put it before a person.
    Submit {
        /// Which experiment.
        experiment: String,
    },
    /// Forget a draft.
    Drop {
        /// Which experiment.
        experiment: String,
        /// Why.
        reason: String,
    },
    /// End a running experiment.
    StopExperiment {
        /// Which.
        experiment: String,
        /// Why.
        reason: String,
    },
    /// Give one's word for exactly what was shown.
    Approve {
        /// Which experiment.
        experiment: String,
        /// What was shown; at least 8 digits.
        fingerprint: String,
    },
    /// Send it back.
    Reject {
        /// Which experiment.
        experiment: String,
        /// Why.
        reason: String,
    },
    /// Put an item of the queue off.
    QueueLater {
        /// Which experiment.
        experiment: String,
        /// Until when; until the next round where none.
        until: Option<UtcTime>,
        /// In which zone the answer tells the time; rounds begin at the office's hours.
        zone: Zone,
    },
    /// Take an item up again before its time.
    QueueBack {
        /// Which experiment.
        experiment: String,
    },
    /// Take an approval back, for all that is unsent or one post.
    Undo {
        /// Which experiment.
        experiment: String,
        /// One post alone.
        post: Option<PostId>,
    },
    /// Drop a post.
    PostCancel {
        /// Which.
        post: PostId,
        /// Why.
        reason: String,
    },
    /// Move a post to another slot.
    PostMove {
        /// Which.
        post: PostId,
        /// When.
        to: UtcTime,
    },
    /// Settle a post in doubt.
    PostConfirm {
        /// Which.
        post: PostId,
        /// What was seen.
        verdict: Verdict,
    },
    /// Answer one comment: exactly this text, on the thread as it was seen.
    ReplySend {
        /// Which conversation.
        conversation: ConversationId,
        /// What it says.
        text: String,
        /// The thread that was seen, by at least 8 digits of [`crate::query::ReplyLine::seen`]; refused where it has changed.
        seen: String,
    },
    /// Decide that a conversation needs no answer.
    ReplySkip {
        /// Which.
        conversation: ConversationId,
        /// Why.
        reason: String,
    },
    /// Take an escalation.
    EscalationTake {
        /// Which.
        escalation: EscalationId,
    },
    /// Give an escalation to somebody else, or back to whoever takes it.
    EscalationHand {
        /// Which.
        escalation: EscalationId,
        /// Whom, by name; whoever takes it where none.
        to: Option<String>,
    },
    /// Look at an escalation later; how much later at most, its urgency says.
    EscalationLater {
        /// Which.
        escalation: EscalationId,
        /// Until when; as long as may be where none.
        until: Option<UtcTime>,
        /// In which zone the answer tells the time.
        zone: Zone,
    },
    /// Settle an escalation.
    EscalationResolve {
        /// Which.
        escalation: EscalationId,
        /// How.
        reason: String,
    },
    /// Say of what could mislead about an outcome whether it does.
    OutcomeSign {
        /// Which experiment.
        experiment: String,
        /// Of which items, by their keys.
        keys: Vec<String>,
        /// What.
        says: Signed,
        /// What is known of it.
        note: String,
    },
    /// Decide about a reviewed experiment, and remember what it taught.
    Decide {
        /// Which experiment.
        experiment: String,
        /// What.
        decision: Choice,
        /// Why.
        reason: String,
        /// What is remembered; the sentence that is offered where none.
        learning: Option<String>,
    },
    /// Say that a learning no longer counts. It stays in the log.
    LearningRetract {
        /// Which, by id or unique prefix.
        learning: String,
        /// Why.
        reason: String,
    },
    /// Sign a round. Which day it is, and what is left, open and done, is the desk's to say, never taken from here.
    CheckinSign {
        /// Which round, of today.
        round: Round,
        /// For one client alone; for all that one sees where none.
        client: Option<ClientId>,
        /// What was looked at.
        looked: Vec<Looked>,
        /// How long it took, in seconds.
        used_s: u64,
        /// Who has what is left, and why.
        note: String,
        /// What was shown (`RoundView::shown`); refused where that has changed.
        shown: Option<String>,
    },
}

/// What a person looked at, as their face sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looked {
    /// At which step.
    pub step: Step,
    /// From when.
    pub from: UtcTime,
    /// Until when.
    pub until: UtcTime,
    /// What stood there, up to 200 characters: `none open on 9 accounts`.
    pub what: String,
}

impl From<Looked> for Look {
    fn from(sent: Looked) -> Self {
        let Looked { step, from, until, what } = sent;
        Self { step, from, until, what }
    }
}

impl Command {
    /// Returns the row of the permission table that is asked before anything is loaded. An approval is asked again once
    /// its level is known, a resume once its cause is.
    pub const fn action(&self) -> Action {
        match self {
            Self::UserGrant { .. }
            | Self::UserRevoke { .. }
            | Self::ClientNew { .. }
            | Self::ClientEdit { .. }
            | Self::PolicyEdit { .. } => Action::Administer,
            Self::AccountConnect { .. } | Self::AccountDisconnect { .. } => Action::Connect,
            Self::Pause { target: Stoppable::Agency, .. } => Action::HoldEngine,
            Self::Pause { .. } | Self::Undo { .. } | Self::PostCancel { .. } | Self::StopExperiment { .. } => {
                Action::Stop
            }
            Self::Resume { target: Stoppable::Agency, .. } => Action::ReleaseEngine,
            Self::Resume { .. } => Action::ResumeOperator,
            Self::BriefNew { .. } | Self::BriefEdit { .. } | Self::VariantEdit { .. } | Self::PreflightRun { .. } => {
                Action::Edit
            }
            Self::Submit { .. } | Self::Drop { .. } | Self::PostMove { .. } => Action::Submit,
            Self::Approve { .. } | Self::Reject { .. } => Action::ApproveReview,
            Self::PostConfirm { verdict: Verdict::Live { .. }, .. } => Action::SettleLive,
            Self::PostConfirm { verdict: Verdict::NotLive, .. } => Action::SettleNotLive,
            Self::EscalationTake { .. }
            | Self::EscalationHand { .. }
            | Self::EscalationLater { .. }
            | Self::EscalationResolve { .. }
            | Self::OutcomeSign { .. }
            | Self::Decide { .. }
            | Self::LearningRetract { .. } => Action::Decide,
            Self::ReplySend { .. } | Self::ReplySkip { .. } => Action::SendReply,
            Self::CheckinSign { .. } | Self::QueueLater { .. } | Self::QueueBack { .. } => Action::CheckIn,
        }
    }
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// One line a thing that was done.
    pub lines: Vec<String>,
    /// The same for programs.
    pub data: serde_json::Value,
    /// The next useful command.
    pub next: Option<String>,
}

impl Done {
    /// Words what was done.
    pub fn new(line: impl Into<String>, data: serde_json::Value) -> Self {
        Self { lines: vec![line.into()], data, next: None }
    }

    /// Adds a line.
    #[must_use]
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Names the next useful command.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}
