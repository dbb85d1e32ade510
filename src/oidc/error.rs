//! Errors for programs: JSON of RFC 6749 §5.2, or a Bearer challenge of RFC 6750 §3.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    fault::Fault,
    web::page_error::{log_fault, status_of},
};

/// An error of the token, userinfo or another direct endpoint.
#[derive(Clone, Debug)]
pub struct OAuthError {
    status: StatusCode,
    code: &'static str,
    description: String,
    challenge: Option<String>,
    wait: Option<Duration>,
    fault: Option<Arc<Fault>>,
}

impl OAuthError {
    /// 400 with this `error` and `error_description`.
    pub fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            description: description.into(),
            challenge: None,
            wait: None,
            fault: None,
        }
    }

    /// The request is malformed.
    pub fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// `error_description`
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The value of `WWW-Authenticate`, if it is a challenge.
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// The grant is unknown, used, expired, revoked, or another client's. Which one is not told.
    pub fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }

    /// The client did not prove itself: 401, with a challenge as it tried HTTP Basic (RFC 6749 §5.2).
    pub fn invalid_client(description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Basic realm=\"kenpos-idp\"".to_owned()),
            ..Self::new("invalid_client", description)
        }
    }

    /// A Bearer challenge (RFC 6750 §3.1).
    pub fn bearer(status: StatusCode, code: &'static str, description: &str) -> Self {
        Self {
            status,
            challenge: Some(format!(
                "Bearer realm=\"kenpos-idp\", error=\"{code}\", error_description=\"{description}\""
            )),
            ..Self::new(code, description)
        }
    }

    /// A Bearer challenge that asks for a sign-in within the last `max_age` seconds (RFC 9470 §3).
    pub fn step_up(description: &str, max_age: u64) -> Self {
        let mut error =
            Self::bearer(StatusCode::UNAUTHORIZED, "insufficient_user_authentication", description);
        error.challenge = error.challenge.map(|challenge| format!("{challenge}, max_age=\"{max_age}\""));
        error
    }

    /// The caller tried too often: 429, and the time after which it may certainly try again.
    pub fn too_many(description: &str, wait: Duration) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            wait: Some(wait),
            ..Self::new("temporarily_unavailable", description)
        }
    }

    /// What the caller asks for is not to be had here, however often it asks.
    pub fn denied(description: &str) -> Self {
        Self { status: StatusCode::FORBIDDEN, ..Self::new("access_denied", description) }
    }

    /// A Bearer challenge to a request that has no token: no error code (RFC 6750 §3.1).
    pub fn bearer_missing() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Bearer realm=\"kenpos-idp\"".to_owned()),
            ..Self::new("invalid_request", "the request has no access token")
        }
    }
}

impl<F: Into<Fault>> From<F> for OAuthError {
    fn from(fault: F) -> Self {
        let fault = fault.into();
        let status = status_of(&fault);
        let (code, description) = if status == StatusCode::SERVICE_UNAVAILABLE {
            ("temporarily_unavailable", "the service is overloaded or down for the moment")
        } else {
            ("server_error", "the request failed on our side")
        };
        Self { status, fault: Some(Arc::new(fault)), ..Self::new(code, description) }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        if let Some(fault) = &self.fault {
            log_fault(fault);
        }
        let body = json!({ "error": self.code, "error_description": self.description });
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        if let Some(challenge) = self.challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        response
    }
}
