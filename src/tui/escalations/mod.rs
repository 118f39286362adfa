//! Escalations: what must a person settle, who owns it, how long has it been?
//!
//! Decides which ones are listed and in which order, and the sign of each. What may be done about one is `answers`; Morning
//! and Midday show the same list.

pub(crate) mod answers;
pub(crate) mod view;

use domain::escalation::{Escalation, Subject, Urgency};
use domain::id::{AccountId, EscalationId};

use crate::list::List;
use crate::model::Model;
use crate::sign::Sign;

/// The state of the list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Escalations {
    pub(crate) list: List<EscalationId>,
}

/// Returns the ids in the order of the list: what hurries first, what is put off last.
pub(crate) fn ordered(model: &Model) -> Vec<EscalationId> {
    let mut open: Vec<&Escalation> = model.known.escalations.iter().flatten().collect();
    open.sort_by_key(|e| (e.later_at(model.wall()).is_some(), e.urgency, e.due));
    open.into_iter().map(|e| e.id).collect()
}

/// Returns one that is open.
pub(crate) fn of(model: &Model, id: EscalationId) -> Option<&Escalation> {
    model.known.escalations.iter().flatten().find(|escalation| escalation.id == id)
}

/// Returns those that the scope leaves.
pub(crate) fn shown(model: &Model) -> Vec<EscalationId> {
    model.escalations.list.order().iter().filter(|id| is_shown(model, **id)).copied().collect()
}

/// Tells whether the scope leaves one.
pub(crate) fn is_shown(model: &Model, id: EscalationId) -> bool {
    of(model, id).is_none_or(|e| model.in_scope(&e.client))
}

/// Returns the account that one is about, where that is known.
pub(crate) fn account<'a>(model: &'a Model, escalation: &'a Escalation) -> Option<&'a AccountId> {
    match &escalation.subject {
        Subject::Account { account } => Some(account),
        Subject::Post { post, experiment } => {
            let whole = model.known.posts.get(post).map(|view| &view.line.account);
            let detail = model.known.details.get(experiment);
            whole.or_else(|| {
                let posts = detail.iter().flat_map(|view| &view.posts);
                posts.into_iter().find(|line| line.id == *post).map(|line| &line.account)
            })
        }
    }
}

/// Tells whether it is mine.
pub(crate) fn is_mine(model: &Model, escalation: &Escalation) -> bool {
    let me = model.known.me.as_ref().map(|me| me.name.as_str());
    me.is_some() && escalation.owner.as_deref() == me
}

/// Returns the sign of one: how much it hurries, or that it is put off.
pub(crate) fn sign(model: &Model, escalation: &Escalation) -> Sign {
    if escalation.later_at(model.wall()).is_some() {
        return Sign::planned("later");
    }
    match escalation.urgency {
        Urgency::Critical => Sign::failed("critical"),
        Urgency::High => Sign::needed("high"),
        Urgency::Normal => Sign::needed("normal"),
    }
}

/// Returns the people to whom one may be handed: those of its client who may settle it, and do not have it.
pub(crate) fn heirs(model: &Model, escalation: &Escalation) -> Vec<String> {
    use domain::role::{Action, Cell, Column, cell};
    let may = |user: &&desk::query::UserView| {
        let sees = user.clients.as_ref().is_none_or(|clients| clients.contains(&escalation.client));
        let decides = !matches!(cell(Action::Decide, Column::Person(user.role)), Cell::No | Cell::Never);
        sees && decides && escalation.owner.as_deref() != Some(user.name.as_str())
    };
    model.known.users.iter().filter(may).map(|user| user.name.clone()).collect()
}

/// Returns how many are open in the scope and not put off: none of them is ever hidden.
pub(crate) fn waiting(model: &Model) -> usize {
    let all = model.known.escalations.iter().flatten().filter(|e| model.in_scope(&e.client));
    all.filter(|e| e.later_at(model.wall()).is_none()).count()
}
