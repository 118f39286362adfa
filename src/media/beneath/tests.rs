//! Hostile names and hostile folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, mkfifoat};

use super::*;

fn check(root: &Path, name: &str, expected: &str) {
    let refusal = format!("{:?}", read(root, name).unwrap_err());
    assert!(refusal.contains(expected), "{name:?} beneath {root:?}: {refusal}");
}

#[test]
fn nothing_but_a_regular_file_beneath_the_root_is_opened() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("assets");
    fs::create_dir_all(root.join("spring")).unwrap();
    fs::create_dir(home.path().join("elsewhere")).unwrap();
    fs::write(home.path().join("secret"), "secret").unwrap();
    fs::write(home.path().join("elsewhere/secret"), "secret").unwrap();
    fs::write(root.join("bread"), "bread").unwrap();
    fs::write(root.join("spring/bun"), "bun").unwrap();
    fs::write(root.join("nothing"), "").unwrap();
    symlink("../secret", root.join("link")).unwrap();
    symlink("bread", root.join("link-inside")).unwrap();
    symlink(home.path().join("secret"), root.join("link-absolute")).unwrap();
    symlink("nowhere", root.join("link-dangling")).unwrap();
    symlink("link-loop", root.join("link-loop")).unwrap();
    symlink("../elsewhere", root.join("folder-link")).unwrap();
    symlink("spring", root.join("folder-link-inside")).unwrap();
    symlink("/proc/self/environ", root.join("process")).unwrap();
    mkfifoat(CWD, root.join("pipe"), Mode::RUSR).unwrap();
    let _socket = UnixListener::bind(root.join("socket")).unwrap();

    assert_eq!(read(&root, "bread").unwrap(), b"bread");
    assert_eq!(read(&root, "spring/bun").unwrap(), b"bun");
    for (name, expected) in [
        ("", "fault: Empty"),
        ("spring//bun", "fault: Empty"),
        ("bread/", "fault: Empty"),
        ("/etc/passwd", "fault: Absolute"),
        ("//etc/passwd", "fault: Absolute"),
        (".", "fault: Dots"),
        ("..", "fault: Dots"),
        ("../secret", "fault: Dots"),
        ("spring/../bread", "fault: Dots"),
        ("spring/../../secret", "fault: Dots"),
        ("./bread", "fault: Dots"),
        ("bread\0.png", "fault: Characters"),
        ("br\nead", "fault: Characters"),
        ("spring\\bun", "fault: Characters"),
        (&"a".repeat(201), "fault: TooLong"),
        (&"a/".repeat(16), "fault: TooDeep"),
        ("link", "Outside"),
        ("link-inside", "Outside"),
        ("link-absolute", "Outside"),
        ("link-dangling", "Outside"),
        ("link-loop", "Outside"),
        ("folder-link/secret", "Outside"),
        ("folder-link-inside/bun", "Outside"),
        ("process", "Outside"),
        ("pipe", "found: Pipe"),
        ("socket", "found: Socket"),
        ("spring", "found: Folder"),
        ("nowhere", "NotFound"),
        ("bread/bun", "NotFound"),
        (&"a".repeat(200), "NotFound"),
    ] {
        check(&root, name, expected);
    }
    assert!(matches!(read(&root, "nothing"), Err(MediaRefusal::Empty)));
    assert!(matches!(read(&root.join("bread"), "x"), Err(MediaRefusal::FolderClosed { .. })));
}

#[test]
fn devices_and_processes_are_not_opened_even_with_a_careless_root() {
    check(Path::new("/dev"), "null", "found: Device");
    check(Path::new("/"), "proc/self/status", "Outside");
    check(Path::new("/proc/self"), "root/etc/passwd", "Outside");
    check(Path::new("/proc/self"), "exe", "Outside");
    check(Path::new("/proc/self"), "fd/0", "Outside");
}

#[test]
fn files_beyond_the_limit_are_refused_by_their_size() {
    let root = tempfile::tempdir().unwrap();
    let file = File::create(root.path().join("large")).unwrap();
    file.set_len(BYTES_MAX + 1).unwrap();
    assert!(matches!(read(root.path(), "large"), Err(MediaRefusal::TooLarge)));
    file.set_len(BYTES_MAX).unwrap();
    assert_eq!(read(root.path(), "large").unwrap().len(), 40_000_000);
}

#[test]
fn refusals_tell_names_escaped_and_short() {
    let told = read(Path::new("/"), &format!("\u{1b}]0;x\u{202e}{}", "é".repeat(5000))).unwrap_err().to_string();
    assert!(told.starts_with(r#""\u{1b}]0;x\u{202e}éé"#) && told.len() < 400, "{told}");
}
