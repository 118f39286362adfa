//! Signed rounds: by day, by who signed last, newest first.
//!
//! A signature that speaks of several clients is read by those alone who see all of them.

use chrono::NaiveDate;
use domain::checkin::{Checkin, Round};
use domain::id::CheckinId;
use domain::role::Scope;

use super::View;
use crate::{StoreError, convert};

/// Holds for a row of `checkin` that speaks of nothing outside the scope in the first parameter.
const SEEN: &str = "(?1 IS NULL OR (checkin.covers IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM json_each(checkin.covers) WHERE value NOT IN (SELECT value FROM json_each(?1)))))";

impl View<'_> {
    /// Returns a signed round.
    pub fn checkin(&self, id: CheckinId) -> Result<Option<Checkin>, StoreError> {
        self.one(&id)
    }

    /// Returns up to `limit` signed rounds that a scope may read, newest first; those before one where it is named.
    pub fn checkins(&self, scope: &Scope, before: Option<CheckinId>, limit: u32) -> Result<Vec<Checkin>, StoreError> {
        self.list(
            &format!("SELECT body FROM checkin WHERE (?2 IS NULL OR key < ?2) AND {SEEN} ORDER BY key DESC LIMIT ?3"),
            rusqlite::params![convert::scope(scope)?, before.map(|id| id.to_string()), limit],
        )
    }

    /// Returns up to two signed rounds that a scope may read and whose ids begin with a text, in capitals.
    pub fn checkins_that_begin(&self, scope: &Scope, prefix: &str) -> Result<Vec<Checkin>, StoreError> {
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(Vec::new());
        }
        self.list(
            &format!("SELECT body FROM checkin WHERE key >= ?2 AND key < ?2 || '~' AND {SEEN} ORDER BY key LIMIT 2"),
            rusqlite::params![convert::scope(scope)?, prefix],
        )
    }

    /// Returns the rounds that were signed for a day, whoever may read them, oldest first.
    pub fn checkins_on(&self, day: NaiveDate) -> Result<Vec<Checkin>, StoreError> {
        self.list("SELECT body FROM checkin WHERE day = ?1 ORDER BY key", [day.to_string()])
    }

    /// Returns a person's last signature of a round that speaks of all these clients.
    pub fn checkin_last_by(&self, uid: u32, round: Round, covers: &Scope) -> Result<Option<Checkin>, StoreError> {
        let found = self.list(
            "SELECT body FROM checkin WHERE uid = ?2 AND round = ?3 AND (covers IS NULL OR (?1 IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM json_each(?1) WHERE value NOT IN (SELECT value FROM json_each(checkin.covers)))))
             ORDER BY key DESC LIMIT 1",
            rusqlite::params![convert::scope(covers)?, uid, round.as_str()],
        )?;
        Ok(found.into_iter().next())
    }
}
