//! `/i/{code}`, the way in of an insurer's members, and `/login/{interaction}/insurer`, where others choose theirs.

use axum::{
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};

use super::{
    flow::{Flow, insurer_choices},
    parts::{FormErrors, InsurerChoice},
    sample,
};
use crate::{
    config::Insurer,
    members::{
        insurer_number::{self, InsurerNumberError},
        login_id,
    },
    oidc::interaction::{self, Interaction},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Asks for the insurer: a button for each, or its 保険者番号. Posts `insurer` (portal code) or `insurer_number`,
/// and `next`, to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct ChooseInsurer {
    /// The interaction.
    pub interaction: String,
    /// Where it goes on.
    pub next: Goal,
    /// The insurers.
    pub insurers: Vec<InsurerChoice>,
    /// 保険者番号 as typed.
    pub insurer_number: String,
    /// What is wrong.
    pub errors: FormErrors,
}

/// Where somebody goes on who has chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// The login page.
    #[default]
    Login,
    /// The password page: the login ID is an address that several insurers know.
    Password,
    /// How a first registration begins.
    Registration,
    /// 資格照会
    Eligibility,
}

impl Page for ChooseInsurer {
    const TEMPLATE: &'static str = "pages/insurer.html";

    fn samples() -> Vec<Self> {
        let usual = Self {
            interaction: sample::INTERACTION.to_owned(),
            next: Goal::Login,
            insurers: sample::insurers(),
            insurer_number: String::new(),
            errors: FormErrors::none(),
        };
        let several = Self { next: Goal::Password, ..usual.clone() };
        let wrong = Self {
            next: Goal::Eligibility,
            insurer_number: sample::HOSTILE.to_owned(),
            errors: FormErrors::field("insurer_number", Message::new("insurer-number-unknown")),
            ..usual.clone()
        };
        vec![usual, several, wrong]
    }
}

/// GET `/i/{code}`: the login page in the name of an insurer.
pub async fn enter(visit: Visit, Path(code): Path<String>) -> Result<Response, PageError> {
    let parked = park(&visit, &code).await?;
    Ok(visit.redirect(&format!("/login/{}", parked.id))?)
}

/// GET `/i/{code}/registration`: the same for the first registration.
pub async fn enter_registration(visit: Visit, Path(code): Path<String>) -> Result<Response, PageError> {
    let parked = park(&visit, &code).await?;
    Ok(visit.redirect(&format!("/registration?i={}", parked.id))?)
}

async fn park(visit: &Visit, code: &str) -> Result<Interaction, PageError> {
    let insurer = visit.app().members.insurer(code);
    let insurer = insurer.ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))?;
    interaction::park(visit, None, Some(&insurer.code)).await
}

/// Where to go on afterwards, in the query.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: Goal,
}

/// What the page sends.
#[derive(Deserialize)]
pub struct ChooseForm {
    #[serde(default)]
    insurer: String,
    #[serde(default)]
    insurer_number: String,
    #[serde(default)]
    next: Goal,
}

/// GET `/login/{interaction}/insurer`
pub async fn get(
    visit: Visit,
    Path(id): Path<String>,
    Query(Next { next }): Query<Next>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    if !flow.may_choose() {
        return flow.go(&path_of(next, &id));
    }
    page(&flow, next, String::new(), FormErrors::none())
}

/// POST `/login/{interaction}/insurer`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<ChooseForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    if !flow.may_choose() {
        return flow.go(&path_of(form.next, &id));
    }
    let code = match chosen(&flow, &form) {
        Ok(insurer) => insurer.code.clone(),
        Err(text) => {
            let errors = FormErrors::field("insurer_number", Message::new(text));
            return page(&flow, form.next, form.insurer_number, errors);
        }
    };
    let insurers = flow.visit.app().config().insurers.clone();
    let flow = flow
        .update(|interaction| {
            interaction.insurer = Some(code.clone());
            // What belongs to another insurer is not taken along.
            interaction.registration.take_if(|draft| draft.insurer != code);
            interaction.login_id.take_if(|typed| {
                let typed = login_id::parse(typed, &insurers);
                matches!(typed, Ok(login_id::Typed::Number(id)) if id.insurer() != code)
            });
        })
        .await?;
    flow.go(&path_of(form.next, &id))
}

/// The insurer of the button or of the number; which ones there are is no secret.
fn chosen<'a>(flow: &'a Flow, form: &ChooseForm) -> Result<&'a Insurer, &'static str> {
    let app = flow.visit.app();
    if !form.insurer.is_empty() {
        return app.members.insurer(&form.insurer).ok_or("insurer-number-unknown");
    }
    let number = insurer_number::parse(&form.insurer_number).map_err(InsurerNumberError::text_id)?;
    let mut insurers = app.config().insurers.iter();
    insurers.find(|insurer| insurer.number == number).ok_or("insurer-number-unknown")
}

fn path_of(next: Goal, id: &str) -> String {
    match next {
        Goal::Login => format!("/login/{id}"),
        Goal::Password => format!("/login/{id}/password"),
        Goal::Registration => format!("/registration?i={id}"),
        Goal::Eligibility => format!("/registration/{id}/eligibility"),
    }
}

fn page(flow: &Flow, next: Goal, insurer_number: String, errors: FormErrors) -> Result<Response, PageError> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = ChooseInsurer {
        interaction: flow.id().to_owned(),
        next,
        insurers: insurer_choices(&flow.visit),
        insurer_number,
        errors,
    };
    // In nobody's name: the choice is open.
    Ok(flow.visit.show(&page).status(status).render()?)
}
