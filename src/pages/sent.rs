//! `/registration/{interaction}/sent`: 「メールを送信しました」.

use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// Waits for the mailed link to be used. Its script asks `/registration/{interaction}/status` every four
/// seconds for `{"state": "waiting" | "completed" | "ended"}`; on `completed` it goes to
/// `/registration/{interaction}/done`, on `ended` it loads this page again. 「メールを再送する」 posts to
/// `/registration/{interaction}/resend`.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// The interaction.
    pub interaction: String,
    /// Where the mail went, masked.
    pub email: String,
    /// Until when the link works, written out in the language of the page.
    pub deadline: String,
    /// How often the mail can be sent again.
    pub resends_left: u32,
    /// Good news, such as that the mail was sent again.
    pub notice: Option<Message>,
    /// Bad news, such as that the registration is not complete yet.
    pub errors: FormErrors,
}

impl Page for Sent {
    const TEMPLATE: &'static str = "pages/sent.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            interaction: sample::INTERACTION.to_owned(),
            email: "h••••@example.com".to_owned(),
            deadline: "2026年11月23日(月)10時15分".to_owned(),
            resends_left: 5,
            notice: None,
            errors: FormErrors::none(),
        };
        let again =
            Self { resends_left: 4, notice: Some(Message::new("sent-notice-again")), ..first.clone() };
        let exhausted = Self {
            resends_left: 0,
            email: sample::HOSTILE.to_owned(),
            errors: FormErrors::form(Message::new("sent-error-not-yet")),
            ..first.clone()
        };
        vec![first, again, exhausted]
    }
}
