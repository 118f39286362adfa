//! Writing to repositories: `com.atproto.repo`.
//!
//! Decided here: what each call does to what stands under a key.
//!
//! | call, with a key chosen before | nothing there | the same bytes | other bytes |
//! |---|---|---|---|
//! | `createRecord` | written | 500 | 500 |
//! | `putRecord`, `swapRecord: null` | written | 200, no commit | 400 `InvalidSwap` |
//! | `putRecord`, `swapRecord` of what is there | 400 `InvalidSwap` | 200, no commit | overwritten |
//! | `putRecord` alone | written | 200, no commit | overwritten |
//!
//! `swapCommit` names the last commit of the repository, or the write is refused as `InvalidSwap`. Source: the network's own
//! server of accounts.
//!
//! Invariant: a request writes one commit, or nothing.

use serde_json::{Value, json};

use super::cbor::{blob_cid, ordered, record_cid};
use super::door::{Answered, Door, in_use};
use super::lexicon::{BLOCK, Checked, FOLLOW, LIKE, REPOST, blobs, check};
use super::limits::{Standing as LimitStanding, WRITES};
use super::names::{is_nsid, is_rkey};
use super::state::{Change, Maker, Put, Write};
use super::xrpc::{Ask, Refused, Reply, text};

/// The most bytes of a blob; a server that an agency runs itself has this by default.
const BLOB_MAX: usize = 5 * 1024 * 1024;
/// The most records that one request writes.
const WRITES_MAX: usize = 200;
const CREATE_POINTS: u32 = 3;
const UPDATE_POINTS: u32 = 2;
const DELETE_POINTS: u32 = 1;

pub(crate) fn upload_blob(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let did = door.access(ask)?.sub;
    if let Some(account) = door.state.account(&did) {
        in_use(account)?;
    }
    if ask.content_type.is_empty() {
        return Err(Refused::invalid("Request encoding (Content-Type) required but not provided"));
    }
    if ask.body.is_empty() {
        return Err(Refused::invalid("A request body was expected but none was provided"));
    }
    if ask.body.len() > BLOB_MAX {
        return Err(Refused::new(413, "PayloadTooLarge", "request entity too large"));
    }
    let cid = blob_cid(&ask.body);
    let known = door.state.account(&did).and_then(|account| account.blobs.get(&cid)).map(|blob| blob.mime.clone());
    let mime = sniffed(&ask.body).map_or_else(|| ask.content_type.clone(), str::to_owned);
    if known.is_none() {
        door.change(Change::Blob { did, cid: cid.clone(), mime: mime.clone(), data: ask.body.clone() });
    }
    let mime = known.unwrap_or(mime);
    Ok(Reply::json(&json!({
        "blob": {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": ask.body.len()},
    })))
}

pub(crate) fn create_record(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let body = ask.json()?;
    let (did, limit) = match begin(door, ask, &body, CREATE_POINTS)? {
        Ok(begun) => begun,
        Err(full) => return Ok(full),
    };
    let prepared = prepare(door, &did, &body, body.get("rkey"), body.get("record"), "record")?;
    door.key = Some(prepared.uri(&did));
    check_head(door, &did, &body)?;
    if door.stored(&did, &prepared).is_some() {
        return Err(Refused::internal());
    }
    let mut writes = superseded(door, &did, &prepared);
    check_blobs(door, &did, &prepared)?;
    writes.push(prepared.write(door));
    let commit = door.commit(&did, Maker::Interface, writes);
    Ok(prepared.reply(&did, Some(commit)).limited(limit))
}

pub(crate) fn put_record(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let body = ask.json()?;
    let (did, limit) = match begin(door, ask, &body, UPDATE_POINTS)? {
        Ok(begun) => begun,
        Err(full) => return Ok(full),
    };
    text(&body, "rkey")?;
    let prepared = prepare(door, &did, &body, body.get("rkey"), body.get("record"), "record")?;
    door.key = Some(prepared.uri(&did));
    let current = door.stored(&did, &prepared);
    if current.as_deref() == Some(prepared.put.cid.as_str()) {
        return Ok(prepared.reply(&did, None).limited(limit));
    }
    check_head(door, &did, &body)?;
    check_swap(body.get("swapRecord"), current.as_deref())?;
    check_blobs(door, &did, &prepared)?;
    let write = prepared.write(door);
    let commit = door.commit(&did, Maker::Interface, vec![write]);
    Ok(prepared.reply(&did, Some(commit)).limited(limit))
}

pub(crate) fn delete_record(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let body = ask.json()?;
    let (did, limit) = match begin(door, ask, &body, DELETE_POINTS)? {
        Ok(begun) => begun,
        Err(full) => return Ok(full),
    };
    let (collection, rkey) = (text(&body, "collection")?, text(&body, "rkey")?);
    door.key = Some(format!("at://{did}/{collection}/{rkey}"));
    let current = door.state.account(&did).and_then(|account| account.slot(collection, rkey)?.stored());
    let Some(current) = current.map(|put| put.cid.clone()) else { return Ok(Reply::json(&json!({})).limited(limit)) };
    check_head(door, &did, &body)?;
    if let Some(swap) = body.get("swapRecord").filter(|swap| swap.is_string()) {
        check_swap(Some(swap), Some(&current))?;
    }
    let write = removal(door, &did, collection, rkey);
    let (cid, rev) = door.commit(&did, Maker::Interface, vec![write]);
    Ok(Reply::json(&json!({"commit": {"cid": cid, "rev": rev}})).limited(limit))
}

pub(crate) fn apply_writes(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let body = ask.json()?;
    let asked = body.get("writes").and_then(Value::as_array);
    let asked = asked.ok_or_else(|| Refused::invalid("Input must have the property \"writes\""))?;
    let points = asked.iter().fold(0_u32, |points, write| {
        points.saturating_add(match write.get("$type").and_then(Value::as_str) {
            Some("com.atproto.repo.applyWrites#create") => CREATE_POINTS,
            Some("com.atproto.repo.applyWrites#update") => UPDATE_POINTS,
            Some(_) | None => DELETE_POINTS,
        })
    });
    let (did, limit) = match begin(door, ask, &body, points)? {
        Ok(begun) => begun,
        Err(full) => return Ok(full),
    };
    if asked.len() > WRITES_MAX {
        return Err(Refused::invalid("Too many writes. Max: 200"));
    }
    let (mut writes, mut results) = (Vec::new(), Vec::new());
    // What stands under a key after the writes before this one.
    let mut standing: std::collections::BTreeMap<(String, String), bool> = std::collections::BTreeMap::new();
    for one in asked {
        let kind = text(one, "$type")?;
        let value = one.get("value");
        match kind {
            "com.atproto.repo.applyWrites#create" | "com.atproto.repo.applyWrites#update" => {
                let prepared = prepare(door, &did, one, one.get("rkey"), value, "value")?;
                let place = (prepared.collection.clone(), prepared.rkey.clone());
                let there = *standing.entry(place.clone()).or_insert_with(|| door.stored(&did, &prepared).is_some());
                if there != kind.ends_with("#update") {
                    return Err(Refused::internal());
                }
                standing.insert(place, true);
                check_blobs(door, &did, &prepared)?;
                results.push(json!({
                    "$type": format!("{kind}Result"),
                    "uri": prepared.uri(&did), "cid": prepared.put.cid, "validationStatus": prepared.status(),
                }));
                writes.push(prepared.write(door));
            }
            "com.atproto.repo.applyWrites#delete" => {
                let (collection, rkey) = (text(one, "collection")?, text(one, "rkey")?);
                let place = (collection.to_owned(), rkey.to_owned());
                let stored = || door.state.account(&did).and_then(|a| a.slot(collection, rkey)?.stored()).is_some();
                if !*standing.entry(place.clone()).or_insert_with(stored) {
                    return Err(Refused::internal());
                }
                standing.insert(place, false);
                writes.push(removal(door, &did, collection, rkey));
                results.push(json!({"$type": "com.atproto.repo.applyWrites#deleteResult"}));
            }
            _ => return Err(Refused::invalid(format!("Action not supported: {kind}"))),
        }
    }
    check_head(door, &did, &body)?;
    door.key = writes.first().map(|write| format!("at://{did}/{}/{}", write.collection, write.rkey));
    let (cid, rev) = door.commit(&did, Maker::Interface, writes);
    Ok(Reply::json(&json!({"commit": {"cid": cid, "rev": rev}, "results": results})).limited(limit))
}

/// A record that may be written.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) collection: String,
    pub(crate) rkey: String,
    pub(crate) put: Put,
    checked: Option<Checked>,
}

impl Prepared {
    pub(crate) fn uri(&self, did: &str) -> String {
        format!("at://{did}/{}/{}", self.collection, self.rkey)
    }

    pub(crate) fn write(&self, door: &Door<'_>) -> Write {
        let indexed = door.indexed(&format!("{}{}", self.rkey, self.put.cid));
        Write { collection: self.collection.clone(), rkey: self.rkey.clone(), put: Some(self.put.clone()), indexed }
    }

    const fn status(&self) -> Option<&'static str> {
        match self.checked {
            Some(Checked::Valid) => Some("valid"),
            Some(Checked::Unknown) => Some("unknown"),
            None => None,
        }
    }

    fn reply(&self, did: &str, commit: Option<(String, String)>) -> Reply {
        let mut body = json!({"uri": self.uri(did), "cid": self.put.cid});
        if let Some((cid, rev)) = commit {
            body["commit"] = json!({"cid": cid, "rev": rev});
        }
        if let Some(status) = self.status() {
            body["validationStatus"] = json!(status);
        }
        Reply::json(&body)
    }
}

impl Door<'_> {
    /// The identifier of what stands under a prepared record's key.
    fn stored(&self, did: &str, prepared: &Prepared) -> Option<String> {
        let slot = self.state.account(did)?.slot(&prepared.collection, &prepared.rkey)?;
        slot.stored().map(|put| put.cid.clone())
    }
}

/// Checks a record, its key and its place, and names it.
pub(crate) fn prepare(
    door: &Door<'_>,
    did: &str,
    body: &Value,
    rkey: Option<&Value>,
    record: Option<&Value>,
    name: &str,
) -> Result<Prepared, Refused> {
    let collection = text(body, "collection")?;
    if !is_nsid(collection) {
        return Err(Refused::invalid("Input/collection must be a valid nsid"));
    }
    let rkey = match rkey {
        Some(Value::String(rkey)) if is_rkey(rkey) => rkey.clone(),
        Some(Value::String(rkey)) => return Err(Refused::invalid(format!("Invalid record key: {rkey}"))),
        Some(Value::Null) | None => door.next_key(did),
        Some(_) => return Err(Refused::invalid("Input/rkey must be a string")),
    };
    let mut value =
        record.cloned().ok_or_else(|| Refused::invalid(format!("Input must have the property \"{name}\"")))?;
    let Some(map) = value.as_object_mut() else {
        return Err(Refused::invalid(format!("Input/{name} must be an object")));
    };
    let kind = map.entry("$type").or_insert_with(|| json!(collection));
    if kind != collection {
        return Err(Refused::invalid(format!("Invalid $type: expected {collection}, got {kind}")));
    }
    let checked = match body.get("validate") {
        Some(Value::Bool(false)) => None,
        validate => {
            let checked = check(collection, &rkey, &value).map_err(Refused::invalid)?;
            if checked == Checked::Unknown && validate == Some(&Value::Bool(true)) {
                return Err(Refused::invalid(format!("Unknown lexicon type: {collection}")));
            }
            Some(checked)
        }
    };
    let cid = record_cid(&value).map_err(|why| Refused::invalid(format!("Invalid record: {why}")))?;
    Ok(Prepared { collection: collection.to_owned(), rkey, put: Put { cid, value: ordered(value) }, checked })
}

/// Proves who writes, and counts it; the inner error is the answer of a full limit.
fn begin(
    door: &mut Door<'_>,
    ask: &Ask,
    body: &Value,
    points: u32,
) -> Result<Result<(String, LimitStanding), Reply>, Refused> {
    let did = door.writer(ask, text(body, "repo")?)?;
    Ok(door.limited(WRITES, &did, points).map(|standing| (did, standing)))
}

fn check_head(door: &Door<'_>, did: &str, body: &Value) -> Result<(), Refused> {
    let Some(expected) = body.get("swapCommit").and_then(Value::as_str) else { return Ok(()) };
    match door.state.account(did) {
        Some(account) if account.head != expected => {
            Err(Refused::named("InvalidSwap", format!("Commit was at {}", account.head)))
        }
        Some(_) | None => Ok(()),
    }
}

/// `null` asks that nothing be there, a text that just this be there.
fn check_swap(swap: Option<&Value>, current: Option<&str>) -> Result<(), Refused> {
    let good = match swap {
        None => true,
        Some(Value::String(expected)) => current == Some(expected.as_str()),
        Some(_) => current.is_none(),
    };
    if good {
        Ok(())
    } else {
        Err(Refused::named("InvalidSwap", format!("Record was at {}", current.unwrap_or("null"))))
    }
}

/// Every blob that a record holds was uploaded to this account, and is what the record says.
pub(crate) fn check_blobs(door: &Door<'_>, did: &str, prepared: &Prepared) -> Result<(), Refused> {
    let account = door.state.account(did);
    for (cid, mime, size) in blobs(&prepared.put.value) {
        let stored = account.and_then(|account| account.blobs.get(&cid));
        let stored = stored.ok_or_else(|| Refused::named("BlobNotFound", format!("Could not find blob: {cid}")))?;
        if stored.mime != mime {
            let words = format!("Referenced Mimetype does not match stored blob. Expected: {}", stored.mime);
            return Err(Refused::named("InvalidMimeType", words));
        }
        if u64::try_from(stored.data.len()) != Ok(size) {
            let words = format!("Referenced Size does not match stored blob. Expected: {}", stored.data.len());
            return Err(Refused::named("InvalidSize", words));
        }
    }
    Ok(())
}

/// An account likes, reposts, follows and blocks a thing once: the record before makes way for the new one.
pub(crate) fn superseded(door: &Door<'_>, did: &str, prepared: &Prepared) -> Vec<Write> {
    if ![LIKE, REPOST, FOLLOW, BLOCK].contains(&prepared.collection.as_str()) {
        return Vec::new();
    }
    let subject = |value: &Value| value.pointer("/subject/uri").or_else(|| value.get("subject")).cloned();
    let wanted = subject(&prepared.put.value);
    let Some(account) = door.state.account(did) else { return Vec::new() };
    account
        .collection(&prepared.collection)
        .filter(|(rkey, slot)| *rkey != prepared.rkey && slot.stored().is_some_and(|put| subject(&put.value) == wanted))
        .map(|(rkey, _)| removal(door, did, &prepared.collection, rkey))
        .collect()
}

pub(crate) fn removal(door: &Door<'_>, did: &str, collection: &str, rkey: &str) -> Write {
    let indexed = door.indexed(&format!("{did}{collection}{rkey}"));
    Write { collection: collection.to_owned(), rkey: rkey.to_owned(), put: None, indexed }
}

/// What a file is by its first bytes, whatever it is called.
fn sniffed(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, part: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(part));
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if at(0, b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if at(0, b"GIF8") {
        Some("image/gif")
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some("image/webp")
    } else if at(4, b"ftypavif") {
        Some("image/avif")
    } else if at(4, b"ftyp") {
        Some("video/mp4")
    } else if at(0, b"WEBVTT") {
        Some("text/vtt")
    } else {
        None
    }
}
