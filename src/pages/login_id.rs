//! `/login/{interaction}`: who is it?

use serde::Serialize;

use super::{
    parts::{FormErrors, IdRule},
    sample,
};
use crate::web::templates::{Message, Page};

/// The first step of every login. Posts `login_id` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct LoginId {
    /// The interaction.
    pub interaction: String,
    /// Name of the relying party that asked for the login.
    pub client: Option<String>,
    /// How a login ID is composed; none where members of several insurers log in.
    pub rule: Option<IdRule>,
    /// What was typed.
    pub login_id: String,
    /// What is wrong with it.
    pub errors: FormErrors,
}

impl Page for LoginId {
    const TEMPLATE: &'static str = "pages/login_id.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            interaction: sample::INTERACTION.to_owned(),
            client: Some(sample::CLIENT.to_owned()),
            rule: Some(sample::id_rule()),
            login_id: String::new(),
            errors: FormErrors::none(),
        };
        let unpadded = Self {
            login_id: "7132-91200001".to_owned(),
            errors: FormErrors::field(
                "login_id",
                Message::new("login-id-error-digits").with("symbol", 3).with("number", 6),
            ),
            ..empty.clone()
        };
        let nothing_typed = Self {
            client: None,
            rule: None,
            errors: FormErrors::field("login_id", Message::new("login-id-error-empty")),
            ..empty.clone()
        };
        let hostile = Self {
            client: Some(sample::HOSTILE.to_owned()),
            login_id: sample::HOSTILE.to_owned(),
            errors: FormErrors::field("login_id", Message::new("login-id-error-format")),
            ..empty.clone()
        };
        vec![empty, unpadded, nothing_typed, hostile]
    }
}
