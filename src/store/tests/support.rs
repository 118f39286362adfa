//! An agency to test with: one client after another, each with an account, a house experiment and posts.

use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, ManualClock};
use domain::account::{Account, AccountEvent, Connection, Servers};
use domain::actor::{Actor, Person};
use domain::agency::{Agency, AgencyEvent, HomeKind};
use domain::approval::ApprovalLevel;
use domain::brief::{Platform, SurfaceId};
use domain::calendar::layer::{Layer, LayerEvent, LayerId};
use domain::client::{BrandKit, Client, ClientEvent, Policy};
use domain::escalation::{Escalation, EscalationEvent, Subject, Urgency};
use domain::experiment::{Experiment, ExperimentEvent, ExperimentKind, Stage, Writer};
use domain::hash::{ContentHash, Digest};
use domain::hold::Holds;
use domain::id::{AccountId, ClientId, CommandId, EscalationId, ExperimentId, PostId, VariantId};
use domain::post::{Attempt, Handle, Live, Post, PostEvent, PostKind, PostState, Repeat};
use domain::preflight::Level;
use domain::role::{Role, Scope};
use domain::snapshot::{Reading, Snapshot, SnapshotRow};
use domain::time::{SnapshotAge, Span, UtcTime, Window};
use domain::variant::{Facet, Lane};

use crate::{Cause, Home, Open, Store, StoreError, Tx};

pub(crate) fn manual() -> (ManualClock, Arc<dyn Clock>) {
    let clock = ManualClock::new(start().to_chrono());
    (clock.clone(), Arc::new(clock))
}

pub(crate) fn start() -> UtcTime {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

pub(crate) fn at(seconds: i64) -> UtcTime {
    start().plus(Span::seconds(seconds))
}

pub(crate) fn ada() -> Person {
    Person { uid: 1000, name: "ada".to_owned(), role: Role::Admin, scope: Scope::All }
}

pub(crate) fn by_ada(cause: &str) -> Cause {
    Cause::new(Actor::from(&ada()), cause)
}

pub(crate) fn founding() -> AgencyEvent {
    Agency::found(HomeKind::Personal, ada(), start())
}

pub(crate) fn command(n: u8) -> CommandId {
    CommandId::new(start(), [n; 10])
}

pub(crate) fn client_id(name: &str) -> ClientId {
    name.parse().unwrap()
}

pub(crate) fn account_id(client: &str) -> AccountId {
    format!("{client}-bs").parse().unwrap()
}

fn number(text: &str) -> [u8; 10] {
    let digest = Digest::of(text.as_bytes());
    std::array::from_fn(|i| digest.bytes()[i])
}

pub(crate) fn house_id(client: &str) -> ExperimentId {
    ExperimentId::new(start(), number(client))
}

pub(crate) fn post_id(client: &str, n: u32) -> PostId {
    PostId::new(start(), number(&format!("{client} {n}")))
}

pub(crate) fn client(name: &str) -> Client {
    Client {
        id: client_id(name),
        name: format!("The {name}"),
        zone: "Europe/London".parse().unwrap(),
        kit: BrandKit::default(),
        policy: Policy { near_duplicate: 0.1 + 0.2, ..Policy::default() },
        policy_version: 1,
        house: house_id(name),
        holds: Holds::default(),
    }
}

pub(crate) fn account(name: &str) -> Account {
    Account {
        id: account_id(name),
        client: client_id(name),
        platform: Platform::Bluesky,
        handle: format!("{name}.test"),
        servers: Servers::default(),
        identity: None,
        connection: Connection::Asked { at: start() },
        holds: Holds::default(),
        added: start(),
        alarms: Vec::new(),
        lost: Vec::new(),
        released: None,
        watched: Vec::new(),
    }
}

pub(crate) fn house(name: &str) -> Experiment {
    let writer = Writer { uid: 1000, name: "ada".to_owned() };
    Experiment {
        id: house_id(name),
        code: format!("{}-HOUSE", name.to_uppercase()),
        client: client_id(name),
        kind: ExperimentKind::House,
        author: writer.clone(),
        editor: writer,
        brief: None,
        variants: Vec::new(),
        findings: Vec::new(),
        level: Level { level: ApprovalLevel::Review, reasons: Vec::new() },
        plan: None,
        words: Vec::new(),
        stage: Stage::Running,
        holds: Holds::default(),
        created: start(),
        later: None,
        review: None,
        parent: None,
    }
}

/// A post `n` minutes after the start.
pub(crate) fn post(name: &str, n: u32) -> Post {
    let from = at(i64::from(n) * 60);
    Post {
        id: post_id(name, n),
        kind: PostKind::Post,
        experiment: house_id(name),
        client: client_id(name),
        account: account_id(name),
        surface: SurfaceId("bluesky_post".to_owned()),
        variant: VariantId::new(start(), number(name)),
        letter: 'A',
        round: 0,
        number: n,
        block: 0,
        lane: Lane::Api,
        window: Window { from, until: from.plus(Span::minutes(20)) },
        content: ContentHash(Digest::of(format!("{name} {n}").as_bytes())),
        duplicate_key: Digest::of(format!("{name} {n}").as_bytes()),
        repeat: false,
        approval: None,
        voided: None,
        attempts: Vec::new(),
        state: PostState::Planned { retry_at: None },
        altered_to: None,
        snapshots: Vec::new(),
        conversation: None,
    }
}

pub(crate) fn handle(post: &Post) -> Handle {
    Handle {
        content: post.content,
        identity: "did:plc:x".to_owned(),
        token: "{}".to_owned(),
        key: "3k".to_owned(),
        expected: "bafy".to_owned(),
        repeat: Repeat::Always,
        expires: None,
    }
}

/// The events that a post goes through when its request is recorded.
pub(crate) fn committing(post: &Post, tx: &Tx<'_>) -> Vec<PostEvent> {
    let attempt = Attempt {
        number: 1,
        handle: handle(post),
        epoch: tx.epoch(),
        started: tx.now(),
        ended: None,
        end: None,
        looks: 0,
        absent: false,
        last_look: None,
    };
    vec![
        PostEvent::PreparingBegun,
        PostEvent::PostPrepared { handle: Box::new(handle(post)) },
        PostEvent::PostCommitting { attempt: Box::new(attempt), facts: "none".to_owned() },
    ]
}

pub(crate) fn published(seconds: i64) -> PostEvent {
    let live = Live {
        id: "at://x".to_owned(),
        url: "https://bsky.test/x".to_owned(),
        digest: "bafy".to_owned(),
        at: at(seconds),
    };
    PostEvent::PostPublished { live, by: Actor::Engine }
}

pub(crate) fn snapshot(post: PostId, hours: i64) -> Snapshot {
    let row = |metric: &str, reading| SnapshotRow { metric: metric.to_owned(), reading };
    Snapshot {
        post,
        age: SnapshotAge(Span::hours(hours)),
        captured: at(3600 * hours),
        source: "public read at https://appview.test".to_owned(),
        rows: vec![
            row("likes", Reading::Value { value: 3.0 }),
            row("reposts", Reading::Missing { why: "not in the answer".to_owned() }),
            row("views", Reading::NotOffered),
            row("share", Reading::Value { value: 0.1 + 0.2 }),
        ],
    }
}

pub(crate) fn snapshot_event(snapshot: &Snapshot) -> PostEvent {
    let rows = u32::try_from(snapshot.rows.len()).unwrap();
    PostEvent::SnapshotTaken { age: snapshot.age, at: snapshot.captured, rows, digest: snapshot.digest() }
}

pub(crate) fn escalation(name: &str) -> Escalation {
    Escalation {
        id: EscalationId::new(start(), number(name)),
        client: client_id(name),
        subject: Subject::Account { account: account_id(name) },
        rule: "account.login".to_owned(),
        urgency: Urgency::High,
        what: "the login is lost".to_owned(),
        evidence: Vec::new(),
        answers: Vec::new(),
        owner: None,
        opened: start(),
        due: at(3600),
        later: None,
        end: None,
    }
}

pub(crate) fn layer_id(name: &str) -> LayerId {
    LayerId { client: client_id(name), surface: SurfaceId("bluesky_post".to_owned()), variable: Facet::Hook }
}

/// Adds a client with account, layer, house experiment, escalation and `posts` planned posts.
pub(crate) fn add_client(tx: &mut Tx<'_>, name: &str, posts: u32) -> Result<(), StoreError> {
    tx.append::<Client>(&client_id(name), vec![ClientEvent::ClientAdded { client: Box::new(client(name)) }])?;
    tx.append::<Account>(&account_id(name), vec![AccountEvent::AccountAdded { account: Box::new(account(name)) }])?;
    tx.append::<Layer>(&layer_id(name), vec![LayerEvent::LayerOpened { id: layer_id(name) }])?;
    tx.append::<Experiment>(
        &house_id(name),
        vec![ExperimentEvent::ExperimentCreated { experiment: Box::new(house(name)) }],
    )?;
    let opened = escalation(name);
    tx.append::<Escalation>(
        &opened.id,
        vec![EscalationEvent::EscalationOpened { escalation: Box::new(opened.clone()) }],
    )?;
    for n in 1..=posts {
        tx.append::<Post>(&post_id(name, n), vec![PostEvent::PostPlanned { post: Box::new(post(name, n)) }])?;
    }
    Ok(())
}

/// Publishes a post and takes its first snapshot.
pub(crate) fn go_out(tx: &mut Tx<'_>, name: &str, n: u32) -> Result<(), crate::Stop> {
    let id = post_id(name, n);
    let planned = tx.load::<Post>(&id)?;
    let mut events = committing(&planned, tx);
    events.push(published(i64::from(n) * 60 + 2));
    let taken = snapshot(id, 1);
    events.push(snapshot_event(&taken));
    tx.append::<Post>(&id, events)?;
    tx.put_snapshot(&taken)?;
    Ok(())
}

/// A home on disk, founded, with a folder that goes away with it.
pub(crate) struct Founded {
    pub(crate) home: Home,
    pub(crate) clock: ManualClock,
    _folder: tempfile::TempDir,
}

impl Founded {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        let (clock, shared) = manual();
        Store::create(&home, founding(), by_ada("init"), shared).unwrap();
        Self { home, clock, _folder: folder }
    }

    pub(crate) fn open(&self, how: Open) -> Store {
        patiently(|| self.try_open(how))
    }

    pub(crate) fn try_open(&self, how: Open) -> Result<Store, StoreError> {
        Store::open(&self.home, how, Arc::new(self.clock.clone()))
    }

    /// Changes the closed file behind the program's back, triggers out of the way.
    pub(crate) fn tamper(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.home.db()).unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = OFF; DROP TRIGGER event_never_edited; DROP TRIGGER event_never_deleted;
                 DROP TRIGGER refusal_never_edited; DROP TRIGGER refusal_never_deleted;",
            )
            .unwrap();
        connection.execute_batch(sql).unwrap();
        connection.close().unwrap();
    }
}

pub(crate) async fn in_memory() -> (Store, ManualClock) {
    let (clock, shared) = manual();
    let store = Store::in_memory(shared).unwrap();
    store.write(by_ada("init"), |tx| Ok(tx.append::<Agency>(&(), vec![founding()])?)).await.unwrap();
    (store, clock)
}

pub(crate) async fn with_clients(store: &Store, names: &'static [&'static str], posts: u32) {
    store
        .write(by_ada("add"), move |tx| {
            for name in names {
                add_client(tx, name, posts)?;
            }
            Ok(())
        })
        .await
        .unwrap();
}

pub(crate) fn later(clock: &ManualClock, seconds: u64) {
    clock.advance(Duration::from_secs(seconds));
}

/// Opens a store that a child of another test may hold for the moment between its fork and its exec, in which it has every
/// descriptor of this process and so its locks.
pub(crate) fn patiently(open: impl Fn() -> Result<Store, StoreError>) -> Store {
    for _ in 0..5_000 {
        match open() {
            Err(StoreError::Owned { .. }) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
    open().unwrap()
}
