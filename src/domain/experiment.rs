//! Experiments: one question, with everything that goes out to answer it.
//!
//! Decides the stages of its life and who may move it on. Its posts live their own lives (`post`); whether its content
//! may be shown is `preflight`'s business, where it stands in time the calendar's, what it found `outcome`'s.
//!
//! | stage | status | leaves by |
//! |---|---|---|
//! | drafting, creating, preflight | draft | no blocking finding, submitted → awaiting approval |
//! | awaiting approval | draft | enough words → scheduled; rejected, plan given up → preflight; as scheduled, for posts whose own approval stands |
//! | scheduled | running | first post out → running; edited, an approval lost → awaiting approval; plan given up → preflight |
//! | running | running | all posts settled → maturing, or completed where none is out; breach, pause → paused |
//! | paused | paused | resumed → where it was; stopped → completed |
//! | maturing | running | last snapshot age reached → reviewing |
//! | reviewing | running | decision → completed |
//! | completed | completed | – |
//! | invalid | invalid | – ; cloned or abandoned, it stays invalid (R12) |
//!
//! From scheduled, running and maturing alike: reviewed invalid → invalid, reviewed with too few posts left → reviewing.

pub mod later;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::aggregate::{Aggregate, StreamKind};
use crate::approval::{ApprovalLevel, Approver};
use crate::brief::{Brief, Kind};
use crate::calendar::layer::LayerId;
use crate::calendar::plan::Plan;
use crate::hold::{Hold, HoldKey, Holds, Release};
use crate::id::{ClientId, ExperimentId};
use crate::preflight::{Finding, Level, Severity};
use crate::refusal::Refusal;
use crate::review::{Ask, Choice, Decision, Review, Reviewed, Signature};
use crate::time::UtcTime;
use crate::variant::Variant;

/// What sort of experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentKind {
    /// One variable, a few posts.
    Micro,
    /// 5 to 20 posts across whole weeks.
    Batch,
    /// Reply patterns.
    Engagement,
    /// How posts get out.
    Lane,
    /// The client's standing one, for posts that test nothing.
    House,
}

impl From<Kind> for ExperimentKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Micro => Self::Micro,
            Kind::Batch => Self::Batch,
            Kind::Engagement => Self::Engagement,
            Kind::Lane => Self::Lane,
        }
    }
}

impl ExperimentKind {
    /// Returns the word that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Micro => "micro",
            Self::Batch => "batch",
            Self::Engagement => "engagement",
            Self::Lane => "lane",
            Self::House => "house",
        }
    }
}

/// Where an experiment is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Stage {
    /// A: the brief is being written.
    Drafting,
    /// B: variants are being made.
    Creating,
    /// C: the guards have looked; it waits to be submitted, or to be mended.
    Preflight,
    /// It waits for a person's word.
    AwaitingApproval,
    /// D: approved; nothing is out yet.
    Scheduled,
    /// D, E, F: posts go out.
    Running,
    /// All posts are settled; metrics ripen.
    Maturing,
    /// G: it waits for a decision.
    Reviewing,
    /// Over.
    Completed {
        /// How it ended.
        how: String,
    },
    /// Not comparable; its numbers are informational only.
    Invalid {
        /// Which check said so.
        why: String,
    },
}

impl Stage {
    /// Returns the word that screens use.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Drafting => "drafting",
            Self::Creating => "creating",
            Self::Preflight => "preflight",
            Self::AwaitingApproval => "awaiting approval",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Maturing => "maturing",
            Self::Reviewing => "reviewing",
            Self::Completed { .. } => "completed",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// Returns the mission's word: draft, running, completed or invalid; paused is told by the holds.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Drafting | Self::Creating | Self::Preflight | Self::AwaitingApproval => "draft",
            Self::Scheduled | Self::Running | Self::Maturing | Self::Reviewing => "running",
            Self::Completed { .. } => "completed",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// Tells whether nothing more will happen.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Invalid { .. })
    }

    /// Tells whether posts of this stage may go out, the holds apart. Each still needs an approval of its own: where one
    /// post's was lost, the others' stand.
    pub const fn may_send(&self) -> bool {
        matches!(self, Self::AwaitingApproval | Self::Scheduled | Self::Running)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Somebody who wrote, by Unix user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// The Unix user id.
    pub uid: u32,
    /// The name that screens show.
    pub name: String,
}

/// An experiment as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Its id.
    pub id: ExperimentId,
    /// The name that people use: `ACM-014`.
    pub code: String,
    /// Whose it is.
    pub client: ClientId,
    /// What sort.
    pub kind: ExperimentKind,
    /// Who wrote it.
    pub author: Writer,
    /// Who edited it last.
    pub editor: Writer,
    /// What was asked; none for the house experiment.
    pub brief: Option<Brief>,
    /// What it shows; the first is the control.
    pub variants: Vec<Variant>,
    /// What the guards found at the last look.
    pub findings: Vec<Finding>,
    /// How much approval it needs, and why.
    pub level: Level,
    /// Its slots.
    pub plan: Option<Plan>,
    /// The words given since the last change.
    pub words: Vec<Approver>,
    /// Where it is in its life.
    pub stage: Stage,
    /// What stops it.
    pub holds: Holds,
    /// When it was taken in.
    pub created: UtcTime,
    /// Until when a person put it off, while it waits for a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<later::Later>,
    /// What it was found to say, and what was decided about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Box<Review>>,
    /// The experiment that it came out of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Lineage>,
}

/// A step between an experiment and one that came out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The other one.
    pub id: ExperimentId,
    /// The name that people use.
    pub code: String,
    /// Why: what was decided, or which check said invalid.
    pub why: String,
}

/// What is asked of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub enum ExperimentCommand {
    /// Its brief and variants were edited.
    Edit {
        /// The brief.
        brief: Box<Brief>,
        /// The variants made of it.
        variants: Vec<Variant>,
        /// Who.
        by: Writer,
    },
    /// The guards looked.
    RecordPreflight {
        /// What they found.
        findings: Vec<Finding>,
        /// The level they ask for.
        level: Level,
    },
    /// It is put before a person.
    Submit {
        /// Its slots.
        plan: Box<Plan>,
    },
    /// A person gives their word for what they saw.
    GiveWord {
        /// Who.
        approver: Approver,
        /// How many different persons are needed.
        needed: usize,
    },
    /// A person sends it back.
    Reject {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A person puts it off.
    PutOff(later::PutOff),
    /// A person takes it up again before its time.
    TakeUp {
        /// The present.
        now: UtcTime,
    },
    /// Its slots are given up: the plan must be drawn again.
    Withdraw {
        /// Why.
        why: String,
    },
    /// An approval of one of its unsent posts is void, or was taken back.
    LoseApproval {
        /// Why.
        why: String,
    },
    /// One of its posts is out.
    PostOut,
    /// All its posts are settled.
    AllSettled {
        /// Whether any of them is out.
        any_out: bool,
    },
    /// What it says was found out.
    Review(Box<Reviewed>),
    /// A person says of what could mislead whether it does.
    Sign(Vec<Signature>),
    /// A person decides about it.
    Decide(Box<Ask>),
    /// Stop sending.
    Pause(Hold),
    /// Go on.
    Resume(Release),
    /// End it early.
    Stop {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Forget the draft.
    Drop {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
}

/// What happened to an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ExperimentEvent {
    /// A brief was taken in.
    ExperimentCreated {
        /// As it began.
        experiment: Box<Experiment>,
    },
    /// It was edited.
    ExperimentEdited {
        /// The brief.
        brief: Box<Brief>,
        /// The variants.
        variants: Vec<Variant>,
        /// Who.
        by: Writer,
    },
    /// The guards looked.
    PreflightRecorded {
        /// What they found.
        findings: Vec<Finding>,
        /// The level they ask for.
        level: Level,
    },
    /// It was put before a person.
    ExperimentSubmitted {
        /// Its slots.
        plan: Box<Plan>,
    },
    /// A person gave their word.
    WordGiven {
        /// Who.
        approver: Approver,
    },
    /// Enough words were given.
    ExperimentApproved,
    /// A person sent it back.
    ExperimentRejected {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A person put it off.
    ExperimentPutOff {
        /// Until when, and who.
        later: later::Later,
    },
    /// A person took it up again before its time.
    ExperimentTakenUp,
    /// Its slots were given up.
    PlanWithdrawn {
        /// Why.
        why: String,
    },
    /// It needs a person's word again.
    ApprovalLost {
        /// Why.
        why: String,
    },
    /// Its first post is out.
    ExperimentRunning,
    /// Its posts are settled.
    ExperimentMaturing,
    /// Its metrics are ripe.
    ExperimentReviewing,
    /// What it says was found out: it waits for a decision, or is invalid.
    ExperimentReviewed {
        /// What was found, with what this rests on.
        reviewed: Box<Reviewed>,
    },
    /// A person said of what could mislead whether it does.
    ConfoundersSigned {
        /// Each word.
        signatures: Vec<Signature>,
    },
    /// A person decided about it.
    ExperimentDecided {
        /// What.
        decision: Box<Decision>,
    },
    /// It was stopped, for now.
    ExperimentPaused {
        /// By whom and why.
        hold: Hold,
    },
    /// It goes on.
    ExperimentResumed {
        /// Why.
        reason: String,
        /// Which holds ended; all of them where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holds: Vec<HoldKey>,
    },
    /// It is over.
    ExperimentCompleted {
        /// How.
        how: String,
        /// Who ended it.
        by: Actor,
    },
}

impl Experiment {
    /// Returns the layer it needs; none for the house experiment.
    pub fn layer(&self) -> Option<LayerId> {
        self.brief.as_ref().map(|brief| LayerId {
            client: self.client.clone(),
            surface: brief.surface.clone(),
            variable: brief.variable_under_test,
        })
    }

    /// Returns the Unix users who may not approve it where "not own" is in force.
    pub fn authors(&self) -> [u32; 2] {
        [self.author.uid, self.editor.uid]
    }

    /// Tells whether a guard found something that blocks.
    pub fn is_blocked(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Block)
    }

    fn what(&self) -> String {
        format!("experiment {}", self.code)
    }

    fn wrong_stage(&self, rule: &str, wanted: &str) -> Refusal {
        Refusal::rule(
            rule,
            self.what(),
            format!("it is {}", self.stage),
            format!("only an experiment that is {wanted} takes this"),
        )
    }

    /// Decides what a command means now. Pure: same experiment and command, same answer.
    pub fn decide(&self, command: ExperimentCommand) -> Result<Vec<ExperimentEvent>, Refusal> {
        match command {
            ExperimentCommand::Edit { brief, variants, by } => self.edit(brief, variants, by),
            ExperimentCommand::RecordPreflight { findings, level } => {
                if self.stage.is_over() {
                    return Err(self.wrong_stage("experiment.preflight", "not over"));
                }
                Ok(vec![ExperimentEvent::PreflightRecorded { findings, level }])
            }
            ExperimentCommand::Submit { plan } => self.submit(plan),
            ExperimentCommand::GiveWord { approver, needed } => self.give_word(approver, needed),
            ExperimentCommand::Reject { by, reason } => self.reject(by, reason),
            ExperimentCommand::PutOff(ask) => self.put_off(ask),
            ExperimentCommand::TakeUp { now } => self.take_up(now),
            ExperimentCommand::Withdraw { why } => match self.stage {
                Stage::AwaitingApproval | Stage::Scheduled => Ok(vec![ExperimentEvent::PlanWithdrawn { why }]),
                Stage::Drafting
                | Stage::Creating
                | Stage::Preflight
                | Stage::Running
                | Stage::Maturing
                | Stage::Reviewing
                | Stage::Completed { .. }
                | Stage::Invalid { .. } => {
                    Err(self.wrong_stage("experiment.withdraw", "submitted, with nothing out yet"))
                }
            },
            ExperimentCommand::LoseApproval { why } => match self.stage {
                Stage::Scheduled => Ok(vec![ExperimentEvent::ApprovalLost { why }]),
                Stage::AwaitingApproval | Stage::Running if !self.words.is_empty() => {
                    Ok(vec![ExperimentEvent::ApprovalLost { why }])
                }
                Stage::AwaitingApproval
                | Stage::Running
                | Stage::Drafting
                | Stage::Creating
                | Stage::Preflight
                | Stage::Maturing
                | Stage::Reviewing
                | Stage::Completed { .. }
                | Stage::Invalid { .. } => Ok(Vec::new()),
            },
            ExperimentCommand::PostOut => {
                Ok(if self.stage == Stage::Scheduled || self.stage == Stage::AwaitingApproval {
                    vec![ExperimentEvent::ExperimentRunning]
                } else {
                    Vec::new()
                })
            }
            ExperimentCommand::AllSettled { any_out } => Ok(self.all_settled(any_out)),
            ExperimentCommand::Review(reviewed) => self.reviewed(reviewed),
            ExperimentCommand::Sign(signatures) => self.sign(signatures),
            ExperimentCommand::Decide(ask) => {
                let decision = Box::new(self.decision(*ask)?);
                Ok(vec![ExperimentEvent::ExperimentDecided { decision }])
            }
            ExperimentCommand::Pause(hold) => {
                if self.stage.is_over() {
                    return Err(self.wrong_stage("experiment.pause", "not over"));
                }
                Ok(vec![ExperimentEvent::ExperimentPaused { hold }])
            }
            ExperimentCommand::Resume(release) => {
                let holds = self.holds.check_release(&self.what(), &release)?;
                Ok(vec![ExperimentEvent::ExperimentResumed { reason: release.reason, holds }])
            }
            ExperimentCommand::Stop { by, reason } => {
                self.end(by, format!("stopped early: {reason}"), &reason, self.stage.status() == "running", "running")
            }
            ExperimentCommand::Drop { by, reason } => {
                self.end(by, format!("abandoned: {reason}"), &reason, self.stage.status() == "draft", "a draft")
            }
        }
    }

    fn end(
        &self,
        by: Actor,
        how: String,
        reason: &str,
        fits: bool,
        wanted: &str,
    ) -> Result<Vec<ExperimentEvent>, Refusal> {
        if self.kind == ExperimentKind::House {
            return Err(Refusal::rule(
                "experiment.house",
                self.what(),
                "the house experiment stands as long as the client",
                "cancel its posts one by one",
            ));
        }
        if !fits {
            return Err(self.wrong_stage("experiment.end", wanted));
        }
        if reason.trim().is_empty() {
            return Err(Refusal::invalid(
                "experiment.reason",
                self.what(),
                "ending it needs a reason",
                "give one with --reason",
            ));
        }
        Ok(vec![ExperimentEvent::ExperimentCompleted { how, by }])
    }

    fn edit(&self, brief: Box<Brief>, variants: Vec<Variant>, by: Writer) -> Result<Vec<ExperimentEvent>, Refusal> {
        if self.kind == ExperimentKind::House {
            let why = "the house experiment tests nothing and has no brief";
            return Err(Refusal::rule("experiment.house", self.what(), why, "edit another one"));
        }
        match self.stage {
            Stage::Drafting
            | Stage::Creating
            | Stage::Preflight
            | Stage::AwaitingApproval
            | Stage::Scheduled
            | Stage::Running => {}
            Stage::Maturing | Stage::Reviewing | Stage::Completed { .. } | Stage::Invalid { .. } => {
                return Err(self.wrong_stage("experiment.edit", "not out yet, or running"));
            }
        }
        if self.brief.as_ref() == Some(&*brief) && self.variants == variants {
            return Err(Refusal::nothing(self.what(), "nothing was changed"));
        }
        Ok(vec![ExperimentEvent::ExperimentEdited { brief, variants, by }])
    }

    fn submit(&self, plan: Box<Plan>) -> Result<Vec<ExperimentEvent>, Refusal> {
        if self.stage != Stage::Preflight {
            return Err(self.wrong_stage("experiment.submit", "through preflight"));
        }
        if let Some(found) = self.findings.iter().find(|f| f.severity == Severity::Block) {
            return Err(Refusal::rule(
                "experiment.blocked",
                self.what(),
                format!("{} found {}: {}", found.guard, found.rule, found.why),
                found.mend.clone(),
            ));
        }
        Ok(vec![ExperimentEvent::ExperimentSubmitted { plan }])
    }

    fn give_word(&self, approver: Approver, needed: usize) -> Result<Vec<ExperimentEvent>, Refusal> {
        if !matches!(self.stage, Stage::AwaitingApproval | Stage::Running) {
            return Err(self.wrong_stage("experiment.approve", "awaiting approval"));
        }
        if self.is_blocked() {
            return Err(Refusal::rule(
                "experiment.blocked",
                self.what(),
                "a guard found something that blocks",
                "mend it; a block is never waived",
            ));
        }
        if self.words.iter().any(|w| w.uid.is_some() && w.uid == approver.uid && w.shown == approver.shown) {
            return Err(Refusal::nothing(self.what(), "you gave your word already; it waits for another person"));
        }
        let same_sheet = self.words.iter().all(|w| w.shown == approver.shown);
        let given = if same_sheet { self.words.len() } else { 0 };
        let enough = given.saturating_add(1) >= needed;
        let mut events = Vec::new();
        if !same_sheet {
            events.push(ExperimentEvent::ApprovalLost {
                why: "what was shown to the first approver has changed".to_owned(),
            });
        }
        events.push(ExperimentEvent::WordGiven { approver });
        if enough {
            events.push(ExperimentEvent::ExperimentApproved);
        }
        Ok(events)
    }

    fn reject(&self, by: Actor, reason: String) -> Result<Vec<ExperimentEvent>, Refusal> {
        if self.stage != Stage::AwaitingApproval {
            return Err(self.wrong_stage("experiment.reject", "awaiting approval"));
        }
        if reason.trim().is_empty() {
            return Err(Refusal::invalid(
                "experiment.reason",
                self.what(),
                "sending it back needs a reason",
                "give one with --reason",
            ));
        }
        Ok(vec![ExperimentEvent::ExperimentRejected { by, reason }])
    }

    /// Takes what was found: at the last reading of a maturing one; before it only what no post to come can change.
    fn reviewed(&self, reviewed: Box<Reviewed>) -> Result<Vec<ExperimentEvent>, Refusal> {
        let fits = match self.stage {
            Stage::Maturing => true,
            Stage::Scheduled | Stage::Running => reviewed.early,
            Stage::Reviewing => self.review.is_none(),
            Stage::Drafting
            | Stage::Creating
            | Stage::Preflight
            | Stage::AwaitingApproval
            | Stage::Completed { .. }
            | Stage::Invalid { .. } => false,
        };
        if self.kind == ExperimentKind::House || !fits {
            return Err(self.wrong_stage("experiment.review", "maturing"));
        }
        Ok(vec![ExperimentEvent::ExperimentReviewed { reviewed }])
    }

    fn sign(&self, signatures: Vec<Signature>) -> Result<Vec<ExperimentEvent>, Refusal> {
        let Some(review) = self.review.as_ref().filter(|_| self.stage == Stage::Reviewing) else {
            return Err(self.wrong_stage("review.sign", "reviewing"));
        };
        let known = |key: &str| review.made.confounders.iter().any(|it| it.key == key);
        if let Some(unknown) = signatures.iter().find(|signature| !known(&signature.key)) {
            let keys: Vec<&str> = review.made.confounders.iter().map(|it| it.key.as_str()).collect();
            return Err(Refusal::invalid(
                "review.key",
                self.what(),
                format!("`{}` is not on its list of what could mislead", unknown.key),
                format!("sign one of: {}", keys.join(", ")),
            ));
        }
        let said = |new: &Signature| {
            let earlier = review.signature(&new.key);
            earlier.is_some_and(|old| (old.says, &old.note, &old.by) == (new.says, &new.note, &new.by))
        };
        let fresh: Vec<Signature> = signatures.into_iter().filter(|new| !said(new)).collect();
        if fresh.is_empty() {
            return Err(Refusal::nothing(self.what(), "you have signed that already"));
        }
        Ok(vec![ExperimentEvent::ConfoundersSigned { signatures: fresh }])
    }

    fn all_settled(&self, any_out: bool) -> Vec<ExperimentEvent> {
        match self.stage {
            Stage::Scheduled | Stage::Running | Stage::AwaitingApproval if self.kind != ExperimentKind::House => {
                if any_out {
                    vec![ExperimentEvent::ExperimentMaturing]
                } else {
                    vec![ExperimentEvent::ExperimentCompleted {
                        how: "none of its posts went out".to_owned(),
                        by: Actor::Engine,
                    }]
                }
            }
            Stage::Scheduled
            | Stage::Running
            | Stage::AwaitingApproval
            | Stage::Drafting
            | Stage::Creating
            | Stage::Preflight
            | Stage::Maturing
            | Stage::Reviewing
            | Stage::Completed { .. }
            | Stage::Invalid { .. } => Vec::new(),
        }
    }

    /// Returns how many different persons must give their word at this level.
    pub fn words_needed(&self, regulated: bool) -> usize {
        match self.level.level {
            ApprovalLevel::Auto => 0,
            ApprovalLevel::Review => 1,
            ApprovalLevel::Manual => {
                if regulated {
                    2
                } else {
                    1
                }
            }
        }
    }
}

fn how_it_ended(decision: &Decision) -> String {
    match (decision.choice, &decision.child) {
        (Choice::Ship { letter }, _) => format!("{letter} is shipped: {}", decision.why),
        (Choice::Iterate, Some(child)) => format!("it goes on as {}: {}", child.code, decision.why),
        (Choice::Iterate, None) => format!("it goes on: {}", decision.why),
        (Choice::Abandon, _) => format!("abandoned: {}", decision.why),
    }
}

impl Aggregate for Experiment {
    type Event = ExperimentEvent;
    const KIND: StreamKind = StreamKind::Experiment;

    fn begin(event: &ExperimentEvent) -> Option<Self> {
        if let ExperimentEvent::ExperimentCreated { experiment } = event { Some((**experiment).clone()) } else { None }
    }

    fn apply(&mut self, event: &ExperimentEvent) {
        match event {
            ExperimentEvent::ExperimentCreated { experiment } => *self = (**experiment).clone(),
            ExperimentEvent::ExperimentEdited { brief, variants, by } => {
                self.brief = Some((**brief).clone());
                self.variants = variants.clone();
                self.editor = by.clone();
                self.words.clear();
                self.later = None;
                match self.stage {
                    Stage::Scheduled => self.stage = Stage::AwaitingApproval,
                    Stage::Drafting | Stage::Creating => self.stage = Stage::Preflight,
                    Stage::Preflight
                    | Stage::AwaitingApproval
                    | Stage::Running
                    | Stage::Maturing
                    | Stage::Reviewing
                    | Stage::Completed { .. }
                    | Stage::Invalid { .. } => {}
                }
            }
            ExperimentEvent::PreflightRecorded { findings, level } => {
                self.findings = findings.clone();
                self.level = level.clone();
                if matches!(self.stage, Stage::Drafting | Stage::Creating) {
                    self.stage = Stage::Preflight;
                }
            }
            ExperimentEvent::ExperimentSubmitted { plan } => {
                self.plan = Some((**plan).clone());
                self.words.clear();
                self.later = None;
                self.stage = Stage::AwaitingApproval;
            }
            ExperimentEvent::WordGiven { approver } => {
                self.words.push(approver.clone());
                self.later = None;
            }
            ExperimentEvent::ExperimentPutOff { later } => self.later = Some(later.clone()),
            ExperimentEvent::ExperimentTakenUp => self.later = None,
            ExperimentEvent::ExperimentApproved => {
                if self.stage == Stage::AwaitingApproval {
                    self.stage = Stage::Scheduled;
                }
            }
            ExperimentEvent::ExperimentRejected { .. } | ExperimentEvent::PlanWithdrawn { .. } => {
                self.plan = None;
                self.words.clear();
                self.later = None;
                self.stage = Stage::Preflight;
            }
            ExperimentEvent::ApprovalLost { .. } => {
                self.words.clear();
                self.later = None;
                if self.stage == Stage::Scheduled {
                    self.stage = Stage::AwaitingApproval;
                }
            }
            ExperimentEvent::ExperimentRunning => self.stage = Stage::Running,
            ExperimentEvent::ExperimentMaturing => self.stage = Stage::Maturing,
            ExperimentEvent::ExperimentReviewing => self.stage = Stage::Reviewing,
            ExperimentEvent::ExperimentReviewed { reviewed } => {
                self.stage = match reviewed.invalid_because() {
                    Some(why) => Stage::Invalid { why },
                    None => Stage::Reviewing,
                };
                self.review = Some(Box::new(Review::new((**reviewed).clone())));
            }
            ExperimentEvent::ConfoundersSigned { signatures } => {
                if let Some(review) = &mut self.review {
                    signatures.iter().cloned().for_each(|signature| review.sign(signature));
                }
            }
            ExperimentEvent::ExperimentDecided { decision } => {
                // What is invalid stays so, whatever is decided about it.
                if self.stage == Stage::Reviewing {
                    self.stage = Stage::Completed { how: how_it_ended(decision) };
                }
                if let Some(review) = &mut self.review {
                    review.decision = Some((**decision).clone());
                }
            }
            ExperimentEvent::ExperimentPaused { hold } => self.holds.add(hold.clone()),
            ExperimentEvent::ExperimentResumed { holds, .. } => self.holds.end(holds),
            ExperimentEvent::ExperimentCompleted { how, .. } => self.stage = Stage::Completed { how: how.clone() },
        }
    }
}
