//! Which aggregate stands in which read table, under which key and with which columns to search by.
//!
//! Decides the columns; each holds what the state says and nothing else, so that a table can be made again from the log.
//! The SQL of questions is in `view`.

use domain::account::Account;
use domain::agency::{Agency, AgencyEvent};
use domain::aggregate::Aggregate;
use domain::calendar::layer::{Layer, LayerId};
use domain::checkin::Checkin;
use domain::client::Client;
use domain::engagement::Conversation;
use domain::escalation::Escalation;
use domain::experiment::Experiment;
use domain::id::{AccountId, CheckinId, ClientId, ConversationId, EscalationId, ExperimentId, LearningId, PostId};
use domain::learning::Learning;
use domain::post::{Attempt, Post, PostEvent};
use domain::role::Scope;
use rusqlite::types::Value;

use crate::convert;

/// An aggregate that has a read table.
pub trait Stored: table::Table {
    /// What names one of them.
    type Key;
    /// The word that refusals use.
    const NOUN: &'static str;

    /// Returns the key as text; empty where there is only one.
    fn key_text(key: &Self::Key) -> String;

    /// Returns the key of this one.
    fn key(&self) -> Self::Key;

    /// Returns whose it is; none for the agency.
    fn client(&self) -> Option<&ClientId>;
}

pub(crate) mod table {
    use domain::aggregate::Aggregate;
    use domain::post::Attempt;
    use rusqlite::types::Value;

    /// The table of an aggregate. Not named outside this crate.
    pub trait Table: Aggregate {
        /// Makes the row: key, version, body, then the changing columns, then the fixed ones.
        const INSERT: &'static str;
        /// Changes the row: key, version, body, then the changing columns.
        const UPDATE: &'static str;
        /// Version and body of one key.
        const FIND: &'static str;
        /// Key, version, body, changing columns, fixed columns of all rows.
        const SHOW: &'static str;

        /// Returns the columns that events may change.
        fn changing(&self) -> Vec<Value>;

        /// Returns the columns that stay as the first event made them.
        fn fixed(&self) -> Vec<Value>;

        /// Reads an event from the bytes that are stored.
        fn read_event(payload: &str) -> Result<Self::Event, serde_json::Error> {
            serde_json::from_str(payload)
        }

        /// Returns the attempt for which an event asks leave to send.
        fn leave(_event: &Self::Event) -> Option<&Attempt> {
            None
        }
    }
}

fn text(text: impl ToString) -> Value {
    Value::Text(text.to_string())
}

impl Stored for Agency {
    type Key = ();
    const NOUN: &'static str = "agency";

    fn key_text(&(): &()) -> String {
        String::new()
    }

    fn key(&self) {}

    fn client(&self) -> Option<&ClientId> {
        None
    }
}

impl table::Table for Agency {
    const INSERT: &'static str = "INSERT INTO agency (key, version, body) VALUES (?1, ?2, ?3)";
    const UPDATE: &'static str = "UPDATE agency SET version = ?2, body = ?3 WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM agency WHERE key = ?1";
    const SHOW: &'static str = "SELECT key, version, body FROM agency";

    /// The people are a map by number. JSON names its keys by text, and serde cannot turn that back into a number inside
    /// an event that is told apart by its `type`, so the founding is read in two steps.
    fn read_event(payload: &str) -> Result<AgencyEvent, serde_json::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Founding {
            r#type: String,
            agency: Box<Agency>,
        }
        match serde_json::from_str::<Founding>(payload) {
            Ok(Founding { r#type, agency }) if r#type == "agency_founded" => Ok(AgencyEvent::AgencyFounded { agency }),
            Ok(_) | Err(_) => serde_json::from_str(payload),
        }
    }

    fn changing(&self) -> Vec<Value> {
        Vec::new()
    }

    fn fixed(&self) -> Vec<Value> {
        Vec::new()
    }
}

impl Stored for Client {
    type Key = ClientId;
    const NOUN: &'static str = "client";

    fn key_text(key: &ClientId) -> String {
        key.to_string()
    }

    fn key(&self) -> ClientId {
        self.id.clone()
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.id)
    }
}

impl table::Table for Client {
    const INSERT: &'static str = "INSERT INTO client (key, version, body) VALUES (?1, ?2, ?3)";
    const UPDATE: &'static str = "UPDATE client SET version = ?2, body = ?3 WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM client WHERE key = ?1";
    const SHOW: &'static str = "SELECT key, version, body FROM client";

    fn changing(&self) -> Vec<Value> {
        Vec::new()
    }

    fn fixed(&self) -> Vec<Value> {
        Vec::new()
    }
}

impl Stored for Account {
    type Key = AccountId;
    const NOUN: &'static str = "account";

    fn key_text(key: &AccountId) -> String {
        key.to_string()
    }

    fn key(&self) -> AccountId {
        self.id.clone()
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client)
    }
}

impl table::Table for Account {
    const INSERT: &'static str = "INSERT INTO account (key, version, body, client) VALUES (?1, ?2, ?3, ?4)";
    const UPDATE: &'static str = "UPDATE account SET version = ?2, body = ?3 WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM account WHERE key = ?1";
    const SHOW: &'static str = "SELECT key, version, body, client FROM account";

    fn changing(&self) -> Vec<Value> {
        Vec::new()
    }

    fn fixed(&self) -> Vec<Value> {
        vec![text(&self.client)]
    }
}

impl Stored for Layer {
    type Key = LayerId;
    const NOUN: &'static str = "layer";

    fn key_text(key: &LayerId) -> String {
        key.to_string()
    }

    fn key(&self) -> LayerId {
        self.id.clone()
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.id.client)
    }
}

impl table::Table for Layer {
    const INSERT: &'static str = "INSERT INTO layer (key, version, body, client) VALUES (?1, ?2, ?3, ?4)";
    const UPDATE: &'static str = "UPDATE layer SET version = ?2, body = ?3 WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM layer WHERE key = ?1";
    const SHOW: &'static str = "SELECT key, version, body, client FROM layer";

    fn changing(&self) -> Vec<Value> {
        Vec::new()
    }

    fn fixed(&self) -> Vec<Value> {
        vec![text(&self.id.client)]
    }
}

impl Stored for Experiment {
    type Key = ExperimentId;
    const NOUN: &'static str = "experiment";

    fn key_text(key: &ExperimentId) -> String {
        key.to_string()
    }

    fn key(&self) -> ExperimentId {
        self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client)
    }
}

impl table::Table for Experiment {
    const INSERT: &'static str =
        "INSERT INTO experiment (key, version, body, stage, client, code, kind) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const UPDATE: &'static str = "UPDATE experiment SET version = ?2, body = ?3, stage = ?4 WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM experiment WHERE key = ?1";
    const SHOW: &'static str = "SELECT key, version, body, stage, client, code, kind FROM experiment";

    fn changing(&self) -> Vec<Value> {
        vec![text(self.stage.word())]
    }

    fn fixed(&self) -> Vec<Value> {
        vec![text(&self.client), text(&self.code), text(self.kind.as_str())]
    }
}

impl Stored for Post {
    type Key = PostId;
    const NOUN: &'static str = "post";

    fn key_text(key: &PostId) -> String {
        key.to_string()
    }

    fn key(&self) -> PostId {
        self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client)
    }
}

impl table::Table for Post {
    const INSERT: &'static str =
        "INSERT INTO post (key, version, body, state, slot_us, until_us, pacing_us, duplicate_key, counts_as_out, experiment, client, account, variant, number, kind)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    const UPDATE: &'static str =
        "UPDATE post SET version = ?2, body = ?3, state = ?4, slot_us = ?5, until_us = ?6, pacing_us = ?7, duplicate_key = ?8, counts_as_out = ?9
         WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM post WHERE key = ?1";
    const SHOW: &'static str = "SELECT key, version, body, state, slot_us, until_us, pacing_us, duplicate_key, counts_as_out, experiment, client, account, variant, number, kind FROM post";

    fn changing(&self) -> Vec<Value> {
        vec![
            text(self.state.word()),
            Value::Integer(self.window.from.micros()),
            Value::Integer(self.window.until.micros()),
            Value::Integer(self.pacing_time().micros()),
            Value::Blob(self.duplicate_key.bytes().to_vec()),
            Value::Integer(i64::from(self.state.counts_as_out())),
        ]
    }

    fn fixed(&self) -> Vec<Value> {
        vec![
            text(self.experiment),
            text(&self.client),
            text(&self.account),
            text(self.variant),
            Value::Integer(i64::from(self.number)),
            text(self.kind.as_str()),
        ]
    }

    fn leave(event: &PostEvent) -> Option<&Attempt> {
        if let PostEvent::PostCommitting { attempt, .. } = event { Some(attempt) } else { None }
    }
}

impl Stored for Escalation {
    type Key = EscalationId;
    const NOUN: &'static str = "escalation";

    fn key_text(key: &EscalationId) -> String {
        key.to_string()
    }

    fn key(&self) -> EscalationId {
        self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client)
    }
}

impl table::Table for Escalation {
    const INSERT: &'static str =
        "INSERT INTO escalation (key, version, body, open, due_us, client) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const UPDATE: &'static str = "UPDATE escalation SET version = ?2, body = ?3, open = ?4, due_us = ?5 WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM escalation WHERE key = ?1";
    const SHOW: &'static str = "SELECT key, version, body, open, due_us, client FROM escalation";

    fn changing(&self) -> Vec<Value> {
        vec![Value::Integer(i64::from(self.end.is_none())), Value::Integer(self.due.micros())]
    }

    fn fixed(&self) -> Vec<Value> {
        vec![text(&self.client)]
    }
}

impl Stored for Checkin {
    type Key = CheckinId;
    const NOUN: &'static str = "checkin";

    fn key_text(key: &CheckinId) -> String {
        key.to_string()
    }

    fn key(&self) -> CheckinId {
        self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Self::client(self)
    }
}

impl table::Table for Checkin {
    const INSERT: &'static str =
        "INSERT INTO checkin (key, version, body, round, day, covers, uid) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const UPDATE: &'static str = "UPDATE checkin SET version = ?2, body = ?3 WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM checkin WHERE key = ?1";
    const SHOW: &'static str = "SELECT key, version, body, round, day, covers, uid FROM checkin";

    fn changing(&self) -> Vec<Value> {
        Vec::new()
    }

    fn fixed(&self) -> Vec<Value> {
        let covers = match &self.covers {
            Scope::All => Value::Null,
            Scope::Only(clients) => text(clients.iter().map(ClientId::as_str).collect::<serde_json::Value>()),
        };
        vec![text(self.round), text(self.date), covers, Value::Integer(i64::from(self.by.uid))]
    }
}

impl Stored for Learning {
    type Key = LearningId;
    const NOUN: &'static str = "learning";

    fn key_text(key: &LearningId) -> String {
        key.to_string()
    }

    fn key(&self) -> LearningId {
        self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client)
    }
}

impl table::Table for Learning {
    const INSERT: &'static str = "INSERT INTO learning (key, version, body, words, retracted, client, experiment) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const UPDATE: &'static str =
        "UPDATE learning SET version = ?2, body = ?3, words = ?4, retracted = ?5 WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM learning WHERE key = ?1";
    const SHOW: &'static str = "SELECT key, version, body, words, retracted, client, experiment FROM learning";

    fn changing(&self) -> Vec<Value> {
        vec![text(self.words()), Value::Integer(i64::from(self.retracted.is_some()))]
    }

    fn fixed(&self) -> Vec<Value> {
        vec![text(&self.client), text(self.experiment)]
    }
}

impl Stored for Conversation {
    type Key = ConversationId;
    const NOUN: &'static str = "reply";

    fn key_text(key: &ConversationId) -> String {
        key.to_string()
    }

    fn key(&self) -> ConversationId {
        self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client)
    }
}

impl table::Table for Conversation {
    const INSERT: &'static str =
        "INSERT INTO conversation (key, version, body, standing, asked_us, client, account, post, began)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    const UPDATE: &'static str =
        "UPDATE conversation SET version = ?2, body = ?3, standing = ?4, asked_us = ?5 WHERE key = ?1";
    const FIND: &'static str = "SELECT version, body FROM conversation WHERE key = ?1";
    const SHOW: &'static str =
        "SELECT key, version, body, standing, asked_us, client, account, post, began FROM conversation";

    fn changing(&self) -> Vec<Value> {
        vec![text(self.standing().word()), Value::Integer(self.asked_at().micros())]
    }

    fn fixed(&self) -> Vec<Value> {
        vec![text(&self.client), text(&self.account), text(self.post), text(&self.began)]
    }
}

/// Names one aggregate, for errors: `post 01J…`.
pub(crate) fn what<A: Stored>(key: &str) -> String {
    if key.is_empty() { A::NOUN.to_owned() } else { format!("{} {key}", A::NOUN) }
}

/// Reads an event.
pub(crate) fn read_event<A: Stored>(what: &str, payload: &str) -> Result<A::Event, crate::StoreError> {
    <A as table::Table>::read_event(payload)
        .map_err(|error| crate::StoreError::Unreadable { what: format!("an event of {what}"), why: error.to_string() })
}

/// Reads the body of a row.
pub(crate) fn read_body<A: Stored>(key: &str, body: &str) -> Result<A, crate::StoreError> {
    convert::from_json(&what::<A>(key), body)
}

/// Writes the row of a state; `fresh` where there was none.
pub(crate) fn put<A: Stored>(
    connection: &rusqlite::Connection,
    key: &str,
    version: u64,
    state: &A,
    fresh: bool,
) -> Result<(), crate::StoreError> {
    let body = convert::to_json(&what::<A>(key), state)?;
    // Events are always read back before they are written. A state is made of them alone, so that this is an assertion; a
    // row that does not read could be made again from the log.
    if cfg!(debug_assertions) && read_body::<A>(key, &body)? != *state {
        return Err(crate::StoreError::Unstorable {
            what: what::<A>(key),
            why: "it would not read back as it is".to_owned(),
        });
    }
    let mut values = vec![Value::Text(key.to_owned()), Value::Integer(convert::to_db(version)?), Value::Text(body)];
    values.extend(state.changing());
    if fresh {
        values.extend(state.fixed());
    }
    let sql = if fresh { <A as table::Table>::INSERT } else { <A as table::Table>::UPDATE };
    let changed = connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?;
    if changed == 1 {
        Ok(())
    } else {
        Err(crate::StoreError::Corrupt {
            why: format!("the row of {} is not there, though its events are", what::<A>(key)),
        })
    }
}

/// Returns the state that a first event makes, or that a later one leaves; refuses a stream that begins twice or never.
pub(crate) fn step<A: Aggregate>(what: &str, state: Option<A>, event: &A::Event) -> Result<A, crate::StoreError> {
    let refuse = |why: &str| Err(crate::StoreError::Unstorable { what: what.to_owned(), why: why.to_owned() });
    match (state, A::begin(event)) {
        (None, Some(first)) => Ok(first),
        (Some(mut state), None) => {
            state.apply(event);
            Ok(state)
        }
        (None, None) => refuse("its first event begins nothing; it does not exist yet"),
        (Some(_), Some(_)) => refuse("it exists already and cannot begin again"),
    }
}
