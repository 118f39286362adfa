//! Pictures on the screen: their colours, when the desk is asked for them, and what stands there without them.

use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::fixture::{Agency, pixel};
use super::play::Play;
use crate::message::{Ask, What};
use crate::{Colours, Options, Symbols, ThemeName};

fn page(options: &Options, width: u16, height: u16) -> Play {
    let mut play = Play::with(Agency::pictured(), options, width, height);
    play.keys("Enter");
    play
}

fn blocks(buffer: &Buffer) -> Vec<(u16, u16)> {
    let area = buffer.area;
    area.positions().filter(|at| buffer.cell(*at).unwrap().symbol() == "▀").map(|at| (at.x, at.y)).collect()
}

fn pictures(asks: &[Ask]) -> usize {
    asks.iter().filter(|ask| matches!(ask, Ask::Picture(_))).count()
}

#[test]
fn every_cell_holds_two_pixels_the_upper_as_its_letter_the_lower_as_its_ground() {
    let play = page(&Options::default(), 160, 45);
    let buffer = play.buffer();
    let cells = blocks(&buffer);
    // 47 columns for a picture of four to three: 35 rows of pixels in 18 of cells.
    assert_eq!(cells.len(), 47 * 18);
    let (left, top) = cells[0];
    for (x, y) in cells {
        let cell = buffer.cell((x, y)).unwrap();
        let (column, row) = (usize::from(x - left), usize::from(y - top) * 2);
        let [red, green, blue] = pixel(column, row);
        assert_eq!(cell.fg, Color::Rgb(red, green, blue), "{column} {row}");
        let [red, green, blue] = pixel(column, row + 1);
        let ground = if row == 34 { Color::Reset } else { Color::Rgb(red, green, blue) };
        assert_eq!(cell.bg, ground, "{column} {row}");
    }
}

#[test]
fn with_256_colours_each_pixel_takes_the_nearest() {
    let play = page(&Options { colours: Colours::Indexed, ..Options::default() }, 160, 45);
    let buffer = play.buffer();
    let cells = blocks(&buffer);
    assert!(!cells.is_empty());
    let (x, y) = cells[0];
    // The nearest to 0, 0, 90 and to 0, 4, 90 is the cube's 0, 0, 95.
    let cell = buffer.cell((x, y)).unwrap();
    assert_eq!((cell.fg, cell.bg), (Color::Indexed(17), Color::Indexed(17)));
    for (x, y) in cells {
        assert!(matches!(buffer.cell((x, y)).unwrap().fg, Color::Indexed(16..)));
    }
}

#[test]
fn without_the_colours_or_the_sign_the_facts_stand_alone_and_nothing_is_asked() {
    for (theme, colours, symbols) in [
        (ThemeName::Dark, Colours::Sixteen, Symbols::Unicode),
        (ThemeName::Dark, Colours::None, Symbols::Unicode),
        (ThemeName::Mono, Colours::True, Symbols::Unicode),
        (ThemeName::Dark, Colours::True, Symbols::Ascii),
    ] {
        let mut play = page(&Options { theme, colours, symbols, ..Options::default() }, 160, 45);
        for _ in 0..2 {
            let text = play.text();
            assert!(blocks(&play.buffer()).is_empty(), "{text}");
            assert!(text.contains("bench.jpg") && text.contains("1200x900   312 kB"), "{text}");
            assert!(text.contains("alt: A country loaf with five cuts"), "{text}");
            assert!(play.model.known.pictures.is_empty());
            play.keys("v");
        }
    }
}

#[test]
fn the_desk_is_asked_for_a_picture_when_there_is_a_place_for_it_and_once() {
    let mut play = Play::new(Agency::pictured(), 100, 30);
    play.keys("Enter");
    assert_eq!(pictures(&play.last.asks), 0, "nothing stands beside the page here");
    play.wait(1_000);
    assert!(play.model.known.pictures.is_empty());
    play.keys("v");
    assert_eq!(pictures(&play.last.asks), 1);
    play.wait(1_000);
    assert_eq!(pictures(&play.last.asks), 0);
    assert!(!blocks(&play.buffer()).is_empty());
    play.keys("Esc");
    assert!(play.model.known.pictures.is_empty(), "what is not on the screen is not kept");
    assert!(blocks(&play.buffer()).is_empty());
    play.resize(160, 45);
    assert_eq!(pictures(&play.last.asks), 1);
}

#[test]
fn a_picture_that_does_not_come_says_why_and_holds_nothing_up() {
    let mut agency = Agency::pictured();
    agency.picture_trouble = Some("the asset store has no such asset; import the picture again");
    let mut play = Play::new(agency, 160, 45);
    play.keys("Enter");
    let text = play.text();
    assert!(text.contains("! not shown: the asset store has no"), "{text}");
    // It is not asked for again and again.
    play.wait(500);
    play.wait(5_000);
    assert_eq!(pictures(&play.last.asks), 0);
    play.keys("a");
    play.wait(1_000);
    play.keys("y");
    assert!(play.text().contains("approved"), "{}", play.text());
    // Opened again, it is asked for again.
    play.agency.picture_trouble = None;
    play.keys("Esc Enter");
    assert!(!blocks(&play.buffer()).is_empty(), "{}", play.text());
}

#[test]
fn a_silent_desk_leaves_the_words_of_the_page_as_they_are() {
    let mut play = Play::new(Agency::pictured(), 160, 45);
    play.desk_answers = false;
    play.keys("Enter");
    let text = play.text();
    assert!(text.contains("working") && text.contains("1200x900   312 kB"), "{text}");
    let silent = desk::Problem::Unreachable("the desk does not answer".to_owned());
    let ask = play.last.asks.iter().find(|ask| matches!(ask, Ask::Picture(_))).unwrap().clone();
    play.put(What::Answered(ask, Box::new(Err(silent))));
    assert!(play.text().contains("! not shown: the desk does not answer"), "{}", play.text());
    assert_eq!(pictures(&play.last.asks), 0);
    assert!(play.text().lines().next().unwrap().contains("live"), "{}", play.text());
}

#[test]
fn a_picture_that_takes_long_does_not_make_the_desk_look_silent() {
    let mut play = Play::new(Agency::pictured(), 160, 45);
    play.keys("Enter");
    play.wait(6_900);
    play.keys("Esc");
    play.desk_answers = false;
    play.keys("Enter");
    assert_eq!(pictures(&play.last.asks), 1);
    // Everything is answered but the picture.
    let others: Vec<Ask> = play.model.asked.iter().filter(|ask| !matches!(ask, Ask::Picture(_))).cloned().collect();
    for ask in others {
        let told = play.agency.told(&ask);
        play.put(What::Answered(ask, Box::new(told)));
    }
    play.wait(5_500);
    let text = play.text();
    assert!(text.lines().next().unwrap().contains("live") && text.contains("working"), "{text}");
}

#[test]
fn behind_a_sheet_a_picture_is_grey() {
    let mut play = page(&Options::default(), 160, 45);
    play.keys("w");
    let buffer = play.buffer();
    let cells = blocks(&buffer);
    assert!(!cells.is_empty());
    for (x, y) in cells {
        let Color::Rgb(red, green, blue) = buffer.cell((x, y)).unwrap().fg else { panic!() };
        assert!(red == green && green == blue && red <= 128);
    }
}

#[test]
fn the_pictures_of_an_item_are_two_keys_away_and_walked_one_by_one() {
    let mut play = Play::new(Agency::pictured(), 80, 24);
    play.keys("j v");
    let text = play.text();
    assert!(text.contains("Pictures of Face or loaf?") && text.contains("face.jpg"), "{text}");
    assert!(text.contains("A  control") && text.contains("alt: A baker looks into the lens"), "{text}");
    play.keys("]");
    let text = play.text();
    assert!(text.contains("loaf.png") && text.contains("B  test") && text.contains("2 of 2"), "{text}");
    play.keys("] Esc");
    assert!(play.model.sheets.is_empty() && play.model.place.open.is_none());
    play.keys("G v");
    assert!(play.text().contains("v does nothing now: it shows no picture."), "{}", play.text());
}
