//! `/recovery/login-id`: 「ログインIDをお忘れの方」.

use axum::{extract::Query, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{From, birth_date, keep, origin, with_origin};
use crate::{
    config::insurer::Contact,
    members::{EmailAddress, limits::Budget, recovery::Asking},
    pages::{
        flow::{brand, contacts, id_rule, message},
        parts::{FormErrors, IdRule},
        sample,
    },
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Explains how a login ID is composed, asks for `email` and `birth_date` to send it by mail, and says whom
/// to call. Posts to its own path, with the interaction as `i`.
#[derive(Clone, Debug, Serialize)]
pub struct ForgotLoginId {
    /// The interaction to go back to, if the member came from one.
    pub interaction: Option<String>,
    /// How a login ID is composed; none where members of several insurers log in.
    pub rule: Option<IdRule>,
    /// The offices of the insurers.
    pub contacts: Vec<Contact>,
    /// E-mail address as typed.
    pub email: String,
    /// Birth date as typed.
    pub birth_date: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for ForgotLoginId {
    const TEMPLATE: &'static str = "pages/forgot_login_id.html";

    fn samples() -> Vec<Self> {
        let unreachable = Contact { name: sample::HOSTILE.to_owned(), phone: None, email: None, hours: None };
        let empty = Self {
            interaction: Some(sample::INTERACTION.to_owned()),
            rule: Some(sample::id_rule()),
            contacts: vec![sample::contact()],
            email: String::new(),
            birth_date: String::new(),
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("email", Message::new("email-format"));
        errors.add("birth_date", Message::new("date-outside-era"));
        let wrong = Self {
            interaction: None,
            rule: None,
            contacts: vec![sample::contact(), unreachable],
            email: sample::HOSTILE.to_owned(),
            birth_date: "昭和64年2月1日".to_owned(),
            errors,
        };
        let limited = Self {
            contacts: vec![],
            errors: FormErrors::form(Message::new("forgot-error-limited")),
            ..empty.clone()
        };
        vec![empty, wrong, limited]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct ForgotLoginIdForm {
    i: Option<String>,
    #[serde(default)]
    email: String,
    #[serde(default)]
    birth_date: String,
}

/// GET `/recovery/login-id`
pub async fn get(mut visit: Visit, Query(from): Query<From>) -> Result<Response, PageError> {
    let found = origin(&mut visit, from.i.as_deref()).await?;
    let i = found.map(|found| found.value.id);
    let form = ForgotLoginIdForm { i, email: String::new(), birth_date: String::new() };
    page(&visit, form, StatusCode::OK, FormErrors::none())
}

/// POST `/recovery/login-id`: the answer depends on the form of what was typed, never on whose it is.
pub async fn post(PageForm(mut visit, form): PageForm<ForgotLoginIdForm>) -> Result<Response, PageError> {
    let found = origin(&mut visit, form.i.as_deref()).await?;
    let i = found.as_ref().map(|found| found.value.id.clone());
    let form = ForgotLoginIdForm { i: i.clone(), ..form };
    let mut errors = FormErrors::none();
    let email = EmailAddress::parse(&form.email)
        .map_err(|error| errors.add("email", message(error.text_id(), &[])))
        .ok();
    let born = birth_date(&form.birth_date, &mut errors);
    let (Some(email), Some(born)) = (email, born) else {
        return page(&visit, form, StatusCode::UNPROCESSABLE_ENTITY, errors);
    };
    let browser = visit.browser_hash();
    let asking =
        Asking { address: visit.address, browser: &browser, interaction: i.as_deref(), locale: visit.locale };
    if visit.app().members.ask_login_id(&email, born, &asking).await? == Budget::Spent {
        let errors = FormErrors::form(Message::new("forgot-error-limited"));
        return page(&visit, form, StatusCode::TOO_MANY_REQUESTS, errors);
    }
    if let Some(found) = found {
        keep(&visit, found, None).await;
    }
    Ok(visit.redirect(&with_origin("/recovery/login-id/sent", i.as_deref()))?)
}

fn page(
    visit: &Visit,
    form: ForgotLoginIdForm,
    status: StatusCode,
    errors: FormErrors,
) -> Result<Response, PageError> {
    let page = ForgotLoginId {
        interaction: form.i,
        rule: id_rule(visit),
        contacts: contacts(visit),
        email: form.email,
        birth_date: form.birth_date,
        errors,
    };
    Ok(visit.show(&page).brand(brand(visit)).status(status).render()?)
}
