//! `/admin/sign-in` and `/admin/sign-out`.

use axum::{http::StatusCode, response::Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    guard::{Operator, OperatorForm},
    limited, paused,
};
use crate::{
    operators::{factor::TypedCode, sign_in::SignIn},
    pages::{parts::FormErrors, sample},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Asks for everything at once, so that no answer tells which part was wrong. Posts `email`, `password` and
/// `code` to its own path.
#[derive(Clone, Debug, Serialize)]
#[serde(rename = "SignIn")]
pub struct SignInPage {
    /// Address, as typed.
    pub email: String,
    /// Whether a session ended before what was sent arrived.
    pub ended: bool,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for SignInPage {
    const TEMPLATE: &'static str = "admin/sign_in.html";

    fn samples() -> Vec<Self> {
        let empty = Self { email: String::new(), ended: false, errors: FormErrors::none() };
        let wrong = Self {
            email: sample::HOSTILE.to_owned(),
            errors: FormErrors::form(Message::new("console-sign-in-error-wrong")),
            ..empty.clone()
        };
        let paused = Self { errors: paused().1, ..empty.clone() };
        let ended = Self { ended: true, ..empty.clone() };
        vec![empty, wrong, paused, ended]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    code: String,
}

/// GET `/admin/sign-in`
pub async fn get(visit: Visit) -> Result<Response, PageError> {
    if visit.operator().await?.is_some() {
        return Ok(visit.redirect("/admin")?);
    }
    page(&visit, String::new(), (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/sign-in`
pub async fn post(PageForm(mut visit, form): PageForm<SignInForm>) -> Result<Response, PageError> {
    let code = TypedCode::read(&form.code);
    let operators = visit.app().operators.clone();
    let refusal = match operators.sign_in(&form.email, &form.password, &code, visit.address).await? {
        SignIn::Welcome(operator) => {
            let secret = operators.start_session(&operator, visit.device).await?;
            visit.begin_operator_session(&secret).await?;
            return Ok(visit.redirect("/admin")?);
        }
        SignIn::Wrong => {
            (StatusCode::UNPROCESSABLE_ENTITY, FormErrors::form(Message::new("console-sign-in-error-wrong")))
        }
        SignIn::Paused => paused(),
        SignIn::Limited => limited(),
    };
    page(&visit, form.email, refusal)
}

fn page(visit: &Visit, email: String, (status, errors): Refusal) -> Result<Response, PageError> {
    let page = SignInPage { email, ended: visit.query().split('&').any(|part| part == "ended"), errors };
    Ok(visit.show(&page).status(status).render()?)
}

/// What a form without fields sends.
#[derive(Deserialize)]
pub struct Nothing {}

/// POST `/admin/sign-out`
pub async fn sign_out(OperatorForm(operator, _): OperatorForm<Nothing>) -> Result<Response, PageError> {
    let Operator { mut visit, signed_in, .. } = operator;
    visit.app().operators.sign_out(&signed_in).await?;
    visit.forget_operator_session();
    Ok(visit.redirect("/admin/sign-in")?)
}
