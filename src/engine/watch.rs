//! Watch: what a platform's answers say of an account is recorded at once, and stops it.
//!
//! Decides nothing about what an alarm is or does (`domain::guardrail`, `store::breach`); only that no answer is forgotten.
//! An adapter tells its ear before its verb returns, the ear wakes this task, and whoever is about to send records what was
//! heard first, so that nothing leaves between an answer that stops the account and its hold.

use std::sync::{Arc, Mutex, PoisonError};

use domain::guardrail::Alarm;
use domain::id::AccountId;
use domain::time::UtcTime;
use platforms::Ear;
use store::{Cause, Stop};
use tokio::sync::Notify;

use crate::{EngineError, Inner, Task};

/// How many alarms wait to be recorded; more of them say nothing that these do not.
const WAITING_MAX: usize = 1000;

/// What ears heard and nobody has recorded yet. A restart loses it; the next answer says it again.
#[derive(Default)]
pub(crate) struct Alarms {
    heard: Mutex<Vec<(AccountId, Alarm)>>,
    /// Told when there is something to record.
    pub(crate) rang: Notify,
    /// Held while what was heard is being recorded.
    recording: tokio::sync::Mutex<()>,
}

impl Alarms {
    fn add(&self, account: AccountId, alarm: Alarm) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !heard.iter().any(|(known, other)| {
            *known == account && other.signal == alarm.signal && other.mark == alarm.mark && other.words == alarm.words
        });
        if is_new && heard.len() < WAITING_MAX {
            heard.push((account, alarm));
        }
        drop(heard);
        self.rang.notify_waiters();
    }

    fn take(&self) -> Vec<(AccountId, Alarm)> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_back(&self, mut all: Vec<(AccountId, Alarm)>) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        all.append(&mut heard);
        *heard = all;
    }
}

impl Inner {
    pub(crate) async fn watch(self: &Arc<Self>) -> Result<Option<UtcTime>, EngineError> {
        self.heed().await?;
        Ok(None)
    }

    /// Returns the ear for an account's calls.
    pub(crate) fn ear_of(&self, account: &AccountId) -> Ear {
        let (alarms, account) = (Arc::clone(&self.alarms), account.clone());
        Arc::new(move |alarm| alarms.add(account.clone(), alarm))
    }

    /// Records what was heard until now; when this returns, it stands in the store.
    pub(crate) async fn heed(&self) -> Result<(), EngineError> {
        // Whoever else took it may still be writing it.
        let _alone = self.alarms.recording.lock().await;
        let heard = self.alarms.take();
        if heard.is_empty() {
            return Ok(());
        }
        let put = heard.clone();
        let written = self.store.write(Cause::engine(Task::Watch.as_str()), move |tx| {
            let mut stopped = Vec::new();
            for (account, alarm) in &put {
                match store::breach::alarm(tx, account, alarm) {
                    Ok(true) => stopped.push(format!("account {account} is stopped: {}", alarm.signal.words())),
                    // Nothing new, or an account that is no more.
                    Ok(false) | Err(Stop::Refused(_) | Stop::Undo) => {}
                    Err(Stop::Failed(error)) => return Err(Stop::Failed(error)),
                }
            }
            Ok(stopped)
        });
        match crate::error::allowed(written.await) {
            Ok(stopped) => {
                for line in stopped.into_iter().flatten() {
                    tracing::warn!(task = Task::Watch.as_str(), "{line}");
                }
                Ok(())
            }
            Err(error) => {
                self.alarms.put_back(heard);
                Err(error)
            }
        }
    }
}
