//! The three briefs of a Monday morning, and how others are written.
//!
//! Decided here: what the items of the fixture's queue say. What the desk tells of them is the fixture's.

use domain::approval::ApprovalLevel;
use domain::preflight::{Finding, Guard, Severity};

/// A brief with what surrounds it.
pub(super) struct Item {
    pub(super) number: u8,
    pub(super) code: &'static str,
    pub(super) toml: String,
    /// Letter, round from 1, slot.
    pub(super) plan: Vec<(char, u32, &'static str)>,
    pub(super) findings: Vec<Finding>,
    pub(super) level: ApprovalLevel,
    pub(super) needed: usize,
}

/// Writes a brief around its texts.
pub(super) fn brief_toml(
    client: &str,
    name: &str,
    hypothesis: &str,
    variable: &str,
    posts: usize,
    texts: &str,
) -> String {
    format!(
        r#"
kind = "micro"
name = "{name}"
client = "{client}"
platforms = ["bluesky"]
surface = "bluesky_post"
hypothesis = "{hypothesis}"
variable_under_test = "{variable}"
approval_level = "review"
success_proxies = [
  {{ metric = "replyCount", direction = "up", age = "24h" }},
  {{ metric = "repostCount", direction = "up", age = "24h" }},
]
guardrails = [
  {{ signal = "publish_failures", limit = 2, action = "pause" }},
  {{ signal = "platform_warning", limit = 1, action = "pause" }},
]
stop_conditions = [{{ when = "any_breach" }}, {{ when = "failed_posts", limit = 2 }}, {{ when = "invalid" }}]
[run_window]
start = "2026-11-23T00:00:00Z"
end = "2026-12-04T23:59:59Z"
[exposure_plan]
account = "{client}-bs"
posts_per_variant = {posts}
times = ["09:10"]
spacing = "72h"
snapshot_ages = ["1h", "24h"]
settings = {{ langs = ["en"] }}
{texts}
"#
    )
}

fn note(guard: Guard, severity: Severity, rule: &str, place: &str, why: &str, mend: &str) -> Finding {
    Finding {
        guard,
        rule: rule.to_owned(),
        severity,
        place: place.to_owned(),
        why: why.to_owned(),
        mend: mend.to_owned(),
        level: None,
    }
}

pub(super) fn items() -> Vec<Item> {
    vec![
        Item {
            number: 18,
            code: "CRM-018",
            toml: brief_toml(
                "crm",
                "Clock, fire or hands?",
                "Fire or hands bring more replies than a time, because one sees them.",
                "hook",
                1,
                r##"
[control_variant]
hook = "Forty-hour dough, out at six."
caption = "Country loaf, on the counter now. Contains wheat. Made where nuts and milk are used."
hashtags = "#sourdough"
[[test_variants]]
hook = "Lit last night, and the bricks are still hot."
[[test_variants]]
hook = "Four hands, one bench, no talk until the last loaf is in."
"##,
            ),
            plan: vec![
                ('C', 1, "2026-11-23T12:30:00Z"),
                ('A', 1, "2026-11-26T12:30:00Z"),
                ('B', 1, "2026-11-29T12:30:00Z"),
            ],
            findings: vec![note(
                Guard::UniquenessGuard,
                Severity::Info,
                "uniqueness.near",
                "variant A, hook",
                "nearest post is 21 days old, 31 % alike: `Dough since Sunday`",
                "nothing needs doing",
            )],
            level: ApprovalLevel::Review,
            needed: 1,
        },
        Item {
            number: 10,
            code: "QUB-010",
            toml: brief_toml(
                "qub",
                "Number or scene?",
                "A scene brings more replies than a count, because readers have been there.",
                "hook",
                2,
                r#"
[[exposure_plan.rounds]]
caption = "The inbox shows who has it before you type."
[[exposure_plan.rounds]]
caption = "Say where it is and when you will look again."
[control_variant]
rounds = [{ hook = "Three tabs, one customer, two answers." }, { hook = "One parcel, four e-mails." }]
[[test_variants]]
rounds = [{ hook = "You press send and see a colleague's answer." }, { hook = "The depot has the parcel, your inbox has the customer." }]
"#,
            ),
            plan: vec![
                ('A', 1, "2026-11-23T22:10:00Z"),
                ('B', 1, "2026-11-26T22:10:00Z"),
                ('B', 2, "2026-11-29T22:10:00Z"),
                ('A', 2, "2026-12-02T22:10:00Z"),
            ],
            findings: Vec::new(),
            level: ApprovalLevel::Review,
            needed: 1,
        },
        Item {
            number: 11,
            code: "QUB-011",
            toml: brief_toml(
                "qub",
                "Line or list?",
                "A list is reposted more than one line: it can be kept.",
                "caption",
                1,
                r#"
[control_variant]
caption = "Before the weekend: set the away note, name who is on call, park what can wait."
[[test_variants]]
caption = """Before the weekend:
1 set the away note
2 name who is on call
3 park what can wait"""
"#,
            ),
            plan: vec![('B', 1, "2026-11-24T04:10:00Z"), ('A', 1, "2026-11-27T04:10:00Z")],
            findings: Vec::new(),
            level: ApprovalLevel::Review,
            needed: 1,
        },
        Item {
            number: 6,
            code: "PNW-006",
            toml: brief_toml(
                "pnw",
                "Range or round figure",
                "A range brings more replies than a round figure, because readers add their own.",
                "hook",
                1,
                r#"
[control_variant]
hook = "Four percent, on average."
caption = "Past years do not tell of the next. Your money can fall."
[[test_variants]]
hook = "Between two and nine percent, over ten years."
"#,
            ),
            plan: vec![('A', 1, "2026-11-24T16:00:00Z"), ('B', 1, "2026-11-27T16:00:00Z")],
            findings: vec![note(
                Guard::RiskScan,
                Severity::Warn,
                "finance.past-performance",
                "variant A, hook",
                "`Four percent` speaks of a return",
                "say that it may fall, beside the number",
            )],
            level: ApprovalLevel::Manual,
            needed: 2,
        },
    ]
}
