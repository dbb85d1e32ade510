//! `/admin/members/{member}/apps/{client}`: an app loses its access to a member's data.

use axum::{extract::Path, http::StatusCode, response::Response};

use super::{
    confirm::{Confirm, Fact, ReasonForm},
    guard::{Operator, OperatorForm},
    member::{app_name, facts, find, refusal},
};
use crate::{
    audit::Act,
    members::operator::Subject,
    pages::parts::FormErrors,
    web::{PageError, templates::Message},
};

/// GET `/admin/members/{member}/apps/{client}`
pub async fn get(
    reader: Operator,
    Path((id, client)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let subject = find(&reader, &id).await?;
    let empty = ReasonForm { reason: String::new() };
    page(&reader, &subject, &client).await?.show(&reader, &empty, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/members/{member}/apps/{client}`
pub async fn post(
    Path((id, client)): Path<(String, String)>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    let subject = find(&reader, &id).await?;
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(wrong) => return page(&reader, &subject, &client).await?.show(&reader, &form, wrong),
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    match reader.app().members.withdraw_app(&subject, &client, act).await? {
        Ok(()) => {
            let done = format!("/admin/members/{}?done=member-app", subject.person.id);
            Ok(reader.visit.redirect(&done)?)
        }
        Err(refused) => page(&reader, &subject, &client).await?.show(&reader, &form, refusal(refused)),
    }
}

async fn page(reader: &Operator, subject: &Subject, client: &str) -> Result<Confirm, PageError> {
    if client.contains('\0') {
        return Err(PageError::status(StatusCode::NOT_FOUND));
    }
    let mut facts = facts(reader, subject);
    facts.push(Fact::new("members-app", app_name(reader, client).await?));
    Ok(Confirm {
        title: Message::new("members-app-title"),
        text: Message::new("members-app-text"),
        facts,
        action: reader.visit.path().to_owned(),
        back: format!("/admin/members/{}", subject.person.id),
        grave: true,
        reason: String::new(),
        errors: FormErrors::none(),
    })
}
