//! `/registration`: how a first registration begins.

use super::flow::{brand_of, entered};
use crate::{
    config::insurer::{Policy, SelfRegistering},
    oidc::interaction,
    web::{PageError, Visit},
};
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
    /// Who may go on to 資格照会.
    pub self_registration: Vec<SelfRegistering>,
    /// Whether there are insurers to choose from.
    pub choice: bool,
}

impl Page for RegistrationStart {
    const TEMPLATE: &'static str = "pages/registration_start.html";

    fn samples() -> Vec<Self> {
        let both = vec![SelfRegistering::Dependent, SelfRegistering::Voluntary];
        let start = |self_registration| Self {
            interaction: Some(sample::INTERACTION.to_owned()),
            rule: Some(sample::id_rule()),
            self_registration,
            choice: true,
        };
        vec![
            Self {
                interaction: Some(sample::INTERACTION.to_owned()),
                rule: Some(sample::id_rule()),
                self_registration: both.clone(),
                choice: false,
            },
            Self { interaction: None, rule: None, self_registration: both, choice: true },
            start(vec![SelfRegistering::Dependent]),
            start(vec![SelfRegistering::Voluntary]),
            start(vec![]),
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
    let found = match from.i.as_deref() {
        Some(id) => interaction::find(&visit, id).await?,
        None => None,
    };
    let bound = match found.as_ref().and_then(|found| found.value.client_id()) {
        Some(id) => visit.app().client(id).await?.and_then(|client| client.metadata.insurer.clone()),
        None => None,
    };
    let config = visit.app().config();
    let insurer = match &found {
        Some(found) => entered(&visit, &found.value),
        None => config.only_insurer(),
    };
    let page = RegistrationStart {
        choice: found.is_some() && bound.is_none() && config.insurers.len() > 1,
        interaction: from.i,
        rule: insurer.map(IdRule::of),
        self_registration: insurer.map_or_else(
            || Policy::default().self_registration,
            |insurer| insurer.policy.self_registration.clone(),
        ),
    };
    let brand = brand_of(&visit, insurer.map(|insurer| insurer.code.as_str()));
    Ok(visit.show(&page).brand(brand).render()?)
}
