//! Learnings: by their words, by client, by the experiment that taught them; the newest first.
//!
//! What a person types is only ever words: it never reaches the search engine as a question of its own, and nobody
//! learns from an order or a count what another client's experiments taught (T7).

use domain::id::{ClientId, ExperimentId, LearningId};
use domain::learning::Learning;
use domain::role::Scope;

use super::View;
use super::experiment::id_prefix;
use crate::{StoreError, convert};

/// The most words of a question that are looked for.
const WORDS_MAX: usize = 16;

/// Which learnings are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LearningFilter {
    /// Those of one client.
    pub client: Option<ClientId>,
    /// The retracted ones too.
    pub retracted: bool,
    /// At most so many.
    pub limit: u32,
}

impl View<'_> {
    /// Returns a learning.
    pub fn learning(&self, id: LearningId) -> Result<Option<Learning>, StoreError> {
        self.one(&id)
    }

    /// Returns the learnings in scope that fit, newest first.
    pub fn learnings(&self, scope: &Scope, filter: &LearningFilter) -> Result<Vec<Learning>, StoreError> {
        self.list(
            "SELECT body FROM learning
             WHERE (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR client = ?2) AND (?3 OR retracted = 0)
             ORDER BY key DESC LIMIT ?4",
            rusqlite::params![
                convert::scope(scope)?,
                filter.client.as_ref().map(ClientId::as_str),
                filter.retracted,
                filter.limit
            ],
        )
    }

    /// Returns the learnings in scope in which every word of a text stands, or begins a word; newest first. A text
    /// without a word finds nothing.
    pub fn learnings_with(
        &self,
        scope: &Scope,
        text: &str,
        filter: &LearningFilter,
    ) -> Result<Vec<Learning>, StoreError> {
        let Some(words) = words(text) else { return Ok(Vec::new()) };
        self.list(
            "SELECT l.body FROM memory m JOIN learning l ON l.key = m.key
             WHERE memory MATCH ?5
               AND (?1 IS NULL OR l.client IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR l.client = ?2) AND (?3 OR l.retracted = 0)
             ORDER BY l.key DESC LIMIT ?4",
            rusqlite::params![
                convert::scope(scope)?,
                filter.client.as_ref().map(ClientId::as_str),
                filter.retracted,
                filter.limit,
                words
            ],
        )
    }

    /// Returns what an experiment taught, oldest first; what was retracted too.
    pub fn learnings_of(&self, experiment: ExperimentId) -> Result<Vec<Learning>, StoreError> {
        self.list("SELECT body FROM learning WHERE experiment = ?1 ORDER BY key", [experiment.to_string()])
    }

    /// Returns up to two learnings in scope whose ids begin with a text of six letters or more.
    pub fn learnings_that_begin(&self, scope: &Scope, name: &str) -> Result<Vec<Learning>, StoreError> {
        let Some(prefix) = id_prefix(name) else { return Ok(Vec::new()) };
        self.list(
            "SELECT body FROM learning
             WHERE substr(key, 1, length(?2)) = ?2 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1)))
             ORDER BY key LIMIT 2",
            rusqlite::params![convert::scope(scope)?, prefix],
        )
    }
}

/// Makes a text into a question that the search engine takes whatever it holds: its letters and digits alone, each run of
/// them in quotes, all of them wanted. `None` where there is no word in it.
fn words(text: &str) -> Option<String> {
    let runs = text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()).take(WORDS_MAX);
    let quoted: Vec<String> = runs.map(|run| format!("\"{run}\"*")).collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_only_ever_words() {
        assert_eq!(words("question hooks").unwrap(), "\"question\"* \"hooks\"*");
        assert_eq!(words("a\" OR key:* NEAR(").unwrap(), "\"a\"* \"OR\"* \"key\"* \"NEAR\"*");
        assert_eq!(words(" \"'*(){}^:-+\u{202e}\n"), None);
    }
}
