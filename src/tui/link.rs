//! The link: whether what is on the screen is still true, and whether anything goes out.
//!
//! Decides when the desk counts as silent, lost, or the engine as dead, and what may then be begun (starting needs a desk
//! that answers; stopping is tried all the same). Silence is counted in real time.

use std::time::Duration;

use desk::Problem;
use desk::query::{Health, Verdict};
use domain::time::UtcTime;

use crate::message::Moment;

/// How often the desk is asked for a sign of life. Beat and loss together stay under the fifteen seconds after which
/// every screen must have said so.
pub(crate) const BEAT: Duration = Duration::from_secs(7);
/// For how long a question may stay without an answer before the screen is marked as stale.
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(5);
/// After how long the desk counts as lost.
pub(crate) const LOST_AFTER: Duration = Duration::from_millis(7_500);

/// What is known of desk and engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Link {
    /// When the desk last answered.
    heard: Option<Moment>,
    /// When a sign of life was last asked for.
    asked_ms: Option<u64>,
    /// Since when a question waits for an answer.
    waiting_ms: Option<u64>,
    /// Why it did not answer the last question.
    failing: Option<Failing>,
    /// Why the desk does not serve who sits here.
    shut_out: Option<String>,
    engine: Engine,
}

#[derive(Debug, Clone)]
struct Failing {
    why: String,
}

/// How the engine is, as the desk says.
#[derive(Debug, Clone, Default)]
enum Engine {
    #[default]
    Unknown,
    Running,
    Troubled(Vec<String>),
    Held(Vec<String>),
    Dead {
        since: UtcTime,
    },
}

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing was heard yet.
    Opening,
    /// All is well.
    Live,
    /// The engine runs, with trouble.
    Troubled(Vec<String>),
    /// Everything is on hold.
    Held(Vec<String>),
    /// The desk is silent.
    Stale(Duration),
    /// The desk is gone.
    Lost {
        /// Since when, in the agency's time.
        since: UtcTime,
        /// Why, in the desk's words.
        why: String,
    },
    /// The desk answers, and does not serve who sits here (any more).
    ShutOut {
        /// Why, in the desk's words.
        why: String,
    },
    /// The desk is in this process, and no engine runs.
    EngineDead {
        /// Since when that is known.
        since: UtcTime,
    },
}

impl State {
    /// Tells whether row 2 is painted.
    pub(crate) const fn is_alarm(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::ShutOut { .. } | Self::EngineDead { .. } => true,
            Self::Opening | Self::Live | Self::Troubled(_) | Self::Held(_) | Self::Stale(_) => false,
        }
    }

    /// Tells whether what is shown is old.
    pub(crate) const fn is_old(&self) -> bool {
        match self {
            Self::Stale(_) | Self::Lost { .. } | Self::ShutOut { .. } => true,
            Self::Opening | Self::Live | Self::Troubled(_) | Self::Held(_) | Self::EngineDead { .. } => false,
        }
    }
}

impl Link {
    /// The desk answered something.
    pub(crate) fn heard(&mut self, at: Moment) {
        self.heard = Some(at);
        self.waiting_ms = None;
        self.failing = None;
    }

    /// The desk serves who sits here.
    pub(crate) fn served(&mut self) {
        self.shut_out = None;
    }

    /// The desk does not serve who sits here.
    pub(crate) fn shut_out(&mut self, why: String) {
        self.shut_out = Some(why);
    }

    /// The desk is asked something.
    pub(crate) fn asked(&mut self, at: Moment) {
        self.waiting_ms = Some(self.waiting_ms.unwrap_or(at.real_ms));
    }

    /// The desk is asked for a sign of life.
    pub(crate) fn beat(&mut self, at: Moment) {
        self.asked_ms = Some(at.real_ms);
    }

    /// The log ended: whoever wrote it may be gone, so a sign of life is asked for at once.
    pub(crate) fn doubt(&mut self) {
        self.asked_ms = None;
    }

    /// A question got no answer from the desk.
    pub(crate) fn failed(&mut self, problem: &Problem) {
        match problem {
            Problem::Unreachable(why) => self.failing = Some(Failing { why: why.clone() }),
            // These are answers too.
            Problem::Refused(_) | Problem::Invalid(_) | Problem::Failed(_) => {}
        }
    }

    /// The desk said how the engine is.
    pub(crate) fn health(&mut self, health: &Health, now: UtcTime) {
        self.engine = match health.verdict {
            Verdict::Well => Engine::Running,
            Verdict::Degraded => Engine::Troubled(health.lines.clone()),
            Verdict::DeadOrHeld if !health.holds.is_empty() && !health.tasks.is_empty() => {
                Engine::Held(health.lines.clone())
            }
            Verdict::DeadOrHeld => match &self.engine {
                Engine::Dead { since } => Engine::Dead { since: *since },
                Engine::Unknown | Engine::Running | Engine::Troubled(_) | Engine::Held(_) => {
                    Engine::Dead { since: now }
                }
            },
        };
    }

    /// Returns what is to be said at a moment.
    pub(crate) fn state(&self, now: Moment) -> State {
        let Some(heard) = self.heard else {
            return match &self.failing {
                Some(failing) => State::Lost { since: now.wall, why: failing.why.clone() },
                None => State::Opening,
            };
        };
        if let Some(why) = &self.shut_out {
            return State::ShutOut { why: why.clone() };
        }
        if let Some(failing) = &self.failing {
            return State::Lost { since: heard.wall, why: failing.why.clone() };
        }
        let silent = self.waiting_ms.map_or(Duration::ZERO, |waiting| now.since(waiting));
        if silent >= LOST_AFTER {
            return State::Lost { since: heard.wall, why: "it does not answer".to_owned() };
        }
        if silent >= STALE_AFTER {
            return State::Stale(silent);
        }
        match &self.engine {
            Engine::Unknown => State::Opening,
            Engine::Running => State::Live,
            Engine::Troubled(lines) => State::Troubled(lines.clone()),
            Engine::Held(lines) => State::Held(lines.clone()),
            Engine::Dead { since } => State::EngineDead { since: *since },
        }
    }

    /// Returns why nothing may be begun now, if that is so.
    pub(crate) fn why_nothing_may_start(&self, now: Moment) -> Option<&'static str> {
        match self.state(now) {
            State::Opening => Some("the desk has not answered yet"),
            State::Stale(_) => Some("the desk is silent, what you see may be old; stopping is still tried"),
            State::Lost { .. } => Some("the desk is gone; stopping is still tried"),
            State::ShutOut { .. } => Some("the desk does not serve you"),
            State::Live | State::Troubled(_) | State::Held(_) | State::EngineDead { .. } => None,
        }
    }

    /// Tells whether it is time for a sign of life.
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        self.asked_ms.is_none_or(|asked| now.since(asked) >= BEAT)
    }

    /// Returns the next real moment at which the state may change by itself.
    pub(crate) fn next_ms(&self, now: Moment) -> Option<u64> {
        let beat = self.asked_ms.map(|asked| asked.saturating_add(millis(BEAT)));
        let silent = self.waiting_ms.map(|waiting| {
            let stale = waiting.saturating_add(millis(STALE_AFTER));
            let lost = waiting.saturating_add(millis(LOST_AFTER));
            if now.real_ms < stale {
                stale
            } else if now.real_ms < lost {
                // Its age is on the screen.
                now.real_ms.saturating_add(1_000).min(lost)
            } else {
                u64::MAX
            }
        });
        [beat, silent].into_iter().flatten().filter(|at| *at > now.real_ms).min()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        let wall: UtcTime = "2026-11-24T09:00:00Z".parse().unwrap();
        let span = domain::time::Span::seconds(i64::try_from(seconds).unwrap());
        Moment { real_ms: seconds * 1_000, wall: wall.plus(span) }
    }

    fn well() -> Health {
        Health { verdict: Verdict::Well, ..Health::default() }
    }

    #[test]
    fn silence_is_told_before_fifteen_seconds_and_stops_what_would_start() {
        assert!(BEAT + LOST_AFTER < Duration::from_secs(15));
        let mut link = Link::default();
        assert!(link.why_nothing_may_start(at(0)).is_some());
        link.heard(at(0));
        link.health(&well(), at(0).wall);
        assert_eq!(link.state(at(6)), State::Live, "nothing was asked, so nothing is missing");
        link.asked(at(7));
        link.asked(at(9));
        assert_eq!(link.state(at(11)), State::Live);
        assert!(link.why_nothing_may_start(at(11)).is_none());
        assert_eq!(link.state(at(12)), State::Stale(Duration::from_secs(5)));
        assert!(link.why_nothing_may_start(at(12)).is_some());
        assert!(link.state(at(15)).is_alarm());
        link.heard(at(16));
        assert_eq!(link.state(at(16)), State::Live);
    }

    #[test]
    fn a_refusal_is_a_sign_of_life_and_a_broken_line_is_none() {
        let mut link = Link::default();
        link.heard(at(0));
        link.health(&well(), at(0).wall);
        link.failed(&Problem::Failed("the disk is full".to_owned()));
        assert_eq!(link.state(at(1)), State::Live);
        link.failed(&Problem::Unreachable("the desk is gone".to_owned()));
        assert!(matches!(link.state(at(1)), State::Lost { since, .. } if since == at(0).wall));
    }

    #[test]
    fn who_is_no_longer_served_is_told_until_the_desk_serves_again() {
        let mut link = Link::default();
        link.heard(at(0));
        link.health(&well(), at(0).wall);
        link.heard(at(7));
        link.shut_out("it does not know you".to_owned());
        assert!(link.state(at(7)).is_alarm() && link.state(at(7)).is_old());
        assert!(link.why_nothing_may_start(at(7)).is_some());
        link.heard(at(13));
        assert!(link.state(at(13)).is_alarm(), "a refusal of something else says nothing of that");
        link.served();
        assert_eq!(link.state(at(14)), State::Live);
    }

    #[test]
    fn a_desk_without_an_engine_says_since_when() {
        let mut link = Link::default();
        link.heard(at(0));
        link.health(&Health::default(), at(0).wall);
        link.heard(at(3));
        link.health(&Health::default(), at(3).wall);
        assert_eq!(link.state(at(3)), State::EngineDead { since: at(0).wall });
        assert!(link.why_nothing_may_start(at(3)).is_none(), "approving works; posts go out once the engine runs");
    }

    #[test]
    fn the_next_look_is_never_in_the_past() {
        let mut link = Link::default();
        link.heard(at(0));
        link.beat(at(0));
        link.asked(at(0));
        for second in 0..30 {
            assert!(link.next_ms(at(second)).is_none_or(|next| next > at(second).real_ms));
        }
    }
}
