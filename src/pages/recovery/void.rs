//! A mailed link that is unknown, used, replaced, too old or was tried too often.

use axum::{http::StatusCode, response::Response};
use serde::Serialize;

use crate::{
    pages::flow::brand,
    web::{PageError, Visit, templates::Page},
};

/// Says so and offers to ask again. One page for all reasons, as which of them it is concerns nobody else.
#[derive(Clone, Debug, Serialize)]
pub struct ForgotVoid {
    /// Path of the page that asks again.
    pub again: &'static str,
}

impl Page for ForgotVoid {
    const TEMPLATE: &'static str = "pages/forgot_void.html";

    fn samples() -> Vec<Self> {
        vec![Self { again: "/recovery/password" }]
    }
}

/// The answer to a link that is dead.
pub fn page(visit: &Visit, again: &'static str) -> Result<Response, PageError> {
    let page = ForgotVoid { again };
    Ok(visit.show(&page).brand(brand(visit)).status(StatusCode::GONE).without_referrer().render()?)
}
