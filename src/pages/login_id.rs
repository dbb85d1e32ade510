//! `/login/{interaction}`: who is it?

use super::flow::{Flow, message};
use crate::{
    members::login_id,
    oidc::interaction,
    telemetry::figures::{Step, count_step},
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::{
    parts::{AboutClient, FormErrors, IdRule},
    sample,
};
use crate::web::templates::{Message, Page};

/// The first step of every login. Posts `login_id` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct LoginId {
    /// The interaction.
    pub interaction: String,
    /// Name of the relying party that asked for the login.
    pub client: Option<String>,
    /// What else it shows of itself.
    pub about: AboutClient,
    /// How a login ID is composed; none where members of several insurers log in.
    pub rule: Option<IdRule>,
    /// What the way to the choice of an insurer is called, where there is one.
    pub choice: Option<Message>,
    /// What was typed.
    pub login_id: String,
    /// What is wrong with it.
    pub errors: FormErrors,
}

impl Page for LoginId {
    const TEMPLATE: &'static str = "pages/login_id.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            interaction: sample::INTERACTION.to_owned(),
            client: Some(sample::CLIENT.to_owned()),
            about: AboutClient::default(),
            rule: Some(sample::id_rule()),
            choice: None,
            login_id: String::new(),
            errors: FormErrors::none(),
        };
        let unpadded = Self {
            login_id: "7132-91200001".to_owned(),
            errors: FormErrors::field(
                "login_id",
                Message::new("login-id-error-digits").with("symbol", 3).with("number", 6),
            ),
            ..empty.clone()
        };
        let nothing_typed = Self {
            client: None,
            rule: None,
            choice: Some(Message::new("insurer-choose")),
            errors: FormErrors::field("login_id", Message::new("login-id-error-empty")),
            ..empty.clone()
        };
        let hostile = Self {
            choice: Some(Message::new("insurer-other")),
            client: Some(sample::HOSTILE.to_owned()),
            login_id: sample::HOSTILE.to_owned(),
            errors: FormErrors::field("login_id", Message::new("login-id-error-format")),
            ..empty.clone()
        };
        let with_links = Self { about: AboutClient::sample(), ..empty.clone() };
        vec![empty, unpadded, nothing_typed, hostile, with_links]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct LoginIdForm {
    #[serde(default)]
    login_id: String,
}

/// GET `/login`: a visit without any request is an interaction of its own.
pub async fn enter(visit: Visit) -> Result<Response, PageError> {
    let parked = interaction::park(&visit, None, None).await?;
    Ok(visit.redirect(&format!("/login/{}", parked.id))?)
}

/// GET `/login/{interaction}`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let hint = flow.found.value.request.as_ref().and_then(|request| request.login_hint.clone());
    let login_id = flow.found.value.login_id.clone().or(hint).unwrap_or_default();
    count_step(Step::LoginPage, flow.entered().map_or("", |insurer| &insurer.code));
    page(&flow, login_id, FormErrors::none())
}

/// POST `/login/{interaction}`: the answer depends on the form of the ID alone, never on whether it exists.
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<LoginIdForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    match login_id::parse(&form.login_id, &flow.visit.app().config().insurers) {
        Ok(typed) => match flow.not_for(&typed) {
            Some(refusal) => page(&flow, form.login_id, FormErrors::field("login_id", refusal)),
            None => go_on(flow, &typed.to_string()).await,
        },
        Err(error) => {
            let errors = FormErrors::field("login_id", message(error.text_id(), &error.args()));
            page(&flow, form.login_id, errors)
        }
    }
}

/// Remembers the login ID and asks for the password.
pub async fn go_on(flow: Flow, login_id: &str) -> Result<Response, PageError> {
    let flow = flow.update(|interaction| interaction.login_id = Some(login_id.to_owned())).await?;
    flow.go(&format!("/login/{}/password", flow.id()))
}

fn page(flow: &Flow, login_id: String, errors: FormErrors) -> Result<Response, PageError> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = LoginId {
        interaction: flow.id().to_owned(),
        client: flow.client_name(),
        about: flow.about_client(),
        rule: flow.entered().map(IdRule::of),
        choice: flow.choice(),
        login_id,
        errors,
    };
    Ok(flow.show(&page).status(status).render()?)
}
