//! Errors of the operators' API: problem details (RFC 9457).
//!
//! A handler returns a [`Problem`]; the layer [`render`] writes it out, and does the same for what something else
//! refused without a body: a path that is not there, a method that is not allowed, a time-out, a panic.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    fault::Fault,
    oidc::{error::OAuthError, resource::API},
    web::{
        page_error::{RETRY_AFTER, log_fault, status_of},
        trace::Reference,
    },
};

/// Media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What can be wrong. The name of a kind, its `code`, never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read.
    InvalidRequest,
    /// A parameter of path or query is none that the operation takes.
    InvalidParameter,
    /// The body is not JSON of the expected shape.
    InvalidBody,
    /// There is no access token.
    TokenMissing,
    /// The access token is void, unknown, or for something else.
    TokenInvalid,
    /// The access token lacks the scope.
    InsufficientScope,
    /// There is no such thing within reach of the client.
    NotFound,
    /// The thing has no such method.
    MethodNotAllowed,
    /// The state of the thing forbids it.
    Conflict,
    /// The same `Idempotency-Key` is being worked on.
    IdempotencyInProgress,
    /// The thing was changed since it was read.
    PreconditionFailed,
    /// The body is too large.
    TooLarge,
    /// The body is of another media type than the operation takes.
    UnsupportedMediaType,
    /// The request came to another host.
    Misdirected,
    /// A field says what it must not.
    InvalidFields,
    /// The same `Idempotency-Key` was sent with another request.
    IdempotencyMismatch,
    /// `If-Match` is missing.
    PreconditionRequired,
    /// The client asks too often.
    TooManyRequests,
    /// The request failed on our side.
    Internal,
    /// A service that is needed is down or busy.
    Unavailable,
}

use Kind as K;

/// Kind, status, code, title, and what to do about it.
const TABLE: &[(Kind, u16, &str, &str, &str)] = &[
    (
        K::InvalidRequest,
        400,
        "invalid_request",
        "The request cannot be read",
        "Mend the request; a repetition fails alike.",
    ),
    (
        K::InvalidParameter,
        400,
        "invalid_parameter",
        "A parameter is not one that the operation takes",
        "`errors` names the parameter. A cursor belongs to one list, one client and one search.",
    ),
    (
        K::InvalidBody,
        400,
        "invalid_body",
        "The body is not what the operation takes",
        "`errors` points to the place: JSON that cannot be parsed, a field that is missing, unknown or of another type.",
    ),
    (
        K::TokenMissing,
        401,
        "token_missing",
        "There is no access token",
        "Send `Authorization: Bearer …` (RFC 6750 section 2.1) with a token of the client credentials grant.",
    ),
    (
        K::TokenInvalid,
        401,
        "token_invalid",
        "The access token is not valid here",
        "It is void, unknown, or not for this API: get another one from the token endpoint.",
    ),
    (
        K::InsufficientScope,
        403,
        "insufficient_scope",
        "The access token lacks a scope",
        "`WWW-Authenticate` names the scope. The client must be registered for it and ask for it.",
    ),
    (
        K::NotFound,
        404,
        "not_found",
        "There is no such thing",
        "It does not exist, or belongs to an insurer that the client does not reach.",
    ),
    (
        K::MethodNotAllowed,
        405,
        "method_not_allowed",
        "The method is not allowed here",
        "`Allow` names those that are.",
    ),
    (
        K::Conflict,
        409,
        "conflict",
        "The state of the thing forbids it",
        "`errors` says why. Read the thing again before another try.",
    ),
    (
        K::IdempotencyInProgress,
        409,
        "idempotency_in_progress",
        "A request with this Idempotency-Key is being worked on",
        "Try again a little later with the same key and the same body.",
    ),
    (
        K::PreconditionFailed,
        412,
        "precondition_failed",
        "The thing was changed since it was read",
        "Read it again, and send the change with the new `ETag` in `If-Match`.",
    ),
    (K::TooLarge, 413, "too_large", "The body is too large", "Send less at once."),
    (
        K::UnsupportedMediaType,
        415,
        "unsupported_media_type",
        "The body has another media type",
        "Send JSON as `Content-Type: application/json`, a roster as `text/csv`.",
    ),
    (
        K::Misdirected,
        421,
        "misdirected",
        "The request came to another host",
        "Use the issuer's own host, as the description of the API names it.",
    ),
    (
        K::InvalidFields,
        422,
        "invalid_fields",
        "A field has a value that it must not have",
        "`errors` points to each such field.",
    ),
    (
        K::IdempotencyMismatch,
        422,
        "idempotency_mismatch",
        "This Idempotency-Key belongs to another request",
        "Use a new key for each new request.",
    ),
    (
        K::PreconditionRequired,
        428,
        "precondition_required",
        "If-Match is missing",
        "Read the thing, and send its `ETag` in `If-Match`, so that no change of somebody else is lost.",
    ),
    (
        K::TooManyRequests,
        429,
        "too_many_requests",
        "The client asks too often",
        "Wait for the seconds of `Retry-After`.",
    ),
    (
        K::Internal,
        500,
        "internal",
        "The request failed on our side",
        "`instance` finds the cause in the log of the provider.",
    ),
    (
        K::Unavailable,
        503,
        "unavailable",
        "The service is busy or down for the moment",
        "Wait for the seconds of `Retry-After`, and repeat with the same `Idempotency-Key`.",
    ),
];

impl Kind {
    fn row(self) -> &'static (Self, u16, &'static str, &'static str, &'static str) {
        // Every kind stands there; a test says so.
        TABLE.iter().find(|(kind, ..)| *kind == self).unwrap_or(&TABLE[0])
    }

    /// Its status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its stable name.
    pub fn code(self) -> &'static str {
        self.row().2
    }

    /// The stable name of every kind.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(_, _, code, ..)| *code)
    }

    /// What fits an answer that says no more than its status.
    fn of_status(status: StatusCode) -> Self {
        let exact = TABLE.iter().find(|(_, known, ..)| *known == status.as_u16());
        match exact {
            Some((kind, ..)) => *kind,
            None if status.is_server_error() => Self::Internal,
            None => Self::InvalidRequest,
        }
    }
}

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

/// Writes problems out, for every path of the API, those that are not there too.
pub async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_ours = request.uri().path() == API || request.uri().path().starts_with("/admin/api/");
    if !is_ours {
        return next.run(request).await;
    }
    let reference = request.extensions().get::<Reference>().map(|it| it.0.clone()).unwrap_or_default();
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let bare = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !bare {
        return response;
    }
    let problem = response.extensions().get::<Problem>().cloned();
    let problem = problem.unwrap_or_else(|| Problem::new(Kind::of_status(status)));
    let mut rendered = (problem.kind.status(), Json(problem.body(&app, &reference))).into_response();
    let headers = rendered.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    if let Some(challenge) = problem.challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if matches!(problem.kind, Kind::Unavailable | Kind::TooManyRequests | Kind::IdempotencyInProgress) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
    }
    // A 405 says which methods are allowed (RFC 9110 §15.5.6).
    if let Some(allow) = response.headers().get(header::ALLOW) {
        headers.insert(header::ALLOW, allow.clone());
    }
    rendered
}

fn type_uri(app: &App, code: &str) -> String {
    app.config().server.url(&format!("{API}/problems/{code}"))
}

/// A kind of problem, described.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemType {
    /// Its own URL, which problems have as `type`.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub kind: String,
    /// Stable name.
    pub code: String,
    /// Status of the answers with it.
    pub status: u16,
    /// In words.
    pub title: String,
    /// What to do about it.
    pub remedy: String,
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(describe), components(schemas(ProblemBody, FieldError)))]
pub(super) struct Doc;

/// Describes a kind of problem
///
/// What the `type` of a problem leads to. Needs no token.
#[utoipa::path(
    get, path = "/admin/api/v1/problems/{code}", tag = "Description", operation_id = "describeProblem",
    params(("code" = String, Path, description = "Stable name of the kind", example = "invalid_fields")),
    responses((status = 200, description = "The kind of problem", body = ProblemType)),
)]
pub async fn describe(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<ProblemType>, Problem> {
    let known = TABLE.iter().find(|(_, _, code, ..)| *code == name);
    let (_, status, code, title, remedy) = *known.ok_or_else(Problem::not_found)?;
    Ok(Json(ProblemType {
        kind: type_uri(&app, code),
        code: code.to_owned(),
        status,
        title: title.to_owned(),
        remedy: remedy.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_every_kind_is_described() {
        let codes: std::collections::BTreeSet<_> = TABLE.iter().map(|(_, _, code, ..)| code).collect();
        assert_eq!(codes.len(), TABLE.len());
        for (kind, status, code, ..) in TABLE {
            assert_eq!((kind.code(), kind.status().as_u16()), (*code, *status));
        }
        assert_eq!(Kind::Unavailable.code(), "unavailable");
        assert_eq!(Kind::of_status(StatusCode::IM_A_TEAPOT), Kind::InvalidRequest);
        assert_eq!(Kind::of_status(StatusCode::GATEWAY_TIMEOUT), Kind::Internal);
    }
}
