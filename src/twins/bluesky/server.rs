//! Accounts and sessions: `com.atproto.server`.
//!
//! Decided here: who gets in, with which password, how sessions are renewed, and how one ends. A refresh token that was
//! used serves two hours on and gives the same successor, since answers get lost.

use std::time::Duration;

use data_encoding::BASE32_NOPAD_NOCASE;
use serde_json::{Value, json};

use super::door::{Answered, Door, later, written};
use super::limits::LOGINS;
use super::names::{is_handle, tid};
use super::reads::document;
use super::state::{Account, Change, Maker, Standing};
use super::token::{self, ACCESS_SECONDS, Claims, REFRESH_SECONDS, Scope};
use super::xrpc::{Ask, Refused, Reply, text};

/// How long a used refresh token serves on.
const GRACE: Duration = Duration::from_secs(2 * 60 * 60);
const REFRESH: Duration = Duration::from_secs(REFRESH_SECONDS.unsigned_abs());
/// What handles of this server end in.
const DOMAIN: &str = ".test";
/// Common words may not be handles; these stand for them.
const RESERVED: [&str; 5] = ["admin", "bluesky", "support", "root", "www"];

pub(crate) fn describe(door: &mut Door<'_>, _: &Ask) -> Answered {
    Ok(Reply::json(&json!({
        "did": service_did(door),
        "availableUserDomains": [DOMAIN],
        "inviteCodeRequired": false,
        "links": {},
        "contact": {},
    })))
}

pub(crate) fn create_account(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let body = ask.json()?;
    let handle = text(&body, "handle")?.to_ascii_lowercase();
    let password = text(&body, "password")?;
    let did = add(door, &handle, password, None, Maker::Interface)?;
    let session = open_session(door, &did, None);
    Ok(Reply::json(&session))
}

/// Makes an account; for whoever is allowed to.
pub(crate) fn add(
    door: &mut Door<'_>,
    handle: &str,
    password: &str,
    audience: Option<super::crowd::Audience>,
    maker: Maker,
) -> Result<String, Refused> {
    if !is_handle(handle) {
        return Err(Refused::named("InvalidHandle", "Input/handle must be a valid handle"));
    }
    let Some(name) = handle.strip_suffix(DOMAIN) else {
        return Err(Refused::named("UnsupportedDomain", "Not a supported handle domain"));
    };
    match name.len() {
        _ if name.contains('.') => return Err(Refused::named("InvalidHandle", "Invalid characters in handle")),
        0..3 => return Err(Refused::named("InvalidHandle", "Handle too short")),
        3..=18 => {}
        _ => return Err(Refused::named("InvalidHandle", "Handle too long")),
    }
    if RESERVED.contains(&name) {
        return Err(Refused::named("HandleNotAvailable", "Reserved handle"));
    }
    if door.state.account(handle).is_some() {
        return Err(Refused::named("HandleNotAvailable", format!("Handle already taken: {handle}")));
    }
    let did = did_of(door, handle);
    door.change(Change::Account {
        did: did.clone(),
        handle: handle.to_owned(),
        password: password.to_owned(),
        audience,
        maker,
        at: door.now,
    });
    door.commit(&did, maker, Vec::new());
    Ok(did)
}

pub(crate) fn create_session(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let body = ask.json()?;
    let (identifier, password) = (text(&body, "identifier")?, text(&body, "password")?);
    let standing = match door.limited(LOGINS, identifier, 1) {
        Ok(standing) => standing,
        Err(full) => return Ok(full),
    };
    let wrong = || Refused::auth("AuthenticationRequired", "Invalid identifier or password");
    let account = door.state.account(identifier).ok_or_else(wrong)?;
    let is_app_password = account.password != password;
    let app_password = account.app_passwords.iter().find(|(_, known)| known == password);
    let down = account.standing == Standing::Takendown;
    if is_app_password && (app_password.is_none() || down) {
        return Err(wrong());
    }
    if down && body.get("allowTakendown") != Some(&Value::Bool(true)) {
        return Err(Refused::auth("AccountTakedown", "Account has been taken down"));
    }
    let (did, name) = (account.did.clone(), app_password.map(|(name, _)| name.clone()));
    door.who = Some(did.clone());
    let session = open_session(door, &did, name.filter(|_| is_app_password));
    Ok(Reply::json(&session).limited(standing))
}

pub(crate) fn refresh_session(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let (claims, jti) = refresh_claims(door, ask)?;
    let account = door.state.account(&claims.sub);
    let account = account.ok_or_else(|| Refused::invalid("Could not find user info for account"))?;
    if account.standing == Standing::Takendown {
        return Err(Refused::auth("AccountTakedown", "Account has been taken down"));
    }
    let revoked = || Refused::named("ExpiredToken", "Token has been revoked");
    let session = door.state.sessions.get(&jti).ok_or_else(revoked)?;
    if session.until <= door.now || session.generation != account.generation {
        return Err(revoked());
    }
    let app_password = session.app_password;
    let next = match &session.next {
        Some(next) => next.clone(),
        None => {
            let next = new_jti(door);
            let (until, grace) = (later(door.now, REFRESH), later(door.now, GRACE));
            door.change(Change::Rotated { jti, next: next.clone(), until, grace });
            next
        }
    };
    door.who = Some(claims.sub.clone());
    Ok(Reply::json(&session_json(door, &claims.sub, &next, app_password)))
}

pub(crate) fn get_session(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let did = door.access(ask)?.sub;
    let account = door.state.accounts.get(&did).filter(|account| account.standing != Standing::Takendown);
    let account = account.ok_or_else(|| Refused::invalid(format!("Could not find user info for account: {did}")))?;
    let mut body = json!({"did": did, "handle": account.handle, "didDoc": document(door.house, account)});
    put_status(&mut body, account);
    Ok(Reply::json(&body))
}

pub(crate) fn delete_session(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let (claims, jti) = refresh_claims(door, ask)?;
    door.who = Some(claims.sub);
    if door.state.sessions.contains_key(&jti) {
        door.change(Change::SessionEnded { jti });
    }
    Ok(Reply::bytes("text/plain", bytes::Bytes::new()))
}

pub(crate) fn create_app_password(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let did = owner(door, ask)?;
    let body = ask.json()?;
    let name = text(&body, "name")?;
    if door.state.account(&did).is_some_and(|account| account.app_passwords.iter().any(|(known, _)| known == name)) {
        return Err(Refused::invalid("could not create app-specific password"));
    }
    let password = new_app_password(door);
    door.change(Change::AppPassword { did, name: name.to_owned(), password: password.clone() });
    Ok(Reply::json(&json!({
        "name": name, "password": password, "createdAt": written(door.now), "privileged": false,
    })))
}

pub(crate) fn deactivate(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let did = owner(door, ask)?;
    door.change(Change::Standing { did, standing: Standing::Deactivated });
    Ok(Reply::bytes("text/plain", bytes::Bytes::new()))
}

pub(crate) fn activate(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let did = owner(door, ask)?;
    door.change(Change::Standing { did, standing: Standing::Active });
    Ok(Reply::bytes("text/plain", bytes::Bytes::new()))
}

/// A password for a program, as the servers make them: four times four letters.
pub(crate) fn new_app_password(door: &Door<'_>) -> String {
    let letters = BASE32_NOPAD_NOCASE.encode(&door.number("app password a").to_be_bytes()).to_ascii_lowercase()
        + &BASE32_NOPAD_NOCASE.encode(&door.number("app password b").to_be_bytes()).to_ascii_lowercase();
    let letters: Vec<char> = letters.chars().take(16).collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Whether an account is in use, as sessions and repositories say it.
pub(crate) fn put_status(body: &mut Value, account: &Account) {
    body["active"] = json!(account.is_active());
    match account.standing {
        Standing::Active => {}
        Standing::Deactivated => body["status"] = json!("deactivated"),
        Standing::Takendown => body["status"] = json!("takendown"),
    }
}

/// What the service itself is called.
pub(crate) fn service_did(door: &Door<'_>) -> String {
    let host = door.house.base.split("://").nth(1).unwrap_or_default();
    format!("did:web:{}", host.replace(':', "%3A"))
}

/// The identity behind a handle; of the seed and the handle alone.
fn did_of(door: &Door<'_>, handle: &str) -> String {
    let part = |name| door.house.seeds.number(name, handle.as_bytes()).to_be_bytes();
    let all = [part("did a"), part("did b")].concat();
    let text = BASE32_NOPAD_NOCASE.encode(&all).to_ascii_lowercase();
    format!("did:plc:{}", text.chars().take(24).collect::<String>())
}

fn owner(door: &mut Door<'_>, ask: &Ask) -> Result<String, Refused> {
    let claims = door.access(ask)?;
    if claims.scope == Scope::Full { Ok(claims.sub) } else { Err(Refused::named("InvalidToken", "Bad token scope")) }
}

fn refresh_claims(door: &Door<'_>, ask: &Ask) -> Result<(Claims, String), Refused> {
    let token = ask.token()?.ok_or_else(|| Refused::auth("AuthMissing", "Authentication Required"))?;
    let claims = door.claims(token)?;
    match (claims.scope, claims.jti.clone()) {
        (Scope::Refresh, Some(jti)) => Ok((claims, jti)),
        (_, _) => Err(Refused::named("InvalidToken", "Invalid token type")),
    }
}

fn open_session(door: &mut Door<'_>, did: &str, app_password: Option<String>) -> Value {
    let jti = new_jti(door);
    let until = later(door.now, REFRESH);
    let app_password = app_password.is_some();
    door.change(Change::Session { did: did.to_owned(), jti: jti.clone(), app_password, until });
    session_json(door, did, &jti, app_password)
}

fn session_json(door: &Door<'_>, did: &str, jti: &str, app_password: bool) -> Value {
    let Some(account) = door.state.accounts.get(did) else { return Value::Null };
    let now = door.now.timestamp();
    let claims = |scope, seconds: i64, jti: Option<&str>| Claims {
        scope,
        aud: service_did(door),
        sub: did.to_owned(),
        jti: jti.map(str::to_owned),
        generation: account.generation,
        iat: now,
        exp: now.saturating_add(seconds),
    };
    let scope = if app_password { Scope::AppPassword } else { Scope::Full };
    let mut body = json!({
        "accessJwt": token::sign(&door.house.key, &claims(scope, ACCESS_SECONDS, None)),
        "refreshJwt": token::sign(&door.house.key, &claims(Scope::Refresh, REFRESH_SECONDS, Some(jti))),
        "handle": account.handle,
        "did": did,
        "didDoc": document(door.house, account),
    });
    put_status(&mut body, account);
    body
}

fn new_jti(door: &Door<'_>) -> String {
    format!("{}{}", tid(door.number("session a"), 0), tid(door.number("session b"), 0))
}
