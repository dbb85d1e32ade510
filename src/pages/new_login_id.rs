//! `/login/{interaction}/new-login-id`: a member whose category changed learns the login ID from now on.

use axum::{extract::Path, response::Response};
use serde::{Deserialize, Serialize};

use super::{flow::Flow, sample};
use crate::{
    members::login_id::Typed,
    web::{
        PageError, PageForm, Visit,
        templates::{Brand, Page},
    },
};

/// The new login ID. Posts `choice`, `take` or `later`, and `who` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct NewLoginId {
    /// The interaction.
    pub interaction: String,
    /// The session for which the form is.
    pub who: String,
    /// The login ID, in full: its member has just signed in.
    pub login_id: String,
    /// Whether it is the address.
    pub by_address: bool,
}

impl Page for NewLoginId {
    const TEMPLATE: &'static str = "pages/new_login_id.html";

    fn samples() -> Vec<Self> {
        let number = Self {
            interaction: sample::INTERACTION.to_owned(),
            who: sample::INTERACTION.to_owned(),
            login_id: sample::LOGIN_ID.to_owned(),
            by_address: false,
        };
        let address = Self { login_id: "hanako@example.com".to_owned(), by_address: true, ..number.clone() };
        let hostile = Self { login_id: sample::HOSTILE.to_owned(), ..address.clone() };
        vec![number, address, hostile]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct NewLoginIdForm {
    #[serde(default)]
    choice: String,
    #[serde(default)]
    who: String,
}

/// GET `/login/{interaction}/new-login-id`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let Some(signed_in) = flow.visit.signed_in().await? else { return flow.go(&format!("/login/{id}")) };
    let members = flow.visit.app().members.clone();
    let login_id = members.login_id_of(&signed_in.member, &signed_in.person);
    let (Some(login_id), Some(_)) = (login_id, signed_in.person.former_login) else {
        return flow.proceed().await;
    };
    let page = NewLoginId {
        interaction: id,
        who: signed_in.session.sid,
        by_address: matches!(login_id, Typed::Email(_)),
        login_id: login_id.to_string(),
    };
    let reply = flow.show(&page);
    Ok(match members.insurer(&signed_in.member.insurer) {
        Some(insurer) => reply.brand(Brand::insurer(insurer, flow.visit.locale)),
        None => reply,
    }
    .render()?)
}

/// POST `/login/{interaction}/new-login-id`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<NewLoginIdForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let signed_in = flow.visit.signed_in().await?.filter(|now| now.session.sid == form.who);
    match (signed_in, form.choice.as_str()) {
        (Some(signed_in), "take") => flow.visit.app().members.take_new_login_id(&signed_in).await?,
        (Some(_), "later") => {}
        _ => return flow.go(&format!("/login/{id}/new-login-id")),
    }
    flow.proceed().await
}
