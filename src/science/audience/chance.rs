//! Draws of the model's distributions, from this crate's own streams.
//!
//! Decides how each distribution is drawn. Large counts are drawn from the normal curve that theirs has become: nobody
//! could tell, and a post with a million views costs no more than one with ten.

use crate::draw::Draw;

/// From here on a Poisson count is drawn as a normal one.
const POISSON_EXACT_BELOW: f64 = 1000.0;
/// Largest mean whose `exp(-mean)` is used in one piece.
const POISSON_PIECE: f64 = 30.0;
/// From here on a count of heads is drawn as a normal one.
const HALF_EXACT_BELOW: u64 = 4096;

/// A number strictly between 0 and 1.
pub(super) fn unit(draw: &mut Draw) -> f64 {
    let high = small(draw.below(1 << 26)) * f64::from(1_u32 << 27);
    (high + small(draw.below(1 << 27)) + 0.5) / (f64::from(1_u32 << 27) * f64::from(1_u32 << 26))
}

/// Standard normal (Box and Muller 1958).
pub(super) fn normal(draw: &mut Draw) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(unit(draw)));
    radius * libm::cos(core::f64::consts::TAU * unit(draw))
}

/// Student's t with 4 degrees of freedom: its χ²₄ is −2 ln of the product of two uniforms.
pub(super) fn student4(draw: &mut Draw) -> f64 {
    let numerator = normal(draw);
    let chi = -2.0 * (libm::log(unit(draw)) + libm::log(unit(draw)));
    numerator / libm::sqrt(chi / 4.0)
}

/// Exponential with the given mean.
pub(super) fn exponential(draw: &mut Draw, mean: f64) -> f64 {
    -mean * libm::log(unit(draw))
}

/// Poisson with the given mean, which is finite and not negative.
pub(super) fn poisson(draw: &mut Draw, mean: f64) -> u64 {
    if mean >= POISSON_EXACT_BELOW {
        return whole(libm::floor(mean + libm::sqrt(mean) * normal(draw) + 0.5));
    }
    let mut left = mean;
    let mut count = 0;
    while left > 0.0 {
        let piece = left.min(POISSON_PIECE);
        left -= piece;
        let end = libm::exp(-piece);
        let mut product = unit(draw);
        while product > end {
            count += 1;
            product *= unit(draw);
        }
    }
    count
}

/// How many of `n` tosses of a fair coin are heads.
pub(super) fn half(draw: &mut Draw, n: u64) -> u64 {
    if n >= HALF_EXACT_BELOW {
        let mean = n as f64 / 2.0;
        return whole(libm::floor(mean + libm::sqrt(n as f64) / 2.0 * normal(draw) + 0.5)).min(n);
    }
    let mut left = n;
    let mut heads = 0;
    while left > 0 {
        let now = left.min(24);
        heads += u64::from((draw.below(1 << 24) & ((1_usize << now) - 1)).count_ones());
        left -= now;
    }
    heads
}

/// A count as a whole number; what is below 0 or no number is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits, and whole already")]
pub(super) fn whole(x: f64) -> u64 {
    x.clamp(0.0, 9e15) as u64
}

/// A number below 2²⁷ as one of the formulas' own.
fn small(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(seed: u64, count: u32, mut one: impl FnMut(&mut Draw) -> f64) -> (f64, f64) {
        let mut draw = Draw::new(seed, 0);
        let all: Vec<f64> = (0..count).map(|_| one(&mut draw)).collect();
        let mean = all.iter().sum::<f64>() / f64::from(count);
        (mean, all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(count - 1))
    }

    #[test]
    fn each_distribution_has_its_mean_and_variance() {
        let close = |(mean, variance): (f64, f64), (m, v): (f64, f64), what: &str| {
            assert!((mean - m).abs() < 0.05 * v.sqrt() + 0.001, "{what}: mean {mean}, not {m}");
            assert!((variance / v - 1.0).abs() < 0.12, "{what}: variance {variance}, not {v}");
        };
        close(moments(1, 20_000, unit), (0.5, 1.0 / 12.0), "unit");
        close(moments(2, 20_000, normal), (0.0, 1.0), "normal");
        close(moments(3, 20_000, |draw| exponential(draw, 0.9)), (0.9, 0.81), "exponential");
        for mean in [0.3, 4.0, 29.5, 31.0, 480.0, 5000.0] {
            close(moments(4, 6_000, |draw| poisson(draw, mean) as f64), (mean, mean), &format!("Poisson {mean}"));
        }
        for n in [1_u64, 7, 24, 25, 300, 5_000] {
            let n_ = n as f64;
            close(moments(5, 6_000, |draw| half(draw, n) as f64), (n_ / 2.0, n_ / 4.0), &format!("half of {n}"));
        }
    }

    #[test]
    fn students_tails_are_heavier_than_the_normal_ones() {
        let mut draw = Draw::new(6, 0);
        let beyond = (0..20_000).filter(|_| student4(&mut draw).abs() > 2.776).count();
        assert!((800..=1200).contains(&beyond), "{beyond} of 20,000 beyond the 5 % points of t with 4 degrees");
    }

    #[test]
    fn nothing_is_drawn_from_nothing() {
        let mut draw = Draw::new(7, 0);
        assert_eq!((poisson(&mut draw, 0.0), half(&mut draw, 0), whole(-3.0), whole(f64::NAN)), (0, 0, 0, 0));
    }
}
