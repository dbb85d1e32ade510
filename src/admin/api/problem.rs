//! Errors of the operators' API: problem details (RFC 9457).
//!
//! A handler returns a [`Problem`]; its [`Caller`] gets it written out, and does the same for what something else
//! refused without a body: a path that is not there, a method that is not allowed, a time-out, a panic.

mod describe;
mod kind;

use std::sync::Arc;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::guard::MINUTE;
use crate::{
    app::App,
    fault::Fault,
    oidc::{error::OAuthError, resource::API},
    web::{
        headers::SOON,
        page_error::{is_unexplained, keep_allow, log_fault, status_of},
        trace::reference_of,
    },
};

pub(super) use self::describe::Doc;
use self::describe::type_uri;
pub use self::{describe::describe, kind::Kind};

/// Media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What is wrong with one field or parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer to the field of the body, as a URI fragment (RFC 6901 section 6).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "#/email")]
    pub pointer: Option<String>,
    /// Name of the parameter of path, query or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Stable name of what is wrong.
    #[schema(example = "email_taken")]
    pub code: String,
    /// In words.
    pub detail: String,
}

impl FieldError {
    /// About the field of the body at a JSON pointer, such as `/email`.
    pub fn at(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        let (code, detail) = (code.to_owned(), detail.into());
        Self { pointer: Some(format!("#{pointer}")), parameter: None, code, detail }
    }

    /// About a parameter of path, query or header.
    pub fn of_parameter(name: &str, detail: impl Into<String>) -> Self {
        let (code, detail) = ("invalid".to_owned(), detail.into());
        Self { pointer: None, parameter: Some(name.to_owned()), code, detail }
    }

    /// About no single field.
    pub fn general(code: &str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: None, code: code.to_owned(), detail: detail.into() }
    }
}

/// An error for a program.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    errors: Vec<FieldError>,
    challenge: Option<String>,
    fault: Option<Arc<Fault>>,
}

/// A problem as it is sent (RFC 9457 section 3).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// URL of the description of this kind of problem.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened this time, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Reference of the request, as in `X-Request-Id` and in the log of the provider.
    pub instance: String,
    /// Stable name of the kind.
    #[schema(example = "invalid_fields")]
    pub code: String,
    /// What is wrong where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A problem in the general words of its kind.
    pub const fn new(kind: Kind) -> Self {
        Self { kind, detail: None, errors: Vec::new(), challenge: None, fault: None }
    }

    /// A thing that is not there, or not within reach.
    pub const fn not_found() -> Self {
        Self::new(Kind::NotFound)
    }

    /// Fields of the body that say what they must not.
    pub fn fields(errors: impl IntoIterator<Item = FieldError>) -> Self {
        Self { errors: errors.into_iter().collect(), ..Self::new(Kind::InvalidFields) }
    }

    /// One field of the body that says what it must not.
    pub fn field(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::fields([FieldError::at(pointer, code, detail)])
    }

    /// A parameter of path or query that is none.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidParameter).and(FieldError::of_parameter(name, detail))
    }

    /// The state of the thing forbids it.
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict).and(FieldError::general(code, detail))
    }

    /// With one more error.
    #[must_use]
    pub fn and(mut self, error: FieldError) -> Self {
        self.errors.push(error);
        self
    }

    /// In other words.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With a Bearer challenge (RFC 6750 §3).
    #[must_use]
    pub fn challenging(mut self, challenge: String) -> Self {
        self.challenge = Some(challenge);
        self
    }

    fn body(&self, app: &App, reference: &str) -> ProblemBody {
        let (_, status, code, title, _) = *self.kind.row();
        ProblemBody {
            kind: type_uri(app, code),
            title: title.to_owned(),
            status,
            detail: self.detail.clone(),
            instance: reference.to_owned(),
            code: code.to_owned(),
            errors: self.errors.clone(),
        }
    }
}

impl<F: Into<Fault>> From<F> for Problem {
    fn from(fault: F) -> Self {
        let fault = fault.into();
        let unavailable = status_of(&fault) == StatusCode::SERVICE_UNAVAILABLE;
        let kind = if unavailable { Kind::Unavailable } else { Kind::Internal };
        Self { fault: Some(Arc::new(fault)), ..Self::new(kind) }
    }
}

impl Problem {
    /// What the protocol says about a token.
    pub fn of_token(error: &OAuthError) -> Self {
        let kind = match error.status() {
            StatusCode::UNAUTHORIZED if error.challenge().is_some_and(|text| text.contains("error=")) => {
                Kind::TokenInvalid
            }
            StatusCode::UNAUTHORIZED => Kind::TokenMissing,
            status => Kind::of_status(status),
        };
        let problem = Self::new(kind).saying(error.description());
        match error.challenge() {
            Some(challenge) => problem.challenging(challenge.to_owned()),
            None => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Some(fault) = &self.fault {
            log_fault(fault);
        }
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A program that called the API, at whatever path.
pub struct Caller {
    reference: String,
}

impl Caller {
    /// Who sends a request, if it is one to the API.
    pub fn of(head: &Parts) -> Option<Self> {
        let path = head.uri.path();
        let is_ours = path == API || path.starts_with("/admin/api/");
        is_ours.then(|| Self { reference: reference_of(head) })
    }

    /// Writes a problem out; one of its own for what something else refused without a body.
    pub fn explain(&self, app: &App, response: Response) -> Response {
        if !is_unexplained(&response) {
            return response;
        }
        let problem = response.extensions().get::<Problem>().cloned();
        let problem = problem.unwrap_or_else(|| Problem::new(Kind::of_status(response.status())));
        let mut rendered = (problem.kind.status(), Json(problem.body(app, &self.reference))).into_response();
        let headers = rendered.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(challenge) = problem.challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        let wait = match problem.kind {
            Kind::TooManyRequests => Some(MINUTE.as_secs()),
            Kind::IdempotencyInProgress => Some(SOON),
            _ => None,
        };
        if let Some(wait) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        keep_allow(&response, &mut rendered);
        rendered
    }
}
