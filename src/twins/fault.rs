//! Faults: what a road, a proxy or a tired server does to one request.
//!
//! Decided here: which fault hits which request, by rule or by chance, and what each means for the two sides. What the
//! servers would have answered is not changed by any of them.
//!
//! | fault | applied | the caller sees |
//! |---|---|---|
//! | `Refused`, `LostBefore` | no | no connection; a closed one |
//! | `LostAfter`, `Reset`, `Truncated` | yes | a closed one; a reset one; half an answer |
//! | `Late` | yes, later | the answer, later; by then it may have given up |
//! | `Slow` | yes | the answer, later |
//! | `StatusBefore`, `RateLimited` | no | that status |
//! | `StatusAfter`, `GarbageHtml`, `GarbageJson` | yes | that status; 200 with a page; 200 with half a sentence |
//! | `Doubled` | twice | the second answer |
//!
//! Invariant: chance depends on the twin's seed and the number of the request alone.

use std::time::Duration;

use clock::Seeds;
use serde::{Deserialize, Serialize};

/// The longest that a request may be on its way before it is applied.
const LATE_MAX: Duration = Duration::from_secs(600);
/// The longest that an answer may be on its way.
const SLOW_MAX: Duration = Duration::from_secs(90);
/// The longest wait that a limit asks for.
const LIMIT_MAX: Duration = Duration::from_secs(300);

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// No connection comes about.
    Refused,
    /// The connection closes before the request was read.
    LostBefore,
    /// The request is applied and the connection closes.
    LostAfter,
    /// The request is applied and the connection is reset.
    Reset,
    /// The request arrives that much later, is applied then, and answered.
    Late(Duration),
    /// The request is applied at once, and answered that much later.
    Slow(Duration),
    /// The request is applied, and half of the answer comes through.
    Truncated,
    /// Answered with this status by something in front of the server.
    StatusBefore(u16),
    /// Applied, and then answered with this status by something in front.
    StatusAfter(u16),
    /// Answered with 429 and the time until which to wait.
    RateLimited(Duration),
    /// Applied twice, one after the other.
    Doubled,
    /// Applied, and answered with a page that says 200.
    GarbageHtml,
    /// Applied, and answered with 200 and JSON that breaks off.
    GarbageJson,
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Nothing was sent.
    #[error("the connection was refused")]
    Refused,
    /// The connection closed before an answer began.
    #[error("the connection was closed without an answer")]
    Closed,
    /// The connection was reset.
    #[error("the connection was reset")]
    Reset,
    /// The answer broke off.
    #[error("the answer broke off")]
    Truncated,
}

/// How likely each fault is for a request, from 0 to 1. What is left of 1 is no fault; beyond 1 the later ones get less.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    pub refused: f64,
    pub lost_before: f64,
    pub lost_after: f64,
    pub reset: f64,
    /// Applied 1 s to 10 min later.
    pub late: f64,
    /// Answered 1 s to 90 s later.
    pub slow: f64,
    pub truncated: f64,
    /// 500, 502, 503 or 504.
    pub status_before: f64,
    /// 500, 502, 503 or 504.
    pub status_after: f64,
    pub rate_limited: f64,
    pub doubled: f64,
    pub garbage: f64,
}

impl Rates {
    /// Returns rates at which nothing happens.
    pub fn calm() -> Self {
        Self::default()
    }

    /// Returns rates at which something happens with probability `chance`, each kind alike.
    pub fn all(chance: f64) -> Self {
        let each = chance / 12.0;
        Self {
            refused: each,
            lost_before: each,
            lost_after: each,
            reset: each,
            late: each,
            slow: each,
            truncated: each,
            status_before: each,
            status_after: each,
            rate_limited: each,
            doubled: each,
            garbage: each,
        }
    }
}

/// The faults that are set up.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    rates: Rates,
    only: String,
}

#[derive(Debug)]
struct Rule {
    part: String,
    fault: Fault,
    left: u32,
}

impl Faults {
    pub(crate) fn rule(&mut self, part: &str, fault: Fault, times: u32) {
        self.rules.push(Rule { part: part.to_owned(), fault, left: times });
    }

    pub(crate) fn random(&mut self, rates: Rates) {
        self.rates = rates;
    }

    pub(crate) fn only(&mut self, part: &str) {
        part.clone_into(&mut self.only);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Decides about request number `number`.
    pub(crate) fn draw(&mut self, seeds: Seeds, number: u64, path: &str) -> Option<Fault> {
        let hit = self.rules.iter_mut().find(|rule| rule.left > 0 && path.contains(&rule.part));
        if let Some(rule) = hit {
            rule.left -= 1;
            return Some(rule.fault);
        }
        if !path.contains(&self.only) {
            return None;
        }
        let draw = |name: &str| share(seeds.number(name, &number.to_le_bytes()));
        let size = |max: Duration| Duration::from_secs(1).max(max.mul_f64(draw("fault size").powi(2)));
        let status = || match seeds.number("fault status", &number.to_le_bytes()) % 4 {
            0 => 500,
            1 => 502,
            2 => 503,
            _ => 504,
        };
        let rates = self.rates;
        let kinds = [
            (rates.refused, Fault::Refused),
            (rates.lost_before, Fault::LostBefore),
            (rates.lost_after, Fault::LostAfter),
            (rates.reset, Fault::Reset),
            (rates.late, Fault::Late(size(LATE_MAX))),
            (rates.slow, Fault::Slow(size(SLOW_MAX))),
            (rates.truncated, Fault::Truncated),
            (rates.status_before, Fault::StatusBefore(status())),
            (rates.status_after, Fault::StatusAfter(status())),
            (rates.rate_limited, Fault::RateLimited(size(LIMIT_MAX))),
            (rates.doubled, Fault::Doubled),
            (rates.garbage, if draw("fault size") < 0.5 { Fault::GarbageHtml } else { Fault::GarbageJson }),
        ];
        let mut point = draw("fault");
        for (rate, fault) in kinds {
            if point < rate {
                return Some(fault);
            }
            point -= rate;
        }
        None
    }
}

/// A number from 0 to below 1.
pub(crate) fn share(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(faults: &mut Faults, seed: u64) -> Vec<Option<Fault>> {
        (0..2000).map(|number| faults.draw(Seeds::new(seed), number, "/xrpc/com.atproto.repo.putRecord")).collect()
    }

    #[test]
    fn a_rule_hits_as_often_as_it_says_and_only_its_path() {
        let mut faults = Faults::default();
        faults.rule("putRecord", Fault::Reset, 2);
        let mut draw = |path| faults.draw(Seeds::new(1), 0, path);
        assert_eq!(draw("/xrpc/com.atproto.repo.getRecord"), None);
        let put = "/xrpc/com.atproto.repo.putRecord";
        assert_eq!([draw(put), draw(put), draw(put)], [Some(Fault::Reset), Some(Fault::Reset), None]);
    }

    #[test]
    fn chance_is_as_often_as_said_of_every_kind_and_the_same_for_a_seed() {
        let mut faults = Faults::default();
        faults.random(Rates::all(0.6));
        let drawn = draws(&mut faults, 1);
        assert_eq!(drawn, draws(&mut faults, 1));
        assert_ne!(drawn, draws(&mut faults, 2));
        let hit = drawn.iter().flatten().count();
        assert!((1100..=1300).contains(&hit), "{hit} of 2000");
        let kinds: std::collections::BTreeSet<String> = drawn
            .iter()
            .flatten()
            .map(|fault| format!("{fault:?}").chars().take_while(char::is_ascii_alphabetic).collect())
            .collect();
        assert_eq!(kinds.len(), 13, "{kinds:?}");
        let late = |fault: &Fault| if let Fault::Late(by) = fault { Some(*by) } else { None };
        let longest = drawn.iter().flatten().filter_map(late).max();
        assert!(longest > Some(Duration::from_secs(300)) && longest <= Some(LATE_MAX));
        faults.only("getPosts");
        assert!(draws(&mut faults, 1).iter().all(Option::is_none));
        faults.clear();
        faults.random(Rates::calm());
        assert!(draws(&mut faults, 1).iter().all(Option::is_none));
    }
}
