//! What people, files and pipes may give that they should not: each is refused in words that help, nothing is lost, nothing
//! hostile reaches a terminal, and what was refused leaves no trace but the record that it was.

#![expect(
    clippy::string_slice,
    clippy::expect_used,
    clippy::panic,
    reason = "what is not there fails the test, with words"
)]
#![expect(clippy::disallowed_methods, reason = "how long a refusal takes is measured in real time")]

mod support;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::agency::{Agency, files_holding, picture, told};
use support::answer::{first_hidden, is_clean, is_done, is_refused};
use toml::{Table, Value as Toml};

/// A password that must stand nowhere but sealed.
const CANARY: &str = "canary-7f3a-pass-word";

/// Everything that a terminal acts on or a reader does not see: OSC, CSI in both forms, bidi override and isolates, zero
/// width, a byte order mark, a tag character, and a line that would like to be one of ours.
const HOSTILE: &str = "=cmd|'/C calc'!A1 \u{1b}]0;taken\u{7} \u{1b}[2J\u{1b}[1;31m \u{9b}31m \u{9d}52;c;aGk=\u{9c} \u{202e}gnp.exe\u{2066} \u{200b}\u{feff}\u{e0041}\u{7f} \r\x08";

fn agency() -> Agency {
    let agency = Agency::with_client("acme");
    agency.add_account("acme", "acme-bs", &format!("{CANARY}\n"));
    agency
}

fn template(agency: &Agency) -> String {
    agency.ok(&["brief", "template", "show", "hook-swap"])
}

/// How much is stored; what is refused changes it by nothing.
fn events(agency: &Agency) -> u64 {
    agency.json(&["store", "info"])["events"].as_u64().expect("a number of events")
}

fn is_whole_and_tight(agency: &Agency) {
    let output = agency.expos(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let found = files_holding(agency.beside(), CANARY.as_bytes());
    assert!(found.is_empty(), "the password stands in {found:?}");
}

fn check(agency: &Agency, brief: &str) -> Output {
    agency.expos_with(&["brief", "check", "-"], brief)
}

/// Finds a value by its path, as problems write it: `exposure_plan.rounds[0].caption`.
fn at<'t>(root: &'t mut Toml, path: &[&str]) -> &'t mut Toml {
    path.iter().fold(root, |value, step| match (value, step.parse::<usize>()) {
        (Toml::Array(items), Ok(place)) => &mut items[place],
        (Toml::Table(table), _) => table.get_mut(*step).unwrap_or_else(|| panic!("{step} is not in {path:?}")),
        (other, _) => panic!("{step} of {path:?} cannot be in {other}"),
    })
}

fn in_full(text: &str) -> Toml {
    Toml::Table(text.parse::<Table>().expect("the template is TOML"))
}

#[test]
fn a_field_that_is_missing_is_named_whichever_it_is() {
    let agency = agency();
    let whole = template(&agency);
    let fields: [(&[&str], &str); 32] = [
        (&[], "kind"),
        (&[], "name"),
        (&[], "client"),
        (&[], "platforms"),
        (&[], "surface"),
        (&[], "hypothesis"),
        (&[], "variable_under_test"),
        (&[], "approval_level"),
        (&[], "success_proxies"),
        (&[], "guardrails"),
        (&[], "stop_conditions"),
        (&[], "run_window"),
        (&[], "exposure_plan"),
        (&[], "control_variant"),
        (&[], "test_variants"),
        (&["run_window"], "start"),
        (&["run_window"], "end"),
        (&["exposure_plan"], "account"),
        (&["exposure_plan"], "posts_per_variant"),
        (&["exposure_plan"], "times"),
        (&["exposure_plan"], "snapshot_ages"),
        (&["success_proxies", "0"], "metric"),
        (&["success_proxies", "1"], "direction"),
        (&["success_proxies", "1"], "age"),
        (&["guardrails", "0"], "signal"),
        (&["guardrails", "0"], "limit"),
        (&["guardrails", "1"], "action"),
        (&["stop_conditions", "0"], "when"),
        (&["stop_conditions", "1"], "limit"),
        (&["control_variant"], "rounds"),
        (&["test_variants", "0"], "rounds"),
        (&["test_variants", "0", "rounds", "2"], "hook"),
    ];
    let before = events(&agency);
    for (path, field) in fields {
        let mut brief = in_full(&whole);
        at(&mut brief, path).as_table_mut().expect("a table").remove(field).expect("the template has it");
        let brief = toml::to_string(&brief).expect("TOML");
        // A variant without texts is no missing field, but a brief in which nothing is tested.
        let names = if path.first().is_some_and(|first| first.ends_with("variant") || *first == "test_variants") {
            "hook"
        } else {
            field
        };
        is_refused(&check(&agency, &brief), 8, &[names]);
        if path.is_empty() {
            is_refused(&agency.expos_with(&["brief", "new", "-"], &brief), 8, &[names]);
        }
    }
    assert_eq!(events(&agency), before, "what was refused is not stored");
    is_whole_and_tight(&agency);
}

#[test]
fn every_problem_of_a_brief_is_told_at_once_a_line_each() {
    let agency = agency();
    let brief = template(&agency).replace("kind = \"micro\"", "kind = \"macro\"").replace("acme-bs", "Acme BS");
    let output = check(&agency, &brief);
    is_refused(&output, 8, &["kind", "micro", "exposure_plan.account", "line 2"]);
    let told = agency.expos_with(&["brief", "check", "-", "--json"], &brief);
    assert_eq!(told.status.code(), Some(8));
    let error: Value = serde_json::from_slice(&told.stderr).expect("the error is JSON");
    assert_eq!(error["error"]["problems"].as_array().map(Vec::len), Some(2), "{error}");
    assert_eq!(error["error"]["exit"], 8);
}

#[test]
fn a_value_of_another_type_is_refused_wherever_it_stands() {
    let agency = agency();
    let whole = template(&agency);
    let places: [&[&str]; 29] = [
        &["kind"],
        &["name"],
        &["client"],
        &["platforms"],
        &["platforms", "0"],
        &["surface"],
        &["hypothesis"],
        &["variable_under_test"],
        &["approval_level"],
        &["success_proxies"],
        &["success_proxies", "0"],
        &["success_proxies", "0", "metric"],
        &["success_proxies", "0", "age"],
        &["guardrails", "0", "signal"],
        &["stop_conditions"],
        &["stop_conditions", "0", "when"],
        &["run_window"],
        &["run_window", "start"],
        &["exposure_plan"],
        &["exposure_plan", "account"],
        &["exposure_plan", "posts_per_variant"],
        &["exposure_plan", "times", "0"],
        &["exposure_plan", "snapshot_ages"],
        &["exposure_plan", "snapshot_ages", "0"],
        &["exposure_plan", "rounds", "0", "caption"],
        &["exposure_plan", "settings"],
        &["control_variant"],
        &["control_variant", "rounds", "0", "hook"],
        &["test_variants", "0"],
    ];
    for place in places {
        for wrong in [Toml::Float(-0.5), Toml::Boolean(true), Toml::Integer(i64::MIN)] {
            let mut brief = in_full(&whole);
            *at(&mut brief, place) = wrong;
            let output = check(&agency, &toml::to_string(&brief).expect("TOML"));
            let field = place.iter().rev().find(|step| step.parse::<usize>().is_err()).expect("a name");
            is_refused(&output, 8, &[field]);
        }
    }
    // A key that nobody knows, in every table.
    let tables: [&[&str]; 10] = [
        &[],
        &["run_window"],
        &["exposure_plan"],
        &["exposure_plan", "settings"],
        &["exposure_plan", "rounds", "0"],
        &["success_proxies", "0"],
        &["guardrails", "0"],
        &["stop_conditions", "0"],
        &["control_variant"],
        &["test_variants", "0", "rounds", "0"],
    ];
    for place in tables {
        for key in ["approved", "zzz\u{1b}[2J\u{202e}"] {
            let mut brief = in_full(&whole);
            at(&mut brief, place).as_table_mut().expect("a table").insert(key.to_owned(), Toml::Boolean(true));
            is_refused(&check(&agency, &toml::to_string(&brief).expect("TOML")), 8, &["no such field"]);
        }
    }
}

#[test]
fn a_file_that_means_harm_is_refused_quickly() {
    let agency = agency();
    let whole = template(&agency);
    let end = |text: &str| format!("{whole}\n{text}\n");
    let instead = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from}");
        whole.replacen(from, to, 1)
    };
    let keys: String = (0..2_001).map(|n| format!("k{n} = {n}\n")).collect();
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let tables = |depth: usize| format!("{}1{}", "{ a = ".repeat(depth), " }".repeat(depth));
    let cases: Vec<(&str, String, &str)> = vec![
        ("a key twice", instead("kind = ", "kind = \"micro\"\nkind = "), "twice"),
        ("a table twice", end("[run_window]\nstart = 1"), "twice"),
        ("lists 40 deep", instead("kind = \"micro\"", &format!("kind = {}", nested(40))), "deep"),
        ("lists 100 000 deep", instead("kind = \"micro\"", &format!("kind = {}", nested(100_000))), ""),
        ("tables 20 000 deep", instead("kind = \"micro\"", &format!("kind = {}", tables(20_000))), ""),
        ("a path of 40 000 keys", end(&format!("{}a = 1", "a.".repeat(40_000))), ""),
        ("open brackets", format!("kind = {}", "[".repeat(200_000)), ""),
        ("2 001 keys", format!("{keys}{whole}"), "2000 keys"),
        ("a zero byte", instead("ask twice", "ask\0twice"), "zero byte"),
        ("an escaped zero", instead("ask twice", "ask\\u0000twice"), "NUL"),
        ("the year 1999", instead("2027-01-11T00:00:00Z", "1999-01-11T00:00:00Z"), "1999"),
        ("the year 2101", instead("2027-01-15T23:59:59Z", "2101-01-15T23:59:59Z"), "2101"),
        ("a 30th of February", instead("2027-01-15T23", "2027-02-30T23"), "run_window.end"),
        ("a window that ends first", instead("2027-01-15T23:59:59Z", "2027-01-01T00:00:00Z"), "run_window"),
        ("not a number", instead("limit = 2", "limit = nan"), "finite"),
        ("less than nothing", instead("limit = 2", "limit = -inf"), "finite"),
        ("too large a number", instead("limit = 2", "limit = 1e400"), "limit"),
        (
            "a whole number of 300 digits",
            instead("posts_per_variant = 5", &format!("posts_per_variant = {}", "9".repeat(300))),
            "",
        ),
        ("too many posts", instead("posts_per_variant = 5", "posts_per_variant = 501"), "500"),
        ("no post", instead("posts_per_variant = 5", "posts_per_variant = 0"), "posts_per_variant"),
        ("a text of 20 001 letters", instead("Do your customers ask twice?", &"x".repeat(20_001)), "20001"),
        ("a text of 70 000 bytes", instead("Do your customers ask twice?", &"x".repeat(70_000)), "70000 bytes"),
        ("an empty name", instead("Question or number first", "  "), "name"),
        ("no file at all", String::new(), "empty"),
        ("blank space", "\n \t\n".repeat(50), "empty"),
        ("a picture", String::from_utf8_lossy(&[0x89, b'P', b'N', b'G', b'\r', b'\n']).into_owned(), "TOML"),
        ("a path as a client", instead("client = \"acme\"", "client = \"../../etc\""), "client"),
        ("SQL as an account", instead("\"acme-bs\"", "\"a'; DROP TABLE post; --\""), "exposure_plan.account"),
        ("an age of ten years", instead("\"1h\", \"6h\"", "\"87600h\", \"6h\""), "snapshot_ages"),
        ("an age of nothing", instead("\"1h\", \"6h\"", "\"0s\", \"6h\""), "snapshot_ages"),
        ("an age that overflows", instead("\"1h\", \"6h\"", "\"99999999999999999999h\", \"6h\""), "snapshot_ages"),
    ];
    let before = events(&agency);
    for (what, brief, says) in cases {
        let began = Instant::now();
        for verb in ["check", "new"] {
            let output = agency.expos_with(&["brief", verb, "-"], &brief);
            assert!(output.status.code() == Some(8), "{what}: {}", told(&output));
            is_refused(&output, 8, &[says]);
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what} took {:?}", began.elapsed());
    }
    assert_eq!(events(&agency), before, "what was refused is not stored");
}

/// Runs the program where it may have this much memory, so that whoever reads without end fails here and not later.
fn bounded(agency: &Agency, arguments: &[&str], input: impl Into<Stdio>) -> Output {
    let inner = agency.command(arguments);
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", "ulimit -v 1000000; exec \"$0\" \"$@\""]).arg(inner.get_program()).args(inner.get_args());
    shell.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell.output().expect("the program runs")
}

#[test]
fn fifty_megabytes_are_refused_by_their_size() {
    let agency = agency();
    let size = 50 * 1024 * 1024;
    let file = agency.beside().join("big.toml");
    fs::File::create(&file).unwrap().set_len(size).unwrap();
    let name = file.to_str().unwrap();
    let caption = agency.beside().join("caption.toml");
    let long = format!("{}\n", "many words ".repeat(5_000_000));
    fs::write(&caption, template(&agency).replacen("Do your customers ask twice?", &long, 1)).unwrap();
    let caption = caption.to_str().unwrap();
    is_done(&agency.expos_with(&["brief", "new", "-"], &template(&agency)));
    let began = Instant::now();
    let cases: [&[&str]; 8] = [
        &["brief", "check", name],
        &["brief", "new", name],
        &["brief", "new", caption],
        &["brief", "edit", "ACME-001", caption],
        &["variant", "edit", "ACME-001", "B", caption, "--facet", "hook"],
        &["policy", "edit", "acme", name],
        &["policy", "check", name],
        &["client", "edit", "acme", name],
    ];
    for arguments in cases {
        is_refused(&bounded(&agency, arguments, Stdio::null()), 8, &["bytes", "262144"]);
    }
    for arguments in [
        &["brief", "check", "-"][..],
        &["brief", "new", "-"],
        &["variant", "edit", "ACME-001", "B", "-", "--facet", "hook"],
        &["policy", "edit", "acme", "-"],
    ] {
        is_refused(&bounded(&agency, arguments, fs::File::open(caption).unwrap()), 8, &["more than 262144 bytes"]);
        is_refused(&bounded(&agency, arguments, fs::File::open("/dev/zero").unwrap()), 8, &["more than 262144 bytes"]);
    }
    let connect =
        ["account", "connect", "bluesky", "--account", "two", "--client", "acme", "--handle", "a.example.com"];
    is_refused(&bounded(&agency, &connect, fs::File::open("/dev/zero").unwrap()), 8, &["longer than 4096 bytes"]);
    // A picture of that size, in a brief that is small.
    let assets = agency.home().join("assets").join("acme");
    fs::create_dir_all(&assets).unwrap();
    fs::File::create(assets.join("huge.png")).unwrap().set_len(size).unwrap();
    let path = agency.beside().join("pictured.toml");
    fs::write(&path, with_asset(&agency, "huge.png")).unwrap();
    is_refused(
        &bounded(&agency, &["brief", "new", path.to_str().unwrap()], Stdio::null()),
        8,
        &["larger than 40000000 bytes"],
    );
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    is_whole_and_tight(&agency);
}

/// A brief whose first round shows a picture of that name.
fn with_asset(agency: &Agency, file: &str) -> String {
    let mut brief = in_full(&template(agency));
    let asset: Table = [("file", file), ("alt", "A loaf on a bench")]
        .map(|(key, text)| (key.to_owned(), Toml::from(text)))
        .into_iter()
        .collect();
    let round = at(&mut brief, &["exposure_plan", "rounds", "0"]).as_table_mut().expect("a table");
    round.insert("assets".to_owned(), Toml::Array(vec![Toml::Table(asset)]));
    at(&mut brief, &[])
        .as_table_mut()
        .expect("a table")
        .insert("name".to_owned(), Toml::from(format!("With {}", file.len())));
    toml::to_string(&brief).expect("TOML")
}

#[test]
fn what_is_no_file_is_never_read_as_a_document() {
    let agency = agency();
    let place = agency.beside();
    let path = |name: &str| place.join(name);
    fs::create_dir(path("folder")).unwrap();
    fifo(&path("pipe"));
    let _socket = UnixListener::bind(path("socket")).unwrap();
    symlink("nowhere", path("dangling")).unwrap();
    symlink("round", path("round")).unwrap();
    fs::write(path("secret.key"), [0xff, 0xfe, 0x00, 0x41]).unwrap();
    fs::write(path("latin1.toml"), b"kind = \"micro\"\nname = \"caf\xe9\"\n").unwrap();
    let named = [
        "missing.toml",
        "folder",
        "pipe",
        "socket",
        "dangling",
        "round",
        "secret.key",
        "latin1.toml",
        "missing/brief.toml",
    ];
    let devices = [
        "/dev/zero",
        "/dev/null",
        "/dev/tty",
        "/dev/random",
        "/dev/full",
        "/proc/self/mem",
        "/proc/self/environ",
        "/proc/kmsg",
        "/proc/self/fd/0",
        "/dev/stdin",
        "/",
        ".",
    ];
    let all: Vec<PathBuf> = named.iter().map(|name| path(name)).chain(devices.iter().map(PathBuf::from)).collect();
    let key = agency.home().join("master.key");
    let began = Instant::now();
    for file in all.iter().chain([&key]) {
        let file = file.to_str().unwrap();
        for arguments in [
            &["brief", "check", file][..],
            &["brief", "new", file],
            &["policy", "edit", "acme", file],
            &["client", "edit", "acme", file],
        ] {
            is_refused(&agency.expos(arguments), 8, &[]);
        }
    }
    assert!(began.elapsed() < Duration::from_secs(60), "nothing was waited for: {:?}", began.elapsed());
    // Through a link that leads to a brief it is read: the operator may see what they name.
    fs::write(path("brief.toml"), template(&agency)).unwrap();
    symlink("brief.toml", path("link.toml")).unwrap();
    is_done(&agency.expos(&["brief", "check", path("link.toml").to_str().unwrap()]));
    is_whole_and_tight(&agency);
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).expect("a pipe");
}

#[test]
fn only_a_plain_picture_in_the_clients_own_folder_becomes_an_asset() {
    let agency = agency();
    let folder = agency.home().join("assets").join("acme");
    picture(&agency, "acme", "loaf.png");
    let path = |name: &str| folder.join(name);
    // A picture of another client, and one outside, which links would lead to.
    let neighbour = agency.home().join("assets").join("rival");
    fs::create_dir_all(&neighbour).unwrap();
    fs::copy(path("loaf.png"), neighbour.join("rival.png")).unwrap();
    fs::copy(path("loaf.png"), agency.beside().join("outside.png")).unwrap();
    symlink(agency.beside().join("outside.png"), path("link-out.png")).unwrap();
    symlink("loaf.png", path("link-in.png")).unwrap();
    symlink("../rival/rival.png", path("link-rival.png")).unwrap();
    symlink("/proc/self/environ", path("link-proc.png")).unwrap();
    symlink("/proc/self/fd/0", path("link-fd.png")).unwrap();
    symlink("/dev/zero", path("link-dev.png")).unwrap();
    symlink("round.png", path("round.png")).unwrap();
    fifo(&path("pipe.png"));
    let _socket = UnixListener::bind(path("socket.png")).unwrap();
    fs::create_dir(path("folder.png")).unwrap();
    fs::copy(path("loaf.png"), path("folder.png").join("inside.png")).unwrap();
    fs::write(path("empty.png"), b"").unwrap();
    fs::write(path("words.png"), b"#!/bin/sh\nrm -rf /\n").unwrap();
    let whole = fs::read(path("loaf.png")).unwrap();
    fs::write(path("half.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(path(".hidden.png"), &whole).unwrap();
    let long = "x".repeat(260);
    let names = [
        "missing.png",
        "../rival/rival.png",
        "../../outside.png",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        ".",
        "..",
        ".hidden.png",
        "folder.png",
        "folder.png/inside.png",
        "folder.png\\inside.png",
        "./loaf.png",
        "link-out.png",
        "link-in.png",
        "link-rival.png",
        "link-proc.png",
        "link-fd.png",
        "link-dev.png",
        "round.png",
        "pipe.png",
        "socket.png",
        "empty.png",
        "words.png",
        "half.png",
        "file:///etc/passwd",
        "http://127.0.0.1/x.png",
        "loaf.png\n",
        "loaf\u{1b}[2J.png",
        "",
        &long,
    ];
    let before = events(&agency);
    let began = Instant::now();
    for name in names {
        is_refused(&agency.expos_with(&["brief", "new", "-"], &with_asset(&agency, name)), 8, &[]);
    }
    assert!(began.elapsed() < Duration::from_secs(60), "nothing was waited for: {:?}", began.elapsed());
    assert_eq!(events(&agency), before);
    let copied = fs::read_dir(agency.home().join("content")).unwrap().count();
    assert_eq!(copied, 0, "nothing of it was copied into the home");
    is_done(&agency.expos_with(&["brief", "new", "-"], &with_asset(&agency, "loaf.png")));
    is_whole_and_tight(&agency);
}

#[test]
fn a_picture_that_changes_after_it_was_shown_is_not_what_was_shown() {
    let agency = agency();
    let name = picture(&agency, "acme", "loaf.png");
    let original = agency.home().join("assets").join("acme").join(&name);
    let bytes = fs::read(&original).unwrap();
    let brief = with_asset(&agency, &name);
    is_done(&agency.expos_with(&["brief", "new", "-"], &brief));
    let asset =
        |sheet: &Value| sheet["variants"][0]["rounds"][0]["assets"][0]["digest"].as_str().expect("a digest").to_owned();
    let shown = agency.json(&["experiment", "show", "ACME-001"]);
    let digest = asset(&shown);
    let copy = agency.home().join("content").join(&digest[..2]).join(&digest);
    assert_eq!(fs::read(&copy).unwrap(), bytes, "the home keeps a copy of its own");
    assert!(!fs::symlink_metadata(&copy).unwrap().is_symlink());

    // The operator's file becomes another picture: what was shown stays what it is.
    let mut other = bytes.clone();
    other.extend_from_slice(b"trailing words");
    fs::write(&original, &other).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    assert_eq!(asset(&agency.json(&["experiment", "show", "ACME-001"])), digest);
    // Taken in again it is another one, beside the first.
    is_done(&agency.expos_with(&["brief", "edit", "ACME-001", "-"], &brief));
    let later = asset(&agency.json(&["experiment", "show", "ACME-001"]));
    assert_ne!(later, digest);
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    is_whole_and_tight(&agency);
}

#[test]
fn foreign_text_is_kept_as_it_came_and_shown_as_markers() {
    let mut agency = agency();
    is_done(&agency.expos(&["account", "disconnect", "acme-bs"]));
    agency.start_engine();
    picture(&agency, "acme", "loaf.png");
    let mut brief = in_full(&with_asset(&agency, "loaf.png"));
    let hostile = |name: &str| Toml::from(format!("{name} {HOSTILE}"));
    for (path, name) in [
        (&["name"][..], "name"),
        (&["hypothesis"], "hypothesis"),
        (&["exposure_plan", "rounds", "0", "caption"], "caption"),
        (&["exposure_plan", "rounds", "0", "assets", "0", "alt"], "alt"),
        (&["control_variant", "rounds", "0", "hook"], "hook"),
        (&["test_variants", "0", "rounds", "0", "hook"], "other hook"),
    ] {
        *at(&mut brief, path) = hostile(name);
    }
    for facet in ["cta", "title", "hashtags", "cover", "audio", "reply_template"] {
        let round = at(&mut brief, &["exposure_plan", "rounds", "0"]).as_table_mut().unwrap();
        round.insert(facet.to_owned(), hostile(facet));
    }
    *at(&mut brief, &["exposure_plan", "settings", "langs", "0"]) = Toml::from("en\u{1b}[2J");
    let brief_text = toml::to_string(&brief).unwrap();
    let given = agency.expos_with(&["brief", "new", "-"], &brief_text);
    is_clean(&given);
    if given.status.code() == Some(8) {
        // A language is no free text.
        *at(&mut brief, &["exposure_plan", "settings", "langs", "0"]) = Toml::from("en");
        is_done(&agency.expos_with(&["brief", "new", "-"], &toml::to_string(&brief).unwrap()));
    }

    // Everything else that takes words.
    let kit = format!(
        "name = \"A client\"\nzone = \"UTC\"\n[kit]\nvoice = {v}\nbanned = [{v}]\nmust = [{v}]\nhashtags = [{v}]\n",
        v = Toml::from(HOSTILE)
    );
    is_done(&agency.expos_with(&["client", "edit", "acme", "-"], &kit));
    let policy =
        format!("blackouts = [{{ from = \"2026-12-24\", until = \"2026-12-26\", why = {} }}]", Toml::from(HOSTILE));
    is_done(&agency.expos_with(&["policy", "edit", "acme", "-"], &policy));
    // An argument cannot hold everything that a file can, but enough.
    let words = HOSTILE.replace('\0', "");
    is_done(&agency.expos(&[
        "client",
        "new",
        "zed",
        "--name",
        "=HYPERLINK(\"http://x\") \u{202e}gnp\u{200b}",
        "--zone",
        "UTC",
    ]));
    is_done(&agency.expos(&["account", "pause", "acme-bs", "--reason", &words]));
    is_done(&agency.expos(&["client", "pause", "acme", "--reason", &words]));
    is_done(&agency.expos(&["experiment", "pause", "ACME-001", "--reason", &words]));
    is_done(&agency.expos(&["engine", "hold", "--reason", &words]));

    let shown = agency.json(&["experiment", "show", "ACME-001"]);
    assert_eq!(shown["line"]["name"], format!("name {HOSTILE}"), "stored as it came");
    let content = &shown["variants"][1]["rounds"][0];
    assert_eq!(content["facets"]["hook"], format!("other hook {HOSTILE}"));
    assert_eq!(content["assets"][0]["alt"], format!("alt {HOSTILE}"));
    assert_eq!(agency.json(&["client", "show", "acme"])["kit"]["voice"], HOSTILE);

    let id = shown["line"]["id"].as_str().unwrap();
    let verbs: [&[&str]; 33] = [
        &["client", "list"],
        &["client", "show", "acme"],
        &["client", "show", "zed"],
        &["client", "edit", "acme"],
        &["policy", "show", "acme"],
        &["policy", "edit", "acme"],
        &["account", "list"],
        &["account", "show", "acme-bs"],
        &["user", "list"],
        &["user", "whoami"],
        &["brief", "edit", "ACME-001"],
        &["experiment", "list"],
        &["experiment", "list", "--all", "--client", "acme"],
        &["experiment", "show", "ACME-001"],
        &["experiment", "show", id],
        &["experiment", "history", "ACME-001"],
        &["variant", "list", "ACME-001"],
        &["variant", "show", "ACME-001", "A"],
        &["variant", "show", "ACME-001", "B"],
        &["variant", "diff", "ACME-001"],
        &["preflight", "run", "ACME-001"],
        &["queue", "list"],
        &["queue", "show", "ACME-001"],
        &["calendar", "show"],
        &["layer", "list"],
        &["post", "list"],
        &["post", "list", "ACME-001"],
        &["snapshot", "list"],
        &["escalation", "list", "--all"],
        &["engine", "status"],
        &["events", "tail", "-n", "200"],
        &["store", "info"],
        &["health"],
    ];
    for verb in verbs {
        for form in [&[][..], &["--json"], &["--plain"]] {
            let output = agency.expos(&[verb, form].concat());
            is_clean(&output);
            assert!(matches!(output.status.code(), Some(0 | 2)), "{verb:?}: {}", told(&output));
            assert!(!output.stdout.is_empty() || !output.stderr.is_empty(), "{verb:?}");
        }
    }
    let preview = agency.expos(&["experiment", "submit", "ACME-001"]);
    is_refused(&preview, 3, &[]);
    // One row stays one row, and one cell one cell.
    let rows = agency.ok(&["experiment", "list", "--plain"]);
    let mine: Vec<&str> = rows.lines().filter(|line| line.starts_with("ACME-001\t")).collect();
    assert_eq!(mine.len(), 1, "{rows}");
    assert_eq!(mine[0].split('\t').count(), 8, "{rows}");
    assert!(mine[0].contains("␛]0;taken␇") && mine[0].contains("<U+202E>"), "{rows}");
    // What is printed to be edited can be given back, and means the same.
    let printed = agency.ok(&["brief", "edit", "ACME-001"]);
    let again = agency.expos_with(&["brief", "edit", "ACME-001", "-"], &printed);
    is_clean(&again);
    assert_eq!(agency.json(&["experiment", "show", "ACME-001"])["variants"], shown["variants"], "{}", told(&again));
    for (noun, printed) in
        [("client", agency.ok(&["client", "edit", "acme"])), ("policy", agency.ok(&["policy", "edit", "acme"]))]
    {
        is_clean(&agency.expos_with(&[noun, "edit", "acme", "-"], &printed));
    }
    assert_eq!(agency.json(&["client", "show", "acme"])["kit"]["voice"], HOSTILE);
    agency.stop_engine();
    assert_eq!(first_hidden(&agency.log_text()), None, "the engine's log holds none of it");
    is_done(&agency.expos(&["store", "check", "--verbose"]));
    is_whole_and_tight(&agency);
}

#[test]
fn what_is_typed_is_quoted_without_its_teeth() {
    let agency = agency();
    let words = HOSTILE;
    let cases: [(&[&str], i32); 28] = [
        (&[words], 2),
        (&["client", words], 2),
        (&["client", "list", words], 2),
        (&["client", "list", "--flag\u{1b}[2J"], 2),
        (&["client", "show", words], 4),
        (&["client", "new", words, "--zone", "UTC"], 8),
        (&["client", "new", "new", "--zone", words], 8),
        (&["client", "new", "new", "--name", words, "--zone", "UTC"], 8),
        (&["client", "new", "new", "--name", "", "--zone", "UTC"], 8),
        (&["account", "show", words], 4),
        (&["account", "pause", words], 4),
        (&["experiment", "show", words], 4),
        (&["experiment", "submit", words], 4),
        (&["experiment", "drop", words, "--reason", words], 4),
        (&["variant", "show", words, "A"], 4),
        (&["variant", "edit", "ACME-000", "B", "--facet", words, "--text", words], 8),
        (&["queue", "show", words], 4),
        (&["queue", "approve", "ACME-000", "--fingerprint", words, "--yes"], 8),
        (&["undo", words], 4),
        (&["post", "show", words], 4),
        (&["post", "confirm", words, "--live", words], 4),
        (&["calendar", "move", words, words], 4),
        (&["escalation", "show", words], 4),
        (&["events", "tail", "--count", words], 2),
        (&["brief", "template", "show", words], 4),
        (&["user", "grant", words, "--role", "viewer"], 8),
        (&["user", "grant", words, "--uid", "20012", "--role", "viewer"], 8),
        (&["audit", "verify", "--since", words], 4),
    ];
    for (arguments, exit) in cases {
        for form in [&[][..], &["--json"]] {
            let output = agency.expos(&[arguments, form].concat());
            is_clean(&output);
            assert_eq!(output.status.code(), Some(exit), "{arguments:?} {form:?}: {}", told(&output));
        }
    }
    let nowhere = format!("{}/{HOSTILE}", agency.beside().display());
    is_refused(&agency.expos(&["--home", &nowhere, "client", "list"]), 1, &["expos init"]);
    is_refused(&agency.expos(&["brief", "check", &nowhere]), 8, &["no such file"]);
    for broken in [&b"\xff\xfe"[..], b"caf\xe9", b"\xed\xa0\x80"] {
        let word = std::ffi::OsStr::from_bytes(broken);
        for arguments in [&["client", "show"][..], &["brief", "check"], &["client", "list"], &["--home"]] {
            let output = agency.command(arguments).arg(word).stdin(Stdio::null()).output().expect("the program runs");
            is_clean(&output);
            assert!(matches!(output.status.code(), Some(2 | 8)), "{arguments:?} {broken:?}: {}", told(&output));
        }
    }
    is_whole_and_tight(&agency);
}

#[test]
fn streams_that_are_closed_or_full_are_told_or_borne() {
    let agency = agency();
    let through = |redirect: &str, arguments: &[&str]| {
        let inner = agency.command(arguments);
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &format!("exec \"$0\" \"$@\" {redirect}")]).arg(inner.get_program()).args(inner.get_args());
        shell.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("the program runs")
    };
    let before = events(&agency);
    for arguments in [&["brief", "check", "-"][..], &["brief", "new", "-"], &["policy", "edit", "acme", "-"]] {
        for redirect in ["<&-", "</dev/null"] {
            let output = through(redirect, arguments);
            is_clean(&output);
            if arguments[0] == "brief" {
                is_refused(&output, 8, &["empty"]);
            }
        }
    }
    let connect =
        ["account", "connect", "bluesky", "--account", "two", "--client", "acme", "--handle", "a.example.com"];
    is_refused(&through("<&-", &connect), 8, &["app password"]);
    is_refused(&through("</dev/null", &connect), 8, &["none was given"]);
    assert_eq!(events(&agency), before, "an empty policy changes nothing, and nobody was connected");
    is_refused(&through(">/dev/full", &["client", "list"]), 1, &["output"]);
    for redirect in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "| head -c 1 >/dev/null"] {
        is_clean(&through(redirect, &["client", "list"]));
        is_clean(&through(redirect, &["client", "show", "nobody"]));
    }
    for bytes in [&b"kind = \"\xff\"\n"[..], b"\xff\xfe\x6b\x00", b"a\x00b", b"\xef\xbb\xbfkind = 1"] {
        is_refused(&agency.expos_reading(&["brief", "new", "-"], bytes), 8, &[]);
    }
    for bytes in [&b"\xff\xfe\n"[..], b"\x1b[2J\n", b"two\x00words\n", b"\n"] {
        is_refused(&agency.expos_reading(&connect, bytes), 8, &["app password"]);
    }
    is_whole_and_tight(&agency);
}

#[test]
fn a_name_that_fits_two_things_names_neither_and_says_so() {
    let agency = agency();
    for number in 0..3 {
        let brief = template(&agency).replace("Question or number first", &format!("Question {number}"));
        is_done(&agency.expos_with(&["brief", "new", "-"], &brief));
    }
    let ids: Vec<String> = (1..=3)
        .map(|n| {
            agency.json(&["experiment", "show", &format!("ACME-00{n}")])["line"]["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let shared = ids[0].bytes().zip(ids[2].bytes()).take_while(|(a, b)| a == b).count();
    assert!(shared >= 6, "ids of the same minute begin alike: {ids:?}");
    let both = &ids[0][..shared];
    let before = events(&agency);
    for arguments in [
        &["experiment", "show", both][..],
        &["experiment", "submit", both],
        &["queue", "show", both],
        &["undo", both],
        &["experiment", "drop", both, "--reason", "none"],
        &["preflight", "run", both],
    ] {
        is_refused(&agency.expos(arguments), 4, &["more than one", both]);
    }
    assert_eq!(events(&agency), before);
    is_done(&agency.expos(&["experiment", "show", &ids[0]]));
    is_done(&agency.expos(&["experiment", "show", &ids[0].to_lowercase()]));
    is_done(&agency.expos(&["experiment", "show", "acme-001"]));
    for short in ["", "0", &ids[0][..5], "ACME", "%", "_", "ACME-00_", "*"] {
        is_refused(&agency.expos(&["experiment", "show", short]), 4, &["expos experiment list"]);
    }
}

#[test]
fn what_is_done_already_is_not_done_twice() {
    let agency = agency();
    is_done(&agency.expos_with(&["brief", "new", "-"], &template(&agency)));
    let policy = support::agency::POLICY;
    is_done(&agency.expos(&["user", "grant", "tom", "--uid", "20012", "--role", "viewer"]));
    let before = events(&agency);
    // Said once more, each of these changes nothing: it is so already, or it is refused.
    let client = ["client", "new", "acme", "--name", "A test client", "--zone", "UTC"];
    is_refused(&agency.expos(&client), 9, &["already"]);
    is_refused(&agency.expos_with(&["brief", "new", "-"], &template(&agency)), 8, &["ACME-001", "same name"]);
    is_refused(&agency.expos_with(&["policy", "edit", "acme", "-"], policy), 9, &["nothing"]);
    is_clean(&agency.expos(&["user", "grant", "tom", "--uid", "20012", "--role", "viewer"]));
    is_refused(&agency.expos(&["init"]), 9, &["already"]);
    let again = agency.expos(&["brief", "edit", "ACME-001"]);
    is_clean(&agency.expos_reading(&["brief", "edit", "ACME-001", "-"], &again.stdout));
    assert_eq!(events(&agency), before, "nothing changed");
    for verbs in [
        &["account", "disconnect", "acme-bs"][..],
        &["user", "revoke", "20012"],
        &["experiment", "drop", "ACME-001", "--reason", "not wanted"],
    ] {
        is_done(&agency.expos(verbs));
        let once = events(&agency);
        let twice = agency.expos(verbs);
        is_clean(&twice);
        assert!(matches!(twice.status.code(), Some(3 | 4 | 9)), "{verbs:?}: {}", told(&twice));
        assert_eq!(events(&agency), once, "{verbs:?}");
    }
    // Stopping twice is stopping.
    for verbs in
        [&["stop-all"][..], &["engine", "hold"], &["client", "pause", "acme"], &["account", "pause", "acme-bs"]]
    {
        is_clean(&agency.expos(verbs));
        is_clean(&agency.expos(verbs));
    }
    assert_eq!(agency.expos(&["health"]).status.code(), Some(2));
    is_whole_and_tight(&agency);
}

#[test]
fn hidden_characters_are_found_by_the_judge_of_these_tests() {
    for c in HOSTILE.chars().filter(|c| c.is_control() || !c.is_ascii()) {
        let judged = first_hidden(&format!("a{c}b"));
        assert_eq!(judged, Some(c));
    }
    assert_eq!(first_hidden("␛]0;taken␇ <U+202E>\n\t"), None);
}
