//! Clients: taken on with a house experiment, edited as TOML. An edit voids what was approved under the old rules.

use domain::approval::Field;
use domain::client::{BrandKit, Client, ClientCommand, ClientEvent, Policy};
use domain::experiment::{Experiment, ExperimentEvent, ExperimentKind, Stage};
use domain::hold::Holds;
use domain::id::{ClientId, ExperimentId};
use domain::post::PostCommand;
use domain::preflight::Level;
use domain::refusal::Refusal;
use domain::role::Scope;
use domain::time::Zone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::follow::post_decide;
use store::{Stop, Tx};

use super::{Context, people};
use crate::command::Done;

/// What `client edit` shows and takes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientForm {
    /// Full name.
    pub name: String,
    /// Zone, as in `Europe/London`.
    pub zone: Zone,
    /// How it speaks.
    #[serde(default)]
    pub kit: BrandKit,
}

const FORM_MAX: usize = 256 * 1024;

/// Reads a form, with a refusal that names the line.
pub(super) fn read_form<T: for<'de> Deserialize<'de>>(what: &str, text: &str) -> Result<T, Refusal> {
    if text.len() > FORM_MAX {
        return Err(Refusal::invalid(
            "form.size",
            what,
            format!("it has {} bytes; the most is {FORM_MAX}", text.len()),
            "make it shorter",
        ));
    }
    toml::from_str(text).map_err(|e| {
        let why: String = e.message().chars().take(300).collect();
        let line =
            e.span().and_then(|s| text.get(..s.start)).map(|before| before.matches('\n').count().saturating_add(1));
        let place = line.map_or_else(String::new, |n| format!("line {n}: "));
        Refusal::invalid("form.toml", what, format!("{place}{why}"), "correct it and try again")
    })
}

/// Reads a form over what is there: a key that is left out keeps its value, so that nothing is lost by leaving it out.
fn read_over<T: Serialize + for<'de> Deserialize<'de>>(what: &str, present: &T, text: &str) -> Result<T, Refusal> {
    let given: toml::Table = read_form(what, text)?;
    let mut whole = toml::Table::try_from(present).map_err(|e| {
        Refusal::invalid("form.toml", what, e.to_string(), "tell an admin: the stored form cannot be written")
    })?;
    overlay(&mut whole, given);
    whole.try_into().map_err(|e: toml::de::Error| {
        let why: String = e.message().chars().take(300).collect();
        Refusal::invalid("form.toml", what, why, "correct it and try again")
    })
}

fn overlay(base: &mut toml::Table, given: toml::Table) {
    for (key, value) in given {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => overlay(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

pub(super) fn new(
    context: &mut Context,
    tx: &mut Tx<'_>,
    id: ClientId,
    name: String,
    zone: &str,
) -> Result<Done, Stop> {
    people::all_clients(context)?;
    let what = format!("client {id}");
    let zone: Zone = zone.parse().map_err(|e: domain::time::BadTime| {
        Refusal::invalid("client.zone", &what, e.to_string(), "name the client's zone")
    })?;
    check_name(&what, &name)?;
    if tx.client(&id)?.is_some() {
        return Err(Refusal::nothing(what, "it is a client already").into());
    }
    let prefix = code_prefix(&id);
    if let Some(other) = tx.clients(&Scope::All)?.iter().find(|c| code_prefix(&c.id) == prefix) {
        return Err(Refusal::invalid(
            "client.code",
            what,
            format!("its codes would be named {prefix}-… like those of {}", other.id),
            "choose a short name with other letters",
        )
        .into());
    }
    let now = tx.now();
    let house = ExperimentId::new(now, context.random());
    let client = Client {
        id: id.clone(),
        name,
        zone,
        kit: BrandKit::default(),
        policy: Policy::default(),
        policy_version: 1,
        house,
        holds: Holds::default(),
    };
    tx.append::<Client>(&id, vec![ClientEvent::ClientAdded { client: Box::new(client) }])?;
    let standing = Experiment {
        id: house,
        code: format!("{}-000", code_prefix(&id)),
        client: id.clone(),
        kind: ExperimentKind::House,
        author: context.writer(),
        editor: context.writer(),
        brief: None,
        variants: Vec::new(),
        findings: Vec::new(),
        level: Level::default(),
        plan: None,
        words: Vec::new(),
        stage: Stage::Running,
        holds: Holds::default(),
        created: now,
        later: None,
        review: None,
        parent: None,
    };
    let code = standing.code.clone();
    tx.append::<Experiment>(&house, vec![ExperimentEvent::ExperimentCreated { experiment: Box::new(standing) }])?;
    Ok(Done::new(
        format!("{id} is a client; its house experiment is {code}"),
        json!({"client": id, "house": house, "house_code": code}),
    )
    .next(format!("expos policy edit {id}")))
}

/// Returns the letters that a client's codes begin with.
pub(super) fn code_prefix(id: &ClientId) -> String {
    id.as_str().chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
}

fn check_name(what: &str, name: &str) -> Result<(), Refusal> {
    let length = name.chars().count();
    if (1..=200).contains(&length) && !name.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "client.name",
            what,
            "its name has to have 1 to 200 characters and no control characters",
            "give a shorter name",
        ))
    }
}

pub(super) fn edit(context: &Context, tx: &mut Tx<'_>, id: &ClientId, text: &str) -> Result<Done, Stop> {
    let client = context.client(tx, id)?;
    let present = ClientForm { name: client.name.clone(), zone: client.zone, kit: client.kit.clone() };
    let form: ClientForm = read_over(&format!("client {id}"), &present, text)?;
    check_name(&format!("client {id}"), &form.name)?;
    let events = client.decide(ClientCommand::Edit { name: form.name, zone: form.zone, kit: form.kit })?;
    let after = tx.append::<Client>(id, events)?;
    voided(context, tx, id, "kit", after.policy_version)
}

pub(super) fn edit_policy(context: &Context, tx: &mut Tx<'_>, id: &ClientId, text: &str) -> Result<Done, Stop> {
    let client = context.client(tx, id)?;
    let policy: Policy = read_over(&format!("policy of {id}"), &client.policy, text)?;
    let events = client.decide(ClientCommand::EditPolicy { policy: Box::new(policy) })?;
    let after = tx.append::<Client>(id, events)?;
    voided(context, tx, id, "policy", after.policy_version)
}

/// Voids every approval of the client that is still unsent, and every leave to send again that is in doubt.
fn voided(context: &Context, tx: &mut Tx<'_>, id: &ClientId, what: &str, version: u32) -> Result<Done, Stop> {
    let scope = Scope::Only(std::iter::once(id.clone()).collect());
    let words = ["planned", "preparing", "prepared", "awaiting operator", "committing", "unconfirmed"];
    let mut count = 0_u32;
    for post in tx.posts_in_state(&scope, &words)? {
        if post.approval.is_some() {
            let why = format!("{} edited the {what} (version {version})", context.person.name);
            post_decide(tx, post.id, PostCommand::Void { field: Field::Policy, why })?;
            count = count.saturating_add(1);
        }
    }
    let done = Done::new(
        format!("the {what} of {id} is at version {version}"),
        json!({"client": id, "version": version, "voided": count}),
    );
    Ok(if count == 0 {
        done
    } else {
        done.line(format!("{count} approvals are void: policy")).next("expos queue list")
    })
}
