//! `member show`.

use std::io::Write;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Tools, typed_of};
use crate::{
    clock::Timestamp,
    config::Insurer,
    members::{
        birth_date::today,
        email_address::EmailAddress,
        login_id::Typed,
        roster::{Category, Person},
    },
    storage::{
        audit, document,
        member::{self, Member, MemberState},
        preference, roster,
    },
};

/// Lines of history that are shown.
const HISTORY: i64 = 20;

/// Shows the person and the account behind a login ID. Birth date and password are never shown, the
/// address only masked.
pub async fn show(
    tools: &Tools,
    (typed, insurer): (&str, Option<&str>),
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let (typed, insurer) = typed_of(&tools.config, typed, insurer)?;
    let (person, member) = found(tools, &typed, insurer).await?;
    let shown = describe(tools, &typed, &person, insurer, member.as_ref()).await?;
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
    } else {
        print(&shown, 0, out)?;
    }
    Ok(())
}

/// The person behind a number, or the one with an account under an address.
async fn found(tools: &Tools, typed: &Typed, insurer: &Insurer) -> anyhow::Result<(Person, Option<Member>)> {
    let db = &tools.db;
    match typed {
        Typed::Number(id) => {
            let person = roster::find_insured(db, id.insurer(), id.symbol(), id.number())
                .await?
                .context("nobody on the roster has this login ID")?;
            let member = member::of_person(db, &person.id).await?;
            Ok((person, member))
        }
        Typed::Email(email) => {
            let found = member::of_login_email(db, &email.key(), &insurer.code, 1).await?;
            let member = found.into_iter().next().context("nobody signs in with this e-mail address")?;
            let person = roster::find(db, &member.person_id).await?.context("a member without person")?;
            Ok((person, Some(member)))
        }
    }
}

async fn describe(
    tools: &Tools,
    typed: &Typed,
    person: &Person,
    insurer: &Insurer,
    member: Option<&Member>,
) -> anyhow::Result<Value> {
    let now = tools.clock.now();
    let eligible = person.eligible_on(today(&tools.clock), insurer.policy.grace_days);
    let temporary = match (
        member.is_some_and(|member| member.state != MemberState::Reset),
        person.temporary_password_open(now, &insurer.policy),
    ) {
        _ if person.category != Category::Insured => "none: registers by e-mail",
        (_, false) => "void",
        (true, true) => "replaced",
        (false, true) => "open",
    };
    let mut shown = json!({
        "login_id": typed.to_string(),
        "name": person.kana.as_str(),
        "insurer": format!("{} {}", insurer.code, insurer.name),
        "category": person.category.as_str(),
        "eligible": eligible,
        "temporary_password": temporary,
        "account": "none: not registered yet",
    });
    if let Some(member) = member {
        shown["account"] = account(tools, member).await?;
    }
    Ok(shown)
}

async fn account(tools: &Tools, member: &Member) -> anyhow::Result<Value> {
    let db = &tools.db;
    let email = member.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
    let receipts: Vec<_> = document::receipts(db, &member.id)
        .await?
        .into_iter()
        .map(|receipt| {
            format!(
                "{} {} ({}) {}",
                receipt.kind,
                receipt.version,
                receipt.locale,
                instant(receipt.accepted_at)
            )
        })
        .collect();
    let wanted: Vec<_> = preference::list(db, &member.id)
        .await?
        .into_iter()
        .filter(|preference| preference.wanted)
        .map(|preference| preference.topic)
        .collect();
    let history: Vec<_> = audit::of_member(db, &member.id, HISTORY)
        .await?
        .into_iter()
        .map(|entry| {
            let client = entry.client_id.map(|client| format!(" ({client})")).unwrap_or_default();
            format!("{}  {}{client}", instant(Timestamp::from_millis(entry.at)), entry.action)
        })
        .collect();
    Ok(json!({
        "subject": member.id,
        "state": member.state.as_str(),
        "email": email.map(|email| email.masked()),
        "email_verified": member.email_verified_at.is_some(),
        "activated": member.activated_at.map(instant),
        "documents": receipts,
        "wants_news": wanted,
        "history": history,
    }))
}

fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map_or_else(|_| "?".to_owned(), |at| at.strftime("%FT%TZ").to_string())
}

/// Prints an object as indented lines.
fn print(value: &Value, depth: usize, out: &mut impl Write) -> std::io::Result<()> {
    let Value::Object(fields) = value else { return Ok(()) };
    for (name, value) in fields {
        let name = format!("{:depth$}{}", "", name.replace('_', " "));
        match value {
            Value::Object(_) => {
                writeln!(out, "{name}")?;
                print(value, depth + 2, out)?;
            }
            Value::Array(items) => {
                writeln!(out, "{name:<20}  {}", if items.is_empty() { "none" } else { "" })?;
                for item in items {
                    writeln!(out, "{:depth$}    {}", "", item.as_str().unwrap_or_default())?;
                }
            }
            Value::String(text) => writeln!(out, "{name:<20}  {text}")?,
            other => writeln!(out, "{name:<20}  {other}")?,
        }
    }
    Ok(())
}
