//! `member reset`, `reissue`, `unlock`, `end-sessions` and `unfreeze`: what an operator does to an account.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

pub(super) use super::output::{instant, say};
use super::{letter, typed_of};
use crate::{
    app::App,
    audit::{Act, Actor, Reason},
    members::{
        login_id::{LoginId, Typed},
        operator::{Issued, Subject},
    },
};

/// Whom an act concerns and why.
#[derive(Clone, Debug, Args)]
pub struct ActArgs {
    /// Login ID, such as 7132-091200001.
    pub login_id: String,
    /// Why, for the audit; without personal data.
    #[arg(long)]
    pub reason: String,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    pub operator: String,
    /// Portal code of the insurer; may be left out if there is only one, or if the login ID names it.
    #[arg(long)]
    pub insurer: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What is issued.
#[derive(Debug, Args)]
pub struct CodeArgs {
    /// Issue an activation code even where the insurer's policy asks for the birth date alone, which then opens
    /// nothing for this person without the code.
    #[arg(long)]
    pub code: bool,
    /// Write a letter with the code to this new file, a page to print, and do not show the code.
    #[arg(long, value_name = "FILE.html")]
    pub letter: Option<PathBuf>,
}

impl ActArgs {
    pub(super) fn why(&self) -> anyhow::Result<(Actor, Reason)> {
        Ok((Actor::command_line(&self.operator), Reason::parse(&self.reason)?))
    }

    /// The person of a login ID, or of the identifier or subject that a search or the audit named.
    pub(super) async fn anyone(&self, app: &App) -> anyhow::Result<Subject> {
        match app.members.subject(&self.login_id).await? {
            Some(subject) => Ok(subject),
            None => Ok(self.subject(app).await?.1),
        }
    }

    pub(super) async fn subject(&self, app: &App) -> anyhow::Result<(Typed, Subject)> {
        let (typed, insurer) = typed_of(app.config(), &self.login_id, self.insurer.as_deref())?;
        let subject = app.members.subject_of(&typed, Some(&insurer.code)).await??;
        Ok((typed, subject))
    }
}

/// Wipes a registration.
pub async fn reset(app: &App, args: &ActArgs, code: &CodeArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (actor, reason) = args.why()?;
    let (typed, subject) = args.subject(app).await?;
    refuse_existing(code.letter.as_deref())?;
    let issued =
        app.members.reset_member(&subject, code.code, Act { actor: &actor, reason: &reason }).await??;
    say_issued(app, args, &typed, &subject, (issued, code, "reset"), out)
}

/// Issues a temporary password or a code.
pub async fn reissue(app: &App, args: &ActArgs, code: &CodeArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (actor, reason) = args.why()?;
    let (typed, subject) = args.subject(app).await?;
    refuse_existing(code.letter.as_deref())?;
    let issued = app.members.reissue(&subject, code.code, Act { actor: &actor, reason: &reason }).await??;
    say_issued(app, args, &typed, &subject, (issued, code, "reissued"), out)
}

/// Ends pauses.
pub async fn unlock(app: &App, args: &ActArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (typed, subject) = args.subject(app).await?;
    let (actor, reason) = args.why()?;
    app.members.unlock(&typed, &subject, Act { actor: &actor, reason: &reason }).await?;
    say(&json!({ "done": "unlocked", "login_id": typed.to_string() }), args.json, out)
}

/// Ends sessions and grants.
pub async fn end_sessions(app: &App, args: &ActArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (typed, subject) = args.subject(app).await?;
    let (actor, reason) = args.why()?;
    app.members.end_all_sessions(&subject, Act { actor: &actor, reason: &reason }).await??;
    say(&json!({ "done": "sessions_ended", "login_id": typed.to_string() }), args.json, out)
}

/// Lets a stopped account or registration go on. Who has no login ID yet is named by the person of the
/// event in the audit.
pub async fn unfreeze(app: &App, args: &ActArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let subject = args.anyone(app).await?;
    let (actor, reason) = args.why()?;
    app.members.unfreeze(&subject, Act { actor: &actor, reason: &reason }).await??;
    say(&json!({ "done": "unfrozen", "login_id": args.login_id }), args.json, out)
}

/// A letter that cannot be written must not cost the code that was in it.
fn refuse_existing(letter: Option<&Path>) -> anyhow::Result<()> {
    if let Some(file) = letter {
        anyhow::ensure!(!file.exists(), "{} exists already", file.display());
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let fits = folder.is_none_or(Path::is_dir);
        anyhow::ensure!(fits, "the folder of {} does not exist", file.display());
    }
    Ok(())
}

fn say_issued(
    app: &App,
    args: &ActArgs,
    typed: &Typed,
    subject: &Subject,
    (issued, options, done): (Issued, &CodeArgs, &str),
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let insurer = app.members.insurer(&subject.person.insurer).context("unknown insurer")?;
    let person = &subject.person;
    let login_id = match &issued {
        Issued::Nothing => typed.to_string(),
        _ => LoginId::from_parts(insurer, &person.symbol, &person.number)?.to_string(),
    };
    let mut shown = json!({
        "done": done,
        "login_id": login_id,
        "subject": subject.member.as_ref().map(|member| member.id.as_str()),
    });
    match issued {
        Issued::Nothing => shown["activation"] = json!("registers again with an e-mail address"),
        Issued::TemporaryPassword(until) => {
            shown["activation"] = json!("birth date as the temporary password");
            shown["valid_until"] = json!(instant(until));
        }
        Issued::Code(code, until) => {
            shown["activation"] = json!("birth date and activation code");
            shown["valid_until"] = json!(instant(until));
            match &options.letter {
                Some(file) => {
                    if let Err(error) = letter::write(app, insurer, &login_id, (&code, until), file) {
                        // The code would be lost with the letter.
                        shown["activation_code"] = json!(code.grouped());
                        say(&shown, args.json, out)?;
                        return Err(error);
                    }
                    shown["letter"] = json!(file.display().to_string());
                }
                None => shown["activation_code"] = json!(code.grouped()),
            }
        }
    }
    say(&shown, args.json, out)
}
