//! `/account/email/link/{token}`: the link that proves a new address.

use axum::{extract::Path, http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{refusal, wrong};
use crate::{
    members::{account::EmailCompletion, roster::Category},
    pages::{flow::brand_of, parts::FormErrors, sample},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Asks for the current password, posted as `password` to its own path. Whoever holds the mail has not
/// proved to be the member, so nothing about the member is on the page until then.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "variant", rename_all = "snake_case")]
pub enum EmailLink {
    /// The link is alive.
    Ask {
        /// The token of the link.
        token: String,
        /// What is wrong.
        errors: FormErrors,
    },
    /// The address was changed.
    Done {
        /// The new address, masked.
        email: String,
        /// Whether it is the login ID.
        is_login_id: bool,
    },
    /// The link is dead.
    Void,
}

impl Page for EmailLink {
    const TEMPLATE: &'static str = "pages/account/email_link.html";

    fn samples() -> Vec<Self> {
        let ask = |errors| Self::Ask { token: sample::INTERACTION.to_owned(), errors };
        vec![
            ask(FormErrors::none()),
            ask(FormErrors::field("password", Message::new("account-password-error-current"))),
            ask(FormErrors::form(Message::new("password-error-limited"))),
            Self::Done { email: "n***@example.com".to_owned(), is_login_id: true },
            Self::Done { email: sample::HOSTILE.to_owned(), is_login_id: false },
            Self::Void,
        ]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct LinkForm {
    #[serde(default)]
    password: SecretString,
}

/// GET `/account/email/link/{token}`: changes nothing.
pub async fn get(mut visit: Visit, Path(token): Path<String>) -> Result<Response, PageError> {
    match visit.app().members.email_link(&token).await? {
        Some((change, member, _)) => {
            visit.prefer(Some(change.locale));
            let page = EmailLink::Ask { token, errors: FormErrors::none() };
            show(&visit, StatusCode::OK, Some(&member.insurer), page)
        }
        None => show(&visit, StatusCode::GONE, None, EmailLink::Void),
    }
}

/// POST `/account/email/link/{token}`
pub async fn post(
    Path(token): Path<String>,
    PageForm(mut visit, form): PageForm<LinkForm>,
) -> Result<Response, PageError> {
    let members = visit.app().members.clone();
    let Some((change, member, person)) = members.email_link(&token).await? else {
        return show(&visit, StatusCode::GONE, None, EmailLink::Void);
    };
    visit.prefer(Some(change.locale));
    if form.password.expose_secret().is_empty() {
        let (status, errors) = wrong("password", "password-error-empty");
        return show(&visit, status, Some(&member.insurer), EmailLink::Ask { token, errors });
    }
    match members.complete_email_change(&token, &form.password, visit.address).await? {
        EmailCompletion::Done(email) => {
            let is_login_id = person.category != Category::Insured;
            let page = EmailLink::Done { email: email.masked(), is_login_id };
            show(&visit, StatusCode::OK, Some(&member.insurer), page)
        }
        EmailCompletion::Credential(credential) => {
            let insurer = members.insurer(&member.insurer);
            let minutes = insurer.map_or(30, |insurer| insurer.policy.login_pause_minutes);
            let (status, errors) = refusal(credential, minutes);
            show(&visit, status, Some(&member.insurer), EmailLink::Ask { token, errors })
        }
        EmailCompletion::Void => show(&visit, StatusCode::GONE, None, EmailLink::Void),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the page is made for this call")]
fn show(
    visit: &Visit,
    status: StatusCode,
    insurer: Option<&str>,
    page: EmailLink,
) -> Result<Response, PageError> {
    Ok(visit.show(&page).brand(brand_of(visit, insurer)).status(status).without_referrer().render()?)
}
