//! What a twin holds: accounts, their repositories and blobs, and who points to what.
//!
//! Decided here: what each change does, and nothing about whether it may happen. A record keeps all of its versions: the
//! servers of accounts show the last one, the read server the last one that it has seen, and a checker sees them all.
//!
//! Invariant: the state is a function of its changes in their order; `apply` cannot fail.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::crowd::{Audience, Effect, Life};
use super::lexicon::{FOLLOW, LIKE, POST, REPOST};
use super::names::record_uri;

/// Who made a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Maker {
    /// A request to the servers.
    Interface,
    /// A person, in an app, by the twin's own functions.
    Hand,
    /// One of the twin's readers.
    Reader,
}

/// Whether an account is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Active,
    /// Closed by its owner, for now.
    Deactivated,
    /// Closed by the network.
    Takendown,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(crate) enum Change {
    Account {
        did: String,
        handle: String,
        password: String,
        audience: Option<Audience>,
        maker: Maker,
        at: DateTime<Utc>,
    },
    AppPassword {
        did: String,
        name: String,
        password: String,
    },
    Session {
        did: String,
        jti: String,
        app_password: bool,
        until: DateTime<Utc>,
    },
    /// A refresh token was used: `next` follows it, and it serves on for a while, for an answer may get lost.
    Rotated {
        jti: String,
        next: String,
        until: DateTime<Utc>,
        grace: DateTime<Utc>,
    },
    SessionEnded {
        jti: String,
    },
    SessionsLost {
        did: String,
    },
    Blob {
        did: String,
        cid: String,
        mime: String,
        #[serde(with = "base64")]
        data: Bytes,
    },
    Commit {
        did: String,
        rev: String,
        cid: String,
        at: DateTime<Utc>,
        maker: Maker,
        writes: Vec<Write>,
    },
    Standing {
        did: String,
        standing: Standing,
    },
    Label {
        did: String,
        value: String,
        at: DateTime<Utc>,
    },
    Planted {
        did: String,
        effect: Effect,
    },
    /// The read server has seen everything that happened until then.
    Indexed {
        at: DateTime<Utc>,
    },
}

/// One record of a commit, put or, without a value, deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Write {
    pub(crate) collection: String,
    pub(crate) rkey: String,
    pub(crate) put: Option<Put>,
    /// When the read server sees it.
    pub(crate) indexed: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Put {
    pub(crate) cid: String,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// `None` where it was deleted.
    pub(crate) put: Option<Put>,
    pub(crate) at: DateTime<Utc>,
    pub(crate) indexed: DateTime<Utc>,
    pub(crate) maker: Maker,
}

/// A record's key and all that ever stood there; never empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot {
    pub(crate) versions: Vec<Version>,
}

impl Slot {
    /// What its own server holds.
    pub(crate) fn stored(&self) -> Option<&Put> {
        self.versions.last()?.put.as_ref()
    }

    /// What the read server shows at a time, with when it saw the record first.
    pub(crate) fn shown(&self, now: DateTime<Utc>) -> Option<(&Put, DateTime<Utc>)> {
        let seen = self.versions.iter().rposition(|version| version.indexed <= now)?;
        let put = self.versions.get(seen)?.put.as_ref()?;
        let life =
            self.versions.iter().take(seen + 1).rposition(|version| version.put.is_none()).map_or(0, |at| at + 1);
        Some((put, self.versions.get(life)?.indexed))
    }
}

#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) mime: String,
    pub(crate) data: Bytes,
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) did: String,
    pub(crate) handle: String,
    pub(crate) password: String,
    pub(crate) app_passwords: Vec<(String, String)>,
    pub(crate) audience: Option<Audience>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) maker: Maker,
    pub(crate) created: DateTime<Utc>,
    pub(crate) standing: Standing,
    pub(crate) labels: Vec<(String, DateTime<Utc>)>,
    /// How often all sessions were lost.
    pub(crate) generation: u32,
    pub(crate) blobs: BTreeMap<String, Stored>,
    pub(crate) records: BTreeMap<(String, String), Slot>,
    pub(crate) rev: String,
    /// The identifier of the last commit.
    pub(crate) head: String,
}

impl Account {
    pub(crate) fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    pub(crate) fn slot(&self, collection: &str, rkey: &str) -> Option<&Slot> {
        self.records.get(&(collection.to_owned(), rkey.to_owned()))
    }

    /// All keys of one collection that ever held a record, oldest key first.
    pub(crate) fn collection(&self, collection: &str) -> impl DoubleEndedIterator<Item = (&str, &Slot)> {
        let from = (collection.to_owned(), String::new());
        let until = (format!("{collection}\0"), String::new());
        self.records.range(from..until).map(|((_, rkey), slot)| (rkey.as_str(), slot))
    }
}

/// A session that can be renewed.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) did: String,
    pub(crate) app_password: bool,
    pub(crate) generation: u32,
    pub(crate) until: DateTime<Utc>,
    pub(crate) next: Option<String>,
}

/// How one record points to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LinkKind {
    Like,
    Repost,
    Reply,
    Quote,
    Follow,
}

/// A record that points to what it is filed under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub(crate) kind: LinkKind,
    pub(crate) did: String,
    pub(crate) rkey: String,
}

impl LinkKind {
    pub(crate) const fn collection(self) -> &'static str {
        match self {
            Self::Like => LIKE,
            Self::Repost => REPOST,
            Self::Reply | Self::Quote => POST,
            Self::Follow => FOLLOW,
        }
    }
}

/// What a record points to.
pub(crate) fn pointed(collection: &str, value: &Value) -> Vec<(LinkKind, String)> {
    let at = |path: &str| value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let mut found = Vec::new();
    match collection {
        LIKE => found.extend(at("/subject/uri").map(|uri| (LinkKind::Like, uri))),
        REPOST => found.extend(at("/subject/uri").map(|uri| (LinkKind::Repost, uri))),
        FOLLOW => found.extend(at("/subject").map(|did| (LinkKind::Follow, did))),
        POST => {
            found.extend(at("/reply/parent/uri").map(|uri| (LinkKind::Reply, uri)));
            let quoted = at("/embed/record/record/uri").or_else(|| at("/embed/record/uri"));
            found.extend(quoted.map(|uri| (LinkKind::Quote, uri)));
        }
        _ => {}
    }
    found
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) accounts: BTreeMap<String, Account>,
    handles: BTreeMap<String, String>,
    pub(crate) sessions: BTreeMap<String, Session>,
    links: BTreeMap<String, BTreeSet<Link>>,
    /// How many changes there were.
    pub(crate) serial: u64,
    /// What the audience does under each post; worked out when first asked for.
    pub(crate) lives: BTreeMap<String, Life>,
}

impl State {
    /// Finds an account by DID or handle.
    pub(crate) fn account(&self, who: &str) -> Option<&Account> {
        self.accounts.get(who).or_else(|| self.accounts.get(self.handles.get(&who.to_ascii_lowercase())?))
    }

    /// The slot of an address, whose account may be given by handle.
    pub(crate) fn slot(&self, uri: &str) -> Option<(&Account, &Slot)> {
        let parts = record_uri(uri)?;
        let account = self.account(parts.repo)?;
        Some((account, account.slot(parts.collection, parts.rkey)?))
    }

    /// What points to a record or person, of one kind.
    pub(crate) fn links(&self, subject: &str, kind: LinkKind) -> impl Iterator<Item = &Link> {
        self.links.get(subject).into_iter().flatten().filter(move |link| link.kind == kind)
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        self.serial += 1;
        match change {
            Change::Account { did, handle, password, audience, maker, at } => {
                self.handles.insert(handle.clone(), did.clone());
                let account = Account {
                    did: did.clone(),
                    handle: handle.clone(),
                    password: password.clone(),
                    app_passwords: Vec::new(),
                    audience: audience.clone(),
                    effects: Vec::new(),
                    maker: *maker,
                    created: *at,
                    standing: Standing::Active,
                    labels: Vec::new(),
                    generation: 0,
                    blobs: BTreeMap::new(),
                    records: BTreeMap::new(),
                    rev: String::new(),
                    head: String::new(),
                };
                self.accounts.insert(did.clone(), account);
            }
            Change::AppPassword { did, name, password } => {
                self.change(did, |account| account.app_passwords.push((name.clone(), password.clone())));
            }
            Change::Session { did, jti, app_password, until } => {
                let generation = self.accounts.get(did).map_or(0, |account| account.generation);
                let session =
                    Session { did: did.clone(), app_password: *app_password, generation, until: *until, next: None };
                self.sessions.insert(jti.clone(), session);
            }
            Change::Rotated { jti, next, until, grace } => self.rotate(jti, next, *until, *grace),
            Change::SessionEnded { jti } => {
                self.sessions.remove(jti);
            }
            Change::SessionsLost { did } => {
                self.sessions.retain(|_, session| session.did != *did);
                self.change(did, |account| account.generation += 1);
            }
            Change::Blob { did, cid, mime, data } => self.change(did, |account| {
                account.blobs.insert(cid.clone(), Stored { mime: mime.clone(), data: data.clone() });
            }),
            Change::Commit { did, rev, cid, at, maker, writes } => {
                for write in writes {
                    self.write(did, write, *at, *maker);
                }
                self.change(did, |account| {
                    account.rev.clone_from(rev);
                    account.head.clone_from(cid);
                });
            }
            Change::Standing { did, standing } => self.change(did, |account| account.standing = *standing),
            Change::Label { did, value, at } => {
                self.change(did, |account| account.labels.push((value.clone(), *at)));
            }
            Change::Planted { did, effect } => {
                self.lives.retain(|uri, _| !uri.contains(did.as_str()));
                self.change(did, |account| account.effects.push(effect.clone()));
            }
            Change::Indexed { at } => self.index(*at),
        }
    }

    fn change(&mut self, did: &str, with: impl FnOnce(&mut Account)) {
        if let Some(account) = self.accounts.get_mut(did) {
            with(account);
        }
    }

    fn rotate(&mut self, jti: &str, next: &str, until: DateTime<Utc>, grace: DateTime<Utc>) {
        let Some(old) = self.sessions.get_mut(jti) else { return };
        old.until = old.until.min(grace);
        old.next = Some(next.to_owned());
        let fresh = Session {
            did: old.did.clone(),
            app_password: old.app_password,
            generation: old.generation,
            until,
            next: None,
        };
        self.sessions.insert(next.to_owned(), fresh);
    }

    fn write(&mut self, did: &str, write: &Write, at: DateTime<Utc>, maker: Maker) {
        if let Some(put) = &write.put {
            for (kind, subject) in pointed(&write.collection, &put.value) {
                let link = Link { kind, did: did.to_owned(), rkey: write.rkey.clone() };
                self.links.entry(subject).or_default().insert(link);
            }
        }
        self.change(did, |account| {
            let slot = account.records.entry((write.collection.clone(), write.rkey.clone())).or_default();
            // What came later is seen later.
            let indexed = slot.versions.last().map_or(write.indexed, |last| last.indexed.max(write.indexed));
            slot.versions.push(Version { put: write.put.clone(), at, indexed, maker });
        });
    }

    fn index(&mut self, at: DateTime<Utc>) {
        let versions = self.accounts.values_mut().flat_map(|account| account.records.values_mut());
        for version in versions.flat_map(|slot| slot.versions.iter_mut()) {
            version.indexed = version.indexed.min(at);
        }
    }
}

mod base64 {
    //! Bytes as text.

    use bytes::Bytes;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::BASE64;

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text.as_bytes()).map(Bytes::from).map_err(serde::de::Error::custom)
    }
}
