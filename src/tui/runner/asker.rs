//! Asking the desk: each question and command a task of its own, answered by a message.
//!
//! Decides how long the desk may take before it counts as not there, and that a command which got no answer is told as
//! what it is: perhaps done.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clock::{RealClock, within};
use desk::local::Door;
use desk::{Command, Mode, Problem};
use domain::id::CommandId;
use domain::time::UtcTime;
use futures_util::StreamExt;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::TuiError;
use crate::message::{Ask, What};

/// How long a question may take.
const ASK_MAX: Duration = Duration::from_secs(10);
/// How long a command may take.
const ACT_MAX: Duration = Duration::from_secs(30);
/// The most events of one message.
const NEWS_MAX: usize = 200;

/// A door that may come later.
type Slot = Arc<Mutex<Option<Arc<Door>>>>;

/// Asks the desk.
pub(super) struct Asker {
    door: Slot,
    sender: UnboundedSender<What>,
    tasks: JoinSet<()>,
}

/// What holds a desk open.
pub(super) struct Keeper {
    door: Slot,
    tasks: JoinSet<()>,
}

impl Keeper {
    /// Lets go of the desk: whatever is under way is ended and waited for, so that the store closes.
    pub(super) async fn close(mut self) {
        self.tasks.shutdown().await;
        drop(self.door.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Asker {
    pub(super) fn new(door: Door, sender: UnboundedSender<What>) -> Self {
        Self { door: Arc::new(Mutex::new(Some(Arc::new(door)))), sender, tasks: JoinSet::new() }
    }

    /// Asks a desk that is not there yet.
    pub(super) fn waiting(sender: UnboundedSender<What>, door: Slot) -> Self {
        Self { door, sender, tasks: JoinSet::new() }
    }

    pub(super) fn into_parts(self) -> Keeper {
        Keeper { door: self.door, tasks: self.tasks }
    }

    fn door(&mut self) -> Option<Arc<Door>> {
        // Tasks that are over are forgotten.
        while self.tasks.try_join_next().is_some() {}
        self.door.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn send(&self, what: What) {
        // Nobody listens only where the dashboard has ended.
        let _ended = self.sender.send(what);
    }

    pub(super) fn ask(&mut self, ask: Ask) {
        let Some(door) = self.door() else {
            self.send(What::Answered(ask, Box::new(Err(not_there()))));
            return;
        };
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            let answer = within(&RealClock, ASK_MAX, door.ask(ask.query())).await;
            let answer = answer.unwrap_or_else(|_| Err(Problem::Unreachable("the desk does not answer".to_owned())));
            let _ended = sender.send(What::Answered(ask, Box::new(answer)));
        });
    }

    pub(super) fn act(&mut self, number: u64, command: Command, now: UtcTime) -> Result<(), TuiError> {
        let Some(door) = self.door() else {
            self.send(What::Acted(number, Box::new(Err(not_there()))));
            return Ok(());
        };
        let random = clock::fresh_bytes().map_err(|error| TuiError::Entropy(error.to_string()))?;
        let id = CommandId::new(now, random);
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            let done = within(&RealClock, ACT_MAX, door.act(id, command, Mode::Do)).await;
            let done = done.unwrap_or_else(|_| {
                Err(Problem::Unreachable(
                    "no answer came; it may have been done all the same, so look again".to_owned(),
                ))
            });
            let _ended = sender.send(What::Acted(number, Box::new(done)));
        });
        Ok(())
    }

    pub(super) fn follow(&mut self, after: u64) {
        let Some(door) = self.door() else {
            self.send(What::FollowEnded);
            return;
        };
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            if let Ok(events) = door.follow(after).await {
                // The stream does not need the door; one that is held open keeps the store from closing.
                drop(door);
                let mut batches = std::pin::pin!(events.ready_chunks(NEWS_MAX));
                while let Some(batch) = batches.next().await {
                    let whole = batch.iter().all(Result::is_ok);
                    let events = batch.into_iter().filter_map(Result::ok).collect();
                    if sender.send(What::News(events)).is_err() || !whole {
                        break;
                    }
                }
            }
            let _ended = sender.send(What::FollowEnded);
        });
    }
}

fn not_there() -> Problem {
    Problem::Unreachable("no desk is open: the engine is being started".to_owned())
}
