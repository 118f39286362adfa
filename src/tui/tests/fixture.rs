//! A small agency on a Monday morning, as the desk would tell of it, and a hand that presses keys.
//!
//! Decided here: the ground that every screen is drawn from. Ids, times and texts are fixed, so that the same screen comes
//! out each time. The desk's part is played by answering questions from what stands here.

use std::collections::BTreeMap;

use desk::presence::Present;
use desk::query::{
    AccountView, ClientView, EventLine, ExperimentLine, ExperimentView, Health, LayerView, OutcomeView, PictureView,
    PostLine, QueueLine, Sheet, SheetPost, SnapshotView, TaskHealth, UserView, Verdict,
};
use desk::rounds::{NextRound, RoundView, Signature};
use desk::{Answer, Command, Done, Problem};
use domain::account::{Connection, Identity, Servers};
use domain::approval::{ApprovalLevel, Binding, PolicyVersion, fingerprint};
use domain::brief::{self, Platform};
use domain::calendar::layer::Tenure;
use domain::checkin::{Deeds, Left, LeftOf, Named, OpenAlert, Round, Shown, Step};
use domain::client::{BrandKit, Policy};
use domain::escalation::{Escalation, Subject, Urgency};
use domain::experiment::Stage;
use domain::experiment::later::Later;
use domain::hash::Digest;
use domain::id::{AccountId, CheckinId, ClientId, EscalationId, ExperimentId, PostId, VariantId};
use domain::outcome::Outcome;
use domain::preflight::{Finding, Guard, Level, Severity, digest};
use domain::refusal::{Refusal, RefusalKind};
use domain::role::{Role, Scope};
use domain::snapshot::{Reading, Snapshot, SnapshotRow};
use domain::time::{SnapshotAge, Span, UtcTime, Window, Zone};
use domain::variant::{Asset, Variant};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::json;

use crate::key::Key;
use crate::message::{Ask, Effects, Message, Moment, What};
use crate::model::Model;
use crate::{Options, update, view};

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
    /// Who signed the round, and what was done until then.
    pub(super) signed: Option<Signature>,
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

/// A brief with what surrounds it.
pub(super) struct Item {
    pub(super) number: u8,
    pub(super) code: &'static str,
    pub(super) toml: String,
    /// Letter, round from 1, slot.
    pub(super) plan: Vec<(char, u32, &'static str)>,
    pub(super) findings: Vec<Finding>,
    pub(super) level: ApprovalLevel,
    pub(super) needed: usize,
}

/// Writes a brief around its texts.
pub(super) fn brief_toml(
    client: &str,
    name: &str,
    hypothesis: &str,
    variable: &str,
    posts: usize,
    texts: &str,
) -> String {
    format!(
        r#"
kind = "micro"
name = "{name}"
client = "{client}"
platforms = ["bluesky"]
surface = "bluesky_post"
hypothesis = "{hypothesis}"
variable_under_test = "{variable}"
approval_level = "review"
success_proxies = [
  {{ metric = "replyCount", direction = "up", age = "24h" }},
  {{ metric = "repostCount", direction = "up", age = "24h" }},
]
guardrails = [
  {{ signal = "publish_failures", limit = 2, action = "pause" }},
  {{ signal = "platform_warning", limit = 1, action = "pause" }},
]
stop_conditions = [{{ when = "any_breach" }}, {{ when = "failed_posts", limit = 2 }}, {{ when = "invalid" }}]
[run_window]
start = "2026-11-23T00:00:00Z"
end = "2026-12-04T23:59:59Z"
[exposure_plan]
account = "{client}-bs"
posts_per_variant = {posts}
times = ["09:10"]
spacing = "72h"
snapshot_ages = ["1h", "24h"]
settings = {{ langs = ["en"] }}
{texts}
"#
    )
}

fn note(guard: Guard, severity: Severity, rule: &str, place: &str, why: &str, mend: &str) -> Finding {
    Finding {
        guard,
        rule: rule.to_owned(),
        severity,
        place: place.to_owned(),
        why: why.to_owned(),
        mend: mend.to_owned(),
        level: None,
    }
}

fn items() -> Vec<Item> {
    vec![
        Item {
            number: 18,
            code: "CRM-018",
            toml: brief_toml(
                "crm",
                "Clock, fire or hands?",
                "Fire or hands bring more replies than a time, because one sees them.",
                "hook",
                1,
                r##"
[control_variant]
hook = "Forty-hour dough, out at six."
caption = "Country loaf, on the counter now. Contains wheat. Made where nuts and milk are used."
hashtags = "#sourdough"
[[test_variants]]
hook = "Lit last night, and the bricks are still hot."
[[test_variants]]
hook = "Four hands, one bench, no talk until the last loaf is in."
"##,
            ),
            plan: vec![
                ('C', 1, "2026-11-23T12:30:00Z"),
                ('A', 1, "2026-11-26T12:30:00Z"),
                ('B', 1, "2026-11-29T12:30:00Z"),
            ],
            findings: vec![note(
                Guard::UniquenessGuard,
                Severity::Info,
                "uniqueness.near",
                "variant A, hook",
                "nearest post is 21 days old, 31 % alike: `Dough since Sunday`",
                "nothing needs doing",
            )],
            level: ApprovalLevel::Review,
            needed: 1,
        },
        Item {
            number: 10,
            code: "QUB-010",
            toml: brief_toml(
                "qub",
                "Number or scene?",
                "A scene brings more replies than a count, because readers have been there.",
                "hook",
                2,
                r#"
[[exposure_plan.rounds]]
caption = "The inbox shows who has it before you type."
[[exposure_plan.rounds]]
caption = "Say where it is and when you will look again."
[control_variant]
rounds = [{ hook = "Three tabs, one customer, two answers." }, { hook = "One parcel, four e-mails." }]
[[test_variants]]
rounds = [{ hook = "You press send and see a colleague's answer." }, { hook = "The depot has the parcel, your inbox has the customer." }]
"#,
            ),
            plan: vec![
                ('A', 1, "2026-11-23T22:10:00Z"),
                ('B', 1, "2026-11-26T22:10:00Z"),
                ('B', 2, "2026-11-29T22:10:00Z"),
                ('A', 2, "2026-12-02T22:10:00Z"),
            ],
            findings: Vec::new(),
            level: ApprovalLevel::Review,
            needed: 1,
        },
        Item {
            number: 11,
            code: "QUB-011",
            toml: brief_toml(
                "qub",
                "Line or list?",
                "A list is reposted more than one line: it can be kept.",
                "caption",
                1,
                r#"
[control_variant]
caption = "Before the weekend: set the away note, name who is on call, park what can wait."
[[test_variants]]
caption = """Before the weekend:
1 set the away note
2 name who is on call
3 park what can wait"""
"#,
            ),
            plan: vec![('B', 1, "2026-11-24T04:10:00Z"), ('A', 1, "2026-11-27T04:10:00Z")],
            findings: Vec::new(),
            level: ApprovalLevel::Review,
            needed: 1,
        },
        Item {
            number: 6,
            code: "PNW-006",
            toml: brief_toml(
                "pnw",
                "Range or round figure",
                "A range brings more replies than a round figure, because readers add their own.",
                "hook",
                1,
                r#"
[control_variant]
hook = "Four percent, on average."
caption = "Past years do not tell of the next. Your money can fall."
[[test_variants]]
hook = "Between two and nine percent, over ten years."
"#,
            ),
            plan: vec![('A', 1, "2026-11-24T16:00:00Z"), ('B', 1, "2026-11-27T16:00:00Z")],
            findings: vec![note(
                Guard::RiskScan,
                Severity::Warn,
                "finance.past-performance",
                "variant A, hook",
                "`Four percent` speaks of a return",
                "say that it may fall, beside the number",
            )],
            level: ApprovalLevel::Manual,
            needed: 2,
        },
    ]
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
            signed: None,
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
                posts: posts.iter().map(|post| post.line.clone()).collect(),
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

    fn round(&self, client: Option<&ClientId>) -> RoundView {
        let of = |line: &ExperimentLine| LeftOf::Experiment(Named { experiment: line.id, code: line.code.clone() });
        let mine = |of: &ClientId| client.is_none_or(|client| client == of);
        let alerts = self.escalations.iter().filter(|e| mine(&e.client));
        let mut left: Vec<Left> = alerts
            .clone()
            .filter(|e| e.owner.is_none())
            .map(|e| Left {
                step: Step::Alerts,
                of: LeftOf::Escalation { escalation: e.id },
                what: e.what.clone(),
                to: "nobody has taken it".to_owned(),
                before: Some(e.due),
            })
            .collect();
        left.extend(self.queue().iter().filter(|line| mine(&line.line.client)).map(|line| Left {
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
            round: Round::Morning,
            date,
            zone,
            begins: Round::Morning.begins(date, zone),
            opens: Round::Morning.opens(date, zone),
            signed: self.signed.clone(),
            done: self.done.clone(),
            shown: Shown { round: Round::Morning, date, covers, left: &left, alerts: &open }.name(),
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
            Ask::Rounds { client } => Answer::Rounds(vec![self.round(client.as_ref())]),
            Ask::Layers => Answer::Layers(self.layers.clone()),
            Ask::Recent(_) => Answer::Events(self.events.clone()),
            Ask::Post(post) => return Err(missing("post", &post.to_string())),
            Ask::Snapshots(code) => {
                Answer::Snapshots(self.snapshots.iter().filter(|s| s.experiment == *code).cloned().collect())
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
    fn act(&mut self, command: &Command) -> Result<Done, Problem> {
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
            Command::CheckinSign { client, note, shown, .. } => {
                let round = self.round(client.as_ref());
                if shown.as_ref() != Some(&round.shown) {
                    return refused("what is left or open is not what was shown");
                }
                let (checkin, at) = (CheckinId::new(time(NOW), [1; 10]), time("2026-11-23T09:12:00Z"));
                self.signed = Some(Signature { checkin, by: self.me.name.clone(), at, note: note.clone() });
                let text = format!("the morning round of 2026-11-23 is signed by {}", self.me.name);
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
                self.experiments.get_mut(&id).unwrap().line.status = "paused".to_owned();
                Ok(Done::new(format!("{code} stopped"), json!({})))
            }
            _ => Ok(Done::new("done", json!({}))),
        }
    }
}

/// A model, the desk it speaks to, and a hand on the keys.
pub(super) struct Play {
    pub(super) model: Model,
    pub(super) agency: Agency,
    pub(super) acts: Vec<Command>,
    pub(super) real_ms: u64,
    /// The desk answers; a silent one keeps questions for later.
    pub(super) desk_answers: bool,
    held: Vec<Ask>,
    pub(super) last: Effects,
}

impl Play {
    pub(super) fn new(agency: Agency, width: u16, height: u16) -> Self {
        Self::with(agency, &Options::default(), width, height)
    }

    pub(super) fn with(agency: Agency, options: &Options, width: u16, height: u16) -> Self {
        let options = Options { zone: "Europe/Lisbon".parse().unwrap(), ..options.clone() };
        let at = Moment { real_ms: 0, wall: time(NOW) };
        let model = Model::new(&options, at, (width, height)).unwrap();
        let mut play = Self {
            model,
            agency,
            acts: Vec::new(),
            real_ms: 0,
            desk_answers: true,
            held: Vec::new(),
            last: Effects::default(),
        };
        play.put(What::Start);
        play
    }

    fn moment(&self) -> Moment {
        let wall = time(NOW).plus(Span::from_micros(i64::try_from(self.real_ms).unwrap() * 1_000));
        Moment { real_ms: self.real_ms, wall }
    }

    /// Takes a message in, and all that the desk answers to it.
    pub(super) fn put(&mut self, what: What) {
        let mut inbox = vec![what];
        let mut first = true;
        while let Some(what) = inbox.pop() {
            let at = self.moment();
            let effects = update(&mut self.model, Message { at, what });
            self.held.extend(effects.asks.iter().cloned());
            if self.desk_answers {
                for ask in self.held.drain(..) {
                    let answer = self.agency.told(&ask);
                    inbox.insert(0, What::Answered(ask, Box::new(answer)));
                }
            }
            for (number, command) in &effects.acts {
                self.acts.push(command.clone());
                if self.desk_answers {
                    let done = self.agency.act(command);
                    inbox.insert(0, What::Acted(*number, Box::new(done)));
                }
            }
            if first {
                self.last = effects;
                first = false;
            }
        }
    }

    /// Lets real time pass.
    pub(super) fn wait(&mut self, ms: u64) -> &mut Self {
        self.real_ms += ms;
        self.put(What::Tick);
        self
    }

    /// Presses keys, named as the keymap names them, with time to look in between.
    pub(super) fn keys(&mut self, names: &str) -> &mut Self {
        for name in names.split(' ') {
            self.wait(400);
            self.key(key(name));
        }
        self
    }

    /// Presses a key at once.
    pub(super) fn key(&mut self, key: Key) {
        self.put(What::Key(key));
    }

    /// Types a text.
    pub(super) fn type_text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.key(Key::Char(c));
        }
        self
    }

    /// Tells of the events that the agency has had since.
    pub(super) fn tell_news(&mut self) {
        let events = self.agency.events.clone();
        self.put(What::News(events));
        self.wait(150);
    }

    pub(super) fn buffer(&self) -> Buffer {
        let area = Rect::new(0, 0, self.model.size.width, self.model.size.height);
        let mut buffer = Buffer::empty(area);
        view(&self.model, area, &mut buffer);
        buffer
    }

    /// Returns the screen as text.
    pub(super) fn text(&self) -> String {
        text_of(&self.buffer())
    }

    pub(super) fn resize(&mut self, width: u16, height: u16) {
        self.put(What::Resize(width, height));
    }
}

/// Returns a buffer as text, a line a row, without spaces at the ends.
pub(super) fn text_of(buffer: &Buffer) -> String {
    use unicode_width::UnicodeWidthStr;
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer.cell((x, y)).unwrap().symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = symbol.width().saturating_sub(1);
            row.push_str(symbol);
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// Reads the name of a key.
pub(super) fn key(name: &str) -> Key {
    match name {
        "Enter" => Key::Enter,
        "Esc" => Key::Esc,
        "Tab" => Key::Tab,
        "Space" => Key::Char(' '),
        "Up" => Key::Up,
        "Down" => Key::Down,
        "Left" => Key::Left,
        "Right" => Key::Right,
        "PgDn" => Key::PageDown,
        "PgUp" => Key::PageUp,
        "Delete" => Key::Delete,
        "Backspace" => Key::Backspace,
        _ => match name.strip_prefix("Ctrl-") {
            Some(letter) => Key::Ctrl(letter.chars().next().unwrap()),
            None => Key::Char(name.chars().next().unwrap()),
        },
    }
}
