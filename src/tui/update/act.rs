//! The main step of whatever is on the screen.
//!
//! Decides where the key for it leads; what it does there is decided there.

use domain::id::ExperimentId;

use super::{decision, escalation, go, queue, stop};
use crate::experiments::Tab;
use crate::message::Effects;
use crate::model::{Model, Open, Pane};
use crate::rounds::Step;

/// The view's main step.
pub(super) fn act(model: &mut Model, effects: &mut Effects) {
    match (model.place.open, model.place.pane) {
        (Some(Open::Approval(id)), _) => queue::act_on_page(model, id),
        (Some(Open::Detail(id)), _) => main_step(model, id),
        (None, Pane::Experiments) => {
            if let Some(id) = model.subject() {
                main_step(model, id);
            }
        }
        (None, Pane::Morning | Pane::Midday | Pane::EndOfDay) => in_round(model, effects),
        (None, Pane::Accounts) => stop::mend(model),
        (None, Pane::Escalations) => escalation::open(model, effects),
        (None, Pane::Layers | Pane::Memory | Pane::System) => {}
    }
}

/// What an experiment waits for: a word, or a decision over its numbers.
fn main_step(model: &mut Model, id: ExperimentId) {
    if model.known.line(id).is_some_and(crate::evening::asks_for_decision) {
        go::open_detail_at(model, id, Tab::Numbers);
        decision::open(model, id);
    } else {
        go::open_approval(model, id);
    }
}

fn in_round(model: &mut Model, effects: &mut Effects) {
    match model.step() {
        Some(Step::Queue) => queue::act_on_rows(model),
        Some(Step::Alerts | Step::Escalations) => escalation::open(model, effects),
        Some(Step::Posts) => {
            let about = model.post_subject().and_then(|id| crate::midday::escalation(model, id)).map(|found| found.id);
            if let Some(about) = about {
                escalation::open_of(model, about, effects);
            }
        }
        Some(Step::Outcomes | Step::Decide) => {
            if let Some(id) = model.subject() {
                main_step(model, id);
            }
        }
        Some(Step::Layers | Step::Replies | Step::SignOff) | None => {}
    }
}
