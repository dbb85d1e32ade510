//! `/registration/link/{token}`: the mailed link.

use super::{
    done::Done,
    flow::{brand, brand_of, link_life},
    link_void::LinkVoid,
    password::sign_in,
};
use crate::{
    clients::Client,
    crypto::digest,
    members::{limits::Budget, registration::Completion},
    oidc::{interaction, logout::service},
    storage::{member::Member, registration::Registration},
    telemetry::figures::{Step, count_step},
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// Asks for the password chosen in 基本設定. Posts `password` to its own path. Whoever holds the mail has not
/// proved to be the member, so nothing about the member is on the page.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// The token of the link.
    pub token: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Link {
    const TEMPLATE: &'static str = "pages/link.html";

    fn samples() -> Vec<Self> {
        let first = Self { token: sample::INTERACTION.to_owned(), errors: FormErrors::none() };
        let wrong = Self {
            errors: FormErrors::field("password", Message::new("link-error-wrong").with("left", 4)),
            ..first.clone()
        };
        let empty = Self {
            errors: FormErrors::field("password", Message::new("password-error-empty")),
            ..first.clone()
        };
        vec![first, wrong, empty]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct LinkForm {
    #[serde(default)]
    password: SecretString,
}

/// GET `/registration/link/{token}`: changes nothing, since mail scanners open links too.
pub async fn get(mut visit: Visit, Path(token): Path<String>) -> Result<Response, PageError> {
    match visit.app().members.link(&token).await? {
        Some(link) => {
            count_step(Step::LinkOpened, &link.registration.insurer);
            visit.prefer(Some(link.registration.locale));
            page(&visit, token, StatusCode::OK, FormErrors::none()).await
        }
        None => void(&visit),
    }
}

/// POST `/registration/link/{token}`
pub async fn post(
    Path(token): Path<String>,
    PageForm(mut visit, form): PageForm<LinkForm>,
) -> Result<Response, PageError> {
    let members = visit.app().members.clone();
    if form.password.expose_secret().is_empty() {
        let errors = FormErrors::field("password", Message::new("password-error-empty"));
        return page(&visit, token, StatusCode::UNPROCESSABLE_ENTITY, errors).await;
    }
    if members.spend_guess(visit.address).await? == Budget::Spent {
        let errors = FormErrors::form(Message::new("password-error-limited"));
        return page(&visit, token, StatusCode::TOO_MANY_REQUESTS, errors).await;
    }
    match members.complete_registration(&token, form.password).await? {
        Completion::Done { member, registration } => {
            metrics::counter!("kenpos_activations_total").increment(1);
            count_step(Step::Activated, &registration.insurer);
            visit.prefer(Some(registration.locale));
            // The registration is complete, whatever fails from here on.
            let way_on = done(visit.clone(), &member, &registration).await;
            way_on.or_else(|error| finished(&visit, &error))
        }
        Completion::Wrong(left) => {
            let errors = FormErrors::field("password", Message::new("link-error-wrong").with("left", left));
            page(&visit, token, StatusCode::UNPROCESSABLE_ENTITY, errors).await
        }
        Completion::Destroyed | Completion::Void | Completion::AddressTaken => void(&visit),
        Completion::Lapsed => over(&visit, true, "/registration"),
    }
}

/// In the browser that started, 登録完了 signs in and goes on with the parked request; anywhere else it is
/// the end of the way.
async fn done(mut visit: Visit, member: &Member, registration: &Registration) -> Result<Response, PageError> {
    let same = digest::equal(visit.browser_hash().as_bytes(), registration.browser.as_bytes());
    if same {
        if interaction::find(&visit, &registration.interaction).await?.is_some() {
            return Ok(visit.redirect(&format!("/registration/{}/done", registration.interaction))?);
        }
        sign_in(&mut visit, member, registration.client_id.as_deref()).await?;
    }
    let client = match &registration.client_id {
        Some(id) => visit.app().client(id).await?,
        None => None,
    };
    let page = Done::Elsewhere { service: service(&visit, client.as_deref()), sign_in: false };
    let brand = brand_of(&visit, Some(&member.insurer));
    Ok(visit.show(&page).brand(brand).without_referrer().render()?)
}

/// Says that the registration is complete when there is no way on at present: nothing is to be repeated.
fn finished(visit: &Visit, error: &PageError) -> Result<Response, PageError> {
    error.log();
    let page = Done::Elsewhere { service: None, sign_in: true };
    Ok(visit.show(&page).brand(brand(visit)).without_referrer().render()?)
}

/// Its form may lead straight back to the relying party, so the page's policy allows that.
async fn page(
    visit: &Visit,
    token: String,
    status: StatusCode,
    errors: FormErrors,
) -> Result<Response, PageError> {
    let app = visit.app();
    let registration = app.members.link(&token).await?.map(|link| link.registration);
    let client = match registration.as_ref().and_then(|registration| registration.client_id.as_deref()) {
        Some(id) => app.client(id).await?,
        None => None,
    };
    let targets = client.as_deref().map(Client::form_targets).unwrap_or_default();
    let page = Link { token, errors };
    let brand = brand_of(visit, registration.as_ref().map(|registration| registration.insurer.as_str()));
    let reply = visit.show(&page).brand(brand).leads_to(targets);
    Ok(reply.status(status).without_referrer().render()?)
}

fn void(visit: &Visit) -> Result<Response, PageError> {
    over(visit, false, "/login")
}

fn over(visit: &Visit, lapsed: bool, restart: &str) -> Result<Response, PageError> {
    let page = LinkVoid { lapsed, life: link_life(visit), restart: restart.to_owned() };
    Ok(visit.show(&page).brand(brand(visit)).status(StatusCode::GONE).without_referrer().render()?)
}
