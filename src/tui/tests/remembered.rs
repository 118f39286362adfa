//! What was reviewed and what was learned, as the desk would tell it.

use desk::query::{LearningView, ReviewView};
use domain::actor::Actor;
use domain::brief::SurfaceId;
use domain::hash::Digest;
use domain::id::LearningId;
use domain::learning::{About, Learning, Retraction};
use domain::outcome::{Outcome, Say, Strength, Verdict};
use domain::report::Item;
use domain::review::{Answer, Choice, Confounder, Source};
use domain::time::Span;
use domain::variant::Facet;

use super::fixture::{Agency, time};

fn item(key: &str, what: &str) -> Item {
    Item {
        confounder: Confounder { key: key.to_owned(), source: Source::Asked, what: what.to_owned() },
        signature: None,
    }
}

/// Says what may be decided, by what is signed.
pub(super) fn answers(review: &ReviewView) -> Vec<Answer> {
    let open = review.confounders.iter().any(|item| item.signature.is_none());
    let invalid = review.outcome.say == Say::Invalid;
    let answer = |choice, means: &str, recommended, refused: Option<&str>| Answer {
        choice,
        means: means.to_owned(),
        recommended,
        reviewer: false,
        refused: refused.map(str::to_owned),
    };
    let why = match (invalid, open) {
        (true, _) => Some("the winner rule names no winner (invalid)"),
        (false, true) => Some("not all that could mislead is signed as no: news: nobody has signed"),
        (false, false) => None,
    };
    vec![
        answer(Choice::Ship { letter: 'B' }, "B is what goes out from now on", why.is_none(), why),
        answer(Choice::Iterate, "a new draft begins from this one, linked to it", why.is_some(), None),
        answer(Choice::Abandon, "nothing more is done about it; what it taught stays in Memory", false, None),
    ]
}

/// A review of an experiment of the agency.
pub(super) fn review(agency: &Agency, code: &str, outcome: Outcome) -> ReviewView {
    let line = agency.experiments[&agency.by_code(code)].line.clone();
    let mut review = ReviewView {
        line,
        at: time("2026-11-22T15:00:00Z"),
        early: false,
        outcome,
        rules: "review.1".to_owned(),
        evidence: Digest::of(code.as_bytes()),
        confounders: vec![
            item("campaigns", "another campaign of the client ran meanwhile, paid or not"),
            item("news", "news or a holiday moved the audience"),
        ],
        open: Vec::new(),
        answers: Vec::new(),
        offered: Some("On @queuebird.example a thread brought more replies than a tab.".to_owned()),
        decision: None,
        parent: None,
        learnings: Vec::new(),
    };
    review.answers = answers(&review);
    review
}

fn learning(agency: &Agency, number: u8, sentence: &str, say: Say, strength: Option<Strength>) -> LearningView {
    let at = time("2026-11-19T16:00:00Z").minus(Span::days(i64::from(number)));
    let line = &agency.experiments[&agency.by_code("QUB-008")].line;
    LearningView {
        learning: Learning {
            id: LearningId::new(at, [number; 10]),
            client: line.client.clone(),
            experiment: line.id,
            code: line.code.clone(),
            sentence: sentence.to_owned(),
            offered: None,
            about: About {
                surface: SurfaceId("bluesky_post".to_owned()),
                variable: Facet::Hook,
                control: "Two tabs".to_owned(),
                tests: vec!["One thread".to_owned()],
            },
            say,
            strength,
            comparable: Some(Verdict::Ok),
            posts: 14,
            decided: Choice::Iterate,
            by: Actor::Engine,
            at,
            expires: at.plus(Span::days(183)),
            retracted: None,
        },
        holds: true,
    }
}

/// What Memory holds.
pub(super) fn learnings(agency: &Agency) -> Vec<LearningView> {
    let mut all = vec![
        learning(
            agency,
            1,
            "A thread brought more replies than a tab on Queuebird.",
            Say::Winner,
            Some(Strength::FairlyLikely),
        ),
        learning(agency, 2, "No difference was seen from an emoji in line one.", Say::NoCall, None),
        learning(agency, 3, "Informational only: two-word hooks, B went out five hours late.", Say::Invalid, None),
        learning(agency, 4, "Morning posts were seen by more people than evening ones.", Say::NoCall, None),
    ];
    if let Some(last) = all.last_mut() {
        let retracted = Retraction {
            by: Actor::Engine,
            at: time("2026-11-20T10:00:00Z"),
            reason: "the account was renamed that week".to_owned(),
        };
        last.learning.retracted = Some(retracted);
        last.holds = false;
    }
    all
}
