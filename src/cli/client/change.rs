//! `client show`, `update`, `rotate-secret`, `disable` and `enable`.

use std::{io::Write, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::{Tools, check, field, file, read};
use crate::{
    audit::{self, Actor, Event},
    clients::Client,
};

/// Options of `client update`.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// `client_id`
    id: String,
    /// JSON file with the fields that change, `-` for the standard input; `null` removes a field.
    #[arg(long, value_name = "FILE", required_unless_present = "fields")]
    metadata: Option<PathBuf>,
    /// One field that changes, such as `scope=openid`; the value is JSON or else a text; may be given
    /// several times.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = field)]
    fields: Vec<(String, Value)>,
}

/// Options of `client rotate-secret`.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// `client_id`
    id: String,
    /// Hours that the old secret works beside the new one.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    overlap: u64,
}

/// Prints a client as JSON; secrets are not known, only when they end.
pub async fn show(tools: &Tools, id: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let client = find(tools, id).await?;
    let secrets: Vec<_> = client
        .secrets
        .iter()
        .map(|secret| json!({ "created_at": secret.created_at, "expires_at": secret.expires_at }))
        .collect();
    let shown = json!({
        "client_id": client.id,
        "metadata": client.metadata,
        "secrets": secrets,
        "disabled": client.disabled_at.is_some(),
    });
    writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
    Ok(())
}

/// Changes metadata (RFC 7396: fields that are not named stay).
pub async fn update(tools: &Tools, args: UpdateArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let mut client = find(tools, &args.id).await?;
    let Value::Object(mut fields) = serde_json::to_value(&client.metadata)? else {
        anyhow::bail!("the metadata is no object")
    };
    fields.extend(args.metadata.as_deref().map(file).transpose()?.unwrap_or_default());
    fields.extend(args.fields);
    fields.retain(|_, value| !value.is_null());
    client.metadata = read(fields)?;
    check(tools, &client.metadata).await?;
    let secret = client.settle_secrets(&tools.master()?, &tools.entropy, tools.clock.now());
    save(tools, &client, "client.updated").await?;
    writeln!(out, "{} was changed", client.id)?;
    tell(secret, out)
}

/// Makes a new secret and prints it, once.
pub async fn rotate_secret(tools: &Tools, args: &RotateArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let mut client = find(tools, &args.id).await?;
    let overlap = Duration::from_secs(args.overlap.saturating_mul(3600));
    let secret = client.rotate_secret(&tools.master()?, &tools.entropy, tools.clock.now(), overlap);
    anyhow::ensure!(secret.is_some(), "the client has no secret: it proves itself otherwise");
    save(tools, &client, "client.secret_rotated").await?;
    tell(secret, out)?;
    writeln!(out, "The old one works for {} more hours.", args.overlap)?;
    Ok(())
}

/// Disables a client or enables it again.
pub async fn set_enabled(tools: &Tools, id: &str, enabled: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let mut client = find(tools, id).await?;
    client.disabled_at = (!enabled).then(|| tools.clock.now());
    let (action, word) =
        if enabled { ("client.enabled", "enabled") } else { ("client.disabled", "disabled") };
    save(tools, &client, action).await?;
    writeln!(out, "{id} is {word}")?;
    Ok(())
}

async fn find(tools: &Tools, id: &str) -> anyhow::Result<Client> {
    Client::find_any(&tools.db, id).await?.with_context(|| format!("there is no client {id}"))
}

async fn save(tools: &Tools, client: &Client, action: &'static str) -> anyhow::Result<()> {
    let now = tools.clock.now();
    let mut tx = tools.db.begin().await?;
    anyhow::ensure!(client.save(&mut tx, now).await?, "the client was deleted meanwhile");
    let event = Event::by(&Actor::command_line("cli"), action)
        .with_client(Some(&client.id))
        .with_insurer(client.metadata.insurer.as_deref());
    audit::record(&mut tx, &tools.entropy, now, event).await?;
    tx.commit().await?;
    Ok(())
}

fn tell(secret: Option<String>, out: &mut impl Write) -> anyhow::Result<()> {
    if let Some(secret) = secret {
        writeln!(out, "client_secret  {secret}\n\nThe secret is not shown again.")?;
    }
    Ok(())
}
