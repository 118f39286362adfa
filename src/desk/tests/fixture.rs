//! A small agency in memory: people with roles, clients with accounts, briefs, and posts that can be driven by hand.
//!
//! Decided here: only the ground. The engine's part is played by putting its commands to posts, as it would; what a person
//! does goes through the desk. Time is moved by hand.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::{Clock, ManualClock};
use domain::account::{Account, AccountCommand, ConnectOutcome, Connection, Identity, Servers};
use domain::actor::{Actor, Person};
use domain::agency::{Agency, HomeKind};
use domain::brief::Platform;
use domain::engagement::{Conversation, ConversationCommand, Sighting};
use domain::experiment::{Experiment, ExperimentEvent};
use domain::hold::{Hold, HoldCause};
use domain::id::{AccountId, ClientId, CommandId, ConversationId, PostId};
use domain::post::{CommitOutcome, CommitPermit, Handle, Observation, Post, PostCommand, Repeat};
use domain::refusal::Refusal;
use domain::review::{LastReading, Reviewed};
use domain::role::{Role, Scope};
use domain::text::Untrusted;
use domain::time::{Span, UtcTime};
use domain::variant::RecordRef;
use store::evidence::Evidence;
use store::facts::{Surroundings, commit_facts};
use store::follow::{conversation_decide, post_decide};
use store::{Cause, Home, Open, RefusalRecord, Store};

use crate::query::{ExperimentView, PostView, Sheet};
use crate::{Answer, Command, Desk, Done, Mode, Peer, Problem, Query, Rules, SecretText};

/// The first admin, for all clients.
pub(super) const ADA: u32 = 1000;

/// The moment at which every story begins: a Monday morning.
pub(super) const START: &str = "2027-03-01T08:00:00Z";

/// A picture of 1200 by 800 pixels.
pub(super) const PICTURE: &[u8] = include_bytes!("../../../data/demo/assets/qub/inbox.png");

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::load(Path::new("/nowhere/at-all")).unwrap()));

pub(super) fn client(name: &str) -> ClientId {
    name.parse().unwrap()
}

pub(super) fn account(name: &str) -> AccountId {
    name.parse().unwrap()
}

pub(super) fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

pub(super) fn peer(uid: u32) -> Peer {
    Peer { uid }
}

/// An agency, its desk and its clock.
pub(super) struct World {
    pub(super) desk: Desk,
    pub(super) clock: ManualClock,
    /// Where the store is on a disk, its home; removed at the end.
    pub(super) home: Home,
    _folder: tempfile::TempDir,
}

impl World {
    /// An agency of one person, `ADA`, in memory.
    pub(super) async fn founded(kind: HomeKind) -> Self {
        let clock = manual();
        let store = Store::in_memory(Arc::new(clock.clone())).unwrap();
        let founding = founding(kind, &clock);
        store
            .write(Cause::new(Actor::from(&ada()), "init"), move |tx| Ok(tx.append::<Agency>(&(), vec![founding])?))
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        Self { desk: desk_of(&store, &home, &clock, None), clock, home, _folder: folder }
    }

    /// The same on a disk, with `ADA`'s uid as given.
    pub(super) fn on_disk(kind: HomeKind, how: Open) -> Self {
        let clock = manual();
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        let founding = founding(kind, &clock);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        Store::create(&home, founding, Cause::new(Actor::from(&ada()), "init"), Arc::clone(&shared)).unwrap();
        let store = Store::open(&home, how, shared).unwrap();
        Self { desk: desk_of(&store, &home, &clock, None), clock, home, _folder: folder }
    }

    /// An agency of one person with the client `alpha` and its account `alpha-bs`.
    pub(super) async fn small(kind: HomeKind) -> Self {
        let world = Self::founded(kind).await;
        world.client("alpha").await;
        world
    }

    /// The same desk, with an engine's sign of life.
    pub(super) fn with_beat(&self, beat: crate::Beat) -> Desk {
        desk_of(self.desk.store(), &self.home, &self.clock, Some(beat))
    }

    pub(super) fn now(&self) -> UtcTime {
        UtcTime::from(self.clock.wall())
    }

    pub(super) fn go_to(&self, moment: &str) {
        let by = time(moment).since(self.now());
        assert!(by.micros() >= 0, "{moment} is past");
        self.clock.advance(Duration::from_micros(u64::try_from(by.micros()).unwrap()));
    }

    pub(super) fn id(&self) -> CommandId {
        CommandId::new(self.now(), clock::fresh_bytes().unwrap())
    }

    pub(super) async fn try_as(&self, uid: u32, command: Command) -> Result<Done, Problem> {
        self.desk.act(peer(uid), self.id(), command, Mode::Do).await
    }

    pub(super) async fn act(&self, uid: u32, command: Command) -> Done {
        let shown = format!("{command:?}");
        self.try_as(uid, command).await.unwrap_or_else(|e| panic!("{shown}: {e}"))
    }

    /// Returns the refusal that a command must get.
    pub(super) async fn refused(&self, uid: u32, command: Command) -> Refusal {
        let shown = format!("{command:?}");
        match self.try_as(uid, command).await {
            Err(Problem::Refused(refusal)) => refusal,
            other => panic!("{shown}: {other:?}"),
        }
    }

    pub(super) async fn ask(&self, uid: u32, query: Query) -> Answer {
        self.desk.ask(peer(uid), query).await.unwrap()
    }

    pub(super) async fn grant(&self, uid: u32, role: Role, clients: &[&str]) {
        let clients = clients.iter().map(|c| client(c)).collect();
        self.act(ADA, Command::UserGrant { uid, name: format!("u{uid}"), role, clients }).await;
    }

    /// Takes a client on, with room for tests, and its account, connected.
    pub(super) async fn client(&self, name: &str) {
        let id = client(name);
        self.act(ADA, Command::ClientNew { client: id.clone(), name: format!("The {name}"), zone: "UTC".to_owned() })
            .await;
        self.act(ADA, Command::PolicyEdit { client: id, toml: policy("") }).await;
        self.connect(name, &format!("{name}-bs")).await;
    }

    pub(super) async fn connect(&self, owner: &str, name: &str) {
        self.act(ADA, connect_command(owner, name)).await;
        let (id, at) = (account(name), self.now());
        let identity = Identity {
            id: format!("did:plc:{name}"),
            handle: format!("{name}.example.com"),
            server: "https://pds.example.com".to_owned(),
        };
        self.engine(move |tx| {
            let known: Account = tx.load(&id)?;
            let Connection::Asked { at: asked } = known.connection else { panic!("nobody asked: {known:?}") };
            let outcome = ConnectOutcome::In { identity, at };
            let events = known.decide(AccountCommand::Settle { asked, outcome })?;
            Ok(tx.append::<Account>(&id, events)?)
        })
        .await;
    }

    /// Opens the escalation of a client's account whose login is lost.
    pub(super) async fn lose_login(&self, owner: &str) {
        let id = account(&format!("{owner}-bs"));
        self.engine(move |tx| {
            let known: Account = tx.load(&id)?;
            store::follow::escalate_account(tx, &known, "account.login-lost", "the session ended")
        })
        .await;
    }

    /// Does what an engine task would.
    pub(super) async fn engine<T: Send + 'static>(
        &self,
        function: impl FnOnce(&mut store::Tx<'_>) -> Result<T, store::Stop> + Send + 'static,
    ) -> T {
        self.desk.store().write(Cause::engine("test"), function).await.unwrap_or_else(|e| panic!("{e}"))
    }

    pub(super) async fn drive(&self, post: PostId, command: PostCommand) -> Post {
        self.engine(move |tx| Ok(post_decide(tx, post, command)?.0)).await
    }

    /// Makes an approved post ready, as the engine does.
    pub(super) async fn prepare(&self, post: PostId, repeat: Repeat) -> Post {
        let before = self.drive(post, PostCommand::BeginPrepare).await;
        let identity = format!("did:plc:{}", before.account);
        let handle = Handle {
            content: before.content,
            identity,
            token: "{}".to_owned(),
            key: format!("at://{}", post),
            expected: "bafy".to_owned(),
            repeat,
            expires: None,
        };
        self.drive(post, PostCommand::Prepared(Box::new(handle))).await
    }

    /// Asks for leave to send, as the engine does: one transaction over everything that could forbid it.
    pub(super) async fn try_commit(&self, post: PostId) -> Result<Vec<CommitPermit>, Refusal> {
        let around = Surroundings { packs: RULES.version.clone(), clock_hold: None };
        let asked = self.desk.store().write_with_permits(Cause::engine("launch"), move |tx| {
            let known: Post = tx.load(&post)?;
            let facts = commit_facts(tx, &known, &around)?;
            Ok(post_decide(tx, post, PostCommand::Commit(Box::new(facts)))?.0)
        });
        match asked.await {
            Ok((_, permits)) => Ok(permits),
            Err(store::WriteError::Refused(refusal)) => Err(refusal),
            Err(other) => panic!("{other}"),
        }
    }

    pub(super) async fn commit(&self, post: PostId) {
        let permits = self.try_commit(post).await.unwrap();
        assert_eq!(permits.iter().map(CommitPermit::post).collect::<Vec<_>>(), [post]);
    }

    pub(super) async fn end(&self, post: PostId, outcome: CommitOutcome) -> Post {
        self.drive(post, PostCommand::End { attempt: 1, at: self.now(), outcome }).await
    }

    /// Records what an experiment says now, whatever its stage.
    pub(super) async fn review(&self, code: &str) {
        let name = code.to_owned();
        self.engine(move |tx| {
            let experiment = tx.experiment_by_name(&Scope::All, &name)?.unwrap();
            let id = experiment.id;
            let client = tx.client(&experiment.client)?.unwrap();
            let evidence = Evidence::read(tx, experiment, client)?.with_pauses(tx)?;
            let surface = evidence.experiment.brief.as_ref().and_then(|brief| RULES.surfaces.get(&brief.surface));
            let made = Reviewed::make(&evidence.facts(surface), &evidence.beside(), LastReading::In)?;
            let reviewed = Box::new(made.unwrap());
            Ok(tx.append::<Experiment>(&id, vec![ExperimentEvent::ExperimentReviewed { reviewed }])?)
        })
        .await;
    }

    /// From approved to "we cannot tell": sent, no answer, and a look that could not say.
    pub(super) async fn leave_in_doubt(&self, post: PostId) {
        self.prepare(post, Repeat::Never).await;
        self.commit(post).await;
        self.end(post, CommitOutcome::InDoubt { why: "the line broke".to_owned() }).await;
        let (began, at) = (self.now(), self.now());
        let observation = Observation::CannotTell("the listing failed".to_owned());
        let after = self.drive(post, PostCommand::Look { attempt: 1, began, at, observation }).await;
        assert_eq!(after.state.word(), "unconfirmed");
    }

    /// Lets people write under a post, each one a comment in one thread, a minute apart.
    pub(super) async fn comment_on(&self, post: &Post, said: &[&str]) -> Conversation {
        let uri = format!("at://{}", post.id);
        let found: Vec<Sighting> = said
            .iter()
            .enumerate()
            .map(|(n, text)| Sighting {
                uri: format!("{uri}/{n}"),
                cid: format!("cid {n} {text}"),
                parent: uri.clone(),
                author: format!("did:plc:reader{n}"),
                handle: Untrusted::new(format!("reader{n}.example.com")),
                text: Untrusted::new(*text),
                at: self.now().plus(Span::minutes(i64::try_from(n).unwrap())),
                ours: false,
            })
            .collect();
        let known = self.desk.store().read({
            let post = post.id;
            move |view| view.conversations_of_post(post)
        });
        let (post, at) = (post.clone(), self.now());
        if let Some(known) = known.await.unwrap().into_iter().next() {
            let see = ConversationCommand::See { found, at };
            return self.engine(move |tx| conversation_decide(tx, known.id, see)).await;
        }
        let empty = Conversation {
            id: ConversationId::new(at, clock::fresh_bytes().unwrap()),
            client: post.client,
            account: post.account,
            experiment: post.experiment,
            post: post.id,
            variant: post.variant,
            letter: post.letter,
            root: RecordRef { uri: uri.clone(), cid: "cid of the post".to_owned() },
            began: format!("{uri}/0"),
            comments: Vec::new(),
            replies: Vec::new(),
            skipped: None,
        };
        let event = Conversation::open(empty.clone(), &found, at).unwrap();
        self.engine(move |tx| Ok(tx.append::<Conversation>(&empty.id, vec![event])?)).await
    }

    pub(super) async fn conversation(&self, id: ConversationId) -> Conversation {
        self.desk.store().read(move |view| view.conversation(id)).await.unwrap().unwrap()
    }

    pub(super) async fn hold_account(&self, name: &str, cause: HoldCause) {
        let (id, at) = (account(name), self.now());
        self.engine(move |tx| {
            let known: Account = tx.load(&id)?;
            let hold = Hold::new(cause, "engine", at, "too many failures");
            let events = known.decide(AccountCommand::Hold(hold))?;
            Ok(tx.append::<Account>(&id, events)?)
        })
        .await;
    }

    pub(super) async fn account(&self, name: &str) -> Account {
        let id = account(name);
        self.desk.store().read(move |view| view.account(&id)).await.unwrap().unwrap()
    }

    /// Takes a brief in and returns its code.
    pub(super) async fn brief(&self, uid: u32, brief: &BriefText) -> String {
        let done = self.act(uid, Command::BriefNew { toml: brief.toml() }).await;
        done.data["code"].as_str().unwrap().to_owned()
    }

    /// Takes a brief in whose posts all show `PICTURE`, and returns its code.
    pub(super) async fn pictured(&self, uid: u32, brief: &BriefText) -> String {
        let folder = self.home.assets(&client(&brief.client));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("inbox.png"), PICTURE).unwrap();
        let round = "[[exposure_plan.rounds]]\n";
        let with = format!("{round}assets = [{{ file = \"inbox.png\", alt = \"An inbox, nearly empty\" }}]\n");
        let done = self.act(uid, Command::BriefNew { toml: brief.toml().replace(round, &with) }).await;
        done.data["code"].as_str().unwrap().to_owned()
    }

    pub(super) async fn submitted(&self, uid: u32, brief: &BriefText) -> String {
        let code = self.brief(uid, brief).await;
        self.act(uid, Command::Submit { experiment: code.clone() }).await;
        code
    }

    pub(super) async fn sheet(&self, uid: u32, code: &str) -> Sheet {
        let answer = self.ask(uid, Query::QueueShow { experiment: code.to_owned() }).await;
        let Answer::Sheet(sheet) = answer else { panic!("{answer:?}") };
        *sheet
    }

    /// Approves what is shown now.
    pub(super) async fn approve(&self, uid: u32, code: &str) -> Done {
        let fingerprint = self.sheet(uid, code).await.fingerprint;
        self.act(uid, Command::Approve { experiment: code.to_owned(), fingerprint }).await
    }

    pub(super) async fn approved(&self, uid: u32, brief: &BriefText) -> String {
        let code = self.submitted(uid, brief).await;
        self.approve(uid, &code).await;
        code
    }

    pub(super) async fn show(&self, code: &str) -> ExperimentView {
        let answer = self.ask(ADA, Query::ExperimentShow { experiment: code.to_owned() }).await;
        let Answer::Experiment(view) = answer else { panic!("{answer:?}") };
        *view
    }

    pub(super) async fn post(&self, id: PostId) -> PostView {
        let answer = self.ask(ADA, Query::PostShow { post: id.to_string() }).await;
        let Answer::Post(view) = answer else { panic!("{answer:?}") };
        *view
    }

    /// Returns the posts of an experiment, by slot number.
    pub(super) async fn posts(&self, code: &str) -> Vec<Post> {
        let code = code.to_owned();
        let read = self.desk.store().read(move |view| {
            let found = view.experiment_by_name(&Scope::All, &code)?.unwrap();
            view.posts_of(found.id)
        });
        read.await.unwrap()
    }

    pub(super) async fn stored(&self, code: &str) -> Experiment {
        let code = code.to_owned();
        self.desk.store().read(move |view| view.experiment_by_name(&Scope::All, &code)).await.unwrap().unwrap()
    }

    pub(super) async fn refusals(&self) -> Vec<RefusalRecord> {
        self.desk.store().read(|view| view.refusals(&Scope::All, 100_000)).await.unwrap()
    }
}

fn manual() -> ManualClock {
    ManualClock::new(DateTime::parse_from_rfc3339(START).unwrap().with_timezone(&Utc))
}

fn ada() -> Person {
    Person { uid: ADA, name: "ada".to_owned(), role: Role::Admin, scope: Scope::All }
}

fn founding(kind: HomeKind, clock: &ManualClock) -> domain::agency::AgencyEvent {
    Agency::found(kind, ada(), UtcTime::from(clock.wall()))
}

fn desk_of(store: &Store, home: &Home, clock: &ManualClock, beat: Option<crate::Beat>) -> Desk {
    Desk::new(store.clone(), home.clone(), Arc::clone(&RULES), Arc::new(clock.clone()), beat)
}

/// A policy that leaves room: an hour between posts, many a day, from seven to twenty-one.
pub(super) fn policy(more: &str) -> String {
    format!("min_gap = \"30m\"\nmax_per_24h = 40\nposts_per_week = 200\ngrace = \"20m\"\n{more}\n")
}

pub(super) fn connect_command(owner: &str, name: &str) -> Command {
    Command::AccountConnect {
        account: account(name),
        client: client(owner),
        platform: Platform::Bluesky,
        handle: format!("{name}.example.com"),
        servers: Servers::default(),
        password: SecretText::new("correct-horse".to_owned()),
    }
}

/// A brief with two variants and two posts each, whose parts a test changes.
#[derive(Debug, Clone)]
pub(super) struct BriefText {
    pub(super) client: String,
    pub(super) account: String,
    pub(super) name: String,
    /// `2027-03-02`: its four slots are hours of this day.
    pub(super) day: String,
    pub(super) hours: [String; 4],
    pub(super) level: String,
    pub(super) lane: String,
    pub(super) hypothesis: String,
    pub(super) hook_a: String,
    pub(super) hook_b: String,
    pub(super) captions: Vec<String>,
}

impl BriefText {
    pub(super) fn new(client: &str, name: &str, day: &str) -> Self {
        Self {
            client: client.to_owned(),
            account: format!("{client}-bs"),
            name: name.to_owned(),
            day: day.to_owned(),
            hours: ["09:00", "10:00", "11:00", "11:45"].map(str::to_owned),
            level: "review".to_owned(),
            lane: "api".to_owned(),
            hypothesis: "A hook that asks raises replies, because people answer.".to_owned(),
            hook_a: format!("Do you know why {name} sings?"),
            hook_b: format!("Listen to {name} in the morning."),
            captions: vec![
                format!("The crust of {name} cools faster than the crumb inside."),
                format!("Rye holds its water, so {name} is baked low and long."),
            ],
        }
    }

    pub(super) fn toml(&self) -> String {
        let slots: Vec<String> = self.hours.iter().map(|hour| format!("\"{}T{hour}:00Z\"", self.day)).collect();
        let quote = |text: &str| serde_json::to_string(text).unwrap();
        let rounds: Vec<String> = self
            .captions
            .iter()
            .map(|caption| format!("[[exposure_plan.rounds]]\ncaption = {}\n", quote(caption)))
            .collect();
        format!(
            r#"
kind = "micro"
name = {name}
client = "{client}"
platforms = ["bluesky"]
surface = "bluesky_post"
hypothesis = {hypothesis}
variable_under_test = "hook"
approval_level = "{level}"
success_proxies = [{{ metric = "replyCount", direction = "up", age = "1h" }}, {{ metric = "repostCount", direction = "up", age = "1h" }}]
guardrails = [{{ signal = "publish_failures", limit = 2, action = "pause" }}]
stop_conditions = [{{ when = "any_breach" }}, {{ when = "failed_posts", limit = 2 }}, {{ when = "invalid" }}]
[run_window]
start = "{day}T07:00:00Z"
end = "{day}T20:00:00Z"
[exposure_plan]
account = "{account}"
lane = "{lane}"
posts_per_variant = 2
slots = [{slots}]
snapshot_ages = ["1h", "6h"]
settings = {{ langs = ["en"] }}
{rounds}
[control_variant]
hook = {hook_a}
[[test_variants]]
hook = {hook_b}
"#,
            name = quote(&self.name),
            client = self.client,
            hypothesis = quote(&self.hypothesis),
            level = self.level,
            day = self.day,
            account = self.account,
            lane = self.lane,
            slots = slots.join(", "),
            rounds = rounds.join(""),
            hook_a = quote(&self.hook_a),
            hook_b = quote(&self.hook_b),
        )
    }
}
