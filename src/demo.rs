//! The demo: a whole agency in one process, on a stand-in network, with nothing to configure.
//!
//! Decides how the agency of `data/demo` comes to be: people, clients and accounts are made through the desk like anybody's,
//! and each brief is written and submitted by the operator whose it is, so that nothing is typed into tables. The clock is
//! the agency's own and runs as fast as asked; the network is the twin's router, called in process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{Days, NaiveDate};
use clock::{Clock, ScaledClock, Seeds, Speed, within};
use desk::local::Door;
use desk::{Answer, Command, Desk, Mode, Peer, Query, Rules, SecretText};
use domain::account::{Connection, Servers};
use domain::actor::{Actor, Person};
use domain::agency::{Agency, HomeKind};
use domain::brief::Platform;
use domain::id::{AccountId, ClientId, CommandId};
use domain::role::{Role, Scope};
use domain::time::{Span, UtcTime, Zone};
use engine::{AdapterMaker, Engine, World};
use platforms::Bluesky;
use serde::Deserialize;
use store::{Cause, Home, Open, Store};
use twins::{Audience, BlueskyTwin, Lost};
use wire::{HostPolicy, InDoubt, Limits, Network, NotSent, Transport, WireError};

const AGENCY: &str = include_str!("../data/demo/agency.toml");
const BRIEFS: [(&str, &str); 3] = [
    ("tomas", include_str!("../data/demo/briefs/qub-number-or-scene.toml")),
    ("tomas", include_str!("../data/demo/briefs/qub-line-or-list.toml")),
    ("tomas", include_str!("../data/demo/briefs/crm-clock-fire-or-hands.toml")),
];
const ASSETS: [(&str, &str, &[u8]); 2] = [
    ("crm", "bench.jpg", include_bytes!("../data/demo/assets/crm/bench.jpg")),
    ("qub", "inbox.png", include_bytes!("../data/demo/assets/qub/inbox.png")),
];

/// The Unix user ids of the demo's people: nobody's on a real box, since real ones are below.
const FIRST_UID: u32 = 3_000_001;

/// How fast the agency's clock runs where nothing else is asked.
const USUAL_SPEED: f64 = 60.0;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyFile {
    name: String,
    zone: Zone,
    monday: NaiveDate,
    opens: String,
    seat: String,
    person: Vec<PersonFile>,
    client: Vec<ClientFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonFile {
    name: String,
    role: Role,
    clients: Vec<ClientId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientFile {
    id: ClientId,
    name: String,
    zone: String,
    kit: String,
    policy: String,
    account: Vec<AccountFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountFile {
    id: AccountId,
    handle: String,
    followers: u32,
}

/// A demo that is up: its desk, its engine, its clock.
pub(crate) struct Demo {
    pub(crate) door: Door,
    pub(crate) engine: Engine,
    pub(crate) clock: ScaledClock,
    pub(crate) zone: Zone,
    /// Gone with the demo, unless a folder was named.
    folder: Option<std::path::PathBuf>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _left_behind = std::fs::remove_dir_all(folder);
        }
    }
}

/// Founds the demo's agency, or opens the one that stands in the folder, and starts its engine.
pub(crate) async fn open(asked: &cli::Demo) -> Result<Demo, String> {
    let file: AgencyFile = toml::from_str(AGENCY).map_err(|e| format!("data/demo/agency.toml: {e}"))?;
    let (start, speed) = opening(&file, asked)?;
    let speed = Speed::new(speed).ok_or("the speed is a number from 0 to 1,000,000")?;
    // Nothing ages while the agency is made: it opens at its time, however long that took.
    let clock = ScaledClock::new(start.to_chrono(), Speed::new(0.0).ok_or("a clock cannot stand still")?);
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let (root, folder) = match &asked.home {
        Some(home) => (home.clone(), None),
        None => {
            let root = std::env::temp_dir().join(format!("expos-demo-{}", std::process::id()));
            (root.clone(), Some(root))
        }
    };
    let home = Home::new(&root);
    let strangers = std::fs::read_dir(&root).is_ok_and(|mut entries| entries.next().is_some());
    if strangers && !home.exists() {
        return Err(format!("{} holds other files; name an empty or a new folder with --home", root.display()));
    }
    if home.exists() {
        return Err(format!(
            "{} holds a home already; the demo makes a new one: name another folder with --home",
            root.display()
        ));
    }
    let people = people(&file)?;
    let seat = asked.seat.clone().unwrap_or_else(|| file.seat.clone());
    let seated = people.get(&seat).ok_or_else(|| format!("nobody at {} is called `{seat}`", file.name))?;
    let peer = Peer { uid: seated.uid };
    let admin = people.get(&file.seat).ok_or("the demo's admin is not among its people")?.clone();
    let cause = Cause::new(Actor::from(&admin), "demo");
    Store::create(&home, Agency::found(HomeKind::Personal, admin.clone(), start), cause, Arc::clone(&shared))
        .map_err(|e| e.to_string())?;
    let store = Store::open(&home, Open::Owner, Arc::clone(&shared)).map_err(|e| e.to_string())?;
    let rules = Arc::new(Rules::load(&home.rules()).map_err(|e| e.to_string())?);
    let twin = BlueskyTwin::new(Arc::clone(&shared), asked.seed);
    let world =
        World { packs: rules.version.clone(), seeds: Seeds::new(asked.seed), adapters: adapters(&twin, &shared) };
    let engine =
        Engine::new(store.clone(), home.clone(), Arc::clone(&shared), world).on_surfaces(rules.surfaces.clone());
    let desk = Desk::new(store, home.clone(), rules, Arc::clone(&shared), Some(crate::beat_of(&engine)))
        .drawing_from(Seeds::new(asked.seed));
    let running = engine.clone();
    tokio::spawn(async move { running.run().await });
    let seeding = Seeding {
        desk: desk.clone(),
        clock: Arc::clone(&shared),
        real: Arc::new(clock::RealClock),
        seeds: Seeds::new(asked.seed),
        drawn: 0,
    };
    seeding.settle(&file, &people, &twin, &home).await?;
    clock.set_speed(speed);
    Ok(Demo { door: Door::Near(Box::new(desk), peer), engine, clock, zone: file.zone, folder })
}

/// Returns when the demo opens, and how fast its clock runs.
fn opening(file: &AgencyFile, asked: &cli::Demo) -> Result<(UtcTime, f64), String> {
    let text = asked.at.as_deref().unwrap_or(&file.opens);
    let wall =
        domain::calendar::quiet::wall(text).ok_or_else(|| format!("`{text}` is no time of day; write it as 08:45"))?;
    let start = file.zone.at(file.monday, wall).ok_or("that hour does not exist on the demo's Monday")?;
    let speed = asked.speed.unwrap_or(if asked.at.is_some() { 0.0 } else { USUAL_SPEED });
    Ok((start, speed))
}

fn people(file: &AgencyFile) -> Result<BTreeMap<String, Person>, String> {
    let mut all = BTreeMap::new();
    for (uid, person) in (FIRST_UID..).zip(&file.person) {
        let scope =
            if person.clients.is_empty() { Scope::All } else { Scope::Only(person.clients.iter().cloned().collect()) };
        all.insert(person.name.clone(), Person { uid, name: person.name.clone(), role: person.role, scope });
    }
    Ok(all)
}

/// The engine's way to the twin: the very adapter that publishes for real, over the twin's router.
fn adapters(twin: &BlueskyTwin, clock: &Arc<dyn Clock>) -> AdapterMaker {
    let (twin, clock) = (twin.clone(), Arc::clone(clock));
    Arc::new(move |platform, allow_private| {
        let line: Arc<dyn Transport> = Arc::new(Line { twin: twin.clone(), clock: Arc::clone(&clock) });
        let policy = HostPolicy { allow_private_hosts: allow_private };
        match platform {
            Platform::Bluesky => Some(Arc::new(Bluesky::new(Network::both(line), policy, Arc::clone(&clock)))),
            Platform::Instagram
            | Platform::Tiktok
            | Platform::Youtube
            | Platform::Mastodon
            | Platform::Threads
            | Platform::FacebookPage
            | Platform::Linkedin
            | Platform::X => None,
        }
    })
}

struct Line {
    twin: BlueskyTwin,
    clock: Arc<dyn Clock>,
}

impl Transport for Line {
    fn send(&self, request: http::Request<Bytes>, limits: Limits) -> wire::Answer {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let in_doubt = move |why| WireError::InDoubt { host, why, status: None };
        let answered = within(&*self.clock, limits.total, self.twin.call(request));
        Box::pin(async move {
            match answered.await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(Lost::Refused)) => match in_doubt(InDoubt::Closed) {
                    WireError::InDoubt { host, .. } | WireError::NotSent { host, .. } => {
                        Err(WireError::NotSent { host, why: NotSent::Refused })
                    }
                },
                Ok(Err(Lost::Closed)) => Err(in_doubt(InDoubt::Closed)),
                Ok(Err(Lost::Reset)) => Err(in_doubt(InDoubt::Reset)),
                Ok(Err(Lost::Truncated)) => Err(in_doubt(InDoubt::Truncated)),
                Err(_elapsed) => Err(in_doubt(InDoubt::Deadline)),
            }
        })
    }
}

/// Makes the agency through its own desk.
struct Seeding {
    desk: Desk,
    clock: Arc<dyn Clock>,
    /// The engine is waited for in real time: the agency's clock may stand still.
    real: Arc<dyn Clock>,
    seeds: Seeds,
    drawn: u64,
}

impl Seeding {
    async fn settle(
        mut self,
        file: &AgencyFile,
        people: &BTreeMap<String, Person>,
        twin: &BlueskyTwin,
        home: &Home,
    ) -> Result<(), String> {
        let admin = people.get(&file.seat).map(|p| p.uid).ok_or("no admin")?;
        for client in &file.client {
            let id = client.id.clone();
            self.act(
                admin,
                Command::ClientNew { client: id.clone(), name: client.name.clone(), zone: client.zone.clone() },
            )
            .await?;
            self.act(admin, Command::ClientEdit { client: id.clone(), toml: client.kit.clone() }).await?;
            self.act(admin, Command::PolicyEdit { client: id.clone(), toml: client.policy.clone() }).await?;
            for account in &client.account {
                self.connect(admin, &id, account, twin).await?;
            }
        }
        for person in people.values().filter(|p| p.uid != admin) {
            let clients = match &person.scope {
                Scope::All => Vec::new(),
                Scope::Only(clients) => clients.iter().cloned().collect(),
            };
            self.act(
                admin,
                Command::UserGrant { uid: person.uid, name: person.name.clone(), role: person.role, clients },
            )
            .await?;
        }
        for (client, name, bytes) in ASSETS {
            put_asset(home, client, name, bytes)?;
        }
        for (author, text) in BRIEFS {
            let author = people.get(author).map(|p| p.uid).ok_or("a brief's author is not among the people")?;
            let zones = file.client.iter().map(|c| (c.id.as_str(), c.zone.as_str()));
            let toml = dated(text, file.monday, zones)?;
            let done = self.act(author, Command::BriefNew { toml }).await?;
            let code = done.data["code"].as_str().ok_or("a brief got no code")?.to_owned();
            self.act(author, Command::Submit { experiment: code }).await?;
        }
        Ok(())
    }

    async fn act(&mut self, uid: u32, command: Command) -> Result<desk::Done, String> {
        self.drawn = self.drawn.saturating_add(1);
        let number = self.seeds.number("demo.command", &self.drawn.to_be_bytes());
        let mut random = [0_u8; 10];
        random.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        let id = CommandId::new(UtcTime::from(self.clock.wall()), random);
        self.desk.act(Peer { uid }, id, command, Mode::Do).await.map_err(|e| format!("the demo's agency: {e}"))
    }

    async fn connect(
        &mut self,
        admin: u32,
        client: &ClientId,
        account: &AccountFile,
        twin: &BlueskyTwin,
    ) -> Result<(), String> {
        let level = libm::log(f64::from(account.followers)) - 1.0;
        let audience = Audience::of(u64::from(account.followers), level);
        let person =
            twin.add_account(&account.handle, "demo", audience).map_err(|e| format!("{}: {e:?}", account.handle))?;
        let base = Some(twin.base());
        let command = Command::AccountConnect {
            account: account.id.clone(),
            client: client.clone(),
            platform: Platform::Bluesky,
            handle: account.handle.clone(),
            servers: Servers { pds: base.clone(), appview: base.clone(), plc: base },
            password: SecretText::new(person.app_password.clone()),
        };
        self.act(admin, command).await?;
        for _ in 0..400 {
            let answer = self.desk.ask(Peer { uid: admin }, Query::AccountList).await.map_err(|e| e.to_string())?;
            let Answer::Accounts(all) = answer else { return Err("the desk gave no accounts".to_owned()) };
            match all.iter().find(|a| a.id == account.id).map(|a| &a.connection) {
                Some(Connection::Connected { .. }) => return Ok(()),
                Some(Connection::Failed { why }) => return Err(format!("{}: {why}", account.id)),
                Some(Connection::Asked { .. } | Connection::Reconnect { .. } | Connection::Disconnected) | None => {}
            }
            let soon = self.real.boot().plus(Span::from_micros(10_000).to_std());
            self.real.sleep_until_boot(soon).await;
        }
        Err(format!("{} was not connected in time", account.id))
    }
}

fn put_asset(home: &Home, client: &str, name: &str, bytes: &[u8]) -> Result<(), String> {
    let id: ClientId = client.parse().map_err(|e: domain::id::BadId| e.to_string())?;
    let folder = home.assets(&id);
    let failed = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    std::fs::create_dir_all(&folder).map_err(|e| failed(&folder, e))?;
    let path = folder.join(name);
    std::fs::write(&path, bytes).map_err(|e| failed(&path, e))
}

/// Puts moments for the marks `@D+1 09:10@`: so many days after the demo's Monday, on the wall clock of the brief's client.
fn dated<'a>(
    text: &str,
    monday: NaiveDate,
    mut zones: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<String, String> {
    let bad = |mark: &str| format!("the demo's brief has the mark `{mark}`, which is no day and time");
    let zone = zones
        .find(|(client, _)| text.contains(&format!("client = \"{client}\"")))
        .map(|(_, zone)| zone)
        .ok_or("a brief without a client")?;
    let zone: Zone = zone.parse().map_err(|e: domain::time::BadTime| e.to_string())?;
    let mut parts = text.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let (Some(mark), Some(rest)) = (parts.next(), parts.next()) {
        let (days, time) = mark.strip_prefix("D+").and_then(|m| m.split_once(' ')).ok_or_else(|| bad(mark))?;
        let day = monday.checked_add_days(Days::new(days.parse().map_err(|_| bad(mark))?)).ok_or_else(|| bad(mark))?;
        let wall = domain::calendar::quiet::wall(time).ok_or_else(|| bad(mark))?;
        out.push_str(&zone.at(day, wall).ok_or_else(|| bad(mark))?.to_string());
        out.push_str(rest);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use tui::{Message, Model, Moment, Options, What};

    use super::*;

    /// Opens the demo at a time at which it stands still, and shows what a person sees after each key.
    async fn screens(seed: u64, keys: &str) -> Vec<Buffer> {
        let home = tempfile::tempdir().unwrap();
        let mut asked = cli::Demo::default();
        asked.at = Some("09:30".to_owned());
        asked.seed = seed;
        asked.home = Some(home.path().join("home"));
        let demo = open(&asked).await.unwrap();
        let at = Moment { real_ms: 2_000, wall: UtcTime::from(demo.clock.wall()) };
        let options = Options { zone: demo.zone, demo: Some(demo.clock.clone()), ..Options::default() };
        let mut model = Model::new(&options, at, (160, 45)).unwrap();
        let mut shown = Vec::new();
        let area = Rect::new(0, 0, 160, 45);
        for what in std::iter::once(What::Start).chain(keys.chars().map(|c| What::Key(tui::Key::Char(c)))) {
            let mut todo = vec![what];
            while let Some(what) = todo.pop() {
                for ask in tui::update(&mut model, Message { at, what }).asks {
                    let answer = demo.door.ask(ask.query()).await;
                    todo.insert(0, What::Answered(ask, Box::new(answer)));
                }
            }
            let mut buffer = Buffer::empty(area);
            tui::view(&model, area, &mut buffer);
            shown.push(buffer);
        }
        demo.engine.stop();
        shown
    }

    fn text(screen: &Buffer) -> String {
        let width = usize::from(screen.area.width);
        let cells: Vec<&str> = screen.content().iter().map(ratatui::buffer::Cell::symbol).collect();
        cells.chunks(width).map(|row| row.concat() + "\n").collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_same_seed_and_time_give_the_same_screens_and_another_seed_others() {
        let first = screens(7, "jk5").await;
        let again = screens(7, "jk5").await;
        for (one, other) in first.iter().zip(&again) {
            assert!(one == other, "{}\n{}", text(one), text(other));
        }
        let morning = text(&first[0]);
        assert!(morning.contains("DEMO stopped") && morning.contains("Clock, fire or hands?"), "{morning}");
        assert!(screens(8, "jk5").await != first, "another seed draws other plans");
    }
}
