//! What is remembered never says more than what was found.

use proptest::prelude::*;

use super::*;
use crate::aggregate::fold;
use crate::experiment::{ExperimentCommand, Stage};
use crate::outcome::tests::World;
use crate::review::{ConfounderFacts, LastReading, Reviewed};
use crate::role::Role;

fn mia() -> Actor {
    Actor::Person { uid: 7, name: "mia".to_owned(), role: Role::Operator }
}

fn reviewed(world: &World) -> Experiment {
    let mut experiment = world.experiment.clone();
    experiment.stage = Stage::Maturing;
    let made = Reviewed::make(&world.facts(), &ConfounderFacts::default(), LastReading::In).unwrap().unwrap();
    let events = experiment.decide(ExperimentCommand::Review(Box::new(made))).unwrap();
    fold(Some(experiment), &events).unwrap()
}

fn given(sentence: Option<&str>) -> Given {
    let at = UtcTime::from_micros(0);
    Given {
        id: LearningId::new(at, [3; 10]),
        sentence: sentence.map(str::to_owned),
        decided: Choice::Abandon,
        by: mia(),
        at,
    }
}

#[test]
fn a_winner_is_remembered_with_what_it_showed_and_what_to_expect() {
    let learning = Learning::of(&reviewed(&World::won()), given(None)).unwrap();
    assert!(
        learning
            .sentence
            .starts_with("acme, bluesky_post, hook: B “Hook of B” against A “Hook of A”: B “Hook of B” wins on"),
        "{}",
        learning.sentence
    );
    assert!(learning.sentence.contains("Expect about +"), "{}", learning.sentence);
    assert_eq!((learning.say, learning.posts, learning.offered.clone()), (Say::Winner, 10, None));
    assert_eq!(learning.strength, Some(Strength::VeryLikely));
    for word in ["ACM-001", "Hook of B", "bluesky_post", "winner"] {
        assert!(learning.words().contains(word), "{word}");
    }
    assert!(learning.holds_at(learning.at) && !learning.holds_at(learning.expires));
}

#[test]
fn what_taught_nothing_is_remembered_too_and_names_no_winner() {
    let mut invalid = World::won();
    invalid.lose('A', 2);
    let mut few = World::won();
    few.lose('A', 1);
    for (world, part) in [(&invalid, "the run is invalid"), (&few, "not enough posts")] {
        let learning = Learning::of(&reviewed(world), given(None)).unwrap();
        assert!(learning.sentence.contains(part), "{}", learning.sentence);
        assert!(check(&learning.sentence, reviewed(world).review.unwrap().outcome()).is_ok(), "{}", learning.sentence);
        for claim in ["B wins", "B is the winner", "A beats B", "B won by far"] {
            let refusal = Learning::of(&reviewed(world), given(Some(claim))).unwrap_err();
            assert_eq!(refusal.rule, "learning.sentence", "{claim}");
        }
        assert!(Learning::of(&reviewed(world), given(Some("Beatswork is known for wonder."))).is_ok(), "whole words");
    }
}

#[test]
fn a_sentence_of_a_person_is_one_line_and_says_no_more_than_our_numbers_can() {
    let won = reviewed(&World::won());
    let learning = Learning::of(&won, given(Some("  Questions\nwin   replies. "))).unwrap();
    assert_eq!(learning.sentence, "Questions win replies.");
    assert!(learning.offered.is_some_and(|offered| offered.contains("wins on")), "what was offered is kept beside it");
    for bad in ["", " \n", "B is significantly better", "with confidence 95 %", "there is no difference"] {
        assert!(Learning::of(&won, given(Some(bad))).is_err(), "{bad}");
    }
    assert!(Learning::of(&won, given(Some(&"x".repeat(SENTENCE_MAX + 1)))).is_err());
    assert!(Learning::of(&won, given(Some("No difference seen in reposts."))).is_ok());
}

#[test]
fn a_retracted_learning_says_who_and_why_and_is_retracted_once() {
    let learning = Learning::of(&reviewed(&World::won()), given(None)).unwrap();
    let no = |reason: &str| Retraction { by: mia(), at: UtcTime::from_micros(1), reason: reason.to_owned() };
    assert_eq!(learning.retract(no(" ")).unwrap_err().rule, "learning.reason");
    let events = learning.retract(no("the network changed")).unwrap();
    let gone = fold(Some(learning), &events).unwrap();
    assert!(!gone.holds_at(gone.at));
    assert_eq!(gone.retracted.as_ref().unwrap().reason, "the network changed");
    assert!(gone.retract(no("again")).is_err());
}

/// Judged once: what is written of it changes nothing.
static FEW: std::sync::LazyLock<Experiment> = std::sync::LazyLock::new(|| {
    let mut world = World::won();
    world.lose('A', 1);
    reviewed(&world)
});

proptest! {
    #[test]
    fn any_sentence_is_taken_as_one_short_line_or_refused(text in "\\PC{0,600}") {
        if let Ok(line) = check(&text, FEW.review.as_ref().unwrap().outcome()) {
            prop_assert!(line.chars().count() <= SENTENCE_MAX && !line.contains('\n') && line.trim() == line);
            let lower = line.to_lowercase();
            prop_assert!(!lower.split(|c: char| !c.is_alphanumeric()).any(|word| word == "wins" || word == "winner"));
        }
    }
}
