//! `roster imports` and `roster undo`: what was imported, and the last of it taken back.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::{
    insurer_of,
    operate::{instant, say},
};
use crate::{
    app::App,
    audit::{Act, Actor, Reason},
    storage::roster_job::Recorded,
};

/// Options of `roster imports`.
#[derive(Debug, Args)]
pub struct ImportsArgs {
    /// Portal code of the insurer; of all insurers if absent.
    #[arg(long)]
    pub insurer: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `roster undo`.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// Portal code of the insurer; may be left out if there is only one.
    #[arg(long)]
    pub insurer: Option<String>,
    /// Why, for the audit; without personal data.
    #[arg(long)]
    pub reason: String,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    pub operator: String,
    /// Only say what would happen.
    #[arg(long)]
    pub preview: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// An import as programs see it, here and through the API.
pub fn as_json(import: &Recorded) -> Value {
    json!({
        "id": import.id,
        "insurer": import.insurer,
        "file": import.file_name,
        "full": import.complete,
        "state": import.state.as_str(),
        "by": import.actor,
        "started_at": instant(import.started_at),
        "finished_at": import.finished_at.map(instant),
        "added": import.counts.added,
        "changed": import.counts.changed,
        "unchanged": import.counts.unchanged,
        "lost": import.counts.lost,
        "refused": import.refused,
        "reason": import.reason,
        "undone_by": import.undone.by,
        "undoable": import.undoable,
    })
}

/// Lists the imports.
pub async fn imports(app: &App, args: &ImportsArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let insurer = match &args.insurer {
        Some(code) => Some(insurer_of(app.config(), Some(code))?.code.as_str()),
        None => None,
    };
    let imports = app.members.roster_imports(insurer, None, i64::from(args.limit)).await?;
    if args.json {
        let list: Vec<Value> = imports.iter().map(as_json).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
        return Ok(());
    }
    for import in imports {
        let counts = import.counts;
        writeln!(
            out,
            "{}  {}  {:<9}  {:>7} added  {:>7} changed  {:>7} lost  {:>7} refused  {}  {}",
            instant(import.started_at),
            import.insurer,
            import.state.as_str(),
            counts.added,
            counts.changed,
            counts.lost,
            import.refused,
            import.actor,
            import.file_name,
        )?;
    }
    Ok(())
}

/// Undoes the last import of an insurer.
pub async fn undo(app: &App, args: &UndoArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let insurer = insurer_of(app.config(), args.insurer.as_deref())?;
    let (actor, reason) = (Actor::command_line(&args.operator), Reason::parse(&args.reason)?);
    let last = app.members.undoable_roster_import(&insurer.code).await?;
    let last = last.context("there is no import of this insurer that can be undone")?;
    let (done, reverted) = if args.preview {
        ("preview", app.members.estimate_roster_undo(&last).await?)
    } else {
        let act = Act { actor: &actor, reason: &reason };
        ("undone", app.members.undo_roster_import_now(&last, act).await??)
    };
    let shown = json!({
        "done": done,
        "import": last.id,
        "file": last.file_name,
        "removed": reverted.removed.to_string(),
        "kept": reverted.kept.to_string(),
        "restored": reverted.restored.to_string(),
        "stuck": reverted.stuck.to_string(),
    });
    say(&shown, args.json, out)
}
