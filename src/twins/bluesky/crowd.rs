//! The crowd: what an audience does under an account's posts as time goes by.
//!
//! Decided here: which post an effect is planted in, when a reader says something and to whom, and how a post's counts come
//! from the model and from what real accounts did. How much and how fast is `science::audience`'s. What readers say becomes
//! records of theirs when somebody first looks; nothing runs while nobody looks.
//!
//! Invariant: what an audience does is a function of the twin's seed, the post's address, time and words, and the planted
//! effects; counts of the model never fall.

use std::time::Duration;

use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc};
use clock::Seeds;
use science::audience::{AccountModel, Lift, PostModel, Proxy, When};
use science::design::HourBand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cast::{READERS, reader, retort, sentence};
use super::door::{Door, House, later, written};
use super::lexicon::POST;
use super::names::{micros, record_uri, tid};
use super::server;
use super::state::{Account, LinkKind, Maker, Put, State, Write};
use super::xrpc::Refused;
use crate::fault::share;

/// The most readers that are heard right under one post.
const SAID_MAX: u64 = 120;
/// How deep readers answer each other.
const DEPTH_MAX: u32 = 4;
/// How likely a reader is answered by another, and how soon on average.
const RETORT_CHANCE: f64 = 0.25;
const RETORT_MEAN: f64 = 2.0 * 3600.0;
/// ln of how much less an answer is seen than a post.
const REPLY_LIFT: f64 = -3.0;
/// Largest planted effect, as the model takes it.
const LIFT_MAX: f64 = 5.0;

/// Who follows an account and how many of them see a post.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audience {
    followers: u64,
    level: Option<f64>,
    utc_offset_hours: i32,
}

impl Audience {
    /// Returns nobody: only what other accounts do is counted.
    pub const fn none() -> Self {
        Self { followers: 0, level: None, utc_offset_hours: 0 }
    }

    /// Returns an audience; `level` is ln of the views that a usual post gets. Out of bounds, up to 20 is used.
    pub fn of(followers: u64, level: f64) -> Self {
        let level = if level.is_nan() { 0.0 } else { level.clamp(-20.0, 20.0) };
        Self { followers, level: Some(level), utc_offset_hours: 0 }
    }

    /// Returns it living so many hours before UTC.
    #[must_use]
    pub const fn utc_offset_hours(mut self, hours: i32) -> Self {
        self.utc_offset_hours = hours;
        self
    }

    pub(crate) const fn followers(&self) -> u64 {
        self.followers
    }
}

/// Which posts an effect is planted in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// Posts whose text, as first written, holds this.
    Text(String),
    /// The post of this record key or address.
    Key(String),
}

/// A planted effect: ln of what a proxy is multiplied by. `views` is multiplied into every count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    pub on: On,
    pub views: f64,
    pub retention: f64,
    pub comments: f64,
    pub shares: f64,
    pub likes: f64,
    pub quotes: f64,
    pub bookmarks: f64,
}

impl Effect {
    /// Returns an effect that changes nothing yet, on posts whose text holds this.
    pub fn on_text(text: &str) -> Self {
        Self::on(On::Text(text.to_owned()))
    }

    /// Returns an effect that changes nothing yet, on one post.
    pub fn on_key(key: &str) -> Self {
        Self::on(On::Key(key.to_owned()))
    }

    /// Returns it with this on every rate a view: likes, comments, shares, quotes, bookmarks and retention.
    #[must_use]
    pub fn rates(self, ln: f64) -> Self {
        Self { retention: ln, comments: ln, shares: ln, likes: ln, quotes: ln, bookmarks: ln, ..self }
    }

    const fn on(on: On) -> Self {
        Self { on, views: 0.0, retention: 0.0, comments: 0.0, shares: 0.0, likes: 0.0, quotes: 0.0, bookmarks: 0.0 }
    }

    fn hits(&self, uri: &str, rkey: &str, text: &str) -> bool {
        match &self.on {
            On::Text(part) => text.contains(part.as_str()),
            On::Key(key) => key == uri || key == rkey,
        }
    }

    fn lift(&self) -> Lift {
        Lift {
            views: self.views,
            retention: self.retention,
            comments: self.comments,
            shares: self.shares,
            likes: self.likes,
            quotes: self.quotes,
            bookmarks: self.bookmarks,
        }
    }
}

/// What is counted under a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub likes: u64,
    pub reposts: u64,
    pub replies: u64,
    pub quotes: u64,
    pub bookmarks: u64,
}

/// What the audience does under one post.
#[derive(Debug)]
pub(crate) struct Life {
    model: PostModel,
    out: DateTime<Utc>,
    /// In the order of time.
    said: Vec<Said>,
    /// How many of them are records already.
    done: usize,
}

/// Something that a reader says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    at: DateTime<Utc>,
    who: usize,
    /// Under which other saying, by its key and who said it; under the post itself where there is none.
    under: Option<(usize, String)>,
    rkey: String,
    text: &'static str,
}

/// Makes the readers' accounts, if there are none yet.
pub(crate) fn gather(door: &mut Door<'_>) -> Result<(), Refused> {
    for (name, shown) in READERS {
        let handle = format!("{name}.test");
        if door.state.account(&handle).is_some() {
            continue;
        }
        let password = server::new_app_password(door);
        let did = server::add(door, &handle, &password, None, Maker::Reader)?;
        let value = json!({"$type": super::lexicon::PROFILE, "displayName": shown});
        // Texts alone: always data.
        let cid = super::cbor::record_cid(&value).unwrap_or_default();
        let write = Write {
            collection: super::lexicon::PROFILE.to_owned(),
            rkey: "self".to_owned(),
            put: Some(Put { cid, value }),
            indexed: door.now,
        };
        door.commit(&did, Maker::Reader, vec![write]);
    }
    Ok(())
}

/// Counts what is under a post, as the read server knows it.
pub(crate) fn counts(door: &mut Door<'_>, uri: &str) -> Counts {
    let now = door.now;
    let has_life = door.live(uri);
    let state = &*door.state;
    let linked = |kind| {
        let links = state.links(uri, kind).filter(|link| {
            let Some(account) = state.accounts.get(&link.did).filter(|account| account.is_active()) else {
                return false;
            };
            // What readers do under a post that the model counts is in the model.
            let is_counted = has_life && account.maker == Maker::Reader;
            !is_counted && is_shown(account, kind, &link.rkey, uri, now)
        });
        match kind {
            LinkKind::Like | LinkKind::Repost => {
                links.map(|link| link.did.as_str()).collect::<std::collections::BTreeSet<_>>().len()
            }
            LinkKind::Reply | LinkKind::Quote | LinkKind::Follow => links.count(),
        }
    };
    let modelled = |proxy| {
        let life = state.lives.get(uri);
        life.map_or(0, |life| life.model.count(proxy, seconds(now.signed_duration_since(life.out))))
    };
    let count = |kind, proxy| u64::try_from(linked(kind)).unwrap_or(u64::MAX).saturating_add(modelled(proxy));
    Counts {
        likes: count(LinkKind::Like, Proxy::Likes),
        reposts: count(LinkKind::Repost, Proxy::Shares),
        replies: count(LinkKind::Reply, Proxy::Comments),
        quotes: count(LinkKind::Quote, Proxy::Quotes),
        bookmarks: modelled(Proxy::Bookmarks),
    }
}

/// Whether a record that once pointed to something is shown and still does.
pub(crate) fn is_shown(account: &Account, kind: LinkKind, rkey: &str, subject: &str, now: DateTime<Utc>) -> bool {
    let shown = account.slot(kind.collection(), rkey).and_then(|slot| slot.shown(now));
    shown.is_some_and(|(put, _)| {
        super::state::pointed(kind.collection(), &put.value).iter().any(|(found, to)| *found == kind && to == subject)
    })
}

/// Turns what readers have said under a post by now into records of theirs.
pub(crate) fn speak(door: &mut Door<'_>, uri: &str) {
    if !door.live(uri) {
        return;
    }
    let Some(root) = thread_of(door.state, uri) else { return };
    loop {
        let Some(life) = door.state.lives.get_mut(uri) else { return };
        let Some(said) = life.said.get(life.done).filter(|said| said.at <= door.now).cloned() else { return };
        life.done += 1;
        say(door, uri, &root, &said);
    }
}

fn say(door: &mut Door<'_>, uri: &str, root: &Value, said: &Said) {
    let Some(did) = reader_did(door.state, said.who) else { return };
    if door.state.account(&did).is_some_and(|account| account.slot(POST, &said.rkey).is_some()) {
        return; // told in an earlier life of this process
    }
    let parent = match &said.under {
        None => uri.to_owned(),
        Some((who, rkey)) => match reader_did(door.state, *who) {
            Some(did) => format!("at://{did}/{POST}/{rkey}"),
            None => return,
        },
    };
    let Some(parent_cid) = door.state.slot(&parent).and_then(|(_, slot)| slot.stored()).map(|put| put.cid.clone())
    else {
        return; // whoever it answers has taken it back
    };
    let value = super::cbor::ordered(json!({
        "$type": POST,
        "text": said.text,
        "langs": ["en"],
        "createdAt": written(said.at),
        "reply": {"root": root, "parent": {"uri": parent, "cid": parent_cid}},
    }));
    let cid = super::cbor::record_cid(&value).unwrap_or_default();
    let write = Write {
        collection: POST.to_owned(),
        rkey: said.rkey.clone(),
        put: Some(Put { cid, value }),
        indexed: door.indexed_after(said.at, &said.rkey),
    };
    door.commit_at(said.at, &did, Maker::Reader, vec![write]);
}

/// What answers to a post name as the beginning of their thread; `None` where the post is gone.
pub(crate) fn thread_of(state: &State, uri: &str) -> Option<Value> {
    let (_, slot) = state.slot(uri)?;
    let put = slot.stored()?;
    Some(put.value.pointer("/reply/root").cloned().unwrap_or_else(|| json!({"uri": uri, "cid": put.cid})))
}

fn reader_did(state: &State, who: usize) -> Option<String> {
    let (name, _) = READERS.get(who)?;
    state.account(&format!("{name}.test")).map(|account| account.did.clone())
}

impl Door<'_> {
    /// Whether a post has an audience; works out its life if nobody asked before.
    pub(crate) fn live(&mut self, uri: &str) -> bool {
        if self.state.lives.contains_key(uri) {
            return true;
        }
        let Some(life) = life(self.house, self.state, uri) else { return false };
        self.state.lives.insert(uri.to_owned(), life);
        true
    }
}

fn life(house: &House, state: &State, uri: &str) -> Option<Life> {
    let parts = record_uri(uri).filter(|parts| parts.collection == POST)?;
    let account = state.accounts.get(parts.repo)?;
    let audience = account.audience.as_ref()?;
    let level = audience.level?;
    let first = account.slot(POST, parts.rkey)?.versions.first()?;
    let value = &first.put.as_ref()?.value;
    let text = value.get("text").and_then(Value::as_str).unwrap_or_default();
    let mut lift = Lift::default();
    for effect in account.effects.iter().filter(|effect| effect.hits(uri, parts.rkey, text)) {
        lift = lift.and(effect.lift());
    }
    if value.get("reply").is_some() {
        lift.views += REPLY_LIFT;
    }
    let local = |at: DateTime<Utc>| {
        let by = TimeDelta::hours(i64::from(audience.utc_offset_hours));
        at.checked_add_signed(by).unwrap_or(at)
    };
    let out = local(first.at);
    let when = When {
        day: i64::from(out.num_days_from_ce()),
        weekday: out.weekday().num_days_from_monday(),
        band: HourBand::of_hour(out.hour()).ok()?,
    };
    let first_day = i64::from(local(account.created).num_days_from_ce());
    let model = AccountModel::draw(house.seeds.number("audience", account.did.as_bytes()), level, first_day).ok()?;
    let seeds = house.seeds.child("post", uri.as_bytes());
    let model = PostModel::draw(&model, seeds.seed(), when, bounded(lift)).ok()?;
    let said = sayings(&model, seeds, first.at);
    Some(Life { model, out: first.at, said, done: 0 })
}

fn sayings(model: &PostModel, seeds: Seeds, out: DateTime<Utc>) -> Vec<Said> {
    let mut said = Vec::new();
    for n in 1..=model.total(Proxy::Comments).min(SAID_MAX) {
        let Some(age) = model.age_of(Proxy::Comments, n).and_then(|age| Duration::try_from_secs_f64(age).ok()) else {
            continue;
        };
        let mut at = later(out, age);
        let mut under = None;
        for depth in 0..DEPTH_MAX {
            let draw = |name: &str| seeds.number(name, &[n.to_le_bytes(), u64::from(depth).to_le_bytes()].concat());
            if depth > 0 {
                if share(draw("retort")) >= RETORT_CHANCE {
                    break;
                }
                let wait = -RETORT_MEAN * libm::log(share(draw("wait")).max(1e-6));
                at = later(at, Duration::try_from_secs_f64(wait + 30.0).unwrap_or_default());
            }
            let who = reader(draw("who"));
            let rkey = tid(micros(at), draw("key"));
            let text = if depth == 0 { sentence(draw("words")) } else { retort(draw("words")) };
            said.push(Said { at, who, under: under.clone(), rkey: rkey.clone(), text });
            under = Some((who, rkey));
        }
    }
    said.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.rkey.cmp(&b.rkey)));
    said
}

/// What was planted twice or wildly stays within what the model takes.
fn bounded(lift: Lift) -> Lift {
    let bound = |ln: f64| if ln.is_nan() { 0.0 } else { ln.clamp(-LIFT_MAX, LIFT_MAX) };
    Lift {
        views: bound(lift.views),
        retention: bound(lift.retention),
        comments: bound(lift.comments),
        shares: bound(lift.shares),
        likes: bound(lift.likes),
        quotes: bound(lift.quotes),
        bookmarks: bound(lift.bookmarks),
    }
}

fn seconds(span: TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 1000.0
}
