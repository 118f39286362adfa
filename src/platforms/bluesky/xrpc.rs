//! Requests and answers of the AT Protocol: how one is written, and what came back.
//!
//! Decided here: which addresses are servers, how a call is put together, and the line between "the server said so" and
//! everything that says nothing. What a named error means for a post is each verb's business.
//!
//! Invariants: a token goes into the `Authorization` header alone, marked sensitive; nothing of a body gets into words but
//! the server's own error text, cut to 2 KiB, cleaned, and without the tokens that the call used (T10, T12).

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use domain::secret::Secret;
use domain::text::Untrusted;
use domain::time::{Span, UtcTime};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wire::{GuardRefusal, HostPolicy, Limits, Transport, WireError, checked_url};

/// How much of a server's own words is kept.
const WORDS_MAX: usize = 2048;

/// How far ahead a server may put the end of its own limit.
const WAIT_MAX: Span = Span::hours(24);

/// What reading calls may take.
pub(crate) const READING: Limits = Limits {
    start: Duration::from_secs(10),
    total: Duration::from_secs(30),
    headers_max: 64 * 1024,
    body_max: 8 * 1024 * 1024,
};

/// A server's address: scheme, host and port, nothing behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server(String);

/// Why an address is no server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoServer {
    /// It may not be called.
    #[error("{0}")]
    Guarded(GuardRefusal),
    /// It names more than a server.
    #[error("only scheme and host are given, as in https://pds.example.com")]
    HasPath,
}

impl Server {
    /// Reads what a person or a document gives as a server.
    pub(crate) fn checked(text: &str, policy: HostPolicy) -> Result<Self, NoServer> {
        let uri = checked_url(text.trim(), policy).map_err(NoServer::Guarded)?;
        match (uri.path(), uri.query(), uri.scheme_str(), uri.authority()) {
            ("/" | "", None, Some(scheme), Some(authority)) => Ok(Self(format!("{scheme}://{authority}"))),
            (_, _, _, _) => Err(NoServer::HasPath),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// One request, before it is sent.
pub(crate) struct Call {
    method: Method,
    url: String,
    token: Option<Secret>,
    /// Values that must not come back in words, beside the token.
    secrets: Vec<Secret>,
    body: Option<(String, Bytes)>,
}

impl Call {
    /// Returns a call that reads.
    pub(crate) fn query(server: &Server, method: &str, parameters: &[(&str, &str)]) -> Self {
        let mut url = format!("{}/xrpc/{method}", server.0);
        for (place, (name, value)) in parameters.iter().enumerate() {
            url.push(if place == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            escape(&mut url, value);
        }
        Self::get(url)
    }

    /// Returns a call of any address.
    pub(crate) fn get(url: String) -> Self {
        Self { method: Method::GET, url, token: None, secrets: Vec::new(), body: None }
    }

    /// Returns a call that changes something.
    pub(crate) fn procedure(server: &Server, method: &str) -> Self {
        let url = format!("{}/xrpc/{method}", server.0);
        Self { method: Method::POST, url, token: None, secrets: Vec::new(), body: None }
    }

    /// Sends this JSON with it.
    pub(crate) fn json(self, body: &serde_json::Value) -> Self {
        self.bytes("application/json", Bytes::from(body.to_string()))
    }

    /// Sends these bytes with it.
    pub(crate) fn bytes(mut self, mime: &str, body: Bytes) -> Self {
        self.body = Some((mime.to_owned(), body));
        self
    }

    /// Sends it as the owner of this token.
    pub(crate) fn bearer(mut self, token: &Secret) -> Self {
        self.token = Some(token.clone());
        self
    }

    /// Keeps a value that the body holds out of every word about the answer.
    pub(crate) fn hiding(mut self, secret: &Secret) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// Returns the request as it leaves.
    pub(crate) fn request(&self) -> Result<Request<Bytes>, Failure> {
        let unusable = |_| Failure::NotSent("the request cannot be written".to_owned());
        let mut builder = Request::builder().method(self.method.clone()).uri(&self.url);
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .map_err(|_| Failure::NotSent("the session cannot be sent; connect the account again".to_owned()))?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        builder =
            builder.header(ACCEPT, "application/json").header(USER_AGENT, concat!("expos/", env!("CARGO_PKG_VERSION")));
        let body = match &self.body {
            Some((mime, body)) => {
                builder = builder.header(CONTENT_TYPE, mime);
                body.clone()
            }
            None => Bytes::new(),
        };
        builder.body(body).map_err(|error: http::Error| unusable(error))
    }

    /// Sends it and reads the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        line: &dyn Transport,
        limits: Limits,
        now: UtcTime,
    ) -> Result<T, Failure> {
        let answer = line.send(self.request()?, limits).await;
        self.read(answer, now)
    }

    /// Reads the answer that came of it.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        answer: Result<Response<Bytes>, WireError>,
        now: UtcTime,
    ) -> Result<T, Failure> {
        let answer = answer.map_err(|error| Failure::of_wire(&error))?;
        let status = answer.status().as_u16();
        if status == 200 {
            return serde_json::from_slice(answer.body())
                .map_err(|_| Failure::Doubt("the server answered 200, and the answer cannot be read".to_owned()));
        }
        if (200..300).contains(&status) {
            return Err(Failure::Doubt(format!("the server answered {status}, which this call does not have")));
        }
        Err(Failure::Said(self.said(&answer, now)))
    }

    fn said(&self, answer: &Response<Bytes>, now: UtcTime) -> Said {
        #[derive(Default, Deserialize)]
        struct Named {
            #[serde(default)]
            error: String,
            #[serde(default)]
            message: String,
        }
        let named: Named = serde_json::from_slice(answer.body()).unwrap_or_default();
        let is_name = |name: &str| name.len() <= 100 && name.bytes().all(|b| b.is_ascii_alphanumeric());
        Said {
            status: answer.status().as_u16(),
            name: if is_name(&named.error) { named.error } else { String::new() },
            message: self.clean(&named.message),
            until: limited_until(answer.headers(), now),
        }
    }

    fn clean(&self, words: &str) -> String {
        let live: Vec<&str> = self.token.iter().chain(&self.secrets).map(Secret::expose).collect();
        // Cut after the tokens are gone: a token cut in two would not be found.
        let mut words = wire::redact(words, &live);
        words.truncate(words.floor_char_boundary(WORDS_MAX));
        Untrusted::new(words).show().to_string()
    }
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Not one byte left.
    NotSent(String),
    /// What happened at the server is not known.
    Doubt(String),
    /// The server answered, in its own words.
    Said(Said),
}

impl Failure {
    pub(crate) fn of_wire(error: &WireError) -> Self {
        let mut words = error.to_string();
        let mut cause = error.source();
        while let Some(why) = cause {
            // Writing to a string cannot fail.
            write!(words, ": {why}").ok();
            cause = why.source();
        }
        if error.is_not_sent() { Self::NotSent(words) } else { Self::Doubt(words) }
    }

    /// Returns what happened, in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::NotSent(words) | Self::Doubt(words) => words.clone(),
            Self::Said(said) => said.words(),
        }
    }
}

/// An error as a server said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The status.
    pub(crate) status: u16,
    /// The error's name; empty where it has none.
    pub(crate) name: String,
    /// The server's own sentence, cleaned.
    pub(crate) message: String,
    /// When the server's own limit ends, where it says so.
    pub(crate) until: Option<UtcTime>,
}

impl Said {
    /// Returns status, name and sentence.
    pub(crate) fn words(&self) -> String {
        let mut words = format!("the server answered {}", self.status);
        for part in [&self.name, &self.message] {
            if !part.is_empty() {
                words.push(' ');
                words.push_str(part);
            }
        }
        words
    }
}

/// Reads when a limit ends: the reset header of the network's servers in seconds since 1970, else `Retry-After` in seconds.
fn limited_until(headers: &HeaderMap, now: UtcTime) -> Option<UtcTime> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let reset = number("ratelimit-reset").map(|seconds| UtcTime::from_micros(Span::seconds(seconds).micros()));
    let after = || number("retry-after").map(|seconds| now.plus(Span::seconds(seconds)));
    let until = reset.filter(|until| *until > now).or_else(after)?;
    Some(until.min(now.plus(WAIT_MAX)).max(now))
}

/// Writes a value so that it can stand in a query.
fn escape(out: &mut String, value: &str) {
    for byte in value.bytes() {
        let plain = char::from(byte);
        if plain.is_ascii_alphanumeric() || matches!(plain, '-' | '.' | '_' | '~') {
            out.push(plain);
        } else {
            // Writing to a string cannot fail.
            write!(out, "%{byte:02X}").ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use wire::{InDoubt, Scripted};

    const OPEN: HostPolicy = HostPolicy { allow_private_hosts: true };

    fn now() -> UtcTime {
        "2026-11-24T09:00:00Z".parse().unwrap()
    }

    fn server() -> Server {
        Server::checked("https://pds.example.com", HostPolicy::default()).unwrap()
    }

    #[test]
    fn a_server_is_scheme_and_host() {
        let checked = |text: &str| Server::checked(text, OPEN).map(|server| server.0);
        assert_eq!(checked(" https://PDS.example.com/ ").unwrap(), "https://pds.example.com");
        assert_eq!(checked("http://localhost:2583").unwrap(), "http://localhost:2583");
        for text in ["https://pds.example.com/xrpc", "https://pds.example.com/?a=b", "https://pds.example.com/a/../b"] {
            assert_eq!(checked(text), Err(NoServer::HasPath), "{text}");
        }
        assert!(matches!(checked("ftp://pds.example.com"), Err(NoServer::Guarded(_))));
        assert!(Server::checked("http://localhost:2583", HostPolicy::default()).is_err());
    }

    #[test]
    fn a_request_holds_its_token_in_one_header_that_is_marked() {
        let token = Secret::new("CANARY".to_owned());
        let call = Call::query(&server(), "a.b.c", &[("x", "at://é &="), ("y", "1")]).bearer(&token);
        let request = call.request().unwrap();
        assert_eq!(request.uri().to_string(), "https://pds.example.com/xrpc/a.b.c?x=at%3A%2F%2F%C3%A9%20%26%3D&y=1");
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        assert!(!format!("{request:?}").contains("CANARY"));
        let broken = Call::query(&server(), "a.b.c", &[]).bearer(&Secret::new("a\nb".to_owned()));
        assert!(matches!(broken.request(), Err(Failure::NotSent(_))));
    }

    fn said(status: u16, body: impl Into<Bytes>, headers: &[(&'static str, &str)]) -> Failure {
        let mut answer = Response::new(body.into());
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            answer.headers_mut().insert(*name, value.parse().unwrap());
        }
        let token = Secret::new("CANARY".to_owned());
        Call::procedure(&server(), "a.b.c").bearer(&token).read::<Value>(Ok(answer), now()).unwrap_err()
    }

    #[test]
    fn a_servers_words_are_cut_and_cleaned_and_hold_no_token() {
        let body = json!({"error": "Oops", "message": format!("CANARY \u{202E}{}", "é".repeat(5000))}).to_string();
        let failure = said(400, body, &[]);
        let Failure::Said(said) = &failure else { panic!("{failure:?}") };
        assert_eq!((said.status, said.name.as_str()), (400, "Oops"));
        assert!(!failure.words().contains("CANARY") && failure.words().contains("<U+202E>"), "{}", failure.words());
        assert!(said.message.len() < 2200, "{}", said.message.len());
    }

    #[test]
    fn an_answer_that_is_no_error_of_the_protocol_keeps_its_status_alone() {
        for body in ["<html>502</html>", "", "[]", r#"{"error": 7}"#, "{\"error\": \"a b\u{7}\"}"] {
            let failure = said(502, body.to_owned(), &[]);
            assert!(
                matches!(&failure, Failure::Said(said) if said.name.is_empty() && said.message.is_empty()),
                "{failure:?}"
            );
            assert_eq!(failure.words(), "the server answered 502");
        }
        assert!(matches!(said(204, "", &[]), Failure::Doubt(_)));
        assert!(matches!(said(302, "", &[]), Failure::Said(_)));
        assert!(matches!(said(200, "<html>", &[]), Failure::Doubt(_)));
    }

    #[test]
    fn the_end_of_a_limit_is_read_and_kept_within_a_day() {
        let until = |headers: &[(&'static str, &str)]| match said(429, "", headers) {
            Failure::Said(said) => said.until.map(|until| until.since(now()).whole_seconds()),
            Failure::NotSent(_) | Failure::Doubt(_) => None,
        };
        let reset = (now().micros() / 1_000_000 + 90).to_string();
        assert_eq!(until(&[("ratelimit-reset", &reset)]), Some(90));
        assert_eq!(until(&[("retry-after", "30")]), Some(30));
        assert_eq!(until(&[("ratelimit-reset", "17"), ("retry-after", "30")]), Some(30));
        assert_eq!(until(&[("retry-after", "99999999999999")]), Some(86400));
        assert_eq!(until(&[("retry-after", "-5")]), Some(0));
        assert_eq!(until(&[("retry-after", "soon")]), None);
    }

    #[tokio::test]
    async fn what_the_wire_says_is_told_apart() {
        let script = Scripted::new();
        script.then(Err(WireError::InDoubt { host: "pds.example.com".into(), why: InDoubt::Reset, status: None }));
        let call = Call::query(&server(), "a.b.c", &[]);
        let doubt = call.ask::<Value>(&script, READING, now()).await.unwrap_err();
        assert_eq!(
            doubt,
            Failure::Doubt("whether pds.example.com acted is in doubt: the connection was reset".to_owned())
        );
        let nothing = call.ask::<Value>(&script, READING, now()).await.unwrap_err();
        assert!(matches!(nothing, Failure::NotSent(_)));
    }
}
