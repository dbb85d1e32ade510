//! `/admin/api/v1/problems/{code}`: what the `type` of a problem leads to.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{FieldError, Problem, ProblemBody, kind::TABLE};
use crate::{app::App, oidc::resource::API};

pub(super) fn type_uri(app: &App, code: &str) -> String {
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

#[derive(OpenApi)]
#[openapi(paths(describe), components(schemas(ProblemBody, FieldError)))]
pub(in crate::admin::api) struct Doc;

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
