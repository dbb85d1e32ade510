//! `/recovery/login-id`: 「ログインIDをお忘れの方」.

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
