//! The rules in force: platform limits and rule packs, loaded once.
//!
//! Decides where they come from: the ones built in, each replaced by a file of the same name in the home's configuration.
//! A pack that does not load stops the program: silence must not look like a pass.

use std::path::Path;

use domain::engagement::Catalogue;
use domain::hash::Framed;
use domain::preflight::risk_scan::{self, Packs};
use domain::surface::Surfaces;

/// Why the rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file in the home cannot be read.
    #[error("the rule file {path} cannot be read ({why}); mend or remove it")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
    /// A file does not hold what it should.
    #[error("the rules do not load: {0}; mend or remove the file in the home's `rules` folder")]
    Bad(String),
}

/// Platform limits, rule packs, and templates for replies.
#[derive(Debug)]
pub struct Rules {
    /// What each surface takes.
    pub surfaces: Surfaces,
    /// What RiskScan looks for.
    pub packs: Packs,
    /// What answers to comments may begin with.
    pub replies: Catalogue,
    /// Names limits and packs together; part of every approval.
    pub version: String,
}

const FILE_MAX: u64 = 256 * 1024;

impl Rules {
    /// Loads the built-in rules, with the files of `overrides` in place of those of the same name.
    pub fn load(overrides: &Path) -> Result<Self, RulesError> {
        let mut files: Vec<(String, String)> = Vec::new();
        for (name, text) in risk_scan::embedded() {
            let text = override_of(overrides, &name)?.unwrap_or(text);
            files.push((name, text));
        }
        let packs = Packs::load(&files).map_err(|e| RulesError::Bad(e.to_string()))?;
        let surfaces = match override_of(overrides, "platforms.toml")? {
            Some(text) => Surfaces::load(&text).map_err(|e| RulesError::Bad(e.to_string()))?,
            None => Surfaces::embedded().clone(),
        };
        let replies = match override_of(overrides, "replies.toml")? {
            Some(text) => Catalogue::load(&text).map_err(|e| RulesError::Bad(e.to_string()))?,
            None => Catalogue::embedded().clone(),
        };
        let version =
            Framed::new("expos.rules.1").text(&packs.version()).field(surfaces.digest().bytes()).digest().short();
        Ok(Self { surfaces, packs, replies, version })
    }
}

fn override_of(folder: &Path, name: &str) -> Result<Option<String>, RulesError> {
    let path = folder.join(name);
    let unreadable = |why: String| RulesError::Unreadable { path: path.display().to_string(), why };
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error.to_string())),
        Ok(found) if !found.is_file() || found.len() > FILE_MAX => {
            Err(unreadable("it is no file of at most 256 KiB".to_owned()))
        }
        Ok(_) => std::fs::read_to_string(&path).map(Some).map_err(|e| unreadable(e.to_string())),
    }
}
