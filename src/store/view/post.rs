//! Posts: by slot, by state, by account and what counts for pacing there.
//!
//! Times to search by are the slot (`window.from`) and the pacing time (when it went out, or may have).

use domain::hash::Digest;
use domain::id::{AccountId, ClientId, ExperimentId, PostId};
use domain::post::{Post, PostKind};
use domain::role::Scope;
use domain::time::UtcTime;
use rusqlite::Params;

use super::View;
use super::experiment::id_prefix;
use crate::{StoreError, convert};

impl View<'_> {
    /// Returns a post.
    pub fn post(&self, id: PostId) -> Result<Option<Post>, StoreError> {
        self.one(&id)
    }

    /// Returns the post in scope whose id begins with a person's text, six letters or more; nothing where there is none
    /// or more than one.
    pub fn post_by_name(&self, scope: &Scope, name: &str) -> Result<Option<Post>, StoreError> {
        let Some(prefix) = id_prefix(name) else { return Ok(None) };
        let found: Vec<Post> = self.list(
            "SELECT body FROM post
             WHERE key >= ?2 AND substr(key, 1, length(?2)) = ?2 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) LIMIT 2",
            rusqlite::params![convert::scope(scope)?, prefix],
        )?;
        let mut found = found.into_iter();
        Ok(found.next().filter(|_| found.next().is_none()))
    }

    /// Tells whether a person's text is the beginning of the ids of several posts in scope.
    pub fn begins_several_posts(&self, scope: &Scope, name: &str) -> Result<bool, StoreError> {
        let Some(prefix) = id_prefix(name) else { return Ok(false) };
        let found = self.count(
            "SELECT count(*) FROM post
             WHERE substr(key, 1, length(?2)) = ?2 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1)))",
            rusqlite::params![convert::scope(scope)?, prefix],
        )?;
        Ok(found > 1)
    }

    /// Returns the posts of an experiment, by their number in the plan; replies have none.
    pub fn posts_of(&self, experiment: ExperimentId) -> Result<Vec<Post>, StoreError> {
        self.list(
            "SELECT body FROM post WHERE experiment = ?1 AND kind = 'post' ORDER BY number, key",
            [experiment.to_string()],
        )
    }

    /// Returns the posts of an account whose pacing time is in a span, both ends included, earliest first; replies count
    /// apart. For a post that is not out that time is its slot.
    pub fn posts_of_account_between(
        &self,
        account: &AccountId,
        from: UtcTime,
        until: UtcTime,
    ) -> Result<Vec<Post>, StoreError> {
        self.list(
            "SELECT body FROM post WHERE account = ?1 AND kind = 'post' AND pacing_us BETWEEN ?2 AND ?3 ORDER BY pacing_us, key",
            rusqlite::params![account.as_str(), from.micros(), until.micros()],
        )
    }

    /// Returns the posts and the replies of an account, as [`View::posts_of_account_between`]: all that is ours there.
    pub fn ours_on_account_between(
        &self,
        account: &AccountId,
        from: UtcTime,
        until: UtcTime,
    ) -> Result<Vec<Post>, StoreError> {
        self.list(
            "SELECT body FROM post WHERE account = ?1 AND pacing_us BETWEEN ?2 AND ?3 ORDER BY pacing_us, key",
            rusqlite::params![account.as_str(), from.micros(), until.micros()],
        )
    }

    /// Returns the posts of an account that are out, or may be, with their pacing time in a span, both ends included; replies
    /// count apart.
    pub fn posts_out_on_account(
        &self,
        account: &AccountId,
        from: UtcTime,
        until: UtcTime,
    ) -> Result<Vec<(PostId, UtcTime)>, StoreError> {
        self.out_on_account(account, PostKind::Post, from, until)
    }

    /// Returns the replies of an account that are out, or may be, with their pacing time in a span, both ends included.
    pub fn replies_out_on_account(
        &self,
        account: &AccountId,
        from: UtcTime,
        until: UtcTime,
    ) -> Result<Vec<(PostId, UtcTime)>, StoreError> {
        self.out_on_account(account, PostKind::Reply, from, until)
    }

    fn out_on_account(
        &self,
        account: &AccountId,
        kind: PostKind,
        from: UtcTime,
        until: UtcTime,
    ) -> Result<Vec<(PostId, UtcTime)>, StoreError> {
        self.post_times(
            "SELECT key, pacing_us FROM post
             WHERE account = ?1 AND kind = ?4 AND pacing_us BETWEEN ?2 AND ?3 AND counts_as_out = 1 ORDER BY pacing_us, key",
            rusqlite::params![account.as_str(), from.micros(), until.micros(), kind.as_str()],
        )
    }

    /// Returns when the last reply of an account was asked for or went out, of those that did or still may.
    pub fn last_reply_on_account(&self, account: &AccountId) -> Result<Option<UtcTime>, StoreError> {
        let found: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT max(pacing_us) FROM post
                 WHERE account = ?1 AND kind = 'reply' AND state NOT IN ('failed', 'missed', 'cancelled')",
            )?
            .query_row([account.as_str()], |row| row.get(0))?;
        Ok(found.map(UtcTime::from_micros))
    }

    /// Returns the posts with these texts and pictures that are out on an account, or may be, since a moment.
    pub fn posts_with_duplicate_key(
        &self,
        account: &AccountId,
        key: Digest,
        since: UtcTime,
    ) -> Result<Vec<(PostId, UtcTime)>, StoreError> {
        self.post_times(
            "SELECT key, pacing_us FROM post
             WHERE account = ?1 AND pacing_us >= ?2 AND counts_as_out = 1 AND duplicate_key = ?3 ORDER BY pacing_us, key",
            rusqlite::params![account.as_str(), since.micros(), key.bytes()],
        )
    }

    /// Returns the posts of an account whose request is under way: one at most.
    pub fn posts_in_flight(&self, account: &AccountId) -> Result<Vec<PostId>, StoreError> {
        let found = self.post_times(
            "SELECT key, pacing_us FROM post WHERE account = ?1 AND state = 'committing'",
            [account.as_str()],
        )?;
        Ok(found.into_iter().map(|(post, _)| post).collect())
    }

    /// Returns the posts in scope that are in one of these states (`PostState::word`), by slot.
    pub fn posts_in_state(&self, scope: &Scope, states: &[&str]) -> Result<Vec<Post>, StoreError> {
        self.posts_due(scope, states, UtcTime::from_micros(i64::MAX))
    }

    /// Returns the posts in scope that are in one of these states (`PostState::word`) and whose slot is not after a
    /// moment, earliest slot first.
    pub fn posts_due(&self, scope: &Scope, states: &[&str], by: UtcTime) -> Result<Vec<Post>, StoreError> {
        self.list(
            "SELECT body FROM post
             WHERE state IN (SELECT value FROM json_each(?2)) AND slot_us <= ?3 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1)))
             ORDER BY slot_us, key",
            rusqlite::params![convert::scope(scope)?, convert::to_json("states", &states)?, by.micros()],
        )
    }

    /// Returns the posts in scope whose slot is in a span, both ends included, earliest first; replies have no slot.
    pub fn posts_slotted_between(&self, scope: &Scope, from: UtcTime, until: UtcTime) -> Result<Vec<Post>, StoreError> {
        self.list(
            "SELECT body FROM post
             WHERE kind = 'post' AND slot_us BETWEEN ?2 AND ?3 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) ORDER BY slot_us, key",
            rusqlite::params![convert::scope(scope)?, from.micros(), until.micros()],
        )
    }

    /// Returns the posts that are out and whose slot is not before a moment, with whose they are and when they went out:
    /// those under which people may write.
    pub fn posts_out_since(&self, since: UtcTime) -> Result<Vec<(PostId, ClientId, UtcTime)>, StoreError> {
        let mut question = self.connection.prepare_cached(
            "SELECT key, client, pacing_us FROM post
             WHERE state IN ('published', 'verified') AND kind = 'post' AND slot_us >= ?1 ORDER BY slot_us, key",
        )?;
        let mut rows = question.query([since.micros()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (key, client): (String, String) = (row.get(0)?, row.get(1)?);
            let out = UtcTime::from_micros(row.get(2)?);
            found.push((convert::parse("a post", &key)?, convert::parse("a client", &client)?, out));
        }
        Ok(found)
    }

    /// Returns the earliest slot after a moment of all posts in these states: when the next thing is due.
    pub fn post_next_slot(
        &self,
        scope: &Scope,
        states: &[&str],
        after: UtcTime,
    ) -> Result<Option<UtcTime>, StoreError> {
        let found: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT min(slot_us) FROM post
                 WHERE state IN (SELECT value FROM json_each(?2)) AND slot_us > ?3 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1)))",
            )?
            .query_row(rusqlite::params![convert::scope(scope)?, convert::to_json("states", &states)?, after.micros()], |row| row.get(0))?;
        Ok(found.map(UtcTime::from_micros))
    }

    /// Returns how many posts of a client are out, were, or may be.
    pub fn posts_ever_out(&self, client: &ClientId) -> Result<u64, StoreError> {
        self.count(
            "SELECT count(*) FROM post WHERE client = ?1 AND kind = 'post' AND counts_as_out = 1",
            [client.as_str()],
        )
    }

    /// Returns how many posts of a client have their slot in a span, both ends included, those that will never go out
    /// left aside: a week's load.
    pub fn posts_slotted_count(&self, client: &ClientId, from: UtcTime, until: UtcTime) -> Result<u64, StoreError> {
        self.count(
            "SELECT count(*) FROM post
             WHERE client = ?1 AND kind = 'post' AND slot_us BETWEEN ?2 AND ?3 AND state NOT IN ('failed', 'missed', 'cancelled')",
            rusqlite::params![client.as_str(), from.micros(), until.micros()],
        )
    }

    fn post_times(&self, sql: &str, params: impl Params) -> Result<Vec<(PostId, UtcTime)>, StoreError> {
        let mut question = self.connection.prepare_cached(sql)?;
        let mut rows = question.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            found.push((convert::parse("a post", &key)?, UtcTime::from_micros(row.get(1)?)));
        }
        Ok(found)
    }
}
