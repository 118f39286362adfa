//! How posts and people are drawn for whoever reads.
//!
//! Decided here: the form of each answer's parts, as the network's lexicons have them, and nothing about who may see what.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::crowd::{Counts, is_shown};
use super::door::{House, written};
use super::lexicon::{FOLLOW, POST, PROFILE};
use super::state::{Account, Link, LinkKind, State};

/// A post, or `None` where nothing is shown at that address.
pub(crate) fn post(
    house: &House,
    state: &State,
    now: DateTime<Utc>,
    uri: &str,
    counts: Counts,
    viewer: Option<&str>,
) -> Option<Value> {
    let (account, slot) = state.slot(uri).filter(|(account, _)| account.is_active())?;
    let (put, indexed) = slot.shown(now)?;
    let mut view = json!({
        "uri": uri,
        "cid": put.cid,
        "author": basic(house, account, now, viewer, state),
        "record": put.value,
        "bookmarkCount": counts.bookmarks,
        "replyCount": counts.replies,
        "repostCount": counts.reposts,
        "likeCount": counts.likes,
        "quoteCount": counts.quotes,
        "indexedAt": written(indexed),
        "labels": [],
    });
    if let Some(embed) = put.value.get("embed").and_then(|embed| embedded(house, state, now, account, embed)) {
        view["embed"] = embed;
    }
    if let Some(viewer) = viewer {
        let mut seen = json!({"bookmarked": false, "threadMuted": false, "embeddingDisabled": false});
        let own = |kind| own_link(state, viewer, uri, kind, now);
        put_some(&mut seen, "like", own(LinkKind::Like));
        put_some(&mut seen, "repost", own(LinkKind::Repost));
        view["viewer"] = seen;
    }
    Some(view)
}

/// A person in few words.
pub(crate) fn basic(
    house: &House,
    account: &Account,
    now: DateTime<Utc>,
    viewer: Option<&str>,
    state: &State,
) -> Value {
    let own = own_profile(account, now);
    let mut view = json!({"did": account.did, "handle": account.handle});
    put_some(&mut view, "displayName", text_of(own, "displayName"));
    put_some(&mut view, "avatar", own.and_then(|own| picture(house, account, own.get("avatar")?, "avatar")));
    if let Some(viewer) = viewer {
        let mut seen = json!({"muted": false, "blockedBy": false});
        put_some(&mut seen, "following", own_link(state, viewer, &account.did, LinkKind::Follow, now));
        put_some(&mut seen, "followedBy", own_link(state, &account.did, viewer, LinkKind::Follow, now));
        view["viewer"] = seen;
    }
    view["labels"] = labels(house, account);
    view["createdAt"] = json!(written(account.created));
    view
}

/// A person in a list.
pub(crate) fn profile(
    house: &House,
    account: &Account,
    now: DateTime<Utc>,
    viewer: Option<&str>,
    state: &State,
) -> Value {
    let mut view = basic(house, account, now, viewer, state);
    put_some(&mut view, "description", text_of(own_profile(account, now), "description"));
    view["indexedAt"] = json!(written(account.created));
    view
}

/// A person on a page of their own.
pub(crate) fn detailed(
    house: &House,
    account: &Account,
    now: DateTime<Utc>,
    viewer: Option<&str>,
    state: &State,
) -> Value {
    let mut view = profile(house, account, now, viewer, state);
    let followers = state
        .links(&account.did, LinkKind::Follow)
        .filter(|link| {
            state.accounts.get(&link.did).is_some_and(|by| is_shown(by, link.kind, &link.rkey, &account.did, now))
        })
        .count();
    let audience = account.audience.as_ref().map_or(0, super::crowd::Audience::followers);
    let shown = |collection| account.collection(collection).filter(|(_, slot)| slot.shown(now).is_some()).count();
    view["followersCount"] = json!(audience.saturating_add(u64::try_from(followers).unwrap_or(u64::MAX)));
    view["followsCount"] = json!(shown(FOLLOW));
    view["postsCount"] = json!(shown(POST));
    view
}

/// What an account put on its own page.
fn own_profile(account: &Account, now: DateTime<Utc>) -> Option<&Value> {
    account.slot(PROFILE, "self")?.shown(now).map(|(put, _)| &put.value)
}

fn text_of(record: Option<&Value>, name: &str) -> Option<String> {
    record?.get(name)?.as_str().map(str::to_owned)
}

/// The network's own labels on an account.
fn labels(house: &House, account: &Account) -> Value {
    let host = house.base.split("://").nth(1).unwrap_or_default().replace(':', "%3A");
    let one = |(value, at): &(String, DateTime<Utc>)| json!({"src": format!("did:web:{host}"), "uri": account.did, "val": value, "cts": written(*at)});
    account.labels.iter().map(one).collect()
}

/// The address of the record by which somebody likes, reposts or follows something.
fn own_link(state: &State, who: &str, subject: &str, kind: LinkKind, now: DateTime<Utc>) -> Option<String> {
    let account = state.accounts.get(who)?;
    let is_own = |link: &&Link| link.did == who && is_shown(account, kind, &link.rkey, subject, now);
    let link = state.links(subject, kind).find(is_own)?;
    Some(format!("at://{who}/{}/{}", kind.collection(), link.rkey))
}

/// Draws what a post holds beside its text.
fn embedded(house: &House, state: &State, now: DateTime<Utc>, account: &Account, embed: &Value) -> Option<Value> {
    let view = |kind: &str| format!("{kind}#view");
    let kind = embed.get("$type")?.as_str()?;
    match kind {
        "app.bsky.embed.images" => {
            let images = embed.get("images")?.as_array()?;
            let images: Option<Vec<Value>> = images.iter().map(|image| image_view(house, account, image)).collect();
            Some(json!({"$type": view(kind), "images": images?}))
        }
        "app.bsky.embed.external" => {
            let external = embed.get("external")?;
            let text = |name: &str| external.get(name).and_then(Value::as_str).unwrap_or_default();
            let mut shown = json!({"uri": text("uri"), "title": text("title"), "description": text("description")});
            let thumb = external.get("thumb").and_then(|thumb| picture(house, account, thumb, "feed_thumbnail"));
            put_some(&mut shown, "thumb", thumb);
            Some(json!({"$type": view(kind), "external": shown}))
        }
        "app.bsky.embed.record" => Some(
            json!({"$type": view(kind), "record": quoted(house, state, now, embed.pointer("/record/uri")?.as_str()?)}),
        ),
        "app.bsky.embed.recordWithMedia" => {
            let uri = embed.pointer("/record/record/uri")?.as_str()?;
            Some(json!({
                "$type": view(kind),
                "record": {"record": quoted(house, state, now, uri)},
                "media": embedded(house, state, now, account, embed.get("media")?)?,
            }))
        }
        "app.bsky.embed.video" => {
            let cid = embed.pointer("/video/ref/$link")?.as_str()?;
            let playlist = format!("{}/img/video/plain/{}/{cid}", house.base, account.did);
            let mut shown = json!({"$type": view(kind), "cid": cid, "playlist": playlist});
            put_some(&mut shown, "alt", text_of(Some(embed), "alt"));
            Some(shown)
        }
        _ => None,
    }
}

fn image_view(house: &House, account: &Account, image: &Value) -> Option<Value> {
    let mut shown = json!({
        "thumb": picture(house, account, image.get("image")?, "feed_thumbnail")?,
        "fullsize": picture(house, account, image.get("image")?, "feed_fullsize")?,
        "alt": image.get("alt")?,
    });
    if let Some(ratio) = image.get("aspectRatio") {
        shown["aspectRatio"] = ratio.clone();
    }
    Some(shown)
}

/// Where a blob can be looked at.
fn picture(house: &House, account: &Account, blob: &Value, size: &str) -> Option<String> {
    let cid = blob.pointer("/ref/$link")?.as_str()?;
    Some(format!("{}/img/{size}/plain/{}/{cid}@jpeg", house.base, account.did))
}

fn quoted(house: &House, state: &State, now: DateTime<Utc>, uri: &str) -> Value {
    let shown = state.slot(uri).filter(|(account, _)| account.is_active());
    let shown = shown.and_then(|(account, slot)| Some((account, slot.shown(now)?)));
    match shown {
        Some((account, (put, indexed))) => json!({
            "$type": "app.bsky.embed.record#viewRecord",
            "uri": uri,
            "cid": put.cid,
            "author": basic(house, account, now, None, state),
            "value": put.value,
            "labels": [],
            "indexedAt": written(indexed),
        }),
        None => json!({"$type": "app.bsky.embed.record#viewNotFound", "uri": uri, "notFound": true}),
    }
}

fn put_some(view: &mut Value, name: &str, text: Option<String>) {
    if let (Some(map), Some(text)) = (view.as_object_mut() as Option<&mut Map<String, Value>>, text) {
        map.insert(name.to_owned(), Value::from(text));
    }
}
