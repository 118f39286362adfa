//! The page itself, line by line, in the order of thought: sentence, what is shared, the variable side by side, every text
//! word for word, findings, days, layer, level, what a word binds to.
//!
//! Decides the wording. Everything comes from the sheet whose fingerprint stands at the end.

use domain::id::ExperimentId;
use domain::preflight::{Finding, Severity};
use domain::surface;
use domain::time::Span;
use domain::variant::{Asset, Content};

use crate::clean::{Clean, Kind, Run};
use crate::diff;
use crate::item::{Going, Item};
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger, paragraph};
use crate::model::Model;
use crate::morning::preview::{binds, counted, layer, lettered, same, show, value};
use crate::theme::Role;
use crate::when;

/// The column of values.
const STOP: usize = 14;
/// From this width on variants stand side by side.
const BESIDE: usize = 88;

/// The page, and the places on it that keys go to.
pub(crate) struct Page {
    pub(crate) lines: Vec<Line>,
    /// The line at which each test variant begins.
    pub(crate) tests: Vec<usize>,
    /// The line up to which a person must have read before they give their word: all that goes out, and every finding.
    pub(crate) must_read: usize,
}

/// Returns the whole page for so many columns.
pub(crate) fn page(model: &Model, id: ExperimentId, width: usize) -> Page {
    let Some(item) = model.known.item(id) else {
        let lines = vec![Line::new(), Line::new().muted("working: the sheet is being read")];
        return Page { must_read: usize::MAX, tests: Vec::new(), lines };
    };
    let mut lines = vec![Line::new()];
    lines.extend(sentence(model, item, width));
    lines.push(Line::new());
    if item.word_for_word {
        lines.extend(shared(model, item, width));
        lines.push(Line::new());
    }
    let mut tests = Vec::new();
    variable(item, width, &mut lines, &mut tests);
    if !item.word_for_word {
        lines.extend(word_for_word(model, item, width));
        lines.push(Line::new());
    }
    lines.extend(findings(item, width));
    let must_read = lines.len();
    lines.push(Line::new());
    lines.extend(going_out(model, item, width));
    lines.push(Line::new());
    lines.extend(days(model, item, width));
    lines.push(Line::new());
    lines.extend(bound(model, item, width));
    Page { lines, tests, must_read }
}

fn sentence(model: &Model, item: &Item, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(brief) = &item.brief {
        lines.extend(paragraph(&show(&brief.hypothesis), Look::bold(Role::Text), 0, width));
    }
    let zone = model.known.zone(item.client());
    let handles: Vec<String> = item.accounts().iter().map(|account| model.known.handle(account)).collect();
    let platform = item.brief.as_ref().and_then(|b| b.platforms.first()).map_or("", |p| p.as_str());
    let mut facts = format!(
        "{} {platform}, {}, {}",
        handles.join(", "),
        counted(item.variants(), "variant"),
        counted(item.sheet.posts.len(), "post")
    );
    if let (Some(first), Some(last)) = (item.first(), item.last()) {
        let days = zone.local(last).date.signed_duration_since(zone.local(first).date).num_days() + 1;
        if days > 1 {
            facts.push_str(&format!(" over {days} days"));
        }
        facts.push_str(&format!(
            ". First {} {} {}, {}.",
            when::weekday_day(first, zone),
            when::clock(first, zone),
            when::city(zone),
            when::relative(first, model.wall())
        ));
    }
    lines.extend(paragraph(&Clean::of(facts), Look::default(), 0, width));
    if let Some(brief) = &item.brief {
        let proxies: Vec<String> = brief
            .success_proxies
            .iter()
            .map(|proxy| format!("{} after {}", surface::spoken(&proxy.metric), when::span(proxy.age.0)))
            .collect();
        let text = Clean::of(format!("Looks at {}.", proxies.join(", ")));
        lines.extend(paragraph(&text, Look::of(Role::Muted), 0, width));
    }
    lines
}

fn shared(model: &Model, item: &Item, width: usize) -> Vec<Line> {
    let (words, role) = same(item);
    let unfold = key_of(&[Scope::Approval], Intent::Unfold).map_or_else(String::new, |key| key.to_string());
    let open = !model.approval.folded;
    let mut head = Line::new().muted("Same in all").goto(STOP);
    head = if open { head.plain(counted(item.same.len(), "facet")) } else { head.plain(words) };
    head = head.plain("  ").put("✓", Look::of(role)).muted(if item.word_for_word {
        " equal, bytes compared"
    } else {
        " as the brief says"
    });
    let mut lines = vec![
        head.right(unfold, Look::bold(Role::Accent))
            .right(if open { " folds" } else { " unfolds" }, Look::of(Role::Muted)),
    ];
    if open {
        for round in item.rounds_shown() {
            let Some(control) = item.rounds.get(round).and_then(|contents| contents.first()) else { continue };
            for facet in &item.same {
                let label =
                    if item.rounds_shown().len() > 1 { format!("{facet} {}", round + 1) } else { facet.to_string() };
                let text = crate::item::facet_text(control, *facet);
                let pictures: Vec<&Asset> = control.assets.iter().filter(|asset| asset.facet == *facet).collect();
                if !text.is_empty() || pictures.is_empty() {
                    lines.extend(labelled(&label, &value(control, *facet), width));
                }
                for (row, asset) in pictures.into_iter().enumerate() {
                    let label = if row == 0 && text.is_empty() { label.as_str() } else { "" };
                    lines.extend(labelled_picture(label, asset, width));
                }
            }
        }
    }
    lines
}

/// A picture that all share, with its alt text: a word for the item covers both.
fn labelled_picture(label: &str, asset: &Asset, width: usize) -> Vec<Line> {
    let at = STOP + 12;
    let head = Line::new().goto(STOP).muted(label.to_owned()).goto(at).plain(picture(asset, false));
    let alt = Clean::of(format!("alt: {}", asset.alt.raw()));
    let mut lines = vec![head];
    lines.extend(paragraph(&alt, Look::of(Role::Muted), at, width));
    lines
}

fn labelled(label: &str, text: &str, width: usize) -> Vec<Line> {
    let at = STOP + 12;
    let mut lines = Vec::new();
    for clean in Clean::lines(text) {
        for part in clean.wrapped(width.saturating_sub(at)) {
            let line = Line::new().goto(STOP);
            let line = if lines.is_empty() { line.muted(label.to_owned()) } else { line };
            lines.push(line.goto(at).plain(part));
        }
    }
    lines
}

/// Adds every test variant, each beside or under the control, round by round.
fn variable(item: &Item, width: usize, lines: &mut Vec<Line>, anchors: &mut Vec<usize>) {
    let Some(variable) = item.variable() else { return };
    let tests = item.variants().saturating_sub(1);
    let strays = item.strays();
    if strays.is_empty() {
        lines.push(Line::title(format!("The variable: {variable}"), counted(tests, "test variant")));
    } else {
        let words: Vec<&str> = strays.iter().map(|facet| facet.as_str()).collect();
        let title = format!("not a single-variable test: {} differs too", words.join(", "));
        let mut line = Line::title("", counted(tests, "test variant"));
        line.left = Line::new().put("✗ ", Look::bold(Role::Danger)).put(title, Look::bold(Role::Danger)).left;
        lines.push(line);
    }
    let rounds = item.rounds_shown();
    let mut first = true;
    for test in 0..tests {
        anchors.push(lines.len());
        let letter = ('A'..='Z').nth(test + 1).unwrap_or('?');
        for round in &rounds {
            let Some(contents) = item.rounds.get(*round) else { continue };
            let (Some(control), Some(tested)) = (contents.first(), contents.get(test + 1)) else { continue };
            let number = (rounds.len() > 1).then(|| format!("round {}", round + 1));
            let mut sides = (sides_of(control, None, item), sides_of(tested, Some(control), item));
            // The control stands once; beside the later tests its place is free.
            if test > 0 && rounds.len() == 1 {
                sides.0.clear();
            }
            let number = number.unwrap_or_default();
            let drawn = if width >= BESIDE {
                beside(letter, &sides, width, (first, first || rounds.len() > 1, number))
            } else {
                over(letter, &sides, width, &number)
            };
            lines.extend(drawn);
            first = false;
        }
    }
    lines.push(Line::new());
}

type Side = Vec<(Clean, Role)>;

/// Returns what one variant shows in what differs; beside a control the differing words are painted.
fn sides_of(content: &Content, control: Option<&Content>, item: &Item) -> Side {
    let mut side = Vec::new();
    let several = item.differing.len() > 1;
    for facet in &item.differing {
        if several {
            side.push((Clean::of(facet.as_str()), Role::Muted));
        }
        let text = crate::item::facet_text(content, *facet);
        if !text.is_empty() {
            let painted = match control {
                Some(control) => diff::against(&crate::item::facet_text(control, *facet), &text),
                None => Clean::lines(&text),
            };
            side.extend(painted.into_iter().map(|line| (line, Role::Text)));
        }
        for asset in content.assets.iter().filter(|asset| asset.facet == *facet) {
            let same = control.is_some_and(|c| c.assets.iter().any(|a| a.digest == asset.digest && a.alt == asset.alt));
            side.push((picture(asset, control.is_some() && !same), Role::Text));
            side.push((Clean::of(format!("alt: {}", asset.alt.raw())), Role::Muted));
        }
        if text.is_empty() && !content.assets.iter().any(|asset| asset.facet == *facet) {
            side.push(("none".into(), Role::Muted));
        }
    }
    side
}

/// Returns a picture's facts; its name is painted where the picture is another than the control's.
pub(crate) fn picture(asset: &Asset, differs: bool) -> Clean {
    let mut runs: Vec<Run> = show(&asset.file).runs().to_vec();
    if differs {
        for run in &mut runs {
            if run.kind == Kind::Theirs {
                run.kind = Kind::Differs;
            }
        }
    }
    let facts = format!(
        "   {}   {}   sha {}",
        sides(asset),
        bytes(asset.bytes),
        asset.digest.to_string().chars().take(8).collect::<String>()
    );
    runs.extend(Clean::of(facts).runs().to_vec());
    if asset.has_gps {
        runs.extend(Clean::from("   ! says where it was taken").runs().to_vec());
    }
    Clean::from_runs(runs)
}

/// Returns a picture's sides in pixels.
pub(crate) fn sides(asset: &Asset) -> String {
    format!("{}x{}", asset.width, asset.height)
}

/// Returns a file's length in words.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

/// Control left, test right, one line between them.
fn beside(
    letter: char,
    (control, test): &(Side, Side),
    width: usize,
    (first, with_control, round): (bool, bool, String),
) -> Vec<Line> {
    let half = width / 2;
    let wrap = |side: &Side, columns: usize| -> Vec<(Clean, Role)> {
        side.iter().flat_map(|(text, role)| text.wrapped(columns).into_iter().map(|part| (part, *role))).collect()
    };
    let left = wrap(control, half.saturating_sub(3));
    let right = wrap(test, width.saturating_sub(half + 3));
    let rule = Look::of(Role::Rule);
    let head = if with_control { named('A', "control").plain("   ").muted(round) } else { Line::new() };
    let test_head = Line::new().goto(half).put("│", rule).goto(half + 3);
    let mut lines = if first { Vec::new() } else { vec![Line::new().goto(half).put("│", rule)] };
    let mut head = Line { left: head.left, ..Line::new() };
    head.left.extend(test_head.left);
    head.left.extend(named(letter, "test").left);
    lines.push(head);
    for row in 0..left.len().max(right.len()) {
        let mut line = Line::new();
        if let Some((text, role)) = left.get(row) {
            line = line.put(text.clone(), Look::of(*role));
        }
        line = line.goto(half).put("│", rule).goto(half + 3);
        if let Some((text, role)) = right.get(row) {
            line = line.put(text.clone(), Look::of(*role));
        }
        lines.push(line);
    }
    lines
}

fn named(letter: char, sort: &'static str) -> Line {
    Line::new().put(Clean::drawn(letter, 1), Look::bold(Role::of_letter(letter))).plain("  ").muted(sort)
}

/// Control over test, for narrow screens.
fn over(letter: char, (control, test): &(Side, Side), width: usize, round: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for (letter, side) in [('A', control), (letter, test)] {
        let mut first = true;
        for (text, role) in side {
            for part in text.wrapped(width.saturating_sub(if round.is_empty() { 11 } else { 21 })) {
                let line = if first {
                    lettered(letter, 11).right(round.to_owned(), Look::of(Role::Muted))
                } else {
                    Line::new().goto(11)
                };
                first = false;
                lines.push(line.put(part, Look::of(*role)));
            }
        }
    }
    lines
}

fn word_for_word(model: &Model, item: &Item, width: usize) -> Vec<Line> {
    let going = item.going_out();
    let head = format!("{}, {}, as hashed", counted(going.len(), "text"), counted(item.sheet.posts.len(), "post"));
    let mut lines = vec![Line::new().muted("Word for word").goto(STOP).plain(head)];
    let text = "the brief does not tell these texts facet by facet; what stands here is what goes out";
    lines.extend(ledger("", STOP, &text.into(), Look::of(Role::Warn), width));
    for one in &going {
        lines.extend(of_going(model, item, one, width));
    }
    lines
}

fn of_going(model: &Model, item: &Item, going: &Going<'_>, width: usize) -> Vec<Line> {
    let zone = model.known.zone(item.client());
    let slots: Vec<String> = going.posts.iter().map(|post| when::day_clock(post.line.slot, zone)).collect();
    let letter = Look::bold(Role::of_letter(going.letter));
    let mut lines = Vec::new();
    for clean in Clean::lines(going.text) {
        for part in clean.wrapped(width.saturating_sub(STOP + 3)) {
            let line = Line::new().goto(STOP);
            let line = if lines.is_empty() { line.put(Clean::drawn(going.letter, 1), letter) } else { line };
            lines.push(line.goto(STOP + 3).plain(part));
        }
    }
    for asset in going.assets {
        lines.push(Line::new().goto(STOP + 3).plain(picture(asset, false)));
        let alt = Clean::of(format!("alt: {}", asset.alt.raw()));
        lines.extend(paragraph(&alt, Look::of(Role::Muted), STOP + 3, width));
    }
    if Clean::lines(going.text).iter().any(Clean::has_markers) {
        lines.push(
            Line::new().goto(STOP + 3).put("! holds hidden characters, each drawn as its name", Look::of(Role::Warn)),
        );
    }
    let place = format!("{}, round {}", slots.join(", "), going.round);
    lines.extend(paragraph(&Clean::of(place), Look::of(Role::Muted), STOP + 3, width));
    for post in &going.posts {
        if let Some((field, why)) = &post.line.voided {
            let text = Clean::of(format!("! its last approval is void: {field}: {why}"));
            lines.extend(paragraph(&text, Look::of(Role::Warn), STOP + 3, width));
        }
    }
    lines
}

/// Returns when each content goes out: its letter, its round, its slots, its digest.
fn going_out(model: &Model, item: &Item, width: usize) -> Vec<Line> {
    let zone = model.known.zone(item.client());
    let mut lines = Vec::new();
    for going in item.going_out() {
        let slots: Vec<String> = going.posts.iter().map(|post| when::day_clock(post.line.slot, zone)).collect();
        let line = if lines.is_empty() { Line::new().muted("Goes out") } else { Line::new() };
        let digest = going.posts.first().map_or_else(String::new, |post| post.binding.content.0.short());
        let round = format!("round {}", going.round);
        lines.push(
            line.goto(STOP)
                .cell(Clean::drawn(going.letter, 1), Look::bold(Role::of_letter(going.letter)), 3, 1)
                .cell(round, Look::of(Role::Muted), 10, 2)
                .plain(slots.join(", "))
                .right(digest, Look::of(Role::Muted)),
        );
        for post in going.posts {
            if let Some((field, why)) = &post.line.voided {
                let text = Clean::of(format!("! its last approval is void: {field}: {why}"));
                lines.extend(paragraph(&text, Look::of(Role::Warn), STOP + 3, width));
            }
        }
    }
    lines
}

fn findings(item: &Item, width: usize) -> Vec<Line> {
    let (block, warn, info) = (item.count(Severity::Block), item.count(Severity::Warn), item.count(Severity::Info));
    let head = format!("{block} block  {warn} warn  {}", counted(info, "note"));
    let mut lines = vec![Line::new().muted("Findings").goto(STOP).plain(head)];
    for finding in &item.sheet.findings {
        lines.extend(of_finding(finding, width));
    }
    lines
}

fn of_finding(finding: &Finding, width: usize) -> Vec<Line> {
    let (symbol, role): (&'static str, Role) = match finding.severity {
        Severity::Block => ("✗", Role::Danger),
        Severity::Warn => ("!", Role::Warn),
        Severity::Info => ("i", Role::Info),
    };
    let guard = finding.guard.as_str();
    let text = Clean::of(format!("{}: {}", finding.place, finding.why));
    let room = width.saturating_sub(STOP + 3 + guard.len() + 2);
    let mut lines: Vec<Line> = Vec::new();
    for part in text.wrapped(room) {
        let line = Line::new().goto(STOP);
        let first = lines.is_empty();
        let line = if first { line.put(symbol, Look::of(role)) } else { line };
        let line = line.goto(STOP + 3).plain(part);
        lines.push(if first { line.right(guard, Look::of(Role::Muted)) } else { line });
    }
    if finding.severity != Severity::Info {
        let mend = Clean::of(format!("mend: {}", finding.mend));
        lines.extend(paragraph(&mend, Look::of(Role::Muted), STOP + 3, width));
    }
    lines
}

fn days(model: &Model, item: &Item, width: usize) -> Vec<Line> {
    let zone = model.known.zone(item.client());
    let gap = model.known.clients.get(item.client()).map_or(Span::ZERO, |client| client.policy.min_gap);
    let mut lines = crate::morning::view::days(model, item, zone, gap, width.saturating_sub(STOP));
    for (row, line) in lines.iter_mut().enumerate() {
        // The block stands beside its label.
        for piece in &mut line.left {
            piece.at = piece.at.map(|at| at + STOP);
        }
        let label = if row == 0 { Line::new().muted("The days").goto(STOP) } else { Line::new().goto(STOP) };
        let mut left = label.left;
        left.append(&mut line.left);
        line.left = left;
    }
    lines
}

fn bound(model: &Model, item: &Item, width: usize) -> Vec<Line> {
    let (layer, aside) = layer(model, item);
    let mut lines = vec![Line::new().muted("Layer").goto(STOP).plain(layer).muted(aside)];
    let level = &item.sheet.level;
    let reasons = if level.reasons.is_empty() { String::new() } else { format!(": {}", level.reasons.join("; ")) };
    lines.extend(ledger("Level", STOP, &Clean::of(format!("{}{reasons}", level.level)), Look::default(), width));
    if item.sheet.needed > 1 || !item.sheet.words.is_empty() {
        let by = if item.sheet.words.is_empty() { String::new() } else { format!(": {}", item.sheet.words.join(", ")) };
        let words = format!("{} of {} given{by}", item.sheet.words.len(), item.sheet.needed);
        lines.push(Line::new().muted("Words").goto(STOP).put(words, Look::of(Role::Warn)));
    }
    for note in &item.sheet.notes {
        lines.extend(ledger("Note", STOP, &Clean::of(note.clone()), Look::of(Role::Warn), width));
    }
    lines.push(binds(model, item, STOP, width));
    let identities: Vec<String> = item.bindings().identities.into_iter().filter(|id| !id.is_empty()).collect();
    if !identities.is_empty() {
        lines.push(Line::new().goto(STOP).muted(identities.join(", ")));
    }
    lines.push(Line::new().goto(STOP).muted("If any of it changes, the approval is void and comes back here."));
    let undo = key_of(&[Scope::Anywhere], Intent::Undo).map_or_else(String::new, |key| key.to_string());
    lines.push(Line::new().muted("Undo").goto(STOP).key(undo).muted(" for each post until its commit starts"));
    lines
}
