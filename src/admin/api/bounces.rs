//! `/admin/api/v1/bounces`: addresses to which nothing is sent.

use axum::{Json, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{
    guard::Caller,
    paging::{Page, Paging},
    problem::Problem,
    queues::{Queued, find, refusal},
    read::{Body, Id, Query, Why, act, reason},
};
use crate::{
    oidc::resource::API,
    operators::{log::utc, queues::Line},
    storage::{Position, bounce},
};

#[derive(OpenApi)]
#[openapi(paths(list, mark, clear))]
pub(super) struct Doc;

/// An address that bounces.
#[derive(Debug, Serialize, ToSchema)]
pub struct BouncingAddress {
    /// Names it here and in the audit.
    #[schema(example = "OEc3jgATy7CpLdsubUR8gw")]
    pub id: String,
    /// The address, masked.
    #[schema(example = "t***@example.jp")]
    pub address: String,
    /// Portal code of the insurer whose mail came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insurer: Option<String>,
    /// When it was marked.
    #[schema(format = DateTime)]
    pub marked_at: String,
}

impl From<bounce::Bounce> for BouncingAddress {
    fn from(mark: bounce::Bounce) -> Self {
        let marked_at = utc(mark.created_at);
        Self { id: mark.id, address: mark.recipient, insurer: mark.insurer, marked_at }
    }
}

/// Lists the addresses that bounce
///
/// Masked, the newest mark first.
#[utoipa::path(
    get, path = "/admin/api/v1/bounces", tag = "Mails", operation_id = "listBounces",
    params(Paging),
    responses((status = 200, description = "A page of addresses", body = Page<BouncingAddress>,
        headers(("Link" = Option<String>, description = "The next page, as `rel=\"next\"` (RFC 8288)")))),
)]
pub async fn list(caller: Caller, Query(paging): Query<Paging>) -> Result<Response, Problem> {
    let part = paging.of(&caller, "bounces", "")?;
    let before = part.after.as_deref().and_then(Position::parse);
    let insurer = caller.scope().unwrap_or_default();
    let read = caller.app().operators.bounces(insurer, before.as_ref(), part.to_read()).await?;
    let page = part.page(&caller, read, |mark| mark.position().to_string(), BouncingAddress::from);
    Ok(part.linked(&caller, &format!("{API}/bounces"), page))
}

/// Marks the address of a mail as one that bounces
///
/// What waits for it is given up, nothing is sent there any more, and the member is asked for another address.
#[utoipa::path(
    post, path = "/admin/api/v1/mails/{mail}/bounce", tag = "Mails", operation_id = "markBounce",
    params(("mail" = String, Path, description = "`id` of the mail")),
    request_body = Why,
    responses((status = 200, description = "The mail", body = Queued)),
)]
pub async fn mark(caller: Caller, Id(id): Id, Body(why): Body<Why>) -> Result<Json<Queued>, Problem> {
    let ((_, mail), why) = (find(&caller, &[Line::Mails], &id).await?, reason(&why.reason)?);
    let operators = &caller.app().operators;
    operators.mark_bounced(&mail, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(find(&caller, &[Line::Mails], &id).await?.1.into()))
}

/// Takes the mark from an address
///
/// Mails go there again.
#[utoipa::path(
    post, path = "/admin/api/v1/bounces/{bounce}/clear", tag = "Mails", operation_id = "clearBounce",
    params(("bounce" = String, Path, description = "`id` of the mark")),
    request_body = Why,
    responses((status = 204, description = "The mark is gone")),
)]
pub async fn clear(caller: Caller, Id(id): Id, Body(why): Body<Why>) -> Result<StatusCode, Problem> {
    let operators = &caller.app().operators;
    let mark = operators.bounce(&id).await?.ok_or_else(Problem::not_found)?;
    caller.reach(mark.insurer.as_deref())?;
    let why = reason(&why.reason)?;
    operators.clear_bounce(&mark, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}
