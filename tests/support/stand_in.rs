//! The stand-in network over loopback, for tests that need accounts that answer and no network of others.
//!
//! Decided here: how long it is served (as long as the test program lives) and how an agency's account is connected to it.

#![expect(clippy::expect_used, reason = "what a test stands on fails the test, with words")]

use std::sync::Arc;
use std::thread;

use clock::RealClock;
use twins::{Audience, BlueskyTwin};

use super::agency::Agency;

/// A stand-in network that is served.
pub(crate) struct StandIn {
    pub(crate) twin: BlueskyTwin,
    url: String,
}

impl StandIn {
    /// Begins to serve an empty network.
    pub(crate) fn new() -> Self {
        let twin = BlueskyTwin::new(Arc::new(RealClock), 4);
        let url = serve(&twin);
        Self { twin, url }
    }

    /// Connects a new account of the network; the engine must run. Its handle is `ACCOUNT.test`.
    pub(crate) fn connect(&self, agency: &Agency, client: &str, account: &str) {
        let handle = format!("{account}.test");
        let person = self.twin.add_account(&handle, "own", Audience::none()).expect("a new account");
        agency.connect_at(client, account, &handle, &person.app_password, [&self.url, &self.url, &self.url]);
    }
}

/// Serves a twin for as long as the test program lives; returns its address.
pub(crate) fn serve(twin: &BlueskyTwin) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let served = twin.clone();
    thread::spawn(move || {
        tokio::runtime::Runtime::new().expect("a runtime").block_on(async move {
            listener.set_nonblocking(true).expect("a socket can be asked not to block");
            let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime takes a socket");
            served.serve(listener).await
        })
    });
    url
}
