//! One experiment by stage: its strip, then the page that is turned to.
//!
//! Decides what each page holds. How what was measured is laid out is `numbers`' business.

use desk::query::{ExperimentLine, ExperimentView, PostLine};
use domain::experiment::Stage;
use domain::id::ExperimentId;
use domain::outcome::Outcome;
use domain::variant::Facet;
use ratatui::layout::Rect;

use super::{Tab, numbers};
use crate::can::is_paused;
use crate::clean::Clean;
use crate::item::facet_text;
use crate::line::{Line, Look, ledger, paragraph};
use crate::model::{Model, Open};
use crate::morning::preview::counted;
use crate::morning::view::{history, split};
use crate::pen::{Pen, Symbols, text_width};
use crate::sign::Sign;
use crate::theme::Role;
use crate::when;

/// The column of values.
const STOP: usize = 14;
/// The most charts of one experiment.
const CHARTS_MAX: usize = 3;
/// Below this width the strip is signs and one word.
const SHORT_STRIP: usize = 73;

/// Draws the experiment that is open.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(Open::Detail(id)) = model.place.open else { return };
    let width = text_width(area);
    let lines = head(model, id, width);
    let (above, below) = split(area, lines.len());
    pen.lines(above, &lines);
    let page = page(model, id, width);
    let height = usize::from(below.height);
    let top = model.experiments.top.min(page.len().saturating_sub(height));
    let shown: Vec<Line> = page.into_iter().skip(top).take(height).collect();
    pen.lines(below, &shown);
}

/// Returns how many lines the page has, and how many fit.
pub(crate) fn extent(model: &Model, id: ExperimentId) -> (usize, usize) {
    let area = model.size.content();
    let width = text_width(area);
    let height = usize::from(area.height).saturating_sub(head(model, id, width).len());
    (page(model, id, width).len(), height)
}

fn head(model: &Model, id: ExperimentId, width: usize) -> Vec<Line> {
    let mut lines = vec![Line::new()];
    let Some(line) = model.known.line(id) else { return lines };
    let facts = format!("{}   {}   {}", line.code, model.known.client_name(&line.client), line.kind);
    let name = Clean::of(line.name.clone()).cut(width.saturating_sub(facts.len() + 3));
    lines.push(Line::new().bold(name).right(facts, Look::of(Role::Muted)));
    lines.push(strip(line, width));
    lines.push(Line::new());
    let mut tabs = Line::new();
    for tab in Tab::ALL {
        if tab != Tab::Now {
            tabs = tabs.plain("   ");
        }
        tabs = if tab == model.experiments.tab { tabs.bold(tab.name()) } else { tabs.muted(tab.name()) };
    }
    lines.push(tabs);
    lines.push(Line { fill: crate::line::Fill::Thin, ..Line::new() });
    lines
}

/// Returns the stages as a strip: what is done, where it is, what is to come.
pub(crate) fn strip(line: &ExperimentLine, width: usize) -> Line {
    const STAGES: [&str; 7] = ["Brief", "Variants", "Preflight", "Approved", "Running", "Maturing", "Review"];
    let (at, over) = match &line.stage {
        Stage::Drafting => (0, false),
        Stage::Creating => (1, false),
        Stage::Preflight => (2, false),
        Stage::AwaitingApproval => (3, false),
        Stage::Scheduled | Stage::Running => (4, false),
        Stage::Maturing => (5, false),
        Stage::Reviewing => (6, false),
        Stage::Completed { .. } | Stage::Invalid { .. } => (7, true),
    };
    let mut strip = Line::new();
    for (place, stage) in STAGES.into_iter().enumerate() {
        let short = width < SHORT_STRIP;
        if place > 0 && !short {
            strip = strip.plain(if width < 80 { " " } else { "  " });
        }
        let sign = match place.cmp(&at) {
            std::cmp::Ordering::Less => Sign::done(""),
            std::cmp::Ordering::Equal if is_paused(line) => Sign::paused(""),
            std::cmp::Ordering::Equal if matches!(line.stage, Stage::AwaitingApproval) => Sign::needed(""),
            std::cmp::Ordering::Equal if matches!(line.stage, Stage::Scheduled) => Sign::planned(""),
            std::cmp::Ordering::Equal => Sign::under_way(""),
            std::cmp::Ordering::Greater => Sign::planned(""),
        };
        if !short {
            strip = if place == at { strip.bold(stage) } else { strip.muted(stage) };
            strip = strip.plain(" ");
        }
        strip = strip.put(sign.symbol, Look::of(sign.role));
    }
    if width < SHORT_STRIP && !over {
        strip = strip.plain("  ").bold(if is_paused(line) { "paused" } else { line.stage.word() });
    }
    if over {
        strip = Sign::of_stage(&line.stage, false).append(strip.plain("   "));
    }
    strip
}

fn page(model: &Model, id: ExperimentId, width: usize) -> Vec<Line> {
    match model.experiments.tab {
        Tab::Now => now(model, id, width),
        Tab::History => {
            let lines = history(model, id, width);
            if lines.is_empty() { vec![Line::new().muted("Nothing among the last events.")] } else { lines }
        }
        Tab::Brief | Tab::Variants | Tab::Posts | Tab::Numbers => {
            let Some(view) = model.known.details.get(&id) else { return vec![Line::new().muted("working")] };
            match model.experiments.tab {
                Tab::Brief => brief(view, width),
                Tab::Variants => variants(view, width),
                Tab::Posts => posts(model, view, width),
                Tab::Now | Tab::Numbers | Tab::History => {
                    let mut lines = verdict(model, view, width);
                    lines.extend(numbers::lines(model, view, width));
                    lines
                }
            }
        }
    }
}

/// Returns what matters at the stage of an experiment.
pub(crate) fn now(model: &Model, id: ExperimentId, width: usize) -> Vec<Line> {
    let Some(line) = model.known.line(id) else { return Vec::new() };
    let mut lines = Vec::new();
    lines.extend(paragraph(&Clean::of(sentence(model, line)), Look::bold(Role::Text), 0, width));
    let Some(view) = model.known.details.get(&id) else {
        lines.push(Line::new().muted("working"));
        return lines;
    };
    for hold in &view.holds {
        let zone = model.known.zone(&line.client);
        let text = format!("by {} at {}: {}", hold.by, when::day_clock(hold.at, zone), hold.reason);
        lines.extend(ledger("Stopped", STOP, &Clean::of(text), Look::of(Role::Warn), width));
    }
    let brief = view.brief.as_deref().and_then(|text| domain::brief::read(text).ok());
    if let Some(brief) = &brief {
        lines.extend(ledger("Asks", STOP, &Clean::of(brief.hypothesis.raw()), Look::default(), width));
        let facts = format!("{}, {} variants", brief.variable_under_test, brief.test_variants.len() + 1);
        lines.push(Line::new().muted("Variable").goto(STOP).plain(facts));
    }
    let loud: Vec<_> = view.findings.iter().filter(|f| f.severity != domain::preflight::Severity::Info).collect();
    if !line.stage.is_over() {
        let text = match loud.len() {
            0 => "none to mend".to_owned(),
            _ => loud.iter().map(|f| format!("{} {}: {}", f.guard, f.place, f.why)).collect::<Vec<_>>().join("; "),
        };
        let look = if loud.is_empty() { Look::default() } else { Look::of(Role::Warn) };
        lines.extend(ledger("Findings", STOP, &Clean::of(text), look, width));
    }
    if !line.stage.is_over() {
        for (row, guardrail) in view.guardrails.iter().enumerate() {
            let label = if row == 0 { "Guardrails" } else { "" };
            let role = match guardrail.state.as_str() {
                "crossed" => Role::Danger,
                "not observable" => Role::Warn,
                _ => Role::Text,
            };
            let text = format!("{}: {}, {}", guardrail.signal.replace('_', " "), guardrail.state, guardrail.why);
            lines.extend(ledger(label, STOP, &Clean::of(text), Look::of(role), width));
        }
    }
    if let Some(layer) = &view.layer {
        lines.push(Line::new().muted("Layer").goto(STOP).plain(layer.clone()));
    }
    if !view.posts.is_empty() {
        lines.push(Line::new());
        lines.extend(posts(model, view, width));
    }
    lines
}

fn sentence(model: &Model, line: &ExperimentLine) -> String {
    let next = super::view::next(model, line);
    if is_paused(line) {
        return "Paused: nothing of it goes out until a person lets it go on.".to_owned();
    }
    match &line.stage {
        Stage::Drafting | Stage::Creating => "The brief is being written.".to_owned(),
        Stage::Preflight => "The guards have looked; it waits to be submitted, or mended.".to_owned(),
        Stage::AwaitingApproval => "It waits for a person's word.".to_owned(),
        Stage::Scheduled => format!("Approved; nothing is out yet, the first {next}."),
        Stage::Running => format!("{} of {} are out, the next {next}.", line.out, counted(posts_of(line), "post")),
        Stage::Maturing => "All posts are settled; metrics ripen.".to_owned(),
        Stage::Reviewing => "It waits for a decision.".to_owned(),
        Stage::Completed { how } => format!("Over: {how}."),
        Stage::Invalid { why } => format!("Not comparable, its numbers are informational only: {why}."),
    }
}

fn posts_of(line: &ExperimentLine) -> usize {
    usize::try_from(line.planned).unwrap_or(usize::MAX)
}

fn brief(view: &ExperimentView, width: usize) -> Vec<Line> {
    let Some(text) = &view.brief else { return vec![Line::new().muted("The house experiment has no brief.")] };
    Clean::lines(text).iter().flat_map(|line| paragraph(line, Look::default(), 0, width)).collect()
}

fn variants(view: &ExperimentView, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for variant in &view.variants {
        let sort = if variant.is_control() { "control" } else { "test" };
        lines.push(
            Line::new()
                .put(Clean::drawn(variant.letter, 1), Look::bold(Role::of_letter(variant.letter)))
                .plain(" ")
                .muted(sort)
                .right(format!("revision {}", variant.revision), Look::of(Role::Muted)),
        );
        for (round, content) in variant.rounds.iter().enumerate() {
            if variant.rounds.len() > 1 {
                lines.push(Line::new().muted(format!("round {}", round + 1)));
            }
            for facet in Facet::ALL {
                let text = facet_text(content, facet);
                for (row, part) in Clean::lines(&text).iter().filter(|_| !text.is_empty()).enumerate() {
                    let label = if row == 0 { facet.as_str() } else { "" };
                    lines.extend(ledger(label, STOP, part, Look::default(), width));
                }
            }
            for asset in &content.assets {
                let text = format!("{}, alt: {}", asset.file.raw(), asset.alt.raw());
                lines.extend(ledger("picture", STOP, &Clean::of(text), Look::default(), width));
            }
        }
        lines.push(Line::new());
    }
    lines
}

fn posts(model: &Model, view: &ExperimentView, width: usize) -> Vec<Line> {
    let zone = model.known.zone(&view.line.client);
    let muted = Look::of(Role::Muted);
    let wide = width >= 88;
    let mut head = Line::new().cell("state", muted, 16, 2).cell("v", muted, 4, 2).cell("slot", muted, 17, 2);
    if wide {
        head = head.cell("account", muted, 18, 2);
    }
    let mut lines = vec![head.muted("proof").right(when::city(zone), muted)];
    for post in &view.posts {
        let sign = Sign::of_post(&post.state, post.voided.is_some());
        let letter = Look::bold(Role::of_letter(post.letter));
        let mut line = sign.put(Line::new(), 16, 2).cell(Clean::drawn(post.letter, 1), letter, 4, 2).cell(
            when::day_clock(post.slot, zone),
            Look::default(),
            17,
            2,
        );
        if wide {
            line = line.cell(model.known.handle(&post.account), muted, 18, 2);
        }
        let proof = proof(model, post);
        lines.push(line.put(proof.0, Look::of(proof.1)));
    }
    lines
}

/// Returns what proves the state of a post.
fn proof(model: &Model, post: &PostLine) -> (Clean, Role) {
    if let Some((field, why)) = &post.voided {
        return (Clean::of(format!("{field}: {why}")), Role::Warn);
    }
    match &post.url {
        Some(url) => (Clean::of(url.clone()), Role::Link),
        None if post.approved => {
            (Clean::of(format!("approved, {}", when::relative(post.slot, model.wall()))), Role::Muted)
        }
        None if post.attempts > 0 => (Clean::of(format!("{} tried", counted_tries(post.attempts))), Role::Muted),
        None => ("not approved".into(), Role::Muted),
    }
}

fn counted_tries(attempts: u32) -> String {
    if attempts == 1 { "once".to_owned() } else { format!("{attempts} times") }
}

/// Returns what the experiment says, above its readings.
/// The proxies by age. Where dots cannot be drawn the table of readings says the same.
fn charts(model: &Model, view: &ExperimentView, outcome: &Outcome, width: usize) -> Vec<Line> {
    let Some(snapshots) = model.known.snapshots.get(&view.line.code) else { return Vec::new() };
    if model.setting.symbols == Symbols::Ascii {
        return Vec::new();
    }
    let proxies = outcome.proxies.iter().take(CHARTS_MAX);
    proxies.flat_map(|proxy| super::plot::chart(snapshots, proxy, width)).collect()
}

fn verdict(model: &Model, view: &ExperimentView, width: usize) -> Vec<Line> {
    let mut lines = match model.known.outcomes.get(&view.line.code) {
        None => return Vec::new(),
        Some(Ok(outcome)) => super::outcome::lines(outcome, charts(model, view, outcome, width), width),
        Some(Err(why)) => paragraph(&Clean::of(format!("No outcome: {why}.")), Look::of(Role::Muted), 0, width),
    };
    lines.extend([Line::new(), Line::title("Readings", "")]);
    lines
}
