//! Listening: what people wrote under our posts becomes conversations for a person to answer.
//!
//! Decides when a thread is read: rarer as its post gets older, for a week; and what of it is kept: not what this program
//! sent itself. What waits for an answer is `domain::engagement`'s; nothing here answers anybody. Where the thread could not
//! be read, or only a part of it, nothing is concluded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::engagement::{Conversation, ConversationCommand, ConversationEvent, LISTEN_FOR, Sighting, listen_every};
use domain::hash::Framed;
use domain::id::{ConversationId, PostId};
use domain::post::{Live, Post};
use domain::role::Scope;
use domain::time::{Span, UtcTime};
use domain::variant::RecordRef;
use platforms::ThreadReply;
use store::{Cause, Stop, StoreError, Tx, View};

use crate::error::allowed;
use crate::{EngineError, Inner, Task, sooner};

impl Inner {
    /// Reads the threads that are due, and returns when the next one is.
    pub(crate) async fn listen(self: &Arc<Self>) -> Result<Option<UtcTime>, EngineError> {
        let now = self.now();
        let listened = self.store.read(move |view| listened_to(view, now)).await?;
        self.forget_threads(&listened);
        let mut next = None;
        for Listened { post, out, least } in listened {
            let key = key(post);
            let again = self.due_again(&key);
            let first = out.plus(least);
            let due = if again > UtcTime::from_micros(0) { again } else { first };
            if due > self.now() {
                next = sooner(next, Some(due));
                continue;
            }
            let heard = self.hear_thread(post).await?;
            let due = self.now().plus(listen_every(self.now().since(out), least));
            if heard {
                self.due_at(&key, due);
                next = sooner(next, Some(due));
            } else {
                next = sooner(next, Some(self.try_again(&key)));
            }
        }
        Ok(next)
    }

    /// Reads one thread. Returns false where it could not be read.
    async fn hear_thread(&self, id: PostId) -> Result<bool, EngineError> {
        let Some(post) = self.store.read(move |view| view.post(id)).await? else { return Ok(true) };
        let (Some(live), Some((account, adapter))) = (post.live().cloned(), self.adapter_of(&post.account).await?)
        else {
            return Ok(true);
        };
        match adapter.thread(&account, &live).await {
            Ok(replies) => {
                self.keep_comments(&post, &live, &replies).await?;
                self.pulse.went_well(Task::Collect);
                Ok(true)
            }
            Err(error) => {
                self.pulse.went_wrong(Task::Collect, format!("the thread of {}: {error}", post.what()));
                // What has no thread may have been taken away: then it is listened to no longer, and a person is told.
                self.read_back(&post).await?;
                Ok(false)
            }
        }
    }

    /// Keeps what a whole thread says: new comments, changed ones, and those that are no longer there.
    pub(crate) async fn keep_comments(
        &self,
        post: &Post,
        live: &Live,
        replies: &[ThreadReply],
    ) -> Result<(), EngineError> {
        let (post, live, replies) = (post.clone(), live.clone(), replies.to_vec());
        let (asked, there, found) = (post.clone(), live.clone(), replies.clone());
        // Most looks find nothing new: that is seen without the writer.
        let news = self.store.read(move |view| Ok(!news(view, &asked, &there, &found)?.is_empty())).await?;
        if !news {
            return Ok(());
        }
        let written = self.store.write(Cause::engine(Task::Collect.as_str()), move |tx: &mut Tx<'_>| {
            for (id, events) in news_in(tx, &post, &live, &replies)? {
                tx.append::<Conversation>(&id, events)?;
            }
            Ok(())
        });
        allowed(written.await)?.ok();
        Ok(())
    }

    fn forget_threads(&self, listened: &[Listened]) {
        let keys: BTreeSet<String> = listened.iter().map(|one| key(one.post)).collect();
        let mut again = self.again.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        again.retain(|known, _| !known.starts_with(KEY) || keys.contains(known));
    }
}

const KEY: &str = "thread ";

fn key(post: PostId) -> String {
    format!("{KEY}{post}")
}

struct Listened {
    post: PostId,
    /// Since when it is out.
    out: UtcTime,
    /// The client's least time between two looks.
    least: Span,
}

fn listened_to(view: &View<'_>, now: UtcTime) -> Result<Vec<Listened>, StoreError> {
    let out = view.posts_out_since(now.minus(LISTEN_FOR))?;
    if out.is_empty() {
        return Ok(Vec::new());
    }
    let least: BTreeMap<_, _> =
        view.clients(&Scope::All)?.into_iter().map(|client| (client.id, client.policy.comments_every)).collect();
    let of = |(post, client, out)| Some(Listened { post, out, least: *least.get(&client)? });
    Ok(out.into_iter().filter_map(of).collect())
}

fn news_in(
    tx: &Tx<'_>,
    post: &Post,
    live: &Live,
    replies: &[ThreadReply],
) -> Result<Vec<(ConversationId, Vec<ConversationEvent>)>, Stop> {
    Ok(news(tx, post, live, replies)?)
}

/// Returns what a look at a thread changes, conversation by conversation.
fn news(
    view: &View<'_>,
    post: &Post,
    live: &Live,
    replies: &[ThreadReply],
) -> Result<Vec<(ConversationId, Vec<ConversationEvent>)>, StoreError> {
    let at = view.now();
    let known = view.conversations_of_post(post.id)?;
    let ours: BTreeSet<String> =
        view.accounts(&Scope::All, None)?.iter().map(|account| account.identity_id().to_owned()).collect();
    let mut threads = threads(live, replies, &ours, &sent_by_us(view, &known)?);
    let mut news = Vec::new();
    for conversation in known {
        let found = threads.remove(&conversation.began).unwrap_or_default();
        // Seeing refuses nothing.
        let events = conversation.decide(ConversationCommand::See { found, at }).unwrap_or_default();
        if !events.is_empty() {
            news.push((conversation.id, events));
        }
    }
    for (began, found) in threads {
        let Some(first) = found.iter().map(|one| one.at).min() else { continue };
        let id = name(first, post, &began);
        let empty = Conversation {
            id,
            client: post.client.clone(),
            account: post.account.clone(),
            experiment: post.experiment,
            post: post.id,
            variant: post.variant,
            letter: post.letter,
            root: RecordRef { uri: live.id.clone(), cid: live.digest.clone() },
            began,
            comments: Vec::new(),
            replies: Vec::new(),
            skipped: None,
        };
        news.extend(Conversation::open(empty, &found, at).map(|event| (id, vec![event])));
    }
    Ok(news)
}

/// The names under which replies of this program went out, or may have.
fn sent_by_us(view: &View<'_>, known: &[Conversation]) -> Result<BTreeSet<String>, StoreError> {
    let mut names = BTreeSet::new();
    for reply in known.iter().flat_map(|conversation| &conversation.replies) {
        let sent = view.post(reply.post)?;
        names.extend(sent.into_iter().flat_map(|post| post.attempts).map(|attempt| attempt.handle.key));
    }
    Ok(names)
}

/// Sorts what stands under a post by the comment right under it that each belongs to.
fn threads(
    live: &Live,
    replies: &[ThreadReply],
    ours: &BTreeSet<String>,
    sent: &BTreeSet<String>,
) -> BTreeMap<String, Vec<Sighting>> {
    let parents: BTreeMap<&str, &str> = replies.iter().map(|one| (one.uri.as_str(), one.parent.as_str())).collect();
    let mut threads: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
    for one in replies {
        let mut top = one.uri.as_str();
        // No chain is longer than there are answers, whatever a server says of parents.
        for _ in 0..replies.len() {
            match parents.get(top) {
                Some(parent) if *parent != live.id && parents.contains_key(parent) => top = parent,
                Some(_) | None => break,
            }
        }
        let thread = threads.entry(top.to_owned()).or_default();
        if !sent.contains(&one.uri) {
            thread.push(Sighting {
                uri: one.uri.clone(),
                cid: one.cid.clone(),
                parent: one.parent.clone(),
                author: one.author_did.clone(),
                handle: one.author_handle.clone(),
                text: one.text.clone(),
                at: one.at,
                ours: ours.contains(&one.author_did),
            });
        }
    }
    threads
}

/// An id needs no secrecy, only to be its own: where the thread stands and how it is called there.
fn name(first: UtcTime, post: &Post, began: &str) -> ConversationId {
    let digest = Framed::new("expos.conversation.id").text(&post.id.to_string()).text(began).digest();
    let mut random = [0_u8; 10];
    random.iter_mut().zip(digest.bytes()).for_each(|(to, from)| *to = *from);
    ConversationId::new(first, random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::text::Untrusted;

    const POST: &str = "at://post";

    fn said(uri: &str, parent: &str, author: &str) -> ThreadReply {
        ThreadReply {
            uri: uri.to_owned(),
            cid: format!("cid of {uri}"),
            parent: parent.to_owned(),
            author_did: author.to_owned(),
            author_handle: Untrusted::new(author),
            text: Untrusted::new(uri),
            at: UtcTime::from_micros(1_800_000_000_000_000),
        }
    }

    fn sorted(replies: &[ThreadReply], sent: &[&str]) -> Vec<(String, Vec<(String, bool)>)> {
        let at = UtcTime::from_micros(0);
        let live = Live { id: POST.to_owned(), url: String::new(), digest: "cid".to_owned(), at };
        let ours = BTreeSet::from(["did:us".to_owned()]);
        let sent = sent.iter().map(|uri| (*uri).to_owned()).collect();
        let all = threads(&live, replies, &ours, &sent).into_iter();
        all.map(|(began, found)| (began, found.into_iter().map(|one| (one.uri, one.ours)).collect())).collect()
    }

    #[test]
    fn each_answer_belongs_to_the_comment_right_under_our_post_and_what_we_sent_is_no_comment() {
        let replies = [
            said("a", POST, "did:ann"),
            said("b", POST, "did:ben"),
            said("ours", "a", "did:us"),
            said("back", "ours", "did:ann"),
            said("by hand", "b", "did:us"),
        ];
        let one = |uri: &str, ours| (uri.to_owned(), ours);
        let expected = vec![
            ("a".to_owned(), vec![one("a", false), one("back", false)]),
            ("b".to_owned(), vec![one("b", false), one("by hand", true)]),
        ];
        assert_eq!(sorted(&replies, &["ours"]), expected);
    }

    #[test]
    fn a_chain_of_parents_that_bites_its_tail_ends() {
        let replies = [said("a", "b", "did:ann"), said("b", "a", "did:ben")];
        assert_eq!(sorted(&replies, &[]).iter().map(|(_, found)| found.len()).sum::<usize>(), 2);
    }
}
