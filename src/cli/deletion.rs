//! `member deletion-requests` and `member delete`: members who asked for the deletion of their account.

use std::io::Write;

use anyhow::Context as _;
use serde_json::json;

use super::operate::{ActArgs, instant, say};
use crate::{
    app::App,
    audit::Act,
    clock::Timestamp,
    storage::{deletion_request, member, roster},
};

/// Requests that are read at once.
const AT_ONCE: i64 = 100;

/// Carries a request for deletion out, or dismisses it.
pub async fn delete(
    app: &App,
    args: &ActArgs,
    (dismiss, unasked): (bool, bool),
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let (typed, subject) = args.subject(app).await?;
    let (actor, reason) = args.why()?;
    let act = Act { actor: &actor, reason: &reason };
    let done = if dismiss {
        app.members.dismiss_deletion(&subject, act).await??;
        "deletion_dismissed"
    } else {
        app.members.delete_member(&subject, unasked, act).await??;
        "deleted"
    };
    let subject = subject.member.as_ref().map(|member| member.id.as_str());
    say(&json!({ "done": done, "login_id": typed.to_string(), "subject": subject }), args.json, out)
}

/// Lists the requests for deletion that wait for the office, the oldest first.
pub async fn list(app: &App, insurer: Option<&str>, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let (members, mut last, mut shown) = (&app.members, None, Vec::new());
    loop {
        let page = deletion_request::list(&members.db, insurer, last.as_ref(), AT_ONCE).await?;
        for waiting in &page {
            let member =
                member::find(&members.db, &waiting.member_id).await?.context("a request of nobody")?;
            let person =
                roster::find(&members.db, &member.person_id).await?.context("a member without person")?;
            shown.push(json!({
                "login_id": members.login_id_of(&member, &person).map(|login_id| login_id.to_string()),
                "subject": member.id,
                "insurer": waiting.insurer,
                "requested": instant(Timestamp::from_millis(waiting.requested_at)),
                "state": member.state.as_str(),
            }));
        }
        let Some(waiting) = page.last() else { break };
        last = Some(waiting.position());
    }
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
        return Ok(());
    }
    for request in &shown {
        let text = |name: &str| request[name].as_str().unwrap_or("-").to_owned();
        let (requested, login_id) = (text("requested"), text("login_id"));
        writeln!(out, "{requested}  {}  {login_id:<32}  {}", text("insurer"), text("subject"))?;
    }
    if shown.is_empty() {
        writeln!(out, "no member waits for the deletion of an account")?;
    }
    Ok(())
}
