//! `/account/report/done`: the account is stopped, and nobody is signed in any more.

use axum::{extract::RawQuery, response::Response};
use serde::Serialize;

use crate::{
    pages::flow::brand,
    web::{
        PageError, Visit,
        templates::{Brand, Page},
    },
};

/// What happens next. The office's contact stands in the frame.
#[derive(Clone, Debug, Serialize)]
pub struct Reported {}

impl Page for Reported {
    const TEMPLATE: &'static str = "pages/account/reported.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

/// GET `/account/report/done`: `insurer` of the query says whose office to contact.
pub async fn get(visit: Visit, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    let query = query.unwrap_or_default();
    let code = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "insurer");
    let insurer = code.and_then(|(_, code)| visit.app().members.insurer(&code));
    let brand = insurer.map_or_else(|| brand(&visit), |insurer| Brand::insurer(insurer, visit.locale));
    Ok(visit.show(&Reported {}).brand(brand).render()?)
}
