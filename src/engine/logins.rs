//! Logins: which adapter speaks for an account, and with which session.
//!
//! Decides that a session is refreshed before it runs out, and that the new one is kept durably before it is used; after an
//! unclear answer to a refresh the account waits for a person, and nothing loops.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::account::{Account, AccountCommand};
use domain::brief::Platform;
use domain::guardrail::{Alarm, Signal};
use domain::id::AccountId;
use domain::secret::SecretKind;
use domain::time::Span;
use platforms::{Adapter, Login, RefreshError};
use store::Cause;

use crate::error::allowed;
use crate::{EngineError, Inner, Task};

/// Makes the adapter of a platform; the second argument says whether its servers may be on this machine. `None` where a
/// platform has none. The real network's is `platforms::adapter_for`; a demo's speaks to stand-ins.
pub type AdapterMaker = Arc<dyn Fn(Platform, bool) -> Option<Arc<dyn Adapter>> + Send + Sync>;

/// The adapters in use, one for each platform and trust in hosts.
pub(crate) struct Adapters {
    make: AdapterMaker,
    made: Mutex<BTreeMap<(Platform, bool), Arc<dyn Adapter>>>,
}

impl Adapters {
    pub(crate) fn new(make: AdapterMaker) -> Self {
        Self { make, made: Mutex::default() }
    }

    fn get(&self, platform: Platform, allow_private: bool) -> Option<Arc<dyn Adapter>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(adapter) = made.get(&(platform, allow_private)) {
            return Some(Arc::clone(adapter));
        }
        let adapter = (self.make)(platform, allow_private)?;
        made.insert((platform, allow_private), Arc::clone(&adapter));
        Some(adapter)
    }
}

/// Why an account cannot be used now.
pub(crate) enum NoLogin {
    /// It will not be by waiting.
    Lost(String),
    /// Try again.
    Later(String),
}

impl NoLogin {
    pub(crate) fn why(self) -> String {
        match self {
            Self::Lost(why) | Self::Later(why) => why,
        }
    }
}

/// How long before its end a session is refreshed.
pub(crate) const REFRESH_AHEAD: Span = Span::minutes(5);

impl Inner {
    /// Returns the account with its adapter, which tells what it hears of the account; `None` where no adapter speaks for its platform.
    pub(crate) async fn adapter_of(&self, id: &AccountId) -> Result<Option<(Account, Arc<dyn Adapter>)>, EngineError> {
        let wanted = id.clone();
        let found = self.store.read(move |view| {
            let Some(account) = view.account(&wanted)? else { return Ok(None) };
            let private = view.client(&account.client)?.is_some_and(|c| c.policy.allow_private_hosts);
            Ok(Some((account, private)))
        });
        let Some((account, private)) = found.await? else { return Ok(None) };
        let adapter = self.adapters.get(account.platform, private);
        Ok(adapter.map(|adapter| (account, adapter.listening(self.ear_of(id)))))
    }

    /// Returns a login that is good for the next minutes.
    pub(crate) async fn login(
        &self,
        id: &AccountId,
    ) -> Result<Result<(Login, Arc<dyn Adapter>), NoLogin>, EngineError> {
        let Some((account, adapter)) = self.adapter_of(id).await? else {
            return Ok(Err(NoLogin::Lost(format!("no adapter speaks for account {id}"))));
        };
        let wanted = id.clone();
        let session = self.store.read(move |view| view.secret(&wanted, SecretKind::Session)).await?;
        let (Some(identity), Some(session)) = (account.identity.clone(), session) else {
            return Ok(Err(NoLogin::Lost(format!("account {id} is not connected"))));
        };
        if !account.is_connected() {
            return Ok(Err(NoLogin::Lost(format!("account {id} is not connected"))));
        }
        let login = Login { account, identity, session };
        let soon = self.now().plus(REFRESH_AHEAD);
        if adapter.session_until(&login.session).is_some_and(|until| until > soon) {
            return Ok(Ok((login, adapter)));
        }
        Ok(self.refresh(login, &adapter).await?.map(|login| (login, adapter)))
    }

    /// Exchanges a session, and keeps the new one before anybody uses it.
    pub(crate) async fn refresh(
        &self,
        login: Login,
        adapter: &Arc<dyn Adapter>,
    ) -> Result<Result<Login, NoLogin>, EngineError> {
        let id = login.account.id.clone();
        match adapter.refresh(&login).await {
            Ok(session) => {
                let (kept, key) = (session.clone(), id.clone());
                self.store
                    .write(Cause::engine(Task::Tend.as_str()), move |tx| {
                        // A person may have disconnected it meanwhile: then nothing of it is kept.
                        let account: Account = tx.load(&key)?;
                        if account.is_connected() {
                            tx.put_secret(&key, SecretKind::Session, &kept)?;
                        }
                        Ok(())
                    })
                    .await
                    .map_err(|e| match e {
                        // The old token is spent and the new one not kept: this engine must not go on with either.
                        store::WriteError::Failed(error) => EngineError::NotRecorded(error),
                        store::WriteError::Refused(_) | store::WriteError::Undone => EngineError::StoreClosed,
                    })?;
                Ok(Ok(Login { session, ..login }))
            }
            Err(RefreshError::Later(why)) => Ok(Err(NoLogin::Later(why))),
            Err(RefreshError::Lost(why) | RefreshError::Unclear(why)) => {
                self.lose_login(&id, why.clone()).await?;
                Ok(Err(NoLogin::Lost(why)))
            }
        }
    }

    /// The login is no longer good: the account waits for a person, and nothing is sent.
    pub(crate) async fn lose_login(&self, id: &AccountId, why: String) -> Result<(), EngineError> {
        // A login that is lost to a takedown is one thing to settle, not two.
        self.heed().await?;
        let key = id.clone();
        let written = self.store.write(Cause::engine(Task::Tend.as_str()), move |tx| {
            let account: Account = tx.load(&key)?;
            let at = tx.now();
            let events = account.decide(AccountCommand::LoseLogin { why: why.clone(), at })?;
            let after = tx.append::<Account>(&key, events)?;
            if after.seems_challenged(at) {
                let seen = format!("the login was lost three times within a day, the last time: {why}");
                store::breach::alarm(tx, &key, &Alarm::new(Signal::LoginChallenge, &seen, at))?;
            }
            store::follow::escalate_account(tx, &account, "account.login-lost", &why)
        });
        allowed(written.await)?.ok();
        Ok(())
    }
}
