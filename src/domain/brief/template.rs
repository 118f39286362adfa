//! Templates: whole briefs to begin with, as files that are built in.
//!
//! Decides which there are. Each reads as a valid brief as it stands; client, account, dates and words are examples.

/// A brief to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// The short name: `hook-swap`.
    pub name: &'static str,
    /// The name that lists show.
    pub title: &'static str,
    /// One line on what it is for.
    pub about: &'static str,
    /// The brief, as TOML.
    pub text: &'static str,
}

/// All templates, in the order that lists show.
pub const TEMPLATES: &[Template] = &[
    Template {
        name: "hook-swap",
        title: "Hook swap",
        about: "two first lines over the same bodies, five posts each",
        text: include_str!("../../../data/templates/hook-swap.toml"),
    },
    Template {
        name: "caption-swap",
        title: "Caption swap",
        about: "two ways to write the body under the same first line",
        text: include_str!("../../../data/templates/caption-swap.toml"),
    },
    Template {
        name: "cta-swap",
        title: "CTA swap",
        about: "a question against a page at the end, in pairs",
        text: include_str!("../../../data/templates/cta-swap.toml"),
    },
    Template {
        name: "format-swap",
        title: "Format swap",
        about: "one picture against two, with the same words",
        text: include_str!("../../../data/templates/format-swap.toml"),
    },
    Template {
        name: "batch-week",
        title: "Batch of a week",
        about: "two blueprints, one post of each a day, whole weeks",
        text: include_str!("../../../data/templates/batch-week.toml"),
    },
    Template {
        name: "reply-patterns",
        title: "Reply patterns",
        about: "two ways to answer a comment, sent by a person",
        text: include_str!("../../../data/templates/reply-patterns.toml"),
    },
    Template {
        name: "lane-trial",
        title: "Lane trial",
        about: "the interface against a person's hand, with the same content",
        text: include_str!("../../../data/templates/lane-trial.toml"),
    },
];

impl Template {
    /// Returns the template of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TEMPLATES.iter().find(|template| template.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brief::{Kind, read};
    use std::collections::BTreeSet;

    #[test]
    fn every_template_is_a_valid_brief() {
        for template in TEMPLATES {
            let brief = read(template.text).unwrap_or_else(|problems| {
                panic!(
                    "{}:\n{}",
                    template.name,
                    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
                )
            });
            assert!(brief.round_count().is_some(), "{}", template.name);
            assert_eq!(Template::named(template.name), Some(template));
        }
        assert_eq!(Template::named("nothing"), None);
    }

    #[test]
    fn there_is_a_template_of_every_kind() {
        let kinds: BTreeSet<Kind> = TEMPLATES.iter().map(|t| read(t.text).unwrap().kind).collect();
        assert_eq!(kinds.len(), 4);
    }
}
