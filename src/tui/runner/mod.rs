//! The runner: terminal, desk and time around the model. It alone does anything.
//!
//! Decides when to draw (at once for keys, at most ten times a second for news, not at all when nothing changed) and in
//! which order effects are performed. What they are is `update`'s business.

mod asker;
mod encode;
mod reader;
mod screen;

use std::sync::Arc;
use std::time::Duration;

use clock::{Boot, Clock, RealClock, Sleep};
use desk::local::Door;
use domain::time::UtcTime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::message::{Effects, Message, Moment, Redraw, What};
use crate::model::Model;
use crate::update::{next_wake, update};
use crate::{EngineHands, Options, TuiError};
use asker::Asker;
use screen::Screen;

/// The least time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(100);
/// The most messages that one frame takes together.
const BURST_MAX: usize = 512;

/// Opens the dashboard on a desk and returns when a person leaves or the terminal is gone.
///
/// Needs a multi-thread runtime, and takes standard input and output. However it ends, the terminal is given back as it
/// was; the engine is touched only where a person asked for that.
pub async fn run(door: Door, options: Options, clock: Arc<dyn Clock>) -> Result<(), TuiError> {
    let (sender, receiver) = unbounded_channel();
    let mut screen = Screen::enter()?;
    reader::watch(sender.clone())?;
    let start = RealClock.boot();
    let moment = moment(start, clock.as_ref());
    let size = screen.size()?;
    let model = Model::new(&options, moment, size)?;
    let asker = Asker::new(door, sender.clone());
    let engine = options.engine.clone();
    let mut runner =
        Runner { model, asker: Some(asker), clock, start, sender, engine: engine.clone(), last_frame: None };
    let stop_engine = runner.go(&mut screen, receiver).await?;
    screen.leave();
    if stop_engine && let Some(hands) = engine {
        // Nobody is left to be told; a person sees the engine's own state.
        let _stopped = (hands.stop)().await;
    }
    Ok(())
}

struct Runner {
    model: Model,
    /// None while the engine is being started.
    asker: Option<Asker>,
    clock: Arc<dyn Clock>,
    start: Boot,
    sender: UnboundedSender<What>,
    engine: Option<EngineHands>,
    last_frame: Option<Boot>,
}

fn moment(start: Boot, clock: &dyn Clock) -> Moment {
    let real = RealClock.boot().since(start);
    Moment { real_ms: u64::try_from(real.as_millis()).unwrap_or(u64::MAX), wall: UtcTime::from(clock.wall()) }
}

impl Runner {
    /// Runs until a person leaves; returns whether the engine is to be stopped.
    async fn go(&mut self, screen: &mut Screen, mut inbox: UnboundedReceiver<What>) -> Result<bool, TuiError> {
        let mut todo = self.take(What::Start);
        let mut owed = self.perform(&mut todo, screen)?;
        loop {
            if todo.quit {
                return Ok(todo.stop_engine);
            }
            owed = self.draw(screen, owed)?;
            let what = self.next(&mut inbox, owed).await;
            todo = Effects::default();
            let mut next = Some(what);
            let mut taken = 0;
            while let Some(what) = next {
                let effects = self.take(what);
                merge(&mut todo, effects);
                taken += 1;
                // Each key sees the effects of the one before.
                if todo.quit || todo.suspend || taken >= BURST_MAX {
                    break;
                }
                next = inbox.try_recv().ok();
            }
            owed = owed.max(self.perform(&mut todo, screen)?);
        }
    }

    fn take(&mut self, what: What) -> Effects {
        let at = moment(self.start, self.clock.as_ref());
        update(&mut self.model, Message { at, what })
    }

    /// Waits for whatever comes first: a message, the model's own next moment, a frame that is owed.
    async fn next(&self, inbox: &mut UnboundedReceiver<What>, owed: Redraw) -> What {
        let wake = next_wake(&self.model);
        let at = |ms: u64| self.start.plus(Duration::from_millis(ms));
        let frame = (owed == Redraw::Soon).then(|| self.last_frame.map_or(self.start, |last| last.plus(FRAME)));
        let real = [wake.real_ms.map(at), frame].into_iter().flatten().min();
        let real_sleep: Sleep = match real {
            Some(due) => RealClock.sleep_until_boot(due),
            None => Box::pin(std::future::pending()),
        };
        let wall_sleep: Sleep = match wake.wall {
            Some(due) => self.clock.sleep_until(due.to_chrono()),
            None => Box::pin(std::future::pending()),
        };
        tokio::select! {
            biased;
            what = inbox.recv() => what.unwrap_or(What::HungUp),
            () = real_sleep => What::Tick,
            () = wall_sleep => What::Tick,
        }
    }

    /// Draws what is owed, unless it may wait; returns what is still owed.
    fn draw(&mut self, screen: &mut Screen, owed: Redraw) -> Result<Redraw, TuiError> {
        let now = RealClock.boot();
        let early = self.last_frame.is_some_and(|last| now.since(last) < FRAME);
        match owed {
            Redraw::Nothing => return Ok(Redraw::Nothing),
            Redraw::Soon if early => return Ok(Redraw::Soon),
            Redraw::Soon | Redraw::Now => screen.draw(&self.model)?,
            Redraw::Everything => screen.draw_everything(&self.model)?,
        }
        self.last_frame = Some(now);
        Ok(Redraw::Nothing)
    }

    /// Does what update asked for; returns what must be drawn.
    fn perform(&mut self, effects: &mut Effects, screen: &mut Screen) -> Result<Redraw, TuiError> {
        if let Some(asker) = &mut self.asker {
            for ask in effects.asks.drain(..) {
                asker.ask(ask);
            }
            for (number, command) in effects.acts.drain(..) {
                asker.act(number, command, UtcTime::from(self.clock.wall()))?;
            }
            if let Some(after) = effects.follow {
                asker.follow(after);
            }
        }
        if effects.start_engine {
            self.start_engine();
        }
        if effects.suspend {
            screen.suspend()?;
            let more = self.take(What::Returned);
            merge(effects, more);
            let size = screen.size()?;
            let more = self.take(What::Resize(size.0, size.1));
            merge(effects, more);
        }
        Ok(effects.redraw)
    }

    /// Closes the near desk, then has the engine started; its desk comes back in a message's wake.
    fn start_engine(&mut self) {
        let (Some(asker), Some(hands)) = (self.asker.take(), self.engine.clone()) else { return };
        let (sender, keeper) = (self.sender.clone(), asker.into_parts());
        let started = Arc::new(std::sync::Mutex::new(None));
        self.asker = Some(Asker::waiting(sender.clone(), Arc::clone(&started)));
        tokio::spawn(async move {
            keeper.close().await;
            let result = (hands.start)().await;
            let told = match result {
                Ok(door) => {
                    *started.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Arc::new(door));
                    Ok(())
                }
                Err(why) => Err(why),
            };
            // Nobody listens only where the dashboard has ended.
            let _ended = sender.send(What::EngineStarted(told));
        });
    }
}

fn merge(all: &mut Effects, more: Effects) {
    all.asks.extend(more.asks);
    all.acts.extend(more.acts);
    all.follow = more.follow.or(all.follow);
    all.redraw = all.redraw.max(more.redraw);
    all.suspend |= more.suspend;
    all.start_engine |= more.start_engine;
    all.quit |= more.quit;
    all.stop_engine |= more.stop_engine;
}
