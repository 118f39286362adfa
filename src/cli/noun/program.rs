//! What has no noun of its own: a home founded, the permission table, completions, manual pages, where things are.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, CommandFactory, Subcommand};
use clap_complete::Shell;
use desk::shared::Founding;
use domain::agency::HomeKind;
use domain::refusal::Refusal;
use serde_json::json;

use crate::args::{Change, Cli};
use crate::error::Failure;
use crate::output::{Block, Told};
use crate::session::Session;
use crate::text::Text;

pub(crate) const CONFIG_EXAMPLES: &str = "\
Examples:
  expos config path
  expos config path --home /srv/agency";

/// Found a home.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// For several operators, each with a Unix user of their own
    #[arg(long)]
    shared: bool,
    /// Shared: who is its first admin; the user who called sudo where left out
    #[arg(long, requires = "shared", value_name = "USER")]
    admin: Option<String>,
    /// Shared: the Unix user who runs the engine, made where missing
    #[arg(long, requires = "shared", value_name = "USER", default_value = "expos")]
    service_user: String,
    /// The service user's own part, which `init --shared` starts
    #[arg(long, requires = "shared", hide = true, value_name = "UID")]
    as_service: Option<u32>,
    #[command(flatten)]
    change: Change,
}

/// Print completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which
    shell: Shell,
}

/// Write the manual pages.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder to write them to; made where it is missing
    dir: PathBuf,
}

/// Where things are.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print the paths of this home
    Path,
}

pub(crate) async fn init(session: &mut Session<'_>, init: &Init) -> Result<Told, Failure> {
    let home = session.home()?;
    let (kind, word) = if init.shared { (HomeKind::Shared, "shared") } else { (HomeKind::Personal, "personal") };
    let place = home.root.display().to_string();
    if home.exists() {
        return Err(Refusal::nothing(format!("the home {place}"), "it is founded already").into());
    }
    if init.change.dry_run {
        let mut told =
            Told::lines([format!("a {word} home is founded at {place}")], json!({"home": place, "kind": word}));
        told.dry_run = true;
        return Ok(told);
    }
    let clock = Arc::clone(&session.clock);
    let shared = if init.shared { Some(founding(init)?) } else { None };
    let founded = tokio::task::spawn_blocking(move || match shared {
        None => desk::local::init(&home, kind, clock),
        Some(Part::Root(founding)) => desk::shared::found(&home, &founding),
        Some(Part::Service { admin }) => desk::shared::found_as_service(&home, admin, clock),
    })
    .await;
    let done = founded.map_err(|error| Failure::failed(format!("founding the home broke off: {error}")))??;
    let told = Told::lines(done.lines, done.data);
    Ok(told.next("expos client new NAME --zone ZONE"))
}

/// Which part of founding a shared home this process does.
enum Part {
    Root(Founding),
    Service { admin: u32 },
}

fn founding(init: &Init) -> Result<Part, Failure> {
    if let Some(admin) = init.as_service {
        return Ok(Part::Service { admin });
    }
    let admin = init.admin.clone().or_else(|| std::env::var("SUDO_USER").ok()).ok_or_else(|| Failure::Usage {
        what: "a shared home".to_owned(),
        why: "it needs a first admin".to_owned(),
        mend: "name a Unix user with --admin USER".to_owned(),
    })?;
    Ok(Part::Root(Founding { service: init.service_user.clone(), admin }))
}

pub(crate) fn matrix() -> Told {
    let table = domain::role::print();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(" | ").collect()).collect();
    Told::new(vec![Block::Document(table.clone())], json!(rows))
}

pub(crate) fn version() -> Told {
    let version = env!("CARGO_PKG_VERSION");
    Told::lines([format!("expos {version}")], json!({"name": "expos", "version": version}))
}

pub(crate) fn completions(completions: &Completions) -> Result<Told, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Cli::command(), "expos", &mut script);
    let script =
        String::from_utf8(script).map_err(|error| Failure::failed(format!("the completions are no text: {error}")))?;
    Ok(Told::new(
        vec![Block::Document(script.clone())],
        json!({"shell": completions.shell.to_string(), "script": script}),
    ))
}

pub(crate) fn man(man: &Man) -> Result<Told, Failure> {
    let cannot = |path: &Path, error: std::io::Error| {
        Failure::failed(format!("the manual cannot be written to {}: {error}", path.display()))
    };
    std::fs::create_dir_all(&man.dir).map_err(|error| cannot(&man.dir, error))?;
    let mut names = Vec::new();
    let mut command = Cli::command();
    command.build();
    for (name, page) in pages(&command).map_err(|error| cannot(&man.dir, error))? {
        let path = man.dir.join(&name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        file.and_then(|mut file| file.write_all(&page)).map_err(|error| cannot(&path, error))?;
        names.push(name);
    }
    let line = format!("{} manual pages are in {}", names.len(), man.dir.display());
    Ok(Told::lines([line], json!({"pages": names})))
}

/// Returns the page of the program and of each noun and verb, by file name.
fn pages(command: &clap::Command) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut waiting = vec![command.clone()];
    while let Some(command) = waiting.pop() {
        let page = clap_mangen::Man::new(command.clone());
        let mut bytes = Vec::new();
        page.render(&mut bytes)?;
        found.push((page.get_filename(), bytes));
        waiting.extend(command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned());
    }
    Ok(found)
}

pub(crate) fn config(session: &mut Session<'_>, verb: &Config) -> Result<Told, Failure> {
    let Config::Path = verb;
    let home = session.home()?;
    let paths = [
        ("home", home.root.clone()),
        ("store", home.db()),
        ("socket", home.socket()),
        ("configuration", home.config()),
    ];
    let shown: Vec<(&'static str, String)> =
        paths.into_iter().map(|(name, path)| (name, path.display().to_string())).collect();
    let data = shown.iter().map(|(name, path)| ((*name).to_owned(), json!(path))).collect::<serde_json::Map<_, _>>();
    let fields = shown.iter().map(|(name, path)| (*name, Text::of(path.as_str()))).collect();
    Ok(Told::new(vec![Block::Fields(fields)], data.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_every_verb_and_a_script_for_every_shell() {
        let mut command = Cli::command();
        command.build();
        let names: Vec<String> = pages(&command).unwrap().into_iter().map(|(name, _)| name).collect();
        for name in ["expos.1", "expos-queue.1", "expos-queue-approve.1", "expos-brief-template-list.1"] {
            assert!(names.iter().any(|n| n == name), "{name} is missing in {names:?}");
        }
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let told = completions(&Completions { shell }).unwrap();
            assert!(told.data["script"].as_str().unwrap().contains("approve"), "{shell}");
        }
    }

    #[test]
    fn the_matrix_is_the_domains() {
        let told = matrix();
        assert_eq!(told.data.as_array().unwrap().len(), domain::role::MATRIX.len() + 1);
        assert_eq!(told.data[0][0], "action");
    }
}
