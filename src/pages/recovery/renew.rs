//! `/recovery/password/link/{token}`: the mailed link that leads to a new password.

use axum::{
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{From, brand_of_link, origin, sign_in_path, speaking, void};
use crate::{
    members::{
        limits::Budget,
        recovery::{Kind, PasswordReset, Recovery},
    },
    pages::{flow::message, parts::FormErrors, sample},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Where a dead link leads.
const AGAIN: &str = "/recovery/password";

/// Asks for the new `password`, which goes to its own path. Nothing about the member is on the page.
#[derive(Clone, Debug, Serialize)]
pub struct Renew {
    /// The token of the link.
    pub token: String,
    /// Fewest characters of a password.
    pub password_min_length: usize,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Renew {
    const TEMPLATE: &'static str = "pages/link_renew.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            token: sample::INTERACTION.to_owned(),
            password_min_length: 10,
            errors: FormErrors::none(),
        };
        let weak =
            Self { errors: FormErrors::field("password", Message::new("password-weak")), ..first.clone() };
        let limited =
            Self { errors: FormErrors::form(Message::new("forgot-error-limited")), ..first.clone() };
        vec![first, weak, limited]
    }
}

/// Says that the password was replaced.
#[derive(Clone, Debug, Serialize)]
pub struct Renewed {
    /// Where the sign-in goes on.
    pub next: String,
}

impl Page for Renewed {
    const TEMPLATE: &'static str = "pages/renewed.html";

    fn samples() -> Vec<Self> {
        vec![Self { next: "/login".to_owned() }]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct RenewForm {
    #[serde(default)]
    password: SecretString,
}

/// GET `/recovery/password/link/{token}`: changes nothing, since mail scanners open links too.
pub async fn get(mut visit: Visit, Path(token): Path<String>) -> Result<Response, PageError> {
    match visit.app().members.recovery_link(Kind::Password, &token).await? {
        Some(link) => {
            visit.prefer(Some(link.locale));
            page(&visit, token, &link, StatusCode::OK, FormErrors::none()).await
        }
        None => void::page(&visit, AGAIN),
    }
}

/// POST `/recovery/password/link/{token}`
pub async fn post(
    Path(token): Path<String>,
    PageForm(mut visit, form): PageForm<RenewForm>,
) -> Result<Response, PageError> {
    let members = visit.app().members.clone();
    let Some(link) = members.recovery_link(Kind::Password, &token).await? else {
        return void::page(&visit, AGAIN);
    };
    visit.prefer(Some(link.locale));
    if form.password.expose_secret().is_empty() {
        let errors = FormErrors::field("password", Message::new("renew-error-empty"));
        return page(&visit, token, &link, StatusCode::UNPROCESSABLE_ENTITY, errors).await;
    }
    if members.spend_guess(visit.address).await? == Budget::Spent {
        let errors = FormErrors::form(Message::new("forgot-error-limited"));
        return page(&visit, token, &link, StatusCode::TOO_MANY_REQUESTS, errors).await;
    }
    match members.reset_password(&token, form.password).await? {
        PasswordReset::Done(link) => {
            let next = sign_in_path(&mut visit, &link).await?;
            let i = next.strip_prefix("/login/");
            Ok(visit.redirect(&super::with_origin("/recovery/password/done", i))?)
        }
        PasswordReset::Refused(refusal) => {
            let errors = FormErrors::field("password", message(refusal.text_id(), &refusal.args()));
            page(&visit, token, &link, StatusCode::UNPROCESSABLE_ENTITY, errors).await
        }
        PasswordReset::Void => void::page(&visit, AGAIN),
    }
}

/// GET `/recovery/password/done`: the way back to the sign-in page.
pub async fn done(mut visit: Visit, Query(from): Query<From>) -> Result<Response, PageError> {
    let found = origin(&mut visit, from.i.as_deref()).await?;
    let (brand, _) = speaking(&visit, found.as_ref().map(|found| &found.value));
    let next = match found {
        Some(found) if found.value.login_id.is_some() => format!("/login/{}/password", found.value.id),
        Some(found) => format!("/login/{}", found.value.id),
        None => "/login".to_owned(),
    };
    let page = Renewed { next };
    Ok(visit.show(&page).brand(brand).render()?)
}

async fn page(
    visit: &Visit,
    token: String,
    link: &Recovery,
    status: StatusCode,
    errors: FormErrors,
) -> Result<Response, PageError> {
    let password_min_length = visit.app().members.password_min_length(link).await?;
    let page = Renew { token, password_min_length, errors };
    let brand = brand_of_link(visit, link).await?;
    Ok(visit.show(&page).brand(brand).status(status).without_referrer().render()?)
}
