//! PolicyGuard: whether the platform and the client's policy allow what the experiment would do.
//!
//! Decides about actions and lanes, the account's connection, the client's words, labels, and how the hypothesis is put.
//! Regulated claims are RiskScan's; lengths and pictures FormatGuard's. What the table of platforms does not list is not
//! allowed: unknown blocks.

use std::collections::BTreeSet;

use super::fold::{self, Tags};
use super::place::{Shown, excerpt, shown};
use super::{Finding, Guard, PreflightFacts, Severity};
use crate::account::Connection;
use crate::brief::Kind;
use crate::surface::{Action, PlatformFacts, Surfaces};
use crate::text::Untrusted;
use crate::variant::{Content, Facet, Lane};

const GUARD: Guard = Guard::PolicyGuard;

/// Looks at everything that would be shown.
pub fn look(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    look_with(facts, Surfaces::embedded())
}

/// The same against another table of platforms than the built-in one.
pub fn look_with(facts: &PreflightFacts<'_>, surfaces: &Surfaces) -> Vec<Finding> {
    let mut findings = account(facts);
    match surfaces.platform(facts.surface.platform) {
        Some(platform) => {
            findings.extend(actions(facts, platform));
            findings.extend(labels(facts, platform));
        }
        None => findings.push(GUARD.finds(
            "policy.platform-unknown",
            Severity::Block,
            "platforms",
            format!("nothing is known of what {} allows", facts.surface.platform),
            "take a platform that the table of platforms lists",
        )),
    }
    let each = shown(facts);
    findings.extend(each.iter().flat_map(|one| banned_words(facts, one)));
    findings.extend(each.iter().flat_map(|one| must_lines(facts, one)));
    findings.extend(each.iter().flat_map(|one| kit_tags(facts, one)));
    findings.extend(hypothesis(facts));
    if facts.client.policy.allow_private_hosts {
        findings.push(GUARD.finds(
            "policy.private-hosts",
            Severity::Info,
            "client's policy",
            "private addresses and plain http are allowed: this is a test network",
            "set `allow_private_hosts = false` in the client's policy once it is over",
        ));
    }
    findings
}

/// The lanes in which the posts go out.
fn lanes(facts: &PreflightFacts<'_>) -> BTreeSet<Lane> {
    if facts.brief.variable_under_test != Facet::Lane {
        return BTreeSet::from([facts.brief.exposure_plan.lane]);
    }
    let words = facts
        .variants
        .iter()
        .flat_map(|variant| &variant.rounds)
        .filter_map(|content| content.facets.get(&Facet::Lane));
    words
        .filter_map(|word| [Lane::Api, Lane::Browser, Lane::Hybrid].into_iter().find(|l| l.as_str() == word.raw()))
        .collect()
}

fn account(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    let account = facts.account;
    let mut findings = Vec::new();
    let place = format!("account {}", account.id);
    if account.client != facts.client.id {
        findings.push(GUARD.finds(
            "policy.account-of-another-client",
            Severity::Block,
            place.as_str(),
            format!("it belongs to {}, the brief is for {}", account.client, facts.client.id),
            "name an account of this client in `exposure_plan.account`",
        ));
    }
    if account.platform != facts.surface.platform {
        findings.push(GUARD.finds(
            "policy.account-on-another-platform",
            Severity::Block,
            place.as_str(),
            format!(
                "it is on {}, the surface {} is on {}",
                account.platform, facts.surface.id.0, facts.surface.platform
            ),
            "name an account on that platform in `exposure_plan.account`",
        ));
    }
    let why = match &account.connection {
        Connection::Connected { .. } => return findings,
        Connection::Asked { .. } => "its connection was asked for and is not there yet".to_owned(),
        Connection::Failed { why } => format!("its connection failed: {}", excerpt(why)),
        Connection::Reconnect { why } => format!("its login is no longer good: {}", excerpt(why)),
        Connection::Disconnected => "it was disconnected".to_owned(),
    };
    // A person's hand needs no token of ours, but what they posted could not be read back.
    let by_hand = lanes(facts).iter().all(|lane| *lane == Lane::Browser);
    let severity = if by_hand { Severity::Warn } else { Severity::Block };
    findings.push(GUARD.finds(
        "policy.account-not-connected",
        severity,
        place,
        why,
        "connect it with `expos account connect`",
    ));
    findings
}

fn actions(facts: &PreflightFacts<'_>, platform: &PlatformFacts) -> Vec<Finding> {
    let needed: BTreeSet<Action> = match facts.brief.kind {
        Kind::Engagement => BTreeSet::from([Action::Reply]),
        Kind::Micro | Kind::Batch | Kind::Lane => shown(facts).iter().flat_map(|one| needs(one.content)).collect(),
    };
    let mut findings = Vec::new();
    for lane in lanes(facts) {
        for action in needed.iter().filter(|action| !platform.actions(lane).contains(*action)) {
            let allowed: Vec<&str> = platform.actions(lane).iter().map(|action| action.as_str()).collect();
            let mend = match (lane, platform.browser.contains(action)) {
                (Lane::Api | Lane::Hybrid, true) => {
                    "let a person post it: `exposure_plan.lane = \"browser\"`".to_owned()
                }
                (Lane::Api | Lane::Hybrid | Lane::Browser, _) if allowed.is_empty() => {
                    "take another surface".to_owned()
                }
                (Lane::Api | Lane::Hybrid | Lane::Browser, _) => format!("keep to {}", allowed.join(", ")),
            };
            let why = format!("{action} cannot go out on {} in the lane {lane}", platform.platform);
            findings.push(GUARD.finds("policy.action-not-allowed", Severity::Block, format!("lane {lane}"), why, mend));
        }
    }
    findings
}

fn needs(content: &Content) -> BTreeSet<Action> {
    let media = content
        .assets
        .iter()
        .map(|asset| if asset.mime.starts_with("video/") { Action::Video } else { Action::Images });
    let mut needs: BTreeSet<Action> = media.collect();
    if needs.is_empty() {
        needs.insert(Action::Text);
    }
    needs
}

fn labels(facts: &PreflightFacts<'_>, platform: &PlatformFacts) -> Vec<Finding> {
    let known = |label: &&String| platform.self_labels.contains(label);
    let strange = facts.brief.exposure_plan.settings.labels.iter().filter(|label| !known(label));
    strange
        .map(|label| {
            let mend = if platform.self_labels.is_empty() {
                "leave the labels out".to_owned()
            } else {
                format!("take one of {}", platform.self_labels.join(", "))
            };
            GUARD.finds(
                "policy.label-unknown",
                Severity::Block,
                "exposure_plan.settings.labels",
                format!(
                    "{} has no label `{}` that an account may put on its own posts",
                    platform.platform,
                    excerpt(label)
                ),
                mend,
            )
        })
        .collect()
}

/// Every text that a reader meets, with the name of its part.
fn texts(content: &Content) -> Vec<(String, &Untrusted)> {
    let read = Facet::READ.into_iter().chain([Facet::ReplyTemplate]);
    let facets = read.filter_map(|facet| Some((facet.to_string(), content.facets.get(&facet)?)));
    let alts = content.assets.iter().enumerate();
    facets.chain(alts.map(|(i, asset)| (format!("alt text of picture {}", i.saturating_add(1)), &asset.alt))).collect()
}

fn banned_words(facts: &PreflightFacts<'_>, one: &Shown<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (part, text) in texts(one.content) {
        let words = fold::words(text.raw(), Tags::Keep);
        for banned in &facts.client.kit.banned {
            let wanted = fold::words(banned, Tags::Keep);
            let raw = banned.trim();
            // What is no word, as an emoji, is looked for as it stands.
            let found = if wanted.is_empty() {
                !raw.is_empty() && text.raw().contains(raw)
            } else {
                fold::holds(&words, &wanted)
            };
            if found {
                findings.push(GUARD.finds(
                    "policy.banned-word",
                    Severity::Block,
                    one.part(&part),
                    format!("`{}` is among the words that {} never uses", excerpt(raw), facts.client.name),
                    format!("say it without `{}`", excerpt(raw)),
                ));
            }
        }
    }
    findings
}

fn must_lines(facts: &PreflightFacts<'_>, one: &Shown<'_>) -> Vec<Finding> {
    if facts.brief.kind == Kind::Engagement {
        return Vec::new();
    }
    let text = one.content.text();
    let words = fold::words(&text, Tags::Keep);
    let missing = facts.client.kit.must.iter().map(|line| line.trim()).filter(|line| {
        let wanted = fold::words(line, Tags::Keep);
        if wanted.is_empty() { !text.contains(*line) } else { !fold::holds(&words, &wanted) }
    });
    missing
        .map(|line| {
            GUARD.finds(
                "policy.must-line-missing",
                Severity::Block,
                one.place(),
                format!("`{}` stands on every post of {}, and not on this one", excerpt(line), facts.client.name),
                "add the line, best where every variant shares it",
            )
        })
        .collect()
}

fn kit_tags(facts: &PreflightFacts<'_>, one: &Shown<'_>) -> Vec<Finding> {
    let kit = &facts.client.kit.hashtags;
    if kit.is_empty() {
        return Vec::new();
    }
    let bare = |tag: &str| fold::folded(tag.trim_start_matches('#'));
    let known: BTreeSet<String> = kit.iter().map(|tag| bare(tag)).collect();
    let strange = super::format_guard::tags(one.content).into_iter().filter(|tag| !known.contains(&bare(tag)));
    strange
        .map(|tag| {
            GUARD.finds(
                "policy.tag-not-in-kit",
                Severity::Warn,
                one.part(Facet::Hashtags),
                format!("#{} is not among the client's tags", excerpt(&tag)),
                format!("pick from {}", excerpt(&kit.join(", "))),
            )
        })
        .collect()
}

/// A hypothesis is one sentence with the variable and a declared proxy in it; a person reads it better than this does,
/// so that it is only said.
fn hypothesis(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    let text = facts.brief.hypothesis.raw();
    let note = |rule: &str, why: String, mend: &str| GUARD.finds(rule, Severity::Info, "hypothesis", why, mend);
    let mut findings = Vec::new();
    let ends = text.trim_end_matches(['.', '!', '?', '…']).split(['.', '!', '?', '…']);
    let sentences = ends.skip(1).filter(|rest| rest.starts_with(char::is_whitespace)).count().saturating_add(1);
    if sentences > 1 {
        findings.push(note("policy.hypothesis-long", format!("it has {sentences} sentences"), "say it in one"));
    }
    let words = fold::words(text, Tags::Keep);
    let variable = fold::words(&facts.brief.variable_under_test.as_str().replace('_', " "), Tags::Keep);
    if !variable.iter().all(|part| words.iter().any(|word| word.starts_with(part.as_str()))) {
        let why = format!("it does not name {}, which is under test", facts.brief.variable_under_test);
        findings.push(note("policy.hypothesis-variable", why, "name the variable in it"));
    }
    let names = facts.brief.success_proxies.iter().map(|proxy| first_word(&proxy.metric));
    let named = names.filter(|stem| !stem.is_empty()).any(|stem| words.iter().any(|word| word.starts_with(&stem)));
    if !named {
        findings.push(note(
            "policy.hypothesis-proxy",
            "it names none of the declared proxies".to_owned(),
            "say which count it moves",
        ));
    }
    findings
}

/// Returns the stem of a metric's first word: `replyCount` gives `repl`, as in replies.
fn first_word(metric: &str) -> String {
    let mut chars = metric.chars().peekable();
    let mut word = String::new();
    while let Some(c) = chars.next_if(|c| c.is_alphabetic() && (word.is_empty() || c.is_lowercase())) {
        word.extend(c.to_lowercase());
    }
    word.trim_end_matches(['y', 's', 'e']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{World, picture, rules};
    use super::*;

    #[test]
    fn a_clean_experiment_has_no_findings() {
        for template in
            ["hook-swap", "caption-swap", "cta-swap", "format-swap", "batch-week", "reply-patterns", "lane-trial"]
        {
            assert_eq!(rules(&look(&World::of(template).facts())), Vec::<&str>::new(), "{template}");
        }
    }

    #[test]
    fn a_banned_word_is_found_whole_in_every_dress_and_nowhere_else() {
        let mut world = World::new();
        world.client.kit.banned = vec!["cheap".to_owned(), "no risk".to_owned(), "🤑".to_owned(), "最好".to_owned()];
        for (text, says) in [
            ("Really CHEAP bread", true),
            ("Really ch\u{200B}eap bread", true),
            ("Really сhеap bread", true),
            ("Really c-h-e-a-p bread", true),
            ("Really #cheap bread", true),
            ("There is no,  risk", true),
            ("Good 🤑", true),
            ("这是最好的面包", true),
            ("Cheaper bread", false),
            ("No such risk", false),
        ] {
            world.make();
            world.say(1, 2, Facet::Caption, text);
            let found = look(&world.facts());
            assert_eq!(rules(&found), if says { vec!["policy.banned-word"] } else { vec![] }, "{text}");
            if let Some(found) = found.first() {
                assert_eq!((found.place.as_str(), found.severity), ("variant B, round 3, caption", Severity::Block));
            }
        }
        world.make();
        world.content(0, 0).assets = vec![picture("a.png")];
        world.content(0, 0).assets[0].alt = "A cheap loaf".into();
        assert_eq!(look(&world.facts())[0].place, "variant A, round 1, alt text of picture 1");
    }

    #[test]
    fn a_line_that_every_post_has_is_missed_where_it_is_not() {
        let mut world = World::new();
        world.client.kit.must = vec!["Contains wheat.".to_owned()];
        assert_eq!(look(&world.facts()).len(), 10);
        for round in &mut world.brief.exposure_plan.rounds {
            round.facets.insert(Facet::Cta, "CONTAINS wheat".into());
        }
        world.make();
        assert!(look(&world.facts()).is_empty());
    }

    #[test]
    fn only_what_the_platform_lists_for_the_lane_may_go_out() {
        let mut world = World::new();
        let mut video = picture("a.mp4");
        video.mime = "video/mp4".to_owned();
        world.content(0, 0).assets = vec![video];
        let found = look(&world.facts());
        assert_eq!(rules(&found), ["policy.action-not-allowed"]);
        assert!(
            found[0].why.contains("video cannot go out on bluesky in the lane api")
                && found[0].mend.contains("browser")
        );
        world.brief.exposure_plan.lane = Lane::Browser;
        assert!(look(&world.facts()).is_empty());
        let mut elsewhere = World::new();
        elsewhere.surface("mastodon_post");
        let found = look(&elsewhere.facts());
        assert_eq!(rules(&found), ["policy.action-not-allowed"], "no adapter, so a person posts it");
        let none = Surfaces::load("[platform.x]\nactions = { browser = [\"text\"] }").unwrap();
        assert_eq!(rules(&look_with(&World::new().facts(), &none)), ["policy.platform-unknown"]);
    }

    #[test]
    fn the_account_is_the_clients_own_on_that_platform_and_connected() {
        let mut world = World::new();
        world.account.client = "other".parse().unwrap();
        world.account.platform = crate::brief::Platform::X;
        world.account.connection = Connection::Reconnect { why: "expired".to_owned() };
        let expected =
            ["policy.account-of-another-client", "policy.account-on-another-platform", "policy.account-not-connected"];
        let found = look(&world.facts());
        assert_eq!(rules(&found), expected);
        assert!(found.iter().all(|finding| finding.severity == Severity::Block));
        let mut world = World::new();
        world.account.connection = Connection::Disconnected;
        world.brief.exposure_plan.lane = Lane::Browser;
        assert_eq!(look(&world.facts())[0].severity, Severity::Warn);
    }

    #[test]
    fn labels_and_tags_come_from_their_lists() {
        let mut world = World::new();
        world.brief.exposure_plan.settings.labels = vec!["bot".to_owned(), "cute".to_owned()];
        let found = look(&world.facts());
        assert_eq!(rules(&found), ["policy.label-unknown"]);
        assert!(found[0].why.contains("`cute`") && found[0].mend.contains("bot"));
        let mut world = World::new();
        world.client.kit.hashtags = vec!["#RealBread".to_owned()];
        world.say(0, 0, Facet::Hashtags, "#realbread #sale");
        let found = look(&world.facts());
        assert_eq!(rules(&found), ["policy.tag-not-in-kit"]);
        assert!(found[0].why.contains("#sale"));
    }

    #[test]
    fn a_hypothesis_is_read_and_only_noted() {
        let mut world = World::new();
        world.brief.hypothesis = "Numbers win. I am sure of it!".into();
        let found = look(&world.facts());
        assert_eq!(rules(&found), ["policy.hypothesis-long", "policy.hypothesis-variable", "policy.hypothesis-proxy"]);
        assert!(found.iter().all(|finding| finding.severity == Severity::Info));
        world.brief.hypothesis = "Hooks with 3.5 in them bring more replies".into();
        assert!(look(&world.facts()).is_empty());
        world.client.policy.allow_private_hosts = true;
        assert_eq!(rules(&look(&world.facts())), ["policy.private-hosts"]);
    }
}
