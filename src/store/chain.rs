//! The chain: each event is hashed together with the hash of the one before, so that the log is the audit trail (I12).
//!
//! Decides which bytes stand in a hash, for events and for refusals (a chain of their own, so that none can be hidden).
//! Judging a chain is `audit`'s business, writing one `tx`'s and `writer`'s.
//!
//! Invariant: `n` counts from 1 without a gap, and the payload is hashed in exactly the bytes that are stored.

use std::fmt;
use std::str::FromStr;

use domain::actor::Actor;
use domain::aggregate::{Epoch, StreamKind, Version};
use domain::hash::{Digest, Framed};
use domain::id::{ClientId, StoreId};
use domain::time::UtcTime;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::convert::{self, ActorColumns};
use crate::stored::{self, Stored};

/// The end of a chain, or any place in it: enough to notice later that something before it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Of which store.
    pub store: StoreId,
    /// The number of the event; 0 before the first.
    pub n: u64,
    /// Its hash.
    pub hash: Digest,
}

/// A text is no anchor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no anchor; copy the whole of the one that an audit or a sign-off showed: STORE:NUMBER:HASH")]
pub struct BadAnchor(String);

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.store, self.n, self.hash)
    }
}

impl FromStr for Anchor {
    type Err = BadAnchor;

    fn from_str(text: &str) -> Result<Self, BadAnchor> {
        let mut parts = text.trim().split(':');
        let read = |store: &str, n: &str, hash: &str| {
            Some(Self { store: store.parse().ok()?, n: n.parse().ok()?, hash: hash.parse().ok()? })
        };
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(store), Some(n), Some(hash), None) => read(store, n, hash),
            _ => None,
        }
        .ok_or_else(|| BadAnchor(text.chars().take(120).collect()))
    }
}

/// The last link of a chain while it is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) n: u64,
    pub(crate) hash: Digest,
}

impl Head {
    /// The head of a chain without links.
    pub(crate) const EMPTY: Self = Self { n: 0, hash: Digest::from_bytes([0; 32]) };
}

/// Everything of an event that its hash covers, but the hash before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) n: u64,
    pub(crate) epoch: Epoch,
    pub(crate) at: UtcTime,
    pub(crate) stream: String,
    pub(crate) version: u64,
    pub(crate) actor: ActorColumns,
    pub(crate) cause: String,
    pub(crate) event: String,
    pub(crate) payload: String,
}

impl Link {
    /// Returns the hash of the event at place `n`, after `before`.
    pub(crate) fn hash_at(&self, store: &str, before: Digest, n: u64) -> Digest {
        let uid = self.actor.uid.map(u32::to_be_bytes);
        Framed::new("expos.event.1")
            .text(store)
            .field(before.bytes())
            .field(&n.to_be_bytes())
            .field(&self.epoch.0.to_be_bytes())
            .field(&self.at.micros().to_be_bytes())
            .text(&self.stream)
            .field(&self.version.to_be_bytes())
            .text(&self.actor.kind)
            .field(uid.as_ref().map_or(&[], <[u8; 4]>::as_slice))
            .text(&self.actor.name)
            .text(&self.actor.role)
            .text(&self.cause)
            .text(&self.event)
            .text(&self.payload)
            .digest()
    }

    /// Returns the hash of the event in its own place.
    pub(crate) fn hash(&self, store: &str, before: Digest) -> Digest {
        self.hash_at(store, before, self.n)
    }

    /// Writes the event, with the client whose it is.
    pub(crate) fn insert(
        &self,
        connection: &Connection,
        client: Option<&ClientId>,
        hash: Digest,
    ) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "INSERT INTO event (n, time_us, epoch, stream, version, client, actor_kind, actor_uid, actor_name, actor_role, cause, type, payload, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(rusqlite::params![
                convert::to_db(self.n)?,
                self.at.micros(),
                convert::to_db(self.epoch.0)?,
                self.stream,
                convert::to_db(self.version)?,
                client.map(ClientId::as_str),
                self.actor.kind,
                self.actor.uid,
                self.actor.name,
                self.actor.role,
                self.cause,
                self.event,
                self.payload,
                hash.bytes(),
            ])?;
        Ok(())
    }
}

/// The columns of `StoredLink::read`.
pub(crate) const LINK_COLUMNS: &str = "n, time_us, epoch, stream, version, client, actor_kind, actor_uid, actor_name, actor_role, cause, type, payload, hash";

/// An event as it stands in the file, not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredLink {
    pub(crate) link: Link,
    pub(crate) client: Option<String>,
    pub(crate) hash: Digest,
}

impl StoredLink {
    /// Reads a row of `LINK_COLUMNS`.
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let actor = ActorColumns { kind: row.get(6)?, uid: row.get(7)?, name: row.get(8)?, role: row.get(9)? };
        let link = Link {
            n: convert::from_db(row.get(0)?)?,
            at: UtcTime::from_micros(row.get(1)?),
            epoch: Epoch(convert::from_db(row.get(2)?)?),
            stream: row.get(3)?,
            version: convert::from_db(row.get(4)?)?,
            actor,
            cause: row.get(10)?,
            event: row.get(11)?,
            payload: row.get(12)?,
        };
        let hash: [u8; 32] = row.get(13)?;
        Ok(Self { link, client: row.get(5)?, hash: Digest::from_bytes(hash) })
    }
}

/// One event of the log, as people and tasks read it.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// Its place in the log, from 1.
    pub n: u64,
    /// When it was recorded.
    pub at: UtcTime,
    /// Under which epoch.
    pub epoch: Epoch,
    /// Of what sort of thing.
    pub kind: StreamKind,
    /// Of which; nothing for the agency.
    pub key: String,
    /// Its place in that thing's life, from 1.
    pub version: Version,
    /// Whose it is; none for the agency.
    pub client: Option<ClientId>,
    /// Who caused it.
    pub actor: Actor,
    /// The command's id or the task's name.
    pub cause: String,
    /// The event's name, as in `post_published`.
    pub event: String,
    /// The event, as JSON.
    pub payload: String,
    /// Its hash.
    pub hash: Digest,
}

impl EventRecord {
    /// Reads the event of an aggregate.
    pub fn as_event<A: Stored>(&self) -> Result<A::Event, StoreError> {
        if self.kind != A::KIND {
            return Err(StoreError::Unreadable {
                what: format!("event {}", self.n),
                why: format!("it is one of {}, not of {}", self.kind, A::KIND),
            });
        }
        stored::read_event::<A>(&format!("{} {}", A::NOUN, self.key), &self.payload)
    }
}

impl TryFrom<StoredLink> for EventRecord {
    type Error = StoreError;

    fn try_from(stored: StoredLink) -> Result<Self, StoreError> {
        let link = stored.link;
        let (kind, key) = split_stream(&link.stream)?;
        Ok(Self {
            n: link.n,
            at: link.at,
            epoch: link.epoch,
            kind,
            key: key.to_owned(),
            version: Version(link.version),
            client: stored.client.as_deref().map(|client| convert::parse("a client", client)).transpose()?,
            actor: link.actor.actor()?,
            cause: link.cause,
            event: link.event,
            payload: link.payload,
            hash: stored.hash,
        })
    }
}

/// Names a stream: the sort, and the key where there is more than one.
pub(crate) fn stream_name(kind: StreamKind, key: &str) -> String {
    if key.is_empty() { kind.as_str().to_owned() } else { format!("{kind}/{key}") }
}

/// Takes a stream's name apart.
pub(crate) fn split_stream(stream: &str) -> Result<(StreamKind, &str), StoreError> {
    let (kind, key) = stream.split_once('/').unwrap_or((stream, ""));
    let kind =
        StreamKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| StoreError::Unreadable {
            what: format!("stream {stream}"),
            why: "this program knows no such sort of thing".to_owned(),
        })?;
    Ok((kind, key))
}

/// Returns the name of an event, which its JSON says first.
pub(crate) fn event_name(payload: &str) -> Option<&str> {
    payload.strip_prefix("{\"type\":\"")?.split('"').next().filter(|name| !name.is_empty())
}

/// A person's refusal, as it is chained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusalLink {
    pub(crate) n: u64,
    pub(crate) epoch: Epoch,
    pub(crate) at: UtcTime,
    pub(crate) client: Option<String>,
    pub(crate) uid: u32,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) cause: String,
    pub(crate) refusal: String,
}

/// The columns of `RefusalLink::read`.
pub(crate) const REFUSAL_COLUMNS: &str = "n, time_us, epoch, client, uid, name, role, cause, refusal, hash";

impl RefusalLink {
    pub(crate) fn hash(&self, store: &str, before: Digest) -> Digest {
        Framed::new("expos.refusal.1")
            .text(store)
            .field(before.bytes())
            .field(&self.n.to_be_bytes())
            .field(&self.epoch.0.to_be_bytes())
            .field(&self.at.micros().to_be_bytes())
            .text(self.client.as_deref().unwrap_or_default())
            .field(&self.uid.to_be_bytes())
            .text(&self.name)
            .text(&self.role)
            .text(&self.cause)
            .text(&self.refusal)
            .digest()
    }

    pub(crate) fn insert(&self, connection: &Connection, hash: Digest) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "INSERT INTO refusal (n, time_us, epoch, client, uid, name, role, cause, refusal, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(rusqlite::params![
                convert::to_db(self.n)?,
                self.at.micros(),
                convert::to_db(self.epoch.0)?,
                self.client,
                self.uid,
                self.name,
                self.role,
                self.cause,
                self.refusal,
                hash.bytes(),
            ])?;
        Ok(())
    }

    /// Reads a row of `REFUSAL_COLUMNS`, with the hash that stands there.
    pub(crate) fn read(row: &Row<'_>) -> Result<(Self, Digest), StoreError> {
        let link = Self {
            n: convert::from_db(row.get(0)?)?,
            at: UtcTime::from_micros(row.get(1)?),
            epoch: Epoch(convert::from_db(row.get(2)?)?),
            client: row.get(3)?,
            uid: row.get(4)?,
            name: row.get(5)?,
            role: row.get(6)?,
            cause: row.get(7)?,
            refusal: row.get(8)?,
        };
        let hash: [u8; 32] = row.get(9)?;
        Ok((link, Digest::from_bytes(hash)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn link() -> Link {
        Link {
            n: 7,
            epoch: Epoch(2),
            at: UtcTime::from_micros(5),
            stream: "post/X".to_owned(),
            version: 3,
            actor: ActorColumns {
                kind: "person".to_owned(),
                uid: Some(1000),
                name: "ada".to_owned(),
                role: "admin".to_owned(),
            },
            cause: "c".to_owned(),
            event: "e".to_owned(),
            payload: "{}".to_owned(),
        }
    }

    #[test]
    fn an_anchor_reads_back_as_it_was_shown() {
        let anchor = Anchor { store: "00000000000000000000000001".parse().unwrap(), n: 12, hash: Digest::of(b"x") };
        let shown = anchor.to_string();
        assert_eq!(shown.parse::<Anchor>().unwrap(), anchor);
        for bad in [
            "",
            "::",
            "12",
            shown.trim_end_matches(|c: char| c != ':'),
            &format!("{shown}:1"),
            &shown.replace(":12:", ":-1:"),
        ] {
            assert!(bad.parse::<Anchor>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_field_is_in_the_hash() {
        let before = Digest::of(b"before");
        let hash = link().hash("S", before);
        let mut others =
            vec![link().hash("T", before), link().hash("S", Digest::of(b"other")), link().hash_at("S", before, 8)];
        let edits: [fn(&mut Link); 12] = [
            |l| l.epoch = Epoch(3),
            |l| l.at = UtcTime::from_micros(6),
            |l| l.stream = "post/Y".to_owned(),
            |l| l.version = 4,
            |l| l.actor.kind = "agent".to_owned(),
            |l| l.actor.uid = None,
            |l| l.actor.uid = Some(1001),
            |l| l.actor.name = "bob".to_owned(),
            |l| l.actor.role = "viewer".to_owned(),
            |l| l.cause = "d".to_owned(),
            |l| l.event = "f".to_owned(),
            |l| l.payload = "{ }".to_owned(),
        ];
        for edit in edits {
            let mut edited = link();
            edit(&mut edited);
            others.push(edited.hash("S", before));
        }
        assert!(others.iter().all(|other| *other != hash), "{others:?}");
        let distinct: std::collections::BTreeSet<_> = others.iter().collect();
        assert_eq!(distinct.len(), others.len());
    }

    proptest! {
        #[test]
        fn text_that_moves_from_one_field_to_the_next_changes_the_hash(a in "[a-z]{1,4}", b in "[a-z]{1,4}") {
            let before = Digest::of(b"");
            let one = Link { cause: format!("{a}{b}"), event: String::new(), ..link() };
            let two = Link { cause: a, event: b, ..link() };
            prop_assert_ne!(one.hash("S", before), two.hash("S", before));
        }
    }
}
