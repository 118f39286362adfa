//! The contract with Bluesky on the twin: that it means what Bluesky's own servers mean, so that what is rehearsed on it
//! holds on them.
//!
//! Decided here: the twin as a ground for the scenarios of `bluesky_adapter/contract.rs`, over HTTP on loopback; and the
//! same adapter over the twin in this process, where a request may arrive ten minutes after its caller gave up.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what a test stands on fails the test where it is missing, with words"
)]

mod support;

#[path = "bluesky_adapter/contract.rs"]
mod contract;
#[path = "bluesky_adapter/ground.rs"]
mod ground;
#[path = "bluesky_adapter/shop.rs"]
mod shop;

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use clock::{Clock, ManualClock, RealClock, within};
use domain::post::{CommitOutcome, CommitPermit, Observation};
use ground::Ground;
use http::Request;
use platforms::{Adapter as _, Bluesky, Login, PrepareSeed, Verification};
use support::bluesky::{Account, Made, Record};
use support::http as road;
use twins::{Audience, BlueskyTwin, Fault, Lost};
use wire::{Answer, HostPolicy, InDoubt, Limits, NotSent, Transport, WireError};

contract::contract!(Served::shared());

/// A twin that is served on loopback, and a second one that knows nobody.
struct Served {
    twin: BlueskyTwin,
    url: String,
    elsewhere: String,
}

impl Served {
    /// The one that all scenarios share.
    fn shared() -> &'static Served {
        static SHARED: OnceLock<Served> = OnceLock::new();
        SHARED.get_or_init(|| {
            let (twin, url) = serve();
            let (_, elsewhere) = serve();
            Served { twin, url, elsewhere }
        })
    }
}

/// Serves a twin in real time for as long as the test program lives.
fn serve() -> (BlueskyTwin, String) {
    let twin = BlueskyTwin::new(Arc::new(RealClock), 11);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let served = twin.clone();
    thread::spawn(move || {
        shop::run(async move {
            listener.set_nonblocking(true).expect("a socket can be asked not to block");
            let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime takes a socket");
            served.serve(listener).await
        })
    });
    // The address is the twin's own as soon as it is served.
    road::get(&format!("{url}/xrpc/_health")).expect("the twin answers");
    (twin, url)
}

fn made(what: Result<twins::Made, twins::Refused>) -> Made {
    let twins::Made { uri, cid } = what.unwrap_or_else(|why| panic!("the twin refused: {why}"));
    Made { uri, cid }
}

impl Ground for Served {
    fn pds(&self) -> &str {
        &self.url
    }

    fn plc(&self) -> &str {
        &self.url
    }

    fn appview(&self) -> &str {
        &self.url
    }

    fn elsewhere(&self) -> &str {
        &self.elsewhere
    }

    fn token_key(&self) -> Vec<u8> {
        self.twin.token_key()
    }

    fn account(&self, name: &str) -> Account {
        let password = format!("{name}-password");
        let person = self.twin.add_account(&format!("{name}.test"), &password, Audience::none());
        let person = person.unwrap_or_else(|why| panic!("the twin refused {name}: {why}"));
        Account {
            name: name.to_owned(),
            handle: person.handle,
            did: person.did,
            password,
            app_password: person.app_password,
        }
    }

    fn post(&self, by: &Account, words: &str) -> Made {
        made(self.twin.post_by_hand(&by.did, words))
    }

    fn reply(&self, by: &Account, to: &Made, words: &str) -> Made {
        made(self.twin.reply_by_hand(&by.did, &to.uri, words))
    }

    fn quote(&self, by: &Account, of: &Made, words: &str) -> Made {
        made(self.twin.quote_by_hand(&by.did, &of.uri, words))
    }

    fn like(&self, by: &Account, post: &Made) -> Made {
        made(self.twin.like_by_hand(&by.did, &post.uri))
    }

    fn repost(&self, by: &Account, post: &Made) -> Made {
        made(self.twin.repost_by_hand(&by.did, &post.uri))
    }

    fn edit(&self, by: &Account, uri: &str, words: &str) -> Made {
        made(self.twin.edit_by_hand(&by.did, uri, words))
    }

    fn delete(&self, by: &Account, uri: &str) {
        made(self.twin.delete_by_hand(&by.did, uri));
    }

    fn settle(&self) {
        self.twin.index_now();
    }

    fn list_records(&self, did: &str) -> Vec<Record> {
        let mut records = Vec::new();
        let mut cursor = String::new();
        loop {
            let url = format!(
                "{}/xrpc/com.atproto.repo.listRecords?repo={did}&collection=app.bsky.feed.post&limit=100{cursor}",
                self.url
            );
            let page = road::get(&url).expect("the twin answers").json();
            let listed = page["records"].as_array().expect("a listing");
            records.extend(listed.iter().map(|record| Record {
                uri: record["uri"].as_str().expect("an address").to_owned(),
                cid: record["cid"].as_str().expect("an identifier").to_owned(),
                value: record["value"].clone(),
            }));
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return records,
            }
        }
    }
}

/// The twin in this process, as a transport: what `wire` calls doubt is what the road did.
struct Line {
    twin: BlueskyTwin,
    clock: Arc<dyn Clock>,
}

impl Transport for Line {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> Answer {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = within(self.clock.as_ref(), limits.total, self.twin.call(request));
        let in_doubt = |why, host| WireError::InDoubt { host, why, status: None };
        Box::pin(async move {
            match answer.await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(Lost::Refused)) => Err(WireError::NotSent { host, why: NotSent::Refused }),
                Ok(Err(Lost::Closed)) => Err(in_doubt(InDoubt::Closed, host)),
                Ok(Err(Lost::Reset)) => Err(in_doubt(InDoubt::Reset, host)),
                Ok(Err(Lost::Truncated)) => Err(in_doubt(InDoubt::Truncated, host)),
                Err(_late) => Err(in_doubt(InDoubt::Deadline, host)),
            }
        })
    }
}

/// An account that publishes by the adapter in virtual time.
struct Rehearsed {
    clock: ManualClock,
    twin: BlueskyTwin,
    adapter: Arc<Bluesky>,
    login: Login,
}

impl Rehearsed {
    async fn open() -> Rehearsed {
        // A Monday morning, whenever the test runs: an audience keeps hours.
        let monday: domain::time::UtcTime = "2026-03-02T09:00:00Z".parse().expect("a time");
        let clock = ManualClock::new(monday.to_chrono());
        let twin = BlueskyTwin::new(Arc::new(clock.clone()), 3);
        let acme = twin.add_account("acme-bakery.test", "own", Audience::of(5000, 8.0)).expect("a new account");
        let line = Line { twin: twin.clone(), clock: Arc::new(clock.clone()) };
        let network = wire::Network::both(Arc::new(line));
        let adapter = Arc::new(Bluesky::new(network, HostPolicy::default(), Arc::new(clock.clone())));
        let person = Account {
            name: "acme-bakery".to_owned(),
            handle: acme.handle,
            did: acme.did,
            password: acme.password,
            app_password: acme.app_password,
        };
        let base = twin.base();
        let mut account = shop::account_of(Served::shared(), &person, &base);
        (account.servers.appview, account.servers.plc) = (Some(base.clone()), Some(base));
        let connected = adapter.connect(&account, &shop::secret(&person.app_password)).await.expect("it connects");
        account.identity = Some(connected.identity.clone());
        let login = Login { account, identity: connected.identity, session: connected.session };
        Rehearsed { clock, twin, adapter, login }
    }

    /// Lets time pass step by step until nobody waits for anything before then.
    async fn pass(&self, span: Duration) {
        let end = self.clock.boot().plus(span);
        loop {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            let left = end.since(self.clock.boot());
            match self.clock.until_next() {
                Some(next) if next <= left => self.clock.advance(next),
                Some(_) | None if left.is_zero() => return,
                Some(_) | None => self.clock.advance(left),
            }
        }
    }

    fn now(&self) -> domain::time::UtcTime {
        self.clock.wall().into()
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test stands in for the store, which gives permits out")]
async fn a_commit_that_arrives_after_its_caller_gave_up_is_found_by_a_later_look_and_is_one_post() {
    let shop = Rehearsed::open().await;
    let seed = PrepareSeed { now: shop.now(), random: [5; 8] };
    let prepared = shop.adapter.prepare(&shop.login, &shop::text("Rye, late"), vec![], seed).await;
    let handle = prepared.expect("the content is fine");
    shop.twin.rule("putRecord", Fault::Late(Duration::from_secs(300)), 1);

    let id = domain::id::PostId::new(shop.now(), [7; 10]);
    let permit = CommitPermit::issue(id, 1, handle.clone(), domain::aggregate::Epoch(1), shop.now());
    let (adapter, login, boot) = (Arc::clone(&shop.adapter), shop.login.clone(), shop.clock.boot());
    let commit = tokio::spawn(async move { adapter.commit(&login, permit, boot).await });
    shop.pass(Duration::from_secs(120)).await;
    let outcome = commit.await.expect("the task is whole");
    assert!(matches!(outcome, CommitOutcome::InDoubt { .. }), "{outcome:?}");
    assert_eq!(shop.adapter.observe(&shop.login, &handle).await, Observation::NotYet, "absent, and on its way");

    shop.pass(Duration::from_secs(200)).await;
    let look = shop.adapter.observe(&shop.login, &handle).await;
    assert!(matches!(look, Observation::Live(_)), "{look:?}");
    let posts = shop.twin.visible("acme-bakery.test");
    assert_eq!(
        posts.iter().map(|post| (post.uri.as_str(), post.cid.as_str())).collect::<Vec<_>>(),
        [(handle.key.as_str(), handle.expected.as_str())]
    );
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test stands in for the store, which gives permits out")]
async fn a_post_in_virtual_time_is_verified_and_measured_at_ages_and_its_readers_are_heard() {
    let shop = Rehearsed::open().await;
    let seed = PrepareSeed { now: shop.now(), random: [6; 8] };
    let (content, assets) = shop::picture("Rye with a picture");
    let handle = shop.adapter.prepare(&shop.login, &content, assets, seed).await.expect("the content is fine");
    let id = domain::id::PostId::new(shop.now(), [8; 10]);
    let permit = CommitPermit::issue(id, 1, handle.clone(), domain::aggregate::Epoch(1), shop.now());
    let live = shop::accepted(shop.adapter.commit(&shop.login, permit, shop.clock.boot()).await);
    let account = &shop.login.account;
    let early = shop.adapter.verify(account, &live, &live.digest).await;
    assert!(matches!(early, Verification::NotYet(_)), "stored, and not indexed: {early:?}");
    shop.pass(Duration::from_secs(10)).await;
    assert!(matches!(shop.adapter.verify(account, &live, &live.digest).await, Verification::Seen(_)));

    let mut last = -1.0;
    for hours in [1, 5, 18] {
        shop.pass(Duration::from_secs(hours * 3600)).await;
        let measured = shop.adapter.measure(account, std::slice::from_ref(&live)).await;
        let rows = measured[0].rows.as_ref().expect("it is shown");
        let likes = rows.iter().find(|row| row.metric == "likeCount").map(|row| row.reading.clone());
        let Some(domain::snapshot::Reading::Value { value }) = likes else { panic!("{rows:?}") };
        assert!(value > last, "{value} after {last}");
        last = value;
    }
    // Whether the audience answers is chance; that an answer is heard is not.
    let reader = shop.twin.add_account("bea-reads.test", "own", Audience::none()).expect("a new account");
    shop.twin.reply_by_hand(&reader.did, &handle.key, "It sings when it cools.").expect("a post can be answered");
    shop.pass(Duration::from_secs(60)).await;
    let said = shop.adapter.thread(account, &live).await.expect("the thread is shown");
    assert!(said.iter().any(|reply| reply.author_did == reader.did), "{said:?}");
    assert!(said.iter().all(|reply| reply.author_did != shop.login.identity.id), "{said:?}");
}
