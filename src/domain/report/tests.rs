//! A report says all that is known, nothing that is not, and is the same each time.

use super::*;
use crate::actor::Actor;
use crate::aggregate::fold;
use crate::experiment::{ExperimentCommand, Stage};
use crate::outcome::tests::World;
use crate::review::{Ask, Choice, ConfounderFacts, LastReading, Reviewed};
use crate::role::Role;
use crate::text::Untrusted;

fn reviewed(world: &World) -> Experiment {
    let mut experiment = world.experiment.clone();
    experiment.stage = Stage::Maturing;
    let made = Reviewed::make(&world.facts(), &ConfounderFacts::default(), LastReading::In).unwrap().unwrap();
    let events = experiment.decide(ExperimentCommand::Review(Box::new(made))).unwrap();
    fold(Some(experiment), &events).unwrap()
}

fn report(world: &World, experiment: &Experiment) -> Report {
    Report::of(&ReportFacts { experiment, zone: Zone::UTC, posts: &world.posts, learnings: &[] }).unwrap()
}

#[test]
fn a_report_tells_counts_checks_effects_and_signatures_and_what_it_cannot_tell() {
    let world = World::won();
    let experiment = reviewed(&world);
    let report = report(&world, &experiment);
    assert_eq!(report.reliability, Reliability { due: 10, verified: 10, unverified: 0, failed: 0, missed: 0 });
    let text = report.markdown();
    for part in [
        "# ACM-001 ",
        "B wins. 5 comparable posts each.",
        "| A | 5 | 5 | 5 | 5 |",
        "| not published | ok |",
        "| replies | B | ",
        "| news | not signed | n/a | news or a holiday moved the audience |  |",
        "nothing is decided yet",
        "This says nothing about sales.",
        &report.hash.to_string(),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(report.is_whole() && !Report { next: "ship A".to_owned(), ..report.clone() }.is_whole());
    let written = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&written).unwrap(), report, "the value reads back as it was written");
}

#[test]
fn an_invalid_run_has_no_winner_and_no_order_in_its_report() {
    let mut world = World::won();
    world.lose('A', 2);
    let experiment = reviewed(&world);
    let report = report(&world, &experiment);
    let text = report.markdown();
    assert!(!text.contains("wins") && !text.contains("likely best") && !text.contains("| leads |"), "{text}");
    assert!(text.contains("- winner: n/a") && text.contains("informational only"), "{text}");
    assert_eq!((report.reliability.failed, report.deviations.len()), (2, 2), "{:?}", report.deviations);
    assert!(report.deviations[0].ends_with("failed: refused"), "{:?}", report.deviations);
}

#[test]
fn a_decision_is_told_with_who_and_why_and_hostile_text_is_never_obeyed() {
    let world = World::won();
    let mut experiment = reviewed(&world);
    if let Some(brief) = &mut experiment.brief {
        brief.name = Untrusted::new("a\u{1b}[31m | b <script>\u{202e}`x`");
    }
    let by = Actor::Person { uid: 7, name: "mia".to_owned(), role: Role::Admin };
    let why = "too dear |\n# not a title".to_owned();
    let ask = Ask { choice: Choice::Abandon, why, by, at: world.now, regulated: false, child: None };
    let events = experiment.decide(ExperimentCommand::Decide(Box::new(ask))).unwrap();
    let decided = fold(Some(experiment), &events).unwrap();
    let text = report(&world, &decided).markdown();
    assert!(text.contains("- decision: abandon") && text.contains("mia at "), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains("<script>"), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("# not a title")), "{text}");
    assert!(text.contains("too dear \\|"), "{text}");
    let rows = text.lines().filter(|line| line.starts_with("| news"));
    assert!(rows.count() == 1, "{text}");
}

#[test]
fn what_was_not_reviewed_has_no_report() {
    let world = World::won();
    let facts = ReportFacts { experiment: &world.experiment, zone: Zone::UTC, posts: &world.posts, learnings: &[] };
    assert_eq!(Report::of(&facts).unwrap_err().rule, "report.too-early");
}
