//! `/recovery/password`: 「パスワードをお忘れの方」.

use axum::{extract::Query, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{From, birth_date, choices, insurer_at, keep, origin, speaking, with_origin};
use crate::{
    config::insurer::Office,
    members::{
        limits::Budget,
        login_id::{self, Typed},
        recovery::Asking,
    },
    oidc::interaction::Interaction,
    pages::{
        flow::message,
        parts::{FormErrors, InsurerChoice},
        sample,
    },
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Explains what the first password is, asks for `login_id` and `birth_date` to mail the link to a new one,
/// and says whom to call. Posts to its own path, with the interaction as `i`.
#[derive(Clone, Debug, Serialize)]
pub struct ForgotPassword {
    /// The interaction to go back to, if the member came from one.
    pub interaction: Option<String>,
    /// The offices of the insurers.
    pub contacts: Vec<Office>,
    /// The insurers to choose from, where it is not known.
    pub insurers: Vec<InsurerChoice>,
    /// Portal code of the one that was chosen.
    pub insurer: String,
    /// Login ID as typed here or, before that, at the login page.
    pub login_id: String,
    /// Birth date as typed.
    pub birth_date: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for ForgotPassword {
    const TEMPLATE: &'static str = "pages/forgot_password.html";

    fn samples() -> Vec<Self> {
        let carried = Self {
            interaction: Some(sample::INTERACTION.to_owned()),
            contacts: vec![sample::contact()],
            insurers: vec![],
            insurer: String::new(),
            login_id: sample::LOGIN_ID.to_owned(),
            birth_date: String::new(),
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("login_id", Message::new("login-id-empty"));
        errors.add("birth_date", Message::new("date-no-such-day"));
        let wrong = Self {
            interaction: None,
            contacts: vec![sample::contact(), sample::unreachable()],
            insurers: sample::insurers(),
            insurer: "8001".to_owned(),
            login_id: String::new(),
            birth_date: sample::HOSTILE.to_owned(),
            errors,
        };
        let limited = Self {
            contacts: vec![],
            login_id: sample::HOSTILE.to_owned(),
            errors: FormErrors::form(Message::new("forgot-error-limited")),
            ..carried.clone()
        };
        vec![carried, wrong, limited]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct ForgotPasswordForm {
    i: Option<String>,
    #[serde(default)]
    login_id: String,
    #[serde(default)]
    birth_date: String,
    #[serde(default)]
    insurer: String,
}

/// GET `/recovery/password`: the login ID is carried over from the login page.
pub async fn get(mut visit: Visit, Query(from): Query<From>) -> Result<Response, PageError> {
    let found = origin(&mut visit, from.i.as_deref()).await?.map(|found| found.value);
    let login_id = found.as_ref().and_then(|found| found.login_id.clone()).unwrap_or_default();
    let i = found.as_ref().map(|found| found.id.clone());
    let form = ForgotPasswordForm { i, login_id, birth_date: String::new(), insurer: String::new() };
    page(&visit, found.as_ref(), form, StatusCode::OK, FormErrors::none())
}

/// POST `/recovery/password`: the answer depends on the form of what was typed, never on whose it is.
pub async fn post(PageForm(mut visit, form): PageForm<ForgotPasswordForm>) -> Result<Response, PageError> {
    let found = origin(&mut visit, form.i.as_deref()).await?;
    let at = found.as_ref().map(|found| &found.value);
    let i = at.map(|found| found.id.clone());
    let insurer = insurer_at(&visit, at, Some(&form.insurer));
    let form = ForgotPasswordForm { i: i.clone(), ..form };
    let mut errors = FormErrors::none();
    let typed = login_id::parse(&form.login_id, &visit.app().config().insurers)
        .map_err(|error| errors.add("login_id", message(error.text_id(), &error.args())))
        .ok();
    // A number names its insurer; an address may be known to several.
    if insurer.is_none() && matches!(typed, Some(Typed::Email(_))) {
        errors.add("insurer", Message::new("login-number-error-insurer"));
    }
    let born = birth_date(&form.birth_date, &mut errors);
    let (Some(typed), Some(born), true) = (typed, born, errors.is_empty()) else {
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
    if visit.app().members.ask_password_link(&typed, born, &asking).await? == Budget::Spent {
        let errors = FormErrors::form(Message::new("forgot-error-limited"));
        return page(&visit, at, form, StatusCode::TOO_MANY_REQUESTS, errors);
    }
    if let Some(found) = found {
        keep(&visit, found, Some(&typed.to_string())).await;
    }
    Ok(visit.redirect(&with_origin("/recovery/password/sent", i.as_deref()))?)
}

fn page(
    visit: &Visit,
    found: Option<&Interaction>,
    form: ForgotPasswordForm,
    status: StatusCode,
    errors: FormErrors,
) -> Result<Response, PageError> {
    let (brand, contacts) = speaking(visit, found);
    let page = ForgotPassword {
        interaction: form.i,
        contacts,
        insurers: choices(visit, found),
        insurer: form.insurer,
        login_id: form.login_id,
        birth_date: form.birth_date,
        errors,
    };
    Ok(visit.show(&page).brand(brand).status(status).render()?)
}
