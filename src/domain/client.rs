//! Clients: whom the agency works for, with their brand kit, policy and zone.
//!
//! Decides what a kit and a policy hold and how a change becomes an event. What the rules do with them is decided by
//! the guards, pacing and approval. A change of kit or policy voids every approval of the client that is still unsent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, StreamKind};
use crate::approval::ApprovalLevel;
use crate::hold::{Hold, HoldKey, Holds, Release};
use crate::id::{ClientId, ExperimentId};
use crate::refusal::Refusal;
use crate::time::{Span, Zone};

/// How a client speaks, and what it never says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BrandKit {
    /// One paragraph for whoever writes.
    pub voice: String,
    /// Words that never appear.
    pub banned: Vec<String>,
    /// Lines that appear on every post.
    pub must: Vec<String>,
    /// The tags to pick from; any where empty.
    pub hashtags: Vec<String>,
    /// The most tags a post has.
    pub hashtags_max: Option<u32>,
    /// What answers to comments may begin with, the first that fits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<KitReply>,
}

/// A template for answers to comments; a person edits and sends each one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KitReply {
    /// Its name: `price`.
    pub name: String,
    /// It fits a comment that holds one of these.
    pub when: Vec<String>,
    /// What it says.
    pub text: String,
}

/// Hours in which nothing goes out, on the client's wall clock: `{ from = "21:00", until = "07:00" }`, or `"none"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`quiet_hours` is { from = \"21:00\", until = \"07:00\" }, or \"none\"")]
pub enum QuietHours {
    /// From one wall time to another; over midnight where `from` is the later one.
    Between(WallHours),
    /// Posts may go out at any hour.
    None(NoHours),
}

/// From one wall time to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WallHours {
    /// As in `21:00`.
    pub from: String,
    /// As in `07:00`.
    pub until: String,
}

/// The word for no quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoHours {
    /// `"none"`.
    None,
}

impl QuietHours {
    /// Returns the hours; `None` where there are none.
    pub const fn hours(&self) -> Option<&WallHours> {
        match self {
            Self::Between(hours) => Some(hours),
            Self::None(NoHours::None) => None,
        }
    }
}

/// Days on which nothing goes out, in the client's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blackout {
    /// The first day, as in `2026-12-24`.
    pub from: String,
    /// The last day.
    pub until: String,
    /// Why.
    pub why: String,
}

/// The agency's rules for one client. Every figure is data: a test client may set them to seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// A regulated client: two persons approve, and a reviewer waives.
    pub regulated: bool,
    /// What the client does, as the rule packs name industries: `food`, `finance`.
    pub industries: Vec<String>,
    /// Where it sells, as the rule packs name regions: `UK`, `US`, `EU`.
    pub regions: Vec<String>,
    /// The language of its posts, as in `en-GB`.
    pub locale: String,
    /// The least level of approval.
    pub approval_level: ApprovalLevel,
    /// Loopback, private addresses and plain http are allowed: for test networks. Shown on each approval.
    pub allow_private_hosts: bool,
    /// The least time between two posts on one account.
    pub min_gap: Span,
    /// The most posts on one account in any 24 hours.
    pub max_per_24h: u32,
    /// Hours in which nothing goes out.
    pub quiet_hours: QuietHours,
    /// Days on which nothing goes out.
    pub blackouts: Vec<Blackout>,
    /// How long after its slot a post may still go out.
    pub grace: Span,
    /// How long before its slot a post is made ready.
    pub prepare_lead: Span,
    /// How soon after publication counts are trusted; `None` takes the surface's own figure.
    pub earliest_counts: Option<Span>,
    /// How long the same text and pictures are not repeated on an account.
    pub duplicate_window: Span,
    /// Where a plan says `repeat`: the least time between two showings of the same.
    pub repeat_gap: Span,
    /// How alike two texts may be, from 0 to 1, before a person must look.
    pub near_duplicate: f64,
    /// The most posts in a week, over all accounts.
    pub posts_per_week: u32,
    /// The most minutes of operators' time in a week.
    pub operator_minutes_per_week: u32,
    /// An approval needs each post to have been opened.
    pub open_each: bool,
    /// The least time between two looks for comments under a post.
    pub comments_every: Span,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            regulated: false,
            industries: Vec::new(),
            regions: Vec::new(),
            locale: "en".to_owned(),
            approval_level: ApprovalLevel::Review,
            allow_private_hosts: false,
            min_gap: Span::minutes(120),
            max_per_24h: 6,
            quiet_hours: QuietHours::Between(WallHours { from: "21:00".to_owned(), until: "07:00".to_owned() }),
            blackouts: Vec::new(),
            grace: Span::minutes(20),
            prepare_lead: Span::minutes(30),
            earliest_counts: None,
            duplicate_window: Span::days(30),
            repeat_gap: Span::hours(72),
            near_duplicate: 0.8,
            posts_per_week: 40,
            operator_minutes_per_week: 360,
            open_each: false,
            comments_every: Span::minutes(15),
        }
    }
}

impl Policy {
    /// Checks that the figures make sense together; one line a problem.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut need = |ok: bool, line: &str| {
            if !ok {
                found.push(line.to_owned());
            }
        };
        need(self.grace > Span::ZERO, "`grace` must be more than nothing, as in grace = \"20m\"");
        need(
            self.comments_every > Span::ZERO,
            "`comments_every` must be more than nothing, as in comments_every = \"15m\"",
        );
        need(self.max_per_24h > 0, "`max_per_24h` must be at least 1; to stop an account use `expos account pause`");
        need((0.0..=1.0).contains(&self.near_duplicate), "`near_duplicate` is a share from 0 to 1, as in 0.8");
        need(!self.locale.is_empty() && self.locale.len() <= 35, "`locale` is a language tag, as in \"en-GB\"");
        need(
            self.quiet_hours.hours().is_none_or(|q| {
                crate::calendar::quiet::wall(&q.from).is_some() && crate::calendar::quiet::wall(&q.until).is_some()
            }),
            "`quiet_hours` are wall times, as in { from = \"21:00\", until = \"07:00\" }, or \"none\"",
        );
        need(
            self.blackouts.iter().all(|b| {
                crate::calendar::quiet::day(&b.from).is_some() && crate::calendar::quiet::day(&b.until).is_some()
            }),
            "`blackouts` are days, as in [{ from = \"2026-12-24\", until = \"2026-12-26\", why = \"closed\" }]",
        );
        need(
            !(self.regulated && self.approval_level == ApprovalLevel::Auto),
            "a regulated client is never `auto`; use approval_level = \"manual\"",
        );
        found
    }
}

/// A client as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Its short name.
    pub id: ClientId,
    /// Its full name.
    pub name: String,
    /// Its zone: quiet hours and slots are on its wall clock.
    pub zone: Zone,
    /// How it speaks.
    pub kit: BrandKit,
    /// The rules.
    pub policy: Policy,
    /// Counts edits of kit, policy and zone, from 1.
    pub policy_version: u32,
    /// The standing experiment for posts that test nothing.
    pub house: ExperimentId,
    /// Whatever stops its accounts.
    pub holds: Holds,
}

/// What is asked of a client.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientCommand {
    /// Replace name, zone, kit.
    Edit {
        /// The full name.
        name: String,
        /// The zone.
        zone: Zone,
        /// The kit.
        kit: BrandKit,
    },
    /// Replace the policy.
    EditPolicy {
        /// The rules.
        policy: Box<Policy>,
    },
    /// Stop all its accounts.
    Hold(Hold),
    /// Let them go on.
    Release(Release),
}

/// What happened to a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientEvent {
    /// It became a client.
    ClientAdded {
        /// As it began.
        client: Box<Client>,
    },
    /// Its name, zone or kit was edited.
    ClientEdited {
        /// The full name.
        name: String,
        /// The zone.
        zone: Zone,
        /// The kit.
        kit: BrandKit,
        /// The new version.
        version: u32,
    },
    /// Its policy was edited.
    PolicyEdited {
        /// The rules.
        policy: Box<Policy>,
        /// The new version.
        version: u32,
    },
    /// All its accounts were stopped.
    ClientHeld {
        /// By whom and why.
        hold: Hold,
    },
    /// They may go on.
    ClientReleased {
        /// Why.
        reason: String,
        /// Which holds ended; all of them where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holds: Vec<HoldKey>,
    },
}

impl Client {
    /// Decides what a command means now.
    pub fn decide(&self, command: ClientCommand) -> Result<Vec<ClientEvent>, Refusal> {
        let version = self.policy_version.saturating_add(1);
        match command {
            ClientCommand::Edit { name, zone, kit } => {
                if name == self.name && zone == self.zone && kit == self.kit {
                    return Err(Refusal::nothing(format!("client {}", self.id), "nothing was changed"));
                }
                Ok(vec![ClientEvent::ClientEdited { name, zone, kit, version }])
            }
            ClientCommand::EditPolicy { policy } => {
                if *policy == self.policy {
                    return Err(Refusal::nothing(format!("policy of {}", self.id), "nothing was changed"));
                }
                if let Some(problem) = policy.problems().into_iter().next() {
                    return Err(Refusal::invalid(
                        "policy.invalid",
                        format!("policy of {}", self.id),
                        problem,
                        "correct it and try again",
                    ));
                }
                Ok(vec![ClientEvent::PolicyEdited { policy, version }])
            }
            ClientCommand::Hold(hold) => Ok(vec![ClientEvent::ClientHeld { hold }]),
            ClientCommand::Release(release) => {
                let holds = self.holds.check_release(&format!("client {}", self.id), &release)?;
                Ok(vec![ClientEvent::ClientReleased { reason: release.reason, holds }])
            }
        }
    }
}

impl Aggregate for Client {
    type Event = ClientEvent;
    const KIND: StreamKind = StreamKind::Client;

    fn begin(event: &ClientEvent) -> Option<Self> {
        match event {
            ClientEvent::ClientAdded { client } => Some((**client).clone()),
            ClientEvent::ClientEdited { .. }
            | ClientEvent::PolicyEdited { .. }
            | ClientEvent::ClientHeld { .. }
            | ClientEvent::ClientReleased { .. } => None,
        }
    }

    fn apply(&mut self, event: &ClientEvent) {
        match event {
            ClientEvent::ClientAdded { client } => *self = (**client).clone(),
            ClientEvent::ClientEdited { name, zone, kit, version } => {
                self.name.clone_from(name);
                self.zone = *zone;
                self.kit = kit.clone();
                self.policy_version = *version;
            }
            ClientEvent::PolicyEdited { policy, version } => {
                self.policy = (**policy).clone();
                self.policy_version = *version;
            }
            ClientEvent::ClientHeld { hold } => self.holds.add(hold.clone()),
            ClientEvent::ClientReleased { holds, .. } => self.holds.end(holds),
        }
    }
}
