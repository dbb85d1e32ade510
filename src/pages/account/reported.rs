//! `/account/report/done`: the account is stopped, and nobody is signed in any more.

use axum::response::Response;
use serde::Serialize;

use crate::{
    pages::flow::brand,
    web::{PageError, Visit, templates::Page},
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

/// GET `/account/report/done`
pub async fn get(visit: Visit) -> Result<Response, PageError> {
    Ok(visit.show(&Reported {}).brand(brand(&visit)).render()?)
}
