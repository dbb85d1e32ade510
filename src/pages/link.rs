//! `/registration/link/{token}`: the mailed link.

use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// Asks for the password chosen in 基本設定. Posts `password` to its own path. Whoever holds the mail has not
/// proved to be the member, so nothing about the member is on the page.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// The token of the link.
    pub token: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Link {
    const TEMPLATE: &'static str = "pages/link.html";

    fn samples() -> Vec<Self> {
        let first = Self { token: sample::INTERACTION.to_owned(), errors: FormErrors::none() };
        let wrong = Self {
            errors: FormErrors::field("password", Message::new("link-error-wrong").with("left", 4)),
            ..first.clone()
        };
        let empty = Self {
            errors: FormErrors::field("password", Message::new("password-error-empty")),
            ..first.clone()
        };
        vec![first, wrong, empty]
    }
}
