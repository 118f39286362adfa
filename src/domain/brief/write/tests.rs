//! What is written reads back equal, whatever the text in it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::approval::ApprovalLevel;
use crate::brief::{
    Blocks, Direction, GuardrailAction, GuardrailLimit, Kind, Platform, Proxy, RunWindow, SIGNALS, SurfaceId,
    TEMPLATES, read,
};
use crate::text::Untrusted;
use crate::time::UtcTime;
use crate::variant::{Facet, Lane, SurfaceSettings};

#[test]
fn every_template_reads_back_as_it_was_written() {
    for template in TEMPLATES {
        let brief = read(template.text).unwrap();
        let written = write(&brief);
        assert_eq!(read(&written).unwrap(), brief, "{written}");
        assert_eq!(write(&read(&written).unwrap()), written, "written twice, the same");
    }
}

#[test]
fn nothing_hidden_is_written_as_itself() {
    let mut brief = read(TEMPLATES[0].text).unwrap();
    let hostile = "a\u{202E}b\u{200B}c\u{1B}[2Jd\u{FEFF}e\u{E0041}f\u{85}g\"\"\"h\\i\n\"\"\"\n\r\nj\t";
    brief.hypothesis = Untrusted::new(hostile);
    let written = write(&brief);
    assert!(written.chars().all(|c| c == '\n' || !text_is_hidden(c)), "{written:?}");
    assert_eq!(read(&written).unwrap().hypothesis.raw(), hostile);
}

fn text_is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200B}' | '\u{202E}' | '\u{FEFF}' | '\u{E0041}')
}

#[test]
fn a_text_that_would_end_its_string_stays_text() {
    let mut brief = read(TEMPLATES[0].text).unwrap();
    for hostile in
        ["\"\nkind = \"lane\"\n\"", "x\n\"\"\"\nkind = 1", "\"", "\"\"\"\n", "\\", "\\\n\\", "'''\n", "# no\n[table]"]
    {
        brief.name = Untrusted::new(hostile);
        assert_eq!(read(&write(&brief)).unwrap(), brief, "{hostile:?}");
    }
}

/// Any text that a field takes: mostly strange characters.
fn words() -> impl Strategy<Value = Untrusted> {
    let strange = prop_oneof![
        Just('"'),
        Just('\\'),
        Just('\n'),
        Just('\r'),
        Just('\t'),
        Just('\''),
        Just('#'),
        Just('\u{1B}'),
        Just('\u{202E}'),
        Just('\u{200D}'),
        Just('😀'),
        any::<char>().prop_filter("no NUL", |c| *c != '\0'),
    ];
    proptest::collection::vec(strange, 0..12)
        .prop_map(|chars| Untrusted::new(format!("w{}", chars.into_iter().collect::<String>())))
}

fn facets() -> impl Strategy<Value = BTreeMap<Facet, Untrusted>> {
    let others = prop_oneof![Just(Facet::Caption), Just(Facet::Cta), Just(Facet::Hashtags), Just(Facet::Title)];
    (words(), proptest::collection::btree_map(others, words(), 0..3)).prop_map(|(hook, mut facets)| {
        facets.insert(Facet::Hook, hook);
        facets
    })
}

fn assets() -> impl Strategy<Value = Vec<AssetRef>> {
    let one =
        ("[a-z]{1,8}\\.png", words()).prop_map(|(file, alt)| AssetRef { file: file.into(), alt, facet: Facet::Format });
    proptest::collection::vec(one, 0..3)
}

fn variant(rounds: usize) -> impl Strategy<Value = VariantText> {
    let round = (facets(), assets()).prop_map(|(facets, assets)| RoundText { facets, assets });
    (facets(), assets(), proptest::collection::vec(round, rounds)).prop_map(|(facets, assets, rounds)| VariantText {
        facets,
        assets,
        rounds,
    })
}

fn plan() -> impl Strategy<Value = ExposurePlan> {
    let slots = (0_i64..1_000_000, 2_u32..4);
    (slots, any::<bool>(), 0_i64..31_536_000_000_000, words(), 1_i64..86_400_000_000).prop_map(
        |((jitter, posts), by_hand, spacing, lang, age)| {
            let start = UtcTime::from_micros(1_799_971_200_000_000);
            let slot = |i: u32| start.plus(Span::days(400).times(i64::from(i))).plus(Span::from_micros(jitter));
            ExposurePlan {
                account: "acme-bs".parse().unwrap(),
                lane: Lane::Hybrid,
                posts_per_variant: posts,
                times: if by_hand { vec![] } else { vec!["09:10".to_owned(), "00:00".to_owned()] },
                days: if by_hand { vec![] } else { vec!["sun".to_owned()] },
                slots: if by_hand { (0..posts * 3).map(slot).collect() } else { vec![] },
                spacing: (spacing % 2 == 0).then(|| Span::from_micros(spacing)),
                blocks: if by_hand { Blocks::Pairs } else { Blocks::Wide },
                repeat: by_hand,
                snapshot_ages: vec![SnapshotAge(Span::from_micros(age)), SnapshotAge(Span::days(2))],
                rounds: vec![],
                settings: SurfaceSettings {
                    langs: vec![lang.raw().chars().take(30).collect()],
                    labels: vec![],
                    sponsored: by_hand,
                    synthetic: !by_hand,
                },
            }
        },
    )
}

fn brief() -> impl Strategy<Value = Brief> {
    let variants =
        (0_usize..3).prop_flat_map(|rounds| (variant(rounds), proptest::collection::vec(variant(rounds), 2)));
    (words(), words(), variants, plan(), 0.0_f64..1e300).prop_map(
        |(name, hypothesis, (control, tests), plan, limit)| {
            let proxy = |metric: &str, direction| Proxy {
                metric: metric.to_owned(),
                direction,
                age: SnapshotAge(Span::days(2)),
            };
            Brief {
                kind: Kind::Micro,
                name,
                client: "acme".parse().unwrap(),
                platforms: vec![Platform::Bluesky],
                surface: SurfaceId("bluesky_post".to_owned()),
                hypothesis,
                variable_under_test: Facet::Hook,
                control_variant: control,
                test_variants: tests,
                success_proxies: vec![proxy("replyCount", Direction::Up), proxy("repostCount", Direction::Down)],
                guardrails: SIGNALS
                    .iter()
                    .map(|signal| GuardrailLimit { signal: (*signal).to_owned(), limit, action: GuardrailAction::Warn })
                    .collect(),
                run_window: RunWindow {
                    start: UtcTime::from_micros(1_799_971_200_000_000),
                    end: UtcTime::from_micros(4_102_444_799_000_001),
                },
                stop_conditions: vec![StopCondition::FewerThan { posts: 3 }, StopCondition::FailedPosts { limit: 1 }],
                approval_level: ApprovalLevel::Manual,
                exposure_plan: plan,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_written_reads_back_equal(brief in brief()) {
        let written = write(&brief);
        match read(&written) {
            Ok(back) => prop_assert_eq!(back, brief),
            Err(problems) => prop_assert!(false, "{}\n{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), written),
        }
    }
}
