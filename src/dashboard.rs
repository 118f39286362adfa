//! The dashboard, put together: the door of a home, the engine in a session of its own, and the screen.
//!
//! Decides when an engine is started: where none runs and the home is ours, before the screen opens. It lives in a session of
//! its own, so that a line that drops, a suspended screen or a panic in a view never stop publishing; leaving asks.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, RealClock, within};
use desk::local::Door;
use desk::remote::{Reached, Remote};
use desk::{Home, Problem, Query};
use domain::time::Zone;

use crate::Trouble;
use tui::{Colours, EngineHands, Options, Pane, ThemeName};

/// How long an engine that was started has until its desk answers.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long the desk has to say who sits here before the screen opens without it.
const GREETING_LIMIT: Duration = Duration::from_millis(500);

/// Opens the dashboard of a home.
pub(crate) async fn attach(home: Home, asked: cli::Dashboard) -> Result<(), Trouble> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock);
    let mut options = options_of(&asked)?;
    let running = matches!(Remote::reach(&home).await?, Reached::Yes(_));
    let ours = home.exists() && is_ours(&home);
    if !running && ours && !asked.read_only {
        // Whoever is nobody here, or finds the home in use, starts no engine that is left behind.
        greet(&Door::open(&home, Arc::clone(&clock)).await?, &clock).await?;
        start(&home, &clock).await?;
        options.engine_is_ours = true;
    }
    if ours {
        options.engine = Some(hands(&home, &clock));
    }
    let door = Door::open(&home, Arc::clone(&clock)).await?;
    greet(&door, &clock).await?;
    Ok(tui::run(door, options, clock).await.map_err(|e| e.to_string())?)
}

/// Asks the desk who sits here, so that a stranger is told on the plain terminal. A desk that is silent is not waited for:
/// the screen says so better.
async fn greet(door: &Door, clock: &Arc<dyn Clock>) -> Result<(), Problem> {
    match within(clock.as_ref(), GREETING_LIMIT, door.ask(Query::WhoAmI)).await {
        Ok(Err(problem @ Problem::Refused(_))) => Err(problem),
        Ok(Ok(_) | Err(Problem::Invalid(_) | Problem::Failed(_) | Problem::Unreachable(_))) | Err(_) => Ok(()),
    }
}

/// Opens the demo.
pub(crate) async fn demo(asked: cli::Demo) -> Result<(), Trouble> {
    let mut options = options_of(&asked.dashboard())?;
    let demo = crate::demo::open(&asked).await?;
    options.zone = demo.zone;
    options.demo = Some(demo.clock.clone());
    let clock: Arc<dyn Clock> = Arc::new(demo.clock.clone());
    let shown = tui::run(demo.door.clone(), options, clock).await.map_err(|e| e.to_string());
    demo.engine.stop();
    Ok(shown?)
}

fn options_of(asked: &cli::Dashboard) -> Result<Options, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let theme = asked.theme.as_deref().map(ThemeName::from_str).transpose()?.unwrap_or_default();
    let pane = asked.pane.as_deref().map(Pane::from_str).transpose()?;
    let no_color = variable("NO_COLOR").is_some();
    Ok(Options {
        theme,
        colours: Colours::of_environment(no_color, variable("COLORTERM").as_deref(), variable("TERM").as_deref()),
        pane,
        client: asked.client.clone(),
        read_only: asked.read_only,
        zone: own_zone(variable("TZ")),
        ..Options::default()
    })
}

/// The operator's own zone: `TZ`, else the box's, else UTC.
fn own_zone(variable: Option<String>) -> Zone {
    let boxes = || std::fs::read_to_string("/etc/timezone").ok().map(|text| text.trim().to_owned());
    variable.or_else(boxes).and_then(|name| name.parse().ok()).unwrap_or(Zone::UTC)
}

fn is_ours(home: &Home) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(&home.root).is_ok_and(|m| m.uid() == rustix::process::geteuid().as_raw())
}

fn hands(home: &Home, clock: &Arc<dyn Clock>) -> EngineHands {
    let (starting, stopping) = ((home.clone(), Arc::clone(clock)), (home.clone(), Arc::clone(clock)));
    EngineHands {
        start: Arc::new(move || {
            let (home, clock) = starting.clone();
            Box::pin(async move {
                start(&home, &clock).await?;
                Door::open(&home, clock).await.map_err(|e| e.to_string())
            })
        }),
        stop: Arc::new(move || {
            let (home, _) = stopping.clone();
            Box::pin(async move { stop(&home).await })
        }),
    }
}

/// Starts an engine in a session of its own and waits until its desk answers.
async fn start(home: &Home, clock: &Arc<dyn Clock>) -> Result<(), String> {
    let log = log_of(home);
    let failed = |e: std::io::Error| format!("the engine cannot be started: {e}");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).map_err(failed)?;
    let program = std::env::current_exe().map_err(failed)?;
    let mut child = Command::new("setsid")
        .arg(program)
        .arg("--home")
        .arg(&home.root)
        .args(["engine", "run"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .map_err(failed)?;
    let end = clock.boot().plus(START_LIMIT);
    while clock.boot() < end {
        if let Ok(Reached::Yes(_)) = Remote::reach(home).await {
            return Ok(());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the engine ended with {status}; its log is {}", log.display()));
        }
        clock.sleep_until_boot(clock.boot().plus(Duration::from_millis(50))).await;
    }
    Err(format!("the engine did not come up; its log is {}", log.display()))
}

/// Asks the engine to end, by the process that its desk names.
async fn stop(home: &Home) -> Result<(), String> {
    let Reached::Yes(remote) = Remote::reach(home).await.map_err(|e| e.to_string())? else { return Ok(()) };
    let answer = remote.ask(&desk::Query::Health).await.map_err(|e| e.to_string())?;
    let desk::Answer::Health(health) = answer else {
        return Err("the desk does not say which process it is".to_owned());
    };
    let pid = i32::try_from(health.pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .ok_or("the engine's process is not known")?;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)
        .map_err(|e| format!("the engine cannot be asked to end: {e}"))
}

fn log_of(home: &Home) -> PathBuf {
    home.run().join("engine.log")
}
