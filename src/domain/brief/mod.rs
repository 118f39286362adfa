//! The brief (A): what an operator asks to learn, in thirteen fields and a kind.
//!
//! Decides what a brief holds. How it is read from TOML with every problem named is `read`; how it is written back is
//! `write`; whether its variants keep the single-variable rule is `variant`; whether it may be published is `preflight`.
//!
//! Invariant: a brief that was read and written and read again is equal to the first.

mod contents;
mod read;
mod template;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use read::quote;
pub use read::{Problem, SIGNALS, read, read_with};
pub use template::{TEMPLATES, Template};
pub use write::{json_schema, write};

use crate::approval::ApprovalLevel;
use crate::id::{AccountId, ClientId};
use crate::text::Untrusted;
use crate::time::{SnapshotAge, Span, UtcTime};
use crate::variant::{Facet, Lane, SurfaceSettings};

/// What sort of experiment a brief asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One variable, one post a variant or a small set.
    Micro,
    /// 5 to 20 posts across whole weeks.
    Batch,
    /// Reply patterns, sent by a person.
    Engagement,
    /// How posts get out: reliability and operator time.
    Lane,
}

impl Kind {
    /// Returns the word that briefs and screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Micro => "micro",
            Self::Batch => "batch",
            Self::Engagement => "engagement",
            Self::Lane => "lane",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A social network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Bluesky and every other AT Protocol server.
    Bluesky,
    /// Instagram.
    Instagram,
    /// TikTok.
    Tiktok,
    /// YouTube.
    Youtube,
    /// Mastodon and what speaks its interface.
    Mastodon,
    /// Threads.
    Threads,
    /// Pages on Facebook.
    FacebookPage,
    /// LinkedIn.
    Linkedin,
    /// X.
    X,
}

impl Platform {
    /// Returns the word that briefs, screens and `platforms.toml` use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bluesky => "bluesky",
            Self::Instagram => "instagram",
            Self::Tiktok => "tiktok",
            Self::Youtube => "youtube",
            Self::Mastodon => "mastodon",
            Self::Threads => "threads",
            Self::FacebookPage => "facebook_page",
            Self::Linkedin => "linkedin",
            Self::X => "x",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a post appears, as `data/platforms.toml` names it: `bluesky_post`. Known to exist once a brief was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SurfaceId(pub String);

impl fmt::Display for SurfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole brief.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Brief {
    /// What sort of experiment.
    pub kind: Kind,
    /// Its name, unique for the client; at most 500 characters.
    pub name: Untrusted,
    /// The client.
    #[schemars(with = "String")]
    pub client: ClientId,
    /// The platforms; one, except for a batch.
    pub platforms: Vec<Platform>,
    /// The surface.
    pub surface: SurfaceId,
    /// One sentence that names the variable's effect on a declared proxy.
    pub hypothesis: Untrusted,
    /// The one facet that differs.
    pub variable_under_test: Facet,
    /// What the others are compared with.
    pub control_variant: VariantText,
    /// 1 to 19 tests.
    pub test_variants: Vec<VariantText>,
    /// What stands for the outcome; the first is the primary one.
    pub success_proxies: Vec<Proxy>,
    /// What protects the account, beside the client's own minimum.
    pub guardrails: Vec<GuardrailLimit>,
    /// When and how the posts go out.
    pub exposure_plan: ExposurePlan,
    /// First and last moment for posts.
    pub run_window: RunWindow,
    /// When to stop early.
    pub stop_conditions: Vec<StopCondition>,
    /// How much approval is asked for; policy may raise it, never lower it.
    pub approval_level: ApprovalLevel,
}

/// The texts and pictures of a variant, as a brief writes them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VariantText {
    /// Texts by facet.
    #[serde(flatten)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub facets: BTreeMap<Facet, Untrusted>,
    /// Pictures.
    pub assets: Vec<AssetRef>,
    /// What differs from round to round; empty where every round is the same.
    pub rounds: Vec<RoundText>,
}

/// What one round adds to or replaces in a variant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RoundText {
    /// Texts by facet; each replaces the variant's own.
    #[serde(flatten)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub facets: BTreeMap<Facet, Untrusted>,
    /// Pictures; where there are any they replace the variant's own.
    pub assets: Vec<AssetRef>,
}

/// A picture that a brief names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetRef {
    /// A file's name below the client's asset folder.
    pub file: Untrusted,
    /// The text for those who do not see it.
    pub alt: Untrusted,
    /// The facet that the picture belongs to.
    #[serde(default = "AssetRef::format")]
    pub facet: Facet,
}

impl AssetRef {
    const fn format() -> Facet {
        Facet::Format
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Up,
    /// Less is better.
    Down,
}

/// A metric that stands for an outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// The metric's name on the surface, as in `replyCount`.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
    /// At which age it is compared.
    pub age: SnapshotAge,
}

/// What happens when a limit is crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuardrailAction {
    /// Everything unsent on the account waits for a person.
    Pause,
    /// A person is told.
    Warn,
}

/// A limit that protects the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardrailLimit {
    /// What is watched, as in `publish_failures`, `platform_warning`, `login_challenge`, `negative_feedback`.
    pub signal: String,
    /// How much is too much.
    pub limit: f64,
    /// What then.
    pub action: GuardrailAction,
}

/// When and how the posts of an experiment go out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExposurePlan {
    /// The account that shows them.
    #[schemars(with = "String")]
    pub account: AccountId,
    /// How they get out.
    #[serde(default = "ExposurePlan::api")]
    pub lane: Lane,
    /// 1 to 500 posts in all.
    pub posts_per_variant: u32,
    /// Times of day in the client's zone, as in `09:10`, of which slots are made on the days of the run window; or none,
    /// where `slots` names each.
    #[serde(default)]
    pub times: Vec<String>,
    /// Days of the week for `times`, as in `mon`; all where empty.
    #[serde(default)]
    pub days: Vec<String>,
    /// Each slot by hand; as many as posts.
    #[serde(default)]
    pub slots: Vec<UtcTime>,
    /// The least time between two posts of this experiment; the client's own gap holds beside it.
    #[serde(default)]
    pub spacing: Option<Span>,
    /// How labels are shuffled.
    #[serde(default)]
    pub blocks: Blocks,
    /// The same text and pictures may go out again.
    #[serde(default)]
    pub repeat: bool,
    /// When metrics are read, counted from publication.
    pub snapshot_ages: Vec<SnapshotAge>,
    /// What every variant shows alike in a round: topic, body, picture.
    #[serde(default)]
    pub rounds: Vec<RoundText>,
    /// What the platform is told beside text and pictures.
    #[serde(default)]
    pub settings: SurfaceSettings,
}

impl ExposurePlan {
    const fn api() -> Lane {
        Lane::Api
    }
}

/// How labels are shuffled among slots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    /// Blocks of twice as many slots as variants; one block under 8 posts a variant.
    #[default]
    Wide,
    /// One post of each variant a block.
    Pairs,
}

/// First and last moment for posts. The last snapshot comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunWindow {
    /// The first moment.
    pub start: UtcTime,
    /// The last moment.
    pub end: UtcTime,
}

/// When an experiment stops early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "when", rename_all = "snake_case", deny_unknown_fields)]
pub enum StopCondition {
    /// Any guardrail is crossed.
    AnyBreach,
    /// So many of its posts failed.
    FailedPosts {
        /// At least 1.
        limit: u32,
    },
    /// A check of validity says that nothing can be compared.
    Invalid,
    /// So few comparable posts a variant are still within reach.
    FewerThan {
        /// Comparable posts a variant.
        posts: u32,
    },
}
