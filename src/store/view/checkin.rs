//! Signed rounds: by day, by who signed last.
//!
//! A signature that speaks of several clients is read by those alone who see all of them.

use chrono::NaiveDate;
use domain::checkin::{Checkin, Round};
use domain::id::CheckinId;
use domain::role::Scope;

use super::View;
use crate::StoreError;

impl View<'_> {
    /// Returns a signed round.
    pub fn checkin(&self, id: CheckinId) -> Result<Option<Checkin>, StoreError> {
        self.one(&id)
    }

    /// Returns the signed rounds that a scope may read, newest first.
    pub fn checkins(&self, scope: &Scope) -> Result<Vec<Checkin>, StoreError> {
        let all: Vec<Checkin> = self.list("SELECT body FROM checkin ORDER BY key DESC", [])?;
        Ok(all.into_iter().filter(|checkin| checkin.is_seen_by(scope)).collect())
    }

    /// Returns the rounds that were signed for a day, whoever may read them, oldest first.
    pub fn checkins_on(&self, day: NaiveDate) -> Result<Vec<Checkin>, StoreError> {
        self.list("SELECT body FROM checkin WHERE day = ?1 ORDER BY key", [day.to_string()])
    }

    /// Returns a person's last signature of a round.
    pub fn checkin_last_by(&self, uid: u32, round: Round) -> Result<Option<Checkin>, StoreError> {
        let found = self.list(
            "SELECT body FROM checkin WHERE uid = ?1 AND round = ?2 ORDER BY key DESC LIMIT 1",
            rusqlite::params![uid, round.as_str()],
        )?;
        Ok(found.into_iter().next())
    }
}
