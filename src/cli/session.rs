//! One run of one verb: the streams, the home, the clock, and the desk once it is needed.
//!
//! Decides how questions are put and answers taken apart, so that nouns hold only their own words; and when a person may be
//! asked something: on a terminal, and not with `--no-input`.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use clock::Clock;
use desk::query::{AccountView, ClientView, ExperimentLine, ExperimentView, PostView};
use desk::{Answer, Command, Home, Mode, Problem, Query};
use domain::id::{ClientId, CommandId};
use domain::refusal::{Refusal, RefusalKind};
use domain::time::{UtcTime, Zone};
use serde_json::{Value, json};

use crate::args::{Change, Global};
use crate::door::Door;
use crate::editor::{self, Edited};
use crate::environment::Environment;
use crate::error::Failure;
use crate::input;
use crate::io::Io;
use crate::output::{Block, Form, Paper, Told};
use crate::suggest::nearest;
use crate::text::{Color, Text};
use crate::when::{self, BadWhen};

/// One run of one verb.
pub(crate) struct Session<'a> {
    pub(crate) io: &'a mut Io,
    pub(crate) global: &'a Global,
    pub(crate) environment: &'a Environment,
    pub(crate) clock: Arc<dyn Clock>,
    door: Option<Rc<dyn Door>>,
}

/// Takes the answer that a question has, out of all answers.
macro_rules! take {
    ($answer:expr, $kind:path) => {
        if let $kind(found) = $answer { Ok(found) } else { Err($crate::session::unexpected()) }
    };
}
pub(crate) use take;

/// The desk answered another question than it was asked.
pub(crate) fn unexpected() -> Failure {
    Failure::failed("the desk gave an answer to another question; it may be of another version than this program")
}

/// Clients' zones.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Zones(pub(crate) BTreeMap<ClientId, Zone>);

impl Zones {
    /// Shows a moment on a client's wall clock.
    pub(crate) fn local(&self, client: &ClientId, time: UtcTime) -> String {
        time.in_zone(self.0.get(client).copied().unwrap_or(Zone::UTC))
    }
}

/// What an edit without a file came to.
pub(crate) enum Opened {
    /// Nobody is there to edit: the document is printed.
    Printed(Told),
    /// Somebody edited it.
    Edited(Edited),
}

impl<'a> Session<'a> {
    /// Begins a run; the desk is looked for when it is first needed.
    pub(crate) fn new(io: &'a mut Io, global: &'a Global, environment: &'a Environment, clock: Arc<dyn Clock>) -> Self {
        Self { io, global, environment, clock, door: None }
    }

    /// Begins a run with a door that is open already.
    #[cfg(test)]
    pub(crate) fn with_door(mut self, door: Rc<dyn Door>) -> Self {
        self.door = Some(door);
        self
    }

    /// Returns the home.
    pub(crate) fn home(&self) -> Result<Home, Failure> {
        self.environment.home(self.global)
    }

    /// Returns the operator's own zone; UTC where none is set.
    pub(crate) fn zone(&self) -> Zone {
        self.environment.zone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(Zone::UTC)
    }

    /// Returns the agency's time.
    pub(crate) fn now(&self) -> UtcTime {
        UtcTime::from(self.clock.wall())
    }

    /// Reads a time that a person gave, if they gave one, and tells them how it is read.
    pub(crate) fn until(&mut self, time: Option<&str>) -> Result<Option<UtcTime>, Failure> {
        let Some(time) = time else { return Ok(None) };
        let zone = self.zone();
        let until = when::parse(time, zone, self.now())
            .map_err(|bad| Failure::invalid("time.unknown", "the time", bad.why(time, zone), BadWhen::MEND))?;
        self.note(&format!("`{time}` is read as {} ({zone})", until.in_zone(zone)));
        Ok(Some(until))
    }

    /// Returns what standard output is.
    pub(crate) fn paper(&self) -> Paper {
        let form = if self.global.json {
            Form::Json
        } else if self.global.plain {
            Form::Plain
        } else {
            Form::Human
        };
        Paper { form, width: self.io.width, color: self.environment.color(self.global.color, self.io.out_is_tty) }
    }

    /// Returns whether standard error has colours.
    pub(crate) fn aside_color(&self) -> Color {
        self.environment.color(self.global.color, self.io.err_is_tty)
    }

    /// Says something beside the matter.
    pub(crate) fn note(&mut self, note: &str) {
        if !self.global.quiet && !self.global.json {
            let line = Text::of(note).drawn(self.aside_color()) + "\n";
            self.io.aside(&line);
        }
    }

    /// Says something for those who asked for more.
    pub(crate) fn detail(&mut self, detail: &str) {
        if self.global.verbose {
            self.note(detail);
        }
    }

    /// Tells whether a person can be asked.
    pub(crate) fn can_ask(&self) -> bool {
        self.io.in_is_tty && self.io.err_is_tty && !self.global.no_input
    }

    /// Returns the desk's door.
    pub(crate) async fn door(&mut self) -> Result<Rc<dyn Door>, Failure> {
        if let Some(door) = &self.door {
            return Ok(Rc::clone(door));
        }
        let home = self.home()?;
        let opened = desk::local::Door::open(&home, Arc::clone(&self.clock)).await?;
        let door: Rc<dyn Door> = Rc::new(opened);
        let way = if door.is_remote() { "the engine's desk" } else { "the store itself; no engine runs" };
        self.detail(&format!("home {}: {way}", home.root.display()));
        self.door = Some(Rc::clone(&door));
        Ok(door)
    }

    /// Puts a question.
    pub(crate) async fn ask(&mut self, query: Query) -> Result<Answer, Failure> {
        Ok(self.door().await?.ask(query).await?)
    }

    /// Puts a command, and tells what was done.
    pub(crate) async fn act(&mut self, command: Command, change: &Change) -> Result<Told, Failure> {
        let random = clock::fresh_bytes().map_err(|error| Failure::failed(error.to_string()))?;
        let id = CommandId::new(self.now(), random);
        let mode = if change.dry_run { Mode::DryRun } else { Mode::Do };
        let door = self.door().await?;
        self.detail(&format!("command {id}"));
        let done = door.act(id, command, mode).await?;
        let mut told = Told::lines(done.lines, done.data);
        told.next = done.next;
        told.dry_run = change.dry_run;
        Ok(told)
    }

    /// Puts a command about a named thing; where there is no such thing, the nearest name is offered.
    pub(crate) async fn act_on(
        &mut self,
        noun: &str,
        name: &str,
        command: Command,
        change: &Change,
    ) -> Result<Told, Failure> {
        match self.act(command, change).await {
            Ok(told) => Ok(told),
            Err(failure) => Err(self.suggest(failure, noun, name).await),
        }
    }

    /// Puts a command that holds an edited text; when it is refused the text is kept.
    pub(crate) async fn act_edited(
        &mut self,
        edited: Edited,
        command: Command,
        change: &Change,
    ) -> Result<Told, Failure> {
        let acted = self.act(command, change).await;
        let kept = if acted.is_err() || change.dry_run { edited.keep() } else { None };
        if let Some(path) = kept {
            self.note(&format!("your text is kept in {}", path.display()));
        }
        acted
    }

    /// Opens a document in the operator's editor, or prints it where nobody is there.
    pub(crate) async fn open(&mut self, what: &str, present: &str) -> Result<Opened, Failure> {
        if !(self.can_ask() && self.io.out_is_tty) {
            return Ok(Opened::Printed(Told::new(vec![Block::Document(present.to_owned())], json!({"toml": present}))));
        }
        editor::edit(self.io, self.environment.editor.clone(), what, present).await.map(Opened::Edited)
    }

    /// Reads a document that the operator named.
    pub(crate) async fn document(&mut self, file: &Path) -> Result<String, Failure> {
        input::document(self.io, file).await
    }

    /// Offers the nearest name where a thing was not found.
    pub(crate) async fn suggest(&mut self, failure: Failure, noun: &str, name: &str) -> Failure {
        let Failure::Problem(Problem::Refused(mut refusal)) = failure else { return failure };
        // The desk may have missed another thing than the one that was named.
        if refusal.kind != RefusalKind::NotFound || !refusal.what.starts_with(noun) {
            return refusal.into();
        }
        let known = self.names(noun).await;
        if let Some(near) = nearest(name, known.iter().map(String::as_str)) {
            refusal.mend = format!("did you mean `{near}`? {}", refusal.mend);
        }
        refusal.into()
    }

    async fn names(&mut self, noun: &str) -> Vec<String> {
        match noun {
            "client" => self.clients().await.map(|all| all.iter().map(|c| c.id.to_string()).collect()),
            "account" => self.accounts().await.map(|all| all.iter().map(|a| a.id.to_string()).collect()),
            "experiment" => self.experiments(None, true).await.map(|all| all.into_iter().map(|e| e.code).collect()),
            _ => Ok(Vec::new()),
        }
        .unwrap_or_default()
    }

    /// Refuses a name that nothing has.
    pub(crate) async fn missing(&mut self, noun: &str, name: &str) -> Failure {
        self.suggest(Refusal::not_found(noun, name).into(), noun, name).await
    }

    /// Reads a short name of something that should exist; what cannot be a short name does not exist.
    pub(crate) async fn existing<T: std::str::FromStr>(&mut self, noun: &str, name: &str) -> Result<T, Failure> {
        match name.parse() {
            Ok(id) => Ok(id),
            Err(_) => Err(self.missing(noun, name).await),
        }
    }

    /// Returns the clients in scope.
    pub(crate) async fn clients(&mut self) -> Result<Vec<ClientView>, Failure> {
        take!(self.ask(Query::ClientList).await?, Answer::Clients)
    }

    /// Returns a client.
    pub(crate) async fn client(&mut self, name: &str) -> Result<ClientView, Failure> {
        let client = self.existing("client", name).await?;
        match self.ask(Query::ClientShow { client }).await {
            Ok(answer) => take!(answer, Answer::Client).map(|found| *found),
            Err(failure) => Err(self.suggest(failure, "client", name).await),
        }
    }

    /// Returns the accounts in scope.
    pub(crate) async fn accounts(&mut self) -> Result<Vec<AccountView>, Failure> {
        take!(self.ask(Query::AccountList).await?, Answer::Accounts)
    }

    /// Returns an account.
    pub(crate) async fn account(&mut self, name: &str) -> Result<AccountView, Failure> {
        match self.accounts().await?.into_iter().find(|a| a.id.as_str() == name) {
            Some(found) => Ok(found),
            None => Err(self.missing("account", name).await),
        }
    }

    /// Returns experiments, of one client or all.
    pub(crate) async fn experiments(
        &mut self,
        client: Option<ClientId>,
        all: bool,
    ) -> Result<Vec<ExperimentLine>, Failure> {
        take!(self.ask(Query::ExperimentList { client, all }).await?, Answer::Experiments)
    }

    /// Returns an experiment.
    pub(crate) async fn experiment(&mut self, name: &str) -> Result<ExperimentView, Failure> {
        match self.ask(Query::ExperimentShow { experiment: name.to_owned() }).await {
            Ok(answer) => take!(answer, Answer::Experiment).map(|found| *found),
            Err(failure) => Err(self.suggest(failure, "experiment", name).await),
        }
    }

    /// Returns a post, by id or unique prefix.
    pub(crate) async fn post(&mut self, name: &str) -> Result<PostView, Failure> {
        take!(self.ask(Query::PostShow { post: name.to_owned() }).await?, Answer::Post).map(|found| *found)
    }

    /// Returns the zones of the clients in scope.
    pub(crate) async fn zones(&mut self) -> Result<Zones, Failure> {
        Ok(zones_of(&self.clients().await?))
    }
}

/// Returns the zones of some clients.
pub(crate) fn zones_of(clients: &[ClientView]) -> Zones {
    Zones(clients.iter().filter_map(|c| Some((c.id.clone(), c.zone.parse().ok()?))).collect())
}

/// Returns something as JSON.
pub(crate) fn data(value: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value)
        .map_err(|error| Failure::failed(format!("the answer cannot be written as JSON: {error}")))
}
