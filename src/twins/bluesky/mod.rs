//! The Bluesky twin: server of accounts, read server and directory of identities in one.
//!
//! Decided here: how a twin is set up, how a request gets to its servers past the faults of the road, and what it tells
//! those who check it. What each server answers is below: `server` (accounts and sessions), `writes` and `reads`
//! (repositories), `appview` and `view` (what people see), `crowd` and `cast` (what people do).
//!
//! Left out: OAuth, video jobs, the firehose, signatures, labels on posts, feeds and notifications. A method that is not
//! there answers 501.
//!
//! Invariants: a request that was taken in is carried out, whether or not its caller still waits; one is carried out at a
//! time; what was answered is in the journal.

mod appview;
mod cast;
mod cbor;
mod crowd;
mod door;
mod hand;
mod lexicon;
mod limits;
mod names;
mod reads;
mod road;
mod server;
mod state;
mod token;
mod view;
mod writes;
mod xrpc;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use clock::{Clock, Seeds};
use http::{Request, Response};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use self::door::{Door, House};
use self::limits::Limiter;
use self::state::{Change, Standing, State};
use self::xrpc::{Ask, Reply};
use crate::fault::Faults;
use crate::journal::{Journal, Line};
use crate::{Entry, Fault, JournalError, Lost, Rates};

pub use self::crowd::{Audience, Counts, Effect, On};
pub use self::hand::Made;
pub use self::state::Maker;
pub use self::xrpc::Refused;

/// Where a twin's servers say they are, until told otherwise.
pub const DEFAULT_BASE: &str = "https://bluesky.twin.test";

const LAG_MIN: Duration = Duration::from_millis(300);
const LAG_MAX: Duration = Duration::from_secs(4);

/// Someone on the network, with what they log in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The unchanging name.
    pub did: String,
    /// The name that people see.
    pub handle: String,
    /// The account's own password.
    pub password: String,
    /// A password for a program.
    pub app_password: String,
}

/// A post that is or was on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible {
    /// Its address.
    pub uri: String,
    /// Its identifier, or its last one.
    pub cid: String,
    /// Its words, or its last ones.
    pub text: String,
    /// When it first stood there.
    pub at: DateTime<Utc>,
    /// When it was taken away, if it is.
    pub removed: Option<DateTime<Utc>>,
    /// How often its bytes were changed.
    pub edits: usize,
    /// Who made it.
    pub maker: Maker,
}

/// A stand-in for Bluesky. Clones are the same twin.
#[derive(Clone)]
pub struct BlueskyTwin {
    clock: Arc<dyn Clock>,
    seeds: Seeds,
    core: Arc<Mutex<Core>>,
}

struct Core {
    house: House,
    state: State,
    limiter: Limiter,
    faults: Faults,
    journal: Journal,
    /// Requests that reached the road, whether or not they reached the servers.
    arrived: u64,
}

impl BlueskyTwin {
    /// Returns a twin without accounts that is kept in memory.
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self::with(clock, seed, Journal::default(), State::default())
    }

    /// Returns the twin that a file holds, or a new one that will be kept in it.
    ///
    /// Faults, lag, address and limits in use are not kept: they are set again by whoever opens it.
    pub fn open(clock: Arc<dyn Clock>, seed: u64, journal: &Path) -> Result<Self, JournalError> {
        let (journal, lines) = Journal::open::<Change>(journal)?;
        let mut state = State::default();
        lines.iter().flat_map(|line| &line.changes).for_each(|change| state.apply(change));
        Ok(Self::with(clock, seed, journal, state))
    }

    fn with(clock: Arc<dyn Clock>, seed: u64, journal: Journal, state: State) -> Self {
        let seeds = Seeds::new(seed).child("bluesky twin", b"");
        let house = House {
            seeds,
            base: DEFAULT_BASE.to_owned(),
            key: format!("the token key of twin {seed}").into_bytes(),
            lag_min: LAG_MIN,
            lag_max: LAG_MAX,
        };
        let arrived = journal.next_number();
        let core = Core { house, state, limiter: Limiter::default(), faults: Faults::default(), journal, arrived };
        Self { clock, seeds, core: Arc::new(Mutex::new(core)) }
    }

    /// Returns it at another address: scheme, host and port.
    #[must_use]
    pub fn with_base(self, base: &str) -> Self {
        self.set_base(base);
        self
    }

    /// Returns where its servers say they are; the same address for all of them.
    pub fn base(&self) -> String {
        self.core().house.base.clone()
    }

    pub(crate) fn set_base(&self, base: &str) {
        self.core().house.base = base.trim_end_matches('/').to_owned();
    }

    /// Returns what tokens are signed with, so that a test can make one that is too old.
    pub fn token_key(&self) -> Vec<u8> {
        self.core().house.key.clone()
    }

    /// Sets how long the read server takes to see what happened.
    pub fn set_lag(&self, min: Duration, max: Duration) {
        let mut core = self.core();
        (core.house.lag_min, core.house.lag_max) = (min, max.max(min));
    }

    /// Lets the read server see everything that happened until now.
    pub fn index_now(&self) {
        self.set("index_now", |door| {
            door.change(Change::Indexed { at: door.now });
            Ok(())
        })
        .ok();
    }

    /// Makes an account with an app password, and its readers with the first one that has any.
    ///
    /// Handles end in `.test`. The same seed and handle give the same DID.
    pub fn add_account(&self, handle: &str, password: &str, audience: Audience) -> Result<Person, Refused> {
        let readers = audience.followers() > 0;
        self.set("add_account", |door| {
            if readers {
                crowd::gather(door)?;
            }
            let did = server::add(door, handle, password, Some(audience), Maker::Hand)?;
            let app_password = server::new_app_password(door);
            let name = "expos".to_owned();
            door.change(Change::AppPassword { did: did.clone(), name, password: app_password.clone() });
            Ok(Person { did, handle: handle.to_owned(), password: password.to_owned(), app_password })
        })
    }

    /// Plants an effect in an account's posts, those that are out already among them.
    pub fn plant(&self, who: &str, effect: Effect) -> Result<(), Refused> {
        self.on_account("plant", who, |did| Change::Planted { did, effect })
    }

    /// Posts in an app.
    pub fn post_by_hand(&self, who: &str, text: &str) -> Result<Made, Refused> {
        self.hand("post", |door| hand::post(door, who, text))
    }

    /// Answers a post in an app, inside its thread.
    pub fn reply_by_hand(&self, who: &str, to: &str, text: &str) -> Result<Made, Refused> {
        self.hand("reply", |door| hand::reply(door, who, to, text))
    }

    /// Posts in an app with another post inside.
    pub fn quote_by_hand(&self, who: &str, of: &str, text: &str) -> Result<Made, Refused> {
        self.hand("quote", |door| hand::quote(door, who, of, text))
    }

    /// Likes a post in an app.
    pub fn like_by_hand(&self, who: &str, uri: &str) -> Result<Made, Refused> {
        self.hand("like", |door| hand::like(door, who, uri))
    }

    /// Reposts a post in an app.
    pub fn repost_by_hand(&self, who: &str, uri: &str) -> Result<Made, Refused> {
        self.hand("repost", |door| hand::repost(door, who, uri))
    }

    /// Follows an account in an app.
    pub fn follow_by_hand(&self, who: &str, whom: &str) -> Result<Made, Refused> {
        self.hand("follow", |door| hand::follow(door, who, whom))
    }

    /// Gives a post of one's own other words under the same key.
    pub fn edit_by_hand(&self, who: &str, uri: &str, text: &str) -> Result<Made, Refused> {
        self.hand("edit", |door| hand::edit(door, who, uri, text))
    }

    /// Deletes a record of one's own.
    pub fn delete_by_hand(&self, who: &str, uri: &str) -> Result<Made, Refused> {
        self.hand("delete", |door| hand::delete(door, who, uri))
    }

    /// Puts a label of the network's moderators on an account, like `!warn`; everybody who reads sees it.
    pub fn warn(&self, who: &str, label: &str) -> Result<(), Refused> {
        let at = self.clock.wall();
        self.on_account("warn", who, |did| Change::Label { did, value: label.to_owned(), at })
    }

    /// Closes an account, as the network's moderators do.
    pub fn takedown(&self, who: &str) -> Result<(), Refused> {
        self.on_account("takedown", who, |did| Change::Standing { did, standing: Standing::Takendown })
    }

    /// Opens an account again.
    pub fn restore(&self, who: &str) -> Result<(), Refused> {
        self.on_account("restore", who, |did| Change::Standing { did, standing: Standing::Active })
    }

    /// Ends every session of an account: access tokens count as expired, refresh tokens as revoked.
    pub fn lose_session(&self, who: &str) -> Result<(), Refused> {
        self.on_account("lose_session", who, |did| Change::SessionsLost { did })
    }

    /// Does this to the next `times` requests whose path contains `part`.
    pub fn rule(&self, part: &str, fault: Fault, times: u32) {
        self.core().faults.rule(part, fault, times);
    }

    /// Does this to requests by chance.
    pub fn random(&self, rates: Rates) {
        self.core().faults.random(rates);
    }

    /// Keeps chance to requests whose path contains this.
    pub fn only(&self, part: &str) {
        self.core().faults.only(part);
    }

    /// Ends all faults.
    pub fn calm(&self) {
        self.core().faults.clear();
    }

    /// Answers a request, past every fault.
    pub fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.core().handle(Ask::of(request), self.clock.wall(), None)
    }

    /// Sends a request over the road: what comes of it, faults included.
    ///
    /// It is carried out by a task of its own, so that nothing is undone where the caller stops waiting. Call within a
    /// `tokio` runtime; the first poll is not needed for it to begin.
    pub fn call(&self, request: Request<Bytes>) -> impl Future<Output = Result<Response<Bytes>, Lost>> + Send + use<> {
        let task = tokio::spawn(road::carried(self.clone(), request));
        async move { task.await.unwrap_or(Err(Lost::Closed)) }
    }

    /// Returns what it was asked and what that did, in order.
    pub fn journal(&self) -> Vec<Entry> {
        self.journal_from(0)
    }

    /// Returns what it was asked from that entry's number on, so that a checker reads each entry once.
    pub fn journal_from(&self, number: u64) -> Vec<Entry> {
        let from = usize::try_from(number).unwrap_or(usize::MAX);
        self.core().journal.entries.get(from..).unwrap_or_default().to_vec()
    }

    /// Returns every post that is or was on an account, by key; empty where there is no such account.
    pub fn visible(&self, who: &str) -> Vec<Visible> {
        let core = self.core();
        let Some(account) = core.state.account(who) else { return Vec::new() };
        account
            .collection(lexicon::POST)
            .filter_map(|(rkey, slot)| {
                let first = slot.versions.first()?;
                let last = slot.versions.last()?;
                let puts: Vec<&state::Put> = slot.versions.iter().filter_map(|version| version.put.as_ref()).collect();
                let put = puts.last()?;
                Some(Visible {
                    uri: format!("at://{}/{}/{rkey}", account.did, lexicon::POST),
                    cid: put.cid.clone(),
                    text: put.value.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
                    at: first.at,
                    removed: last.put.is_none().then_some(last.at),
                    edits: puts.windows(2).filter(|pair| matches!(pair, [a, b] if a.cid != b.cid)).count(),
                    maker: first.maker,
                })
            })
            .collect()
    }

    /// Returns what the read server counts under a post now; `None` where it shows none.
    pub fn counts(&self, uri: &str) -> Option<Counts> {
        let now = self.clock.wall();
        self.core().with_door(now, |door| {
            door.state.slot(uri)?.1.shown(now)?;
            Some(crowd::counts(door, uri))
        })
    }

    /// Returns a digest of the journal and of every post; equal runs have equal ones.
    pub fn digest(&self) -> String {
        let core = self.core();
        let mut hash = Sha256::new();
        for entry in &core.journal.entries {
            hash.update(serde_json::to_vec(entry).unwrap_or_default());
        }
        let dids: Vec<String> = core.state.accounts.keys().cloned().collect();
        drop(core);
        for did in dids {
            for post in self.visible(&did) {
                hash.update(format!("{post:?}"));
            }
        }
        data_encoding::HEXLOWER.encode(&hash.finalize())
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set<T>(&self, name: &str, act: impl FnOnce(&mut Door<'_>) -> Result<T, Refused>) -> Result<T, Refused> {
        self.core().done("SET", name, self.clock.wall(), act)
    }

    fn hand(&self, name: &str, act: impl FnOnce(&mut Door<'_>) -> Result<Made, Refused>) -> Result<Made, Refused> {
        self.core().done("HAND", name, self.clock.wall(), act)
    }

    fn on_account(&self, name: &str, who: &str, change: impl FnOnce(String) -> Change) -> Result<(), Refused> {
        self.set(name, |door| {
            let did = door.state.account(who).map(|account| account.did.clone());
            let did = did.ok_or_else(|| Refused::named("AccountNotFound", format!("there is no account {who}")))?;
            door.who = Some(did.clone());
            door.change(change(did));
            Ok(())
        })
    }
}

impl Core {
    fn with_door<T>(&mut self, now: DateTime<Utc>, act: impl FnOnce(&mut Door<'_>) -> T) -> T {
        let mut door = Door {
            house: &self.house,
            state: &mut self.state,
            limiter: &mut self.limiter,
            now,
            changes: Vec::new(),
            who: None,
            key: None,
            given: std::cell::Cell::new(0),
        };
        act(&mut door)
    }

    fn handle(&mut self, ask: Ask, now: DateTime<Utc>, fault: Option<Fault>) -> Response<Bytes> {
        let (reply, who, key, changes) = self.with_door(now, |door| {
            let reply = door.answer(&ask);
            (reply, door.who.take(), door.key.take(), std::mem::take(&mut door.changes))
        });
        let entry =
            self.entry(&ask, now, Outcome { who, key, status: Some(reply.status()), fault, applied: is_act(&changes) });
        match self.journal.keep(&Line { entry, changes }) {
            Ok(()) => reply.response(),
            Err(_broken) => Reply::refused(&Refused::internal()).response(),
        }
    }

    /// Notes a request that the servers never saw.
    fn unasked(&mut self, ask: &Ask, now: DateTime<Utc>, fault: Option<Fault>, status: Option<u16>) {
        let entry = self.entry(ask, now, Outcome { who: None, key: None, status, fault, applied: false });
        // A file that cannot be written refuses the next answer; this one was lost anyway.
        self.journal.keep::<Change>(&Line { entry, changes: Vec::new() }).ok();
    }

    fn done<T>(
        &mut self,
        method: &str,
        name: &str,
        now: DateTime<Utc>,
        act: impl FnOnce(&mut Door<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let (done, who, key, changes) = self.with_door(now, |door| {
            let done = act(door);
            (done, door.who.take(), door.key.take(), std::mem::take(&mut door.changes))
        });
        let status = done.as_ref().map_or_else(|refused| refused.status, |_| 200);
        let entry = Entry {
            number: self.journal.next_number(),
            at: now,
            method: method.to_owned(),
            path: name.to_owned(),
            nsid: String::new(),
            who,
            key,
            status: Some(status),
            applied: !changes.is_empty(),
            fault: None,
        };
        self.journal.keep(&Line { entry, changes }).map_err(|_broken| Refused::internal())?;
        done
    }

    fn entry(&self, ask: &Ask, now: DateTime<Utc>, outcome: Outcome) -> Entry {
        Entry {
            number: self.journal.next_number(),
            at: now,
            method: ask.method.clone(),
            path: ask.target.clone(),
            nsid: ask.nsid().to_owned(),
            who: outcome.who,
            key: outcome.key,
            status: outcome.status,
            applied: outcome.applied,
            fault: outcome.fault,
        }
    }
}

/// What came of a request.
struct Outcome {
    who: Option<String>,
    key: Option<String>,
    status: Option<u16>,
    fault: Option<Fault>,
    applied: bool,
}

/// Whether changes are more than readers being heard because somebody looked.
fn is_act(changes: &[Change]) -> bool {
    changes.iter().any(|change| !matches!(change, Change::Commit { maker: Maker::Reader, .. }))
}
