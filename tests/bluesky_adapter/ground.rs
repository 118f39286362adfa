//! What the contract stands on: a Bluesky, whoever plays it, and people who use it in an app.
//!
//! Decided here: what a scenario may ask of its ground, and nothing about what is right. `bluesky_adapter` puts the
//! network's own servers under the scenarios, `twin_contract` the twin; a scenario cannot tell which.

use crate::support::bluesky::{Account, Made, Record};

/// A network with its own accounts. Names differ between scenarios, since accounts are never taken away.
pub(crate) trait Ground: Sync {
    /// Where accounts live.
    fn pds(&self) -> &str;

    /// Where a DID is looked up.
    fn plc(&self) -> &str;

    /// Where posts are read with their counts, by anyone.
    fn appview(&self) -> &str;

    /// A server of the same network that holds none of its accounts.
    fn elsewhere(&self) -> &str;

    /// What the server of accounts signs tokens with.
    fn token_key(&self) -> Vec<u8>;

    /// Makes `NAME.test` with an app password.
    fn account(&self, name: &str) -> Account;

    /// Posts by hand.
    fn post(&self, by: &Account, words: &str) -> Made;

    /// Replies to a post, inside its thread.
    fn reply(&self, by: &Account, to: &Made, words: &str) -> Made;

    /// Posts with another post inside.
    fn quote(&self, by: &Account, of: &Made, words: &str) -> Made;

    /// Likes a post.
    fn like(&self, by: &Account, post: &Made) -> Made;

    /// Reposts a post.
    fn repost(&self, by: &Account, post: &Made) -> Made;

    /// Gives a post of one's own other words under the same key.
    fn edit(&self, by: &Account, uri: &str, words: &str) -> Made;

    /// Deletes a record of one's own.
    fn delete(&self, by: &Account, uri: &str);

    /// Returns when the read server has seen everything that happened.
    fn settle(&self);

    /// Every post of an account, newest first, read where the account lives.
    fn list_records(&self, did: &str) -> Vec<Record>;
}
