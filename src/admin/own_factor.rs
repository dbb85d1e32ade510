//! `/admin/account/factor`: another second factor, with the password and the present one.

use axum::{http::StatusCode, response::Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    guard::{Operator, OperatorForm},
    own_codes, refusal,
    setup::ShownFactor,
    wrong,
};
use crate::{
    operators::{factor::TypedCode, own::OwnChange},
    pages::parts::FormErrors,
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Shows the new factor. Posts `password`, `code` and `new_code` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct OwnFactor {
    /// The new factor.
    pub factor: ShownFactor,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for OwnFactor {
    const TEMPLATE: &'static str = "admin/own_factor.html";

    fn samples() -> Vec<Self> {
        let page = |errors| Self { factor: ShownFactor::sample(), errors };
        vec![
            page(FormErrors::none()),
            page(FormErrors::field("new_code", Message::new("console-own-error-new-code"))),
            page(FormErrors::form(Message::new("console-own-error-credential"))),
        ]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct FactorForm {
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    code: String,
    #[serde(default)]
    new_code: String,
}

/// GET `/admin/account/factor`
pub async fn get(operator: Operator) -> Result<Response, PageError> {
    page(&operator, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/account/factor`
pub async fn post(OperatorForm(operator, form): OperatorForm<FactorForm>) -> Result<Response, PageError> {
    let (operators, address) = (operator.app().operators.clone(), operator.visit.address);
    let (code, new_code) = (TypedCode::read(&form.code), TypedCode::read(&form.new_code));
    let own = (&form.password, &code);
    match operators.change_own_factor(&operator.signed_in, own, &new_code, address).await? {
        OwnChange::Done(secret, codes) => own_codes::show(operator, &secret, codes).await,
        OwnChange::Credential(credential) => page(&operator, refusal(credential)),
        OwnChange::Code | OwnChange::Password(_) => {
            page(&operator, wrong("new_code", Message::new("console-own-error-new-code")))
        }
    }
}

fn page(operator: &Operator, (status, errors): Refusal) -> Result<Response, PageError> {
    let factor = operator.app().operators.own_new_factor(&operator.signed_in)?;
    let page = OwnFactor { factor: ShownFactor::of(&factor)?, errors };
    Ok(operator.show(&page).status(status).render()?)
}
