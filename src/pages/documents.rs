//! `/registration/{interaction}/documents`: 「個人情報の取り扱いについて」 and 「会員利用規約について」.

use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// The two documents to accept. Posts to its own path `privacy=on` and `terms=on` for the ticked boxes, and
/// `privacy_shown` and `terms_shown`, each `{version}:{digest}`, for what stood on the screen.
#[derive(Clone, Debug, Serialize)]
pub struct Documents {
    /// The interaction.
    pub interaction: String,
    /// 「個人情報の取り扱いについて」, to be scrolled to its end before its box can be ticked.
    pub privacy: Document,
    /// 「会員利用規約について」.
    pub terms: Document,
    /// What is wrong.
    pub errors: FormErrors,
}

/// A document as it stands on the screen.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// Title.
    pub title: String,
    /// Version.
    pub version: String,
    /// Digest of the text, so that the receipt names exactly what was shown.
    pub digest: String,
    /// The text.
    pub paragraphs: Vec<String>,
    /// Whether its box was ticked already.
    pub accepted: bool,
}

impl Page for Documents {
    const TEMPLATE: &'static str = "pages/documents.html";

    fn samples() -> Vec<Self> {
        let paragraph = "当組合は、加入者の皆さまの健康の保持・増進を目的として個人情報を取り扱います。\
                         取得した情報は、健康保険法および個人情報の保護に関する法律に従って適切に管理し、\
                         ご本人の同意なく目的の範囲を超えて利用することはありません。";
        let document = |title: &str, length: usize| Document {
            title: title.to_owned(),
            version: "2026-04-01".to_owned(),
            digest: "ZmFrZS1kaWdlc3Q".to_owned(),
            paragraphs: (1..=length).map(|number| format!("第{number}条 {paragraph}")).collect(),
            accepted: false,
        };
        let long = Self {
            interaction: sample::INTERACTION.to_owned(),
            privacy: document("個人情報の取り扱いについて", 12),
            terms: document("会員利用規約について", 9),
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("privacy", Message::new("documents-error-privacy"));
        errors.add("terms", Message::new("documents-error-terms"));
        let refused = Self { errors, ..long.clone() };
        let half = Self {
            privacy: Document { accepted: true, ..document("個人情報の取り扱いについて", 12) },
            errors: FormErrors::field("terms", Message::new("documents-error-terms")),
            ..long.clone()
        };
        let short_and_hostile = Self {
            privacy: document(sample::HOSTILE, 1),
            terms: Document {
                version: sample::HOSTILE.to_owned(),
                paragraphs: vec![sample::HOSTILE.to_owned(), sample::LONG.to_owned()],
                ..document(sample::LONG, 1)
            },
            ..long.clone()
        };
        vec![long, refused, half, short_and_hostile]
    }
}
