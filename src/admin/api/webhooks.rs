//! `/admin/api/v1/webhooks`: systems that are told of what happens.

use axum::{Json, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{
    guard::Caller,
    paging::Page,
    problem::{Kind, Problem},
    read::{Body, Id, Why, act, reason},
    version::{created, tagged, unchanged},
};
use crate::{
    clients::webhook::{EventKind, OVERLAP, Webhook as Stored},
    oidc::resource::API,
    operators::{log::utc, webhooks::Refused, webhooks::Wanted},
};

#[derive(OpenApi)]
#[openapi(paths(list, add, get, change, rotate_secret, disable, enable, test))]
pub(super) struct Doc;

/// A system that is told of what happens.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// Names it here and in the audit.
    #[schema(example = "8oJ0cGJb2x0mBqk3mYb0Jw")]
    pub id: String,
    /// What operators call it.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// What it is told of.
    pub events: Vec<WebhookEvent>,
    /// Portal code of the one insurer; absent: every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insurer: Option<String>,
    /// `client_id` of the app whose names for members it gets; absent: the provider's own subjects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Secrets that sign: two for a day after a rotation.
    pub secrets: usize,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// What a webhook is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub enum WebhookEvent {
    /// A first-time registration was completed.
    #[serde(rename = "member.activated")]
    Activated,
    /// A registration was wiped.
    #[serde(rename = "member.reset")]
    Reset,
    /// A member may not use the service any more.
    #[serde(rename = "member.eligibility_lost")]
    EligibilityLost,
    /// An app was registered, changed, disabled or removed.
    #[serde(rename = "client.changed")]
    ClientChanged,
}

/// A webhook as it is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedWebhook {
    /// What operators call it.
    #[schema(min_length = 1, max_length = 100, example = "基幹システム")]
    pub name: String,
    /// Where messages go, with https.
    #[schema(max_length = 2000, example = "https://hook.example.jp/kenpos")]
    pub url: String,
    /// What it is told of.
    #[schema(min_items = 1)]
    pub events: Vec<WebhookEvent>,
    /// Portal code of the one insurer; absent: every one. A client of one insurer adds for that one alone.
    #[schema(pattern = "^[0-9]{1,8}$", example = "7132")]
    pub insurer: Option<String>,
    /// `client_id` of the app whose names for members it gets.
    pub client_id: Option<String>,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "new link")]
    pub reason: String,
}

/// A webhook with its new secret, which is told only now.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    pub webhook: Webhook,
    /// The secret, `whsec_…`.
    pub secret: String,
    /// Until when the secret of before signs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub old_secret_until: Option<String>,
}

/// A message that was put into the queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookTest {
    /// `id` of the message.
    pub delivery: String,
}

impl From<EventKind> for WebhookEvent {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::Activated => Self::Activated,
            EventKind::Reset => Self::Reset,
            EventKind::EligibilityLost => Self::EligibilityLost,
            EventKind::ClientChanged => Self::ClientChanged,
        }
    }
}

fn view(caller: &Caller, stored: &Stored) -> Webhook {
    Webhook {
        id: stored.id.clone(),
        name: stored.name.clone(),
        url: stored.url.clone(),
        events: stored.events.iter().copied().map(WebhookEvent::from).collect(),
        insurer: stored.insurer.clone(),
        client_id: stored.client_id.clone(),
        enabled: stored.disabled_at.is_none(),
        secrets: stored.secrets_in_use(caller.app().now()),
        created_at: utc(stored.created_at.millis()),
    }
}

/// The webhook, if it is within reach.
async fn find(caller: &Caller, id: &str) -> Result<Stored, Problem> {
    let found = caller.app().operators.webhook(id).await?.ok_or_else(Problem::not_found)?;
    caller.reach(found.insurer.as_deref())?;
    Ok(found)
}

fn refusal(refused: Refused) -> Problem {
    let detail = refused.to_string();
    match refused {
        Refused::Name => Problem::field("/name", "malformed", detail),
        Refused::Events => Problem::field("/events", "missing", detail),
        Refused::Insurer => Problem::field("/insurer", "unknown", detail),
        Refused::Client => Problem::field("/client_id", "unknown", detail),
        Refused::OtherInsurer => Problem::field("/insurer", "other_insurer", detail),
        Refused::Changed => Problem::new(Kind::PreconditionFailed).saying(detail),
        Refused::Already => Problem::conflict("already", detail),
    }
}

fn wanted(caller: &Caller, asked: WantedWebhook) -> Result<Wanted, Problem> {
    // Nobody has others told of what is not their business.
    if caller.reach(asked.insurer.as_deref()).is_err() {
        return Err(refusal(Refused::Insurer));
    }
    let checked = caller.app().egress.check(&asked.url);
    checked.map_err(|error| Problem::field("/url", "refused", error.to_string()))?;
    let chosen = |kind: &EventKind| asked.events.contains(&WebhookEvent::from(*kind));
    Ok(Wanted {
        events: EventKind::ALL.into_iter().filter(chosen).collect(),
        name: asked.name,
        url: asked.url,
        insurer: asked.insurer,
        client_id: asked.client_id,
    })
}

/// Lists the webhooks
///
/// The oldest first, all on one page. A client of one insurer sees those of that one alone.
#[utoipa::path(
    get, path = "/admin/api/v1/webhooks", tag = "Webhooks", operation_id = "listWebhooks",
    responses((status = 200, description = "The webhooks", body = Page<Webhook>)),
)]
pub async fn list(caller: Caller) -> Result<Json<Page<Webhook>>, Problem> {
    let list = caller.app().operators.webhooks(caller.scope()).await?;
    Ok(Json(Page { items: list.iter().map(|one| view(&caller, one)).collect(), next: None }))
}

/// Adds a webhook
///
/// Answers with its secret, which is told only now.
#[utoipa::path(
    post, path = "/admin/api/v1/webhooks", tag = "Webhooks", operation_id = "addWebhook",
    request_body = WantedWebhook,
    responses((status = 201, description = "The webhook with its secret", body = WebhookWithSecret,
        headers(("Location" = String, description = "URL of the webhook")))),
)]
pub async fn add(caller: Caller, Body(asked): Body<WantedWebhook>) -> Result<Response, Problem> {
    let why = reason(&asked.reason)?;
    let wanted = wanted(&caller, asked)?;
    let operators = &caller.app().operators;
    let added = operators.add_webhook(wanted, act(&caller.actor, &why)).await?;
    let (stored, secret) = added.map_err(refusal)?;
    let made = WebhookWithSecret { webhook: view(&caller, &stored), secret, old_secret_until: None };
    Ok(created(&caller, &format!("{API}/webhooks/{}", stored.id), &made, &made.webhook))
}

/// Shows a webhook
///
/// With the `ETag` that a change asks for; never its secrets.
#[utoipa::path(
    get, path = "/admin/api/v1/webhooks/{webhook}", tag = "Webhooks", operation_id = "getWebhook",
    params(("webhook" = String, Path, description = "`id` of the webhook")),
    responses((status = 200, description = "The webhook", body = Webhook,
        headers(("ETag" = String, description = "Version of the webhook")))),
)]
pub async fn get(caller: Caller, Id(id): Id) -> Result<Response, Problem> {
    Ok(tagged(&view(&caller, &find(&caller, &id).await?)))
}

/// Changes a webhook
///
/// All that is said of it but its secrets.
#[utoipa::path(
    put, path = "/admin/api/v1/webhooks/{webhook}", tag = "Webhooks", operation_id = "changeWebhook",
    params(
        ("webhook" = String, Path, description = "`id` of the webhook"),
        ("If-Match" = String, Header, description = "`ETag` of the webhook as it was read"),
    ),
    request_body = WantedWebhook,
    responses((status = 200, description = "The webhook as it is now", body = Webhook,
        headers(("ETag" = String, description = "Version of the webhook")))),
)]
pub async fn change(
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
    Body(asked): Body<WantedWebhook>,
) -> Result<Response, Problem> {
    let stored = find(&caller, &id).await?;
    unchanged(&headers, &view(&caller, &stored))?;
    let why = reason(&asked.reason)?;
    let wanted = wanted(&caller, asked)?;
    let operators = &caller.app().operators;
    operators.change_webhook(stored, wanted, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(tagged(&view(&caller, &find(&caller, &id).await?)))
}

/// Gives a webhook a new secret
///
/// It is told only now. The one of before signs beside it for a day.
#[utoipa::path(
    post, path = "/admin/api/v1/webhooks/{webhook}/rotate-secret", tag = "Webhooks",
    operation_id = "rotateWebhookSecret",
    params(("webhook" = String, Path, description = "`id` of the webhook")),
    request_body = Why,
    responses((status = 200, description = "The webhook with its new secret", body = WebhookWithSecret)),
)]
pub async fn rotate_secret(
    caller: Caller,
    Id(id): Id,
    Body(why): Body<Why>,
) -> Result<Json<WebhookWithSecret>, Problem> {
    let (stored, why) = (find(&caller, &id).await?, reason(&why.reason)?);
    let operators = &caller.app().operators;
    let rotated = operators.rotate_webhook_secret(stored, act(&caller.actor, &why)).await?;
    let secret = rotated.map_err(refusal)?;
    let until = utc(caller.app().now().plus(OVERLAP).millis());
    let webhook = view(&caller, &find(&caller, &id).await?);
    Ok(Json(WebhookWithSecret { webhook, secret, old_secret_until: Some(until) }))
}

async fn enabled(caller: &Caller, id: &str, why: &Why, enabled: bool) -> Result<Json<Webhook>, Problem> {
    let (stored, why) = (find(caller, id).await?, reason(&why.reason)?);
    let operators = &caller.app().operators;
    operators.enable_webhook(stored, enabled, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(view(caller, &find(caller, id).await?)))
}

/// Disables a webhook
///
/// It is told nothing any more, nor later what happens meanwhile.
#[utoipa::path(
    post, path = "/admin/api/v1/webhooks/{webhook}/disable", tag = "Webhooks", operation_id = "disableWebhook",
    params(("webhook" = String, Path, description = "`id` of the webhook")),
    request_body = Why,
    responses((status = 200, description = "The webhook, disabled", body = Webhook)),
)]
pub async fn disable(caller: Caller, Id(id): Id, Body(why): Body<Why>) -> Result<Json<Webhook>, Problem> {
    enabled(&caller, &id, &why, false).await
}

/// Enables a webhook
///
/// It is told again what happens from now on.
#[utoipa::path(
    post, path = "/admin/api/v1/webhooks/{webhook}/enable", tag = "Webhooks", operation_id = "enableWebhook",
    params(("webhook" = String, Path, description = "`id` of the webhook")),
    request_body = Why,
    responses((status = 200, description = "The webhook, enabled", body = Webhook)),
)]
pub async fn enable(caller: Caller, Id(id): Id, Body(why): Body<Why>) -> Result<Json<Webhook>, Problem> {
    enabled(&caller, &id, &why, true).await
}

/// Tests a webhook
///
/// Sends one message `webhook.test`, whose fate is shown among the messages.
#[utoipa::path(
    post, path = "/admin/api/v1/webhooks/{webhook}/test", tag = "Webhooks", operation_id = "testWebhook",
    params(("webhook" = String, Path, description = "`id` of the webhook")),
    request_body = Why,
    responses((status = 200, description = "The message was put into the queue", body = WebhookTest)),
)]
pub async fn test(caller: Caller, Id(id): Id, Body(why): Body<Why>) -> Result<Json<WebhookTest>, Problem> {
    let (stored, why) = (find(&caller, &id).await?, reason(&why.reason)?);
    let operators = &caller.app().operators;
    let delivery = operators.test_webhook(&stored, act(&caller.actor, &why)).await?;
    Ok(Json(WebhookTest { delivery }))
}
