//! `/device/allowed` and `/device/denied`: it goes on at the device.

use axum::response::Response;
use serde::Serialize;

use crate::{
    pages::flow::brand,
    web::{PageError, Visit, templates::Page},
};

/// Says what was decided.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceOutcome {
    /// Whether the device was allowed.
    pub allowed: bool,
}

impl Page for DeviceOutcome {
    const TEMPLATE: &'static str = "pages/device/outcome.html";

    fn samples() -> Vec<Self> {
        vec![Self { allowed: true }, Self { allowed: false }]
    }
}

/// GET `/device/allowed`
pub async fn allowed(visit: Visit) -> Result<Response, PageError> {
    page(&visit, true)
}

/// GET `/device/denied`
pub async fn denied(visit: Visit) -> Result<Response, PageError> {
    page(&visit, false)
}

fn page(visit: &Visit, allowed: bool) -> Result<Response, PageError> {
    Ok(visit.show(&DeviceOutcome { allowed }).brand(brand(visit)).render()?)
}
