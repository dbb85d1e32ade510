//! `/admin/account`: the operator's own access, and where it is signed in.

use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::guard::{Operator, OperatorForm};
use super::{operators::Shown, sign_in::Nothing};
use crate::{
    members::device::{Browser, System},
    pages::{account::sessions::Session, sample},
    web::{PageError, templates::Page},
};

/// Who is signed in, and where. Posts `session` to `…/sessions` to end one, or nothing to `…/sessions/others`.
#[derive(Clone, Debug, Serialize)]
pub struct AccountPage {
    /// The operator.
    pub operator: Shown,
    /// Recovery codes that are left.
    pub codes_left: i64,
    /// The sessions, the newest first.
    pub sessions: Vec<Session>,
}

impl Page for AccountPage {
    const TEMPLATE: &'static str = "admin/account.html";

    fn samples() -> Vec<Self> {
        let session = |system, present| Session {
            sid: sample::INTERACTION.to_owned(),
            browser: Some("Firefox"),
            system,
            signed_in: "2026年11月23日(月)10時15分".to_owned(),
            seen: "2026年11月23日(月)10時20分".to_owned(),
            present,
        };
        let alone = Self {
            operator: Shown::sample("office", "active"),
            codes_left: 10,
            sessions: vec![session(Some("Windows"), true)],
        };
        let several = Self {
            operator: Shown { insurer: None, ..Shown::sample("administrator", "active") },
            codes_left: 1,
            sessions: vec![session(Some("Windows"), true), session(None, false)],
        };
        vec![alone, several]
    }
}

/// GET `/admin/account`
pub async fn get(operator: Operator) -> Result<Response, PageError> {
    let operators = &operator.app().operators;
    let listed = operators.sessions(&operator.signed_in).await?;
    let sessions = listed
        .into_iter()
        .map(|one| Session {
            present: one.name == operator.signed_in.name,
            sid: one.session.sid,
            browser: one.session.device.browser.map(Browser::name),
            system: one.session.device.system.map(System::name),
            signed_in: operator.date_time(one.session.created_at),
            seen: operator.date_time(one.session.seen_at),
        })
        .collect();
    let page = AccountPage {
        operator: Shown::of(&operator, &operator.signed_in.operator),
        codes_left: operators.recovery_codes_left(&operator.signed_in.operator).await?,
        sessions,
    };
    Ok(operator.show(&page).render()?)
}

/// What the page sends to end one.
#[derive(Deserialize)]
pub struct EndForm {
    #[serde(default)]
    session: String,
}

/// POST `/admin/account/sessions`: ends one. One that is over already is no error.
pub async fn end(OperatorForm(operator, form): OperatorForm<EndForm>) -> Result<Response, PageError> {
    operator.app().operators.end_own_session(&operator.signed_in, &form.session).await?;
    Ok(operator.visit.redirect("/admin/account?done=session-ended")?)
}

/// POST `/admin/account/sessions/others`: ends all others; this one goes on under a new secret.
pub async fn end_others(OperatorForm(mut operator, _): OperatorForm<Nothing>) -> Result<Response, PageError> {
    let secret = operator.app().operators.sign_out_elsewhere(&operator.signed_in).await?;
    operator.visit.begin_operator_session(&secret).await?;
    Ok(operator.visit.redirect("/admin/account?done=signed-out-elsewhere")?)
}
