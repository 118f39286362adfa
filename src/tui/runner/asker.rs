//! Asking the desk: questions, commands and the log, under way side by side, each answered by a message.
//!
//! Decides how long the desk may take before it counts as not there, and that a command which got no answer is told as
//! what it is: perhaps done. All of it runs in the runner's own task, which keeps an idle dashboard asleep.

use std::sync::Arc;
use std::time::Duration;

use clock::{RealClock, within};
use desk::local::Door;
use desk::query::EventLine;
use desk::{Command, Mode, Problem, Query};
use domain::id::{CommandId, ExperimentId};
use domain::time::UtcTime;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};

use crate::TuiError;
use crate::message::{Ask, What};

/// How long a question may take.
const ASK_MAX: Duration = Duration::from_secs(10);
/// How long a command may take.
const ACT_MAX: Duration = Duration::from_secs(30);
/// The most events of one message.
const NEWS_MAX: usize = 200;

type Log = BoxStream<'static, Vec<Result<EventLine, Problem>>>;

/// Asks the desk.
pub(crate) struct Asker {
    /// None while the engine is being started.
    door: Option<Arc<Door>>,
    /// Tells this screen from another one of the same person.
    session: u32,
    /// What is open on this screen.
    on: Option<ExperimentId>,
    under_way: FuturesUnordered<BoxFuture<'static, What>>,
    opening_log: Option<BoxFuture<'static, Option<Log>>>,
    log: Option<Log>,
}

impl Asker {
    pub(crate) fn new(door: Door) -> Self {
        // Without randomness two screens of one person count as one.
        let session = clock::fresh_bytes().map_or(0, u32::from_be_bytes);
        Self {
            door: Some(Arc::new(door)),
            session,
            on: None,
            under_way: FuturesUnordered::new(),
            opening_log: None,
            log: None,
        }
    }

    /// Lets go of a desk in this process, so that its store closes; one over a socket holds nothing and is kept.
    pub(crate) fn close_near(&mut self) {
        if self.door.as_ref().is_none_or(|door| !door.is_remote()) {
            self.close();
        }
    }

    /// Whatever is under way is given up.
    fn close(&mut self) {
        self.under_way.clear();
        self.opening_log = None;
        self.log = None;
        self.door = None;
    }

    /// Takes another desk.
    pub(crate) fn open(&mut self, door: Door) {
        self.close();
        self.door = Some(Arc::new(door));
    }

    /// Notes what is open; the next sign of life says so.
    pub(crate) fn look_at(&mut self, on: Option<ExperimentId>) {
        self.on = on;
    }

    pub(crate) fn ask(&mut self, ask: Ask) {
        let Some(door) = self.door.clone() else {
            self.answer(What::Answered(ask, Box::new(Err(not_there()))));
            return;
        };
        let query = if ask == Ask::Health { Query::Beat { session: self.session, on: self.on } } else { ask.query() };
        self.under_way.push(
            async move {
                let answer = within(&RealClock, ASK_MAX, door.ask(query)).await;
                let silent = || Err(Problem::Unreachable("the desk does not answer".to_owned()));
                What::Answered(ask, Box::new(answer.unwrap_or_else(|_| silent())))
            }
            .boxed(),
        );
    }

    pub(crate) fn act(&mut self, number: u64, command: Command, now: UtcTime) -> Result<(), TuiError> {
        let Some(door) = self.door.clone() else {
            self.answer(What::Acted(number, Box::new(Err(not_there()))));
            return Ok(());
        };
        let random = clock::fresh_bytes().map_err(|error| TuiError::Entropy(error.to_string()))?;
        let id = CommandId::new(now, random);
        self.under_way.push(
            async move {
                let done = within(&RealClock, ACT_MAX, door.act(id, command, Mode::Do)).await;
                let silent = "no answer came; it may have been done all the same, so look again";
                let silent = || Err(Problem::Unreachable(silent.to_owned()));
                What::Acted(number, Box::new(done.unwrap_or_else(|_| silent())))
            }
            .boxed(),
        );
        Ok(())
    }

    pub(crate) fn follow(&mut self, after: u64) {
        self.log = None;
        let Some(door) = self.door.clone() else {
            self.answer(What::FollowEnded);
            return;
        };
        self.opening_log = Some(
            async move {
                let events = door.follow(after).await.ok()?;
                Some(events.ready_chunks(NEWS_MAX).boxed())
            }
            .boxed(),
        );
    }

    fn answer(&mut self, what: What) {
        self.under_way.push(std::future::ready(what).boxed());
    }

    /// Waits for the next answer or the next news; for ever where nothing is under way.
    pub(crate) async fn next(&mut self) -> What {
        loop {
            tokio::select! {
                biased;
                Some(what) = self.under_way.next(), if !self.under_way.is_empty() => return what,
                opened = opened(&mut self.opening_log) => {
                    self.opening_log = None;
                    self.log = opened;
                    if self.log.is_none() {
                        return What::FollowEnded;
                    }
                }
                batch = news(&mut self.log) => {
                    let whole = batch.as_ref().is_some_and(|batch| batch.iter().all(Result::is_ok));
                    if !whole {
                        self.log = None;
                        return What::FollowEnded;
                    }
                    return What::News(batch.into_iter().flatten().filter_map(Result::ok).collect());
                }
            }
        }
    }
}

async fn opened(opening: &mut Option<BoxFuture<'static, Option<Log>>>) -> Option<Log> {
    match opening {
        Some(opening) => opening.await,
        None => std::future::pending().await,
    }
}

async fn news(log: &mut Option<Log>) -> Option<Vec<Result<EventLine, Problem>>> {
    match log {
        Some(log) => log.next().await,
        None => std::future::pending().await,
    }
}

fn not_there() -> Problem {
    Problem::Unreachable("no desk is open: the engine is being started".to_owned())
}
