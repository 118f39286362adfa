//! What an experiment says: the sentence, whether it may be believed, who is ahead, and each proxy.
//!
//! Decides how the desk's verdict is drawn. Checks that are not as they should be stand first and with their sentence; the
//! others are a symbol, words and a number. What is not known is `n/a`, never 0.

use domain::outcome::{Finding, Outcome, ProxyOutcome, Ranked, Ratio, Say, Verdict, one_in, percent};

use super::plot;
use crate::clean::Clean;
use crate::line::{Line, Look, ledger, paragraph};
use crate::morning::preview::counted;
use crate::sign::Sign;
use crate::theme::Role;

/// The column of values.
const STOP: usize = 14;
/// The columns of a check that is as it should be.
const CHECK: usize = 27;
/// The columns of a number in a table.
const NUMBER: usize = 13;
/// What stands where something is not known.
const UNKNOWN: &str = "n/a";

/// Returns what an experiment says, from the top of its page on; charts stand between checks and comparisons.
pub(super) fn lines(outcome: &Outcome, charts: Vec<Line>, width: usize) -> Vec<Line> {
    let mut lines = sentence(outcome, width);
    let confidence = outcome.confidence.map_or(UNKNOWN, |word| word.as_str());
    let at = format!("{confidence}, at {}, seed {}", outcome.age, outcome.seed);
    lines.extend(ledger("Confidence", STOP, &Clean::of(at), Look::default(), width));
    lines.extend(ledger("To do", STOP, &Clean::of(outcome.next.as_str()), Look::default(), width));
    // Before it is ripe the sentence has said what is missing.
    for change in outcome.would_change.iter().filter(|_| outcome.say != Say::NotRipe) {
        lines.extend(ledger("Would change", STOP, &Clean::of(change.as_str()), Look::default(), width));
    }
    let posts: Vec<String> = outcome
        .variants
        .iter()
        .map(|count| {
            let comparable = count.comparable.map_or_else(|| UNKNOWN.to_owned(), |posts| posts.to_string());
            format!("{} {comparable} of {}", count.letter, count.planned)
        })
        .collect();
    lines.extend(ledger("Comparable", STOP, &Clean::of(posts.join(", ")), Look::default(), width));
    lines.extend(checks(outcome, width));
    lines.extend(charts);
    lines.extend(plot::ranges(outcome, width));
    lines.extend(ranking(outcome));
    lines.extend(proxies(outcome, width));
    lines
}

fn sentence(outcome: &Outcome, width: usize) -> Vec<Line> {
    let (sign, role) = match outcome.say {
        Say::Winner => (Sign::done(""), Role::Text),
        Say::Invalid => (Sign::invalid(""), Role::Danger),
        Say::NotRipe => (Sign::under_way(""), Role::Text),
        Say::NothingRead | Say::NotEnoughPosts | Say::RestsOnSuspected | Say::NoCall => (Sign::planned(""), Role::Text),
    };
    let mut lines = paragraph(&Clean::of(outcome.sentence.as_str()), Look::bold(role), 2, width);
    if let Some(first) = lines.first_mut() {
        let text = std::mem::take(&mut first.left);
        let mut marked = Line::new().put(sign.symbol, Look::of(sign.role));
        marked.left.extend(text);
        *first = marked;
    }
    lines
}

fn checks(outcome: &Outcome, width: usize) -> Vec<Line> {
    if outcome.checks.is_empty() {
        return Vec::new();
    }
    let good = outcome.checks.iter().filter(|finding| finding.verdict == Verdict::Ok).count();
    let word = match outcome.comparable {
        None => UNKNOWN,
        Some(Verdict::Ok) => "yes",
        Some(Verdict::Unavailable) => "cannot tell",
        Some(Verdict::Warn) => "with warnings",
        Some(Verdict::Invalid) => "no",
    };
    let mut lines =
        vec![Line::new(), Line::title("Comparable?", format!("{word}, {good} of {} ok", outcome.checks.len()))];
    let (loud, quiet): (Vec<&Finding>, Vec<&Finding>) =
        outcome.checks.iter().partition(|finding| matches!(finding.verdict, Verdict::Warn | Verdict::Invalid));
    for finding in loud {
        let sign = sign(finding.verdict);
        let head = Line::new().put(sign.symbol, Look::of(sign.role)).plain(" ").bold(finding.check.as_str());
        lines.push(head.plain(format!(" {}", number(finding.statistic))));
        lines.extend(paragraph(&Clean::of(finding.sentence.as_str()), Look::default(), 2, width));
    }
    for row in quiet.chunks((width / CHECK).max(1)) {
        let line = row.iter().fold(Line::new(), |line, finding| {
            let sign = sign(finding.verdict);
            let said = match finding.statistic {
                Some(found) => format!("{} {}", finding.check, number(Some(found))),
                None => finding.check.to_string(),
            };
            line.put(sign.symbol, Look::of(sign.role)).plain(" ").cell(said, Look::of(Role::Muted), CHECK - 2, 1)
        });
        lines.push(line);
    }
    lines
}

fn sign(verdict: Verdict) -> Sign {
    match verdict {
        Verdict::Ok => Sign::done(""),
        Verdict::Unavailable => Sign::in_doubt(""),
        Verdict::Warn => Sign::warning(""),
        Verdict::Invalid => Sign::failed(""),
    }
}

fn ranking(outcome: &Outcome) -> Vec<Line> {
    if outcome.ranking.is_empty() {
        return Vec::new();
    }
    let muted = Look::of(Role::Muted);
    let head = ["likely best", "all proxies", "expect"];
    let head =
        head.into_iter().fold(Line::new().cell("v", muted, 4, 2), |line, name| line.cell_right(name, muted, NUMBER, 1));
    let title = Line::title("Who is ahead", format!("at {}", outcome.age));
    let mut lines = vec![Line::new(), title, head.cell_right("by luck", muted, NUMBER, 1)];
    let row = |ranked: &Ranked| {
        let change = |ratio: Option<f64>| ratio.map_or_else(|| UNKNOWN.to_owned(), percent);
        let plain = Look::default();
        Line::new()
            .cell(Clean::drawn(ranked.letter, 1), Look::bold(Role::of_letter(ranked.letter)), 4, 2)
            .cell_right(format!("{:.0} %", ranked.chance * 100.0), plain, NUMBER, 1)
            .cell_right(change(ranked.overall), plain, NUMBER, 1)
            .cell_right(change(ranked.expected), plain, NUMBER, 1)
            .cell_right(ranked.p.map_or_else(|| UNKNOWN.to_owned(), luck), plain, NUMBER, 1)
    };
    lines.extend(outcome.ranking.iter().map(row));
    lines
}

fn proxies(outcome: &Outcome, width: usize) -> Vec<Line> {
    let muted = Look::of(Role::Muted);
    let aside = if outcome.say == Say::Invalid { ", informational only" } else { "" };
    let title = Line::title("Proxies", format!("at {}, against A{aside}", outcome.age));
    let mut lines = vec![Line::new(), title];
    let name = (width / 4).clamp(12, 24);
    let head = ["middle", "ratio", "by luck"]
        .into_iter()
        .fold(Line::new().cell("proxy", muted, name, 1).cell("v", muted, 3, 1), |line, head| {
            line.cell_right(head, muted, NUMBER - 2, 1)
        });
    lines.push(head.plain(" ").muted("likely range"));
    for proxy in &outcome.proxies {
        lines.extend(proxy_lines(proxy, name, width));
    }
    lines
}

/// One line a variant; its readings, and for a test variant the comparison.
fn proxy_lines(proxy: &ProxyOutcome, name: usize, width: usize) -> Vec<Line> {
    let muted = Look::of(Role::Muted);
    let words = if proxy.per_view { format!("{} a view", proxy.words) } else { proxy.words.clone() };
    let mut lines = Vec::new();
    for (row, middle) in proxy.middles.iter().enumerate() {
        let ratio = proxy.ratios.iter().find(|ratio| ratio.letter == middle.letter);
        let said =
            ratio.map_or((UNKNOWN.to_owned(), UNKNOWN.to_owned()), |r| (format!("{:.2}", r.ratio), luck(r.p_up)));
        let (ratio_said, luck_said) = if row == 0 { (String::new(), String::new()) } else { said };
        let mut line = Line::new()
            .cell(if row == 0 { Clean::of(words.as_str()) } else { Clean::default() }, Look::default(), name, 1)
            .cell(Clean::drawn(middle.letter, 1), Look::bold(Role::of_letter(middle.letter)), 3, 1)
            .cell_right(number(middle.value), Look::default(), NUMBER - 2, 1)
            .cell_right(ratio_said, Look::default(), NUMBER - 2, 1)
            .cell_right(luck_said, Look::default(), NUMBER - 2, 1);
        if let Some(ratio) = ratio {
            line = line.plain(" ").plain(range(ratio));
            line = match (ratio.harmed, ratio.leads) {
                (true, _) => line.plain("  ").put("worse", Look::bold(Role::Danger)),
                (false, true) => line.plain("  ").bold("leads"),
                (false, false) => line,
            };
        } else if row == 0 {
            let read = if middle.posts == 0 { "not read".to_owned() } else { counted(middle.posts, "post") };
            line = line.plain(" ").muted(read);
        }
        lines.push(line);
    }
    if let Some(why) = &proxy.aside {
        lines.extend(paragraph(&Clean::of(why.as_str()), muted, 2, width));
    }
    lines
}

fn range(ratio: &Ratio) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |end| format!("{end:.2}"));
    match (ratio.low, ratio.high) {
        (None, None) => UNKNOWN.to_owned(),
        (low, high) => format!("{} to {}", end(low), end(high)),
    }
}

/// How often luck gives as much, short.
fn luck(p: f64) -> String {
    if p > 0.5 { "mostly".to_owned() } else { one_in(p) }
}

/// Whole numbers as they are, others with two decimals.
fn number(number: Option<f64>) -> String {
    match number {
        None => UNKNOWN.to_owned(),
        Some(number) if number.fract() == 0.0 => format!("{number:.0}"),
        Some(number) => format!("{number:.2}"),
    }
}
