//! What anybody sees, and when.

use serde_json::{Value, json};

use super::{Ground, KEY, POST};
use crate::{Audience, Counts, Person};

fn posts(ground: &Ground, uris: &[&str]) -> Vec<Value> {
    let query: Vec<String> = uris.iter().map(|uri| format!("uris={uri}")).collect();
    ground.get(&format!("app.bsky.feed.getPosts?{}", query.join("&"))).good()["posts"].as_array().unwrap().clone()
}

fn bea(ground: &Ground) -> Person {
    ground.twin.add_account("bea-reads.test", "x", Audience::none()).unwrap()
}

#[test]
fn the_read_server_sees_a_post_seconds_later_and_says_when() {
    let ground = Ground::new();
    let put = ground.put(KEY, "Rye", Value::Null).good();
    let uri = put["uri"].as_str().unwrap();
    assert_eq!(posts(&ground, &[uri]).len(), 0, "stored, and not seen yet");
    assert_eq!(ground.record(KEY).status, 200);
    let mut waited = 0;
    while posts(&ground, &[uri]).is_empty() {
        ground.clock.advance(std::time::Duration::from_millis(100));
        waited += 1;
    }
    assert!((3..=40).contains(&waited), "{waited} tenths of a second");
    let seen = &posts(&ground, &[uri])[0];
    assert_eq!((&seen["cid"], &seen["author"]["handle"]), (&put["cid"], &json!("acme.test")));
    let indexed: chrono::DateTime<chrono::Utc> = seen["indexedAt"].as_str().unwrap().parse().unwrap();
    assert!(indexed > super::monday());
    // The same holds for an edit and a deletion.
    ground.twin.edit_by_hand("acme.test", uri, "Oats").unwrap();
    assert_eq!(posts(&ground, &[uri])[0]["record"]["text"], "Rye");
    ground.pass(5);
    assert_eq!(posts(&ground, &[uri])[0]["record"]["text"], "Oats");
    assert_eq!(posts(&ground, &[uri])[0]["indexedAt"], seen["indexedAt"]);
    ground.twin.delete_by_hand("acme.test", uri).unwrap();
    assert_eq!(posts(&ground, &[uri]).len(), 1);
    ground.pass(5);
    assert_eq!(posts(&ground, &[uri]).len(), 0);
}

#[test]
fn what_other_accounts_do_is_counted_once_each_and_taken_back() {
    let ground = Ground::new();
    let (bea, made) = (bea(&ground), ground.twin.post_by_hand("acme.test", "Rye").unwrap());
    let uri = made.uri.as_str();
    let likes: Vec<_> = (0..3).map(|_| ground.twin.like_by_hand(&bea.did, uri).unwrap()).collect();
    ground.twin.repost_by_hand(&bea.did, uri).unwrap();
    let reply = ground.twin.reply_by_hand(&bea.did, uri, "Mine!").unwrap();
    ground.twin.reply_by_hand("acme.test", &reply.uri, "Yours.").unwrap();
    ground.twin.quote_by_hand(&bea.did, uri, "Look").unwrap();
    ground.twin.index_now();
    let expected = Counts { likes: 1, reposts: 1, replies: 1, quotes: 1, bookmarks: 0 };
    assert_eq!(ground.twin.counts(uri), Some(expected));
    let shown = &posts(&ground, &[uri])[0];
    for (name, count) in
        [("likeCount", 1), ("repostCount", 1), ("replyCount", 1), ("quoteCount", 1), ("bookmarkCount", 0)]
    {
        assert_eq!(shown[name], count, "{name}");
    }
    let by = ground.get(&format!("app.bsky.feed.getLikes?uri={uri}")).good();
    assert_eq!(by["likes"][0]["actor"]["handle"], "bea-reads.test");
    assert_eq!(by["likes"].as_array().unwrap().len(), 1);
    assert_eq!(ground.get(&format!("app.bsky.feed.getQuotes?uri={uri}")).good()["posts"].as_array().unwrap().len(), 1);
    ground.twin.delete_by_hand(&bea.did, &likes[2].uri).unwrap();
    ground.pass(5);
    assert_eq!(ground.twin.counts(uri).unwrap().likes, 0);
    ground.twin.takedown(&bea.did).unwrap();
    assert_eq!(ground.twin.counts(uri), Some(Counts::default()));
}

#[test]
fn a_thread_shows_what_is_above_and_below() {
    let ground = Ground::new();
    let bea = bea(&ground);
    let root = ground.twin.post_by_hand("acme.test", "Rye").unwrap();
    let mut last = root.clone();
    for depth in 0..4 {
        ground.pass(1);
        let who = if depth % 2 == 0 { bea.did.as_str() } else { "acme.test" };
        last = ground.twin.reply_by_hand(who, &last.uri, &format!("depth {depth}")).unwrap();
    }
    ground.twin.index_now();
    let thread = |query: &str| ground.get(&format!("app.bsky.feed.getPostThread?uri={query}")).good()["thread"].clone();
    let whole = thread(&root.uri);
    assert_eq!(whole["replies"][0]["replies"][0]["replies"][0]["replies"][0]["post"]["record"]["text"], "depth 3");
    assert_eq!(thread(&format!("{}&depth=1", root.uri))["replies"][0].get("replies"), None);
    let leaf = thread(&last.uri);
    assert_eq!(leaf["parent"]["parent"]["parent"]["parent"]["post"]["uri"], root.uri.as_str());
    assert_eq!(leaf["post"]["record"]["reply"]["root"]["uri"], root.uri.as_str());
    ground.twin.delete_by_hand("acme.test", &root.uri).unwrap();
    ground.twin.index_now();
    let missing = ground.get(&format!("app.bsky.feed.getPostThread?uri={}", root.uri));
    assert_eq!(missing.error(), (400, "NotFound"));
    assert_eq!(thread(&last.uri)["parent"]["parent"]["parent"]["parent"]["notFound"], true);
}

#[test]
fn listings_are_read_page_by_page_newest_first() {
    let ground = Ground::new();
    let mut made = Vec::new();
    for n in 0..7 {
        ground.pass(1);
        made.push(ground.twin.post_by_hand("acme.test", &format!("Loaf {n}")).unwrap().uri);
    }
    ground.twin.index_now();
    made.reverse();
    let read = |base: &str, list: &str, uri: &str| {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = ground.get(&format!("{base}&limit=3{cursor}")).good();
            let items = page[list].as_array().unwrap().clone();
            seen.extend(items.iter().map(|item| item.pointer(uri).unwrap().as_str().unwrap().to_owned()));
            pages += 1;
            match page["cursor"].as_str() {
                Some(next) if !items.is_empty() => cursor = format!("&cursor={next}"),
                _ => return (seen, pages),
            }
        }
    };
    let listed = read(&format!("com.atproto.repo.listRecords?repo=acme.test&collection={POST}"), "records", "/uri");
    assert_eq!(listed, (made.clone(), 4));
    assert_eq!(read("app.bsky.feed.getAuthorFeed?actor=acme.test", "feed", "/post/uri"), (made, 3));
}

#[test]
fn a_request_for_too_much_or_nothing_is_refused() {
    let ground = Ground::new();
    let many = vec!["uris=at://did:plc:a/app.bsky.feed.post/3k"; 26].join("&");
    for path in [
        "app.bsky.feed.getPosts".to_owned(),
        format!("app.bsky.feed.getPosts?{many}"),
        "app.bsky.feed.getPosts?uris=nonsense".to_owned(),
        "app.bsky.feed.getPostThread?uri=at://a.test/app.bsky.feed.post/3k&depth=1001".to_owned(),
        "com.atproto.repo.listRecords?repo=acme.test&collection=app.bsky.feed.post&limit=101".to_owned(),
    ] {
        assert_eq!(ground.get(&path).error(), (400, "InvalidRequest"), "{path}");
    }
}

#[test]
fn profiles_and_feeds_show_who_did_what() {
    let ground = Ground::with(1, Audience::of(1200, 3.0));
    let bea = bea(&ground);
    ground.twin.follow_by_hand(&bea.did, "acme.test").unwrap();
    let made = ground.twin.post_by_hand("acme.test", "Rye").unwrap();
    ground.twin.repost_by_hand(&bea.did, &made.uri).unwrap();
    ground.twin.index_now();
    let profile = ground.get("app.bsky.actor.getProfile?actor=acme.test").good();
    assert_eq!((&profile["followersCount"], &profile["postsCount"]), (&json!(1201), &json!(1)));
    let feed = ground.get("app.bsky.feed.getAuthorFeed?actor=bea-reads.test").good();
    assert_eq!(feed["feed"][0]["reason"]["by"]["handle"], "bea-reads.test");
    assert_eq!(feed["feed"][0]["post"]["uri"], made.uri.as_str());
    let seen = ground.get_as(&format!("app.bsky.feed.getPosts?uris={}", made.uri), &ground.token).good();
    assert_eq!(seen["posts"][0]["viewer"]["bookmarked"], false);
}
