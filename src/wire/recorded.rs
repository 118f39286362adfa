//! A journal of calls.
//!
//! Decided here: what is kept of a call: who was asked, when, for how long, how it ended. No query, header or body is.
//!
//! Invariant: at most `keep` calls are held, the latest.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use clock::{Boot, Clock};
use http::{Method, Request};

use crate::{Answer, Limits, Transport, WireError, safe_url};

/// One call, over or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it began, UTC.
    pub at: DateTime<Utc>,
    /// How long it took, by boot time.
    pub took: Duration,
    /// The request's method.
    pub method: Method,
    /// Scheme, host and path.
    pub url: String,
    /// Bytes of the request's body.
    pub sent: usize,
    /// How it ended.
    pub end: End,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// By an answer.
    Answered {
        /// The answer's status.
        status: u16,
        /// Bytes of the answer's body.
        received: usize,
    },
    /// By an error.
    Failed(WireError),
    /// Nobody waited for its end; whether it had an effect is in doubt.
    Dropped,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        write!(f, "{at} {} {} sent {} B: ", self.method, self.url, self.sent)?;
        match &self.end {
            End::Answered { status, received } => write!(f, "{status}, {received} B")?,
            End::Failed(error) => {
                write!(f, "{error}")?;
                let mut cause = error.source();
                while let Some(why) = cause {
                    write!(f, ": {why}")?;
                    cause = why.source();
                }
            }
            End::Dropped => write!(f, "given up")?,
        }
        write!(f, " after {} ms", self.took.as_millis())
    }
}

/// Passes every call on and keeps the latest of them. Clones share one journal.
#[derive(Clone)]
pub struct Recorded {
    inner: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    journal: Arc<Journal>,
}

struct Journal {
    keep: usize,
    calls: Mutex<VecDeque<Call>>,
}

impl Recorded {
    /// Wraps `inner` and keeps the latest `keep` calls.
    pub fn new(inner: Arc<dyn Transport>, clock: Arc<dyn Clock>, keep: usize) -> Self {
        Self { inner, clock, journal: Arc::new(Journal { keep, calls: Mutex::default() }) }
    }

    /// Returns the calls kept, in the order in which they ended.
    pub fn calls(&self) -> Vec<Call> {
        self.journal.calls.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Transport for Recorded {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> Answer {
        let mut entry = Entry {
            journal: Arc::clone(&self.journal),
            clock: Arc::clone(&self.clock),
            begun: self.clock.boot(),
            call: Some(Call {
                at: self.clock.wall(),
                took: Duration::ZERO,
                method: request.method().clone(),
                url: safe_url(request.uri()),
                sent: request.body().len(),
                end: End::Dropped,
            }),
        };
        let answer = self.inner.send(request, limits);
        Box::pin(async move {
            let answer = answer.await;
            if let Some(call) = &mut entry.call {
                call.end = match &answer {
                    Ok(answer) => End::Answered { status: answer.status().as_u16(), received: answer.body().len() },
                    Err(error) => End::Failed(error.clone()),
                };
            }
            answer
        })
    }
}

/// A call under way; written down when it is dropped, so that one given up is written down too.
struct Entry {
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    begun: Boot,
    call: Option<Call>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(mut call) = self.call.take() else { return };
        call.took = self.clock.boot().since(self.begun);
        let mut calls = self.journal.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push_back(call);
        while calls.len() > self.journal.keep {
            calls.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NotSent, Scripted};
    use clock::ManualClock;
    use std::future::pending;

    fn clock() -> ManualClock {
        ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).expect("in range"))
    }

    fn ask(path: &str) -> Request<Bytes> {
        let url = format!("https://host.example{path}?access_token=CANARY");
        Request::post(url).header("authorization", "CANARY").body(Bytes::from("CANARY")).expect("a request")
    }

    #[tokio::test]
    async fn calls_are_kept_without_their_secrets() {
        let clock = clock();
        let moved = clock.clone();
        let script = Scripted::answering(move |_| {
            moved.advance(Duration::from_millis(1500));
            Err(WireError::NotSent { host: "host.example".into(), why: NotSent::Refused })
        });
        script.answer(200, "CANARY");
        let recorded = Recorded::new(Arc::new(script.clone()), Arc::new(clock), 10);
        recorded.send(ask("/1"), Limits::default()).await.expect("answered");
        recorded.send(ask("/2"), Limits::default()).await.expect_err("refused");
        let lines: Vec<String> = recorded.calls().iter().map(Call::to_string).collect();
        assert_eq!(
            lines,
            [
                "2027-01-15T08:00:00.000Z POST https://host.example/1 sent 6 B: 200, 6 B after 0 ms",
                "2027-01-15T08:00:00.000Z POST https://host.example/2 sent 6 B: nothing was sent to host.example: \
                 the connection was refused; is the server running? after 1500 ms",
            ]
        );
        assert!(!format!("{:?}", recorded.calls()).contains("CANARY"));
        assert_eq!(script.requests().len(), 2);
    }

    #[tokio::test]
    async fn only_the_latest_are_kept() {
        let script = Scripted::answering(|_| Ok(http::Response::new(Bytes::new())));
        let recorded = Recorded::new(Arc::new(script), Arc::new(clock()), 2);
        for path in ["/1", "/2", "/3"] {
            recorded.send(ask(path), Limits::default()).await.expect("answered");
        }
        let urls: Vec<String> = recorded.calls().into_iter().map(|call| call.url).collect();
        assert_eq!(urls, ["https://host.example/2", "https://host.example/3"]);
    }

    #[test]
    fn a_call_given_up_is_kept_as_such() {
        struct Silent;
        impl Transport for Silent {
            fn send(&self, _: Request<Bytes>, _: Limits) -> Answer {
                Box::pin(pending())
            }
        }
        let recorded = Recorded::new(Arc::new(Silent), Arc::new(clock()), 2);
        drop(recorded.send(ask("/1"), Limits::default()));
        assert_eq!(recorded.calls().first().map(|call| call.end.clone()), Some(End::Dropped));
    }
}
