//! The life of a post, walked pair by pair, and against a naive model.

use proptest::prelude::*;

use super::*;
use crate::aggregate::fold;
use crate::approval::{Approver, Binding, PolicyVersion, fingerprint};
use crate::calendar::pacing::PacingLimits;
use crate::hash::Fingerprint;
use crate::id::{ExperimentId, PostId, VariantId};
use crate::role::Role;
use crate::time::SnapshotAge;

fn t(seconds: i64) -> UtcTime {
    UtcTime::from_micros(1_800_000_000_000_000).plus(Span::seconds(seconds))
}

fn ada() -> Actor {
    Actor::Person { uid: 1001, name: "ada".to_owned(), role: Role::Operator }
}

fn binding() -> Binding {
    Binding {
        content: ContentHash(Digest::of(b"content")),
        account: "acme-bs".parse().unwrap(),
        identity: "did:plc:acme".to_owned(),
        lane: Lane::Api,
        window: Window { from: t(0), until: t(1200) },
        policy: PolicyVersion { policy: 1, packs: "p".to_owned() },
    }
}

fn approval(binding: Binding) -> Approval {
    let print: Fingerprint = fingerprint(&[], Digest::of(b""), &[]);
    Approval {
        binding,
        fingerprint: print,
        by: vec![Approver { uid: Some(1001), name: "ada".to_owned(), at: t(-100), shown: print }],
    }
}

fn handle(repeat: Repeat) -> Handle {
    Handle {
        content: binding().content,
        identity: binding().identity,
        token: "{}".to_owned(),
        key: "at://did:plc:acme/app.bsky.feed.post/3k".to_owned(),
        expected: "bafy".to_owned(),
        repeat,
        expires: None,
    }
}

fn live() -> Live {
    Live { id: "at://x".to_owned(), url: "https://x.test/1".to_owned(), digest: "bafy".to_owned(), at: t(3) }
}

fn proof() -> Proof {
    Proof {
        at: t(30),
        looked: "public read".to_owned(),
        url: live().url,
        id: live().id,
        digest: live().digest,
        text: Digest::of(b"text"),
    }
}

fn facts(now: UtcTime) -> CommitFacts {
    CommitFacts {
        now,
        epoch: Epoch(1),
        present: binding(),
        holds: Vec::new(),
        account: None,
        limits: PacingLimits { min_gap: Span::minutes(15), max_per_24h: 6 },
        others: Vec::new(),
        quiet: None,
        duplicate: None,
        repeat_from: None,
        in_flight: None,
        layer: LayerFact::Held,
        clock_hold: None,
        asked_by: None,
    }
}

fn planned(lane: Lane) -> Post {
    let mut bound = binding();
    bound.lane = lane;
    Post {
        id: PostId::new(t(0), [1; 10]),
        kind: PostKind::Post,
        experiment: ExperimentId::new(t(0), [2; 10]),
        client: "acme".parse().unwrap(),
        account: "acme-bs".parse().unwrap(),
        surface: SurfaceId("bluesky_post".to_owned()),
        variant: VariantId::new(t(0), [3; 10]),
        letter: 'A',
        round: 0,
        number: 1,
        block: 0,
        lane,
        window: bound.window,
        content: bound.content,
        duplicate_key: Digest::of(b"dup"),
        repeat: false,
        approval: Some(approval(bound)),
        voided: None,
        attempts: Vec::new(),
        state: PostState::Planned { retry_at: None },
        altered_to: None,
        snapshots: Vec::new(),
        conversation: None,
    }
}

fn then(post: Post, command: PostCommand) -> Post {
    let events = post.decide(command).unwrap();
    fold(Some(post), &events).unwrap()
}

use crate::brief::SurfaceId;

fn prepared(repeat: Repeat) -> Post {
    let post = then(planned(Lane::Api), PostCommand::BeginPrepare);
    then(post, PostCommand::Prepared(Box::new(handle(repeat))))
}

fn committing(repeat: Repeat) -> Post {
    then(prepared(repeat), PostCommand::Commit(Box::new(facts(t(1)))))
}

fn in_doubt(repeat: Repeat) -> Post {
    then(committing(repeat), end(1, CommitOutcome::InDoubt { why: "reset".to_owned() }))
}

fn end(attempt: u32, outcome: CommitOutcome) -> PostCommand {
    PostCommand::End { attempt, at: t(2), outcome }
}

fn look(attempt: u32, observation: Observation) -> PostCommand {
    PostCommand::Look { attempt, began: t(10), at: t(11), observation }
}

fn unconfirmed(repeat: Repeat) -> Post {
    then(in_doubt(repeat), look(1, Observation::CannotTell("unreachable".to_owned())))
}

fn browser(state: PostState) -> Post {
    Post { state, ..planned(Lane::Browser) }
}

/// One post in each state, by the road that leads there.
fn every_state() -> Vec<(&'static str, Post)> {
    let published = then(committing(Repeat::Always), end(1, CommitOutcome::Accepted(live())));
    let verified = then(published.clone(), PostCommand::Verify(Box::new(proof())));
    let gone = PostCommand::Gone { at: t(60), evidence: "404".to_owned() };
    let claimed = PostState::Claimed { by: ada(), at: t(0), until: t(600) };
    let cancel = PostCommand::Cancel { by: ada(), at: t(0), reason: "x".to_owned() };
    let failed = PostCommand::PrepareFailed { why: "too long".to_owned(), retry_at: None };
    vec![
        ("planned", planned(Lane::Api)),
        ("planned (browser)", planned(Lane::Browser)),
        ("preparing", then(planned(Lane::Api), PostCommand::BeginPrepare)),
        ("prepared", prepared(Repeat::Always)),
        ("committing", committing(Repeat::Always)),
        ("committing (ended)", in_doubt(Repeat::Always)),
        ("committing (ended, no repeat)", in_doubt(Repeat::Never)),
        ("unconfirmed", unconfirmed(Repeat::Never)),
        ("unconfirmed (absent, repeat)", then(in_doubt(Repeat::Always), look(1, Observation::NotYet))),
        ("awaiting operator", browser(PostState::AwaitingOperator)),
        ("claimed", browser(claimed)),
        ("published", published),
        ("verified", verified.clone()),
        ("removed", then(verified, gone)),
        ("failed", then(then(planned(Lane::Api), PostCommand::BeginPrepare), failed)),
        ("missed", then(planned(Lane::Api), PostCommand::WindowClosed { at: t(1300) })),
        ("cancelled", then(planned(Lane::Api), cancel)),
    ]
}

fn every_command(post: &Post) -> Vec<(&'static str, PostCommand)> {
    let mut bound = binding();
    bound.lane = post.lane;
    let mut commit = facts(t(20));
    commit.present = bound.clone();
    let claim = PostCommand::Claim { by: ada(), at: t(20), facts: Box::new(commit.clone()) };
    let lookup = |o| PostCommand::Look { attempt: 1, began: t(20), at: t(21), observation: o };
    vec![
        ("approve", PostCommand::Approve(Box::new(approval(bound)))),
        ("void", PostCommand::Void { field: Field::Policy, why: "edited".to_owned() }),
        ("edit", PostCommand::Edit { content: ContentHash(Digest::of(b"new")), duplicate_key: Digest::of(b"new") }),
        ("move", PostCommand::Move { window: Window { from: t(50), until: t(1250) } }),
        ("undo", PostCommand::Undo { by: ada(), at: t(20) }),
        ("cancel", PostCommand::Cancel { by: ada(), at: t(20), reason: "typo".to_owned() }),
        ("begin prepare", PostCommand::BeginPrepare),
        ("prepared", PostCommand::Prepared(Box::new(handle(Repeat::Always)))),
        ("prepare failed, again", PostCommand::PrepareFailed { why: "busy".to_owned(), retry_at: Some(t(30)) }),
        ("prepare failed", PostCommand::PrepareFailed { why: "too long".to_owned(), retry_at: None }),
        ("handle expired", PostCommand::HandleExpired),
        ("commit", PostCommand::Commit(Box::new(commit))),
        ("end: accepted", end(1, CommitOutcome::Accepted(live()))),
        ("end: refused", end(1, CommitOutcome::Refused { why: "400".to_owned(), again: false })),
        ("end: refused, again", end(1, CommitOutcome::Refused { why: "401".to_owned(), again: true })),
        ("end: not sent", end(1, CommitOutcome::NotSent { why: "refused".to_owned() })),
        ("end: in doubt", end(1, CommitOutcome::InDoubt { why: "reset".to_owned() })),
        ("look: live", lookup(Observation::Live(live()))),
        ("look: never", lookup(Observation::Never("proof".to_owned()))),
        ("look: not yet", lookup(Observation::NotYet)),
        ("look: cannot tell", lookup(Observation::CannotTell("unreachable".to_owned()))),
        ("take over", PostCommand::TakeOver { attempt: 1, at: t(20) }),
        ("window closed", PostCommand::WindowClosed { at: t(1300) }),
        ("verify", PostCommand::Verify(Box::new(proof()))),
        ("gone", PostCommand::Gone { at: t(60), evidence: "404".to_owned() }),
        ("altered", PostCommand::Altered { at: t(60), found: "bafz".to_owned() }),
        (
            "snapshot",
            PostCommand::Snapshot {
                age: SnapshotAge(Span::hours(1)),
                at: t(3600),
                rows: 5,
                digest: Digest::of(b"rows"),
            },
        ),
        ("hand off", PostCommand::HandOff),
        ("claim", claim),
        ("give back", PostCommand::GiveBack { by: ada(), reason: "no music".to_owned() }),
        ("unsure", PostCommand::Unsure { by: ada(), at: t(20) }),
        ("lease over", PostCommand::LeaseOver { at: t(600).plus(LEASE_ANSWER) }),
        ("confirm live", PostCommand::ConfirmLive { by: ada(), at: t(20), url: "https://x.test/1".to_owned() }),
        ("confirm not live", PostCommand::ConfirmNotLive { by: ada(), at: t(11).plus(QUARANTINE) }),
        ("restored", PostCommand::Restored { at: t(5000) }),
    ]
}

/// The pairs that the state table allows; staying where one is changes no state.
fn table_allows(from: &str, to: &str) -> bool {
    let leaves: &[&str] = match from {
        "planned" => &["preparing", "awaiting operator", "cancelled", "missed"],
        "preparing" => &["prepared", "planned", "failed", "cancelled"],
        "prepared" => &["committing", "planned", "cancelled", "missed"],
        "committing" => &["published", "prepared", "failed", "awaiting operator", "unconfirmed"],
        "unconfirmed" => &["published", "planned", "committing"],
        "awaiting operator" => &["claimed", "cancelled", "missed"],
        "claimed" => &["published", "awaiting operator", "unconfirmed"],
        "published" => &["verified", "removed"],
        "verified" => &["removed"],
        _ => &[],
    };
    from == to || leaves.contains(&to)
}

#[test]
fn the_state_table_holds_for_every_pair_of_state_and_command() {
    let mut table = String::new();
    for (name, post) in every_state() {
        for (command_name, command) in every_command(&post) {
            let restored = matches!(command, PostCommand::Restored { .. });
            let line = match post.decide(command) {
                Err(refusal) => format!("refused ({})", refusal.rule),
                Ok(events) => {
                    assert!(!events.is_empty(), "{name} × {command_name}: an accepted command leaves an event");
                    let after = fold(Some(post.clone()), &events).unwrap();
                    let (from, to) = (post.state.word(), after.state.word());
                    assert!(restored || table_allows(from, to), "{name} × {command_name}: {from} → {to}");
                    to.to_owned()
                }
            };
            table.push_str(&format!("{name} | {command_name} | {line}\n"));
        }
    }
    let expected = include_str!("table.txt");
    assert!(table == expected, "the table is no longer as reviewed; it is now:\n{table}");
}

#[test]
fn a_refused_command_changes_nothing_and_replay_gives_the_same_state() {
    for (name, post) in every_state() {
        for (_, command) in every_command(&post) {
            let one = post.decide(command.clone());
            assert_eq!(one, post.decide(command), "{name}: same post, command and facts, same answer");
        }
    }
}

type Change<'a> = &'a dyn Fn(&mut CommitFacts);

#[test]
fn everything_that_could_forbid_a_post_forbids_it() {
    let post = prepared(Repeat::Always);
    let base = facts(t(1));
    let changed = |change: &dyn Fn(&mut CommitFacts)| {
        let mut facts = base.clone();
        change(&mut facts);
        post.decide(PostCommand::Commit(Box::new(facts)))
    };
    let forbidden: [(&str, Change<'_>); 11] = [
        ("commit.held", &|f| f.holds.push("the engine is on hold".to_owned())),
        ("commit.account", &|f| f.account = Some("the login is lost".to_owned())),
        ("commit.early", &|f| f.now = t(-1)),
        ("commit.late", &|f| f.now = t(1201)),
        ("commit.quiet", &|f| f.quiet = Some("quiet hours".to_owned())),
        ("pacing.too-close", &|f| f.others.push(t(600))),
        ("pacing.day-full", &|f| f.others = (1..=6).map(|n| t(n * -3600)).collect()),
        ("commit.duplicate", &|f| f.duplicate = Some((PostId::new(t(0), [9; 10]), t(-5000)))),
        ("commit.in-flight", &|f| f.in_flight = Some(PostId::new(t(0), [9; 10]))),
        ("commit.layer", &|f| f.layer = LayerFact::NotHeld("ACM-001 holds it".to_owned())),
        ("commit.clock", &|f| f.clock_hold = Some(t(600))),
    ];
    for (rule, change) in forbidden {
        assert_eq!(changed(change).unwrap_err().rule, rule);
    }
    let voids: [(Field, Change<'_>); 5] = [
        (Field::Content, &|f| f.present.content = ContentHash(Digest::of(b"other"))),
        (Field::Account, &|f| f.present.identity = "did:plc:other".to_owned()),
        (Field::Lane, &|f| f.present.lane = Lane::Hybrid),
        (Field::Slot, &|f| f.present.window.until = t(1201)),
        (Field::Policy, &|f| f.present.policy.policy = 2),
    ];
    for (field, change) in voids {
        let events = changed(change).unwrap();
        assert!(
            matches!(&events[..], [PostEvent::ApprovalVoided { field: found, .. }] if *found == field),
            "{events:?}"
        );
    }
    assert!(matches!(&changed(&|_| {}).unwrap()[..], [PostEvent::PostCommitting { .. }]));
    let unapproved = then(post.clone(), PostCommand::Undo { by: ada(), at: t(0) });
    assert_eq!(unapproved.decide(PostCommand::Commit(Box::new(base))).unwrap_err().rule, "commit.unapproved");
}

#[test]
fn the_same_handle_is_sent_at_most_three_times_and_only_after_a_look_saw_nothing() {
    let mut post = in_doubt(Repeat::Always);
    for attempt in 1..=3 {
        let early = Post { ..post.clone() };
        assert!(early.decide(PostCommand::Commit(Box::new(facts(t(20))))).is_err(), "no look yet");
        post = then(post, look(attempt, Observation::NotYet));
        let again = post.decide(PostCommand::Commit(Box::new(facts(t(20)))));
        if attempt < 3 {
            post = fold(Some(post), &again.unwrap()).unwrap();
            post = then(
                post,
                PostCommand::End {
                    attempt: attempt + 1,
                    at: t(9),
                    outcome: CommitOutcome::InDoubt { why: "lost".to_owned() },
                },
            );
        } else {
            assert_eq!(again.unwrap_err().rule, "commit.repeat");
        }
    }
    assert!(post.attempts.iter().all(|a| a.handle == handle(Repeat::Always)));
    let never = then(
        unconfirmed(Repeat::Never),
        PostCommand::Look { attempt: 1, began: t(20), at: t(21), observation: Observation::NotYet },
    );
    assert_eq!(never.decide(PostCommand::Commit(Box::new(facts(t(30))))).unwrap_err().rule, "commit.repeat");
}

#[test]
fn a_window_for_repeats_is_used_to_half_its_length() {
    let window = Repeat::Within { window: Span::hours(1) };
    let post = then(
        unconfirmed(window),
        PostCommand::Look { attempt: 1, began: t(20), at: t(21), observation: Observation::NotYet },
    );
    assert!(post.handle_to_repeat(t(1 + 1800)).is_ok());
    assert!(post.handle_to_repeat(t(1 + 1801)).is_err());
}

#[test]
fn not_live_is_believed_after_quarantine_and_takes_the_approval_away() {
    let post = unconfirmed(Repeat::Never);
    let early = PostCommand::ConfirmNotLive { by: ada(), at: t(11).plus(QUARANTINE).minus(Span::seconds(1)) };
    assert_eq!(post.decide(early).unwrap_err().rule, "post.quarantine");
    let post = then(post, PostCommand::ConfirmNotLive { by: ada(), at: t(11).plus(QUARANTINE) });
    assert_eq!(post.state.word(), "planned");
    assert!(post.approval.is_none());
}

#[test]
fn looks_become_rarer_and_end_after_two_days() {
    let mut post = in_doubt(Repeat::Never);
    let mut seen = Vec::new();
    while let Some(due) = post.look_due() {
        seen.push(due.since(t(2)));
        let cannot = Observation::CannotTell("x".to_owned());
        post = then(post, PostCommand::Look { attempt: 1, began: due, at: due, observation: cannot });
        assert!(seen.len() < 100);
    }
    assert_eq!(seen[..7], LOOKS);
    assert_eq!(seen[7], Span::minutes(75));
    assert!(*seen.last().unwrap() <= Span::hours(48) && seen.len() > 50);
}

/// What a naive reader of the protocol would keep: is it surely absent, may it be out, is it out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Truth {
    Absent,
    Doubt,
    Out,
}

fn truth(post: &Post) -> Truth {
    match post.state.word() {
        "committing" | "unconfirmed" | "claimed" => Truth::Doubt,
        "published" | "verified" | "removed" => Truth::Out,
        _ => Truth::Absent,
    }
}

proptest! {
    /// I3, I4, I6, I7: whatever comes in whatever order, `stopped` is kept, what is out stays out, attempts only grow,
    /// and another handle is committed only when every attempt before is final.
    #[test]
    fn no_order_of_commands_breaks_a_promise(choices in proptest::collection::vec(0_usize..40, 1..60), browser in proptest::bool::ANY) {
        let mut post = planned(if browser { Lane::Browser } else { Lane::Api });
        let mut stopped = false;
        let mut handles: Vec<Handle> = Vec::new();
        for choice in choices {
            let mut commands = every_command(&post);
            let latest = post.attempts.last().map_or(1, |a| a.number);
            for (_, command) in &mut commands {
                if let PostCommand::End { attempt, .. } | PostCommand::Look { attempt, .. } | PostCommand::TakeOver { attempt, .. } = command {
                    *attempt = latest;
                }
            }
            let (name, command) = commands.swap_remove(choice % commands.len());
            if name == "restored" || name == "edit" || name == "move" { continue; }
            let before = post.clone();
            let Ok(events) = post.decide(command) else { continue };
            for event in &events {
                if let PostEvent::ApprovalTakenBack { answer, .. } = event { stopped = *answer == Answer::Stopped; }
                if let PostEvent::PostApproved { .. } = event { stopped = false; }
                if let PostEvent::PostCommitting { attempt, .. } = event {
                    prop_assert!(!stopped, "a commit after `stopped`");
                    let same = handles.last() == Some(&attempt.handle);
                    let all_final = before.attempts.iter().all(Attempt::is_final_absence);
                    prop_assert!(all_final || same, "another handle while one is in doubt");
                    handles.push(attempt.handle.clone());
                }
            }
            post = fold(Some(post), &events).unwrap();
            prop_assert!(post.attempts.len() >= before.attempts.len());
            for (old, new) in before.attempts.iter().zip(&post.attempts) {
                prop_assert!(old.end.is_none() || old.end == new.end, "an attempt's end is never rewritten");
            }
            match (truth(&before), truth(&post)) {
                (Truth::Out, now) => prop_assert_eq!(now, Truth::Out, "{} after out", name),
                (Truth::Absent, Truth::Out) => prop_assert!(name.starts_with("end: accepted"), "{} made it out of nothing", name),
                (Truth::Doubt, Truth::Absent) => prop_assert!(["end: refused", "end: refused, again", "end: not sent", "look: never", "confirm not live", "give back"].contains(&name), "{} ended doubt", name),
                _ => {}
            }
        }
    }
}

#[test]
fn what_is_seen_again_as_it_was_approved_leaves_a_later_proof() {
    let published = then(committing(Repeat::Always), end(1, CommitOutcome::Accepted(live())));
    let verified = then(published, PostCommand::Verify(Box::new(proof())));
    let later = Proof { at: proof().at.plus(Span::hours(24)), ..proof() };
    let again = then(verified, PostCommand::Verify(Box::new(later.clone())));
    let PostState::Verified { live: still, proof: kept } = &again.state else { panic!("{:?}", again.state) };
    assert_eq!((still, kept), (&live(), &later));
    let earlier = again.decide(PostCommand::Verify(Box::new(proof()))).unwrap_err();
    assert!(earlier.why.contains("no later look"), "{earlier}");
}

#[test]
fn a_reply_gets_leave_only_on_the_stored_command_of_the_person_whose_word_it_bears() {
    let reply = |by: Vec<Option<u32>>| {
        let mut post = prepared(Repeat::Always);
        post.kind = PostKind::Reply;
        let approval = post.approval.as_mut().unwrap();
        let one = approval.by.first().unwrap().clone();
        approval.by = by.into_iter().map(|uid| Approver { uid, ..one.clone() }).collect();
        post
    };
    let ask = |post: &Post, asked_by| {
        let facts = CommitFacts { asked_by, ..facts(t(1)) };
        post.decide(PostCommand::Commit(Box::new(facts))).map_err(|refusal| refusal.rule)
    };
    assert!(ask(&reply(vec![Some(7)]), Some(7)).is_ok());
    for (by, asked_by) in [
        (vec![Some(7)], None),
        (vec![Some(7)], Some(8)),
        (vec![None], None),
        (vec![], None),
        (vec![Some(7), Some(7)], Some(7)),
        (vec![None], Some(7)),
    ] {
        assert_eq!(ask(&reply(by.clone()), asked_by), Err("commit.reply-of-nobody".to_owned()), "{by:?} {asked_by:?}");
    }
    let mut unapproved = reply(vec![Some(7)]);
    unapproved.approval = None;
    assert_eq!(ask(&unapproved, Some(7)), Err("commit.unapproved".to_owned()));
}
