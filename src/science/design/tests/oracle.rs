//! The published vectors for the design, from combinatorics, statsmodels and full enumeration.

use serde_json::Value;

use super::super::*;

const VECTORS: &str = include_str!("../../../../tests/oracles/science.json");

/// Runs a check on every vector of a method; `count` guards against a file that lost them.
fn each(method: &str, count: usize, check: impl Fn(&Value, &Value, f64)) {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let of_method: Vec<&Value> = vectors.iter().filter(|vector| vector["method"] == method).collect();
    assert_eq!(of_method.len(), count, "{method}");
    for vector in of_method {
        check(&vector["input"], &vector["expect"], vector["rel_tol"].as_f64().unwrap());
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn whole(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn wholes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(whole).collect()
}

fn agree(found: f64, expected: &Value, tolerance: f64) {
    let expected = number(expected);
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{found} is not {expected}");
}

#[test]
fn smallest_p_agrees_with_combinatorics() {
    each("smallest_p", 4, |input, expect, tolerance| {
        let sizes = wholes(&input["block_sizes"]);
        let found = smallest_p(&sizes, whole(&input["variants"]), number(&input["alpha"])).unwrap();
        agree(found.assignments, &expect["assignments"], tolerance);
        agree(found.smallest_p, &expect["smallest_p"], tolerance);
        assert_eq!(Value::from(found.reachable), expect["reachable"]);
    });
}

#[test]
fn the_smallest_noticeable_effect_agrees_with_statsmodels() {
    each("minimum_detectable_ratio", 3, |input, expect, tolerance| {
        let found = minimum_detectable_ratio(&PowerInput {
            posts_per_variant: whole(&input["posts_per_variant"]),
            variants: whole(&input["variants"]),
            sd_log: number(&input["sd_log"]),
            alpha: number(&input["alpha"]),
            power: number(&input["power"]),
        })
        .unwrap();
        agree(found.effect_size, &expect["effect_size"], tolerance);
        agree(found.ratio, &expect["ratio"], tolerance);
    });
}

#[test]
fn reference_sets_are_those_of_full_enumeration() {
    each("contrast_randomisation", 5, |input, expect, _| {
        let labels = wholes(&input["variants"]);
        let restriction = input.get("restriction");
        let bands = restriction.map_or_else(|| vec![0; labels.len()], |restriction| wholes(&restriction["bands"]));
        let limits = restriction.map(|restriction| Limits {
            bands: number(&restriction["max_total_variation"]),
            positions: number(&restriction["max_position_spread"]),
            forecasts: 0.0,
        });
        let slots: Vec<Slot> = (0..)
            .zip(&bands)
            .map(|(time, &band)| Slot {
                time,
                class: SlotClass { band: HourBand::ALL[band], week: Week::Weekday },
                forecast: None,
            })
            .collect();
        let variants = labels.iter().max().unwrap() + 1;
        let plan = Assignment {
            seed: 0,
            generator: "given".to_owned(),
            layout: Layout::Blocks,
            blocks: wholes(&input["blocks"]),
            limits,
            labels,
            tries: 1,
        };
        let pair = (whole(&input["control"]), whole(&input["test"]));
        let set = ReferenceSet::new(&plan, &slots, variants, pair, &vec![true; slots.len()]).unwrap();
        assert_eq!(set.for_each(|_| {}).map(Value::from).as_ref(), Some(&expect["assignments"]));
    });
}
