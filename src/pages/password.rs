//! `/login/{interaction}/password`: is it really them?

use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// The second step of every login. Posts `password` to its own path; `username` comes along for password
/// managers and is not to be trusted, as the login ID stands in the interaction.
#[derive(Clone, Debug, Serialize)]
pub struct Password {
    /// The interaction.
    pub interaction: String,
    /// Name of the relying party that asked for the login.
    pub client: Option<String>,
    /// The login ID as it was understood.
    pub login_id: String,
    /// Whether to say that the first password is the birth date.
    pub first_time_hint: bool,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Password {
    const TEMPLATE: &'static str = "pages/password.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            interaction: sample::INTERACTION.to_owned(),
            client: Some(sample::CLIENT.to_owned()),
            login_id: sample::LOGIN_ID.to_owned(),
            first_time_hint: true,
            errors: FormErrors::none(),
        };
        let wrong = Self { errors: FormErrors::form(Message::new("password-error-wrong")), ..empty.clone() };
        let nothing_typed = Self {
            errors: FormErrors::field("password", Message::new("password-error-empty")),
            ..empty.clone()
        };
        let paused = Self {
            client: None,
            login_id: sample::HOSTILE.to_owned(),
            first_time_hint: false,
            errors: FormErrors::form(Message::new("password-error-paused").with("minutes", 30)),
            ..empty.clone()
        };
        vec![empty, wrong, nothing_typed, paused]
    }
}
