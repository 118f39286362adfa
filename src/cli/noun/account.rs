//! Accounts: connected by an app password that is typed or piped, never given as an argument (T12, T14).
//!
//! The desk records that a connection is asked for, and the engine logs in: so this waits for the engine to say how it went.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use desk::query::AccountView;
use desk::{Command, SecretText, Stoppable};
use domain::account::{Connection, Servers};
use domain::brief::Platform;
use domain::id::BadId;

use super::{hold_cell, hold_options, holds, reason_or, seen};
use crate::args::{Change, Raise, quoted};
use crate::error::Failure;
use crate::io::Hidden;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, Zones, data};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos account connect bluesky --account bs --client acme --handle acme.app
  expos account show acme-bs
  expos account pause acme-bs --reason 'login challenge'";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Connect an account; the app password is asked for, or read from a pipe
    #[command(
        override_usage = "expos account connect bluesky --account ID --client CLIENT\n       --handle HANDLE [OPTIONS]"
    )]
    Connect {
        /// Where
        platform: PlatformName,
        /// Short name for the account
        #[arg(long, value_name = "ID")]
        account: String,
        /// Whose it is
        #[arg(long, value_name = "CLIENT")]
        client: String,
        /// Its handle, without @
        #[arg(long)]
        handle: String,
        /// The account's own server [default: found by its identity]
        #[arg(long, value_name = "URL")]
        pds: Option<String>,
        /// Where posts are read back in public [default: Bluesky's]
        #[arg(long, value_name = "URL")]
        appview: Option<String>,
        /// The directory of identities [default: the public one]
        #[arg(long, value_name = "URL")]
        plc: Option<String>,
        /// How long to wait for the engine to log in; 0 not at all
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u32,
        #[command(flatten)]
        change: Change,
    },
    /// List accounts
    List,
    /// Show an account
    Show {
        /// Short name
        account: String,
    },
    /// Forget an account's login
    Disconnect {
        /// Short name
        account: String,
        #[command(flatten)]
        change: Change,
    },
    /// Stop an account, at once
    Pause {
        /// Short name
        account: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Let an account go on
    Resume {
        /// Short name
        account: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Which hold ends, as `show` names it; may be given again [default: all that stand now]
        #[arg(long = "hold", value_name = "NAME")]
        holds: Vec<String>,
        #[command(flatten)]
        raise: Raise,
    },
}

/// A platform that can be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlatformName {
    /// Bluesky, and every other server of its protocol
    Bluesky,
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Connect { platform: PlatformName::Bluesky, account, client, handle, pds, appview, plc, wait, change } => {
            let asked = Asked { account, client, handle, servers: Servers { pds, appview, plc } };
            connect(session, asked, wait, &change).await
        }
        Verb::List => {
            let accounts = session.accounts().await?;
            let columns = vec![
                keep("account"),
                keep("client"),
                keep("platform"),
                keep("connection"),
                keep("hold"),
                flow("handle"),
            ];
            let rows = accounts.iter().map(row).collect();
            Ok(Told::table(
                columns,
                rows,
                "no accounts yet; connect one with `expos account connect`",
                data(&accounts)?,
            ))
        }
        Verb::Show { account } => {
            let view = session.account(&account).await?;
            let zones = session.zones().await?;
            Ok(Told::new(show(&view, &zones), data(&view)?))
        }
        Verb::Disconnect { account, change } => {
            let id = session.existing("account", &account).await?;
            session.act_on("account", &account, Command::AccountDisconnect { account: id }, &change).await
        }
        Verb::Pause { account, reason, change } => {
            let target = Stoppable::Account(session.existing("account", &account).await?);
            session.act_on("account", &account, Command::Pause { target, reason: reason_or(reason) }, &change).await
        }
        Verb::Resume { account, reason, holds, raise } => {
            let options = hold_options(&holds);
            let again = format!("expos account resume {} --reason {}{options}", quoted(&account), quoted(&reason));
            raise.check(format!("account {account}"), &again)?;
            let view = session.account(&account).await?;
            let (target, holds) = (Stoppable::Account(view.id), seen(holds, &view.holds));
            session.act_on("account", &account, Command::Resume { target, reason, holds }, &raise.change).await
        }
    }
}

struct Asked {
    account: String,
    client: String,
    handle: String,
    servers: Servers,
}

async fn connect(session: &mut Session<'_>, asked: Asked, wait: u32, change: &Change) -> Result<Told, Failure> {
    let account: domain::id::AccountId = asked.account.parse().map_err(|e: BadId| {
        Failure::invalid("account.id", "the account's short name", e.to_string(), "give it as in `--account acme-bs`")
    })?;
    // The client is looked for before a secret is asked for.
    let client = session.client(&asked.client).await?.id;
    let password = password(session, &asked.handle).await?;
    let command = Command::AccountConnect {
        account: account.clone(),
        client,
        platform: Platform::Bluesky,
        handle: asked.handle,
        servers: asked.servers,
        password: SecretText::new(password),
    };
    let told = session.act(command, change).await?;
    if change.dry_run || wait == 0 {
        return Ok(told);
    }
    if !session.door().await?.is_remote() {
        return Ok(told.note("no engine is running, and it is the engine that logs in").next("expos engine run"));
    }
    wait_for(session, account.as_str(), wait).await
}

/// The longest app password that is read; the desk decides what is one.
const PASSWORD_MAX: usize = 4096;

async fn password(session: &mut Session<'_>, handle: &str) -> Result<String, Failure> {
    let broken = |why: &str| {
        Failure::invalid(
            "account.password",
            "the app password",
            why,
            "type it, or pipe it in as one line; it is never an argument",
        )
    };
    let line = if session.io.in_is_tty {
        if !session.can_ask() {
            return Err(broken("there is nobody to ask for it (--no-input, or standard error is no terminal)"));
        }
        let prompt = Text::of(format!("app password of {handle} (not shown): ")).plain().to_owned();
        // Before the question is put: what is typed as an answer must not be dropped with what was typed before.
        let _hidden = Hidden::begin()
            .map_err(|error| Failure::failed(format!("the terminal cannot stop showing what is typed: {error}")))?;
        session.io.aside(&prompt);
        session.io.read_line(PASSWORD_MAX).await
    } else {
        session.io.read_line(PASSWORD_MAX).await
    };
    let line = line.map_err(|error| broken(&error.to_string()))?;
    if line.len() > PASSWORD_MAX {
        return Err(broken("it is longer than 4096 bytes"));
    }
    match String::from_utf8(line) {
        Ok(text) if text.is_empty() => Err(broken("none was given")),
        Ok(text) => Ok(text),
        Err(_) => Err(broken("it is not UTF-8 text")),
    }
}

/// Between two looks at the account.
const LOOK_EVERY: Duration = Duration::from_millis(300);

async fn wait_for(session: &mut Session<'_>, name: &str, seconds: u32) -> Result<Told, Failure> {
    let clock = std::sync::Arc::clone(&session.clock);
    let end = clock.boot().plus(Duration::from_secs(u64::from(seconds)));
    session.note(&format!("account {name}: waiting for the engine to log in"));
    loop {
        let view = session.account(name).await?;
        match &view.connection {
            Connection::Connected { .. } => {
                let zones = session.zones().await?;
                return Ok(Told::new(show(&view, &zones), data(&view)?).next("expos brief template list"));
            }
            Connection::Failed { why } | Connection::Reconnect { why } => {
                return Err(Failure::failed(format!("account {name}: the login failed: {why}")));
            }
            Connection::Disconnected => {
                return Err(Failure::failed(format!("account {name}: somebody disconnected it meanwhile")));
            }
            Connection::Asked { .. } => {}
        }
        if clock.boot() >= end {
            let why = format!(
                "account {name}: the engine has not logged in within {seconds} s; look again with `expos account show {name}`"
            );
            return Err(Failure::failed(why));
        }
        clock.sleep_until_boot(clock.boot().plus(LOOK_EVERY)).await;
    }
}

fn connection(connection: &Connection) -> Text {
    match connection {
        Connection::Asked { .. } => Text::of("asked for"),
        Connection::Connected { .. } => Text::of("connected").look(Look::Good),
        Connection::Failed { .. } => Text::of("failed").look(Look::Bad),
        Connection::Reconnect { .. } => Text::of("reconnect").look(Look::Bad),
        Connection::Disconnected => Text::of("disconnected"),
    }
}

fn row(account: &AccountView) -> Vec<Text> {
    vec![
        account.id.as_str().into(),
        account.client.as_str().into(),
        account.platform.as_str().into(),
        connection(&account.connection),
        if account.holds.is_empty() && !account.watched.is_empty() {
            Text::of("watched").look(Look::Warn)
        } else {
            hold_cell(&account.holds)
        },
        account.handle.as_str().into(),
    ]
}

fn show(account: &AccountView, zones: &Zones) -> Vec<Block> {
    let mut fields = vec![
        ("account", account.id.as_str().into()),
        ("client", account.client.as_str().into()),
        ("platform", account.platform.as_str().into()),
        ("handle", account.handle.as_str().into()),
        ("connection", connection(&account.connection)),
    ];
    match &account.connection {
        Connection::Asked { at } | Connection::Connected { at } => {
            fields.push(("since", zones.local(&account.client, *at).into()))
        }
        Connection::Failed { why } | Connection::Reconnect { why } => fields.push(("why", why.as_str().into())),
        Connection::Disconnected => {}
    }
    if let Some(identity) = &account.identity {
        fields.push(("identity", identity.id.as_str().into()));
        fields.push(("known as", identity.handle.as_str().into()));
        fields.push(("server", identity.server.as_str().into()));
    }
    let servers = [("pds", &account.servers.pds), ("appview", &account.servers.appview), ("plc", &account.servers.plc)];
    fields.extend(servers.into_iter().filter_map(|(name, url)| Some((name, url.as_deref()?.into()))));
    let mut blocks = vec![Block::Fields(fields)];
    blocks.extend(holds(&account.holds, &|time| zones.local(&account.client, time)));
    blocks.extend(account.watched.iter().map(|watch| {
        let since = zones.local(&account.client, watch.at);
        let words = format!("watched since {since}, and not stopped: account {} had a {}", watch.of, watch.why);
        Block::Line(Text::of(words).look(Look::Warn))
    }));
    blocks
}
