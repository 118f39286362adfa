//! Homes that are not as they should be: rights, disks, versions, copies, damage, two engines at once. Whatever it is, it is
//! said in a sentence that helps, no engine runs on it in silence, and what was stored before is there afterwards.

#![expect(clippy::expect_used, clippy::panic, reason = "what is not there fails the test, with words")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "engines are waited for in real time; what a system does not allow is told"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::agency::{Agency, files_holding, told};
use support::answer::{is_clean, is_done, is_refused};

/// A password that must stand nowhere but sealed.
const CANARY: &str = "canary-51d0-pass-word";

fn founded(client: &str) -> Agency {
    let agency = Agency::with_client(client);
    fill(&agency, client);
    agency
}

/// Enough that the log has something of everything that needs no network.
fn fill(agency: &Agency, client: &str) {
    agency.add_account(client, &format!("{client}-bs"), &format!("{CANARY}\n"));
    let brief = agency.ok(&["brief", "template", "show", "hook-swap"]);
    let brief = brief.replace("\"acme\"", &format!("\"{client}\"")).replace("acme-bs", &format!("{client}-bs"));
    is_done(&agency.expos_with(&["brief", "new", "-"], &brief));
    is_done(&agency.expos(&["client", "pause", client, "--reason", "a quiet week"]));
    // No engine of these tests is to knock at a server that is not there.
    is_done(&agency.expos(&["account", "disconnect", &format!("{client}-bs")]));
}

fn audit(agency: &Agency) -> (i32, String) {
    let output = agency.expos(&["audit", "verify"]);
    is_clean(&output);
    (output.status.code().expect("an exit code"), told(&output))
}

/// Whole, and nothing told what is sealed.
fn is_whole_and_tight(agency: &Agency) {
    let (exit, told) = audit(agency);
    assert_eq!(exit, 0, "{told}");
    let found = files_holding(agency.beside(), CANARY.as_bytes());
    assert!(found.is_empty(), "the password stands in {found:?}");
}

/// The engine ended by itself, with exit code 1 and a sentence.
fn engine_refuses(agency: &Agency, words: &[&str]) {
    is_refused(&agency.try_engine(), 1, words);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

#[test]
fn rights_that_are_wrong_are_named_and_nothing_is_lost() {
    let agency = Agency::of_a_plain_user();
    agency.found("acme");
    fill(&agency, "acme");
    let home = agency.home();
    let path = |name: &str| home.join(name);
    let before = agency.json(&["store", "info"])["head"].clone();
    let refuses = |what: &str, words: &[&str]| {
        println!("{what}");
        // To be kept out of the folder is to be not allowed; everything else is a failure of the home.
        let exit = if what == " 0" { 5 } else { 1 };
        is_refused(&agency.expos(&["client", "list"]), exit, words);
        is_refused(&agency.expos(&["client", "pause", "acme"]), exit, words);
        engine_refuses(&agency, words);
        is_clean(&agency.expos(&["health"]));
        assert_eq!(agency.expos(&["health"]).status.code(), Some(3), "{what}: cannot tell");
        let (exit, told) = audit(&agency);
        assert!(matches!(exit, 0 | 4), "{what}: {told}");
    };
    for (name, wrong, right, words) in [
        ("", 0o000, 0o700, &[][..]),
        ("", 0o300, 0o700, &[]),
        ("", 0o722, 0o700, &["chmod go-w"]),
        ("store.db", 0o000, 0o600, &["store.db", "chmod 0600"]),
        ("store.db", 0o400, 0o600, &["store.db", "chmod 0600"]),
        ("master.key", 0o644, 0o400, &["master.key", "chmod"]),
        ("master.key", 0o600, 0o400, &["master.key", "chmod"]),
        ("master.key", 0o000, 0o400, &["master.key"]),
        ("store.id", 0o000, 0o400, &["store.id"]),
        ("engine.lock", 0o000, 0o600, &["engine.lock"]),
    ] {
        let place = if name.is_empty() { home.clone() } else { path(name) };
        mode(&place, wrong);
        // Some of these are no trouble: a folder that cannot be listed can be used.
        if wrong == 0o300 {
            is_clean(&agency.expos(&["client", "list"]));
        } else {
            refuses(&format!("{name} {wrong:o}"), words);
        }
        mode(&place, right);
        assert_eq!(agency.json(&["store", "info"])["head"], before, "{name} {wrong:o}: mended, it is as before");
    }
    // What is there is not what it should be.
    let swapped = |name: &str, put: &dyn Fn(&Path), words: &[&str]| {
        let (place, aside) = (path(name), path("aside"));
        fs::rename(&place, &aside).unwrap();
        put(&place);
        refuses(name, words);
        if place.symlink_metadata().is_ok() {
            fs::remove_file(&place).or_else(|_| fs::remove_dir(&place)).unwrap();
        }
        fs::rename(&aside, &place).unwrap();
        assert_eq!(agency.json(&["store", "info"])["head"], before, "{name}: put back, it is as before");
    };
    swapped("store.db", &|place| symlink(path("aside"), place).unwrap(), &["plain file"]);
    swapped("store.db", &|place| fs::hard_link(path("aside"), place).unwrap(), &["second name"]);
    swapped("store.db", &|place| fs::create_dir(place).unwrap(), &["plain file"]);
    swapped("master.key", &|_| {}, &["master.key"]);
    swapped("store.id", &|_| {}, &["store.id"]);
    swapped("engine.lock", &|place| fs::create_dir(place).unwrap(), &["plain file"]);
    swapped("engine.lock", &|place| symlink("/dev/null", place).unwrap(), &["plain file"]);
    // The folder of the socket cannot be written: commands work, an engine says that nobody could reach it.
    mode(&path("run"), 0o500);
    is_done(&agency.expos(&["client", "list"]));
    engine_refuses(&agency, &["desk.sock"]);
    mode(&path("run"), 0o700);
    // A home is a folder, not a link to one.
    symlink(&home, agency.beside().join("linked")).unwrap();
    let linked = agency.beside().join("linked");
    is_refused(&agency.expos(&["--home", linked.to_str().unwrap(), "client", "list"]), 1, &["folder itself"]);
    is_whole_and_tight(&agency);
}

#[test]
fn a_home_that_is_not_there_or_somebody_elses_is_not_made_up() {
    let agency = Agency::unfounded();
    for verb in [&["client", "list"][..], &["stop-all"], &["queue", "list"], &["store", "check"]] {
        is_refused(&agency.expos(verb), 1, &["expos init"]);
    }
    engine_refuses(&agency, &["expos init"]);
    assert_eq!(agency.expos(&["health"]).status.code(), Some(3));
    assert_eq!(audit(&agency).0, 4);
    assert!(!agency.home().exists(), "nothing was made");
    // A file in its place; a folder with other things in it.
    fs::write(agency.home(), b"not a home").unwrap();
    is_refused(&agency.expos(&["client", "list"]), 1, &[]);
    is_refused(&agency.expos(&["init"]), 1, &[]);
    assert_eq!(fs::read(agency.home()).unwrap(), b"not a home");
    fs::remove_file(agency.home()).unwrap();
    fs::create_dir(agency.home()).unwrap();
    fs::write(agency.home().join("store.db"), b"precious notes").unwrap();
    is_clean(&agency.expos(&["init"]));
    assert_ne!(agency.expos(&["init"]).status.code(), Some(0));
    assert_eq!(fs::read(agency.home().join("store.db")).unwrap(), b"precious notes");
    if rustix::process::geteuid().is_root() {
        let theirs = Agency::of_a_plain_user();
        theirs.found("acme");
        let home = theirs.home();
        let mine = Agency::at(&home);
        is_refused(&mine.expos(&["client", "list"]), 7, &["belongs to", "admin"]);
        engine_refuses(&mine, &["another user"]);
        is_whole_and_tight(&theirs);
    }
}

#[test]
fn a_store_of_a_newer_program_is_left_alone() {
    let agency = founded("acme");
    let db = agency.home().join("store.db");
    let bytes = fs::read(&db).unwrap();
    // The schema's number stands in the file's header.
    let present = u32::from_be_bytes(bytes[60..64].try_into().unwrap());
    for newer in [present + 1, 7_000, u32::MAX >> 1] {
        let mut later = bytes.clone();
        later[60..64].copy_from_slice(&newer.to_be_bytes());
        fs::write(&db, &later).unwrap();
        is_refused(&agency.expos(&["client", "list"]), 1, &["newer expos"]);
        is_refused(&agency.expos(&["client", "pause", "acme"]), 1, &["newer expos"]);
        engine_refuses(&agency, &["newer expos"]);
        assert_eq!(audit(&agency).0, 4);
        assert_eq!(agency.expos(&["health"]).status.code(), Some(3));
        assert_eq!(fs::read(&db).unwrap(), later, "it was not written to");
    }
    fs::write(&db, &bytes).unwrap();
    is_whole_and_tight(&agency);
}

#[test]
fn a_second_engine_ends_at_once_and_the_first_does_not_notice() {
    let mut agency = founded("acme");
    agency.start_engine();
    let pid = agency.engine_pid();
    for _ in 0..3 {
        engine_refuses(&agency, &[&pid.to_string()]);
    }
    // A name for the same home does not make it another one.
    let other = agency.beside().join("x/../home");
    let output =
        agency.command(&["--home", other.to_str().unwrap(), "engine", "run"]).stdin(Stdio::null()).output().unwrap();
    is_refused(&output, 1, &[]);
    let status = agency.json(&["engine", "status"]);
    assert_eq!(status["pid"], pid);
    assert_eq!(agency.expos(&["health"]).status.code(), Some(0), "the first one is unhurt");
    is_refused(&agency.expos(&["init"]), 9, &["already"]);
    agency.stop_engine();
    is_whole_and_tight(&agency);
}

#[test]
fn commands_work_beside_an_engine_after_it_was_killed_and_after_it_ended() {
    let mut agency = founded("acme");
    let note = |agency: &Agency, n: u32| {
        is_done(&agency.expos(&["client", "pause", "acme", "--reason", &format!("round {n}")]));
        agency.json(&["store", "info"])["events"].as_u64().expect("a number")
    };
    let mut events = vec![note(&agency, 0)];
    for round in 1..4 {
        agency.start_engine();
        events.push(note(&agency, round));
        assert_eq!(agency.expos(&["health"]).status.code(), Some(0));
        if round < 3 {
            agency.kill_engine();
            assert!(agency.home().join("run").join("desk.sock").exists(), "a dead engine leaves its socket");
        } else {
            agency.stop_engine();
            assert!(!agency.home().join("run").join("desk.sock").exists());
        }
        assert_eq!(agency.expos(&["health"]).status.code(), Some(2), "no engine runs");
        events.push(note(&agency, 10 + round));
    }
    assert!(events.windows(2).all(|pair| pair[0] < pair[1]), "each was stored: {events:?}");
    // Something that is no socket stands in its place.
    let socket = agency.home().join("run").join("desk.sock");
    fs::write(&socket, b"mine").unwrap();
    engine_refuses(&agency, &["no socket"]);
    is_clean(&agency.expos(&["client", "list"]));
    assert_eq!(fs::read(&socket).unwrap(), b"mine");
    fs::remove_file(&socket).unwrap();
    is_whole_and_tight(&agency);
}

/// Tries everything on a store that may be damaged. Nothing may break, and an engine that runs was let run by a whole file.
fn survives(agency: &Agency, what: &str) -> i32 {
    let (exit, told) = audit(agency);
    assert!(matches!(exit, 0 | 3 | 4), "{what}: {told}");
    for verb in [&["client", "list"][..], &["experiment", "show", "ACME-001"], &["events", "tail"], &["store", "check"]]
    {
        let output = agency.expos(verb);
        is_clean(&output);
        assert!(matches!(output.status.code(), Some(0 | 1 | 4)), "{what}: {verb:?}: {}", self::told(&output));
        assert!(
            output.status.code() == Some(0) || output.stderr.starts_with(b"error: "),
            "{what}: {}",
            self::told(&output)
        );
    }
    exit
}

#[test]
fn damage_anywhere_in_the_store_is_found_and_breaks_nothing() {
    let agency = founded("acme");
    let db = agency.home().join("store.db");
    let whole = fs::read(&db).unwrap();
    let used: Vec<usize> = (0..whole.len()).filter(|place| whole[*place] != 0).collect();
    let mut found = 0;
    for turn in 0..30 {
        let place = used[(turn * 7_919 + 17) % used.len()];
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (turn % 8);
        fs::write(&db, &bytes).unwrap();
        let exit = survives(&agency, &format!("byte {place}"));
        found += usize::from(exit != 0);
        let engine = agency.try_engine();
        is_clean(&engine);
        assert!(matches!(engine.status.code(), Some(0 | 1)), "byte {place}: {}", told(&engine));
        for left in ["store.db-wal", "store.db-shm"] {
            fs::remove_file(agency.home().join(left)).ok();
        }
    }
    assert!(found >= 10, "{found} of 30 flips were found; the others hit what holds no history");
    fs::write(&db, &whole).unwrap();
    is_whole_and_tight(&agency);
}

#[test]
fn an_engine_does_not_run_on_a_file_that_is_no_whole_store() {
    let agency = founded("acme");
    let other = founded("rival");
    let db = agency.home().join("store.db");
    let whole = fs::read(&db).unwrap();
    let mut holed = whole.clone();
    let middle = holed.len() / 2 / 4096 * 4096;
    holed[middle..middle + 8192].fill(0xA5);
    let cases = [
        ("empty", Vec::new()),
        ("one byte", b"S".to_vec()),
        ("words", b"not a database at all, but long enough to look like a file".repeat(200)),
        ("zeros", vec![0; 65_536]),
        ("half of it", whole[..whole.len() / 2].to_vec()),
        ("a page less", whole[..whole.len() - 4096].to_vec()),
        ("a header alone", whole[..100].to_vec()),
        ("with a hole", holed),
        ("another home's", fs::read(other.home().join("store.db")).unwrap()),
    ];
    for (what, bytes) in cases {
        fs::write(&db, &bytes).unwrap();
        let exit = survives(&agency, what);
        assert_ne!(exit, 0, "{what}: an audit does not call it whole");
        if what == "another home's" {
            assert_eq!(exit, 3, "{what}");
        }
        engine_refuses(&agency, &[]);
        is_refused(&agency.expos(&["client", "pause", "acme"]), 1, &[]);
        for left in ["store.db-wal", "store.db-shm"] {
            fs::remove_file(agency.home().join(left)).ok();
        }
    }
    fs::write(&db, &whole).unwrap();
    is_whole_and_tight(&agency);
}

#[test]
fn damage_in_the_log_beside_the_store_is_found_and_breaks_nothing() {
    let mut agency = founded("acme");
    agency.start_engine();
    for n in 0..5 {
        is_done(&agency.expos(&["client", "pause", "acme", "--reason", &format!("round {n}")]));
    }
    let events = agency.json(&["store", "info"])["events"].as_u64().expect("a number");
    agency.kill_engine();
    let home = agency.home();
    let aside = agency.beside().join("killed");
    copy(&home, &aside);
    let wal = home.join("store.db-wal");
    let bytes = fs::read(&wal).expect("a killed engine leaves its log");
    assert!(bytes.len() > 20_000, "{}", bytes.len());
    for turn in 0..10 {
        let mut flipped = bytes.clone();
        let place = 40 + (turn * 104_729) % (bytes.len() - 40);
        flipped[place] ^= 0x10;
        if turn == 8 {
            flipped.truncate(bytes.len() / 3);
        }
        if turn == 9 {
            flipped.clear();
        }
        for file in ["store.db", "store.db-shm"] {
            fs::copy(aside.join(file), home.join(file)).ok();
        }
        fs::write(&wal, &flipped).unwrap();
        survives(&agency, &format!("byte {place} of the log beside it"));
        is_clean(&agency.try_engine());
    }
    // As it was left, all of it is there.
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        fs::copy(aside.join(file), home.join(file)).ok();
    }
    assert_eq!(agency.json(&["store", "info"])["events"].as_u64(), Some(events));
    is_whole_and_tight(&agency);
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
    assert!(done.success());
}

#[test]
fn one_byte_of_one_event_is_found_and_the_event_named() {
    let agency = founded("acme");
    let db = agency.home().join("store.db");
    let events = agency.json(&["events", "tail", "-n", "500", "--after", "0"]);
    let whole = fs::read(&db).unwrap();
    let mut tried = 0;
    let events = events.as_array().expect("a list");
    let names: BTreeSet<&str> = events.iter().map(|event| event["event"].as_str().expect("a name")).collect();
    for name in names {
        // The type stands in an event's own payload and nowhere else, but in space that the file no longer uses.
        let needle = format!("\"type\":\"{name}\"");
        let numbers: BTreeSet<u64> =
            events.iter().filter(|event| event["event"] == name).filter_map(|event| event["n"].as_u64()).collect();
        let mut found = BTreeSet::new();
        for (place, _) in whole.windows(needle.len()).enumerate().filter(|(_, w)| *w == needle.as_bytes()) {
            let mut edited = whole.clone();
            edited[place + needle.len() - 2] ^= 1;
            fs::write(&db, &edited).unwrap();
            let output = agency.expos(&["audit", "verify", "--json"]);
            is_clean(&output);
            let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            if output.status.code() == Some(0) {
                continue;
            }
            assert_eq!(output.status.code(), Some(3), "{name}: {}", told(&output));
            assert_eq!(report["data"]["breaks"][0]["kind"], "edited", "{report}");
            let number = report["data"]["breaks"][0]["n"].as_u64().expect("the event's number");
            let (_, said) = audit(&agency);
            assert!(said.contains(&format!("edited at {number}")), "{said}");
            found.insert(number);
            tried += 1;
        }
        assert_eq!(found, numbers, "{name}: each event of that type is named when it was edited");
    }
    assert_eq!(tried, events.len());
    fs::write(&db, &whole).unwrap();
    is_whole_and_tight(&agency);
}

/// A disk of its own, where the system lets this user have one; it is gone with this value.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn of(megabytes: u32) -> Option<Self> {
        let disk = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        disk.mount(&["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0700"), "expos-test"]).then_some(disk)
    }

    fn mount(&self, arguments: &[&str]) -> bool {
        let mounted = Command::new("mount").args(arguments).arg(self.folder.path()).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success())
    }

    fn remount(&self, how: &str) {
        assert!(self.mount(&["-o", &format!("remount,{how}")]), "remount {how}");
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Takes all space but so much.
    fn fill(&self, but: u64) {
        let free = rustix::fs::statvfs(self.folder.path()).map(|f| f.f_bavail * f.f_frsize).expect("a disk");
        let take = free.saturating_sub(but);
        let ballast = vec![0xA5_u8; usize::try_from(take).expect("a small disk")];
        let mut file =
            fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("ballast")).expect("a file");
        file.write_all(&ballast).expect("there is room");
    }

    fn free(&self) {
        fs::remove_file(self.folder.path().join("ballast")).expect("the ballast is there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let gone = Command::new("umount").arg("-l").arg(self.folder.path()).status();
        assert!(gone.is_ok_and(|status| status.success()) || std::thread::panicking(), "the test's disk stays mounted");
    }
}

fn left_out(why: &str) {
    println!("left out: {why} needs a disk of its own, and only root gets one");
    assert!(
        !rustix::process::geteuid().is_root() || std::env::var_os("EXPOS_TEST_NO_MOUNT").is_some(),
        "root may not mount here; set EXPOS_TEST_NO_MOUNT=1 where that is so"
    );
}

#[test]
fn a_full_disk_refuses_with_a_reason_loses_nothing_and_is_forgotten_when_there_is_room() {
    let Some(disk) = Disk::of(8) else { return left_out("a full disk") };
    let mut agency = Agency::at(&disk.home());
    agency.found("acme");
    fill(&agency, "acme");
    let before = agency.json(&["events", "tail", "-n", "500"]);
    let number = |value: &Value| value.as_array().map(Vec::len);
    for left in [0, 4_096, 100_000, 3 * 1024 * 1024] {
        disk.fill(left);
        let paused = agency.expos(&["client", "pause", "acme", "--reason", "no room"]);
        is_refused(&paused, 1, &["full"]);
        is_refused(&agency.expos(&["client", "new", "rival", "--zone", "UTC"]), 1, &["full"]);
        let seen = agency.expos(&["client", "list"]);
        is_clean(&seen);
        assert!(seen.status.success() || told(&seen).contains("full"), "{}", told(&seen));
        let engine = agency.try_engine();
        is_clean(&engine);
        assert!(engine.status.code() == Some(0) || told(&engine).contains("full"), "{}", told(&engine));
        assert!(matches!(audit(&agency).0, 0 | 4), "{left} bytes left");
        disk.free();
        let after = agency.json(&["events", "tail", "-n", "500"]);
        assert_eq!(number(&after), number(&before), "with {left} bytes left nothing was stored, and nothing lost");
        assert_eq!(audit(&agency).0, 0, "{left} bytes left");
    }

    // Beside an engine that was there before: it goes on, says what is wrong, and works again.
    agency.start_engine();
    disk.fill(50_000);
    is_refused(&agency.expos(&["client", "pause", "acme", "--reason", "no room"]), 1, &["full"]);
    is_refused(&agency.expos(&["engine", "hold", "--reason", "no room"]), 1, &["full"]);
    is_done(&agency.expos(&["client", "list"]));
    assert_eq!(number(&agency.json(&["events", "tail", "-n", "500"])), number(&before));
    disk.free();
    is_done(&agency.expos(&["engine", "hold", "--reason", "there is room"]));
    is_done(&agency.expos(&["engine", "release", "--reason", "there is room", "--yes"]));
    agency.stop_engine();
    assert_eq!(audit(&agency).0, 0);
    let log = agency.log_text();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn an_engine_lives_through_a_full_disk_and_says_so() {
    let Some(disk) = Disk::of(8) else { return left_out("a full disk") };
    let mut agency = Agency::at(&disk.home());
    agency.found("acme");
    fill(&agency, "acme");
    let before = agency.json(&["store", "info"])["head"].clone();
    // Room enough to open the store, too little to begin anything: its first heartbeat is refused.
    disk.fill(3 * 1024 * 1024);
    agency.start_engine();
    let health = agency.wait_for("the engine to say that the disk is full", Duration::from_secs(30), || {
        let output = agency.expos(&["health"]);
        let said = told(&output);
        let knows = said.contains("full") && output.status.code() == Some(1);
        if knows { Ok(said) } else { Err(said) }
    });
    assert!(health.contains("tend"), "{health}");
    std::thread::sleep(Duration::from_secs(5));
    disk.fill(0);
    is_refused(&agency.expos(&["stop-all"]), 1, &["full"]);
    assert_eq!(agency.expos(&["health"]).status.code(), Some(1), "it lives on");
    disk.free();
    agency.wait_for("the engine to be well again", Duration::from_secs(60), || {
        let output = agency.expos(&["health"]);
        if output.status.code() == Some(0) { Ok(()) } else { Err(told(&output)) }
    });
    agency.stop_engine();
    assert_eq!(agency.json(&["store", "info"])["head"], before, "nothing was stored, and nothing lost");
    let log = agency.log_text();
    assert!(log.contains("full") && !log.contains("panicked"), "{log}");
    assert!(log.matches("full").count() < 20, "it says so now and then, not all the time: {log}");
}

#[test]
fn a_disk_that_may_not_be_written_is_named() {
    let Some(disk) = Disk::of(16) else { return left_out("a read-only disk") };
    let agency = Agency::at(&disk.home());
    agency.found("acme");
    fill(&agency, "acme");
    let before = agency.json(&["store", "info"])["head"].clone();
    disk.remount("ro");
    for verb in [&["client", "list"][..], &["client", "pause", "acme"], &["stop-all"], &["store", "check"]] {
        is_refused(&agency.expos(verb), 1, &["ead-only"]);
    }
    engine_refuses(&agency, &["ead-only"]);
    assert_eq!(agency.expos(&["health"]).status.code(), Some(3));
    let (exit, told) = audit(&agency);
    assert!(matches!(exit, 0 | 4), "{told}");
    disk.remount("rw");
    assert_eq!(agency.json(&["store", "info"])["head"], before);
    assert_eq!(audit(&agency).0, 0);
}

#[test]
fn a_home_that_was_copied_is_on_hold_until_a_person_says_so() {
    let mut agency = founded("acme");
    agency.start_engine();
    assert_eq!(agency.expos(&["health"]).status.code(), Some(0));
    agency.stop_engine();
    let place = agency.beside().join("copied");
    copy(&agency.home(), &place);
    let mut copied = Agency::at(&place);
    copied.start_engine();
    let output = copied.expos(&["health"]);
    is_clean(&output);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let said = told(&output);
    assert!(said.contains("on hold") && said.contains("expos engine release"), "{said}");
    assert!(said.contains("copied") && said.contains("home"), "it says where it was and is: {said}");
    copied.stop_engine();
    copied.start_engine();
    assert_eq!(copied.expos(&["health"]).status.code(), Some(2), "a restart does not let it go");
    is_refused(&copied.expos(&["engine", "release", "--reason", "it is the one"]), 2, &["--yes"]);
    is_done(&copied.expos(&["engine", "release", "--reason", "it is the one", "--yes"]));
    assert_eq!(copied.expos(&["health"]).status.code(), Some(0));
    copied.stop_engine();
    copied.start_engine();
    assert_eq!(copied.expos(&["health"]).status.code(), Some(0), "asked once, not each time");
    copied.stop_engine();
    assert_eq!(audit(&copied).0, 0);
    // The first one is where it was.
    agency.start_engine();
    assert_eq!(agency.expos(&["health"]).status.code(), Some(0));
    agency.stop_engine();
    is_whole_and_tight(&agency);
}

#[test]
fn a_command_on_a_copy_does_not_make_its_engine_believe_that_nothing_happened() {
    let mut agency = founded("acme");
    agency.start_engine();
    agency.stop_engine();
    let place = agency.beside().join("copied");
    copy(&agency.home(), &place);
    let mut copied = Agency::at(&place);
    is_done(&copied.expos(&["client", "list"]));
    is_done(&copied.expos(&["client", "pause", "acme"]));
    copied.start_engine();
    let output = copied.expos(&["health"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    copied.stop_engine();
}

#[test]
fn health_hold_release_and_the_end_say_what_they_are() {
    let mut agency = founded("acme");
    let health = |agency: &Agency| {
        let output = agency.expos(&["health"]);
        is_clean(&output);
        output.status.code()
    };
    assert_eq!(health(&agency), Some(2), "no engine");
    agency.start_engine();
    assert_eq!(health(&agency), Some(0));
    for verbs in [&["engine", "hold", "--reason", "checking"][..], &["stop-all", "--reason", "checking"], &["stop-all"]]
    {
        is_done(&agency.expos(verbs));
        assert_eq!(health(&agency), Some(2), "held");
        assert_eq!(agency.expos(&["engine", "status"]).status.code(), Some(0), "to show is no failure");
        is_refused(&agency.expos(&["engine", "release", "--reason", "well"]), 2, &["--yes"]);
        is_refused(&agency.expos(&["engine", "release", "--yes"]), 2, &["--reason"]);
        is_done(&agency.expos(&["engine", "release", "--reason", "well", "--yes"]));
        assert_eq!(health(&agency), Some(0));
    }
    is_done(&agency.expos(&["stop-all"]));
    agency.stop_engine();
    assert_eq!(health(&agency), Some(2));
    agency.start_engine();
    assert_eq!(health(&agency), Some(2), "a hold outlives the engine");
    agency.stop_engine();
    // Ctrl-C ends an engine as well as SIGTERM does.
    let mut child = agency.command(&["engine", "run"]).stdin(Stdio::null()).spawn().unwrap();
    agency.wait_for("the engine's socket", Duration::from_secs(30), || {
        let there = agency.home().join("run").join("desk.sock").exists();
        if there { Ok(()) } else { Err("no socket".to_owned()) }
    });
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    is_whole_and_tight(&agency);
}
