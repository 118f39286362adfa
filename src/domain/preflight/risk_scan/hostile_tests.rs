//! RiskScan against texts made to break it: hidden characters, endless accents, very long captions.

use proptest::prelude::*;

use super::embedded::shared;
use super::finding::{RiskFinding, Severity};
use super::post::{FacetName, ScanInput};

fn post(facets: Vec<(FacetName, String)>) -> ScanInput {
    ScanInput {
        facets,
        locale: "en".into(),
        platform: "instagram".into(),
        industries: vec!["health".into(), "finance".into()],
        image_text_known: true,
        ..ScanInput::default()
    }
}

fn caption(text: &str) -> ScanInput {
    post(vec![(FacetName::Caption, text.to_owned())])
}

fn rules(post: &ScanInput) -> Vec<String> {
    shared().scan(post).into_iter().map(|finding| finding.rule).collect()
}

/// Every span lies in its facet on character boundaries, in order, and says the same in bytes and characters.
fn spans_hold(post: &ScanInput, findings: &[RiskFinding]) {
    for finding in findings {
        let mut last: Option<(FacetName, usize, usize)> = None;
        for span in &finding.spans {
            let (facet, text) = post.facets.get(span.part).expect("a facet of the post");
            assert_eq!(*facet, span.facet);
            let before = text.get(..span.bytes.start).expect("a boundary");
            let within = text.get(span.bytes.clone()).expect("boundaries");
            assert!(!within.is_empty(), "{}: an empty span", finding.rule);
            assert_eq!(span.chars.start, before.chars().count());
            assert_eq!(span.chars.len(), within.chars().count());
            let place = (span.facet, span.part, span.bytes.start);
            assert!(last.is_none_or(|last| last < place), "{}: spans out of order", finding.rule);
            last = Some(place);
        }
        assert_eq!(finding.facet, finding.spans.first().map(|span| span.facet));
        assert!(finding.excerpt.chars().count() <= 121);
    }
    assert!(findings.is_sorted_by_key(|finding| finding.severity));
}

#[test]
fn hidden_characters_do_not_hide_a_claim_and_the_range_is_of_the_original() {
    let text = "Tea \u{202E}c\u{200B}u\u{200D}r\u{AD}e\u{FE0F}s\u{202C} cancer!";
    let post = caption(text);
    let findings = shared().scan(&post);
    let cure = findings.iter().find(|finding| finding.rule == "health.disease-cure").expect("a finding");
    let span = cure.spans.first().expect("a span");
    let found = text.get(span.bytes.clone()).expect("boundaries");
    assert!(found.starts_with('c') && found.ends_with("cancer"), "{found:?}");
    spans_hold(&post, &findings);
}

#[test]
fn disguises_do_not_hide_a_claim() {
    for text in [
        "Our tea ｃｕｒｅｓ cancer",
        "Our tea сurеs cаncеr",
        "Our tea c.u.r.e.s cancer",
        "Our tea cur3s canc3r",
        "Tea #CuresCancer",
        "c\u{0301}u\u{0336}res cancer",
    ] {
        assert!(rules(&caption(text)).contains(&"health.disease-cure".to_owned()), "{text}");
    }
}

#[test]
fn a_claim_split_over_facets_is_found_once_and_shown_in_both() {
    let post = post(vec![(FacetName::Caption, "Risk free.".into()), (FacetName::Hook, "Invest with us".into())]);
    let findings = shared().scan(&post);
    let split = findings.iter().find(|finding| finding.rule == "finance.guaranteed-return").expect("a finding");
    let parts: Vec<(FacetName, usize)> = split.spans.iter().map(|span| (span.facet, span.part)).collect();
    assert_eq!(parts, [(FacetName::Hook, 1), (FacetName::Caption, 0)]);
    assert_eq!(split.excerpt, "Invest with us");
    spans_hold(&post, &findings);
}

#[test]
fn a_negated_match_does_not_hide_the_claim_that_begins_inside_it() {
    assert!(rules(&caption("There is no cure like our tea that cures cancer")).contains(&"health.disease-cure".into()));
    assert!(!rules(&caption("There is no cure for cancer")).contains(&"health.disease-cure".into()));
}

#[test]
fn a_disclosure_counts_only_where_a_reader_sees_it() {
    let with = |facet, line: &str| {
        let mut post = post(vec![(FacetName::Caption, "Our casino is open tonight".into()), (facet, line.into())]);
        post.industries = vec!["gambling".into()];
        post.regions = vec!["UK".into()];
        rules(&post).contains(&"gambling.age-safer-line".to_owned())
    };
    let line = "18+ BeGambleAware.org";
    assert!(with(FacetName::Alt, line) && with(FacetName::FirstComment, line) && with(FacetName::Cta, "Come"));
    assert!(!with(FacetName::OnImage, line) && !with(FacetName::Hook, line) && !with(FacetName::Title, line));
}

#[test]
fn an_ad_label_counts_only_before_the_cut_or_in_the_title() {
    let found = |text: String, title: &str| {
        let facets = vec![(FacetName::Caption, text), (FacetName::Title, title.into())];
        rules(&post(facets)).contains(&"endorse.undisclosed".to_owned())
    };
    let gift = "They sent me this mist and I love it.";
    assert!(found(gift.into(), ""));
    assert!(!found(format!("#ad {gift}"), ""));
    assert!(!found(gift.into(), "Ad: my mist"));
    assert!(found(format!("{gift} {} #ad", "I really do. ".repeat(8)), ""));
}

#[test]
fn an_unknown_language_and_unknown_image_text_do_not_look_like_a_pass() {
    let mut post = caption("Bonjour");
    post.locale = "fr".into();
    post.image_text_known = false;
    post.asset_new = true;
    assert_eq!(rules(&post), ["scan.image-text-unknown", "scan.locale-unsupported"]);
    post.industries = vec!["food".into()];
    let severities: Vec<Severity> = shared().scan(&post).iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Warn, Severity::Info]);
    post.asset_new = false;
    post.locale = "de-AT".into();
    assert_eq!(rules(&post), Vec::<String>::new());
}

#[test]
fn a_paid_post_of_a_barred_trade_is_found_without_a_word() {
    let mut post = caption("Hello");
    (post.industries, post.platform, post.sponsored) = (vec!["alcohol".into()], "tiktok".into(), true);
    let findings = shared().scan(&post);
    assert!(findings.iter().any(|finding| finding.rule == "alcohol.tiktok-branded" && finding.facet.is_none()));
    spans_hold(&post, &findings);
}

#[test]
fn a_card_number_is_found_as_typed() {
    assert_eq!(rules(&caption("Pay 4111 1111 1111 1111 12/27")), ["pii.card-number"]);
    assert!(rules(&caption("Call 4111 1111 1111 1112")).is_empty());
}

#[test]
fn very_long_texts_are_scanned_to_the_end() {
    let claim = " Our tea cures cancer.";
    let pads = [
        "a ".repeat(25_000),
        "e\u{0301}".repeat(25_000),
        format!("e{}", "\u{0301}".repeat(50_000)),
        "\u{202E}\u{200B}".repeat(25_000),
        "5,000,".repeat(8_000),
        "#AbCd1_".repeat(7_000),
        "4111 ".repeat(10_000),
        "no not never cure the ".repeat(2_300),
        "no cure for cancer ".repeat(2_600),
        "guaranteed risk free returns lose 5 kg in 2 days free £40 ".repeat(850),
        "https://a.b/".repeat(4_000),
    ];
    for pad in pads {
        let post = caption(&format!("{pad}{claim}"));
        let findings = shared().scan(&post);
        assert!(
            findings.iter().any(|finding| finding.rule == "health.disease-cure"),
            "not found after {:?}",
            pad.chars().take(20).collect::<String>()
        );
        spans_hold(&post, &findings);
    }
}

fn facet() -> impl Strategy<Value = FacetName> {
    prop::sample::select(vec![
        FacetName::Hook,
        FacetName::Caption,
        FacetName::Title,
        FacetName::OnImage,
        FacetName::FirstComment,
    ])
}

/// Words that rules look for, among anything Unicode holds.
fn words() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "cures cancer",
        "guaranteed",
        "returns",
        "lose 5 kg",
        "in 2 days",
        "no",
        "don't",
        "¶",
        "3.000 €",
        "50 %",
        "#WeightLoss",
        "g-u-a-r-a-n-t-e-e-d",
        "pr0fits",
        "4111 1111 1111 1111",
        "a@b.co, c@d.co",
        "\u{200B}",
        "\u{0301}",
        "ﷺ",
        "ß",
        "İ",
        "www.x.y",
        "free",
        "!",
        ".",
        "\n",
        " ",
    ]);
    prop::collection::vec(prop_oneof![known.prop_map(str::to_owned), any::<String>()], 0..12)
        .prop_map(|parts| parts.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_spans_of_the_original_and_the_same_ones_again(facets in prop::collection::vec((facet(), words()), 0..4)) {
        let post = post(facets);
        let findings = shared().scan(&post);
        spans_hold(&post, &findings);
        prop_assert_eq!(&shared().scan(&post), &findings);
    }

    #[test]
    fn any_text_has_claims_that_equal_themselves(text in words()) {
        let post = caption(&text);
        prop_assert_eq!(shared().claim_changes(&post, std::slice::from_ref(&text)), vec![]);
    }
}
