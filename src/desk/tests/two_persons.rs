//! A second pair of eyes: nobody approves their own work, and a regulated client needs two other people.

use domain::agency::HomeKind;
use domain::preflight::Severity;
use domain::refusal::RefusalKind;
use domain::role::Role;

use super::fixture::*;
use crate::Command;

const TUESDAY: &str = "2027-03-02";
const AUTHOR: u32 = 3000;
const RITA: u32 = 3001;
const REX: u32 = 3002;

/// A regulated client with an author and two reviewers.
async fn regulated() -> World {
    let world = World::small(HomeKind::Personal).await;
    let toml = policy("regulated = true\napproval_level = \"manual\"");
    world.act(ADA, Command::PolicyEdit { client: client("alpha"), toml }).await;
    for uid in [AUTHOR, RITA, REX] {
        world.grant(uid, Role::Reviewer, &["alpha"]).await;
    }
    world
}

async fn word(world: &World, uid: u32, code: &str) -> Command {
    Command::Approve { experiment: code.to_owned(), fingerprint: world.sheet(uid, code).await.fingerprint }
}

#[tokio::test]
async fn first_week_06_a_regulated_client_needs_two_others_and_one_person_is_not_two() {
    let world = regulated().await;
    let code = world.submitted(AUTHOR, &BriefText::new("alpha", "rye", TUESDAY)).await;
    assert_eq!(world.sheet(RITA, &code).await.needed, 2);
    let refusal = world.refused(AUTHOR, word(&world, AUTHOR, &code).await).await;
    assert_eq!(refusal.kind, RefusalKind::NotAllowed, "{refusal}");
    let first = world.act(RITA, word(&world, RITA, &code).await).await;
    assert_eq!(first.data["is"], "waiting");
    assert!(world.show(&code).await.posts.iter().all(|p| !p.approved));
    assert_eq!(world.refused(RITA, word(&world, RITA, &code).await).await.kind, RefusalKind::Nothing);
    assert_eq!(world.refused(AUTHOR, word(&world, AUTHOR, &code).await).await.kind, RefusalKind::NotAllowed);
    let second = world.act(REX, word(&world, REX, &code).await).await;
    assert_eq!(second.data["is"], "approved");
    for post in world.posts(&code).await {
        let by: Vec<Option<u32>> = post.approval.unwrap().by.iter().map(|a| a.uid).collect();
        assert_eq!(by, [Some(RITA), Some(REX)]);
    }
}

#[tokio::test]
async fn who_edited_last_may_not_approve_either() {
    let world = regulated().await;
    let code = world.submitted(AUTHOR, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let edit = Command::VariantEdit {
        experiment: code.clone(),
        letter: 'B',
        round: 1,
        facet: domain::variant::Facet::Hook,
        text: "Hear the loaf.".to_owned(),
    };
    world.act(REX, edit).await;
    for uid in [AUTHOR, REX] {
        assert_eq!(world.refused(uid, word(&world, uid, &code).await).await.kind, RefusalKind::NotAllowed);
    }
    world.act(RITA, word(&world, RITA, &code).await).await;
    assert_eq!(world.act(ADA, word(&world, ADA, &code).await).await.data["is"], "approved");
}

#[tokio::test]
async fn a_word_on_another_sheet_starts_again_whoever_gives_it() {
    for next in [RITA, REX] {
        let world = regulated().await;
        let code = world.submitted(AUTHOR, &BriefText::new("alpha", "rye", TUESDAY)).await;
        let seen = word(&world, RITA, &code).await;
        world.act(RITA, seen.clone()).await;
        let toml = policy("regulated = true\napproval_level = \"manual\"\nrepeat_gap = \"80h\"");
        world.act(ADA, Command::PolicyEdit { client: client("alpha"), toml }).await;
        assert_eq!(world.refused(REX, seen).await.kind, RefusalKind::Changed);
        let again = world.act(next, word(&world, next, &code).await).await;
        assert_eq!(again.data["is"], "waiting", "{again:#?}");
        assert_eq!(world.show(&code).await.words, [format!("u{next}")]);
        let last = if next == RITA { REX } else { RITA };
        assert_eq!(world.act(last, word(&world, last, &code).await).await.data["is"], "approved");
    }
}

#[tokio::test]
async fn one_person_alone_is_told_on_each_sheet_and_a_second_person_ends_it_for_good() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let alone = world.sheet(ADA, &code).await;
    assert!(alone.notes.iter().any(|n| n.contains("nobody else looks at your own work")), "{:?}", alone.notes);
    let done = world
        .act(ADA, Command::UserGrant { uid: RITA, name: "rita".to_owned(), role: Role::Viewer, clients: vec![] })
        .await;
    assert!(done.lines.iter().any(|l| l.contains("nobody approves their own work")), "{done:#?}");
    let old = Command::Approve { experiment: code.clone(), fingerprint: alone.fingerprint };
    assert_eq!(world.refused(ADA, old).await.kind, RefusalKind::NotAllowed);
    let now = world.sheet(ADA, &code).await;
    assert!(now.notes.is_empty(), "{:?}", now.notes);
    world.act(ADA, Command::UserRevoke { uid: RITA }).await;
    let refusal = world.refused(ADA, word(&world, ADA, &code).await).await;
    assert_eq!(refusal.kind, RefusalKind::NotAllowed, "it stays in force: {refusal}");
}

#[tokio::test]
async fn a_shared_home_has_the_rule_from_its_first_day() {
    let world = World::small(HomeKind::Shared).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    assert!(world.sheet(ADA, &code).await.notes.is_empty());
    assert_eq!(world.refused(ADA, word(&world, ADA, &code).await).await.kind, RefusalKind::NotAllowed);
}

#[tokio::test]
async fn a_policy_that_allows_private_hosts_says_so_on_each_sheet() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    assert_eq!(world.sheet(ADA, &code).await.notes.len(), 1);
    let toml = policy("allow_private_hosts = true");
    world.act(ADA, Command::PolicyEdit { client: client("alpha"), toml }).await;
    let sheet = world.sheet(ADA, &code).await;
    assert!(sheet.notes.iter().any(|n| n.contains("alpha allows private hosts")), "{:?}", sheet.notes);
    assert!(sheet.findings.iter().all(|f| f.severity != Severity::Block), "{:#?}", sheet.findings);
}
