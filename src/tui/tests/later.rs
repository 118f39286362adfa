//! Later: one key, at once, with its way back; the row sinks and comes back by itself.

use desk::Command;
use domain::role::Role;
use domain::time::Span;

use super::fixture::{Agency, time, user};
use super::play::{Play, key};
use crate::message::What;

fn monday() -> Play {
    Play::new(Agency::monday(), 100, 30)
}

fn rows(play: &Play) -> Vec<String> {
    let order = play.model.morning.queue.order();
    order.iter().map(|id| play.model.known.line(*id).unwrap().code.clone()).collect()
}

fn cursor(play: &Play) -> String {
    let id = play.model.morning.queue.cursor().copied().unwrap();
    play.model.known.line(id).unwrap().code.clone()
}

#[test]
fn an_item_is_put_off_with_one_key_sinks_and_the_cursor_is_on_the_next() {
    let mut play = monday();
    play.keys("s");
    assert!(
        matches!(play.acts.as_slice(), [Command::QueueLater { experiment, until: None, .. }] if experiment == "CRM-018")
    );
    assert_eq!(rows(&play), ["QUB-010", "QUB-011", "PNW-006", "CRM-018"]);
    assert_eq!(cursor(&play), "QUB-010");
    let text = play.text();
    assert!(text.contains("CRM-018 is later, back 10:00. u takes it back."), "{text}");
    let row = text.lines().find(|line| line.contains("Clock, fire or hands?")).unwrap();
    assert!(row.contains("◌ later") && row.ends_with("later, back 10:00"), "{row}");
    assert!(text.contains("3 left, 2 clean, 1 later") && text.contains("✦ 3 need you"), "{text}");
}

#[test]
fn it_comes_back_by_itself_and_r_sorts_it_in() {
    let mut play = monday();
    play.keys("s");
    let until = play.agency.next_round.since(time(super::fixture::NOW));
    play.agency.later.clear();
    play.real_ms = u64::try_from(until.plus_ms()).unwrap();
    play.put(What::Tick);
    let text = play.text();
    assert!(!text.contains("◌ later") && text.contains("4 left, 3 clean"), "{text}");
    assert_eq!(rows(&play).last().map(String::as_str), Some("CRM-018"), "no row moves by itself");
    assert!(text.contains("r sorts them"), "{text}");
    play.keys("r");
    assert_eq!(rows(&play).first().map(String::as_str), Some("CRM-018"));
}

trait Milliseconds {
    fn plus_ms(self) -> i64;
}

impl Milliseconds for Span {
    fn plus_ms(self) -> i64 {
        self.micros() / 1_000 + 1_000
    }
}

#[test]
fn u_takes_it_back_at_once_and_the_same_key_takes_it_up() {
    let mut play = monday();
    play.keys("s u");
    assert!(matches!(play.acts.last(), Some(Command::QueueBack { experiment }) if experiment == "CRM-018"));
    assert!(play.text().contains("CRM-018 is back in the queue."), "{}", play.text());
    let mut play = monday();
    play.keys("s G");
    assert_eq!(cursor(&play), "CRM-018");
    assert!(play.text().contains("s back now"), "{}", play.text());
    play.keys("s");
    assert!(matches!(play.acts.last(), Some(Command::QueueBack { .. })));
    assert!(!play.text().contains("later, back"), "{}", play.text());
}

#[test]
fn what_the_desk_refuses_is_said_with_the_reason_and_the_row_stays() {
    let mut play = monday();
    play.agency.next_round = time("2026-11-23T13:00:00Z");
    play.keys("s");
    let text = play.text();
    assert!(text.contains("CRM-018 was not put off") && text.contains("its first slot is before"), "{text}");
    assert_eq!(rows(&play)[0], "CRM-018");
    assert!(!text.contains("u takes it back"), "{text}");
}

#[test]
fn what_is_put_off_is_not_clean_and_is_left_out_of_a_bulk_with_its_reason() {
    let mut play = monday();
    play.keys("s *");
    assert_eq!(play.model.morning.marked.len(), 2);
    play.keys("a");
    play.wait(500);
    assert!(play.text().contains("! Clock, fire or hands?: later, back 10:00"), "{}", play.text());
}

#[test]
fn on_its_page_an_item_is_put_off_too_and_the_head_says_so() {
    let mut play = monday();
    play.keys("Enter s");
    assert!(play.model.place.open.is_none(), "on to the next");
    play.keys("G Enter");
    assert!(play.text().lines().next().unwrap().contains("4 of 4   later, back 10:00"), "{}", play.text());
}

#[test]
fn what_is_back_on_another_day_says_which() {
    let mut play = monday();
    play.agency.next_round = time("2026-11-24T07:30:00Z");
    play.keys("G s");
    let text = play.text();
    assert!(text.contains("is later, back Tue 07:30."), "{text}");
}

#[test]
fn a_viewer_puts_nothing_off() {
    let mut agency = Agency::monday();
    agency.me = user(1000, "mia", Role::Viewer);
    let mut play = Play::new(agency, 100, 30);
    play.wait(400);
    play.key(key("s"));
    assert!(play.acts.is_empty() && play.text().contains("a viewer may not"), "{}", play.text());
}
