//! Collect: metrics at equal ages, and posts that somebody made by hand.
//!
//! Decides when a snapshot is due: at its age from the platform's time of publication, never before counts are trusted; and
//! when it is given up: what could not be read is `missing` with a reason, never 0 (I20). At each snapshot the post is read
//! back, so that a deletion or an edit is noticed. Comments are `listen`'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::account::{Account, AccountCommand};
use domain::client::Client;
use domain::escalation::Urgency;
use domain::experiment::{Experiment, Stage};
use domain::hash::Digest;
use domain::id::{AccountId, PostId};
use domain::post::{AttemptEnd, CommitOutcome, Live, Post, PostCommand, PostState};
use domain::role::Scope;
use domain::snapshot::{Reading, Snapshot, SnapshotRow};
use domain::time::{SnapshotAge, Span, UtcTime};
use platforms::{Adapter, ForeignPost, MeasureError, Measured, ThreadReply};
use store::follow::{escalate_post, post_decide};
use store::{Cause, ExperimentFilter, ExternalPost, StoreError, View};

use crate::error::allowed;
use crate::{EngineError, Inner, Task, sooner};

/// How often an account with a running experiment is read for posts by hand.
const BY_HAND_EVERY: Span = Span::hours(1);

struct DueSnapshot {
    post: Post,
    live: Live,
    age: SnapshotAge,
}

struct Plan {
    due: BTreeMap<AccountId, Vec<DueSnapshot>>,
    next: Option<UtcTime>,
    watched: Vec<AccountId>,
}

impl Inner {
    pub(crate) async fn collect(self: &Arc<Self>) -> Result<Option<UtcTime>, EngineError> {
        let now = self.now();
        let plan = self.store.read(move |view| what_is_due(view, now)).await?;
        let mut next = plan.next;
        for (account, due) in plan.due {
            let key = format!("collect {account}");
            let again = self.due_again(&key);
            if again > self.now() {
                next = sooner(next, Some(again));
            } else if self.measure(&account, due).await? {
                self.succeeded(&key);
            } else {
                next = sooner(next, Some(self.try_again(&key)));
            }
        }
        for account in plan.watched {
            next = sooner(next, Some(self.watch_by_hand(&account).await?));
        }
        next = sooner(next, self.listen().await?);
        Ok(next)
    }

    /// Reads what is due on one account. Returns false where something could not be read and is worth another try.
    async fn measure(&self, id: &AccountId, due: Vec<DueSnapshot>) -> Result<bool, EngineError> {
        let Some((account, adapter)) = self.adapter_of(id).await? else { return Ok(true) };
        let lives: Vec<Live> = due.iter().map(|d| d.live.clone()).collect();
        let measured = adapter.measure(&account, &lives).await;
        let mut all = true;
        for (due, measured) in due.into_iter().zip(measured) {
            let late = self.now().since(due.live.at.plus(due.age.0));
            let is_gone = matches!(due.post.state, PostState::Removed { .. });
            let give_up = is_gone || late > give_up_after(due.age);
            let rows = if late > give_up_after(due.age) && !is_gone {
                Some(missing(&format!("it was read {late} late; an older post is not compared with a younger one")))
            } else {
                rows_of(&measured, give_up)
            };
            match rows {
                Some(mut rows) => {
                    rows.extend(self.thread_rows(&account, &adapter, &due).await?);
                    // Before the reading is kept: with the last one it is said what was found, and what is gone counts.
                    self.read_back(&due.post).await?;
                    self.keep(&due, measured, rows).await?;
                }
                None => {
                    // What is not shown may have been taken away: that is a person's business now, not when it is given up.
                    if matches!(measured.rows, Err(MeasureError::NotShown(_))) {
                        self.read_back(&due.post).await?;
                    }
                    all = false;
                }
            }
        }
        Ok(all)
    }

    async fn thread_rows(
        &self,
        account: &Account,
        adapter: &Arc<dyn Adapter>,
        due: &DueSnapshot,
    ) -> Result<Vec<SnapshotRow>, EngineError> {
        let live = &due.live;
        let own = account.identity_id().to_owned();
        let value = |metric: &str, number: usize| SnapshotRow {
            metric: metric.to_owned(),
            reading: Reading::Value { value: f64::from(u32::try_from(number).unwrap_or(u32::MAX)) },
        };
        let thread = adapter.thread(account, live).await;
        if let Ok(replies) = &thread {
            self.keep_comments(&due.post, live, replies).await?;
        }
        Ok(match thread {
            Ok(replies) => {
                let others: Vec<&ThreadReply> = replies.iter().filter(|r| r.author_did != own).collect();
                let authors: std::collections::BTreeSet<&str> = others.iter().map(|r| r.author_did.as_str()).collect();
                vec![
                    value("threadReplies", others.len()),
                    value("threadAuthors", authors.len()),
                    value("threadDepth", depth(&replies, &live.id)),
                ]
            }
            Err(error) => ["threadReplies", "threadAuthors", "threadDepth"]
                .into_iter()
                .map(|metric| SnapshotRow {
                    metric: metric.to_owned(),
                    reading: Reading::Missing { why: error.to_string() },
                })
                .collect(),
        })
    }

    async fn keep(&self, due: &DueSnapshot, measured: Measured, rows: Vec<SnapshotRow>) -> Result<(), EngineError> {
        let (id, age) = (due.post.id, due.age);
        let written = self.store.write(Cause::engine(Task::Collect.as_str()), move |tx| {
            let captured = measured.captured;
            let snapshot = Snapshot { post: id, age, captured, source: measured.source, rows };
            let count = u32::try_from(snapshot.rows.len()).unwrap_or(u32::MAX);
            post_decide(tx, id, PostCommand::Snapshot { age, at: captured, rows: count, digest: snapshot.digest() })?;
            tx.put_snapshot(&snapshot)?;
            Ok(())
        });
        if let Err(refusal) = allowed(written.await)? {
            self.pulse.went_wrong(Task::Collect, refusal.to_string());
        } else {
            self.pulse.went_well(Task::Collect);
        }
        Ok(())
    }

    async fn watch_by_hand(&self, id: &AccountId) -> Result<UtcTime, EngineError> {
        let key = format!("by hand {id}");
        let due = self.due_again(&key);
        if due > self.now() {
            return Ok(due);
        }
        if let Some((account, adapter)) = self.adapter_of(id).await? {
            self.see_by_hand(&account, &adapter, Span::days(7)).await?;
            self.see_standing(&account, &adapter).await;
        }
        let next = self.now().plus(BY_HAND_EVERY);
        self.due_at(&key, next);
        Ok(next)
    }

    /// Reads what stands on an account, and keeps what we did not make: it counts in pacing and as a neighbour.
    /// Returns false where it could not be read.
    pub(crate) async fn see_by_hand(
        &self,
        account: &Account,
        adapter: &Arc<dyn Adapter>,
        back: Span,
    ) -> Result<bool, EngineError> {
        let since = self.now().minus(back);
        let found = match adapter.recent(account, since).await {
            Ok(found) => found,
            Err(error) => {
                self.pulse.went_wrong(Task::Collect, format!("account {}: {error}", account.id));
                return Ok(false);
            }
        };
        let id = account.id.clone();
        let known = self.store.read(move |view| known_keys(view, &id, since)).await?;
        self.see_sworn_wrong(&account.id, &found, since).await?;
        let new: Vec<_> = found.into_iter().filter(|p| !known.contains(&p.uri)).collect();
        if new.is_empty() {
            return Ok(true);
        }
        let (id, client) = (account.id.clone(), account.client.clone());
        let written = self.store.write(Cause::engine(Task::Collect.as_str()), move |tx| {
            let at = tx.now();
            let rows: Vec<ExternalPost> = new
                .iter()
                .map(|p| ExternalPost {
                    account: id.clone(),
                    client: client.clone(),
                    id: p.uri.clone(),
                    url: p.uri.clone(),
                    at: p.at,
                    seen: at,
                    text: Digest::of(p.text.raw().as_bytes()),
                })
                .collect();
            let digest = rows
                .iter()
                .fold(domain::hash::Framed::new("expos.external.1"), |f, r| f.text(&r.id).field(r.text.bytes()))
                .digest();
            let count = u32::try_from(tx.put_external_posts(&rows)?).unwrap_or(u32::MAX);
            if count > 0 {
                let account: Account = tx.load(&id)?;
                let events = account.decide(AccountCommand::SeeExternal { count, digest, at })?;
                tx.append::<Account>(&id, events)?;
            }
            Ok(())
        });
        allowed(written.await)?.ok();
        Ok(true)
    }

    /// Looks how the platform shows an account; a warning is heard. What cannot be read is no warning, and stops nothing.
    pub(crate) async fn see_standing(&self, account: &Account, adapter: &Arc<dyn Adapter>) {
        if account.identity.is_none() {
            return;
        }
        if let Err(error) = adapter.standing(account).await {
            tracing::info!(task = Task::Collect.as_str(), "account {}: its standing: {error}", account.id);
        }
    }

    /// A post that a person swore to be not live, or that a look had settled so, and that stands there after all: it is out,
    /// and somebody must know (I1).
    async fn see_sworn_wrong(&self, id: &AccountId, found: &[ForeignPost], since: UtcTime) -> Result<(), EngineError> {
        let wanted = id.clone();
        let sworn = self.store.read(move |view| sworn_absent(view, &wanted, since)).await?;
        for (key, post, attempt) in sworn {
            let Some(there) = found.iter().find(|p| p.uri == key) else { continue };
            let live = Live { id: there.uri.clone(), url: there.uri.clone(), digest: there.cid.clone(), at: there.at };
            let written = self.store.write(Cause::engine(Task::Collect.as_str()), move |tx| {
                let at = tx.now();
                let what = format!("post {post} was settled as not live, and is out: {}", live.url);
                let (after, _) =
                    post_decide(tx, post, PostCommand::End { attempt, at, outcome: CommitOutcome::Accepted(live) })?;
                escalate_post(tx, &after, "post.sworn-wrong", Urgency::Critical, what)
            });
            allowed(written.await)?.ok();
        }
        Ok(())
    }
}

/// How late a snapshot may be before it is given up: a tenth of its age, at least ten minutes.
fn give_up_after(age: SnapshotAge) -> Span {
    Span::minutes(10).max(Span::from_micros(age.0.micros() / 10))
}

/// Returns the rows to keep; `None` where it is worth another try.
fn rows_of(measured: &Measured, give_up: bool) -> Option<Vec<SnapshotRow>> {
    match &measured.rows {
        Ok(rows) => Some(rows.clone()),
        Err(MeasureError::NotShown(why) | MeasureError::CannotTell(why)) if give_up => Some(missing(why)),
        Err(MeasureError::NotShown(_) | MeasureError::CannotTell(_)) => None,
    }
}

/// Returns the rows of a snapshot that could not be taken: missing, with the reason, and never 0 (I20).
fn missing(why: &str) -> Vec<SnapshotRow> {
    let row =
        |metric: &str| SnapshotRow { metric: metric.to_owned(), reading: Reading::Missing { why: why.to_owned() } };
    ["replyCount", "likeCount", "repostCount", "quoteCount", "bookmarkCount"].into_iter().map(row).collect()
}

/// Returns how many answers stand under one another, at most.
fn depth(replies: &[ThreadReply], root: &str) -> usize {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::from([(root, 0)]);
    for reply in replies {
        let above = depths.get(reply.parent.as_str()).copied().unwrap_or(0);
        depths.insert(reply.uri.as_str(), above.saturating_add(1));
    }
    depths.into_values().max().unwrap_or(0)
}

fn what_is_due(view: &View<'_>, now: UtcTime) -> Result<Plan, StoreError> {
    let mut plan = Plan { due: BTreeMap::new(), next: None, watched: Vec::new() };
    // What ended before its last reading is read on: a post that is out may still be deleted or edited.
    let stages = vec!["scheduled", "running", "maturing", "reviewing", "invalid"];
    let filter = ExperimentFilter { stages, ..ExperimentFilter::default() };
    for experiment in view.experiments(&Scope::All, &filter)? {
        let Some(brief) = &experiment.brief else { continue };
        let goes_on = matches!(experiment.stage, Stage::Scheduled | Stage::Running | Stage::Maturing);
        if goes_on && !plan.watched.contains(&brief.exposure_plan.account) {
            plan.watched.push(brief.exposure_plan.account.clone());
        }
        let Some(client) = view.client(&experiment.client)? else { continue };
        add_due(view, &mut plan, &experiment, &client, now)?;
    }
    Ok(plan)
}

fn add_due(
    view: &View<'_>,
    plan: &mut Plan,
    experiment: &Experiment,
    client: &Client,
    now: UtcTime,
) -> Result<(), StoreError> {
    let ages = experiment.brief.as_ref().map(|b| b.exposure_plan.snapshot_ages.clone()).unwrap_or_default();
    for post in view.posts_of(experiment.id)? {
        let Some(live) = post.live().cloned() else { continue };
        for age in ages.iter().filter(|age| !post.snapshots.contains(age)) {
            let due = live.at.plus(age.0.max(client.policy.earliest_counts.unwrap_or(Span::ZERO)));
            if due <= now {
                plan.due.entry(post.account.clone()).or_default().push(DueSnapshot {
                    post: post.clone(),
                    live: live.clone(),
                    age: *age,
                });
            } else {
                plan.next = sooner(plan.next, Some(due));
            }
        }
    }
    Ok(())
}

fn known_keys(
    view: &View<'_>,
    account: &AccountId,
    since: UtcTime,
) -> Result<std::collections::BTreeSet<String>, StoreError> {
    let mut known = std::collections::BTreeSet::new();
    let far = since.minus(Span::days(2));
    for post in view.ours_on_account_between(account, far, view.now().plus(Span::days(2)))? {
        known.extend(post.attempts.iter().map(|a| a.handle.key.clone()));
        known.extend(post.live().map(|l| l.id.clone()));
        if let domain::post::PostState::Prepared { handle } = &post.state {
            known.insert(handle.key.clone());
        }
    }
    known.extend(view.external_posts(account, far)?.into_iter().map(|p| p.id));
    Ok(known)
}

/// Returns the names of attempts that are held to be absent, of posts that are not known to be out.
fn sworn_absent(
    view: &View<'_>,
    account: &AccountId,
    since: UtcTime,
) -> Result<Vec<(String, PostId, u32)>, StoreError> {
    let mut sworn = Vec::new();
    let far = since.minus(Span::days(2));
    for post in view.ours_on_account_between(account, far, view.now().plus(Span::days(2)))? {
        if post.live().is_none() {
            let absent =
                post.attempts.iter().filter(|a| matches!(a.end, Some(AttemptEnd::Attested { .. } | AttemptEnd::Never)));
            sworn.extend(absent.map(|a| (a.handle.key.clone(), post.id, a.number)));
        }
    }
    Ok(sworn)
}
