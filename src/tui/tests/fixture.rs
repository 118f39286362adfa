//! A small agency on a Monday morning, as the desk would tell of it.
//!
//! Decided here: the ground that every screen is drawn from. Ids, times and texts are fixed, so that the same screen comes
//! out each time. The desk's part is played by answering questions from what stands here.

use std::collections::BTreeMap;

use desk::presence::Present;
use desk::query::{
    AccountView, AccountWhole, ClientView, EventLine, ExperimentLine, ExperimentView, Health, LaneHealth, LayerView,
    LearningView, OutcomeView, PictureView, PostLine, PostView, QueueLine, ReviewView, Sheet, SheetPost, SnapshotView,
    TaskHealth, UserView, Verdict,
};
use desk::rounds::{NextRound, RoundView, Signature};
use desk::{Answer, Command, Done, Problem};
use domain::account::{Connection, Identity, Servers, Watch};
use domain::actor::Actor;

use domain::approval::{ApprovalLevel, Binding, PolicyVersion, fingerprint};
use domain::brief::{self, Platform};
use domain::calendar::layer::Tenure;
use domain::checkin::{Checkin, Deeds, Left, LeftOf, Named, OpenAlert, Round, Shown, Step};
use domain::client::{BrandKit, Policy};
use domain::escalation::{Escalation, Subject, Urgency};
use domain::experiment::Stage;
use domain::experiment::later::Later;
use domain::guardrail::{Alarm, Signal};
use domain::hash::Digest;
use domain::hold::{Hold, HoldCause};
use domain::id::{AccountId, CheckinId, ClientId, EscalationId, ExperimentId, PostId, VariantId};
use domain::learning::Retraction;
use domain::outcome::Outcome;
use domain::post::PostState;
use domain::preflight::{Level, Severity, digest};
use domain::refusal::{Refusal, RefusalKind};
use domain::review::Signature as Word;
use domain::role::{Role, Scope};
use domain::snapshot::{Reading, Snapshot, SnapshotRow};
use domain::time::{SnapshotAge, Span, UtcTime, Window, Zone};
use domain::variant::{Asset, Lane, Variant};
use serde_json::json;

use super::items::{Item, brief_toml, items};
use crate::message::Ask;

/// The moment at which every story begins.
pub(super) const NOW: &str = "2026-11-23T08:45:00Z";

pub(super) fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn id(number: u8) -> ExperimentId {
    ExperimentId::new(time("2026-11-20T09:00:00Z"), [number; 10])
}

/// What the desk would tell.
#[derive(Debug, Clone)]
pub(super) struct Agency {
    pub(super) me: UserView,
    pub(super) users: Vec<UserView>,
    pub(super) clients: Vec<ClientView>,
    pub(super) accounts: Vec<AccountView>,
    pub(super) experiments: BTreeMap<ExperimentId, ExperimentView>,
    pub(super) sheets: BTreeMap<ExperimentId, Sheet>,
    pub(super) escalations: Vec<Escalation>,
    pub(super) layers: Vec<LayerView>,
    pub(super) health: Health,
    pub(super) events: Vec<EventLine>,
    pub(super) snapshots: Vec<SnapshotView>,
    /// What experiments say, by code.
    pub(super) outcomes: BTreeMap<String, Outcome>,
    /// What reviews found, by code.
    pub(super) reviews: BTreeMap<String, ReviewView>,
    pub(super) learnings: Vec<LearningView>,
    /// Who signed the round, and what was done until then.
    pub(super) signed: Option<Signature>,
    pub(super) signed_round: Round,
    /// Rounds of the days before.
    pub(super) checkins: Vec<Checkin>,
    pub(super) done: Deeds,
    /// What is put off, until when.
    pub(super) later: BTreeMap<ExperimentId, Later>,
    /// On which day the rounds are that the desk speaks of.
    pub(super) today: UtcTime,
    /// Who else has a dashboard open.
    pub(super) people: Vec<Present>,
    /// When the next round begins.
    pub(super) next_round: UtcTime,
    /// Why no picture comes.
    pub(super) picture_trouble: Option<&'static str>,
}

/// A picture as the desk keeps it, by its name.
fn picture(asset: &brief::AssetRef) -> Asset {
    let file = asset.file.raw();
    let (width, height) = if file == "bench.jpg" { (1_200, 900) } else { (1_080, 1_350) };
    Asset {
        facet: asset.facet,
        file: asset.file.clone(),
        digest: Digest::of(file.as_bytes()),
        mime: if file.ends_with("png") { "image/png" } else { "image/jpeg" }.to_owned(),
        bytes: 312_044,
        width,
        height,
        alt: asset.alt.clone(),
        has_gps: false,
    }
}

/// The colour of a pixel of every picture here: redder to the right, greener further down.
pub(super) fn pixel(x: usize, y: usize) -> [u8; 3] {
    [u8::try_from(x % 60 * 4).unwrap(), u8::try_from(y % 60 * 4).unwrap(), 90]
}

fn small(asked: &crate::Picture) -> PictureView {
    let (width, height) = (usize::from(asked.width), usize::from(asked.height));
    let all = (0..height).flat_map(|y| (0..width).map(move |x| pixel(x, y)));
    let pixels = all.flatten().map(|byte| format!("{byte:02x}")).collect();
    PictureView { digest: asked.digest, width: asked.width, height: asked.height, pixels }
}

fn client(id: &str, name: &str, zone: &str, regulated: bool, house: u8) -> ClientView {
    ClientView {
        id: id.parse().unwrap(),
        name: name.to_owned(),
        zone: zone.to_owned(),
        kit: BrandKit::default(),
        policy: Policy { regulated, min_gap: Span::hours(3), max_per_24h: 8, ..Policy::default() },
        policy_version: 12,
        house: self::id(house),
        holds: Vec::new(),
    }
}

fn account(client: &str, handle: &str) -> AccountView {
    AccountView {
        id: format!("{client}-bs").parse().unwrap(),
        client: client.parse().unwrap(),
        platform: Platform::Bluesky,
        handle: handle.to_owned(),
        servers: Servers::default(),
        identity: Some(Identity {
            id: format!("did:plc:{client}"),
            handle: handle.to_owned(),
            server: "https://pds.example".to_owned(),
        }),
        connection: Connection::Connected { at: time("2026-11-20T09:00:00Z") },
        holds: Vec::new(),
        watched: Vec::new(),
    }
}

fn zone_of(client: &ClientId) -> Zone {
    if client.as_str() == "qub" { "Australia/Sydney".parse().unwrap() } else { "Europe/London".parse().unwrap() }
}

pub(super) fn user(uid: u32, name: &str, role: Role) -> UserView {
    UserView { uid, name: name.to_owned(), role, clients: None }
}

fn health() -> Health {
    let task = |name: &str, next: Option<&str>| TaskHealth {
        name: name.to_owned(),
        since: None,
        last: Some(time("2026-11-23T08:44:57Z")),
        next: next.map(time),
        steps: 118,
        error: None,
    };
    Health {
        verdict: Verdict::Well,
        lines: vec!["well".to_owned()],
        pid: 4_117,
        epoch: 41,
        now: Some(time(NOW)),
        tasks: vec![
            task("connect", None),
            task("launch", Some("2026-11-23T12:20:00Z")),
            task("settle", None),
            task("verify", None),
            task("collect", Some("2026-11-23T09:10:00Z")),
            task("tend", Some("2026-11-23T08:46:00Z")),
        ],
        head: 1_204,
        holds: Vec::new(),
    }
}

pub(super) fn alert() -> Escalation {
    Escalation {
        id: EscalationId::new(time("2026-11-23T08:12:00Z"), [118; 10]),
        client: "qub".parse().unwrap(),
        subject: Subject::Post { post: PostId::new(time("2026-11-20T09:00:00Z"), [9; 10]), experiment: id(9) },
        rule: "post.unconfirmed".to_owned(),
        urgency: Urgency::High,
        what: "Nobody can tell whether post B2 of QUB-009 is out.".to_owned(),
        evidence: vec!["08:10 no answer after the last byte".to_owned(), "08:12 six looks, none could tell".to_owned()],
        answers: vec!["it is live: give its address".to_owned(), "it is not live: a reviewer says so".to_owned()],
        owner: None,
        opened: time("2026-11-23T08:12:00Z"),
        due: time("2026-11-23T12:12:00Z"),
        later: None,
        end: None,
    }
}

/// A stopped account, with somebody who has it.
pub(super) fn breach() -> Escalation {
    Escalation {
        id: EscalationId::new(time("2026-11-22T21:14:00Z"), [121; 10]),
        client: "crm".parse().unwrap(),
        subject: Subject::Account { account: "crm-bs".parse().unwrap() },
        rule: "account.platform-warning".to_owned(),
        urgency: Urgency::Critical,
        what: "account crm-bs is stopped: platform warning".to_owned(),
        evidence: vec![
            "2026-11-22T21:14:00Z: labelled !warn by moderation.example".to_owned(),
            "2 unsent posts are parked: CRM-015 2".to_owned(),
        ],
        answers: vec![
            "stay stopped, and ask the client what the platform told them: nothing goes out, slots that pass are missed \
             (advised: nothing shows that it is over)"
                .to_owned(),
            "expos account resume crm-bs --reason TEXT: what is parked goes out again at its slots, after the guards looked anew"
                .to_owned(),
            "expos experiment stop CRM-015 --reason TEXT: ends it early, its unsent posts are cancelled".to_owned(),
        ],
        owner: Some("tomas".to_owned()),
        opened: time("2026-11-22T21:14:00Z"),
        due: time("2026-11-22T21:44:00Z"),
        later: None,
        end: None,
    }
}

fn event(n: u64, at: &str, stream: String, event: &str, actor: &str) -> EventLine {
    EventLine {
        n,
        at: time(at),
        stream,
        event: event.to_owned(),
        actor: actor.to_owned(),
        cause: "test".to_owned(),
        payload: json!({}),
    }
}

impl Agency {
    /// Mia's morning: three clean items and one for two persons, nothing on fire.
    pub(super) fn monday() -> Self {
        let mut agency = Self {
            me: user(1000, "mia", Role::Reviewer),
            users: vec![
                user(1000, "mia", Role::Reviewer),
                user(1001, "tomas", Role::Operator),
                user(1002, "ada", Role::Admin),
            ],
            clients: vec![
                client("crm", "Crumb & Cinder", "Europe/London", false, 200),
                client("pnw", "Pennywell", "Europe/London", true, 201),
                client("qub", "Queuebird", "Australia/Sydney", false, 202),
            ],
            accounts: vec![
                account("crm", "crumbandcinder.example"),
                account("pnw", "pennywell.example"),
                account("qub", "queuebird.example"),
            ],
            experiments: BTreeMap::new(),
            sheets: BTreeMap::new(),
            escalations: Vec::new(),
            layers: Vec::new(),
            health: health(),
            events: Vec::new(),
            snapshots: Vec::new(),
            outcomes: BTreeMap::from([("CRM-015".to_owned(), super::outcome::unripe())]),
            reviews: BTreeMap::new(),
            learnings: Vec::new(),
            signed: None,
            signed_round: Round::Morning,
            checkins: Vec::new(),
            done: Deeds::default(),
            later: BTreeMap::new(),
            today: time(NOW),
            people: Vec::new(),
            next_round: time("2026-11-23T10:00:00Z"),
            picture_trouble: None,
        };
        for item in items() {
            agency.add(item);
        }
        agency.add_running();
        agency.add_over();
        agency.events = vec![
            event(1_201, "2026-11-22T16:02:11Z", format!("experiment/{}", id(10)), "experiment_submitted", "tomas"),
            event(1_202, "2026-11-22T16:03:40Z", format!("experiment/{}", id(18)), "experiment_submitted", "tomas"),
            event(1_203, "2026-11-23T08:10:02Z", format!("experiment/{}", id(15)), "word_given", "ada"),
            event(1_204, "2026-11-23T08:30:00Z", "account/qub-bs".to_owned(), "account_seen", "engine"),
        ];
        agency
    }

    /// Adds an item that waits for a word.
    pub(super) fn add(&mut self, item: Item) {
        let brief = brief::read(&item.toml).unwrap_or_else(|p| panic!("{}: {p:?}", item.code));
        let experiment = id(item.number);
        let client: ClientId = brief.client.clone();
        let account: AccountId = brief.exposure_plan.account.clone();
        let zone = zone_of(&client);
        let contents = brief.contents(&|asset| Some(picture(asset))).unwrap();
        let mut posts = Vec::new();
        for ((letter, round, slot), number) in item.plan.iter().zip(1_u8..) {
            let variant = usize::try_from(u32::from(*letter) - u32::from('A')).unwrap();
            let content = &contents[variant][usize::try_from(*round - 1).unwrap()];
            let slot = time(slot);
            let line = PostLine {
                id: PostId::new(time("2026-11-20T09:00:00Z"), [item.number ^ (number * 37); 10]),
                experiment: item.code.to_owned(),
                letter: *letter,
                round: *round,
                number: u32::from(number),
                block: 1,
                account: account.clone(),
                slot,
                local: slot.in_zone(zone),
                state: "planned".to_owned(),
                approved: false,
                voided: None,
                url: None,
                uri: None,
                cid: None,
                attempts: 0,
                lane: brief.exposure_plan.lane,
                since: None,
                why: None,
            };
            let binding = Binding {
                content: content.hash(),
                account: account.clone(),
                identity: format!("did:plc:{client}"),
                lane: brief.exposure_plan.lane,
                window: Window { from: slot, until: slot.plus(Span::minutes(20)) },
                policy: PolicyVersion { policy: 12, packs: "3f0a".to_owned() },
            };
            posts.push(SheetPost { line, text: content.text(), assets: content.assets.clone(), binding });
        }
        let line = ExperimentLine {
            id: experiment,
            code: item.code.to_owned(),
            client: client.clone(),
            kind: "micro".to_owned(),
            name: brief.name.raw().to_owned(),
            stage: Stage::AwaitingApproval,
            status: "draft".to_owned(),
            out: 0,
            planned: u32::try_from(posts.len()).unwrap(),
            next: posts.first().map(|post| post.line.slot),
        };
        let level = Level { level: item.level, reasons: vec!["the brief asks for it".to_owned()] };
        let text = brief::write(&brief);
        let variants = contents
            .into_iter()
            .zip('A'..)
            .map(|(rounds, letter)| Variant {
                id: VariantId::new(time("2026-11-20T09:00:00Z"), [item.number; 10]),
                letter,
                revision: 1,
                rounds,
            })
            .collect();
        let bound: Vec<(PostId, Binding)> = posts.iter().map(|p| (p.line.id, p.binding.clone())).collect();
        let print = fingerprint(&bound, digest(&item.findings), std::slice::from_ref(&text));
        let layer = format!("{client}/{}/{}", brief.surface, brief.variable_under_test);
        self.experiments.insert(
            experiment,
            ExperimentView {
                line: line.clone(),
                brief: Some(text.clone()),
                variants,
                findings: item.findings.clone(),
                level: level.clone(),
                author: "tomas".to_owned(),
                editor: "tomas".to_owned(),
                layer: Some(layer.clone()),
                seed: Some(4_711),
                words: Vec::new(),
                holds: Vec::new(),
                guardrails: Vec::new(),
                posts: posts.iter().map(|post| post.line.clone()).collect(),
                parent: None,
                child: None,
                decision: None,
            },
        );
        let last = posts.iter().map(|post| post.line.slot).max().unwrap();
        let window = Window { from: posts[0].line.slot, until: last.plus(Span::hours(24)) };
        self.layers.push(LayerView { layer, tenures: vec![Tenure { experiment, code: item.code.to_owned(), window }] });
        self.sheets.insert(
            experiment,
            Sheet {
                line,
                fingerprint: print.to_string(),
                brief: text,
                posts,
                findings: item.findings,
                level,
                needed: item.needed,
                words: Vec::new(),
                notes: Vec::new(),
            },
        );
    }

    /// A morning with two alerts: a post in doubt, and an account that a warning stopped.
    pub(super) fn alarmed() -> Self {
        let mut agency = Self::monday();
        let hold = Hold::breach(
            Signal::PlatformWarning,
            time("2026-11-22T21:14:00Z"),
            "platform warning: labelled !warn by moderation.example",
        );
        for account in &mut agency.accounts {
            if account.id.as_str() == "crm-bs" {
                account.holds.push(hold.clone());
            }
        }
        let mut sibling = account("crm", "crumbandcinder@social.example");
        sibling.id = "crm-ma".parse().unwrap();
        sibling.platform = Platform::Mastodon;
        sibling.watched = vec![Watch {
            of: "crm-bs".parse().unwrap(),
            why: "platform warning: labelled !warn by moderation.example".to_owned(),
            at: time("2026-11-22T21:14:00Z"),
        }];
        agency.accounts.push(sibling);
        for account in &mut agency.accounts {
            if account.id.as_str() == "pnw-bs" {
                account.connection = Connection::Reconnect { why: "the password is no longer good".to_owned() };
            }
        }
        agency.escalations = vec![alert(), breach()];
        agency
    }

    /// The end of a day: one experiment is all in and has a winner, one is not comparable, one is being measured.
    pub(super) fn evening() -> Self {
        let mut agency = Self::monday();
        let mut all_in = agency.experiments[&id(8)].clone();
        all_in.line.stage = Stage::Reviewing;
        all_in.line.status = "running".to_owned();
        let mut invalid = all_in.clone();
        invalid.line.id = id(7);
        invalid.line.code = "QUB-007".to_owned();
        invalid.line.name = "Two-word hooks".to_owned();
        invalid.line.stage = Stage::Invalid { why: "B went out five hours later than A".to_owned() };
        agency.outcomes.insert("QUB-008".to_owned(), super::outcome::won());
        agency.outcomes.insert("QUB-007".to_owned(), super::outcome::invalid());
        let post = all_in.posts[0].id;
        let snapshot = |number: u32, letter: char, hours: i64, value: f64| SnapshotView {
            experiment: "QUB-008".to_owned(),
            letter,
            number,
            snapshot: Snapshot {
                post,
                age: SnapshotAge(Span::hours(hours)),
                captured: time("2026-11-22T12:00:00Z"),
                source: "public read".to_owned(),
                rows: vec![SnapshotRow { metric: "replyCount".to_owned(), reading: Reading::Value { value } }],
            },
        };
        for (hours, a, b) in [(1, 1.0, 1.0), (6, 3.0, 5.0), (24, 7.0, 12.0), (72, 8.0, 15.0)] {
            agency.snapshots.extend([snapshot(1, 'A', hours, a), snapshot(2, 'B', hours, b)]);
            agency.snapshots.extend([snapshot(3, 'A', hours, a + 1.0), snapshot(4, 'B', hours, b + 2.0)]);
        }
        agency.experiments.insert(id(8), all_in);
        agency.experiments.insert(id(7), invalid);
        for (code, outcome) in [("QUB-008", super::outcome::won()), ("QUB-007", super::outcome::invalid())] {
            let review = super::remembered::review(&agency, code, outcome);
            agency.reviews.insert(code.to_owned(), review);
        }
        agency.learnings = super::remembered::learnings(&agency);
        agency
    }

    /// A note that was left with the last signature of the day before.
    pub(super) fn with_note(mut self) -> Self {
        let zone: Zone = "Europe/Lisbon".parse().unwrap();
        let at = time("2026-11-22T17:20:00Z");
        self.checkins = vec![Checkin {
            id: CheckinId::new(at, [3; 10]),
            round: Round::EndOfDay,
            date: zone.local(at).date,
            zone,
            covers: Scope::All,
            by: domain::experiment::Writer { uid: 1002, name: "ada".to_owned() },
            at,
            looked: Vec::new(),
            done: Deeds::default(),
            left: Vec::new(),
            alerts: Vec::new(),
            used_s: 300,
            note: "Pennywell's range copy is new, read it all".to_owned(),
            log: 1_100,
        }];
        self
    }

    /// The alert is about the post in doubt that runs today.
    pub(super) fn doubting() -> Self {
        let mut agency = Self::monday();
        let running = &agency.experiments[&id(15)];
        let (post, experiment) = (running.posts[1].id, running.line.id);
        agency.escalations = vec![Escalation {
            client: "crm".parse().unwrap(),
            subject: Subject::Post { post, experiment },
            what: "B 2 of CRM-015: we cannot tell whether it is out: no answer".to_owned(),
            ..alert()
        }];
        agency
    }

    /// The same morning with pictures: one that all variants of an item share, and one for each variant of another.
    pub(super) fn pictured() -> Self {
        let mut agency = Self::monday();
        let mut shared = items().remove(0);
        let alt = "A country loaf with five cuts on a wooden bench";
        shared.toml = shared.toml.replace(
            "hashtags = \"#sourdough\"",
            &format!("hashtags = \"#sourdough\"\nassets = [{{ file = \"bench.jpg\", alt = \"{alt}\" }}]"),
        );
        let texts = r#"
[control_variant]
caption = "Saturday's loaf."
assets = [{ file = "face.jpg", alt = "A baker looks into the lens" }]
[[test_variants]]
caption = "Saturday's loaf."
assets = [{ file = "loaf.png", alt = "The loaf alone, cut" }]
"#;
        let hypothesis = "A face brings more replies than the loaf alone, because one knows her.";
        let differing = Item {
            number: 19,
            code: "CRM-019",
            toml: brief_toml("crm", "Face or loaf?", hypothesis, "format", 1, texts),
            plan: vec![('A', 1, "2026-11-23T16:00:00Z"), ('B', 1, "2026-11-26T16:00:00Z")],
            findings: Vec::new(),
            level: ApprovalLevel::Review,
            needed: 1,
        };
        agency.layers.retain(|layer| !layer.layer.starts_with("crm/"));
        agency.add(shared);
        agency.add(differing);
        agency
    }

    /// One that runs: a post out, one in doubt, two to come.
    fn add_running(&mut self) {
        let experiment = id(15);
        let mut template = self.experiments[&id(10)].clone();
        template.line.id = experiment;
        template.line.code = "CRM-015".to_owned();
        template.line.client = "crm".parse().unwrap();
        template.line.name = "Steam or silence".to_owned();
        template.line.stage = Stage::Running;
        template.line.status = "running".to_owned();
        template.line.out = 1;
        template.line.next = Some(time("2026-11-23T12:00:00Z"));
        template.layer = Some("crm/bluesky_post/hook".to_owned());
        template.words = vec!["ada".to_owned()];
        let states = ["verified", "unconfirmed", "planned", "planned"];
        let slots = ["2026-11-20T12:00:00Z", "2026-11-23T08:00:00Z", "2026-11-23T12:00:00Z", "2026-11-26T12:00:00Z"];
        for ((post, state), slot) in template.posts.iter_mut().zip(states).zip(slots) {
            post.experiment = "CRM-015".to_owned();
            post.account = "crm-bs".parse().unwrap();
            post.state = state.to_owned();
            post.slot = time(slot);
            post.approved = true;
            post.url = (state == "verified").then(|| "https://bsky.example/profile/crumb/post/3k".to_owned());
            post.attempts = u32::from(state != "planned");
        }
        let of = |number: u32, letter, value: Option<f64>| SnapshotView {
            experiment: "CRM-015".to_owned(),
            letter,
            number,
            snapshot: Snapshot {
                post: template.posts[0].id,
                age: SnapshotAge(Span::hours(24)),
                captured: time("2026-11-21T12:00:00Z"),
                source: "public read".to_owned(),
                rows: vec![
                    SnapshotRow {
                        metric: "replyCount".to_owned(),
                        reading: value.map_or_else(
                            || Reading::Missing { why: "the server did not answer".to_owned() },
                            |value| Reading::Value { value },
                        ),
                    },
                    SnapshotRow { metric: "viewCount".to_owned(), reading: Reading::NotOffered },
                ],
            },
        };
        self.snapshots = vec![of(1, 'A', Some(7.0)), of(2, 'B', None)];
        self.experiments.insert(experiment, template);
    }

    /// One that is over.
    fn add_over(&mut self) {
        let experiment = id(8);
        let mut template = self.experiments[&id(11)].clone();
        template.line.id = experiment;
        template.line.code = "QUB-008".to_owned();
        template.line.name = "Tab or thread".to_owned();
        template.line.stage = Stage::Completed { how: "iterated".to_owned() };
        template.line.status = "completed".to_owned();
        template.line.out = 2;
        template.line.next = None;
        self.experiments.insert(experiment, template);
    }

    /// An engine that is gone.
    pub(super) fn without_engine(mut self) -> Self {
        let lines = vec!["no engine is running: nothing is published; start it with `expos engine run`".to_owned()];
        self.health = Health { epoch: 41, head: 1_204, lines, now: Some(time(NOW)), ..Health::default() };
        self
    }

    pub(super) fn by_code(&self, code: &str) -> ExperimentId {
        self.experiments.values().find(|view| view.line.code == code).unwrap().line.id
    }

    /// Changes one thing that is bound, as an edit would.
    pub(super) fn edit(&mut self, code: &str) {
        let experiment = self.by_code(code);
        let sheet = self.sheets.get_mut(&experiment).unwrap();
        let other = if sheet.fingerprint.starts_with('0') { "1" } else { "0" };
        sheet.fingerprint.replace_range(0..1, other);
        let n = self.events.last().unwrap().n + 1;
        self.events.push(event(n, NOW, format!("experiment/{experiment}"), "experiment_edited", "tomas"));
    }

    fn queue(&self) -> Vec<QueueLine> {
        let count = |sheet: &Sheet, severity| sheet.findings.iter().filter(|f| f.severity == severity).count();
        let mut lines: Vec<QueueLine> = self
            .sheets
            .values()
            .map(|sheet| QueueLine {
                line: sheet.line.clone(),
                fingerprint: sheet.fingerprint.chars().take(16).collect(),
                level: sheet.level.clone(),
                findings: [count(sheet, Severity::Block), count(sheet, Severity::Warn), count(sheet, Severity::Info)],
                needed: sheet.needed,
                words: sheet.words.len(),
                first: sheet.posts.iter().map(|post| post.line.slot).min(),
                later: self.later.get(&sheet.line.id).cloned(),
            })
            .collect();
        lines.sort_by_key(|line| (line.later.is_some(), line.first));
        lines
    }

    fn round(&self, of_day: Round, client: Option<&ClientId>) -> RoundView {
        let of = |line: &ExperimentLine| LeftOf::Experiment(Named { experiment: line.id, code: line.code.clone() });
        let mine = |of: &ClientId| client.is_none_or(|client| client == of);
        let alerts = self.escalations.iter().filter(|e| mine(&e.client));
        let mut left: Vec<Left> = alerts
            .clone()
            .filter(|e| e.owner.is_none())
            .map(|e| Left {
                step: of_day.steps()[usize::from(of_day != Round::Morning)],
                of: LeftOf::Escalation { escalation: e.id },
                what: e.what.clone(),
                to: "nobody has taken it".to_owned(),
                before: Some(e.due),
            })
            .collect();
        let queue = if of_day == Round::Morning { self.queue() } else { Vec::new() };
        left.extend(queue.iter().filter(|line| mine(&line.line.client)).map(|line| Left {
            step: Step::Queue,
            of: of(&line.line),
            what: format!("{} {} waits for a word", line.line.code, line.line.name),
            to: "anybody who may approve".to_owned(),
            before: line.first,
        }));
        let open: Vec<OpenAlert> = alerts
            .map(|e| OpenAlert { escalation: e.id, rule: e.rule.clone(), urgency: e.urgency, owner: e.owner.clone() })
            .collect();
        let zone: Zone = "Europe/Lisbon".parse().unwrap();
        let date = zone.local(self.today).date;
        let covers = client.map_or(Scope::All, |client| Scope::Only([client.clone()].into()));
        let covers = &covers;
        RoundView {
            round: of_day,
            date,
            zone,
            begins: of_day.begins(date, zone),
            opens: of_day.opens(date, zone),
            signed: self.signed.clone().filter(|_| of_day == self.signed_round),
            done: self.done.clone(),
            shown: Shown { round: of_day, date, covers, left: &left, alerts: &open }.name(),
            left,
            alerts: open,
            next: Some(time("2026-11-23T12:00:00Z")),
            after: Some(NextRound { round: Round::Midday, at: time("2026-11-23T13:00:00Z") }),
        }
    }

    pub(super) fn told(&self, ask: &Ask) -> Result<Answer, Problem> {
        let missing = |noun: &str, name: &str| Problem::Refused(Refusal::not_found(noun, name));
        Ok(match ask {
            Ask::Health => Answer::Beat { health: self.health.clone(), people: self.people.clone() },
            Ask::Me => Answer::User(self.me.clone()),
            Ask::Users => Answer::Users(self.users.clone()),
            Ask::Clients => Answer::Clients(self.clients.clone()),
            Ask::Accounts => Answer::Accounts(self.accounts.clone()),
            Ask::Account(id) => {
                let found = self.accounts.iter().find(|account| account.id == *id);
                let account = found.cloned().ok_or_else(|| missing("account", id.as_str()))?;
                let (lanes, alarms) = if id.as_str() == "crm-bs" {
                    let lane = LaneHealth { lane: Lane::Api, good: 41, all: 43, in_a_row: 1, evidence: 40.0 };
                    let alarm = Alarm::new(
                        Signal::PlatformWarning,
                        "labelled !warn by moderation.example",
                        time("2026-11-22T21:14:00Z"),
                    );
                    (vec![lane], vec![alarm])
                } else {
                    (Vec::new(), Vec::new())
                };
                Answer::Account(Box::new(AccountWhole { account, lanes, alarms, released: None }))
            }
            Ask::Posts { from, until } => {
                let settle = ["unconfirmed", "awaiting operator", "claimed"];
                let told =
                    |post: &&PostLine| (*from..=*until).contains(&post.slot) || settle.contains(&post.state.as_str());
                let mut posts: Vec<PostLine> =
                    self.experiments.values().flat_map(|view| &view.posts).filter(told).cloned().collect();
                posts.sort_by_key(|post| post.slot);
                Answer::Posts(posts)
            }
            Ask::Queue => Answer::Queue(self.queue()),
            Ask::Sheet(code) => {
                let sheet = self.sheets.values().find(|sheet| sheet.line.code == *code);
                Answer::Sheet(Box::new(sheet.cloned().ok_or_else(|| missing("experiment", code))?))
            }
            Ask::Experiments => Answer::Experiments(self.experiments.values().map(|e| e.line.clone()).collect()),
            Ask::Experiment(code) => {
                let found = self.experiments.values().find(|e| e.line.code == *code);
                Answer::Experiment(Box::new(found.cloned().ok_or_else(|| missing("experiment", code))?))
            }
            Ask::Picture(asked) => match self.picture_trouble {
                Some(why) => return Err(Problem::Failed(why.to_owned())),
                None => Answer::Picture(small(asked)),
            },
            Ask::Escalations => Answer::Escalations(self.escalations.clone()),
            Ask::Rounds { client } => {
                Answer::Rounds(Round::ALL.map(|round| self.round(round, client.as_ref())).to_vec())
            }
            Ask::Checkins => Answer::Checkins(self.checkins.clone()),
            Ask::Layers => Answer::Layers(self.layers.clone()),
            Ask::Recent(_) => Answer::Events(self.events.clone()),
            Ask::Post(post) => {
                let about = |e: &&Escalation| matches!(&e.subject, Subject::Post { post: about, .. } if about == post);
                if self.escalations.iter().find(about).is_none() {
                    return Err(missing("post", &post.to_string()));
                }
                let mut line = self.experiments.values().find_map(|view| view.posts.first()).unwrap().clone();
                line.id = *post;
                line.account = "qub-bs".parse().unwrap();
                line.state = "unconfirmed".to_owned();
                let events = ["post_committing", "post_unconfirmed"]
                    .map(|what| event(1_190, "2026-11-23T08:10:00Z", format!("post/{post}"), what, "engine"));
                let since = time("2026-11-23T08:12:00Z");
                Answer::Post(Box::new(PostView {
                    line,
                    text: "Two tabs or one thread?".to_owned(),
                    state: PostState::Unconfirmed { why: "no answer after the last byte".to_owned(), since },
                    approval: None,
                    attempts: Vec::new(),
                    events: events.to_vec(),
                    answers: Vec::new(),
                }))
            }
            Ask::Snapshots(code) => {
                Answer::Snapshots(self.snapshots.iter().filter(|s| s.experiment == *code).cloned().collect())
            }
            Ask::Review(code) => {
                let why = "it was not reviewed yet";
                let refusal = || Refusal::rule("review.none", code.clone(), why, "wait until its last reading is in");
                Answer::Review(Box::new(self.reviews.get(code).cloned().ok_or_else(|| Problem::Refused(refusal()))?))
            }
            Ask::Learnings(text) => {
                let holds = |view: &&LearningView| {
                    let sentence = view.learning.sentence.to_lowercase();
                    text.split_whitespace().all(|word| sentence.contains(&word.to_lowercase()))
                };
                Answer::Learnings(self.learnings.iter().filter(holds).cloned().collect())
            }
            Ask::Outcome(code) => {
                let found = self.experiments.values().find(|e| e.line.code == *code);
                let line = found.map(|e| e.line.clone()).ok_or_else(|| missing("experiment", code))?;
                let Some(outcome) = self.outcomes.get(code).cloned() else {
                    let why = "it has no plan yet, so there is nothing to compare";
                    return Err(Problem::Refused(Refusal::rule("outcome.no-plan", code.clone(), why, "submit it")));
                };
                Answer::Outcome(Box::new(OutcomeView { line, outcome }))
            }
        })
    }

    /// Does what the desk would, as far as the screens need it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands change nothing that is drawn")]
    pub(super) fn act(&mut self, command: &Command) -> Result<Done, Problem> {
        let refused = |why: &str| {
            Err(Problem::Refused(Refusal::new(RefusalKind::Changed, "changed", "experiment", why, "look again")))
        };
        match command {
            Command::Approve { experiment, fingerprint } => {
                let id = self.by_code(experiment);
                match self.sheets.get(&id) {
                    Some(sheet) if sheet.fingerprint == *fingerprint => {}
                    Some(_) | None => return refused("what would be approved now is not what was shown"),
                }
                self.sheets.remove(&id);
                let line = &mut self.experiments.get_mut(&id).unwrap().line;
                self.done.approved.push(Named { experiment: id, code: line.code.clone() });
                self.done.posts += line.planned;
                line.stage = Stage::Scheduled;
                line.status = "running".to_owned();
                let text = format!("{experiment} approved: {} posts", line.planned);
                Ok(Done::new(text, json!({"is": "approved"})))
            }
            Command::CheckinSign { round: of_day, client, note, shown, .. } => {
                let round = self.round(*of_day, client.as_ref());
                if shown.as_ref() != Some(&round.shown) {
                    return refused("what is left or open is not what was shown");
                }
                let (checkin, at) = (CheckinId::new(time(NOW), [1; 10]), time("2026-11-23T09:12:00Z"));
                self.signed_round = *of_day;
                self.signed = Some(Signature { checkin, by: self.me.name.clone(), at, note: note.clone() });
                let text = format!("the {of_day} round of 2026-11-23 is signed by {}", self.me.name);
                Ok(Done::new(text, json!({})))
            }
            Command::QueueLater { experiment, .. } => {
                let id = self.by_code(experiment);
                let first = self.sheets[&id].posts.iter().map(|post| post.line.slot).min().unwrap();
                if self.next_round >= first {
                    return refused("its first slot is before the next round");
                }
                self.later.insert(id, Later { until: self.next_round, by: self.me.name.clone() });
                let until = self.next_round.in_zone("Europe/Lisbon".parse().unwrap());
                Ok(Done::new(
                    format!("{experiment} is put off until {until}; it comes back by itself"),
                    json!({"until": self.next_round}),
                ))
            }
            Command::QueueBack { experiment } => {
                self.later.remove(&self.by_code(experiment));
                Ok(Done::new(format!("{experiment} is back in the queue"), json!({})))
            }
            Command::Reject { experiment, reason } => {
                let id = self.by_code(experiment);
                self.sheets.remove(&id);
                self.experiments.get_mut(&id).unwrap().line.stage = Stage::Preflight;
                Ok(Done::new(format!("{experiment} sent back: {reason}"), json!({})))
            }
            Command::Undo { experiment, .. } => {
                let id = self.by_code(experiment);
                let again = Self::monday();
                if let Some(sheet) = again.sheets.get(&id) {
                    self.sheets.insert(id, sheet.clone());
                    self.experiments.insert(id, again.experiments[&id].clone());
                }
                Ok(Done::new(format!("{experiment}: approval taken back"), json!({})))
            }
            Command::Pause { target: desk::Stoppable::Experiment(code), .. } => {
                let id = self.by_code(code);
                let hold = Hold::new(HoldCause::Operator, "mia", time(NOW), "stopped from the dashboard");
                let view = self.experiments.get_mut(&id).unwrap();
                view.line.status = "paused".to_owned();
                view.holds.push(hold.clone());
                Ok(Done::new(format!("{code} stopped"), json!({"hold": hold.key()})))
            }
            Command::Pause { .. } => {
                let hold = Hold::new(HoldCause::Operator, "mia", time(NOW), "stopped from the dashboard");
                Ok(Done::new("stopped", json!({"hold": hold.key()})))
            }
            Command::Resume { target: desk::Stoppable::Experiment(code), holds, .. } => {
                let id = self.by_code(code);
                let view = self.experiments.get_mut(&id).unwrap();
                view.holds.retain(|hold| !holds.contains(&hold.key()));
                view.line.status = if view.holds.is_empty() { "running" } else { "paused" }.to_owned();
                Ok(Done::new(format!("{code} goes on"), json!({})))
            }
            Command::OutcomeSign { experiment, keys, says, note } => {
                let by = Actor::Engine;
                let review = self.reviews.get_mut(experiment).unwrap();
                for item in review.confounders.iter_mut().filter(|item| keys.contains(&item.confounder.key)) {
                    let key = item.confounder.key.clone();
                    let at = time(NOW);
                    item.signature = Some(Word { key, says: *says, note: note.clone(), by: by.clone(), at });
                }
                review.answers = super::remembered::answers(review);
                Ok(Done::new(format!("{experiment}: {} signed: {}", keys.join(", "), says.as_str()), json!({})))
            }
            Command::Decide { experiment, decision, .. } => {
                let id = self.by_code(experiment);
                self.reviews.remove(experiment);
                self.experiments.get_mut(&id).unwrap().line.stage = Stage::Completed { how: "shipped".to_owned() };
                Ok(Done::new(format!("{experiment}: {}", decision.as_str()), json!({})))
            }
            Command::LearningRetract { learning, reason } => {
                let view = self.learnings.iter_mut().find(|view| view.learning.id.to_string() == *learning).unwrap();
                let retracted = Retraction { by: Actor::Engine, at: time(NOW), reason: reason.clone() };
                view.learning.retracted = Some(retracted);
                view.holds = false;
                Ok(Done::new("the learning is retracted", json!({})))
            }
            Command::EscalationTake { escalation } => {
                let me = self.me.name.clone();
                let found = self.escalations.iter_mut().find(|e| e.id == *escalation).unwrap();
                found.owner = Some(me.clone());
                Ok(Done::new("the escalation is yours", json!({"owner": me})))
            }
            Command::EscalationHand { escalation, to } => {
                let found = self.escalations.iter_mut().find(|e| e.id == *escalation).unwrap();
                found.owner.clone_from(to);
                Ok(Done::new("handed over", json!({"owner": to})))
            }
            Command::EscalationLater { escalation, .. } => {
                let found = self.escalations.iter_mut().find(|e| e.id == *escalation).unwrap();
                let until = found.urgency.longest(time(NOW), self.next_round);
                found.later = Some(Later { until, by: self.me.name.clone() });
                Ok(Done::new("put off", json!({"until": until})))
            }
            Command::EscalationResolve { escalation, .. } => {
                self.escalations.retain(|e| e.id != *escalation);
                Ok(Done::new("the escalation is settled", json!({})))
            }
            Command::PostConfirm { .. } => {
                self.escalations.retain(|e| e.rule != "post.unconfirmed");
                Ok(Done::new("it is live by your word; it will be read back", json!({})))
            }
            _ => Ok(Done::new("done", json!({}))),
        }
    }
}
