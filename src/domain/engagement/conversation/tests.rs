//! Threads as they grow, are answered, skipped and taken back; nothing is answered twice.

use super::*;
use crate::aggregate::fold;
use crate::refusal::RefusalKind;
use crate::time::Span;
use proptest::prelude::*;

fn t(seconds: i64) -> UtcTime {
    UtcTime::from_micros(1_800_000_000_000_000).plus(Span::seconds(seconds))
}

fn said(name: &str, seconds: i64) -> Sighting {
    Sighting {
        uri: format!("at://{name}"),
        cid: format!("cid of {name}"),
        parent: "at://post".to_owned(),
        author: format!("did:{name}"),
        handle: Untrusted::new(format!("{name}.test")),
        text: Untrusted::new(format!("what {name} says")),
        at: t(seconds),
        ours: false,
    }
}

fn empty() -> Conversation {
    Conversation {
        id: ConversationId::new(t(0), [1; 10]),
        client: "acme".parse().unwrap(),
        account: "acme-bs".parse().unwrap(),
        experiment: ExperimentId::new(t(0), [2; 10]),
        post: PostId::new(t(0), [3; 10]),
        variant: VariantId::new(t(0), [4; 10]),
        letter: 'A',
        root: RecordRef { uri: "at://post".to_owned(), cid: "cid of post".to_owned() },
        began: "at://ann".to_owned(),
        comments: Vec::new(),
        replies: Vec::new(),
        skipped: None,
    }
}

fn opened(found: &[Sighting]) -> Conversation {
    let event = Conversation::open(empty(), found, t(100)).unwrap();
    fold(None, &[event]).unwrap()
}

fn then(before: &Conversation, command: ConversationCommand) -> Conversation {
    let events = before.decide(command).unwrap();
    fold(Some(before.clone()), &events).unwrap()
}

fn see(before: &Conversation, found: &[Sighting], at: i64) -> Conversation {
    then(before, ConversationCommand::See { found: found.to_vec(), at: t(at) })
}

fn mia() -> Writer {
    Writer { uid: 1003, name: "mia".to_owned() }
}

fn asked(n: u8, text: &str, seen: Digest) -> Box<Asked> {
    let suggested =
        Suggested { template: "thanks".to_owned(), text: "Thank you very much.".to_owned(), rests: Vec::new() };
    let post = PostId::new(t(200), [n; 10]);
    let text = Untrusted::new(text);
    Box::new(Asked { post, by: mia(), at: t(200), text, seen, suggested: Some(suggested) })
}

fn send(before: &Conversation, n: u8) -> Conversation {
    then(before, ConversationCommand::Send(asked(n, "Thank you very much!", before.state())))
}

fn out(before: &Conversation, n: u8) -> Conversation {
    let post = PostId::new(t(200), [n; 10]);
    let (id, url) = (format!("at://reply {n}"), "https://x.test".to_owned());
    then(before, ConversationCommand::Out { post, id, url, at: t(210) })
}

fn lost(before: &Conversation, n: u8) -> Conversation {
    let why = "the thread changed".to_owned();
    then(before, ConversationCommand::Lost { post: PostId::new(t(200), [n; 10]), why, at: t(210) })
}

#[test]
fn a_thread_of_our_own_accounts_alone_is_no_conversation() {
    let ours = Sighting { ours: true, ..said("us", 1) };
    assert_eq!(Conversation::open(empty(), std::slice::from_ref(&ours), t(100)), None);
    let answered = opened(&[said("ann", 1), Sighting { at: t(2), ..ours }]);
    assert_eq!(answered.standing(), Standing::Answered, "somebody answered by hand");
    assert_eq!(see(&answered, &[said("ann", 1), said("us", 2), said("ben", 3)], 110).standing(), Standing::Waiting);
}

#[test]
fn the_newest_comment_is_answered_once_and_a_later_one_waits_anew() {
    let open = opened(&[said("ben", 2), said("ann", 1)]);
    assert_eq!(open.waiting().unwrap().uri, "at://ben");
    let sending = send(&open, 1);
    assert_eq!((sending.standing(), sending.waiting()), (Standing::Sending, None));
    assert_eq!(sending.sending().unwrap().to.uri, "at://ben");
    let again = sending.decide(ConversationCommand::Send(asked(2, "Twice.", sending.state()))).unwrap_err();
    assert!(again.kind == RefusalKind::Changed && again.why.contains("mia"), "{again}");
    let done = out(&sending, 1);
    assert_eq!(done.standing(), Standing::Answered);
    let nothing = done.decide(ConversationCommand::Send(asked(2, "Twice.", done.state()))).unwrap_err();
    assert_eq!(nothing.kind, RefusalKind::Nothing);
    // One that was written before the answer and seen only after it waits too.
    let later = see(&done, &[said("ann", 1), said("ben", 2), said("cat", 150)], 220);
    assert_eq!(later.waiting().unwrap().uri, "at://cat");
}

#[test]
fn a_send_is_refused_where_the_thread_is_not_the_one_that_was_seen_and_shows_what_is_new() {
    let open = opened(&[said("ann", 1)]);
    let seen = open.state();
    let hostile = Sighting { text: Untrusted::new("\u{1b}[2Jnow \u{202e}this"), ..said("ben", 2) };
    for changed in [
        see(&open, &[said("ann", 1), hostile], 110),
        see(&open, &[Sighting { cid: "other".to_owned(), ..said("ann", 1) }], 110),
        see(&open, &[], 110),
    ] {
        let refusal = changed.decide(ConversationCommand::Send(asked(1, "Hello.", seen))).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Changed, "{refusal}");
        assert!(refusal.mend.contains("expos reply show"), "{refusal}");
        assert!(!refusal.why.contains(['\u{1b}', '\u{202e}']), "{refusal}");
    }
    let newer = see(&open, &[said("ann", 1), said("ben", 2)], 110);
    let refusal = newer.decide(ConversationCommand::Send(asked(1, "Hello.", seen))).unwrap_err();
    assert!(refusal.why.contains("ben.test") && refusal.why.contains("what ben says"), "{refusal}");
    assert_eq!(see(&open, &[said("ann", 1)], 110).state(), seen, "a look that finds nothing new changes nothing");
}

#[test]
fn the_word_for_a_reply_holds_only_while_the_thread_stays_as_it_was() {
    let settings = SurfaceSettings::default();
    let sending = send(&opened(&[said("ann", 1)]), 1);
    let post = sending.sending().unwrap().post;
    let content = sending.present_content(post, &settings).unwrap();
    assert_eq!(content.text(), "Thank you very much!");
    assert_eq!(content.reply.as_ref().unwrap().parent.uri, "at://ann");
    let edited = see(&sending, &[Sighting { cid: "other".to_owned(), ..said("ann", 1) }], 205);
    assert_eq!(edited.present_content(post, &settings), None);
    assert_eq!(see(&sending, &[], 205).present_content(post, &settings), None);
    let lost = lost(&sending, 1);
    assert_eq!((lost.present_content(post, &settings), lost.standing()), (None, Standing::Waiting));
    assert!(lost.content_of(post, &settings).is_some(), "what it said is still told");
}

#[test]
fn what_was_changed_by_more_than_two_fifths_is_the_persons_own() {
    let open = opened(&[said("ann", 1)]);
    let of = |text: &str| {
        let sent = then(&open, ConversationCommand::Send(asked(1, text, open.state())));
        let reply = sent.sending().unwrap();
        (reply.changed, reply.own)
    };
    assert_eq!(of("Thank you very much."), (0, false));
    assert_eq!(of("Thank you very muck!"), (10, false));
    assert!(of("Come by at seven, we bake until noon.").1);
    let unsuggested = Asked { suggested: None, ..*asked(1, "Come by.", open.state()) };
    let sent = then(&open, ConversationCommand::Send(Box::new(unsuggested)));
    assert!(sent.sending().unwrap().own);
}

#[test]
fn skipping_needs_a_reason_and_lasts_until_somebody_writes_again() {
    let open = opened(&[said("ann", 1)]);
    let skip = |why: &str| ConversationCommand::Skip { by: mia(), at: t(120), why: why.to_owned() };
    assert_eq!(open.decide(skip(" ")).unwrap_err().rule, "reply.reason");
    let skipped = then(&open, skip("only a greeting"));
    assert_eq!(skipped.standing(), Standing::Skipped);
    assert_eq!(skipped.decide(skip("again")).unwrap_err().kind, RefusalKind::Nothing);
    assert_eq!(see(&skipped, &[said("ann", 1), said("ann2", 9)], 130).standing(), Standing::Waiting);
}

#[test]
fn a_comment_that_was_taken_back_waits_for_nothing_until_it_is_there_again() {
    let open = opened(&[said("ann", 1)]);
    let gone = see(&open, &[], 110);
    assert_eq!((gone.standing(), gone.shown().len()), (Standing::Gone, 0));
    assert_eq!(see(&gone, &[said("ann", 1)], 120).standing(), Standing::Waiting);
}

#[test]
fn what_is_kept_of_a_thread_is_bounded() {
    let many: Vec<Sighting> = (0..500).map(|n| said(&format!("n{n}"), n)).collect();
    let open = opened(&many);
    assert_eq!(see(&open, &many, 110).comments.len(), COMMENTS_MAX);
    let long = Sighting { text: Untrusted::new("x".repeat(9_000)), ..said("ann", 1) };
    assert_eq!(opened(&[long]).comments[0].text.raw().chars().count(), TEXT_MAX);
}

proptest! {
    #[test]
    fn nothing_is_answered_twice_whatever_happens_in_whatever_order(acts in proptest::collection::vec(0_u8..8, 1..40)) {
        let mut now = opened(&[said("n0", 0)]);
        let mut found = vec![said("n0", 0)];
        for (step, act) in acts.into_iter().enumerate() {
            let n = u8::try_from(step).unwrap();
            let at = 300 + i64::from(n);
            match act {
                0 | 1 => {
                    found.push(said(&format!("n{}", n + 1), at));
                    now = see(&now, &found, at);
                }
                2 => { found.pop(); now = see(&now, &found, at); }
                3 | 4 => if let Ok(events) = now.decide(ConversationCommand::Send(asked(n, "Hello.", now.state()))) {
                    now = fold(Some(now), &events).unwrap();
                },
                5 => if let Some(post) = now.sending().map(|r| r.post) {
                    let command = ConversationCommand::Out { post, id: format!("at://{n}"), url: String::new(), at: t(at) };
                    now = then(&now, command);
                },
                6 => if let Some(post) = now.sending().map(|r| r.post) {
                    now = then(&now, ConversationCommand::Lost { post, why: "x".to_owned(), at: t(at) });
                },
                _ => if now.waiting().is_some() {
                    now = then(&now, ConversationCommand::Skip { by: mia(), at: t(at), why: "x".to_owned() });
                },
            }
            let live: Vec<&Reply> = now.replies.iter().filter(|r| !matches!(r.fate, Fate::Not { .. })).collect();
            let mut to: Vec<&str> = live.iter().map(|r| r.to.uri.as_str()).collect();
            to.sort_unstable();
            let all = to.len();
            to.dedup();
            prop_assert_eq!(all, to.len(), "a comment has two replies");
            prop_assert!(now.replies.iter().filter(|r| r.fate == Fate::Sending).count() <= 1);
        }
    }
}
