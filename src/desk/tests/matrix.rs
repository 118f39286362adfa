//! Who may do what: every command, by every role, on one's own clients and on others', own work and not (I14, I17, T6).
//!
//! The expected cells are written here once more, from the agency's permission page and not from the program's table, so
//! that a slip in that table shows.

use std::collections::BTreeSet;

use domain::account::Servers;
use domain::agency::HomeKind;
use domain::brief::Platform;
use domain::checkin::Round;
use domain::hold::{Hold, HoldCause};
use domain::review::{Choice, Signed};
use domain::role::{Role, print};
use domain::time::{Span, Zone};
use domain::variant::Facet;

use super::fixture::*;
use crate::{Command, Mode, Problem, Query, SecretText, Stoppable, Verdict};

/// What makes one command another row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
enum On {
    /// Nothing.
    Plain,
    /// The experiment is at level manual.
    Manual,
    /// What stands on hold does so after a breach.
    Breach,
}

/// Whose the thing is that a command names.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Of {
    /// One client's.
    Client,
    /// The whole agency's, and who is limited to some clients may not touch it.
    Agency,
    /// The whole agency's, and everybody may stop it.
    Everybody,
}

/// The cells for viewer, operator, reviewer and admin: `y` yes, `-` no, `o` not on their own work.
fn row(command: &Command, on: On) -> (&'static str, Of) {
    match command {
        Command::UserGrant { .. } | Command::UserRevoke { .. } | Command::ClientNew { .. } => ("---y", Of::Agency),
        Command::ClientEdit { .. } | Command::PolicyEdit { .. } => ("---y", Of::Client),
        Command::AccountConnect { .. } | Command::AccountDisconnect { .. } => ("---y", Of::Client),
        Command::Pause { target: Stoppable::Agency, .. } => ("-yyy", Of::Everybody),
        Command::Pause { .. } => ("-yyy", Of::Client),
        Command::Resume { target: Stoppable::Agency, .. } => ("---y", Of::Agency),
        Command::Resume { .. } if on == On::Breach => ("--yy", Of::Client),
        Command::Resume { .. } => ("-yyy", Of::Client),
        Command::BriefNew { .. } | Command::BriefEdit { .. } | Command::VariantEdit { .. } => ("-yyy", Of::Client),
        Command::PreflightRun { .. } => ("-yyy", Of::Client),
        Command::Submit { .. } | Command::Drop { .. } | Command::PostMove { .. } => ("-yyy", Of::Client),
        Command::StopExperiment { .. } | Command::Undo { .. } | Command::PostCancel { .. } => ("-yyy", Of::Client),
        Command::Approve { .. } | Command::Reject { .. } if on == On::Manual => ("--oo", Of::Client),
        Command::Approve { .. } | Command::Reject { .. } => ("-ooo", Of::Client),
        Command::PostConfirm { verdict: Verdict::Live { .. }, .. } => ("-yyy", Of::Client),
        Command::PostConfirm { verdict: Verdict::NotLive, .. } => ("--yy", Of::Client),
        Command::EscalationTake { .. }
        | Command::EscalationHand { .. }
        | Command::EscalationLater { .. }
        | Command::EscalationResolve { .. } => ("-yyy", Of::Client),
        Command::OutcomeSign { .. } | Command::Decide { .. } | Command::LearningRetract { .. } => ("-yyy", Of::Client),
        Command::ReplySend { .. } | Command::ReplySkip { .. } => ("-yyy", Of::Client),
        Command::CheckinSign { .. } | Command::QueueLater { .. } => ("-yyy", Of::Client),
        Command::QueueBack { .. } => ("-yyy", Of::Client),
    }
}

/// What a client's commands name.
#[derive(Debug, Clone)]
struct Names {
    client: String,
    draft: String,
    waiting: String,
    manual: String,
    later: String,
    scheduled: String,
    paused: String,
    unsent: String,
    doubt: String,
    escalation: String,
    conversation: String,
    learning: String,
    reviewed: String,
    seen: String,
    prints: [String; 2],
}

impl Names {
    /// Names that are nobody's.
    fn ghost() -> Self {
        let id = |n: u8| format!("0000000000000000000000000{n}");
        let code = |n: u8| format!("GHOST-00{n}");
        Self {
            client: "ghost".to_owned(),
            draft: code(1),
            waiting: code(2),
            manual: code(3),
            later: code(6),
            scheduled: code(4),
            paused: code(5),
            unsent: id(1),
            doubt: id(2),
            escalation: id(3),
            reviewed: code(7),
            learning: id(4),
            conversation: id(5),
            seen: "2".repeat(64),
            prints: ["0".repeat(64), "1".repeat(64)],
        }
    }

    fn brief(&self, name: &str, day: &str) -> BriefText {
        BriefText::new(&self.client, name, day)
    }

    /// Puts signs in place of names, so that two answers can be compared in all but those.
    fn blank(&self, text: &str) -> String {
        let all = [
            &self.draft,
            &self.waiting,
            &self.manual,
            &self.later,
            &self.scheduled,
            &self.paused,
            &self.unsent,
            &self.doubt,
            &self.escalation,
            &self.reviewed,
            &self.learning,
            &self.conversation,
            &self.client,
        ];
        all.iter().enumerate().fold(text.to_owned(), |text, (n, name)| text.replace(name.as_str(), &format!("#{n}")))
    }
}

/// One of each command, some twice where the table has two rows.
fn cases(names: &Names) -> Vec<(Command, On)> {
    let n = names.clone();
    let reason = || "a reason".to_owned();
    let owner = || client(&n.client);
    let bs = || account(&format!("{}-bs", n.client));
    let b2 = || account(&format!("{}-b2", n.client));
    let at = time("2027-03-02T09:16:00Z");
    let seen = || {
        let all = [
            Hold::new(HoldCause::Operator, "ada", at, "wait"),
            Hold::new(HoldCause::Breach, "engine", at, "too many failures"),
        ];
        all.iter().map(Hold::key).collect()
    };
    let target = |what: Stoppable| Command::Resume { target: what, reason: reason(), holds: seen() };
    let pause = |what: Stoppable| Command::Pause { target: what, reason: reason() };
    let approve =
        |code: &str, print: &str| Command::Approve { experiment: code.to_owned(), fingerprint: print.to_owned() };
    let reject = |code: &str| Command::Reject { experiment: code.to_owned(), reason: reason() };
    let edited = BriefText { hook_b: "Hear the loaf.".to_owned(), ..n.brief("draft", "2027-03-06") };
    let post = |text: &str| text.parse().unwrap();
    let commands = vec![
        Command::UserGrant { uid: 5000, name: "u5000".to_owned(), role: Role::Viewer, clients: vec![owner()] },
        Command::UserRevoke { uid: 5001 },
        Command::ClientNew { client: client("newcomer"), name: "N".to_owned(), zone: "UTC".to_owned() },
        Command::ClientEdit { client: owner(), toml: "name = \"Other\"\nzone = \"UTC\"\n".to_owned() },
        Command::PolicyEdit { client: owner(), toml: policy("repeat_gap = \"80h\"") },
        Command::AccountConnect {
            account: account(&format!("{}-b3", n.client)),
            client: owner(),
            platform: Platform::Bluesky,
            handle: "new.example.com".to_owned(),
            servers: Servers::default(),
            password: SecretText::new("correct-horse".to_owned()),
        },
        Command::AccountDisconnect { account: b2() },
        pause(Stoppable::Agency),
        pause(Stoppable::Client(owner())),
        pause(Stoppable::Account(bs())),
        pause(Stoppable::Experiment(n.scheduled.clone())),
        target(Stoppable::Agency),
        target(Stoppable::Client(owner())),
        target(Stoppable::Account(bs())),
        target(Stoppable::Experiment(n.paused.clone())),
        Command::BriefNew { toml: n.brief("fresh", "2027-03-10").toml() },
        Command::BriefEdit { experiment: n.draft.clone(), toml: edited.toml() },
        Command::VariantEdit {
            experiment: n.draft.clone(),
            letter: 'B',
            round: 1,
            facet: Facet::Hook,
            text: "Hear the crust.".to_owned(),
        },
        Command::PreflightRun { experiment: n.draft.clone() },
        Command::Submit { experiment: n.draft.clone() },
        Command::Drop { experiment: n.draft.clone(), reason: reason() },
        Command::StopExperiment { experiment: n.scheduled.clone(), reason: reason() },
        approve(&n.waiting, &n.prints[0]),
        reject(&n.waiting),
        Command::QueueLater { experiment: n.waiting.clone(), until: None, zone: Zone::UTC },
        Command::QueueBack { experiment: n.later.clone() },
        Command::Undo { experiment: n.scheduled.clone(), post: None },
        Command::Undo { experiment: n.scheduled.clone(), post: Some(post(&n.unsent)) },
        Command::PostCancel { post: post(&n.unsent), reason: reason() },
        Command::PostMove { post: post(&n.unsent), to: time("2027-03-05T09:03:00Z") },
        Command::PostConfirm {
            post: post(&n.doubt),
            verdict: Verdict::Live { url: "https://bsky.app/profile/a/post/b".to_owned() },
        },
        Command::PostConfirm { post: post(&n.doubt), verdict: Verdict::NotLive },
        Command::EscalationTake { escalation: n.escalation.parse().unwrap() },
        Command::EscalationHand { escalation: n.escalation.parse().unwrap(), to: Some("ada".to_owned()) },
        Command::EscalationLater { escalation: n.escalation.parse().unwrap(), until: None, zone: Zone::UTC },
        Command::EscalationResolve { escalation: n.escalation.parse().unwrap(), reason: reason() },
        Command::OutcomeSign {
            experiment: n.reviewed.clone(),
            keys: vec!["news".to_owned()],
            says: Signed::Clear,
            note: reason(),
        },
        Command::Decide { experiment: n.reviewed.clone(), decision: Choice::Iterate, reason: reason(), learning: None },
        Command::LearningRetract { learning: n.learning.clone(), reason: reason() },
        Command::ReplySend {
            conversation: n.conversation.parse().unwrap(),
            text: "Yes, from seven.".to_owned(),
            seen: n.seen.clone(),
        },
        Command::ReplySkip { conversation: n.conversation.parse().unwrap(), reason: reason() },
        Command::CheckinSign {
            round: Round::Morning,
            client: Some(owner()),
            looked: Vec::new(),
            used_s: 60,
            note: reason(),
            shown: None,
        },
    ];
    let mut all: Vec<(Command, On)> = commands.into_iter().map(|command| (command, On::Plain)).collect();
    all.push((target(Stoppable::Account(b2())), On::Breach));
    all.push((approve(&n.manual, &n.prints[1]), On::Manual));
    all.push((reject(&n.manual), On::Manual));
    all
}

/// One of each command, for whoever needs their shapes alone.
pub(super) fn one_of_each() -> Vec<Command> {
    cases(&Names::ghost()).into_iter().map(|(command, _)| command).collect()
}

/// People limited to `alpha`, and people for all clients, by role.
const LIMITED: [(u32, Role); 4] =
    [(2000, Role::Viewer), (2001, Role::Operator), (2002, Role::Reviewer), (2003, Role::Admin)];
const FREE: [(u32, Role); 4] =
    [(1100, Role::Viewer), (1101, Role::Operator), (1102, Role::Reviewer), (1103, Role::Admin)];

struct Built {
    world: World,
    alpha: Names,
    beta: Names,
}

/// An agency in which everything that a command can name is there twice; what `alpha` has is written by `author`.
async fn build(author: u32) -> Built {
    let world = World::small(HomeKind::Personal).await;
    world.client("beta").await;
    // A post in doubt raises the level of its client's other experiments; it stands at a client of its own.
    for name in ["alphb", "betb"] {
        world.client(name).await;
    }
    for (uid, role) in LIMITED {
        world.grant(uid, role, &["alpha", "alphb"]).await;
    }
    for (uid, role) in FREE {
        world.grant(uid, role, &[]).await;
    }
    world.grant(5001, Role::Viewer, &["alpha"]).await;
    let mut alpha = drafted(&world, "alpha", author).await;
    let mut beta = drafted(&world, "beta", ADA).await;
    world.go_to("2027-03-02T09:00:00Z");
    for names in [&mut alpha, &mut beta] {
        let post = names.doubt.parse().unwrap();
        world.leave_in_doubt(post).await;
        // One that words can settle: about a login, not about a post in doubt.
        world.lose_login(beside(&names.client)).await;
    }
    let crate::Answer::Escalations(open) = world.ask(ADA, Query::EscalationList { all: false }).await else { panic!() };
    for names in [&mut alpha, &mut beta] {
        let about_login = |e: &&domain::escalation::Escalation| e.rule == "account.login-lost";
        let mine = open.iter().filter(about_login).find(|e| e.client == client(beside(&names.client))).unwrap();
        names.escalation = mine.id.to_string();
    }
    world.go_to("2027-03-02T09:16:00Z");
    for names in [&mut alpha, &mut beta] {
        world.hold_account(&format!("{}-b2", names.client), HoldCause::Breach).await;
        for target in [
            Stoppable::Client(client(&names.client)),
            Stoppable::Account(account(&format!("{}-bs", names.client))),
            Stoppable::Experiment(names.paused.clone()),
        ] {
            world.act(ADA, Command::Pause { target, reason: "wait".to_owned() }).await;
        }
        let put_off = Command::QueueLater { experiment: names.later.clone(), until: None, zone: Zone::UTC };
        world.act(ADA, put_off).await;
        names.prints =
            [world.sheet(ADA, &names.waiting).await.fingerprint, world.sheet(ADA, &names.manual).await.fingerprint];
    }
    world.act(ADA, Command::Pause { target: Stoppable::Agency, reason: "wait".to_owned() }).await;
    Built { world, alpha, beta }
}

/// The client at which what is in doubt of a client's stands.
fn beside(client: &str) -> &'static str {
    if client == "alpha" { "alphb" } else { "betb" }
}

/// A client's experiments at every stage that a command needs.
async fn drafted(world: &World, owner: &str, author: u32) -> Names {
    let mut names = Names { client: owner.to_owned(), ..Names::ghost() };
    let approver = if author == ADA { 1103 } else { ADA };
    world.connect(owner, &format!("{owner}-b2")).await;
    let approved = async |owner: &str, name: &str, day: &str| {
        let code = world.submitted(author, &BriefText::new(owner, name, day)).await;
        world.approve(approver, &code).await;
        code
    };
    let doubt = approved(beside(owner), "doubt", "2027-03-02").await;
    names.doubt = world.posts(&doubt).await[0].id.to_string();
    names.waiting = world.submitted(author, &names.brief("waiting", "2027-03-03")).await;
    let manual = BriefText { level: "manual".to_owned(), ..names.brief("manual", "2027-03-04") };
    names.manual = world.submitted(author, &manual).await;
    names.later = world.submitted(author, &names.brief("later", "2027-03-09")).await;
    names.scheduled = approved(owner, "scheduled", "2027-03-05").await;
    names.unsent = world.posts(&names.scheduled).await[0].id.to_string();
    let conversation = world.comment_on(&world.posts(&names.scheduled).await[0], &["Do you open on Sundays?"]).await;
    (names.conversation, names.seen) = (conversation.id.to_string(), conversation.state().to_string());
    names.draft = world.brief(author, &names.brief("draft", "2027-03-06")).await;
    names.paused = approved(owner, "paused", "2027-03-08").await;
    names.reviewed = approved(owner, "reviewed", "2027-03-11").await;
    world.review(&names.reviewed).await;
    let taught = approved(owner, "taught", "2027-03-12").await;
    world.review(&taught).await;
    let decision = Command::Decide {
        experiment: taught,
        decision: Choice::Abandon,
        reason: "it is dear".to_owned(),
        learning: None,
    };
    names.learning = world.act(ADA, decision).await.data["learning"].as_str().unwrap().to_owned();
    names
}

/// Asks whether a command is allowed. What is refused is refused in earnest as well, changes nothing and is recorded.
async fn outcome(world: &World, uid: u32, command: &Command) -> Result<(), Problem> {
    let before = (world.desk.store().anchor(), world.refusals().await.len());
    let tried = world.desk.act(peer(uid), world.id(), command.clone(), Mode::DryRun).await;
    let outcome = match tried {
        Ok(_) => Ok(()),
        Err(problem) => {
            let id = world.id();
            let done = world.desk.act(peer(uid), id, command.clone(), Mode::Do).await;
            assert_eq!(done.as_ref().err(), Some(&problem), "{uid} {command:?}");
            let Problem::Refused(refusal) = &problem else { panic!("{uid} {command:?}: {problem:?}") };
            let recorded = world.refusals().await;
            assert_eq!(recorded.len(), before.1 + 2, "{uid} {command:?}");
            assert_eq!((&recorded[0].refusal, recorded[0].cause.clone()), (refusal, id.to_string()));
            assert!(recorded[0].actor.is_person(uid));
            Err(problem)
        }
    };
    assert_eq!(world.desk.store().anchor(), before.0, "{uid} {command:?}");
    outcome
}

/// How a command ends for whoever may give it: in an agency on hold nothing is sent, and a rule says so.
fn granted(command: &Command) -> u8 {
    if matches!(command, Command::ReplySend { .. }) { 3 } else { 0 }
}

fn code(outcome: &Result<(), Problem>) -> u8 {
    outcome.as_ref().map_or_else(Problem::exit_code, |()| 0)
}

fn cell(row: &str, role: Role) -> char {
    let place = Role::ALL.iter().position(|r| *r == role).unwrap();
    row.chars().nth(place).unwrap()
}

#[test]
fn the_printed_table_is_the_agreed_one() {
    assert_eq!(print(), include_str!("../../../tests/permissions.txt"));
}

#[test]
fn every_command_has_a_row() {
    let error = serde_json::from_str::<Command>(r#"{"do": "?"}"#).unwrap_err().to_string();
    let known: BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
    let listed: Vec<String> = one_of_each()
        .iter()
        .map(|command| serde_json::to_value(command).unwrap()["do"].as_str().unwrap().to_owned())
        .collect();
    assert!(known.len() >= 23, "{error}");
    assert_eq!(listed.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
}

#[tokio::test]
async fn every_command_by_every_role_is_as_the_table_says() {
    let Built { world, alpha, .. } = build(ADA).await;
    for (command, on) in cases(&alpha) {
        let (row, of) = row(&command, on);
        for (uid, role) in LIMITED.into_iter().chain(FREE) {
            let limited = uid >= 2000;
            let allowed = cell(row, role) != '-' && !(limited && of == Of::Agency);
            let outcome = outcome(&world, uid, &command).await;
            assert_eq!(
                code(&outcome),
                if allowed { granted(&command) } else { 5 },
                "{role} {uid} {command:?}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn nobody_approves_or_sends_back_their_own_work() {
    for (uid, role) in LIMITED.into_iter().filter(|(_, role)| *role != Role::Viewer) {
        let Built { world, alpha, .. } = build(uid).await;
        for (command, on) in cases(&alpha) {
            let (row, of) = row(&command, on);
            let allowed = cell(row, role) == 'y' && of != Of::Agency;
            let outcome = outcome(&world, uid, &command).await;
            assert_eq!(code(&outcome), if allowed { granted(&command) } else { 5 }, "{role} {command:?}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn what_is_another_clients_is_not_there_in_the_very_words_of_what_does_not_exist() {
    let Built { world, beta, .. } = build(ADA).await;
    let ghost = Names::ghost();
    for ((command, on), (nowhere, _)) in cases(&beta).into_iter().zip(cases(&ghost)) {
        let (row, of) = row(&command, on);
        for (uid, role) in LIMITED {
            let hidden = outcome(&world, uid, &command).await;
            let absent = outcome(&world, uid, &nowhere).await;
            if of != Of::Client {
                assert_eq!(code(&hidden), code(&absent), "{role} {command:?}");
                continue;
            }
            // The level of an approval and the cause of a hold are not known before the thing is: what is not there has
            // none, and the first gate of all is the one of level review.
            let gate = if on == On::Plain { cell(row, role) } else { cell("-yyy", role) };
            assert_eq!(code(&hidden), if gate == '-' { 5 } else { 4 }, "{role} {command:?}: {hidden:?}");
            let bytes = |problem: Problem| serde_json::to_string(&problem).unwrap();
            let (hidden, absent) = (bytes(hidden.unwrap_err()), bytes(absent.unwrap_err()));
            assert_eq!(beta.blank(&hidden), ghost.blank(&absent), "{role} {command:?}");
        }
    }
}

#[tokio::test]
async fn an_admin_changes_neither_their_own_role_nor_the_last_admin() {
    let Built { world, .. } = build(ADA).await;
    for command in [
        Command::UserGrant { uid: 1103, name: "u1103".to_owned(), role: Role::Viewer, clients: vec![] },
        Command::UserGrant { uid: 1103, name: "u1103".to_owned(), role: Role::Admin, clients: vec![client("alpha")] },
        Command::UserRevoke { uid: 1103 },
    ] {
        let outcome = outcome(&world, 1103, &command).await;
        assert_eq!(code(&outcome), 5, "{command:?}: {outcome:?}");
    }
    world.act(1103, Command::UserRevoke { uid: ADA }).await;
    let alone = Command::UserRevoke { uid: 1103 };
    assert_eq!(code(&outcome(&world, 1103, &alone).await), 5);
    assert_eq!(world.desk.ask(peer(ADA), Query::WhoAmI).await, Err(Problem::stranger()), "a role changes at once");
}

#[tokio::test]
async fn a_stranger_gets_the_strangers_answer_and_nothing_else() {
    let Built { world, alpha, .. } = build(ADA).await;
    let before = world.desk.store().anchor();
    let refusals = world.refusals().await;
    for uid in [0, 4242, 65_534, u32::MAX] {
        for (command, _) in cases(&alpha) {
            for mode in [Mode::Do, Mode::DryRun] {
                let told = world.desk.act(peer(uid), world.id(), command.clone(), mode).await;
                assert_eq!(told, Err(Problem::stranger()), "{uid} {command:?}");
            }
        }
        for query in [
            Query::WhoAmI,
            Query::UserList,
            Query::ClientList,
            Query::ClientShow { client: client("alpha") },
            Query::AccountList,
            Query::ExperimentList { client: None, all: true },
            Query::ExperimentShow { experiment: alpha.draft.clone() },
            Query::QueueList,
            Query::QueueShow { experiment: alpha.waiting.clone() },
            Query::LayerList,
            Query::PostList { experiment: None },
            Query::PostShow { post: alpha.doubt.clone() },
            Query::SnapshotList { experiment: None },
            Query::OutcomeShow { experiment: alpha.waiting.clone() },
            Query::ReplyList { all: true },
            Query::ReplyShow { conversation: alpha.conversation.clone() },
            Query::EscalationList { all: true },
            Query::EscalationShow { escalation: alpha.escalation.parse().unwrap() },
            Query::CheckinList { before: None },
            Query::CheckinShow { checkin: "01".to_owned() },
            Query::CheckinStatus { client: None },
            Query::Events { after: 0, limit: 500 },
            Query::Health,
            Query::Beat { session: 1, on: None },
            Query::StoreInfo,
        ] {
            assert_eq!(world.desk.ask(peer(uid), query.clone()).await, Err(Problem::stranger()), "{uid} {query:?}");
        }
    }
    assert_eq!((world.desk.store().anchor(), world.refusals().await), (before, refusals));
    let nobody = Command::UserGrant { uid: 65_534, name: "nobody".to_owned(), role: Role::Viewer, clients: vec![] };
    assert_eq!(world.refused(1103, nobody).await.rule, "people.nobody");
}

#[tokio::test]
async fn an_answer_is_remembered_for_a_day() {
    let world = World::small(HomeKind::Personal).await;
    let id = world.id();
    let pause = |why: &str| Command::Pause { target: Stoppable::Agency, reason: why.to_owned() };
    world.desk.act(peer(ADA), id, pause("one"), Mode::Do).await.unwrap();
    let head = world.desk.store().anchor();
    world.clock.advance(Span::hours(23).to_std());
    world.desk.act(peer(ADA), id, pause("two"), Mode::Do).await.unwrap();
    assert_eq!(world.desk.store().anchor(), head);
}
