//! `/admin/api/v1/mails` and `/admin/api/v1/deliveries`: what waits to be sent, was sent or was given up. Never the
//! content.

use axum::{Json, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    guard::Caller,
    paging::{Page, Paging},
    problem::Problem,
    read::{Body, Id, Query, Why, act, reason},
};
use crate::{
    oidc::resource::API,
    operators::{log::utc, queues::Line, queues::Refused},
    storage::{
        Position,
        queue::{Filter, Shown},
    },
};

#[derive(OpenApi)]
#[openapi(
    paths(mails, retry_mail, give_up_mail, deliveries, retry_delivery, give_up_delivery),
    components(schemas(DeliveryLine, QueueState))
)]
pub(super) struct Doc;

/// Something in a queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Queued {
    /// Names it here and in the audit.
    #[schema(example = "3BXJMrO1WqJ2rN0m2mSsxA")]
    pub id: String,
    /// Kind of content.
    #[schema(example = "confirm_registration")]
    pub kind: String,
    /// Whom it is for: a masked address, or an identifier.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    #[schema(example = "t***@example.jp")]
    pub target: Option<String>,
    /// Portal code of the insurer concerned; absent: several, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insurer: Option<String>,
    /// What became of it.
    pub state: QueueState,
    /// Attempts so far.
    pub attempts: i64,
    /// What became of the last attempt, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it is tried next, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub next_attempt_at: Option<String>,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was sent or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub finished_at: Option<String>,
}

/// What became of something in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueState {
    /// It waits, or is being sent.
    Queued,
    /// The receiver took it.
    Sent,
    /// It was refused for good or given up.
    Failed,
}

/// Which messages to other systems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryLine {
    /// Webhooks.
    #[default]
    Webhooks,
    /// Messages of the protocol to apps, such as logouts.
    Protocol,
}

/// Which mails.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct MailsAsked {
    /// Only those in this state.
    pub state: Option<QueueState>,
    /// Entries of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
}

/// Which messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveriesAsked {
    /// Of which kind; webhooks if absent.
    pub line: Option<DeliveryLine>,
    /// Only those in this state.
    pub state: Option<QueueState>,
    /// Entries of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
}

impl QueueState {
    const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

impl From<Shown> for Queued {
    fn from(row: Shown) -> Self {
        let state = match row.state.as_str() {
            "queued" => QueueState::Queued,
            "sent" => QueueState::Sent,
            _ => QueueState::Failed,
        };
        Self {
            id: row.id,
            kind: row.kind,
            target: row.target.filter(|target| !target.is_empty()),
            insurer: row.insurer,
            state,
            attempts: row.attempts,
            last_error: row.last_error,
            next_attempt_at: (state == QueueState::Queued).then(|| utc(row.next_attempt_at)),
            created_at: utc(row.created_at),
            finished_at: row.finished_at.map(utc),
        }
    }
}

/// Lists the mails
///
/// Of the last 30 days, the newest first; neither their content nor whole addresses.
#[utoipa::path(
    get, path = "/admin/api/v1/mails", tag = "Mails", operation_id = "listMails",
    params(MailsAsked),
    responses((status = 200, description = "A page of mails", body = Page<Queued>,
        headers(("Link" = Option<String>, description = "The next page, as `rel=\"next\"` (RFC 8288)")))),
)]
pub async fn mails(caller: Caller, Query(asked): Query<MailsAsked>) -> Result<Response, Problem> {
    let paging = Paging { limit: asked.limit, cursor: asked.cursor };
    page(&caller, Line::Mails, &paging, asked.state).await
}

/// Lists the messages to other systems
///
/// Of the last 30 days, the newest first. Those of the protocol are for clients that reach every insurer.
#[utoipa::path(
    get, path = "/admin/api/v1/deliveries", tag = "Webhooks", operation_id = "listDeliveries",
    params(DeliveriesAsked),
    responses((status = 200, description = "A page of messages", body = Page<Queued>,
        headers(("Link" = Option<String>, description = "The next page, as `rel=\"next\"` (RFC 8288)")))),
)]
pub async fn deliveries(caller: Caller, Query(asked): Query<DeliveriesAsked>) -> Result<Response, Problem> {
    let paging = Paging { limit: asked.limit, cursor: asked.cursor };
    let line = match asked.line.unwrap_or_default() {
        DeliveryLine::Webhooks => Line::Webhooks,
        DeliveryLine::Protocol => Line::Protocol,
    };
    page(&caller, line, &paging, asked.state).await
}

async fn page(
    caller: &Caller,
    line: Line,
    paging: &Paging,
    state: Option<QueueState>,
) -> Result<Response, Problem> {
    let state = state.map(QueueState::name).unwrap_or_default();
    let part = paging.of(caller, &format!("{line:?}"), state)?;
    let filter = Filter {
        state: state.to_owned(),
        insurer: caller.scope().unwrap_or_default().to_owned(),
        ..Filter::default()
    };
    let before = part.after.as_deref().and_then(|text| Position::parse_if(text, |_| true)); // sealed by us
    let operators = &caller.app().operators;
    let read = operators.queue_page(line, &filter, before.as_ref(), part.to_read()).await?;
    let page = part.page(caller, read, |row| row.position().to_string(), Queued::from);
    let (path, more) = match line {
        Line::Mails => ("mails", ""),
        Line::Webhooks => ("deliveries", "line=webhooks&"),
        Line::Protocol => ("deliveries", "line=protocol&"),
    };
    let state = if state.is_empty() { String::new() } else { format!("state={state}&") };
    Ok(part.linked_with(caller, &format!("{API}/{path}"), &format!("{more}{state}"), page))
}

pub(super) fn refusal(refused: Refused) -> Problem {
    let code = match refused {
        Refused::NotWaiting => "not_waiting",
        Refused::NoAddress => "no_address",
        Refused::Already => "already",
    };
    Problem::conflict(code, refused.to_string())
}

/// The row of one of these queues, if it is within reach.
pub(super) async fn find(caller: &Caller, lines: &[Line], id: &str) -> Result<(Line, Shown), Problem> {
    for line in lines {
        if let Some(row) = caller.app().operators.queued(*line, id).await? {
            caller.reach(row.insurer.as_deref())?;
            return Ok((*line, row));
        }
    }
    Err(Problem::not_found())
}

/// Messages to other systems.
const DELIVERIES: [Line; 2] = [Line::Webhooks, Line::Protocol];

async fn retry(caller: &Caller, lines: &[Line], id: &str, why: &Why) -> Result<Json<Queued>, Problem> {
    let ((line, row), why) = (find(caller, lines, id).await?, reason(&why.reason)?);
    let operators = &caller.app().operators;
    operators.retry(line, &row, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(find(caller, &[line], id).await?.1.into()))
}

async fn give_up(caller: &Caller, lines: &[Line], id: &str, why: &Why) -> Result<Json<Queued>, Problem> {
    let ((line, row), why) = (find(caller, lines, id).await?, reason(&why.reason)?);
    let operators = &caller.app().operators;
    operators.give_up(line, &row, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(find(caller, &[line], id).await?.1.into()))
}

/// Sends a mail now
///
/// One that waits for its next attempt is tried within seconds.
#[utoipa::path(
    post, path = "/admin/api/v1/mails/{mail}/retry", tag = "Mails", operation_id = "retryMail",
    params(("mail" = String, Path, description = "`id` of the mail")),
    request_body = Why,
    responses((status = 200, description = "The mail", body = Queued)),
)]
pub async fn retry_mail(caller: Caller, Id(id): Id, Body(why): Body<Why>) -> Result<Json<Queued>, Problem> {
    retry(&caller, &[Line::Mails], &id, &why).await
}

/// Gives a mail up
///
/// One that waits is not sent, and its content is erased.
#[utoipa::path(
    post, path = "/admin/api/v1/mails/{mail}/give-up", tag = "Mails", operation_id = "giveUpMail",
    params(("mail" = String, Path, description = "`id` of the mail")),
    request_body = Why,
    responses((status = 200, description = "The mail", body = Queued)),
)]
pub async fn give_up_mail(caller: Caller, Id(id): Id, Body(why): Body<Why>) -> Result<Json<Queued>, Problem> {
    give_up(&caller, &[Line::Mails], &id, &why).await
}

/// Sends a message now
///
/// One that waits for its next attempt, or a webhook that was given up.
#[utoipa::path(
    post, path = "/admin/api/v1/deliveries/{delivery}/retry", tag = "Webhooks", operation_id = "retryDelivery",
    params(("delivery" = String, Path, description = "`id` of the message")),
    request_body = Why,
    responses((status = 200, description = "The message", body = Queued)),
)]
pub async fn retry_delivery(
    caller: Caller,
    Id(id): Id,
    Body(why): Body<Why>,
) -> Result<Json<Queued>, Problem> {
    retry(&caller, &DELIVERIES, &id, &why).await
}

/// Gives a message up
///
/// One that waits is not sent any more.
#[utoipa::path(
    post, path = "/admin/api/v1/deliveries/{delivery}/give-up", tag = "Webhooks", operation_id = "giveUpDelivery",
    params(("delivery" = String, Path, description = "`id` of the message")),
    request_body = Why,
    responses((status = 200, description = "The message", body = Queued)),
)]
pub async fn give_up_delivery(
    caller: Caller,
    Id(id): Id,
    Body(why): Body<Why>,
) -> Result<Json<Queued>, Problem> {
    give_up(&caller, &DELIVERIES, &id, &why).await
}
