//! `/registration/{interaction}/details`: 基本設定.

use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// Name, password, address and preferences. Posts `kana` (if asked for), `password`, `email` and one `topics`
/// for each ticked topic to its own path; whatever was typed comes back but the password.
#[derive(Clone, Debug, Serialize)]
pub struct Details {
    /// The interaction.
    pub interaction: String,
    /// The login ID, which cannot be changed.
    pub login_id: String,
    /// Whether 氏名(カタカナ) must be typed.
    pub ask_kana: bool,
    /// 氏名(カタカナ) as typed, never from the roster.
    pub kana: String,
    /// E-mail address as typed.
    pub email: String,
    /// Fewest characters of a password.
    pub password_min_length: usize,
    /// What news there is to choose from (配信設定).
    pub topics: Vec<Topic>,
    /// What is wrong.
    pub errors: FormErrors,
}

/// A kind of news.
#[derive(Clone, Debug, Serialize)]
pub struct Topic {
    /// Identifier.
    pub id: String,
    /// Name, in the language of the page.
    pub label: String,
    /// Whether it was chosen; off until the member says otherwise.
    pub chosen: bool,
}

impl Page for Details {
    const TEMPLATE: &'static str = "pages/details.html";

    fn samples() -> Vec<Self> {
        let topic =
            |id: &str, label: &str, chosen| Topic { id: id.to_owned(), label: label.to_owned(), chosen };
        let empty = Self {
            interaction: sample::INTERACTION.to_owned(),
            login_id: sample::LOGIN_ID.to_owned(),
            ask_kana: true,
            kana: String::new(),
            email: String::new(),
            password_min_length: 10,
            topics: vec![
                topic("checkup", "健診・人間ドックのお知らせ", false),
                topic("campaign", "ウォーキングなどの健康イベント", false),
            ],
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("kana", Message::new("details-error-kana-mismatch"));
        errors.add("password", Message::new("details-error-password-short").with("min", 10));
        errors.add("email", Message::new("details-error-email-format"));
        let refused = Self {
            kana: "タケダ ハナコ".to_owned(),
            email: "hanako@example".to_owned(),
            topics: vec![topic("checkup", "健診・人間ドックのお知らせ", true)],
            errors,
            ..empty.clone()
        };
        let bare = Self { ask_kana: false, topics: vec![], ..empty.clone() };
        let hostile = Self {
            login_id: sample::LONG.to_owned(),
            kana: sample::HOSTILE.to_owned(),
            email: sample::HOSTILE.to_owned(),
            topics: vec![topic(sample::HOSTILE, sample::HOSTILE, false), topic("long", sample::LONG, true)],
            errors: FormErrors::field("password", Message::new("details-error-password-guessable")),
            ..empty.clone()
        };
        vec![empty, refused, bare, hostile]
    }
}
