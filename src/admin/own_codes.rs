//! `/admin/account/recovery-codes`: a fresh set of them.

use axum::{http::StatusCode, response::Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    guard::{Operator, OperatorForm},
    recovery_codes::RecoveryCodes,
    refusal,
};
use crate::{
    members::account::Credential,
    operators::{factor::TypedCode, own::OwnChange},
    pages::parts::FormErrors,
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks for password and code. Posts `password` and `code` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct OwnCodes {
    /// Recovery codes that are left.
    pub left: i64,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for OwnCodes {
    const TEMPLATE: &'static str = "admin/own_codes.html";

    fn samples() -> Vec<Self> {
        let wrong = FormErrors::form(Message::new("console-own-error-credential"));
        vec![Self { left: 3, errors: FormErrors::none() }, Self { left: 0, errors: wrong }]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct CodesForm {
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    code: String,
}

/// GET `/admin/account/recovery-codes`
pub async fn get(operator: Operator) -> Result<Response, PageError> {
    page(&operator, (StatusCode::OK, FormErrors::none())).await
}

/// POST `/admin/account/recovery-codes`
pub async fn post(OperatorForm(operator, form): OperatorForm<CodesForm>) -> Result<Response, PageError> {
    let (operators, address) = (operator.app().operators.clone(), operator.visit.address);
    let code = TypedCode::read(&form.code);
    let own = (&form.password, &code);
    match operators.renew_own_recovery_codes(&operator.signed_in, own, address).await? {
        OwnChange::Done(secret, codes) => show(operator, &secret, codes).await,
        OwnChange::Credential(credential) => page(&operator, refusal(credential)).await,
        OwnChange::Code | OwnChange::Password(_) => page(&operator, refusal(Credential::Wrong)).await,
    }
}

/// Shows fresh codes, once, in the session that goes on under another secret.
pub async fn show(mut operator: Operator, secret: &str, codes: Vec<String>) -> Result<Response, PageError> {
    operator.visit.begin_operator_session(secret).await?;
    let page = RecoveryCodes { codes, next: "/admin/account" };
    Ok(operator.visit.show(&page).render()?)
}

async fn page(operator: &Operator, (status, errors): Refusal) -> Result<Response, PageError> {
    let left = operator.app().operators.recovery_codes_left(&operator.signed_in.operator).await?;
    Ok(operator.show(&OwnCodes { left, errors }).status(status).render()?)
}
