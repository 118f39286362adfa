//! RiskScan: what a post says that a rule, a law or a platform forbids, and who must therefore look at it.
//!
//! Decides from the words of one post and the rule packs: which rules are met, where in the original text, what is
//! missing and how to mend it ([`Packs::scan`]); which offers and claims differ from what the client approved
//! ([`Packs::claim_changes`]); and the least level of approval ([`Packs::approval_floor`], [`Packs::approval_level`]).
//! The rules themselves are data (`data/risk/`). Who may approve or waive is `approval`'s and the desk's business; a
//! finding is only ever a reason to stop, never leave to go on: wording is seen, meaning is not.
//!
//! Invariants: same text, same packs, same facts give the same findings in the same order. Every range a finding names
//! lies in the original text, on character boundaries. No text makes this panic.
//!
//! Where to look: [`normalise`] makes the two views a text is matched in, [`pattern`] and [`literal`] are what is
//! looked for, [`pack`] and [`rule`] read the data, [`scope`] says where a rule holds, [`negation`] who takes a match
//! back, [`matching`] puts them together, [`claims`] and [`floors`] are the two other ways to a higher approval.

mod claims;
mod claims_data;
mod embedded;
mod finding;
mod floors;
mod leet;
mod letter;
mod literal;
mod matching;
mod negation;
mod normalise;
mod numerals;
mod pack;
mod pattern;
mod post;
mod raw;
mod rule;
mod scope;
mod view;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod oracle_tests;

pub use claims::{Claim, ClaimChange};
pub use claims_data::ClaimKind;
pub use embedded::{embedded, overlay};
pub use finding::{ApprovalLevel, RiskFinding, Severity, Span};
pub use floors::{Floor, FloorFact, FloorReason, PostLevel, Waiver};
pub use pack::{PackError, Packs};
pub use post::{FacetName, ScanInput};
