//! `client initial-access-token create`, `list` and `revoke`.

use std::{io::Write, time::Duration};

use clap::Subcommand;
use serde_json::json;

use super::Tools;
use crate::{
    audit::{self, Actor, Event},
    cli::output,
    clients::registration::{Registrar, create_initial_access_token},
    clock::Timestamp,
    storage::initial_access_token as table,
};

/// What to do with initial access tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Makes a token with which somebody can register clients at `/register`, and shows it, once.
    Create {
        /// For whom it is, for the record.
        #[arg(long)]
        note: String,
        /// How many clients it can register.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        uses: i64,
        /// Hours until it ends.
        #[arg(long, default_value_t = 24)]
        hours: u64,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists the tokens: for whom, how many uses are left, until when.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends a token by its id; the clients that it registered stay.
    Revoke {
        /// Id, as `list` shows it.
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs a command.
pub async fn run(tools: &Tools, command: TokenCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create { note, uses, hours, json } => {
            create(tools, (note, uses, hours), json, out).await
        }
        TokenCommand::List { json } => list(tools, json, out).await,
        TokenCommand::Revoke { id, json } => {
            let revoked = table::revoke(&tools.db, &id, tools.clock.now()).await?;
            anyhow::ensure!(revoked, "there is no such token, or it was revoked before");
            record(tools, "initial_access_token.revoked", &id).await?;
            output::tell(&format!("{id} is revoked"), || json!({ "done": "revoked", "id": id }), json, out)
        }
    }
}

async fn create(
    tools: &Tools,
    (note, uses, hours): (String, i64, u64),
    as_json: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let master = tools.master().await?;
    let by = Registrar { db: &tools.db, master: &master, entropy: &tools.entropy, now: tools.clock.now() };
    let life = Duration::from_secs(hours.saturating_mul(3600));
    let (token, text) = create_initial_access_token(by, note, uses, life).await?;
    record(tools, "initial_access_token.created", &token.id).await?;
    if as_json {
        let until = instant(token.expires_at);
        return output::print(&json!({ "id": token.id, "token": text, "expires_at": until }), out);
    }
    writeln!(out, "id     {}", token.id)?;
    writeln!(out, "token  {text}\n\nThe token is not shown again; only its hash is stored.")?;
    Ok(())
}

async fn list(tools: &Tools, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let tokens = table::list(&tools.db).await?;
    if json {
        let shown: Vec<_> = tokens
            .iter()
            .map(|token| {
                json!({
                    "id": token.id, "note": token.note, "uses_left": token.uses_left,
                    "expires_at": instant(token.expires_at), "revoked": token.revoked_at.is_some(),
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
        return Ok(());
    }
    for token in &tokens {
        let revoked = if token.revoked_at.is_some() { "  revoked" } else { "" };
        let until = instant(token.expires_at);
        writeln!(out, "{}  {} left until {until}{revoked}  {}", token.id, token.uses_left, token.note)?;
    }
    if tokens.is_empty() {
        writeln!(out, "there is none; see: kenpos-idp client initial-access-token create --help")?;
    }
    Ok(())
}

fn instant(millis: i64) -> String {
    super::super::keys::instant(Timestamp::from_millis(millis))
}

async fn record(tools: &Tools, action: &'static str, id: &str) -> anyhow::Result<()> {
    let event = Event::by(&Actor::command_line("cli"), action).with_detail(json!({ "id": id }));
    Ok(audit::record(&tools.db, &tools.entropy, tools.clock.now(), event).await?)
}
