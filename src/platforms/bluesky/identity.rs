//! Logging in: from a handle to the one identity behind it, and to the server that holds it.
//!
//! Decided here: whom an account is before its password leaves, and that the server's session names the same one (T25).
//! Servers that an operator gave win over the identity's document; public ones must be reached encrypted (`wire`'s guard).
//!
//! | given | handle to DID | server |
//! |---|---|---|
//! | a server by hand | asked there | the one given |
//! | nothing | the handle's own host, else the public read server; its document must name the handle | the document's |
//!
//! Invariant: a password goes to one server, once, and only after the DID was compared with the account's pinned one.

use domain::account::{Account, Identity};
use domain::secret::Secret;
use serde::Deserialize;
use serde_json::json;
use wire::Limits;

use super::name::{Did, DidHome, HandleName};
use super::session::{Session, Written, not_active};
use super::standing::Status;
use super::xrpc::{Call, Failure, READING, Said, Server};
use super::{Bluesky, PLC};
use crate::adapter::Connected;
use crate::error::ConnectError;

/// How much of a DID's document or of a host's answer about its handle is read.
const DOCUMENT_MAX: usize = 64 * 1024;

/// Who an account is, and where.
struct Resolved {
    did: Did,
    server: Server,
}

#[derive(Deserialize)]
struct Document {
    id: String,
    #[serde(default, rename = "alsoKnownAs")]
    names: Vec<String>,
    #[serde(default, rename = "service")]
    services: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    id: String,
    #[serde(rename = "type")]
    sort: serde_json::Value,
    #[serde(rename = "serviceEndpoint")]
    endpoint: serde_json::Value,
}

impl Bluesky {
    pub(crate) async fn connected(&self, account: &Account, password: &Secret) -> Result<Connected, ConnectError> {
        let resolved = self.resolve(account).await?;
        if let Some(pinned) = &account.identity
            && pinned.id != resolved.did.as_str()
        {
            return Err(ConnectError::OtherIdentity { expected: pinned.id.clone(), found: resolved.did.to_string() });
        }
        let session = self.log_in(&resolved, password).await?;
        if session.did != resolved.did {
            return Err(ConnectError::OtherIdentity {
                expected: resolved.did.to_string(),
                found: session.did.to_string(),
            });
        }
        let handle = HandleName::parse(&session.handle).map_or_else(|| account.handle.clone(), |name| name.to_string());
        let identity = Identity { id: session.did.to_string(), handle, server: resolved.server.as_str().to_owned() };
        Ok(Connected { identity, session: session.seal() })
    }

    async fn log_in(&self, resolved: &Resolved, password: &Secret) -> Result<Session, ConnectError> {
        let call = Call::procedure(&resolved.server, "com.atproto.server.createSession")
            .json(&json!({"identifier": resolved.did.as_str(), "password": password.expose()}))
            .hiding(password);
        // A login counts against the account's few: it is never sent twice.
        let answer = self.ask_own::<Written>(&call, self.network.commit.as_ref(), Limits::default()).await;
        let written = answer.map_err(login_error)?;
        self.hear_status(Status { active: written.active, status: written.status.as_deref() });
        if written.active == Some(false) {
            return Err(ConnectError::Refused { why: not_active(written.status.as_deref()) });
        }
        Session::of(written).ok_or_else(|| ConnectError::Unclear { why: "the session cannot be read".to_owned() })
    }

    async fn resolve(&self, account: &Account) -> Result<Resolved, ConnectError> {
        let typed = account.handle.trim();
        let name = HandleName::parse(typed);
        let by_hand = account.servers.pds.as_deref().map(|text| self.server(text, "the server")).transpose()?;
        let did = match (Did::parse(typed), &name) {
            (Some(did), _) => did,
            (None, Some(name)) => self.did_of(account, name, by_hand.as_ref()).await?,
            (None, None) => {
                return Err(ConnectError::BadAddress {
                    what: "the handle".to_owned(),
                    why: "give it like acme.bsky.social".to_owned(),
                });
            }
        };
        if let (Some(server), None) = (&by_hand, &account.servers.plc) {
            return Ok(Resolved { did, server: server.clone() });
        }
        let document = self.document(account, &did).await?;
        check_names(typed, &did, name.as_ref(), &document)?;
        let server = match by_hand {
            Some(server) => server,
            None => self.server_named(typed, &document)?,
        };
        Ok(Resolved { did, server })
    }

    async fn did_of(
        &self,
        account: &Account,
        name: &HandleName,
        by_hand: Option<&Server>,
    ) -> Result<Did, ConnectError> {
        let unresolved = |why: String| ConnectError::Unresolved { handle: name.to_string(), why };
        if let Some(server) = by_hand {
            return match self.resolve_handle(server, name).await {
                Ok(Some(did)) => Ok(did),
                Ok(None) => Err(unresolved("the server does not know it; check the spelling".to_owned())),
                Err(failure) => Err(unreachable(server, &failure)),
            };
        }
        if let Some(did) = self.did_by_host(name).await {
            return Ok(did);
        }
        // Names that are proven by the name service alone: asked of the public read server, and proven by the document.
        let appview = self
            .appview(account)
            .map_err(|why| ConnectError::BadAddress { what: "the read server".to_owned(), why })?;
        match self.resolve_handle(&appview, name).await {
            Ok(Some(did)) => Ok(did),
            Ok(None) => Err(unresolved("nobody has it; check the spelling".to_owned())),
            Err(failure) => Err(unreachable(&appview, &failure)),
        }
    }

    /// Asks a server whose a handle is; `Ok(None)` where it says that nobody has it.
    pub(crate) async fn resolve_handle(&self, server: &Server, name: &HandleName) -> Result<Option<Did>, Failure> {
        #[derive(Deserialize)]
        struct Found {
            did: String,
        }
        let call = Call::query(server, "com.atproto.identity.resolveHandle", &[("handle", name.as_str())]);
        match self.look::<Found>(&call).await {
            Ok(found) => {
                Did::parse(&found.did).map(Some).ok_or_else(|| Failure::Doubt("the server names no DID".to_owned()))
            }
            Err(Failure::Said(Said { status: 400 | 404, .. })) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Asks the handle's own host, which answers with the DID alone.
    async fn did_by_host(&self, name: &HandleName) -> Option<Did> {
        let request = Call::get(format!("https://{name}/.well-known/atproto-did")).request().ok()?;
        let limits = Limits { body_max: DOCUMENT_MAX, ..READING };
        let answer = self.network.reading.send(request, limits).await.ok()?;
        let text = std::str::from_utf8(answer.body()).ok().filter(|_| answer.status().as_u16() == 200)?;
        Did::parse(text.trim())
    }

    async fn document(&self, account: &Account, did: &Did) -> Result<Document, ConnectError> {
        let home = match did.home() {
            Some(DidHome::Web(host)) => {
                let scheme =
                    if self.policy.allow_private_hosts && host.starts_with("localhost") { "http" } else { "https" };
                let server = self.server(&format!("{scheme}://{host}"), "the identity's host")?;
                format!("{}/.well-known/did.json", server.as_str())
            }
            Some(DidHome::Plc) | None => {
                let server = self.server(account.servers.plc.as_deref().unwrap_or(PLC), "the directory")?;
                format!("{}/{did}", server.as_str())
            }
        };
        let call = Call::get(home);
        let limits = Limits { body_max: DOCUMENT_MAX, ..READING };
        let broken = |why: String| ConnectError::Unresolved { handle: account.handle.clone(), why };
        let document: Document = match call.ask(self.network.reading.as_ref(), limits, self.now()).await {
            Ok(document) => document,
            Err(Failure::Said(Said { status: 404 | 410, .. })) => {
                return Err(broken(format!("there is no entry of {did}")));
            }
            Err(failure) => {
                return Err(ConnectError::Unreachable { why: format!("the entry of {did}: {}", failure.words()) });
            }
        };
        if document.id == did.as_str() {
            Ok(document)
        } else {
            Err(broken(format!("the entry of {did} is somebody else's")))
        }
    }

    fn server_named(&self, handle: &str, document: &Document) -> Result<Server, ConnectError> {
        let is_pds = |service: &&Service| {
            (service.id == "#atproto_pds" || service.id == format!("{}#atproto_pds", document.id))
                && service.sort == "AtprotoPersonalDataServer"
        };
        match document.services.iter().find(is_pds).and_then(|service| service.endpoint.as_str()) {
            Some(text) => self.server(text, "the server that the identity names"),
            None => Err(ConnectError::Unresolved {
                handle: handle.to_owned(),
                why: "its entry names no server; the account may be closed".to_owned(),
            }),
        }
    }

    fn server(&self, text: &str, what: &str) -> Result<Server, ConnectError> {
        Server::checked(text, self.policy)
            .map_err(|why| ConnectError::BadAddress { what: what.to_owned(), why: why.to_string() })
    }
}

/// A handle is somebody's only if that somebody's own document says so too.
fn check_names(typed: &str, did: &Did, name: Option<&HandleName>, document: &Document) -> Result<(), ConnectError> {
    let Some(name) = name.filter(|_| typed != did.as_str()) else { return Ok(()) };
    let wanted = format!("at://{name}");
    if document.names.iter().any(|known| known.eq_ignore_ascii_case(&wanted)) {
        Ok(())
    } else {
        Err(ConnectError::Unresolved {
            handle: name.to_string(),
            why: format!("the entry of {did} does not name this handle"),
        })
    }
}

fn unreachable(server: &Server, failure: &Failure) -> ConnectError {
    ConnectError::Unreachable { why: format!("{}: {}", server.as_str(), failure.words()) }
}

fn login_error(failure: Failure) -> ConnectError {
    match failure {
        Failure::NotSent(why) => ConnectError::Unreachable { why },
        Failure::Doubt(why) => ConnectError::Unclear { why },
        Failure::Said(said) => match (said.status, said.name.as_str()) {
            (429, _) => ConnectError::Limited { until: said.until },
            (_, "AuthFactorTokenRequired") => ConnectError::Refused {
                why: "the server wants a code from a mail; make an app password in the account's settings and use that"
                    .to_owned(),
            },
            (401, "AuthenticationRequired") => ConnectError::Refused {
                why: "handle and password do not fit; make an app password in the account's settings and use that"
                    .to_owned(),
            },
            (400..500, _) => ConnectError::Refused { why: said.words() },
            (_, _) => ConnectError::Unclear { why: said.words() },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bluesky::tests::{DID, OTHER, PDS, account, answering, bluesky, not_found};
    use bytes::Bytes;
    use http::Request;
    use serde_json::Value;
    use wire::Scripted;

    fn document(did: &str, handle: &str, endpoint: &str) -> Value {
        json!({
            "id": did,
            "alsoKnownAs": [format!("at://{handle}")],
            "service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": endpoint}],
        })
    }

    fn session(did: &str) -> Value {
        json!({"accessJwt": "A", "refreshJwt": "R", "did": did, "handle": "acme.test"})
    }

    /// A small world: each host and path with its answer.
    fn world(answers: &[(&str, u16, Value)]) -> Scripted {
        let answers: Vec<(String, u16, Value)> =
            answers.iter().map(|(url, s, v)| ((*url).to_owned(), *s, v.clone())).collect();
        answering(move |request: &Request<Bytes>| {
            let url = request.uri().to_string();
            answers
                .iter()
                .find(|(known, _, _)| url.starts_with(known))
                .map_or_else(not_found, |(_, s, v)| (*s, v.clone()))
        })
    }

    const WELL_KNOWN: &str = "https://acme.test/.well-known/atproto-did";
    const DIRECTORY: &str = "https://plc.directory/did:plc:";
    const LOG_IN: &str = "https://pds.example.com/xrpc/com.atproto.server.createSession";
    const APPVIEW: &str = "https://public.api.bsky.app/xrpc/com.atproto.identity.resolveHandle";

    fn password() -> Secret {
        Secret::new("CANARY-PASSWORD".to_owned())
    }

    async fn connect(script: &Scripted, account: &Account) -> Result<Connected, ConnectError> {
        bluesky(script).connected(account, &password()).await
    }

    fn fresh() -> Account {
        let mut account = account();
        account.servers.pds = None;
        account.identity = None;
        account
    }

    fn sent_password(script: &Scripted) -> usize {
        script.requests().iter().filter(|request| String::from_utf8_lossy(request.body()).contains("CANARY")).count()
    }

    #[tokio::test]
    async fn a_handle_leads_over_its_document_to_its_server() {
        let found = json!({"did": DID});
        let script = world(&[
            (APPVIEW, 200, found),
            (DIRECTORY, 200, document(DID, "acme.test", PDS)),
            (LOG_IN, 200, session(DID)),
        ]);
        let connected = connect(&script, &fresh()).await.unwrap();
        let expected = Identity { id: DID.to_owned(), handle: "acme.test".to_owned(), server: PDS.to_owned() };
        assert_eq!(connected.identity, expected);
        let urls: Vec<String> = script.requests().iter().map(|request| request.uri().to_string()).collect();
        assert_eq!(urls.len(), 4, "{urls:?}");
        assert_eq!(urls[0], WELL_KNOWN);
        assert_eq!(sent_password(&script), 1);
        let body: Value = serde_json::from_slice(script.requests()[3].body()).unwrap();
        assert_eq!(body["identifier"], DID);
    }

    #[tokio::test]
    async fn a_document_that_does_not_name_the_handle_or_a_server_ends_it() {
        let found = (APPVIEW, 200, json!({"did": DID}));
        for broken in [
            document(DID, "other.test", PDS),
            document(OTHER, "acme.test", PDS),
            json!({"id": DID, "alsoKnownAs": ["at://acme.test"], "service": []}),
            document(DID, "acme.test", "http://127.0.0.1:80"),
            document(DID, "acme.test", "https://10.0.0.1"),
            document(DID, "acme.test", "https://u:p@pds.example.com"),
            document(DID, "acme.test", "https://pds.example.com/path"),
        ] {
            let script = world(&[found.clone(), (DIRECTORY, 200, broken.clone()), (LOG_IN, 200, session(DID))]);
            let error = connect(&script, &fresh()).await.unwrap_err();
            assert!(
                matches!(error, ConnectError::Unresolved { .. } | ConnectError::BadAddress { .. }),
                "{broken}: {error}"
            );
            assert_eq!(sent_password(&script), 0, "{broken}");
        }
    }

    #[tokio::test]
    async fn a_server_by_hand_is_asked_and_must_name_the_same_identity() {
        let resolve = "https://pds.example.com/xrpc/com.atproto.identity.resolveHandle";
        let mut by_hand = fresh();
        by_hand.servers.pds = Some(PDS.to_owned());
        let script = world(&[(resolve, 200, json!({"did": DID})), (LOG_IN, 200, session(DID))]);
        assert_eq!(connect(&script, &by_hand).await.unwrap().identity.server, PDS);
        let script = world(&[(resolve, 200, json!({"did": DID})), (LOG_IN, 200, session(OTHER))]);
        let error = connect(&script, &by_hand).await.unwrap_err();
        assert_eq!(error, ConnectError::OtherIdentity { expected: DID.to_owned(), found: OTHER.to_owned() });
    }

    #[tokio::test]
    async fn a_pinned_account_is_compared_before_the_password_leaves() {
        let resolve = "https://pds.example.com/xrpc/com.atproto.identity.resolveHandle";
        let script = world(&[(resolve, 200, json!({"did": OTHER})), (LOG_IN, 200, session(OTHER))]);
        let error = connect(&script, &account()).await.unwrap_err();
        assert_eq!(error, ConnectError::OtherIdentity { expected: DID.to_owned(), found: OTHER.to_owned() });
        assert_eq!(sent_password(&script), 0);
    }

    #[tokio::test]
    async fn each_answer_to_a_login_means_one_thing() {
        let check = async |status: u16, body: Value| {
            let resolve = "https://pds.example.com/xrpc/com.atproto.identity.resolveHandle";
            let script = world(&[(resolve, 200, json!({"did": DID})), (LOG_IN, status, body)]);
            let error = connect(&script, &account()).await.unwrap_err();
            assert_eq!(sent_password(&script), 1);
            assert!(!error.to_string().contains("CANARY"), "{error}");
            error
        };
        let wrong = check(401, json!({"error": "AuthenticationRequired", "message": "Invalid CANARY-PASSWORD"})).await;
        assert!(matches!(&wrong, ConnectError::Refused { why } if why.contains("app password")), "{wrong}");
        let factor = check(401, json!({"error": "AuthFactorTokenRequired"})).await;
        assert!(matches!(&factor, ConnectError::Refused { why } if why.contains("code")), "{factor}");
        let down = check(401, json!({"error": "AccountTakedown", "message": "with CANARY-PASSWORD"})).await;
        assert!(matches!(down, ConnectError::Refused { .. }));
        assert!(matches!(check(429, json!({})).await, ConnectError::Limited { until: None }));
        assert!(matches!(check(500, json!({})).await, ConnectError::Unclear { .. }));
        assert!(matches!(check(200, json!({})).await, ConnectError::Unclear { .. }));
        let mut inactive = session(DID);
        inactive["active"] = json!(false);
        inactive["status"] = json!("deactivated");
        assert!(matches!(check(200, inactive).await, ConnectError::Refused { .. }));
    }

    #[tokio::test]
    async fn a_handle_that_is_none_asks_nobody() {
        for text in ["", "acme", "https://acme.test", "acme.test/../x", "did:plc:short"] {
            let script = Scripted::new();
            let mut account = fresh();
            account.handle = text.to_owned();
            assert!(matches!(connect(&script, &account).await, Err(ConnectError::BadAddress { .. })), "{text}");
            assert!(script.requests().is_empty());
        }
    }

    #[tokio::test]
    async fn the_own_host_of_a_handle_is_believed_only_if_it_answers_with_a_did() {
        for (body, expected) in [(format!("{DID}\n"), 3), ("<html>".to_owned(), 4), (format!("{DID} x"), 4)] {
            let script = Scripted::answering(move |request| {
                let url = request.uri().to_string();
                let json = |value: Value| Ok(http::Response::new(Bytes::from(value.to_string())));
                match url.as_str() {
                    WELL_KNOWN => Ok(http::Response::new(Bytes::from(body.clone()))),
                    LOG_IN => json(session(DID)),
                    _ if url.starts_with(DIRECTORY) => json(document(DID, "acme.test", PDS)),
                    _ => json(json!({"did": DID})),
                }
            });
            connect(&script, &fresh()).await.unwrap();
            assert_eq!(script.requests().len(), expected);
        }
    }
}
