//! `/recovery/login-id`: 「ログインIDをお忘れの方」.

use axum::{extract::Query, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{From, birth_date, choices, insurer_at, keep, origin, speaking, with_origin};
use crate::{
    config::insurer::Office,
    members::{EmailAddress, limits::Budget, recovery::Asking},
    oidc::interaction::Interaction,
    pages::{
        flow::message,
        parts::{FormErrors, IdRule, InsurerChoice},
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
    pub contacts: Vec<Office>,
    /// The insurers to choose from, where it is not known.
    pub insurers: Vec<InsurerChoice>,
    /// Portal code of the one that was chosen.
    pub insurer: String,
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
        let empty = Self {
            interaction: Some(sample::INTERACTION.to_owned()),
            rule: Some(sample::id_rule()),
            contacts: vec![sample::contact()],
            insurers: vec![],
            insurer: String::new(),
            email: String::new(),
            birth_date: String::new(),
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("email", Message::new("email-format"));
        errors.add("birth_date", Message::new("date-outside-era"));
        let wrong = Self {
            interaction: None,
            rule: None,
            contacts: vec![sample::contact(), sample::unreachable()],
            insurers: sample::insurers(),
            insurer: "8001".to_owned(),
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
    #[serde(default)]
    insurer: String,
}

/// GET `/recovery/login-id`
pub async fn get(mut visit: Visit, Query(from): Query<From>) -> Result<Response, PageError> {
    let found = origin(&mut visit, from.i.as_deref()).await?.map(|found| found.value);
    let i = found.as_ref().map(|found| found.id.clone());
    let form =
        ForgotLoginIdForm { i, email: String::new(), birth_date: String::new(), insurer: String::new() };
    page(&visit, found.as_ref(), form, StatusCode::OK, FormErrors::none())
}

/// POST `/recovery/login-id`: the answer depends on the form of what was typed, never on whose it is.
pub async fn post(PageForm(mut visit, form): PageForm<ForgotLoginIdForm>) -> Result<Response, PageError> {
    let found = origin(&mut visit, form.i.as_deref()).await?;
    let at = found.as_ref().map(|found| &found.value);
    let i = at.map(|found| found.id.clone());
    let insurer = insurer_at(&visit, at, Some(&form.insurer));
    let form = ForgotLoginIdForm { i: i.clone(), ..form };
    let mut errors = FormErrors::none();
    let email = EmailAddress::parse(&form.email)
        .map_err(|error| errors.add("email", message(error.text_id(), &[])))
        .ok();
    if insurer.is_none() {
        errors.add("insurer", Message::new("login-number-error-insurer"));
    }
    let born = birth_date(&form.birth_date, &mut errors);
    let (Some(email), Some(born), Some(_)) = (email, born, insurer) else {
        return page(&visit, at, form, StatusCode::UNPROCESSABLE_ENTITY, errors);
    };
    let browser = visit.browser_hash();
    let asking = Asking {
        address: visit.address,
        browser: &browser,
        interaction: i.as_deref(),
        insurer,
        locale: visit.locale,
    };
    if visit.app().members.ask_login_id(&email, born, &asking).await? == Budget::Spent {
        let errors = FormErrors::form(Message::new("forgot-error-limited"));
        return page(&visit, at, form, StatusCode::TOO_MANY_REQUESTS, errors);
    }
    if let Some(found) = found {
        keep(&visit, found, None).await;
    }
    Ok(visit.redirect(&with_origin("/recovery/login-id/sent", i.as_deref()))?)
}

fn page(
    visit: &Visit,
    found: Option<&Interaction>,
    form: ForgotLoginIdForm,
    status: StatusCode,
    errors: FormErrors,
) -> Result<Response, PageError> {
    let (brand, contacts) = speaking(visit, found);
    let page = ForgotLoginId {
        interaction: form.i,
        rule: insurer_at(visit, found, None).map(IdRule::of),
        contacts,
        insurers: choices(visit, found),
        insurer: form.insurer,
        email: form.email,
        birth_date: form.birth_date,
        errors,
    };
    Ok(visit.show(&page).brand(brand).status(status).render()?)
}
