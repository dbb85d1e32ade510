//! `/registration/{interaction}/confirm`: 確認.

use super::{
    details::chosen_topics,
    flow::{Flow, link_life, login_id_of, path_of},
};
use crate::{
    members::{
        registration::{Details, Draft, Send, Sending, Stage},
        roster::Person,
    },
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// What will be registered. Posts nothing but the token to its own path, which sends the mail.
#[derive(Clone, Debug, Serialize)]
pub struct Confirm {
    /// The interaction.
    pub interaction: String,
    /// The login ID; none where the address becomes it.
    pub login_id: Option<String>,
    /// Whether it began with 資格照会.
    pub self_registration: bool,
    /// 氏名(カタカナ) as it was understood, if it was asked for.
    pub kana: Option<String>,
    /// 生年月日 as it was understood at 資格照会.
    pub birth_date: Option<String>,
    /// The address that the mail goes to, in full.
    pub email: String,
    /// How long the link of the mail works, in words.
    pub life: String,
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
            login_id: Some(sample::LOGIN_ID.to_owned()),
            self_registration: false,
            kana: Some("タケダ ハナコ".to_owned()),
            birth_date: None,
            email: "hanako.takeda@example.com".to_owned(),
            life: "24時間".to_owned(),
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
        let by_address = Self {
            login_id: None,
            self_registration: true,
            birth_date: Some("1999-01-01".to_owned()),
            ..full.clone()
        };
        vec![full, bare, by_address, hostile]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct ConfirmForm {}

/// GET `/registration/{interaction}/confirm`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let (draft, person) = match flow.draft(Stage::Confirm).await? {
        Ok(open) => open,
        Err(elsewhere) => return Ok(elsewhere),
    };
    match &draft.details {
        Some(details) => page(&flow, (&draft, &person), details, StatusCode::OK, FormErrors::none()),
        None => flow.go(&path_of(&id, Stage::Details)),
    }
}

/// POST `/registration/{interaction}/confirm`: 「メールを送信する」
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, _): PageForm<ConfirmForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let (draft, person) = match flow.draft(Stage::Confirm).await? {
        Ok(open) => open,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let Some(details) = &draft.details else { return flow.go(&path_of(&id, Stage::Details)) };
    let members = flow.visit.app().members.clone();
    let browser = flow.visit.browser_hash();
    let send = Send {
        draft: &draft,
        person: &person,
        browser: &browser,
        interaction: &id,
        client_id: flow.found.value.client_id(),
        locale: flow.visit.locale,
    };
    if members.send_registration(&send, details).await? == Sending::Spent {
        let errors = FormErrors::form(Message::new("confirm-error-limit"));
        return page(&flow, (&draft, &person), details, StatusCode::TOO_MANY_REQUESTS, errors);
    }
    let registration = details.registration.clone();
    let expires_at = flow.visit.app().now().plus(members.interaction_life_with_mail());
    let flow = flow
        .update(|interaction| {
            interaction.expires_at = expires_at;
            if let Some(draft) = &mut interaction.registration {
                draft.sent = Some(registration.clone());
            }
        })
        .await?;
    flow.go(&path_of(flow.id(), Stage::Sent))
}

fn page(
    flow: &Flow,
    (draft, person): (&Draft, &Person),
    details: &Details,
    status: StatusCode,
    errors: FormErrors,
) -> Result<Response, PageError> {
    let chosen: Vec<_> =
        details.preferences.iter().filter(|(_, choice)| choice.wanted).map(|(id, _)| id.clone()).collect();
    let ask_kana = flow.insurer().is_none_or(|insurer| insurer.policy.ask_kana_name);
    let birth_date = draft.inquiry().map(|inquiry| inquiry.birth_date.iso());
    let self_registration = birth_date.is_some();
    let page = Confirm {
        interaction: flow.id().to_owned(),
        login_id: login_id_of(flow, draft, person),
        self_registration,
        kana: (ask_kana || self_registration).then(|| details.kana.clone()),
        birth_date,
        email: details.email.clone(),
        life: link_life(&flow.visit),
        topics: chosen_topics(flow, &chosen),
        errors,
    };
    Ok(flow.show(&page).status(status).render()?)
}
