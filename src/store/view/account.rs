//! Accounts, their logins, and what stands on them that this program did not make.

use domain::account::Account;
use domain::hash::Digest;
use domain::id::{AccountId, ClientId};
use domain::role::Scope;
use domain::secret::{Secret, SecretKind};
use domain::time::UtcTime;

use super::View;
use crate::{StoreError, convert};

/// A post on an account that this program did not make: it counts in pacing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalPost {
    /// On which account.
    pub account: AccountId,
    /// Whose account that is.
    pub client: ClientId,
    /// The platform's own id.
    pub id: String,
    /// Its address.
    pub url: String,
    /// When it was published, by the platform's record.
    pub at: UtcTime,
    /// When it was seen first.
    pub seen: UtcTime,
    /// SHA-256 of its text.
    pub text: Digest,
}

impl View<'_> {
    /// Returns the accounts in scope, those of one client or of all, by short name.
    pub fn accounts(&self, scope: &Scope, client: Option<&ClientId>) -> Result<Vec<Account>, StoreError> {
        self.list(
            "SELECT body FROM account
             WHERE (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR client = ?2) ORDER BY key",
            rusqlite::params![convert::scope(scope)?, client.map(ClientId::as_str)],
        )
    }

    /// Returns an account.
    pub fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        self.one(id)
    }

    /// Returns the posts by hand that were published on an account since a moment, oldest first.
    pub fn external_posts(&self, account: &AccountId, since: UtcTime) -> Result<Vec<ExternalPost>, StoreError> {
        let mut question = self.connection.prepare_cached(
            "SELECT id, client, url, at_us, seen_us, text FROM external_post WHERE account = ?1 AND at_us >= ?2 ORDER BY at_us, id",
        )?;
        let mut rows = question.query(rusqlite::params![account.as_str(), since.micros()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (client, text): (String, [u8; 32]) = (row.get(1)?, row.get(5)?);
            found.push(ExternalPost {
                account: account.clone(),
                client: convert::parse("a client", &client)?,
                id: row.get(0)?,
                url: row.get(2)?,
                at: UtcTime::from_micros(row.get(3)?),
                seen: UtcTime::from_micros(row.get(4)?),
                text: Digest::from_bytes(text),
            });
        }
        Ok(found)
    }

    /// Opens a login of an account. For the engine and its adapters alone; nothing of it may reach an answer or a log.
    pub fn secret(&self, account: &AccountId, kind: SecretKind) -> Result<Option<Secret>, StoreError> {
        self.vault.get(self.connection, account, kind)
    }

    /// Tells whether a login of this kind is kept, without opening it.
    pub fn secret_is_kept(&self, account: &AccountId, kind: SecretKind) -> Result<bool, StoreError> {
        let found = self
            .count("SELECT count(*) FROM secret WHERE account = ?1 AND kind = ?2", [account.as_str(), kind.as_str()])?;
        Ok(found > 0)
    }
}
