//! The road: one request on its way to the servers, and its answer on the way back.
//!
//! Decided here: when a request that something happens to is applied, and what is left of its answer. Which fault hits it is
//! `fault`'s business; what the servers answer is theirs.
//!
//! Invariant: whatever the road does, it is in the journal, with whether the request was applied.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Request, Response};

use super::BlueskyTwin;
use super::door::later;
use super::xrpc::{Ask, Refused, Reply};
use crate::{Fault, Lost};

/// One request on the road and at the servers.
pub(crate) async fn carried(twin: BlueskyTwin, request: Request<Bytes>) -> Result<Response<Bytes>, Lost> {
    let ask = Ask::of(request);
    let fault = {
        let mut core = twin.core();
        let number = core.arrived;
        core.arrived += 1;
        core.faults.draw(twin.seeds, number, &ask.target)
    };
    let now = || twin.clock.wall();
    let lost = |lost: Lost| {
        twin.core().unasked(&ask, now(), fault, None);
        Err(lost)
    };
    let wait = |by: Duration| twin.clock.sleep_until_boot(twin.clock.boot().plus(by));
    match fault {
        None => Ok(twin.core().handle(ask, now(), None)),
        Some(Fault::Refused) => lost(Lost::Refused),
        Some(Fault::LostBefore) => lost(Lost::Closed),
        Some(Fault::StatusBefore(status)) => {
            twin.core().unasked(&ask, now(), fault, Some(status));
            Ok(in_front(status))
        }
        Some(Fault::RateLimited(by)) => {
            twin.core().unasked(&ask, now(), fault, Some(429));
            Ok(limited(later(now(), by), by))
        }
        Some(Fault::Late(by)) => {
            wait(by).await;
            Ok(twin.core().handle(ask, now(), fault))
        }
        Some(Fault::Slow(by)) => {
            let answer = twin.core().handle(ask, now(), fault);
            wait(by).await;
            Ok(answer)
        }
        Some(Fault::Doubled) => {
            let again = ask.clone();
            twin.core().handle(ask, now(), fault);
            Ok(twin.core().handle(again, now(), fault))
        }
        Some(
            after @ (Fault::LostAfter
            | Fault::Reset
            | Fault::Truncated
            | Fault::StatusAfter(_)
            | Fault::GarbageHtml
            | Fault::GarbageJson),
        ) => {
            twin.core().handle(ask, now(), fault);
            after_the_fact(after)
        }
    }
}

/// What is left of an answer that was spoiled on its way.
fn after_the_fact(fault: Fault) -> Result<Response<Bytes>, Lost> {
    match fault {
        Fault::Reset => Err(Lost::Reset),
        Fault::Truncated => Err(Lost::Truncated),
        Fault::StatusAfter(status) => Ok(in_front(status)),
        Fault::GarbageHtml => {
            Ok(Reply::bytes("text/html", Bytes::from("<html><body>Welcome</body></html>")).response())
        }
        Fault::GarbageJson => Ok(Reply::bytes("application/json", Bytes::from("{\"uri\":\"at://")).response()),
        Fault::LostAfter
        | Fault::Refused
        | Fault::LostBefore
        | Fault::Late(_)
        | Fault::Slow(_)
        | Fault::StatusBefore(_)
        | Fault::RateLimited(_)
        | Fault::Doubled => Err(Lost::Closed),
    }
}

/// What something in front of the servers says.
fn in_front(status: u16) -> Response<Bytes> {
    let name = match status {
        502 => "UpstreamFailure",
        503 => "NotEnoughResources",
        504 => "UpstreamTimeout",
        _ => "InternalServerError",
    };
    Reply::refused(&Refused::new(status, name, "something in front of the server failed")).response()
}

fn limited(until: DateTime<Utc>, by: Duration) -> Response<Bytes> {
    Reply::refused(&Refused::new(429, "RateLimitExceeded", "Rate Limit Exceeded"))
        .header("retry-after", by.as_secs().max(1).to_string())
        .header("ratelimit-limit", "3000".to_owned())
        .header("ratelimit-remaining", "0".to_owned())
        .header("ratelimit-reset", until.timestamp().to_string())
        .response()
}
