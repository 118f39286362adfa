//! Connect: logs in where a person asked for it.
//!
//! Decides nothing about who an account is: the aggregate pins an identity once and refuses another (T25). The password is
//! used once and forgotten; the session is sealed in the same transaction that says the account is connected.

use std::sync::Arc;

use domain::account::{Account, AccountCommand, ConnectOutcome, Connection};
use domain::id::AccountId;
use domain::role::Scope;
use domain::secret::{Secret, SecretKind};
use domain::time::UtcTime;
use platforms::ConnectError;
use store::{Cause, StoreError, View};

use crate::error::allowed;
use crate::{EngineError, Inner, Task, sooner};

impl Inner {
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<Option<UtcTime>, EngineError> {
        let asked = self.store.read(|view| {
            let all = view.accounts(&Scope::All, None)?;
            Ok(all.into_iter().filter(|a| matches!(a.connection, Connection::Asked { .. })).collect::<Vec<_>>())
        });
        let mut next = None;
        for account in asked.await? {
            let key = format!("connect {}", account.id);
            let due = self.due_again(&key);
            if due > self.now() {
                next = sooner(next, Some(due));
                continue;
            }
            let Some(_taken) = self.take_account(&account.id) else { continue };
            if self.connect_one(&account).await? {
                self.succeeded(&key);
            } else {
                next = sooner(next, Some(self.try_again(&key)));
            }
        }
        Ok(next)
    }

    /// Returns false where it is worth trying again.
    async fn connect_one(&self, account: &Account) -> Result<bool, EngineError> {
        let id = account.id.clone();
        let password = self.store.read(move |view| view.secret(&id, SecretKind::AppPassword)).await?;
        let Some(password) = password else {
            self.settle_connection(account, Err("no password is kept for it; connect it again".to_owned())).await?;
            return Ok(true);
        };
        let Some((_, adapter)) = self.adapter_of(&account.id).await? else {
            let why = format!("this program has no adapter for {}", account.platform);
            self.settle_connection(account, Err(why)).await?;
            return Ok(true);
        };
        match adapter.connect(account, &password).await {
            Ok(connected) => {
                self.settle_connection(account, Ok((connected.identity, connected.session))).await?;
                self.pulse.went_well(Task::Connect);
                Ok(true)
            }
            Err(ConnectError::Unreachable { .. } | ConnectError::Limited { .. }) if self.is_young(account) => {
                self.pulse.went_wrong(
                    Task::Connect,
                    format!("account {}: its server does not answer; trying again", account.id),
                );
                Ok(false)
            }
            Err(error) => {
                self.settle_connection(account, Err(error.to_string())).await?;
                Ok(true)
            }
        }
    }

    /// A server that does not answer is tried for a minute; then a person is told.
    fn is_young(&self, account: &Account) -> bool {
        matches!(account.connection, Connection::Asked { at } if self.now().since(at).whole_seconds() < 60)
    }

    async fn settle_connection(
        &self,
        account: &Account,
        came: Result<(domain::account::Identity, Secret), String>,
    ) -> Result<(), EngineError> {
        let id = account.id.clone();
        let Connection::Asked { at: asked } = account.connection else { return Ok(()) };
        let written = self.store.write(Cause::engine(Task::Connect.as_str()), move |tx| {
            let account: Account = tx.load(&id)?;
            let at = tx.now();
            let (outcome, session) = match came {
                Ok((identity, session)) => match twice(tx, &account, &identity.id)? {
                    Some(other) => {
                        let why = format!(
                            "{} is connected already, as account {other}; one profile has one account here",
                            identity.handle
                        );
                        (ConnectOutcome::Out { why }, None)
                    }
                    None => (ConnectOutcome::In { identity, at }, Some(session)),
                },
                Err(why) => (ConnectOutcome::Out { why }, None),
            };
            let events = account.decide(AccountCommand::Settle { asked, outcome })?;
            let after = tx.append::<Account>(&id, events)?;
            tx.delete_secrets(&id)?;
            if let Some(session) = session.filter(|_| after.is_connected()) {
                tx.put_secret(&id, SecretKind::Session, &session)?;
            }
            Ok(())
        });
        allowed(written.await)?.ok();
        Ok(())
    }
}

/// Returns another account that is pinned to the same profile: pacing, duplicates and one request at a time hold for an
/// account, and would not hold for a profile that had two (I8, I9).
fn twice(view: &View<'_>, account: &Account, identity: &str) -> Result<Option<AccountId>, StoreError> {
    let same = |a: &&Account| a.id != account.id && a.platform == account.platform && a.identity_id() == identity;
    Ok(view.accounts(&Scope::All, None)?.iter().find(same).map(|a| a.id.clone()))
}
