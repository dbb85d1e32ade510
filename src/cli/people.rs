//! `member search`, `timeline`, `export`, `correct-email`, `freeze` and `withdraw-app`: what the console's pages
//! about members do, for scripts.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::operate::{ActArgs, instant, say};
use crate::{
    admin::api::members::MemberSummary,
    app::App,
    audit::Act,
    members::{operator, search::Wanted},
};

/// Lines of the history that are read at once.
const AT_ONCE: i64 = 500;

/// Whom to look for.
#[derive(Clone, Debug, Args)]
pub struct SearchArgs {
    /// Login ID, 記号-番号 such as 91-200001, the beginning of a name in kana or of an e-mail address, or a subject.
    pub query: String,
    /// Portal code of the insurer; at all insurers if absent.
    #[arg(long)]
    pub insurer: Option<String>,
    /// Most people to list.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    /// Go on after this person: the `next` of the list before.
    #[arg(long, value_name = "PERSON")]
    pub after: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Whose history.
#[derive(Clone, Debug, Args)]
pub struct TimelineArgs {
    /// Login ID, or the person or subject that a search gave.
    pub login_id: String,
    /// Portal code of the insurer; may be left out if there is only one, or if the login ID names it.
    #[arg(long)]
    pub insurer: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Lists the people who are looked for.
pub async fn search(app: &App, args: &SearchArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let wanted = Wanted::parse(&args.query, &app.config().insurers)?;
    let limit = args.limit.clamp(1, 1_000);
    let (scope, after) = (args.insurer.as_deref(), args.after.as_deref());
    let mut found = app.members.search(&wanted, scope, after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.person.id.clone());
    let people = found.iter().map(|found| serde_json::to_value(MemberSummary::of(&app.members, found)));
    let people = people.collect::<Result<Vec<Value>, _>>()?;
    if args.json {
        let shown = json!({ "people": people, "next": next });
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
        return Ok(());
    }
    for one in &people {
        let text = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
        let number = format!("{}-{}", text("symbol"), text("number"));
        let (person, insurer, category) = (text("person"), text("insurer"), text("category"));
        writeln!(
            out,
            "{person}  {insurer}  {number}  {category:<9}  {:<12}  {}",
            text("state"),
            text("name")
        )?;
    }
    if people.is_empty() {
        writeln!(out, "nobody was found")?;
    }
    if let Some(next) = next {
        writeln!(out, "there are more: --after {next}")?;
    }
    Ok(())
}

/// Lists everything that happened to a person, the newest first.
pub async fn timeline(app: &App, args: &TimelineArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let whom = ActArgs {
        login_id: args.login_id.clone(),
        reason: String::new(),
        operator: String::new(),
        insurer: args.insurer.clone(),
        json: args.json,
    };
    let subject = whom.anyone(app).await?;
    let (mut lines, mut before) = (Vec::new(), None);
    loop {
        let page = app.members.timeline(&subject, before.as_ref(), AT_ONCE).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.position());
        lines.extend(page.iter().map(operator::line));
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&lines)?)?;
        return Ok(());
    }
    for line in &lines {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        writeln!(out, "{}  {:<34}  {}", text("at"), text("action"), text("actor"))?;
    }
    Ok(())
}

/// Writes everything that is held of a person to a new file that only its owner may read.
pub async fn export(app: &App, args: &ActArgs, file: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let subject = args.anyone(app).await?;
    let (actor, reason) = args.why()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut target = options.open(file).with_context(|| format!("{} cannot be written", file.display()))?;
    let export = app.members.export_subject(&subject, Act { actor: &actor, reason: &reason }).await??;
    serde_json::to_writer_pretty(&mut target, &export)?;
    target.write_all(b"\n")?;
    say(&json!({ "done": "exported", "file": file.display().to_string() }), args.json, out)
}

/// Sends a link to a new address.
pub async fn correct_email(
    app: &App,
    args: &ActArgs,
    email: &str,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let subject = args.anyone(app).await?;
    let (actor, reason) = args.why()?;
    let until = app.members.correct_email(&subject, email, Act { actor: &actor, reason: &reason }).await??;
    say(&json!({ "done": "link_sent", "valid_until": instant(until) }), args.json, out)
}

/// Stops an account, or the registration of who has none.
pub async fn freeze(app: &App, args: &ActArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let subject = args.anyone(app).await?;
    let (actor, reason) = args.why()?;
    app.members.freeze_subject(&subject, Act { actor: &actor, reason: &reason }).await??;
    say(&json!({ "done": "frozen", "login_id": args.login_id }), args.json, out)
}

/// Withdraws the access of an app.
pub async fn withdraw_app(
    app: &App,
    args: &ActArgs,
    client: &str,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let subject = args.anyone(app).await?;
    let (actor, reason) = args.why()?;
    app.members.withdraw_app(&subject, client, Act { actor: &actor, reason: &reason }).await??;
    say(&json!({ "done": "withdrawn", "client_id": client }), args.json, out)
}

/// Options of `member export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Whose, and why.
    #[command(flatten)]
    pub act: ActArgs,
    /// New file to write.
    #[arg(long, value_name = "FILE.json")]
    pub file: PathBuf,
}
