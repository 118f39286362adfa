//! Limits against hostile files, checked before anything is understood.
//!
//! Decides how large, how deep and how wide a brief may be, and which values no brief holds. What its fields mean is
//! decided in `fields`.

use toml::de::{DeTable, DeValue};

use super::Problem;
use super::excerpt::clip;
use super::walk::Walk;

/// Bytes of a whole file.
const BYTES_MAX: usize = 256 * 1024;
/// Bytes of one string.
const STRING_MAX: usize = 64 * 1024;
/// Tables and lists inside each other.
const DEPTH_MAX: usize = 32;
/// Keys of all tables together.
const KEYS_MAX: usize = 2_000;
/// Entries of one list.
const ITEMS_MAX: usize = 200;
/// The one list that may be as long as an experiment has posts.
const SLOTS_MAX: usize = 500;

/// Checks what can be checked before parsing.
pub(super) fn check_text(text: &str) -> Result<(), Problem> {
    let refuse = |why: String| Err(Problem { field: String::new(), line: None, why, example: String::new() });
    if text.len() > BYTES_MAX {
        return refuse(format!("the file has {} bytes; a brief has at most {BYTES_MAX}", text.len()));
    }
    if let Some(at) = text.find('\0') {
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        return refuse(format!("line {} holds a NUL character, which no brief holds", line.saturating_add(1)));
    }
    if text.trim().is_empty() {
        return refuse("the file is empty; begin with a template: `expos brief template list`".to_owned());
    }
    Ok(())
}

/// Checks a parsed file; the parser itself stops at a depth of 80.
pub(super) fn check_table(root: &DeTable<'_>, walk: &Walk<'_>) -> Result<(), Problem> {
    let mut keys = 0;
    table(root, "", 1, &mut keys, walk)
}

fn table(of: &DeTable<'_>, path: &str, depth: usize, keys: &mut usize, walk: &Walk<'_>) -> Result<(), Problem> {
    if depth > DEPTH_MAX {
        return Err(walk.whole(path, format!("tables and lists lie more than {DEPTH_MAX} deep in each other")));
    }
    for (key, value) in of.iter() {
        *keys = keys.saturating_add(1);
        if *keys > KEYS_MAX {
            return Err(walk.whole("", format!("the file has more than {KEYS_MAX} keys")));
        }
        let path = super::walk::join(path, key.get_ref());
        self::value(value.get_ref(), &path, depth, keys, walk)?;
    }
    Ok(())
}

fn value(of: &DeValue<'_>, path: &str, depth: usize, keys: &mut usize, walk: &Walk<'_>) -> Result<(), Problem> {
    match of {
        DeValue::String(text) => {
            if text.len() > STRING_MAX {
                return Err(
                    walk.whole(path, format!("the text has {} bytes; at most {STRING_MAX} are read", text.len()))
                );
            }
            if text.contains('\0') {
                return Err(walk.whole(path, "the text holds a NUL character".to_owned()));
            }
        }
        DeValue::Float(number) => {
            if !number.as_str().parse::<f64>().is_ok_and(f64::is_finite) {
                return Err(walk.whole(path, format!("`{}` is not a finite number", clip(number.as_str()))));
            }
        }
        DeValue::Array(items) => {
            let most = if path == "exposure_plan.slots" { SLOTS_MAX } else { ITEMS_MAX };
            if items.len() > most {
                return Err(walk.whole(path, format!("the list has {} entries; at most {most} are read", items.len())));
            }
            if depth >= DEPTH_MAX {
                return Err(walk.whole(path, format!("tables and lists lie more than {DEPTH_MAX} deep in each other")));
            }
            for (place, item) in items.iter().enumerate() {
                value(item.get_ref(), &format!("{path}[{place}]"), depth.saturating_add(1), keys, walk)?;
            }
        }
        DeValue::Table(inner) => table(inner, path, depth.saturating_add(1), keys, walk)?,
        DeValue::Integer(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
    Ok(())
}
