//! The environment: what the program reads of its variables, once, at the start.
//!
//! Decides which home is meant and when colours are on. No secret is ever taken from a variable.

use std::ffi::OsString;
use std::path::PathBuf;

use desk::Home;

use crate::args::{ColorChoice, Global};
use crate::error::Failure;
use crate::text::Color;

/// The variables that count.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `EXPOS_HOME`: the home.
    pub expos_home: Option<OsString>,
    /// `XDG_DATA_HOME`: where homes stand.
    pub data_home: Option<OsString>,
    /// `HOME`: the user's folder.
    pub user_home: Option<OsString>,
    /// `VISUAL`, else `EDITOR`.
    pub editor: Option<OsString>,
    /// `NO_COLOR`, where it is not empty.
    pub no_color: bool,
    /// `CLICOLOR_FORCE`, where it is neither empty nor 0.
    pub force_color: bool,
    /// `TERM` is `dumb`.
    pub dumb: bool,
    /// `TZ`, else the box's zone: where the operator's day is.
    pub zone: Option<String>,
}

impl Environment {
    /// Reads the process's variables.
    pub fn read() -> Self {
        let get = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            expos_home: get("EXPOS_HOME"),
            data_home: get("XDG_DATA_HOME"),
            user_home: get("HOME"),
            editor: get("VISUAL").or_else(|| get("EDITOR")),
            no_color: get("NO_COLOR").is_some(),
            force_color: get("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            dumb: get("TERM").is_some_and(|value| value == "dumb"),
            zone: get("TZ").map_or_else(
                || std::fs::read_to_string("/etc/timezone").ok().map(|text| text.trim().to_owned()),
                |value| value.into_string().ok(),
            ),
        }
    }

    /// Returns the home: `--home`, else `EXPOS_HOME`, else `expos` in the user's data folder.
    pub(crate) fn home(&self, global: &Global) -> Result<Home, Failure> {
        if let Some(named) = global.home.clone().or_else(|| self.expos_home.clone().map(PathBuf::from)) {
            return Ok(Home::new(absolute(named)?));
        }
        let data = self.data_home.clone().map(PathBuf::from).filter(|path| path.is_absolute());
        let data = data.or_else(|| self.user_home.clone().map(|home| PathBuf::from(home).join(".local/share")));
        match data {
            Some(data) => Ok(Home::new(absolute(data.join("expos"))?)),
            None => Err(Failure::Usage {
                what: "the home".to_owned(),
                why: "neither --home nor EXPOS_HOME names it, and HOME is not set".to_owned(),
                mend: "give --home DIR".to_owned(),
            }),
        }
    }

    /// Tells whether a stream gets colours.
    pub(crate) fn color(&self, choice: ColorChoice, is_tty: bool) -> Color {
        let on = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !self.no_color && (self.force_color || (is_tty && !self.dumb)),
        };
        if on { Color::On } else { Color::Off }
    }
}

fn absolute(path: PathBuf) -> Result<PathBuf, Failure> {
    std::path::absolute(&path)
        .map_err(|error| Failure::failed(format!("the home {} cannot be found: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(environment: &Environment, flag: Option<&str>) -> Option<PathBuf> {
        let global = Global { home: flag.map(PathBuf::from), ..Global::default() };
        environment.home(&global).ok().map(|home| home.root)
    }

    #[test]
    fn the_nearest_word_names_the_home() {
        let mut environment = Environment { user_home: Some("/u".into()), ..Environment::default() };
        assert_eq!(home(&environment, None), Some("/u/.local/share/expos".into()));
        environment.data_home = Some("relative".into());
        assert_eq!(home(&environment, None), Some("/u/.local/share/expos".into()));
        environment.data_home = Some("/d".into());
        assert_eq!(home(&environment, None), Some("/d/expos".into()));
        environment.expos_home = Some("/e".into());
        assert_eq!(home(&environment, None), Some("/e".into()));
        assert_eq!(home(&environment, Some("/f")), Some("/f".into()));
        assert_eq!(home(&Environment::default(), None), None);
    }

    #[test]
    fn colours_follow_the_flag_then_the_variables_then_the_terminal() {
        let plain = Environment::default();
        let no = Environment { no_color: true, force_color: true, ..Environment::default() };
        let force = Environment { force_color: true, ..Environment::default() };
        let dumb = Environment { dumb: true, ..Environment::default() };
        assert_eq!(plain.color(ColorChoice::Auto, true), Color::On);
        assert_eq!(plain.color(ColorChoice::Auto, false), Color::Off);
        assert_eq!(no.color(ColorChoice::Auto, true), Color::Off);
        assert_eq!(no.color(ColorChoice::Always, false), Color::On);
        assert_eq!(force.color(ColorChoice::Auto, false), Color::On);
        assert_eq!(dumb.color(ColorChoice::Auto, true), Color::Off);
        assert_eq!(force.color(ColorChoice::Never, true), Color::Off);
    }
}
