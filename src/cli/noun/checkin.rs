//! Check-ins: how today's rounds stand, signing one, and what was signed.
//!
//! What is left, open and done is the desk's word; here it is only drawn. The day is the desk's too;
//! `--zone`, else `TZ`, only draws times.

use clap::{Subcommand, ValueEnum};
use desk::query::CHECKINS_MAX;
use desk::rounds::RoundView;
use desk::{Answer, Command, Query};
use domain::checkin::{Checkin, Deeds, Left, OpenAlert, Round};
use domain::id::{CheckinId, ClientId};
use domain::role::Scope;
use domain::time::{UtcTime, Zone};

use super::head;
use crate::args::{Change, quoted};
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos checkin status                      what is left, and what signing would say
  expos checkin sign morning
  expos checkin sign midday --client acme --note 'jon settles the one in doubt'
  expos checkin list
  expos checkin show 01JD3X";

/// A round, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Named {
    /// Is every account safe, does anything collide, what goes out?
    Morning,
    /// Did it go out, what needs a hand?
    Midday,
    /// What was learned?
    EndOfDay,
}

impl From<Named> for Round {
    fn from(named: Named) -> Self {
        match named {
            Named::Morning => Self::Morning,
            Named::Midday => Self::Midday,
            Named::EndOfDay => Self::EndOfDay,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show how today's rounds stand: signed, or what is left
    Status {
        /// For one client alone
        #[arg(long)]
        client: Option<String>,
        /// In which zone times are drawn [or TZ; else UTC]; the day is the office's
        #[arg(long)]
        zone: Option<Zone>,
    },
    /// Sign a round of today; work that is left needs a note
    Sign {
        /// Which
        round: Named,
        /// For one client alone
        #[arg(long)]
        client: Option<String>,
        /// Who has what is left, and why
        #[arg(long, default_value = "")]
        note: String,
        /// How long it took, in minutes
        #[arg(long, default_value_t = 0)]
        minutes: u32,
        /// What `checkin status` printed as shown; refused where it has changed
        #[arg(long, value_name = "H")]
        shown: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// List the rounds that were signed, the newest first, up to 100
    List {
        /// Those before this one: a whole id
        #[arg(long, value_name = "ID")]
        before: Option<CheckinId>,
    },
    /// Show a signed round, whole
    Show {
        /// Id or unique prefix
        checkin: String,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Status { client, zone } => {
            let zone = zone.unwrap_or_else(|| session.zone());
            let client = client_id(session, client).await?;
            let query = Query::CheckinStatus { client: client.clone() };
            let rounds = take!(session.ask(query).await?, Answer::Rounds)?;
            let now = session.now();
            let blocks = rounds.iter().flat_map(|round| status(round, client.as_ref(), zone, now)).collect();
            Ok(Told::new(blocks, data(&rounds)?))
        }
        Verb::Sign { round, client, note, minutes, shown, change } => {
            let client = client_id(session, client).await?;
            let command = Command::CheckinSign {
                round: round.into(),
                client,
                looked: Vec::new(),
                used_s: u64::from(minutes) * 60,
                note,
                shown,
            };
            let mut told = session.act(command, &change).await?;
            if change.dry_run {
                // What was only tried cannot be shown.
                told.next = None;
            }
            Ok(told)
        }
        Verb::List { before } => {
            let all = take!(session.ask(Query::CheckinList { before }).await?, Answer::Checkins)?;
            let told = list(&all, data(&all)?);
            let full = u32::try_from(all.len()).is_ok_and(|count| count >= CHECKINS_MAX);
            Ok(match all.last() {
                Some(last) if full => told.next(format!("expos checkin list --before {}", last.id)),
                Some(_) | None => told,
            })
        }
        Verb::Show { checkin } => match session.ask(Query::CheckinShow { checkin: checkin.clone() }).await {
            Ok(answer) => {
                let found = take!(answer, Answer::Checkin)?;
                Ok(Told::new(show(&found), data(&found)?))
            }
            Err(failure) => Err(session.suggest(failure, "checkin", &checkin).await),
        },
    }
}

async fn client_id(session: &mut Session<'_>, named: Option<String>) -> Result<Option<ClientId>, Failure> {
    match named {
        Some(name) => Ok(Some(session.client(&name).await?.id)),
        None => Ok(None),
    }
}

fn status(round: &RoundView, client: Option<&ClientId>, zone: Zone, now: UtcTime) -> Vec<Block> {
    let mut blocks: Vec<Block> = head(&format!("{} of {} ({})", round.round, round.date, round.zone)).into();
    let local = |at: Option<UtcTime>| at.map_or_else(String::new, |at| at.in_zone(zone));
    match &round.signed {
        Some(signed) => {
            let line = format!("signed {} by {}", signed.at.in_zone(zone), signed.by);
            blocks.push(Block::Line(Text::of(line).look(Look::Good)));
            if !signed.note.is_empty() {
                blocks.push(Block::Quote(Text::lines(signed.note.as_str())));
            }
        }
        None if round.opens.is_some_and(|opens| now < opens) => {
            let line = format!("begins {}, may be signed from {}", local(round.begins), local(round.opens));
            blocks.push(Block::Line(line.into()));
        }
        None => {
            blocks.push(Block::Line("not signed".into()));
            let client = client.map_or_else(String::new, |client| format!(" --client {client}"));
            let sign = format!("expos checkin sign {}{client} --shown {}", typed(round.round), quoted(&round.shown));
            blocks.push(Block::Fields(vec![("sign with", sign.into())]));
        }
    }
    blocks.extend(deeds(&round.done));
    blocks.extend(left(&round.left, zone));
    blocks.extend(alerts(&round.alerts));
    blocks
}

const fn typed(round: Round) -> &'static str {
    match round {
        Round::Morning => "morning",
        Round::Midday => "midday",
        Round::EndOfDay => "end-of-day",
    }
}

fn codes(named: &[domain::checkin::Named]) -> String {
    named.iter().map(|named| named.code.as_str()).collect::<Vec<_>>().join(", ")
}

fn deeds(deeds: &Deeds) -> Vec<Block> {
    let mut fields: Vec<(&'static str, Text)> = Vec::new();
    if !deeds.approved.is_empty() {
        fields.push(("approved", format!("{} ({} posts)", codes(&deeds.approved), deeds.posts).into()));
    }
    if !deeds.passed_on.is_empty() {
        fields.push(("passed on", codes(&deeds.passed_on).into()));
    }
    if !deeds.rejected.is_empty() {
        fields.push(("sent back", codes(&deeds.rejected).into()));
    }
    if !deeds.settled.is_empty() {
        fields.push(("settled", format!("{} alerts", deeds.settled.len()).into()));
    }
    if fields.is_empty() { Vec::new() } else { vec![Block::Fields(fields)] }
}

fn left(left: &[Left], zone: Zone) -> Vec<Block> {
    let line = |left: &Left| {
        let before = left.before.map_or_else(String::new, |before| format!(", before {}", before.in_zone(zone)));
        Block::Line(Text::of(format!("left: {}; {}{before}", left.what, left.to)).look(Look::Warn))
    };
    left.iter().map(line).collect()
}

fn alerts(alerts: &[OpenAlert]) -> Vec<Block> {
    let line = |alert: &OpenAlert| {
        let owner = alert.owner.as_deref().unwrap_or("nobody");
        Block::Line(format!("open: {} {} {}; {owner}", alert.escalation, alert.urgency.as_str(), alert.rule).into())
    };
    alerts.iter().map(line).collect()
}

fn covers(checkin: &Checkin) -> String {
    match &checkin.covers {
        Scope::All => "all clients".to_owned(),
        Scope::Only(clients) => clients.iter().map(ClientId::as_str).collect::<Vec<_>>().join(", "),
    }
}

fn list(all: &[Checkin], data: serde_json::Value) -> Told {
    let rows = all.iter().map(|checkin| {
        vec![
            checkin.id.to_string().into(),
            checkin.date.to_string().into(),
            checkin.round.as_str().into(),
            checkin.by.name.as_str().into(),
            checkin.at.in_zone(checkin.zone).into(),
            checkin.left.len().to_string().into(),
            covers(checkin).into(),
            Text::of(checkin.note.as_str()),
        ]
    });
    let columns = vec![
        keep("check-in"),
        keep("day"),
        keep("round"),
        keep("by"),
        keep("signed"),
        keep("left"),
        flow("for"),
        flow("note"),
    ];
    Told::table(columns, rows.collect(), "no round was signed yet", data)
}

fn show(checkin: &Checkin) -> Vec<Block> {
    let local = |time: UtcTime| time.in_zone(checkin.zone);
    let mut blocks = vec![Block::Fields(vec![
        ("check-in", checkin.id.to_string().into()),
        ("round", checkin.round.as_str().into()),
        ("day", format!("{} ({})", checkin.date, checkin.zone).into()),
        ("for", covers(checkin).into()),
        ("signed", format!("{} by {}", local(checkin.at), checkin.by.name).into()),
        ("took", format!("{} min", checkin.used_s / 60).into()),
        ("log", format!("event {} and all before it", checkin.log).into()),
    ])];
    blocks.extend(head("looked at"));
    if checkin.looked.is_empty() {
        blocks.push(Block::Line("nothing was said about that".into()));
    }
    for look in &checkin.looked {
        let times = if look.from == look.until {
            local(look.from)
        } else {
            format!("{} to {}", local(look.from), local(look.until))
        };
        blocks.push(Block::Line(Text::of(format!("{}: {}, {times}", look.step.as_str(), look.what))));
    }
    blocks.extend(head("done"));
    let done = deeds(&checkin.done);
    if done.is_empty() {
        blocks.push(Block::Line("nothing since the one before".into()));
    }
    blocks.extend(done);
    blocks.extend(head("left"));
    if checkin.left.is_empty() {
        blocks.push(Block::Line("nothing".into()));
    }
    blocks.extend(left(&checkin.left, checkin.zone));
    blocks.extend(head("alerts at that moment"));
    if checkin.alerts.is_empty() {
        blocks.push(Block::Line("none".into()));
    }
    blocks.extend(alerts(&checkin.alerts));
    if !checkin.note.is_empty() {
        blocks.extend(head("note"));
        blocks.push(Block::Quote(Text::lines(checkin.note.as_str())));
    }
    blocks
}
