//! `/account` and below: the signed-in member's own account. A file is a page.
//!
//! What could be used to take an account over asks for the current password on its form (see
//! [`crate::members::account`]); there is no other step-up. Every form also says whose page it was made
//! for, so that a page left open by one member changes nothing for the next one at the same browser.

pub mod apps;
pub mod deletion;
pub mod email;
pub mod email_link;
pub mod history;
pub mod more;
pub mod overview;
pub mod password;
pub mod preferences;
pub mod profile;
pub mod report;
pub mod reported;
pub mod sessions;

use axum::{extract::Query, http::StatusCode, response::Response};
use serde::Deserialize;

use super::{
    flow::{brand_of, message},
    parts::FormErrors,
};
use crate::{
    config::Insurer,
    crypto::digest,
    members::{account::Credential, registration::FieldError, session::SignedIn},
    oidc::interaction,
    web::{
        PageError, Visit,
        templates::{Message, Page},
        visit::Reply,
    },
};

pub use overview::get;

/// Purpose of the keyed hash that says for whom a form was made.
const FORM: &str = "account-form";

/// A visit of a signed-in member.
pub struct Account {
    /// The request.
    pub visit: Visit,
    /// Who it is.
    pub signed_in: SignedIn,
}

impl Account {
    /// The member, or the way to the login page and from there to `goal`.
    pub async fn enter(
        mut visit: Visit,
        goal: impl Into<String>,
    ) -> Result<Result<Self, Response>, PageError> {
        let Some(signed_in) = visit.signed_in().await? else {
            let parked = interaction::park_for(&visit, goal).await?;
            return Ok(Err(visit.redirect(&format!("/login/{}", parked.id))?));
        };
        visit.prefer(Some(signed_in.member.locale));
        Ok(Ok(Self { visit, signed_in }))
    }

    /// The same for a form, which must have been made for this very member.
    pub async fn enter_form(
        visit: Visit,
        goal: &'static str,
        who: &str,
    ) -> Result<Result<Self, Response>, PageError> {
        let entered = Self::enter(visit, goal).await?;
        if let Ok(account) = &entered
            && !digest::equal(account.who().as_bytes(), who.as_bytes())
        {
            return Err(PageError::status(StatusCode::CONFLICT).restarting_at(goal));
        }
        Ok(entered)
    }

    /// What the forms of this member's pages send as `who`.
    pub fn who(&self) -> String {
        self.visit.app().members.master.mac_base64url(FORM, self.signed_in.member.id.as_bytes())
    }

    /// The member's insurer.
    pub fn insurer(&self) -> Option<&Insurer> {
        self.visit.app().members.insurer(&self.signed_in.member.insurer)
    }

    /// A page in the insurer's name.
    pub fn show<'a, P: Page>(&'a self, page: &'a P) -> Reply<'a, P> {
        let brand = brand_of(&self.visit, Some(&self.signed_in.member.insurer));
        self.visit.show(page).brand(brand)
    }

    /// A day in words.
    pub fn date(&self, date: jiff::civil::Date) -> String {
        let args = [
            ("year", date.year().to_string()),
            ("month", date.month().to_string()),
            ("day", date.day().to_string()),
            ("date", date.to_string()),
        ];
        self.visit.app().texts.text(self.visit.locale, "account-date", &args)
    }

    /// An instant in words.
    pub fn date_time(&self, at: crate::clock::Timestamp) -> String {
        self.visit.app().texts.date_time(self.visit.locale, at)
    }

    /// What to say about a current password that was not proved.
    pub fn refusal(&self, credential: Credential) -> (StatusCode, FormErrors) {
        let minutes = self.insurer().map_or(30, |insurer| insurer.policy.login_pause_minutes);
        refusal(credential, minutes)
    }
}

/// See [`Account::refusal`].
pub fn refusal(credential: Credential, pause_minutes: u32) -> (StatusCode, FormErrors) {
    match credential {
        Credential::Right | Credential::Wrong => wrong("password", "account-password-error-current"),
        Credential::Paused => (
            StatusCode::TOO_MANY_REQUESTS,
            FormErrors::form(Message::new("password-error-paused").with("minutes", pause_minutes)),
        ),
        Credential::Limited => {
            (StatusCode::TOO_MANY_REQUESTS, FormErrors::form(Message::new("password-error-limited")))
        }
    }
}

/// A field that is wrong, with the status that says so.
pub fn wrong(field: &'static str, text: &str) -> (StatusCode, FormErrors) {
    (StatusCode::UNPROCESSABLE_ENTITY, FormErrors::field(field, Message::new(text)))
}

/// The same for what the rules of members refused.
pub fn wrong_field(error: &FieldError) -> (StatusCode, FormErrors) {
    let errors = FormErrors::field(error.field, message(error.text, &error.args));
    (StatusCode::UNPROCESSABLE_ENTITY, errors)
}

/// What was done just before: `done` of the query.
#[derive(Debug, Default, Deserialize)]
pub struct Done {
    #[serde(default)]
    done: Option<String>,
}

impl Done {
    /// The notice, if it is one of the page's own.
    pub fn notice(&self, own: &[&str]) -> Option<Message> {
        let done = self.done.as_deref()?;
        own.contains(&done).then(|| Message::new(format!("account-notice-{done}")))
    }
}

/// GET `/.well-known/change-password` (W3C A Well-Known URL for Changing Passwords).
pub async fn change_password(visit: Visit) -> Result<Response, PageError> {
    Ok(visit.redirect("/account/password")?)
}

/// The way on for a handler whose visitor must sign in first.
macro_rules! entered {
    ($entering:expr) => {
        match $entering.await? {
            Ok(account) => account,
            Err(elsewhere) => return Ok(elsewhere),
        }
    };
}
pub(crate) use entered;

/// A form that only says for whom it was made.
#[derive(Deserialize)]
pub struct WhoForm {
    #[serde(default)]
    who: String,
}

/// A query that cannot be read is none.
pub type DoneQuery = Result<Query<Done>, axum::extract::rejection::QueryRejection>;

/// See [`DoneQuery`].
pub fn done(query: DoneQuery) -> Done {
    query.map(|Query(done)| done).unwrap_or_default()
}
