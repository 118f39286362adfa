//! Tend: logins are refreshed before they run out, and once a minute the heartbeat goes to the store.
//!
//! The heartbeat's write checks the fencing epoch like every other: an engine that was taken over notices by itself, and
//! ends (rule 15).

use std::sync::Arc;

use domain::role::Scope;
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

    /// Refreshes a session that is about to run out; returns when to look again.
    async fn tend_login(self: &Arc<Self>, id: &domain::id::AccountId) -> Result<Option<UtcTime>, EngineError> {
        let key = format!("login {id}");
        let due = self.due_again(&key);
        if due > self.now() {
            return Ok(Some(due));
        }
        let Some(_taken) = self.take_account(id) else { return Ok(None) };
        match self.login(id).await? {
            Ok((login, adapter)) => {
                self.succeeded(&key);
                let until = adapter.session_until(&login.session);
                Ok(until.map(|until| until.minus(REFRESH_AHEAD)).filter(|at| *at > self.now()))
            }
            Err(no) => {
                self.pulse.went_wrong(Task::Tend, no.why());
                Ok(Some(self.try_again(&key)))
            }
        }
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
