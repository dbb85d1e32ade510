//! `/recovery/login-id`: 「ログインIDをお忘れの方」.

use super::flow::{brand, contacts, id_rule};
use crate::web::{PageError, Visit};
use axum::{extract::Query, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::{parts::IdRule, sample};
use crate::{config::insurer::Contact, web::templates::Page};

/// Explains how a login ID is composed, and whom to call.
#[derive(Clone, Debug, Serialize)]
pub struct HelpLoginId {
    /// The interaction to go back to, if the member came from one.
    pub interaction: Option<String>,
    /// How a login ID is composed; none where members of several insurers log in.
    pub rule: Option<IdRule>,
    /// The offices of the insurers.
    pub contacts: Vec<Contact>,
}

impl Page for HelpLoginId {
    const TEMPLATE: &'static str = "pages/help_login_id.html";

    fn samples() -> Vec<Self> {
        let unreachable = Contact { name: sample::HOSTILE.to_owned(), phone: None, email: None, hours: None };
        vec![
            Self {
                interaction: Some(sample::INTERACTION.to_owned()),
                rule: Some(sample::id_rule()),
                contacts: vec![sample::contact()],
            },
            Self { interaction: None, rule: None, contacts: vec![sample::contact(), unreachable] },
            Self { interaction: None, rule: None, contacts: vec![] },
        ]
    }
}

/// The interaction to go back to.
#[derive(Deserialize)]
pub struct From {
    i: Option<String>,
}

/// GET `/recovery/login-id`
pub async fn get(visit: Visit, Query(from): Query<From>) -> Result<Response, PageError> {
    let page = HelpLoginId { interaction: from.i, rule: id_rule(&visit), contacts: contacts(&visit) };
    Ok(visit.show(&page).brand(brand(&visit)).render()?)
}
