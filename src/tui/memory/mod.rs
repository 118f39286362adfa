//! Memory: what do we know about this client, hook, surface?
//!
//! Decides which learnings are listed and the sign of each. They are looked for by the desk, word by word; a learning that
//! was retracted stays to be seen, and says so.

pub(crate) mod view;

use desk::query::LearningView;
use domain::id::{ExperimentId, LearningId};
use domain::outcome::Say;
use tui_input::Input;

use crate::list::List;
use crate::model::Model;
use crate::sign::Sign;

/// The state of the pane.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) list: List<LearningId>,
    /// What is looked for.
    pub(crate) query: Input,
    /// For which words learnings were asked last.
    pub(crate) asked_for: Option<String>,
    /// For which words the rows that are shown were looked for.
    pub(crate) shown_for: Option<String>,
    /// Something was learned or retracted since.
    pub(crate) old: bool,
}

/// Returns a learning as it is known.
pub(crate) fn of(model: &Model, id: LearningId) -> Option<&LearningView> {
    model.known.learnings.iter().flat_map(|(_, all)| all).find(|view| view.learning.id == id)
}

/// Returns the rows that the scope leaves.
pub(crate) fn shown(model: &Model) -> Vec<LearningId> {
    model.memory.list.order().iter().filter(|id| is_shown(model, **id)).copied().collect()
}

/// Tells whether the scope leaves one, and the desk still tells of it.
pub(crate) fn is_shown(model: &Model, id: LearningId) -> bool {
    of(model, id).is_some_and(|view| model.in_scope(&view.learning.client))
}

/// Returns the learning under the cursor.
pub(crate) fn under_cursor(model: &Model) -> Option<&LearningView> {
    let id = model.memory.list.cursor().copied().filter(|id| is_shown(model, *id))?;
    of(model, id)
}

/// Returns the experiment that taught the one under the cursor.
pub(crate) fn experiment(model: &Model) -> Option<ExperimentId> {
    under_cursor(model).map(|view| view.learning.experiment)
}

/// Returns how sure a learning is, or why it does not count.
pub(crate) fn sign(view: &LearningView) -> Sign {
    let learning = &view.learning;
    if learning.retracted.is_some() {
        Sign::planned("retracted")
    } else if learning.say == Say::Invalid {
        Sign::invalid("invalid")
    } else if !view.holds {
        Sign::stale("expired")
    } else {
        match learning.strength {
            Some(strength) => Sign::done(strength.as_str()),
            None => Sign::planned(learning.say.as_str()),
        }
    }
}
