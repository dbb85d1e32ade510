//! `/admin/setup/{token}`: an operator's first password and second factor, by a one-time link.

use axum::{extract::Path, http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Refusal, limited, qr::Qr, recovery_codes::RecoveryCodes, wrong};
use crate::{
    fault::Fault,
    members::limits::Budget,
    operators::{
        factor::{Factor, TypedCode},
        setup::{MIN_LENGTH, Setup, SetupOutcome},
    },
    pages::{flow::message, parts::FormErrors, sample},
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// Asks for a password and for a code of the factor it shows. Posts `password` and `code` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct SetupPage {
    /// The link's own secret, for the form's path.
    pub token: String,
    /// Name of the operator.
    pub name: String,
    /// Address, which is what is signed in with.
    pub email: String,
    /// Fewest characters of a password.
    pub min_length: usize,
    /// The factor.
    pub factor: ShownFactor,
    /// What is wrong.
    pub errors: FormErrors,
}

/// A second factor to be set up.
#[derive(Clone, Debug, Serialize)]
pub struct ShownFactor {
    /// Its QR code.
    pub qr: Option<Qr>,
    /// Its secret in text.
    pub secret: String,
}

impl ShownFactor {
    /// The factor as it is shown.
    pub fn of(factor: &Factor) -> Result<Self, Fault> {
        Ok(Self { qr: Qr::of(&factor.uri()?), secret: factor.secret_text() })
    }

    /// For samples.
    pub fn sample() -> Self {
        let secret = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".to_owned();
        Self { qr: Qr::of("otpauth://totp/KENPOS:a%40example.jp?secret=GEZDGNBV"), secret }
    }
}

impl Page for SetupPage {
    const TEMPLATE: &'static str = "admin/setup.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            token: "A".repeat(43),
            name: "山田 太郎".to_owned(),
            email: "taro@sakura-kenpo.example".to_owned(),
            min_length: MIN_LENGTH,
            factor: ShownFactor::sample(),
            errors: FormErrors::none(),
        };
        let mut errors =
            FormErrors::field("password", Message::new("password-too-short").with("min", MIN_LENGTH));
        errors.add("code", Message::new("console-own-error-new-code"));
        let wrong = Self {
            name: sample::HOSTILE.to_owned(),
            email: sample::LONG.to_owned(),
            factor: ShownFactor { qr: None, ..ShownFactor::sample() },
            errors,
            ..empty.clone()
        };
        vec![empty, wrong]
    }
}

/// The link leads nowhere any more.
#[derive(Clone, Debug, Serialize)]
pub struct SetupVoid {}

impl Page for SetupVoid {
    const TEMPLATE: &'static str = "admin/setup_void.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct SetupForm {
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    code: String,
}

/// GET `/admin/setup/{token}`: changes nothing, so mail scanners may look.
pub async fn get(mut visit: Visit, Path(token): Path<String>) -> Result<Response, PageError> {
    match visit.app().operators.setup(&token).await? {
        Some(setup) => page(&mut visit, &token, &setup, (StatusCode::OK, FormErrors::none())),
        None => void(&visit),
    }
}

/// POST `/admin/setup/{token}`
pub async fn post(
    Path(token): Path<String>,
    PageForm(mut visit, form): PageForm<SetupForm>,
) -> Result<Response, PageError> {
    let operators = visit.app().operators.clone();
    let Some(setup) = operators.setup(&token).await? else { return void(&visit) };
    // A guess or not, it costs a hash.
    if operators.spend_guess(visit.address).await? == Budget::Spent {
        return page(&mut visit, &token, &setup, limited());
    }
    if form.password.expose_secret().is_empty() {
        return page(&mut visit, &token, &setup, wrong("password", Message::new("password-error-empty")));
    }
    let code = TypedCode::read(&form.code);
    let refusal = match operators.finish_setup(&token, &form.password, &code).await? {
        SetupOutcome::Done(operator, codes) => {
            let secret = operators.start_session(&operator, visit.device).await?;
            visit.begin_operator_session(&secret).await?;
            let page = RecoveryCodes { codes, next: "/admin" };
            return Ok(visit.show(&page).without_referrer().render()?);
        }
        SetupOutcome::Void => return void(&visit),
        SetupOutcome::Password(refusal) => wrong("password", message(refusal.text_id(), &refusal.args())),
        SetupOutcome::Code => wrong("code", Message::new("console-own-error-new-code")),
    };
    page(&mut visit, &token, &setup, refusal)
}

fn page(
    visit: &mut Visit,
    token: &str,
    setup: &Setup,
    (status, errors): Refusal,
) -> Result<Response, PageError> {
    visit.prefer(Some(setup.operator.locale));
    let page = SetupPage {
        token: token.to_owned(),
        name: setup.operator.name.clone(),
        email: setup.operator.email.clone(),
        min_length: MIN_LENGTH,
        factor: ShownFactor::of(&setup.factor)?,
        errors,
    };
    Ok(visit.show(&page).status(status).without_referrer().render()?)
}

fn void(visit: &Visit) -> Result<Response, PageError> {
    Ok(visit.show(&SetupVoid {}).status(StatusCode::GONE).without_referrer().render()?)
}
