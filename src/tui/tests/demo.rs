//! The demo's keys: its clock, in every header, faster and slower; in no other home.

use clock::{ScaledClock, Speed};

use super::fixture::{Agency, NOW, time};
use super::play::Play;
use crate::key::Key;
use crate::message::{Redraw, What};
use crate::{Message, Moment, Options, update};

/// The same morning as a demo.
pub(super) fn demo(times: f64) -> Play {
    let clock = ScaledClock::new(time(NOW).to_chrono(), Speed::new(times).unwrap());
    Play::with(Agency::monday(), &Options { demo: Some(clock), ..Options::default() }, 100, 30)
}

fn header(play: &Play) -> String {
    play.text().lines().next().unwrap().to_owned()
}

#[test]
fn the_speed_stands_in_every_header_and_two_keys_change_it() {
    let mut play = demo(60.0);
    for keys in ["1", "5", "0", "1 Enter", "Esc 5 Enter"] {
        play.keys(keys);
        assert!(header(&play).contains("DEMO 60x"), "{}", play.text());
    }
    play.keys("1 +");
    assert_eq!(play.last.speed, Speed::new(300.0));
    assert!(header(&play).contains("DEMO 300x"), "{}", play.text());
    assert!(play.text().contains("The agency's clock runs 300 times as fast as a real one."), "{}", play.text());
    play.keys("+");
    assert!(header(&play).contains("DEMO 1800x"));
    play.keys("+");
    assert_eq!(play.last.speed, None);
    assert!(play.text().contains("+ does nothing now: the clock runs as fast as it may."), "{}", play.text());
    assert!(play.acts.is_empty());
}

#[test]
fn a_clock_is_stopped_and_goes_on() {
    let mut play = demo(1.0);
    play.keys("-");
    assert_eq!(play.last.speed, Speed::new(0.0));
    assert!(header(&play).contains("DEMO stopped"), "{}", play.text());
    play.keys("-");
    assert_eq!(play.last.speed, None);
    assert!(play.text().contains("- does nothing now: the clock stands still."), "{}", play.text());
    play.keys("+");
    assert_eq!(play.last.speed, Some(Speed::REAL));
    assert!(header(&play).contains("DEMO 1x"), "{}", play.text());
}

#[test]
fn in_any_other_home_there_are_no_such_keys_and_no_such_words() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.key(Key::Char('+'));
    assert!(play.text().contains("+ does nothing here"), "{}", play.text());
    assert_eq!(play.last.speed, None);
    assert!(!header(&play).contains("DEMO"));
    play.keys("?");
    play.type_text("clock run");
    assert!(!play.text().contains("let the agency's clock"), "{}", play.text());
    let mut play = demo(60.0);
    play.keys("?");
    play.type_text("clock run");
    assert!(play.text().contains("let the agency's clock run faster"), "{}", play.text());
}

#[test]
fn under_a_sheet_the_clock_is_left_alone() {
    let mut play = demo(60.0);
    play.keys("a +");
    assert_eq!(play.last.speed, None);
    assert!(header(&play).contains("DEMO 60x"));
}

#[test]
fn many_minutes_a_second_are_drawn_like_news_and_a_clock_that_stands_still_is_not_drawn() {
    let mut play = demo(1_800.0);
    let tick = |play: &mut Play, wall: &str| {
        let at = Moment { real_ms: play.real_ms, wall: time(wall) };
        update(&mut play.model, Message { at, what: What::Tick }).redraw
    };
    assert_eq!(tick(&mut play, "2026-11-23T08:45:00Z"), Redraw::Nothing);
    assert_eq!(tick(&mut play, "2026-11-23T08:46:00Z"), Redraw::Soon);
    assert_eq!(tick(&mut play, "2026-11-23T08:46:00Z"), Redraw::Nothing);
}
