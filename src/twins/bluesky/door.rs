//! The door: one request at a time looks at the state and changes it.
//!
//! Decided here: which function answers which method, who a token speaks for, and how a commit comes about: its time, its
//! revision, its identifier, and when the read server sees it.
//!
//! Invariant: whatever changes the state goes through [`Door::change`], in the order in which it is written down.

use std::cell::Cell;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::Seeds;
use serde_json::{Value, json};

use super::limits::{Limiter, Standing as LimitStanding, Window};
use super::names::{micros, tid, tid_micros};
use super::state::{Account, Change, Maker, Standing, State, Write};
use super::token::{self, BadToken, Claims, Scope};
use super::xrpc::{Ask, Refused, Reply};
use super::{appview, reads, server, writes};
use crate::fault::share;

/// What an answer of a method is.
pub(crate) type Answered = Result<Reply, Refused>;

/// How a method is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Query,
    Procedure,
}

/// What does not change from request to request.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) seeds: Seeds,
    pub(crate) base: String,
    pub(crate) key: Vec<u8>,
    pub(crate) lag_min: Duration,
    pub(crate) lag_max: Duration,
}

/// One request's hold on the twin.
pub(crate) struct Door<'a> {
    pub(crate) house: &'a House,
    pub(crate) state: &'a mut State,
    pub(crate) limiter: &'a mut Limiter,
    pub(crate) now: DateTime<Utc>,
    /// What was changed so far.
    pub(crate) changes: Vec<Change>,
    /// Whom the request proved to speak for.
    pub(crate) who: Option<String>,
    /// The record that it was about to write.
    pub(crate) key: Option<String>,
    /// The time of the last key that was given out for it.
    pub(crate) given: Cell<u64>,
}

impl Door<'_> {
    /// Answers a request.
    pub(crate) fn answer(&mut self, ask: &Ask) -> Reply {
        self.routed(ask).unwrap_or_else(|refused| Reply::refused(&refused))
    }

    fn routed(&mut self, ask: &Ask) -> Answered {
        let nsid = ask.nsid();
        if nsid.is_empty() {
            return reads::plain(self, ask);
        }
        let (kind, method): (Kind, fn(&mut Self, &Ask) -> Answered) = match nsid {
            "_health" => (Kind::Query, |_, _| Ok(Reply::json(&json!({"version": env!("CARGO_PKG_VERSION")})))),
            "com.atproto.server.describeServer" => (Kind::Query, server::describe),
            "com.atproto.server.createAccount" => (Kind::Procedure, server::create_account),
            "com.atproto.server.createSession" => (Kind::Procedure, server::create_session),
            "com.atproto.server.refreshSession" => (Kind::Procedure, server::refresh_session),
            "com.atproto.server.getSession" => (Kind::Query, server::get_session),
            "com.atproto.server.deleteSession" => (Kind::Procedure, server::delete_session),
            "com.atproto.server.createAppPassword" => (Kind::Procedure, server::create_app_password),
            "com.atproto.server.deactivateAccount" => (Kind::Procedure, server::deactivate),
            "com.atproto.server.activateAccount" => (Kind::Procedure, server::activate),
            "com.atproto.identity.resolveHandle" => (Kind::Query, reads::resolve_handle),
            "com.atproto.repo.uploadBlob" => (Kind::Procedure, writes::upload_blob),
            "com.atproto.repo.createRecord" => (Kind::Procedure, writes::create_record),
            "com.atproto.repo.putRecord" => (Kind::Procedure, writes::put_record),
            "com.atproto.repo.deleteRecord" => (Kind::Procedure, writes::delete_record),
            "com.atproto.repo.applyWrites" => (Kind::Procedure, writes::apply_writes),
            "com.atproto.repo.getRecord" => (Kind::Query, reads::get_record),
            "com.atproto.repo.listRecords" => (Kind::Query, reads::list_records),
            "com.atproto.repo.describeRepo" => (Kind::Query, reads::describe_repo),
            "com.atproto.sync.getBlob" => (Kind::Query, reads::get_blob),
            "com.atproto.sync.getRepoStatus" => (Kind::Query, reads::get_repo_status),
            "app.bsky.actor.getProfile" => (Kind::Query, appview::get_profile),
            "app.bsky.actor.getProfiles" => (Kind::Query, appview::get_profiles),
            "app.bsky.actor.getPreferences" => (Kind::Query, appview::get_preferences),
            "app.bsky.feed.getPosts" => (Kind::Query, appview::get_posts),
            "app.bsky.feed.getPostThread" => (Kind::Query, appview::get_post_thread),
            "app.bsky.feed.getAuthorFeed" => (Kind::Query, appview::get_author_feed),
            "app.bsky.feed.getLikes" => (Kind::Query, appview::get_likes),
            "app.bsky.feed.getRepostedBy" => (Kind::Query, appview::get_reposted_by),
            "app.bsky.feed.getQuotes" => (Kind::Query, appview::get_quotes),
            _ => return Err(Refused::new(501, "MethodNotImplemented", "Method Not Implemented")),
        };
        match (kind, ask.method.as_str()) {
            (Kind::Query, "GET" | "HEAD") | (Kind::Procedure, "POST") => method(self, ask),
            (kind, found) => {
                let expected = if kind == Kind::Query { "GET" } else { "POST" };
                Err(Refused::invalid(format!("Incorrect HTTP method ({found}) expected {expected}")))
            }
        }
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.state.apply(&change);
        self.changes.push(change);
    }

    /// A number that nobody else gets, from the seed and what happened before.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.house.seeds.number(name, &self.state.serial.to_le_bytes())
    }

    /// Reads whom an access token speaks for.
    pub(crate) fn access(&mut self, ask: &Ask) -> Result<Claims, Refused> {
        let token = ask.token()?.ok_or_else(|| Refused::auth("AuthMissing", "Authentication Required"))?;
        let claims = self.claims(token)?;
        if claims.scope == Scope::Refresh {
            return Err(Refused::named("InvalidToken", "Invalid token type"));
        }
        let account = self.state.accounts.get(&claims.sub);
        let account = account.ok_or_else(|| Refused::new(403, "AccountNotFound", "Account not found"))?;
        if account.generation != claims.generation {
            return Err(Refused::named("ExpiredToken", "Token has expired"));
        }
        self.who = Some(claims.sub.clone());
        Ok(claims)
    }

    /// Reads a token of either sort and checks its signature and end.
    pub(crate) fn claims(&self, token: &str) -> Result<Claims, Refused> {
        token::read(&self.house.key, token, self.now).map_err(|bad| match bad {
            BadToken::Expired => Refused::named("ExpiredToken", "Token has expired"),
            BadToken::Forged => Refused::named("InvalidToken", "Token could not be verified"),
        })
    }

    /// Whom the request speaks for, where it says so; reads that need nobody go on without.
    pub(crate) fn viewer(&mut self, ask: &Ask) -> Result<Option<String>, Refused> {
        match ask.token()? {
            None => Ok(None),
            Some(_) => self.access(ask).map(|claims| Some(claims.sub)),
        }
    }

    /// The account that is to be written to: it is in use, and the token is its own.
    pub(crate) fn writer(&mut self, ask: &Ask, repo: &str) -> Result<String, Refused> {
        let claims = self.access(ask)?;
        let account =
            self.state.account(repo).ok_or_else(|| Refused::new(403, "AccountNotFound", "Account not found"))?;
        in_use(account)?;
        if account.did == claims.sub {
            Ok(claims.sub)
        } else {
            Err(Refused::auth("AuthenticationRequired", "Authentication Required"))
        }
    }

    /// Uses up points of a limit.
    pub(crate) fn limited(&mut self, windows: [Window; 2], key: &str, points: u32) -> Result<LimitStanding, Reply> {
        let refused = Refused::new(429, "RateLimitExceeded", "Rate Limit Exceeded");
        self.limiter.take(windows, key, points, self.now).map_err(|full| Reply::refused(&refused).limited(full))
    }

    /// A key that is later than every commit of the account, and than those given out for this request.
    pub(crate) fn next_key(&self, did: &str) -> String {
        let maker = self.house.seeds.number("key", did.as_bytes());
        let last = self.state.accounts.get(did).and_then(|account| tid_micros(&account.rev)).unwrap_or(0);
        // The clock may stand still between two requests, or be set back.
        let at = micros(self.now).max(last.max(self.given.get()) + 1);
        self.given.set(at);
        tid(at, maker)
    }

    /// When the read server sees what is written now.
    pub(crate) fn indexed(&self, key: &str) -> DateTime<Utc> {
        self.indexed_after(self.now, key)
    }

    /// When the read server sees what is written at a time.
    pub(crate) fn indexed_after(&self, at: DateTime<Utc>, key: &str) -> DateTime<Utc> {
        let point = share(self.house.seeds.number("lag", key.as_bytes()));
        let span = self.house.lag_max.saturating_sub(self.house.lag_min);
        let lag = self.house.lag_min.saturating_add(span.mul_f64(point));
        later(at, lag)
    }

    /// Writes a commit and returns its identifier and revision.
    ///
    /// Identifiers are chained: each is that of a record of the one before, the revision and what was written.
    pub(crate) fn commit(&mut self, did: &str, maker: Maker, writes: Vec<Write>) -> (String, String) {
        self.commit_at(self.now, did, maker, writes)
    }

    /// Writes a commit as one of a time that is past.
    pub(crate) fn commit_at(
        &mut self,
        at: DateTime<Utc>,
        did: &str,
        maker: Maker,
        writes: Vec<Write>,
    ) -> (String, String) {
        let rev = self.next_key(did);
        let head = self.state.accounts.get(did).map_or("", |account| account.head.as_str());
        let written: Vec<Value> = writes
            .iter()
            .map(|write| json!([write.collection, write.rkey, write.put.as_ref().map(|put| put.cid.as_str())]))
            .collect();
        let block = json!({"did": did, "version": 3, "rev": rev, "prev": head, "writes": written});
        // Texts and lists alone: always data.
        let cid = super::cbor::record_cid(&block).unwrap_or_default();
        self.change(Change::Commit { did: did.to_owned(), rev: rev.clone(), cid: cid.clone(), at, maker, writes });
        (cid, rev)
    }
}

/// Returns a time so much later; the far end of time stays the far end.
pub(crate) fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    chrono::TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Refuses an account that is closed.
pub(crate) fn in_use(account: &Account) -> Result<(), Refused> {
    match account.standing {
        Standing::Active => Ok(()),
        Standing::Takendown => Err(Refused::auth("AccountTakedown", "Account has been taken down")),
        Standing::Deactivated => Err(Refused::auth("AccountDeactivated", "Account is deactivated")),
    }
}

/// Writes a time as records do, to the millisecond.
pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
