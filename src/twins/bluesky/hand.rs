//! What people do by hand, in an app: past the road and its faults, under the same rules.
//!
//! Decided here: the records that an app makes. They are in the journal as `HAND`, so that a checker can tell them from what
//! the interface was asked for.

use serde_json::{Value, json};

use super::crowd::thread_of;
use super::door::{Door, in_use, written};
use super::lexicon::{FOLLOW, LIKE, POST, REPOST};
use super::names::record_uri;
use super::state::Maker;
use super::writes::{check_blobs, prepare, removal, superseded};
use super::xrpc::Refused;

/// What was left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The record's address.
    pub uri: String,
    /// Its identifier.
    pub cid: String,
}

pub(crate) fn post(door: &mut Door<'_>, who: &str, text: &str) -> Result<Made, Refused> {
    let value = json!({"text": text});
    write(door, who, POST, None, value)
}

pub(crate) fn reply(door: &mut Door<'_>, who: &str, to: &str, text: &str) -> Result<Made, Refused> {
    let root = thread_of(door.state, to).ok_or_else(|| gone(to))?;
    let value = json!({"text": text, "reply": {"root": root, "parent": subject(door, to)?}});
    write(door, who, POST, None, value)
}

pub(crate) fn quote(door: &mut Door<'_>, who: &str, of: &str, text: &str) -> Result<Made, Refused> {
    let embed = json!({"$type": "app.bsky.embed.record", "record": subject(door, of)?});
    write(door, who, POST, None, json!({"text": text, "embed": embed}))
}

pub(crate) fn like(door: &mut Door<'_>, who: &str, uri: &str) -> Result<Made, Refused> {
    let value = json!({"subject": subject(door, uri)?});
    write(door, who, LIKE, None, value)
}

pub(crate) fn repost(door: &mut Door<'_>, who: &str, uri: &str) -> Result<Made, Refused> {
    let value = json!({"subject": subject(door, uri)?});
    write(door, who, REPOST, None, value)
}

pub(crate) fn follow(door: &mut Door<'_>, who: &str, whom: &str) -> Result<Made, Refused> {
    let did = door.state.account(whom).map(|account| account.did.clone()).ok_or_else(|| gone(whom))?;
    write(door, who, FOLLOW, None, json!({"subject": did}))
}

pub(crate) fn edit(door: &mut Door<'_>, who: &str, uri: &str, text: &str) -> Result<Made, Refused> {
    let (did, rkey) = own(door, who, uri)?;
    let stored = door.state.accounts.get(&did).and_then(|account| account.slot(POST, &rkey)?.stored());
    let mut value = stored.map(|put| put.value.clone()).ok_or_else(|| gone(uri))?;
    value["text"] = json!(text);
    write(door, who, POST, Some(&rkey), value)
}

pub(crate) fn delete(door: &mut Door<'_>, who: &str, uri: &str) -> Result<Made, Refused> {
    let collection = record_uri(uri).ok_or_else(|| gone(uri))?.collection.to_owned();
    let (did, rkey) = own(door, who, uri)?;
    let stored = door.state.accounts.get(&did).and_then(|account| account.slot(&collection, &rkey)?.stored());
    let cid = stored.map(|put| put.cid.clone()).ok_or_else(|| gone(uri))?;
    let write = removal(door, &did, &collection, &rkey);
    let uri = format!("at://{did}/{collection}/{rkey}");
    door.key = Some(uri.clone());
    door.commit(&did, Maker::Hand, vec![write]);
    Ok(Made { uri, cid })
}

fn write(
    door: &mut Door<'_>,
    who: &str,
    collection: &str,
    rkey: Option<&str>,
    mut value: Value,
) -> Result<Made, Refused> {
    let account = door.state.account(who).ok_or_else(|| gone(who))?;
    in_use(account)?;
    let did = account.did.clone();
    if value.get("createdAt").is_none() {
        value["createdAt"] = json!(written(door.now));
    }
    let body = json!({"collection": collection});
    let rkey = rkey.map(Value::from);
    let prepared = prepare(door, &did, &body, rkey.as_ref(), Some(&value), "record")?;
    check_blobs(door, &did, &prepared)?;
    let uri = prepared.uri(&did);
    (door.who, door.key) = (Some(did.clone()), Some(uri.clone()));
    let mut writes = superseded(door, &did, &prepared);
    writes.push(prepared.write(door));
    door.commit(&did, Maker::Hand, writes);
    Ok(Made { uri, cid: prepared.put.cid })
}

/// A record as others point to it.
fn subject(door: &Door<'_>, uri: &str) -> Result<Value, Refused> {
    let stored = door.state.slot(uri).and_then(|(_, slot)| slot.stored());
    let cid = stored.map(|put| put.cid.as_str()).ok_or_else(|| gone(uri))?;
    Ok(json!({"uri": uri, "cid": cid}))
}

fn own(door: &Door<'_>, who: &str, uri: &str) -> Result<(String, String), Refused> {
    let account = door.state.account(who).ok_or_else(|| gone(who))?;
    in_use(account)?;
    let parts = record_uri(uri).filter(|parts| parts.repo == account.did || parts.repo == account.handle);
    let parts = parts.ok_or_else(|| Refused::auth("AuthenticationRequired", "this is somebody else's"))?;
    Ok((account.did.clone(), parts.rkey.to_owned()))
}

fn gone(what: &str) -> Refused {
    Refused::named("RecordNotFound", format!("there is no {what}"))
}
