//! The nouns against a scripted desk: what is asked, what is printed, and the exit code.
#![expect(clippy::indexing_slicing, reason = "a test that looks for what is not there should fail")]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use chrono::DateTime;
use clap::Parser;
use clock::{Clock, ManualClock};
use desk::query::{
    AccountView, ClientView, EventLine, ExperimentLine, ExperimentView, Health, LayerView, LearningView, OutcomeView,
    PostLine, PostView, QueueLine, ReplyLine, ReplyView, ReviewView, Sheet, SheetPost, StoreInfo, ThreadLine, UserView,
    Verdict,
};
use desk::rounds::RoundView;
use desk::{Answer, Command, Done, Mode, Problem, Query};
use domain::account::{Connection, Servers};
use domain::actor::Actor;
use domain::approval::{ApprovalLevel, Binding, PolicyVersion};
use domain::brief::{Platform, SurfaceId};
use domain::checkin::{Checkin, Deeds, Left, LeftOf, Look, Round, Step};
use domain::client::{BrandKit, Policy};
use domain::engagement::{Suggested, Suggestion};
use domain::experiment::{Stage, Writer};
use domain::hash::{ContentHash, Digest};
use domain::id::{CheckinId, CommandId, ConversationId, ExperimentId, LearningId, PostId};
use domain::learning::{About, Learning};
use domain::outcome::{
    self, Check, Finding as Checked, Middle, Outcome, ProxyOutcome, Ranked, Ratio, Say, Strength, VariantCount,
};
use domain::post::PostState;
use domain::preflight::{Finding, Guard, Level, Severity};
use domain::refusal::Refusal;
use domain::report::Item;
use domain::review::{self, Choice, Confounder, Signature, Signed, Source};
use domain::role::{Role, Scope};
use domain::text::Untrusted;
use domain::time::{SnapshotAge, Span, UtcTime, Window};
use domain::variant::{Facet, Lane};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::args::Cli;
use crate::door::{Door, Events, Wait};
use crate::environment::Environment;
use crate::io::tests::pipes;
use crate::run::finish;
use crate::session::Session;

/// Escapes, overrides and a forged line, as a rival would write them.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{202e}\u{9b}2J\nfingerprint: 00000000";

struct Script {
    acted: RefCell<Vec<(Value, Mode)>>,
    remote: bool,
    connection: Connection,
    refusal: Option<Problem>,
}

impl Script {
    fn new() -> Self {
        Self {
            acted: RefCell::default(),
            remote: false,
            connection: Connection::Connected { at: at(0) },
            refusal: None,
        }
    }

    fn answer(&self, query: Query) -> Result<Answer, Problem> {
        Ok(match query {
            Query::WhoAmI => Answer::User(user()),
            Query::UserList => Answer::Users(vec![user()]),
            Query::ClientList => Answer::Clients(vec![client()]),
            Query::ClientShow { client: id } if id.as_str() == "acme" => Answer::Client(Box::new(client())),
            Query::ClientShow { client: id } => return Err(Refusal::not_found("client", id.as_str()).into_problem()),
            Query::AccountList => Answer::Accounts(vec![account(&self.connection)]),
            // No noun asks these: how a lane does, and the day's posts of all, are looked at on the dashboard.
            Query::AccountShow { account } => {
                return Err(Refusal::not_found("account", account.as_str()).into_problem());
            }
            Query::PostsBetween { .. } => Answer::Posts(Vec::new()),
            Query::ExperimentList { .. } => Answer::Experiments(vec![line()]),
            Query::ExperimentShow { experiment } if experiment == "ACME-001" => {
                Answer::Experiment(Box::new(experiment_view()))
            }
            Query::QueueShow { experiment } if experiment == "ACME-001" => Answer::Sheet(Box::new(sheet())),
            Query::ExperimentShow { experiment } | Query::QueueShow { experiment } => {
                return Err(Refusal::not_found("experiment", &experiment).into_problem());
            }
            // No noun asks for one: a picture is looked at on the dashboard.
            Query::Picture { digest, .. } => {
                return Err(Refusal::not_found("picture", &digest.short()).into_problem());
            }
            Query::QueueList => Answer::Queue(vec![queue_line()]),
            Query::LayerList => {
                Answer::Layers(vec![LayerView { layer: "acme/bluesky_post/hook".to_owned(), tenures: Vec::new() }])
            }
            Query::PostList { .. } => Answer::Posts(vec![post_line()]),
            Query::PostShow { post } if post_id().to_string().starts_with(&post) => Answer::Post(Box::new(post_view())),
            Query::PostShow { post } => return Err(Refusal::not_found("post", &post).into_problem()),
            Query::SnapshotList { .. } => Answer::Snapshots(Vec::new()),
            Query::OutcomeShow { experiment } if experiment == "ACME-001" => Answer::Outcome(Box::new(outcome_view())),
            Query::OutcomeShow { experiment } => {
                return Err(Refusal::not_found("experiment", &experiment).into_problem());
            }
            Query::ReviewShow { experiment } if experiment == "ACME-001" => Answer::Review(Box::new(review_view())),
            Query::ReviewShow { experiment } | Query::ReportShow { experiment } => {
                return Err(Refusal::not_found("experiment", &experiment).into_problem());
            }
            Query::LearningList { .. } => Answer::Learnings(Vec::new()),
            Query::LearningSearch { text, .. } => {
                assert_eq!(text, "question hooks");
                Answer::Learnings(vec![learning_view(), LearningView { holds: false, ..learning_view() }])
            }
            Query::LearningShow { learning } if learning_view().learning.id.to_string().starts_with(&learning) => {
                Answer::Learning(Box::new(learning_view()))
            }
            Query::LearningShow { learning } => return Err(Refusal::not_found("learning", &learning).into_problem()),
            Query::ReplyList { .. } => Answer::Replies(vec![reply_line()]),
            Query::ReplyShow { conversation } if reply_line().conversation.to_string().starts_with(&conversation) => {
                let said = ThreadLine {
                    who: Untrusted::new(HOSTILE),
                    text: Untrusted::new(HOSTILE),
                    at: at(0),
                    ours: false,
                    by: None,
                    edited: true,
                };
                let notes = vec![format!("account acme-bs is on hold: {HOSTILE}")];
                Answer::Reply(Box::new(ReplyView {
                    line: reply_line(),
                    thread: vec![said],
                    letters_max: Some(300),
                    notes,
                }))
            }
            Query::ReplyShow { conversation } => return Err(Refusal::not_found("reply", &conversation).into_problem()),
            Query::EscalationList { .. } => Answer::Escalations(Vec::new()),
            Query::EscalationShow { escalation } => {
                return Err(Refusal::not_found("escalation", &escalation.to_string()).into_problem());
            }
            Query::CheckinList { .. } => Answer::Checkins(vec![checkin()]),
            Query::CheckinShow { checkin: id } if checkin().id.to_string().starts_with(&id) => {
                Answer::Checkin(Box::new(checkin()))
            }
            Query::CheckinShow { checkin: id } => return Err(Refusal::not_found("checkin", &id).into_problem()),
            Query::CheckinStatus { .. } => {
                let later = RoundView { round: Round::EndOfDay, begins: Some(at(5)), opens: Some(at(3)), ..round() };
                Answer::Rounds(vec![round(), later])
            }
            Query::Events { after, .. } => Answer::Events(events().into_iter().filter(|e| e.n > after).collect()),
            Query::Health => Answer::Health(Health {
                verdict: Verdict::Degraded,
                lines: vec!["late 4m: launch".to_owned()],
                ..Health::default()
            }),
            Query::Beat { .. } => return Err(Problem::Failed("this is no dashboard".to_owned())),
            Query::StoreInfo => Answer::Store(StoreInfo {
                store: "S".to_owned(),
                schema: 1,
                events: 2,
                head: "ab".to_owned(),
                epoch: 7,
            }),
        })
    }
}

trait IntoProblem {
    fn into_problem(self) -> Problem;
}

impl IntoProblem for Refusal {
    fn into_problem(self) -> Problem {
        Problem::Refused(self)
    }
}

impl Door for Script {
    fn act(&self, _id: CommandId, command: Command, mode: Mode) -> Wait<'_, Done> {
        self.acted.borrow_mut().push((serde_json::to_value(&command).unwrap(), mode));
        let done = match &self.refusal {
            Some(problem) => Err(problem.clone()),
            None => Ok(Done::new("done so", json!({"is": "done"})).next("expos queue list")),
        };
        Box::pin(async move { done })
    }

    fn ask(&self, query: Query) -> Wait<'_, Answer> {
        let answer = self.answer(query);
        Box::pin(async move { answer })
    }

    fn follow(&self, after: u64) -> Wait<'_, Events<'_>> {
        let coming = EventLine { n: after + 1, ..events().remove(0) };
        Box::pin(async move { Ok(futures_util::stream::iter([Ok(coming)]).boxed_local()) })
    }

    fn is_remote(&self) -> bool {
        self.remote
    }
}

fn at(hours: i64) -> UtcTime {
    UtcTime::from_micros(1_795_510_800_000_000 + hours * 3_600_000_000)
}

fn user() -> UserView {
    UserView { uid: 1001, name: "mira".to_owned(), role: Role::Admin, clients: None }
}

fn client() -> ClientView {
    ClientView {
        id: "acme".parse().unwrap(),
        name: format!("Acme {HOSTILE}"),
        zone: "Europe/London".to_owned(),
        kit: BrandKit { voice: HOSTILE.to_owned(), ..BrandKit::default() },
        policy: Policy::default(),
        policy_version: 3,
        house: ExperimentId::new(at(0), [0; 10]),
        holds: Vec::new(),
    }
}

fn account(connection: &Connection) -> AccountView {
    AccountView {
        id: "acme-bs".parse().unwrap(),
        client: "acme".parse().unwrap(),
        platform: Platform::Bluesky,
        handle: "acme.test".to_owned(),
        servers: Servers::default(),
        identity: None,
        connection: connection.clone(),
        holds: Vec::new(),
        watched: Vec::new(),
    }
}

fn line() -> ExperimentLine {
    ExperimentLine {
        id: ExperimentId::new(at(0), [1; 10]),
        code: "ACME-001".to_owned(),
        client: "acme".parse().unwrap(),
        kind: "micro".to_owned(),
        name: "Hooks".to_owned(),
        stage: Stage::AwaitingApproval,
        status: "draft".to_owned(),
        out: 0,
        planned: 2,
        next: Some(at(24)),
    }
}

fn finding() -> Finding {
    Finding {
        guard: Guard::RiskScan,
        rule: "risk.claim".to_owned(),
        severity: Severity::Warn,
        place: "variant B, round 1".to_owned(),
        why: format!("it says `{HOSTILE}`"),
        mend: "say less".to_owned(),
        level: None,
    }
}

fn level() -> Level {
    Level { level: ApprovalLevel::Review, reasons: vec!["RiskScan found risk.claim".to_owned()] }
}

fn experiment_view() -> ExperimentView {
    ExperimentView {
        line: line(),
        brief: Some("name = \"Hooks\"\n".to_owned()),
        variants: Vec::new(),
        findings: vec![finding()],
        level: level(),
        author: "mira".to_owned(),
        editor: "tom".to_owned(),
        layer: Some("acme/bluesky_post/hook".to_owned()),
        seed: Some(42),
        words: Vec::new(),
        holds: Vec::new(),
        guardrails: Vec::new(),
        posts: vec![post_line()],
        parent: None,
        child: None,
        decision: None,
    }
}

/// A review of the same: one thing signed, one not.
fn review_view() -> ReviewView {
    let outcome = outcome_view().outcome;
    let by = Actor::Person { uid: 7, name: HOSTILE.to_owned(), role: Role::Operator };
    let item = |key: &str, what: &str, signed: bool| Item {
        confounder: Confounder { key: key.to_owned(), source: Source::Asked, what: what.to_owned() },
        signature: signed.then(|| Signature {
            key: key.to_owned(),
            says: Signed::Unknown,
            note: String::new(),
            by: by.clone(),
            at: at(1),
        }),
    };
    let answer = |choice, refused: Option<&str>, recommended| review::Answer {
        choice,
        means: "a new draft begins".to_owned(),
        recommended,
        reviewer: false,
        refused: refused.map(str::to_owned),
    };
    ReviewView {
        line: line(),
        at: at(2),
        early: false,
        outcome,
        rules: "version 1".to_owned(),
        evidence: Digest::of(b"evidence"),
        confounders: vec![item("news", "news or a holiday", true), item("seen.by-hand", HOSTILE, false)],
        open: vec!["news: it was signed as unknown, which is not a no".to_owned()],
        answers: vec![
            answer(Choice::Ship { letter: 'C' }, Some("the winner rule names no winner"), false),
            answer(Choice::Iterate, None, true),
        ],
        offered: Some("No call on hooks.".to_owned()),
        decision: None,
        parent: None,
        learnings: Vec::new(),
    }
}

fn learning_view() -> LearningView {
    let learning = Learning {
        id: LearningId::new(at(0), [5; 10]),
        client: "acme".parse().unwrap(),
        experiment: line().id,
        code: "ACME-001".to_owned(),
        sentence: format!("Questions draw replies. {HOSTILE}"),
        offered: None,
        about: About {
            surface: SurfaceId("bluesky_post".to_owned()),
            variable: Facet::Hook,
            control: "Tell".to_owned(),
            tests: vec!["Ask".to_owned()],
        },
        say: Say::Winner,
        strength: Some(Strength::VeryLikely),
        comparable: Some(outcome::Verdict::Ok),
        posts: 10,
        decided: Choice::Ship { letter: 'B' },
        by: Actor::Person { uid: 7, name: "mia".to_owned(), role: Role::Operator },
        at: at(0),
        expires: at(24),
        retracted: None,
    };
    LearningView { learning, holds: true }
}

/// An experiment in which B leads on replies, and reposts were never read.
fn outcome_view() -> OutcomeView {
    let count = |letter| VariantCount { letter, planned: 5, out: 5, read: 5, comparable: Some(5) };
    let middle = |letter, value| Middle { letter, posts: 5, value };
    let proxy = |metric: &str, words: &str, aside: Option<&str>, middles, ratios| ProxyOutcome {
        metric: metric.to_owned(),
        words: words.to_owned(),
        family: Some("conversation".to_owned()),
        per_view: false,
        age: SnapshotAge(Span::hours(24)),
        aside: aside.map(str::to_owned),
        middles,
        ratios,
    };
    let ratio = Ratio {
        letter: 'B',
        ratio: 1.344,
        low: Some(1.12),
        high: None,
        p_up: 0.0125,
        p_two: 0.025,
        leads: true,
        harmed: false,
    };
    let finding = |check, verdict, statistic, sentence: &str| Checked {
        check,
        verdict,
        statistic,
        posts: Vec::new(),
        sentence: sentence.to_owned(),
    };
    let ranked = |letter, chance, overall: Option<f64>| Ranked {
        letter,
        chance,
        overall,
        expected: overall.map(|_| 1.13),
        p: overall.map(|_| 0.0125),
    };
    OutcomeView {
        line: line(),
        outcome: Outcome {
            say: Say::NoCall,
            sentence: format!("No call: replies +34 % for B, nothing else moved. {HOSTILE}"),
            winner: None,
            age: SnapshotAge(Span::hours(24)),
            comparable: Some(outcome::Verdict::Ok),
            checks: vec![
                finding(Check::Attrition, outcome::Verdict::Ok, Some(0.0), "No post was lost to the comparison."),
                finding(Check::Zero, outcome::Verdict::Unavailable, None, "The platform tells no views."),
            ],
            variants: vec![count('A'), count('B')],
            proxies: vec![
                proxy("replyCount", "replies", None, vec![middle('A', Some(4.0)), middle('B', Some(5.5))], vec![ratio]),
                proxy(
                    "repostCount",
                    "reposts",
                    Some("not read on any post at 1d"),
                    vec![middle('A', None), middle('B', None)],
                    Vec::new(),
                ),
            ],
            ranking: vec![ranked('B', 0.93, Some(1.344)), ranked('A', 0.07, None)],
            confidence: Some(Strength::FairlyLikely),
            would_change: vec!["with 10 posts a variant a difference of about 90 % would be seen".to_owned()],
            next: "iterate, or repeat it with more posts".to_owned(),
            seed: 42,
            draw_repeated: true,
        },
    }
}

fn queue_line() -> QueueLine {
    QueueLine {
        line: line(),
        fingerprint: "7f3a91c2d4e5f607".to_owned(),
        level: level(),
        findings: [0, 1, 0],
        needed: 1,
        words: 0,
        first: Some(at(24)),
        later: None,
    }
}

fn post_id() -> PostId {
    PostId::new(at(0), [2; 10])
}

fn post_line() -> PostLine {
    PostLine {
        id: post_id(),
        experiment: "ACME-001".to_owned(),
        letter: 'B',
        round: 1,
        number: 1,
        block: 1,
        account: "acme-bs".parse().unwrap(),
        slot: at(24),
        local: at(24).in_zone("Europe/London".parse().unwrap()),
        state: "planned".to_owned(),
        approved: false,
        voided: None,
        url: None,
        uri: None,
        cid: None,
        attempts: 0,
        lane: domain::variant::Lane::Api,
        since: None,
        why: None,
    }
}

fn post_view() -> PostView {
    PostView {
        line: post_line(),
        text: format!("Fresh bread {HOSTILE}"),
        state: PostState::Planned { retry_at: None },
        approval: None,
        attempts: Vec::new(),
        events: events(),
        answers: vec!["expos post cancel X --reason TEXT".to_owned()],
    }
}

fn reply_line() -> ReplyLine {
    let made = Suggested {
        template: format!("thanks {HOSTILE}"),
        text: "Thank you.".to_owned(),
        rests: vec![format!("it says `{HOSTILE}`")],
    };
    ReplyLine {
        conversation: ConversationId::new(at(0), [4; 10]),
        client: "acme".parse().unwrap(),
        account: "acme-bs".parse().unwrap(),
        handle: "acme.test".to_owned(),
        experiment: "ACME-001".to_owned(),
        letter: 'B',
        post: post_id(),
        post_text: format!("Fresh bread {HOSTILE}"),
        post_url: None,
        who: Untrusted::new(HOSTILE),
        text: Untrusted::new(HOSTILE),
        at: at(0),
        state: "suggested".to_owned(),
        told: format!("suggested: thanks {HOSTILE}"),
        suggestion: Suggestion::Made(made),
        changed: None,
        own: None,
        reply: None,
        reply_url: None,
        seen: Digest::of(b"thread").to_string(),
        next_at: Some(at(0)),
    }
}

fn checkin() -> Checkin {
    Checkin {
        id: CheckinId::new(at(0), [3; 10]),
        round: Round::Morning,
        date: "2026-11-24".parse().unwrap(),
        zone: "Europe/Amsterdam".parse().unwrap(),
        covers: Scope::All,
        by: Writer { uid: 1001, name: "mira".to_owned() },
        at: at(0),
        looked: vec![Look { step: Step::Queue, from: at(-1), until: at(0), what: format!("7 items {HOSTILE}") }],
        done: Deeds::default(),
        left: round().left,
        alerts: Vec::new(),
        used_s: 660,
        note: format!("jon has it {HOSTILE}"),
        log: 12,
    }
}

fn round() -> RoundView {
    let left = Left {
        step: Step::Queue,
        of: LeftOf::Engine,
        what: format!("ACME-001 {HOSTILE} waits for a word"),
        to: "a reviewer or an admin".to_owned(),
        before: Some(at(24)),
    };
    RoundView {
        round: Round::Morning,
        date: "2026-11-24".parse().unwrap(),
        zone: "Europe/Amsterdam".parse().unwrap(),
        begins: Some(at(-1)),
        opens: Some(at(-3)),
        signed: None,
        done: Deeds::default(),
        left: vec![left],
        alerts: Vec::new(),
        shown: "0f0f0f0f0f0f".to_owned(),
        next: None,
        after: None,
    }
}

fn events() -> Vec<EventLine> {
    let event = |n: u64, stream: String, event: &str| EventLine {
        n,
        at: at(0),
        stream,
        event: event.to_owned(),
        actor: format!("mira{HOSTILE}"),
        cause: "C".to_owned(),
        payload: json!({"text": HOSTILE}),
    };
    vec![event(1, "agency/".to_owned(), "founded"), event(2, format!("post/{}", post_id()), "post_planned")]
}

fn sheet() -> Sheet {
    let window = Window { from: at(24), until: at(25) };
    Sheet {
        line: line(),
        fingerprint: Digest::of(b"sheet").to_string(),
        brief: "hypothesis = \"Short hooks get more replies\"\nvariable_under_test = \"hook\"\n".to_owned(),
        posts: vec![SheetPost {
            line: post_line(),
            text: format!("Fresh bread\n{HOSTILE}"),
            assets: Vec::new(),
            binding: Binding {
                content: ContentHash(Digest::of(b"content")),
                account: "acme-bs".parse().unwrap(),
                identity: "did:plc:abc".to_owned(),
                lane: Lane::Api,
                window,
                policy: PolicyVersion { policy: 3, packs: "p1".to_owned() },
            },
        }],
        findings: vec![finding()],
        level: level(),
        needed: 1,
        words: Vec::new(),
        notes: vec!["the policy of acme allows private hosts".to_owned()],
    }
}

/// What a run left behind.
struct Ran {
    exit: u8,
    out: String,
    err: String,
    acted: Vec<(Value, Mode)>,
}

async fn with(script: Script, arguments: &[&str], input: &'static [u8]) -> Ran {
    let cli = Cli::try_parse_from(std::iter::once(&"expos").chain(arguments))
        .unwrap_or_else(|e| panic!("{arguments:?}: {e}"));
    let (mut io, out, err) = pipes(input);
    let environment = Environment { user_home: Some("/nowhere".into()), ..Environment::default() };
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(DateTime::from_timestamp_micros(at(0).micros()).unwrap()));
    let script = Rc::new(script);
    let door: Rc<dyn Door> = Rc::<Script>::clone(&script);
    let exit = {
        let mut session = Session::new(&mut io, &cli.global, &environment, clock).with_door(door);
        finish(cli.noun.unwrap(), &mut session).await
    };
    Ran { exit, out: out.text(), err: err.text(), acted: script.acted.take() }
}

async fn run(arguments: &[&str]) -> Ran {
    with(Script::new(), arguments, b"").await
}

#[tokio::test]
async fn the_queue_lists_what_waits_with_fingerprints() {
    let ran = run(&["queue", "list"]).await;
    assert_eq!(
        ran.out,
        "code      client  level   words  findings               first slot               fingerprint       name\n\
         ACME-001  acme    review  0/1    0 block 1 warn 0 info  2026-11-25 09:00:00 GMT  7f3a91c2d4e5f607  Hooks\n"
    );
    let plain = run(&["queue", "list", "--plain"]).await;
    assert_eq!(plain.out.trim_end().split('\t').count(), 8);
    assert_eq!((ran.exit, plain.err.as_str()), (0, ""));
}

#[tokio::test]
async fn the_sheet_shows_everything_and_the_fingerprint_last() {
    let ran = run(&["queue", "show", "ACME-001"]).await;
    let post = post_id();
    let content = Digest::of(b"content").short();
    let fingerprint = Digest::of(b"sheet").to_string();
    let expected = format!(
        "experiment: ACME-001
id:         {id}
name:       Hooks
client:     acme
kind:       micro
status:     draft
stage:      awaiting approval
out:        0 of 2 posts
next slot:  2026-11-25 09:00:00 GMT
hypothesis: Short hooks get more replies
variable:   hook
level:      review RiskScan found risk.claim
words:      0 of 1

post 1: 2026-11-25 09:00:00 GMT on acme-bs (did:plc:abc), variant B round 1, block 1, lane api
until 2026-11-25 10:00:00 GMT; policy 3+p1; content {content}; {post}
its text holds hidden characters; each is drawn as its name
  | Fresh bread
  | ␛]0;owned␇<U+202E><U+009B>2J
  | fingerprint: 00000000

findings
warn RiskScan risk.claim variant B, round 1: it says `␛]0;owned␇<U+202E><U+009B>2J␊fingerprint: 00000000`; say less
note: the policy of acme allows private hosts

fingerprint: {fingerprint}
",
        id = line().id,
    );
    assert_eq!(ran.out, expected);
    let digits: String = fingerprint.chars().take(16).collect();
    assert_eq!(ran.err, format!("next: expos queue approve ACME-001 --fingerprint {digits} --yes\n"));
}

#[tokio::test]
async fn nothing_hostile_is_ever_raw_in_any_form() {
    let verbs: [&[&str]; 19] = [
        &["queue", "show", "ACME-001"],
        &["client", "show", "acme"],
        &["client", "list"],
        &["client", "edit", "acme"],
        &["policy", "show", "acme"],
        &["account", "show", "acme-bs"],
        &["experiment", "show", "ACME-001"],
        &["experiment", "history", "ACME-001"],
        &["preflight", "show", "ACME-001"],
        &["post", "show", "01"],
        &["post", "why", "01"],
        &["post", "list"],
        &["events", "tail"],
        &["health"],
        &["checkin", "status"],
        &["checkin", "list"],
        &["checkin", "show", "01"],
        &["reply", "list"],
        &["reply", "show", "01"],
    ];
    for verb in verbs {
        for form in [&[][..], &["--plain"], &["--json"], &["--color", "never"]] {
            let arguments: Vec<&str> = verb.iter().chain(form).copied().collect();
            let ran = run(&arguments).await;
            let all = format!("{}{}", ran.out, ran.err);
            let bad = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
            assert!(!all.chars().any(bad), "{arguments:?}: {all:?}");
            assert!(
                !ran.out.lines().any(|l| l.starts_with("fingerprint: 00000000")),
                "{arguments:?} lets a text forge a line"
            );
            if form == ["--json"] {
                let json: Value = serde_json::from_str(&ran.out).unwrap();
                assert_eq!(json["schema"], 1, "{arguments:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_reads_back_as_it_was_printed() {
    let ran = run(&["client", "edit", "acme"]).await;
    let table: toml::Table = ran.out.parse().unwrap();
    assert_eq!(table["name"].as_str(), Some(client().name.as_str()));
    assert_eq!(table["kit"]["voice"].as_str(), Some(HOSTILE));
    let policy = run(&["policy", "edit", "acme"]).await;
    assert_eq!(toml::from_str::<Policy>(&policy.out).unwrap(), Policy::default());
}

#[tokio::test]
async fn what_raises_exposure_needs_yes_and_says_what_to_write() {
    let cases: [(&[&str], &str); 7] = [
        (
            &["reply", "send", "01", "--seen", "7f3a91c2", "--text", "Yes."],
            "expos reply send 01 --seen 7f3a91c2 --text Yes. --yes",
        ),
        (
            &["queue", "approve", "ACME-001", "--fingerprint", "7f3a91c2"],
            "expos queue approve ACME-001 --fingerprint 7f3a91c2 --yes",
        ),
        (
            &["experiment", "resume", "ACME-001", "--reason", "all well"],
            "expos experiment resume ACME-001 --reason 'all well' --yes",
        ),
        (&["client", "resume", "acme", "--reason", "ok"], "expos client resume acme --reason ok --yes"),
        (&["account", "resume", "acme-bs", "--reason", "ok"], "expos account resume acme-bs --reason ok --yes"),
        (&["engine", "release", "--reason", "ok"], "expos engine release --reason ok --yes"),
        (&["post", "confirm", "01", "--not-live"], "expos post confirm 01 --not-live --yes"),
    ];
    for (arguments, again) in cases {
        let ran = run(arguments).await;
        assert_eq!((ran.exit, ran.acted.len(), ran.out.as_str()), (2, 0, ""), "{arguments:?}");
        assert!(ran.err.contains(&format!("`{again}`")), "{arguments:?}: {}", ran.err);
        let yes: Vec<&str> = arguments.iter().copied().chain(["--yes"]).collect();
        let ran = run(&yes).await;
        assert_eq!((ran.exit, ran.acted.len()), (0, 1), "{yes:?}: {}", ran.err);
        assert_eq!(ran.acted[0].1, Mode::Do);
        let dry: Vec<&str> = arguments.iter().copied().chain(["--dry-run"]).collect();
        let ran = run(&dry).await;
        assert_eq!((ran.exit, ran.acted[0].1), (0, Mode::DryRun), "{dry:?}: {}", ran.err);
        assert!(ran.err.starts_with("dry run: nothing was changed"), "{dry:?}: {}", ran.err);
    }
}

#[tokio::test]
async fn an_approval_without_a_fingerprint_sends_to_the_sheet() {
    let ran = run(&["queue", "approve", "ACME-001", "--yes"]).await;
    assert_eq!((ran.exit, ran.acted.len()), (2, 0));
    assert!(ran.err.contains("look first: `expos queue show ACME-001`"), "{}", ran.err);
    let dry = run(&["queue", "approve", "ACME-001", "--dry-run"]).await;
    assert_eq!((dry.exit, dry.acted[0].1), (0, Mode::DryRun));
    assert_eq!(dry.acted[0].0["fingerprint"], json!(Digest::of(b"sheet").to_string()));
    assert!(dry.out.contains("fingerprint: ") && dry.out.ends_with("done so\n"), "{}", dry.out);
}

#[tokio::test]
async fn stopping_asks_nothing() {
    let cases: [(&[&str], Value); 6] = [
        (&["stop-all"], json!({"what": "agency"})),
        (&["engine", "hold"], json!({"what": "agency"})),
        (&["client", "pause", "acme"], json!({"what": "client", "name": "acme"})),
        (&["account", "pause", "acme-bs"], json!({"what": "account", "name": "acme-bs"})),
        (&["experiment", "pause", "ACME-001"], json!({"what": "experiment", "name": "ACME-001"})),
        (&["stop-all", "--reason", "fire"], json!({"what": "agency"})),
    ];
    for (arguments, target) in cases {
        let ran = run(arguments).await;
        assert_eq!((ran.exit, ran.acted.len()), (0, 1), "{arguments:?}: {}", ran.err);
        assert_eq!((&ran.acted[0].0["do"], &ran.acted[0].0["target"]), (&json!("pause"), &target), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_slip_in_a_name_is_answered_with_the_name_that_was_meant() {
    for (arguments, near) in [
        (&["experiment", "show", "ACME-01"][..], "did you mean `ACME-001`?"),
        (&["queue", "show", "acme-001"], "did you mean `ACME-001`?"),
        (&["client", "show", "Acme!"], "did you mean `acme`?"),
        (&["account", "show", "acme-b"], "did you mean `acme-bs`?"),
        (&["layer", "show", "acme/bluesky_post/hok"], "did you mean `acme/bluesky_post/hook`?"),
        (&["user", "revoke", "mire"], "did you mean `mira`?"),
    ] {
        let ran = run(arguments).await;
        assert_eq!((ran.exit, ran.out.as_str()), (4, ""), "{arguments:?}");
        assert!(ran.err.contains(near), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.err.lines().count(), 2, "{arguments:?}: one sentence and one hint");
    }
    let ran = run(&["experiment", "show", "nothing-like-it"]).await;
    assert!(ran.exit == 4 && !ran.err.contains("did you mean"), "{}", ran.err);
}

#[tokio::test]
async fn a_time_is_read_in_the_clients_zone_and_echoed_with_it() {
    let ran = run(&["calendar", "move", "01", "tomorrow 9:30"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert_eq!(ran.acted[0].0, json!({"do": "post_move", "post": post_id(), "to": "2026-11-25T09:30:00Z"}));
    assert!(ran.err.contains("`tomorrow 9:30` is read as 2026-11-25 09:30:00 GMT (Europe/London)"), "{}", ran.err);
    let bad = run(&["calendar", "move", "01", "soon"]).await;
    assert_eq!((bad.exit, bad.acted.len()), (8, 0));
}

#[tokio::test]
async fn the_app_password_comes_from_a_pipe_and_shows_nowhere() {
    let connect =
        ["account", "connect", "bluesky", "--account", "acme-bs", "--client", "acme", "--handle", "acme.test", "-v"];
    let script = Script { remote: true, ..Script::new() };
    let ran = with(script, &connect, b"hunter2-canary\nrest").await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert_eq!(ran.acted[0].0["password"], "hunter2-canary");
    assert!(!format!("{}{}", ran.out, ran.err).contains("canary"));
    assert!(ran.out.contains("connection: connected"), "{}", ran.out);

    let failed = Script {
        remote: true,
        connection: Connection::Failed { why: format!("wrong password {HOSTILE}") },
        ..Script::new()
    };
    let ran = with(failed, &connect, b"hunter2").await;
    assert_eq!(ran.exit, 1);
    assert!(ran.err.contains("the login failed: wrong password ␛]0;"), "{}", ran.err);

    let ran = with(Script::new(), &connect, b"hunter2").await;
    assert!(ran.exit == 0 && ran.err.contains("next: expos engine run"), "{}", ran.err);

    let ran = with(Script::new(), &connect, b"").await;
    assert_eq!((ran.exit, ran.acted.len()), (8, 0));
}

#[tokio::test]
async fn health_says_it_with_its_exit_code() {
    let ran = run(&["health"]).await;
    assert_eq!(ran.exit, 1);
    assert!(ran.out.starts_with("engine: degraded\n") && ran.out.contains("late 4m: launch\n"), "{}", ran.out);
    assert_eq!(run(&["engine", "status"]).await.exit, 0);
}

#[tokio::test]
async fn errors_are_json_where_json_was_asked_for() {
    let script = Script {
        refusal: Some(Problem::Invalid(vec!["line 1: bad".to_owned(), "line 2: worse".to_owned()])),
        ..Script::new()
    };
    let ran = with(script, &["brief", "new", "-", "--json"], b"kind = 1").await;
    assert_eq!((ran.exit, ran.out.as_str()), (8, ""));
    let json: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(json["error"]["problems"], json!(["line 1: bad", "line 2: worse"]));
    assert_eq!(json["error"]["kind"], "invalid");
}

#[tokio::test]
async fn a_brief_is_checked_without_a_desk_and_refused_a_line_a_problem() {
    let good = domain::brief::TEMPLATES[0].text.as_bytes();
    assert_eq!(with(Script::new(), &["brief", "check", "-"], good).await.exit, 0);
    let bad = with(Script::new(), &["brief", "check", "-"], b"kind = \"nothing\"\n").await;
    assert_eq!(bad.exit, 8);
    assert!(bad.err.lines().count() > 1 && bad.err.lines().all(|l| l.starts_with("error: ")), "{}", bad.err);
    let policy = with(Script::new(), &["policy", "check", "-"], b"max_per_24h = 0\n").await;
    assert_eq!(policy.exit, 8, "{}", policy.err);
    let typo = with(Script::new(), &["policy", "check", "-"], b"grace = \"20m\"\nmax_per_day = 3\n").await;
    assert!(typo.exit == 8 && typo.err.contains("line 2: "), "{}", typo.err);
}

#[tokio::test]
async fn the_log_is_followed_a_line_an_event() {
    let ran = run(&["events", "tail", "--follow", "--json"]).await;
    let numbers: Vec<u64> =
        ran.out.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["data"]["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(ran.exit, 7, "the script's stream ends, as a desk that goes away does");
    let history = run(&["experiment", "history", "ACME-001", "--json"]).await;
    let json: Value = serde_json::from_str(&history.out).unwrap();
    assert_eq!(json["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn quiet_leaves_data_and_errors_alone() {
    let ran = run(&["queue", "show", "ACME-001", "-q"]).await;
    assert!(ran.err.is_empty() && ran.out.contains("fingerprint: "));
    let ran = run(&["snapshot", "list"]).await;
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "no metrics were read yet\n"));
    let ran = run(&["client", "show", "nobody", "-q"]).await;
    assert!(ran.err.starts_with("error: "));
}

#[tokio::test]
async fn a_variant_is_edited_by_text_or_pipe() {
    let ran =
        with(Script::new(), &["variant", "edit", "ACME-001", "b", "--facet", "hook", "-"], b"Fresh at seven\n").await;
    assert_eq!(ran.acted[0].0["text"], "Fresh at seven");
    let ran = run(&["variant", "edit", "ACME-001", "B", "--facet", "hook", "--text", ""]).await;
    assert_eq!((ran.exit, &ran.acted[0].0["text"]), (0, &json!("")));
    let ran = run(&["variant", "edit", "ACME-001", "B", "--facet", "hok", "--text", "x"]).await;
    assert_eq!(ran.exit, 8);
}

#[tokio::test]
async fn a_brief_without_a_file_and_without_a_person_is_usage() {
    let ran = run(&["brief", "new"]).await;
    assert_eq!((ran.exit, ran.acted.len()), (2, 0));
    let ran = run(&["brief", "edit", "ACME-001"]).await;
    assert_eq!((ran.exit, ran.out.as_str()), (0, "name = \"Hooks\"\n"));
}

#[tokio::test]
async fn a_round_is_signed_for_the_offices_day_and_its_status_says_with_what() {
    let ran = run(&["checkin", "status"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert!(ran.out.contains("morning of 2026-11-24 (Europe/Amsterdam)"), "{}", ran.out);
    assert!(ran.out.contains("sign with: expos checkin sign morning --shown 0f0f0f0f0f0f\n"), "{}", ran.out);
    assert!(!ran.out.contains("sign end-of-day"), "it is not open yet: {}", ran.out);
    assert!(
        ran.out.contains("begins 2026-11-24 14:00:00 UTC, may be signed from 2026-11-24 12:00:00 UTC"),
        "{}",
        ran.out
    );
    let ran = run(&["checkin", "status", "--client", "acme", "--zone", "Europe/Amsterdam"]).await;
    let sign = "sign with: expos checkin sign morning --client acme --shown 0f0f0f0f0f0f\n";
    assert!(ran.out.contains(sign) && ran.out.contains("begins 2026-11-24 15:00:00 CET"), "{}", ran.out);
    let ran = run(&["checkin", "status"]).await;
    assert!(
        ran.out.contains("waits for a word; a reviewer or an admin, before 2026-11-25 09:00:00 UTC"),
        "{}",
        ran.out
    );
    let ran =
        run(&["checkin", "sign", "end-of-day", "--client", "acme", "--note", "jon has it", "--minutes", "9"]).await;
    let (acted, mode) = &ran.acted[0];
    assert_eq!((ran.exit, *mode, &acted["round"], &acted["zone"]), (0, Mode::Do, &json!("end_of_day"), &Value::Null));
    assert_eq!((&acted["client"], &acted["used_s"], &acted["shown"]), (&json!("acme"), &json!(540), &Value::Null));
    let elsewhere = ["expos", "checkin", "sign", "morning", "--zone", "Pacific/Kiritimati"];
    assert!(Cli::try_parse_from(elsewhere).is_err(), "nobody chooses the day");
    let ran = run(&["checkin", "sign", "morning", "--dry-run"]).await;
    assert_eq!(ran.acted[0].1, Mode::DryRun);
    assert!(!ran.err.contains("next:"), "{}", ran.err);
    let ran = run(&["checkin", "show", "01"]).await;
    assert!(ran.out.contains("looked at\nqueue: 7 items") && ran.out.contains("took:     11 min"), "{}", ran.out);
    assert_eq!(run(&["checkin", "show", "02"]).await.exit, 4);
}

#[tokio::test]
async fn an_item_is_put_off_until_a_time_in_the_operators_zone_or_until_the_next_round() {
    let ran = run(&["queue", "later", "ACME-001", "13:00"]).await;
    let expected =
        json!({"do": "queue_later", "experiment": "ACME-001", "until": "2026-11-24T13:00:00Z", "zone": "UTC"});
    assert_eq!((ran.exit, &ran.acted[0].0), (0, &expected), "{}", ran.err);
    assert!(ran.err.contains("`13:00` is read as 2026-11-24 13:00:00 UTC (UTC)"), "{}", ran.err);
    let ran = run(&["queue", "later", "ACME-001", "--dry-run"]).await;
    assert_eq!((ran.acted[0].1, &ran.acted[0].0["until"]), (Mode::DryRun, &Value::Null));
    assert_eq!(run(&["queue", "later", "ACME-001", "soon"]).await.exit, 8);
    let ran = run(&["queue", "back", "ACME-001"]).await;
    assert_eq!(ran.acted[0].0, json!({"do": "queue_back", "experiment": "ACME-001"}));
}

#[tokio::test]
async fn what_could_mislead_is_signed_by_its_keys_and_a_decision_names_what_is_shipped() {
    let ran = run(&["outcome", "sign", "ACME-001", "news", "boost", "--no", "--note", "asked"]).await;
    let sign = json!({"do": "outcome_sign", "experiment": "ACME-001", "keys": ["news", "boost"], "says": "clear", "note": "asked"});
    assert_eq!(ran.acted[0].0, sign);
    for (flag, says) in [("--confounds", "confounds"), ("--unknown", "unknown")] {
        assert_eq!(run(&["outcome", "sign", "ACME-001", "news", flag]).await.acted[0].0["says"], says);
    }
    let decide = async |rest: &[&str]| {
        let all = [&["experiment", "decide", "ACME-001"], rest, &["--reason", "it works"]].concat();
        run(&all).await.acted.first().map(|(command, _)| command.clone()).unwrap()
    };
    assert_eq!(
        decide(&["ship"]).await,
        json!({"do": "decide", "experiment": "ACME-001", "decision": {"choice": "ship", "letter": "C"}, "reason": "it works", "learning": null}),
        "the one that the review speaks of"
    );
    assert_eq!(decide(&["ship", "--variant", "b"]).await["decision"]["letter"], "B");
    let iterate = decide(&["iterate", "--learning", "More posts."]).await;
    assert_eq!((&iterate["decision"]["choice"], &iterate["learning"]), (&json!("iterate"), &json!("More posts.")));
    assert_eq!(run(&["experiment", "decide", "ACME-404", "ship", "--reason", "x"]).await.exit, 4);
}

#[tokio::test]
async fn memory_is_searched_by_words_and_nothing_in_it_is_obeyed() {
    let ran = run(&["learning", "search", "question", "hooks"]).await;
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("Questions draw replies.") && ran.out.contains("very likely"), "{}", ran.out);
    assert!(ran.out.contains("expired"), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\u{202e}'), "{}", ran.out);
    let ran = run(&["learning", "show", &learning_view().learning.id.to_string()]).await;
    assert!(ran.out.contains("ACME-001") && ran.out.contains("hook on bluesky_post"), "{}", ran.out);
    let ran = run(&["learning", "list"]).await;
    assert!(ran.err.contains("nothing is in Memory yet"), "{}", ran.err);
    let ran = run(&["learning", "retract", "01JD3X", "--reason", "moved on", "--dry-run"]).await;
    assert_eq!(
        ran.acted[0],
        (json!({"do": "learning_retract", "learning": "01JD3X", "reason": "moved on"}), Mode::DryRun)
    );
    assert_eq!(run(&["report", "show", "ACME-404"]).await.exit, 4);
}

#[tokio::test]
async fn an_outcome_is_told_whole_and_what_is_not_known_is_never_zero() {
    let ran = run(&["outcome", "show", "ACME-001"]).await;
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let told: Vec<String> = ran.out.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "says: no call",
        "winner: n/a",
        "comparable: yes",
        "confidence: fairly likely",
        "compared at: 1d",
        "to do: iterate, or repeat it with more posts",
        "would change it: with 10 posts a variant a difference of about 90 % would be seen",
        "A 5 5 5 5",
        "losses apart ok 0 No post was lost to the comparison.",
        "false zeros cannot tell n/a The platform tells no views.",
        "1 B 93 % +34 % +13 % 1 in 80",
        "2 A 7 % n/a n/a n/a",
        "replies conversation A 4 (5), B 5.50 (5) B 1.34 1.12 to ? 1 in 80 leads",
        "reposts conversation A n/a (5), B n/a (5) n/a n/a n/a n/a not read on any post at 1d",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}\n{}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\u{202e}'), "{}", ran.out);
    let ran = run(&["outcome", "show", "ACME-001", "--json"]).await;
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["data"]["outcome"]["say"], "no_call");
    assert_eq!(json["data"]["outcome"]["proxies"][1]["middles"][0]["value"], Value::Null);
    assert_eq!(json["data"]["outcome"]["winner"], Value::Null);
    let ran = run(&["outcome", "show", "ACME-002"]).await;
    assert_eq!(ran.exit, 4, "{}", ran.err);
}

#[tokio::test]
async fn one_answer_goes_to_the_desk_with_what_was_seen_and_no_verb_takes_two() {
    let seen = ["--seen", "7f3a91c2", "--yes"];
    let ran = run(&[&["reply", "send", "01", "--suggested"][..], &seen].concat()).await;
    let conversation = reply_line().conversation;
    let command = json!({"do": "reply_send", "conversation": conversation, "text": "Thank you.", "seen": "7f3a91c2"});
    assert_eq!((ran.exit, &ran.acted[0].0), (0, &command), "{}", ran.err);
    let ran = with(Script::new(), &[&["reply", "send", "01", "--text", "-"][..], &seen].concat(), b"We do.\n").await;
    assert_eq!(ran.acted[0].0["text"], "We do.", "{}", ran.err);
    for arguments in [
        &["reply", "send", "01", "02", "--suggested"][..],
        &["reply", "send", "01", "--suggested", "--text", "Both."],
        &["reply", "send", "01"],
    ] {
        let whole = [&["expos"][..], arguments, &seen].concat();
        assert!(Cli::try_parse_from(&whole).is_err(), "{whole:?}");
    }
    let ran = run(&["reply", "skip", "01", "--reason", "a greeting"]).await;
    assert_eq!(ran.acted[0].0, json!({"do": "reply_skip", "conversation": conversation, "reason": "a greeting"}));
}
