//! The contract with Bluesky on Bluesky's own servers: that the adapter means what they mean, on a good road and a bad one.
//!
//! Decided here: which ground the scenarios of `bluesky_adapter/contract.rs` stand on. If the servers themselves are in
//! doubt, look at `bluesky_network` first; `twin_contract` holds the twin to the same scenarios.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what a test stands on fails the test where it is missing, with words"
)]

mod support;

#[path = "bluesky_adapter/contract.rs"]
mod contract;
#[path = "bluesky_adapter/ground.rs"]
mod ground;
#[path = "bluesky_adapter/shop.rs"]
mod shop;

use ground::Ground;
use support::bluesky::{Account, Made, Network, Record};

contract::contract!(Network::shared());

impl Ground for Network {
    fn pds(&self) -> &str {
        Network::pds(self)
    }

    fn plc(&self) -> &str {
        Network::plc(self)
    }

    fn appview(&self) -> &str {
        Network::appview(self)
    }

    /// The read server is no server of accounts.
    fn elsewhere(&self) -> &str {
        Network::appview(self)
    }

    fn token_key(&self) -> Vec<u8> {
        b"jwt-secret".to_vec()
    }

    fn account(&self, name: &str) -> Account {
        Network::account(self, name)
    }

    fn post(&self, by: &Account, words: &str) -> Made {
        Network::post(self, by, words)
    }

    fn reply(&self, by: &Account, to: &Made, words: &str) -> Made {
        Network::reply(self, by, to, words)
    }

    fn quote(&self, by: &Account, of: &Made, words: &str) -> Made {
        Network::quote(self, by, of, words)
    }

    fn like(&self, by: &Account, post: &Made) -> Made {
        Network::like(self, by, post)
    }

    fn repost(&self, by: &Account, post: &Made) -> Made {
        Network::repost(self, by, post)
    }

    fn edit(&self, by: &Account, uri: &str, words: &str) -> Made {
        Network::edit(self, by, uri, words)
    }

    fn delete(&self, by: &Account, uri: &str) {
        Network::delete(self, by, uri);
    }

    fn settle(&self) {
        Network::settle(self);
    }

    fn list_records(&self, did: &str) -> Vec<Record> {
        Network::list_records(self, did)
    }
}
