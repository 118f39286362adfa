//! The published vectors for inference, from enumeration, statsmodels and quadrature.

use serde_json::Value;

use super::fixtures::Laid;
use super::*;
use crate::design::{HourBand, Limits};

const VECTORS: &str = include_str!("../../../tests/oracles/science.json");

/// Runs a check on every vector of a method; `count` guards against a file that lost them.
fn each(method: &str, count: usize, check: impl Fn(&Value, &Value, f64)) {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let of_method: Vec<&Value> = vectors.iter().filter(|vector| vector["method"] == method).collect();
    assert_eq!(of_method.len(), count, "{method}");
    for vector in of_method {
        check(&vector["input"], &vector["expect"], vector["rel_tol"].as_f64().unwrap());
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn wholes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|number| usize::try_from(number.as_u64().unwrap()).unwrap()).collect()
}

fn agree(found: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1e-6), "{found} is not {expected}");
}

fn laid(input: &Value) -> Laid {
    let mut laid = Laid::new(wholes(&input["blocks"]), wholes(&input["variants"]));
    if let Some(restriction) = input.get("restriction") {
        for (slot, band) in laid.slots.iter_mut().zip(wholes(&restriction["bands"])) {
            slot.class.band = HourBand::ALL[band];
        }
        laid.plan.limits = Some(Limits {
            bands: restriction["max_total_variation"].as_f64().unwrap(),
            positions: restriction["max_position_spread"].as_f64().unwrap(),
            forecasts: 0.0,
        });
    }
    laid
}

#[test]
fn contrasts_agree_with_full_enumeration() {
    each("contrast_randomisation", 5, |input, expect, tolerance| {
        assert_eq!(input["control"], 0);
        let test = usize::try_from(input["test"].as_u64().unwrap()).unwrap();
        let tail = input["tail_each"].as_f64().unwrap();
        let laid = laid(input);
        let found = contrast_randomisation(&laid.trial(), test, &numbers(&input["values"]), tail, 0).unwrap();
        agree(found.statistic, &expect["statistic"], tolerance);
        agree(found.p_up, &expect["p_up"], tolerance);
        agree(found.p_down, &expect["p_down"], tolerance);
        agree(found.estimate, &expect["estimate"], tolerance);
        assert_eq!(Value::from(found.assignments), expect["assignments"]);
        for (end, expected) in [(found.low, &expect["low"]), (found.high, &expect["high"])] {
            assert_eq!(end.is_none(), expected.is_null());
            if let Some(end) = end {
                agree(end, expected, tolerance);
            }
        }
    });
}

#[test]
fn evidence_agrees_with_full_enumeration() {
    each("randomisation_evalue", 3, |input, expect, tolerance| {
        let laid = laid(input);
        let found =
            randomisation_evalue(&laid.trial(), 1, &numbers(&input["values"]), &numbers(&input["theta"])).unwrap();
        let expected = expect["e_after_block"].as_array().unwrap();
        assert_eq!(found.after_block.len(), expected.len());
        for (found, expected) in found.after_block.iter().zip(expected) {
            agree(*found, expected, tolerance);
        }
        agree(found.p_anytime, &expect["p_anytime"], tolerance);
    });
}

#[test]
fn adjusted_p_values_agree_with_statsmodels() {
    each("holm", 2, |input, expect, tolerance| {
        let expected = expect["adjusted"].as_array().unwrap();
        for (found, expected) in holm(&numbers(&input["p_values"])).into_iter().zip(expected) {
            agree(found, expected, tolerance);
        }
    });
}

#[test]
fn posteriors_agree_with_quadrature() {
    each("gaussian_arms", 2, |input, expect, tolerance| {
        let rewards: Vec<Vec<f64>> = input["rewards"].as_array().unwrap().iter().map(numbers).collect();
        let number = |name: &str| input["prior"][name].as_f64().unwrap();
        let prior = Prior { kappa: number("kappa"), a: number("a"), b: number("b") };
        let found = gaussian_arms(&rewards, prior).unwrap();
        agree(found.df, &expect["df"], tolerance);
        for (name, found) in [
            ("mean", &found.mean),
            ("scale", &found.scale),
            ("probability_best", &found.probability_best),
            ("expected_loss", &found.expected_loss),
        ] {
            for (found, expected) in found.iter().zip(expect[name].as_array().unwrap()) {
                agree(*found, expected, tolerance);
            }
        }
    });
}
