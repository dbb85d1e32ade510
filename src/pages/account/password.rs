//! `/account/password`: a new password, with the current one.

use axum::{http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Account, entered, wrong, wrong_field};
use crate::{
    members::account::PasswordChange,
    pages::{parts::FormErrors, sample},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Asks for both. Posts `password` and `new_password` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct Password {
    /// For whom the form is.
    pub who: String,
    /// Fewest characters of a password.
    pub min_length: usize,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Password {
    const TEMPLATE: &'static str = "pages/account/password.html";

    fn samples() -> Vec<Self> {
        let empty = Self { who: sample::INTERACTION.to_owned(), min_length: 10, errors: FormErrors::none() };
        let wrong = Self {
            errors: FormErrors::field("password", Message::new("account-password-error-current")),
            ..empty.clone()
        };
        let mut errors = FormErrors::field("password", Message::new("password-error-empty"));
        errors.add("new_password", Message::new("password-too-short").with("min", 10));
        let both = Self { errors, ..empty.clone() };
        let paused = Self {
            errors: FormErrors::form(Message::new("password-error-paused").with("minutes", 30)),
            ..empty.clone()
        };
        vec![empty, wrong, both, paused]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct NewPasswordForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    new_password: SecretString,
}

/// GET `/account/password`
pub async fn get(visit: Visit) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/password"));
    page(&account, (StatusCode::OK, FormErrors::none()))
}

/// POST `/account/password`
pub async fn post(PageForm(visit, form): PageForm<NewPasswordForm>) -> Result<Response, PageError> {
    let mut account = entered!(Account::enter_form(visit, "/account/password", &form.who));
    let empty = |secret: &SecretString| secret.expose_secret().is_empty();
    if empty(&form.password) {
        return page(&account, wrong("password", "password-error-empty"));
    }
    if empty(&form.new_password) {
        return page(&account, wrong("new_password", "account-password-error-new-empty"));
    }
    let members = account.visit.app().members.clone();
    let address = account.visit.address;
    match members.change_password(&account.signed_in, form.password, form.new_password, address).await? {
        PasswordChange::Done(member) => {
            // The password was given, so this is a sign-in of its own, under a new secret.
            let secret = members.start_session(&member, account.visit.device).await?;
            account.visit.begin_session(&secret).await?;
            Ok(account.visit.redirect("/account?done=password")?)
        }
        PasswordChange::Credential(credential) => page(&account, account.refusal(credential)),
        PasswordChange::Refused(error) => page(&account, wrong_field(&error)),
    }
}

fn page(account: &Account, (status, errors): (StatusCode, FormErrors)) -> Result<Response, PageError> {
    let min_length = account.insurer().map_or(10, |insurer| insurer.policy.password_min_length);
    let page = Password { who: account.who(), min_length, errors };
    Ok(account.show(&page).status(status).render()?)
}
