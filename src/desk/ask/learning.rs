//! Learnings: one by its name, and how each is told.

use domain::learning::Learning;
use domain::refusal::Refusal;
use domain::role::Scope;
use domain::time::UtcTime;
use store::{StoreError, View};

use super::No;
use crate::query::LearningView;

/// Tells a learning as it stands at a moment.
pub(super) fn view(learning: Learning, now: UtcTime) -> LearningView {
    LearningView { holds: learning.holds_at(now), learning }
}

/// Finds the learning in scope that an id or the beginning of one names; what is another client's is not there.
pub(super) fn named(view: &View<'_>, scope: &Scope, name: &str) -> Result<Learning, No> {
    match find(view, scope, name)? {
        Ok(found) => Ok(found),
        Err(refusal) => Err(refusal.into()),
    }
}

/// The same, for a command.
pub(crate) fn find(view: &View<'_>, scope: &Scope, name: &str) -> Result<Result<Learning, Refusal>, StoreError> {
    let mut found = view.learnings_that_begin(scope, name)?;
    Ok(match (found.pop(), found.pop()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(Refusal::ambiguous("learning", name)),
        (None, _) => Err(Refusal::not_found("learning", name)),
    })
}
