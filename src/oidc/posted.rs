//! Requests that relying parties post to us through the browser (OIDC Core §3.1.2.1, RP-Initiated Logout §2).
//!
//! Our cookies are `SameSite=Lax`, so a POST from another site comes without them, as if nobody were signed
//! in. Such a request is kept for a moment and the browser sent to it with a GET, which brings the cookies.

use std::time::Duration;

use axum::{http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{authorize::params::Params, interaction};
use crate::{
    clock::Timestamp,
    ephemeral::Record,
    fault::Fault,
    web::{PageError, Visit},
};

/// How long the browser has to follow, and a reload still works.
const LIFE: Duration = Duration::from_secs(300);

/// Longest body that is kept, in bytes.
const LONGEST: usize = 16 * 1024;

/// A request that was posted.
#[derive(Serialize, Deserialize)]
struct Posted {
    endpoint: String,
    body: String,
    expires_at: Timestamp,
}

impl Record for Posted {
    const KIND: &'static str = "posted";
}

/// Keeps the request and sends the browser to `{endpoint}/posted/{id}`.
pub async fn keep(visit: &Visit, endpoint: &str, body: &[u8]) -> Result<Response, PageError> {
    interaction::spend_visit(visit).await?;
    let app = visit.app();
    if body.len() > LONGEST {
        return Err(PageError::status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let body = String::from_utf8(body.to_vec()).map_err(|_| PageError::status(StatusCode::BAD_REQUEST))?;
    let posted = Posted { endpoint: endpoint.to_owned(), body, expires_at: app.now().plus(LIFE) };
    let id = app.members.entropy.secret();
    app.members.ephemeral.put(&id, &posted, LIFE).await.map_err(Fault::from)?;
    Ok(visit.redirect(&format!("{endpoint}/posted/{id}"))?)
}

/// The parameters of a request that was posted to `endpoint`.
pub async fn find(visit: &Visit, endpoint: &str, id: &str) -> Result<Params, PageError> {
    let app = visit.app();
    let found = app.members.ephemeral.get::<Posted>(id).await.map_err(Fault::from)?;
    found
        .filter(|posted| posted.endpoint == endpoint && app.now() < posted.expires_at)
        .map(|posted| Params::parse(posted.body.as_bytes()))
        .ok_or_else(interaction::expired)
}
