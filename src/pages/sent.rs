//! `/registration/{interaction}/sent`: 「メールを送信しました」.

use super::flow::{Flow, link_life, path_of, registration_over};
use crate::{
    members::registration::{Draft, Progress, Resend, Stage},
    oidc::interaction,
    web::{PageError, PageForm, Visit},
};
use axum::{
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use serde::Serialize;
use serde_json::json;

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
    /// Whether it began with 資格照会.
    pub self_registration: bool,
    /// Where the mail went, in full: whoever typed it is to check it, and 基本設定 shows it to the same browser.
    pub email: String,
    /// Until when the link works, written out in the language of the page.
    pub deadline: String,
    /// How long it works, in words.
    pub life: String,
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
            self_registration: false,
            email: "hanako.takeda@example.com".to_owned(),
            deadline: "2026年11月23日(月)10時15分".to_owned(),
            life: "24時間".to_owned(),
            resends_left: 5,
            notice: None,
            errors: FormErrors::none(),
        };
        let again = Self {
            self_registration: true,
            resends_left: 4,
            notice: Some(Message::new("sent-notice-again")),
            ..first.clone()
        };
        let exhausted = Self {
            resends_left: 0,
            email: sample::HOSTILE.to_owned(),
            errors: FormErrors::form(Message::new("sent-error-not-yet")),
            ..first.clone()
        };
        vec![first, again, exhausted]
    }
}

/// What 「メールを再送する」 sends.
#[derive(Deserialize)]
pub struct ResendForm {}

/// What is said after a redirect to this page.
#[derive(Deserialize)]
pub struct Said {
    /// The mail was sent again.
    #[serde(default)]
    again: bool,
    /// It was not, as it was sent often enough.
    #[serde(default)]
    spent: bool,
    /// 「登録を完了しました」 came too early.
    #[serde(default)]
    early: bool,
}

/// The path of this page for who says that the registration is complete when it is not.
pub fn too_early(id: &str) -> String {
    format!("{}?early=true", path_of(id, Stage::Sent))
}

/// GET `/registration/{interaction}/sent`
pub async fn get(
    visit: Visit,
    Path(id): Path<String>,
    Query(said): Query<Said>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let (draft, registration) = match sent(&flow) {
        Ok(sent) => sent,
        Err(stage) => return flow.go(&stage),
    };
    let members = &flow.visit.app().members;
    match members.registration_progress(&draft).await? {
        Progress::Completed(_) => return flow.go(&format!("/registration/{id}/done")),
        Progress::Ended => return Err(registration_over(&flow)),
        Progress::Waiting => {}
    }
    let Some((left, deadline)) = members.pending_registration(&registration).await? else {
        return Err(registration_over(&flow));
    };
    let self_registration = draft.inquiry().is_some();
    let email = draft.details.map(|details| details.email);
    let errors = match said {
        Said { spent: true, .. } => FormErrors::form(Message::new("sent-error-spent")),
        Said { early: true, .. } => FormErrors::form(Message::new("sent-error-not-yet")),
        Said { .. } => FormErrors::none(),
    };
    let page = Sent {
        interaction: id,
        self_registration,
        email: email.unwrap_or_default(),
        deadline: flow.visit.app().texts.date_time(flow.visit.locale, deadline),
        life: link_life(&flow.visit),
        resends_left: u32::try_from(left).unwrap_or(0),
        notice: said.again.then(|| Message::new("sent-notice-again")),
        errors,
    };
    Ok(flow.show(&page).render()?)
}

/// POST `/registration/{interaction}/resend`: 「メールを再送する」
pub async fn resend(
    Path(id): Path<String>,
    PageForm(visit, _): PageForm<ResendForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let registration = match sent(&flow) {
        Ok((_, registration)) => registration,
        Err(stage) => return flow.go(&stage),
    };
    let members = flow.visit.app().members.clone();
    match members.resend_registration(&registration).await? {
        Resend::Sent => {
            let expires_at = flow.visit.app().now().plus(members.interaction_life_with_mail());
            let flow = flow.update(|interaction| interaction.expires_at = expires_at).await?;
            flow.go(&format!("/registration/{id}/sent?again=true"))
        }
        Resend::Spent => flow.go(&format!("/registration/{id}/sent?spent=true")),
        // It may just have been completed; the page knows.
        Resend::Gone => flow.go(&format!("/registration/{id}/sent")),
    }
}

/// GET `/registration/{interaction}/status`: what the waiting page asks for every few seconds.
pub async fn status(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let draft = interaction::find(&visit, &id).await?.and_then(|found| found.value.registration);
    let state = match draft {
        Some(draft) => match visit.app().members.registration_progress(&draft).await? {
            Progress::Waiting => "waiting",
            Progress::Completed(_) => "completed",
            Progress::Ended => "ended",
        },
        // Another tab of this browser went on with it.
        None if visit.signed_in().await?.is_some() => "completed",
        None => "ended",
    };
    Ok(visit.json(&json!({ "state": state })))
}

/// The draft and its pending registration, or where the draft stands.
fn sent(flow: &Flow) -> Result<(Draft, String), String> {
    let Some(draft) = flow.found.value.registration.clone() else {
        return Err(format!("/login/{}", flow.id()));
    };
    match draft.sent.clone() {
        Some(registration) => Ok((draft, registration)),
        None => Err(path_of(flow.id(), draft.stage())),
    }
}
