//! `/account/sessions`: where the member is signed in, and the end of it.

use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{Account, DoneQuery, WhoForm, done, entered};
use crate::{
    members::device::{Browser, System},
    pages::sample,
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// The sessions. Posts `session` to its own path to end one, or nothing to `…/others` to end the others.
#[derive(Clone, Debug, Serialize)]
pub struct Sessions {
    /// For whom the forms are.
    pub who: String,
    /// What was done just before.
    pub notice: Option<Message>,
    /// The sessions, the present one first.
    pub sessions: Vec<Session>,
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// Names it.
    pub sid: String,
    /// Browser family.
    pub browser: Option<&'static str>,
    /// Operating system.
    pub system: Option<&'static str>,
    /// When the member signed in, in words.
    pub signed_in: String,
    /// When it was last used, in words.
    pub seen: String,
    /// Whether it is the one of this request.
    pub present: bool,
}

impl Page for Sessions {
    const TEMPLATE: &'static str = "pages/account/sessions.html";

    fn samples() -> Vec<Self> {
        let session = |browser, system, present| Session {
            sid: sample::INTERACTION.to_owned(),
            browser,
            system,
            signed_in: "2026年11月23日(月)10時15分".to_owned(),
            seen: "2026年11月23日(月)10時20分".to_owned(),
            present,
        };
        let one = Self {
            who: sample::INTERACTION.to_owned(),
            notice: None,
            sessions: vec![session(Some("Safari"), Some("iPhone"), true)],
        };
        let hostile = Session { sid: sample::HOSTILE.to_owned(), ..session(None, None, false) };
        let several = Self {
            notice: Some(Message::new("account-notice-session-ended")),
            sessions: vec![
                session(Some("Chrome"), Some("Windows"), true),
                session(Some("Samsung Internet"), Some("Android"), false),
                session(None, Some("Linux"), false),
                hostile,
            ],
            ..one.clone()
        };
        let alone = Self { notice: Some(Message::new("account-notice-signed-out-elsewhere")), ..one.clone() };
        vec![one, several, alone]
    }
}

/// What the page sends to end one.
#[derive(Deserialize)]
pub struct EndForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    session: String,
}

/// GET `/account/sessions`
pub async fn get(visit: Visit, query: DoneQuery) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/sessions"));
    let listed = account.visit.app().members.sessions(&account.signed_in).await?;
    let sessions = listed
        .into_iter()
        .map(|session| Session {
            sid: session.sid,
            browser: session.device.browser.map(Browser::name),
            system: session.device.system.map(System::name),
            signed_in: account.date_time(session.auth_time),
            seen: account.date_time(session.seen_at),
            present: session.present,
        })
        .collect();
    let notice = done(query).notice(&["session-ended", "signed-out-elsewhere"]);
    let page = Sessions { who: account.who(), notice, sessions };
    Ok(account.show(&page).render()?)
}

/// POST `/account/sessions`: ends one. One that is over already is no error.
pub async fn post(PageForm(visit, form): PageForm<EndForm>) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/account/sessions", &form.who));
    account.visit.app().members.end_own_session(&account.signed_in, &form.session).await?;
    Ok(account.visit.redirect("/account/sessions?done=session-ended")?)
}

/// POST `/account/sessions/others`: ends all others; the present one goes on under a new secret.
pub async fn end_others(PageForm(visit, form): PageForm<WhoForm>) -> Result<Response, PageError> {
    let mut account = entered!(Account::enter_form(visit, "/account/sessions", &form.who));
    let secret = account.visit.app().members.sign_out_elsewhere(&account.signed_in).await?;
    account.visit.begin_session(&secret).await?;
    Ok(account.visit.redirect("/account/sessions?done=signed-out-elsewhere")?)
}
