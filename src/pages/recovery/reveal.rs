//! `/recovery/login-id/link/{token}`: the mailed link that shows a login ID.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{birth_date, brand_of_link, sign_in_path, void};
use crate::{
    members::{limits::Budget, recovery, recovery::Kind},
    pages::{flow::brand, parts::FormErrors, sample},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Where a dead link leads.
const AGAIN: &str = "/recovery/login-id";

/// Asks for `birth_date`, which goes to its own path. Whoever holds the mail has not proved to be the
/// member, so nothing about the member is on the page.
#[derive(Clone, Debug, Serialize)]
pub struct Reveal {
    /// The token of the link.
    pub token: String,
    /// Birth date as typed.
    pub birth_date: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Reveal {
    const TEMPLATE: &'static str = "pages/link_reveal.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            token: sample::INTERACTION.to_owned(),
            birth_date: String::new(),
            errors: FormErrors::none(),
        };
        let wrong = Self {
            birth_date: sample::HOSTILE.to_owned(),
            errors: FormErrors::field("birth_date", Message::new("reveal-error-wrong").with("left", 4)),
            ..first.clone()
        };
        vec![first, wrong]
    }
}

/// The login ID.
#[derive(Clone, Debug, Serialize)]
pub struct Revealed {
    /// The login ID.
    pub login_id: String,
    /// Where the sign-in goes on.
    pub next: String,
}

impl Page for Revealed {
    const TEMPLATE: &'static str = "pages/revealed.html";

    fn samples() -> Vec<Self> {
        let next = format!("/login/{}", sample::INTERACTION);
        vec![
            Self { login_id: sample::LOGIN_ID.to_owned(), next },
            Self { login_id: sample::LONG.to_owned(), next: "/login".to_owned() },
        ]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct RevealForm {
    #[serde(default)]
    birth_date: String,
}

/// GET `/recovery/login-id/link/{token}`: changes nothing, since mail scanners open links too.
pub async fn get(mut visit: Visit, Path(token): Path<String>) -> Result<Response, PageError> {
    match visit.app().members.recovery_link(Kind::LoginId, &token).await? {
        Some(link) => {
            visit.prefer(Some(link.locale));
            page(&visit, token, String::new(), (StatusCode::OK, FormErrors::none())).await
        }
        None => void::page(&visit, AGAIN),
    }
}

/// POST `/recovery/login-id/link/{token}`
pub async fn post(
    Path(token): Path<String>,
    PageForm(mut visit, form): PageForm<RevealForm>,
) -> Result<Response, PageError> {
    let members = visit.app().members.clone();
    let mut errors = FormErrors::none();
    let Some(born) = birth_date(&form.birth_date, &mut errors) else {
        return page(&visit, token, form.birth_date, (StatusCode::UNPROCESSABLE_ENTITY, errors)).await;
    };
    if members.spend_guess(visit.address).await? == Budget::Spent {
        let errors = FormErrors::form(Message::new("forgot-error-limited"));
        return page(&visit, token, form.birth_date, (StatusCode::TOO_MANY_REQUESTS, errors)).await;
    }
    match members.reveal_login_id(&token, born).await? {
        recovery::Reveal::Shown { login_id, link } => {
            visit.prefer(Some(link.locale));
            let next = sign_in_path(&mut visit, &link).await?;
            let page = Revealed { login_id, next };
            let brand = brand_of_link(&visit, &link).await?;
            Ok(visit.show(&page).brand(brand).without_referrer().render()?)
        }
        recovery::Reveal::Wrong(left) => {
            let wrong = Message::new("reveal-error-wrong").with("left", left);
            let errors = FormErrors::field("birth_date", wrong);
            page(&visit, token, form.birth_date, (StatusCode::UNPROCESSABLE_ENTITY, errors)).await
        }
        recovery::Reveal::Void => void::page(&visit, AGAIN),
    }
}

async fn page(
    visit: &Visit,
    token: String,
    birth_date: String,
    (status, errors): (StatusCode, FormErrors),
) -> Result<Response, PageError> {
    let brand = match visit.app().members.recovery_link(Kind::LoginId, &token).await? {
        Some(link) => brand_of_link(visit, &link).await?,
        None => brand(visit),
    };
    let page = Reveal { token, birth_date, errors };
    Ok(visit.show(&page).brand(brand).status(status).without_referrer().render()?)
}
