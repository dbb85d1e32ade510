//! `/recovery/password`: 「パスワードをお忘れの方」.

use super::flow::{brand, contacts};
use crate::web::{PageError, Visit};
use axum::{extract::Query, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::sample;
use crate::{config::insurer::Contact, web::templates::Page};

/// Explains what the first password is, and whom to call.
#[derive(Clone, Debug, Serialize)]
pub struct HelpPassword {
    /// The interaction to go back to, if the member came from one.
    pub interaction: Option<String>,
    /// The offices of the insurers.
    pub contacts: Vec<Contact>,
}

impl Page for HelpPassword {
    const TEMPLATE: &'static str = "pages/help_password.html";

    fn samples() -> Vec<Self> {
        let unreachable = Contact { name: sample::HOSTILE.to_owned(), phone: None, email: None, hours: None };
        vec![
            Self { interaction: Some(sample::INTERACTION.to_owned()), contacts: vec![sample::contact()] },
            Self { interaction: None, contacts: vec![sample::contact(), unreachable] },
            Self { interaction: None, contacts: vec![] },
        ]
    }
}

/// The interaction to go back to.
#[derive(Deserialize)]
pub struct From {
    i: Option<String>,
}

/// GET `/recovery/password`
pub async fn get(visit: Visit, Query(from): Query<From>) -> Result<Response, PageError> {
    let page = HelpPassword { interaction: from.i, contacts: contacts(&visit) };
    Ok(visit.show(&page).brand(brand(&visit)).render()?)
}
