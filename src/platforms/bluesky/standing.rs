//! Standing: what an answer says about how the network sees the account, whatever was asked for.
//!
//! Decided here: what counts as a warning, a challenge, a restriction or a call of spam. What then happens to the account is
//! `domain::guardrail`'s business; the ear is told before the verb returns.
//!
//! | in an answer | signal |
//! |---|---|
//! | a label by somebody else on the account or on a post of it | platform warning; spam where the label says so |
//! | `AccountTakedown`, `AccountSuspended`, `RepoTakendown`, `RepoSuspended`, a status of that kind | account restricted |
//! | `AuthFactorTokenRequired` | login challenge |
//! | an error whose name says spam | spam |
//!
//! Invariants: only answers about the account itself are heard; a label is read where the read server puts it and nowhere
//! inside what people wrote, so that nobody can stop an account by writing a record that looks like a warning.

use domain::account::Account;
use domain::guardrail::{Alarm, Signal};
use domain::time::UtcTime;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::{Limits, Transport};

use super::Bluesky;
use super::not_active;
use super::xrpc::{Call, Failure, Said};
use crate::error::LookError;

/// How many labels of one answer are heard.
const LABELS_MAX: usize = 20;

/// What an answer says beside what was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Status<'a> {
    /// Whether the account is in use, where the answer says so.
    pub(crate) active: Option<bool>,
    /// The server's word for it.
    pub(crate) status: Option<&'a str>,
}

impl Bluesky {
    /// Asks something about the account itself over a line, and hears what the answer says of its standing.
    pub(crate) async fn ask_own<T: DeserializeOwned>(
        &self,
        call: &Call,
        line: &dyn Transport,
        limits: Limits,
    ) -> Result<T, Failure> {
        let answer = call.ask(line, limits, self.now()).await;
        if let Err(failure) = &answer {
            self.hear_failure(failure);
        }
        answer
    }

    /// Hears a refusal of a call about the account itself.
    pub(crate) fn hear_failure(&self, failure: &Failure) {
        if let Failure::Said(said) = failure
            && let Some(signal) = signal_of(said)
        {
            self.tell(Alarm::new(signal, &said.words(), self.now()));
        }
    }

    /// Hears whether an answer calls the account's own state restricted.
    pub(crate) fn hear_status(&self, seen: Status<'_>) {
        if seen.active == Some(false) && matches!(seen.status, Some("takendown" | "suspended")) {
            self.tell(Alarm::new(Signal::AccountRestricted, &not_active(seen.status), self.now()));
        }
    }

    /// Hears the labels on a post of the account, as the read server shows it, and on its author.
    pub(crate) fn hear_post(&self, owner: &str, post: &Value) {
        let Some(author) = post.get("author") else { return };
        if author.get("did").and_then(Value::as_str) == Some(owner) {
            self.hear_labels(owner, author.get("labels"));
            self.hear_labels(owner, post.get("labels"));
        }
    }

    fn hear_labels(&self, owner: &str, labels: Option<&Value>) {
        let found = labels.and_then(Value::as_array).into_iter().flatten().take(LABELS_MAX);
        found.filter_map(|label| alarm_of(owner, label, self.now())).for_each(|alarm| self.tell(alarm));
    }

    /// Asks the read server how it shows the account.
    pub(crate) async fn standing_read(&self, account: &Account) -> Result<(), LookError> {
        let owner = account.identity_id();
        let appview = self.appview(account).map_err(LookError::CannotTell)?;
        let call = Call::query(&appview, "app.bsky.actor.getProfile", &[("actor", owner)]);
        let profile: Value = self.look_own(&call).await.map_err(|failure| LookError::CannotTell(failure.words()))?;
        if profile.get("did").and_then(Value::as_str) != Some(owner) {
            return Err(LookError::CannotTell("the read server answered about somebody else".to_owned()));
        }
        self.hear_labels(owner, profile.get("labels"));
        Ok(())
    }

    fn tell(&self, alarm: Alarm) {
        if let Some(ear) = &self.ear {
            ear(alarm);
        }
    }
}

fn signal_of(said: &Said) -> Option<Signal> {
    match said.name.as_str() {
        "AccountTakedown" | "AccountSuspended" | "RepoTakendown" | "RepoSuspended" => Some(Signal::AccountRestricted),
        "AuthFactorTokenRequired" => Some(Signal::LoginChallenge),
        name if name.to_ascii_lowercase().contains("spam") => Some(Signal::Spam),
        _ => None,
    }
}

/// Reads one label; `None` where it is the account's own, taken back, over, or about something else.
fn alarm_of(owner: &str, label: &Value, now: UtcTime) -> Option<Alarm> {
    let text = |name: &str| label.get(name).and_then(Value::as_str);
    let (source, value, about) = (text("src")?, text("val")?, text("uri")?);
    let is_about = about == owner || about.strip_prefix("at://").and_then(|rest| rest.split('/').next()) == Some(owner);
    let is_over = text("exp").and_then(|end| end.parse::<UtcTime>().ok()).is_some_and(|end| end <= now);
    if source == owner || !is_about || is_over || label.get("neg") == Some(&Value::Bool(true)) {
        return None;
    }
    let since = text("cts").unwrap_or("an unknown time");
    let signal = if value.eq_ignore_ascii_case("spam") { Signal::Spam } else { Signal::PlatformWarning };
    let words = format!("label {value} on {about} by {source} since {since}");
    Some(Alarm::new(signal, &words, now).marked(&format!("{source} {about} {value} {since}")))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::adapter::Adapter;
    use crate::bluesky::tests::{DID, NOW, OTHER, account, bluesky, live, login, permit, text};
    use serde_json::json;
    use wire::Scripted;

    /// An adapter with an ear, and what that heard.
    fn listening(script: &Scripted) -> (Arc<dyn Adapter>, Arc<Mutex<Vec<Alarm>>>) {
        let heard: Arc<Mutex<Vec<Alarm>>> = Arc::default();
        let kept = Arc::clone(&heard);
        let ear = move |alarm| kept.lock().unwrap().push(alarm);
        (bluesky(script).listening(Arc::new(ear)), heard)
    }

    fn signals(heard: &Arc<Mutex<Vec<Alarm>>>) -> Vec<Signal> {
        heard.lock().unwrap().iter().map(|alarm| alarm.signal).collect()
    }

    fn label(src: &str, uri: &str, val: &str) -> Value {
        json!({"src": src, "uri": uri, "val": val, "cts": NOW})
    }

    /// A post as the read server shows it, with these labels on its author and on itself.
    fn shown(author: Value, own: Value) -> Value {
        let live = live(1);
        json!({"posts": [{
            "uri": live.id, "cid": live.digest, "indexedAt": NOW, "record": {"text": "Rye", "labels": [label(OTHER, DID, "!warn")]},
            "author": {"did": DID, "handle": "acme.test", "labels": author}, "labels": own,
        }]})
    }

    async fn measured(author: Value, own: Value) -> Vec<Alarm> {
        let script = Scripted::new();
        script.json(200, &shown(author, own));
        let (adapter, heard) = listening(&script);
        adapter.measure(&account(), &[live(1)]).await;
        heard.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn a_label_on_the_account_or_a_post_of_it_is_a_warning_in_whatever_answer_it_comes() {
        let on_account = measured(json!([label(OTHER, DID, "!warn")]), json!([])).await;
        assert_eq!(on_account.len(), 1, "{on_account:?}");
        assert_eq!(on_account[0].signal, Signal::PlatformWarning);
        assert!(on_account[0].words.contains("!warn") && on_account[0].mark.is_some());
        let on_post = measured(json!([]), json!([label(OTHER, &live(1).id, "SPAM")])).await;
        assert_eq!(on_post[0].signal, Signal::Spam);
    }

    #[tokio::test]
    async fn what_the_account_or_people_wrote_themselves_is_no_warning() {
        for quiet in [
            json!([]),
            json!("text"),
            json!([label(DID, DID, "!no-unauthenticated")]),
            json!([label(OTHER, OTHER, "!warn")]),
            json!([{"src": OTHER, "uri": DID, "val": "!warn", "neg": true}]),
            json!([{"src": OTHER, "uri": DID, "val": "!warn", "exp": "2020-01-01T00:00:00Z"}]),
            json!([{"val": 7}, null, 3]),
        ] {
            let heard = measured(quiet.clone(), quiet.clone()).await;
            assert!(heard.is_empty(), "{quiet}: {heard:?}");
        }
    }

    #[tokio::test]
    async fn a_label_that_is_no_plain_text_is_cleaned() {
        let heard = measured(json!([label("did:web:x\u{202E}", DID, "\u{1b}]0;x\u{7}")]), json!([])).await;
        assert!(!heard[0].words.chars().any(char::is_control) && heard[0].words.contains("<U+202E>"), "{heard:?}");
    }

    #[tokio::test]
    async fn a_takedown_is_heard_in_every_verb_that_speaks_for_the_account() {
        let down = json!({"error": "AccountTakedown", "message": "Account has been taken down"});
        let script = || {
            let script = Scripted::new();
            script.json(400, &down);
            listening(&script)
        };
        let handle = {
            let seed = crate::PrepareSeed { now: NOW.parse().unwrap(), random: [1; 8] };
            bluesky(&Scripted::new()).prepare(&login(), &text("Rye"), vec![], seed).await.unwrap()
        };
        let (adapter, heard) = script();
        adapter.check_identity(&login()).await.unwrap_err();
        assert_eq!(signals(&heard), [Signal::AccountRestricted], "session");
        let (adapter, heard) = script();
        adapter.refresh(&login()).await.unwrap_err();
        assert_eq!(signals(&heard), [Signal::AccountRestricted], "refresh");
        let (adapter, heard) = script();
        adapter.commit(&login(), permit(&handle), clock::Boot::default()).await;
        assert_eq!(signals(&heard), [Signal::AccountRestricted], "commit");
        let (adapter, heard) = script();
        adapter.observe(&login(), &handle).await;
        assert_eq!(signals(&heard), [Signal::AccountRestricted], "look");
        let (adapter, heard) = script();
        adapter.recent(&account(), NOW.parse().unwrap()).await.unwrap_err();
        assert_eq!(signals(&heard), [Signal::AccountRestricted], "listing");
        let (adapter, heard) = script();
        adapter.standing(&account()).await.unwrap_err();
        assert_eq!(signals(&heard), [Signal::AccountRestricted], "profile");
        assert!(heard.lock().unwrap()[0].words.contains("taken down"));
    }

    #[tokio::test]
    async fn an_answer_that_calls_the_account_suspended_is_heard_though_it_is_no_error() {
        let script = Scripted::new();
        script.json(200, &json!({"did": DID, "active": false, "status": "suspended"}));
        let (adapter, heard) = listening(&script);
        adapter.check_identity(&login()).await.unwrap_err();
        assert_eq!(signals(&heard), [Signal::AccountRestricted]);
        let script = Scripted::new();
        script.json(200, &json!({"did": DID, "active": false, "status": "deactivated"}));
        let (adapter, heard) = listening(&script);
        adapter.check_identity(&login()).await.unwrap_err();
        assert!(signals(&heard).is_empty(), "its owner did that");
    }

    #[test]
    fn names_of_errors_mean_one_thing_each() {
        let signal =
            |name: &str| signal_of(&Said { status: 400, name: name.to_owned(), message: String::new(), until: None });
        assert_eq!(signal("AuthFactorTokenRequired"), Some(Signal::LoginChallenge));
        assert_eq!(signal("SpamDetected"), Some(Signal::Spam));
        assert_eq!(signal("RepoSuspended"), Some(Signal::AccountRestricted));
        for name in ["", "ExpiredToken", "InvalidRequest", "RateLimitExceeded", "AccountDeactivated", "RecordNotFound"]
        {
            assert_eq!(signal(name), None, "{name}");
        }
    }
}
