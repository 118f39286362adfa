//! The rule packs: read, checked as a whole, and named by one version.
//!
//! Decides what a set of pack files may hold. Loading fails, naming file and rule, rather than run with fewer rules than
//! the agency believes it has; a failed load blocks publishing. Reading the files is the caller's work, matching is
//! `matching`'s.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::claims_data::ClaimRules;
use super::floors::Approvals;
use super::literal::Literals;
use super::negation::Negation;
use super::pattern::{BadPattern, Lists, Pattern};
use super::rule::{BadRule, Rule, WrittenRule};

const LISTS: &str = "lists.toml";
const SOURCES: &str = "sources.toml";
const APPROVALS: &str = "approvals.toml";
const CLAIMS: &str = "claims.toml";

/// The format of pack files this program reads.
const FORMAT: u32 = 1;

/// All rules, ready to scan. Made once and shared: patterns are compiled when a text first needs them.
#[derive(Debug)]
pub struct Packs {
    pub(super) packs: Vec<Pack>,
    pub(super) literals: Literals,
    pub(super) negation: Negation,
    pub(super) approvals: Approvals,
    pub(super) claims: ClaimRules,
    version: String,
}

#[derive(Debug)]
pub(super) struct Pack {
    pub(super) id: String,
    pub(super) version: u32,
    pub(super) locales: Vec<String>,
    pub(super) rules: Vec<Rule>,
}

/// Why a set of pack files is refused. Each names the file, and the rule where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PackError {
    #[error("{file} is missing: without it no rule can be read. Put it back, or remove your own set of packs")]
    Missing { file: &'static str },
    #[error("{file} is there twice: keep one")]
    FileTwice { file: String },
    #[error("{file} cannot be read: {why}")]
    Unreadable { file: String, why: String },
    #[error("{file}, rule {rule}: {why}")]
    BadRule { file: String, rule: String, why: String },
    #[error("{file}, rule {rule}: the pattern `{pattern}` does not compile: {why}")]
    BadPattern { file: String, rule: String, pattern: String, why: String },
    #[error("{file}, rule {rule}: the id is already used in {earlier}; each id stands once over all packs")]
    DuplicateId { file: String, rule: String, earlier: String },
    #[error("{file}, rule {rule}: <<{list}>> is neither a list of {file} nor of lists.toml")]
    UnknownList { file: String, rule: String, list: String },
    #[error("{file}, rule {rule}: the source `{source_key}` is not in sources.toml")]
    UnknownSource { file: String, rule: String, source_key: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListsFile {
    schema_version: u32,
    lists: Lists,
    negation: WrittenNegation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNegation {
    before: Vec<String>,
    before_not: Vec<String>,
    after: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourcesFile {
    schema_version: u32,
    source: BTreeMap<String, WrittenSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "url and conf are read so that a source without them is refused")]
struct WrittenSource {
    name: String,
    url: String,
    conf: Confidence,
}

/// How far the text of a source was read when its rules were written.
#[derive(Deserialize)]
enum Confidence {
    O,
    S,
    K,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    pack: PackHead,
    #[serde(default)]
    lists: Lists,
    #[serde(default)]
    rule: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackHead {
    id: String,
    family: String,
    #[expect(dead_code, reason = "read so that a pack without a title is refused")]
    title: String,
    locales: Vec<String>,
    version: u32,
    #[serde(default)]
    #[expect(dead_code, reason = "a note to whoever edits the pack")]
    note: Option<String>,
}

impl Packs {
    /// Reads a set of pack files, given as name and text; see [`super::embedded`] and [`super::overlay`].
    pub fn load(files: &[(String, String)]) -> Result<Self, PackError> {
        let mut by_name = BTreeMap::new();
        for (file, text) in files {
            if by_name.insert(file.as_str(), text.as_str()).is_some() {
                return Err(PackError::FileTwice { file: file.clone() });
            }
        }
        let version = version_of(&by_name);
        let mut take = |file: &'static str| by_name.remove(file).ok_or(PackError::Missing { file });
        let lists: ListsFile = read(LISTS, take(LISTS)?)?;
        let sources: SourcesFile = read(SOURCES, take(SOURCES)?)?;
        right_format(LISTS, lists.schema_version)?;
        right_format(SOURCES, sources.schema_version)?;
        let approvals = Approvals::read(APPROVALS, take(APPROVALS)?)?;
        let mut literals = Literals::default();
        let claims = ClaimRules::read(CLAIMS, take(CLAIMS)?, &lists.lists, &mut literals)?;
        let negation = negation(&lists, &mut literals)?;
        let mut shelf = Shelf { lists: &lists.lists, sources: &sources.source, literals, owners: BTreeMap::new() };
        let mut packs = Vec::new();
        let mut pack_ids = BTreeSet::new();
        for (file, text) in by_name {
            let pack = shelf.pack(file, text)?;
            if !pack_ids.insert(pack.id.clone()) {
                let why = format!("the pack id {} is already used by another file", pack.id);
                return Err(PackError::Unreadable { file: file.to_owned(), why });
            }
            packs.push(pack);
        }
        Ok(Self { packs, literals: shelf.literals, negation, approvals, claims, version })
    }

    /// A name for exactly this set of files: the format and a digest over names and texts. An approval binds to it.
    pub fn version(&self) -> String {
        self.version.clone()
    }

    /// How many rules there are.
    pub fn rule_count(&self) -> usize {
        self.packs.iter().map(|pack| pack.rules.len()).sum()
    }

    /// Whether there are rules for the language of a locale.
    pub fn knows_locale(&self, locale: &str) -> bool {
        self.packs.iter().any(|pack| pack.covers(locale))
    }
}

impl Pack {
    /// Whether the pack was written for the language of a locale, as `es` for `es-MX`.
    pub(super) fn covers(&self, locale: &str) -> bool {
        let locale = locale.trim().to_lowercase().replace('_', "-");
        self.locales.iter().any(|own| {
            locale
                .strip_prefix(own.to_lowercase().as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    }

    /// English packs always run: a post in any language may hold English words.
    pub(super) fn runs_for(&self, locale: &str) -> bool {
        self.locales.iter().any(|own| own == "en") || self.covers(locale)
    }
}

/// What packs are read against, and whose id stands where.
struct Shelf<'a> {
    lists: &'a Lists,
    sources: &'a BTreeMap<String, WrittenSource>,
    literals: Literals,
    owners: BTreeMap<String, String>,
}

impl Shelf<'_> {
    fn pack(&mut self, file: &str, text: &str) -> Result<Pack, PackError> {
        let written: PackFile = read(file, text)?;
        let mut rules = Vec::new();
        for table in written.rule {
            rules.push(self.rule(file, &written.pack.family, &written.lists, table)?);
        }
        Ok(Pack { id: written.pack.id, version: written.pack.version, locales: written.pack.locales, rules })
    }

    fn rule(&mut self, file: &str, family: &str, local: &Lists, table: toml::Table) -> Result<Rule, PackError> {
        let id = table.get("id").and_then(|id| id.as_str()).unwrap_or("without id").to_owned();
        let written: WrittenRule = table.try_into().map_err(|why: toml::de::Error| PackError::BadRule {
            file: file.to_owned(),
            rule: id.clone(),
            why: why.to_string().trim_end().to_owned(),
        })?;
        if let Some(earlier) = self.owners.insert(id.clone(), file.to_owned()) {
            return Err(PackError::DuplicateId { file: file.to_owned(), rule: id, earlier });
        }
        let sources = self.source_names(file, &written)?;
        written.ready(family, sources, local, self.lists, &mut self.literals).map_err(|bad| refusal(file, &id, bad))
    }

    /// `sec-mr (a)` is the name of `sec-mr` and the section.
    fn source_names(&self, file: &str, written: &WrittenRule) -> Result<Vec<String>, PackError> {
        let name = |cited: &String| {
            let (key, section) = cited.split_once(' ').unwrap_or((cited, ""));
            match self.sources.get(key) {
                Some(source) if section.is_empty() => Ok(source.name.clone()),
                Some(source) => Ok(format!("{} {section}", source.name)),
                None => Err(PackError::UnknownSource {
                    file: file.to_owned(),
                    rule: written.id.clone(),
                    source_key: key.to_owned(),
                }),
            }
        };
        written.source.iter().map(name).collect()
    }
}

/// The error for a rule, in the words of whoever has to mend it.
pub(super) fn refusal(file: &str, rule: &str, bad: BadRule) -> PackError {
    let (file, rule) = (file.to_owned(), rule.to_owned());
    match bad {
        BadRule::Pattern { why: BadPattern::UnknownList(list), .. } => PackError::UnknownList { file, rule, list },
        BadRule::Pattern { written, why: BadPattern::DoesNotCompile(why) } => {
            PackError::BadPattern { file, rule, pattern: written, why }
        }
        BadRule::Senseless(why) => PackError::BadRule { file, rule, why: why.to_owned() },
    }
}

pub(super) fn read<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, PackError> {
    toml::from_str(text)
        .map_err(|why| PackError::Unreadable { file: file.to_owned(), why: why.to_string().trim_end().to_owned() })
}

pub(super) fn right_format(file: &str, found: u32) -> Result<(), PackError> {
    if found == FORMAT {
        return Ok(());
    }
    let why = format!("schema_version is {found}, this program reads {FORMAT}");
    Err(PackError::Unreadable { file: file.to_owned(), why })
}

fn negation(file: &ListsFile, literals: &mut Literals) -> Result<Negation, PackError> {
    let mut words = |name: &'static str, entries: &[String]| {
        let written = format!(r"\b(?:{})\b", entries.join("|"));
        Pattern::new(&written, &Lists::new(), &file.lists, literals)
            .map_err(|why| refusal(LISTS, name, BadRule::Pattern { written, why }))
    };
    Ok(Negation {
        before: words("negation.before", &file.negation.before)?,
        before_not: words("negation.before_not", &file.negation.before_not)?,
        after: words("negation.after", &file.negation.after)?,
    })
}

fn version_of(files: &BTreeMap<&str, &str>) -> String {
    let mut digest = Sha256::new();
    for (file, text) in files {
        for part in [file, text] {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part.as_bytes());
        }
    }
    let hex: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("risk-{FORMAT}-{hex}")
}

#[cfg(test)]
mod tests {
    use super::super::embedded::{embedded, overlay, shared};
    use super::*;

    const HEAD: &str = "[pack]\nid = 'own'\nfamily = 'own'\ntitle = 'Own'\nlocales = ['en']\nversion = 1\n";

    fn rule(id: &str, more: &str) -> String {
        format!(
            "[[rule]]\nid = '{id}'\ntitle = 'T'\nseverity = 'warn'\nwhy = 'W'\nmend = 'M'\nsource = ['gdpr 5']\n{more}\n"
        )
    }

    fn load(own: &str) -> Result<Packs, PackError> {
        Packs::load(&overlay(&[("own.toml".into(), own.into())]))
    }

    fn refused(own: &str) -> String {
        load(own).expect_err("a refusal").to_string()
    }

    #[test]
    fn the_packs_of_this_build_load() {
        let packs = shared();
        assert_eq!((packs.packs.len(), packs.rule_count()), (23, 226));
    }

    #[test]
    fn every_pattern_of_this_build_compiles() {
        let packs = shared();
        let mut count = 0;
        for rule in packs.packs.iter().flat_map(|pack| &pack.rules) {
            let parts = [&rule.patterns, &rule.patterns_raw, &rule.also, &rule.unless];
            let required = rule.requires.iter().map(|group| &group.any);
            let overrides = rule.overrides.iter().flat_map(|o| o.when_match.iter().chain(&o.when_absent));
            for pattern in parts.into_iter().chain(required).flatten().chain(overrides) {
                count += 1;
                assert!(pattern.builds(), "{}: {}", rule.id, pattern.source());
            }
        }
        assert!(count > 1_000, "{count} patterns");
    }

    #[test]
    fn a_pack_with_a_fault_is_refused_by_file_and_rule() {
        let good = rule("own.a", "patterns = ['a']");
        load(&format!("{HEAD}{good}")).expect("a good pack");
        for (body, expected) in [
            (rule("own.a", "patterns = ['a']\ncolour = 1"), "own.toml, rule own.a: unknown field `colour`"),
            (rule("own.a", "patterns = ['(']"), "own.toml, rule own.a: the pattern `(` does not compile"),
            (rule("own.a", "patterns = ['<<birds>>']"), "own.toml, rule own.a: <<birds>> is neither"),
            (format!("{good}{good}"), "own.toml, rule own.a: the id is already used in own.toml"),
            (rule("health.disease-cure", "patterns = ['a']"), "rule health.disease-cure: the id is already used in"),
            (
                good.replace("gdpr 5", "moon-law 5"),
                "own.toml, rule own.a: the source `moon-law` is not in sources.toml",
            ),
            (rule("own.a", ""), "own.toml, rule own.a: it has neither patterns nor a trigger"),
            (good.replace("'warn'", "'warning'"), "own.toml, rule own.a: unknown variant `warning`"),
            (rule("own.a", "patterns = ['a']\napplies_to = { planets = ['mars'] }"), "unknown field `planets`"),
            ("colour = 1".into(), "own.toml cannot be read"),
        ] {
            let said = refused(&format!("{HEAD}{body}"));
            assert!(said.contains(expected), "{said}\nlacks\n{expected}");
        }
    }

    #[test]
    fn a_set_without_a_needed_file_is_refused() {
        for needed in [LISTS, SOURCES, APPROVALS, CLAIMS] {
            let files: Vec<_> = embedded().into_iter().filter(|(name, _)| name != needed).collect();
            assert_eq!(Packs::load(&files).err(), Some(PackError::Missing { file: needed }));
        }
    }

    #[test]
    fn the_version_names_the_texts_and_not_their_order() {
        let files = embedded();
        let mut turned = files.clone();
        turned.reverse();
        let version = Packs::load(&files).expect("packs").version();
        assert_eq!(Packs::load(&turned).expect("packs").version(), version);
        let own = rule("own.a", "patterns = ['a']");
        assert_ne!(load(&format!("{HEAD}{own}")).expect("packs").version(), version);
    }

    #[test]
    fn a_pack_covers_the_regions_of_its_language_only() {
        let packs = shared();
        assert!(packs.knows_locale("es-MX") && packs.knows_locale("DE_at") && packs.knows_locale("en"));
        assert!(!packs.knows_locale("est") && !packs.knows_locale("fr") && !packs.knows_locale(""));
    }
}
