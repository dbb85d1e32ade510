//! `audit verify` and `audit export`.

use std::{
    fs::OpenOptions,
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    app::App,
    audit::{Actor, chain::Tip},
    operators::log::{self, Format},
    storage::audit_search::Search,
};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Checks that no line was changed, left out or put in; exit code 1 if one was.
    Verify(VerifyArgs),
    /// Writes lines to a file, the newest first.
    Export(ExportArgs),
}

/// Options of `audit verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// A tip that was noted before, NUMBER:HASH: it must be on the chain.
    #[arg(long, value_parser = tip)]
    pub tip: Option<Tip>,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    pub operator: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `audit export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// File to write; it must not exist.
    pub file: PathBuf,
    /// csv, or json for an object a line.
    #[arg(long, default_value = "csv", value_parser = format)]
    pub format: Format,
    /// First day, in Japan.
    #[arg(long)]
    pub from: Option<jiff::civil::Date>,
    /// Last day, in Japan.
    #[arg(long)]
    pub to: Option<jiff::civil::Date>,
    /// Only what is of this kind, such as member.reset.
    #[arg(long, default_value = "")]
    pub action: String,
    /// Only what concerns this member.
    #[arg(long, default_value = "")]
    pub member: String,
    /// Only what concerns the insurer of this portal code.
    #[arg(long, default_value = "")]
    pub insurer: String,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    pub operator: String,
}

fn tip(text: &str) -> Result<Tip, String> {
    let parts = text.split_once(':').and_then(|(seq, hash)| Some((seq.parse().ok()?, hash)));
    let (seq, hash) = parts.ok_or("must be NUMBER:HASH")?;
    Ok(Tip { seq, hash: hash.to_owned() })
}

fn format(name: &str) -> Result<Format, String> {
    Format::parse(name).ok_or_else(|| "must be csv or json".to_owned())
}

/// Verifies the chain; false when it is broken.
pub async fn verify(app: &App, args: &VerifyArgs, out: &mut impl Write) -> anyhow::Result<bool> {
    let actor = Actor::command_line(&args.operator);
    let verdict = app.operators.verify_audit(&actor, args.tip.as_ref()).await?;
    let tip = format!("{}:{}", verdict.tip.seq, verdict.tip.hash);
    if args.json {
        let shown = json!({ "lines": verdict.lines, "tip": tip, "broken_at": verdict.broken_at });
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
    } else if let Some(line) = verdict.broken_at {
        writeln!(out, "the audit is broken: line {line} was changed, or is missing")?;
    } else {
        writeln!(out, "{} lines are as they were written\ntip  {tip}", verdict.lines)?;
    }
    Ok(verdict.broken_at.is_none())
}

/// Writes what fits to a new file that only its owner may read; the number of bytes.
pub async fn export(app: &App, args: &ExportArgs) -> anyhow::Result<u64> {
    let all = log::until_now(app.now());
    let day = |day: Option<jiff::civil::Date>| {
        day.map(|day| log::days(day, day).context("no such day")).transpose()
    };
    let search = Search {
        since: day(args.from)?.map_or(all.since, |(since, _)| since),
        until: day(args.to)?.map_or(all.until, |(_, until)| until),
        action: args.action.clone(),
        member: args.member.clone(),
        insurer: args.insurer.clone(),
        ..all
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.file);
    let file = file.with_context(|| format!("{} cannot be written", args.file.display()))?;
    let mut file = BufWriter::new(file);
    app.operators.note_export(&Actor::command_line(&args.operator), &search, args.format).await?;
    let head = args.format.head();
    file.write_all(&head)?;
    let (mut before, mut bytes) = (None, head.len() as u64);
    while let Some((part, position)) =
        app.operators.export_part(&search, before.as_ref(), args.format).await?
    {
        file.write_all(&part)?;
        bytes += part.len() as u64;
        before = Some(position);
    }
    file.flush()?;
    Ok(bytes)
}
