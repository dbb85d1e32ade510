//! `queue list`, `retry`, `give-up`, `bounce`, `bounces` and `clear-bounce`.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::operate::{instant, say};
use crate::{
    app::App,
    audit::{Act, Actor, Reason},
    clock::Timestamp,
    operators::queues::Line,
    storage::queue::{Filter, Shown},
};

/// Rows that are listed.
const MOST: i64 = 200;

/// A queue on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Name {
    /// Mails.
    Mails,
    /// Messages of the protocol to apps, such as logouts.
    Deliveries,
    /// Webhooks.
    Webhooks,
}

impl From<Name> for Line {
    fn from(name: Name) -> Self {
        match name {
            Name::Mails => Self::Mails,
            Name::Deliveries => Self::Protocol,
            Name::Webhooks => Self::Webhooks,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// Lists the newest 200 of a queue; never their content.
    List {
        /// Which queue.
        queue: Name,
        /// Only those that are queued, sent or failed.
        #[arg(long, default_value = "")]
        state: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Has one tried now that waits; a webhook also when it was given up.
    Retry(RowArgs),
    /// Gives one up that waits, and erases its content.
    GiveUp(RowArgs),
    /// Marks the address of a mail as one that bounces: nothing is sent there any more.
    Bounce(MarkArgs),
    /// Lists the newest 200 addresses that bounce, masked.
    Bounces {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Takes the mark from an address: mails go there again.
    ClearBounce(MarkArgs),
}

/// Which row, and why.
#[derive(Clone, Debug, Args)]
pub struct RowArgs {
    /// Which queue.
    pub queue: Name,
    /// Id, as `queue list` shows it.
    #[arg(allow_hyphen_values = true)]
    pub id: String,
    /// Why, for the audit; without personal data.
    #[arg(long)]
    pub reason: String,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    pub operator: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which mail or mark, and why.
#[derive(Clone, Debug, Args)]
pub struct MarkArgs {
    /// Id of the mail, or of the mark.
    #[arg(allow_hyphen_values = true)]
    pub id: String,
    /// Why, for the audit; without personal data.
    #[arg(long)]
    pub reason: String,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    pub operator: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Runs a command.
pub async fn run(app: &App, command: QueueCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let operators = &app.operators;
    match command {
        QueueCommand::List { queue, state, json } => {
            let filter = Filter { state, ..Filter::default() };
            let rows = operators.queue_page(queue.into(), &filter, None, MOST).await?;
            all(&rows.iter().map(shown).collect::<Vec<_>>(), json, out)
        }
        QueueCommand::Retry(args) => act_on(app, &args, true, out).await,
        QueueCommand::GiveUp(args) => act_on(app, &args, false, out).await,
        QueueCommand::Bounce(args) => {
            let mail = operators.queued(Line::Mails, &args.id).await?.context("there is no such mail")?;
            let (actor, reason) = (Actor::command_line(&args.operator), Reason::parse(&args.reason)?);
            operators.mark_bounced(&mail, Act { actor: &actor, reason: &reason }).await??;
            say(&json!({ "done": "bounced", "mail": mail.id }), args.json, out)
        }
        QueueCommand::Bounces { json } => {
            let marks = operators.bounces("", None, MOST).await?;
            let marks: Vec<Value> = marks
                .iter()
                .map(|mark| {
                    let at = instant(Timestamp::from_millis(mark.created_at));
                    json!({ "id": mark.id, "address": mark.recipient, "insurer": mark.insurer, "since": at })
                })
                .collect();
            all(&marks, json, out)
        }
        QueueCommand::ClearBounce(args) => {
            let mark = operators.bounce(&args.id).await?.context("there is no such mark")?;
            let (actor, reason) = (Actor::command_line(&args.operator), Reason::parse(&args.reason)?);
            operators.clear_bounce(&mark, Act { actor: &actor, reason: &reason }).await??;
            say(&json!({ "done": "cleared", "bounce": mark.id }), args.json, out)
        }
    }
}

async fn act_on(app: &App, args: &RowArgs, retry: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let (actor, reason) = (Actor::command_line(&args.operator), Reason::parse(&args.reason)?);
    let (line, act) = (Line::from(args.queue), Act { actor: &actor, reason: &reason });
    let row = app.operators.queued(line, &args.id).await?.context("there is no such row")?;
    let done = if retry {
        app.operators.retry(line, &row, act).await??;
        "to be tried now"
    } else {
        app.operators.give_up(line, &row, act).await??;
        "given up"
    };
    say(&json!({ "done": done, "id": row.id }), args.json, out)
}

/// A row for people and programs.
pub(super) fn shown(row: &Shown) -> Value {
    let at = |millis: i64| instant(Timestamp::from_millis(millis));
    json!({
        "id": row.id,
        "kind": row.kind,
        "for": row.target,
        "insurer": row.insurer,
        "state": row.state,
        "attempts": row.attempts,
        "last_error": row.last_error,
        "next_attempt": (row.state == "queued").then(|| at(row.next_attempt_at)),
        "created": at(row.created_at),
        "finished": row.finished_at.map(at),
    })
}

/// Things one below the other, or as a JSON array.
pub(super) fn all(things: &[Value], as_json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if as_json {
        writeln!(out, "{}", serde_json::to_string_pretty(things)?)?;
        return Ok(());
    }
    for thing in things {
        say(thing, false, out)?;
        writeln!(out)?;
    }
    Ok(())
}
