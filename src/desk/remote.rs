//! The desk over its socket, from the other side.
//!
//! Decides that a server is believed only if the kernel says that it is run by the owner of the home (T3), and how an
//! answer is read. One connection a request; events are read line by line.

use bytes::Bytes;
use domain::id::CommandId;
use futures_util::{Stream, stream};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use store::Home;
use tokio::net::UnixStream;

use crate::query::EventLine;
use crate::server::BUILD_HEADER;
use crate::{Answer, Command, Done, Mode, Problem, Query};

/// The most bytes of an answer.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// A desk that somebody else serves.
#[derive(Debug, Clone)]
pub struct Remote {
    home: Home,
}

/// Whether a desk answers.
#[derive(Debug)]
pub enum Reached {
    /// It does.
    Yes(Remote),
    /// Nobody listens.
    Nobody,
}

impl Remote {
    /// Looks whether a desk serves this home, and is the right one.
    pub async fn reach(home: &Home) -> Result<Reached, Problem> {
        let remote = Self { home: home.clone() };
        match UnixStream::connect(home.socket()).await {
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) =>
            {
                Ok(Reached::Nobody)
            }
            Err(error) => {
                Err(Problem::Unreachable(format!("the desk at {} cannot be reached: {error}", home.socket().display())))
            }
            Ok(stream) => {
                remote.check_server(&stream)?;
                Ok(Reached::Yes(remote))
            }
        }
    }

    /// The server must be run by whoever owns the home's folder; anybody else squats on the path.
    fn check_server(&self, stream: &UnixStream) -> Result<(), Problem> {
        use std::os::unix::fs::MetadataExt;
        let owner = std::fs::metadata(&self.home.root).map(|m| m.uid());
        let server = stream.peer_cred().map(|c| c.uid());
        match (owner, server) {
            (Ok(owner), Ok(server)) if owner == server => Ok(()),
            (Ok(owner), Ok(server)) => Err(Problem::Unreachable(format!(
                "the desk at {} is run by uid {server}, the home belongs to uid {owner}; nothing was sent: tell an admin",
                self.home.socket().display()
            ))),
            (Err(error), _) | (_, Err(error)) => {
                Err(Problem::Unreachable(format!("who runs the desk cannot be told: {error}")))
            }
        }
    }

    /// Puts a command.
    pub async fn act(&self, id: CommandId, command: &Command, mode: Mode) -> Result<Done, Problem> {
        let path = match mode {
            Mode::Do => "/v1/commands",
            Mode::DryRun => "/v1/commands?dry_run=true",
        };
        self.post(path, Some(id), serde_json::to_vec(command)).await
    }

    /// Asks.
    pub async fn ask(&self, query: &Query) -> Result<Answer, Problem> {
        self.post("/v1/queries", None, serde_json::to_vec(query)).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        id: Option<CommandId>,
        body: serde_json::Result<Vec<u8>>,
    ) -> Result<T, Problem> {
        let body = body.map_err(|e| Problem::Failed(format!("the request cannot be written: {e}")))?;
        let response = self.send(Method::POST, path, id, Bytes::from(body)).await?;
        let status = response.status();
        let read = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
        let bytes = read.map_err(|e| Problem::Unreachable(format!("the desk's answer broke off: {e}")))?.to_bytes();
        if status == StatusCode::OK {
            return serde_json::from_slice(&bytes).map_err(|e| {
                Problem::Failed(format!("the desk's answer cannot be read ({e}); is it another version?"))
            });
        }
        let problem = serde_json::from_slice::<Problem>(&bytes);
        Err(problem.unwrap_or_else(|_| {
            Problem::Failed(format!("the desk answered {status} in a form this program does not know"))
        }))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        id: Option<CommandId>,
        body: Bytes,
    ) -> Result<http::Response<Incoming>, Problem> {
        let gone =
            |e: &dyn std::fmt::Display| Problem::Unreachable(format!("the desk is gone: {e}; is the engine running?"));
        let stream = UnixStream::connect(self.home.socket()).await.map_err(|e| gone(&e))?;
        self.check_server(&stream)?;
        #[expect(clippy::disallowed_methods, reason = "a Unix socket on this box, not the network")]
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| gone(&e))?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "desk")
            .header("content-type", "application/json")
            .header(BUILD_HEADER, env!("CARGO_PKG_VERSION"));
        if let Some(id) = id {
            request = request.header("idempotency-key", id.to_string());
        }
        let request = request.body(Full::new(body)).map_err(|e| Problem::Failed(e.to_string()))?;
        sender.send_request(request).await.map_err(|e| gone(&e))
    }

    /// Follows the log from after an event's number, until the desk is gone.
    pub async fn follow(
        &self,
        after: u64,
    ) -> Result<impl Stream<Item = Result<EventLine, Problem>> + Send + use<>, Problem> {
        let response = self.send(Method::GET, &format!("/v1/events?after={after}"), None, Bytes::new()).await?;
        if response.status() != StatusCode::OK {
            return Err(Problem::stranger());
        }
        let lines = Lines { body: response.into_body(), held: Vec::new() };
        Ok(stream::unfold(lines, |mut lines| async move { lines.next().await.map(|line| (line, lines)) }))
    }
}

struct Lines {
    body: Incoming,
    held: Vec<u8>,
}

impl Lines {
    async fn next(&mut self) -> Option<Result<EventLine, Problem>> {
        loop {
            if let Some(end) = self.held.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.held.drain(..=end).collect();
                return Some(
                    serde_json::from_slice(&line).map_err(|e| Problem::Failed(format!("an event cannot be read: {e}"))),
                );
            }
            if self.held.len() > ANSWER_MAX {
                return Some(Err(Problem::Failed("an event is too long".to_owned())));
            }
            match self.body.frame().await? {
                Ok(frame) => self.held.extend_from_slice(frame.data_ref().map_or(&[][..], |bytes| bytes)),
                Err(error) => return Some(Err(Problem::Unreachable(format!("the desk is gone: {error}")))),
            }
        }
    }
}
