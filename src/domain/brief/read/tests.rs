//! What is said about briefs that are wrong, one field at a time, and about hostile files.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::brief::{TEMPLATES, Template};

fn hook_swap() -> String {
    Template::named("hook-swap").unwrap().text.to_owned()
}

fn problems(text: &str) -> Vec<Problem> {
    match read(text) {
        Ok(_) => panic!("it was read:\n{text}"),
        Err(problems) => problems,
    }
}

/// Replaces a stretch of the hook swap and returns what is said about it.
fn changed(from: &str, to: &str) -> Vec<Problem> {
    let text = hook_swap();
    assert!(text.contains(from), "{from}");
    problems(&text.replace(from, to))
}

fn fields(problems: &[Problem]) -> BTreeSet<&str> {
    problems.iter().map(|problem| problem.field.as_str()).collect()
}

/// One problem, of that field, that says that.
fn check(from: &str, to: &str, field: &str, says: &str) {
    let found = changed(from, to);
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 1, "{told:#?}");
    assert_eq!(found[0].field, field, "{told:#?}");
    assert!(told[0].contains(says), "{told:#?} does not say {says}");
    assert!(found[0].line.is_some(), "{told:#?}");
    assert_eq!(told[0].lines().count(), 1, "{told:#?}");
}

#[test]
fn every_missing_field_is_named_at_once_with_an_example() {
    let found = problems("# nothing\n[exposure_plan]\n");
    let names = fields(&found);
    let top = [
        "kind",
        "name",
        "client",
        "platforms",
        "surface",
        "hypothesis",
        "variable_under_test",
        "control_variant",
        "test_variants",
        "success_proxies",
        "guardrails",
        "run_window",
        "stop_conditions",
        "approval_level",
        "exposure_plan.account",
        "exposure_plan.posts_per_variant",
        "exposure_plan.times",
        "exposure_plan.snapshot_ages",
    ];
    assert_eq!(names, BTreeSet::from(top));
    assert!(found.iter().all(|problem| !problem.example.is_empty()), "{found:#?}");
}

#[test]
fn the_example_of_a_missing_field_is_right() {
    // Each field taken away alone is told alone, and its example put in its place makes the brief valid again.
    for field in
        ["kind", "name", "client", "platforms", "surface", "hypothesis", "variable_under_test", "approval_level"]
    {
        let text = hook_swap();
        let line = text.lines().find(|line| line.starts_with(&format!("{field} = "))).unwrap();
        let found = problems(&text.replace(line, ""));
        assert_eq!(fields(&found), BTreeSet::from([field]));
        read(&text.replace(line, &found[0].example)).unwrap();
    }
}

#[test]
fn an_unknown_field_is_told_with_the_one_that_was_meant() {
    check("surface = ", "surfase = 1\nsurface = ", "surfase", "did you mean `surface`?");
    check("client = ", "client_id = \"x\"\nclient = ", "client_id", "did you mean `client`?");
    check(
        "spacing = \"3h\"",
        "spacing = \"3h\"\nspaceing = \"3h\"",
        "exposure_plan.spaceing",
        "did you mean `spacing`?",
    );
    check(
        "{ hook = \"Do your customers ask twice?\" }",
        "{ hok = \"x\", hook = \"Do?\" }",
        "control_variant.rounds[0].hok",
        "`hook`",
    );
    check("langs = [\"en\"]", "langs = [\"en\"], zzz = 1", "exposure_plan.settings.zzz", "here are langs, labels");
    check(
        "action = \"pause\" },\n  { signal = \"platform",
        "action = \"pause\", limits = 1 },\n  { signal = \"platform",
        "guardrails[0].limits",
        "`limit`",
    );
}

#[test]
fn a_wrong_value_is_told_with_what_was_found() {
    check(
        "kind = \"micro\"",
        "kind = \"mikro\"",
        "kind",
        "`mikro` is none of micro, batch, engagement, lane; did you mean `micro`?",
    );
    check("kind = \"micro\"", "kind = 7", "kind", "it is the number 7, and must be text in quotes");
    check(
        "posts_per_variant = 5",
        "posts_per_variant = \"5\"",
        "exposure_plan.posts_per_variant",
        "the text `5`, and must be a whole number",
    );
    check(
        "posts_per_variant = 5",
        "posts_per_variant = -5",
        "exposure_plan.posts_per_variant",
        "it is -5, and must be from 1 to 500",
    );
    check(
        "posts_per_variant = 5",
        "posts_per_variant = 99999999999999999999999",
        "exposure_plan.posts_per_variant",
        "must be from 1 to 500",
    );
    check("client = \"acme\"", "client = \"../etc\"", "client", "`../etc` is not a short name");
    check("spacing = \"3h\"", "spacing = \"3 hours\"", "exposure_plan.spacing", "write it as 90s");
    check("start = \"2027-01-11T00:00:00Z\"", "start = 1999-01-01T00:00:00Z", "run_window.start", "years 2000 to 2100");
    check("start = \"2027-01-11T00:00:00Z\"", "start = \"Monday\"", "run_window.start", "`Monday` is not a time");
    check("platforms = [\"bluesky\"]", "platforms = \"bluesky\"", "platforms", "must be a list");
    check("limit = 2, action", "limit = \"two\", action", "guardrails[0].limit", "must be a number");
    check("limit = 2, action", "limit = -0.5, action", "guardrails[0].limit", "0 or more");
    check(
        "signal = \"publish_failures\"",
        "signal = \"publish_failure\"",
        "guardrails[0].signal",
        "did you mean `publish_failures`?",
    );
    check("{ when = \"any_breach\" }", "{ when = \"bored\" }", "stop_conditions[0].when", "none of any_breach");
    check(
        "{ when = \"failed_posts\", limit = 2 }",
        "{ when = \"failed_posts\" }",
        "stop_conditions[1].limit",
        "missing",
    );
    check("{ when = \"invalid\" }", "{ when = \"invalid\", limit = 2 }", "stop_conditions[2].limit", "no such field");
    check("name = \"Question or number first\"", "name = \"  \"", "name", "empty");
}

#[test]
fn a_time_may_stand_without_quotes() {
    let text = hook_swap().replace("\"2027-01-11T00:00:00Z\"", "2027-01-11T01:00:00+01:00");
    assert_eq!(read(&text).unwrap(), read(&hook_swap()).unwrap());
}

#[test]
fn the_variable_is_in_every_round_of_every_variant_and_never_shared() {
    check(
        "{ hook = \"2 apologies in 1 reply.\" }",
        "{ cta = \"x\" }",
        "test_variants[0].rounds[4].hook",
        "it has no hook, which is under test",
    );
    check(
        "caption = \"Cut the second",
        "hook = \"x\"\ncaption = \"Cut the second",
        "exposure_plan.rounds[4].hook",
        "hook is under test, so no text or picture of it is shared",
    );
    check(
        "  { hook = \"2 apologies in 1 reply.\" },\n",
        "",
        "test_variants[0].rounds",
        "it has 4 rounds and exposure_plan.rounds has 5",
    );
    let control = Template::named("lane-trial").unwrap().text.replace("lane = \"api\"", "hook = \"x\"");
    assert_eq!(fields(&problems(&control)), BTreeSet::from(["control_variant.lane"]));
    let strange = Template::named("lane-trial").unwrap().text.replace("lane = \"api\"", "lane = \"robot\"");
    assert!(problems(&strange)[0].why.contains("api, browser, hybrid"));
    check(
        "{ hook = \"2 apologies in 1 reply.\" }",
        "{ hook = \"x\", lane = \"api\" }",
        "test_variants[0].rounds[4].lane",
        "not under test",
    );
}

#[test]
fn the_kind_bounds_the_posts_and_goes_with_its_variable() {
    check("kind = \"micro\"", "kind = \"lane\"", "variable_under_test", "tests lane, and this says hook");
    let lane = Template::named("lane-trial").unwrap().text.replace("kind = \"lane\"", "kind = \"micro\"");
    assert_eq!(fields(&problems(&lane)), BTreeSet::from(["kind", "success_proxies"]));
    check("posts_per_variant = 5", "posts_per_variant = 251", "exposure_plan.posts_per_variant", "502 posts in all");
    check("posts_per_variant = 5", "posts_per_variant = 4", "exposure_plan.rounds", "some would never go out");
    let batch = |from: &str, to: &str| problems(&Template::named("batch-week").unwrap().text.replace(from, to));
    let found = batch("posts_per_variant = 7", "posts_per_variant = 11");
    assert!(found[0].why.contains("22 posts in all; a batch has 5 to 20"), "{found:#?}");
    let found = batch("end = \"2027-01-17T23:59:59Z\"", "end = \"2027-01-19T23:59:59Z\"");
    assert!(found[0].why.contains("whole weeks, and this is 8 days"), "{found:#?}");
    assert_eq!(
        fields(&batch("end = \"2027-01-17T23:59:59Z\"", "end = \"2027-01-12T00:00:00Z\"")),
        BTreeSet::from(["run_window"])
    );
    for good in ["2027-01-17T07:00:00Z", "2027-01-18T00:00:00Z", "2027-01-18T01:00:00Z", "2027-01-24T20:00:00Z"] {
        let text = Template::named("batch-week").unwrap().text.replace("2027-01-17T23:59:59Z", good);
        read(&text).unwrap();
    }
}

#[test]
fn there_are_one_to_nineteen_tests() {
    let text = Template::named("lane-trial").unwrap().text;
    let many = format!("{text}{}", "[[test_variants]]\nlane = \"hybrid\"\n".repeat(19));
    assert!(problems(&many).iter().any(|p| p.field == "test_variants" && p.why.contains("20 tests")));
    let none =
        text.replace("[[test_variants]]\nlane = \"browser\"\n", "").replace("kind =", "test_variants = []\nkind =");
    assert_eq!(fields(&problems(&none)), BTreeSet::from(["test_variants"]));
}

#[test]
fn proxies_are_two_of_two_families_that_the_surface_measures() {
    check(
        "\"replyCount\"",
        "\"viewCount\"",
        "success_proxies[0].metric",
        "`viewCount` is not measured on bluesky_post, which gives bookmarkCount",
    );
    check("\"replyCount\"", "\"viewCount\"", "success_proxies[0].metric", "no retention");
    check(
        "\"repostCount\"",
        "\"likeCount\"",
        "success_proxies",
        "all of one family; take a second one: conversation (replyCount",
    );
    check(
        "  { metric = \"repostCount\", direction = \"up\", age = \"24h\" },\n",
        "",
        "success_proxies",
        "there are 1; a micro experiment has at least 2",
    );
    check("age = \"24h\" },\n]", "age = \"48h\" },\n]", "success_proxies[1].age", "compared at 2d");
    assert_eq!(
        fields(&changed("\"repostCount\"", "\"replyCount\"")),
        BTreeSet::from(["success_proxies", "success_proxies[1].metric"])
    );
    check(
        "direction = \"up\", age = \"24h\" },\n]",
        "direction = \"sideways\", age = \"24h\" },\n]",
        "success_proxies[1].direction",
        "none of up, down",
    );
}

#[test]
fn ages_rise_and_stay_inside_what_the_surface_keeps() {
    check(
        "[\"1h\", \"6h\", \"24h\"]",
        "[\"1h\", \"24h\", \"24h\"]",
        "exposure_plan.snapshot_ages",
        "none is there twice",
    );
    check("[\"1h\", \"6h\", \"24h\"]", "[\"24h\", \"1h\"]", "exposure_plan.snapshot_ages", "the ages rise");
    check("[\"1h\", \"6h\", \"24h\"]", "[\"0h\", \"24h\"]", "exposure_plan.snapshot_ages", "more than nothing");
    let stories = hook_swap()
        .replace("\"bluesky\"", "\"instagram\"")
        .replace("bluesky_post", "ig_stories")
        .replace("replyCount", "replies")
        .replace("repostCount", "shares");
    let found = problems(&stories);
    assert_eq!(found.len(), 1);
    assert!(found[0].why.contains("ig_stories can be read only before 1d"), "{found:#?}");
}

#[test]
fn platforms_and_surface_agree() {
    check(
        "platforms = [\"bluesky\"]",
        "platforms = [\"tiktok\"]",
        "platforms",
        "the surface bluesky_post is on bluesky",
    );
    check("platforms = [\"bluesky\"]", "platforms = [\"bluesky\", \"x\"]", "platforms", "for a batch only");
    check("platforms = [\"bluesky\"]", "platforms = []", "platforms", "empty");
    let found = changed("surface = \"bluesky_post\"", "surface = \"bluesky\"");
    assert!(found[0].why.contains("there are bluesky_post, facebook_post"), "{found:#?}");
    let batch = Template::named("batch-week")
        .unwrap()
        .text
        .replace("platforms = [\"bluesky\"]", "platforms = [\"x\", \"bluesky\"]");
    assert_eq!(read(&batch).unwrap().platforms.len(), 2);
}

#[test]
fn slots_are_counted_ordered_and_inside_the_window() {
    let slots = |hours: &[u32]| {
        let list: Vec<String> =
            hours.iter().map(|h| format!("\"2027-01-{:02}T{:02}:00:00Z\"", 11 + h / 24, h % 24)).collect();
        let text = hook_swap().replace("days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]", "");
        let times = "times = [\"09:10\", \"16:40\"]";
        assert!(text.contains(times));
        text.replace(times, &format!("slots = [{}]", list.join(", ")))
    };
    let good = [0, 3, 6, 9, 12, 15, 18, 21, 24, 27];
    assert_eq!(read(&slots(&good)).unwrap().exposure_plan.slots.len(), 10);
    assert!(problems(&slots(&good[..9]))[0].why.contains("9 slots for 10 posts"));
    let swapped = [3, 0, 6, 9, 12, 15, 18, 21, 24, 27];
    assert_eq!(fields(&problems(&slots(&swapped))), BTreeSet::from(["exposure_plan.slots[1]"]));
    let close = [0, 2, 6, 9, 12, 15, 18, 21, 24, 27];
    assert!(problems(&slots(&close))[0].why.contains("spacing says 3h"));
    let late = [0, 3, 6, 9, 12, 15, 18, 21, 24, 120];
    assert_eq!(fields(&problems(&slots(&late))), BTreeSet::from(["exposure_plan.slots[9]"]));
    check("end = \"2027-01-15T23:59:59Z\"", "end = \"2027-01-11T00:00:00Z\"", "run_window", "not after its start");
    check(
        "times = [\"09:10\", \"16:40\"]",
        "times = [\"9:10\", \"16:40\"]",
        "exposure_plan.times[0]",
        "`9:10` is not a time of day",
    );
    check(
        "times = [\"09:10\", \"16:40\"]",
        "times = [\"24:10\", \"16:40\"]",
        "exposure_plan.times[0]",
        "not a time of day",
    );
    check("\"thu\", \"fri\"]", "\"thu\", \"friday\"]", "exposure_plan.days[4]", "none of mon");
    check("times = [\"09:10\", \"16:40\"]", "", "exposure_plan.times", "nothing says when");
}

#[test]
fn a_picture_is_a_name_without_folders() {
    let format =
        |file: &str| problems(&Template::named("format-swap").unwrap().text.replacen("hall-after.png", file, 1));
    for bad in ["../hall.png", "a/b.png", ".hidden", "a\\\\b", "a\\u0007.png", "c:x"] {
        let found = format(bad);
        assert!(found[0].field.ends_with("assets[0].file"), "{found:#?}");
    }
    let text =
        Template::named("format-swap").unwrap().text.replacen(", alt = \"A bright hall with white doors\"", "", 1);
    assert_eq!(problems(&text)[0].field, "control_variant.rounds[0].assets[0].alt");
}

#[test]
fn a_duplicate_key_and_broken_toml_are_told_with_their_line() {
    let found = changed("kind = \"micro\"", "kind = \"micro\"\nkind = \"batch\"");
    assert!(found[0].to_string().starts_with("line 3: ") && found[0].why.contains("twice"), "{found:#?}");
    let found = changed("kind = \"micro\"", "kind = micro");
    assert!(found[0].why.contains("not TOML") && found[0].line == Some(2), "{found:#?}");
}

#[test]
fn a_problem_repeats_little_of_what_came_and_nothing_hidden() {
    let hostile = "\u{202E}evil\\u001B[31m\\nsecond line".to_owned() + &"x".repeat(5_000);
    let found = changed("kind = \"micro\"", &format!("kind = \"{hostile}\"\n\"{hostile}\" = 1"));
    assert_eq!(found.len(), 2);
    for problem in &found {
        let told = problem.to_string();
        assert!(told.chars().count() < 500, "{told}");
        assert!(!told.chars().any(|c| c.is_control() || c == '\u{202E}'), "{told:?}");
    }
}

#[test]
fn limits_hold_against_hostile_files() {
    let whole = |text: &str, says: &str| {
        let found = problems(text);
        assert!(found.len() == 1 && found[0].to_string().contains(says), "{:#?} does not say {says}", found.first());
    };
    whole(&"x".repeat(50 * 1024 * 1024), "52428800 bytes; a brief has at most 262144");
    whole("", "empty");
    whole("\n \n", "empty");
    whole("kind = \"a\0\"", "NUL");
    whole("kind = \"a\\u0000\"", "NUL");
    whole(&format!("kind = {}1{}", "[".repeat(40), "]".repeat(40)), "more than 32 deep");
    whole(&format!("kind = \"{}\"", "x".repeat(70_000)), "at most 65536");
    whole(&format!("kind = [{}]", "1,".repeat(201)), "at most 200");
    whole(&(0..2_001).map(|i| format!("k{i} = 1\n")).collect::<String>(), "more than 2000 keys");
    whole("kind = inf", "not a finite number");
    whole("kind = nan", "not a finite number");
    whole(&format!("[{}]", vec!["a"; 60].join(".")), "more than 32 deep");
    // Deeper than the parser itself goes: whatever it says, it says it and returns.
    for bomb in ["[", "{a=", "[[", "a.", "a = {b = ", "\"\"\"", "'", "[a.b]\n", "#\n", "a = [\n", "\u{FEFF}", "\\"] {
        let text = bomb.repeat(200_000 / bomb.len());
        let found = problems(&text);
        assert!(!found.is_empty() && found.len() <= PROBLEMS_MAX + 1, "{bomb}");
        let dotted = format!("{text} = 1");
        assert!(!problems(&dotted).is_empty(), "{bomb}");
    }
}

#[test]
fn several_hundred_problems_are_counted() {
    let lines: String = (0..300).map(|i| format!("k{i} = 1\n")).collect();
    let found = problems(&lines);
    assert_eq!(found.len(), PROBLEMS_MAX + 1);
    assert!(found.last().unwrap().why.contains("more problems"), "{:?}", found.last());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        if let Err(problems) = read(&text) {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn a_damaged_brief_is_answered(template in 0..TEMPLATES.len(), at in any::<proptest::sample::Index>(), cut in 0_usize..40, put in "[\\[\\]{}\"'=\\.,#\n a-z0-9\\\\]{0,6}") {
        let chars: Vec<char> = TEMPLATES[template].text.chars().collect();
        let at = at.index(chars.len());
        let text: String = chars[..at].iter().copied().chain(put.chars()).chain(chars[at..].iter().copied().skip(cut)).collect();
        match read(&text) {
            Ok(brief) => prop_assert_eq!(read(&crate::brief::write(&brief)).unwrap(), brief),
            Err(problems) => prop_assert!(problems.iter().all(|p| !p.why.is_empty())),
        }
    }
}
