//! Reading back: whether a post is there, whether the public sees it, and its counts.
//!
//! Decided here: what two independent reads prove together: the account's own server says what is stored, the read server
//! what people see. Neither is asked with a login. What an absence means for a post's life is `domain::post`'s.
//!
//! | read server | own server | verdict |
//! |---|---|---|
//! | any | another record | altered |
//! | as expected | as expected, or no answer | seen |
//! | another record | no answer | altered |
//! | nothing | nothing, and the account is in use | gone |
//! | nothing, or another | as expected | not yet |
//! | something | nothing | not yet |
//! | anything else | | cannot tell |
//!
//! Invariant: a metric that an answer does not hold is missing, never 0 (I20).

use std::collections::BTreeMap;

use domain::account::Account;
use domain::hash::Digest;
use domain::post::{Live, Proof};
use domain::snapshot::{Reading, SnapshotRow};
use domain::time::UtcTime;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Bluesky;
use super::name::{POST, PostUri};
use super::standing::Status;
use super::xrpc::{Call, Failure, Server};
use crate::adapter::{Measured, Verification};
use crate::error::MeasureError;

/// How many posts one call reads.
const POSTS_MAX: usize = 25;

/// The counts that the network offers, by its own names.
const COUNTS: [&str; 5] = ["replyCount", "likeCount", "repostCount", "quoteCount", "bookmarkCount"];

/// What people ask for and the network does not offer.
const VIEWS: &str = "views";

/// What a server holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stored {
    /// A record.
    Present {
        /// Its CID.
        cid: String,
    },
    /// None, and the account is in use there.
    Absent {
        /// What was seen.
        evidence: String,
    },
    /// The answers do not say.
    Unknown(String),
}

/// A post as the read server shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) cid: String,
    /// When that server first saw it.
    pub(crate) indexed: Option<UtcTime>,
    text: Option<String>,
    counts: Map<String, Value>,
}

impl Bluesky {
    /// Asks the account's own server what stands under a key.
    pub(crate) async fn stored(&self, server: &Server, uri: &PostUri) -> Stored {
        #[derive(Deserialize)]
        struct Record {
            uri: String,
            cid: String,
        }
        #[derive(Deserialize)]
        struct RepoStatus {
            did: String,
            active: bool,
            #[serde(default)]
            status: Option<String>,
        }
        let parameters = [("repo", uri.repo.as_str()), ("collection", POST), ("rkey", uri.key.as_str())];
        let failure =
            match self.look_own::<Record>(&Call::query(server, "com.atproto.repo.getRecord", &parameters)).await {
                Ok(record) if record.uri == uri.to_string() => return Stored::Present { cid: record.cid },
                Ok(_) => return Stored::Unknown(format!("{} answered about another record", server.as_str())),
                Err(failure) => failure,
            };
        let is_absent = matches!(&failure, Failure::Said(said) if said.status == 400 && said.name == "RecordNotFound");
        if !is_absent {
            return Stored::Unknown(format!("{}: {}", server.as_str(), failure.words()));
        }
        // A server that does not hold the account at all passes the question on, and the answer is not about its store.
        let call = Call::query(server, "com.atproto.sync.getRepoStatus", &[("did", uri.repo.as_str())]);
        let answer = self.look_own::<RepoStatus>(&call).await;
        if let Ok(seen) = &answer
            && seen.did == uri.repo.as_str()
        {
            self.hear_status(Status { active: Some(seen.active), status: seen.status.as_deref() });
        }
        match answer {
            Ok(status) if status.did == uri.repo.as_str() && status.active => Stored::Absent {
                evidence: format!("{} holds the account and has no record {}", server.as_str(), uri.key),
            },
            Ok(_) => Stored::Unknown(format!("{} does not have the account in use", server.as_str())),
            Err(failure) => {
                Stored::Unknown(format!("{} says nothing about the account: {}", server.as_str(), failure.words()))
            }
        }
    }

    /// Asks the read server for one post; `Ok(None)` where it shows none.
    pub(crate) async fn shown(&self, appview: &Server, uri: &PostUri) -> Result<Option<Shown>, Failure> {
        let name = uri.to_string();
        let mut posts = self.posts(appview, &[&name]).await?;
        posts.remove(&name).transpose()
    }

    /// Asks the read server for up to 25 posts, by their addresses; those it does not show are absent.
    async fn posts(
        &self,
        appview: &Server,
        uris: &[&str],
    ) -> Result<BTreeMap<String, Result<Shown, Failure>>, Failure> {
        #[derive(Deserialize)]
        struct Posts {
            posts: Vec<Value>,
        }
        let parameters: Vec<(&str, &str)> = uris.iter().map(|uri| ("uris", *uri)).collect();
        let answer: Posts = self.look_own(&Call::query(appview, "app.bsky.feed.getPosts", &parameters)).await?;
        let named = answer.posts.into_iter().filter_map(|post| {
            let uri = post.get("uri")?.as_str()?.to_owned();
            if let Some(own) = PostUri::parse(&uri).filter(|_| uris.contains(&uri.as_str())) {
                self.hear_post(own.repo.as_str(), &post);
            }
            Some((uri, shown(post)))
        });
        Ok(named.collect())
    }

    pub(crate) async fn verified(&self, account: &Account, live: &Live, expected: &str) -> Verification {
        let Some(uri) = PostUri::parse(&live.id).filter(|uri| uri.repo.as_str() == account.identity_id()) else {
            return Verification::CannotTell("the post's address is not one of this account".to_owned());
        };
        let (appview, home) = match (self.appview(account), self.home(account)) {
            (Ok(appview), Ok(home)) => (appview, home),
            (Err(why), _) | (_, Err(why)) => return Verification::CannotTell(why),
        };
        let shown = self.shown(&appview, &uri).await;
        let stored = self.stored(&home, &uri).await;
        let looked = format!("public read at {}", appview.as_str());
        verdict(expected, shown, stored, Look { at: self.now(), looked, live })
    }

    pub(crate) async fn measured(&self, account: &Account, posts: &[Live]) -> Vec<Measured> {
        let appview = self.appview(account);
        let mut all = Vec::with_capacity(posts.len());
        for chunk in posts.chunks(POSTS_MAX) {
            let mut uris: Vec<&str> =
                chunk.iter().map(|live| live.id.as_str()).filter(|id| PostUri::parse(id).is_some()).collect();
            uris.sort_unstable();
            uris.dedup();
            let read = match &appview {
                Ok(_) if uris.is_empty() => Ok(BTreeMap::new()),
                Ok(appview) => self.posts(appview, &uris).await.map_err(|failure| failure.words()),
                Err(why) => Err(why.clone()),
            };
            let captured = self.now();
            let source = appview
                .as_ref()
                .map_or_else(|_| "public read".to_owned(), |at| format!("public read at {}", at.as_str()));
            all.extend(chunk.iter().map(|live| {
                let rows = rows_of(&live.id, read.as_ref());
                Measured { id: live.id.clone(), captured, source: source.clone(), rows }
            }));
        }
        all
    }
}

/// When and by whom a post was looked at.
struct Look<'a> {
    at: UtcTime,
    looked: String,
    live: &'a Live,
}

fn verdict(expected: &str, shown: Result<Option<Shown>, Failure>, stored: Stored, look: Look<'_>) -> Verification {
    let at = look.at;
    match (shown, stored) {
        (_, Stored::Present { cid }) if cid != expected => Verification::Altered { at, found: cid },
        (Ok(Some(post)), Stored::Present { .. } | Stored::Unknown(_)) if post.cid == expected => seen(post, look),
        (Ok(Some(post)), Stored::Unknown(_)) => Verification::Altered { at, found: post.cid },
        (Ok(Some(_)), Stored::Present { .. }) => {
            Verification::NotYet("the read server still shows another version".to_owned())
        }
        (Ok(Some(_)), Stored::Absent { evidence }) => {
            Verification::NotYet(format!("the read server still shows it; {evidence}"))
        }
        (Ok(None), Stored::Present { .. }) => {
            Verification::NotYet("it is stored, and the read server does not show it".to_owned())
        }
        (Ok(None), Stored::Absent { evidence }) => {
            Verification::Gone { at, evidence: format!("{} shows no such post; {evidence}", look.looked) }
        }
        (Ok(None), Stored::Unknown(why)) => {
            Verification::CannotTell(format!("the read server does not show it; {why}"))
        }
        (Err(failure), Stored::Present { .. }) => {
            Verification::CannotTell(format!("it is stored; the read server says nothing: {}", failure.words()))
        }
        (Err(failure), Stored::Absent { evidence }) => {
            Verification::CannotTell(format!("{evidence}; the read server says nothing: {}", failure.words()))
        }
        (Err(failure), Stored::Unknown(why)) => Verification::CannotTell(format!("{}; {why}", failure.words())),
    }
}

fn seen(post: Shown, look: Look<'_>) -> Verification {
    match post.text {
        Some(text) => Verification::Seen(Proof {
            at: look.at,
            looked: look.looked,
            url: look.live.url.clone(),
            id: look.live.id.clone(),
            digest: post.cid,
            text: Digest::of(text.as_bytes()),
        }),
        None => Verification::CannotTell("the read server shows the post without a text".to_owned()),
    }
}

fn shown(post: Value) -> Result<Shown, Failure> {
    #[derive(Deserialize)]
    struct View {
        cid: String,
        #[serde(rename = "indexedAt")]
        indexed: String,
        record: Record,
        #[serde(flatten)]
        counts: Map<String, Value>,
    }
    #[derive(Deserialize)]
    struct Record {
        #[serde(default)]
        text: Option<String>,
    }
    let view: View =
        serde_json::from_value(post).map_err(|_| Failure::Doubt("the read server's post cannot be read".to_owned()))?;
    Ok(Shown { cid: view.cid, indexed: view.indexed.parse().ok(), text: view.record.text, counts: view.counts })
}

fn rows_of(
    id: &str,
    read: Result<&BTreeMap<String, Result<Shown, Failure>>, &String>,
) -> Result<Vec<SnapshotRow>, MeasureError> {
    if PostUri::parse(id).is_none() {
        return Err(MeasureError::CannotTell("this is no post's address".to_owned()));
    }
    match read.map_err(|why| MeasureError::CannotTell(why.clone()))?.get(id) {
        Some(Ok(post)) => Ok(rows(&post.counts)),
        Some(Err(failure)) => Err(MeasureError::CannotTell(failure.words())),
        None => Err(MeasureError::NotShown("the read server answered, without it".to_owned())),
    }
}

fn rows(counts: &Map<String, Value>) -> Vec<SnapshotRow> {
    let reading = |name: &str| match counts.get(name) {
        Some(value) => match value.as_u64().and(value.as_f64()) {
            Some(value) => Reading::Value { value },
            None => Reading::Missing { why: "the answer holds no number for it".to_owned() },
        },
        None => Reading::Missing { why: "the answer does not hold it".to_owned() },
    };
    let offered = COUNTS.iter().map(|name| SnapshotRow { metric: (*name).to_owned(), reading: reading(name) });
    offered.chain([SnapshotRow { metric: VIEWS.to_owned(), reading: Reading::NotOffered }]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bluesky::cid::Cid;
    use crate::bluesky::tests::{DID, NOW, account, answering, bluesky, live, not_found};
    use bytes::Bytes;
    use http::Request;
    use serde_json::json;
    use wire::Scripted;

    fn cid(of: &str) -> String {
        Cid::of_record(of.as_bytes()).to_string()
    }

    fn view(uri: &str, cid: &str) -> Value {
        json!({
            "uri": uri, "cid": cid, "indexedAt": NOW, "record": {"text": "Rye"},
            "replyCount": 1, "repostCount": 2, "likeCount": 3, "quoteCount": 0, "bookmarkCount": 5,
        })
    }

    #[tokio::test]
    async fn two_reads_together_give_each_verdict() {
        let live = live(1);
        let expected = live.digest.clone();
        let world = |shown: Option<(u16, Value)>, stored: (u16, Value)| {
            answering(move |request: &Request<Bytes>| match request.uri().path() {
                "/xrpc/app.bsky.feed.getPosts" => shown.clone().unwrap_or_else(not_found),
                "/xrpc/com.atproto.repo.getRecord" => stored.clone(),
                "/xrpc/com.atproto.sync.getRepoStatus" => (200, json!({"did": DID, "active": true})),
                _ => not_found(),
            })
        };
        let as_expected = || Some((200, json!({"posts": [view(&live.id, &expected)]})));
        let other = || Some((200, json!({"posts": [view(&live.id, &cid("other"))]})));
        let nothing = || Some((200, json!({"posts": []})));
        let stored = |cid: &str| (200, json!({"uri": live.id, "cid": cid, "value": {}}));
        let absent = || (400, json!({"error": "RecordNotFound"}));
        let down = || (503, json!(""));
        for (shown, kept, word) in [
            (as_expected(), stored(&expected), "seen"),
            (as_expected(), down(), "seen"),
            (as_expected(), absent(), "not yet"),
            (as_expected(), stored(&cid("other")), "altered"),
            (other(), stored(&cid("other")), "altered"),
            (other(), stored(&expected), "not yet"),
            (other(), down(), "altered"),
            (other(), absent(), "not yet"),
            (nothing(), stored(&expected), "not yet"),
            (nothing(), stored(&cid("other")), "altered"),
            (nothing(), absent(), "gone"),
            (nothing(), down(), "cannot tell"),
            (None, stored(&expected), "cannot tell"),
            (None, absent(), "cannot tell"),
            (Some((200, json!("<html>"))), down(), "cannot tell"),
        ] {
            let script = world(shown.clone(), kept.clone());
            let seen = bluesky(&script).verified(&account(), &live, &expected).await;
            let name = match &seen {
                Verification::Seen(proof) => {
                    assert_eq!(proof.text, Digest::of(b"Rye"));
                    assert_eq!(proof.looked, "public read at https://public.api.bsky.app");
                    "seen"
                }
                Verification::Gone { .. } => "gone",
                Verification::Altered { found, .. } => {
                    assert_eq!(*found, cid("other"));
                    "altered"
                }
                Verification::NotYet(_) => "not yet",
                Verification::CannotTell(_) => "cannot tell",
            };
            assert_eq!(name, word, "{shown:?} {kept:?}: {seen:?}");
            assert!(script.requests().iter().all(|request| request.headers().get("authorization").is_none()));
        }
    }

    #[tokio::test]
    async fn a_post_of_somebody_else_is_not_verified() {
        let mut foreign = live(1);
        foreign.id = foreign.id.replace(DID, crate::bluesky::tests::OTHER);
        let script = Scripted::new();
        let seen = bluesky(&script).verified(&account(), &foreign, &foreign.digest).await;
        assert!(matches!(seen, Verification::CannotTell(_)));
        assert!(script.requests().is_empty());
    }

    #[tokio::test]
    async fn posts_are_measured_25_a_call_in_their_order() {
        let posts: Vec<Live> = (0..60).map(live).collect();
        let script = answering(|request: &Request<Bytes>| {
            let query = request.uri().query().unwrap_or_default().replace("%3A", ":").replace("%2F", "/");
            let uris: Vec<Value> =
                query.split('&').filter_map(|part| part.strip_prefix("uris=")).map(|uri| view(uri, "c")).collect();
            assert!(uris.len() <= 25);
            (200, json!({"posts": uris}))
        });
        let measured = bluesky(&script).measured(&account(), &posts).await;
        assert_eq!(script.requests().len(), 3);
        let ids: Vec<&str> = measured.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, posts.iter().map(|live| live.id.as_str()).collect::<Vec<_>>());
        let rows = measured[59].rows.as_ref().unwrap();
        let value = |value: f64| Reading::Value { value };
        let read: Vec<(&str, Reading)> = rows.iter().map(|row| (row.metric.as_str(), row.reading.clone())).collect();
        assert_eq!(
            read,
            [
                ("replyCount", value(1.0)),
                ("likeCount", value(3.0)),
                ("repostCount", value(2.0)),
                ("quoteCount", value(0.0)),
                ("bookmarkCount", value(5.0)),
                ("views", Reading::NotOffered),
            ]
        );
    }

    #[tokio::test]
    async fn what_an_answer_does_not_hold_is_missing_and_never_nothing() {
        let (one, two, three) = (live(1), live(2), live(3));
        let mut partial = view(&one.id, "c");
        partial["likeCount"] = json!(null);
        partial["replyCount"] = json!(-1);
        partial["repostCount"] = json!("7");
        partial.as_object_mut().unwrap().remove("quoteCount");
        let broken = json!({"uri": two.id, "cid": 7});
        let script = Scripted::new();
        script.json(200, &json!({"posts": [partial, broken]})).json(500, &json!(""));
        let bluesky = bluesky(&script);
        let posts = [one.clone(), two, three, Live { id: "nonsense".to_owned(), ..one.clone() }];
        let measured = bluesky.measured(&account(), &posts).await;
        let rows = measured[0].rows.as_ref().unwrap();
        assert!(rows[..4].iter().all(|row| matches!(row.reading, Reading::Missing { .. })), "{rows:?}");
        assert!(matches!(measured[1].rows, Err(MeasureError::CannotTell(_))));
        assert!(matches!(measured[2].rows, Err(MeasureError::NotShown(_))));
        assert!(matches!(measured[3].rows, Err(MeasureError::CannotTell(_))));
        let down = bluesky.measured(&account(), &[one]).await;
        assert!(matches!(down[0].rows, Err(MeasureError::CannotTell(_))));
    }
}
