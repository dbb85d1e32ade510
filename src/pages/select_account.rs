//! `/login/{interaction}/account`: as whom? (`prompt=select_account`, OpenID Connect Core §3.1.2.1)

use super::flow::Flow;
use crate::{
    members::{EmailAddress, roster::Category, session::SignedIn},
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::sample;
use crate::web::templates::Page;

/// Goes on as the member who is signed in, or as somebody else. Posts `choice`, `continue` or `another`,
/// to its own path, and `session` for whom it was shown to.
#[derive(Clone, Debug, Serialize)]
pub struct SelectAccount {
    /// The interaction.
    pub interaction: String,
    /// Name of the relying party that asked.
    pub client: Option<String>,
    /// Name of the member who is signed in, if it is known.
    pub name: Option<String>,
    /// Their login ID, masked.
    pub account: String,
    /// `sid` of that session: another member may sign in to this browser before the answer comes.
    pub session: String,
}

impl Page for SelectAccount {
    const TEMPLATE: &'static str = "pages/select_account.html";

    fn samples() -> Vec<Self> {
        let known = Self {
            interaction: sample::INTERACTION.to_owned(),
            client: Some(sample::CLIENT.to_owned()),
            name: Some("タケダ ハナコ".to_owned()),
            account: "7132-•••••••01".to_owned(),
            session: sample::INTERACTION.to_owned(),
        };
        let nameless = Self { client: None, name: None, ..known.clone() };
        let hostile = Self {
            client: Some(sample::LONG.to_owned()),
            name: Some(sample::HOSTILE.to_owned()),
            account: sample::HOSTILE.to_owned(),
            ..known.clone()
        };
        vec![known, nameless, hostile]
    }
}

/// What the page sends, and others that offer a choice.
#[derive(Deserialize)]
pub struct ChoiceForm {
    #[serde(default)]
    /// The button.
    pub choice: String,
    #[serde(default)]
    session: String,
}

/// GET `/login/{interaction}/account`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let Some(signed_in) = flow.visit.signed_in().await? else {
        return flow.go(&format!("/login/{id}"));
    };
    let page = SelectAccount {
        interaction: id,
        client: flow.client_name(),
        name: signed_in.member.kana.clone(),
        account: account(&signed_in),
        session: signed_in.session.sid,
    };
    Ok(flow.show(&page).render()?)
}

/// The login ID, masked: a number, or an address.
fn account(signed_in: &SignedIn) -> String {
    let email = signed_in.member.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
    match email.filter(|_| signed_in.person.category != Category::Insured) {
        Some(email) => email.masked(),
        None => format!("{}-***", signed_in.member.insurer),
    }
}

/// POST `/login/{interaction}/account`: go on as this member, or sign in as another. The session stays
/// until the other one has signed in.
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<ChoiceForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let seen = flow.visit.signed_in().await?.is_some_and(|now| now.session.sid == form.session);
    match form.choice.as_str() {
        "continue" if seen => {
            flow.update(|interaction| interaction.account_chosen = true).await?.proceed().await
        }
        "another" => flow.go(&format!("/login/{id}")),
        _ => flow.go(&format!("/login/{id}/account")),
    }
}
