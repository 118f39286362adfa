//! The house rules: the map in README.md is true, and every file says what it is for.
//!
//! Decided here: how the map is compared with the folders and the manifests. What may use what is decided in the map.
//! A wall that is only written down leaks; this one fails the build.
#![expect(clippy::expect_used, clippy::panic, reason = "a house that cannot be read fails its test, with words")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the map begins in README.md.
const MAP_HEAD: &str = "| crate | is | may use |";

#[test]
fn every_folder_of_src_is_a_row_of_the_map_and_every_row_a_folder() {
    let rows: BTreeSet<String> = map().into_keys().collect();
    assert_eq!(rows, folders(), "left: the rows of README.md's crate table; right: the folders of src/");
}

#[test]
fn the_map_names_only_crates_that_exist() {
    let map = map();
    for (name, may_use) in &map {
        let unknown: Vec<_> = may_use.iter().filter(|other| !map.contains_key(*other)).collect();
        assert!(unknown.is_empty(), "README.md lets {name} use {unknown:?}, which are no crates");
    }
}

#[test]
fn no_crate_uses_another_that_the_map_does_not_allow() {
    for (name, may_use) in map() {
        let manifest = manifest(&root().join("src").join(&name).join("Cargo.toml"));
        assert_eq!(trespasses(&manifest, &may_use), [""; 0], "README.md lets {name} use {may_use:?} alone");
    }
}

#[test]
fn the_program_stands_in_the_map_and_may_use_all() {
    let row = table_rows(&readme()).into_iter().find(|row| row.name == "main.rs");
    assert_eq!(row.map(|row| row.may_use).as_deref(), Some("all"));
}

#[test]
fn every_source_file_opens_with_what_it_is_for() {
    let mut headless = Vec::new();
    for folder in ["src", "tests"] {
        for file in rust_files(&root().join(folder)) {
            if !has_header(&read(&file)) {
                headless.push(file);
            }
        }
    }
    assert!(headless.is_empty(), "these do not open with a //! header: {headless:#?}");
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let mut manifests = vec![root().join("Cargo.toml")];
    manifests.extend(folders().iter().map(|name| root().join("src").join(name).join("Cargo.toml")));
    for path in manifests {
        let taken =
            manifest(&path).get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        assert_eq!(taken, Some(true), "{} lacks [lints] workspace = true", path.display());
    }
}

#[test]
fn a_trespass_is_seen_in_whatever_form_it_is_written() {
    let manifest: toml::Table = r#"
        [dependencies]
        expos-clock.workspace = true
        expos-store = { path = "../store" }
        serde = "1"
        [dev-dependencies]
        rules = { package = "expos-domain", path = "../domain" }
        [target."cfg(unix)".dependencies]
        expos-wire.workspace = true
    "#
    .parse()
    .expect("this is TOML");
    let allowed = BTreeSet::from(["clock".to_owned()]);
    assert_eq!(trespasses(&manifest, &allowed), ["domain", "store", "wire"]);
}

#[test]
fn a_file_without_a_header_is_seen() {
    assert!(has_header("//! Pacing: how close two posts may be.\n\nuse std::fs;\n"));
    assert!(!has_header("//!\nuse std::fs;\n"));
    assert!(!has_header("// Pacing.\n"));
    assert!(!has_header(""));
}

#[test]
fn the_map_is_read_as_it_is_drawn() {
    let drawn = format!(
        "Text\n{MAP_HEAD}\n|---|---|---|\n| `one` | first | – |\n| `two` | second | one, six |\n\n| `x` | y | z |"
    );
    let rows: Vec<_> = table_rows(&drawn).into_iter().map(|row| (row.name, row.may_use)).collect();
    assert_eq!(rows, [("one".to_owned(), "–".to_owned()), ("two".to_owned(), "one, six".to_owned())]);
}

/// One row of the crate table.
struct Row {
    name: String,
    may_use: String,
}

/// Crate by crate, what README.md lets it use; the program itself, which may use all, is left out.
fn map() -> BTreeMap<String, BTreeSet<String>> {
    let crates = table_rows(&readme()).into_iter().filter(|row| row.name != "main.rs");
    crates.map(|row| (row.name, names(&row.may_use))).collect()
}

fn table_rows(readme: &str) -> Vec<Row> {
    let below = readme.lines().skip_while(|line| *line != MAP_HEAD).skip(2);
    below.map_while(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    match cells.as_slice() {
        [name, _, may_use] => Some(Row { name: name.replace('`', ""), may_use: (*may_use).to_owned() }),
        _ => None,
    }
}

fn names(may_use: &str) -> BTreeSet<String> {
    may_use.split(", ").filter(|name| *name != "–").map(str::to_owned).collect()
}

/// The crates of this house that a manifest asks for, in any of its dependency tables, and may not.
fn trespasses(manifest: &toml::Table, may_use: &BTreeSet<String>) -> Vec<String> {
    let mut used = BTreeSet::new();
    collect_used(manifest, &mut used);
    used.difference(may_use).cloned().collect()
}

fn collect_used(table: &toml::Table, used: &mut BTreeSet<String>) {
    for (key, value) in table {
        let Some(inner) = value.as_table() else { continue };
        if key.ends_with("dependencies") {
            for (alias, wish) in inner {
                let package = wish.get("package").and_then(toml::Value::as_str).unwrap_or(alias);
                used.extend(package.strip_prefix("expos-").map(str::to_owned));
            }
        } else {
            collect_used(inner, used);
        }
    }
}

fn has_header(source: &str) -> bool {
    source.lines().next().is_some_and(|line| line.strip_prefix("//! ").is_some_and(|words| !words.trim().is_empty()))
}

/// The folders of src/, each of which must hold a crate.
fn folders() -> BTreeSet<String> {
    let inside = fs::read_dir(root().join("src")).expect("src/ can be listed").map(|entry| entry.expect("an entry"));
    let folders = inside.filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().into_string().expect("a name in UTF-8")).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.append(&mut rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn manifest(path: &Path) -> toml::Table {
    let text = read(path);
    text.parse().unwrap_or_else(|error| panic!("{} is no TOML: {error}", path.display()))
}

fn readme() -> String {
    read(&root().join("README.md"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
