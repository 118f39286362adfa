//! Experiments to judge, with the digits and calls that they must give.

use super::proxy::{Direction, Measure, Raw, log_values};
use super::*;
use crate::design::{HourBand, Layout, SlotClass, Week};

/// A plan with its slots, all alike.
pub(crate) struct Laid {
    pub(crate) plan: Assignment,
    pub(crate) slots: Vec<Slot>,
    pub(crate) comparable: Vec<bool>,
    pub(crate) variants: usize,
}

impl Laid {
    pub(crate) fn new(blocks: Vec<usize>, labels: Vec<usize>) -> Self {
        let class = SlotClass { band: HourBand::Noon, week: Week::Weekday };
        let slots = (0..).take(labels.len()).map(|time| Slot { time, class, forecast: None }).collect();
        let variants = labels.iter().max().map_or(0, |last| last + 1);
        let comparable = vec![true; labels.len()];
        let plan = Assignment {
            seed: 0,
            generator: "given".to_owned(),
            layout: Layout::Blocks,
            blocks,
            limits: None,
            labels,
            tries: 1,
        };
        Self { plan, slots, comparable, variants }
    }

    /// Blocks of one post of A and one of B.
    pub(crate) fn pairs(count: usize) -> Self {
        Self::new((0..count).flat_map(|block| [block, block]).collect(), [0, 1].repeat(count))
    }

    /// One block, first all of A, then all of B.
    pub(crate) fn free(each: usize) -> Self {
        Self::new(vec![0; 2 * each], [vec![0; each], vec![1; each]].concat())
    }

    pub(crate) fn trial(&self) -> Trial<'_> {
        Trial { plan: &self.plan, slots: &self.slots, variants: self.variants, comparable: &self.comparable }
    }
}

/// Values by slot of a plan in pairs.
pub(crate) fn paired(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).flat_map(|(a, b)| [*a, *b]).collect()
}

/// Counts for each view, as values.
pub(crate) fn rates(counts: &[f64], views: &[f64]) -> Vec<f64> {
    let posts: Vec<Raw> = counts
        .iter()
        .zip(views)
        .map(|(count, views)| Raw { value: Some(*count), views: Some(*views), forecast: None })
        .collect();
    known(&log_values(Measure::Rate, Direction::Up, &posts).unwrap())
}

pub(crate) fn levels(measure: Measure, values: &[f64]) -> Vec<f64> {
    let posts: Vec<Raw> = values.iter().map(|value| Raw { value: Some(*value), ..Raw::default() }).collect();
    known(&log_values(measure, Direction::Up, &posts).unwrap())
}

fn known(values: &[Option<f64>]) -> Vec<f64> {
    values.iter().map(|value| value.unwrap()).collect()
}

/// A bakery's reels, 7 pairs, 48 h: retention, comments and shares for each account reached.
pub(crate) fn bakery() -> (Laid, [Vec<f64>; 3], Vec<f64>) {
    let reach = paired(
        &[5120.0, 6480.0, 4390.0, 7010.0, 5870.0, 4760.0, 5340.0],
        &[6910.0, 7820.0, 6050.0, 6890.0, 8340.0, 7110.0, 6480.0],
    );
    let watched = paired(&[7.1, 6.8, 7.4, 6.5, 7.0, 7.2, 6.9], &[9.0, 8.3, 9.4, 7.9, 8.8, 9.1, 8.4]);
    let watched: Vec<f64> = watched.iter().map(|seconds| seconds / 15.0).collect();
    let comments = paired(&[14.0, 22.0, 11.0, 19.0, 17.0, 12.0, 15.0], &[19.0, 25.0, 16.0, 18.0, 26.0, 17.0, 17.0]);
    let shares = paired(&[21.0, 30.0, 15.0, 33.0, 24.0, 19.0, 23.0], &[49.0, 58.0, 41.0, 47.0, 66.0, 52.0, 44.0]);
    let proxies = [levels(Measure::Level, &watched), rates(&comments, &reach), rates(&shares, &reach)];
    (Laid::pairs(7), proxies, levels(Measure::Views, &reach))
}

/// A tool shop's posts, 5 against 5 without blocks, 24 h: replies and reposts, without views.
pub(crate) fn tools() -> (Laid, [Vec<f64>; 2]) {
    let replies = levels(Measure::Count, &[3.0, 5.0, 2.0, 6.0, 4.0, 4.0, 3.0, 6.0, 5.0, 4.0]);
    let reposts = levels(Measure::Count, &[7.0, 9.0, 4.0, 11.0, 6.0, 6.0, 12.0, 8.0, 5.0, 10.0]);
    (Laid::free(5), [replies, reposts])
}

/// A kimono maker's videos, 6 pairs, 72 h: shares and comments for each view, and views.
pub(crate) fn kimono(laid: Laid) -> (Laid, [Vec<f64>; 2], Vec<f64>) {
    let order =
        |a: &[f64], b: &[f64]| if laid.plan.blocks.iter().max() == Some(&0) { [a, b].concat() } else { paired(a, b) };
    let views = order(
        &[8200.0, 12400.0, 6900.0, 15100.0, 9800.0, 7300.0],
        &[11900.0, 9400.0, 17800.0, 10200.0, 14600.0, 8800.0],
    );
    let shares = order(&[40.0, 77.0, 31.0, 96.0, 52.0, 35.0], &[83.0, 59.0, 140.0, 70.0, 108.0, 61.0]);
    let comments = order(&[22.0, 41.0, 19.0, 50.0, 30.0, 21.0], &[28.0, 24.0, 44.0, 27.0, 36.0, 20.0]);
    let proxies = [rates(&shares, &views), rates(&comments, &views)];
    (laid, proxies, levels(Measure::Views, &views))
}

/// Judges with all that is usual: 5 posts needed, valid, nothing suspected.
pub(crate) fn judged(laid: &Laid, proxies: &[Vec<f64>], trusted: Trusted) -> Judgement {
    let proxies: Vec<ProxyValues> =
        proxies.iter().map(|values| ProxyValues { values: values.clone(), scale: None }).collect();
    judge(&WinnerInput {
        trial: laid.trial(),
        proxies: &proxies,
        rule: Rule::Composite,
        trusted,
        needed: NEEDED,
        alpha: 0.05,
        breached: &vec![false; laid.variants],
        suspected: &vec![false; laid.plan.labels.len()],
        seed: 7,
    })
    .unwrap()
}
