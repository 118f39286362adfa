//! The desk: the one door through which people and scripts read and act.
//!
//! Decides who may do what, once, before anything is loaded; puts commands to the rules inside the store's write
//! transaction; answers questions within the asker's clients. The rules are `domain`'s, what the world must do is done by
//! an engine task, and wording for a screen is the face's. Served over a Unix socket (`server`), used over it (`remote`),
//! or in process.

pub mod act;
pub mod ask;
pub mod command;
mod follow;
pub mod local;
mod picture;
pub mod preflight;
pub mod presence;
pub mod problem;
pub mod query;
pub mod remote;
mod reply;
pub mod rounds;
pub mod rules;
pub mod server;
pub mod shared;
pub mod sheet;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clock::{Clock, Seeds};
use domain::actor::{Actor, Person};
use domain::agency::HomeKind;
use domain::id::CommandId;
use domain::role::{NotOwn, Ownership, authorise};
use store::{Cause, Remembered, Store};

pub use command::{Command, Done, SecretText, Stoppable, Verdict};
pub use problem::Problem;
pub use query::{Answer, Query};
pub use rules::Rules;
pub use store::Home;

/// Whether a command is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is.
    Do,
    /// Everything is decided as if, and nothing is kept.
    DryRun,
}

/// Who asks, as the kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The Unix user id.
    pub uid: u32,
}

/// What the engine's tasks say of themselves when asked.
pub type Beat = Arc<dyn Fn() -> Vec<query::TaskHealth> + Send + Sync>;

/// The desk of one home.
#[derive(Clone)]
pub struct Desk {
    store: Store,
    home: Home,
    rules: Arc<Rules>,
    clock: Arc<dyn Clock>,
    beat: Option<Beat>,
    presence: Arc<presence::Presence>,
    pictures: Arc<picture::Pictures>,
    /// The leave to judge an outcome.
    judging: Arc<tokio::sync::Semaphore>,
    chance: Chance,
}

/// Where the desk's commands take ids and seeds of plans from.
#[derive(Clone)]
enum Chance {
    /// Nobody can foresee it.
    System,
    /// The same for the same commands in the same order; how many there were.
    Seeded(Seeds, Arc<AtomicU64>),
}

impl Chance {
    fn entropy(&self) -> Result<[u8; 32], Problem> {
        match self {
            Self::System => clock::fresh_bytes().map_err(|e| Problem::Failed(e.to_string())),
            Self::Seeded(seeds, commands) => {
                let number = commands.fetch_add(1, Ordering::Relaxed);
                let drawn = seeds.number("desk.command", &number.to_be_bytes());
                Ok(domain::hash::Framed::new("expos.desk.seeded")
                    .field(&drawn.to_be_bytes())
                    .digest()
                    .bytes()
                    .to_owned())
            }
        }
    }
}

impl Desk {
    /// Opens the desk over a store. `beat` tells of the engine's tasks; none where no engine runs in this process.
    pub fn new(store: Store, home: Home, rules: Arc<Rules>, clock: Arc<dyn Clock>, beat: Option<Beat>) -> Self {
        let pictures = Arc::new(picture::Pictures::new());
        let (presence, judging) = (Arc::default(), Arc::new(tokio::sync::Semaphore::new(1)));
        Self { store, home, rules, clock, beat, presence, pictures, judging, chance: Chance::System }
    }

    /// Tells whether an engine runs beside this desk.
    pub(crate) fn engine(&self) -> rounds::Engine {
        if self.beat.is_some() { rounds::Engine::Runs } else { rounds::Engine::Absent }
    }

    /// Takes ids and seeds of plans from these seeds, so that the same commands in the same order make the same agency:
    /// for a demo or a rehearsal. Whoever knows the seed foresees them; never on a home that publishes.
    #[must_use]
    pub fn drawing_from(self, seeds: Seeds) -> Self {
        Self { chance: Chance::Seeded(seeds, Arc::new(AtomicU64::new(0))), ..self }
    }

    /// Returns the store, for whoever follows its changes.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Carries out a command, once for each id within a day (T21).
    pub async fn act(&self, peer: Peer, id: CommandId, command: Command, mode: Mode) -> Result<Done, Problem> {
        let person = self.person(peer).await?;
        if let Some(first) = self.store.read(move |view| view.command_answer(id, peer.uid)).await? {
            return match first {
                Remembered::Done(done) => serde_json::from_value(done)
                    .map_err(|e| Problem::Failed(format!("the first answer to this command cannot be read: {e}"))),
                Remembered::Refused(refusal) => Err(Problem::Refused(refusal)),
            };
        }
        let cause = Cause::new(Actor::from(&person), id.to_string());
        let own = Ownership { authors: &[], not_own: NotOwn::Off };
        if let Err(refusal) = authorise(command.action(), person.role, person.uid, own) {
            return Err(act::refused(self, act::cause_of(cause, mode), refusal).await);
        }
        act::carry_out(self, person, id, command, mode, act::cause_of(cause, mode)).await
    }

    /// Answers a question.
    pub async fn ask(&self, peer: Peer, query: Query) -> Result<Answer, Problem> {
        let person = self.person(peer).await?;
        ask::answer(self, person, query).await
    }

    /// Returns who a peer is; strangers get nothing (T1).
    pub async fn person(&self, peer: Peer) -> Result<Person, Problem> {
        let found = self.store.read(move |view| Ok((view.person(peer.uid)?, view.agency()?.kind))).await?;
        let service = rustix::process::geteuid().as_raw();
        match found {
            // On a shared box root and the service user are nobody: an act needs a person behind it (T1, T5).
            (Some(_), HomeKind::Shared) if peer.uid == 0 || peer.uid == service => Err(Problem::stranger()),
            (Some(person), HomeKind::Shared | HomeKind::Personal) => Ok(person),
            (None, _) => Err(Problem::stranger()),
        }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("home", &self.home.root).finish_non_exhaustive()
    }
}
