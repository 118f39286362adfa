//! What was approved goes out as it was approved, or not at all: every change afterwards voids the word and says which
//! field, and an undo that says `stopped` keeps it.

use domain::agency::HomeKind;
use domain::approval::Field;
use domain::id::PostId;
use domain::post::{CommitOutcome, PostCommand, Repeat};
use domain::variant::Facet;

use super::fixture::*;
use crate::Command;

const TUESDAY: &str = "2027-03-02";

/// The answer to an undo of one experiment, by post.
fn answer(done: &crate::Done, post: PostId) -> String {
    let all = done.data["answers"].as_array().unwrap();
    let mine = all.iter().find(|a| a["post"] == post.to_string());
    mine.unwrap_or_else(|| panic!("{done:#?}"))["answer"]["answer"].as_str().unwrap().to_owned()
}

/// Approves four posts, makes one ready, changes something, and sees what became of the word.
async fn change(field: Field, prepared: bool, edit: impl Fn(&str, PostId, &BriefText) -> Command) {
    let world = World::small(HomeKind::Personal).await;
    world.connect("alpha", "alpha-b2").await;
    let brief = BriefText::new("alpha", "rye", TUESDAY);
    let code = world.approved(ADA, &brief).await;
    let post = world.posts(&code).await.into_iter().find(|p| p.letter == 'B').unwrap();
    if prepared {
        world.go_to("2027-03-02T08:40:00Z");
        assert_eq!(world.prepare(post.id, Repeat::Always).await.state.word(), "prepared");
    }
    let command = edit(&code, post.id, &brief);
    let shown = format!("{command:?} {prepared}");
    let done = world.act(ADA, command).await;
    let told = format!("{:?}", done.lines);
    assert!(told.contains("void") && told.contains(field.as_str()), "{shown}: {told}");
    let view = world.post(post.id).await;
    assert!(!view.line.approved && view.approval.is_none(), "{shown}: {view:#?}");
    assert_eq!(view.line.voided.as_ref().map(|(f, _)| *f), Some(field), "{shown}");
    world.go_to(&post.window.from.to_string());
    if world.post(post.id).await.line.state == "planned" {
        let refusal = world.desk.store().write(store::Cause::engine("prepare"), move |tx| {
            Ok(store::follow::post_decide(tx, post.id, PostCommand::BeginPrepare)?.0)
        });
        assert!(refusal.await.is_err(), "{shown}");
    }
    let refusal = world.try_commit(post.id).await.unwrap_err();
    assert!(refusal.rule.starts_with("commit."), "{shown}: {refusal}");
}

async fn change_both(field: Field, edit: impl Fn(&str, PostId, &BriefText) -> Command + Copy) {
    change(field, false, edit).await;
    change(field, true, edit).await;
}

#[tokio::test]
async fn one_letter_changed_voids_the_word_for_content() {
    change_both(Field::Content, |code, _, brief| Command::VariantEdit {
        experiment: code.to_owned(),
        letter: 'b',
        round: 1,
        facet: Facet::Hook,
        text: brief.hook_b.replace("morning", "Morning"),
    })
    .await;
    // The other round's post is another text, and each has its own word.
    change_both(Field::Content, |code, _, brief| {
        let captions = brief.captions.iter().map(|c| c.replace('b', "B")).collect();
        Command::BriefEdit { experiment: code.to_owned(), toml: BriefText { captions, ..brief.clone() }.toml() }
    })
    .await;
}

#[tokio::test]
async fn a_moved_slot_voids_the_word_for_slot() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let slots: Vec<_> = world.posts(&code).await.into_iter().map(|p| (p.id, p.window.from)).collect();
    drop(world);
    assert_eq!(slots.len(), 4);
    for prepared in [false, true] {
        let world = World::small(HomeKind::Personal).await;
        let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
        let post = world.posts(&code).await.remove(0);
        if prepared {
            world.go_to("2027-03-02T08:40:00Z");
            world.prepare(post.id, Repeat::Always).await;
        }
        let to = post.window.from.plus(domain::time::Span::minutes(3));
        let done = world.act(ADA, Command::PostMove { post: post.id, to }).await;
        assert!(done.lines.iter().any(|l| l.contains("void: slot")), "{done:#?}");
        assert_eq!(world.post(post.id).await.line.voided.unwrap().0, Field::Slot);
        world.go_to(&to.to_string());
        assert!(world.try_commit(post.id).await.is_err());
        world.approve(ADA, &code).await;
        if prepared {
            // A handle bears the slot it was made for: the post was made ready again.
            world.prepare(post.id, Repeat::Always).await;
            world.commit(post.id).await;
        }
    }
}

#[tokio::test]
async fn another_account_or_lane_voids_the_word_and_says_so() {
    change_both(Field::Account, |code, _, brief| {
        let other = BriefText { account: "alpha-b2".to_owned(), ..brief.clone() };
        Command::BriefEdit { experiment: code.to_owned(), toml: other.toml() }
    })
    .await;
    change_both(Field::Lane, |code, _, brief| {
        let other = BriefText { lane: "hybrid".to_owned(), ..brief.clone() };
        Command::BriefEdit { experiment: code.to_owned(), toml: other.toml() }
    })
    .await;
}

#[tokio::test]
async fn another_policy_or_kit_voids_the_word_for_policy() {
    change_both(Field::Policy, |_, _, _| Command::PolicyEdit {
        client: client("alpha"),
        toml: policy("repeat_gap = \"80h\""),
    })
    .await;
    change_both(Field::Policy, |_, _, _| Command::ClientEdit {
        client: client("alpha"),
        toml: "name = \"The alpha\"\nzone = \"UTC\"\n[kit]\nvoice = \"warm\"\n".to_owned(),
    })
    .await;
}

#[tokio::test]
async fn rounds_taken_from_a_brief_leave_no_word_for_what_is_gone() {
    change_both(Field::Slot, |code, _, brief| {
        let fewer = BriefText { captions: brief.captions[..1].to_vec(), ..brief.clone() };
        Command::BriefEdit { experiment: code.to_owned(), toml: fewer.toml() }
    })
    .await;
}

#[tokio::test]
async fn a_brief_edited_beside_its_texts_waits_for_a_word_and_can_get_it() {
    let world = World::small(HomeKind::Personal).await;
    let brief = BriefText::new("alpha", "rye", TUESDAY);
    let code = world.approved(ADA, &brief).await;
    let other = BriefText { hypothesis: "A hook that asks lowers replies, because people tire.".to_owned(), ..brief };
    world.act(ADA, Command::BriefEdit { experiment: code.clone(), toml: other.toml() }).await;
    assert_eq!(world.show(&code).await.line.stage.word(), "awaiting approval");
    let before = world.sheet(ADA, &code).await;
    assert_eq!(before.posts.len(), 4, "a word covers everything that is unsent");
    world.approve(ADA, &code).await;
    assert_eq!(world.show(&code).await.line.stage.word(), "scheduled");
    let post = world.posts(&code).await.remove(0).id;
    world.go_to("2027-03-02T09:00:00Z");
    world.prepare(post, Repeat::Always).await;
    world.commit(post).await;
}

#[tokio::test]
async fn undo_a_second_before_the_slot_says_stopped_and_nothing_goes_out_after() {
    for prepared in [false, true] {
        let world = World::small(HomeKind::Personal).await;
        let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
        let post = world.posts(&code).await.remove(0);
        world.go_to("2027-03-02T08:50:00Z");
        if prepared {
            world.prepare(post.id, Repeat::Always).await;
        }
        world.go_to("2027-03-02T08:59:59Z");
        let done = world.act(ADA, Command::Undo { experiment: code.clone(), post: None }).await;
        for post in world.posts(&code).await {
            assert_eq!(answer(&done, post.id), "stopped");
        }
        for moment in ["2027-03-02T09:00:00Z", "2027-03-02T09:00:01Z", "2027-03-02T09:20:00Z"] {
            world.go_to(moment);
            assert!(world.try_commit(post.id).await.is_err(), "{moment}");
        }
        assert!(world.post(post.id).await.attempts.is_empty());
    }
}

#[tokio::test]
async fn undo_during_an_attempt_says_too_late_and_there_is_no_other_attempt() {
    let not_sent = || CommitOutcome::NotSent { why: "the line was shut".to_owned() };
    let refused = |again| CommitOutcome::Refused { why: "ExpiredToken".to_owned(), again };
    for (outcome, state) in [(not_sent(), "prepared"), (refused(true), "prepared"), (refused(false), "failed")] {
        let world = World::small(HomeKind::Personal).await;
        let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
        let post = world.posts(&code).await.remove(0).id;
        world.go_to("2027-03-02T09:00:00Z");
        world.prepare(post, Repeat::Always).await;
        world.commit(post).await;
        let done = world.act(ADA, Command::Undo { experiment: code.clone(), post: Some(post) }).await;
        assert_eq!(answer(&done, post), "too_late");
        assert_eq!(world.end(post, outcome).await.state.word(), state);
        assert!(world.try_commit(post).await.is_err());
        let view = world.post(post).await;
        assert!(!view.line.approved && view.attempts.len() == 1, "{view:#?}");
    }
}

#[tokio::test]
async fn a_pause_during_an_attempt_leaves_no_other_attempt_either() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let post = world.posts(&code).await.remove(0).id;
    world.go_to("2027-03-02T09:00:00Z");
    world.prepare(post, Repeat::Always).await;
    world.commit(post).await;
    let target = crate::Stoppable::Experiment(code);
    world.act(ADA, Command::Pause { target, reason: "wait".to_owned() }).await;
    world.end(post, CommitOutcome::NotSent { why: "the line was shut".to_owned() }).await;
    assert_eq!(world.try_commit(post).await.unwrap_err().rule, "commit.held");
}

#[tokio::test]
async fn one_post_taken_back_does_not_bar_the_way_of_the_others_for_good() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let posts = world.posts(&code).await;
    world.act(ADA, Command::PostCancel { post: posts[0].id, reason: "not today".to_owned() }).await;
    world.act(ADA, Command::Undo { experiment: code.clone(), post: Some(posts[1].id) }).await;
    world.act(ADA, Command::PostCancel { post: posts[1].id, reason: "nor that".to_owned() }).await;
    world.approve(ADA, &code).await;
    world.go_to(&posts[2].window.from.to_string());
    world.prepare(posts[2].id, Repeat::Always).await;
    world.commit(posts[2].id).await;
}

#[tokio::test]
async fn an_edited_text_stands_in_the_brief_as_well() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.brief(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let edit = |facet, round, text: &str| Command::VariantEdit {
        experiment: code.clone(),
        letter: 'B',
        round,
        facet,
        text: text.to_owned(),
    };
    for command in [
        edit(Facet::Hook, 2, "Hear the loaf."),
        edit(Facet::Caption, 1, "A shorter caption, for both."),
        edit(Facet::Cta, 1, "Come by."),
        edit(Facet::Cta, 1, ""),
    ] {
        world.act(ADA, command).await;
        let toml = world.show(&code).await.brief.unwrap();
        let again = world.refused(ADA, Command::BriefEdit { experiment: code.clone(), toml: toml.clone() }).await;
        assert_eq!(again.kind, domain::refusal::RefusalKind::Nothing, "{again}\n{toml}");
    }
    // The hook of both rounds stands at one place of the brief: it cannot be taken from one of them alone.
    assert_eq!(world.refused(ADA, edit(Facet::Hook, 1, "")).await.rule, "variant.text");
}
