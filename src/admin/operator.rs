//! `/admin/operators/{operator}`: one of them, and what can be done.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Serialize;

use super::{guard, operators::Shown};
use crate::{
    operators::{Operator, Permission, manage::Refused},
    pages::{flow::message, parts::FormErrors},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// The operator, with links to the acts.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorPage {
    /// The operator.
    pub operator: Shown,
    /// Since when, in words.
    pub created: String,
    /// Where the audit tells what the operator did.
    pub acts: Option<String>,
    /// Whether this operator may change anything about the other.
    pub may_manage: bool,
}

impl Page for OperatorPage {
    const TEMPLATE: &'static str = "admin/operator.html";

    fn samples() -> Vec<Self> {
        let page = |state, may_manage: bool| Self {
            operator: Shown::sample("office", state),
            created: "2026年11月23日(月)10時15分".to_owned(),
            acts: may_manage.then(|| "/admin/audit?actor=operator%3Ax".to_owned()),
            may_manage,
        };
        vec![page("active", true), page("disabled", true), page("waiting", false)]
    }
}

/// The operator of a path, if the reader reaches one of this id.
pub async fn find(reader: &guard::Operator, id: &str) -> Result<Operator, PageError> {
    let missing = || PageError::status(StatusCode::NOT_FOUND);
    let ours = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let found = if ours { reader.app().operators.operator(id).await? } else { None };
    let found = found.ok_or_else(missing)?;
    reader.reach(found.insurer.as_deref())?;
    Ok(found)
}

/// What to say about an act that was refused.
pub fn refusal(refused: Refused) -> super::Refusal {
    let field = |name, text: &str| super::wrong(name, Message::new(text));
    match refused {
        Refused::Email => field("email", "operators-error-email"),
        Refused::EmailTaken => field("email", "operators-error-email-taken"),
        Refused::Name => field("name", "operators-error-name"),
        Refused::Insurer => field("insurer", "operators-error-insurer"),
        Refused::Password(refusal) => super::wrong("password", message(refusal.text_id(), &refusal.args())),
        Refused::Oneself => form("operators-error-oneself"),
        Refused::LastAdministrator => form("operators-error-last"),
        Refused::Disabled => form("operators-error-disabled"),
        Refused::Already => form("operators-error-already"),
        Refused::Changed => form("operators-error-changed"),
    }
}

fn form(text: &str) -> super::Refusal {
    (StatusCode::CONFLICT, FormErrors::form(Message::new(text)))
}

/// GET `/admin/operators/{operator}`
pub async fn get(reader: guard::Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let found = find(&reader, &id).await?;
    let itself = found.id == reader.signed_in.operator.id;
    let page = OperatorPage {
        operator: Shown::of(&reader, &found),
        created: reader.date_time(found.created_at),
        acts: reader.may(Permission::SeeAudit).then(|| format!("/admin/audit?actor=operator%3A{}", found.id)),
        may_manage: reader.may(Permission::ManageOperators) && !itself,
    };
    Ok(reader.show(&page).render()?)
}
