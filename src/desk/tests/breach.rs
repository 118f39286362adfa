//! A breach stops the account everywhere at once, tells a person, and lets go only of what a person saw.

use domain::account::Account;
use domain::agency::HomeKind;
use domain::escalation::{Escalation, Subject, Urgency};
use domain::guardrail::{Alarm, Signal};
use domain::hold::{HoldCause, HoldKey};
use domain::post::{CommitOutcome, Repeat};
use domain::refusal::RefusalKind;
use domain::role::Role;
use domain::time::Span;

use super::fixture::*;
use crate::{Answer, Command, Query, Stoppable};

const TUESDAY: &str = "2027-03-02";
const WEDNESDAY: &str = "2027-03-03";
const OLEG: u32 = 2001;
const RITA: u32 = 2002;

/// Two experiments on one account, of an operator, with a reviewer and a sibling account beside them.
async fn agency() -> (World, [String; 2]) {
    let world = World::small(HomeKind::Personal).await;
    world.connect("alpha", "alpha-b2").await;
    world.client("beta").await;
    world.grant(OLEG, Role::Operator, &["alpha"]).await;
    world.grant(RITA, Role::Reviewer, &["alpha"]).await;
    let mut codes = Vec::new();
    for (name, day) in [("rye", TUESDAY), ("oats", WEDNESDAY)] {
        let code = world.submitted(OLEG, &BriefText::new("alpha", name, day)).await;
        world.approve(RITA, &code).await;
        codes.push(code);
    }
    (world, codes.try_into().unwrap())
}

fn label(world: &World, mark: &str) -> Alarm {
    Alarm::new(Signal::PlatformWarning, "label !warn by did:web:mod", world.now()).marked(mark)
}

async fn ring(world: &World, alarm: Alarm) -> bool {
    let id = account("alpha-bs");
    world.engine(move |tx| store::breach::alarm(tx, &id, &alarm)).await
}

async fn escalations(world: &World) -> Vec<Escalation> {
    let Answer::Escalations(open) = world.ask(ADA, Query::EscalationList { all: false }).await else { panic!() };
    open
}

fn resume(target: Stoppable, holds: Vec<HoldKey>) -> Command {
    Command::Resume { target, reason: "the notice was withdrawn".to_owned(), holds }
}

fn the_account() -> Stoppable {
    Stoppable::Account(account("alpha-bs"))
}

#[tokio::test]
async fn a_warning_parks_every_unsent_post_of_the_account_in_all_experiments() {
    let (world, codes) = agency().await;
    assert!(ring(&world, label(&world, "one")).await);
    for (code, slot) in codes.iter().zip(["2027-03-02T09:00:00Z", "2027-03-03T09:00:00Z"]) {
        let post = world.posts(code).await[0].id;
        world.prepare(post, Repeat::Always).await;
        world.go_to(slot);
        let refusal = world.try_commit(post).await.unwrap_err();
        assert!(refusal.why.contains("account alpha-bs is on hold"), "{refusal}");
        assert_eq!(world.stored(code).await.holds.list()[0].cause, HoldCause::Breach, "any breach stops it");
        assert_eq!(world.show(code).await.line.status, "paused");
    }
}

#[tokio::test]
async fn siblings_of_the_client_are_watched_and_not_stopped_and_other_clients_hear_nothing() {
    let (world, _) = agency().await;
    ring(&world, label(&world, "one")).await;
    let sibling: Account = world.account("alpha-b2").await;
    assert!(sibling.holds.is_free());
    assert_eq!(sibling.watched.len(), 1);
    assert_eq!(sibling.watched[0].of, account("alpha-bs"));
    assert!(sibling.watched[0].why.contains("!warn"));
    assert!(world.account("beta-bs").await.watched.is_empty());
    let keys = world.account("alpha-bs").await.holds.keys();
    world.act(RITA, resume(the_account(), keys)).await;
    assert!(world.account("alpha-b2").await.watched.is_empty(), "it goes on, so nothing is watched because of it");
}

#[tokio::test]
async fn a_person_gets_one_escalation_with_owner_due_time_evidence_and_answers() {
    let (world, codes) = agency().await;
    ring(&world, label(&world, "one")).await;
    let open = escalations(&world).await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let first = &open[0];
    assert_eq!((first.rule.as_str(), first.urgency), ("account.platform-warning", Urgency::Critical));
    assert_eq!(first.subject, Subject::Account { account: account("alpha-bs") });
    assert_eq!(first.owner.as_deref(), Some("u2002"), "the reviewer: who wrote it may not let it go on");
    assert_eq!(first.due, world.now().plus(Span::minutes(30)));
    let evidence = first.evidence.join("\n");
    for word in ["label !warn", "8 unsent posts are parked", &codes[0], &codes[1], "watched, and not stopped: alpha-b2"]
    {
        assert!(evidence.contains(word), "{word}: {evidence}");
    }
    let answers = first.answers.join("\n");
    for word in ["stay stopped", "expos account resume alpha-bs --reason TEXT", "expos experiment stop"] {
        assert!(answers.contains(word), "{word}: {answers}");
    }
    // More of the same is evidence, and no second alarm; the same again is nothing.
    assert!(ring(&world, label(&world, "two")).await);
    assert!(!ring(&world, label(&world, "two")).await);
    let open = escalations(&world).await;
    assert_eq!((open.len(), open[0].evidence.len()), (1, first.evidence.len() + 1));
    assert_eq!(world.account("alpha-bs").await.holds.list().len(), 1);
}

#[tokio::test]
async fn a_takedown_and_the_login_that_it_costs_are_one_thing_to_settle() {
    let (world, _) = agency().await;
    ring(&world, Alarm::new(Signal::AccountRestricted, "AccountTakedown", world.now())).await;
    world.lose_login("alpha").await;
    let open = escalations(&world).await;
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!(open[0].rule, "account.account-restricted");
    assert!(open[0].evidence.iter().any(|line| line.contains("the session ended")), "{open:#?}");
    assert!(open[0].answers.iter().any(|line| line.contains("expos account connect bluesky")));
}

#[tokio::test]
async fn only_the_holds_that_a_person_saw_end_and_what_came_meanwhile_is_told() {
    let (world, _) = agency().await;
    ring(&world, label(&world, "one")).await;
    let seen = world.account("alpha-bs").await.holds.keys();
    ring(&world, Alarm::new(Signal::Spam, "called spam", world.now())).await;
    let done = world.act(RITA, resume(the_account(), seen.clone())).await;
    assert!(
        done.lines.join("\n").contains("still stops it") && done.lines.join("\n").contains("called spam"),
        "{done:?}"
    );
    let left = world.account("alpha-bs").await;
    assert_eq!(left.holds.list().iter().map(|h| h.signal).collect::<Vec<_>>(), [Some(Signal::Spam)]);
    let rules: Vec<String> = escalations(&world).await.into_iter().map(|e| e.rule).collect();
    assert_eq!(rules, ["account.spam"], "what was ended is settled, the other is open");
    assert_eq!(world.account("alpha-b2").await.watched.len(), 1, "it is still stopped");
    let refusal = world.refused(RITA, resume(the_account(), seen)).await;
    assert_eq!(refusal.kind, RefusalKind::Changed, "{refusal}");
    assert!(refusal.why.contains("called spam"), "{refusal}");
}

#[tokio::test]
async fn going_on_after_a_breach_needs_the_role_a_reason_and_guards_that_find_nothing() {
    let (world, codes) = agency().await;
    ring(&world, label(&world, "one")).await;
    let keys = world.account("alpha-bs").await.holds.keys();
    assert_eq!(world.refused(OLEG, resume(the_account(), keys.clone())).await.kind, RefusalKind::NotAllowed);
    let silent = Command::Resume { target: the_account(), reason: " ".to_owned(), holds: keys.clone() };
    assert_eq!(world.refused(RITA, silent).await.rule, "hold.reason");
    // The experiments go on first, each by itself; the account is what still stops them.
    for code in &codes {
        let holds = world.stored(code).await.holds.keys();
        let target = || Stoppable::Experiment(code.clone());
        assert_eq!(world.refused(OLEG, resume(target(), holds.clone())).await.kind, RefusalKind::NotAllowed);
        world.act(RITA, resume(target(), holds)).await;
    }
    let ban = |word: &str| Command::ClientEdit {
        client: client("alpha"),
        toml: format!("name = \"The alpha\"\nzone = \"UTC\"\n[kit]\nbanned = [\"{word}\"]\n"),
    };
    world.act(ADA, ban("crumb")).await;
    let refusal = world.refused(RITA, resume(the_account(), keys.clone())).await;
    assert_eq!(refusal.rule, "experiment.blocked", "{refusal}");
    assert!(!world.account("alpha-bs").await.holds.is_free(), "nothing was ended");
    world.act(ADA, ban("gluten")).await;
    world.act(RITA, resume(the_account(), keys)).await;
    assert!(world.account("alpha-bs").await.holds.is_free());
}

#[tokio::test]
async fn a_label_that_a_person_settled_does_not_stop_the_account_again_by_standing_there() {
    let (world, _) = agency().await;
    ring(&world, label(&world, "one")).await;
    let keys = world.account("alpha-bs").await.holds.keys();
    world.act(RITA, resume(the_account(), keys)).await;
    assert!(!ring(&world, label(&world, "one")).await);
    assert!(world.account("alpha-bs").await.holds.is_free());
    assert!(ring(&world, label(&world, "another")).await);
}

/// Sends a post of an experiment at its slot, and lets the platform refuse it for good.
async fn refuse(world: &World, code: &str, place: usize) {
    let post = world.posts(code).await[place].clone();
    if post.window.from > world.now() {
        world.go_to(&post.window.from.to_string());
    }
    world.prepare(post.id, Repeat::Always).await;
    world.commit(post.id).await;
    let outcome = CommitOutcome::Refused { why: "InvalidRequest".to_owned(), again: false };
    assert_eq!(world.end(post.id, outcome).await.state.word(), "failed");
}

#[tokio::test]
async fn a_brief_limit_of_two_failures_pauses_the_account_at_the_second_and_begins_anew_after_a_resume() {
    let (world, [rye, oats]) = agency().await;
    refuse(&world, &rye, 0).await;
    assert!(world.account("alpha-bs").await.holds.is_free(), "one failure is not two");
    refuse(&world, &rye, 1).await;
    let stopped = world.account("alpha-bs").await;
    assert_eq!(stopped.holds.list()[0].signal, Some(Signal::PublishFailures));
    assert!(stopped.holds.list()[0].reason.contains("2 failures in experiment"), "{:?}", stopped.holds);
    let open = escalations(&world).await;
    let breach = open.iter().find(|e| e.rule == "account.publish-failures").unwrap();
    assert!(breach.evidence.join("\n").contains("InvalidRequest"), "{breach:#?}");
    assert!(!world.stored(&oats).await.holds.is_free(), "any breach stops the other experiment too");
    world.act(RITA, resume(the_account(), stopped.holds.keys())).await;
    assert!(world.account("alpha-bs").await.holds.is_free());
    let holds = world.stored(&oats).await.holds.keys();
    world.act(RITA, resume(Stoppable::Experiment(oats.clone()), holds)).await;
    refuse(&world, &oats, 0).await;
    assert!(world.account("alpha-bs").await.holds.is_free(), "what was before is settled");
}

#[tokio::test]
async fn a_login_that_is_refreshed_is_no_failure_to_publish() {
    let (world, [rye, _]) = agency().await;
    let post = world.posts(&rye).await[0].clone();
    world.go_to("2027-03-02T09:00:00Z");
    world.prepare(post.id, Repeat::Always).await;
    world.commit(post.id).await;
    for attempt in 1..=3 {
        let outcome = CommitOutcome::Refused { why: "ExpiredToken".to_owned(), again: true };
        let at = world.now();
        world.drive(post.id, domain::post::PostCommand::End { attempt, at, outcome }).await;
        if attempt < 3 {
            world.commit(post.id).await;
        }
    }
    assert!(world.account("alpha-bs").await.holds.is_free());
}

#[tokio::test]
async fn a_stop_at_failed_posts_pauses_that_experiment_alone_where_no_guardrail_does() {
    let world = World::small(HomeKind::Personal).await;
    let text = BriefText::new("alpha", "rye", TUESDAY).toml();
    let text = text
        .replace("limit = 2, action = \"pause\"", "limit = 2, action = \"warn\"")
        .replace("{ when = \"any_breach\" }, ", "");
    let done = world.act(ADA, Command::BriefNew { toml: text }).await;
    let code = done.data["code"].as_str().unwrap().to_owned();
    world.act(ADA, Command::Submit { experiment: code.clone() }).await;
    world.approve(ADA, &code).await;
    refuse(&world, &code, 0).await;
    refuse(&world, &code, 1).await;
    assert!(world.account("alpha-bs").await.holds.is_free(), "its guardrail warns, and stops nothing");
    let stopped = world.stored(&code).await;
    assert!(stopped.holds.list()[0].reason.contains("2 of its posts failed, and 2 stop it"), "{:?}", stopped.holds);
    let rules: Vec<String> = escalations(&world).await.into_iter().map(|e| e.rule).collect();
    for rule in ["experiment.failed-posts", "account.publish-failures-warned", "post.failed"] {
        assert!(rules.iter().any(|known| known == rule), "{rule}: {rules:?}");
    }
}
