//! A brief as TOML, with a comment for each field, and its JSON Schema.
//!
//! Decides how a brief looks in an editor. Text from outside is written so that nothing in it is hidden: what cannot be
//! seen stands as its number.
//!
//! Invariant: what is written reads back as an equal brief.

mod schema;
mod text;

use super::{AssetRef, Brief, ExposurePlan, RoundText, StopCondition, VariantText};
use crate::time::{SnapshotAge, Span};
use text::quoted;

pub use schema::json_schema;

/// Writes a brief as TOML.
pub fn write(brief: &Brief) -> String {
    let mut page = Page::default();
    page.field("what sort: micro, batch, engagement or lane", "kind", &plain(brief.kind.as_str()));
    page.field("unique for the client", "name", &quoted(brief.name.raw()));
    page.field("", "client", &plain(brief.client.as_str()));
    page.field(
        "one; a batch may have several",
        "platforms",
        &listed(brief.platforms.iter().map(|p| plain(p.as_str()))),
    );
    page.field("where the posts appear", "surface", &quoted(&brief.surface.0));
    page.field(
        "one sentence: what the variable does to a declared proxy",
        "hypothesis",
        &quoted(brief.hypothesis.raw()),
    );
    page.field("the one facet that differs", "variable_under_test", &plain(brief.variable_under_test.as_str()));
    page.field(
        "auto, review or manual; the client's policy may raise it, never lower it",
        "approval_level",
        &plain(brief.approval_level.as_str()),
    );
    page.gap();
    let proxies = brief.success_proxies.iter().map(|proxy| {
        let direction = match proxy.direction {
            super::Direction::Up => "up",
            super::Direction::Down => "down",
        };
        format!("{{ metric = {}, direction = \"{direction}\", age = {} }}", quoted(&proxy.metric), age(&proxy.age))
    });
    page.field("what stands for the outcome, the primary one first", "success_proxies", &rows(proxies));
    let guardrails = brief.guardrails.iter().map(|guardrail| {
        let action = match guardrail.action {
            super::GuardrailAction::Pause => "pause",
            super::GuardrailAction::Warn => "warn",
        };
        format!("{{ signal = {}, limit = {:?}, action = \"{action}\" }}", quoted(&guardrail.signal), guardrail.limit)
    });
    page.field("what protects the account, beside the client's own minimum", "guardrails", &rows(guardrails));
    page.field("when to stop early", "stop_conditions", &rows(brief.stop_conditions.iter().map(stop)));
    if brief.test_variants.is_empty() {
        page.field("the tests", "test_variants", "[]");
    }
    page.table("first and last moment for posts; the last snapshot comes after", "[run_window]");
    page.field("", "start", &plain(&brief.run_window.start.to_string()));
    page.field("", "end", &plain(&brief.run_window.end.to_string()));
    plan(&mut page, &brief.exposure_plan);
    page.table("what the tests are compared with", "[control_variant]");
    variant(&mut page, &brief.control_variant, "control_variant");
    for test in &brief.test_variants {
        page.table("a test; what it does not give is the control's, but the variable", "[[test_variants]]");
        variant(&mut page, test, "test_variants");
    }
    page.0
}

/// The file as it grows.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }

    fn field(&mut self, comment: &str, key: &str, value: &str) {
        if !comment.is_empty() {
            self.line(&format!("# {comment}"));
        }
        self.line(&format!("{key} = {value}"));
    }

    fn table(&mut self, comment: &str, header: &str) {
        self.gap();
        if !comment.is_empty() {
            self.line(&format!("# {comment}"));
        }
        self.line(header);
    }
}

fn plan(page: &mut Page, plan: &ExposurePlan) {
    page.table("when and how the posts go out", "[exposure_plan]");
    page.field("", "account", &plain(plan.account.as_str()));
    page.field("api, browser or hybrid", "lane", &plain(plan.lane.as_str()));
    page.field("", "posts_per_variant", &plan.posts_per_variant.to_string());
    if plan.slots.is_empty() {
        page.field("times of day on the client's wall clock", "times", &texts(&plan.times));
    } else if !plan.times.is_empty() {
        page.field("", "times", &texts(&plan.times));
    }
    if !plan.days.is_empty() {
        page.field("days for those times; all where there are none", "days", &texts(&plan.days));
    }
    if !plan.slots.is_empty() {
        page.field("each slot by hand", "slots", &rows(plan.slots.iter().map(|slot| plain(&slot.to_string()))));
    }
    if let Some(spacing) = plan.spacing {
        page.field("the least time between two posts; the client's own gap holds beside it", "spacing", &span(spacing));
    }
    let blocks = match plan.blocks {
        super::Blocks::Wide => "wide",
        super::Blocks::Pairs => "pairs",
    };
    page.field("wide, or pairs: one post of each variant a block", "blocks", &plain(blocks));
    page.field("whether the same text and pictures may go out again", "repeat", &plan.repeat.to_string());
    page.field("when metrics are read, from publication", "snapshot_ages", &listed(plan.snapshot_ages.iter().map(age)));
    let settings = &plan.settings;
    let settings = format!(
        "{{ langs = {}, labels = {}, sponsored = {}, synthetic = {} }}",
        texts(&settings.langs),
        texts(&settings.labels),
        settings.sponsored,
        settings.synthetic
    );
    page.field("what the platform is told beside text and pictures", "settings", &settings);
    rounds(page, &plan.rounds, "exposure_plan", "what every variant shows alike in a round");
}

fn variant(page: &mut Page, variant: &VariantText, path: &str) {
    facets(page, &variant.facets, &variant.assets);
    rounds(page, &variant.rounds, path, "");
}

fn rounds(page: &mut Page, rounds: &[RoundText], path: &str, comment: &str) {
    for (place, round) in rounds.iter().enumerate() {
        page.table(if place == 0 { comment } else { "" }, &format!("[[{path}.rounds]]"));
        facets(page, &round.facets, &round.assets);
    }
}

fn facets(
    page: &mut Page,
    facets: &std::collections::BTreeMap<crate::variant::Facet, crate::text::Untrusted>,
    assets: &[AssetRef],
) {
    for (facet, text) in facets {
        page.field("", facet.as_str(), &quoted(text.raw()));
    }
    if !assets.is_empty() {
        let assets = assets.iter().map(|asset| {
            let (file, alt) = (text::on_one_line(asset.file.raw()), text::on_one_line(asset.alt.raw()));
            format!("{{ file = {file}, alt = {alt}, facet = \"{}\" }}", asset.facet)
        });
        page.field("", "assets", &rows(assets));
    }
}

fn stop(condition: &StopCondition) -> String {
    match condition {
        StopCondition::AnyBreach => "{ when = \"any_breach\" }".to_owned(),
        StopCondition::FailedPosts { limit } => format!("{{ when = \"failed_posts\", limit = {limit} }}"),
        StopCondition::Invalid => "{ when = \"invalid\" }".to_owned(),
        StopCondition::FewerThan { posts } => format!("{{ when = \"fewer_than\", posts = {posts} }}"),
    }
}

/// Quotes a word of ours.
fn plain(word: &str) -> String {
    text::on_one_line(word)
}

fn texts(texts: &[String]) -> String {
    listed(texts.iter().map(|text| text::on_one_line(text)))
}

fn listed(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A list with a line for each entry, where there are several.
fn rows(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.len() < 2 {
        return listed(items.into_iter());
    }
    let mut list = String::from("[\n");
    for item in items {
        list.push_str(&format!("  {item},\n"));
    }
    list.push(']');
    list
}

fn age(age: &SnapshotAge) -> String {
    span(age.0)
}

/// Writes a span as people do where that is exact, else in seconds and millionths.
fn span(span: Span) -> String {
    let text = span.to_string();
    if text.parse() == Ok(span) {
        return plain(&text);
    }
    let micros = span.micros();
    plain(&format!("{}.{:06}s", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000)))
}

#[cfg(test)]
mod tests;
