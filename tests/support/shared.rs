//! A box that several people share: Unix users of its own, a shared home founded by root, and a real sshd on loopback.
//!
//! Decided here: who there is and how they come in. All of it is made for one test and taken away with it, whatever way the
//! test ends. It needs root, `useradd` and `sshd`, and says so where they are missing.

#![expect(clippy::expect_used, clippy::panic, reason = "a box that cannot be had fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "servers are waited for in real time")]

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::agency::Agency;
use super::terminal::{Size, Terminal};

/// The box.
pub(crate) struct SharedBox {
    folder: tempfile::TempDir,
    /// What every user's name begins with, so that none is anybody else's.
    tag: String,
    users: Vec<String>,
    sshd: Option<Child>,
    port: u16,
    engine: Option<Child>,
}

impl SharedBox {
    /// Founds the shared home as root, with an admin of this short name, and starts its engine and the sshd.
    pub(crate) fn found(admin: &str) -> Self {
        assert!(rustix::process::geteuid().is_root(), "a box with several Unix users is made by root; run as root");
        let folder = tempfile::Builder::new().prefix("expos-box").tempdir_in("/var/tmp").expect("a folder");
        open(folder.path(), 0o755);
        let tag = format!("x{}", std::process::id());
        let mut shared = Self { folder, tag, users: Vec::new(), sshd: None, port: 0, engine: None };
        std::fs::copy(env!("CARGO_BIN_EXE_expos"), shared.program()).expect("a copy of the program");
        open(&shared.program(), 0o755);
        for name in ["people", "keys"] {
            std::fs::create_dir(shared.at(name)).expect("a folder");
            open(&shared.at(name), 0o755);
        }
        shared.add_user(admin);
        let (home, admin, service) = (shared.home(), shared.unix(admin), shared.unix("svc"));
        run(
            &shared.program(),
            &["--home", text(&home), "init", "--shared", "--admin", &admin, "--service-user", &service],
        );
        shared.users.push(service);
        shared.start_engine();
        shared.start_sshd();
        shared
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.at("home")
    }

    fn program(&self) -> PathBuf {
        self.at("expos")
    }

    /// The Unix name of somebody.
    pub(crate) fn unix(&self, short: &str) -> String {
        format!("{}{short}", self.tag)
    }

    /// Makes a Unix user with a key of their own; in the home's group where it is named.
    pub(crate) fn add_user(&mut self, short: &str) {
        let name = self.unix(short);
        let people = self.at("people");
        run(Path::new("useradd"), &["--create-home", "--base-dir", text(&people), "--shell", "/bin/sh", &name]);
        self.users.push(name.clone());
        // Without a password an account counts as locked.
        run(Path::new("usermod"), &["--password", "*", &name]);
        let key = self.at(&format!("id_{short}"));
        run(Path::new("ssh-keygen"), &["-q", "-t", "ed25519", "-N", "", "-f", text(&key)]);
        let public = self.at("keys").join(&name);
        std::fs::copy(key.with_extension("pub"), &public).expect("a public key");
        open(&public, 0o644);
    }

    /// Lets a user reach the socket.
    pub(crate) fn let_in(&self, short: &str) {
        run(Path::new("usermod"), &["--append", "--groups", &self.unix("svc"), &self.unix(short)]);
    }

    /// The program as one of the users would run it on the box itself, in the home's group.
    pub(crate) fn seat(&self, short: &str) -> Agency {
        let (user, group) = (number("-u", &self.unix(short)), number("-g", &self.unix("svc")));
        Agency::seat(&self.home(), &self.program(), user, group)
    }

    /// Grants somebody a role for all clients.
    pub(crate) fn grant(&self, admin: &str, short: &str, role: &str) {
        let (name, uid) = (self.unix(short), number("-u", &self.unix(short)).to_string());
        self.seat(admin).ok(&["user", "grant", &name, "--uid", &uid, "--role", role]);
    }

    /// Opens the dashboard over SSH, in a terminal of its own, on the queue whatever the hour.
    pub(crate) fn ssh(&self, short: &str, size: Size) -> Terminal {
        let (key, known, port) = (self.at(&format!("id_{short}")), self.at("known"), self.port.to_string());
        let who = format!("{}@127.0.0.1", self.unix(short));
        let known = format!("UserKnownHostsFile={}", text(&known));
        let what = format!("TZ=UTC EXPOS_HOME={} exec {} --pane morning", text(&self.home()), text(&self.program()));
        let options = ["StrictHostKeyChecking=no", "LogLevel=ERROR", &known];
        let mut arguments = vec!["-tt", "-F", "none", "-i", text(&key), "-p", &port];
        for option in options {
            arguments.extend(["-o", option]);
        }
        arguments.extend([&who, what.as_str()]);
        Terminal::open("/usr/bin/ssh", &arguments, &[], size)
    }

    /// How many programs of ours a user runs on the box.
    pub(crate) fn programs_of(&self, short: &str) -> usize {
        let user = number("-u", &self.unix(short));
        let processes = std::fs::read_dir("/proc").expect("the processes");
        let ours = |process: &std::fs::DirEntry| {
            let status = std::fs::read_to_string(process.path().join("status")).unwrap_or_default();
            let theirs = status.lines().any(|line| line.starts_with(&format!("Uid:\t{user}\t")));
            theirs && status.starts_with("Name:\texpos\n")
        };
        processes.filter_map(Result::ok).filter(ours).count()
    }

    fn start_engine(&mut self) {
        let log = std::fs::File::create(self.at("engine.log")).expect("a log file");
        let service = self.unix("svc");
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &service, "--regid", &service, "--init-groups"])
            .arg(self.program())
            .args(["--home", text(&self.home()), "engine", "run"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.engine = Some(command.spawn().expect("setpriv starts the engine"));
        let socket = self.home().join("run").join("desk.sock");
        wait("the engine's desk", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
    }

    fn start_sshd(&mut self) {
        let key = self.at("host_key");
        run(Path::new("ssh-keygen"), &["-q", "-t", "ed25519", "-N", "", "-f", text(&key)]);
        self.port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("a port").port();
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUsePAM no\nPasswordAuthentication no\n\
             StrictModes no\nAuthorizedKeysFile {}/%u\nAllowUsers {}*\nPrintMotd no\n",
            self.port,
            text(&key),
            text(&self.at("keys")),
            self.tag,
        );
        std::fs::write(self.at("sshd_config"), config).expect("a configuration");
        // Where the server gives up its privileges; the package's own start script would make it.
        std::fs::create_dir_all("/run/sshd").expect("the server's own folder");
        let log = std::fs::File::create(self.at("sshd.log")).expect("a log file");
        let started = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", text(&self.at("sshd_config"))])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn();
        self.sshd = Some(started.expect("sshd is there (Debian: openssh-server); tests/run installs it"));
        let port = self.port;
        wait("the SSH server", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    }
}

impl Drop for SharedBox {
    fn drop(&mut self) {
        for mut child in [self.engine.take(), self.sshd.take()].into_iter().flatten() {
            let _ended = child.kill();
            let _reaped = child.wait();
        }
        for user in &self.users {
            // Whatever of theirs still runs ends first, or the user stays.
            let _none = Command::new("pkill").args(["-KILL", "-u", user]).status();
            let _gone = Command::new("userdel").args(["--force", user]).stderr(Stdio::null()).status();
            let _group = Command::new("groupdel").arg(user).stderr(Stdio::null()).status();
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the mode is set");
}

fn run(program: &Path, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{} cannot be run: {error}", program.display()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {}: {said}", program.display(), arguments.join(" "));
}

/// A user's or a group's number, by `id`.
fn number(kind: &str, name: &str) -> u32 {
    let output = Command::new("id").args([kind, name]).output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_else(|_| panic!("no user {name}"))
}

fn wait(what: &str, ready: impl Fn() -> bool) {
    let began = Instant::now();
    while !ready() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} did not come up");
        std::thread::sleep(Duration::from_millis(50));
    }
}
