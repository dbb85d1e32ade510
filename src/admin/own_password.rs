//! `/admin/account/password`: a new password, with the current one.

use axum::{http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    guard::{Operator, OperatorForm},
    refusal, wrong,
};
use crate::{
    operators::{own::OwnChange, setup::MIN_LENGTH},
    pages::{flow::message, parts::FormErrors},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks for both. Posts `password` and `new_password` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct OwnPassword {
    /// Fewest characters of a password.
    pub min_length: usize,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for OwnPassword {
    const TEMPLATE: &'static str = "admin/own_password.html";

    fn samples() -> Vec<Self> {
        let page = |errors| Self { min_length: MIN_LENGTH, errors };
        let new = Message::new("password-too-short").with("min", MIN_LENGTH);
        vec![page(FormErrors::none()), page(FormErrors::field("new_password", new)), page(super::paused().1)]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct PasswordForm {
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    new_password: SecretString,
}

/// GET `/admin/account/password`
pub async fn get(operator: Operator) -> Result<Response, PageError> {
    page(&operator, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/account/password`
pub async fn post(
    OperatorForm(mut operator, form): OperatorForm<PasswordForm>,
) -> Result<Response, PageError> {
    if form.new_password.expose_secret().is_empty() {
        let message = Message::new("account-password-error-new-empty");
        return page(&operator, wrong("new_password", message));
    }
    let (operators, address) = (operator.app().operators.clone(), operator.visit.address);
    let passwords = (&form.password, &form.new_password);
    match operators.change_own_password(&operator.signed_in, passwords, address).await? {
        OwnChange::Done(secret, ()) => {
            operator.visit.begin_operator_session(&secret).await?;
            Ok(operator.visit.redirect("/admin/account?done=password")?)
        }
        OwnChange::Credential(credential) => page(&operator, refusal(credential)),
        OwnChange::Password(refused) => {
            let message = message(refused.text_id(), &refused.args());
            page(&operator, wrong("new_password", message))
        }
        OwnChange::Code => page(&operator, wrong("code", Message::new("console-own-error-new-code"))),
    }
}

fn page(operator: &Operator, (status, errors): Refusal) -> Result<Response, PageError> {
    Ok(operator.show(&OwnPassword { min_length: MIN_LENGTH, errors }).status(status).render()?)
}
