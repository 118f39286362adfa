//! Guardrails (E): what protects an account, and its being crossed.
//!
//! Decides which signals there are, which a network lets one see, and when a limit is crossed. What one crossing does to
//! the account is `account`'s business: everything unsent on it waits for a person. What cannot be seen is *not
//! observable*, which is an answer of its own and never passes for "well".
//!
//! | signal | crossed by |
//! |---|---|
//! | platform warning, login challenge, account restricted, spam | one is enough, whatever a brief says |
//! | publish failures | three in a row, or evidence of 500 to 1 that the lane fails ten times as often as it should |
//! | negative feedback | no network that is spoken to shows it |

use serde::{Deserialize, Serialize};

use crate::brief::{GuardrailAction, GuardrailLimit, Platform};
use crate::post::{AttemptEnd, Post, PostState};
use crate::text::Untrusted;
use crate::time::{Span, UtcTime};
use crate::variant::Lane;

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The platform's moderators marked the account or a post of it.
    PlatformWarning,
    /// The platform wants to be shown that a person logs in.
    LoginChallenge,
    /// The platform took the account down, or suspended it.
    AccountRestricted,
    /// The platform called something of the account spam.
    Spam,
    /// Posts do not go out.
    PublishFailures,
    /// People hide, report or leave.
    NegativeFeedback,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::PlatformWarning,
        Self::LoginChallenge,
        Self::AccountRestricted,
        Self::Spam,
        Self::PublishFailures,
        Self::NegativeFeedback,
    ];

    /// Returns the name that briefs and rules use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlatformWarning => "platform_warning",
            Self::LoginChallenge => "login_challenge",
            Self::AccountRestricted => "account_restricted",
            Self::Spam => "spam",
            Self::PublishFailures => "publish_failures",
            Self::NegativeFeedback => "negative_feedback",
        }
    }

    /// Returns the words that people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::PlatformWarning => "platform warning",
            Self::LoginChallenge => "login challenge",
            Self::AccountRestricted => "account restricted",
            Self::Spam => "called spam",
            Self::PublishFailures => "publish failures",
            Self::NegativeFeedback => "negative feedback",
        }
    }

    /// Returns the signal of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == name)
    }

    /// Returns why a network does not let one see this signal; `None` where it does.
    pub const fn not_observable_on(self, platform: Platform) -> Option<&'static str> {
        match (self, platform) {
            (Self::NegativeFeedback, Platform::Bluesky) => {
                Some("Bluesky tells nobody who hides or reports a post, and shows no views to measure them by")
            }
            (
                Self::PlatformWarning
                | Self::LoginChallenge
                | Self::AccountRestricted
                | Self::Spam
                | Self::PublishFailures,
                Platform::Bluesky,
            ) => None,
            (_, _) => Some("nothing here speaks to this network yet"),
        }
    }
}

/// The longest that a platform's own words are kept.
const WORDS_MAX: usize = 2048;

/// Something that a platform let one see about an account, and that stops it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Which signal.
    pub signal: Signal,
    /// What was said, cleaned; at most 2 KiB.
    pub words: String,
    /// Names what was seen, where it stays to be seen: a label. What a person has settled once does not stop the account
    /// again by still standing there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// When it was seen.
    pub at: UtcTime,
}

impl Alarm {
    /// Words an alarm; what came from outside is cleaned and cut.
    pub fn new(signal: Signal, said: &str, at: UtcTime) -> Self {
        Self { signal, words: cleaned(said), mark: None, at }
    }

    /// Names what was seen.
    #[must_use]
    pub fn marked(mut self, mark: &str) -> Self {
        self.mark = Some(cleaned(mark));
        self
    }
}

fn cleaned(text: &str) -> String {
    let cut = text.get(..text.floor_char_boundary(WORDS_MAX)).unwrap_or_default();
    Untrusted::new(cut).show().to_string()
}

/// How one try to publish ended, as far as the platform had a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// When.
    pub at: UtcTime,
    /// Whether it failed.
    pub failed: bool,
}

/// Returns how the tries of a post ended. A try that never left, one that a fresh login repeats, or one of which a person
/// swore something, tells nothing of the platform; a post that failed before its first try counts as one failure, at its
/// slot.
pub fn tries_of(post: &Post) -> Vec<Tried> {
    let is_final = post.lane == Lane::Hybrid || matches!(post.state, PostState::Failed { .. });
    let last = post.attempts.len();
    let mut tries: Vec<Tried> = Vec::new();
    for (number, attempt) in (1..).zip(&post.attempts) {
        let at = attempt.ended.unwrap_or(attempt.started);
        match &attempt.end {
            Some(AttemptEnd::Live) => tries.push(Tried { at, failed: false }),
            Some(AttemptEnd::Never) => tries.push(Tried { at, failed: true }),
            Some(AttemptEnd::Refused { .. }) if is_final && number == last => tries.push(Tried { at, failed: true }),
            Some(AttemptEnd::Refused { .. } | AttemptEnd::NotSent { .. } | AttemptEnd::Attested { .. }) | None => {}
        }
    }
    if tries.is_empty() && matches!(post.state, PostState::Failed { .. }) {
        tries.push(Tried { at: post.window.from, failed: true });
    }
    tries
}

/// How a lane of an account publishes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// Failures since the last success.
    pub in_a_row: u32,
    /// Evidence that the lane fails ten times as often as it should: how many times likelier that makes what was seen.
    pub evidence: f64,
    /// What that means.
    pub verdict: Option<GuardrailAction>,
}

/// So many failures in a row need no statistics.
const IN_A_ROW: u32 = 3;

/// How far back the evidence goes.
const MONTH: Span = Span::days(30);

/// The failures that are usual, at least.
const USUAL: f64 = 0.02;

/// How many tries at the usual rate a lane's own history is mixed with.
const PRIOR_WEIGHT: f64 = 20.0;

/// Judges the tries of one lane of one account. `since` is when a person last let the account go on: what was before is
/// settled, and the evidence begins anew; the usual rate stays that of what is older than a month.
pub fn publish_reliability(tries: &[Tried], since: Option<UtcTime>, now: UtcTime) -> Reliability {
    let month = now.minus(MONTH);
    let from = since.map_or(month, |since| since.max(month));
    let mut sorted = tries.to_vec();
    sorted.sort_by_key(|tried| tried.at);
    let (mut old, mut old_failed, mut in_a_row, mut recent) = (0.0_f64, 0.0_f64, 0_u32, Vec::new());
    for tried in sorted {
        if tried.at < month {
            old += 1.0;
            old_failed += f64::from(u8::from(tried.failed));
        } else if tried.at >= from {
            in_a_row = if tried.failed { in_a_row.saturating_add(1) } else { 0 };
            recent.push(tried.failed);
        }
    }
    let shrunken = (PRIOR_WEIGHT * USUAL + old_failed) / (PRIOR_WEIGHT + old);
    let evidence = science::guardrail::failure_evidence(&recent, shrunken.max(USUAL));
    let verdict = if in_a_row >= IN_A_ROW || evidence >= science::guardrail::PAUSE_AT {
        Some(GuardrailAction::Pause)
    } else if evidence >= science::guardrail::WARN_AT {
        Some(GuardrailAction::Warn)
    } else {
        None
    };
    Reliability { in_a_row, evidence, verdict }
}

/// What a brief's own limit says of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitState {
    /// Kept so far.
    Kept,
    /// Crossed.
    Crossed(GuardrailAction),
    /// One such thing stops the account by itself, so that the limit is never reached.
    StopsAtOnce,
    /// The network does not let one see it; why.
    NotObservable(&'static str),
}

/// Judges one limit of a brief by how many of the experiment's tries failed.
pub fn limit_state(limit: &GuardrailLimit, failed: u32, platform: Platform) -> LimitState {
    let Some(signal) = Signal::named(&limit.signal) else {
        return LimitState::NotObservable("nothing here knows this signal");
    };
    if let Some(why) = signal.not_observable_on(platform) {
        return LimitState::NotObservable(why);
    }
    match signal {
        Signal::PublishFailures if failed > 0 && f64::from(failed) >= limit.limit => LimitState::Crossed(limit.action),
        Signal::PublishFailures => LimitState::Kept,
        Signal::PlatformWarning | Signal::LoginChallenge | Signal::AccountRestricted | Signal::Spam => {
            LimitState::StopsAtOnce
        }
        Signal::NegativeFeedback => LimitState::NotObservable("no network that is spoken to shows it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> UtcTime {
        "2026-11-24T09:00:00Z".parse().unwrap()
    }

    /// One try an hour, the last an hour ago.
    fn hourly(failures: &[bool]) -> Vec<Tried> {
        let count = i64::try_from(failures.len()).unwrap();
        (0..count)
            .zip(failures)
            .map(|(n, failed)| Tried { at: now().minus(Span::hours(count - n)), failed: *failed })
            .collect()
    }

    fn judged(failures: &[bool]) -> Reliability {
        publish_reliability(&hourly(failures), None, now())
    }

    #[test]
    fn three_failures_in_a_row_pause_two_warn_and_one_is_none() {
        assert_eq!(judged(&[true]).verdict, None, "{:?}", judged(&[true]));
        assert_eq!(judged(&[true, true]).verdict, Some(GuardrailAction::Warn));
        assert_eq!(judged(&[true, true, true]).verdict, Some(GuardrailAction::Pause));
        assert_eq!(judged(&[true, true, false, true, true]).in_a_row, 2);
    }

    #[test]
    fn failures_that_keep_coming_between_successes_warn_and_then_pause() {
        let mut seen = Vec::new();
        let mut tries = Vec::new();
        while tries.len() < 40 && seen.last() != Some(&Some(GuardrailAction::Pause)) {
            tries.push(tries.len() % 3 == 0);
            seen.push(judged(&tries).verdict);
        }
        seen.dedup();
        assert_eq!(seen, [None, Some(GuardrailAction::Warn), Some(GuardrailAction::Pause)]);
    }

    #[test]
    fn what_a_person_settled_is_not_held_against_the_account_again() {
        let tries = hourly(&[true, true, true, false]);
        let since = now().minus(Span::minutes(30));
        let judged = publish_reliability(&tries, Some(since), now());
        assert_eq!((judged.in_a_row, judged.verdict), (0, None));
        assert!((judged.evidence - 1.0).abs() < 1e-12, "{judged:?}");
    }

    #[test]
    fn a_lane_that_always_failed_more_needs_more_to_be_told_from_itself() {
        let month_ago = now().minus(Span::days(60));
        let old = |failed_every: usize| {
            (0..200_usize).map(move |n| Tried {
                at: month_ago.plus(Span::minutes(i64::try_from(n).unwrap())),
                failed: n % failed_every == 0,
            })
        };
        let recent = hourly(&[true, true, false, false, true]);
        let judge = |every| {
            let tries: Vec<Tried> = old(every).chain(recent.clone()).collect();
            publish_reliability(&tries, None, now()).evidence
        };
        assert!(judge(10) < judge(50), "{} {}", judge(10), judge(50));
    }

    #[test]
    fn what_a_network_does_not_show_is_said_and_never_passes() {
        let limit =
            |signal: &str, limit| GuardrailLimit { signal: signal.to_owned(), limit, action: GuardrailAction::Warn };
        let state = |l: GuardrailLimit, failed| limit_state(&l, failed, Platform::Bluesky);
        assert!(
            matches!(state(limit("negative_feedback", 1.0), 0), LimitState::NotObservable(why) if why.contains("Bluesky"))
        );
        assert_eq!(state(limit("platform_warning", 1.0), 0), LimitState::StopsAtOnce);
        assert_eq!(state(limit("publish_failures", 2.0), 1), LimitState::Kept);
        assert_eq!(state(limit("publish_failures", 2.0), 2), LimitState::Crossed(GuardrailAction::Warn));
        assert_eq!(state(limit("publish_failures", 0.0), 0), LimitState::Kept, "nothing failed");
        for name in crate::brief::SIGNALS {
            assert!(Signal::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_platforms_words_are_cleaned_and_cut() {
        let alarm = Alarm::new(Signal::Spam, &format!("\u{1b}[31m\u{202E}{}", "é".repeat(5000)), now());
        assert!(!alarm.words.chars().any(char::is_control), "{}", alarm.words);
        assert!(alarm.words.contains("<U+202E>"), "{}", alarm.words);
        assert!(alarm.words.len() < 2200);
    }

    proptest! {
        #[test]
        fn a_success_at_the_end_never_adds_evidence(failures in prop::collection::vec(any::<bool>(), 0..60)) {
            let mut more = failures.clone();
            more.push(false);
            prop_assert!(judged(&more).evidence <= judged(&failures).evidence + 1e-9);
            prop_assert!(judged(&failures).evidence.is_finite());
        }
    }
}
