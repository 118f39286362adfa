//! Canned answers, for tests of whoever speaks through a transport.
//!
//! Decided here: which answer comes next. Every request is kept as it was sent, secrets included: tests only.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};

use crate::{Answer, Limits, NotSent, Transport, WireError};

type Outcome = Result<Response<Bytes>, WireError>;
type Reply = dyn Fn(&Request<Bytes>) -> Outcome + Send + Sync;

/// Answers from a queue, or by a function, and records what was asked. Clones share one script.
///
/// When the queue is empty every request ends as [`NotSent::NothingThere`].
#[derive(Clone)]
pub struct Scripted {
    script: Arc<Mutex<Script>>,
    reply: Option<Arc<Reply>>,
}

#[derive(Default)]
struct Script {
    outcomes: VecDeque<Outcome>,
    requests: Vec<Request<Bytes>>,
}

impl Default for Scripted {
    fn default() -> Self {
        Self::new()
    }
}

impl Scripted {
    /// Returns an empty script.
    pub fn new() -> Self {
        Self { script: Arc::default(), reply: None }
    }

    /// Returns a script that answers each request, once the queue is empty, by `reply`.
    pub fn answering(reply: impl Fn(&Request<Bytes>) -> Outcome + Send + Sync + 'static) -> Self {
        Self { script: Arc::default(), reply: Some(Arc::new(reply)) }
    }

    /// Queues what comes of one request.
    pub fn then(&self, outcome: Outcome) -> &Self {
        self.script().outcomes.push_back(outcome);
        self
    }

    /// Queues an answer. A status that HTTP does not have (below 100 or above 999) becomes 500.
    pub fn answer(&self, status: u16, body: impl Into<Bytes>) -> &Self {
        self.then(Ok(response(status, body.into())))
    }

    /// Queues an answer in JSON.
    pub fn json(&self, status: u16, body: &serde_json::Value) -> &Self {
        let mut answer = response(status, Bytes::from(body.to_string()));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.then(Ok(answer))
    }

    /// Returns what was asked so far, oldest first.
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.script().requests.clone()
    }

    /// Returns how many queued answers were not asked for yet.
    pub fn left(&self) -> usize {
        self.script().outcomes.len()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Scripted {
    fn send(&self, request: Request<Bytes>, _: Limits) -> Answer {
        let mut script = self.script();
        script.requests.push(request.clone());
        let queued = script.outcomes.pop_front();
        drop(script);
        let outcome = match (queued, &self.reply) {
            (Some(outcome), _) => outcome,
            (None, Some(reply)) => reply(&request),
            (None, None) => {
                let host = request.uri().host().unwrap_or_default().to_owned();
                Err(WireError::NotSent { host, why: NotSent::NothingThere })
            }
        };
        Box::pin(ready(outcome))
    }
}

fn response(status: u16, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InDoubt;
    use serde_json::json;

    fn ask(path: &str) -> Request<Bytes> {
        Request::get(format!("https://host.example{path}")).body(Bytes::from("sent")).expect("a request")
    }

    #[tokio::test]
    async fn answers_come_in_order_and_requests_are_kept() {
        let lost = WireError::InDoubt { host: "host.example".into(), why: InDoubt::Reset, status: None };
        let script = Scripted::new();
        script.answer(503, "busy").then(Err(lost.clone())).json(200, &json!({"id": 7}));
        let transport: Arc<dyn Transport> = Arc::new(script.clone());

        let first = transport.send(ask("/1"), Limits::default()).await.expect("answered");
        assert_eq!((first.status().as_u16(), first.body().as_ref()), (503, b"busy".as_slice()));
        assert_eq!(transport.send(ask("/2"), Limits::default()).await.expect_err("lost"), lost);
        assert_eq!(script.left(), 1);
        let third = transport.send(ask("/3"), Limits::default()).await.expect("answered");
        assert_eq!(third.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(third.body().as_ref(), br#"{"id":7}"#);

        let ended = transport.send(ask("/4"), Limits::default()).await.expect_err("script over");
        assert!(ended.is_not_sent());
        let paths: Vec<String> = script.requests().iter().map(|request| request.uri().path().to_owned()).collect();
        assert_eq!(paths, ["/1", "/2", "/3", "/4"]);
        assert_eq!(script.requests()[0].body().as_ref(), b"sent");
    }

    #[tokio::test]
    async fn a_function_answers_after_the_queue() {
        let script = Scripted::answering(|request| Ok(Response::new(Bytes::from(request.uri().path().to_owned()))));
        script.answer(200, "queued");
        for expected in ["queued", "/x", "/x"] {
            let answer = script.send(ask("/x"), Limits::default()).await.expect("answered");
            assert_eq!(answer.body().as_ref(), expected.as_bytes());
        }
    }
}
