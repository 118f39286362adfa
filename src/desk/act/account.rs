//! Accounts: the desk records that a connection is asked for, and seals the password; the engine goes there.

use domain::account::{Account, AccountCommand, AccountEvent, Connection, Servers};
use domain::brief::Platform;
use domain::hold::Holds;
use domain::id::{AccountId, ClientId};
use domain::refusal::Refusal;
use domain::secret::SecretKind;
use serde_json::json;
use store::{Stop, Tx};

use super::Context;
use crate::command::{Done, SecretText};

/// A connection that a person asks for.
pub(super) struct Ask {
    pub(super) account: AccountId,
    pub(super) client: ClientId,
    pub(super) platform: Platform,
    pub(super) handle: String,
    pub(super) servers: Servers,
    pub(super) password: SecretText,
}

pub(super) fn connect(context: &Context, tx: &mut Tx<'_>, ask: Ask) -> Result<Done, Stop> {
    context.client(tx, &ask.client)?;
    let what = format!("account {}", ask.account);
    check_handle(&what, &ask.handle)?;
    let password = ask.password.into_secret();
    if password.expose().is_empty() || password.expose().len() > 1000 || password.expose().chars().any(char::is_control)
    {
        return Err(Refusal::invalid(
            "account.password",
            &what,
            "the app password is empty or not one line",
            "give it on standard input",
        )
        .into());
    }
    let at = tx.now();
    match tx.account(&ask.account)? {
        Some(known) => {
            context.check_scope(&known.client, "account", ask.account.as_str())?;
            if known.client != ask.client || known.platform != ask.platform {
                return Err(Refusal::rule(
                    "account.other",
                    &what,
                    format!("it belongs to {} on {}", known.client, known.platform),
                    "choose another short name",
                )
                .into());
            }
            let events = known.decide(AccountCommand::Ask { handle: ask.handle, servers: ask.servers, at })?;
            tx.append::<Account>(&ask.account, events)?;
        }
        None => {
            let account = Account {
                id: ask.account.clone(),
                client: ask.client,
                platform: ask.platform,
                handle: ask.handle,
                servers: ask.servers,
                identity: None,
                connection: Connection::Asked { at },
                holds: Holds::default(),
                added: at,
                alarms: Vec::new(),
                lost: Vec::new(),
                released: None,
                watched: Vec::new(),
            };
            tx.append::<Account>(&ask.account, vec![AccountEvent::AccountAdded { account: Box::new(account) }])?;
        }
    }
    tx.put_secret(&ask.account, SecretKind::AppPassword, &password)?;
    Ok(Done::new(
        format!("{what}: connection asked for; the engine logs in"),
        json!({"account": ask.account, "connection": "asked"}),
    )
    .next(format!("expos account show {}", ask.account)))
}

fn check_handle(what: &str, handle: &str) -> Result<(), Refusal> {
    let fine = (3..=253).contains(&handle.len())
        && handle.contains('.')
        && handle.split('.').all(|l| !l.is_empty() && l.len() <= 63 && !l.starts_with('-') && !l.ends_with('-'))
        && handle.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if fine {
        Ok(())
    } else {
        let found: String = handle.chars().take(64).collect();
        Err(Refusal::invalid(
            "account.handle",
            what,
            format!("`{found}` is not a handle"),
            "write it as name.example.com, without @",
        ))
    }
}

pub(super) fn disconnect(context: &Context, tx: &mut Tx<'_>, id: &AccountId) -> Result<Done, Stop> {
    let account: Account = tx.load(id)?;
    context.check_scope(&account.client, "account", id.as_str())?;
    let events = account.decide(AccountCommand::Disconnect)?;
    tx.append::<Account>(id, events)?;
    tx.delete_secrets(id)?;
    Ok(Done::new(format!("account {id} is disconnected and its login forgotten"), json!({"account": id})))
}
