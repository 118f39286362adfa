//! From a brief to an approval and back: guards look again at each step, and every number is used once.

use domain::agency::HomeKind;
use domain::hold::{HoldCause, HoldKey};
use domain::preflight::Severity;
use domain::refusal::RefusalKind;
use domain::role::Role;

use super::fixture::*;
use crate::{Command, Stoppable, Verdict};

const TUESDAY: &str = "2027-03-02";

fn ban(word: &str) -> Command {
    let toml = format!("name = \"The alpha\"\nzone = \"UTC\"\n[kit]\nbanned = [\"{word}\"]\n");
    Command::ClientEdit { client: client("alpha"), toml }
}

#[tokio::test]
async fn a_brief_goes_the_whole_way_to_its_approval() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let view = world.show(&code).await;
    assert_eq!((view.line.stage.word(), view.line.status.as_str()), ("scheduled", "running"));
    assert_eq!(view.posts.iter().filter(|p| p.approved).count(), 4, "{view:#?}");
}

#[tokio::test]
async fn whoever_comes_second_is_told_who_approved_it() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let fingerprint = world.sheet(ADA, &code).await.fingerprint;
    world.approve(ADA, &code).await;
    let late = world.refused(ADA, Command::Approve { experiment: code, fingerprint }).await;
    assert_eq!(late.kind, RefusalKind::Changed);
    assert!(late.why.starts_with("ada approved it already, at "), "{}", late.why);
}

#[tokio::test]
async fn a_stale_word_for_a_post_that_waits_again_is_told_as_stale() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let post = world.posts(&code).await.last().unwrap().clone();
    let to = post.window.from.plus(domain::time::Span::minutes(5));
    world.act(ADA, Command::PostMove { post: post.id, to }).await;
    let view = world.show(&code).await;
    assert_eq!(view.posts.iter().filter(|p| !p.approved).count(), 1, "one post waits for a word again: {view:#?}");
    let stale = Command::Approve { experiment: code.clone(), fingerprint: "0123456789abcdef".to_owned() };
    let refusal = world.refused(ADA, stale).await;
    assert!(refusal.why.contains("is not what that fingerprint"), "{}", refusal.why);
    world.approve(ADA, &code).await;
}

#[tokio::test]
async fn what_a_guard_blocks_is_neither_submitted_nor_approved() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let before = world.sheet(ADA, &code).await;
    world.act(ADA, ban("crumb")).await;
    let old = Command::Approve { experiment: code.clone(), fingerprint: before.fingerprint };
    assert_eq!(world.refused(ADA, old).await.kind, RefusalKind::Changed);
    let now = world.sheet(ADA, &code).await;
    assert!(now.findings.iter().any(|f| f.severity == Severity::Block && f.why.contains("crumb")), "{now:#?}");
    let refusal = world.refused(ADA, Command::Approve { experiment: code.clone(), fingerprint: now.fingerprint }).await;
    assert_eq!(refusal.rule, "experiment.blocked");
    let wheat = world.brief(ADA, &BriefText::new("alpha", "wheat", "2027-03-03")).await;
    let refusal = world.refused(ADA, Command::Submit { experiment: wheat.clone() }).await;
    assert_eq!(
        (refusal.rule.as_str(), world.show(&wheat).await.line.stage.word()),
        ("experiment.blocked", "preflight")
    );
    assert!(world.posts(&wheat).await.is_empty());
}

#[tokio::test]
async fn the_guards_look_again_when_a_person_approves() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    assert!(world.stored(&code).await.findings.iter().all(|f| !f.rule.contains("too-soon")));
    // A minute before the first slot: too late to make ready at ease, which no look before could know.
    world.go_to("2027-03-02T08:59:00Z");
    world.approve(ADA, &code).await;
    let stored = world.stored(&code).await;
    assert!(stored.findings.iter().any(|f| f.rule == "budget.too-soon"), "{:#?}", stored.findings);
}

#[tokio::test]
async fn going_on_needs_a_reason_and_clean_guards_and_after_a_breach_a_reviewer() {
    let world = World::small(HomeKind::Personal).await;
    world.grant(2001, Role::Operator, &["alpha"]).await;
    let code = world.submitted(2001, &BriefText::new("alpha", "rye", TUESDAY)).await;
    world.approve(ADA, &code).await;
    let target = || Stoppable::Experiment(code.clone());
    let resume = |reason: &str, holds: &[HoldKey]| Command::Resume {
        target: target(),
        reason: reason.to_owned(),
        holds: holds.to_vec(),
    };
    assert_eq!(world.refused(2001, resume("it is fine", &[])).await.kind, RefusalKind::Nothing);
    let held = world.act(2001, Command::Pause { target: target(), reason: "wait".to_owned() }).await;
    let seen = [HoldKey::new(held.data["hold"].as_str().unwrap())];
    assert_eq!(world.refused(2001, resume("it is fine", &[])).await.rule, "hold.unnamed");
    assert_eq!(world.show(&code).await.line.status, "paused");
    assert_eq!(world.refused(2001, resume("  ", &seen)).await.rule, "hold.reason");
    world.act(ADA, ban("crumb")).await;
    assert_eq!(world.refused(2001, resume("it is fine", &seen)).await.rule, "experiment.blocked");
    world.act(ADA, ban("gluten")).await;
    world.act(2001, resume("it is fine", &seen)).await;
    assert!(world.show(&code).await.holds.is_empty());
    world.hold_account("alpha-bs", HoldCause::Breach).await;
    let breach = world.account("alpha-bs").await.holds.keys();
    let target = Stoppable::Account(account("alpha-bs"));
    let resume = Command::Resume { target, reason: "we looked".to_owned(), holds: breach };
    assert_eq!(world.refused(2001, resume.clone()).await.kind, RefusalKind::NotAllowed);
    world.act(ADA, resume).await;
}

#[tokio::test]
async fn a_pause_tells_which_posts_are_in_doubt() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let posts = world.posts(&code).await;
    world.go_to("2027-03-02T09:00:00Z");
    world.leave_in_doubt(posts[0].id).await;
    for target in [
        Stoppable::Agency,
        Stoppable::Client(client("alpha")),
        Stoppable::Account(account("alpha-bs")),
        Stoppable::Experiment(code.clone()),
    ] {
        let done = world.act(ADA, Command::Pause { target, reason: "wait".to_owned() }).await;
        assert_eq!(done.data["in_doubt"], serde_json::json!([posts[0].what()]), "{done:#?}");
        assert!(done.lines.iter().any(|line| line.contains(&posts[0].id.to_string())));
    }
    world.client("beta").await;
    let done =
        world.act(ADA, Command::Pause { target: Stoppable::Client(client("beta")), reason: "x".to_owned() }).await;
    assert_eq!(done.data["in_doubt"], serde_json::json!([]));
}

#[tokio::test]
async fn what_is_sent_back_can_be_edited_and_approved_and_no_slot_number_is_used_twice() {
    let world = World::small(HomeKind::Personal).await;
    let brief = BriefText::new("alpha", "rye", TUESDAY);
    let code = world.submitted(ADA, &brief).await;
    let reject = |reason: &str| Command::Reject { experiment: code.clone(), reason: reason.to_owned() };
    assert_eq!(world.refused(ADA, reject(" ")).await.rule, "experiment.reason");
    world.act(ADA, reject("off brand")).await;
    assert_eq!(world.show(&code).await.line.stage.word(), "preflight");
    assert!(world.posts(&code).await.iter().all(|p| p.state.word() == "cancelled"));
    let better = BriefText { hook_b: "Hear the loaf.".to_owned(), ..brief };
    world.act(ADA, Command::BriefEdit { experiment: code.clone(), toml: better.toml() }).await;
    world.act(ADA, Command::Submit { experiment: code.clone() }).await;
    world.approve(ADA, &code).await;
    let posts = world.posts(&code).await;
    assert_eq!(posts.iter().map(|p| p.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8]);
    let live: Vec<u32> = posts.iter().filter(|p| p.approval.is_some()).map(|p| p.number).collect();
    assert_eq!(live, [5, 6, 7, 8]);
}

#[tokio::test]
async fn a_post_that_a_person_swore_is_not_live_can_be_approved_again() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let post = world.posts(&code).await[0].id;
    world.go_to("2027-03-02T09:00:00Z");
    world.leave_in_doubt(post).await;
    let swear = || Command::PostConfirm { post, verdict: Verdict::NotLive };
    assert_eq!(world.refused(ADA, swear()).await.rule, "post.quarantine");
    world.go_to("2027-03-02T09:15:00Z");
    world.act(ADA, swear()).await;
    assert!(!world.post(post).await.line.approved);
    world.approve(ADA, &code).await;
    let view = world.show(&code).await;
    assert_eq!(view.line.stage.word(), "scheduled");
    assert!(view.posts.iter().all(|p| p.approved), "{view:#?}");
}

#[tokio::test]
async fn while_a_post_may_be_out_its_experiment_is_neither_sent_back_nor_planned_anew() {
    let world = World::small(HomeKind::Personal).await;
    let brief = BriefText::new("alpha", "rye", TUESDAY);
    let code = world.approved(ADA, &brief).await;
    let post = world.posts(&code).await[0].id;
    world.go_to("2027-03-02T09:00:00Z");
    world.leave_in_doubt(post).await;
    world.act(ADA, Command::Undo { experiment: code.clone(), post: None }).await;
    let reject = Command::Reject { experiment: code.clone(), reason: "off brand".to_owned() };
    assert_eq!(world.refused(ADA, reject).await.rule, "experiment.in-doubt");
    let later = BriefText { hours: ["13:00", "14:00", "15:00", "16:00"].map(str::to_owned), ..brief };
    let edit = Command::BriefEdit { experiment: code.clone(), toml: later.toml() };
    assert_eq!(world.refused(ADA, edit).await.rule, "experiment.in-doubt");
    assert_eq!(world.post(post).await.line.state, "unconfirmed");
}

#[tokio::test]
async fn two_clients_whose_codes_would_be_the_same_are_told_apart_at_the_door() {
    let world = World::small(HomeKind::Personal).await;
    let new = |name: &str| Command::ClientNew { client: client(name), name: "N".to_owned(), zone: "UTC".to_owned() };
    assert_eq!(world.refused(ADA, new("al-pha")).await.rule, "client.code");
    world.act(ADA, new("al-phabet")).await;
}
