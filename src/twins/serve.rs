//! Serving a twin over HTTP on loopback, so that real clients can speak to it.
//!
//! Decided here: how what came of a request looks on a connection. A lost answer closes it without a byte, a broken one
//! promises more bytes than come.
//!
//! Invariant: only loopback is served.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::{BlueskyTwin, Lost};

/// The most bytes of a request that are read at all.
const BODY_MAX: usize = 16 * 1024 * 1024;
/// What a broken answer promises beyond what comes.
const PROMISED: usize = 64;

impl BlueskyTwin {
    /// Serves HTTP until the listener fails, and takes the listener's address for the twin's own.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a twin is served on loopback alone"));
        }
        self.set_base(&format!("http://{address}"));
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(connection(self.clone(), stream));
        }
    }
}

async fn connection(twin: BlueskyTwin, stream: TcpStream) {
    stream.set_nodelay(true).ok(); // slower without, and nothing else
    let service = service_fn(move |request: Request<Incoming>| {
        let twin = twin.clone();
        async move { one(&twin, request).await }
    });
    // A connection that ends early is the client's business, or was meant to.
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

async fn one(twin: &BlueskyTwin, request: Request<Incoming>) -> Result<Response<Answer>, Lost> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_MAX).collect().await.map_err(|_| Lost::Closed)?.to_bytes();
    match twin.call(Request::from_parts(parts, body)).await {
        Ok(response) => Ok(response.map(|bytes| Answer { left: Some(bytes), end: End::Whole })),
        Err(Lost::Truncated) => Ok(half()),
        Err(lost @ (Lost::Refused | Lost::Closed | Lost::Reset)) => Err(lost),
    }
}

fn half() -> Response<Answer> {
    let begun = Bytes::from("{\"uri\":\"at://");
    let promised = begun.len() + PROMISED;
    let mut response = Response::new(Answer { left: Some(begun), end: End::Breaks });
    response.headers_mut().insert(CONTENT_LENGTH, promised.into());
    response
}

/// A body that is there at once, and may break off behind its bytes.
struct Answer {
    left: Option<Bytes>,
    end: End,
}

/// What comes behind the bytes of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Breaks,
    /// Breaks as soon as what came before has left.
    Breaking,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        match (this.left.take(), this.end) {
            (Some(bytes), _) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            (None, End::Whole) => Poll::Ready(None),
            (None, End::Breaks) => {
                // Whoever waits for more sends what there is.
                this.end = End::Breaking;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (None, End::Breaking) => Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        let left = self.left.as_ref().map_or(0, Bytes::len);
        match self.end {
            End::Whole => hyper::body::SizeHint::with_exact(u64::try_from(left).unwrap_or(u64::MAX)),
            End::Breaks | End::Breaking => hyper::body::SizeHint::default(),
        }
    }
}
