//! A write transaction: load, let the domain decide, append.
//!
//! Decides how events reach the log: chained, folded into the read row, versions without a gap. Whether they reach the
//! disk is `writer`'s business; nothing here is true before that answered.
//!
//! Invariant: after each append the read row is the fold of the stream (I12), and what was written reads back as it was.

use std::any::Any;
use std::ops::Deref;

use domain::actor::Actor;
use domain::aggregate::{Epoch, Version};
use domain::hash::Digest;
use domain::id::{AccountId, ClientId, CommandId, PostId};
use domain::post::Handle;
use domain::refusal::Refusal;
use domain::secret::{Secret, SecretKind};
use domain::snapshot::{Reading, Snapshot};
use domain::time::UtcTime;

use crate::chain::{Head, Link, event_name, stream_name};
use crate::convert::{self, ActorColumns};
use crate::stored::{self, Stored, table::Table};
use crate::vault::Vault;
use crate::view::{ExternalPost, View};
use crate::{Stop, StoreError};

/// Who does it, and on whose order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// A person, an agent or the engine.
    pub actor: Actor,
    /// The command's id, or the task's name.
    pub cause: String,
}

impl Cause {
    /// Names an actor and the command or task.
    pub fn new(actor: Actor, cause: impl Into<String>) -> Self {
        Self { actor, cause: cause.into() }
    }

    /// The engine, in one of its tasks.
    pub fn engine(task: &str) -> Self {
        Self::new(Actor::Engine, task)
    }
}

/// Leave to be given once the transaction is on the disk.
#[derive(Debug)]
pub(crate) struct Leave {
    pub(crate) post: PostId,
    pub(crate) attempt: u32,
    pub(crate) handle: Handle,
    pub(crate) recorded: UtcTime,
}

/// What was loaded last: what is decided on is mostly what is appended to next.
pub(crate) struct Loaded {
    stream: String,
    version: Version,
    state: Box<dyn Any>,
}

/// A write transaction on the writer. Reads what it wrote itself.
pub struct Tx<'a> {
    pub(crate) view: View<'a>,
    pub(crate) store: &'a str,
    pub(crate) epoch: Epoch,
    pub(crate) cause: &'a Cause,
    pub(crate) head: Head,
    pub(crate) client: Option<ClientId>,
    pub(crate) leaves: Vec<Leave>,
    pub(crate) loaded: Option<Loaded>,
}

impl<'a> Deref for Tx<'a> {
    type Target = View<'a>;

    fn deref(&self) -> &View<'a> {
        &self.view
    }
}

impl Tx<'_> {
    /// Returns the wall time at which this transaction began.
    pub fn now(&self) -> UtcTime {
        self.view.now
    }

    /// Returns the epoch under which it writes; it was compared with the store's in this transaction.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns who does it, and why.
    pub fn cause(&self) -> &Cause {
        self.cause
    }

    /// Says whose things this is about, for the record of a refusal. Otherwise that is the client of the first thing loaded.
    pub fn concerns(&mut self, client: &ClientId) {
        self.client = Some(client.clone());
    }

    /// Returns an aggregate, or refuses because there is none.
    pub fn load<A: Stored>(&mut self, key: &A::Key) -> Result<A, Stop> {
        Ok(self.load_version(key)?.0)
    }

    /// Returns an aggregate with its version, or refuses because there is none.
    pub fn load_version<A: Stored>(&mut self, key: &A::Key) -> Result<(A, Version), Stop> {
        let key = A::key_text(key);
        let found = self.view.find_text::<A>(&key)?;
        let (state, version) = found.ok_or_else(|| Refusal::not_found(A::NOUN, &key))?;
        self.note_client(&state);
        self.loaded = Some(Loaded { stream: stream_name(A::KIND, &key), version, state: Box::new(state.clone()) });
        Ok((state, version))
    }

    /// Returns what was loaded last, where it is the thing asked for and nothing was appended since.
    fn take_loaded<A: Stored>(&mut self, key: &str) -> Option<(A, Version)> {
        let loaded = self.loaded.take()?;
        let state = loaded.state.downcast::<A>().ok()?;
        (loaded.stream == stream_name(A::KIND, key)).then_some((*state, loaded.version))
    }

    fn note_client<A: Stored>(&mut self, state: &A) {
        if self.client.is_none() {
            self.client = state.client().cloned();
        }
    }

    /// Refuses unless an aggregate is still at the version that somebody was looking at.
    pub fn expect_version<A: Stored>(&self, key: &A::Key, seen: Version) -> Result<(), Stop> {
        let found = self.view.find::<A>(key)?.map_or(Version(0), |(_, version)| version);
        if found == seen {
            return Ok(());
        }
        let what = stored::what::<A>(&A::key_text(key));
        Err(Refusal::changed(what, format!("you saw version {}, it is at version {} now", seen.0, found.0)).into())
    }

    /// Appends what happened to one thing and returns it as it is now. No events, no change.
    ///
    /// Fails where the first event of a new thing begins nothing, where a thing would begin twice, where the state would
    /// have another key, and where something would not read back as it is.
    pub fn append<A: Stored>(&mut self, key: &A::Key, events: Vec<A::Event>) -> Result<A, StoreError> {
        let key = A::key_text(key);
        let what = stored::what::<A>(&key);
        let found = match self.take_loaded::<A>(&key) {
            Some(loaded) => Some(loaded),
            None => self.view.find_text::<A>(&key)?,
        };
        let fresh = found.is_none();
        let (mut state, mut version) = found.map_or((None, 0), |(state, version)| (Some(state), version.0));
        for event in &events {
            let next = stored::step(&what, state.take(), event)?;
            version += 1;
            self.append_event::<A>(&key, &what, version, &next, event)?;
            state = Some(next);
        }
        let Some(state) = state else {
            return Err(StoreError::Unstorable {
                what,
                why: "there is no such thing and no event that begins it".to_owned(),
            });
        };
        if !events.is_empty() {
            stored::put(self.view.connection, &key, version, &state, fresh)?;
        }
        self.note_client(&state);
        Ok(state)
    }

    fn append_event<A: Stored>(
        &mut self,
        key: &str,
        what: &str,
        version: u64,
        state: &A,
        event: &A::Event,
    ) -> Result<(), StoreError> {
        let refuse = |why: &str| Err(StoreError::Unstorable { what: what.to_owned(), why: why.to_owned() });
        if A::key_text(&state.key()) != key {
            return refuse("the event makes it another thing, with another key");
        }
        let payload = convert::to_json(what, event)?;
        if stored::read_event::<A>(what, &payload)? != *event {
            return refuse("an event of it would not read back as it is");
        }
        let Some(name) = event_name(&payload) else { return refuse("an event of it has no name") };
        let link = Link {
            n: self.head.n + 1,
            epoch: self.epoch,
            at: self.view.now,
            stream: stream_name(A::KIND, key),
            version,
            actor: ActorColumns::from(&self.cause.actor),
            cause: self.cause.cause.clone(),
            event: name.to_owned(),
            payload,
        };
        let hash = link.hash(self.store, self.head.hash);
        link.insert(self.view.connection, state.client(), hash)?;
        self.head = Head { n: link.n, hash };
        if let Some(attempt) = <A as Table>::leave(event) {
            if attempt.epoch != self.epoch {
                return refuse("an attempt of it names another epoch than the one it is written under");
            }
            let post = convert::parse("a post", key)?;
            self.leaves.push(Leave {
                post,
                attempt: attempt.number,
                handle: attempt.handle.clone(),
                recorded: attempt.started,
            });
        }
        Ok(())
    }

    /// Stores a snapshot's rows. The event that carries its digest is appended beside it, by the caller.
    ///
    /// Fails where the post has one of that age (I20), or where a value is no number.
    pub fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let post = snapshot.post.to_string();
        let age = snapshot.age.0.micros();
        let connection = self.view.connection;
        connection
            .prepare_cached(
                "INSERT INTO snapshot (post, age_us, captured_us, source, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(rusqlite::params![
                post,
                age,
                snapshot.captured.micros(),
                snapshot.source,
                snapshot.digest().bytes()
            ])?;
        let mut insert = connection.prepare_cached(
            "INSERT INTO snapshot_row (post, age_us, place, metric, reading, value, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for (place, row) in snapshot.rows.iter().enumerate() {
            let (reading, value, why) = match &row.reading {
                Reading::Value { value } if !value.is_finite() || (*value == 0.0 && value.is_sign_negative()) => {
                    return Err(StoreError::Unstorable {
                        what: format!("{} of post {post}", row.metric),
                        why: format!("{value} is no count"),
                    });
                }
                Reading::Value { value } => ("value", Some(*value), None),
                Reading::Missing { why } => ("missing", None, Some(why.as_str())),
                Reading::NotOffered => ("not_offered", None, None),
            };
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            insert.execute(rusqlite::params![post, age, place, row.metric, reading, value, why])?;
        }
        Ok(())
    }

    /// Stores posts that this program did not make; one that is known keeps the moment at which it was first seen.
    /// Returns how many are new.
    pub fn put_external_posts(&mut self, posts: &[ExternalPost]) -> Result<usize, StoreError> {
        let mut insert = self.view.connection.prepare_cached(
            "INSERT INTO external_post (account, id, client, url, at_us, seen_us, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (account, id) DO NOTHING",
        )?;
        let mut fresh = 0;
        for post in posts {
            fresh += insert.execute(rusqlite::params![
                post.account.as_str(),
                post.id,
                post.client.as_str(),
                post.url,
                post.at.micros(),
                post.seen.micros(),
                post.text.bytes(),
            ])?;
        }
        Ok(fresh)
    }

    /// Seals a login and keeps it, in place of one of the same kind.
    pub fn put_secret(&mut self, account: &AccountId, kind: SecretKind, secret: &Secret) -> Result<(), StoreError> {
        self.view.vault.put(self.view.connection, account, kind, secret)
    }

    /// Forgets all logins of an account.
    pub fn delete_secrets(&mut self, account: &AccountId) -> Result<(), StoreError> {
        Vault::delete(self.view.connection, account)
    }

    /// Keeps what a command was answered, for 24 hours, for whoever sends it again (T21). A refusal is kept by itself.
    pub fn remember_command(&mut self, id: CommandId, uid: u32, answer: &serde_json::Value) -> Result<(), StoreError> {
        let old = self.view.now.minus(crate::view::ANSWERS_KEPT).micros();
        let connection = self.view.connection;
        connection.prepare_cached("DELETE FROM command WHERE time_us < ?1")?.execute([old])?;
        connection.prepare_cached("INSERT INTO command (uid, id, time_us, answer) VALUES (?1, ?2, ?3, ?4)")?.execute(
            rusqlite::params![
                uid,
                id.to_string(),
                self.view.now.micros(),
                convert::to_json("a command's answer", answer)?
            ],
        )?;
        Ok(())
    }

    /// Remembers where the store stands, so that the next run there is not told that it moved. Only together with
    /// whatever keeps a copy from acting (F11).
    pub fn remember_place(&mut self, place: &str) -> Result<(), StoreError> {
        self.view.connection.prepare_cached("UPDATE meta SET place = ?1 WHERE id = 1")?.execute([place])?;
        Ok(())
    }

    /// Keeps the engine's sign of life. Not an event: it says nothing about the agency.
    pub fn put_heartbeat(&mut self, beat: &serde_json::Value) -> Result<(), StoreError> {
        self.view
            .connection
            .prepare_cached(
                "INSERT INTO heartbeat (id, time_us, epoch, beat) VALUES (1, ?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET time_us = excluded.time_us, epoch = excluded.epoch, beat = excluded.beat",
            )?
            .execute(rusqlite::params![self.view.now.micros(), convert::to_db(self.epoch.0)?, convert::to_json("the heartbeat", beat)?])?;
        Ok(())
    }

    /// Returns the hash of the last event of this transaction, or of the log where it has none yet: what a sign-off shows.
    pub fn head_hash(&self) -> Digest {
        self.head.hash
    }
}
