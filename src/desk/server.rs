//! The socket: the desk as HTTP and JSON on a Unix socket, usable with curl.
//!
//! Decides who a connection belongs to, from the kernel and nothing else (T1, T6), the limits of a request, and the routes:
//!
//! | route | takes | gives |
//! |---|---|---|
//! | `POST /v1/commands` (`?dry_run=true`) | a [`Command`], header `Idempotency-Key` | a [`Done`](crate::Done) |
//! | `POST /v1/queries` | a [`Query`] | an [`Answer`](crate::Answer) |
//! | `GET /v1/events?after=N` | – | events as they happen, one JSON a line |
//! | `GET /v1/health` | – | the engine's health |
//! | `GET /v1/openapi.json` | – | this table, for programs |
//!
//! A problem is a [`Problem`] as JSON with a fitting status. The socket is made under the process's umask, in a folder that
//! others cannot enter, and only by whoever owns the store (T3); the group gets at it where it may enter the folder (T1).

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use axum::Json;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Query as Parameters, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::IncomingStream;
use domain::id::CommandId;
use domain::refusal::{Refusal, RefusalKind};
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::net::UnixListener;
use tokio::net::unix::UCred;

use crate::query::EventLine;
use crate::{Command, Desk, Mode, Peer, Problem, Query};

/// The most bytes of a request's body.
const BODY_MAX: usize = 1024 * 1024;

/// The header that names the program on the other side.
pub(crate) const BUILD_HEADER: &str = "expos-build";

/// What a user whose name is hidden looks like (T2).
const OVERFLOW_UID: u32 = 65_534;

/// Why the socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket cannot be made.
    #[error("the socket {path} cannot be made: {source}; check the folder's owner and mode")]
    Bind {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Something that is no socket stands in its place.
    #[error("{path} is in the way of the socket and is no socket; move it aside")]
    InTheWay {
        /// Where.
        path: String,
    },
    /// Serving broke off.
    #[error("the socket broke off: {0}")]
    Broken(std::io::Error),
}

/// Makes the socket. Call only while holding the store's lock: a socket that is there already is a dead one's.
pub fn bind(path: &Path) -> Result<UnixListener, ServeError> {
    let shown = || path.display().to_string();
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {
            std::fs::remove_file(path).map_err(|source| ServeError::Bind { path: shown(), source })?;
        }
        Ok(_) => return Err(ServeError::InTheWay { path: shown() }),
        Err(_absent) => {}
    }
    let listener = UnixListener::bind(path).map_err(|source| ServeError::Bind { path: shown(), source })?;
    open_to_group(path).map_err(|source| ServeError::Bind { path: shown(), source })?;
    Ok(listener)
}

/// In a folder that its group may enter, the group may speak to the desk. Made for the owner alone and opened after, so
/// that there is no moment at which too many may.
fn open_to_group(socket: &Path) -> std::io::Result<()> {
    let Some(folder) = socket.parent() else { return Ok(()) };
    if std::fs::metadata(folder)?.permissions().mode() & 0o010 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o660))
}

/// Serves the desk until `stop` is ready.
pub async fn serve(
    desk: Desk,
    listener: UnixListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let routes = axum::Router::new()
        .route("/v1/commands", post(command))
        .route("/v1/queries", post(query))
        .route("/v1/events", get(events))
        .route("/v1/health", get(health))
        .route("/v1/openapi.json", get(openapi))
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(axum::middleware::from_fn_with_state(desk.clone(), known))
        .with_state(desk);
    let service = routes.into_make_service_with_connect_info::<PeerUser>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await.map_err(ServeError::Broken)
}

/// Who is on the other side, as the kernel says; nobody where it does not.
#[derive(Debug, Clone, Copy)]
struct PeerUser(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for PeerUser {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|cred: UCred| cred.uid()))
    }
}

impl PeerUser {
    fn peer(self) -> Result<Peer, Problem> {
        match self.0 {
            Some(uid) if uid != OVERFLOW_UID => Ok(Peer { uid }),
            Some(_) | None => Err(Problem::stranger()),
        }
    }
}

/// A stranger is told that they are one and nothing else, whatever they send: before the route, the method and the body.
async fn known(
    State(desk): State<Desk>,
    ConnectInfo(user): ConnectInfo<PeerUser>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Result<Response, Failure> {
    desk.person(user.peer()?).await?;
    Ok(next.run(request).await)
}

struct Failure(Problem);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            Problem::Refused(refusal) => match refusal.kind {
                RefusalKind::Rule | RefusalKind::Nothing => StatusCode::CONFLICT,
                RefusalKind::NotFound => StatusCode::NOT_FOUND,
                RefusalKind::NotAllowed => StatusCode::FORBIDDEN,
                RefusalKind::Changed => StatusCode::PRECONDITION_FAILED,
                RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            },
            Problem::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Problem::Unreachable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, [(BUILD_HEADER, env!("CARGO_PKG_VERSION"))], Json(self.0)).into_response()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CommandParameters {
    dry_run: bool,
}

async fn command(
    State(desk): State<Desk>,
    ConnectInfo(user): ConnectInfo<PeerUser>,
    Parameters(parameters): Parameters<CommandParameters>,
    headers: HeaderMap,
    body: Result<axum::body::Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let peer = user.peer()?;
    let id = command_id(&headers)?;
    let command: Command = parse(&whole(body)?)?;
    let mode = if parameters.dry_run { Mode::DryRun } else { Mode::Do };
    Ok(Json(desk.act(peer, id, command, mode).await?).into_response())
}

fn command_id(headers: &HeaderMap) -> Result<CommandId, Problem> {
    let found = headers.get("idempotency-key").and_then(|v| v.to_str().ok());
    found.and_then(|text| text.parse().ok()).ok_or_else(|| {
        Problem::Refused(Refusal::invalid(
            "command.id",
            "the command",
            "the header `Idempotency-Key` is missing or no id of 26 letters",
            "make an id for each command and send it again with the same one after a break",
        ))
    })
}

fn whole(body: Result<axum::body::Bytes, BytesRejection>) -> Result<axum::body::Bytes, Problem> {
    body.map_err(|e| {
        let why = format!("its body cannot be read whole ({}); the most is {BODY_MAX} bytes", e.status());
        Problem::Refused(Refusal::invalid("request.size", "the request", why, "make it shorter"))
    })
}

fn parse<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|e| {
        // The body's own words are not repeated: it may hold a password.
        let why = format!("it is not a known request (line {}, column {})", e.line(), e.column());
        Problem::Refused(Refusal::invalid("request", "the request", why, "see `GET /v1/openapi.json`"))
    })
}

async fn query(
    State(desk): State<Desk>,
    ConnectInfo(user): ConnectInfo<PeerUser>,
    body: Result<axum::body::Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let peer = user.peer()?;
    let query: Query = parse(&whole(body)?)?;
    Ok(Json(desk.ask(peer, query).await?).into_response())
}

async fn health(State(desk): State<Desk>, ConnectInfo(user): ConnectInfo<PeerUser>) -> Result<Response, Failure> {
    Ok(Json(desk.ask(user.peer()?, Query::Health).await?).into_response())
}

async fn nowhere(ConnectInfo(user): ConnectInfo<PeerUser>) -> Result<Response, Failure> {
    user.peer()?;
    Err(Failure(Problem::Refused(Refusal::new(
        RefusalKind::NotFound,
        "route",
        "the request",
        "there is nothing at that address",
        "see `GET /v1/openapi.json`",
    ))))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EventParameters {
    after: u64,
}

async fn events(
    State(desk): State<Desk>,
    ConnectInfo(user): ConnectInfo<PeerUser>,
    Parameters(parameters): Parameters<EventParameters>,
) -> Result<Response, Failure> {
    let peer = user.peer()?;
    let batches = desk.follow(peer, parameters.after).await?;
    let lines = batches.map(|batch| Ok::<String, std::io::Error>(batch.iter().map(line_of).collect()));
    Ok(([("content-type", "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

fn line_of(event: &EventLine) -> String {
    let mut line = serde_json::to_string(event).unwrap_or_default();
    line.push('\n');
    line
}

async fn openapi(ConnectInfo(user): ConnectInfo<PeerUser>) -> Result<Response, Failure> {
    user.peer()?;
    Ok(([("content-type", "application/json")], include_str!("openapi.json")).into_response())
}
