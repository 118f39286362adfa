//! One request and its answer over one open connection.
//!
//! Decided here: what of a request is ours to set, how much of an answer is read, and what a failure looked like.
//! From here on every failure is `InDoubt`.
//!
//! Invariant: the connection is driven by the same future that waits for the answer, so that dropping it closes the
//! connection and nothing is sent afterwards.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, HOST, HeaderName, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;

use crate::connect::Line;
use crate::guard::Target;
use crate::{InDoubt, Limits, NotSent};

const AGENT: HeaderValue = HeaderValue::from_static(concat!("expos/", env!("CARGO_PKG_VERSION")));

/// Headers that say how a request travels: set here or by the HTTP library, never by whoever asks.
const OURS: [HeaderName; 11] = [
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// A connection on which HTTP is spoken; nothing was sent on it yet.
pub(crate) struct Exchange {
    sender: SendRequest<Full<Bytes>>,
    line: Connection<TokioIo<Box<dyn Line>>, Full<Bytes>>,
}

impl Exchange {
    /// Prepares to speak HTTP/1.1; sends nothing.
    pub(crate) async fn over(line: Box<dyn Line>, limits: Limits) -> Result<Self, NotSent> {
        let opened = Builder::new().max_header_size(limits.headers_max).handshake(TokioIo::new(line)).await;
        let (sender, line) = opened.map_err(|_| NotSent::Unusable)?;
        Ok(Self { sender, line })
    }

    /// Sends `request` and reads the answer. `status` is set as soon as the answer's head is there.
    pub(crate) async fn ask(
        self,
        request: Request<Full<Bytes>>,
        limits: Limits,
        status: &AtomicU16,
    ) -> Result<Response<Bytes>, InDoubt> {
        let Self { mut sender, line } = self;
        let answer = pin!(async move {
            let answer = sender.send_request(request).await.map_err(|error| doubt(&error, InDoubt::Closed))?;
            status.store(answer.status().as_u16(), Ordering::Relaxed);
            read(answer, limits).await
        });
        // Whatever ends the connection is told to the answer too; the block drops it, so that none waits in vain.
        let line = pin!(async move { line.await.ok() });
        match select(answer, line).await {
            Either::Left((answer, _)) => answer,
            Either::Right((_, answer)) => answer.await,
        }
    }
}

/// Returns the request as it will travel: to `target`, uncompressed, on a connection that ends with it.
pub(crate) fn prepared(request: Request<Bytes>, target: &Target) -> Result<Request<Full<Bytes>>, NotSent> {
    let (mut parts, body) = request.into_parts();
    if parts.method == Method::CONNECT {
        return Err(NotSent::Unusable);
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse::<Uri>().map_err(|_| NotSent::Unusable)?;
    parts.version = Version::HTTP_11;
    for name in &OURS {
        parts.headers.remove(name);
    }
    let host = HeaderValue::from_str(&target.authority).map_err(|_| NotSent::Unusable)?;
    parts.headers.insert(HOST, host);
    parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    parts.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    parts.headers.entry(USER_AGENT).or_insert(AGENT);
    Ok(Request::from_parts(parts, Full::new(body)))
}

async fn read(answer: Response<Incoming>, limits: Limits) -> Result<Response<Bytes>, InDoubt> {
    let (parts, mut body) = answer.into_parts();
    if size(&parts.headers) > limits.headers_max {
        return Err(InDoubt::HeadersTooBig);
    }
    if parts.headers.get(CONTENT_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(InDoubt::Encoded);
    }
    if usize::try_from(body.size_hint().lower()).map_or(true, |size| size > limits.body_max) {
        return Err(InDoubt::BodyTooBig);
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // What is no data is a trailer, and trailers are not used.
        let Ok(data) = frame.map_err(|error| doubt(&error, InDoubt::Truncated))?.into_data() else { continue };
        if read.len().saturating_add(data.len()) > limits.body_max {
            return Err(InDoubt::BodyTooBig);
        }
        read.extend_from_slice(&data);
    }
    Ok(Response::from_parts(parts, read.freeze()))
}

/// Returns the bytes of the header lines as they were sent: name, colon, space, value, line end.
fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// Returns what a failure looked like; `ended` is what an early end means at this point.
fn doubt(error: &hyper::Error, ended: InDoubt) -> InDoubt {
    if error.is_parse_too_large() {
        return InDoubt::HeadersTooBig;
    }
    if error.is_parse() {
        return InDoubt::Garbled;
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return ended;
    }
    match io_kind(error) {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe) => {
            InDoubt::Reset
        }
        Some(io::ErrorKind::UnexpectedEof) => ended,
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => InDoubt::Garbled,
        Some(_) | None => InDoubt::Other,
    }
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}
