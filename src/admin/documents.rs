//! `/admin/documents`: what members accept, in which versions, and who accepted which; and
//! `/admin/documents/{insurer}/{kind}/{version}`, the text as members see it.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Serialize;

use super::guard::Operator;
use crate::{
    clock::Timestamp,
    members::documents::Kind,
    pages::sample,
    texts::{Given, Locale},
    web::{PageError, templates::Page},
};

/// The documents of every insurer that the operator may see.
#[derive(Clone, Debug, Serialize)]
pub struct DocumentsPage {
    /// The insurers.
    pub insurers: Vec<OfInsurer>,
}

/// The documents of an insurer.
#[derive(Clone, Debug, Serialize)]
pub struct OfInsurer {
    /// Portal code.
    pub code: String,
    /// Name, in the language of the page if it has one there.
    pub name: Given,
    /// Whether it has texts of its own, by kind: `privacy`, `terms`.
    pub own: Vec<&'static str>,
    /// Versions, by kind, the newest first.
    pub versions: Vec<Version>,
}

/// A version of a document.
#[derive(Clone, Debug, Serialize)]
pub struct Version {
    /// `privacy` or `terms`.
    pub kind: String,
    /// Version.
    pub version: String,
    /// Path of its texts.
    pub path: String,
    /// Since when, in words.
    pub since: String,
    /// Whether it is the one that members accept now.
    pub current: bool,
    /// Members who accepted it.
    pub accepted: i64,
}

/// A version in every language.
#[derive(Clone, Debug, Serialize)]
pub struct DocumentPage {
    /// `privacy` or `terms`.
    pub kind: String,
    /// Version.
    pub version: String,
    /// The texts, the Japanese one first.
    pub texts: Vec<Text>,
}

/// A text.
#[derive(Clone, Debug, Serialize)]
pub struct Text {
    /// Language tag.
    pub lang: String,
    /// Heading.
    pub title: String,
    /// Paragraphs.
    pub paragraphs: Vec<String>,
    /// SHA-256 of the text, as receipts have it.
    pub hash: String,
}

impl Page for DocumentsPage {
    const TEMPLATE: &'static str = "admin/documents.html";

    fn samples() -> Vec<Self> {
        let version = |kind: &str, version: &str, current: bool| Version {
            kind: kind.to_owned(),
            version: version.to_owned(),
            path: "/admin/documents/7132/privacy/2026-11".to_owned(),
            since: "2026年11月23日(月)10時15分".to_owned(),
            current,
            accepted: 123_456,
        };
        let one = |name: &str| OfInsurer {
            code: "7132".to_owned(),
            name: Given::choose(Locale::Ja, name, None),
            own: vec!["privacy"],
            versions: vec![
                version("privacy", "2026-11", true),
                version("privacy", sample::HOSTILE, false),
                version("terms", "2026-11", true),
            ],
        };
        let other = OfInsurer { code: "9".to_owned(), own: vec![], ..one(sample::HOSTILE) };
        vec![
            Self { insurers: vec![one("さくら健康保険組合")] },
            Self { insurers: vec![one("さくら健康保険組合"), other] },
        ]
    }
}

impl Page for DocumentPage {
    const TEMPLATE: &'static str = "admin/document.html";

    fn samples() -> Vec<Self> {
        let text = |lang: &str, title: &str| Text {
            lang: lang.to_owned(),
            title: title.to_owned(),
            paragraphs: vec![
                "第1条 当組合は、個人情報を適切に管理します。".to_owned(),
                sample::HOSTILE.to_owned(),
            ],
            hash: "A".repeat(43),
        };
        vec![Self {
            kind: "privacy".to_owned(),
            version: "2026-11".to_owned(),
            texts: vec![text("ja", "個人情報の取り扱いについて"), text("en", sample::HOSTILE)],
        }]
    }
}

/// GET `/admin/documents`
pub async fn get(reader: Operator) -> Result<Response, PageError> {
    let app = reader.app();
    let mut insurers = Vec::new();
    for insurer in app.config().insurers.iter().filter(|one| reader.reach(Some(&one.code)).is_ok()) {
        let versions = app.members.document_versions(&insurer.code).await?;
        let shown = versions.into_iter().map(|version| Version {
            path: format!(
                "/admin/documents/{}/{}/{}",
                insurer.code,
                version.row.kind,
                super::queue::path_part(&version.row.version)
            ),
            since: reader.date_time(Timestamp::from_millis(version.row.published_at)),
            kind: version.row.kind,
            version: version.row.version,
            current: version.current,
            accepted: version.accepted,
        });
        insurers.push(OfInsurer {
            code: insurer.code.clone(),
            name: insurer.name_in(reader.visit.locale),
            own: Kind::ALL
                .map(Kind::as_str)
                .into_iter()
                .filter(|kind| insurer.documents.contains_key(*kind))
                .collect(),
            versions: shown.collect(),
        });
    }
    Ok(reader.show(&DocumentsPage { insurers }).render()?)
}

/// GET `/admin/documents/{insurer}/{kind}/{version}`
pub async fn show(
    reader: Operator,
    Path((insurer, kind, version)): Path<(String, String, String)>,
) -> Result<Response, PageError> {
    let missing = || PageError::status(StatusCode::NOT_FOUND);
    reader.reach(Some(&insurer))?;
    if [&insurer, &kind, &version].into_iter().any(|part| part.contains('\0')) {
        return Err(missing());
    }
    let texts = reader.app().members.document_texts(&insurer, &kind, &version).await?;
    if texts.is_empty() {
        return Err(missing());
    }
    let texts = texts.into_iter().map(|text| Text {
        lang: text.locale,
        title: text.title,
        paragraphs: text.body.split("\n\n").map(str::to_owned).collect(),
        hash: text.hash,
    });
    let page = DocumentPage { kind, version, texts: texts.collect() };
    Ok(reader.show(&page).render()?)
}
