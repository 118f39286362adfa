//! Experiments: by id, by the name that people use, by stage.

use domain::experiment::{Experiment, ExperimentKind};
use domain::id::{ClientId, ExperimentId};
use domain::role::Scope;

use super::View;
use crate::{StoreError, convert};

/// The fewest letters of an id that name one.
pub(super) const PREFIX_MIN: usize = 6;

/// Which experiments are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExperimentFilter {
    /// Those of one client.
    pub client: Option<ClientId>,
    /// Those in one of these stages, by `Stage::word`; any where empty.
    pub stages: Vec<&'static str>,
    /// Those of one kind.
    pub kind: Option<ExperimentKind>,
}

impl View<'_> {
    /// Returns the experiments in scope that fit, oldest first.
    pub fn experiments(&self, scope: &Scope, filter: &ExperimentFilter) -> Result<Vec<Experiment>, StoreError> {
        let stages = if filter.stages.is_empty() { None } else { Some(convert::to_json("stages", &filter.stages)?) };
        self.list(
            "SELECT body FROM experiment
             WHERE (?1 IS NULL OR client IN (SELECT value FROM json_each(?1)))
               AND (?2 IS NULL OR client = ?2) AND (?3 IS NULL OR stage IN (SELECT value FROM json_each(?3))) AND (?4 IS NULL OR kind = ?4)
             ORDER BY key",
            rusqlite::params![
                convert::scope(scope)?,
                filter.client.as_ref().map(ClientId::as_str),
                stages,
                filter.kind.map(ExperimentKind::as_str)
            ],
        )
    }

    /// Returns an experiment.
    pub fn experiment(&self, id: ExperimentId) -> Result<Option<Experiment>, StoreError> {
        self.one(&id)
    }

    /// Returns the experiment in scope that a person's text names: its code, in any case, or the first six or more
    /// letters of its id. Nothing where there is none, or more than one.
    pub fn experiment_by_name(&self, scope: &Scope, name: &str) -> Result<Option<Experiment>, StoreError> {
        let found: Vec<Experiment> = self.list(
            "SELECT body FROM experiment
             WHERE (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) AND (code = ?2 OR (?3 IS NOT NULL AND substr(key, 1, length(?3)) = ?3))
             ORDER BY code = ?2 DESC LIMIT 2",
            rusqlite::params![convert::scope(scope)?, name, id_prefix(name)],
        )?;
        let exact = |found: &Experiment| found.code.eq_ignore_ascii_case(name);
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(Some(one)),
            (Some(one), Some(_)) if exact(&one) => Ok(Some(one)),
            (Some(_), Some(_)) | (None, _) => Ok(None),
        }
    }

    /// Tells whether a person's text is the beginning of the ids of several experiments in scope.
    pub fn begins_several_experiments(&self, scope: &Scope, name: &str) -> Result<bool, StoreError> {
        let Some(prefix) = id_prefix(name) else { return Ok(false) };
        let found = self.count(
            "SELECT count(*) FROM experiment
             WHERE substr(key, 1, length(?2)) = ?2 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1)))",
            rusqlite::params![convert::scope(scope)?, prefix],
        )?;
        Ok(found > 1)
    }

    /// Returns how many experiments a client ever had, of all stages, the house one apart: the next code's number.
    pub fn experiments_ever(&self, client: &ClientId) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM experiment WHERE client = ?1 AND kind <> 'house'", [client.as_str()])
    }
}

/// Returns a text as the beginning of an id, where it can be one.
pub(super) fn id_prefix(name: &str) -> Option<String> {
    let fits = name.len() >= PREFIX_MIN && name.len() <= 26 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| name.to_ascii_uppercase())
}
