//! `/documents/{interaction}`: a member accepts new versions of 「個人情報の取り扱いについて」 and 「会員利用規約について」
//! before a sign-in goes on.

use axum::{extract::Path, response::Response};
use serde::{Deserialize, Serialize};

use super::{
    documents::{self, Document, DocumentsForm},
    flow::Flow,
    parts::FormErrors,
    sample,
};
use crate::{
    members::session::SignedIn,
    web::{
        PageError, PageForm, Visit,
        templates::{Brand, Page},
    },
};

/// The documents, the one that is not new with its box ticked. Posts to its own path what
/// [`documents::Documents`] posts, and `who`.
#[derive(Clone, Debug, Serialize)]
pub struct NewDocuments {
    /// The interaction.
    pub interaction: String,
    /// The session for which the form is.
    pub who: String,
    /// 「個人情報の取り扱いについて」
    pub privacy: Document,
    /// 「会員利用規約について」
    pub terms: Document,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for NewDocuments {
    const TEMPLATE: &'static str = "pages/new_documents.html";

    fn samples() -> Vec<Self> {
        let same = documents::Documents::samples().into_iter();
        same.map(|page| Self {
            interaction: page.interaction,
            who: sample::INTERACTION.to_owned(),
            privacy: page.privacy,
            terms: page.terms,
            errors: page.errors,
        })
        .collect()
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct NewDocumentsForm {
    #[serde(default)]
    who: String,
    #[serde(flatten)]
    documents: DocumentsForm,
}

/// GET `/documents/{interaction}`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let Some(signed_in) = flow.visit.signed_in().await? else { return flow.go(&format!("/login/{id}")) };
    let due = flow.visit.app().members.documents_due(&signed_in.member).await?;
    if !due.contains(&true) {
        return flow.proceed().await;
    }
    page(&flow, &signed_in, due.map(|due| !due), FormErrors::none())
}

/// POST `/documents/{interaction}`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<NewDocumentsForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    // Whoever signed in at this browser meanwhile has not read what was on the screen.
    let signed_in = flow.visit.signed_in().await?.filter(|now| now.session.sid == form.who);
    let Some(signed_in) = signed_in else { return flow.go(&format!("/documents/{id}")) };
    let members = flow.visit.app().members.clone();
    let due = members.documents_due(&signed_in.member).await?;
    let current = members.documents_for(&signed_in.member.insurer, flow.visit.locale)?;
    let (ticked, errors) = form.documents.read(&current);
    if !errors.is_empty() {
        return page(&flow, &signed_in, ticked, errors);
    }
    members.accept_documents(&signed_in.member, &current, due).await?;
    flow.proceed().await
}

fn page(
    flow: &Flow,
    signed_in: &SignedIn,
    accepted: [bool; 2],
    errors: FormErrors,
) -> Result<Response, PageError> {
    let (members, locale) = (&flow.visit.app().members, flow.visit.locale);
    let insurer = &signed_in.member.insurer;
    let [privacy, terms] = members.documents_for(insurer, locale)?;
    let status = documents::status(&errors);
    let page = NewDocuments {
        interaction: flow.id().to_owned(),
        who: signed_in.session.sid.clone(),
        privacy: Document::shown(privacy, accepted[0]),
        terms: Document::shown(terms, accepted[1]),
        errors,
    };
    let reply = flow.show(&page).status(status);
    Ok(match members.insurer(insurer) {
        Some(insurer) => reply.brand(Brand::insurer(insurer, locale)),
        None => reply,
    }
    .render()?)
}
