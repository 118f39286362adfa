//! RiskScan against the recorded answers of a reference: views, findings and claims, word for word.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::embedded::shared;
use super::finding::{ApprovalLevel, Severity};
use super::normalise::{Cell, normalise};
use super::pack::Packs;
use super::post::{FacetName, ScanInput};

const PORT: &str = include_str!("../../../../tests/oracles/risk/risk_port.json");
const PUBLIC: &str = include_str!("../../../../tests/oracles/risk/risk_public.json");
const INDEPENDENT: &str = include_str!("../../../../tests/oracles/risk/risk_independent_public.json");
const CLAIMS: &str = include_str!("../../../../tests/oracles/risk/risk_claims_public.json");

#[derive(Deserialize)]
struct Labelled {
    id: String,
    text: String,
    industry: String,
    region: String,
    platform: String,
    locale: String,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    verdict: String,
    families: Vec<String>,
}

/// Views and, in order of id, rule, severity, approval and missing labels.
#[derive(Deserialize)]
struct Ported {
    id: String,
    plain: String,
    second: String,
    findings: Vec<(String, Severity, ApprovalLevel, Vec<String>)>,
}

#[derive(Deserialize)]
struct Claimed {
    id: String,
    text: String,
    expect: Vec<(String, String)>,
}

fn labelled(text: &str) -> Vec<Labelled> {
    serde_json::from_str(text).expect("labelled captions")
}

fn post(case: &Labelled) -> ScanInput {
    ScanInput {
        facets: vec![(FacetName::Caption, case.text.clone())],
        locale: case.locale.clone(),
        platform: case.platform.clone(),
        industries: vec![case.industry.clone()],
        regions: vec![case.region.clone()],
        image_text_known: true,
        ..ScanInput::default()
    }
}

fn written(cells: &[Cell]) -> String {
    cells.iter().map(|cell| cell.c).collect()
}

fn verdict(packs: &Packs, case: &Labelled) -> (&'static str, Vec<String>) {
    let findings = packs.scan(&post(case));
    let word = match findings.iter().map(|finding| finding.severity).min() {
        Some(Severity::Block) => "block",
        Some(Severity::Warn) => "warn",
        Some(Severity::Info) | None => "pass",
    };
    (word, findings.into_iter().map(|finding| finding.family).collect())
}

#[test]
fn views_and_findings_are_those_of_the_reference() {
    let packs = shared();
    let cases: BTreeMap<String, Labelled> = labelled(PUBLIC).into_iter().map(|case| (case.id.clone(), case)).collect();
    let ported: Vec<Ported> = serde_json::from_str(PORT).expect("the reference's answers");
    let mut wrong = Vec::new();
    for expected in &ported {
        let case = cases.get(&expected.id).expect("the caption of an answer");
        let views = normalise(&case.text, &case.locale);
        let plain = written(&views.plain);
        let second = views.second.as_deref().map_or_else(|| plain.clone(), written);
        if (&plain, &second) != (&expected.plain, &expected.second) {
            wrong.push(format!(
                "{}: views\n  {plain}\n  {second}\n  {}\n  {}",
                case.id, expected.plain, expected.second
            ));
        }
        let mut findings: Vec<_> = packs
            .scan(&post(case))
            .into_iter()
            .map(|found| (found.rule, found.severity, found.approval, found.missing))
            .collect();
        findings.sort();
        if findings != expected.findings {
            wrong.push(format!("{}: findings\n  {findings:?}\n  {:?}", case.id, expected.findings));
        }
    }
    assert!(ported.len() > 100);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ported.len(), wrong.join("\n"));
}

/// Semantics and regressions, not quality: the labels are by the packs' own author. A block must be found in one of its
/// families; a pass must not be blocked.
#[test]
fn labelled_captions_keep_their_verdicts() {
    let packs = shared();
    let cases = labelled(PUBLIC);
    let mut misses = Vec::new();
    for case in &cases {
        let (found, families) = verdict(packs, case);
        let family_found =
            case.expect.families.is_empty() || case.expect.families.iter().any(|family| families.contains(family));
        if found != case.expect.verdict || !family_found {
            misses.push(format!(
                "{}: {found} {families:?}, labelled {} {:?}",
                case.id, case.expect.verdict, case.expect.families
            ));
        }
    }
    // `10 kg … in eight weeks` on a bar bell: the reference blocks it too.
    assert_eq!(misses, ["risk-0470: block [\"supplements_weight_loss\"], labelled pass []"]);
}

/// Captions by authors who never saw the packs. The numbers are what version 1 of the packs comes to; they may rise.
#[test]
fn independent_captions_are_found_no_worse_than_recorded() {
    let packs = shared();
    let cases = labelled(INDEPENDENT);
    let (mut risky, mut flagged, mut benign, mut blocked, mut disturbed) = (0, 0, 0, 0, 0);
    for case in &cases {
        let (found, _) = verdict(packs, case);
        if case.expect.verdict == "pass" {
            benign += 1;
            blocked += usize::from(found == "block");
            disturbed += usize::from(found != "pass");
        } else {
            risky += 1;
            flagged += usize::from(found != "pass");
        }
    }
    assert!(flagged * 100 >= risky * 32, "recall {flagged}/{risky}");
    assert!(blocked * 100 <= benign * 5, "benign blocked {blocked}/{benign}");
    assert!(disturbed * 100 <= benign * 10, "benign flagged {disturbed}/{benign}");
}

#[test]
fn claims_are_those_of_the_reference() {
    let packs = shared();
    let cases: Vec<Claimed> = serde_json::from_str(CLAIMS).expect("claims");
    assert_eq!(cases.len(), 10);
    for case in cases {
        let mut claims: Vec<(String, String)> =
            packs.claims(&case.text, "en").into_iter().map(|claim| (claim.kind.to_string(), claim.value)).collect();
        claims.sort();
        assert_eq!(claims, case.expect, "{}: {}", case.id, case.text);
    }
}
