//! `/registration`: how a first registration begins.

use super::flow::{brand, id_rule};
use crate::web::{PageError, Visit};
use axum::{extract::Query, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::{parts::IdRule, sample};
use crate::web::templates::Page;

/// Parts the two ways in: dependents and voluntarily insured persons go on to 資格照会, insured members learn
/// what login ID and first password they have, and go on to the login page.
#[derive(Clone, Debug, Serialize)]
pub struct RegistrationStart {
    /// The interaction to go on with, if the member came from one.
    pub interaction: Option<String>,
    /// How a login ID is composed; none where members of several insurers log in.
    pub rule: Option<IdRule>,
}

impl Page for RegistrationStart {
    const TEMPLATE: &'static str = "pages/registration_start.html";

    fn samples() -> Vec<Self> {
        vec![
            Self { interaction: Some(sample::INTERACTION.to_owned()), rule: Some(sample::id_rule()) },
            Self { interaction: None, rule: None },
        ]
    }
}

/// The interaction to go back to.
#[derive(Deserialize)]
pub struct From {
    i: Option<String>,
}

/// GET `/registration`
pub async fn get(visit: Visit, Query(from): Query<From>) -> Result<Response, PageError> {
    let page = RegistrationStart { interaction: from.i, rule: id_rule(&visit) };
    Ok(visit.show(&page).brand(brand(&visit)).render()?)
}
