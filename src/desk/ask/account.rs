//! Accounts, as lines and whole: how they publish, and what stopped them.

use domain::account::Account;
use domain::guardrail::tries_of;
use domain::id::AccountId;
use domain::refusal::Refusal;
use domain::role::Scope;
use domain::time::Span;
use domain::variant::Lane;
use store::{View, breach};

use super::No;
use crate::query::{AccountView, AccountWhole, LaneHealth};

/// How far back its posts are counted.
const MONTH: Span = Span::days(30);

/// Returns an account as lists show it.
pub(super) fn view(account: Account) -> AccountView {
    AccountView {
        id: account.id,
        client: account.client,
        platform: account.platform,
        handle: account.handle,
        servers: account.servers,
        identity: account.identity,
        connection: account.connection,
        holds: account.holds.list().to_vec(),
        watched: account.watched,
    }
}

/// Returns an account whole.
pub(super) fn whole(view: &View<'_>, scope: &Scope, id: &AccountId) -> Result<AccountWhole, No> {
    let Some(account) = view.account(id)?.filter(|account| scope.holds(&account.client)) else {
        return Err(Refusal::not_found("account", id.as_str()).into());
    };
    let now = view.now();
    let posts = view.posts_of_account_between(id, now.minus(MONTH), now)?;
    let mut lanes = Vec::new();
    for lane in [Lane::Api, Lane::Browser, Lane::Hybrid] {
        let tries: Vec<_> = posts.iter().filter(|post| post.lane == lane).flat_map(tries_of).collect();
        if tries.is_empty() {
            continue;
        }
        let judged = breach::reliability(view, &account, lane)?;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        lanes.push(LaneHealth {
            lane,
            good: count(tries.iter().filter(|tried| !tried.failed).count()),
            all: count(tries.len()),
            in_a_row: judged.in_a_row,
            evidence: judged.evidence,
        });
    }
    let alarms = account.alarms.iter().rev().cloned().collect();
    Ok(AccountWhole { lanes, alarms, released: account.released, account: self::view(account) })
}
