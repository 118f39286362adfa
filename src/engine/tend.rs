//! Tend: logins are refreshed before they run out, and once a minute the heartbeat goes to the store.
//!
//! The heartbeat's write checks the fencing epoch like every other: an engine that was taken over notices by itself, and
//! ends (rule 15).

use std::sync::Arc;

use domain::id::AccountId;
use domain::role::Scope;
use domain::secret::SecretKind;
use domain::time::{Span, UtcTime};
use serde_json::json;
use store::Cause;

use crate::error::allowed;
use crate::logins::REFRESH_AHEAD;
use crate::{EngineError, Inner, Task, sooner};

const HEARTBEAT: Span = Span::seconds(60);

impl Inner {
    pub(crate) async fn tend(self: &Arc<Self>) -> Result<Option<UtcTime>, EngineError> {
        let due = self.due_again("heartbeat");
        if due <= self.now() {
            self.beat().await?;
        }
        let mut next = Some(self.due_again("heartbeat"));
        let connected = self.store.read(|view| {
            let all = view.accounts(&Scope::All, None)?;
            Ok(all.into_iter().filter(domain::account::Account::is_connected).map(|a| a.id).collect::<Vec<_>>())
        });
        for account in connected.await? {
            next = sooner(next, self.tend_login(&account).await?);
        }
        Ok(next)
    }

    /// Refreshes a session that is about to run out; returns when to look again. The account is taken only for that: to
    /// take it wakes every task when it is free again.
    async fn tend_login(self: &Arc<Self>, id: &AccountId) -> Result<Option<UtcTime>, EngineError> {
        let key = format!("login {id}");
        let due = self.refresh_due(id).await?.max(self.due_again(&key));
        if due > self.now() {
            return Ok(Some(due));
        }
        let Some(_taken) = self.take_account(id) else { return Ok(None) };
        match self.login(id).await? {
            Ok(_) => {
                let next = self.refresh_due(id).await?;
                if next <= self.now() {
                    // A session that cannot be made to last is tried again like anything that did not succeed: rarer and rarer.
                    return Ok(Some(self.try_again(&key)));
                }
                self.succeeded(&key);
                Ok(Some(next))
            }
            Err(no) => {
                self.pulse.went_wrong(Task::Tend, no.why());
                Ok(Some(self.try_again(&key)))
            }
        }
    }

    /// Returns when an account's session is to be refreshed; now where that cannot be told.
    async fn refresh_due(&self, id: &AccountId) -> Result<UtcTime, EngineError> {
        let Some((_, adapter)) = self.adapter_of(id).await? else { return Ok(UtcTime::from_micros(i64::MAX)) };
        let wanted = id.clone();
        let session = self.store.read(move |view| view.secret(&wanted, SecretKind::Session)).await?;
        let until = session.and_then(|session| adapter.session_until(&session));
        Ok(until.map_or(UtcTime::from_micros(0), |until| until.minus(REFRESH_AHEAD)))
    }

    async fn beat(&self) -> Result<(), EngineError> {
        let beats: Vec<_> = self
            .pulse
            .beats()
            .into_iter()
            .map(|b| json!({"task": b.task, "last": b.last, "next": b.next, "steps": b.steps, "error": b.error}))
            .collect();
        let pid = std::process::id();
        let written = self.store.write(Cause::engine(Task::Tend.as_str()), move |tx| {
            tx.put_heartbeat(&json!({"pid": pid, "tasks": beats}))?;
            Ok(())
        });
        allowed(written.await)?.ok();
        let next = self.now().plus(HEARTBEAT);
        self.again.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert("heartbeat".to_owned(), (0, next));
        Ok(())
    }
}
