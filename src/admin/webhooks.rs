//! `/admin/webhooks`: systems that are told of what happens; and `/admin/webhooks/{webhook}`, one of them with
//! its last messages.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Serialize;

use super::{guard::Operator, queue::Row};
use crate::{
    clients::webhook::Webhook,
    operators::{Permission, queues::Line},
    pages::sample,
    texts::{Given, Locale},
    web::{PageError, templates::Page},
};

/// Messages that a webhook's page shows.
const LAST: i64 = 20;

/// The webhooks, the oldest first.
#[derive(Clone, Debug, Serialize)]
pub struct Webhooks {
    /// The webhooks.
    pub webhooks: Vec<Shown>,
    /// Whether this operator may add one.
    pub may_manage: bool,
}

/// A webhook as the pages show one.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Names it in the path.
    pub id: String,
    /// What operators call it.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// Names of what it is told of.
    pub events: Vec<String>,
    /// Name of the one insurer; none: all.
    pub insurer: Option<Given>,
    /// The client whose names for members it gets.
    pub client: Option<String>,
    /// `enabled` or `disabled`.
    pub state: &'static str,
    /// Secrets that sign.
    pub secrets: usize,
    /// When it was added, in words.
    pub created: String,
}

/// A webhook with its last messages.
#[derive(Clone, Debug, Serialize)]
pub struct WebhookPage {
    /// The webhook.
    pub webhook: Shown,
    /// Its last messages, each with the name of what happened.
    pub deliveries: Vec<(Row, String)>,
    /// Whether this operator may change anything.
    pub may_manage: bool,
}

impl Shown {
    /// The webhook as `reader` sees it.
    pub fn of(reader: &Operator, webhook: &Webhook) -> Self {
        let app = reader.app();
        let named = |code: &str| {
            let insurer = app.members.insurer(code);
            insurer.map_or_else(
                || Given::choose(reader.visit.locale, code, None),
                |one| one.name_in(reader.visit.locale),
            )
        };
        Self {
            id: webhook.id.clone(),
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.iter().map(|kind| kind.name().to_owned()).collect(),
            insurer: webhook.insurer.as_deref().map(named),
            client: webhook.client_id.clone(),
            state: if webhook.disabled_at.is_some() { "disabled" } else { "enabled" },
            secrets: webhook.secrets_in_use(app.now()),
            created: reader.date_time(webhook.created_at),
        }
    }

    fn sample(state: &'static str) -> Self {
        Self {
            id: sample::INTERACTION.to_owned(),
            name: "基幹システム".to_owned(),
            url: "https://hook.example.jp/kenpos".to_owned(),
            events: vec!["member.activated".to_owned(), "member.eligibility_lost".to_owned()],
            insurer: Some(Given::choose(Locale::Ja, "さくら健康保険組合", None)),
            client: None,
            state,
            secrets: 1,
            created: "2026年11月23日(月)10時15分".to_owned(),
        }
    }

    fn hostile() -> Self {
        Self {
            name: sample::HOSTILE.to_owned(),
            url: format!("https://hook.example.jp/{}", sample::LONG),
            insurer: None,
            client: Some(sample::HOSTILE.to_owned()),
            secrets: 2,
            ..Self::sample("disabled")
        }
    }
}

impl Page for Webhooks {
    const TEMPLATE: &'static str = "admin/webhooks.html";

    fn samples() -> Vec<Self> {
        let some = Self { webhooks: vec![Shown::sample("enabled"), Shown::hostile()], may_manage: true };
        vec![Self { webhooks: vec![], may_manage: true }, Self { may_manage: false, ..some.clone() }, some]
    }
}

impl Page for WebhookPage {
    const TEMPLATE: &'static str = "admin/webhook.html";

    fn samples() -> Vec<Self> {
        let row = |state| (Row { may_bounce: false, ..Row::sample(state) }, "member.activated".to_owned());
        let enabled = Self {
            webhook: Shown::sample("enabled"),
            deliveries: vec![row("queued"), row("sent"), row("failed")],
            may_manage: true,
        };
        let disabled = Self { webhook: Shown::hostile(), deliveries: vec![], may_manage: true };
        vec![Self { may_manage: false, ..enabled.clone() }, enabled, disabled]
    }
}

/// The webhook of a path, if the reader reaches it.
pub async fn find(reader: &Operator, id: &str) -> Result<Webhook, PageError> {
    let ours = id.len() <= 64 && !id.contains('\0');
    let found = if ours { reader.app().operators.webhook(id).await? } else { None };
    let found = found.ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))?;
    reader.reach(found.insurer.as_deref())?;
    Ok(found)
}

/// GET `/admin/webhooks`
pub async fn get(reader: Operator) -> Result<Response, PageError> {
    let list = reader.app().operators.webhooks(reader.scope()).await?;
    let page = Webhooks {
        webhooks: list.iter().map(|one| Shown::of(&reader, one)).collect(),
        may_manage: reader.may(Permission::ManageWebhooks),
    };
    Ok(reader.show(&page).render()?)
}

/// GET `/admin/webhooks/{webhook}`
pub async fn show(reader: Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let webhook = find(&reader, &id).await?;
    let rows = reader.app().operators.webhook_deliveries(&webhook, LAST).await?;
    let page = WebhookPage {
        webhook: Shown::of(&reader, &webhook),
        deliveries: rows
            .iter()
            .map(|(row, event)| (Row::of(&reader, Line::Webhooks, row), event.clone()))
            .collect(),
        may_manage: reader.may(Permission::ManageWebhooks),
    };
    Ok(reader.show(&page).render()?)
}
