//! Launch and reply: makes posts ready ahead of their slot, and visible at it; a reply at once.
//!
//! Decides what is due, for posts and replies alike: a reply is there only because a person sent it; whether a post may go out is decided at its commit. One request an account at a time, accounts side
//! by side: one that hangs never makes another late.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use domain::approval::Field;
use domain::client::Client;
use domain::id::AccountId;
use domain::post::{Handle, Post, PostCommand, PostKind, PostState};
use domain::role::Scope;
use domain::time::{Span, UtcTime};
use domain::variant::{Asset, Content, Lane};
use platforms::{PrepareError, PrepareFailure, PrepareSeed};
use store::facts::shown_content;
use store::follow::post_decide;
use store::{Cause, Stop, StoreError, View};

use crate::commit::Sent;
use crate::error::allowed;
use crate::{EngineError, Inner, Task, sooner};

/// What is next for one post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    /// Its window has closed.
    Miss,
    /// Its handle is no longer good: make it ready again.
    Renew,
    /// Make it visible.
    Send,
    /// Give it to a person.
    HandOff,
    /// Make it ready.
    Prepare,
}

struct Due {
    post: Post,
    deed: Deed,
    task: Task,
}

impl Inner {
    pub(crate) async fn launch(self: &Arc<Self>, task: Task, kind: PostKind) -> Result<Option<UtcTime>, EngineError> {
        self.free_orphans(task, kind).await?;
        let now = self.now();
        let (due, mut next) = self.store.read(move |view| what_is_due(view, task, kind, now)).await?;
        // A clock that jumped ahead ends nothing: what it would call missed is judged when it is trusted again.
        let untrusted = self.surroundings().clock_hold;
        let mut waits = false;
        let mut by_account: BTreeMap<AccountId, Due> = BTreeMap::new();
        for item in due {
            if let (Deed::Miss, Some(until)) = (item.deed, untrusted) {
                next = sooner(next, Some(until));
                continue;
            }
            if item.deed == Deed::Miss {
                self.put(&item, |at| PostCommand::WindowClosed { at }).await?;
                continue;
            }
            let again = self.due_again(&key(&item.post));
            if again > now {
                next = sooner(next, Some(again));
                waits = true;
                continue;
            }
            // The list is sorted by what is most urgent; the next thing on the account is found when this one is done.
            by_account.entry(item.post.account.clone()).or_insert(item);
        }
        if by_account.is_empty() && !waits {
            // Whatever went wrong was of a post that went out, was missed or was given up since.
            self.pulse.went_well(task);
        }
        for (account, item) in by_account {
            let Some(taken) = self.take_account(&account) else { continue };
            let inner = Arc::clone(self);
            self.beside(task, taken, async move { inner.launch_one(item).await });
        }
        Ok(next)
    }

    /// Does one thing on one account.
    async fn launch_one(self: &Arc<Self>, item: Due) -> Result<(), EngineError> {
        match item.deed {
            Deed::Send => match self.send(&item.post, item.task).await? {
                Sent::Tried => self.succeeded(&key(&item.post)),
                Sent::Again => {
                    self.try_again(&key(&item.post));
                }
                Sent::NotNow(why) => {
                    self.try_again(&key(&item.post));
                    self.pulse.went_wrong(item.task, format!("{} waits: {why}", item.post.what()));
                }
            },
            Deed::Prepare => self.prepare(&item).await?,
            Deed::Renew => self.put(&item, |_| PostCommand::HandleExpired).await?,
            Deed::HandOff => self.put(&item, |_| PostCommand::HandOff).await?,
            Deed::Miss => self.put(&item, |at| PostCommand::WindowClosed { at }).await?,
        }
        Ok(())
    }

    /// A post is made ready only while its account is taken. One that is `preparing` on a free account was left by work that
    /// broke off: it begins again.
    async fn free_orphans(&self, task: Task, kind: PostKind) -> Result<(), EngineError> {
        for post in self.store.read(|view| view.posts_in_state(&Scope::All, &["preparing"])).await? {
            if post.kind == kind && !self.is_taken(&post.account) {
                let why = "making it ready broke off".to_owned();
                let command = |at| PostCommand::PrepareFailed { why, retry_at: Some(at) };
                let (id, cause) = (post.id, Cause::engine(task.as_str()));
                let written = self.store.write(cause, move |tx| {
                    let command = command(tx.now());
                    post_decide(tx, id, command)
                });
                allowed(written.await)?.ok();
            }
        }
        Ok(())
    }

    async fn put(&self, item: &Due, command: fn(UtcTime) -> PostCommand) -> Result<(), EngineError> {
        let id = item.post.id;
        let written = self.store.write(Cause::engine(item.task.as_str()), move |tx| {
            let command = command(tx.now());
            post_decide(tx, id, command)
        });
        allowed(written.await)?.ok();
        Ok(())
    }

    async fn prepare(self: &Arc<Self>, item: &Due) -> Result<(), EngineError> {
        let (post, task) = (&item.post, item.task);
        let (login, adapter) = match self.login(&post.account).await? {
            Ok(found) => found,
            Err(no) => {
                self.try_again(&key(post));
                self.pulse.went_wrong(task, format!("{} is not made ready: {}", post.what(), no.why()));
                return Ok(());
            }
        };
        // Ahead of the slot, so that a warning is seen before anything else goes out.
        self.see_standing(&login.account, &adapter).await;
        self.heed().await?;
        let (id, account) = (post.id, post.account.clone());
        let began = self.store.write(Cause::engine(task.as_str()), move |tx| {
            if tx.account(&account)?.is_none_or(|account| !account.holds.is_free()) {
                return Err(Stop::Undo);
            }
            let post: Post = tx.load(&id)?;
            let experiment: domain::experiment::Experiment = tx.load(&post.experiment)?;
            let content = shown_content(tx, &experiment, &post)?;
            if post.kind == PostKind::Reply && content.is_none() {
                // The thread is not the one that its person saw: they look again, and nothing is made ready meanwhile.
                let why = "the thread changed".to_owned();
                post_decide(tx, id, PostCommand::Void { field: Field::Content, why })?;
                return Ok((None, post.window.from));
            }
            post_decide(tx, id, PostCommand::BeginPrepare)?;
            Ok((content, post.window.from))
        });
        let Ok((Some(content), slot)) = allowed(began.await)? else { return Ok(()) };
        let made = match self.read_assets(&content).await {
            Ok(assets) => {
                let seed = PrepareSeed { now: slot.max(self.now()), random: self.random_for(post) };
                adapter.prepare(&login, &content, assets, seed).await
            }
            Err(why) => Err(PrepareError { why, kind: PrepareFailure::Definite }),
        };
        self.record_prepare(item, made).await
    }

    async fn record_prepare(&self, item: &Due, made: Result<Handle, PrepareError>) -> Result<(), EngineError> {
        let (post, task) = (&item.post, item.task);
        let id = post.id;
        let command = match made {
            Ok(handle) => {
                self.succeeded(&key(post));
                self.pulse.went_well(task);
                PostCommand::Prepared(Box::new(handle))
            }
            Err(PrepareError { why, kind }) => {
                self.pulse.went_wrong(task, format!("{} is not made ready: {why}", post.what()));
                let retry_at = match kind {
                    PrepareFailure::Definite => None,
                    PrepareFailure::Again(at) => Some(at.unwrap_or_else(|| self.try_again(&key(post)))),
                    PrepareFailure::LoginExpired => Some(self.try_again(&key(post))),
                    PrepareFailure::LoginLost => {
                        self.lose_login(&post.account, why.clone()).await?;
                        Some(self.try_again(&key(post)))
                    }
                };
                PostCommand::PrepareFailed { why, retry_at }
            }
        };
        let written = self.store.write(Cause::engine(task.as_str()), move |tx| post_decide(tx, id, command));
        allowed(written.await)?.ok();
        Ok(())
    }

    /// Reads a content's pictures from the home's own copies, each compared with the digest that was approved (rule 3).
    async fn read_assets(&self, content: &Content) -> Result<Vec<(Asset, Bytes)>, String> {
        let (kept, assets) = (self.home.content_store(), content.assets.clone());
        let read = tokio::task::spawn_blocking(move || {
            let open = |asset: Asset| {
                let bytes = media::open_verified(&kept, &asset.digest)
                    .map_err(|e| format!("its picture cannot be read: {e}"))?;
                Ok((asset, Bytes::from(bytes)))
            };
            assets.into_iter().map(open).collect::<Result<Vec<_>, String>>()
        });
        read.await.unwrap_or_else(|e| Err(format!("reading its pictures broke off: {e}")))
    }

    /// A post's name on the platform comes from a stream of its own: post and attempt, so that no two are alike.
    fn random_for(&self, post: &Post) -> [u8; 8] {
        let tried = u32::try_from(post.attempts.len()).unwrap_or(u32::MAX);
        let mut key = post.id.to_bytes().to_vec();
        key.extend_from_slice(&tried.to_be_bytes());
        key.extend_from_slice(&self.now().micros().to_be_bytes());
        self.seeds.number("prepare", &key).to_be_bytes()
    }
}

fn key(post: &Post) -> String {
    format!("launch {}", post.id)
}

/// Finds what is due, and when the next thing will be.
fn what_is_due(
    view: &View<'_>,
    task: Task,
    kind: PostKind,
    now: UtcTime,
) -> Result<(Vec<Due>, Option<UtcTime>), StoreError> {
    let mut due = Vec::new();
    let clients: BTreeMap<domain::id::ClientId, Client> =
        view.clients(&Scope::All)?.into_iter().map(|c| (c.id.clone(), c)).collect();
    // A stopped account is left alone: nothing of it is made ready, and nothing is asked of its platform for it.
    let stopped: BTreeSet<AccountId> =
        view.accounts(&Scope::All, None)?.into_iter().filter(|a| !a.holds.is_free()).map(|a| a.id).collect();
    let lead = clients.values().map(|c| c.policy.prepare_lead).max().unwrap_or(Span::ZERO);
    let waiting = ["planned", "prepared", "awaiting operator"];
    let horizon = now.plus(lead);
    let mut next = view.post_next_slot(&Scope::All, &waiting, horizon)?.map(|slot| slot.minus(lead));
    for post in view.posts_due(&Scope::All, &waiting, horizon)? {
        let Some(client) = clients.get(&post.client).filter(|_| post.kind == kind) else { continue };
        let (deed, when) =
            if stopped.contains(&post.account) { parked(&post, now) } else { deed_of(&post, client, now) };
        match deed {
            Some(deed) if when <= now => due.push(Due { post, deed, task }),
            Some(_) | None => next = sooner(next, Some(when)),
        }
    }
    due.sort_by_key(|item| (item.deed, item.post.window.from));
    Ok((due, next))
}

/// Returns what is next for a post of a stopped account: its window closes.
fn parked(post: &Post, now: UtcTime) -> (Option<Deed>, UtcTime) {
    let closed = post.window.until.plus(Span::from_micros(1));
    ((now >= closed).then_some(Deed::Miss), closed)
}

/// Returns what is next for a post, and when.
fn deed_of(post: &Post, client: &Client, now: UtcTime) -> (Option<Deed>, UtcTime) {
    let closed = post.window.until.plus(Span::from_micros(1));
    if now >= closed {
        return (Some(Deed::Miss), closed);
    }
    if post.approval.is_none() {
        return (None, closed);
    }
    match &post.state {
        PostState::Prepared { handle } => match handle.expires.filter(|end| *end <= now.max(post.window.from)) {
            Some(end) => (Some(Deed::Renew), end),
            None => (Some(Deed::Send), post.window.from),
        },
        PostState::Planned { retry_at } => {
            let ahead = post.window.from.minus(client.policy.prepare_lead);
            let when = ahead.max(retry_at.unwrap_or(ahead));
            let deed = if post.lane == Lane::Browser { Deed::HandOff } else { Deed::Prepare };
            if when >= closed { (None, closed) } else { (Some(deed), when) }
        }
        PostState::Preparing
        | PostState::Committing
        | PostState::Unconfirmed { .. }
        | PostState::AwaitingOperator
        | PostState::Claimed { .. }
        | PostState::Published { .. }
        | PostState::Verified { .. }
        | PostState::Removed { .. }
        | PostState::Failed { .. }
        | PostState::Missed { .. }
        | PostState::Cancelled { .. } => (None, closed),
    }
}
