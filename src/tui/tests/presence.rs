//! Who else is on it: seen on the row, in the head of the page and in System, and told to the others at once.

use desk::presence::Present;

use super::fixture::Agency;
use super::play::Play;
use crate::message::Ask;

fn present(name: &str, uid: u32, agency: &Agency, code: Option<&str>) -> Present {
    Present { name: name.to_owned(), uid, on: code.map(|code| agency.by_code(code)) }
}

fn with(people: &[(&str, u32, Option<&str>)], width: u16, height: u16) -> Play {
    let mut agency = Agency::monday();
    agency.people = people.iter().map(|(name, uid, code)| present(name, *uid, &agency, *code)).collect();
    Play::new(agency, width, height)
}

#[test]
fn a_row_says_who_else_is_on_it_and_keeps_its_slot() {
    for (width, height) in [(60, 16), (80, 24), (100, 30), (160, 45), (220, 60)] {
        let play = with(&[("tomas", 1001, Some("QUB-010"))], width, height);
        let text = play.text();
        let row = text.lines().find(|line| line.contains("Number or")).unwrap();
        assert!(row.contains("09:10") && row.contains("tomas is on this"), "{row}");
        assert_eq!(text.matches("is on this").count(), 1, "{text}");
    }
}

#[test]
fn the_head_of_the_page_says_so_at_every_size() {
    for (width, height) in [(60, 16), (80, 24), (100, 30), (160, 45), (220, 60)] {
        let mut play = with(&[("tomas", 1001, Some("CRM-018")), ("ada", 1002, None)], width, height);
        play.keys("Enter");
        let text = play.text();
        assert!(text.lines().next().unwrap().contains("tomas is on this"), "{text}");
    }
    let mut play = with(&[("tomas", 1001, Some("CRM-018")), ("ada", 1002, Some("CRM-018"))], 100, 30);
    play.keys("Enter");
    assert!(play.text().contains("tomas and 1 more are on this"), "{}", play.text());
}

#[test]
fn system_says_who_is_on_and_on_what() {
    let mut play = with(&[("tomas", 1001, Some("CRM-018"))], 100, 30);
    play.keys("0");
    let text = play.text();
    assert!(text.contains("3 persons, 2 on now"), "{text}");
    let row = text.lines().find(|line| line.contains("tomas") && line.contains("operator")).unwrap();
    assert!(row.ends_with("on CRM-018 now"), "{row}");
    let row = text.lines().find(|line| line.contains("ada") && line.contains("admin")).unwrap();
    assert!(!row.contains("now"), "{row}");
}

#[test]
fn what_is_opened_is_told_with_a_beat_at_once_and_what_is_left_too() {
    let mut play = with(&[], 100, 30);
    play.wait(1_000);
    assert_eq!(play.last.on, None);
    play.keys("Enter");
    assert_eq!(play.last.on, Some(play.agency.by_code("CRM-018")));
    assert!(play.last.asks.contains(&Ask::Health), "{:?}", play.last.asks);
    play.wait(1_000);
    play.key(super::play::key("j"));
    assert!(!play.last.asks.contains(&Ask::Health), "a key that opens nothing asks for no beat");
    play.keys("Esc");
    assert_eq!(play.last.on, None);
    assert!(play.last.asks.contains(&Ask::Health));
}

#[test]
fn somebody_who_comes_or_goes_is_drawn_though_nothing_else_is_new() {
    let mut play = with(&[], 100, 30);
    play.agency.people = vec![present("tomas", 1001, &play.agency, Some("CRM-018"))];
    play.wait(7_100);
    assert!(play.text().contains("tomas is on this"), "{}", play.text());
    play.agency.people.clear();
    play.wait(7_100);
    assert!(!play.text().contains("is on this"), "{}", play.text());
}

#[test]
fn a_hostile_name_is_drawn_as_what_it_is_and_cuts_nothing_off() {
    let mut play = with(&[("a\u{202e}\u{1b}[2Jvery-long-name-indeed", 1001, Some("CRM-018"))], 80, 24);
    play.keys("Enter");
    let text = play.text();
    assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'), "{text:?}");
    assert!(text.lines().next().unwrap().contains("is on this"), "{text}");
}
