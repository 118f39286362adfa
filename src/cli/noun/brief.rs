//! Briefs: begun from a template, checked, taken in, edited.

use std::path::PathBuf;

use clap::Subcommand;
use desk::{Command, Problem};
use domain::brief::{TEMPLATES, Template, json_schema, read};
use domain::refusal::Refusal;
use serde_json::json;

use crate::args::Change;
use crate::error::Failure;
use crate::json;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Opened, Session};
use crate::suggest::nearest;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos brief template list
  expos brief template show hook-swap > brief.toml
  expos brief check brief.toml              exit 8 and a line per problem
  expos brief new brief.toml
  expos brief edit ACME-001 - < brief.toml";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check a brief without giving it to anybody
    Check {
        /// TOML file, or - for standard input
        file: PathBuf,
    },
    /// Take in a brief
    New {
        /// TOML file, or - for standard input; without one the editor opens
        file: Option<PathBuf>,
        /// The template that the editor begins with
        #[arg(long, default_value = "hook-swap", conflicts_with = "file")]
        template: String,
        #[command(flatten)]
        change: Change,
    },
    /// Replace a brief
    Edit {
        /// Experiment: code, id or unique prefix
        experiment: String,
        /// TOML file, or - for standard input; without one the editor opens
        file: Option<PathBuf>,
        #[command(flatten)]
        change: Change,
    },
    /// Briefs to begin with
    #[command(subcommand)]
    Template(TemplateVerb),
    /// Print the JSON Schema of briefs
    Schema,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TemplateVerb {
    /// List templates
    List,
    /// Print a template, as TOML
    Show {
        /// Its name
        name: String,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Check { file } => {
            let text = session.document(&file).await?;
            check(&text)
        }
        Verb::New { file: Some(file), change, .. } => {
            let toml = session.document(&file).await?;
            session.act(Command::BriefNew { toml }, &change).await
        }
        Verb::New { file: None, template, change } => {
            let template = named(&template)?;
            if !session.can_ask() {
                return Err(Failure::Usage {
                    what: "a new brief".to_owned(),
                    why: "no file was given, and there is nobody to open an editor for".to_owned(),
                    mend: "give a file, or - for standard input".to_owned(),
                });
            }
            match session.open("the brief", template.text).await? {
                Opened::Printed(told) => Ok(told),
                Opened::Edited(edited) => {
                    let toml = edited.text.clone();
                    session.act_edited(edited, Command::BriefNew { toml }, &change).await
                }
            }
        }
        Verb::Edit { experiment, file: Some(file), change } => {
            let toml = session.document(&file).await?;
            let command = Command::BriefEdit { experiment: experiment.clone(), toml };
            session.act_on("experiment", &experiment, command, &change).await
        }
        Verb::Edit { experiment, file: None, change } => {
            let view = session.experiment(&experiment).await?;
            let code = view.line.code;
            let Some(present) = view.brief else {
                return Err(Refusal::nothing(
                    format!("experiment {code}"),
                    "it has no brief: it is the client's house experiment",
                )
                .into());
            };
            match session.open(&format!("the brief of {code}"), &present).await? {
                Opened::Printed(told) => Ok(told),
                Opened::Edited(edited) => {
                    let toml = edited.text.clone();
                    session.act_edited(edited, Command::BriefEdit { experiment: code, toml }, &change).await
                }
            }
        }
        Verb::Template(TemplateVerb::List) => Ok(templates()),
        Verb::Template(TemplateVerb::Show { name }) => {
            let template = named(&name)?;
            Ok(Told::new(
                vec![Block::Document(template.text.to_owned())],
                json!({"name": template.name, "toml": template.text}),
            ))
        }
        Verb::Schema => {
            let schema = json_schema();
            Ok(Told::new(vec![Block::Document(json::pretty(&schema))], schema))
        }
    }
}

/// Checks a brief against what can be known without a desk.
fn check(text: &str) -> Result<Told, Failure> {
    let brief = read(text).map_err(|problems| Problem::Invalid(problems.iter().map(ToString::to_string).collect()))?;
    brief.check_single_variable()?;
    let variants = brief.test_variants.len().saturating_add(1);
    let posts = u32::try_from(variants).unwrap_or(u32::MAX).saturating_mul(brief.exposure_plan.posts_per_variant);
    let line =
        format!("the brief is in order: {} on {}, {variants} variants, {posts} posts", brief.kind, brief.surface);
    let data = json!({"kind": brief.kind, "client": brief.client, "surface": brief.surface, "variants": variants, "posts": posts});
    Ok(Told::lines([line], data).next("expos brief new FILE"))
}

fn named(name: &str) -> Result<&'static Template, Failure> {
    Template::named(name).ok_or_else(|| {
        let mut refusal = Refusal::not_found("template", name);
        refusal.mend = "list them with `expos brief template list`".to_owned();
        if let Some(near) = nearest(name, TEMPLATES.iter().map(|t| t.name)) {
            refusal.mend = format!("did you mean `{near}`? {}", refusal.mend);
        }
        refusal.into()
    })
}

fn templates() -> Told {
    let rows = TEMPLATES.iter().map(|t| vec![t.name.into(), t.title.into(), t.about.into()]).collect();
    let data = TEMPLATES.iter().map(|t| json!({"name": t.name, "title": t.title, "about": t.about})).collect();
    Told::table(vec![keep("template"), flow("title"), flow("about")], rows, "none", data)
        .next("expos brief template show NAME")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::words;

    #[test]
    fn a_template_is_found_or_the_nearest_offered() {
        assert_eq!(named("cta-swap").unwrap().name, "cta-swap");
        let failure = named("hok-swap").unwrap_err();
        assert_eq!(words(&failure).exit, 4);
        assert!(format!("{failure:?}").contains("did you mean `hook-swap`?"));
    }

    #[test]
    fn every_template_passes_the_check_and_nonsense_does_not() {
        for template in TEMPLATES {
            assert!(check(template.text).is_ok(), "{}", template.name);
        }
        let two = Template::named("hook-swap")
            .unwrap()
            .text
            .replace("[[test_variants]]\n", "[[test_variants]]\ncta = \"Write.\"\n");
        assert!(format!("{:?}", check(&two).unwrap_err()).contains("cta differs"), "the variable is not the only one");
        let failure = check("kind = 3\n").unwrap_err();
        assert_eq!(words(&failure).exit, 8);
        assert!(matches!(failure, Failure::Problem(Problem::Invalid(lines)) if lines.len() > 1));
    }
}
