//! Every view and sheet as text, at five sizes: what an operator sees, compared with what they saw.

use desk::presence::Present;

use super::fixture::{Agency, alert};
use super::play::Play;
use crate::{Colours, Options, Symbols, ThemeName};

const SIZES: [(u16, u16); 5] = [(60, 16), (80, 24), (100, 30), (160, 45), (220, 60)];

/// Draws a screen at all sizes and compares each with its picture.
fn compare(name: &str, prepare: impl Fn(u16, u16) -> Play) {
    for (width, height) in SIZES {
        let text = prepare(width, height).text();
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), usize::from(height));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), text);
        });
    }
}

fn monday(width: u16, height: u16) -> Play {
    Play::new(Agency::monday(), width, height)
}

fn with_alert(width: u16, height: u16) -> Play {
    let mut agency = Agency::monday();
    agency.escalations.push(alert());
    Play::new(agency, width, height)
}

fn pressed(width: u16, height: u16, keys: &str) -> Play {
    let mut play = monday(width, height);
    play.keys(keys);
    play.wait(2_000);
    play
}

#[test]
fn morning() {
    compare("morning", monday);
}

#[test]
fn morning_with_an_alert() {
    compare("morning-alert", with_alert);
}

#[test]
fn morning_layers() {
    compare("morning-layers", |w, h| pressed(w, h, "["));
}

#[test]
fn morning_when_all_is_decided() {
    compare("morning-decided", |w, h| pressed(w, h, "* a y"));
}

#[test]
fn morning_with_an_item_put_off() {
    compare("morning-later", |w, h| pressed(w, h, "s"));
}

#[test]
fn somebody_else_is_on_it() {
    compare("morning-presence", |w, h| {
        let mut agency = Agency::monday();
        let on = Some(agency.by_code("QUB-010"));
        agency.people = vec![Present { name: "tomas".to_owned(), uid: 1001, on }];
        Play::new(agency, w, h)
    });
}

#[test]
fn morning_narrowed() {
    compare("morning-filter", |w, h| {
        let mut play = pressed(w, h, "/");
        play.type_text("client:qub");
        play
    });
}

#[test]
fn one_item() {
    compare("approval", |w, h| pressed(w, h, "Enter"));
}

#[test]
fn one_item_of_two_rounds() {
    compare("approval-rounds", |w, h| pressed(w, h, "j Enter"));
}

#[test]
fn one_item_with_a_warning() {
    compare("approval-warning", |w, h| pressed(w, h, "G Enter"));
}

fn pictured(width: u16, height: u16, keys: &str) -> Play {
    let mut play = Play::new(Agency::pictured(), width, height);
    play.keys(keys);
    play.wait(2_000);
    play
}

#[test]
fn one_item_with_a_picture_that_all_share() {
    compare("approval-picture", |w, h| pictured(w, h, "Enter"));
}

#[test]
fn one_item_with_a_picture_for_each_variant() {
    compare("approval-pictures", |w, h| pictured(w, h, "j Enter"));
}

#[test]
fn the_picture_of_an_item_whole() {
    compare("sheet-picture", |w, h| pictured(w, h, "v"));
}

#[test]
fn the_sheet_before_one_approval() {
    compare("sheet-approve", |w, h| pressed(w, h, "a"));
}

#[test]
fn the_sheet_before_several() {
    compare("sheet-bulk", |w, h| pressed(w, h, "* a"));
}

#[test]
fn the_sheet_of_a_refusal() {
    compare("sheet-refuse", |w, h| {
        let mut play = pressed(w, h, "x e");
        play.type_text("not how they speak");
        play
    });
}

#[test]
fn the_stop_sheet() {
    compare("sheet-stop", |w, h| pressed(w, h, "!"));
}

#[test]
fn the_sheet_before_going_on() {
    compare("sheet-resume", |w, h| {
        let mut play = pressed(w, h, "5 j p p");
        play.type_text("looked at, it was the network");
        play.keys("Enter");
        play.wait(500);
        play
    });
}

fn alarmed(width: u16, height: u16, keys: &str) -> Play {
    let mut play = Play::new(Agency::alarmed(), width, height);
    play.keys(keys);
    play.wait(500);
    play
}

#[test]
fn escalations() {
    compare("escalations", |w, h| alarmed(w, h, "8"));
}

#[test]
fn a_post_in_doubt_under_the_cursor() {
    compare("escalations-doubt", |w, h| alarmed(w, h, "8 j m"));
}

#[test]
fn no_escalations() {
    compare("escalations-none", |w, h| pressed(w, h, "8"));
}

#[test]
fn the_answers_to_an_alert() {
    compare("sheet-answers", |w, h| alarmed(w, h, "8 j a"));
}

#[test]
fn an_answer_before_it_is_given() {
    compare("sheet-answer", |w, h| {
        let mut play = alarmed(w, h, "8 a 2");
        play.type_text("the label was a mistake");
        play.keys("Enter");
        play.wait(500);
        play
    });
}

#[test]
fn to_whom_an_alert_is_handed() {
    compare("sheet-hand", |w, h| alarmed(w, h, "8 L"));
}

#[test]
fn the_sheet_before_a_round_is_signed() {
    compare("sheet-sign", |w, h| pressed(w, h, "* a y S"));
}

#[test]
fn the_sheet_asks_once_for_a_note() {
    compare("sheet-sign-note", |w, h| {
        let mut play = with_alert(w, h);
        play.keys("S G y");
        play.type_text("jon looks at both");
        play
    });
}

#[test]
fn morning_once_it_is_signed() {
    compare("morning-signed", |w, h| {
        let mut play = pressed(w, h, "S e");
        play.type_text("tomas takes the queue after lunch");
        play.keys("Enter G y ]");
        play
    });
}

#[test]
fn why() {
    compare("sheet-why", |w, h| pressed(w, h, "G w"));
}

#[test]
fn help() {
    compare("sheet-help", |w, h| pressed(w, h, "?"));
}

#[test]
fn palette() {
    compare("sheet-palette", |w, h| {
        let mut play = pressed(w, h, ":");
        play.type_text("crm");
        play
    });
}

#[test]
fn leaving() {
    compare("sheet-leave", |w, h| {
        let mut play = Play::new(Agency::monday().without_engine(), w, h);
        play.keys("Ctrl-c Ctrl-c");
        play
    });
}

#[test]
fn experiments() {
    compare("experiments", |w, h| pressed(w, h, "5"));
}

#[test]
fn one_experiment_page_by_page() {
    for (page, turns) in
        [("now", ""), ("brief", " ]"), ("variants", " ] ]"), ("posts", " ] ] ]"), ("numbers", " ] ] ] ]")]
    {
        compare(&format!("experiment-{page}"), |w, h| {
            let mut play = pressed(w, h, "5 /");
            play.type_text("steam");
            play.keys(&format!("Enter Enter{turns}"));
            play
        });
    }
}

/// Opens the numbers of an experiment that says something.
fn numbers(w: u16, h: u16, outcome: domain::outcome::Outcome) -> Play {
    let mut agency = Agency::monday();
    agency.outcomes.insert("CRM-015".to_owned(), outcome);
    let mut play = Play::new(agency, w, h);
    play.keys("5 /");
    play.wait(2_000);
    play.type_text("steam");
    play.keys("Enter Enter ] ] ] ]");
    play
}

#[test]
fn an_outcome_with_a_winner() {
    compare("outcome-winner", |w, h| numbers(w, h, super::outcome::won()));
}

#[test]
fn an_outcome_that_is_not_comparable() {
    compare("outcome-invalid", |w, h| numbers(w, h, super::outcome::invalid()));
}

fn day(width: u16, height: u16, agency: Agency, hours: u64, keys: &str) -> Play {
    let mut play = Play::new(agency, width, height);
    play.wait(hours * 3_600_000);
    play.keys(keys);
    play.wait(500);
    play
}

#[test]
fn midday() {
    compare("midday", |w, h| day(w, h, Agency::doubting(), 4, "2"));
}

#[test]
fn midday_without_replies() {
    compare("midday-replies", |w, h| day(w, h, Agency::doubting(), 4, "2 ] ]"));
}

#[test]
fn the_sheet_before_midday_is_signed() {
    compare("sheet-sign-midday", |w, h| day(w, h, Agency::doubting(), 4, "2 ] ] S"));
}

#[test]
fn end_of_day() {
    compare("evening", |w, h| day(w, h, Agency::evening(), 8, "3"));
}

#[test]
fn what_an_experiment_says_by_age_and_against_no_difference() {
    compare("outcome-plots", |w, h| {
        let mut play = day(w, h, Agency::evening(), 8, "3 j Enter");
        play.keys("j j j j j j j j j j j j");
        play
    });
}

#[test]
fn end_of_day_decisions() {
    compare("evening-decide", |w, h| day(w, h, Agency::evening(), 8, "3 ] j"));
}

#[test]
fn a_decision_before_it_is_given() {
    compare("sheet-decide", |w, h| day(w, h, Agency::evening(), 8, "3 j a"));
}

#[test]
fn what_could_mislead() {
    compare("sheet-mislead", |w, h| day(w, h, Agency::evening(), 8, "3 j a m 1"));
}

#[test]
fn memory() {
    compare("memory", |w, h| day(w, h, Agency::evening(), 8, "9"));
}

#[test]
fn a_learning_before_it_is_retracted() {
    compare("sheet-retract", |w, h| {
        let mut play = day(w, h, Agency::evening(), 8, "9 x");
        play.type_text("the account was renamed");
        play.keys("Enter");
        play.wait(500);
        play
    });
}

#[test]
fn morning_after_a_note() {
    compare("morning-note", |w, h| Play::new(Agency::monday().with_note(), w, h));
}

#[test]
fn accounts() {
    compare("accounts", |w, h| alarmed(w, h, "7"));
}

#[test]
fn an_account_that_is_stopped() {
    compare("accounts-stopped", |w, h| alarmed(w, h, "7 j"));
}

#[test]
fn layers() {
    compare("layers", |w, h| pressed(w, h, "6"));
}

#[test]
fn no_accounts_and_no_layers() {
    for (name, key) in [("accounts-none", "7"), ("layers-none", "6")] {
        compare(name, |w, h| {
            let mut agency = Agency::monday();
            agency.accounts.clear();
            agency.layers.clear();
            let mut play = Play::new(agency, w, h);
            play.keys(key);
            play
        });
    }
}

#[test]
fn system() {
    compare("system", |w, h| pressed(w, h, "0"));
}

#[test]
fn no_engine() {
    compare("engine-dead", |w, h| {
        let mut play = Play::new(Agency::monday().without_engine(), w, h);
        play.wait(7_200_000);
        play.keys("0");
        play
    });
}

#[test]
fn the_desk_is_silent() {
    compare("desk-lost", |w, h| {
        let mut play = monday(w, h);
        play.desk_answers = false;
        play.wait(7_000);
        play.wait(8_000);
        play
    });
}

#[test]
fn themes_differ_in_no_letter_and_ascii_in_our_signs_alone() {
    let draw = |theme, colours, symbols| {
        let options = Options { theme, colours, symbols, ..Options::default() };
        let mut play = Play::with(Agency::monday(), &options, 100, 30);
        play.keys("* a");
        play.wait(1_000);
        play.text()
    };
    let dark = draw(ThemeName::Dark, Colours::True, Symbols::Unicode);
    for theme in ThemeName::ALL {
        for colours in [Colours::True, Colours::Indexed, Colours::Sixteen, Colours::None] {
            assert_eq!(draw(theme, colours, Symbols::Unicode), dark);
        }
    }
    let ascii = draw(ThemeName::Dark, Colours::True, Symbols::Ascii);
    assert!(ascii.is_ascii(), "{ascii}");
    assert_eq!(ascii.lines().count(), dark.lines().count());
}
