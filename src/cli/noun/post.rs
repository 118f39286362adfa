//! Posts: listed, explained, dropped, settled by a person's word.

use clap::Subcommand;
use desk::query::{PostLine, PostView};
use desk::{Answer, Command, Query, Verdict};
use domain::post::{Attempt, AttemptEnd, PostState, Proof};
use domain::refusal::Refusal;

use super::{events, head};
use crate::args::{Change, Raise, quoted};
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos post list ACME-001
  expos post why 01JD3X                     what happened, what can be done
  expos post confirm 01JD3X --live https://bsky.app/profile/a.b/post/3k
  expos post confirm 01JD3X --not-live --yes";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List posts, in slot order
    List {
        /// Of one experiment: code, id or unique prefix
        experiment: Option<String>,
    },
    /// Show a post
    Show {
        /// Id or unique prefix
        post: String,
    },
    /// Say what happened to a post, what was done, and what can be done
    Why {
        /// Id or unique prefix
        post: String,
    },
    /// Drop a post
    Cancel {
        /// Id or unique prefix
        post: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        change: Change,
    },
    /// Settle a post in doubt by what you saw yourself
    #[command(group(clap::ArgGroup::new("seen").required(true).args(["live", "not_live"])))]
    Confirm {
        /// Id or unique prefix
        post: String,
        /// It is live, at this address
        #[arg(long, value_name = "URL")]
        live: Option<String>,
        /// It is not live, and I looked: it may go out again
        #[arg(long)]
        not_live: bool,
        #[command(flatten)]
        raise: Raise,
    },
    /// Show the proof that a post is live
    Proof {
        /// Id or unique prefix
        post: String,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::List { experiment } => {
            let posts = match session.ask(Query::PostList { experiment: experiment.clone() }).await {
                Ok(answer) => take!(answer, Answer::Posts)?,
                Err(failure) => {
                    return Err(session.suggest(failure, "experiment", &experiment.unwrap_or_default()).await);
                }
            };
            let told = data(&posts)?;
            Ok(list(&posts, "no posts are planned", told))
        }
        Verb::Show { post } => {
            let view = session.post(&post).await?;
            Ok(Told::new(show(&view), data(&view)?))
        }
        Verb::Why { post } => {
            let view = session.post(&post).await?;
            Ok(Told::new(why(&view), data(&view)?))
        }
        Verb::Cancel { post, reason, change } => {
            let id = session.post(&post).await?.line.id;
            session.act(Command::PostCancel { post: id, reason }, &change).await
        }
        Verb::Confirm { post, live, not_live: _, raise } => confirm(session, &post, live, &raise).await,
        Verb::Proof { post } => {
            let view = session.post(&post).await?;
            proof(&view)
        }
    }
}

async fn confirm(session: &mut Session<'_>, name: &str, live: Option<String>, raise: &Raise) -> Result<Told, Failure> {
    let verdict = match live {
        Some(url) => Verdict::Live { url },
        None => {
            raise.check(format!("post {name}"), &format!("expos post confirm {} --not-live", quoted(name)))?;
            Verdict::NotLive
        }
    };
    let post = session.post(name).await?.line.id;
    session.act(Command::PostConfirm { post, verdict }, &raise.change).await
}

const NO_URL: &str = "-";

fn columns() -> Vec<crate::output::Column> {
    vec![
        keep("post"),
        keep("experiment"),
        keep("no"),
        keep("variant"),
        keep("slot"),
        keep("account"),
        keep("state"),
        keep("approved"),
        flow("url"),
    ]
}

fn row(post: &PostLine) -> Vec<Text> {
    let approved = match (&post.voided, post.approved) {
        (_, true) => Text::of("yes"),
        (Some((field, _)), false) => Text::of(format!("void: {field}")).look(Look::Warn),
        (None, false) => Text::of("no"),
    };
    vec![
        post.id.to_string().into(),
        post.experiment.as_str().into(),
        post.number.to_string().into(),
        format!("{}{}", post.letter, post.round).into(),
        post.local.as_str().into(),
        post.account.as_str().into(),
        state(&post.state),
        approved,
        post.url.as_deref().unwrap_or(NO_URL).into(),
    ]
}

fn state(word: &str) -> Text {
    let look = match word {
        "unconfirmed" | "failed" | "removed" => Look::Bad,
        "missed" | "awaiting operator" | "claimed" => Look::Warn,
        "published" | "verified" => Look::Good,
        _ => Look::Plain,
    };
    Text::of(word).look(look)
}

/// Draws posts under heads.
pub(crate) fn table(posts: &[PostLine]) -> Block {
    Block::Table(columns(), posts.iter().map(row).collect())
}

/// Tells posts; where there are none, a note says so.
pub(crate) fn list(posts: &[PostLine], empty: &str, data: serde_json::Value) -> Told {
    Told::table(columns(), posts.iter().map(row).collect(), empty, data)
}

fn fields(view: &PostView) -> Block {
    let line = &view.line;
    let mut fields = vec![
        ("post", line.id.to_string().into()),
        ("experiment", line.experiment.as_str().into()),
        ("number", format!("{}, block {}", line.number, line.block).into()),
        ("variant", format!("{} round {}", line.letter, line.round).into()),
        ("account", line.account.as_str().into()),
        ("slot", line.local.as_str().into()),
        ("state", state(&line.state)),
    ];
    fields.extend(state_fields(&view.state));
    if let Some(url) = &line.url {
        fields.push(("url", url.as_str().into()));
    }
    if let Some(approval) = &view.approval {
        let by: Vec<&str> = approval.by.iter().map(|a| a.name.as_str()).collect();
        fields.push(("approved by", by.join(", ").into()));
    }
    if let Some((field, why)) = &line.voided {
        fields.push(("approval void", Text::of(format!("{field}: {why}")).look(Look::Warn)));
    }
    Block::Fields(fields)
}

fn state_fields(state: &PostState) -> Vec<(&'static str, Text)> {
    match state {
        PostState::Unconfirmed { why, since } => {
            vec![("why", why.as_str().into()), ("since", since.to_string().into())]
        }
        PostState::Claimed { by, until, .. } => {
            vec![("held by", by.name().into()), ("until", until.to_string().into())]
        }
        PostState::Removed { at, evidence, .. } => {
            vec![("gone since", at.to_string().into()), ("seen", evidence.as_str().into())]
        }
        PostState::Failed { why } | PostState::Missed { why, .. } => vec![("why", why.as_str().into())],
        PostState::Cancelled { by, reason } => vec![("dropped by", by.name().into()), ("why", reason.as_str().into())],
        PostState::Planned { retry_at: Some(at) } => vec![("tried again", at.to_string().into())],
        PostState::Planned { retry_at: None }
        | PostState::Preparing
        | PostState::Prepared { .. }
        | PostState::Committing
        | PostState::AwaitingOperator
        | PostState::Published { .. }
        | PostState::Verified { .. } => Vec::new(),
    }
}

fn show(view: &PostView) -> Vec<Block> {
    let mut blocks = vec![fields(view)];
    blocks.extend(head("text"));
    blocks.push(Block::Quote(Text::lines(view.text.as_str())));
    blocks.extend(answers(view));
    blocks
}

fn answers(view: &PostView) -> Vec<Block> {
    let mut blocks: Vec<Block> = head("what can be done").into();
    blocks.extend(view.answers.iter().map(|answer| Block::Line(Text::of(answer.as_str()))));
    blocks
}

fn why(view: &PostView) -> Vec<Block> {
    let mut blocks = vec![fields(view)];
    blocks.extend(head("what happened"));
    blocks.push(events::table(&view.events, &|time| time.to_string()));
    if !view.attempts.is_empty() {
        blocks.extend(head("what was done"));
        blocks.extend(view.attempts.iter().map(|attempt| Block::Line(attempt_line(attempt))));
    }
    blocks.extend(answers(view));
    blocks
}

fn attempt_line(attempt: &Attempt) -> Text {
    let end = match &attempt.end {
        None => "not known how it ended".to_owned(),
        Some(AttemptEnd::Live) => "it made the post visible".to_owned(),
        Some(AttemptEnd::Refused { why }) => format!("the platform refused: {why}"),
        Some(AttemptEnd::NotSent { why }) => format!("nothing was sent: {why}"),
        Some(AttemptEnd::Never) => "it can no longer become visible".to_owned(),
        Some(AttemptEnd::Attested { by }) => format!("{} swore that it is not live", by.name()),
    };
    let ended = attempt.ended.map_or_else(String::new, |at| format!(" to {at}"));
    Text::of(format!("attempt {}: {}{ended}, {} looks: {end}", attempt.number, attempt.started, attempt.looks))
}

fn proof(view: &PostView) -> Result<Told, Failure> {
    let PostState::Verified { proof, .. } = &view.state else {
        let why = format!("it is {}, and nobody has read it back yet", view.line.state);
        return Err(Refusal::new(
            domain::refusal::RefusalKind::NotFound,
            "post.no-proof",
            format!("the proof of post {}", view.line.id),
            why,
            format!("see where it is with `expos post why {}`", view.line.id),
        )
        .into());
    };
    Ok(Told::new(vec![Block::Fields(proof_fields(proof))], data(proof)?))
}

fn proof_fields(proof: &Proof) -> Vec<(&'static str, Text)> {
    vec![
        ("url", proof.url.as_str().into()),
        ("seen", proof.at.to_string().into()),
        ("by", proof.looked.as_str().into()),
        ("id", proof.id.as_str().into()),
        ("digest", proof.digest.as_str().into()),
        ("text sha256", proof.text.to_string().into()),
    ]
}
