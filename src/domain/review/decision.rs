//! Decisions: ship, iterate or abandon, with who and why.
//!
//! Decides what may be decided about an experiment and by whom, with the reason where it may not (O3, R12, X6). A winner is
//! shipped only where the winner rule names it and a person signed each thing that could mislead as no.

use serde::{Deserialize, Serialize};

use super::Review;
use crate::actor::Actor;
use crate::experiment::{Experiment, Lineage};
use crate::hash::ContentHash;
use crate::outcome::Say;
use crate::refusal::{Refusal, RefusalKind};
use crate::role::Role;
use crate::time::UtcTime;

/// What is done about an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "choice", rename_all = "snake_case")]
pub enum Choice {
    /// A variant is what goes out from now on.
    Ship {
        /// Which.
        letter: char,
    },
    /// A new experiment comes out of this one.
    Iterate,
    /// Nothing more is done about it.
    Abandon,
}

impl Choice {
    /// Returns the word that screens and commands use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ship { .. } => "ship",
            Self::Iterate => "iterate",
            Self::Abandon => "abandon",
        }
    }
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What is done.
    pub choice: Choice,
    /// Why.
    pub why: String,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: UtcTime,
    /// What is shipped, byte for byte, by round; empty where nothing is.
    pub contents: Vec<ContentHash>,
    /// It goes against what the winner rule recommends.
    pub against: bool,
    /// The experiment that came out of it.
    pub child: Option<Lineage>,
}

/// What a person asks to decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// What.
    pub choice: Choice,
    /// Why.
    pub why: String,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: UtcTime,
    /// Whether the client's policy says regulated.
    pub regulated: bool,
    /// The draft that an iteration began.
    pub child: Option<Lineage>,
}

/// One thing that could be decided, as a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What.
    pub choice: Choice,
    /// What comes of it.
    pub means: String,
    /// It is what the outcome speaks for.
    pub recommended: bool,
    /// A reviewer must decide it.
    pub reviewer: bool,
    /// Why it may not be decided; `None` where it may.
    pub refused: Option<String>,
}

impl Review {
    /// Returns the winner that may be shipped now.
    fn shippable(&self) -> Option<char> {
        let outcome = self.outcome();
        outcome.winner.filter(|_| outcome.say == Say::Winner && self.is_clear())
    }

    /// Says why a variant may not be shipped; `None` where it may.
    fn ship_refused(&self, letter: char) -> Option<String> {
        let outcome = self.outcome();
        // Where a warning stands in the way, the verdict on its explaining nothing is what would be shipped.
        let hoped = self.made.confirmed.as_ref().filter(|hoped| hoped.say == Say::Winner && outcome.say != Say::Winner);
        let named = hoped.unwrap_or(outcome);
        match (named.say, named.winner) {
            (Say::Winner, Some(winner)) if winner == letter => {
                let open = self.open();
                (!open.is_empty()).then(|| format!("not all that could mislead is signed as no: {}", open.join("; ")))
            }
            (Say::Winner, Some(winner)) => Some(format!("the winner rule names {winner}, not {letter}")),
            (Say::Winner, None)
            | (
                Say::NotRipe
                | Say::NothingRead
                | Say::Invalid
                | Say::NotEnoughPosts
                | Say::RestsOnSuspected
                | Say::NoCall,
                _,
            ) => Some(format!("the winner rule names no winner ({}): {}", named.say.as_str(), named.sentence)),
        }
    }

    /// Returns what could be decided now, each with what comes of it, or why it may not be.
    pub fn answers(&self, regulated: bool) -> Vec<Answer> {
        let outcome = self.outcome();
        let hoped = self.made.confirmed.as_ref().and_then(|hoped| hoped.winner);
        let letter = outcome.winner.or(hoped);
        let shippable = self.shippable();
        let invalid = outcome.say == Say::Invalid;
        let decided =
            self.decision.as_ref().map(|done| format!("{} decided it already: {}", done.by, done.choice.as_str()));
        let reviewer = |choice: Choice| regulated || self.is_against(choice);
        let mut answers = Vec::new();
        let ship = Choice::Ship { letter: letter.unwrap_or('B') };
        answers.push(Answer {
            choice: ship,
            means: letter.map_or_else(
                || "the winner would be what goes out from now on".to_owned(),
                |letter| format!("{letter} is what goes out from now on"),
            ),
            recommended: shippable.is_some(),
            reviewer: reviewer(ship),
            refused: decided.clone().or_else(|| self.ship_refused(letter.unwrap_or('B'))),
        });
        answers.push(Answer {
            choice: Choice::Iterate,
            means: if invalid {
                "a clone begins as a draft, linked to this one with the reason; this one stays invalid".to_owned()
            } else {
                "a new draft begins from this one, linked to it; its layer is kept for it".to_owned()
            },
            recommended: shippable.is_none() && outcome.say != Say::NothingRead,
            reviewer: reviewer(Choice::Iterate),
            refused: decided.clone(),
        });
        answers.push(Answer {
            choice: Choice::Abandon,
            means: "nothing more is done about it; what it taught stays in Memory".to_owned(),
            recommended: outcome.say == Say::NothingRead,
            reviewer: reviewer(Choice::Abandon),
            refused: decided,
        });
        answers
    }

    /// Tells whether a choice goes against a winner that may be shipped.
    fn is_against(&self, choice: Choice) -> bool {
        self.shippable().is_some_and(|letter| choice != Choice::Ship { letter })
    }
}

impl Experiment {
    /// Decides what a decision means now.
    pub(crate) fn decision(&self, ask: Ask) -> Result<Decision, Refusal> {
        let what = || format!("experiment {}", self.code);
        let Some(review) = &self.review else {
            let why = format!("it is {}, and was not reviewed yet", self.stage);
            return Err(Refusal::rule("decision.too-early", what(), why, "wait until its last reading is in"));
        };
        if let Some(done) = &review.decision {
            let why = format!("{} decided it at {}: {}", done.by, done.at, done.choice.as_str());
            return Err(Refusal::nothing(what(), why));
        }
        if ask.why.trim().is_empty() {
            return Err(Refusal::invalid(
                "decision.why",
                what(),
                "a decision needs a reason",
                "give one with --reason",
            ));
        }
        if let Choice::Ship { letter } = ask.choice
            && let Some(why) = review.ship_refused(letter)
        {
            let mend = match review.outcome().say {
                Say::Invalid => "clone it with `iterate`, or abandon it; it stays invalid".to_owned(),
                Say::Winner | Say::NoCall if !review.open().is_empty() && self.could_win(letter) => {
                    format!("sign each with `expos outcome sign {} KEY --no`, or iterate", self.code)
                }
                Say::NotRipe
                | Say::NothingRead
                | Say::NotEnoughPosts
                | Say::Winner
                | Say::RestsOnSuspected
                | Say::NoCall => "iterate, or abandon it".to_owned(),
            };
            return Err(Refusal::rule("decision.ship", what(), why, mend));
        }
        let against = review.is_against(ask.choice);
        let reviewer = matches!(&ask.by, Actor::Person { role: Role::Reviewer | Role::Admin, .. });
        if (ask.regulated || against) && !reviewer {
            let why = if ask.regulated {
                "the client is regulated, so a reviewer decides"
            } else {
                "it goes against what the winner rule recommends, so a reviewer decides"
            };
            let mend = "ask a person who is reviewer or admin";
            return Err(Refusal::new(RefusalKind::NotAllowed, "decision.reviewer", what(), why, mend));
        }
        Ok(Decision {
            choice: ask.choice,
            why: ask.why,
            by: ask.by,
            at: ask.at,
            contents: self.contents_of(ask.choice),
            against,
            child: ask.child,
        })
    }

    /// Tells whether a variant is the one that would be named were all signed as no.
    fn could_win(&self, letter: char) -> bool {
        let Some(review) = &self.review else { return false };
        let hoped = review.made.confirmed.as_ref().and_then(|hoped| hoped.winner);
        review.made.outcome.winner == Some(letter) || hoped == Some(letter)
    }

    fn contents_of(&self, choice: Choice) -> Vec<ContentHash> {
        let Choice::Ship { letter } = choice else { return Vec::new() };
        let shipped = self.variants.iter().find(|variant| variant.letter == letter);
        shipped.map(|variant| variant.rounds.iter().map(crate::variant::Content::hash).collect()).unwrap_or_default()
    }
}
