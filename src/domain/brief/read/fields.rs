//! The fields of a brief, read one by one.
//!
//! Decides which fields there are, of which type each is, and the example that a problem shows. What is missing or
//! wrong is left open in the [`Draft`], so that the rest is still read and checked. Whether fields make sense together
//! is decided in `sense`.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::super::{
    AssetRef, Blocks, Brief, Direction, ExposurePlan, GuardrailAction, GuardrailLimit, Kind, Platform, Proxy,
    RoundText, RunWindow, StopCondition, SurfaceId, VariantText,
};
use super::walk::{At, Found, Walk};
use crate::approval::ApprovalLevel;
use crate::id::{AccountId, ClientId};
use crate::text::Untrusted;
use crate::time::{SnapshotAge, Span, UtcTime};
use crate::variant::{Facet, Lane, SurfaceSettings};

/// The most characters of a name.
const NAME_MAX: usize = 500;
/// The most characters of a hypothesis.
const HYPOTHESIS_MAX: usize = 1_000;
/// The most characters of one facet; surfaces allow less.
const FACET_MAX: usize = 20_000;
/// The most bytes of a file's name.
const FILE_MAX: usize = 200;
/// The most posts of an experiment.
pub(super) const POSTS_MAX: u32 = 500;

const FIELDS: [&str; 15] = [
    "kind",
    "name",
    "client",
    "platforms",
    "surface",
    "hypothesis",
    "variable_under_test",
    "control_variant",
    "test_variants",
    "success_proxies",
    "guardrails",
    "exposure_plan",
    "run_window",
    "stop_conditions",
    "approval_level",
];

/// A brief as far as it could be read.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) kind: Option<Kind>,
    pub(super) name: Option<Untrusted>,
    pub(super) client: Option<ClientId>,
    pub(super) platforms: Option<Vec<Platform>>,
    pub(super) surface: Option<SurfaceId>,
    pub(super) hypothesis: Option<Untrusted>,
    pub(super) variable: Option<Facet>,
    pub(super) control: Option<VariantText>,
    pub(super) tests: Option<Vec<Option<VariantText>>>,
    pub(super) proxies: Option<Vec<Option<Proxy>>>,
    pub(super) guardrails: Option<Vec<Option<GuardrailLimit>>>,
    pub(super) plan: Plan,
    pub(super) window: Option<RunWindow>,
    pub(super) stops: Option<Vec<Option<StopCondition>>>,
    pub(super) level: Option<ApprovalLevel>,
}

/// An exposure plan as far as it could be read.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) account: Option<AccountId>,
    pub(super) lane: Option<Lane>,
    pub(super) posts_per_variant: Option<u32>,
    pub(super) times: Vec<String>,
    pub(super) days: Vec<String>,
    pub(super) slots: Vec<UtcTime>,
    pub(super) spacing: Option<Span>,
    pub(super) blocks: Option<Blocks>,
    pub(super) repeat: Option<bool>,
    pub(super) ages: Option<Vec<SnapshotAge>>,
    pub(super) rounds: Vec<RoundText>,
    pub(super) settings: Option<SurfaceSettings>,
    /// `times` or `slots` stand in the file, whatever is in them.
    pub(super) says_when: bool,
}

impl Draft {
    /// Returns the brief where nothing is missing.
    pub(super) fn finish(self) -> Option<Brief> {
        let all = |tests: Vec<Option<VariantText>>| tests.into_iter().collect::<Option<Vec<_>>>();
        Some(Brief {
            kind: self.kind?,
            name: self.name?,
            client: self.client?,
            platforms: self.platforms?,
            surface: self.surface?,
            hypothesis: self.hypothesis?,
            variable_under_test: self.variable?,
            control_variant: self.control?,
            test_variants: all(self.tests?)?,
            success_proxies: self.proxies?.into_iter().collect::<Option<_>>()?,
            guardrails: self.guardrails?.into_iter().collect::<Option<_>>()?,
            exposure_plan: ExposurePlan {
                account: self.plan.account?,
                lane: self.plan.lane?,
                posts_per_variant: self.plan.posts_per_variant?,
                times: self.plan.times,
                days: self.plan.days,
                slots: self.plan.slots,
                spacing: self.plan.spacing,
                blocks: self.plan.blocks?,
                repeat: self.plan.repeat?,
                snapshot_ages: self.plan.ages?,
                rounds: self.plan.rounds,
                settings: self.plan.settings?,
            },
            run_window: self.window?,
            stop_conditions: self.stops?.into_iter().collect::<Option<_>>()?,
            approval_level: self.level?,
        })
    }
}

/// Reads every field; what is wrong is told to the walk.
pub(super) fn read<'t>(walk: &mut Walk<'t>, root: &'t DeTable<'t>) -> Draft {
    let at = At { path: String::new(), table: root };
    walk.unknown(&at, &FIELDS);
    let kinds = [Kind::Micro, Kind::Batch, Kind::Engagement, Kind::Lane].map(|kind| (kind.as_str(), kind));
    let levels =
        [ApprovalLevel::Auto, ApprovalLevel::Review, ApprovalLevel::Manual].map(|level| (level.as_str(), level));
    Draft {
        kind: word(walk, &at, "kind", &kinds, "kind = \"micro\""),
        name: words(walk, &at, "name", NAME_MAX, "name = \"Question or number\""),
        client: parsed(walk, &at, "client", "client = \"acme\""),
        platforms: platforms(walk, &at),
        surface: surface(walk, &at),
        hypothesis: words(
            walk,
            &at,
            "hypothesis",
            HYPOTHESIS_MAX,
            "hypothesis = \"A hook that opens with a number raises replies at 24 h, because it can be checked.\"",
        ),
        variable: word(walk, &at, "variable_under_test", &facets(), "variable_under_test = \"hook\""),
        control: {
            let example = "control_variant = { hook = \"Do your customers ask twice?\" }";
            let found = walk.need(&at, "control_variant", example);
            found.and_then(|found| walk.table(&found, example)).map(|at| variant(walk, &at))
        },
        tests: tables(
            walk,
            &at,
            "test_variants",
            "test_variants = [{ hook = \"Three in ten ask only for news.\" }]",
            |walk, at| Some(variant(walk, at)),
        ),
        proxies: tables(walk, &at, "success_proxies", PROXY, proxy),
        guardrails: tables(walk, &at, "guardrails", GUARDRAIL, guardrail),
        plan: plan(walk, &at),
        window: window(walk, &at),
        stops: tables(walk, &at, "stop_conditions", STOP, stop),
        level: word(walk, &at, "approval_level", &levels, "approval_level = \"review\""),
    }
}

fn words<'t>(walk: &mut Walk<'t>, at: &At<'t>, key: &str, most: usize, example: &str) -> Option<Untrusted> {
    let found = walk.need(at, key, example)?;
    walk.words(&found, most, example).map(Untrusted::from)
}

fn word<'t, T: Copy>(
    walk: &mut Walk<'t>,
    at: &At<'t>,
    key: &str,
    of: &[(&'static str, T)],
    example: &str,
) -> Option<T> {
    let found = walk.need(at, key, example)?;
    walk.word(&found, of, example)
}

fn parsed<'t, T: std::str::FromStr>(walk: &mut Walk<'t>, at: &At<'t>, key: &str, example: &str) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    let found = walk.need(at, key, example)?;
    walk.parsed(&found, example, str::parse)
}

/// Reads a list of tables that must be there, each entry by itself.
fn tables<'t, T>(
    walk: &mut Walk<'t>,
    at: &At<'t>,
    key: &str,
    example: &str,
    read: impl Fn(&mut Walk<'t>, &At<'t>) -> Option<T>,
) -> Option<Vec<Option<T>>> {
    let found = walk.need(at, key, example)?;
    let entries = walk.tables(&found, example)?;
    Some(entries.into_iter().map(|entry| entry.and_then(|at| read(walk, &at))).collect())
}

/// Reads a list of texts; what is no text is told and left out.
fn texts<'t>(walk: &mut Walk<'t>, found: &Found<'t>, most: usize, example: &str) -> Vec<String> {
    let items = walk.list(found, example).unwrap_or_default();
    items.iter().filter_map(|item| walk.words(item, most, example).map(str::to_owned)).collect()
}

fn facets() -> [(&'static str, Facet); 11] {
    Facet::ALL.map(|facet| (facet.as_str(), facet))
}

fn platforms<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Option<Vec<Platform>> {
    let example = "platforms = [\"bluesky\"]";
    let all = [
        Platform::Bluesky,
        Platform::Instagram,
        Platform::Tiktok,
        Platform::Youtube,
        Platform::Mastodon,
        Platform::Threads,
        Platform::FacebookPage,
        Platform::Linkedin,
        Platform::X,
    ]
    .map(|platform| (platform.as_str(), platform));
    let found = walk.need(at, "platforms", example)?;
    let items = walk.list(&found, example)?;
    items.iter().map(|item| walk.word(item, &all, example)).collect()
}

fn surface<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Option<SurfaceId> {
    let example = "surface = \"bluesky_post\"";
    let found = walk.need(at, "surface", example)?;
    walk.words(&found, 64, example).map(|name| SurfaceId(name.to_owned()))
}

fn variant<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> VariantText {
    unknown_in_text(walk, at, &["assets", "rounds"]);
    VariantText {
        facets: facet_texts(walk, at),
        assets: assets(walk, at),
        rounds: rounds(walk, at, "rounds = [{ hook = \"Do your customers ask twice?\" }]"),
    }
}

fn rounds<'t>(walk: &mut Walk<'t>, at: &At<'t>, example: &str) -> Vec<RoundText> {
    let Some(found) = walk.find(at, "rounds") else { return Vec::new() };
    let entries = walk.tables(&found, example).unwrap_or_default();
    // An entry that is no table was told; it keeps its place, so that the others keep their numbers.
    entries.into_iter().map(|entry| entry.map(|at| round(walk, &at)).unwrap_or_default()).collect()
}

fn round<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> RoundText {
    unknown_in_text(walk, at, &["assets"]);
    RoundText { facets: facet_texts(walk, at), assets: assets(walk, at) }
}

fn unknown_in_text<'t>(walk: &mut Walk<'t>, at: &At<'t>, beside: &[&'static str]) {
    let known: Vec<&str> = facets().iter().map(|(word, _)| *word).chain(beside.iter().copied()).collect();
    walk.unknown(at, &known);
}

fn facet_texts<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> BTreeMap<Facet, Untrusted> {
    let mut texts = BTreeMap::new();
    for (word, facet) in facets() {
        let Some(found) = walk.find(at, word) else { continue };
        if let Some(text) = walk.words(&found, FACET_MAX, &format!("{word} = \"…\"")) {
            texts.insert(facet, Untrusted::from(text));
        }
    }
    texts
}

const ASSET: &str = "assets = [{ file = \"hall.png\", alt = \"A bright hall with white doors\" }]";

fn assets<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Vec<AssetRef> {
    let Some(found) = walk.find(at, "assets") else { return Vec::new() };
    let entries = walk.tables(&found, ASSET).unwrap_or_default();
    entries.into_iter().flatten().filter_map(|at| asset(walk, &at)).collect()
}

fn asset<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Option<AssetRef> {
    walk.unknown(at, &["file", "alt", "facet"]);
    let file = walk.need(at, "file", "file = \"hall.png\"").and_then(|found| {
        let name = walk.words(&found, FILE_MAX, "file = \"hall.png\"")?;
        let bad = name.len() > FILE_MAX
            || name.starts_with('.')
            || name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | ':'));
        if bad {
            let why = format!("a file's name has at most {FILE_MAX} bytes, no folder, no controls and no dot in front");
            walk.problem(&found.path, why, "file = \"hall.png\"");
        }
        Some(name).filter(|_| !bad)
    });
    let example = "alt = \"A bright hall with white doors\"";
    let alt = walk.need(at, "alt", example).and_then(|found| walk.text(&found, example));
    let facet = match walk.find(at, "facet") {
        None => Some(Facet::Format),
        Some(found) => walk.word(&found, &facets(), "facet = \"format\""),
    };
    Some(AssetRef { file: file?.into(), alt: alt?.into(), facet: facet? })
}

const PROXY: &str = "success_proxies = [{ metric = \"replyCount\", direction = \"up\", age = \"24h\" }]";

fn proxy<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Option<Proxy> {
    walk.unknown(at, &["metric", "direction", "age"]);
    let metric = walk.need(at, "metric", "metric = \"replyCount\"");
    let metric = metric.and_then(|found| walk.words(&found, 64, "metric = \"replyCount\""));
    let directions = [("up", Direction::Up), ("down", Direction::Down)];
    let direction = word(walk, at, "direction", &directions, "direction = \"up\"");
    let age: Option<Span> = parsed(walk, at, "age", "age = \"24h\"");
    Some(Proxy { metric: metric?.to_owned(), direction: direction?, age: SnapshotAge(age?) })
}

const GUARDRAIL: &str = "guardrails = [{ signal = \"publish_failures\", limit = 2, action = \"pause\" }]";

fn guardrail<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Option<GuardrailLimit> {
    walk.unknown(at, &["signal", "limit", "action"]);
    let signals = super::SIGNALS.map(|signal| (signal, signal));
    let signal = word(walk, at, "signal", &signals, "signal = \"publish_failures\"");
    let limit = walk.need(at, "limit", "limit = 2").and_then(|found| walk.number(&found, "limit = 2"));
    let actions = [("pause", GuardrailAction::Pause), ("warn", GuardrailAction::Warn)];
    let action = word(walk, at, "action", &actions, "action = \"pause\"");
    Some(GuardrailLimit { signal: signal?.to_owned(), limit: limit?, action: action? })
}

const STOP: &str = "stop_conditions = [{ when = \"any_breach\" }, { when = \"failed_posts\", limit = 2 }]";

#[derive(Clone, Copy)]
enum When {
    AnyBreach,
    FailedPosts,
    Invalid,
    FewerThan,
}

fn stop<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Option<StopCondition> {
    let all = [
        ("any_breach", When::AnyBreach),
        ("failed_posts", When::FailedPosts),
        ("invalid", When::Invalid),
        ("fewer_than", When::FewerThan),
    ];
    let when = word(walk, at, "when", &all, "{ when = \"any_breach\" }");
    let figure = |walk: &mut Walk<'t>, key: &str| {
        walk.unknown(at, &["when", key]);
        let example = format!("{key} = 2");
        let found = walk.need(at, key, &example)?;
        walk.count(&found, 1, POSTS_MAX, &example)
    };
    match when? {
        When::AnyBreach => {
            walk.unknown(at, &["when"]);
            Some(StopCondition::AnyBreach)
        }
        When::Invalid => {
            walk.unknown(at, &["when"]);
            Some(StopCondition::Invalid)
        }
        When::FailedPosts => figure(walk, "limit").map(|limit| StopCondition::FailedPosts { limit }),
        When::FewerThan => figure(walk, "posts").map(|posts| StopCondition::FewerThan { posts }),
    }
}

fn window<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Option<RunWindow> {
    let example = "run_window = { start = \"2027-01-11T00:00:00Z\", end = \"2027-01-15T23:59:59Z\" }";
    let found = walk.need(at, "run_window", example)?;
    let at = walk.table(&found, example)?;
    walk.unknown(&at, &["start", "end"]);
    let start = parsed(walk, &at, "start", "start = \"2027-01-11T00:00:00Z\"");
    let end = parsed(walk, &at, "end", "end = \"2027-01-15T23:59:59Z\"");
    Some(RunWindow { start: start?, end: end? })
}

const PLAN: [&str; 12] = [
    "account",
    "lane",
    "posts_per_variant",
    "times",
    "days",
    "slots",
    "spacing",
    "blocks",
    "repeat",
    "snapshot_ages",
    "rounds",
    "settings",
];

fn plan<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Plan {
    let example = "[exposure_plan] with account, posts_per_variant, times and snapshot_ages";
    let found = walk.need(at, "exposure_plan", example);
    let Some(at) = found.and_then(|found| walk.table(&found, example)) else {
        return Plan { says_when: true, ..Plan::default() };
    };
    walk.unknown(&at, &PLAN);
    let posts = walk.need(&at, "posts_per_variant", "posts_per_variant = 5");
    Plan {
        account: parsed(walk, &at, "account", "account = \"acme-bs\""),
        lane: optional(walk, &at, "lane", Lane::Api, |walk, found| walk.word(found, &lanes(), "lane = \"api\"")),
        posts_per_variant: posts.and_then(|found| walk.count(&found, 1, POSTS_MAX, "posts_per_variant = 5")),
        times: listed(walk, &at, "times", 8, "times = [\"09:10\", \"17:30\"]"),
        days: listed(walk, &at, "days", 16, "days = [\"mon\", \"wed\", \"fri\"]"),
        slots: slots(walk, &at),
        spacing: walk.find(&at, "spacing").and_then(|found| walk.parsed(&found, "spacing = \"3h\"", str::parse)),
        blocks: optional(walk, &at, "blocks", Blocks::Wide, |walk, found| {
            walk.word(found, &[("wide", Blocks::Wide), ("pairs", Blocks::Pairs)], "blocks = \"pairs\"")
        }),
        repeat: optional(walk, &at, "repeat", false, |walk, found| walk.flag(found, "repeat = false")),
        ages: ages(walk, &at),
        rounds: rounds(walk, &at, "rounds = [{ caption = \"What every variant says in this round.\" }]"),
        settings: optional(walk, &at, "settings", SurfaceSettings::default(), settings),
        says_when: at.table.contains_key("times") || at.table.contains_key("slots"),
    }
}

/// The lanes by their words.
pub(super) fn lanes() -> [(&'static str, Lane); 3] {
    [Lane::Api, Lane::Browser, Lane::Hybrid].map(|lane| (lane.as_str(), lane))
}

fn optional<'t, T>(
    walk: &mut Walk<'t>,
    at: &At<'t>,
    key: &str,
    otherwise: T,
    read: impl Fn(&mut Walk<'t>, &Found<'t>) -> Option<T>,
) -> Option<T> {
    match walk.find(at, key) {
        None => Some(otherwise),
        Some(found) => read(walk, &found),
    }
}

fn listed<'t>(walk: &mut Walk<'t>, at: &At<'t>, key: &str, most: usize, example: &str) -> Vec<String> {
    walk.find(at, key).map(|found| texts(walk, &found, most, example)).unwrap_or_default()
}

fn slots<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Vec<UtcTime> {
    let example = "slots = [\"2027-01-11T09:10:00Z\"]";
    let Some(found) = walk.find(at, "slots") else { return Vec::new() };
    let items = walk.list(&found, example).unwrap_or_default();
    items.iter().filter_map(|item| walk.parsed(item, example, str::parse)).collect()
}

fn ages<'t>(walk: &mut Walk<'t>, at: &At<'t>) -> Option<Vec<SnapshotAge>> {
    let example = "snapshot_ages = [\"1h\", \"6h\", \"24h\"]";
    let found = walk.need(at, "snapshot_ages", example)?;
    let items = walk.list(&found, example)?;
    items.iter().map(|item| walk.parsed(item, example, str::parse::<Span>).map(SnapshotAge)).collect()
}

fn settings<'t>(walk: &mut Walk<'t>, found: &Found<'t>) -> Option<SurfaceSettings> {
    let at = walk.table(found, "settings = { langs = [\"en\"] }")?;
    walk.unknown(&at, &["langs", "labels", "sponsored", "synthetic"]);
    Some(SurfaceSettings {
        langs: listed(walk, &at, "langs", 35, "langs = [\"en\"]"),
        labels: listed(walk, &at, "labels", 64, "labels = [\"bot\"]"),
        sponsored: optional(walk, &at, "sponsored", false, |walk, found| walk.flag(found, "sponsored = true"))?,
        synthetic: optional(walk, &at, "synthetic", false, |walk, found| walk.flag(found, "synthetic = true"))?,
    })
}
