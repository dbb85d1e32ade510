//! `/registration/{interaction}/documents`: 「個人情報の取り扱いについて」 and 「会員利用規約について」.

use super::flow::{Flow, path_of};
use crate::{
    members::{
        documents,
        registration::{Draft, Stage},
    },
    telemetry::figures::{Step, count_step},
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// The two documents to accept. Posts to its own path `privacy=on` and `terms=on` for the ticked boxes, and
/// `privacy_shown` and `terms_shown`, each `{version}:{digest}`, for what stood on the screen.
#[derive(Clone, Debug, Serialize)]
pub struct Documents {
    /// The interaction.
    pub interaction: String,
    /// Whether it began with 資格照会.
    pub self_registration: bool,
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
            self_registration: false,
            privacy: document("個人情報の取り扱いについて", 12),
            terms: document("会員利用規約について", 9),
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("privacy", Message::new("documents-error-privacy"));
        errors.add("terms", Message::new("documents-error-terms"));
        let refused = Self { errors, self_registration: true, ..long.clone() };
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

/// What the page sends.
#[derive(Deserialize)]
pub struct DocumentsForm {
    #[serde(default)]
    privacy: String,
    #[serde(default)]
    terms: String,
    #[serde(default)]
    privacy_shown: String,
    #[serde(default)]
    terms_shown: String,
}

/// GET `/registration/{interaction}/documents`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    match flow.draft(Stage::Documents).await? {
        Ok((draft, _)) => {
            let accepted = !draft.receipts.is_empty() && flow.visit.app().members.accepted_present(&draft);
            page(&flow, &draft, [accepted; 2], FormErrors::none())
        }
        Err(elsewhere) => Ok(elsewhere),
    }
}

/// POST `/registration/{interaction}/documents`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<DocumentsForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let draft = match flow.draft(Stage::Documents).await? {
        Ok((draft, _)) => draft,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let members = flow.visit.app().members.clone();
    let current = members.documents_for(&draft.insurer, flow.visit.locale)?;
    let (ticked, errors) = form.read(&current);
    if !errors.is_empty() {
        return page(&flow, &draft, ticked, errors);
    }
    let now = flow.visit.app().now();
    let renewed = !draft.receipts.is_empty() && !members.accepted_present(&draft);
    let flow = flow
        .update(|interaction| {
            if let Some(draft) = &mut interaction.registration {
                draft.accept(&current, now);
            }
        })
        .await?;
    count_step(Step::Documents, &draft.insurer);
    // Whose documents changed on the way goes back to where that was.
    let stage = flow.found.value.registration.as_ref().filter(|_| renewed).map(Draft::stage);
    flow.go(&path_of(flow.id(), stage.unwrap_or(Stage::Details)))
}

impl DocumentsForm {
    /// Which boxes are ticked, and what is wrong. What was accepted is what stood on the screen, or it was not
    /// accepted.
    pub fn read(&self, current: &[&documents::Document; 2]) -> ([bool; 2], FormErrors) {
        let ticked = [self.privacy == "on", self.terms == "on"];
        let mut errors = FormErrors::none();
        if !ticked[0] {
            errors.add("privacy", Message::new("documents-error-privacy"));
        }
        if !ticked[1] {
            errors.add("terms", Message::new("documents-error-terms"));
        }
        let shown = [self.privacy_shown.as_str(), self.terms_shown.as_str()];
        let same = current.iter().zip(shown).all(|(document, shown)| shown == shown_as(document));
        if errors.is_empty() && !same {
            return ([false; 2], FormErrors::form(Message::new("documents-error-changed")));
        }
        (ticked, errors)
    }
}

impl Document {
    /// A document on the screen.
    pub fn shown(document: &documents::Document, accepted: bool) -> Self {
        Self {
            title: document.title.clone(),
            version: document.version.clone(),
            digest: document.hash.clone(),
            paragraphs: document.paragraphs.clone(),
            accepted,
        }
    }
}

/// The status of a page with these errors.
pub const fn status(errors: &FormErrors) -> StatusCode {
    if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
}

/// What a form says was on the screen.
fn shown_as(document: &documents::Document) -> String {
    format!("{}:{}", document.version, document.hash)
}

fn page(flow: &Flow, draft: &Draft, accepted: [bool; 2], errors: FormErrors) -> Result<Response, PageError> {
    let status = status(&errors);
    let [privacy, terms] = flow.visit.app().members.documents_for(&draft.insurer, flow.visit.locale)?;
    let page = Documents {
        interaction: flow.id().to_owned(),
        self_registration: draft.inquiry().is_some(),
        privacy: Document::shown(privacy, accepted[0]),
        terms: Document::shown(terms, accepted[1]),
        errors,
    };
    Ok(flow.show(&page).status(status).render()?)
}
