//! Sequential alarms: evidence that grows with every bad try and is forgiven by good ones.
//!
//! A cumulative sum of log likelihood ratios, cut off at 0 before each step. At threshold c its average run length is at
//! least c tries, so that a limit reads as "one false alarm in so many".

/// Evidence at which a person is told.
pub const WARN_AT: f64 = 100.0;

/// Evidence at which nothing goes out any more.
pub const PAUSE_AT: f64 = 500.0;

/// The evidence is not told beyond this.
const EVIDENCE_MAX: f64 = 1e12;

/// The rates that are told apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// The usual share of failures.
    pub usual: f64,
    /// The share that is an alarm.
    pub alarming: f64,
}

impl Rates {
    /// Returns the rates for a usual share: ten times that is an alarm, or one half, whichever is less. A share that is
    /// none, or of one half and more, is taken for the nearest that can be told apart.
    pub fn of(usual: f64) -> Self {
        let usual = if usual.is_finite() { usual.clamp(1e-6, 0.45) } else { 0.45 };
        Self { usual, alarming: (10.0 * usual).min(0.5) }
    }
}

/// Returns the sum after each try, as logarithms.
pub fn bernoulli_cusum(failures: &[bool], rates: Rates) -> Vec<f64> {
    let on_failure = libm::log(rates.alarming / rates.usual);
    let on_success = libm::log((1.0 - rates.alarming) / (1.0 - rates.usual));
    let step = |sum: &mut f64, failed: &bool| {
        *sum = sum.max(0.0) + if *failed { on_failure } else { on_success };
        Some(*sum)
    };
    failures.iter().scan(0.0, step).collect()
}

/// Returns the evidence after the last try, from 1: how many times likelier an alarming rate makes what was seen.
pub fn failure_evidence(failures: &[bool], usual: f64) -> f64 {
    let sum = bernoulli_cusum(failures, Rates::of(usual)).last().copied().unwrap_or(0.0);
    libm::exp(sum.max(0.0)).min(EVIDENCE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const VECTORS: &str = include_str!("../../tests/oracles/guardrail.json");

    #[test]
    fn the_sum_agrees_with_the_published_arithmetic() {
        let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
        let mine: Vec<&Value> = vectors.iter().filter(|v| v["method"] == "bernoulli_cusum").collect();
        assert_eq!(mine.len(), 3);
        for vector in mine {
            let input = &vector["input"];
            let failures: Vec<bool> = input["failures"].as_array().unwrap().iter().map(|f| f == 1).collect();
            let rates = Rates { usual: input["p0"].as_f64().unwrap(), alarming: input["p1"].as_f64().unwrap() };
            assert_eq!(rates, Rates::of(rates.usual), "ten times as often");
            let path = bernoulli_cusum(&failures, rates);
            let expected = vector["expect"]["log_path"].as_array().unwrap();
            assert_eq!(path.len(), expected.len());
            for (found, expected) in path.iter().zip(expected) {
                let expected = expected.as_f64().unwrap();
                assert!((found - expected).abs() <= 1e-10 * expected.abs(), "{found} is not {expected}");
            }
            let threshold = libm::log(input["threshold"].as_f64().unwrap());
            let alarm = path.iter().position(|sum| *sum >= threshold).map(|at| at + 1);
            assert_eq!(serde_json::to_value(alarm).unwrap(), vector["expect"]["alarm_at"]);
        }
    }

    #[test]
    fn evidence_is_a_number_from_one_whatever_the_rate() {
        for usual in [0.0, -1.0, 0.02, 0.3, 0.5, 1.0, f64::NAN, f64::INFINITY] {
            for failures in [&[][..], &[true; 400][..], &[false; 400][..]] {
                let evidence = failure_evidence(failures, usual);
                assert!(evidence.is_finite() && evidence >= 1.0, "{usual}: {evidence}");
            }
        }
    }
}
