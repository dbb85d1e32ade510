//! `/admin/bounces`: addresses to which nothing is sent, and `…/{bounce}/clear`, which takes the mark away.

use axum::{
    extract::{Path, Query, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;

use super::{
    confirm::{Confirm, Fact, ReasonForm},
    guard::{Operator, OperatorForm},
    operators::After,
    paging::{Pager, cut},
    queue_act::refusal,
};
use crate::{
    audit::Act,
    clock::Timestamp,
    operators::Permission,
    pages::{parts::FormErrors, sample},
    storage::{Position, bounce::Bounce},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Addresses on a page.
const ON_A_PAGE: usize = 50;

/// The addresses, masked, the newest first.
#[derive(Clone, Debug, Serialize)]
pub struct Bounces {
    /// The addresses.
    pub marks: Vec<Mark>,
    /// The other pages.
    pub pager: Pager,
    /// Whether this operator may take a mark away.
    pub may_manage: bool,
}

/// An address that bounces.
#[derive(Clone, Debug, Serialize)]
pub struct Mark {
    /// Names it in the path.
    pub id: String,
    /// The address, masked.
    pub recipient: String,
    /// Insurer whose mail came back.
    pub insurer: Option<String>,
    /// When it was marked, in words.
    pub since: String,
}

impl Page for Bounces {
    const TEMPLATE: &'static str = "admin/bounces.html";

    fn samples() -> Vec<Self> {
        let mark = Mark {
            id: sample::INTERACTION.to_owned(),
            recipient: "t***@docomo.ne.jp".to_owned(),
            insurer: Some("7132".to_owned()),
            since: "2026年11月23日(月)10時15分".to_owned(),
        };
        let hostile = Mark { recipient: sample::HOSTILE.to_owned(), insurer: None, ..mark.clone() };
        let some = Self {
            marks: vec![mark, hostile],
            pager: Pager::new("/admin/bounces", &[], Some("1.x"), true),
            may_manage: true,
        };
        vec![Self { marks: vec![], pager: Pager::default(), may_manage: false }, some]
    }
}

/// GET `/admin/bounces`
pub async fn get(
    reader: Operator,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Response, PageError> {
    let before = after.ok().and_then(|Query(query)| Position::parse(query.text()));
    let limit = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let insurer = reader.scope().unwrap_or_default();
    let mut marks = reader.app().operators.bounces(insurer, before.as_ref(), limit).await?;
    let more = cut(&mut marks, ON_A_PAGE);
    let cursor = marks.last().filter(|_| more).map(|last| last.position().to_string());
    let page = Bounces {
        pager: Pager::new("/admin/bounces", &[], cursor.as_deref(), before.is_some()),
        marks: marks.into_iter().map(|mark| shown(&reader, mark)).collect(),
        may_manage: reader.may(Permission::ManageMails),
    };
    Ok(reader.show(&page).render()?)
}

fn shown(reader: &Operator, mark: Bounce) -> Mark {
    let since = reader.date_time(Timestamp::from_millis(mark.created_at));
    Mark { id: mark.id, recipient: mark.recipient, insurer: mark.insurer, since }
}

async fn find(reader: &Operator, id: &str) -> Result<Bounce, PageError> {
    let missing = || PageError::status(StatusCode::NOT_FOUND);
    let ours = id.len() <= 64 && !id.contains('\0');
    let found = if ours { reader.app().operators.bounce(id).await? } else { None };
    let found = found.ok_or_else(missing)?;
    reader.reach(found.insurer.as_deref())?;
    Ok(found)
}

fn confirm(mark: &Bounce) -> Confirm {
    Confirm {
        title: Message::new("bounces-clear-title"),
        text: Message::new("bounces-clear-text"),
        facts: vec![Fact::new("queue-target", &mark.recipient)],
        action: format!("/admin/bounces/{}/clear", mark.id),
        back: "/admin/bounces".to_owned(),
        grave: false,
        reason: String::new(),
        errors: FormErrors::none(),
    }
}

/// GET `/admin/bounces/{bounce}/clear`
pub async fn ask_clear(reader: Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let mark = find(&reader, &id).await?;
    let empty = ReasonForm { reason: String::new() };
    confirm(&mark).show(&reader, &empty, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/bounces/{bounce}/clear`
pub async fn clear(
    Path(id): Path<String>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    let mark = find(&reader, &id).await?;
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(refusal) => return confirm(&mark).show(&reader, &form, refusal),
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    match reader.app().operators.clear_bounce(&mark, act).await? {
        Ok(()) => Ok(reader.visit.redirect("/admin/bounces?done=cleared")?),
        Err(refused) => confirm(&mark).show(&reader, &form, refusal(refused)),
    }
}
