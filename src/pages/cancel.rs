//! `/login/{interaction}/cancel`: back to the relying party without a login.

use axum::{extract::Path, response::Response};
use serde::Deserialize;

use crate::{
    oidc::{authorize, interaction},
    web::{PageError, PageForm},
};

/// What the button sends.
#[derive(Deserialize)]
pub struct CancelForm {
    #[serde(default)]
    decision: String,
}

/// POST `/login/{interaction}/cancel`. An empty POST decides nothing, and without a request
/// there is nobody to go back to.
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<CancelForm>,
) -> Result<Response, PageError> {
    let found = interaction::load(&visit, &id).await?;
    if form.decision != "cancel" || found.value.request.is_none() {
        return Ok(visit.redirect(&format!("/login/{id}"))?);
    }
    authorize::deny(&visit, found).await
}
