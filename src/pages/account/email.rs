//! `/account/email`: a new address, which a mailed link must prove.

use axum::{http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Account, entered, wrong, wrong_field};
use crate::{
    members::{account::EmailRequest, roster::Category},
    pages::{parts::FormErrors, sample},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Asks for the address. Posts `email` and `password` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct Email {
    /// For whom the form is.
    pub who: String,
    /// The present address.
    pub email: Option<String>,
    /// Whether it is the login ID.
    pub is_login_id: bool,
    /// A change whose link is out.
    pub pending: Option<Pending>,
    /// The new address as typed.
    pub typed: String,
    /// What is wrong.
    pub errors: FormErrors,
}

/// A change whose link is out.
#[derive(Clone, Debug, Serialize)]
pub struct Pending {
    /// The new address, masked.
    pub email: String,
    /// Until when the link is good, in words.
    pub deadline: String,
}

impl Page for Email {
    const TEMPLATE: &'static str = "pages/account/email.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            who: sample::INTERACTION.to_owned(),
            email: Some("hanako.takeda@example.com".to_owned()),
            is_login_id: false,
            pending: None,
            typed: String::new(),
            errors: FormErrors::none(),
        };
        let pending = Pending {
            email: "n***@example.com".to_owned(),
            deadline: "2026年11月23日(月)11時15分".to_owned(),
        };
        let out = Self { pending: Some(pending), is_login_id: true, ..empty.clone() };
        let mut errors = FormErrors::field("email", Message::new("email-format"));
        errors.add("password", Message::new("account-password-error-current"));
        let hostile = Self {
            email: None,
            typed: sample::HOSTILE.to_owned(),
            pending: Some(Pending { email: sample::LONG.to_owned(), deadline: sample::HOSTILE.to_owned() }),
            errors,
            ..empty.clone()
        };
        let spent =
            Self { errors: FormErrors::form(Message::new("account-email-error-spent")), ..empty.clone() };
        vec![empty, out, hostile, spent]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct EmailForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: SecretString,
}

/// GET `/account/email`
pub async fn get(visit: Visit) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/email"));
    page(&account, String::new(), (StatusCode::OK, FormErrors::none())).await
}

/// POST `/account/email`: the answer is the same whether or not the address belongs to another account.
pub async fn post(PageForm(visit, form): PageForm<EmailForm>) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/account/email", &form.who));
    if form.password.expose_secret().is_empty() {
        return page(&account, form.email, wrong("password", "password-error-empty")).await;
    }
    let (members, visit) = (&account.visit.app().members, &account.visit);
    let asked = (form.email.as_str(), &form.password);
    match members.request_email_change(&account.signed_in, asked, visit.address, visit.locale).await? {
        EmailRequest::Sent => Ok(visit.redirect("/account/email")?),
        EmailRequest::Credential(credential) => page(&account, form.email, account.refusal(credential)).await,
        EmailRequest::Refused(error) => page(&account, form.email, wrong_field(&error)).await,
        EmailRequest::Spent => {
            let errors = FormErrors::form(Message::new("account-email-error-spent"));
            page(&account, form.email, (StatusCode::TOO_MANY_REQUESTS, errors)).await
        }
    }
}

async fn page(
    account: &Account,
    typed: String,
    (status, errors): (StatusCode, FormErrors),
) -> Result<Response, PageError> {
    let member = &account.signed_in.member;
    let pending = account
        .visit
        .app()
        .members
        .pending_email_change(&account.signed_in.member, &account.signed_in.person)
        .await?;
    let page = Email {
        who: account.who(),
        email: member.email.clone(),
        is_login_id: account.signed_in.person.category != Category::Insured,
        pending: pending.map(|(email, until)| Pending { email, deadline: account.date_time(until) }),
        typed,
        errors,
    };
    Ok(account.show(&page).status(status).render()?)
}
