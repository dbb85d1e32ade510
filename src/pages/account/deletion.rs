//! `/account/deletion`: 退会の申請, a request to the office.

use axum::{http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Account, WhoForm, entered, wrong};
use crate::{
    members::account::Credential,
    pages::{parts::FormErrors, sample},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Asks for the password, or says that the request is with the office. Posts `password` to its own path, or
/// nothing to `…/withdraw`.
#[derive(Clone, Debug, Serialize)]
pub struct Deletion {
    /// For whom the form is.
    pub who: String,
    /// When it was asked for, in words.
    pub requested: Option<String>,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Deletion {
    const TEMPLATE: &'static str = "pages/account/deletion.html";

    fn samples() -> Vec<Self> {
        let empty = Self { who: sample::INTERACTION.to_owned(), requested: None, errors: FormErrors::none() };
        let wrong = Self {
            errors: FormErrors::field("password", Message::new("password-error-empty")),
            ..empty.clone()
        };
        let requested =
            Self { requested: Some("2026年11月23日(月)10時15分".to_owned()), ..empty.clone() };
        vec![empty, wrong, requested]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct DeletionForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    password: SecretString,
}

/// GET `/account/deletion`
pub async fn get(visit: Visit) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/deletion"));
    page(&account, (StatusCode::OK, FormErrors::none())).await
}

/// POST `/account/deletion`
pub async fn post(PageForm(visit, form): PageForm<DeletionForm>) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/account/deletion", &form.who));
    if form.password.expose_secret().is_empty() {
        return page(&account, wrong("password", "password-error-empty")).await;
    }
    let members = &account.visit.app().members;
    match members.request_deletion(&account.signed_in, &form.password, account.visit.address).await? {
        Credential::Right => Ok(account.visit.redirect("/account/deletion")?),
        credential => page(&account, account.refusal(credential)).await,
    }
}

/// POST `/account/deletion/withdraw`
pub async fn withdraw(PageForm(visit, form): PageForm<WhoForm>) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/account/deletion", &form.who));
    account.visit.app().members.withdraw_deletion(&account.signed_in.member).await?;
    Ok(account.visit.redirect("/account?done=deletion")?)
}

async fn page(account: &Account, (status, errors): (StatusCode, FormErrors)) -> Result<Response, PageError> {
    let requested = account.visit.app().members.deletion_requested_at(&account.signed_in.member).await?;
    let requested = requested.map(|at| account.date_time(at));
    let page = Deletion { who: account.who(), requested, errors };
    Ok(account.show(&page).status(status).render()?)
}
