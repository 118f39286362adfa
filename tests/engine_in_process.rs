//! Desk, engine and adapter in one process, on Bluesky's own servers: a brief becomes posts, each once.

mod support;

use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, RealClock, Seeds};
use desk::query::Sheet;
use desk::{Answer, Command, Desk, Done, Mode, Peer, Query, Rules, SecretText};
use domain::account::Servers;
use domain::agency::HomeKind;
use domain::brief::Platform;
use domain::id::CommandId;
use domain::time::{Span, UtcTime};
use engine::Engine;
use store::{Home, Open, Store};
use support::bluesky::Network;

struct Agency {
    desk: Desk,
    engine: Engine,
    clock: Arc<dyn Clock>,
    _folder: tempfile::TempDir,
}

fn me() -> Peer {
    Peer { uid: rustix::process::geteuid().as_raw() }
}

impl Agency {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        let clock: Arc<dyn Clock> = Arc::new(RealClock);
        desk::local::init(&home, HomeKind::Personal, Arc::clone(&clock)).unwrap();
        let store = Store::open(&home, Open::Owner, Arc::clone(&clock)).unwrap();
        let rules = Arc::new(Rules::load(&home.config().join("rules")).unwrap());
        let engine = Engine::new(store.clone(), home.clone(), Arc::clone(&clock), rules.version.clone(), Seeds::new(7));
        let desk = Desk::new(store, home, rules, Arc::clone(&clock), None);
        Self { desk, engine, clock, _folder: folder }
    }

    fn now(&self) -> UtcTime {
        UtcTime::from(self.clock.wall())
    }

    async fn act(&self, command: Command) -> Done {
        let id = CommandId::new(self.now(), clock::fresh_bytes().unwrap());
        self.desk.act(me(), id, command, Mode::Do).await.unwrap_or_else(|e| panic!("{e}"))
    }

    async fn ask(&self, query: Query) -> Answer {
        self.desk.ask(me(), query).await.unwrap()
    }

    async fn sheet(&self, experiment: &str) -> Sheet {
        match self.ask(Query::QueueShow { experiment: experiment.to_owned() }).await {
            Answer::Sheet(sheet) => *sheet,
            other => panic!("{other:?}"),
        }
    }
}

const POLICY: &str = r#"
allow_private_hosts = true
min_gap = "1s"
max_per_24h = 50
grace = "5m"
prepare_lead = "60s"
earliest_counts = "1s"
"#;

#[test]
fn a_brief_becomes_posts_each_once() {
    let network = Network::shared();
    let account = network.account("rye-bakery");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let agency = Agency::new();
    runtime.block_on(async {
        let client: domain::id::ClientId = "rye".parse().unwrap();
        agency.act(Command::ClientNew { client: client.clone(), name: "Rye Bakery".to_owned(), zone: "UTC".to_owned() }).await;
        agency.act(Command::PolicyEdit { client: client.clone(), toml: POLICY.to_owned() }).await;
        let engine = agency.engine.clone();
        let running = tokio::spawn(async move { engine.run().await });
        agency
            .act(Command::AccountConnect {
                account: "rye-bs".parse().unwrap(),
                client,
                platform: Platform::Bluesky,
                handle: account.handle.clone(),
                servers: Servers { pds: Some(network.pds().to_owned()), appview: Some(network.appview().to_owned()), plc: Some(network.plc().to_owned()) },
                password: SecretText::new(account.app_password.clone()),
            })
            .await;
        wait("connected", || async {
            match agency.ask(Query::AccountList).await {
                Answer::Accounts(all) => {
                    eprintln!("{:?}", all[0].connection);
                    matches!(all[0].connection, domain::account::Connection::Connected { .. })
                }
                other => panic!("{other:?}"),
            }
        })
        .await;
        let start = agency.now().plus(Span::seconds(6));
        let slots: Vec<String> = (0..6).map(|n| format!("\"{}\"", start.plus(Span::seconds(n * 3)))).collect();
        let toml = format!(
            r#"
kind = "micro"
name = "Ask or tell"
client = "rye"
platforms = ["bluesky"]
surface = "bluesky_post"
hypothesis = "A hook that asks raises replies at 20 s, because people answer."
variable_under_test = "hook"
approval_level = "review"
success_proxies = [{{ metric = "replyCount", direction = "up", age = "4s" }}, {{ metric = "repostCount", direction = "up", age = "4s" }}]
guardrails = [{{ signal = "publish_failures", limit = 2, action = "pause" }}]
stop_conditions = [{{ when = "any_breach" }}, {{ when = "failed_posts", limit = 2 }}, {{ when = "invalid" }}]
[run_window]
start = "{}"
end = "{}"
[exposure_plan]
account = "rye-bs"
posts_per_variant = 3
slots = [{}]
snapshot_ages = ["4s", "8s"]
settings = {{ langs = ["en"] }}
[[exposure_plan.rounds]]
caption = "The crust cools faster than the crumb."
[[exposure_plan.rounds]]
caption = "Rye holds its water, so it bakes low."
[[exposure_plan.rounds]]
caption = "Seeds soaked overnight, that is the trick."
[control_variant]
hook = "Do you know why a loaf sings?"
[[test_variants]]
hook = "Listen to the oven."
"#,
            agency.now(),
            agency.now().plus(Span::minutes(5)),
            slots.join(", ")
        );
        let done = agency.act(Command::BriefNew { toml }).await;
        eprintln!("{:#?}", done.lines);
        let code = done.data["code"].as_str().unwrap().to_owned();
        let done = agency.act(Command::Submit { experiment: code.clone() }).await;
        eprintln!("{:#?}", done.lines);
        let sheet = agency.sheet(&code).await;
        let done = agency.act(Command::Approve { experiment: code.clone(), fingerprint: sheet.fingerprint[..8].to_owned() }).await;
        eprintln!("{:#?}", done.lines);
        wait("reviewing", || async {
            match agency.ask(Query::ExperimentShow { experiment: code.clone() }).await {
                Answer::Experiment(e) => {
                    let words: Vec<String> = e.posts.iter().map(|p| p.state.clone()).collect();
                    eprintln!("{} {words:?}", e.line.stage);
                    for beat in agency.engine.beats() {
                        if let Some(error) = beat.error {
                            eprintln!("   {} {error}", beat.task);
                        }
                    }
                    e.line.stage.word() == "reviewing"
                }
                other => panic!("{other:?}"),
            }
        })
        .await;
        let Answer::Snapshots(snapshots) = agency.ask(Query::SnapshotList { experiment: Some(code) }).await else { panic!() };
        assert_eq!(snapshots.len(), 12);
        agency.engine.stop();
        running.await.unwrap().unwrap();
    });
    let records = network.list_records(&account.did);
    assert_eq!(records.len(), 6);
}

async fn wait<F: Future<Output = bool>>(what: &str, mut done: impl FnMut() -> F) {
    for _ in 0..90 {
        if done().await {
            return;
        }
        RealClock.sleep_until(RealClock.wall() + chrono::TimeDelta::from_std(Duration::from_millis(700)).unwrap()).await;
    }
    panic!("not {what} in time");
}
