//! A person's word holds for what they were shown, to the last hidden character (T8).

use std::collections::BTreeSet;

use domain::agency::HomeKind;
use domain::refusal::RefusalKind;
use domain::variant::Facet;
use store::facts::content_of;

use super::fixture::*;
use crate::query::Sheet;
use crate::{Answer, Command};

const TUESDAY: &str = "2027-03-02";

/// Every sheet's fingerprint after one text was put in place of another in the same experiment.
async fn prints(texts: &[String]) -> Vec<Sheet> {
    let world = World::small(HomeKind::Personal).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let mut sheets = Vec::new();
    for text in texts {
        let edit = Command::VariantEdit {
            experiment: code.clone(),
            letter: 'B',
            round: 1,
            facet: Facet::Hook,
            text: text.clone(),
        };
        world.act(ADA, edit).await;
        let sheet = world.sheet(ADA, &code).await;
        assert!(sheet.posts.iter().any(|p| p.text.contains(text.as_str())), "{text:?}");
        let stored = world.stored(&code).await;
        for (post, shown) in world
            .posts(&code)
            .await
            .iter()
            .filter_map(|post| sheet.posts.iter().find(|s| s.line.id == post.id).map(|shown| (post, shown)))
        {
            let content = content_of(&stored, post).unwrap();
            assert_eq!(shown.text, content.text(), "what is read is what is hashed");
            assert_eq!(shown.binding.content, content.hash());
        }
        let wire = serde_json::to_vec(&Answer::Sheet(Box::new(sheet.clone()))).unwrap();
        let read: Answer = serde_json::from_slice(&wire).unwrap();
        assert_eq!(read, Answer::Sheet(Box::new(sheet.clone())), "no byte is lost on the socket");
        sheets.push(sheet);
    }
    sheets
}

#[tokio::test]
async fn a_hidden_character_makes_another_fingerprint() {
    let long = "a".repeat(9_999);
    let texts = [
        "Listen to the loaf".to_owned(),
        "Listen to the\u{202E} loaf".to_owned(),
        "Listen to the\u{2067} loaf".to_owned(),
        "Listen to the\u{200B} loaf".to_owned(),
        "Listen to the\u{200D} loaf".to_owned(),
        "Listen to the\u{00AD} loaf".to_owned(),
        "Listen to the\u{E0041} loaf".to_owned(),
        "Listen to the l\u{043E}af".to_owned(),
        "Listen to the loaf ".to_owned(),
        "Listen to the lo\u{0061}\u{0301}f".to_owned(),
        "Listen to the lo\u{00E1}f".to_owned(),
        format!("{long}b"),
        format!("{long}c"),
    ];
    let sheets = prints(&texts).await;
    let prints: BTreeSet<&str> = sheets.iter().map(|s| s.fingerprint.as_str()).collect();
    let hashes: BTreeSet<String> =
        sheets.iter().map(|s| s.posts.iter().map(|p| p.binding.content.to_string()).collect()).collect();
    assert_eq!((prints.len(), hashes.len()), (texts.len(), texts.len()));
}

#[tokio::test]
async fn a_word_for_another_sheet_is_refused_and_nothing_is_approved() {
    let world = World::small(HomeKind::Personal).await;
    let brief = BriefText::new("alpha", "rye", TUESDAY);
    let code = world.submitted(ADA, &brief).await;
    let seen = world.sheet(ADA, &code).await.fingerprint;
    let approve =
        |fingerprint: &str| Command::Approve { experiment: code.clone(), fingerprint: fingerprint.to_owned() };
    let first = |digits: usize| seen.chars().take(digits).collect::<String>();
    let off: String = seen.chars().map(|c| if c == '0' { '1' } else { '0' }).collect();
    for wrong in [off.as_str(), &format!("{seen}0")] {
        let refusal = world.refused(ADA, approve(wrong)).await;
        assert_eq!((refusal.kind, crate::Problem::Refused(refusal).exit_code()), (RefusalKind::Changed, 6), "{wrong}");
    }
    for none in ["", "0", &first(7), "zzzzzzzz"] {
        let refusal = world.refused(ADA, approve(none)).await;
        assert_eq!((refusal.kind, crate::Problem::Refused(refusal).exit_code()), (RefusalKind::Invalid, 8), "{none}");
    }
    let edit = |text: &str| Command::VariantEdit {
        experiment: code.clone(),
        letter: 'B',
        round: 1,
        facet: Facet::Hook,
        text: text.to_owned(),
    };
    world.act(ADA, edit("Listen to rye in the\u{200B} morning.")).await;
    assert_eq!(world.refused(ADA, approve(&seen)).await.kind, RefusalKind::Changed);
    // Back as it was, the sheet is the same again, and eight digits name it.
    world.act(ADA, edit(&brief.hook_b)).await;
    let again = world.sheet(ADA, &code).await;
    assert!(world.posts(&code).await.iter().all(|p| p.approval.is_none()));
    world.act(ADA, approve(&again.fingerprint.chars().take(8).collect::<String>())).await;
    for post in world.posts(&code).await {
        assert_eq!(post.approval.unwrap().fingerprint.to_string(), again.fingerprint);
    }
}

#[tokio::test]
async fn whatever_stands_on_a_sheet_makes_its_fingerprint() {
    let world = World::small(HomeKind::Personal).await;
    let brief = BriefText::new("alpha", "rye", TUESDAY);
    let code = world.submitted(ADA, &brief).await;
    let mut seen = BTreeSet::from([world.sheet(ADA, &code).await.fingerprint]);
    let other = BriefText { hypothesis: "A hook that asks lowers replies, because people tire.".to_owned(), ..brief };
    let post = world.posts(&code).await.remove(0);
    for command in [
        Command::BriefEdit { experiment: code.clone(), toml: other.toml() },
        Command::PostMove { post: post.id, to: post.window.from.plus(domain::time::Span::minutes(1)) },
        Command::PolicyEdit { client: client("alpha"), toml: policy("allow_private_hosts = true") },
        Command::ClientEdit {
            client: client("alpha"),
            toml: "name = \"The alpha\"\nzone = \"UTC\"\n[kit]\nbanned = [\"crumb\"]\n".to_owned(),
        },
    ] {
        let shown = format!("{command:?}");
        world.act(ADA, command).await;
        assert!(seen.insert(world.sheet(ADA, &code).await.fingerprint), "{shown}");
    }
}
