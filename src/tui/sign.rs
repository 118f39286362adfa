//! Signs: each state as a symbol and a word, and a colour that is never alone.
//!
//! Decides which symbol and word a state has, the same on every page. Normal states colour the symbol only.

use domain::experiment::Stage;

use crate::clean::Clean;
use crate::line::{Line, Look};
use crate::theme::Role;

/// A state as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sign {
    pub(crate) symbol: &'static str,
    pub(crate) word: Clean,
    pub(crate) role: Role,
    /// As it should be: the word stays muted.
    pub(crate) normal: bool,
}

impl Sign {
    fn normal(symbol: &'static str, word: impl Into<Clean>, role: Role) -> Self {
        Self { symbol, word: word.into(), role, normal: true }
    }

    fn loud(symbol: &'static str, word: impl Into<Clean>, role: Role) -> Self {
        Self { symbol, word: word.into(), role, normal: false }
    }

    /// Done, verified, clean.
    pub(crate) fn done(word: impl Into<Clean>) -> Self {
        Self::normal("✓", word, Role::Ok)
    }

    /// Failed, blocked.
    pub(crate) fn failed(word: impl Into<Clean>) -> Self {
        Self::loud("✗", word, Role::Danger)
    }

    /// Worth a look.
    pub(crate) fn warning(word: impl Into<Clean>) -> Self {
        Self::loud("!", word, Role::Warn)
    }

    /// Still to come.
    pub(crate) fn planned(word: impl Into<Clean>) -> Self {
        Self::normal("◌", word, Role::Muted)
    }

    /// Under way.
    pub(crate) fn under_way(word: impl Into<Clean>) -> Self {
        Self::loud("◍", word, Role::Info)
    }

    /// Stopped for now.
    pub(crate) fn paused(word: impl Into<Clean>) -> Self {
        Self::loud("=", word, Role::Warn)
    }

    /// A person is needed.
    pub(crate) fn needed(word: impl Into<Clean>) -> Self {
        Self::loud("✦", word, Role::Attention)
    }

    /// A person does it.
    pub(crate) fn by_hand(word: impl Into<Clean>) -> Self {
        Self::loud("✎", word, Role::Attention)
    }

    /// Nobody can tell.
    pub(crate) fn in_doubt(word: impl Into<Clean>) -> Self {
        Self::loud("?", word, Role::Warn)
    }

    /// Not comparable.
    pub(crate) fn invalid(word: impl Into<Clean>) -> Self {
        Self::loud("⊘", word, Role::Danger)
    }

    /// Old, late, not known.
    pub(crate) fn stale(word: impl Into<Clean>) -> Self {
        Self::normal("~", word, Role::Muted)
    }

    /// Sent; the desk has not answered.
    pub(crate) fn sent(word: impl Into<Clean>) -> Self {
        Self::normal("…", word, Role::Muted)
    }

    /// Returns the state of a post, from the desk's word for it.
    pub(crate) fn of_post(word: &str, voided: bool) -> Self {
        match word {
            "planned" if voided => Self::warning("approval void"),
            "planned" => Self::planned("planned"),
            "preparing" => Self::under_way("preparing"),
            "prepared" => Self::planned("prepared"),
            "committing" => Self::under_way("publishing"),
            "unconfirmed" => Self::in_doubt("in doubt"),
            "awaiting operator" | "claimed" => Self::by_hand("by hand"),
            "published" => Self::under_way("published"),
            "verified" => Self::done("verified"),
            "removed" => Self::failed("removed"),
            "failed" => Self::failed("failed"),
            "missed" => Self::failed("missed"),
            "cancelled" => Self::planned("cancelled"),
            other => Self::stale(other.to_owned()),
        }
    }

    /// Returns the state of an experiment.
    pub(crate) fn of_stage(stage: &Stage, paused: bool) -> Self {
        if paused {
            return Self::paused("paused");
        }
        match stage {
            Stage::Drafting | Stage::Creating | Stage::Scheduled | Stage::Preflight => Self::planned(stage.word()),
            Stage::AwaitingApproval | Stage::Reviewing => Self::needed(stage.word()),
            Stage::Running | Stage::Maturing => Self::under_way(stage.word()),
            Stage::Completed { .. } => Self::done(stage.word()),
            Stage::Invalid { .. } => Self::invalid(stage.word()),
        }
    }

    fn word_look(&self) -> Look {
        Look::of(if self.normal { Role::Muted } else { self.role })
    }

    /// Adds it to a line: the symbol, then the word in a column of so many cells.
    pub(crate) fn put(&self, line: Line, width: usize, gap: usize) -> Line {
        line.put(self.symbol, Look::of(self.role)).plain(" ").cell(
            self.word.clone(),
            self.word_look(),
            width.saturating_sub(2),
            gap,
        )
    }

    /// Adds it to the end of a line.
    pub(crate) fn append(&self, line: Line) -> Line {
        line.put(self.symbol, Look::of(self.role)).plain(" ").put(self.word.clone(), self.word_look())
    }
}
