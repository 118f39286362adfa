//! What holds for every experiment, and how often nothing at all looks like a winner.

use proptest::prelude::*;

use super::fixtures::{Laid, judged};
use super::proxy::{Direction, Measure, Raw, log_values};
use super::*;
use crate::design::Counting;
use crate::draw::Draw;

/// A number from −2 to 2 in steps of 0.001, or rarely a loud one.
fn noise(draw: &mut Draw) -> f64 {
    let sum: usize = (0..4).map(|_| draw.below(1001)).sum();
    let loud = if draw.below(20) == 0 { 3.0 } else { 1.0 };
    (f64::from(u32::try_from(sum).unwrap()) / 2000.0 - 1.0) * loud
}

fn any_pairs() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    (2_usize..7).prop_flat_map(|blocks| {
        (prop::collection::vec(-3.0_f64..3.0, 2 * blocks), prop::collection::vec(any::<bool>(), blocks))
    })
}

fn with_order(swaps: &[bool]) -> Laid {
    let labels = swaps.iter().flat_map(|swap| if *swap { [1, 0] } else { [0, 1] }).collect();
    Laid::new((0..swaps.len()).flat_map(|block| [block, block]).collect(), labels)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exchanging_the_labels_turns_every_sign((values, swaps) in any_pairs()) {
        let one = contrast_randomisation(&with_order(&swaps).trial(), 1, &values, 0.05, 0).unwrap();
        let other: Vec<bool> = swaps.iter().map(|swap| !swap).collect();
        let other = contrast_randomisation(&with_order(&other).trial(), 1, &values, 0.05, 0).unwrap();
        prop_assert!((one.statistic + other.statistic).abs() < 1e-9);
        prop_assert!((one.p_up - other.p_down).abs() < 1e-12 && (one.p_two - other.p_two).abs() < 1e-12);
    }

    #[test]
    fn what_a_whole_block_has_in_common_changes_nothing((values, swaps) in any_pairs(), shift in -9.0_f64..9.0) {
        let laid = with_order(&swaps);
        let one = contrast_randomisation(&laid.trial(), 1, &values, 0.05, 0).unwrap();
        let moved: Vec<f64> = values.iter().enumerate().map(|(at, v)| if at < 2 { v + shift } else { *v }).collect();
        let other = contrast_randomisation(&laid.trial(), 1, &moved, 0.05, 0).unwrap();
        prop_assert!((one.statistic - other.statistic).abs() < 1e-9);
        prop_assert!((one.p_up - other.p_up).abs() < 1e-12);
    }

    #[test]
    fn both_tails_hold_the_observed_assignment((values, swaps) in any_pairs()) {
        let found = contrast_randomisation(&with_order(&swaps).trial(), 1, &values, 0.05, 0).unwrap();
        prop_assert!(found.p_up + found.p_down > 1.0 && found.p_two <= 1.0 && found.p_two > 0.0);
        prop_assert!(found.low.is_none_or(|low| low <= found.estimate + 1e-9));
        prop_assert!(found.high.is_none_or(|high| high >= found.estimate - 1e-9));
    }

    #[test]
    fn evidence_is_one_on_average_over_all_assignments_of_a_block(values in prop::collection::vec(-2.0_f64..2.0, 6)) {
        let (mut sum, mut count) = (0.0, 0.0);
        for mask in 0_u32..64 {
            if mask.count_ones() == 3 {
                let labels = (0..6).map(|at| usize::from(mask >> at & 1 == 1)).collect();
                let laid = Laid::new(vec![0; 6], labels);
                sum += randomisation_evalue(&laid.trial(), 1, &values, &[0.5]).unwrap().now();
                count += 1.0;
            }
        }
        prop_assert!((sum / count - 1.0).abs() < 1e-9, "{}", sum / count);
    }

    #[test]
    fn zeros_and_gaps_give_numbers_or_nothing(
        counts in prop::collection::vec(prop::option::of(0_u32..4), 10), views in prop::collection::vec(0_u32..3, 10)
    ) {
        let posts: Vec<Raw> = counts.iter().zip(&views).map(|(count, views)| {
            Raw { value: count.map(f64::from), views: Some(f64::from(*views)), forecast: None }
        }).collect();
        let logs: Vec<Vec<Option<f64>>> = [Measure::Rate, Measure::Count]
            .iter().map(|measure| log_values(*measure, Direction::Up, &posts).unwrap()).collect();
        for (at, count) in counts.iter().enumerate() {
            prop_assert!(logs.iter().all(|log| log[at].is_some() == count.is_some()));
        }
        let mut laid = Laid::free(5);
        laid.comparable = counts.iter().map(Option::is_some).collect();
        let values: Vec<Vec<f64>> = logs.iter().map(|log| log.iter().map(|v| v.unwrap_or(0.0)).collect()).collect();
        let found = judged(&laid, &values, Trusted::Ok);
        for standing in &found.standings {
            let finite = [standing.overall.ratio, standing.expected_ratio, standing.p_adjusted];
            prop_assert!(finite.iter().all(|number| number.is_finite()), "{standing:?}");
        }
        prop_assert!(found.probability_best.iter().chain(&found.expected_loss).all(|number| number.is_finite()));
    }
}

#[test]
fn where_nothing_differs_a_winner_is_rare() {
    let mut draw = Draw::new(20, 0);
    let mut won = 0;
    for _ in 0..400 {
        let laid = Laid::free(5);
        // Three proxies of one post share its quality, as they do.
        let quality: Vec<f64> = (0..10).map(|_| noise(&mut draw)).collect();
        let proxies: Vec<Vec<f64>> =
            (0..3).map(|_| quality.iter().map(|q| 0.4 * q + noise(&mut draw)).collect()).collect();
        won += u32::from(matches!(judged(&laid, &proxies, Trusted::Ok).call, Call::Winner { .. }));
    }
    // 5 of 100 at most: 20 expected, standard deviation 4.4.
    assert!((3..=35).contains(&won), "{won} of 400");
}

#[test]
fn a_large_effect_is_found() {
    let mut draw = Draw::new(21, 0);
    let mut won = 0;
    for _ in 0..100 {
        let laid = Laid::free(6);
        let proxies: Vec<Vec<f64>> =
            (0..3).map(|_| (0..12).map(|at| noise(&mut draw) + if at < 6 { 0.0 } else { 1.2 }).collect()).collect();
        won += u32::from(matches!(judged(&laid, &proxies, Trusted::Ok).call, Call::Winner { variant: 1, .. }));
    }
    assert!(won >= 80, "{won} of 100");
}

#[test]
fn sets_too_large_to_list_are_drawn_from_and_come_close() {
    let mut draw = Draw::new(22, 0);
    let values: Vec<f64> = (0..22).map(|at| noise(&mut draw) + if at < 11 { 0.0 } else { 0.25 }).collect();
    let large = Laid::free(11);
    let found = contrast_randomisation(&large.trial(), 1, &values, 0.05, 5).unwrap();
    assert_eq!((found.counting, found.assignments), (Counting::Estimated, DRAWS + 1));
    assert_eq!(contrast_randomisation(&large.trial(), 1, &values, 0.05, 5).unwrap(), found, "same seed, same digits");
    // Every assignment, by hand: 705,432 of them.
    let observed: f64 = values[11..].iter().sum();
    let (mut more, mut all) = (0_u32, 0_u32);
    for mask in 0_u32..1 << 22 {
        if mask.count_ones() == 11 {
            let sum: f64 = (0..22).filter(|at| mask >> at & 1 == 1).map(|at| values[at]).sum();
            all += 1;
            more += u32::from(sum >= observed - 1e-9);
        }
    }
    let exact = f64::from(more) / f64::from(all);
    // Five standard errors of 20,000 draws.
    assert!((found.p_up - exact).abs() < 5.0 * (exact * (1.0 - exact) / 20_000.0).sqrt(), "{} {exact}", found.p_up);
}
