//! The reference set: the assignments among which a test has to compare the observed one.
//!
//! Decides which assignments those are: only the labels of one test variant and the control move, only among comparable
//! posts, only inside blocks, and only so that the whole plan stays admissible under its recorded limits. What is
//! computed over the set (p values, intervals) is inference and not here.
//!
//! Invariant: the observed assignment belongs to the set.

use super::assign::{Assignment, Layout};
use super::blocks::members;
use super::restriction::{Limits, check_labels, is_admissible};
use super::size::{Attainability, Counting, choose};
use super::slot::{Slot, check_slots};
use super::{DesignError, as_f64, check_variants};
use crate::draw::Draw;

/// Up to this many unrestricted assignments, a set is enumerated; beyond, it is drawn from.
pub const ENUMERATION_MAX: u32 = 200_000;

/// Draws by which the admissible share of a set too large to enumerate is estimated.
const SHARE_DRAWS: u32 = 5_000;

/// The assignments that a comparison of `test` with `control` rests on.
#[derive(Debug, Clone)]
pub struct ReferenceSet<'a> {
    slots: &'a [Slot],
    labels: &'a [usize],
    limits: Option<Limits>,
    variants: usize,
    control: usize,
    test: usize,
    /// Per block, the positions whose labels move.
    movers: Vec<Vec<usize>>,
}

impl<'a> ReferenceSet<'a> {
    /// Takes a plan as it was drawn, and which of its posts are comparable.
    ///
    /// # Errors
    /// Names the argument when lengths differ, a variant is unknown, or `control` and `test` are the same; refuses
    /// Williams layouts, whose set is their row orders and namings.
    pub fn new(
        plan: &'a Assignment,
        slots: &'a [Slot],
        variants: usize,
        (control, test): (usize, usize),
        comparable: &[bool],
    ) -> Result<Self, DesignError> {
        check_variants(variants)?;
        check_slots(slots)?;
        check_labels(&plan.labels, slots.len(), variants)?;
        match plan.layout {
            Layout::Blocks => {}
            Layout::Williams => return Err(DesignError::NotInBlocks),
        }
        for (argument, found) in [("control", control), ("test", test)] {
            if found >= variants {
                return Err(DesignError::UnknownVariant { argument, found, variants });
            }
        }
        if control == test {
            return Err(DesignError::SameVariant { found: test });
        }
        for (argument, found) in [("comparable", comparable.len()), ("plan.blocks", plan.blocks.len())] {
            if found != slots.len() {
                return Err(DesignError::Length { argument, found, expected: slots.len() });
            }
        }
        let moves = |at: &usize| {
            comparable.get(*at) == Some(&true)
                && plan.labels.get(*at).is_some_and(|&label| label == control || label == test)
        };
        let movers = members(&plan.blocks).into_iter().map(|block| block.into_iter().filter(moves).collect()).collect();
        Ok(Self { slots, labels: &plan.labels, limits: plan.limits, variants, control, test, movers })
    }

    /// Returns how many assignments there are before the restriction.
    pub fn unrestricted(&self) -> f64 {
        self.movers.iter().map(|block| choose(block.len(), self.controls(block))).product()
    }

    /// Visits every assignment of the set, the observed one among them, in a fixed order, and returns how many there are;
    /// `None`, and no visit, when there are more than [`ENUMERATION_MAX`] before the restriction.
    pub fn for_each(&self, mut visit: impl FnMut(&[usize])) -> Option<u32> {
        if self.unrestricted() > f64::from(ENUMERATION_MAX) {
            return None;
        }
        let blocks: Vec<Vec<Vec<usize>>> = self.movers.iter().map(|block| self.orders(block)).collect();
        let mut labels = self.labels.to_vec();
        let mut found = 0;
        self.combine(&blocks, &self.movers, &mut labels, &mut |labels| {
            if self.holds(labels) {
                found += 1;
                visit(labels);
            }
        });
        Some(found)
    }

    /// Draws one assignment with the labels moved at random, admissible or not.
    pub fn shuffled(&self, draw: &mut Draw) -> Vec<usize> {
        let mut labels = self.labels.to_vec();
        for block in &self.movers {
            let mut moved: Vec<usize> = block.iter().filter_map(|&at| self.labels.get(at).copied()).collect();
            draw.shuffle(&mut moved);
            place(&mut labels, block, &moved);
        }
        labels
    }

    /// Whether an assignment with moved labels belongs to the set.
    pub fn holds(&self, labels: &[usize]) -> bool {
        labels == self.labels
            || self.limits.is_none_or(|limits| is_admissible(self.slots, labels, self.variants, &limits))
    }

    /// Returns the smallest p that this comparison could ever give, and whether that reaches `alpha` after dividing it
    /// among the test variants.
    ///
    /// Exact where the set can be enumerated; else from the admissible share of 5,000 draws with a fixed seed.
    ///
    /// # Errors
    /// Names `alpha` when it is no level.
    pub fn attainability(&self, alpha: f64) -> Result<Attainability, DesignError> {
        if let Some(found) = self.for_each(|_| {}) {
            return Attainability::new(f64::from(found), Counting::Exact, self.variants, alpha);
        }
        let mut draw = Draw::new(0, 0);
        let admissible = (0..SHARE_DRAWS).filter(|_| self.holds(&self.shuffled(&mut draw))).count();
        let share = as_f64(admissible) / f64::from(SHARE_DRAWS);
        Attainability::new((self.unrestricted() * share).max(1.0), Counting::Estimated, self.variants, alpha)
    }

    fn controls(&self, block: &[usize]) -> usize {
        block.iter().filter(|&&at| self.labels.get(at) == Some(&self.control)).count()
    }

    /// Every way to label one block's movers.
    fn orders(&self, block: &[usize]) -> Vec<Vec<usize>> {
        // Grows all prefixes by one label at a time, as long as there are labels of that kind left.
        let controls = self.controls(block);
        let tests = block.len() - controls;
        let mut orders = vec![(Vec::with_capacity(block.len()), controls, tests)];
        for _ in block {
            let mut longer = Vec::with_capacity(orders.len() * 2);
            for (order, controls, tests) in orders {
                if controls > 0 {
                    longer.push((with(&order, self.control), controls - 1, tests));
                }
                if tests > 0 {
                    longer.push((with(&order, self.test), controls, tests - 1));
                }
            }
            orders = longer;
        }
        orders.into_iter().map(|(order, ..)| order).collect()
    }

    /// Goes through all combinations of the blocks' orders. As deep as there are blocks.
    fn combine(
        &self,
        orders: &[Vec<Vec<usize>>],
        movers: &[Vec<usize>],
        labels: &mut [usize],
        visit: &mut impl FnMut(&[usize]),
    ) {
        let (Some((first, orders)), Some((block, movers))) = (orders.split_first(), movers.split_first()) else {
            visit(labels);
            return;
        };
        for order in first {
            place(labels, block, order);
            self.combine(orders, movers, labels, visit);
        }
    }
}

fn with(order: &[usize], label: usize) -> Vec<usize> {
    let mut longer = order.to_vec();
    longer.push(label);
    longer
}

fn place(labels: &mut [usize], block: &[usize], moved: &[usize]) {
    for (&at, &new) in block.iter().zip(moved) {
        if let Some(label) = labels.get_mut(at) {
            *label = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::blocks::tests::slots;
    use super::*;
    use crate::design::{AssignInput, BlockRule, CarryOver, EarlyStop, assign};

    fn plan(slots: &[Slot], variants: usize, early_stop: EarlyStop) -> Assignment {
        let posts_per_variant = slots.len() / variants;
        let (blocks, carry_over) = (BlockRule::Usual, CarryOver::NotAsked);
        assign(&AssignInput { slots, variants, posts_per_variant, blocks, carry_over, early_stop }, 9).unwrap()
    }

    #[test]
    fn each_assignment_of_the_set_is_visited_once_and_keeps_its_blocks() {
        let slots = slots("mememememememememe");
        let plan = plan(&slots, 3, EarlyStop::Off);
        let set = ReferenceSet::new(&plan, &slots, 3, (0, 2), &[true; 18]).unwrap();
        let mut seen = BTreeSet::new();
        let found = set
            .for_each(|labels| {
                assert!(seen.insert(labels.to_vec()));
                for (at, (&new, &old)) in labels.iter().zip(&plan.labels).enumerate() {
                    assert_eq!(new == 1, old == 1, "slot {at}: other variants stay");
                }
            })
            .unwrap();
        assert_eq!(usize::try_from(found).unwrap(), seen.len());
        assert!(seen.contains(&plan.labels));
        assert!(f64::from(found) < set.unrestricted());
        assert!(seen.contains(&plan.labels));
    }

    #[test]
    fn posts_that_are_not_comparable_keep_their_labels() {
        let slots = slots("mmmmmm");
        let plan = plan(&slots, 2, EarlyStop::Off);
        let mut comparable = [true; 6];
        comparable[2] = false;
        let set = ReferenceSet::new(&plan, &slots, 2, (0, 1), &comparable).unwrap();
        assert_eq!(set.for_each(|labels| assert_eq!(labels[2], plan.labels[2])), Some(10));
        assert!(set.holds(&set.shuffled(&mut Draw::new(1, 0))));
        assert_eq!(ReferenceSet::new(&plan, &slots, 2, (0, 1), &[false; 6]).unwrap().for_each(|_| {}), Some(1));
    }

    #[test]
    fn sets_too_large_to_enumerate_are_estimated() {
        let slots = slots(&"m".repeat(40));
        let armed = plan(&slots, 2, EarlyStop::Armed);
        let set = ReferenceSet::new(&armed, &slots, 2, (0, 1), &[true; 40]).unwrap();
        assert_eq!(set.for_each(|_| panic!("visited")), None);
        let free = set.attainability(0.05).unwrap();
        assert_eq!((free.assignments, free.counting), (6.0_f64.powi(10), Counting::Estimated));
        let restricted = plan(&slots, 2, EarlyStop::Off);
        let set = ReferenceSet::new(&restricted, &slots, 2, (0, 1), &[true; 40]).unwrap();
        let found = set.attainability(0.05).unwrap();
        assert!(found.reachable && found.assignments <= free.assignments && found.assignments > 1e6);
    }

    #[test]
    fn the_same_or_unknown_variants_are_refused() {
        let slots = slots("mmmmmm");
        let plan = plan(&slots, 2, EarlyStop::Off);
        let refused = |pair| ReferenceSet::new(&plan, &slots, 2, pair, &[true; 6]).unwrap_err().to_string();
        assert!(refused((1, 1)).contains("the same variant, 1"));
        assert!(refused((2, 1)).contains("`control` names variant 2"));
        assert!(refused((0, 2)).contains("`test` names variant 2"));
        let short = ReferenceSet::new(&plan, &slots, 2, (0, 1), &[true; 5]).unwrap_err();
        assert_eq!(short, DesignError::Length { argument: "comparable", found: 5, expected: 6 });
        let rows = Assignment { layout: Layout::Williams, ..plan.clone() };
        assert_eq!(ReferenceSet::new(&rows, &slots, 2, (0, 1), &[true; 6]).unwrap_err(), DesignError::NotInBlocks);
    }
}
