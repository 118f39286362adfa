//! What keys do, from the press to the desk's answer.

use desk::{Command, Stoppable};
use ratatui::buffer::Buffer;

use super::fixture::{Agency, NOW, alert, time, user};
use super::play::{Play, key};
use crate::key::Key;
use crate::message::What;
use crate::model::Pane;
use crate::sheets::Sheet;
use domain::hold::{Hold, HoldCause};
use domain::role::Role;

fn monday() -> Play {
    Play::new(Agency::monday(), 100, 30)
}

fn approved(play: &Play) -> Vec<&str> {
    play.acts
        .iter()
        .filter_map(
            |command| {
                if let Command::Approve { experiment, .. } = command { Some(experiment.as_str()) } else { None }
            },
        )
        .collect()
}

#[test]
fn nothing_is_done_on_a_window_too_small_to_show_it() {
    let mut play = Play::new(Agency::monday(), 20, 5);
    play.keys("* a y x 1 p !  1".replace("  ", " ").as_str());
    assert!(play.acts.is_empty(), "{:?}", play.acts);
    play.resize(100, 30);
    assert!(play.model.sheets.is_empty());
    play.keys("a");
    play.resize(59, 30);
    play.keys("y");
    assert!(play.acts.is_empty(), "{:?}", play.acts);
    play.resize(100, 30);
    play.key(key("y"));
    assert!(play.acts.is_empty(), "the sheet has only just come back: {:?}", play.acts);
    play.wait(400);
    play.key(key("y"));
    assert_eq!(approved(&play).len(), 1);
}

#[test]
fn a_key_that_is_held_or_a_text_that_is_dropped_on_a_sheet_never_gets_through() {
    let mut play = monday();
    play.keys("a");
    for _ in 0..60 {
        play.wait(30);
        play.key(key("y"));
    }
    assert!(play.acts.is_empty(), "{:?}", play.acts);
    play.wait(400);
    play.key(key("y"));
    assert_eq!(approved(&play).len(), 1);
}

#[test]
fn the_preview_follows_the_cursor_once_it_rests_and_a_travelling_cursor_changes_its_rows_alone() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    let before = play.buffer();
    let from = play.model.previewed();
    play.key(key("j"));
    assert_eq!(play.model.previewed(), from);
    assert_ne!(play.model.subject(), from);
    let rows = |one: &Buffer, other: &Buffer| {
        let changed = one.diff(other);
        changed.iter().map(|(_, y, _)| *y).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert!(rows(&before, &play.buffer()) <= 3, "two rows of the list, and the hints of the row");
    // A key that does something looks where the cursor is.
    play.key(key("Space"));
    assert_eq!(play.model.previewed(), play.model.subject());
    play.key(key("k"));
    play.wait(200);
    assert_eq!(play.model.previewed(), play.model.subject());
}

#[test]
fn the_key_that_opens_a_sheet_never_confirms_it_and_neither_does_enter() {
    let mut play = monday();
    play.keys("a");
    for again in ["a", "Enter", "Space", "j"] {
        play.wait(1_000);
        play.key(key(again));
    }
    assert!(play.acts.is_empty());
    assert!(matches!(play.model.sheets.last(), Some(Sheet::Approve(_))));
    play.keys("Esc");
    assert!(play.model.sheets.is_empty() && play.acts.is_empty());
}

#[test]
fn a_sheet_takes_no_key_before_it_could_be_seen() {
    let mut play = monday();
    play.keys("a");
    play.wait(340);
    play.key(key("y"));
    assert!(play.acts.is_empty());
    assert!(play.text().contains("y came before the sheet could be seen"));
    play.keys("Esc a");
    play.wait(360);
    play.key(key("y"));
    assert_eq!(approved(&play), ["CRM-018"]);
}

#[test]
fn a_slow_line_makes_sheets_wait_longer() {
    let options = crate::Options { line_delay: std::time::Duration::from_millis(300), ..crate::Options::default() };
    let mut play = Play::with(Agency::monday(), &options, 100, 30);
    play.keys("a");
    play.wait(400);
    play.key(key("y"));
    assert!(play.acts.is_empty());
    play.wait(660);
    play.key(key("y"));
    assert_eq!(approved(&play), ["CRM-018"]);
}

#[test]
fn what_is_sent_is_the_fingerprint_that_stood_on_the_sheet() {
    let mut play = monday();
    let shown = play.agency.sheets[&play.agency.by_code("CRM-018")].fingerprint.clone();
    play.keys("a y");
    let Some(Command::Approve { experiment, fingerprint }) = play.acts.first() else { panic!("{:?}", play.acts) };
    assert_eq!((experiment.as_str(), fingerprint), ("CRM-018", &shown));
}

#[test]
fn a_change_closes_the_sheet_and_nothing_is_approved() {
    let mut play = monday();
    play.keys("a");
    play.wait(1_000);
    play.agency.edit("CRM-018");
    play.tell_news();
    assert!(play.model.sheets.is_empty());
    let text = play.text();
    assert!(text.contains("CRM-018 changed 08:45 by tomas: experiment edited"), "{text}");
    play.keys("y");
    assert!(play.acts.is_empty());
}

#[test]
fn a_change_while_reading_takes_the_seen_mark_away() {
    let mut play = monday();
    play.keys("Enter");
    play.wait(2_000);
    assert!(play.text().contains("Seen in full"));
    play.agency.edit("CRM-018");
    play.tell_news();
    assert!(play.text().contains("Look again."), "{}", play.text());
    assert!(!crate::approval::is_seen(&play.model, play.agency.by_code("CRM-018")));
}

#[test]
fn an_edit_that_nobody_told_of_is_refused_by_the_desk_and_said() {
    let mut play = monday();
    play.keys("a");
    play.wait(1_000);
    play.agency.edit("CRM-018");
    play.key(key("y"));
    assert_eq!(approved(&play), ["CRM-018"]);
    let text = play.text();
    assert!(text.contains("CRM-018 was not approved"), "{text}");
    assert!(!text.contains("✓ approved"));
}

#[test]
fn the_row_says_sent_until_the_desk_has_answered() {
    let mut play = monday();
    play.keys("a");
    play.wait(1_000);
    play.desk_answers = false;
    play.key(key("y"));
    assert!(play.text().contains("… sent"), "{}", play.text());
    assert!(!play.text().contains("✓ approved"));
    let done = desk::Done::new("CRM-018 approved: 3 posts", serde_json::json!({"is": "approved"}));
    let number = *play.model.pending.keys().next().unwrap();
    play.put(What::Acted(number, Box::new(Ok(done))));
    assert!(play.text().contains("CRM-018 approved: 3 posts. u takes it back."), "{}", play.text());
}

#[test]
fn nothing_is_approved_into_the_void_and_a_stop_is_tried_all_the_same() {
    let mut play = monday();
    play.keys("a");
    play.desk_answers = false;
    play.wait(7_000);
    play.wait(5_500);
    play.key(key("y"));
    assert!(play.acts.is_empty());
    assert!(play.text().contains("Nothing was approved: the desk is silent"), "{}", play.text());
    play.key(key("Esc"));
    play.key(key("!"));
    play.key(key("1"));
    assert!(
        matches!(play.acts.as_slice(), [Command::Pause { target: Stoppable::Experiment(code), .. }] if code == "CRM-018")
    );
}

#[test]
fn a_dead_engine_stands_in_every_header() {
    let mut play = Play::new(Agency::monday().without_engine(), 100, 30);
    for pane in ["1", "5", "0"] {
        play.keys(pane);
        let text = play.text();
        assert!(text.contains("No engine since 08:45: nothing goes out."), "{text}");
        assert!(text.contains("✗ engine"), "{text}");
    }
}

#[test]
fn a_desk_that_dies_is_told_within_fifteen_seconds_on_every_screen() {
    for keys in ["1", "5", "0", "1 Enter", "5 Enter", "1 a"] {
        let mut play = monday();
        play.keys(keys);
        play.desk_answers = false;
        for _ in 0..15 {
            play.wait(1_000);
        }
        assert!(play.text().contains("Desk lost since 08:45"), "{keys}: {}", play.text());
    }
}

#[test]
fn what_is_not_clean_is_never_marked_by_the_star_and_opens_instead() {
    let mut play = monday();
    play.keys("*");
    let unclean = play.agency.by_code("PNW-006");
    assert_eq!(play.model.morning.marked.len(), 3);
    assert!(!play.model.morning.marked.contains(&unclean));
    play.keys("Esc G a");
    assert!(play.model.place.open.is_some() && play.model.sheets.is_empty());
    assert!(play.text().contains("Not clean"), "{}", play.text());
}

#[test]
fn a_marked_item_that_is_not_clean_is_left_out_with_its_reason() {
    let mut play = monday();
    play.keys("Space Space Space Space a");
    let text = play.text();
    assert!(text.contains("Approve 3 experiments"), "{text}");
    assert!(text.contains("Range or round figure: 1 warning, open it"), "{text}");
    play.keys("y");
    assert_eq!(approved(&play).len(), 3);
}

#[test]
fn on_its_page_an_item_is_approved_only_once_all_of_it_was_on_the_screen() {
    let mut play = Play::new(Agency::monday(), 60, 16);
    play.keys("Enter a");
    assert!(play.model.sheets.is_empty());
    assert!(play.text().contains("Read on"), "{}", play.text());
    for _ in 0..6 {
        if play.model.sheets.is_empty() {
            play.keys("a");
        }
    }
    assert!(matches!(play.model.sheets.last(), Some(Sheet::Approve(_))));
}

#[test]
fn seen_needs_time_or_a_scroll() {
    let mut play = monday();
    let id = play.agency.by_code("CRM-018");
    play.keys("Enter");
    play.wait(500);
    assert!(!crate::approval::is_seen(&play.model, id));
    play.keys("Esc a");
    assert!(play.text().contains("! not opened"));
    play.keys("Esc Enter");
    play.wait(1_500);
    assert!(crate::approval::is_seen(&play.model, id));
    play.keys("Esc a");
    assert!(play.text().contains("opened, in full"), "{}", play.text());
}

#[test]
fn what_was_opened_and_not_read_to_the_end_is_told_so() {
    let mut play = Play::new(Agency::monday(), 60, 16);
    play.keys("Enter");
    play.wait(2_000);
    assert!(!crate::approval::is_seen(&play.model, play.agency.by_code("CRM-018")), "{}", play.text());
    play.keys("Esc");
    play.resize(100, 30);
    play.keys("a G");
    assert!(play.text().contains("! not read to the end"), "{}", play.text());
    play.keys("Esc * a G");
    let text = play.text();
    assert_eq!((text.matches("! not read to the end").count(), text.matches("! not opened").count()), (1, 2), "{text}");
    // Another sheet than the one that was looked at.
    play.keys("Esc Esc");
    play.agency.edit("CRM-018");
    play.tell_news();
    play.keys("g a G");
    assert!(play.text().contains("! not opened"), "{}", play.text());
}

#[test]
fn rows_stay_under_the_cursor_when_new_ones_come() {
    let mut play = monday();
    play.keys("j");
    let before = play.model.morning.queue.cursor().copied();
    let rows = play.model.morning.queue.order().to_vec();
    let gone = play.agency.by_code("CRM-018");
    let sheet = play.agency.sheets.remove(&gone).unwrap();
    play.tell_news();
    assert_eq!(play.model.morning.queue.cursor().copied(), before);
    assert_eq!(play.model.morning.queue.order(), rows);
    play.keys("r");
    play.agency.sheets.insert(gone, sheet);
    play.agency.edit("QUB-011");
    play.tell_news();
    assert!(play.text().contains("1 new, r lets them in"), "{}", play.text());
    assert_eq!(play.model.morning.queue.cursor().copied(), before);
}

#[test]
fn an_act_is_taken_back_at_once_and_named_first_when_it_is_old() {
    let mut play = monday();
    play.keys("a y u");
    assert!(matches!(play.acts.last(), Some(Command::Undo { experiment, post: None }) if experiment == "CRM-018"));
    let mut play = monday();
    play.keys("a y");
    play.wait(40_000);
    play.keys("u");
    assert_eq!(play.acts.len(), 1);
    assert!(play.text().contains("u again takes back: your approval of CRM-018"), "{}", play.text());
    play.keys("u");
    assert!(matches!(play.acts.last(), Some(Command::Undo { .. })));
}

#[test]
fn an_act_of_another_day_is_found_in_the_log() {
    let mut agency = Agency::monday();
    agency.me = user(1002, "ada", Role::Admin);
    let mut play = Play::new(agency, 100, 30);
    play.keys("u");
    assert!(play.text().contains("your approval of CRM-015"), "{}", play.text());
    play.keys("u");
    assert!(matches!(play.acts.as_slice(), [Command::Undo { experiment, .. }] if experiment == "CRM-015"));
}

#[test]
fn a_refusal_takes_one_key_and_carries_words() {
    let mut play = monday();
    play.keys("x 1");
    assert!(
        matches!(play.acts.as_slice(), [Command::Reject { experiment, reason }] if experiment == "CRM-018" && reason == "off brand")
    );
    play.keys("x e");
    play.type_text("1 claim too many");
    play.keys("Enter 2");
    assert!(
        matches!(play.acts.last(), Some(Command::Reject { reason, .. }) if reason == "claim risk: 1 claim too many")
    );
}

#[test]
fn a_refusal_for_another_reason_waits_for_its_words_and_no_letter_of_them_is_a_command() {
    let mut play = monday();
    play.keys("x 6");
    play.type_text("y");
    play.keys("Backspace Enter");
    assert!(play.acts.is_empty() && play.text().contains("It needs words; nothing was refused."), "{}", play.text());
    play.type_text("ayx1 wrong season");
    assert!(play.acts.is_empty(), "{:?}", play.acts);
    assert!(play.text().contains("Enter refuses"), "{}", play.text());
    play.keys("Enter");
    assert!(
        matches!(play.acts.as_slice(), [Command::Reject { experiment, reason }] if experiment == "CRM-018" && reason == "other: ayx1 wrong season")
    );
    // The way back leads to the list of reasons, then out.
    play.keys("x 6 Esc");
    assert!(matches!(play.model.sheets.last(), Some(Sheet::Refuse(refuse)) if !refuse.typing && !refuse.other));
    play.keys("Esc");
    assert!(play.model.sheets.is_empty() && play.acts.len() == 1);
}

#[test]
fn stopping_is_one_key_and_going_on_needs_a_reason_and_a_key() {
    let mut play = monday();
    play.keys("5 j");
    play.keys("p");
    assert!(matches!(play.acts.as_slice(), [Command::Pause { .. }]));
    play.keys("p y Enter");
    assert_eq!(play.acts.len(), 1, "letters go into the reason");
    play.keys("y");
    let Some(Command::Resume { reason, holds, .. }) = play.acts.last() else { panic!("{:?}", play.acts) };
    assert_eq!((reason.as_str(), holds.len()), ("y", 1), "it ends the stop that the sheet showed");
}

#[test]
fn a_hold_that_came_while_the_sheet_stood_open_is_not_ended_by_it() {
    let mut play = monday();
    play.keys("5 j p p");
    play.type_text("looked at");
    play.keys("Enter");
    let paused = play.agency.experiments.values_mut().find(|view| view.line.status == "paused").unwrap();
    let breach = Hold::new(HoldCause::Breach, "engine", time(NOW), "platform warning: label");
    paused.holds.push(breach.clone());
    play.wait(5_000);
    play.keys("y");
    let Some(Command::Resume { holds, .. }) = play.acts.last() else { panic!("{:?}", play.acts) };
    assert!(holds.len() == 1 && !holds.contains(&breach.key()), "{holds:?}");
}

#[test]
fn what_stops_it_is_shown_before_a_key_ends_it() {
    let mut play = monday();
    play.keys("5 j p");
    // As after a restart: the list says that it is paused, and why is not known yet.
    play.model.known.details.clear();
    play.key(key("p"));
    play.type_text("looked at");
    play.keys("Enter y");
    assert!(!play.acts.iter().any(|act| matches!(act, Command::Resume { .. })), "{:?}", play.acts);
    play.wait(5_000);
    play.keys("y");
    play.wait(5_000);
    play.keys("y");
    assert!(matches!(play.acts.last(), Some(Command::Resume { holds, .. }) if holds.len() == 1), "{:?}", play.acts);
}

#[test]
fn a_stop_by_name_asks_which_where_several_are_meant() {
    let mut play = monday();
    play.keys("!");
    play.type_text("or");
    play.keys("Enter");
    assert!(play.acts.is_empty() && play.text().contains("Nothing was stopped"), "{}", play.text());
    play.keys("Esc !");
    play.type_text("CRM-018");
    play.keys("Enter");
    assert!(
        matches!(play.acts.as_slice(), [Command::Pause { target: Stoppable::Experiment(code), .. }] if code == "CRM-018")
    );
}

#[test]
fn a_viewer_sees_everything_and_is_told_which_role_it_needs() {
    let mut agency = Agency::monday();
    agency.me = user(1003, "vera", Role::Viewer);
    let mut play = Play::new(agency, 100, 30);
    assert!(play.text().contains("Clock, fire or hands?"));
    play.keys("a x ! u p");
    assert!(play.acts.is_empty() && play.model.sheets.is_empty());
    play.keys("a");
    assert!(play.text().contains("a viewer may not; it needs operator or reviewer or admin"), "{}", play.text());
}

#[test]
fn read_only_is_read_only_whatever_the_role() {
    let options = crate::Options { read_only: true, ..crate::Options::default() };
    let mut play = Play::with(Agency::monday(), &options, 100, 30);
    play.keys("a y * a y x 1 ! 1 u");
    assert!(play.acts.is_empty());
    assert!(play.text().contains("read only"));
}

#[test]
fn an_operator_is_not_shown_a_reviewers_item_as_clean() {
    let mut agency = Agency::monday();
    agency.me = user(1001, "olga", Role::Operator);
    let mut play = Play::new(agency, 100, 30);
    play.keys("G");
    assert!(play.text().contains("! reviewer"), "{}", play.text());
    play.keys("a");
    assert!(play.acts.is_empty() && play.model.sheets.is_empty());
}

#[test]
fn what_is_stopped_is_not_clean_and_its_sheet_says_by_whom_and_why() {
    let mut agency = Agency::monday();
    let id = agency.by_code("CRM-018");
    let view = agency.experiments.get_mut(&id).unwrap();
    view.line.status = "paused".to_owned();
    let at = super::fixture::time("2026-11-23T08:20:00Z");
    let (cause, by) = (domain::hold::HoldCause::Operator, "tomas".to_owned());
    view.holds = vec![domain::hold::Hold { cause, by, at, reason: "the flour was recalled".to_owned(), signal: None }];
    agency.sheets.get_mut(&id).unwrap().line.status = "paused".to_owned();
    let mut play = Play::new(agency, 100, 30);
    assert!(play.text().contains("= stopped"), "{}", play.text());
    play.keys("*");
    assert!(play.model.morning.marked.len() == 2 && !play.model.morning.marked.contains(&id));
    play.keys("Esc g a");
    assert!(play.model.sheets.is_empty() && play.text().contains("Not clean (it is stopped"), "{}", play.text());
    play.keys("a");
    let text = play.text();
    assert!(text.contains("! it is stopped by tomas at"), "{text}");
    assert!(text.contains("the flour was recalled"), "{text}");
    assert!(text.contains("nothing of it goes out until it is let go on"), "{text}");
}

#[test]
fn an_account_that_is_stopped_stands_on_the_sheet_too() {
    let mut agency = Agency::monday();
    let at = super::fixture::time("2026-11-23T08:20:00Z");
    let (cause, by) = (domain::hold::HoldCause::Operator, "ada".to_owned());
    let hold = domain::hold::Hold { cause, by, at, reason: "its password leaked".to_owned(), signal: None };
    agency.accounts.iter_mut().find(|account| account.id.as_str() == "crm-bs").unwrap().holds = vec![hold];
    let mut play = Play::new(agency, 100, 30);
    assert!(play.text().contains("= stopped"), "{}", play.text());
    play.keys("a a");
    assert!(play.text().contains("its account is stopped by ada at"), "{}", play.text());
    assert!(play.text().contains("its password leaked"), "{}", play.text());
}

#[test]
fn own_work_is_not_clean() {
    let mut agency = Agency::monday();
    agency.me = user(1001, "tomas", Role::Operator);
    let mut play = Play::new(agency, 100, 30);
    play.keys("*");
    assert!(play.model.morning.marked.is_empty());
    assert!(play.text().contains("! own work"), "{}", play.text());
}

#[test]
fn a_paste_outside_a_field_does_nothing_and_inside_is_text() {
    let mut play = monday();
    play.put(What::Paste("a y 1".to_owned()));
    assert!(play.acts.is_empty() && play.model.sheets.is_empty());
    assert!(play.text().contains("Pasted text ignored here"));
    play.keys("/");
    play.put(What::Paste("line\nor\u{1b}".to_owned()));
    assert_eq!(play.model.morning.filter.value(), "line or");
}

#[test]
fn the_next_thing_that_needs_a_person_is_one_key_away() {
    let mut agency = Agency::monday().without_engine();
    agency.escalations.push(alert());
    let mut play = Play::new(agency, 100, 30);
    play.keys("5 n");
    assert_eq!(play.model.pane(), Pane::System);
    play.keys("n");
    assert!(play.text().contains("Nobody can tell"), "{}", play.text());
    play.keys("n");
    assert!(play.text().contains("▸  ✓ clean     Clock, fire or hands?"), "{}", play.text());
    play.keys("N N");
    assert_eq!(play.model.pane(), Pane::System);
}

#[test]
fn twice_leaves_and_a_hang_up_leaves_at_once() {
    let mut play = monday();
    play.key(Key::Ctrl('c'));
    assert!(!play.last.quit);
    play.key(Key::Ctrl('c'));
    assert!(play.last.quit);
    let mut play = monday();
    play.keys("a");
    play.put(What::HungUp);
    assert!(play.last.quit && play.acts.is_empty());
}

#[test]
fn leaving_with_posts_due_and_no_engine_is_asked_about() {
    let mut play = Play::new(Agency::monday().without_engine(), 100, 30);
    play.key(Key::Ctrl('c'));
    play.key(Key::Ctrl('c'));
    assert!(!play.last.quit && play.text().contains("No engine runs"), "{}", play.text());
    play.keys("Esc");
    assert!(play.model.sheets.is_empty());
    play.key(Key::Ctrl('c'));
    play.key(Key::Ctrl('c'));
    play.keys("b");
    assert!(play.last.quit && !play.last.stop_engine);
}

#[test]
fn news_are_gathered_before_anything_is_asked() {
    let mut play = monday();
    play.wait(3_000);
    let events = play.agency.events.clone();
    for _ in 0..50 {
        play.put(What::News(events.clone()));
        assert!(play.last.asks.is_empty(), "{:?}", play.last.asks);
    }
    play.wait(100);
    // Each once, however many events there were: the lists, the rounds, and the two experiments that they speak of.
    assert!(play.last.asks.len() <= 6, "{:?}", play.last.asks);
}

#[test]
fn one_question_of_a_kind_is_under_way_at_a_time() {
    let mut play = monday();
    play.desk_answers = false;
    play.wait(8_000);
    assert_eq!(play.last.asks.len(), 1);
    for _ in 0..10 {
        play.wait(8_000);
        assert!(play.last.asks.is_empty(), "{:?}", play.last.asks);
    }
}

#[test]
fn a_message_that_is_cut_can_be_read_whole() {
    let mut play = Play::new(Agency::monday(), 60, 16);
    play.keys("a");
    play.wait(1_000);
    play.agency.edit("CRM-018");
    play.tell_news();
    assert!(play.text().contains('…'));
    play.keys(":");
    play.type_text("messages");
    play.keys("Enter");
    assert!(play.text().contains("look again."), "{}", play.text());
}

#[test]
fn messages_are_kept_and_replay_to_the_same_screen() {
    let kept: Vec<crate::Message> = {
        let play = monday();
        let at = crate::Moment { real_ms: 10, wall: super::fixture::time(super::fixture::NOW) };
        let answers = [crate::Ask::Me, crate::Ask::Clients, crate::Ask::Accounts, crate::Ask::Queue];
        let told = answers.map(|ask| What::Answered(ask.clone(), Box::new(play.agency.told(&ask))));
        told.into_iter().chain([What::Key(Key::Char('j'))]).map(|what| crate::Message { at, what }).collect()
    };
    let text = serde_json::to_string(&kept).unwrap();
    let again: Vec<crate::Message> = serde_json::from_str(&text).unwrap();
    let draw = |messages: Vec<crate::Message>| {
        let at = crate::Moment { real_ms: 0, wall: super::fixture::time(super::fixture::NOW) };
        let mut model = crate::Model::new(&crate::Options::default(), at, (100, 30)).unwrap();
        for message in messages {
            crate::update(&mut model, message);
        }
        let area = ratatui::layout::Rect::new(0, 0, 100, 30);
        let mut buffer = ratatui::buffer::Buffer::empty(area);
        crate::view(&model, area, &mut buffer);
        super::play::text_of(&buffer)
    };
    assert_eq!(draw(kept), draw(again));
}
