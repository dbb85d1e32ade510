//! `/logo/{client}`: the picture of a relying party, from our own origin.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::{app::App, web::PageError};

/// GET `/logo/{client}`
pub async fn get(State(app): State<App>, Path(id): Path<String>) -> Result<Response, PageError> {
    let none = || PageError::status(StatusCode::NOT_FOUND);
    let client = app.client(&id).await?.ok_or_else(none)?;
    let url = client.metadata.logo_uri.as_deref().ok_or_else(none)?;
    let logo = app.client_logos.find(url).await.ok_or_else(none)?;
    let headers = [
        (header::CONTENT_TYPE, logo.content_type.as_str()),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::CONTENT_DISPOSITION, "inline; filename=logo"),
    ];
    Ok((headers, logo.bytes.clone()).into_response())
}
