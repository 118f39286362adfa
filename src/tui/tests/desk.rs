//! On a real desk in a home of its own: questions, news and commands, without a terminal.

use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, ManualClock, RealClock, within};
use desk::local::{Door, init};
use desk::{Command, Home, Mode};
use domain::agency::HomeKind;
use domain::id::CommandId;
use domain::time::UtcTime;

use super::fixture::time;
use super::play::{key, text_of};
use crate::message::{Message, Moment, What};
use crate::model::Model;
use crate::runner::asker::Asker;
use crate::{Effects, Options, update, view};

struct Sitting {
    model: Model,
    asker: Asker,
    clock: ManualClock,
    real_ms: u64,
}

impl Sitting {
    fn perform(&mut self, effects: Effects) {
        self.asker.look_at(effects.on);
        for ask in effects.asks {
            self.asker.ask(ask);
        }
        for (number, command) in effects.acts {
            self.asker.act(number, command, UtcTime::from(self.clock.wall())).unwrap();
        }
        if let Some(after) = effects.follow {
            self.asker.follow(after);
        }
    }

    fn put(&mut self, what: What) {
        self.real_ms += 400;
        let at = Moment { real_ms: self.real_ms, wall: UtcTime::from(self.clock.wall()) };
        let effects = update(&mut self.model, Message { at, what });
        self.perform(effects);
    }

    /// Takes in what the desk says until the screen shows something.
    async fn until(&mut self, wanted: &str) {
        for _ in 0..200 {
            if self.text().contains(wanted) {
                return;
            }
            let answer = within(&RealClock, Duration::from_millis(200), self.asker.next()).await;
            self.put(answer.unwrap_or(What::Tick));
        }
        panic!("{wanted} never came:\n{}", self.text());
    }

    fn text(&self) -> String {
        let area = ratatui::layout::Rect::new(0, 0, 100, 30);
        let mut buffer = ratatui::buffer::Buffer::empty(area);
        view(&self.model, area, &mut buffer);
        text_of(&buffer)
    }
}

async fn sit_down(home: &Home) -> (Sitting, Door) {
    let clock = ManualClock::new(time(super::fixture::NOW).to_chrono());
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    init(home, HomeKind::Personal, Arc::clone(&shared)).unwrap();
    let door = Door::open(home, shared).await.unwrap();
    let Door::Near(desk, peer) = &door else { panic!("an engine runs here") };
    let other = Door::Near(desk.clone(), *peer);
    let model = Model::new(&Options::default(), Moment { real_ms: 0, wall: time(super::fixture::NOW) }, (100, 30));
    let mut sitting = Sitting { model: model.unwrap(), asker: Asker::new(door), clock, real_ms: 0 };
    sitting.put(What::Start);
    (sitting, other)
}

#[tokio::test]
async fn an_empty_house_is_shown_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut sitting, _other) = sit_down(&Home::new(folder.path().join("home"))).await;
    sitting.until("Queue empty: nothing waits for a word.").await;
    sitting.until("No engine since 08:45: nothing goes out.").await;
    sitting.put(What::Key(key("5")));
    sitting.until("No experiments.").await;
}

#[tokio::test]
async fn what_another_person_does_comes_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (mut sitting, other) = sit_down(&Home::new(folder.path().join("home"))).await;
    sitting.until("Queue empty").await;
    sitting.put(What::Key(key("0")));
    sitting.until("admin").await;
    let id = CommandId::new(time(super::fixture::NOW), [7; 10]);
    let command = Command::ClientNew {
        client: "crm".parse().unwrap(),
        name: "Crumb & Cinder".to_owned(),
        zone: "Europe/London".to_owned(),
    };
    other.act(id, command, Mode::Do).await.unwrap();
    sitting.until("client added").await;
    // What the event touched is asked again, and known by its name.
    sitting.put(What::Key(key(":")));
    for letter in "crumb".chars() {
        sitting.put(What::Key(crate::Key::Char(letter)));
    }
    sitting.until("Crumb & Cinder").await;
}

#[tokio::test]
async fn stopping_everything_reaches_the_desk() {
    let folder = tempfile::tempdir().unwrap();
    let (mut sitting, other) = sit_down(&Home::new(folder.path().join("home"))).await;
    sitting.until("Queue empty").await;
    sitting.put(What::Key(key("!")));
    sitting.put(What::Key(key("4")));
    sitting.until("u takes it back").await;
    let Ok(desk::Answer::Health(health)) = other.ask(desk::Query::Health).await else { panic!() };
    assert_eq!(health.holds.len(), 1);
    sitting.put(What::Key(key("u")));
    for _ in 0..50 {
        let answer = within(&RealClock, Duration::from_millis(100), sitting.asker.next()).await;
        sitting.put(answer.unwrap_or(What::Tick));
        let Ok(desk::Answer::Health(health)) = other.ask(desk::Query::Health).await else { panic!() };
        if health.holds.is_empty() {
            return;
        }
    }
    panic!("the stop was not taken back:\n{}", sitting.text());
}

#[tokio::test]
async fn a_round_is_signed_at_the_desk_and_without_an_engine_only_with_a_word_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut sitting, other) = sit_down(&Home::new(folder.path().join("home"))).await;
    sitting.until("Queue empty").await;
    sitting.put(What::Key(key("S")));
    sitting.until("no engine runs: nothing goes out: whoever starts it").await;
    sitting.put(What::Key(key("y")));
    sitting.until("Work is left: say who has it and why, then sign.").await;
    // Pasted, since time passes with every message and the desk must not seem silent.
    sitting.put(What::Paste("I start it".to_owned()));
    sitting.put(What::Key(key("Enter")));
    sitting.put(What::Key(key("y")));
    sitting.until("4 Sign off  signed 08:45 by").await;
    let Ok(desk::Answer::Checkins(signed)) = other.ask(desk::Query::CheckinList { before: None }).await else {
        panic!()
    };
    let [signed] = signed.as_slice() else { panic!("{signed:?}") };
    assert_eq!((signed.note.as_str(), signed.left.len(), signed.looked.len()), ("I start it", 1, 3));
}
