//! Layers: namespaces in which one experiment runs at a time.
//!
//! Decides who holds a layer, until when, and when the next may start (I10). A layer is client + surface + variable and
//! is shown like `acme/bluesky_post/hook`. How long an experiment needs it comes from its plan: to its last snapshot.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, StreamKind};
use crate::brief::SurfaceId;
use crate::id::{ClientId, ExperimentId};
use crate::refusal::Refusal;
use crate::time::{UtcTime, Window};
use crate::variant::Facet;

/// Names a layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LayerId {
    /// The client.
    pub client: ClientId,
    /// The surface.
    pub surface: SurfaceId,
    /// The facet under test.
    pub variable: Facet,
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.client, self.surface, self.variable)
    }
}

/// One experiment's place in a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenure {
    /// Who holds it.
    pub experiment: ExperimentId,
    /// The name that people use.
    pub code: String,
    /// From its first slot to its last snapshot.
    pub window: Window,
}

/// A layer as it stands: tenures that do not overlap, in time order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its name.
    pub id: LayerId,
    /// Who holds it, and who comes after.
    pub tenures: Vec<Tenure>,
}

/// What happened to a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LayerEvent {
    /// It was named for the first time.
    LayerOpened {
        /// Its name.
        id: LayerId,
    },
    /// An experiment took a place.
    LayerTaken {
        /// Who, and until when.
        tenure: Tenure,
    },
    /// A place became free.
    LayerReleased {
        /// Whose.
        experiment: ExperimentId,
        /// Why.
        reason: String,
    },
}

/// What is asked of a layer.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerCommand {
    /// Take a place, or another one.
    Take(Tenure),
    /// Leave it to one that came out of the holder: no gap in which another could slip in (L2).
    HandOver {
        /// Who holds it, or held it last.
        from: ExperimentId,
        /// Who takes it over, from when, and until when at most.
        to: Tenure,
    },
    /// Leave.
    Release {
        /// Whose place.
        experiment: ExperimentId,
        /// Why.
        reason: String,
    },
}

impl Layer {
    /// Decides what a command means now.
    ///
    /// Refuses an overlap with the holder's name, its end, and the earliest moment at which a window as long would fit.
    pub fn decide(&self, command: LayerCommand) -> Result<Vec<LayerEvent>, Refusal> {
        match command {
            LayerCommand::Take(tenure) => {
                if let Some(holder) = self.overlapping(&tenure) {
                    let earliest = self.earliest(&tenure);
                    return Err(Refusal::rule(
                        "layer.held",
                        format!("layer {}", self.id),
                        format!("{} holds it from {} until {}", holder.code, holder.window.from, holder.window.until),
                        format!("start at {earliest} or later, or stop {}", holder.code),
                    ));
                }
                Ok(vec![LayerEvent::LayerTaken { tenure }])
            }
            LayerCommand::HandOver { from, to } => self.hand_over(from, to),
            LayerCommand::Release { experiment, reason } => {
                if self.tenures.iter().any(|t| t.experiment == experiment) {
                    Ok(vec![LayerEvent::LayerReleased { experiment, reason }])
                } else {
                    Err(Refusal::nothing(format!("layer {}", self.id), "that experiment does not hold it"))
                }
            }
        }
    }

    /// Puts one in the place of another, cut where the next one begins. Refuses where a third holds it by now.
    fn hand_over(&self, from: ExperimentId, mut to: Tenure) -> Result<Vec<LayerEvent>, Refusal> {
        let others = || self.tenures.iter().filter(|t| t.experiment != from && t.experiment != to.experiment);
        if let Some(holder) = others().find(|t| t.window.holds(to.window.from)) {
            return Err(Refusal::rule(
                "layer.held",
                format!("layer {}", self.id),
                format!("{} holds it from {} until {}", holder.code, holder.window.from, holder.window.until),
                format!("wait until it is free, or stop {}", holder.code),
            ));
        }
        let moment = crate::time::Span::from_micros(1);
        let next = others().map(|t| t.window.from).filter(|begin| *begin > to.window.from).min();
        if let Some(next) = next {
            to.window.until = to.window.until.min(next.minus(moment));
        }
        let mut events = Vec::new();
        if self.tenures.iter().any(|t| t.experiment == from) {
            events.push(LayerEvent::LayerReleased { experiment: from, reason: format!("handed over to {}", to.code) });
        }
        events.push(LayerEvent::LayerTaken { tenure: to });
        Ok(events)
    }

    fn overlapping(&self, asked: &Tenure) -> Option<&Tenure> {
        self.tenures.iter().find(|t| {
            t.experiment != asked.experiment
                && t.window.from <= asked.window.until
                && asked.window.from <= t.window.until
        })
    }

    /// Returns the earliest start, not before the one asked for, at which a window as long is free.
    pub fn earliest(&self, asked: &Tenure) -> UtcTime {
        let length = asked.window.until.since(asked.window.from);
        let mut others: Vec<&Tenure> = self.tenures.iter().filter(|t| t.experiment != asked.experiment).collect();
        others.sort_by_key(|t| t.window.from);
        let moment = crate::time::Span::from_micros(1);
        others.iter().fold(asked.window.from, |start, other| {
            let clear = start.plus(length) < other.window.from || other.window.until < start;
            if clear { start } else { other.window.until.plus(moment) }
        })
    }

    /// Tells whether an experiment holds the layer at a moment.
    pub fn holds(&self, experiment: ExperimentId, at: UtcTime) -> bool {
        self.tenures.iter().any(|t| t.experiment == experiment && t.window.holds(at))
    }
}

impl Aggregate for Layer {
    type Event = LayerEvent;
    const KIND: StreamKind = StreamKind::Layer;

    fn begin(event: &LayerEvent) -> Option<Self> {
        if let LayerEvent::LayerOpened { id } = event {
            Some(Self { id: id.clone(), tenures: Vec::new() })
        } else {
            None
        }
    }

    fn apply(&mut self, event: &LayerEvent) {
        match event {
            LayerEvent::LayerOpened { id } => self.id = id.clone(),
            LayerEvent::LayerTaken { tenure } => {
                self.tenures.retain(|t| t.experiment != tenure.experiment);
                self.tenures.push(tenure.clone());
                self.tenures.sort_by_key(|t| t.window.from);
            }
            LayerEvent::LayerReleased { experiment, .. } => self.tenures.retain(|t| t.experiment != *experiment),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::fold;
    use crate::time::Span;
    use proptest::prelude::*;

    fn layer() -> Layer {
        let id = LayerId {
            client: "acme".parse().unwrap(),
            surface: SurfaceId("bluesky_post".to_owned()),
            variable: Facet::Hook,
        };
        fold(None, &[LayerEvent::LayerOpened { id }]).unwrap()
    }

    fn tenure(n: u8, from: i64, until: i64) -> Tenure {
        let at = |s: i64| UtcTime::from_micros(0).plus(Span::seconds(s));
        Tenure {
            experiment: ExperimentId::new(at(0), [n; 10]),
            code: format!("ACM-{n:03}"),
            window: Window { from: at(from), until: at(until) },
        }
    }

    #[test]
    fn a_second_experiment_is_told_holder_end_and_earliest_start() {
        let layer = layer();
        let layer = fold(Some(layer.clone()), &layer.decide(LayerCommand::Take(tenure(1, 0, 100))).unwrap()).unwrap();
        let refusal = layer.decide(LayerCommand::Take(tenure(2, 50, 80))).unwrap_err();
        assert!(refusal.why.contains("ACM-001") && refusal.why.contains("00:01:40"), "{refusal}");
        assert!(refusal.mend.contains("00:01:40.000001"), "{refusal}");
        assert!(layer.decide(LayerCommand::Take(tenure(2, 101, 130))).is_ok());
        assert!(layer.decide(LayerCommand::Take(tenure(1, 10, 120))).is_ok(), "the holder may move");
    }

    #[test]
    fn a_layer_is_handed_over_without_a_gap_and_never_over_a_third() {
        let layer = [tenure(1, 0, 100), tenure(3, 300, 400)].into_iter().fold(layer(), |layer, tenure| {
            fold(Some(layer.clone()), &layer.decide(LayerCommand::Take(tenure)).unwrap()).unwrap()
        });
        let from = tenure(1, 0, 0).experiment;
        let over = |to: Tenure| layer.decide(LayerCommand::HandOver { from, to });
        let after = fold(Some(layer.clone()), &over(tenure(2, 50, 900)).unwrap()).unwrap();
        let held: Vec<&str> = after.tenures.iter().map(|t| t.code.as_str()).collect();
        assert_eq!(held, ["ACM-002", "ACM-003"]);
        assert!(after.tenures[0].window.until < after.tenures[1].window.from, "cut where the next one begins");
        assert!(after.decide(LayerCommand::Take(tenure(4, 60, 70))).is_err(), "nobody slips in");
        let refusal = over(tenure(2, 350, 500)).unwrap_err();
        assert!(refusal.why.starts_with("ACM-003 holds it"), "{refusal}");
    }

    proptest! {
        #[test]
        fn tenures_never_overlap_and_the_earliest_start_is_free(asks in proptest::collection::vec((0_u8..6, 0_i64..300, 1_i64..60, proptest::bool::ANY), 1..25)) {
            let mut layer = layer();
            for (n, from, length, release) in asks {
                let asked = tenure(n, from, from + length);
                let command = if release {
                    LayerCommand::Release { experiment: asked.experiment, reason: "x".to_owned() }
                } else {
                    LayerCommand::Take(asked.clone())
                };
                let free = !release && layer.overlapping(&asked).is_none();
                match layer.decide(command) {
                    Ok(events) => layer = fold(Some(layer), &events).unwrap(),
                    Err(_) if release => {}
                    Err(_) => {
                        prop_assert!(!free);
                        let start = layer.earliest(&asked);
                        let moved = Tenure { window: Window { from: start, until: start.plus(asked.window.until.since(asked.window.from)) }, ..asked };
                        prop_assert!(layer.overlapping(&moved).is_none());
                    }
                }
                for pair in layer.tenures.windows(2) {
                    prop_assert!(pair[0].window.until < pair[1].window.from);
                }
            }
        }
    }
}
