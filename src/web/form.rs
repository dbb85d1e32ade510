//! Posted forms: one of ours, from this browser, of the expected shape.

use axum::{
    body::Bytes,
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
        let posted = Posted::read(request, app).await?;
        let form = posted.form()?;
        Ok(Self(posted.visit, form))
    }
}

/// A form that one of our pages sent from this very browser, not read yet.
pub struct Posted {
    /// The request.
    pub visit: Visit,
    body: Bytes,
}

impl Posted {
    /// Takes a request whose token, origin and type are right.
    pub async fn read(request: Request, app: &App) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let Ok(visit) = Visit::from_request_parts(&mut parts, app).await;
        if !is_form(&parts.headers) {
            return Err(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let limit = app.config().server.body_limit_bytes;
        let body = axum::body::to_bytes(body, limit)
            .await
            .map_err(|_| PageError::status(StatusCode::PAYLOAD_TOO_LARGE))?;
        let posted = Self { visit, body };
        let token = posted.field("csrf");
        if !csrf::same_origin(&parts.headers, &app.config().server.issuer)
            || !posted.visit.csrf_matches(&token)
        {
            // Cookies that were cleared look the same as a forgery, so the page says what to do.
            return Err(PageError::explained(StatusCode::FORBIDDEN, Message::new("error-403-message")));
        }
        Ok(posted)
    }

    /// The first field of this name, or nothing.
    pub fn field(&self, name: &str) -> String {
        let found = url::form_urlencoded::parse(&self.body).find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    /// The form.
    pub fn form<T: DeserializeOwned>(&self) -> Result<T, PageError> {
        serde_html_form::from_bytes(&self.body).map_err(|_| PageError::status(StatusCode::BAD_REQUEST))
    }
}

/// Whether the body is `application/x-www-form-urlencoded`.
pub fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
