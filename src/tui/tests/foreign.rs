//! Text from outside, through every place that shows it: nothing a terminal would act on comes out.

use super::fixture::{Agency, alert};
use super::items::{Item, brief_toml};
use super::play::Play;
use domain::approval::ApprovalLevel;
use domain::hold::{Hold, HoldCause};

/// Texts that would clear, rename, copy, reorder or hide.
fn corpus() -> Vec<String> {
    let mut texts: Vec<String> = [
        "\u{1b}[2J\u{1b}[Hnice bread",
        "\u{1b}]0;pwned\u{7}",
        "\u{1b}]52;c;ZXZpbA==\u{7}",
        "\u{9b}31mred\u{9d}0;x\u{9c}",
        "\u{90}q\u{9c}\u{1b}_Gi=1;AAAA\u{1b}\\",
        "price \u{202e}04.99\u{202c} \u{2066}x\u{2069}",
        "a\u{0}b\u{7f}c\u{8}\u{8}d",
        "line1\rLINE2",
        "ze\u{200b}ro\u{feff} wid\u{2060}th \u{e0041}\u{e007f}",
        "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}",
        "👩\u{200d}👩\u{200d}👧\u{200d}👦 family",
        "Ｈｏｓｈｉｏｒｉ 裏地も見せて",
        "مرحبا bread שלום",
        "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}",
        "ｶﾞｷﾞ",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("long".repeat(2_500));
    texts.push("手".repeat(300));
    texts
}

fn poisoned(text: &str) -> Agency {
    let mut agency = Agency::monday();
    let quoted = serde_json::to_string(text).unwrap();
    // TOML's strings know the same escapes, except for these two.
    let quoted: String = quoted.replace("\\/", "/").replace('\u{7f}', "\\u007F");
    let toml =
        brief_toml("crm", "PLACE", "Hostile hypotheses raise replies, because of this hook.", "hook", 1, "TEXTS");
    let toml = toml.replace("\"PLACE\"", &quoted).replace(
        "TEXTS",
        &format!("[control_variant]\nhook = {quoted}\ncaption = {quoted}\n[[test_variants]]\nhook = \"plain\"\n"),
    );
    let readable = domain::brief::read(&toml).is_ok();
    if readable {
        agency.add(Item {
            number: 77,
            code: "CRM-077",
            toml,
            plan: vec![('A', 1, "2026-11-23T10:00:00Z"), ('B', 1, "2026-11-26T10:00:00Z")],
            findings: Vec::new(),
            level: ApprovalLevel::Review,
            needed: 1,
        });
    }
    let first = agency.by_code("CRM-018");
    let text = || text.to_owned();
    for sheet in agency.sheets.values_mut() {
        sheet.line.name = text();
        sheet.notes = vec![text()];
        sheet.words = vec![text()];
        sheet.level.reasons = vec![text()];
        for finding in &mut sheet.findings {
            finding.place = text();
            finding.why = text();
            finding.mend = text();
        }
        for post in &mut sheet.posts {
            post.text = text();
            post.binding.identity = text();
            post.line.voided = Some((domain::approval::Field::Content, text()));
        }
    }
    for view in agency.experiments.values_mut() {
        view.line.name = text();
        view.author = text();
        view.editor = text();
        view.layer = Some(text());
        view.holds = vec![Hold::new(
            HoldCause::Operator,
            text(),
            view.line.next.unwrap_or_else(|| super::fixture::time(super::fixture::NOW)),
            text(),
        )];
        for post in &mut view.posts {
            post.url = Some(text());
            post.state = text();
        }
    }
    for client in &mut agency.clients {
        client.name = text();
    }
    for account in &mut agency.accounts {
        account.handle = text();
    }
    for user in &mut agency.users {
        user.name = text();
    }
    for event in &mut agency.events {
        event.actor = text();
        event.event = text();
    }
    for layer in &mut agency.layers {
        for tenure in &mut layer.tenures {
            tenure.code = text();
        }
    }
    let mut alert = alert();
    alert.what = text();
    alert.rule = text();
    alert.evidence = vec![text()];
    alert.answers = vec![text()];
    alert.owner = Some(text());
    agency.escalations.push(alert);
    agency.health.lines = vec![text()];
    agency.health.verdict = desk::query::Verdict::Degraded;
    for task in &mut agency.health.tasks {
        task.name = text();
        task.error = Some(text());
    }
    assert!(agency.experiments.contains_key(&first));
    agency
}

#[test]
fn nothing_that_a_terminal_acts_on_reaches_a_cell() {
    for text in corpus() {
        for (width, height) in [(80, 24), (100, 30), (160, 45), (220, 60)] {
            let mut play = Play::new(poisoned(&text), width, height);
            for keys in [
                "1",
                "m",
                "w Esc a z Esc Esc",
                "]",
                "]",
                "j",
                "w Esc",
                "Enter",
                "G",
                "Esc * a",
                "Esc x Esc !",
                "Esc 5",
                "Enter",
                "]",
                "]",
                "]",
                "]",
                "]",
                "w Esc 0",
                "G",
                "?",
                "Esc :",
                "Esc 5 / l",
            ] {
                play.keys(keys);
                let buffer = play.buffer();
                for cell in buffer.content() {
                    let bad = cell.symbol().chars().any(|c| {
                        c.is_control()
                            || matches!(
                                c,
                                '\u{202a}'
                                    ..='\u{202e}' | '\u{2066}' | '\u{2067}' | '\u{200b}' | '\u{2060}' | '\u{feff}'
                            )
                            || matches!(c, '\u{e0000}'..='\u{e007f}')
                    });
                    assert!(!bad, "{text:?} after {keys}: {:?}", cell.symbol());
                }
                assert_eq!(super::play::text_of(&buffer).lines().count(), usize::from(height));
            }
        }
    }
}

#[test]
fn a_trick_is_drawn_as_what_it_is() {
    let mut play = Play::new(poisoned("price \u{202e}04.99\u{202c}"), 100, 30);
    play.keys("] ]");
    let text = play.text();
    assert!(text.contains("price <U+202E>"), "{text}");
}

#[test]
fn the_frame_is_never_pushed_out_by_what_somebody_wrote() {
    for text in corpus() {
        let mut play = Play::new(poisoned(&text), 80, 24);
        play.keys("] ]");
        let drawn = play.text();
        let rows: Vec<&str> = drawn.lines().collect();
        assert!(rows[0].trim_start().starts_with("Morning"), "{}", rows[0]);
        assert!(rows[23].ends_with("? help"), "{}", rows[23]);
    }
}
