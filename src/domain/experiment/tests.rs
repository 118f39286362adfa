//! The life of an experiment against a naive table of it: stages move only as the header of `experiment` says.

use proptest::prelude::*;

use super::*;
use crate::aggregate::fold;
use crate::brief::{Template, read};
use crate::hash::{Digest, Fingerprint};
use crate::hold::HoldCause;
use crate::preflight::Guard;
use crate::review::Reviewed;
use crate::time::{Span, Window};

const START: UtcTime = UtcTime::from_micros(0);

/// What is asked, without what it carries.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ask {
    Edit(u8),
    Look { blocked: bool },
    Submit,
    Word { uid: u32, shown: u8, needed: usize },
    Reject { reason: bool },
    PutOff { hours: i64 },
    TakeUp,
    Withdraw,
    Lose,
    Out,
    Settled { any_out: bool },
    Reviewed { early: bool, invalid: bool },
    Pause,
    Resume { reason: bool },
    Stop { reason: bool },
    Drop { reason: bool },
}

fn asks() -> impl Strategy<Value = Ask> {
    prop_oneof![
        (0_u8..3).prop_map(Ask::Edit),
        any::<bool>().prop_map(|blocked| Ask::Look { blocked }),
        Just(Ask::Look { blocked: false }),
        Just(Ask::Submit),
        Just(Ask::Submit),
        (1_u32..4, 0_u8..2, 1_usize..3).prop_map(|(uid, shown, needed)| Ask::Word { uid, shown, needed }),
        (1_u32..4, 0_u8..2, 1_usize..3).prop_map(|(uid, shown, needed)| Ask::Word { uid, shown, needed }),
        any::<bool>().prop_map(|reason| Ask::Reject { reason }),
        (0_i64..4).prop_map(|hours| Ask::PutOff { hours }),
        Just(Ask::TakeUp),
        Just(Ask::Withdraw),
        Just(Ask::Lose),
        Just(Ask::Out),
        any::<bool>().prop_map(|any_out| Ask::Settled { any_out }),
        (any::<bool>(), any::<bool>()).prop_map(|(early, invalid)| Ask::Reviewed { early, invalid }),
        Just(Ask::Pause),
        any::<bool>().prop_map(|reason| Ask::Resume { reason }),
        any::<bool>().prop_map(|reason| Ask::Stop { reason }),
        any::<bool>().prop_map(|reason| Ask::Drop { reason }),
    ]
}

fn brief(n: u8) -> Brief {
    let mut brief = read(Template::named("hook-swap").unwrap().text).unwrap();
    brief.hypothesis = crate::text::Untrusted::new(format!("hypothesis {n}"));
    brief
}

fn reason(given: bool) -> String {
    if given { "a reason".to_owned() } else { " ".to_owned() }
}

fn command(ask: Ask) -> ExperimentCommand {
    let by = || Actor::Engine;
    match ask {
        Ask::Edit(n) => ExperimentCommand::Edit {
            brief: Box::new(brief(n)),
            variants: Vec::new(),
            by: Writer { uid: 9, name: "ed".to_owned() },
        },
        Ask::Look { blocked } => ExperimentCommand::RecordPreflight {
            findings: if blocked { vec![blocking()] } else { Vec::new() },
            level: Level::default(),
        },
        Ask::Submit => ExperimentCommand::Submit {
            plan: Box::new(Plan {
                seed: 1,
                generator: "g".to_owned(),
                tries: 1,
                slots: Vec::new(),
                tenure: Window { from: START, until: START },
            }),
        },
        Ask::Word { uid, shown, needed } => ExperimentCommand::GiveWord {
            approver: Approver {
                uid: Some(uid),
                name: format!("u{uid}"),
                at: START,
                shown: Fingerprint(Digest::of(&[shown])),
            },
            needed,
        },
        Ask::Reject { reason: given } => ExperimentCommand::Reject { by: by(), reason: reason(given) },
        Ask::PutOff { hours } => ExperimentCommand::PutOff(put_off(hours)),
        Ask::TakeUp => ExperimentCommand::TakeUp { now: START },
        Ask::Withdraw => ExperimentCommand::Withdraw { why: "w".to_owned() },
        Ask::Lose => ExperimentCommand::LoseApproval { why: "w".to_owned() },
        Ask::Out => ExperimentCommand::PostOut,
        Ask::Settled { any_out } => ExperimentCommand::AllSettled { any_out },
        Ask::Reviewed { early, invalid } => ExperimentCommand::Review(Box::new(found(early, invalid))),
        Ask::Pause => ExperimentCommand::Pause(pause()),
        Ask::Resume { reason: given } => {
            ExperimentCommand::Resume(Release { reason: reason(given), holds: vec![pause().key()] })
        }
        Ask::Stop { reason: given } => ExperimentCommand::Stop { by: by(), reason: reason(given) },
        Ask::Drop { reason: given } => ExperimentCommand::Drop { by: by(), reason: reason(given) },
    }
}

fn pause() -> Hold {
    Hold::new(HoldCause::Operator, "u", START, "r")
}

/// Put off for so long, with the first slot in three hours.
fn put_off(hours: i64) -> later::PutOff {
    let later = later::Later { until: START.plus(Span::hours(hours)), by: "ada".to_owned() };
    later::PutOff { later, now: START, first: START.plus(Span::hours(3)), prepare_lead: Span::minutes(30) }
}

/// What is found out of nothing but a word.
fn found(early: bool, invalid: bool) -> Reviewed {
    let outcome = serde_json::from_value(serde_json::json!({
        "say": if invalid { "invalid" } else { "no_call" },
        "sentence": if invalid { "Not comparable: B is late. Outcomes are informational only." } else { "No call." },
        "winner": null, "age": "1d", "comparable": null, "checks": [], "variants": [], "proxies": [], "ranking": [],
        "confidence": null, "would_change": [], "next": "wait", "seed": 1, "draw_repeated": true,
    }));
    Reviewed {
        at: START,
        outcome: outcome.unwrap(),
        confirmed: None,
        early,
        evidence: Digest::of(b"evidence"),
        rules: "r".to_owned(),
        confounders: Vec::new(),
    }
}

fn blocking() -> Finding {
    Finding {
        guard: Guard::PolicyGuard,
        rule: "policy.banned".to_owned(),
        severity: Severity::Block,
        place: "hook".to_owned(),
        why: "it is banned".to_owned(),
        mend: "write something else".to_owned(),
        level: None,
    }
}

fn taken_in(kind: ExperimentKind, stage: Stage) -> Experiment {
    let writer = || Writer { uid: 9, name: "ed".to_owned() };
    Experiment {
        id: ExperimentId::new(START, [1; 10]),
        code: "ACME-001".to_owned(),
        client: "acme".parse().unwrap(),
        kind,
        author: writer(),
        editor: writer(),
        brief: (kind != ExperimentKind::House).then(|| brief(0)),
        variants: Vec::new(),
        findings: Vec::new(),
        level: Level::default(),
        plan: None,
        words: Vec::new(),
        stage,
        holds: Holds::default(),
        created: START,
        later: None,
        review: None,
        parent: None,
    }
}

/// The life as a person would draw it: a word for the stage and a few facts, by the table in the module's header.
#[derive(Debug, Clone, PartialEq)]
struct Naive {
    stage: &'static str,
    blocked: bool,
    held: bool,
    /// Who gave their word, for which sheet.
    words: Vec<(u32, u8)>,
    brief: u8,
    planned: bool,
    /// For how many hours it is put off.
    later: Option<i64>,
}

impl Naive {
    fn is(&self, stages: &[&str]) -> bool {
        stages.contains(&self.stage)
    }

    /// Does what is asked, or says no and stays.
    fn ask(&mut self, ask: Ask) -> bool {
        let draft = ["creating", "preflight", "awaiting approval"];
        let running = ["scheduled", "running", "maturing", "reviewing"];
        match ask {
            Ask::Edit(n) => {
                let open = self.is(&draft) || self.is(&["scheduled", "running"]);
                if !open || n == self.brief {
                    return false;
                }
                self.brief = n;
                self.words.clear();
                self.later = None;
                match self.stage {
                    "creating" => self.stage = "preflight",
                    "scheduled" => self.stage = "awaiting approval",
                    _ => {}
                }
            }
            Ask::Look { blocked } => {
                if self.is(&["completed", "invalid"]) {
                    return false;
                }
                self.blocked = blocked;
                if self.is(&["creating"]) {
                    self.stage = "preflight";
                }
            }
            Ask::Submit => {
                if !self.is(&["preflight"]) || self.blocked {
                    return false;
                }
                (self.stage, self.planned, self.later) = ("awaiting approval", true, None);
                self.words.clear();
            }
            Ask::Word { uid, shown, needed } => {
                let again = self.words.contains(&(uid, shown));
                if !self.is(&["awaiting approval", "running"]) || self.blocked || again {
                    return false;
                }
                if self.words.iter().any(|(_, seen)| *seen != shown) {
                    self.words.clear();
                }
                self.words.push((uid, shown));
                self.later = None;
                if self.words.len() >= needed && self.is(&["awaiting approval"]) {
                    self.stage = "scheduled";
                }
            }
            Ask::Reject { reason } => {
                if !self.is(&["awaiting approval"]) || !reason {
                    return false;
                }
                self.back();
            }
            Ask::PutOff { hours } => {
                let fits = (1..3).contains(&hours) && self.later != Some(hours);
                if !self.is(&["awaiting approval", "running"]) || !fits {
                    return false;
                }
                self.later = Some(hours);
            }
            Ask::TakeUp => return self.later.take().is_some(),
            Ask::Withdraw => {
                if !self.is(&["awaiting approval", "scheduled"]) {
                    return false;
                }
                self.back();
            }
            Ask::Lose => {
                let given = self.is(&["awaiting approval", "running"]) && !self.words.is_empty();
                if given || self.is(&["scheduled"]) {
                    self.words.clear();
                    self.later = None;
                }
                if self.is(&["scheduled"]) {
                    self.stage = "awaiting approval";
                }
            }
            Ask::Out => {
                if self.is(&["awaiting approval", "scheduled"]) {
                    self.stage = "running";
                }
            }
            Ask::Settled { any_out } => {
                if self.is(&["awaiting approval", "scheduled", "running"]) {
                    self.stage = if any_out { "maturing" } else { "completed" };
                }
            }
            Ask::Reviewed { early, invalid } => {
                let fits = self.is(&["maturing"]) || early && self.is(&["scheduled", "running"]);
                if !fits {
                    return false;
                }
                self.stage = if invalid { "invalid" } else { "reviewing" };
            }
            Ask::Pause => {
                if self.is(&["completed", "invalid"]) {
                    return false;
                }
                self.held = true;
            }
            Ask::Resume { reason } => {
                if !self.held || !reason {
                    return false;
                }
                self.held = false;
            }
            Ask::Stop { reason } => return self.end(&running, reason),
            Ask::Drop { reason } => return self.end(&draft, reason),
        }
        true
    }

    fn back(&mut self) {
        (self.stage, self.planned, self.later) = ("preflight", false, None);
        self.words.clear();
    }

    fn end(&mut self, from: &[&str], reason: bool) -> bool {
        let fits = self.is(from) && reason;
        if fits {
            self.stage = "completed";
        }
        fits
    }
}

proptest! {
    #[test]
    fn an_experiment_lives_as_its_table_says(all in proptest::collection::vec(asks(), 1..60)) {
        let mut experiment = taken_in(ExperimentKind::Micro, Stage::Creating);
        let mut naive = Naive { stage: "creating", blocked: false, held: false, words: Vec::new(), brief: 0, planned: false, later: None };
        for ask in all {
            let before = experiment.clone();
            let expected = naive.ask(ask);
            let decided = experiment.decide(command(ask));
            prop_assert_eq!(decided.is_ok(), expected, "{:?} on {:?}", ask, before.stage);
            if let Ok(events) = decided {
                experiment = fold(Some(experiment), &events).unwrap();
            }
            prop_assert_eq!(experiment.stage.word(), naive.stage, "{:?} on {:?}", ask, before.stage);
            prop_assert_eq!(!experiment.holds.is_free(), naive.held);
            prop_assert_eq!(experiment.is_blocked(), naive.blocked);
            prop_assert_eq!(experiment.plan.is_some(), naive.planned);
            let back = experiment.later_at(START).map(|later| later.until);
            prop_assert_eq!(back, naive.later.map(|hours| START.plus(Span::hours(hours))), "{:?}", ask);
            let given: Vec<Option<u32>> = experiment.words.iter().map(|w| w.uid).collect();
            let words: Vec<Option<u32>> = naive.words.iter().map(|(uid, _)| Some(*uid)).collect();
            prop_assert_eq!(given, words, "{:?}", ask);
            if before.stage.is_over() {
                prop_assert_eq!(&experiment.stage, &before.stage, "what is over stays over");
            }
        }
    }

    #[test]
    fn the_house_experiment_stands_as_long_as_its_client(all in proptest::collection::vec(asks(), 1..30)) {
        let mut house = taken_in(ExperimentKind::House, Stage::Running);
        for ask in all {
            if let Ok(events) = house.decide(command(ask)) {
                house = fold(Some(house), &events).unwrap();
            }
            prop_assert_eq!(&house.stage, &Stage::Running, "{:?}", ask);
        }
    }
}

#[test]
fn what_is_put_off_comes_back_by_itself_and_never_past_its_first_slot() {
    let waiting = taken_in(ExperimentKind::Micro, Stage::AwaitingApproval);
    for (hours, rule) in [(-1, "queue.later.past"), (0, "queue.later.past"), (3, "queue.later"), (4, "queue.later")] {
        let refusal = waiting.decide(ExperimentCommand::PutOff(put_off(hours))).unwrap_err();
        assert_eq!(refusal.rule, rule, "{hours}: {refusal}");
    }
    let late = waiting.decide(ExperimentCommand::PutOff(put_off(3))).unwrap_err();
    assert!(late.why.contains("its first slot is 1970-01-01T03:00:00Z"), "{late}");
    for (minutes, lead, fits) in [(135, 30, true), (136, 30, false), (150, 0, true), (151, 0, false), (46, 120, false)]
    {
        let until = START.plus(Span::minutes(minutes));
        let ask = later::PutOff {
            later: later::Later { until, by: "ada".to_owned() },
            prepare_lead: Span::minutes(lead),
            ..put_off(0)
        };
        let decided = waiting.decide(ExperimentCommand::PutOff(ask));
        assert_eq!(decided.is_ok(), fits, "{minutes} min, prepared {lead} min before: {decided:?}");
    }
    let last = put_off(3).first.minus(Span::from_micros(1));
    let at_the_last = later::PutOff { later: later::Later { until: last, by: "ada".to_owned() }, ..put_off(3) };
    let refusal = waiting.decide(ExperimentCommand::PutOff(at_the_last)).unwrap_err();
    assert!(refusal.why.contains("must be back at 1970-01-01T02:15:00Z"), "{refusal}");
    let events = waiting.decide(ExperimentCommand::PutOff(put_off(2))).unwrap();
    let later = fold(Some(waiting), &events).unwrap();
    let at = |minutes| START.plus(Span::minutes(minutes));
    assert!(later.later_at(at(119)).is_some() && later.later_at(at(120)).is_none());
    assert!(later.decide(ExperimentCommand::TakeUp { now: at(120) }).is_err(), "it is back already");
    assert_eq!(later.stage, Stage::AwaitingApproval, "putting off changes nothing else");
    let before = |minutes| later.later_before(START, Some(at(minutes)), Span::minutes(30)).is_some();
    assert!(before(165) && !before(164), "a slot that came too close ends it");
}

#[test]
fn what_was_stored_before_items_could_be_put_off_reads_as_it_was() {
    let waiting = taken_in(ExperimentKind::Micro, Stage::AwaitingApproval);
    let written = serde_json::to_value(&waiting).unwrap();
    assert!(written.get("later").is_none());
    assert_eq!(serde_json::from_value::<Experiment>(written).unwrap(), waiting);
}
