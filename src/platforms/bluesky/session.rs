//! Sessions: two tokens and whom they belong to.
//!
//! Decided here: how a session is kept as one secret, until when it serves, and how it is exchanged for a fresh one. How it
//! comes about is `identity`; where it is kept is the store's vault.
//!
//! Invariant: an answer that may have used up the old token is never taken for "nothing happened".

use data_encoding::BASE64URL_NOPAD;
use domain::secret::Secret;
use domain::time::{Span, UtcTime};
use serde::Deserialize;
use serde_json::json;
use wire::Limits;

use super::Bluesky;
use super::name::Did;
use super::standing::Status;
use super::xrpc::{Call, Failure, Said, Server};
use crate::adapter::Login;
use crate::error::{IdentityError, RefreshError};

/// A session as it is used.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The token for everything but refreshing.
    pub(crate) access: Secret,
    /// The token for refreshing.
    pub(crate) refresh: Secret,
    /// Whose it is.
    pub(crate) did: Did,
    /// The owner's handle.
    pub(crate) handle: String,
}

/// A session as servers and the vault write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Written {
    access_jwt: String,
    refresh_jwt: String,
    did: String,
    #[serde(default)]
    handle: String,
    /// Servers say so when an account is not in use.
    #[serde(default)]
    pub(crate) active: Option<bool>,
    #[serde(default)]
    pub(crate) status: Option<String>,
}

impl Session {
    /// Takes a session as it is written; `None` where it is none.
    pub(crate) fn of(written: Written) -> Option<Self> {
        let token =
            |text: String| (!text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())).then(|| Secret::new(text));
        Some(Self {
            access: token(written.access_jwt)?,
            refresh: token(written.refresh_jwt)?,
            did: Did::parse(&written.did)?,
            handle: written.handle,
        })
    }

    /// Reads the session that an earlier login kept.
    pub(crate) fn open(secret: &Secret) -> Option<Self> {
        serde_json::from_str(secret.expose()).ok().and_then(Self::of)
    }

    /// Returns the session as one secret.
    pub(crate) fn seal(&self) -> Secret {
        let kept = json!({
            "accessJwt": self.access.expose(),
            "refreshJwt": self.refresh.expose(),
            "did": self.did.as_str(),
            "handle": self.handle,
        });
        Secret::new(kept.to_string())
    }

    /// Returns when the access token ends, by its own word; it is not checked, only trusted to be too early.
    pub(crate) fn until(&self) -> Option<UtcTime> {
        #[derive(Deserialize)]
        struct Claims {
            exp: i64,
        }
        let payload = self.access.expose().split('.').nth(1)?.trim_end_matches('=');
        let claims: Claims = serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).ok()?;
        Some(UtcTime::from_micros(Span::seconds(claims.exp).micros()))
    }
}

/// What an error says about a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginState {
    /// The access token wants to be refreshed.
    Expired,
    /// A person must connect again.
    Lost,
    /// The error is not about the login.
    Fine,
}

/// Reads from an answer to an authorised call whether the login is the reason.
pub(crate) fn login_state(said: &Said) -> LoginState {
    match (said.status, said.name.as_str()) {
        (_, "ExpiredToken") => LoginState::Expired,
        (401, _) | (_, "InvalidToken" | "AccountTakedown" | "AccountDeactivated" | "AccountNotFound") => {
            LoginState::Lost
        }
        (_, _) => LoginState::Fine,
    }
}

impl Bluesky {
    pub(crate) async fn refreshed(&self, login: &Login) -> Result<Secret, RefreshError> {
        let lost = |why: &str| Err(RefreshError::Lost(why.to_owned()));
        let Some(session) = Session::open(&login.session) else { return lost("what is kept of it cannot be read") };
        let server = self.server_of(login).map_err(RefreshError::Lost)?;
        let call = Call::procedure(&server, "com.atproto.server.refreshSession")
            .bearer(&session.refresh)
            .hiding(&session.access);
        // The token rotates: this is never sent twice, so it goes over the line that is not repeated.
        let written: Written = match self.ask_own(&call, self.network.commit.as_ref(), Limits::default()).await {
            Ok(written) => written,
            Err(failure) => return Err(refresh_error(failure)),
        };
        self.hear_status(Status { active: written.active, status: written.status.as_deref() });
        if written.active == Some(false) {
            return Err(RefreshError::Lost(not_active(written.status.as_deref())));
        }
        match Session::of(written) {
            Some(fresh) if fresh.did.as_str() == login.identity.id => Ok(fresh.seal()),
            Some(other) => Err(RefreshError::Lost(format!("the server gave a session of {}", other.did))),
            None => Err(RefreshError::Unclear("the new session cannot be read".to_owned())),
        }
    }

    pub(crate) async fn identity_checked(&self, login: &Login) -> Result<(), IdentityError> {
        #[derive(Deserialize)]
        struct Owner {
            did: String,
            #[serde(default)]
            active: Option<bool>,
            #[serde(default)]
            status: Option<String>,
        }
        let Some(session) = Session::open(&login.session) else {
            return Err(IdentityError::Lost("what is kept of it cannot be read".to_owned()));
        };
        let server = self.server_of(login).map_err(IdentityError::Lost)?;
        let call = Call::query(&server, "com.atproto.server.getSession", &[]).bearer(&session.access);
        let answer = self.look_own::<Owner>(&call).await;
        if let Ok(owner) = &answer {
            self.hear_status(Status { active: owner.active, status: owner.status.as_deref() });
        }
        match answer {
            Ok(owner) => match Did::parse(&owner.did) {
                None => Err(IdentityError::CannotTell("the server names nobody".to_owned())),
                Some(did) if did.as_str() != login.identity.id => Err(IdentityError::Other { found: did.to_string() }),
                Some(_) if owner.active == Some(false) => Err(IdentityError::Lost(not_active(owner.status.as_deref()))),
                Some(_) => Ok(()),
            },
            Err(Failure::Said(said)) => match login_state(&said) {
                LoginState::Expired => Err(IdentityError::Expired),
                LoginState::Lost => Err(IdentityError::Lost(said.words())),
                LoginState::Fine => Err(IdentityError::CannotTell(said.words())),
            },
            Err(other) => Err(IdentityError::CannotTell(other.words())),
        }
    }

    /// Returns the server that holds the account of a login.
    pub(crate) fn server_of(&self, login: &Login) -> Result<Server, String> {
        let text = login.account.servers.pds.as_ref().unwrap_or(&login.identity.server);
        Server::checked(text, self.policy).map_err(|why| format!("its server cannot be called: {why}"))
    }
}

fn refresh_error(failure: Failure) -> RefreshError {
    match failure {
        Failure::NotSent(words) => RefreshError::Later(words),
        Failure::Doubt(words) => RefreshError::Unclear(words),
        Failure::Said(said) => match (login_state(&said), said.status) {
            (LoginState::Expired | LoginState::Lost, _) | (LoginState::Fine, 400 | 403 | 404) => {
                RefreshError::Lost(said.words())
            }
            // The limiter stands in front of the exchange.
            (LoginState::Fine, 429) => RefreshError::Later(said.words()),
            (LoginState::Fine, _) => RefreshError::Unclear(said.words()),
        },
    }
}

/// Words an account that its server does not serve.
pub(crate) fn not_active(status: Option<&str>) -> String {
    match status {
        Some("takendown") => "the platform has taken the account down".to_owned(),
        Some("suspended") => "the platform has suspended the account".to_owned(),
        Some("deactivated") => "the account is deactivated".to_owned(),
        Some(_) | None => "the account is not active".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bluesky::tests::{DID, OTHER, bluesky, login};
    use proptest::prelude::*;
    use serde_json::Value;
    use wire::{InDoubt, NotSent, Scripted, WireError};

    fn token(exp: i64) -> String {
        let part = |json: Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        format!("{}.{}.c2ln", part(json!({"alg": "HS256"})), part(json!({"exp": exp, "sub": DID})))
    }

    fn session(did: &str) -> Value {
        json!({"accessJwt": token(1_800_000_000), "refreshJwt": "REFRESH2", "did": did, "handle": "acme.test", "active": true})
    }

    #[test]
    fn a_session_says_when_it_ends_and_shows_no_token() {
        let session = Session::of(serde_json::from_value(session(DID)).unwrap()).unwrap();
        assert_eq!(session.until().unwrap().to_string(), "2027-01-15T08:00:00Z");
        let sealed = session.seal();
        let again = Session::open(&sealed).unwrap();
        assert_eq!((again.refresh.expose(), again.did.as_str(), again.handle.as_str()), ("REFRESH2", DID, "acme.test"));
        assert!(!format!("{session:?} {sealed:?}").contains("REFRESH2"));
    }

    #[test]
    fn what_is_no_session_is_not_opened() {
        for text in
            ["", "{}", "null", r#"{"accessJwt":"a","refreshJwt":"b","did":"acme"}"#, &session("did:plc:x").to_string()]
        {
            assert!(Session::open(&Secret::new(text.to_owned())).is_none(), "{text}");
        }
        let mut broken = session(DID);
        broken["accessJwt"] = json!("a b");
        assert!(Session::open(&Secret::new(broken.to_string())).is_none());
    }

    proptest! {
        #[test]
        fn no_token_makes_reading_its_end_fail(access in "[!-~]{1,80}") {
            let written = json!({"accessJwt": access, "refreshJwt": "r", "did": DID}).to_string();
            let session = Session::open(&Secret::new(written)).unwrap();
            prop_assert!(session.until().is_none_or(|until| until.micros() != 0));
        }
    }

    async fn refresh(script: &Scripted) -> Result<Secret, RefreshError> {
        bluesky(script).refreshed(&login()).await
    }

    #[tokio::test]
    async fn a_fresh_session_replaces_the_old_one() {
        let script = Scripted::new();
        script.json(200, &session(DID));
        let fresh = refresh(&script).await.unwrap();
        assert_eq!(Session::open(&fresh).unwrap().refresh.expose(), "REFRESH2");
        let requests = script.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].uri().path(), "/xrpc/com.atproto.server.refreshSession");
        assert_eq!(requests[0].headers()["authorization"], "Bearer REFRESH");
    }

    #[tokio::test]
    async fn each_answer_to_a_refresh_means_one_thing() {
        let check = async |status: u16, body: Value, word: &str| {
            let script = Scripted::new();
            script.json(status, &body);
            let error = refresh(&script).await.unwrap_err();
            let seen = match &error {
                RefreshError::Lost(_) => "lost",
                RefreshError::Unclear(_) => "unclear",
                RefreshError::Later(_) => "later",
            };
            assert_eq!(seen, word, "{status} {body}: {error}");
            assert_eq!(script.requests().len(), 1, "a token that rotates is sent once");
        };
        check(200, session(OTHER), "lost").await;
        check(200, json!({"did": DID}), "unclear").await;
        let mut down = session(DID);
        down["active"] = json!(false);
        check(200, down, "lost").await;
        for name in ["ExpiredToken", "InvalidToken", "InvalidRequest"] {
            check(400, json!({"error": name, "message": "m"}), "lost").await;
        }
        check(401, json!({"error": "AccountTakedown"}), "lost").await;
        check(429, json!({"error": "RateLimitExceeded"}), "later").await;
        check(500, json!({"error": "InternalServerError"}), "unclear").await;
        check(503, json!("busy"), "unclear").await;
        check(302, json!(""), "unclear").await;
        let lost = WireError::InDoubt { host: "pds".into(), why: InDoubt::Closed, status: None };
        let refused = WireError::NotSent { host: "pds".into(), why: NotSent::Refused };
        let script = Scripted::new();
        script.then(Err(lost)).then(Err(refused));
        assert!(matches!(refresh(&script).await, Err(RefreshError::Unclear(_))));
        assert!(matches!(refresh(&script).await, Err(RefreshError::Later(_))));
    }

    #[tokio::test]
    async fn each_answer_about_the_owner_means_one_thing() {
        let check = async |status: u16, body: Value| {
            let script = Scripted::new();
            script.json(status, &body);
            bluesky(&script).identity_checked(&login()).await
        };
        assert_eq!(check(200, json!({"did": DID, "handle": "acme.test", "active": true})).await, Ok(()));
        assert_eq!(check(200, json!({"did": OTHER})).await, Err(IdentityError::Other { found: OTHER.to_owned() }));
        assert!(matches!(check(200, json!({"did": "nobody"})).await, Err(IdentityError::CannotTell(_))));
        assert!(matches!(check(200, json!({"did": DID, "active": false})).await, Err(IdentityError::Lost(_))));
        assert_eq!(check(400, json!({"error": "ExpiredToken"})).await, Err(IdentityError::Expired));
        assert!(matches!(check(401, json!({"error": "AuthMissing"})).await, Err(IdentityError::Lost(_))));
        assert!(matches!(check(400, json!({"error": "InvalidToken"})).await, Err(IdentityError::Lost(_))));
        assert!(matches!(check(502, json!("")).await, Err(IdentityError::CannotTell(_))));
    }
}
