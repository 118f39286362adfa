//! Replies: what people wrote under our posts, and one answer at a time.
//!
//! Decides that an answer is given only with what `reply show` printed last, so that it answers the thread as it was read.

use std::path::Path;

use clap::Subcommand;
use desk::query::{ReplyLine, ReplyView};
use desk::{Answer, Command, Query};
use domain::engagement::Suggestion;

use super::head;
use crate::args::{Change, Raise, quoted};
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, Zones, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos reply list                          what waits, the oldest first
  expos reply show 01JD3X                   the thread, and what is suggested
  expos reply send 01JD3X --seen 7f3a91c2 --suggested --yes
  expos reply send 01JD3X --seen 7f3a91c2 --text 'Yes, from seven.' --yes
  expos reply skip 01JD3X --reason 'only a greeting'";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List what people wrote and nobody answered yet
    List {
        /// What is answered, skipped or taken back too
        #[arg(long)]
        all: bool,
    },
    /// Show a thread, what is suggested, and last what names it as seen
    Show {
        /// Conversation: id or unique prefix
        conversation: String,
    },
    /// Send one answer, exactly this text, on the thread as it was seen
    #[command(group(clap::ArgGroup::new("words").required(true).args(["text", "suggested"])))]
    Send {
        /// Conversation: id or unique prefix
        #[arg(value_name = "ID")]
        conversation: String,
        /// What `reply show` printed last; at least 8 digits
        #[arg(long, value_name = "H")]
        seen: String,
        /// What it says; - reads it from standard input
        #[arg(long, value_name = "T")]
        text: Option<String>,
        /// What is suggested, as it stands
        #[arg(long)]
        suggested: bool,
        #[command(flatten)]
        raise: Raise,
    },
    /// Decide that it needs no answer
    Skip {
        /// Conversation: id or unique prefix
        conversation: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        change: Change,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::List { all } => {
            let lines = take!(session.ask(Query::ReplyList { all }).await?, Answer::Replies)?;
            let zones = session.zones().await?;
            Ok(list(&lines, &zones, data(&lines)?))
        }
        Verb::Show { conversation } => {
            let view = shown(session, &conversation).await?;
            let zones = session.zones().await?;
            let told = Told::new(show(&view, &zones), data(&view)?);
            Ok(told.next(format!(
                "expos reply send {} --seen {} --text TEXT --yes",
                view.line.conversation,
                short(&view.line.seen)
            )))
        }
        Verb::Send { conversation, seen, text, suggested: _, raise } => {
            let view = shown(session, &conversation).await?;
            let text = match text {
                Some(text) if text == "-" => session.document(Path::new("-")).await?.trim_end().to_owned(),
                Some(text) => text,
                None => match view.line.suggestion {
                    Suggestion::Made(made) => made.text,
                    Suggestion::None { why, .. } => {
                        let what = format!("conversation {}", view.line.conversation);
                        return Err(Failure::invalid("reply.unsuggested", what, why, "write it with --text"));
                    }
                },
            };
            let again = format!("expos reply send {} --seen {seen} --text {}", quoted(&conversation), quoted(&text));
            raise.check(format!("a reply as @{}", view.line.handle), &again)?;
            let command = Command::ReplySend { conversation: view.line.conversation, text, seen };
            session.act(command, &raise.change).await
        }
        Verb::Skip { conversation, reason, change } => {
            let conversation = shown(session, &conversation).await?.line.conversation;
            session.act(Command::ReplySkip { conversation, reason }, &change).await
        }
    }
}

async fn shown(session: &mut Session<'_>, name: &str) -> Result<ReplyView, Failure> {
    let query = Query::ReplyShow { conversation: name.to_owned() };
    Ok(*take!(session.ask(query).await?, Answer::Reply)?)
}

fn short(seen: &str) -> String {
    seen.chars().take(12).collect()
}

fn state(line: &ReplyLine) -> Text {
    let look = match line.state.as_str() {
        "own words" => Look::Warn,
        "sent" => Look::Good,
        _ => Look::Plain,
    };
    Text::of(line.state.as_str()).look(look)
}

fn list(lines: &[ReplyLine], zones: &Zones, data: serde_json::Value) -> Told {
    let rows = lines.iter().map(|line| {
        let suggestion = line.suggestion.made().map_or("-", |made| made.template.as_str());
        vec![
            line.conversation.to_string().into(),
            line.account.as_str().into(),
            format!("{} {}", line.experiment, line.letter).into(),
            Text::of(line.who.raw()),
            zones.local(&line.client, line.at).into(),
            state(line),
            Text::of(suggestion),
            Text::of(line.text.raw()),
        ]
    });
    let columns = vec![
        keep("conversation"),
        keep("account"),
        keep("post"),
        keep("who"),
        keep("when"),
        keep("is"),
        keep("template"),
        flow("text"),
    ];
    Told::table(columns, rows.collect(), "nobody waits for an answer", data)
}

fn show(view: &ReplyView, zones: &Zones) -> Vec<Block> {
    let line = &view.line;
    let local = |time| zones.local(&line.client, time);
    let mut fields = vec![
        ("conversation", line.conversation.to_string().into()),
        ("account", Text::of(format!("{} (@{})", line.account, line.handle))),
        ("under", Text::of(format!("{} {}, post {}", line.experiment, line.letter, line.post))),
        ("is", Text::of(line.told.as_str())),
        ("seen", Text::of(short(&line.seen))),
    ];
    if let Some(next) = line.next_at {
        fields.push(("next reply", Text::of(format!("not before {}", local(next))).look(Look::Warn)));
    }
    if let Some(url) = &line.reply_url {
        fields.push(("answered at", url.as_str().into()));
    }
    let mut blocks = vec![Block::Fields(fields)];
    blocks.extend(head("our post"));
    blocks.push(Block::Quote(Text::lines(line.post_text.as_str())));
    blocks.extend(head("the thread"));
    for said in &view.thread {
        let edited = if said.edited { ", edited since" } else { "" };
        let who = if said.ours { format!("us ({})", said.who.raw()) } else { said.who.raw().to_owned() };
        blocks.push(Block::Line(Text::of(format!("{who}, {}{edited}", local(said.at))).look(Look::Strong)));
        blocks.push(Block::Quote(Text::lines(said.text.raw())));
    }
    blocks.extend(head("suggested"));
    match &line.suggestion {
        Suggestion::Made(made) => {
            blocks.push(Block::Quote(Text::lines(made.text.as_str())));
            blocks.extend(made.rests.iter().map(|rest| Block::Line(Text::of(rest.as_str()))));
        }
        Suggestion::None { why, .. } => blocks.push(Block::Line(Text::of(why.as_str()).look(Look::Warn))),
    }
    blocks.extend(view.notes.iter().map(|note| Block::Line(Text::of(note.as_str()).look(Look::Warn))));
    blocks
}
