//! From a finished run to a decision: what is listed, who may decide what, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::aggregate::fold;
use crate::experiment::{Experiment, ExperimentCommand, Lineage, Stage};
use crate::id::ExperimentId;
use crate::outcome::tests::World;
use crate::post::PostState;
use crate::refusal::RefusalKind;
use crate::role::Role;
use crate::time::Span;

fn person(role: Role) -> Actor {
    Actor::Person { uid: 7, name: "mia".to_owned(), role }
}

fn do_it(experiment: Experiment, command: ExperimentCommand) -> Result<Experiment, Refusal> {
    let events = experiment.decide(command)?;
    Ok(fold(Some(experiment), &events).unwrap())
}

/// Reviews a run that is over.
fn reviewed(world: &World) -> Experiment {
    let mut experiment = world.experiment.clone();
    experiment.stage = Stage::Maturing;
    let made = Reviewed::make(&world.facts(), &ConfounderFacts::default(), LastReading::In).unwrap().unwrap();
    do_it(experiment, ExperimentCommand::Review(Box::new(made))).unwrap()
}

fn keys(experiment: &Experiment) -> Vec<String> {
    experiment.review.as_ref().unwrap().made.confounders.iter().map(|it| it.key.clone()).collect()
}

fn signature(key: &str, says: Signed, at: UtcTime) -> Signature {
    Signature { key: key.to_owned(), says, note: String::new(), by: person(Role::Operator), at }
}

fn sign_all(experiment: Experiment, says: Signed) -> Experiment {
    let at = experiment.created;
    let all = keys(&experiment).iter().map(|key| signature(key, says, at)).collect();
    do_it(experiment, ExperimentCommand::Sign(all)).unwrap()
}

fn ask(choice: Choice, role: Role) -> Ask {
    let at = UtcTime::from_micros(0);
    Ask { choice, why: "it is better".to_owned(), by: person(role), at, regulated: false, child: None }
}

fn decide(experiment: &Experiment, ask: Ask) -> Result<Experiment, Refusal> {
    do_it(experiment.clone(), ExperimentCommand::Decide(Box::new(ask)))
}

const SHIP: Choice = Choice::Ship { letter: 'B' };

#[test]
fn a_winner_is_shipped_only_after_each_thing_that_could_mislead_is_signed_as_no() {
    let waiting = reviewed(&World::won());
    assert_eq!(waiting.stage, Stage::Reviewing);
    assert_eq!(waiting.review.as_ref().unwrap().outcome().winner, Some('B'));
    let refusal = decide(&waiting, ask(SHIP, Role::Admin)).unwrap_err();
    assert_eq!(refusal.rule, "decision.ship");
    assert!(refusal.why.contains("news: nobody has signed"), "{refusal}");
    assert!(refusal.mend.contains("expos outcome sign ACM-001"), "{refusal}");
    for says in [Signed::Unknown, Signed::Confounds] {
        let mut signed = sign_all(waiting.clone(), Signed::Clear);
        let one = signature("news", says, signed.created);
        signed = do_it(signed, ExperimentCommand::Sign(vec![one])).unwrap();
        assert_eq!(decide(&signed, ask(SHIP, Role::Admin)).unwrap_err().rule, "decision.ship", "{says:?}");
    }
    let clear = sign_all(waiting, Signed::Clear);
    let shipped = decide(&clear, ask(SHIP, Role::Operator)).unwrap();
    assert_eq!(shipped.stage.word(), "completed");
    let decision = shipped.review.as_ref().unwrap().decision.clone().unwrap();
    assert_eq!(decision.contents, [shipped.variants[1].rounds[0].hash()], "what is shipped is named byte for byte");
    assert!(!decision.against);
    assert_eq!(decide(&shipped, ask(Choice::Abandon, Role::Admin)).unwrap_err().kind, RefusalKind::Nothing);
}

#[test]
fn only_the_variant_that_wins_can_be_shipped_and_none_where_none_does() {
    let clear = sign_all(reviewed(&World::won()), Signed::Clear);
    let refusal = decide(&clear, ask(Choice::Ship { letter: 'A' }, Role::Admin)).unwrap_err();
    assert!(refusal.why.contains("names B, not A"), "{refusal}");
    let mut world = World::won();
    world.lose('A', 1);
    let few = sign_all(reviewed(&world), Signed::Clear);
    let refusal = decide(&few, ask(SHIP, Role::Admin)).unwrap_err();
    assert!(refusal.why.contains("not enough posts"), "{refusal}");
    assert!(decide(&few, ask(Choice::Iterate, Role::Operator)).is_ok());
}

#[test]
fn a_reviewer_decides_for_a_regulated_client_and_against_the_recommendation() {
    let clear = sign_all(reviewed(&World::won()), Signed::Clear);
    for (choice, regulated, role, allowed) in [
        (SHIP, false, Role::Operator, true),
        (SHIP, true, Role::Operator, false),
        (SHIP, true, Role::Reviewer, true),
        (Choice::Abandon, false, Role::Operator, false),
        (Choice::Iterate, false, Role::Operator, false),
        (Choice::Abandon, false, Role::Reviewer, true),
        (Choice::Iterate, false, Role::Admin, true),
    ] {
        let decided = decide(&clear, Ask { regulated, ..ask(choice, role) });
        assert_eq!(decided.is_ok(), allowed, "{choice:?} {regulated} {role}: {decided:?}");
        if let Err(refusal) = decided {
            assert_eq!((refusal.kind, refusal.rule.as_str()), (RefusalKind::NotAllowed, "decision.reviewer"));
        }
        let answers = clear.review.as_ref().unwrap().answers(regulated);
        let shown = answers.iter().find(|answer| answer.choice == choice).unwrap();
        assert_eq!(shown.reviewer, regulated || choice != SHIP);
        assert_eq!(shown.refused, None);
    }
}

#[test]
fn what_is_invalid_stays_invalid_and_is_only_cloned_or_abandoned() {
    let mut world = World::won();
    world.lose('A', 2);
    let invalid = reviewed(&world);
    let Stage::Invalid { why } = &invalid.stage else { panic!("{:?}", invalid.stage) };
    assert!(why.contains("A lost 2 of 5") && !why.contains("informational"), "{why}");
    assert!(decide(&invalid, ask(SHIP, Role::Admin)).unwrap_err().mend.contains("it stays invalid"));
    let child = Lineage { id: ExperimentId::new(world.now, [9; 10]), code: "ACM-002".to_owned(), why: why.clone() };
    for choice in [Choice::Iterate, Choice::Abandon] {
        let decided = decide(&invalid, Ask { child: Some(child.clone()), ..ask(choice, Role::Operator) }).unwrap();
        assert_eq!(decided.stage, invalid.stage, "{choice:?}");
        assert_eq!(decided.review.as_ref().unwrap().decision.as_ref().unwrap().child.as_ref(), Some(&child));
        assert!(decide(&decided, ask(Choice::Abandon, Role::Admin)).is_err(), "once");
    }
    let made = invalid.review.as_ref().unwrap().made.clone();
    assert!(do_it(invalid.clone(), ExperimentCommand::Review(Box::new(made))).is_err(), "it is not reviewed again");
    assert!(do_it(invalid, ExperimentCommand::Sign(Vec::new())).is_err(), "there is nothing left to sign");
}

#[test]
fn one_variants_slots_moved_by_five_hours_is_invalid_and_stays_so() {
    let mut world = World::won();
    for at in world.of('B') {
        let post = &mut world.posts[at];
        let by = Span::hours(5);
        post.window.from = post.window.from.plus(by);
        post.window.until = post.window.until.plus(by);
        let id = post.id;
        let PostState::Verified { live, .. } = &mut post.state else { panic!("it is out") };
        live.at = live.at.plus(by);
        for snapshot in world.snapshots.iter_mut().filter(|snapshot| snapshot.post == id) {
            snapshot.captured = snapshot.captured.plus(by);
        }
    }
    let invalid = reviewed(&world);
    assert_eq!(invalid.stage.word(), "invalid", "{:?}", invalid.review.as_ref().unwrap().made.outcome);
    let outcome = invalid.review.as_ref().unwrap().outcome();
    assert_eq!((outcome.winner, outcome.ranking.len()), (None, 0), "whatever its numbers say: {}", outcome.sentence);
    let learned = crate::learning::offered(&invalid).unwrap();
    assert!(learned.contains("the run is invalid"), "what it says about validity is remembered: {learned}");
}

#[test]
fn a_warning_is_no_winner_until_a_person_answers_for_it() {
    let won = reviewed(&World::won()).review.unwrap().made;
    let mut warned = won.clone();
    warned.outcome.comparable = Some(Verdict::Warn);
    (warned.outcome.say, warned.outcome.winner) = (Say::NoCall, None);
    warned.confirmed = Some(won.outcome);
    let mut experiment = World::won().experiment;
    experiment.stage = Stage::Maturing;
    let waiting = do_it(experiment, ExperimentCommand::Review(Box::new(warned))).unwrap();
    assert_eq!(waiting.review.as_ref().unwrap().outcome().winner, None);
    assert!(decide(&waiting, ask(SHIP, Role::Admin)).unwrap_err().mend.contains("expos outcome sign"));
    let unknown = sign_all(waiting.clone(), Signed::Unknown);
    assert_eq!(unknown.review.as_ref().unwrap().outcome().winner, None, "unknown is not no");
    let clear = sign_all(waiting, Signed::Clear);
    assert_eq!(clear.review.as_ref().unwrap().outcome().winner, Some('B'));
    assert!(decide(&clear, ask(SHIP, Role::Operator)).is_ok());
}

#[test]
fn what_happened_around_the_posts_is_listed_with_its_numbers() {
    let mut world = World::won();
    let plain = keys(&reviewed(&world));
    assert!(plain.iter().all(|key| !key.contains('.')), "nothing was seen: {plain:?}");
    let first = world.posts[0].live().unwrap().clone();
    let by_hand = [first.at.plus(Span::minutes(10))];
    world.others.extend(by_hand);
    world.posts[1].altered_to = Some("bafy2".to_owned());
    let gone = PostState::Removed { live: first, at: world.now, evidence: "404".to_owned() };
    world.posts[0].state = gone;
    let pauses = ["the account at 2027-01-01T00:00:00Z".to_owned()];
    let beside = ConfounderFacts { by_hand: &by_hand, pauses: &pauses };
    let made = Reviewed::make(&world.facts(), &beside, LastReading::In).unwrap().unwrap();
    let what = |key: &str| made.confounders.iter().find(|it| it.key == key).map(|it| it.what.clone());
    for (key, part) in [
        ("seen.by-hand", "1 post went out on the account by hand meanwhile; within 2h of one stand 1 of"),
        ("seen.deleted", "deleted after they were out: "),
        ("seen.edited", "something else than was approved"),
        ("seen.pauses", "the account at 2027"),
    ] {
        assert!(what(key).is_some_and(|what| what.contains(part)), "{key}: {:?}", made.confounders);
    }
    assert!(made.confounders.iter().any(|it| it.source == Source::Check), "a warning is listed, too");
    assert_eq!(what("seen.other-posts"), None, "what was by hand is not told twice");
}

#[test]
fn nothing_is_decided_or_signed_before_it_was_reviewed_and_nothing_without_a_reason() {
    let mut running = World::won().experiment;
    running.stage = Stage::Maturing;
    assert_eq!(decide(&running, ask(Choice::Abandon, Role::Admin)).unwrap_err().rule, "decision.too-early");
    let one = signature("news", Signed::Clear, running.created);
    assert_eq!(do_it(running, ExperimentCommand::Sign(vec![one.clone()])).unwrap_err().rule, "review.sign");
    let waiting = reviewed(&World::won());
    let silent = Ask { why: " ".to_owned(), ..ask(Choice::Iterate, Role::Admin) };
    assert_eq!(decide(&waiting, silent).unwrap_err().rule, "decision.why");
    let other = signature("weather", Signed::Clear, waiting.created);
    assert!(do_it(waiting.clone(), ExperimentCommand::Sign(vec![other])).unwrap_err().mend.contains("news"));
    let signed = do_it(waiting, ExperimentCommand::Sign(vec![one.clone()])).unwrap();
    assert_eq!(do_it(signed, ExperimentCommand::Sign(vec![one])).unwrap_err().kind, RefusalKind::Nothing);
}

/// Judged once: what is signed changes nothing of it.
static WON: std::sync::LazyLock<Experiment> = std::sync::LazyLock::new(|| reviewed(&World::won()));

proptest! {
    /// Whatever is signed in whatever order, a winner is shipped exactly where the last word about each item is no.
    #[test]
    fn unknown_is_never_a_no(words in proptest::collection::vec((0_usize..6, 0_u8..3), 0..40)) {
        let mut experiment = WON.clone();
        let keys = keys(&experiment);
        let mut last = std::collections::BTreeMap::new();
        for (place, word) in words {
            let says = [Signed::Clear, Signed::Unknown, Signed::Confounds][usize::from(word)];
            let one = signature(&keys[place], says, experiment.created);
            if let Ok(signed) = do_it(experiment.clone(), ExperimentCommand::Sign(vec![one])) {
                experiment = signed;
            }
            last.insert(place, says);
        }
        let all_no = last.len() == keys.len() && last.values().all(|says| *says == Signed::Clear);
        prop_assert_eq!(decide(&experiment, ask(SHIP, Role::Admin)).is_ok(), all_no);
        prop_assert_eq!(experiment.review.unwrap().open().is_empty(), all_no);
    }
}
