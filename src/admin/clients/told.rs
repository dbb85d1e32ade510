//! The answer that tells a new secret: the only page that ever shows it.

use axum::{http::StatusCode, response::Response};
use serde::Serialize;

use super::Named;
use crate::{
    admin::guard::Operator,
    clients::manage::Done,
    web::{PageError, templates::Page},
};

/// Tells a secret once. It is the answer to a POST and is kept nowhere, so that neither a reload nor the way
/// back shows it again.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// The client.
    pub client: Named,
    /// `registered`, `rotated` or `changed`.
    pub what: &'static str,
    /// The secret.
    pub secret: String,
    /// Until when the one of before works, in words.
    pub old_until: Option<String>,
}

impl Page for Told {
    const TEMPLATE: &'static str = "admin/client_told.html";

    fn samples() -> Vec<Self> {
        let registered = Self {
            client: Named::sample(),
            what: "registered",
            secret: "hpV0z1kYQbYw0m3i4o8cSxUO5bXk2N6hV9u1wT7dRgE".to_owned(),
            old_until: None,
        };
        let rotated = Self {
            client: Named::hostile(),
            what: "rotated",
            old_until: Some("2026年11月24日(火)10時15分".to_owned()),
            ..registered.clone()
        };
        vec![registered.clone(), rotated, Self { what: "changed", ..registered }]
    }
}

/// Tells the secret, or goes on to the client where there is none to tell.
pub fn answer(
    reader: &Operator,
    done: Done,
    (what, notice): (&'static str, &str),
) -> Result<Response, PageError> {
    let named = Named::of(reader, &done.client);
    let Some(secret) = done.secret else {
        return Ok(reader.visit.redirect(&format!("{}?done={notice}", named.path))?);
    };
    let valid = done.client.valid_secrets(reader.app().now());
    let until = valid.iter().filter_map(|secret| secret.expires_at).max();
    let page = Told { client: named, what, secret, old_until: until.map(|until| reader.date_time(until)) };
    let status = if what == "registered" { StatusCode::CREATED } else { StatusCode::OK };
    Ok(reader.show(&page).status(status).render()?)
}
