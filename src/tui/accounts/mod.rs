//! Accounts: is it healthy, what may still go out today?
//!
//! Decides which accounts are listed and in which order, and the word for how each is. What stops one and lets it go on is
//! `update`'s business; what cannot be seen of one is told as that.

pub(crate) mod view;

use desk::query::{AccountView, PostLine};
use domain::account::Connection;
use domain::id::{AccountId, ClientId};
use domain::time::UtcTime;

use crate::list::List;
use crate::model::Model;
use crate::sign::Sign;

/// The state of the list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accounts {
    pub(crate) list: List<AccountId>,
}

/// How an account is, what asks for a person first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Health {
    NeedsLogin,
    Paused,
    LoggingIn,
    Watched,
    Well,
}

/// Tells how an account is.
pub(crate) fn health(model: &Model, account: &AccountView) -> Health {
    let client_stopped = model.known.clients.get(&account.client).is_some_and(|client| !client.holds.is_empty());
    match &account.connection {
        Connection::Failed { .. } | Connection::Reconnect { .. } | Connection::Disconnected => Health::NeedsLogin,
        Connection::Asked { .. } | Connection::Connected { .. } if !account.holds.is_empty() || client_stopped => {
            Health::Paused
        }
        Connection::Asked { .. } => Health::LoggingIn,
        Connection::Connected { .. } if !account.watched.is_empty() => Health::Watched,
        Connection::Connected { .. } => Health::Well,
    }
}

/// Returns the sign of an account's health.
pub(crate) fn sign(model: &Model, account: &AccountView) -> Sign {
    match health(model, account) {
        Health::NeedsLogin => Sign::needed("needs login"),
        Health::Paused => Sign::paused("paused"),
        Health::LoggingIn => Sign::under_way("logging in"),
        Health::Watched => Sign::warning("watch"),
        Health::Well => Sign::done("ok"),
    }
}

/// Returns the ids in the order of the pane.
pub(crate) fn ordered(model: &Model) -> Vec<AccountId> {
    let mut all: Vec<&AccountView> = model.known.accounts.values().collect();
    all.sort_by_key(|account| (health(model, account), account.client.clone(), account.handle.clone()));
    all.into_iter().map(|account| account.id.clone()).collect()
}

/// Returns those that the scope leaves.
pub(crate) fn shown(model: &Model) -> Vec<AccountId> {
    model.accounts.list.order().iter().filter(|id| is_shown(model, id)).cloned().collect()
}

/// Tells whether the scope leaves one.
pub(crate) fn is_shown(model: &Model, id: &AccountId) -> bool {
    model.known.accounts.get(id).is_none_or(|account| model.in_scope(&account.client))
}

/// Returns the posts of a day in a client's zone, those that never go out left aside.
fn of_day<'a>(model: &'a Model, id: &AccountId, client: &ClientId) -> Vec<&'a PostLine> {
    let zone = model.known.zone(client);
    let today = zone.local(model.wall()).date;
    let counts = |post: &&PostLine| {
        post.account == *id
            && zone.local(post.slot).date == today
            && !matches!(post.state.as_str(), "failed" | "missed" | "cancelled")
    };
    model.known.day_posts.iter().flatten().filter(counts).collect()
}

/// Returns how many posts an account has today, and the most it may have.
pub(crate) fn today(model: &Model, account: &AccountView) -> Option<(usize, u32)> {
    model.known.day_posts.as_ref()?;
    let most = model.known.clients.get(&account.client)?.policy.max_per_24h;
    Some((of_day(model, &account.id, &account.client).len(), most))
}

/// Returns the next slot of an account, as far as the days that are known reach.
pub(crate) fn next_slot(model: &Model, id: &AccountId) -> Option<UtcTime> {
    let waits = |post: &&PostLine| {
        post.account == *id
            && post.slot > model.wall()
            && matches!(post.state.as_str(), "planned" | "preparing" | "prepared" | "awaiting operator" | "claimed")
    };
    model.known.day_posts.iter().flatten().filter(waits).map(|post| post.slot).min()
}
