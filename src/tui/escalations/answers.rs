//! Answers: what may be done about an escalation, each as what comes of it.
//!
//! Decides which of the answers that stand in an escalation can be given from here, what each needs beside a key, and that
//! the advised one stands first. Where only eyes can tell, none is advised.

use desk::Stoppable;
use domain::escalation::{Escalation, Subject};
use domain::id::PostId;
use domain::role::Action;

use crate::can;
use crate::model::Model;
use crate::when;

/// The rule of a post in doubt: words do not settle it.
const IN_DOUBT: &str = "post.unconfirmed";
/// More than that are not weighed against one another.
pub(crate) const MOST: usize = 6;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// In a few words.
    pub(crate) title: String,
    /// What comes of it.
    pub(crate) comes: String,
    pub(crate) deed: Deed,
    pub(crate) needs: Needs,
    /// Why it is advised.
    pub(crate) advised: Option<String>,
}

/// What an answer needs beside the key that confirms it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing; a note may be added.
    Note,
    /// The address of a post.
    Url,
    /// A reason.
    Reason,
    /// This handle, typed: it cannot be taken back.
    Handle(String),
}

/// What an answer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    Live(PostId),
    NotLive(PostId),
    Cancel(PostId),
    Resume(Stoppable),
    Pause(Stoppable),
    End(String),
    /// Settled, with these words; none where a person finds them.
    Settle(String),
    Later,
    /// A command that needs more than a screen has: a password.
    Elsewhere(String),
}

/// Returns the answers to one, the advised one first.
pub(crate) fn choices(model: &Model, escalation: &Escalation) -> Vec<Choice> {
    let mut all = match &escalation.subject {
        Subject::Post { post, .. } if escalation.rule == IN_DOUBT => in_doubt(model, escalation, *post),
        Subject::Post { .. } | Subject::Account { .. } => {
            let mut all: Vec<Choice> =
                escalation.answers.iter().filter_map(|answer| read(model, escalation, answer)).collect();
            if !all.iter().any(|choice| matches!(&choice.deed, Deed::Settle(words) if words.is_empty())) {
                all.push(in_words());
            }
            all
        }
    };
    all.sort_by_key(|choice| choice.advised.is_none());
    all.truncate(MOST);
    all
}

fn choice(title: &str, comes: impl Into<String>, deed: Deed, needs: Needs) -> Choice {
    Choice { title: title.to_owned(), comes: comes.into(), deed, needs, advised: None }
}

fn in_words() -> Choice {
    choice(
        "Settled otherwise",
        "say how; it leaves this list and stays in the log",
        Deed::Settle(String::new()),
        Needs::Reason,
    )
}

fn in_doubt(model: &Model, escalation: &Escalation, post: PostId) -> Vec<Choice> {
    let handle = super::account(model, escalation).map_or_else(String::new, |id| model.known.handle(id));
    let next_round = model.known.rounds.iter().flat_map(|(_, rounds)| rounds).find_map(|round| round.after);
    let longest = escalation.urgency.longest(model.wall(), next_round.map_or(escalation.due, |next| next.at));
    let back = when::clock_then(longest, model.wall(), model.setting.zone);
    vec![
        choice("It is live", "paste its address; it is read back, proof is kept", Deed::Live(post), Needs::Url),
        choice(
            "It is not live",
            format!("type {handle}; it is approved anew before it goes out"),
            Deed::NotLive(post),
            Needs::Handle(handle),
        ),
        choice(
            "Cannot tell yet",
            format!("nothing sends it again; it is looked at meanwhile; back {back}"),
            Deed::Later,
            Needs::Note,
        ),
    ]
}

/// Reads an answer: a command with what comes of it, or words.
fn read(model: &Model, escalation: &Escalation, answer: &str) -> Option<Choice> {
    let (answer, advised) = advice(answer);
    let mut choice = match answer.strip_prefix("expos ") {
        Some(command) => of_command(model, escalation, command)?,
        None => of_words(&answer),
    };
    choice.advised = advised;
    Some(choice)
}

/// Takes the advice off an answer: `… (advised: why)`.
fn advice(answer: &str) -> (String, Option<String>) {
    match answer.split_once("(advised: ") {
        Some((words, rest)) => {
            let why = rest.split_once(')').map_or(rest, |(why, _)| why);
            (words.trim_end().to_owned(), Some(why.to_owned()))
        }
        None => (answer.to_owned(), None),
    }
}

fn of_words(answer: &str) -> Choice {
    let (title, comes) = answer.split_once([',', ':']).unwrap_or((answer, ""));
    let comes = comes.trim_start();
    let comes = comes.strip_prefix("and ").unwrap_or(comes);
    choice(&capitalised(title), comes, Deed::Settle(answer.to_owned()), Needs::Note)
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

fn of_command(model: &Model, escalation: &Escalation, text: &str) -> Option<Choice> {
    let (command, comes) = text.split_once(": ").unwrap_or((text, ""));
    let comes = |otherwise: &str| if comes.is_empty() { otherwise.to_owned() } else { comes.to_owned() };
    let words: Vec<&str> = command.split_whitespace().collect();
    Some(match words.as_slice() {
        ["post", "confirm", post, "--live", ..] => {
            choice("It is live", comes("paste its address"), Deed::Live(post.parse().ok()?), Needs::Url)
        }
        ["post", "confirm", post, "--not-live", ..] => {
            let handle = super::account(model, escalation).map_or_else(String::new, |id| model.known.handle(id));
            let comes = comes(&format!("type {handle}; it is approved anew"));
            choice("It is not live", comes, Deed::NotLive(post.parse().ok()?), Needs::Handle(handle))
        }
        ["post", "cancel", post, ..] => {
            let comes = comes("it does not go out, and the test has one post less");
            choice("Give up this post", comes, Deed::Cancel(post.parse().ok()?), Needs::Reason)
        }
        // The key that says why does this.
        ["post", "why", ..] => return None,
        ["account", "resume", account, ..] => {
            let target = Stoppable::Account(account.parse().ok()?);
            choice("Let it go on", comes("what is parked goes out at its slots"), Deed::Resume(target), Needs::Reason)
        }
        ["account", "pause", account, ..] => {
            let target = Stoppable::Account(account.parse().ok()?);
            choice("Stop the account", comes("nothing unsent of it goes out"), Deed::Pause(target), Needs::Note)
        }
        ["account", "connect", ..] => {
            let title = "Log in again";
            let comes = comes("a password is never typed here; run the command in a shell");
            choice(title, comes, Deed::Elsewhere(format!("expos {command}")), Needs::Note)
        }
        ["experiment", "stop", code, ..] => {
            let comes = comes("its unsent posts are cancelled");
            choice(&format!("End {code}"), comes, Deed::End((*code).to_owned()), Needs::Reason)
        }
        ["experiment", "resume", code, ..] => {
            let target = Stoppable::Experiment((*code).to_owned());
            let comes = comes("it goes on, after the guards looked anew");
            choice(&format!("Let {code} go on"), comes, Deed::Resume(target), Needs::Reason)
        }
        ["escalation", "resolve", ..] => {
            let words = in_words();
            Choice { comes: comes(&words.comes), ..words }
        }
        _ => choice(
            "Run a command",
            comes("it is not done from here"),
            Deed::Elsewhere(format!("expos {command}")),
            Needs::Note,
        ),
    })
}

/// Returns why an answer cannot be given by who sits here, or from here.
pub(crate) fn why_not(model: &Model, choice: &Choice) -> Option<String> {
    match &choice.deed {
        Deed::Live(_) => can::why_no_start(model, Action::SettleLive),
        Deed::NotLive(_) => can::why_no_start(model, Action::SettleNotLive),
        Deed::Cancel(_) | Deed::End(_) | Deed::Pause(_) => can::why_not_allowed(model, Action::Stop),
        Deed::Resume(target) => can::why_not_resumed(model, target)
            .or_else(|| model.link.why_nothing_may_start(model.now).map(str::to_owned)),
        Deed::Settle(_) => can::why_no_start(model, Action::Decide),
        Deed::Later => can::why_not_allowed(model, Action::Decide),
        Deed::Elsewhere(command) => Some(format!("run `{command}`")),
    }
}

/// Returns what is still missing of what was typed for an answer.
pub(crate) fn missing(choice: &Choice, typed: &str) -> Option<String> {
    let typed = typed.trim();
    match &choice.needs {
        Needs::Note => None,
        Needs::Url if typed.starts_with("https://") || typed.starts_with("at://") => None,
        Needs::Url => Some("it needs the post's address, as in https://".to_owned()),
        Needs::Reason if typed.is_empty() => Some("it needs a reason".to_owned()),
        Needs::Reason => None,
        Needs::Handle(handle) => {
            let bare = handle.trim_start_matches('@');
            let same = !bare.is_empty() && typed.trim_start_matches('@').eq_ignore_ascii_case(bare);
            (!same).then(|| format!("it cannot be taken back: type {handle}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_a_reason_and_a_handle_are_asked_for_and_a_note_is_not() {
        let of = |needs| choice("t", "c", Deed::Later, needs);
        assert!(missing(&of(Needs::Note), "").is_none());
        assert!(missing(&of(Needs::Url), "yes").is_some());
        assert!(missing(&of(Needs::Url), " https://bsky.app/profile/a/post/b ").is_none());
        assert!(missing(&of(Needs::Reason), "  ").is_some());
        let handle = of(Needs::Handle("@crumb.example".to_owned()));
        assert!(missing(&handle, "crumb").is_some());
        assert!(missing(&handle, "Crumb.example").is_none() && missing(&handle, "@crumb.example").is_none());
        assert!(missing(&of(Needs::Handle(String::new())), "").is_some(), "what is not known cannot be typed");
    }

    #[test]
    fn advice_is_told_apart_from_what_comes_of_it() {
        let answer = "stay stopped, and ask the client: nothing goes out (advised: nothing shows that it is over)";
        let (words, why) = advice(answer);
        assert_eq!(why.as_deref(), Some("nothing shows that it is over"));
        let choice = of_words(&words);
        assert_eq!(
            (choice.title.as_str(), choice.comes.as_str()),
            ("Stay stopped", "ask the client: nothing goes out")
        );
        assert_eq!(choice.deed, Deed::Settle("stay stopped, and ask the client: nothing goes out".to_owned()));
    }
}
