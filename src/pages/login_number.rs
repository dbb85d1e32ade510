//! `/login/{interaction}/number`: the login ID from 記号 and 番号, each padded with zeros.

use super::{
    flow::{Flow, insurer_choices},
    login_id,
};
use crate::{
    config::Insurer,
    members::login_id::LoginId,
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::{
    parts::{FormErrors, InsurerChoice},
    sample,
};
use crate::web::templates::{Message, Page};

/// Two boxes instead of a composed login ID. Posts `symbol`, `number` and, where there are several
/// insurers, `insurer` (portal code) to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct LoginNumber {
    /// The interaction.
    pub interaction: String,
    /// The insurers to pick from; with one or none there is nothing to pick.
    pub insurers: Vec<InsurerChoice>,
    /// Portal code of the insurer that was picked.
    pub insurer: String,
    /// 記号 as typed.
    pub symbol: String,
    /// 番号 as typed.
    pub number: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for LoginNumber {
    const TEMPLATE: &'static str = "pages/login_number.html";

    fn samples() -> Vec<Self> {
        let one = Self {
            interaction: sample::INTERACTION.to_owned(),
            insurers: vec![],
            insurer: String::new(),
            symbol: String::new(),
            number: String::new(),
            errors: FormErrors::none(),
        };
        let several = Self {
            insurers: sample::insurers(),
            insurer: "8001".to_owned(),
            symbol: "91".to_owned(),
            number: "200001".to_owned(),
            ..one.clone()
        };
        let mut errors = FormErrors::field("insurer", Message::new("login-number-error-insurer"));
        errors.add("symbol", Message::new("login-number-error-symbol").with("digits", 3));
        errors.add("number", Message::new("login-number-error-number").with("digits", 6));
        let wrong = Self {
            insurers: sample::insurers(),
            symbol: "1234".to_owned(),
            number: sample::HOSTILE.to_owned(),
            errors,
            ..one.clone()
        };
        vec![one, several, wrong]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct LoginNumberForm {
    #[serde(default)]
    insurer: String,
    #[serde(default)]
    symbol: String,
    #[serde(default)]
    number: String,
}

/// GET `/login/{interaction}/number`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let empty = LoginNumberForm { insurer: String::new(), symbol: String::new(), number: String::new() };
    page(&flow, empty, FormErrors::none())
}

/// POST `/login/{interaction}/number`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<LoginNumberForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let chosen = flow.entered().or_else(|| flow.visit.app().members.insurer(&form.insurer));
    let Some(insurer) = chosen else {
        return page(&flow, form, FormErrors::field("insurer", Message::new("login-number-error-insurer")));
    };
    if let Ok(composed) = LoginId::from_parts(insurer, &form.symbol, &form.number) {
        return login_id::go_on(flow, &composed.to_string()).await;
    }
    let errors = wrong(insurer, &form);
    page(&flow, form, errors)
}

/// What does not fit the insurer's documents.
fn wrong(insurer: &Insurer, form: &LoginNumberForm) -> FormErrors {
    let [symbol, number] = LoginId::fit(insurer, &form.symbol, &form.number);
    let mut errors = FormErrors::none();
    if !symbol {
        errors.add("symbol", Message::new("login-number-error-symbol").with("digits", insurer.symbol_digits));
    }
    if !number {
        errors.add("number", Message::new("login-number-error-number").with("digits", insurer.number_digits));
    }
    errors
}

fn page(flow: &Flow, form: LoginNumberForm, errors: FormErrors) -> Result<Response, PageError> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = LoginNumber {
        interaction: flow.id().to_owned(),
        insurers: if flow.entered().is_none() { insurer_choices(&flow.visit) } else { Vec::new() },
        insurer: form.insurer,
        symbol: form.symbol,
        number: form.number,
        errors,
    };
    Ok(flow.show(&page).status(status).render()?)
}
