//! Posted forms: one of ours, from this browser, of the expected shape.

use axum::{
    extract::{FromRequest, FromRequestParts as _, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::DeserializeOwned;

use super::{PageError, Visit, csrf, templates::Message};
use crate::app::App;

/// A form that one of our pages sent from this very browser.
pub struct PageForm<T>(pub Visit, pub T);

impl<T: DeserializeOwned> FromRequest<App> for PageForm<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &App) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let Ok(visit) = Visit::from_request_parts(&mut parts, app).await;
        if !is_form(&parts.headers) {
            return Err(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let limit = app.config().server.body_limit_bytes;
        let body = axum::body::to_bytes(body, limit)
            .await
            .map_err(|_| PageError::status(StatusCode::PAYLOAD_TOO_LARGE))?;
        let posted = url::form_urlencoded::parse(&body).find(|(name, _)| name == "csrf");
        let token = posted.map(|(_, value)| value.into_owned()).unwrap_or_default();
        if !csrf::same_origin(&parts.headers, &app.config().server.issuer) || !visit.csrf_matches(&token) {
            // Cookies that were cleared look the same as a forgery, so the page says what to do.
            return Err(PageError::explained(StatusCode::FORBIDDEN, Message::new("error-403-message")));
        }
        let form =
            serde_html_form::from_bytes(&body).map_err(|_| PageError::status(StatusCode::BAD_REQUEST))?;
        Ok(Self(visit, form))
    }
}

/// Whether the body is `application/x-www-form-urlencoded`.
pub fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
