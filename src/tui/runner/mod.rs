//! The runner: terminal, desk and time around the model. It alone does anything.
//!
//! Decides when to draw (at once for keys, at most ten times a second for news, not at all when nothing changed) and in
//! which order effects are performed. What they are is `update`'s business.

pub(crate) mod asker;
mod bytes;
mod encode;
mod reader;
mod screen;

use std::sync::Arc;
use std::time::Duration;

use clock::{Boot, Clock, RealClock, ScaledClock, Sleep};
use desk::local::Door;
use domain::time::UtcTime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::message::{Effects, Message, Moment, Redraw, What};
use crate::model::Model;
use crate::update::{next_wake, update};
use crate::{EngineHands, Options, Started, TuiError};
use asker::Asker;
use screen::Screen;

/// The least time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(100);
/// The same while the first answers come.
const OPENING_FRAME: Duration = Duration::from_millis(8);
/// The most messages that one frame takes together.
const BURST_MAX: usize = 512;

/// Opens the dashboard on a desk and returns when a person leaves or the terminal is gone.
///
/// Runs on any runtime; on one of a single thread an idle dashboard sleeps deepest. Takes standard input and output. However it ends, the terminal is given back as it
/// was; the engine is touched only where a person asked for that.
pub async fn run(door: Door, options: Options, clock: Arc<dyn Clock>) -> Result<(), TuiError> {
    let (sender, receiver) = unbounded_channel();
    let mut screen = Screen::enter()?;
    reader::watch(sender.clone())?;
    let start = RealClock.boot();
    let moment = moment(start, clock.as_ref());
    let size = screen.size()?;
    let model = Model::new(&options, moment, size)?;
    let engine = options.engine.clone();
    let mut runner = Runner {
        model,
        asker: Asker::new(door),
        starting: None,
        clock,
        start,
        engine: engine.clone(),
        demo: options.demo.clone(),
        last_frame: None,
    };
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
    asker: Asker,
    /// An engine that is being started.
    starting: Option<Started>,
    clock: Arc<dyn Clock>,
    start: Boot,
    engine: Option<EngineHands>,
    /// The demo's clock.
    demo: Option<ScaledClock>,
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

    /// Waits for whatever comes first: a message, an answer, the model's own next moment, a frame that is owed.
    async fn next(&mut self, inbox: &mut UnboundedReceiver<What>, owed: Redraw) -> What {
        let wake = next_wake(&self.model);
        let at = |ms: u64| self.start.plus(Duration::from_millis(ms));
        let frame = (owed == Redraw::Soon).then(|| self.last_frame.map_or(self.start, |last| last.plus(self.frame())));
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
            what = self.asker.next() => what,
            started = started(&mut self.starting) => {
                self.starting = None;
                What::EngineStarted(started.map(|door| self.asker.open(door)))
            }
            () = real_sleep => What::Tick,
            () = wall_sleep => What::Tick,
        }
    }

    /// The least time between two frames that no key asked for; while the first answers come, hardly any.
    const fn frame(&self) -> Duration {
        if self.model.is_opening() { OPENING_FRAME } else { FRAME }
    }

    /// Draws what is owed, unless it may wait; returns what is still owed.
    fn draw(&mut self, screen: &mut Screen, owed: Redraw) -> Result<Redraw, TuiError> {
        let now = RealClock.boot();
        let early = self.last_frame.is_some_and(|last| now.since(last) < self.frame());
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
        self.asker.look_at(effects.on);
        for ask in effects.asks.drain(..) {
            self.asker.ask(ask);
        }
        for (number, command) in effects.acts.drain(..) {
            self.asker.act(number, command, UtcTime::from(self.clock.wall()))?;
        }
        if let Some(after) = effects.follow {
            self.asker.follow(after);
        }
        if let (Some(speed), Some(demo)) = (effects.speed, &self.demo) {
            demo.set_speed(speed);
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

    /// Closes the near desk, then has the engine started; its desk takes the place of the one that was closed.
    fn start_engine(&mut self) {
        if let Some(hands) = &self.engine {
            self.asker.close_near();
            self.starting = Some((hands.start)());
        }
    }
}

async fn started(starting: &mut Option<Started>) -> Result<Door, String> {
    match starting {
        Some(starting) => starting.await,
        None => std::future::pending().await,
    }
}

fn merge(all: &mut Effects, more: Effects) {
    all.asks.extend(more.asks);
    all.acts.extend(more.acts);
    all.on = more.on;
    all.follow = more.follow.or(all.follow);
    all.redraw = all.redraw.max(more.redraw);
    all.speed = more.speed.or(all.speed);
    all.suspend |= more.suspend;
    all.start_engine |= more.start_engine;
    all.quit |= more.quit;
    all.stop_engine |= more.stop_engine;
}
