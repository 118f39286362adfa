//! One experiment at a time in a layer: the second is told who, until when, and when it may start (I10).

use domain::agency::HomeKind;
use domain::post::CommitOutcome;
use store::Open;

use super::fixture::*;
use crate::{Command, Problem};

const TUESDAY: &str = "2027-03-02";

fn other(name: &str, hours: [&str; 4]) -> BriefText {
    BriefText { hours: hours.map(str::to_owned), ..BriefText::new("alpha", name, TUESDAY) }
}

const BETWEEN: [&str; 4] = ["09:30", "10:30", "12:30", "13:30"];
const EVENING: [&str; 4] = ["18:10", "18:45", "19:20", "19:55"];

#[tokio::test]
async fn a_second_experiment_is_told_the_holder_its_end_and_the_earliest_start() {
    let world = World::small(HomeKind::Personal).await;
    let first = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    // At other hours, and at the very same ones: the layer is what stands in the way.
    for (name, hours) in [("wheat", BETWEEN), ("spelt", ["09:00", "10:00", "11:00", "11:45"])] {
        let second = world.brief(ADA, &other(name, hours)).await;
        let refusal = world.refused(ADA, Command::Submit { experiment: second.clone() }).await;
        assert_eq!(refusal.rule, "layer.held", "{refusal}");
        // The last slot is 11:45, its grace 20 min, its last snapshot 6 h after.
        assert!(refusal.why.contains(&first) && refusal.why.contains("2027-03-02T18:05:00Z"), "{refusal}");
        assert!(refusal.mend.contains("2027-03-02T18:05:00.000001Z"), "{refusal}");
        assert!(world.posts(&second).await.is_empty());
        assert_eq!(world.show(&second).await.line.stage.word(), "preflight");
    }
    world.submitted(ADA, &other("oat", EVENING)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_operators_who_race_for_a_layer_one_wins_and_the_other_is_told() {
    for turn in 0..4 {
        let world = World::on_disk(HomeKind::Personal, Open::Owner);
        world.client("alpha").await;
        let day = |name: &str, hours| other(&format!("{name}{turn}"), hours);
        let codes = [
            world.brief(ADA, &day("rye", ["09:00", "10:00", "11:00", "11:45"])).await,
            world.brief(ADA, &day("wheat", BETWEEN)).await,
        ];
        let race: Vec<_> = codes
            .iter()
            .map(|code| {
                let (desk, id, code) = (world.desk.clone(), world.id(), code.clone());
                let submit = Command::Submit { experiment: code };
                tokio::spawn(async move { desk.act(peer(ADA), id, submit, crate::Mode::Do).await })
            })
            .collect();
        let mut outcomes = Vec::new();
        for run in race {
            outcomes.push(run.await.unwrap());
        }
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 1), "{won:?} {lost:?}");
        match &lost[0] {
            Err(Problem::Refused(refusal)) => assert_eq!(refusal.rule, "layer.held"),
            other => panic!("{other:?}"),
        }
        assert!(world.desk.store().rebuild_compare().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_layer_is_free_after_stop_drop_and_reject() {
    for way in ["stop", "drop", "reject"] {
        let world = World::small(HomeKind::Personal).await;
        let first = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
        if way == "stop" {
            world.approve(ADA, &first).await;
        }
        let second = world.brief(ADA, &other("wheat", BETWEEN)).await;
        assert_eq!(world.refused(ADA, Command::Submit { experiment: second.clone() }).await.rule, "layer.held");
        let (experiment, reason) = (first, "enough".to_owned());
        let end = match way {
            "stop" => Command::StopExperiment { experiment, reason },
            "drop" => Command::Drop { experiment, reason },
            _ => Command::Reject { experiment, reason },
        };
        world.act(ADA, end).await;
        world.act(ADA, Command::Submit { experiment: second }).await;
    }
}

#[tokio::test]
async fn a_post_that_may_be_out_keeps_the_layer_until_it_is_settled() {
    let world = World::small(HomeKind::Personal).await;
    let first = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let post = world.posts(&first).await.remove(0).id;
    world.go_to("2027-03-02T09:00:00Z");
    world.prepare(post, domain::post::Repeat::Always).await;
    world.commit(post).await;
    let done = world.act(ADA, Command::StopExperiment { experiment: first, reason: "enough".to_owned() }).await;
    assert!(done.lines.iter().any(|l| l.contains("may be out")), "{done:#?}");
    let second = world.brief(ADA, &other("wheat", ["13:00", "13:30", "14:00", "14:30"])).await;
    let submit = || Command::Submit { experiment: second.clone() };
    assert_eq!(world.refused(ADA, submit()).await.rule, "layer.held");
    world.end(post, CommitOutcome::Refused { why: "InvalidRequest".to_owned(), again: false }).await;
    world.act(ADA, submit()).await;
}

#[tokio::test]
async fn a_moved_post_takes_its_layer_along_or_stays() {
    let world = World::small(HomeKind::Personal).await;
    let first = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let second = world.submitted(ADA, &other("oat", EVENING)).await;
    let last = world.posts(&first).await.into_iter().max_by_key(|p| p.window.from).unwrap().id;
    let to = |at: &str| Command::PostMove { post: last, to: time(at) };
    // Its last snapshot would be taken while the next experiment runs.
    let refusal = world.refused(ADA, to("2027-03-02T11:50:00Z")).await;
    assert_eq!(refusal.rule, "layer.held");
    assert!(refusal.why.contains(&second), "{refusal}");
    world.act(ADA, to("2027-03-02T11:48:00Z")).await;
    let crate::Answer::Layers(layers) = world.ask(ADA, crate::Query::LayerList).await else { panic!() };
    let held = layers[0].tenures.iter().find(|t| t.code == first).unwrap();
    assert_eq!(held.window.until, time("2027-03-02T18:08:00Z"));
}

#[tokio::test]
async fn no_post_is_moved_out_of_its_run_window() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let post = world.posts(&code).await.remove(0).id;
    for out in ["2027-03-01T09:30:00Z", "2027-03-03T09:30:00Z"] {
        let refusal = world.refused(ADA, Command::PostMove { post, to: time(out) }).await;
        assert_eq!(refusal.rule, "plan.window", "{out}: {refusal}");
    }
}
