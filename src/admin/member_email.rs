//! `/admin/members/{member}/email`: a new address for a member, who proves it by a mailed link.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    confirm::{Fact, ReasonForm},
    guard::{Operator, OperatorForm},
    member::{facts, find, refusal},
};
use crate::{
    audit::Act,
    members::operator::Subject,
    pages::{parts::FormErrors, sample},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks for the address. Posts `email` and `reason` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct CorrectEmail {
    /// Names the person in URLs.
    pub id: String,
    /// Whom it concerns.
    pub facts: Vec<Fact>,
    /// The new address, as typed.
    pub email: String,
    /// The reason, as typed.
    pub reason: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for CorrectEmail {
    const TEMPLATE: &'static str = "admin/member_email.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            id: sample::INTERACTION.to_owned(),
            facts: vec![Fact::new("members-name", "タケダ ハナコ")],
            email: String::new(),
            reason: String::new(),
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("email", Message::new("members-error-email-taken"));
        errors.add("reason", Message::new("console-error-reason-empty"));
        let wrong = Self { email: sample::HOSTILE.to_owned(), errors, ..empty.clone() };
        vec![empty, wrong]
    }
}

/// What the page sends.
#[derive(Default, Deserialize)]
pub struct EmailForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    reason: String,
}

/// GET `/admin/members/{member}/email`
pub async fn get(reader: Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let subject = find(&reader, &id).await?;
    page(&reader, &subject, EmailForm::default(), (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/members/{member}/email`
pub async fn post(
    Path(id): Path<String>,
    OperatorForm(reader, form): OperatorForm<EmailForm>,
) -> Result<Response, PageError> {
    let subject = find(&reader, &id).await?;
    let reason = match (ReasonForm { reason: form.reason.clone() }).read() {
        Ok(reason) => reason,
        Err(wrong) => return page(&reader, &subject, form, wrong),
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    match reader.app().members.correct_email(&subject, &form.email, act).await? {
        Ok(_) => {
            let done = format!("/admin/members/{}?done=member-email", subject.person.id);
            Ok(reader.visit.redirect(&done)?)
        }
        Err(refused) => page(&reader, &subject, form, refusal(refused)),
    }
}

fn page(
    reader: &Operator,
    subject: &Subject,
    form: EmailForm,
    (status, errors): Refusal,
) -> Result<Response, PageError> {
    let page = CorrectEmail {
        id: subject.person.id.clone(),
        facts: facts(reader, subject),
        email: form.email,
        reason: form.reason,
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}
