//! `/registration/{interaction}/confirm`: 確認.

use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// What will be registered. Posts nothing but the token to its own path, which sends the mail.
#[derive(Clone, Debug, Serialize)]
pub struct Confirm {
    /// The interaction.
    pub interaction: String,
    /// The login ID.
    pub login_id: String,
    /// 氏名(カタカナ) as it was understood, if it was asked for.
    pub kana: Option<String>,
    /// The address that the mail goes to, in full.
    pub email: String,
    /// Names of the chosen topics.
    pub topics: Vec<String>,
    /// Why no mail was sent.
    pub errors: FormErrors,
}

impl Page for Confirm {
    const TEMPLATE: &'static str = "pages/confirm.html";

    fn samples() -> Vec<Self> {
        let full = Self {
            interaction: sample::INTERACTION.to_owned(),
            login_id: sample::LOGIN_ID.to_owned(),
            kana: Some("タケダ ハナコ".to_owned()),
            email: "hanako.takeda@example.com".to_owned(),
            topics: vec![
                "健診・人間ドックのお知らせ".to_owned(),
                "ウォーキングなどの健康イベント".to_owned(),
            ],
            errors: FormErrors::none(),
        };
        let bare = Self { kana: None, topics: vec![], ..full.clone() };
        let hostile = Self {
            kana: Some(sample::HOSTILE.to_owned()),
            email: format!("{}@example.com", sample::LONG),
            topics: vec![sample::HOSTILE.to_owned()],
            errors: FormErrors::form(Message::new("confirm-error-limit")),
            ..full.clone()
        };
        vec![full, bare, hostile]
    }
}
