//! The demo's clock as the screen knows it: how fast the agency's time runs, and the steps in which that is changed.
//!
//! Decides the steps and the words. The clock itself is changed by the runner; no other home has such keys.

use clock::Speed;

/// The speeds that keys go through, from a clock that stands still to half an hour a second.
const STEPS: [f64; 6] = [0.0, 1.0, 10.0, 60.0, 300.0, 1_800.0];

/// Returns the next faster step; none where the clock runs as fast as any, or faster.
pub(crate) fn faster(speed: Speed) -> Option<Speed> {
    STEPS.into_iter().find(|step| *step > speed.times()).and_then(Speed::new)
}

/// Returns the next slower step; none where the clock stands still.
pub(crate) fn slower(speed: Speed) -> Option<Speed> {
    STEPS.into_iter().rfind(|step| *step < speed.times()).and_then(Speed::new)
}

/// Tells whether the clock stands still.
pub(crate) fn is_stopped(speed: Speed) -> bool {
    speed.times() <= 0.0
}

/// Returns what stands in every header.
pub(crate) fn label(speed: Speed) -> String {
    if is_stopped(speed) { "DEMO stopped".to_owned() } else { format!("DEMO {}x", speed.times()) }
}

/// Says how fast the clock runs now.
pub(crate) fn told(speed: Speed) -> String {
    if is_stopped(speed) {
        "The agency's clock stands still.".to_owned()
    } else if speed == Speed::REAL {
        "The agency's clock runs as fast as a real one.".to_owned()
    } else {
        format!("The agency's clock runs {} times as fast as a real one.", speed.times())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: f64) -> Speed {
        Speed::new(times).unwrap()
    }

    #[test]
    fn the_steps_lead_from_standing_still_to_the_fastest_and_back() {
        let mut up = vec![of(0.0)];
        while let Some(next) = faster(up[up.len() - 1]) {
            up.push(next);
        }
        assert_eq!(up.iter().map(|speed| speed.times()).collect::<Vec<_>>(), STEPS);
        let mut down = vec![of(1_800.0)];
        while let Some(next) = slower(down[down.len() - 1]) {
            down.push(next);
        }
        down.reverse();
        assert_eq!(down, up);
    }

    #[test]
    fn a_speed_between_two_steps_goes_to_either() {
        assert_eq!(faster(of(100.0)), Some(of(300.0)));
        assert_eq!(slower(of(100.0)), Some(of(60.0)));
        assert_eq!(faster(of(1e6)), None);
        assert_eq!(slower(of(0.5)), Some(of(0.0)));
    }

    #[test]
    fn the_words_say_what_is() {
        assert_eq!(label(of(60.0)), "DEMO 60x");
        assert_eq!(label(of(0.5)), "DEMO 0.5x");
        assert_eq!(label(of(0.0)), "DEMO stopped");
    }
}
