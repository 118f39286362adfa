//! Reading what accounts hold: `com.atproto.repo`, `com.atproto.sync`, `com.atproto.identity`, and the directory of DIDs.
//!
//! Decided here: what the servers of accounts say about a repository, at once and to anybody. An account that is closed is
//! not read from; that it exists, and is closed, is said.

use bytes::Bytes;
use serde_json::{Value, json};

use super::door::{Answered, Door, House};
use super::names::{is_did, is_handle};
use super::server::put_status;
use super::state::{Account, Put, Standing};
use super::xrpc::{Ask, Refused, Reply};

pub(crate) fn resolve_handle(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let handle = ask.need("handle")?.to_ascii_lowercase();
    if !is_handle(&handle) {
        return Err(Refused::invalid("Error: handle must be a valid handle"));
    }
    let account = door.state.account(&handle).filter(|account| account.is_active());
    let account = account.ok_or_else(|| Refused::invalid("Unable to resolve handle"))?;
    Ok(Reply::json(&json!({"did": account.did})))
}

pub(crate) fn get_record(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let (repo, collection, rkey) = (ask.need("repo")?, ask.need("collection")?, ask.need("rkey")?);
    let account = door.state.account(repo).filter(|account| account.is_active());
    let did = account.map_or(repo, |account| account.did.as_str());
    let uri = format!("at://{did}/{collection}/{rkey}");
    let stored = account.and_then(|account| account.slot(collection, rkey)?.stored());
    let stored = stored.filter(|put| ask.param("cid").is_none_or(|cid| cid == put.cid));
    match stored {
        Some(put) => Ok(Reply::json(&record(&uri, put))),
        None => Err(Refused::named("RecordNotFound", format!("Could not locate record: {uri}"))),
    }
}

pub(crate) fn list_records(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let (repo, collection) = (ask.need("repo")?, ask.need("collection")?);
    let limit = ask.number("limit", 50, 1, 100)?;
    let account = door.state.account(repo).filter(|account| account.is_active());
    let account = account.ok_or_else(|| Refused::invalid(format!("Could not find repo: {repo}")))?;
    let there = account.collection(collection).filter_map(|(rkey, slot)| Some((rkey, slot.stored()?)));
    let listed: Vec<(&str, &Put)> = match (ask.flag("reverse"), ask.param("cursor")) {
        (true, cursor) => there.filter(|(rkey, _)| cursor.is_none_or(|cursor| *rkey > cursor)).take(limit).collect(),
        (false, cursor) => {
            there.rev().filter(|(rkey, _)| cursor.is_none_or(|cursor| *rkey < cursor)).take(limit).collect()
        }
    };
    let uri = |rkey: &str| format!("at://{}/{collection}/{rkey}", account.did);
    let records: Vec<Value> = listed.iter().map(|(rkey, put)| record(&uri(rkey), put)).collect();
    let mut body = json!({"records": records});
    if let Some((rkey, _)) = listed.last() {
        body["cursor"] = json!(rkey);
    }
    Ok(Reply::json(&body))
}

pub(crate) fn describe_repo(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let repo = ask.need("repo")?;
    let account = door.state.account(repo).filter(|account| account.is_active());
    let account = account.ok_or_else(|| Refused::invalid(format!("Could not find repo: {repo}")))?;
    let mut collections: Vec<&String> =
        account.records.iter().filter(|(_, slot)| slot.stored().is_some()).map(|((name, _), _)| name).collect();
    collections.dedup();
    Ok(Reply::json(&json!({
        "handle": account.handle,
        "did": account.did,
        "didDoc": document(door.house, account),
        "collections": collections,
        "handleIsCorrect": true,
    })))
}

pub(crate) fn get_blob(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let (did, cid) = (ask.need("did")?, ask.need("cid")?);
    let account = door.state.accounts.get(did);
    let account = account.ok_or_else(|| repo_not_found(did))?;
    match account.standing {
        Standing::Active => {}
        Standing::Deactivated => {
            return Err(Refused::named("RepoDeactivated", format!("Repo has been deactivated: {did}")));
        }
        Standing::Takendown => return Err(Refused::named("RepoTakendown", format!("Repo has been takendown: {did}"))),
    }
    let blob = account.blobs.get(cid).ok_or_else(|| Refused::invalid("Blob not found"))?;
    Ok(Reply::bytes(&blob.mime, blob.data.clone())
        .header("x-content-type-options", "nosniff".to_owned())
        .header("content-security-policy", "default-src 'none'; sandbox".to_owned()))
}

pub(crate) fn get_repo_status(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let did = ask.need("did")?;
    let account = door.state.accounts.get(did).ok_or_else(|| repo_not_found(did))?;
    let mut body = json!({"did": did});
    put_status(&mut body, account);
    if account.is_active() {
        body["rev"] = json!(account.rev);
    }
    Ok(Reply::json(&body))
}

/// Paths that are no methods: the directory, the hosts of handles, and pictures.
pub(crate) fn plain(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let not_found = || Refused::new(404, "NotFound", "Cannot find that");
    let path = ask.path.trim_start_matches('/');
    if path == ".well-known/atproto-did" {
        let account = door.state.account(&ask.host).filter(|account| account.handle == ask.host);
        let account = account.ok_or_else(not_found)?;
        return Ok(Reply::bytes("text/plain", Bytes::from(account.did.clone())));
    }
    if let Some(picture) = path.strip_prefix("img/") {
        let mut parts = picture.split('/').skip(2);
        let account = parts.next().and_then(|did| door.state.accounts.get(did)).ok_or_else(not_found)?;
        let cid = parts.next().and_then(|cid| cid.split('@').next()).ok_or_else(not_found)?;
        let blob = account.blobs.get(cid).ok_or_else(not_found)?;
        return Ok(Reply::bytes(&blob.mime, blob.data.clone()));
    }
    let did = path.replace("%3A", ":");
    if is_did(&did) {
        let account = door.state.accounts.get(&did);
        return match account {
            Some(account) => Ok(Reply::json(&document(door.house, account))),
            None => Err(Refused::new(404, "NotFound", format!("DID not registered: {did}"))),
        };
    }
    Err(not_found())
}

/// The document of a DID.
pub(crate) fn document(house: &House, account: &Account) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": account.did,
        "alsoKnownAs": [format!("at://{}", account.handle)],
        "verificationMethod": [],
        "service": [{
            "id": "#atproto_pds",
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": house.base,
        }],
    })
}

fn record(uri: &str, put: &Put) -> Value {
    json!({"uri": uri, "cid": put.cid, "value": put.value})
}

fn repo_not_found(did: &str) -> Refused {
    Refused::named("RepoNotFound", format!("Could not find repo for DID: {did}"))
}
