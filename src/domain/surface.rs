//! Surfaces: what each platform allows where a post appears, read from `data/platforms.toml`.
//!
//! Decides how that table is read and what of it the rules may rely on. What a rule does with a limit is the guards' and
//! pacing's business; what an adapter does with a platform's refusals is the adapter's.
//!
//! Invariant: a figure that the table does not give is absent, never zero and never "unlimited".

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::brief::{Platform, SurfaceId};
use crate::hash::Digest;
use crate::time::Span;
use crate::variant::Lane;

/// The table that is built into the program.
const EMBEDDED: &str = include_str!("../../data/platforms.toml");

/// Why a table of platforms cannot be used. Nothing is published with a table that does not load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SurfaceError {
    /// Not TOML, or a field has another type.
    #[error("the platforms table cannot be read: {0}; compare it with the one that `expos` ships")]
    NotATable(String),
    /// A surface names something that is not there, or a figure is impossible.
    #[error("the platforms table is wrong at `{place}`: {why}")]
    Wrong {
        /// The surface or platform.
        place: String,
        /// What is wrong.
        why: String,
    },
}

/// Groups of metrics that move together; a winner needs two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// How long people stay.
    Retention,
    /// Whether they talk.
    Conversation,
    /// Whether they pass it on, keep it, or are reached.
    Distribution,
}

impl Family {
    /// Returns the word that briefs and screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::Conversation => "conversation",
            Self::Distribution => "distribution",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A metric as the platform offers it on a surface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The platform's own name for it: `replyCount`.
    pub name: String,
    /// The group it belongs to.
    pub family: Family,
    /// `count`, `accounts`, `ms`, `s`, `fraction` or `percent`.
    pub unit: String,
    /// Less is better.
    pub invert: bool,
}

/// Says a platform's metric in words: `replyCount` is replies, `threadDepth` thread depth.
pub fn spoken(metric: &str) -> String {
    let (stem, counts) = metric.strip_suffix("Count").map_or((metric, false), |stem| (stem, true));
    let mut words = String::new();
    for letter in stem.chars() {
        match letter {
            '_' => words.push(' '),
            letter if letter.is_uppercase() => {
                words.push(' ');
                words.extend(letter.to_lowercase());
            }
            letter => words.push(letter),
        }
    }
    match words.strip_suffix('y') {
        Some(stem) if counts => format!("{stem}ies"),
        Some(_) | None if counts && !words.ends_with('s') => format!("{words}s"),
        Some(_) | None => words,
    }
}

/// What a text is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextUnit {
    /// Extended grapheme clusters: what a reader calls a character.
    Graphemes,
    /// Unicode scalar values.
    Chars,
    /// UTF-16 code units.
    Utf16,
}

impl TextUnit {
    /// Counts a text in this unit.
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Graphemes => crate::text::grapheme_count(text),
            Self::Chars => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
        }
    }

    /// Returns the word that findings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Graphemes => "graphemes",
            Self::Chars => "characters",
            Self::Utf16 => "UTF-16 units",
        }
    }
}

/// How long a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimit {
    /// The most of the unit.
    pub max: usize,
    /// The unit.
    pub unit: TextUnit,
    /// The most bytes of UTF-8, where that is a limit of its own.
    pub bytes_max: Option<usize>,
}

/// How many tags a post may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TagLimits {
    /// More than these are refused.
    pub max: Option<usize>,
    /// More than these are noted.
    pub warn_above: Option<usize>,
    /// The longest tag, in graphemes, without its `#`.
    pub graphemes_max: Option<usize>,
}

/// What pictures a surface takes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MediaLimits {
    /// Types, as in `image/*`.
    pub kinds: Vec<String>,
    /// The fewest pictures; 0 where a post may be text alone.
    pub count_min: usize,
    /// The most pictures.
    pub count_max: Option<usize>,
    /// The most bytes of one picture.
    pub image_bytes_max: Option<u64>,
    /// The most bytes of a video.
    pub video_bytes_max: Option<u64>,
    /// A picture without alt text is refused.
    pub alt_required: bool,
    /// The longest alt text, in characters.
    pub alt_max: Option<usize>,
    /// Width over height, the least.
    pub ratio_min: Option<f64>,
    /// Width over height, the most.
    pub ratio_max: Option<f64>,
    /// Pixels.
    pub width_min: Option<u32>,
    /// Width times height.
    pub pixels_max: Option<u64>,
}

impl MediaLimits {
    /// Tells whether a type, as in `image/png`, is taken.
    pub fn takes(&self, mime: &str) -> bool {
        self.kinds.iter().any(|kind| match kind.strip_suffix("/*") {
            Some(group) => mime.split_once('/').is_some_and(|(of, _)| of == group),
            None => kind == mime,
        })
    }
}

/// How close posts may be. Every figure is the house's proposal; platforms publish none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PacingSuggestion {
    /// The least time between two posts.
    pub min_gap: Option<Span>,
    /// The most posts in 24 hours.
    pub max_per_24h: Option<u32>,
}

/// When metrics can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadTimes {
    /// Counts are trusted from this age on; a client's policy may say otherwise.
    pub earliest_counts: Option<Span>,
    /// Nothing can be read from this age on.
    pub closes: Option<Span>,
    /// Ages to read at.
    pub suggested: Vec<Span>,
}

/// The limits of one surface.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Its name.
    pub id: SurfaceId,
    /// The platform it belongs to.
    pub platform: Platform,
    /// The text; `None` where the table gives no limit.
    pub caption: Option<TextLimit>,
    /// The title; `None` where the surface has none.
    pub title: Option<TextLimit>,
    /// Tags.
    pub tags: TagLimits,
    /// Pictures.
    pub media: MediaLimits,
    /// How close posts may be.
    pub pacing: PacingSuggestion,
    /// When metrics can be read.
    pub read: ReadTimes,
    /// The surface tells how long people stay.
    pub retention_available: bool,
    /// What can be read.
    pub metrics: Vec<Metric>,
}

impl Surface {
    /// Returns the metric of that name.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// Returns the families that the surface offers.
    pub fn families(&self) -> BTreeSet<Family> {
        self.metrics.iter().map(|metric| metric.family).collect()
    }

    /// Returns the name without the format after the dot: formats of one surface share its layers.
    pub fn base(&self) -> &str {
        self.id.0.split('.').next().unwrap_or(&self.id.0)
    }

    /// Tells whether a post may be text alone.
    pub fn takes_text_alone(&self) -> bool {
        self.media.count_min == 0 && self.caption.is_none_or(|limit| limit.max > 0)
    }
}

/// What a post asks of a platform. There is none to like, follow or share: those verbs do not exist here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Put out text.
    Text,
    /// Put out pictures.
    Images,
    /// Put out a video.
    Video,
    /// Answer somebody, sent by a person.
    Reply,
}

impl Action {
    /// Returns the word that the table and findings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Images => "images",
            Self::Video => "video",
            Self::Reply => "reply",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What holds for a whole platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformFacts {
    /// Which one.
    pub platform: Platform,
    /// Servers that its adapter may speak to; `{pds}` and the like stand for the account's own.
    pub hosts: Vec<String>,
    /// Definite refusals of the commit call, as in `400 InvalidRequest`: nothing is visible afterwards (rule 17).
    pub commit_refusals: Vec<String>,
    /// Answers of the commit call that say: look.
    pub commit_look: Vec<String>,
    /// How long after an attempt ended a person's "not live" counts.
    pub quarantine: Span,
    /// Labels that an account may put on its own posts.
    pub self_labels: Vec<String>,
    /// What may be done through the platform's interface.
    pub api: BTreeSet<Action>,
    /// What a person may do by hand.
    pub browser: BTreeSet<Action>,
}

impl PlatformFacts {
    /// Returns what may be done in a lane; the hybrid lane begins with the interface.
    pub const fn actions(&self, lane: Lane) -> &BTreeSet<Action> {
        match lane {
            Lane::Api | Lane::Hybrid => &self.api,
            Lane::Browser => &self.browser,
        }
    }

    /// Tells whether an answer of the commit call is a definite refusal: a status with or without a name.
    pub fn is_commit_refusal(&self, status: u16, name: &str) -> bool {
        let named = format!("{status} {name}");
        self.commit_refusals.iter().any(|code| *code == named || *code == status.to_string())
    }
}

/// All surfaces and platforms that the program knows.
#[derive(Debug, Clone)]
pub struct Surfaces {
    surfaces: BTreeMap<SurfaceId, Surface>,
    platforms: BTreeMap<Platform, PlatformFacts>,
    digest: Digest,
}

impl Surfaces {
    /// Reads a table.
    ///
    /// Keys that no rule relies on are passed over: the table also holds sources and notes.
    pub fn load(text: &str) -> Result<Self, SurfaceError> {
        let (surfaces, platforms) = table::read(text)?;
        Ok(Self { surfaces, platforms, digest: Digest::of(text.as_bytes()) })
    }

    /// Returns the table that is built into the program.
    pub fn embedded() -> &'static Self {
        static LOADED: OnceLock<Surfaces> = OnceLock::new();
        // A table that does not load knows no surface, and then nothing can be briefed; a test holds that it loads.
        LOADED.get_or_init(|| {
            Self::load(EMBEDDED).unwrap_or_else(|_| Self {
                surfaces: BTreeMap::new(),
                platforms: BTreeMap::new(),
                digest: Digest::of(EMBEDDED.as_bytes()),
            })
        })
    }

    /// Returns a surface's limits.
    pub fn get(&self, id: &SurfaceId) -> Option<&Surface> {
        self.surfaces.get(id)
    }

    /// Returns what holds for a platform.
    pub fn platform(&self, platform: Platform) -> Option<&PlatformFacts> {
        self.platforms.get(&platform)
    }

    /// Returns the families that a surface offers; none for one that is not known.
    pub fn families(&self, id: &SurfaceId) -> BTreeSet<Family> {
        self.get(id).map(Surface::families).unwrap_or_default()
    }

    /// Returns all surfaces, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Surface> {
        self.surfaces.values()
    }

    /// Returns the digest of the table as it was read; part of a policy's version.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(name: &str) -> Surface {
        Surfaces::embedded().get(&SurfaceId(name.to_owned())).unwrap().clone()
    }

    #[test]
    fn the_built_in_table_loads_with_every_surface_and_platform() {
        let all = Surfaces::load(EMBEDDED).unwrap();
        assert_eq!(all.iter().count(), 16);
        assert_eq!(all.platforms.len(), 9);
        for surface in all.iter() {
            assert!(!surface.metrics.is_empty(), "{:?}", surface.id);
            assert!(all.platform(surface.platform).is_some(), "{:?}", surface.id);
            assert!(surface.pacing.min_gap.is_some(), "{:?}", surface.id);
        }
        assert_eq!(all.digest(), Surfaces::embedded().digest());
    }

    #[test]
    fn bluesky_is_read_as_its_lexicon_says() {
        let post = surface("bluesky_post");
        assert_eq!(post.caption, Some(TextLimit { max: 300, unit: TextUnit::Graphemes, bytes_max: Some(3000) }));
        assert_eq!((post.media.count_min, post.media.count_max), (0, Some(4)));
        assert_eq!(post.media.image_bytes_max, Some(2_000_000));
        assert!(post.media.alt_required && !post.retention_available && post.takes_text_alone());
        assert_eq!(post.tags.max, Some(8));
        assert_eq!(post.read.earliest_counts, Some(Span::minutes(3)));
        assert_eq!(post.pacing.min_gap, Some(Span::minutes(15)));
        assert_eq!(post.families(), BTreeSet::from([Family::Conversation, Family::Distribution]));
        assert_eq!(post.metric("replyCount").unwrap().family, Family::Conversation);
        assert!(post.media.takes("image/webp") && !post.media.takes("image") && !post.media.takes("imagex/png"));
        let bluesky = Surfaces::embedded().platform(Platform::Bluesky).unwrap();
        assert_eq!(bluesky.commit_refusals, ["400 InvalidRequest", "400 ExpiredToken", "400 BlobNotFound", "401"]);
        assert_eq!(bluesky.commit_look, ["400 InvalidSwap"]);
        assert!(bluesky.is_commit_refusal(401, "AuthMissing") && !bluesky.is_commit_refusal(400, "InvalidSwap"));
        assert_eq!(bluesky.quarantine, Span::minutes(15));
        assert_eq!(bluesky.api, BTreeSet::from([Action::Text, Action::Images, Action::Reply]));
        assert!(bluesky.self_labels.iter().any(|label| label == "bot"));
        assert!(bluesky.hosts.iter().any(|host| host == "{pds}"));
    }

    #[test]
    fn other_surfaces_keep_their_oddities() {
        assert_eq!(surface("ig_stories").caption.unwrap().max, 0);
        assert_eq!(surface("ig_stories").read.closes, Some(Span::hours(24)));
        assert!(
            surface("ig_reels").retention_available && surface("ig_reels").metric("reels_skip_rate").unwrap().invert
        );
        assert_eq!(surface("ig_feed.carousel").base(), "ig_feed");
        assert_eq!(
            (surface("ig_feed.carousel").media.count_min, surface("ig_feed.carousel").media.count_max),
            (2, Some(10))
        );
        let shorts = surface("youtube_shorts");
        assert_eq!((shorts.title.unwrap().max, shorts.caption.unwrap().max), (100, 5000));
        assert_eq!(shorts.caption.unwrap().bytes_max, Some(5000));
        assert_eq!(surface("tiktok_video").caption.unwrap().unit, TextUnit::Utf16);
        assert_eq!(surface("tiktok_inbox").metrics, surface("tiktok_video").metrics);
        assert_eq!(surface("mastodon_post").media.alt_max, Some(1500));
        assert_eq!(surface("linkedin_org_post").media.pixels_max, Some(36_152_320));
    }

    #[test]
    fn a_metric_is_said_in_words() {
        let said =
            ["replyCount", "likeCount", "repostCount", "followersCount", "threadDepth", "avg_watch_ms"].map(spoken);
        assert_eq!(said, ["replies", "likes", "reposts", "followers", "thread depth", "avg watch ms"]);
    }

    #[test]
    fn a_table_that_is_wrong_says_where() {
        let broken = [
            ("[[surface]]\nid = \"a_b\"\nplatform = \"nowhere\"\n", "a_b"),
            ("[platform.bluesky]\n[[surface]]\nid = \"a_b\"\nplatform = \"bluesky\"\nmetrics_as = \"gone\"\n", "a_b"),
            ("[platform.nowhere]\n", "nowhere"),
            (
                "[platform.bluesky]\n[[surface]]\nid = \"a\"\nplatform = \"bluesky\"\n[[surface]]\nid = \"a\"\nplatform = \"bluesky\"\n",
                "`a`",
            ),
            (
                "[platform.bluesky]\n[[surface]]\nid = \"a\"\nplatform = \"bluesky\"\nread = { earliest_counts_h = -1 }\n",
                "earliest_counts_h",
            ),
            ("[platform.bluesky]\nactions = { api = [\"like\"] }\n", "like"),
            ("not toml", "cannot be read"),
        ];
        for (text, word) in broken {
            let error = Surfaces::load(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
