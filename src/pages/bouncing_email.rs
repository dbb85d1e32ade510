//! `/login/{interaction}/email`: after a sign-in, about an e-mail address to which mails do not arrive. The member
//! registers another, says that it is right all the same, or goes on: nothing depends on the answer.

use axum::{extract::Path, http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    account::{email::Pending, refusal, wrong, wrong_field},
    flow::{Flow, brand_of},
    parts::FormErrors,
    sample,
};
use crate::{
    members::{account::EmailRequest, roster::Category, session::SignedIn},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Asks about the address. Posts `choice` (`change`, with `email` and `password`; `right`; `later`) and `who` to its
/// own path. Once a link is out, it says so and leads on.
#[derive(Clone, Debug, Serialize)]
pub struct BouncingEmail {
    /// The interaction.
    pub interaction: String,
    /// The session for which the form is.
    pub who: String,
    /// The address.
    pub email: String,
    /// Whether it is the login ID.
    pub is_login_id: bool,
    /// The change whose link has just been sent.
    pub pending: Option<Pending>,
    /// The new address as typed.
    pub typed: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for BouncingEmail {
    const TEMPLATE: &'static str = "pages/bouncing_email.html";

    fn samples() -> Vec<Self> {
        let asked = Self {
            interaction: sample::INTERACTION.to_owned(),
            who: sample::INTERACTION.to_owned(),
            email: "hanako.takeda@example.com".to_owned(),
            is_login_id: false,
            pending: None,
            typed: String::new(),
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("email", Message::new("email-format"));
        errors.add("password", Message::new("account-password-error-current"));
        let hostile = Self {
            email: sample::LONG.to_owned(),
            is_login_id: true,
            typed: sample::HOSTILE.to_owned(),
            errors,
            ..asked.clone()
        };
        let pending = Pending {
            email: "n***@example.com".to_owned(),
            deadline: "2026年11月23日(月)11時15分".to_owned(),
        };
        let sent = Self { pending: Some(pending), ..asked.clone() };
        vec![asked, hostile, sent]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct BouncingEmailForm {
    #[serde(default)]
    choice: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: SecretString,
}

/// GET `/login/{interaction}/email`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let Some(signed_in) = flow.visit.signed_in().await? else { return flow.go(&format!("/login/{id}")) };
    let members = &flow.visit.app().members;
    let asked = flow.found.value.email_asked;
    let pending = members.pending_email_change(&signed_in.member, &signed_in.person).await?;
    let bounces = members.email_bounces(signed_in.member.email.as_deref()).await?;
    if !bounces || asked && pending.is_none() {
        return flow.proceed().await;
    }
    let pending = pending.filter(|_| asked).map(|(email, until)| Pending {
        email,
        deadline: flow.visit.app().texts.date_time(flow.visit.locale, until),
    });
    show(&flow, &signed_in, pending, String::new(), (StatusCode::OK, FormErrors::none()))
}

/// POST `/login/{interaction}/email`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<BouncingEmailForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    // Whoever signed in at this browser meanwhile has another address.
    let signed_in = flow.visit.signed_in().await?.filter(|now| now.session.sid == form.who);
    let path = format!("/login/{id}/email");
    let Some(signed_in) = signed_in else { return flow.go(&path) };
    match form.choice.as_str() {
        "change" => Box::pin(change(flow, &signed_in, form)).await,
        "right" => {
            flow.visit.app().members.keep_email(&signed_in.member).await?;
            asked(flow).await?.proceed().await
        }
        "later" => asked(flow).await?.proceed().await,
        _ => flow.go(&path),
    }
}

/// Nobody is asked twice.
async fn asked(flow: Flow) -> Result<Flow, PageError> {
    flow.update(|interaction| interaction.email_asked = true).await
}

/// Sends the link to the new address; as on the account's own page.
async fn change(flow: Flow, signed_in: &SignedIn, form: BouncingEmailForm) -> Result<Response, PageError> {
    let again = |typed, wrong| show(&flow, signed_in, None, typed, wrong);
    if form.password.expose_secret().is_empty() {
        return again(form.email, wrong("password", "password-error-empty"));
    }
    let (members, visit) = (&flow.visit.app().members, &flow.visit);
    let asked_for = (form.email.as_str(), &form.password);
    match members.request_email_change(signed_in, asked_for, visit.address, visit.locale).await? {
        EmailRequest::Sent => {
            let path = format!("/login/{}/email", flow.id());
            asked(flow).await?.go(&path)
        }
        EmailRequest::Credential(credential) => {
            let insurer = members.insurer(&signed_in.member.insurer);
            let minutes = insurer.map_or(30, |insurer| insurer.policy.login_pause_minutes);
            again(form.email, refusal(credential, minutes))
        }
        EmailRequest::Refused(error) => again(form.email, wrong_field(&error)),
        EmailRequest::Spent => {
            let errors = FormErrors::form(Message::new("account-email-error-spent"));
            again(form.email, (StatusCode::TOO_MANY_REQUESTS, errors))
        }
    }
}

fn show(
    flow: &Flow,
    signed_in: &SignedIn,
    pending: Option<Pending>,
    typed: String,
    (status, errors): (StatusCode, FormErrors),
) -> Result<Response, PageError> {
    let page = BouncingEmail {
        interaction: flow.id().to_owned(),
        who: signed_in.session.sid.clone(),
        email: signed_in.member.email.clone().unwrap_or_default(),
        is_login_id: signed_in.person.category != Category::Insured,
        pending,
        typed,
        errors,
    };
    let brand = brand_of(&flow.visit, Some(&signed_in.member.insurer));
    Ok(flow.show(&page).status(status).brand(brand).render()?)
}
