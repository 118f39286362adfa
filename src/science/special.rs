//! The distributions that the design needs: normal and Student's t, central and shifted.
//!
//! Upper tails only, since every question here is "how often would it come out larger than this".

/// Returns P(Z > x) of the standard normal.
pub(crate) fn normal_upper(x: f64) -> f64 {
    0.5 * libm::erfc(x / std::f64::consts::SQRT_2)
}

/// Returns P(T > t) of Student's t with `df` ≥ 2 degrees of freedom and noncentrality `shift`.
///
/// T = (Z + shift) / U with U = √(χ²/df): the normal tail averaged over U, by Simpson's rule on the density of U. The
/// density is divided by its own integral, so that no gamma function is needed. Absolute error below 1e-9, checked
/// against published values in `design::size`.
pub(crate) fn t_upper(t: f64, df: f64, shift: f64) -> f64 {
    const PANELS: u32 = 2000;
    let reach = 9.0 / df.sqrt();
    let (low, high) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let step = (high - low) / f64::from(PANELS);
    // ln of the density of U, less its value near the peak at U = 1 so that nothing overflows.
    let weight = |u: f64| {
        if u <= 0.0 { 0.0 } else { libm::exp((df - 1.0) * libm::log(u) - df * (u * u - 1.0) / 2.0) }
    };
    let (mut tail, mut whole) = (0.0, 0.0);
    for i in 0..=PANELS {
        let u = low + step * f64::from(i);
        let simpson = if i == 0 || i == PANELS {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        };
        let mass = simpson * weight(u);
        tail += mass * normal_upper(t * u - shift);
        whole += mass;
    }
    tail / whole
}

/// Returns P(T > t) of Student's t with an even number of degrees of freedom, at least 2; a finite sum.
///
/// Source: Abramowitz and Stegun 26.7.4.
pub(crate) fn t_upper_even(t: f64, df: u32) -> f64 {
    let nu = f64::from(df);
    let hypotenuse = nu + t * t;
    let (sine, cosine_squared) = (t / hypotenuse.sqrt(), nu / hypotenuse);
    let (mut term, mut sum) = (1.0, 0.0);
    for at in 0..df / 2 {
        sum += term;
        let twice = 2.0 * f64::from(at);
        term *= cosine_squared * (twice + 1.0) / (twice + 2.0);
    }
    0.5 - sine * sum / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn normal_tails_agree_with_tables() {
        check(normal_upper(0.0), 0.5);
        check(normal_upper(1.959_963_984_540_054), 0.025);
        check(normal_upper(-1.644_853_626_951_472_7), 0.95);
    }

    #[test]
    fn t_tails_agree_with_closed_forms() {
        // Two degrees of freedom: 1/2 − t / (2√(2 + t²)); four: a polynomial in t / √(4 + t²).
        for t in [-3.0_f64, 0.0, 0.5, 2.919_985_580_353_73, 10.0] {
            check(t_upper(t, 2.0, 0.0), 0.5 - t / (2.0 * (2.0 + t * t).sqrt()));
            let s = t / (4.0 + t * t).sqrt();
            check(t_upper(t, 4.0, 0.0), 0.5 - 0.75 * (s - s * s * s / 3.0));
            for df in [2, 4, 10, 98] {
                check(t_upper(t, f64::from(df), 0.0), t_upper_even(t, df));
            }
        }
        // Published critical values.
        check(t_upper(1.859_548_037_530_9, 8.0, 0.0), 0.05);
        check(t_upper(2.306_004_135_033_4, 8.0, 0.0), 0.025);
        check(t_upper(1.697_260_886_593_9, 30.0, 0.0), 0.05);
    }

    #[test]
    fn a_shift_at_zero_is_the_normal_tail() {
        // P(T > 0) does not depend on the denominator.
        check(t_upper(0.0, 6.0, 1.5), normal_upper(-1.5));
        check(t_upper(0.0, 998.0, -0.3), normal_upper(0.3));
    }
}
