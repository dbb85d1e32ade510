//! What is decided about an import of a roster through the API: apply, discard, undo.

use axum::Json;
use utoipa::OpenApi;

use super::{
    guard::Caller,
    problem::Problem,
    read::{Body, Id, Why, act, reason},
    roster::{RosterImportDetails, find, shown},
};
use crate::members::roster::decide::Refused;

#[derive(OpenApi)]
#[openapi(paths(apply, discard, undo))]
pub(super) struct Doc;

fn refusal(refused: Refused) -> Problem {
    let code = match refused {
        Refused::Busy => "busy",
        Refused::Past => "past",
        Refused::NotLast => "not_last",
    };
    Problem::conflict(code, refused.to_string())
}

/// Applies an import
///
/// In the background; only one that is `ready`.
#[utoipa::path(
    post, path = "/admin/api/v1/roster/imports/{import}/apply", tag = "Roster", operation_id = "applyRosterImport",
    params(("import" = String, Path, description = "`id` of the import")),
    request_body = Why,
    responses((status = 200, description = "The import, which is being applied", body = RosterImportDetails)),
)]
pub async fn apply(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<RosterImportDetails>, Problem> {
    let (import, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.apply_roster_import(&import, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Discards an import
///
/// Only one that is `ready`; the roster stays as it is.
#[utoipa::path(
    post, path = "/admin/api/v1/roster/imports/{import}/discard", tag = "Roster",
    operation_id = "discardRosterImport",
    params(("import" = String, Path, description = "`id` of the import")),
    request_body = Why,
    responses((status = 200, description = "The import, discarded", body = RosterImportDetails)),
)]
pub async fn discard(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<RosterImportDetails>, Problem> {
    let (import, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.discard_roster_import(&import, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Undoes an import
///
/// In the background; only the last one of an insurer, within 30 days. Persons who have registered since stay.
#[utoipa::path(
    post, path = "/admin/api/v1/roster/imports/{import}/undo", tag = "Roster", operation_id = "undoRosterImport",
    params(("import" = String, Path, description = "`id` of the import")),
    request_body = Why,
    responses((status = 200, description = "The import, which is being undone", body = RosterImportDetails)),
)]
pub async fn undo(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<RosterImportDetails>, Problem> {
    let (import, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.undo_roster_import(&import, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}
