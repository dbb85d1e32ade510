//! `/account/report`: 「身に覚えのない登録・ログイン」.

use axum::{http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Account, entered, wrong};
use crate::{
    members::account::Report as Outcome,
    pages::{parts::FormErrors, sample},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// What happens if the account is stopped. Posts `password` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// For whom the form is.
    pub who: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Report {
    const TEMPLATE: &'static str = "pages/account/report.html";

    fn samples() -> Vec<Self> {
        let empty = Self { who: sample::INTERACTION.to_owned(), errors: FormErrors::none() };
        let wrong = Self {
            who: sample::HOSTILE.to_owned(),
            errors: FormErrors::field("password", Message::new("account-password-error-current")),
        };
        let limited =
            Self { errors: FormErrors::form(Message::new("password-error-limited")), ..empty.clone() };
        vec![empty, wrong, limited]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct ReportForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    password: SecretString,
}

/// GET `/account/report`
pub async fn get(visit: Visit) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/report"));
    page(&account, (StatusCode::OK, FormErrors::none()))
}

/// POST `/account/report`
pub async fn post(PageForm(visit, form): PageForm<ReportForm>) -> Result<Response, PageError> {
    let mut account = entered!(Account::enter_form(visit, "/account/report", &form.who));
    if form.password.expose_secret().is_empty() {
        return page(&account, wrong("password", "password-error-empty"));
    }
    let members = account.visit.app().members.clone();
    match members.report_misuse(&account.signed_in, &form.password, account.visit.address).await? {
        Outcome::Frozen => {
            account.visit.end_session().await?;
            // Nobody is signed in there any more, and the page must name the right office.
            let insurer = &account.signed_in.member.insurer;
            Ok(account.visit.redirect(&format!("/account/report/done?insurer={insurer}"))?)
        }
        Outcome::Credential(credential) => page(&account, account.refusal(credential)),
    }
}

fn page(account: &Account, (status, errors): (StatusCode, FormErrors)) -> Result<Response, PageError> {
    let page = Report { who: account.who(), errors };
    Ok(account.show(&page).status(status).render()?)
}
