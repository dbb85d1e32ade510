//! `client show`, `update`, `rotate-secret`, `end-old-secrets`, `disable`, `enable` and `delete`.

use std::{io::Write, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::{Said, Tools, Why, field, file};
use crate::{
    audit::Act,
    clients::{Client, manage::Done},
};

/// Options of `client update`.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// `client_id`
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// JSON file with the fields that change, `-` for the standard input; `null` removes a field.
    #[arg(long, value_name = "FILE", required_unless_present = "fields")]
    metadata: Option<PathBuf>,
    /// One field that changes, such as `scope=openid`; the value is JSON or else a text; may be given
    /// several times.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = field)]
    fields: Vec<(String, Value)>,
    #[command(flatten)]
    why: Why,
}

/// Options of `client rotate-secret`.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// `client_id`
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// Hours that the old secret works beside the new one.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    overlap: u64,
    #[command(flatten)]
    why: Why,
}

/// Options of an act that needs no more than the client.
#[derive(Debug, Args)]
pub struct OnlyArgs {
    /// `client_id`
    #[arg(allow_hyphen_values = true)]
    id: String,
    #[command(flatten)]
    why: Why,
}

/// An act that needs no more than the client.
#[derive(Clone, Copy, Debug)]
pub enum Only {
    /// `client end-old-secrets`
    EndOldSecrets,
    /// `client disable`
    Disable,
    /// `client enable`
    Enable,
    /// `client delete`
    Delete,
}

/// Prints a client as JSON; secrets are not known, only when they end.
pub async fn show(tools: &Tools, id: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let client = find(tools, id).await?;
    writeln!(out, "{}", serde_json::to_string_pretty(&described(&client))?)?;
    Ok(())
}

fn described(client: &Client) -> Value {
    let secrets: Vec<_> = client
        .secrets
        .iter()
        .map(|secret| json!({ "created_at": secret.created_at, "expires_at": secret.expires_at }))
        .collect();
    json!({
        "client_id": client.id,
        "metadata": client.metadata,
        "secrets": secrets,
        "disabled": client.disabled_at.is_some(),
        "version": client.version,
    })
}

/// Changes metadata (RFC 7396: fields that are not named stay).
pub async fn update(tools: &Tools, args: UpdateArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let client = find(tools, &args.id).await?;
    let mut fields = args.metadata.as_deref().map(file).transpose()?.unwrap_or_default();
    fields.extend(args.fields);
    let metadata = client.metadata.with_fields(fields)?;
    let (master, egress) = tools.ways().await?;
    let (actor, reason) = args.why.read()?;
    let act = Act { actor: &actor, reason: &reason };
    let done = tools.clients(&master, &egress).update(&client, metadata, act).await??;
    let said = Said { text: format!("{} was changed", done.client.id), done: "updated" };
    tell(&said, &done, args.why.json, out)
}

/// Makes a new secret and prints it, once.
pub async fn rotate_secret(tools: &Tools, args: &RotateArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let client = find(tools, &args.id).await?;
    let overlap = Duration::from_secs(args.overlap.saturating_mul(3600));
    let (master, egress) = tools.ways().await?;
    let (actor, reason) = args.why.read()?;
    let act = Act { actor: &actor, reason: &reason };
    let done = tools.clients(&master, &egress).rotate_secret(&client, overlap, act).await??;
    let text = format!("The old secret works for {} more hours.", args.overlap);
    tell(&Said { text, done: "secret_rotated" }, &done, args.why.json, out)
}

/// Disables, enables or deletes a client, or ends its old secrets.
pub async fn only(tools: &Tools, act: Only, args: &OnlyArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let client = find(tools, &args.id).await?;
    let (master, egress) = tools.ways().await?;
    let (actor, reason) = args.why.read()?;
    let (why, clients) = (Act { actor: &actor, reason: &reason }, tools.clients(&master, &egress));
    let (client, done, word) = match act {
        Only::EndOldSecrets => {
            (clients.end_old_secrets(&client, why).await??, "old_secrets_ended", "has one secret now")
        }
        Only::Disable => (clients.disable(&client, why).await??, "disabled", "is disabled"),
        Only::Enable => (clients.enable(&client, why).await??, "enabled", "is enabled"),
        Only::Delete => {
            clients.delete(&client, why).await??;
            (client, "deleted", "is deleted")
        }
    };
    let said = Said { text: format!("{} {word}", client.id), done };
    tell(&said, &Done { client, secret: None }, args.why.json, out)
}

async fn find(tools: &Tools, id: &str) -> anyhow::Result<Client> {
    Client::find_any(&tools.db, id).await?.with_context(|| format!("there is no client {id}"))
}

/// Says what was done; a new secret once.
fn tell(said: &Said, done: &Done, as_json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if as_json {
        let mut shown = described(&done.client);
        shown["done"] = json!(said.done);
        if let Some(secret) = &done.secret {
            shown["client_secret"] = json!(secret);
        }
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
        return Ok(());
    }
    if let Some(secret) = &done.secret {
        writeln!(out, "client_secret  {secret}\n\nThe secret is not shown again.")?;
    }
    writeln!(out, "{}", said.text)?;
    Ok(())
}
