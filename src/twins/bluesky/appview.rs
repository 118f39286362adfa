//! The read server: `app.bsky`.
//!
//! Decided here: what anybody sees of posts and people, some seconds after it happened. Accounts that are closed are not
//! seen. How a post or a person is drawn is `view`; what an audience adds is `crowd`.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::crowd::{counts, is_shown, speak};
use super::door::{Answered, Door, written};
use super::lexicon::{POST, REPOST};
use super::names::record_uri;
use super::state::{Link, LinkKind, Standing};
use super::view;
use super::xrpc::{Ask, Refused, Reply};

/// The most posts that one request reads.
const POSTS_MAX: usize = 25;
/// The most answers that are shown right under one post.
const BREADTH_MAX: usize = 200;

pub(crate) fn get_posts(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let viewer = door.viewer(ask)?;
    let uris = ask.all("uris");
    if uris.is_empty() {
        return Err(Refused::invalid("Error: Params must have the property \"uris\""));
    }
    if uris.len() > POSTS_MAX {
        return Err(Refused::invalid("Error: uris must not have more than 25 elements"));
    }
    if let Some(bad) = uris.iter().position(|uri| record_uri(uri).is_none()) {
        return Err(Refused::invalid(format!("Error: uris/{bad} must be a valid at-uri")));
    }
    let mut posts = Vec::new();
    for uri in uris {
        posts.extend(post(door, uri, viewer.as_deref()));
    }
    Ok(Reply::json(&json!({"posts": posts})))
}

pub(crate) fn get_post_thread(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let viewer = door.viewer(ask)?;
    let uri = ask.need("uri")?;
    let depth = ask.number("depth", 6, 0, 1000)?;
    let height = ask.number("parentHeight", 80, 0, 1000)?;
    let not_found = || Refused::named("NotFound", format!("Post not found: {uri}"));
    let uri = known(door, uri).ok_or_else(not_found)?;
    let mut thread = below(door, &uri, depth, viewer.as_deref()).ok_or_else(not_found)?;
    if let Some(parent) = above(door, &uri, height, viewer.as_deref()) {
        thread["parent"] = parent;
    }
    Ok(Reply::json(&json!({"thread": thread})))
}

pub(crate) fn get_author_feed(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let viewer = door.viewer(ask)?;
    let actor = ask.need("actor")?;
    let limit = ask.number("limit", 50, 1, 100)?;
    let filter = ask.param("filter").unwrap_or("posts_with_replies");
    let now = door.now;
    let account = door.state.account(actor).filter(|account| account.is_active());
    let account = account.ok_or_else(|| Refused::invalid("Profile not found"))?;
    let mut items: Vec<(String, String, Option<Value>)> = Vec::new();
    for (rkey, slot) in account.collection(POST) {
        let Some((put, indexed)) = slot.shown(now) else { continue };
        let wanted = match filter {
            "posts_no_replies" | "posts_and_author_threads" => put.value.get("reply").is_none(),
            "posts_with_media" => put.value.get("embed").is_some_and(|embed| embed.to_string().contains("\"blob\"")),
            _ => true,
        };
        if wanted {
            items.push((sorted_by(&put.value, indexed), format!("at://{}/{POST}/{rkey}", account.did), None));
        }
    }
    let by = view::basic(door.house, account, now, viewer.as_deref(), door.state);
    for (rkey, slot) in account.collection(REPOST) {
        let Some((put, indexed)) = slot.shown(now) else { continue };
        if let Some(subject) = put.value.pointer("/subject/uri").and_then(Value::as_str) {
            let reason = json!({
                "$type": "app.bsky.feed.defs#reasonRepost",
                "by": by,
                "uri": format!("at://{}/{REPOST}/{rkey}", account.did),
                "cid": put.cid,
                "indexedAt": written(indexed),
            });
            items.push((sorted_by(&put.value, indexed), subject.to_owned(), Some(reason)));
        }
    }
    items.sort_by(|a, b| (&b.0, &b.1).cmp(&(&a.0, &a.1)));
    let place = |item: &(String, String, Option<Value>)| format!("{}::{}", item.0, item.1);
    let cursor = ask.param("cursor");
    let page: Vec<_> =
        items.into_iter().filter(|item| cursor.is_none_or(|c| place(item).as_str() < c)).take(limit).collect();
    let next = page.last().filter(|_| page.len() == limit).map(place);
    let mut feed = Vec::new();
    for (_, uri, reason) in page {
        let Some(post) = post(door, &uri, viewer.as_deref()) else { continue };
        let mut item = json!({"post": post});
        if let Some(reply) = item["post"].pointer("/record/reply").cloned() {
            let mut side = |name: &str| {
                let uri = reply.pointer(&format!("/{name}/uri")).and_then(Value::as_str).unwrap_or_default().to_owned();
                shown_or_not(self::post(door, &uri, viewer.as_deref()), &uri)
            };
            item["reply"] = json!({"root": side("root"), "parent": side("parent")});
        }
        if let Some(reason) = reason {
            item["reason"] = reason;
        }
        feed.push(item);
    }
    let mut body = json!({"feed": feed});
    if let Some(next) = next {
        body["cursor"] = json!(next);
    }
    Ok(Reply::json(&body))
}

pub(crate) fn get_likes(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let (uri, links) = linked(door, ask, LinkKind::Like)?;
    let likes: Vec<Value> = links
        .iter()
        .filter_map(|link| {
            let account = door.state.accounts.get(&link.did)?;
            let (put, indexed) = account.slot(LinkKind::Like.collection(), &link.rkey)?.shown(door.now)?;
            let created = put.value.get("createdAt").and_then(Value::as_str).unwrap_or_default();
            let actor = view::profile(door.house, account, door.now, None, door.state);
            Some(json!({"indexedAt": written(indexed), "createdAt": created, "actor": actor}))
        })
        .collect();
    Ok(Reply::json(&json!({"uri": uri, "likes": likes})))
}

pub(crate) fn get_reposted_by(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let (uri, links) = linked(door, ask, LinkKind::Repost)?;
    let by: Vec<Value> = links
        .iter()
        .filter_map(|link| door.state.accounts.get(&link.did))
        .map(|account| view::profile(door.house, account, door.now, None, door.state))
        .collect();
    Ok(Reply::json(&json!({"uri": uri, "repostedBy": by})))
}

pub(crate) fn get_quotes(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let viewer = door.viewer(ask)?;
    let (uri, links) = linked(door, ask, LinkKind::Quote)?;
    let mut posts = Vec::new();
    for link in links {
        posts.extend(post(door, &format!("at://{}/{POST}/{}", link.did, link.rkey), viewer.as_deref()));
    }
    Ok(Reply::json(&json!({"uri": uri, "posts": posts})))
}

pub(crate) fn get_profile(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let viewer = door.viewer(ask)?;
    let actor = ask.need("actor")?;
    person(door, actor, viewer.as_deref()).map(|body| Reply::json(&body))
}

pub(crate) fn get_profiles(door: &mut Door<'_>, ask: &Ask) -> Answered {
    let viewer = door.viewer(ask)?;
    let actors = ask.all("actors");
    if actors.len() > POSTS_MAX {
        return Err(Refused::invalid("Error: actors must not have more than 25 elements"));
    }
    let found: Vec<Value> = actors.iter().filter_map(|actor| person(door, actor, viewer.as_deref()).ok()).collect();
    Ok(Reply::json(&json!({"profiles": found})))
}

pub(crate) fn get_preferences(door: &mut Door<'_>, ask: &Ask) -> Answered {
    door.access(ask)?;
    Ok(Reply::json(&json!({"preferences": []})))
}

/// What feeds are sorted by: the time that a record bears, unless that is later than it was seen.
fn sorted_by(record: &Value, indexed: DateTime<Utc>) -> String {
    let created = record.get("createdAt").and_then(Value::as_str).and_then(|text| text.parse::<DateTime<Utc>>().ok());
    written(created.map_or(indexed, |created| created.min(indexed)))
}

fn person(door: &Door<'_>, actor: &str, viewer: Option<&str>) -> Result<Value, Refused> {
    let account = door.state.account(actor).ok_or_else(|| Refused::invalid("Profile not found"))?;
    match account.standing {
        Standing::Active => Ok(view::detailed(door.house, account, door.now, viewer, door.state)),
        Standing::Deactivated => Err(Refused::named("AccountDeactivated", "Account is deactivated")),
        Standing::Takendown => Err(Refused::named("AccountTakedown", "Account has been suspended")),
    }
}

/// A post as the read server shows it; `None` where it shows none.
fn post(door: &mut Door<'_>, uri: &str, viewer: Option<&str>) -> Option<Value> {
    let uri = known(door, uri)?;
    let counts = counts(door, &uri);
    view::post(door.house, door.state, door.now, &uri, counts, viewer)
}

/// The address with the account's DID in it, where the read server shows something there.
fn known(door: &Door<'_>, uri: &str) -> Option<String> {
    let parts = record_uri(uri).filter(|parts| parts.collection == POST)?;
    let account = door.state.account(parts.repo).filter(|account| account.is_active())?;
    account.slot(POST, parts.rkey)?.shown(door.now)?;
    Some(format!("at://{}/{POST}/{}", account.did, parts.rkey))
}

/// A post and the answers under it, oldest first.
fn below(door: &mut Door<'_>, uri: &str, depth: usize, viewer: Option<&str>) -> Option<Value> {
    speak(door, uri);
    let post = post(door, uri, viewer)?;
    let mut node = json!({"$type": "app.bsky.feed.defs#threadViewPost", "post": post});
    if depth > 0 {
        let mut under = shown_links(door, uri, LinkKind::Reply);
        under.sort_by(|a, b| (&a.rkey, &a.did).cmp(&(&b.rkey, &b.did)));
        let mut replies = Vec::new();
        for link in under.into_iter().take(BREADTH_MAX) {
            replies.extend(below(door, &format!("at://{}/{POST}/{}", link.did, link.rkey), depth - 1, viewer));
        }
        node["replies"] = Value::from(replies);
    }
    Some(node)
}

/// What a post answers, and what that answers.
fn above(door: &mut Door<'_>, uri: &str, height: usize, viewer: Option<&str>) -> Option<Value> {
    if height == 0 {
        return None;
    }
    let (_, slot) = door.state.slot(uri)?;
    let (put, _) = slot.shown(door.now)?;
    let parent = put.value.pointer("/reply/parent/uri")?.as_str()?.to_owned();
    let Some(post) = post(door, &parent, viewer) else { return Some(shown_or_not(None, &parent)) };
    let mut node = json!({"$type": "app.bsky.feed.defs#threadViewPost", "post": post});
    if let Some(above) = above(door, &parent, height - 1, viewer) {
        node["parent"] = above;
    }
    Some(node)
}

fn shown_or_not(post: Option<Value>, uri: &str) -> Value {
    match post {
        Some(mut post) => {
            post["$type"] = json!("app.bsky.feed.defs#postView");
            post
        }
        None => json!({"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": true}),
    }
}

fn linked(door: &mut Door<'_>, ask: &Ask, kind: LinkKind) -> Result<(String, Vec<Link>), Refused> {
    let uri = ask.need("uri")?.to_owned();
    let limit = ask.number("limit", 50, 1, 100)?;
    let found = known(door, &uri).map(|uri| shown_links(door, &uri, kind)).unwrap_or_default();
    Ok((uri, found.into_iter().rev().take(limit).collect()))
}

/// What points to a post and is shown, by accounts that are open.
fn shown_links(door: &Door<'_>, uri: &str, kind: LinkKind) -> Vec<Link> {
    let is_there = |link: &&Link| {
        let account = door.state.accounts.get(&link.did).filter(|account| account.is_active());
        account.is_some_and(|account| is_shown(account, kind, &link.rkey, uri, door.now))
    };
    door.state.links(uri, kind).filter(is_there).cloned().collect()
}
