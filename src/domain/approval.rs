//! Approval (D): a person's word for exactly what they saw.
//!
//! Decides what an approval is bound to, and when it is void. Who may give one is `role`'s business; when one is
//! needed, and how many, is the experiment's.
//!
//! Invariant: an approval that compares equal covers the same bytes, account, lane, window and policy as were shown.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hash::{ContentHash, Digest, Fingerprint, Framed};
use crate::id::{AccountId, PostId};
use crate::time::{UtcTime, Window};
use crate::variant::Lane;

/// How much of a person's attention an experiment needs before it goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalLevel {
    /// No person, where a policy that a person approved allows it and nothing was found.
    Auto,
    /// One operator or reviewer, not the author.
    Review,
    /// A reviewer, neither author nor last editor; a regulated client needs two.
    Manual,
}

impl ApprovalLevel {
    /// Returns the word that briefs and screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Review => "review",
            Self::Manual => "manual",
        }
    }
}

impl fmt::Display for ApprovalLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rules in force: the client's policy by version, and the rule packs by digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// Counts the edits of the client's policy and kit, from 1.
    pub policy: u32,
    /// Names the rule packs and platform limits that were loaded.
    pub packs: String,
}

impl fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.policy, self.packs)
    }
}

/// What one post would be, as it stands now: everything that an approval is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The bytes that would be shown.
    pub content: ContentHash,
    /// The account that would show them.
    pub account: AccountId,
    /// The platform's own id of that account: another login is another account (T25).
    pub identity: String,
    /// How they would get out.
    pub lane: Lane,
    /// When.
    pub window: Window,
    /// Under which rules.
    pub policy: PolicyVersion,
}

/// A field of a binding that is no longer as approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Facets, assets or surface settings.
    Content,
    /// The account, or who is logged in to it.
    Account,
    /// The lane.
    Lane,
    /// The slot or its window.
    Slot,
    /// The client's policy, kit, or a rule pack.
    Policy,
}

impl Field {
    /// Returns the word that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Account => "account",
            Self::Lane => "lane",
            Self::Slot => "slot",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Binding {
    /// Returns the first field in which two bindings differ.
    pub fn differs(&self, other: &Self) -> Option<Field> {
        if self.content != other.content {
            Some(Field::Content)
        } else if self.account != other.account || self.identity != other.identity {
            Some(Field::Account)
        } else if self.lane != other.lane {
            Some(Field::Lane)
        } else if self.window != other.window {
            Some(Field::Slot)
        } else if self.policy != other.policy {
            Some(Field::Policy)
        } else {
            None
        }
    }

    fn frame(&self, framed: Framed) -> Framed {
        framed
            .field(self.content.0.bytes())
            .text(self.account.as_str())
            .text(&self.identity)
            .text(self.lane.as_str())
            .text(&self.window.to_string())
            .text(&self.policy.to_string())
    }
}

/// Returns the fingerprint of a whole sheet: every post with its binding, the findings shown, and the notes shown.
///
/// A person approves this; the desk makes it again from what is stored at that moment and compares (T8).
pub fn fingerprint(posts: &[(PostId, Binding)], findings: Digest, notes: &[String]) -> Fingerprint {
    let mut framed = Framed::new("expos.sheet.1").field(findings.bytes());
    for note in notes {
        framed = framed.text(note);
    }
    for (post, binding) in posts {
        framed = binding.frame(framed.field(&post.to_bytes()));
    }
    Fingerprint(framed.digest())
}

/// Who gave their word, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// The Unix user id; `None` where a policy allowed `auto`.
    pub uid: Option<u32>,
    /// The name that screens show.
    pub name: String,
    /// When.
    pub at: UtcTime,
    /// The sheet they saw.
    pub shown: Fingerprint,
}

/// Leave for one post to go out as it was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What was approved.
    pub binding: Binding,
    /// The sheet it stood on.
    pub fingerprint: Fingerprint,
    /// Everyone whose word was needed.
    pub by: Vec<Approver>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn binding() -> Binding {
        Binding {
            content: ContentHash(Digest::of(b"content")),
            account: "acme-bs".parse().unwrap(),
            identity: "did:plc:1".to_owned(),
            lane: Lane::Api,
            window: Window { from: UtcTime::from_micros(0), until: UtcTime::from_micros(9) },
            policy: PolicyVersion { policy: 1, packs: "abc".to_owned() },
        }
    }

    #[test]
    fn every_field_that_changes_is_named_and_changes_the_fingerprint() {
        let post = PostId::new(UtcTime::from_micros(0), [1; 10]);
        let was = binding();
        let print = |b: &Binding| fingerprint(&[(post, b.clone())], Digest::of(b""), &[]);
        let later = Window { from: was.window.from.plus(Span::seconds(1)), until: was.window.until };
        let cases = [
            (Field::Content, Binding { content: ContentHash(Digest::of(b"x")), ..was.clone() }),
            (Field::Account, Binding { account: "acme-b2".parse().unwrap(), ..was.clone() }),
            (Field::Account, Binding { identity: "did:plc:2".to_owned(), ..was.clone() }),
            (Field::Lane, Binding { lane: Lane::Hybrid, ..was.clone() }),
            (Field::Slot, Binding { window: later, ..was.clone() }),
            (Field::Policy, Binding { policy: PolicyVersion { policy: 2, packs: "abc".to_owned() }, ..was.clone() }),
        ];
        for (field, is) in cases {
            assert_eq!(was.differs(&is), Some(field));
            assert_ne!(print(&was), print(&is), "{field}");
        }
        assert_eq!(was.differs(&binding()), None);
        assert_ne!(print(&was), fingerprint(&[(post, was.clone())], Digest::of(b"f"), &[]));
        assert_ne!(print(&was), fingerprint(&[(post, was.clone())], Digest::of(b""), &["n".to_owned()]));
    }
}
