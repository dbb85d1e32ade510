//! `/registration/report/{token}`: 「身に覚えのない登録」, from the mail to the address that the insurer knows.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{flow::brand, sample};
use crate::web::{
    PageError, PageForm, Visit,
    templates::{Brand, Page},
};

/// Asks, and says what was done. Whoever holds the mail learns nothing about the person.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "variant", rename_all = "snake_case")]
pub enum NotMine {
    /// Posts nothing but the CSRF token to its own path.
    Ask {
        /// The token of the link.
        token: String,
    },
    /// It is stopped.
    Done,
    /// The link was used, is too old or unknown.
    Dead,
}

impl Page for NotMine {
    const TEMPLATE: &'static str = "pages/not_mine.html";

    fn samples() -> Vec<Self> {
        vec![Self::Ask { token: sample::INTERACTION.to_owned() }, Self::Done, Self::Dead]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct NotMineForm {}

/// GET `/registration/report/{token}`: changes nothing, since mail scanners open links too.
pub async fn get(visit: Visit, Path(token): Path<String>) -> Result<Response, PageError> {
    match visit.app().members.notice_link(&token).await? {
        Some(insurer) => show(&visit, &NotMine::Ask { token }, Some(&insurer), StatusCode::OK),
        None => show(&visit, &NotMine::Dead, None, StatusCode::GONE),
    }
}

/// POST `/registration/report/{token}`
pub async fn post(
    Path(token): Path<String>,
    PageForm(visit, _): PageForm<NotMineForm>,
) -> Result<Response, PageError> {
    match visit.app().members.disown_registration(&token).await? {
        Some(insurer) => show(&visit, &NotMine::Done, Some(&insurer), StatusCode::OK),
        None => show(&visit, &NotMine::Dead, None, StatusCode::GONE),
    }
}

fn show(
    visit: &Visit,
    page: &NotMine,
    insurer: Option<&str>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let insurer = insurer.and_then(|code| visit.app().members.insurer(code));
    let brand = insurer.map_or_else(|| brand(visit), |insurer| Brand::insurer(insurer, visit.locale));
    Ok(visit.show(page).brand(brand).status(status).without_referrer().render()?)
}
