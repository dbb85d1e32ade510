//! `/recovery/login-id/sent` and `/recovery/password/sent`: what is said whatever was typed.

use std::time::Duration;

use axum::{extract::Query, response::Response};
use serde::Serialize;

use super::{From, origin, speaking};
use crate::{
    config::insurer::Office,
    pages::sample,
    web::{PageError, Visit, templates::Page},
};

/// Says that a mail was sent if what was typed was right, and what to do if none comes.
#[derive(Clone, Debug, Serialize)]
pub struct ForgotSent {
    /// What was forgotten: `login-id` or `password`, as in the path of the page to go back to.
    pub forgotten: &'static str,
    /// How long the link works, in words.
    pub life: String,
    /// The interaction to go back to, if the member came from one.
    pub interaction: Option<String>,
    /// The offices of the insurers.
    pub contacts: Vec<Office>,
}

impl Page for ForgotSent {
    const TEMPLATE: &'static str = "pages/forgot_sent.html";

    fn samples() -> Vec<Self> {
        let login_id = Self {
            forgotten: "login-id",
            life: "30分".to_owned(),
            interaction: Some(sample::INTERACTION.to_owned()),
            contacts: vec![sample::contact()],
        };
        let password =
            Self { forgotten: "password", life: "60分".to_owned(), interaction: None, ..login_id.clone() };
        vec![login_id, password]
    }
}

/// GET `/recovery/login-id/sent`
pub async fn login_id(visit: Visit, Query(from): Query<From>) -> Result<Response, PageError> {
    let life = visit.app().config().lifetimes.login_id_link();
    page(visit, from, "login-id", life).await
}

/// GET `/recovery/password/sent`
pub async fn password(visit: Visit, Query(from): Query<From>) -> Result<Response, PageError> {
    let life = visit.app().config().lifetimes.password_link();
    page(visit, from, "password", life).await
}

async fn page(
    mut visit: Visit,
    from: From,
    forgotten: &'static str,
    life: Duration,
) -> Result<Response, PageError> {
    let found = origin(&mut visit, from.i.as_deref()).await?;
    let (brand, contacts) = speaking(&visit, found.as_ref().map(|found| &found.value));
    let interaction = found.map(|found| found.value.id);
    let life = visit.app().texts.lifetime(visit.locale, life);
    let page = ForgotSent { forgotten, life, interaction, contacts };
    Ok(visit.show(&page).brand(brand).render()?)
}
