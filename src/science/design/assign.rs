//! The assignment: the draw of labels, and its record.
//!
//! Decides the label of every slot from a seed, in blocks or in Williams rows. A second draw for the same plan is not
//! decided here: it needs a reason and is an event of the experiment, and the first seed stays in the log.
//!
//! Invariant: the record alone says how the labels came about; drawing again from its seed gives the same record.

use serde::{Deserialize, Serialize};

use super::blocks::{BlockRule, blocks, members};
use super::restriction::{Limits, RESTRICTED_FROM, is_admissible};
use super::slot::{Slot, check_slots};
use super::williams::{williams, williams_rows};
use super::{DesignError, POSTS_MAX, check_variants};
use crate::draw::{Draw, GENERATOR};

/// Draws by which it is judged whether limits are too strict.
const PILOT_DRAWS: u32 = 5_000;

/// Of those, how many have to be admissible (1 %).
const PILOT_ADMISSIBLE_MIN: u32 = 50;

/// Draws of labels under one set of limits. With 1 % admissible, not met within this many once in 10⁴³⁶ seeds; then the
/// limits are widened as if the pilot had failed.
const TRIES_MAX: u32 = 100_000;

/// The seed's stream of labels, and the one of pilot draws: how many pilots were needed changes no label.
const LABELS: u64 = 0;
const PILOT: u64 = 1;

/// Whether a post is expected to act on the one after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CarryOver {
    #[default]
    NotAsked,
    /// The brief asks for rows in which every variant follows every other one equally often.
    Asked,
}

/// Whether the experiment may stop early for a winner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyStop {
    #[default]
    Off,
    /// Blocks must then be independent, so that no restriction ties them together.
    Armed,
}

/// What labels are drawn for.
#[derive(Debug, Clone, Copy)]
pub struct AssignInput<'a> {
    /// In time order; as many as `variants × posts_per_variant`.
    pub slots: &'a [Slot],
    pub variants: usize,
    pub posts_per_variant: usize,
    pub blocks: BlockRule,
    pub carry_over: CarryOver,
    pub early_stop: EarlyStop,
}

/// How the slots were grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Labels shuffled inside blocks.
    Blocks,
    /// Each block is a row of a Williams design; the order of the rows and the naming of its letters were drawn.
    Williams,
}

/// The record of a draw, as it is kept in the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    pub seed: u64,
    /// Names the way from seed to labels: [`GENERATOR`] at the time.
    pub generator: String,
    pub layout: Layout,
    /// The block of each slot, from 0.
    pub blocks: Vec<usize>,
    /// The limits that were used, after any widening; `None` where the draw was not restricted.
    pub limits: Option<Limits>,
    /// The variant of each slot, from 0.
    pub labels: Vec<usize>,
    /// Draws under `limits` until one was admissible, that one counted.
    pub tries: u32,
}

/// Draws which variant goes into which slot.
///
/// Asked for carry-over, lays the slots out in Williams rows, unrestricted. Else shuffles inside blocks, and from 4
/// posts per variant on repeats that until the whole is admissible, unless early stopping is armed. If fewer than 1 % of
/// 5,000 pilot draws are admissible, the limits are multiplied by 1.5 first, as often as needed.
///
/// # Errors
/// Names the argument: too few or many variants, slots that are not `variants × posts_per_variant` or not in time
/// order, forecasts for some only, posts per variant that no Williams design fits.
pub fn assign(input: &AssignInput<'_>, seed: u64) -> Result<Assignment, DesignError> {
    check(input)?;
    match input.carry_over {
        CarryOver::Asked => in_rows(input, seed),
        CarryOver::NotAsked => in_blocks(input, seed),
    }
}

fn check(input: &AssignInput<'_>) -> Result<(), DesignError> {
    check_variants(input.variants)?;
    let posts_max = POSTS_MAX / input.variants;
    if input.posts_per_variant == 0 || input.posts_per_variant > posts_max {
        return Err(DesignError::count("posts_per_variant", input.posts_per_variant, 1, posts_max));
    }
    let (found, expected) = (input.slots.len(), input.variants * input.posts_per_variant);
    if found != expected {
        return Err(DesignError::Length { argument: "slots", found, expected });
    }
    check_slots(input.slots)
}

fn in_rows(input: &AssignInput<'_>, seed: u64) -> Result<Assignment, DesignError> {
    let multiple = williams_rows(input.variants);
    if !input.posts_per_variant.is_multiple_of(multiple) {
        return Err(DesignError::CarryOver { posts_per_variant: input.posts_per_variant, multiple });
    }
    let mut draw = Draw::new(seed, LABELS);
    let design = williams(input.variants)?;
    let mut rows: Vec<&Vec<usize>> = design.iter().cycle().take(input.posts_per_variant).collect();
    draw.shuffle(&mut rows);
    let mut names: Vec<usize> = (0..input.variants).collect();
    draw.shuffle(&mut names);
    let labels = rows.into_iter().flatten().filter_map(|&letter| names.get(letter).copied()).collect();
    Ok(Assignment {
        seed,
        generator: GENERATOR.to_owned(),
        layout: Layout::Williams,
        blocks: blocks(input.slots, input.variants, BlockRule::Pairs)?,
        limits: None,
        labels,
        tries: 1,
    })
}

fn in_blocks(input: &AssignInput<'_>, seed: u64) -> Result<Assignment, DesignError> {
    let blocks = blocks(input.slots, input.variants, input.blocks)?;
    let plan = Blocked { slots: input.slots, variants: input.variants, members: members(&blocks) };
    let mut draw = Draw::new(seed, LABELS);
    let restricted = input.posts_per_variant >= RESTRICTED_FROM && input.early_stop == EarlyStop::Off;
    let (labels, limits, tries) = if restricted {
        let (labels, limits, tries) = plan.restricted(&mut draw, seed);
        (labels, Some(limits), tries)
    } else {
        (plan.shuffled(&mut draw), None, 1)
    };
    Ok(Assignment { seed, generator: GENERATOR.to_owned(), layout: Layout::Blocks, blocks, limits, labels, tries })
}

/// Slots in blocks, waiting for labels.
struct Blocked<'a> {
    slots: &'a [Slot],
    variants: usize,
    members: Vec<Vec<usize>>,
}

impl Blocked<'_> {
    /// One draw: inside each block every variant equally often, in an order from the stream.
    fn shuffled(&self, draw: &mut Draw) -> Vec<usize> {
        let mut labels = vec![0; self.slots.len()];
        for positions in &self.members {
            let mut block: Vec<usize> = (0..self.variants).cycle().take(positions.len()).collect();
            draw.shuffle(&mut block);
            for (&at, variant) in positions.iter().zip(block) {
                if let Some(label) = labels.get_mut(at) {
                    *label = variant;
                }
            }
        }
        labels
    }

    /// Draws until one is admissible. Ends: wide enough limits admit everything, as shares and forecasts are bounded.
    fn restricted(&self, draw: &mut Draw, seed: u64) -> (Vec<usize>, Limits, u32) {
        let mut pilot = Draw::new(seed, PILOT);
        let mut limits = Limits::FIRST;
        loop {
            if self.enough_admissible(&mut pilot, &limits) {
                for tries in 1..=TRIES_MAX {
                    let labels = self.shuffled(draw);
                    if is_admissible(self.slots, &labels, self.variants, &limits) {
                        return (labels, limits, tries);
                    }
                }
            }
            limits = limits.widened();
        }
    }

    /// Whether 1 % of the pilot draws are admissible; stops as soon as that many were seen.
    fn enough_admissible(&self, pilot: &mut Draw, limits: &Limits) -> bool {
        let mut found = 0;
        for _ in 0..PILOT_DRAWS {
            let labels = self.shuffled(pilot);
            found += u32::from(is_admissible(self.slots, &labels, self.variants, limits));
            if found == PILOT_ADMISSIBLE_MIN {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::blocks::tests::slots;
    use super::super::williams::tests::neighbours;
    use super::*;
    use crate::design::admissible;

    /// Labels and tries worked out by a second implementation, in another language.
    const GOLDEN: &str = concat!(
        r#"{"seed":11,"generator":"chacha12/fisher-yates/1","layout":"blocks","blocks":[0,0,0,0,0,0,0,0,0,0],"#,
        r#""limits":{"bands":0.4,"positions":0.2,"forecasts":0.25},"labels":[1,0,0,1,0,0,1,1,0,1],"tries":5}"#
    );

    fn input(slots: &[Slot], variants: usize) -> AssignInput<'_> {
        AssignInput {
            slots,
            variants,
            posts_per_variant: slots.len() / variants,
            blocks: BlockRule::Usual,
            carry_over: CarryOver::NotAsked,
            early_stop: EarlyStop::Off,
        }
    }

    #[test]
    fn a_seed_gives_the_same_plan_for_ever() {
        let found = assign(&input(&slots("mememememe"), 2), 11).unwrap();
        assert_eq!(serde_json::to_string(&found).unwrap(), GOLDEN, "stored plans could no longer be drawn again");
        assert_eq!(serde_json::from_str::<Assignment>(GOLDEN).unwrap(), found);
    }

    #[test]
    fn fewer_than_four_posts_and_armed_early_stops_are_not_restricted() {
        let few = slots("mmmmmm");
        assert_eq!(assign(&input(&few, 2), 1).unwrap().limits, None);
        let many = slots(&"m".repeat(20));
        let armed = AssignInput { early_stop: EarlyStop::Armed, ..input(&many, 2) };
        assert_eq!(assign(&armed, 1).unwrap().limits, None);
        assert_eq!(assign(&input(&many, 2), 1).unwrap().limits, Some(Limits::FIRST));
    }

    #[test]
    fn limits_that_hardly_anything_meets_are_widened_and_recorded() {
        // One slot is worth e⁴⁰ times the others: no split of ten can balance it.
        let mut slots = slots("mmmmmmmmmm");
        for (at, slot) in slots.iter_mut().enumerate() {
            slot.forecast = Some(if at == 4 { 40.0 } else { 0.0 });
        }
        let found = assign(&input(&slots, 2), 5).unwrap();
        let limits = found.limits.unwrap();
        assert!(limits.forecasts >= 8.0 && limits.forecasts < 12.0, "{limits:?}");
        assert_eq!(admissible(&slots, &found.labels, 2, &limits), Ok(true));
    }

    #[test]
    fn admissible_shares_are_the_known_ones() {
        // By positions alone and by enumeration: k = 2, n = 5, one band; 252 assignments.
        let slots = slots("mnemnemnem");
        let (mut found, mut all) = (0, 0);
        for mask in 0_u32..1024 {
            if mask.count_ones() == 5 {
                let labels: Vec<usize> = (0..10).map(|at| usize::from(mask >> at & 1 == 1)).collect();
                all += 1;
                found += usize::from(admissible(&slots, &labels, 2, &Limits::FIRST).unwrap());
            }
        }
        assert_eq!(all, 252);
        assert!((45..=65).contains(&(found * 100 / all)), "{found} of {all}");
    }

    #[test]
    fn carry_over_lays_out_williams_rows() {
        for (variants, posts) in [(2, 2), (2, 10), (3, 6), (4, 8), (5, 10)] {
            let slots = slots(&"m".repeat(variants * posts));
            let asked = AssignInput { carry_over: CarryOver::Asked, ..input(&slots, variants) };
            let found = assign(&asked, 3).unwrap();
            assert_eq!((found.layout, found.limits, found.tries), (Layout::Williams, None, 1));
            let rows: Vec<Vec<usize>> = found.labels.chunks(variants).map(<[usize]>::to_vec).collect();
            let pairs = neighbours(&rows);
            assert_eq!(pairs.len(), variants * (variants - 1));
            assert!(pairs.values().all(|&count| count == posts / variants), "{variants} {posts} {pairs:?}");
            assert_ne!(found.labels, assign(&asked, 4).unwrap().labels);
        }
    }

    #[test]
    fn impossible_input_is_named() {
        let ten = slots("mmmmmmmmmm");
        let refused = |input: &AssignInput<'_>| assign(input, 1).unwrap_err().to_string();
        assert!(refused(&AssignInput { variants: 1, ..input(&ten, 2) }).contains("`variants` is 1"));
        assert!(refused(&AssignInput { posts_per_variant: 0, ..input(&ten, 2) }).contains("`posts_per_variant` is 0"));
        assert!(refused(&AssignInput { posts_per_variant: 4, ..input(&ten, 2) }).contains("10 entries where 8"));
        let asked = AssignInput { carry_over: CarryOver::Asked, posts_per_variant: 5, ..input(&ten, 2) };
        assert!(refused(&asked).contains("in multiples of 2; there are 5"));
        assert!(assign(&AssignInput { posts_per_variant: usize::MAX, ..input(&ten, 2) }, 1).is_err());
    }

    #[test]
    fn every_label_is_equally_likely_in_every_slot() {
        let slots = slots("mmmmmm");
        let mut seen: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
        for seed in 0..9_000 {
            *seen.entry(assign(&input(&slots, 3), seed).unwrap().labels).or_default() += 1;
        }
        assert_eq!(seen.len(), 90);
        // 100 each, standard deviation 10; five of them either way.
        assert!(seen.values().all(|count| (50..=150).contains(count)), "{seen:?}");
    }

    fn any_slots() -> impl Strategy<Value = (Vec<Slot>, usize)> {
        (2_usize..6, 1_usize..13).prop_flat_map(|(variants, posts)| {
            let letters = prop::collection::vec(prop::sample::select(vec!["m", "n", "e", "x"]), variants * posts);
            (letters.prop_map(|letters| slots(&letters.concat())), Just(variants))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_block_holds_every_variant_equally_often(
            (slots, variants) in any_slots(), pairs in any::<bool>(), seed in any::<u64>()
        ) {
            let rule = if pairs { BlockRule::Pairs } else { BlockRule::Usual };
            let found = assign(&AssignInput { blocks: rule, ..input(&slots, variants) }, seed).unwrap();
            for positions in members(&found.blocks) {
                for variant in 0..variants {
                    let count = positions.iter().filter(|&&at| found.labels[at] == variant).count();
                    prop_assert_eq!(count * variants, positions.len());
                }
            }
        }

        #[test]
        fn draws_are_admissible_and_repeatable((slots, variants) in any_slots(), seed in any::<u64>()) {
            let found = assign(&input(&slots, variants), seed).unwrap();
            let again = assign(&input(&slots, variants), seed).unwrap();
            prop_assert_eq!(serde_json::to_vec(&found).unwrap(), serde_json::to_vec(&again).unwrap());
            if let Some(limits) = found.limits {
                prop_assert_eq!(admissible(&slots, &found.labels, variants, &limits), Ok(true));
                // Calling the variants otherwise changes nothing.
                let renamed: Vec<usize> = found.labels.iter().map(|label| (label + 1) % variants).collect();
                prop_assert_eq!(admissible(&slots, &renamed, variants, &limits), Ok(true));
            }
        }
    }
}
