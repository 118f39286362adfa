//! Several Unix users at one desk, through the program: the kernel says who they are, and the store is its owner's.
//!
//! Run as root these tests speak as other users too; run as anybody else they show that the owner is served.
#![expect(clippy::expect_used, reason = "a ground that cannot be set up fails its test, with words")]

mod support;

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use std::time::Duration;

use support::agency::{Agency, told};

/// Two users that no box has.
const TOM: u32 = 64_201;
const EVE: u32 = 64_202;

/// Lets any user get as far as the desk, as a careless `chmod` would.
fn open_to_all(agency: &Agency) {
    let home = agency.home();
    let folder = home.parent().expect("a folder above the home").to_owned();
    for (path, mode) in
        [(folder, 0o755), (home.clone(), 0o755), (home.join("run"), 0o755), (home.join("run/desk.sock"), 0o777)]
    {
        if path.exists() {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("the mode is set");
        }
    }
}

/// Runs the program as another Unix user, with no group of the owner's.
fn expos_as(agency: &Agency, uid: u32, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_expos"));
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TZ", "UTC")
        .env("LANG", "C.UTF-8")
        .env("EXPOS_HOME", agency.home());
    command.args(arguments).stdin(std::process::Stdio::null()).uid(uid).gid(uid).current_dir("/");
    command.output().expect("the program starts")
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn the_desk_serves_its_people_and_nobody_else() {
    let mut agency = Agency::with_client("alpha");
    agency.ok(&["client", "new", "beta", "--name", "Another", "--zone", "UTC"]);
    agency.start_engine();
    open_to_all(&agency);
    assert!(agency.ok(&["client", "list"]).contains("beta"));
    if !is_root() {
        return;
    }
    for arguments in [&["client", "list"][..], &["user", "whoami"], &["health"], &["engine", "hold", "--reason", "x"]] {
        let output = expos_as(&agency, EVE, arguments);
        // `health` has exit codes of its own: 3, it cannot tell.
        let code = if arguments == ["health"] { 3 } else { 5 };
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", told(&output));
        assert!(told(&output).contains("does not know your Unix user"), "{arguments:?}: {}", told(&output));
        assert!(!told(&output).contains("alpha"), "{arguments:?}: {}", told(&output));
    }
    let uid = TOM.to_string();
    agency.ok(&["user", "grant", "tom", "--uid", &uid, "--role", "operator", "--client", "alpha"]);
    let list = expos_as(&agency, TOM, &["client", "list"]);
    assert!(list.status.success() && told(&list).contains("alpha") && !told(&list).contains("beta"), "{}", told(&list));
    let hidden = expos_as(&agency, TOM, &["client", "show", "beta"]);
    assert_eq!(hidden.status.code(), Some(4), "{}", told(&hidden));
    let more = expos_as(&agency, TOM, &["user", "grant", "tom", "--uid", &uid, "--role", "admin"]);
    assert_eq!(more.status.code(), Some(5), "{}", told(&more));
    agency.ok(&["user", "revoke", &uid]);
    assert_eq!(expos_as(&agency, TOM, &["client", "list"]).status.code(), Some(5));
}

#[test]
fn nobody_but_the_owner_gets_at_the_store_where_no_engine_runs() {
    let agency = Agency::with_client("alpha");
    open_to_all(&agency);
    assert!(agency.ok(&["client", "list"]).contains("alpha"));
    if !is_root() {
        return;
    }
    for arguments in [&["client", "list"][..], &["engine", "run"], &["store", "check"], &["audit", "verify"]] {
        let output = expos_as(&agency, EVE, arguments);
        assert!(!output.status.success() && !told(&output).contains("alpha"), "{arguments:?}: {}", told(&output));
    }
    for file in ["store.db", "master.key"] {
        let mode = std::fs::metadata(agency.home().join(file)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} is its owner's alone: {mode:o}");
    }
}

#[test]
fn a_killed_engines_socket_is_no_hindrance_and_a_file_in_its_place_is() {
    let mut agency = Agency::with_client("alpha");
    agency.start_engine();
    agency.kill_engine();
    let socket = agency.home().join("run").join("desk.sock");
    assert!(std::fs::symlink_metadata(&socket).expect("it was left behind").file_type().is_socket());
    assert!(agency.ok(&["client", "list"]).contains("alpha"), "the store itself answers");
    agency.start_engine();
    assert!(agency.ok(&["client", "list"]).contains("alpha"));
    agency.stop_engine();
    std::fs::write(&socket, "somebody's work").expect("a file is written");
    let output = agency.expos(&["engine", "run"]);
    assert!(!output.status.success() && told(&output).contains("in the way"), "{}", told(&output));
    assert_eq!(std::fs::read_to_string(&socket).expect("it is as it was"), "somebody's work");
}

#[test]
fn two_engines_do_not_share_a_home() {
    let mut agency = Agency::with_client("alpha");
    agency.start_engine();
    let second = agency.expos(&["engine", "run"]);
    assert!(!second.status.success(), "{}", told(&second));
    agency.wait_for("the first to answer still", Duration::from_secs(5), || {
        let output = agency.expos(&["client", "list"]);
        if output.status.success() { Ok(()) } else { Err(told(&output)) }
    });
}
