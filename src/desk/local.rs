//! The way in: the socket where a desk answers, else the store itself for the length of one command.
//!
//! Decides which, and what needs no desk: making a home, checking the log of one that nobody runs. In a shared home the
//! store is never opened by anybody but its service user (T4): its folder does not let them.

use std::sync::Arc;

use clock::Clock;
use domain::actor::{Actor, Person};
use domain::agency::{Agency, HomeKind};
use domain::id::CommandId;
use domain::refusal::{Refusal, RefusalKind};
use domain::role::{Role, Scope};
use domain::time::UtcTime;
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use store::{AuditReport, Cause, Home, Open, Store, StoreError};

use crate::query::EventLine;
use crate::remote::{Reached, Remote};
use crate::{Answer, Command, Desk, Done, Mode, Peer, Problem, Query, Rules};

/// A desk, near or far.
#[derive(Debug, Clone)]
pub enum Door {
    /// Over the socket.
    Far(Remote),
    /// In this process, for as long as it lives.
    Near(Box<Desk>, Peer),
}

/// How often a store that another command holds for a moment is tried again.
const TRIES: u32 = 40;

impl Door {
    /// Opens the desk of a home.
    pub async fn open(home: &Home, clock: Arc<dyn Clock>) -> Result<Self, Problem> {
        let mut tries = 0;
        loop {
            check_way(home)?;
            if !home.exists() {
                return Err(Problem::Failed(format!(
                    "there is no home at {}; make one with `expos init`",
                    home.root.display()
                )));
            }
            if let Reached::Yes(remote) = Remote::reach(home).await? {
                return Ok(Self::Far(remote));
            }
            if let Some(owner) = foreign_owner(home) {
                return Err(Problem::Unreachable(format!(
                    "no engine runs on the shared home {} (it belongs to {owner}): nothing is published; tell an admin",
                    home.root.display()
                )));
            }
            match Store::open(home, Open::Inline, Arc::clone(&clock)) {
                Ok(store) => return Self::near(home, store, clock),
                Err(StoreError::Owned { .. }) if tries < TRIES => {
                    tries = tries.saturating_add(1);
                    let soon = UtcTime::from(clock.wall()).plus(domain::time::Span::from_micros(150_000));
                    clock.sleep_until(soon.to_chrono()).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn near(home: &Home, store: Store, clock: Arc<dyn Clock>) -> Result<Self, Problem> {
        let rules = Rules::load(&home.rules()).map_err(|e| Problem::Failed(e.to_string()))?;
        let desk = Desk::new(store, home.clone(), Arc::new(rules), clock, None);
        Ok(Self::Near(Box::new(desk), Peer { uid: own_uid() }))
    }

    /// Tells whether an engine is there to do what the desk records.
    pub const fn is_remote(&self) -> bool {
        matches!(self, Self::Far(_))
    }

    /// Puts a command.
    pub async fn act(&self, id: CommandId, command: Command, mode: Mode) -> Result<Done, Problem> {
        match self {
            Self::Far(remote) => remote.act(id, &command, mode).await,
            Self::Near(desk, peer) => desk.act(*peer, id, command, mode).await,
        }
    }

    /// Asks.
    pub async fn ask(&self, query: Query) -> Result<Answer, Problem> {
        match self {
            Self::Far(remote) => remote.ask(&query).await,
            Self::Near(desk, peer) => desk.ask(*peer, query).await,
        }
    }

    /// Follows the log, for as long as the desk is there.
    pub async fn follow(
        &self,
        after: u64,
    ) -> Result<impl Stream<Item = Result<EventLine, Problem>> + Send + use<>, Problem> {
        match self {
            Self::Far(remote) => Ok(remote.follow(after).await?.boxed()),
            Self::Near(desk, peer) => {
                let batches = desk.follow(*peer, after).await?;
                Ok(batches.flat_map(|batch| stream::iter(batch.into_iter().map(Ok))).boxed())
            }
        }
    }
}

/// A home that one may not enter is not a home that is not there.
fn check_way(home: &Home) -> Result<(), Problem> {
    match home.db().symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(Problem::Refused(Refusal::new(
            RefusalKind::NotAllowed,
            "home.closed",
            format!("the home {}", home.root.display()),
            "your Unix user may not enter it",
            "ask root to add you to the home's group, then log in anew",
        ))),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Returns whose a home is, where it is somebody else's.
fn foreign_owner(home: &Home) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let owner = std::fs::metadata(&home.root).ok()?.uid();
    (owner != own_uid()).then(|| unix_name(owner).unwrap_or_else(|| format!("uid {owner}")))
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns the name of a Unix user on this box.
pub fn unix_name(uid: u32) -> Option<String> {
    passwd().into_iter().find(|(_, id)| *id == uid).map(|(name, _)| name)
}

/// Returns the id of a Unix user on this box.
pub fn unix_uid(name: &str) -> Option<u32> {
    passwd().into_iter().find(|(found, _)| found == name).map(|(_, uid)| uid)
}

/// Returns the id of a Unix group on this box.
pub fn unix_gid(name: &str) -> Option<u32> {
    names("/etc/group").into_iter().find(|(found, _)| found == name).map(|(_, gid)| gid)
}

fn passwd() -> Vec<(String, u32)> {
    names("/etc/passwd")
}

/// Reads name and number, the first and third field of each line.
fn names(file: &str) -> Vec<(String, u32)> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        Some((name, uid))
    };
    text.lines().filter_map(entry).collect()
}

/// Makes a home: folders, key, store, and its first admin, who is whoever asks.
pub fn init(home: &Home, kind: HomeKind, clock: Arc<dyn Clock>) -> Result<Done, Problem> {
    let uid = own_uid();
    let name = unix_name(uid).unwrap_or_else(|| format!("uid-{uid}"));
    let person = Person { uid, name: name.clone(), role: Role::Admin, scope: Scope::All };
    let at = UtcTime::from(clock.wall());
    let actor = Actor::from(&person);
    Store::create(home, Agency::found(kind, person, at), Cause::new(actor, "init"), clock)?;
    Ok(Done::new(
        format!(
            "a home for {name} is at {}; nobody else looks at your own work until a second person is granted",
            home.root.display()
        ),
        json!({"home": home.root, "admin": name, "uid": uid}),
    )
    .next("expos client new"))
}

/// Checks the whole log, read-only, also of a home that somebody runs. Returns the exit code, lines and data.
pub fn audit_verify(home: &Home, since: Option<&str>) -> (u8, Vec<String>, serde_json::Value) {
    let anchor = match since.map(str::parse::<store::Anchor>).transpose() {
        Ok(anchor) => anchor,
        Err(why) => {
            return (
                4,
                vec![format!("the anchor cannot be read: {why}")],
                json!({"is": "cannot_tell", "why": why.to_string()}),
            );
        }
    };
    let report = store::audit_verify(home, anchor.as_ref());
    let data = match &report {
        AuditReport::Whole { head, refusals } => {
            json!({"is": "whole", "events": head.n, "refusals": refusals, "anchor": head.to_string()})
        }
        AuditReport::Broken { breaks } => {
            let breaks: Vec<_> =
                breaks.iter().map(|b| json!({"kind": b.kind.to_string(), "n": b.n, "detail": b.detail})).collect();
            json!({"is": "broken", "breaks": breaks})
        }
        AuditReport::CannotTell { why } => json!({"is": "cannot_tell", "why": why}),
    };
    (report.exit_code(), vec![report.to_string()], data)
}

/// Folds the log from nothing and compares every read table with it.
pub async fn store_check(home: &Home, clock: Arc<dyn Clock>) -> Result<Done, Problem> {
    let store = Store::open(home, Open::Inline, clock)?;
    let differences = store.rebuild_compare().await?;
    if differences.is_empty() {
        return Ok(Done::new(
            format!("the log of {} events gives every read table exactly", store.anchor().n),
            json!({"differences": []}),
        ));
    }
    let lines: Vec<String> = differences.iter().map(|d| format!("{} {}: {}", d.kind, d.key, d.how)).collect();
    Err(Problem::Failed(format!("the read tables differ from the log: {}", lines.join("; "))))
}
