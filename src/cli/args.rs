//! Arguments: the nouns, and what can be said beside every verb.
//!
//! Decides only the grammar; a noun's verbs stand in its own file in `noun`. Help leads with examples.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::error::Failure;
use crate::noun;
use crate::start::{Dashboard, Demo};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "expos",
    version,
    about = "Controlled experiments on an agency's social media accounts",
    before_help = EXAMPLES,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 refused by a rule, 4 not found, 5 not allowed, \
                  6 changed since seen, 7 desk unreachable, 8 input invalid, 9 nothing to do, 130 interrupted.",
    disable_help_subcommand = true,
    max_term_width = 80
)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(flatten)]
    pub(crate) dashboard: Dashboard,
    #[command(subcommand)]
    pub(crate) noun: Option<Noun>,
}

const EXAMPLES: &str = "\
Examples:
  expos queue list                          what waits, with fingerprints
  expos queue show ACME-001                 all of it, and its fingerprint
  expos queue approve ACME-001 --fingerprint 7f3a91c2 --yes
  expos brief check - < brief.toml          exit 8 and a line per problem
  expos post why 01JD --json                what happened, what can be done";

/// What can be said beside every verb.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The agency's folder [or EXPOS_HOME; else expos in the data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Print JSON: {"schema":1,"data":…}; errors as JSON too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print tab separated values, nothing cut
    #[arg(long, global = true, conflicts_with = "json")]
    pub(crate) plain: bool,
    /// No notes and no next step
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say which home and which desk was used
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// Never ask, never open an editor
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Beside every verb that changes something.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Change {
    /// Only tell what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Beside every verb after which more may go out than before.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Raise {
    #[command(flatten)]
    pub(crate) change: Change,
    /// Yes, do it: more may go out than before
    #[arg(long)]
    pub(crate) yes: bool,
}

impl Raise {
    /// Refuses what raises exposure and was not confirmed, with the command to give instead.
    pub(crate) fn check(&self, what: impl Into<String>, again: &str) -> Result<(), Failure> {
        if self.yes || self.change.dry_run {
            return Ok(());
        }
        Err(Failure::Usage {
            what: what.into(),
            why: "more may go out after this, so it needs --yes".to_owned(),
            mend: format!("repeat it as `{again} --yes`"),
        })
    }
}

/// Quotes a word for a shell, so that a command that is shown can be given as it stands.
pub(crate) fn quoted(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What is acted on.
#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    /// Found a home
    Init(noun::program::Init),
    /// Clients, with their brand kit and zone
    #[command(subcommand, before_help = noun::client::EXAMPLES)]
    Client(noun::client::Verb),
    /// A client's policy
    #[command(subcommand, before_help = noun::policy::EXAMPLES)]
    Policy(noun::policy::Verb),
    /// People, and what they may do
    #[command(subcommand, before_help = noun::user::EXAMPLES)]
    User(noun::user::Verb),
    /// Clients' accounts on platforms
    #[command(subcommand, before_help = noun::account::EXAMPLES)]
    Account(noun::account::Verb),
    /// Briefs: what is to be learned
    #[command(subcommand, before_help = noun::brief::EXAMPLES)]
    Brief(noun::brief::Verb),
    /// Experiments
    #[command(subcommand, before_help = noun::experiment::EXAMPLES)]
    Experiment(noun::experiment::Verb),
    /// Versions of an experiment's content
    #[command(subcommand, before_help = noun::variant::EXAMPLES)]
    Variant(noun::variant::Verb),
    /// What the guards find
    #[command(subcommand, before_help = noun::preflight::EXAMPLES)]
    Preflight(noun::preflight::Verb),
    /// What waits for approval
    #[command(subcommand, before_help = noun::queue::EXAMPLES)]
    Queue(noun::queue::Verb),
    /// Take an approval back
    Undo(noun::queue::Undo),
    /// Rounds of the day: how they stand, signing one
    #[command(subcommand, before_help = noun::checkin::EXAMPLES)]
    Checkin(noun::checkin::Verb),
    /// Slots: what goes out when
    #[command(subcommand, before_help = noun::calendar::EXAMPLES)]
    Calendar(noun::calendar::Verb),
    /// Layers: who tests what where
    #[command(subcommand, before_help = noun::layer::EXAMPLES)]
    Layer(noun::layer::Verb),
    /// Posts
    #[command(subcommand, before_help = noun::post::EXAMPLES)]
    Post(noun::post::Verb),
    /// Metrics of posts at equal ages
    #[command(subcommand, before_help = noun::snapshot::EXAMPLES)]
    Snapshot(noun::snapshot::Verb),
    /// What experiments say: comparable or not, who is ahead, what would change it
    #[command(subcommand, before_help = noun::outcome::EXAMPLES)]
    Outcome(noun::outcome::Verb),
    /// Reports: all that is known of a reviewed experiment
    #[command(subcommand, before_help = noun::report::EXAMPLES)]
    Report(noun::report::Verb),
    /// Memory: what experiments taught
    #[command(subcommand, before_help = noun::learning::EXAMPLES)]
    Learning(noun::learning::Verb),
    /// What people wrote under posts, and one answer at a time
    #[command(subcommand, before_help = noun::reply::EXAMPLES)]
    Reply(noun::reply::Verb),
    /// What a person must settle
    #[command(subcommand, before_help = noun::escalation::EXAMPLES)]
    Escalation(noun::escalation::Verb),
    /// The engine: publishes, verifies, measures
    #[command(subcommand, before_help = noun::engine::EXAMPLES)]
    Engine(noun::engine::Verb),
    /// A whole agency on a stand-in network, in one command; nothing leaves this box
    #[command(
        before_help = "Examples:\n  expos demo\n  expos demo --at 08:45 --as tomas\n  expos demo --speed 600 --seed 7"
    )]
    Demo(Demo),
    /// Put everything on hold, at once
    StopAll(noun::engine::StopAll),
    /// How the engine is: exit 0 well, 1 degraded, 2 dead or held, 3 cannot tell
    Health,
    /// The log as an audit trail
    #[command(subcommand, before_help = noun::audit::EXAMPLES)]
    Audit(noun::audit::Verb),
    /// The store
    #[command(subcommand, before_help = noun::store::EXAMPLES)]
    Store(noun::store::Verb),
    /// The log
    #[command(subcommand, before_help = noun::events::EXAMPLES)]
    Events(noun::events::Verb),
    /// Who may do what
    Matrix,
    /// Which program this is
    Version,
    /// Print completions for a shell
    Completions(noun::program::Completions),
    /// Write the manual pages
    Man(noun::program::Man),
    /// Where things are
    #[command(subcommand, before_help = noun::program::CONFIG_EXAMPLES)]
    Config(noun::program::Config),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_holds_together() {
        Cli::command().debug_assert();
    }

    fn walk(command: &mut clap::Command, path: &str, look: &mut impl FnMut(&mut clap::Command, &str)) {
        look(command, path);
        let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
        for name in names {
            let sub = command.find_subcommand_mut(&name).unwrap();
            walk(sub, &format!("{path} {name}"), look);
        }
    }

    #[test]
    fn every_help_fits_eighty_columns_and_says_what_it_is_for() {
        let mut command = Cli::command().term_width(80);
        command.build();
        walk(&mut command, "expos", &mut |command, path| {
            for help in [command.render_help().to_string(), command.render_long_help().to_string()] {
                for line in help.lines() {
                    assert!(line.chars().count() <= 80, "{path}: {line}");
                }
            }
            assert!(command.get_about().is_some(), "{path} says nothing");
        });
    }

    #[test]
    fn the_help_of_every_noun_with_verbs_leads_with_examples_that_parse() {
        let mut command = Cli::command();
        command.build();
        let mut examples = Vec::new();
        walk(&mut command, "expos", &mut |command, path| {
            if !command.has_subcommands() || path.matches(' ').count() > 1 {
                return;
            }
            let help = command.render_help().to_string();
            assert!(help.starts_with("Examples:\n"), "{path}: {help}");
            examples.extend(help.lines().skip(1).take_while(|l| l.starts_with("  expos")).map(str::to_owned));
        });
        assert!(examples.len() > 30);
        for example in examples {
            let words = example.trim().split("   ").next().unwrap_or_default();
            let words = words.split(['<', '>']).next().unwrap_or_default();
            // Every second piece between quotes is one word.
            let quoted = words.split('\'').enumerate().flat_map(|(place, piece)| {
                if place % 2 == 1 { vec![piece] } else { piece.split_whitespace().collect() }
            });
            Cli::try_parse_from(quoted).unwrap_or_else(|e| panic!("{example}: {e}"));
        }
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it() {
        assert_eq!(quoted("ACME-001"), "ACME-001");
        assert_eq!(quoted("it's on"), r"'it'\''s on'");
        assert_eq!(quoted("$(rm)"), "'$(rm)'");
        assert_eq!(quoted(""), "''");
    }
}
