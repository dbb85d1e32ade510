//! `/login/{interaction}/password`: is it really them?

use super::flow::{Flow, path_of};
use crate::{
    audit::{self, Event},
    fault::Fault,
    members::{
        login_id::{self, Typed},
        new_login_id::is_former,
        registration::{Applicant, Draft, Stage},
        session,
        sign_in::SignIn,
    },
    storage::member::Member,
    telemetry::figures::{Step, count_step},
    web::{
        PageError, PageForm, Visit,
        error_page::{Cancel, ErrorPage},
    },
};
use axum::{extract::Path, http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// The second step of every login. Posts `password` to its own path; `username` comes along for password
/// managers and is not to be trusted, as the login ID stands in the interaction.
#[derive(Clone, Debug, Serialize)]
pub struct Password {
    /// The interaction.
    pub interaction: String,
    /// Name of the relying party that asked for the login.
    pub client: Option<String>,
    /// The login ID as it was understood.
    pub login_id: String,
    /// Whether to say that the first password is the birth date.
    pub first_time_hint: bool,
    /// Whether activation by birth date is stopped for the insurer, whoever asks.
    pub activation_stopped: bool,
    /// Whether the first sign-in asks for the one-time activation code too, whoever asks. Where it does not, the
    /// field is folded, since who was given a code needs it all the same.
    pub ask_code: bool,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Password {
    const TEMPLATE: &'static str = "pages/password.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            interaction: sample::INTERACTION.to_owned(),
            client: Some(sample::CLIENT.to_owned()),
            login_id: sample::LOGIN_ID.to_owned(),
            first_time_hint: true,
            activation_stopped: false,
            ask_code: false,
            errors: FormErrors::none(),
        };
        let wrong = Self { errors: FormErrors::form(Message::new("password-error-wrong")), ..empty.clone() };
        let nothing_typed = Self {
            errors: FormErrors::field("password", Message::new("password-error-empty")),
            ..empty.clone()
        };
        let paused = Self {
            client: None,
            login_id: sample::HOSTILE.to_owned(),
            first_time_hint: false,
            errors: FormErrors::form(Message::new("password-error-paused").with("minutes", 30)),
            ..empty.clone()
        };
        let stopped = Self { activation_stopped: true, ask_code: true, ..empty.clone() };
        vec![empty, wrong, nothing_typed, paused, stopped]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct PasswordForm {
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    code: String,
}

/// GET `/login/{interaction}/password`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    match typed(&flow) {
        Some(typed) => page(&flow, &typed, StatusCode::OK, FormErrors::none()).await,
        None => flow.go(&format!("/login/{id}")),
    }
}

/// POST `/login/{interaction}/password`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<PasswordForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let Some(typed) = typed(&flow) else { return flow.go(&format!("/login/{id}")) };
    if form.password.expose_secret().is_empty() {
        let errors = FormErrors::field("password", Message::new("password-error-empty"));
        return page(&flow, &typed, StatusCode::UNPROCESSABLE_ENTITY, errors).await;
    }
    let members = flow.visit.app().members.clone();
    match members.sign_in(&typed, flow.entered(), form.password, form.code.trim(), flow.visit.address).await?
    {
        SignIn::Welcome(member) => Box::pin(welcome(flow, &typed, &member)).await,
        SignIn::Activate(person) => {
            count_step(Step::TemporaryPassword, &person.insurer);
            let draft = members.draft(&person, Applicant::Insured);
            let flow = flow
                .update(|interaction| {
                    let draft = draft.clone().resuming(interaction.registration.as_ref());
                    interaction.registration = Some(draft);
                })
                .await?;
            let stage = flow.found.value.registration.as_ref().map_or(Stage::Documents, Draft::stage);
            flow.go(&path_of(flow.id(), stage))
        }
        SignIn::NotEligible => not_eligible(&flow),
        SignIn::SeveralInsurers => flow.go(&format!("/login/{id}/insurer?next=password")),
        SignIn::Wrong => {
            refuse(&flow, &typed, StatusCode::UNPROCESSABLE_ENTITY, "password-error-wrong").await
        }
        SignIn::Paused => refuse(&flow, &typed, StatusCode::TOO_MANY_REQUESTS, "password-error-paused").await,
        SignIn::Limited => {
            refuse(&flow, &typed, StatusCode::TOO_MANY_REQUESTS, "password-error-limited").await
        }
    }
}

/// Says so, with the way back to the relying party that asked for the login.
fn not_eligible(flow: &Flow) -> Result<Response, PageError> {
    let cancel = flow.client_name().map(|client| Cancel { interaction: flow.id().to_owned(), client });
    let page = ErrorPage::not_eligible(cancel);
    Ok(flow.show(&page).status(StatusCode::FORBIDDEN).render()?)
}

/// Starts the session of a member who gave the password, and goes on.
async fn welcome(flow: Flow, typed: &Typed, member: &Member) -> Result<Response, PageError> {
    let client = flow.found.value.client_id().map(str::to_owned);
    let mut flow = flow;
    sign_in(&mut flow.visit, member, client.as_deref()).await?;
    let signed_in = flow.visit.signed_in().await?;
    let sid = signed_in.as_ref().map(|signed_in| signed_in.session.sid.clone());
    let flow = flow
        .update(|interaction| {
            interaction.signed_in.clone_from(&sid);
            interaction.registration = None;
        })
        .await?;
    match signed_in {
        Some(signed_in) if is_former(typed, &signed_in.person) => {
            flow.go(&format!("/login/{}/new-login-id", flow.id()))
        }
        Some(signed_in) if signed_in.person.former_login.is_some() => {
            // Who types the new one needs no page to tell it.
            flow.visit.app().members.take_new_login_id(&signed_in).await?;
            flow.proceed().await
        }
        _ => flow.proceed().await,
    }
}

/// Gives the browser a session of the member and writes it down.
pub async fn sign_in(visit: &mut Visit, member: &Member, client: Option<&str>) -> Result<(), Fault> {
    let members = visit.app().members.clone();
    let secret = members.start_session(member, visit.device).await?;
    visit.begin_session(&secret).await?;
    let event = Event::member("member.signed_in", member)
        .with_client(client)
        .with_detail(serde_json::json!({ "device": visit.device }));
    audit::record(&members.db, &members.entropy, members.clock.now(), event).await?;
    tracing::info!(member = member.id, acr = session::AAL1, "signed in");
    metrics::counter!("kenpos_sign_ins_total").increment(1);
    Ok(())
}

/// The login ID of the first step.
fn typed(flow: &Flow) -> Option<Typed> {
    login_id::parse(flow.found.value.login_id.as_deref()?, &flow.visit.app().config().insurers).ok()
}

async fn refuse(flow: &Flow, typed: &Typed, status: StatusCode, text: &str) -> Result<Response, PageError> {
    let minutes = flow.insurer().map_or(30, |insurer| insurer.policy.login_pause_minutes);
    page(flow, typed, status, FormErrors::form(Message::new(text).with("minutes", minutes))).await
}

async fn page(
    flow: &Flow,
    typed: &Typed,
    status: StatusCode,
    errors: FormErrors,
) -> Result<Response, PageError> {
    let members = &flow.visit.app().members;
    let (alarm, ask_code) = match members.insurer_of(typed) {
        Some(insurer) => (
            members.spray_alarm(&insurer.code).await?,
            members.code_required(&insurer.code, &insurer.policy).await?,
        ),
        None => (false, false),
    };
    let page = Password {
        interaction: flow.id().to_owned(),
        client: flow.client_name(),
        login_id: typed.to_string(),
        first_time_hint: matches!(typed, Typed::Number(_)),
        activation_stopped: alarm,
        ask_code,
        errors,
    };
    Ok(flow.show(&page).status(status).render()?)
}
