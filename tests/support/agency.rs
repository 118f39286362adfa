//! An agency in a folder of its own, driven through the program as an operator would.
//!
//! Sealed: its own home, a cleared environment, UTC. Every wait is for something that can be seen, with a limit, and fails
//! with what was seen last.

#![expect(clippy::expect_used, clippy::panic, reason = "what an operator cannot do fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "the program is waited for in real time")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::string_slice,
    reason = "small numbers and digests that this file makes itself"
)]

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bluesky::{Account, Network};
use super::terminal::{Size, Terminal};

/// A home with the program that works on it.
pub(crate) struct Agency {
    folder: tempfile::TempDir,
    home: PathBuf,
    program: PathBuf,
    /// Another user than the one who runs the test, and their group.
    user: Option<(u32, u32)>,
    engine: Option<Child>,
}

/// The policy of a test client: seconds where others have hours.
pub(crate) const POLICY: &str = r#"
allow_private_hosts = true
min_gap = "1s"
quiet_hours = "none"
max_per_24h = 100
posts_per_week = 200
grace = "10m"
prepare_lead = "60s"
earliest_counts = "1s"
"#;

impl Agency {
    /// Makes a home with one client in UTC under the test policy.
    pub(crate) fn with_client(client: &str) -> Self {
        let agency = Self::unfounded();
        agency.found(client);
        agency
    }

    /// Names a folder that is no home yet.
    pub(crate) fn unfounded() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path().join("home");
        Self { folder, home, program: PathBuf::from(env!("CARGO_BIN_EXE_expos")), user: None, engine: None }
    }

    /// Names a home that stands somewhere else, founded or not.
    pub(crate) fn at(home: &Path) -> Self {
        let mut agency = Self::unfounded();
        home.clone_into(&mut agency.home);
        agency
    }

    /// Names a home that stands somewhere else, and does everything as this user and group.
    pub(crate) fn seat(home: &Path, program: &Path, user: u32, group: u32) -> Self {
        let mut agency = Self::at(home);
        program.clone_into(&mut agency.program);
        agency.user = Some((user, group));
        agency
    }

    /// Names a folder that is no home yet, for another user than the one who runs the test, where that one is root; the
    /// system lets root do everything.
    pub(crate) fn of_a_plain_user() -> Self {
        const USER: u32 = 20_011;
        let mut agency = Self::unfounded();
        if rustix::process::geteuid().is_root() {
            // The program may stand where another user cannot get at it.
            agency.program = agency.folder.path().join("expos");
            std::fs::copy(env!("CARGO_BIN_EXE_expos"), &agency.program).expect("a copy of the program");
            std::os::unix::fs::chown(agency.folder.path(), Some(USER), Some(USER)).expect("a folder of that user");
            agency.user = Some((USER, USER));
        }
        agency
    }

    /// Makes the home, with one client in UTC under the test policy.
    pub(crate) fn found(&self, client: &str) {
        self.ok(&["init"]);
        self.ok(&["client", "new", client, "--name", "A test client", "--zone", "UTC"]);
        self.policy(client, POLICY);
    }

    /// Adds an account whose login waits for an engine; what is named in briefs has to be there.
    pub(crate) fn add_account(&self, client: &str, account: &str, password: &str) {
        let handle = format!("{client}.example.com");
        let arguments =
            ["account", "connect", "bluesky", "--account", account, "--client", client, "--handle", &handle];
        let output = self.expos_with(&[&arguments[..], &["--wait", "0"]].concat(), password);
        assert!(output.status.success(), "{}", told(&output));
    }

    /// The home's folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.home.clone()
    }

    /// A folder beside the home, for whatever else a test puts on the disk.
    pub(crate) fn beside(&self) -> &Path {
        self.folder.path()
    }

    /// The process of the engine.
    pub(crate) fn engine_pid(&self) -> u32 {
        self.engine.as_ref().expect("an engine runs").id()
    }

    /// Replaces a client's policy.
    pub(crate) fn policy(&self, client: &str, toml: &str) {
        let output = self.expos_with(&["policy", "edit", client, "-"], toml);
        assert!(output.status.success(), "{}", told(&output));
    }

    /// Opens the dashboard of the home in a terminal, on the queue whatever the hour.
    pub(crate) fn dashboard(&self, size: Size) -> Terminal {
        let home = self.home();
        let home = home.to_str().expect("a home of plain letters");
        let program = self.program.to_str().expect("a program of plain letters");
        Terminal::open(program, &["--pane", "morning"], &[("EXPOS_HOME", home), ("COLORTERM", "truecolor")], size)
    }

    /// Runs the program, with nothing to read.
    pub(crate) fn expos(&self, arguments: &[&str]) -> Output {
        self.expos_with(arguments, "")
    }

    /// Runs the program with a text to read.
    pub(crate) fn expos_with(&self, arguments: &[&str], input: &str) -> Output {
        self.expos_reading(arguments, input.as_bytes())
    }

    /// Runs the program with bytes to read.
    pub(crate) fn expos_reading(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self.command(arguments).spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe to the program");
        let text = input.to_vec();
        let writer = std::thread::spawn(move || {
            // The program may end without reading all of it.
            let _ended_early = stdin.write_all(&text);
        });
        let output = child.wait_with_output().expect("the program ends");
        writer.join().expect("the writer ends");
        output
    }

    /// The program with these arguments, its environment cleared, its streams piped; for what a test does to it besides.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .env("LANG", "C.UTF-8")
            .env("EXPOS_HOME", self.home());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program and returns what it printed; fails where it does.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.expos(arguments);
        assert!(output.status.success(), "expos {}: {}", arguments.join(" "), told(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs the program with `--json` and returns the data.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        let text = self.ok(&all);
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert_eq!(value["schema"], 1, "{text}");
        value["data"].clone()
    }

    /// Connects a real account, by hand-given servers; the engine must run.
    pub(crate) fn connect(&self, client: &str, account: &str, real: &Account, network: &Network, pds: &str) {
        let servers = [pds, network.appview(), network.plc()];
        self.connect_at(client, account, &real.handle, &real.app_password, servers);
    }

    /// Connects an account by the addresses of its PDS, AppView and PLC; the engine must run.
    pub(crate) fn connect_at(&self, client: &str, account: &str, handle: &str, password: &str, servers: [&str; 3]) {
        let [pds, appview, plc] = servers;
        let who = ["account", "connect", "bluesky", "--account", account, "--client", client, "--handle", handle];
        let where_to = ["--pds", pds, "--appview", appview, "--plc", plc];
        let output = self.expos_with(&[&who[..], &where_to].concat(), &format!("{password}\n"));
        assert!(output.status.success(), "{}", told(&output));
        self.wait_for("the account to be connected", Duration::from_secs(30), || {
            let shown = self.json(&["account", "show", account]);
            (shown["connection"]["is"] == "connected").then_some(()).ok_or_else(|| shown.to_string())
        });
    }

    /// Starts the engine, and waits until its desk answers.
    pub(crate) fn start_engine(&mut self) {
        self.start_engine_with(&[]);
    }

    /// Starts the engine with more in its environment.
    pub(crate) fn start_engine_with(&mut self, environment: &[(&str, &str)]) {
        assert!(self.engine.is_none(), "the engine runs already");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("a log file");
        let mut command = self.command(&["engine", "run"]);
        command.envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.engine = Some(command.spawn().expect("the engine starts"));
        self.wait_for("the engine's desk", Duration::from_secs(30), || {
            let health = self.home().join("run").join("desk.sock");
            let answers = std::os::unix::net::UnixStream::connect(&health).is_ok();
            answers.then_some(()).ok_or_else(|| self.log_text())
        });
    }

    /// The engine's log.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("engine.log")
    }

    /// Starts the engine, and asks it to end as soon as it runs, which is a success; or tells how it ended by itself.
    pub(crate) fn try_engine(&self) -> Output {
        let mut child = self.command(&["engine", "run"]).stdin(Stdio::null()).spawn().expect("the engine starts");
        let pid = child.id().to_string();
        let runs = || {
            let owner = std::fs::read_to_string(self.home().join("engine.lock")).unwrap_or_default();
            let socket = self.home().join("run").join("desk.sock");
            owner.trim() == pid && std::os::unix::net::UnixStream::connect(socket).is_ok()
        };
        let began = Instant::now();
        while child.try_wait().expect("a child").is_none() && !runs() {
            assert!(began.elapsed() < Duration::from_secs(30), "the engine neither runs nor ends");
            std::thread::sleep(Duration::from_millis(20));
        }
        // It may have ended in this moment; then it hears nothing, and nothing is lost.
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM).ok();
        child.wait_with_output().expect("the engine ends")
    }

    /// The engine's log as text.
    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Kills the engine as the kernel would: at once, without a word to it.
    pub(crate) fn kill_engine(&mut self) {
        let mut engine = self.engine.take().expect("an engine runs");
        engine.kill().expect("the engine can be killed");
        engine.wait().expect("the engine is gone");
    }

    /// Asks the engine to end, and waits until it did.
    pub(crate) fn stop_engine(&mut self) {
        let mut engine = self.engine.take().expect("an engine runs");
        let pid = rustix::process::Pid::from_child(&engine);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the engine can be asked");
        let status = engine.wait().expect("the engine ends");
        assert!(status.success(), "the engine ended with {status}: {}", self.log_text());
    }

    /// Takes a brief in, submits it, and returns its code.
    pub(crate) fn submit(&self, brief: &str) -> String {
        let output = self.expos_with(&["brief", "new", "-", "--json"], brief);
        assert!(output.status.success(), "{}", told(&output));
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let code = told["data"]["code"].as_str().unwrap_or_else(|| panic!("no code in {told}")).to_owned();
        self.ok(&["experiment", "submit", &code]);
        code
    }

    /// Approves an experiment by the fingerprint that its sheet shows.
    pub(crate) fn approve(&self, code: &str) {
        let sheet = self.json(&["queue", "show", code]);
        let fingerprint = sheet["fingerprint"].as_str().expect("a fingerprint").to_owned();
        self.ok(&["queue", "approve", code, "--fingerprint", &fingerprint[..16], "--yes"]);
    }

    /// The posts of an experiment.
    pub(crate) fn posts(&self, code: &str) -> Vec<Value> {
        self.json(&["post", "list", code]).as_array().expect("a list").clone()
    }

    /// Waits until every post of an experiment is in one of these states.
    pub(crate) fn wait_for_posts(&self, code: &str, states: &[&str], limit: Duration) -> Vec<Value> {
        self.wait_for(&format!("the posts of {code} to be {}", states.join(" or ")), limit, || {
            let posts = self.posts(code);
            let there = posts.iter().all(|p| p["state"].as_str().is_some_and(|s| states.contains(&s)));
            let seen: Vec<String> = posts.iter().map(|p| p["state"].to_string()).collect();
            if there { Ok(posts) } else { Err(seen.join(" ")) }
        })
    }

    /// Waits for something, looking four times a second.
    pub(crate) fn wait_for<T>(&self, what: &str, limit: Duration, look: impl Fn() -> Result<T, String>) -> T {
        let began = Instant::now();
        loop {
            match look() {
                Ok(found) => return found,
                Err(seen) if began.elapsed() > limit => {
                    panic!(
                        "{what} did not come about within {limit:?}; last seen: {seen}\nlog: {}",
                        tail(&self.log_text())
                    )
                }
                Err(_) => std::thread::sleep(Duration::from_millis(250)),
            }
        }
    }
}

impl Drop for Agency {
    fn drop(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            let _gone = engine.kill();
            let _reaped = engine.wait();
        }
    }
}

/// What a program said, for a failing test.
pub(crate) fn told(output: &Output) -> String {
    format!("{} {}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().rev().take(25).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// Now, in microseconds since 1970.
pub(crate) fn now_micros() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(now.as_micros()).expect("a sensible clock")
}

/// A moment so many seconds from now, as briefs write it.
pub(crate) fn in_seconds(seconds: i64) -> String {
    domain::time::UtcTime::from_micros(now_micros() / 1_000_000 * 1_000_000)
        .plus(domain::time::Span::seconds(seconds))
        .to_string()
}

/// A moment as briefs and posts write it, in microseconds since 1970.
pub(crate) fn micros_of(time: &str) -> i64 {
    time.parse::<domain::time::UtcTime>().expect("a time").micros()
}

/// Writes a small picture for a client and returns its name.
pub(crate) fn picture(agency: &Agency, client: &str, name: &str) -> String {
    let folder = agency.home().join("assets").join(client);
    std::fs::create_dir_all(&folder).expect("the client's asset folder");
    std::fs::write(folder.join(name), png(48, 32)).expect("the picture");
    name.to_owned()
}

/// A PNG of one colour, made by hand: stored blocks, right checksums.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut raw = Vec::new();
    for row in 0..height {
        raw.push(0);
        for column in 0..width {
            raw.extend_from_slice(&[(column * 5) as u8, (row * 7) as u8, 90]);
        }
    }
    let mut zlib = vec![0x78, 0x01];
    for (index, block) in raw.chunks(65_535).enumerate() {
        let last = (index + 1) * 65_535 >= raw.len();
        zlib.push(u8::from(last));
        zlib.extend_from_slice(&(block.len() as u16).to_le_bytes());
        zlib.extend_from_slice(&(!(block.len() as u16)).to_le_bytes());
        zlib.extend_from_slice(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in &raw {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    zlib.extend_from_slice(&((b << 16) | a).to_be_bytes());
    let mut out = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
    let mut header = Vec::new();
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    for (kind, body) in [(b"IHDR", &header), (b"IDAT", &zlib), (b"IEND", &Vec::new())] {
        out.extend_from_slice(&(body.len() as u32).to_be_bytes());
        let mut named = kind.to_vec();
        named.extend_from_slice(body);
        out.extend_from_slice(&named);
        out.extend_from_slice(&crc(&named).to_be_bytes());
    }
    out
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// Counts the files below a folder that hold a text, anywhere in their bytes.
pub(crate) fn files_holding(folder: &Path, needle: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("a file type");
        if kind.is_dir() {
            found.extend(files_holding(&path, needle));
        } else if kind.is_file()
            && std::fs::read(&path).is_ok_and(|bytes| bytes.windows(needle.len()).any(|w| w == needle))
        {
            found.push(path);
        }
    }
    found
}

/// What a brief for these tests asks: one hook against others, so many posts each, a body of its own a round.
pub(crate) struct BriefText<'a> {
    pub(crate) name: &'a str,
    pub(crate) client: &'a str,
    pub(crate) account: &'a str,
    pub(crate) hooks: &'a [&'a str],
    pub(crate) bodies: &'a [&'a str],
    /// Seconds from now to the first slot, and between slots.
    pub(crate) first: i64,
    pub(crate) every: i64,
    pub(crate) ages: &'a [&'a str],
    /// A picture in the first round, for all variants alike.
    pub(crate) picture: Option<&'a str>,
}

impl BriefText<'_> {
    /// Writes the brief.
    pub(crate) fn toml(&self) -> String {
        let count = self.hooks.len() * self.bodies.len();
        let count = i64::try_from(count).expect("a small plan");
        let slots: Vec<String> =
            (0..count).map(|n| format!("\"{}\"", in_seconds(self.first + n * self.every))).collect();
        let ages: Vec<String> = self.ages.iter().map(|a| format!("\"{a}\"")).collect();
        let age = self.ages.first().expect("an age");
        let mut text = format!(
            r#"kind = "micro"
name = "{}"
client = "{}"
platforms = ["bluesky"]
surface = "bluesky_post"
hypothesis = "Another hook brings more replies at {age}, because it asks."
variable_under_test = "hook"
approval_level = "review"
success_proxies = [{{ metric = "replyCount", direction = "up", age = "{age}" }}, {{ metric = "repostCount", direction = "up", age = "{age}" }}]
guardrails = [{{ signal = "publish_failures", limit = 2, action = "pause" }}]
stop_conditions = [{{ when = "any_breach" }}, {{ when = "failed_posts", limit = 2 }}, {{ when = "invalid" }}]

[run_window]
start = "{}"
end = "{}"

[exposure_plan]
account = "{}"
posts_per_variant = {}
slots = [{}]
snapshot_ages = [{}]
settings = {{ langs = ["en"] }}
"#,
            self.name,
            self.client,
            in_seconds(-60),
            in_seconds(self.first + count * self.every + 600),
            self.account,
            self.bodies.len(),
            slots.join(", "),
            ages.join(", "),
        );
        for (round, body) in self.bodies.iter().enumerate() {
            text.push_str(&format!("\n[[exposure_plan.rounds]]\ncaption = \"{body}\"\n"));
            if let Some(picture) = self.picture.filter(|_| round == 0) {
                text.push_str(&format!("assets = [{{ file = \"{picture}\", alt = \"A loaf on a bench\" }}]\n"));
            }
        }
        for (place, hook) in self.hooks.iter().enumerate() {
            let table = if place == 0 { "[control_variant]" } else { "[[test_variants]]" };
            text.push_str(&format!("\n{table}\nhook = \"{hook}\"\n"));
        }
        text
    }
}
