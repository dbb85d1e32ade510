//! `/device`: which code does the device show?

use std::time::Duration;

use axum::{extract::Query, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use crate::{
    fault::Fault,
    members::limits::Budget,
    oidc::device::{self, UserCode},
    pages::{
        account::{Account, entered},
        parts::FormErrors,
        sample,
    },
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Wrong codes that one member may enter in [`WINDOW`]; ten of a thousand million are nothing.
const MOST_MISSES: u64 = 10;
/// See [`MOST_MISSES`].
const WINDOW: Duration = Duration::from_secs(600);

/// Asks for the code. Posts `user_code` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct EnterCode {
    /// For whom the form is.
    pub who: String,
    /// What was typed, or came with the link of the device.
    pub user_code: String,
    /// What is wrong with it.
    pub errors: FormErrors,
}

impl Page for EnterCode {
    const TEMPLATE: &'static str = "pages/device/code.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            who: sample::INTERACTION.to_owned(),
            user_code: String::new(),
            errors: FormErrors::none(),
        };
        let linked = Self { user_code: "123-456-789".to_owned(), ..empty.clone() };
        let wrong = Self {
            errors: FormErrors::field("user_code", Message::new("device-error-code")),
            user_code: sample::HOSTILE.to_owned(),
            ..empty.clone()
        };
        let spent =
            Self { errors: FormErrors::form(Message::new("password-error-limited")), ..empty.clone() };
        vec![empty, linked, wrong, spent]
    }
}

/// The code of `verification_uri_complete` (RFC 8628 §3.3.1): filled in, never sent by itself.
#[derive(Debug, Deserialize)]
pub struct Link {
    #[serde(default)]
    user_code: String,
}

/// A query that cannot be read is none.
type LinkQuery = Result<Query<Link>, axum::extract::rejection::QueryRejection>;

/// What the page sends.
#[derive(Deserialize)]
pub struct CodeForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    user_code: String,
}

/// GET `/device`
pub async fn get(visit: Visit, query: LinkQuery) -> Result<Response, PageError> {
    let linked = query.ok().and_then(|Query(link)| UserCode::parse(&link.user_code));
    let linked = linked.map(|code| code.to_string()).unwrap_or_default();
    let goal = if linked.is_empty() { "/device".to_owned() } else { format!("/device?user_code={linked}") };
    let account = entered!(Account::enter(visit, goal));
    page(&account, linked, (StatusCode::OK, FormErrors::none()))
}

/// POST `/device`
pub async fn post(PageForm(visit, form): PageForm<CodeForm>) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/device", &form.who));
    let members = &account.visit.app().members;
    let key = format!("device-misses:{}", account.signed_in.member.id);
    let spent = members.spend_guess(account.visit.address).await? == Budget::Spent
        || members.ephemeral.counted(&key).await.map_err(Fault::from)? >= MOST_MISSES;
    if spent {
        let errors = FormErrors::form(Message::new("password-error-limited"));
        return page(&account, form.user_code, (StatusCode::TOO_MANY_REQUESTS, errors));
    }
    let sid = &account.signed_in.session.sid;
    let id = match UserCode::parse(&form.user_code) {
        Some(code) => device::enter(account.visit.app(), &code, sid).await?,
        None => None,
    };
    if let Some(id) = id {
        return Ok(account.visit.redirect(&format!("/device/{id}"))?);
    }
    members.ephemeral.count(&key, WINDOW).await.map_err(Fault::from)?;
    let errors = FormErrors::field("user_code", Message::new("device-error-code"));
    page(&account, form.user_code, (StatusCode::UNPROCESSABLE_ENTITY, errors))
}

fn page(
    account: &Account,
    user_code: String,
    (status, errors): (StatusCode, FormErrors),
) -> Result<Response, PageError> {
    let page = EnterCode { who: account.who(), user_code, errors };
    Ok(account.show(&page).status(status).render()?)
}
