//! Whole experiments, from posts and snapshots to what is said of them.

use super::*;
use crate::approval::{Approval, Binding, PolicyVersion};
use crate::brief::{SurfaceId, Template, read};
use crate::calendar::plan::{PlanFacts, draw, window_of};
use crate::client::{BrandKit, Policy};
use crate::experiment::{ExperimentKind, Writer};
use crate::hash::{Digest, Fingerprint};
use crate::hold::{Hold, HoldCause, Holds};
use crate::id::{ExperimentId, PostId, VariantId};
use crate::post::{Live, PostKind, PostState, Proof};
use crate::preflight::Level;
use crate::snapshot::{Reading, SnapshotRow};
use crate::surface::Surfaces;
use crate::text::Untrusted;
use crate::time::{Span, Zone};
use crate::variant::{Content, Facet, Variant};

const DAY: SnapshotAge = SnapshotAge(Span::hours(24));
const REPLIES: &str = "replyCount";
const REPOSTS: &str = "repostCount";

/// The hook swap, five posts a variant, all out and verified a minute after their slots.
pub(crate) struct World {
    pub(crate) experiment: Experiment,
    pub(crate) client: Client,
    pub(crate) posts: Vec<Post>,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) others: Vec<UtcTime>,
    pub(crate) now: UtcTime,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let brief = read(Template::named("hook-swap").unwrap().text).unwrap();
        let start = brief.run_window.start;
        let client = Client {
            id: "acme".parse().unwrap(),
            name: "Acme".to_owned(),
            zone: Zone::UTC,
            kit: BrandKit::default(),
            policy: Policy::default(),
            policy_version: 1,
            house: ExperimentId::new(start, [1; 10]),
            holds: Holds::default(),
        };
        let plan = draw(&PlanFacts { brief: &brief, client: &client, others: &[], now: start }, seed).unwrap();
        let variants: Vec<Variant> = ['A', 'B']
            .map(|letter| Variant {
                id: VariantId::new(start, [letter as u8; 10]),
                letter,
                revision: 1,
                rounds: vec![Content {
                    facets: [(Facet::Hook, Untrusted::new(format!("Hook of {letter}")))].into(),
                    ..Content::default()
                }],
            })
            .to_vec();
        let posts = plan.slots.iter().map(|slot| post(&client, &variants[slot.variant], slot, &brief)).collect();
        let by = Writer { uid: 1, name: "ada".to_owned() };
        let experiment = Experiment {
            id: ExperimentId::new(start, [2; 10]),
            code: "ACM-001".to_owned(),
            client: client.id.clone(),
            kind: ExperimentKind::Micro,
            author: by.clone(),
            editor: by,
            brief: Some(brief),
            variants,
            findings: Vec::new(),
            level: Level::default(),
            plan: Some(plan),
            words: Vec::new(),
            stage: Stage::Reviewing,
            holds: Holds::default(),
            created: start,
            later: None,
            review: None,
            parent: None,
        };
        let now = start.plus(Span::days(14));
        Self { experiment, client, posts, snapshots: Vec::new(), others: Vec::new(), now }
    }

    /// Reads every post at 24 h: replies and reposts, each variant's numbers in the order of its posts.
    fn with(mut self, replies: [&[f64]; 2], reposts: [&[f64]; 2]) -> Self {
        let mut next = [0, 0];
        for post in &self.posts {
            let variant = usize::from(post.letter == 'B');
            let at = next[variant];
            next[variant] += 1;
            let live = post.live().unwrap();
            let row =
                |metric: &str, value: f64| SnapshotRow { metric: metric.to_owned(), reading: Reading::Value { value } };
            self.snapshots.push(Snapshot {
                post: post.id,
                age: DAY,
                captured: live.at.plus(DAY.0),
                source: "public read".to_owned(),
                rows: vec![row(REPLIES, replies[variant][at]), row(REPOSTS, reposts[variant][at])],
            });
        }
        self
    }

    /// B far ahead in both.
    pub(crate) fn won() -> Self {
        let low: &[f64] = &[3.0, 5.0, 4.0, 6.0, 4.0];
        let high: &[f64] = &[13.0, 15.0, 12.0, 16.0, 14.0];
        Self::new(7).with([low, high], [low, high])
    }

    fn plan(&mut self) -> &mut Plan {
        self.experiment.plan.as_mut().unwrap()
    }

    /// The posts of a variant, by their place.
    pub(crate) fn of(&self, letter: char) -> Vec<usize> {
        let each = self.posts.iter().enumerate().filter(|(_, post)| post.letter == letter);
        each.map(|(at, _)| at).collect()
    }

    pub(crate) fn lose(&mut self, letter: char, count: usize) {
        for at in self.of(letter).into_iter().take(count) {
            self.posts[at].state = PostState::Failed { why: "refused".to_owned() };
            let id = self.posts[at].id;
            self.snapshots.retain(|snapshot| snapshot.post != id);
        }
    }

    fn review(&self) -> Outcome {
        review(&self.facts()).unwrap()
    }

    pub(crate) fn facts(&self) -> OutcomeFacts<'_> {
        let surface = Surfaces::embedded().get(&SurfaceId("bluesky_post".to_owned()));
        OutcomeFacts {
            experiment: &self.experiment,
            client: &self.client,
            surface,
            posts: &self.posts,
            snapshots: &self.snapshots,
            others: &self.others,
            now: self.now,
        }
    }
}

fn post(client: &Client, variant: &Variant, slot: &crate::calendar::plan::PlannedSlot, brief: &Brief) -> Post {
    let window = window_of(client, slot.at);
    let content = crate::hash::ContentHash(Digest::of(&slot.variant.to_le_bytes()));
    let account: crate::id::AccountId = "acme-bs".parse().unwrap();
    let live = Live {
        id: format!("at://{}", slot.number),
        url: format!("https://x.test/{}", slot.number),
        digest: "bafy".to_owned(),
        at: slot.at.plus(Span::minutes(1)),
    };
    let binding = Binding {
        content,
        account: account.clone(),
        identity: "did:plc:1".to_owned(),
        lane: brief.exposure_plan.lane,
        window,
        policy: PolicyVersion { policy: 1, packs: "abc".to_owned() },
    };
    Post {
        id: PostId::new(slot.at, [u8::try_from(slot.number).unwrap(); 10]),
        kind: PostKind::Post,
        experiment: ExperimentId::new(brief.run_window.start, [2; 10]),
        client: client.id.clone(),
        account,
        surface: brief.surface.clone(),
        variant: variant.id,
        letter: variant.letter,
        round: slot.round,
        number: slot.number,
        block: slot.block,
        lane: brief.exposure_plan.lane,
        window,
        content,
        duplicate_key: Digest::of(b"dup"),
        repeat: false,
        approval: Some(Approval { binding, fingerprint: Fingerprint(Digest::of(b"sheet")), by: Vec::new() }),
        voided: None,
        attempts: Vec::new(),
        state: PostState::Verified {
            proof: Proof {
                at: live.at.plus(Span::minutes(2)),
                looked: "public read".to_owned(),
                url: live.url.clone(),
                id: live.id.clone(),
                digest: live.digest.clone(),
                text: Digest::of(b"text"),
            },
            live,
        },
        altered_to: None,
        snapshots: vec![DAY],
        conversation: None,
    }
}

#[test]
fn a_variant_that_is_far_ahead_in_two_families_wins() {
    let found = World::won().review();
    assert_eq!((found.say, found.winner), (Say::Winner, Some('B')), "{found:#?}");
    assert!(found.sentence.starts_with("B wins. 5 comparable posts each. B/A on replies "), "{}", found.sentence);
    assert_eq!((found.comparable, found.next.as_str()), (Some(Verdict::Ok), "ship B"));
    assert_eq!((found.checks.len(), found.ranking[0].letter), (18, 'B'));
    assert_eq!((found.ranking[1].letter, found.ranking[1].overall), ('A', None), "the control has no ratio to itself");
    let ratio = &found.proxies[0].ratios[0];
    assert!(ratio.ratio > 2.5 && ratio.leads && !ratio.harmed, "{ratio:?}");
    assert_eq!(found.confidence, Some(Strength::VeryLikely));
}

#[test]
fn the_test_repeats_the_recorded_draw_with_its_limits() {
    let world = World::won();
    let brief = world.experiment.brief.clone().unwrap();
    let drawn = redraw(&brief, Zone::UTC, world.experiment.plan.as_ref().unwrap());
    assert!(drawn.repeated && drawn.assignment.limits.is_some());
    let found = world.review();
    let smallest = found.proxies[0].ratios[0].p_up;
    assert!(smallest > 1.0 / 252.0 + 1e-9, "fewer than all 252 assignments keep the limits: {smallest}");
    assert!(found.draw_repeated);
    let mut moved = World::won();
    let slots = &mut moved.plan().slots;
    let first = slots.iter().position(|slot| slot.variant == 0).unwrap();
    let other = slots.iter().position(|slot| slot.variant == 1).unwrap();
    (slots[first].variant, slots[other].variant) = (1, 0);
    let found = moved.review();
    assert!(!found.draw_repeated);
    assert_eq!(
        (found.say, found.winner),
        (Say::Invalid, None),
        "two posts show what was not drawn: {}",
        found.sentence
    );
}

#[test]
fn numbers_that_do_not_differ_are_no_call_and_say_what_would_show_more() {
    let found = World::new(7)
        .with(
            [&[3.0, 5.0, 2.0, 6.0, 4.0], &[4.0, 3.0, 6.0, 5.0, 4.0]],
            [&[7.0, 9.0, 4.0, 11.0, 6.0], &[6.0, 12.0, 8.0, 5.0, 10.0]],
        )
        .review();
    assert_eq!((found.say, found.winner), (Say::NoCall, None));
    assert!((found.proxies[0].ratios[0].ratio - 1.149).abs() < 0.001, "{:?}", found.proxies[0].ratios);
    assert!((found.proxies[1].ratios[0].ratio - 1.116).abs() < 0.001);
    assert!(found.sentence.ends_with("No difference seen; this plan could have shown 240 %."), "{}", found.sentence);
    assert!(found.would_change.iter().any(|line| line.starts_with("with 10 posts a variant")), "{found:#?}");
}

#[test]
fn what_is_still_to_come_is_named_and_nothing_is_compared_before() {
    let mut world = World::won();
    let last = world.posts.len() - 1;
    world.posts[last].state = PostState::Planned { retry_at: None };
    world.posts[last - 1].state =
        PostState::Unconfirmed { why: "the line broke".to_owned(), since: world.posts[last - 1].window.from };
    let unread = world.posts[0].id;
    world.snapshots.retain(|snapshot| snapshot.post != unread);
    let found = world.review();
    assert_eq!((found.say, found.winner, found.comparable), (Say::NotRipe, None, None));
    assert!(found.ranking.is_empty() && found.checks.is_empty() && found.confidence.is_none());
    assert!(found.proxies.iter().all(|proxy| proxy.ratios.is_empty()));
    let nothing_read = World::new(7).review();
    assert!(nothing_read.proxies.iter().all(|proxy| proxy.aside.is_none()), "it may still be read");
    for part in ["1 post of 10 still to go out", "1 post in doubt", "1 post not read at 1d yet"] {
        assert!(found.sentence.contains(part), "{part}: {}", found.sentence);
    }
    assert!(found.variants.iter().all(|count| count.comparable.is_none()));
}

#[test]
fn a_variant_that_lost_two_of_five_makes_it_invalid_whatever_the_numbers_say() {
    let mut world = World::won();
    world.lose('A', 2);
    let found = world.review();
    assert_eq!((found.say, found.winner, found.confidence), (Say::Invalid, None, None));
    assert!(found.sentence.contains("A lost 2 of 5, B lost none"), "{}", found.sentence);
    assert!(found.sentence.ends_with("Outcomes are informational only."), "{}", found.sentence);
    assert!(!found.sentence.contains("wins"));
    assert!(found.ranking.is_empty() && found.proxies.iter().all(|proxy| proxy.ratios.iter().all(|r| !r.leads)));
    assert!(found.proxies[0].ratios[0].ratio > 2.0, "the numbers stay to be read");
    assert_eq!(found.next, "clone it, or abandon it");
    assert_eq!(found.variants.iter().map(|count| count.comparable).collect::<Vec<_>>(), [Some(3), Some(5)]);
}

#[test]
fn a_loss_on_one_side_leaves_too_few_posts_and_is_no_winner() {
    let mut world = World::won();
    world.lose('A', 1);
    let found = world.review();
    assert_eq!((found.say, found.winner), (Say::NotEnoughPosts, None), "{}", found.sentence);
    assert_eq!(found.would_change, ["1 more comparable posts of A"]);
    assert_eq!(found.comparable, Some(Verdict::Warn));
}

#[test]
fn what_was_not_read_is_not_zero_and_takes_its_post_out() {
    let mut world = World::won();
    let post = world.posts[world.of('B')[0]].id;
    let snapshot = world.snapshots.iter_mut().find(|snapshot| snapshot.post == post).unwrap();
    snapshot.rows[0].reading = Reading::Missing { why: "the server was away".to_owned() };
    let found = world.review();
    assert_eq!(found.proxies[0].middles[1].posts, 4);
    assert_eq!(found.variants[1].comparable, Some(4));
    let missing = found.checks.iter().find(|finding| finding.check == Check::Missing).unwrap();
    assert_eq!((missing.verdict, missing.statistic), (Verdict::Warn, Some(1.0)));
}

#[test]
fn a_metric_that_nobody_gives_is_not_available_and_leaves_one_proxy_which_is_not_enough() {
    let mut world = World::won();
    for snapshot in &mut world.snapshots {
        snapshot.rows[1].reading = Reading::NotOffered;
    }
    let found = world.review();
    assert_eq!(found.winner, None);
    assert_eq!(found.proxies[1].aside.as_deref(), Some("not read on any post at 1d"));
    assert!(found.proxies[1].middles.iter().all(|middle| middle.value.is_none() && middle.posts == 0));
    assert!(found.sentence.contains("One proxy is not enough to ship."), "{}", found.sentence);
}

#[test]
fn a_count_without_its_views_is_a_gap_and_not_a_value() {
    let mut world = World::won();
    let brief = world.experiment.brief.as_mut().unwrap();
    brief.success_proxies[0].metric = "comment_count".to_owned();
    brief.success_proxies[1].metric = "share_count".to_owned();
    let row = |metric: &str, reading| SnapshotRow { metric: metric.to_owned(), reading };
    for snapshot in &mut world.snapshots {
        snapshot.rows[0].metric = "comment_count".to_owned();
        snapshot.rows[1].metric = "share_count".to_owned();
        snapshot.rows.push(row("view_count", Reading::Value { value: 1000.0 }));
    }
    world.snapshots[0].rows[2].reading = Reading::Missing { why: "the server was away".to_owned() };
    let facts = OutcomeFacts {
        experiment: &world.experiment,
        client: &world.client,
        surface: Surfaces::embedded().get(&SurfaceId("tiktok_video".to_owned())),
        posts: &world.posts,
        snapshots: &world.snapshots,
        others: &world.others,
        now: world.now,
    };
    let found = review(&facts).unwrap();
    assert!(found.proxies.iter().all(|proxy| proxy.per_view && proxy.aside.is_none()), "{:?}", found.proxies);
    let compared: usize = found.variants.iter().filter_map(|count| count.comparable).sum();
    assert_eq!(compared, 9, "its post is out: {}", found.sentence);
}

#[test]
fn a_breach_keeps_the_variant_that_leads_from_winning() {
    let mut world = World::won();
    let hold = Hold {
        cause: HoldCause::Breach,
        by: "engine".to_owned(),
        at: world.now,
        reason: "too many failures".to_owned(),
        signal: None,
    };
    world.experiment.holds.add(hold);
    let found = world.review();
    assert_eq!((found.say, found.winner), (Say::NoCall, None));
    assert!(found.sentence.contains("a guardrail was crossed on its posts"), "{}", found.sentence);
}

#[test]
fn ages_are_not_mixed() {
    let mut world = World::won();
    world.experiment.brief.as_mut().unwrap().success_proxies[1].age = SnapshotAge(Span::hours(6));
    let found = world.review();
    assert_eq!(found.age, DAY);
    assert_eq!(found.proxies[1].aside.as_deref(), Some("declared at 6h, not at 1d; ages are not mixed"));
    assert!(found.proxies[1].ratios.is_empty() && found.winner.is_none());
    assert!(found.proxies[1].middles.iter().all(|middle| middle.value.is_none()), "nothing was read at 6 h");
}

#[test]
fn a_post_by_hand_close_by_and_a_late_one_are_warnings_that_somebody_must_answer() {
    let mut world = World::won();
    world.others.push(world.posts[0].live().unwrap().at.plus(Span::minutes(1)));
    let found = world.review();
    let crowded = found.checks.iter().find(|finding| finding.check == Check::Interference).unwrap();
    assert_eq!((crowded.verdict, crowded.posts.as_slice()), (Verdict::Warn, [0].as_slice()));
    assert_eq!(found.say, Say::NotEnoughPosts);
    let mut world = World::won();
    let at = world.posts[3].window.from.plus(Span::minutes(40));
    if let PostState::Verified { live, .. } = &mut world.posts[3].state {
        live.at = at;
    }
    for snapshot in world.snapshots.iter_mut().filter(|snapshot| snapshot.post == world.posts[3].id) {
        snapshot.captured = at.plus(DAY.0);
    }
    let late = world.review().checks.into_iter().find(|finding| finding.check == Check::Lateness).unwrap();
    assert_eq!((late.verdict, late.statistic), (Verdict::Warn, Some(40.0)));
}

#[test]
fn a_stage_that_says_invalid_is_believed() {
    let mut world = World::won();
    world.experiment.stage = Stage::Invalid { why: "B went out 5 h later than A".to_owned() };
    let found = world.review();
    assert_eq!((found.say, found.winner, found.comparable), (Say::Invalid, None, Some(Verdict::Invalid)));
    assert_eq!(found.sentence, "Not comparable: B went out 5 h later than A. Outcomes are informational only.");
}

#[test]
fn what_tests_nothing_and_what_has_no_plan_is_refused() {
    let mut world = World::won();
    let facts = |world: &World| {
        review(&OutcomeFacts {
            experiment: &world.experiment,
            client: &world.client,
            surface: None,
            posts: &[],
            snapshots: &[],
            others: &[],
            now: world.now,
        })
        .unwrap_err()
        .rule
    };
    world.experiment.plan = None;
    assert_eq!(facts(&world), "outcome.no-plan");
    world.experiment.brief = None;
    assert_eq!(facts(&world), "outcome.house");
}

#[test]
fn an_outcome_is_the_same_after_it_was_written_and_read() {
    let found = World::won().review();
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), found);
    assert!(!text.contains("NaN"));
}

/// A part of a run: some posts unsent yet.
fn under_way() -> World {
    let mut world = World::won();
    world.experiment.stage = Stage::Running;
    let count = world.posts.len();
    for post in world.posts.iter_mut().skip(count - 4) {
        post.state = PostState::Planned { retry_at: None };
        post.snapshots.clear();
    }
    let unsent: Vec<PostId> = world.posts.iter().skip(count - 4).map(|post| post.id).collect();
    world.snapshots.retain(|snapshot| !unsent.contains(&snapshot.post));
    world
}

#[test]
fn a_run_that_may_still_come_out_well_is_not_ended() {
    assert_eq!(early(&under_way().facts()).unwrap(), None);
    let mut nothing_read = under_way();
    nothing_read.snapshots.clear();
    assert_eq!(early(&nothing_read.facts()).unwrap(), None, "what is out may still be read");
    let mut in_doubt = under_way();
    in_doubt.posts[0].state = PostState::Unconfirmed { why: "the line broke".to_owned(), since: in_doubt.now };
    assert_eq!(early(&in_doubt.facts()).unwrap(), None, "it may be out");
    assert_eq!(early(&World::won().facts()).unwrap(), None, "a winner is named at the end, not before");
}

#[test]
fn a_run_that_no_post_to_come_can_save_is_ended_at_once() {
    let mut world = under_way();
    let first = world.of('A').into_iter().find(|at| world.posts[*at].live().is_some()).unwrap();
    let id = world.posts[first].id;
    world.posts[first].state = PostState::Failed { why: "refused".to_owned() };
    world.snapshots.retain(|snapshot| snapshot.post != id);
    let found = early(&world.facts()).unwrap().unwrap();
    assert_eq!((found.say, found.winner), (Say::NotEnoughPosts, None), "{}", found.sentence);
    assert!(found.comparable.is_some_and(|verdict| verdict != Verdict::Invalid), "it is no validity verdict");

    let second = world.of('A').into_iter().filter(|at| *at != first).find(|at| world.posts[*at].live().is_some());
    let id = world.posts[second.unwrap()].id;
    world.posts[second.unwrap()].state = PostState::Failed { why: "refused".to_owned() };
    world.snapshots.retain(|snapshot| snapshot.post != id);
    let found = early(&world.facts()).unwrap().unwrap();
    assert_eq!((found.say, found.comparable), (Say::Invalid, Some(Verdict::Invalid)), "{}", found.sentence);
    assert!(found.sentence.contains("A lost 2 of 5, B lost none"), "{}", found.sentence);
    assert!(found.ranking.is_empty() && found.winner.is_none());
}

#[test]
fn the_same_evidence_has_the_same_digest_and_any_change_of_it_another() {
    let world = World::won();
    let before = digest(&world.facts());
    assert_eq!(before, digest(&World::won().facts()));
    let mut changed = World::won();
    changed.snapshots[0].rows[0].reading = Reading::Missing { why: "away".to_owned() };
    assert_ne!(before, digest(&changed.facts()));
    let mut changed = World::won();
    changed.others.push(changed.now);
    assert_ne!(before, digest(&changed.facts()));
    let mut changed = World::won();
    changed.posts[0].altered_to = Some("bafy2".to_owned());
    assert_ne!(before, digest(&changed.facts()));
}

#[test]
fn a_post_that_was_deleted_after_it_was_read_lived_through_all_that_is_compared() {
    let deleted = |hours: i64| {
        let mut world = World::won();
        let at = world.of('B')[0];
        let live = world.posts[at].live().unwrap().clone();
        let gone = live.at.plus(Span::hours(hours));
        world.posts[at].state = PostState::Removed { live, at: gone, evidence: "404".to_owned() };
        world.review()
    };
    assert_eq!((deleted(48).say, deleted(48).winner), (Say::Winner, Some('B')), "its reading stands");
    let early = deleted(20);
    assert_eq!((early.say, early.variants[1].comparable), (Say::NotEnoughPosts, Some(4)), "its window ended before");
}
