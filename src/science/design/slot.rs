//! Slots as a design sees them: when, in which class of hours, and how much is expected of them.
//!
//! Decides the hour bands. Which band an instant falls into depends on the client's zone; that was settled before.

use serde::{Deserialize, Serialize};

use super::DesignError;

/// A part of the day in the client's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HourBand {
    /// 05:00 to 11:00.
    Morning,
    /// 11:00 to 17:00.
    Noon,
    /// 17:00 to 23:00.
    Evening,
    /// 23:00 to 05:00.
    Night,
}

impl HourBand {
    pub const ALL: [HourBand; 4] = [HourBand::Morning, HourBand::Noon, HourBand::Evening, HourBand::Night];

    /// Returns the band of a full hour of the client's day, 0 to 23. A band begins with its first hour and ends before
    /// its last.
    pub fn of_hour(hour: u32) -> Result<Self, DesignError> {
        match hour {
            5..=10 => Ok(Self::Morning),
            11..=16 => Ok(Self::Noon),
            17..=22 => Ok(Self::Evening),
            0..=4 | 23 => Ok(Self::Night),
            _ => Err(DesignError::OutOfRange { argument: "hour", found: f64::from(hour), low: 0.0, high: 23.0 }),
        }
    }
}

/// Whether a slot's day is a Saturday or Sunday in the client's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Week {
    Weekday,
    Weekend,
}

/// The slots that are alike enough to be compared by hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SlotClass {
    pub band: HourBand,
    pub week: Week,
}

/// One planned time on one account.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Seconds, UTC; used for the order alone.
    pub time: i64,
    pub class: SlotClass,
    /// Expected ln of the metric in this slot, where the account's history allows one.
    pub forecast: Option<f64>,
}

/// Largest forecast either way, in log units; beyond it is no count of anything.
const FORECAST_MAX: f64 = 50.0;

/// Checks what every use of slots assumes: time order, forecasts for all or none, each of them a sane number.
pub(super) fn check_slots(slots: &[Slot]) -> Result<(), DesignError> {
    for (at, pair) in slots.windows(2).enumerate() {
        if let [before, after] = pair
            && after.time < before.time
        {
            return Err(DesignError::SlotOrder { at: at + 1 });
        }
    }
    let any = slots.iter().any(|slot| slot.forecast.is_some());
    for (at, slot) in slots.iter().enumerate() {
        match slot.forecast {
            None if any => return Err(DesignError::ForecastMissing { at }),
            Some(found) if found.is_nan() || found.abs() > FORECAST_MAX => {
                return Err(DesignError::OutOfRange {
                    argument: "forecast",
                    found,
                    low: -FORECAST_MAX,
                    high: FORECAST_MAX,
                });
            }
            None | Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_begin_at_five_eleven_seventeen_and_twenty_three() {
        let bands: Vec<HourBand> = (0..24).map(|hour| HourBand::of_hour(hour).unwrap()).collect();
        for (hour, band) in [
            (0, HourBand::Night),
            (4, HourBand::Night),
            (5, HourBand::Morning),
            (10, HourBand::Morning),
            (11, HourBand::Noon),
            (16, HourBand::Noon),
            (17, HourBand::Evening),
            (22, HourBand::Evening),
            (23, HourBand::Night),
        ] {
            assert_eq!(bands[hour], band, "{hour}");
        }
        assert!(HourBand::ALL.iter().all(|band| bands.iter().filter(|found| *found == band).count() == 6));
        assert!(HourBand::of_hour(24).unwrap_err().to_string().contains("`hour` is 24"));
    }
}
