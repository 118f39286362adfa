//! Conversations: by post, by where they stand, by name; and who asked for a reply.
//!
//! Where a conversation stands is `Standing::word`; the oldest that waits comes first.

use domain::aggregate::StreamKind;
use domain::engagement::{Conversation, Standing};
use domain::id::{ConversationId, PostId};
use domain::role::Scope;
use rusqlite::OptionalExtension;

use super::View;
use super::experiment::id_prefix;
use crate::chain::stream_name;
use crate::{StoreError, convert};

impl View<'_> {
    /// Returns a conversation.
    pub fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        self.one(&id)
    }

    /// Returns the conversations under a post, oldest first.
    pub fn conversations_of_post(&self, post: PostId) -> Result<Vec<Conversation>, StoreError> {
        self.list("SELECT body FROM conversation WHERE post = ?1 ORDER BY key", [post.to_string()])
    }

    /// Returns up to `limit` conversations in scope that stand so, whoever waits longest first.
    pub fn conversations(
        &self,
        scope: &Scope,
        standing: &[Standing],
        limit: u32,
    ) -> Result<Vec<Conversation>, StoreError> {
        let words: Vec<&str> = standing.iter().map(|standing| standing.word()).collect();
        self.list(
            "SELECT body FROM conversation
             WHERE standing IN (SELECT value FROM json_each(?2)) AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1)))
             ORDER BY asked_us, key LIMIT ?3",
            rusqlite::params![convert::scope(scope)?, convert::to_json("standings", &words)?, limit],
        )
    }

    /// Returns up to `limit` conversations in scope, wherever they stand, the newest first.
    pub fn conversations_newest(&self, scope: &Scope, limit: u32) -> Result<Vec<Conversation>, StoreError> {
        self.list(
            "SELECT body FROM conversation WHERE (?1 IS NULL OR client IN (SELECT value FROM json_each(?1)))
             ORDER BY asked_us DESC, key DESC LIMIT ?2",
            rusqlite::params![convert::scope(scope)?, limit],
        )
    }

    /// Returns how many conversations in scope stand so.
    pub fn conversations_count(&self, scope: &Scope, standing: Standing) -> Result<u64, StoreError> {
        self.count(
            "SELECT count(*) FROM conversation WHERE standing = ?2 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1)))",
            rusqlite::params![convert::scope(scope)?, standing.word()],
        )
    }

    /// Returns up to two conversations in scope whose ids begin with a person's text, six letters or more.
    pub fn conversations_that_begin(&self, scope: &Scope, name: &str) -> Result<Vec<Conversation>, StoreError> {
        let Some(prefix) = id_prefix(name) else { return Ok(Vec::new()) };
        self.list(
            "SELECT body FROM conversation
             WHERE key >= ?2 AND substr(key, 1, length(?2)) = ?2 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) LIMIT 2",
            rusqlite::params![convert::scope(scope)?, prefix],
        )
    }

    /// Returns the Unix user whose own command asked for a reply, as the log says: `None` where the event is not there, or
    /// where anybody but a person caused it.
    pub fn reply_asked_by(&self, conversation: ConversationId, post: PostId) -> Result<Option<u32>, StoreError> {
        let stream = stream_name(StreamKind::Conversation, &conversation.to_string());
        let found: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT actor_uid FROM event
                 WHERE stream = ?1 AND type = 'reply_asked' AND actor_kind = 'person' AND json_extract(payload, '$.reply.post') = ?2",
            )?
            .query_row([stream, post.to_string()], |row| row.get(0))
            .optional()?
            .flatten();
        found.map(|uid| convert::from_db(uid).and_then(small)).transpose()
    }
}

fn small(uid: u64) -> Result<u32, StoreError> {
    u32::try_from(uid).map_err(|_| StoreError::Unreadable {
        what: "who asked for a reply".to_owned(),
        why: format!("{uid} is no Unix user"),
    })
}
