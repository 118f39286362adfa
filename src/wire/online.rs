//! The real network.
//!
//! Decided here: the order of one call, check, connect, look at the time, send once, read, and with it the line between
//! `NotSent` and `InDoubt`. One transport serves reads and commits: what is safe enough for a commit is good for a read,
//! and costs it a handshake. A client with a pool was given up: it re-sends what an idle connection lost, and cannot tell
//! exactly whether a request was handed over.
//!
//! Invariant: after `start` has passed by boot time, suspend included, no byte of the request is sent (rule 5).

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::Bytes;
use clock::{Clock, RealClock, within};
use http::{Request, Response};
use tokio_rustls::rustls::RootCertStore;

use crate::connect::{Dialler, Resolve, SystemNames, system_roots};
use crate::exchange::{Exchange, prepared};
use crate::guard::Target;
use crate::{Answer, HostPolicy, InDoubt, Limits, NotSent, Transport, WireError};

/// Sends requests over the real network: HTTP/1.1, one fresh connection each, to the addresses that `HostPolicy` lets pass.
///
/// Redirects are answers like others. No proxy and no environment variable is looked at, nothing is decompressed, no
/// cookie kept. Needs a tokio runtime. Time limits are real ones whatever clock the rest of the house runs by.
#[derive(Clone)]
pub struct Online {
    inner: Arc<Inner>,
}

struct Inner {
    policy: HostPolicy,
    dialler: Dialler,
    clock: Arc<dyn Clock>,
}

impl Online {
    /// Returns the network as `policy` lets it be used. Reads the box's root certificates, once.
    pub fn new(policy: HostPolicy) -> Self {
        Self::with(policy, Arc::new(SystemNames), system_roots(), Arc::new(RealClock))
    }

    pub(crate) fn with(
        policy: HostPolicy,
        names: Arc<dyn Resolve>,
        roots: RootCertStore,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { inner: Arc::new(Inner { policy, dialler: Dialler::new(names, roots), clock }) }
    }
}

impl Transport for Online {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> Answer {
        let inner = Arc::clone(&self.inner);
        let host = request.uri().host().unwrap_or_default().to_owned();
        // Time counts from the call, not from the first poll.
        let called = inner.clock.boot();
        Box::pin(async move {
            let start = called.plus(limits.start.min(limits.total));
            let not_sent = |why| WireError::NotSent { host: host.clone(), why };

            let target = Target::of(request.uri(), inner.policy).map_err(|why| not_sent(NotSent::Guarded(why)))?;
            let request = prepared(request, &target).map_err(not_sent)?;
            let exchange = inner.open(&target, limits, start).await.map_err(not_sent)?;

            // The last look at the time: from here on the request may have arrived.
            let now = inner.clock.boot();
            if now > start {
                return Err(not_sent(NotSent::Late));
            }
            let status = AtomicU16::new(0);
            let left = called.plus(limits.total).since(now);
            let answer: Result<Response<Bytes>, InDoubt> =
                within(&*inner.clock, left, exchange.ask(request, limits, &status))
                    .await
                    .unwrap_or(Err(InDoubt::Deadline));
            answer.map_err(|why| {
                let status = Some(status.load(Ordering::Relaxed)).filter(|status| *status != 0);
                WireError::InDoubt { host, why, status }
            })
        })
    }
}

impl Inner {
    async fn open(&self, target: &Target, limits: Limits, start: clock::Boot) -> Result<Exchange, NotSent> {
        let open = async {
            let line = self.dialler.dial(target, &*self.clock, start).await?;
            Exchange::over(line, limits).await
        };
        within(&*self.clock, start.since(self.clock.boot()), open).await.unwrap_or(Err(NotSent::Late))
    }
}
