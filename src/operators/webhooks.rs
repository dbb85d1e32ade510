//! What operators do to webhooks.

use serde_json::json;

use super::Operators;
use crate::{
    audit::Act,
    clients::{
        Client,
        webhook::{EventKind, TEST, Webhook},
    },
    fault::Fault,
    storage::{
        queue::{Filter, Shown},
        webhook_event::{self, WebhookEvent},
    },
};

/// Characters of a name.
const MAX_NAME: usize = 100;

/// What an operator says of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What operators call it.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// What it is told of.
    pub events: Vec<EventKind>,
    /// Portal code of the one insurer; none: of every insurer.
    pub insurer: Option<String>,
    /// The client whose names for members it gets.
    pub client_id: Option<String>,
}

/// Why an act is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The name is empty or too long.
    #[error("the name must have 1 to {MAX_NAME} characters")]
    Name,
    /// No event was chosen.
    #[error("choose at least one event")]
    Events,
    /// No insurer of the configuration has the code.
    #[error("no insurer of the configuration has this code")]
    Insurer,
    /// There is no such client.
    #[error("there is no client of this client_id")]
    Client,
    /// The client serves one insurer, and the webhook would hear of others.
    #[error("the client is for the members of one insurer: choose the same")]
    OtherInsurer,
    /// Somebody else changed it meanwhile.
    #[error("somebody else changed the webhook meanwhile")]
    Changed,
    /// It is disabled already, or enabled.
    #[error("it is so already")]
    Already,
}

impl Operators {
    /// Those of an insurer (none: every one), the oldest first.
    pub async fn webhooks(&self, insurer: Option<&str>) -> Result<Vec<Webhook>, Fault> {
        Ok(Webhook::list(&self.db, insurer).await?)
    }

    /// The one of this id.
    pub async fn webhook(&self, id: &str) -> Result<Option<Webhook>, Fault> {
        Ok(Webhook::find(&self.db, id).await?)
    }

    /// Adds one and gives it with its secret, which is shown once. The URL must have been checked by
    /// [`crate::egress::Egress::check`].
    pub async fn add_webhook(
        &self,
        wanted: Wanted,
        act: Act<'_>,
    ) -> Result<Result<(Webhook, String), Refused>, Fault> {
        if let Err(refused) = self.check_webhook(&wanted).await? {
            return Ok(Err(refused));
        }
        let now = self.clock.now();
        let Wanted { name, url, events, insurer, client_id } = wanted;
        let mut webhook = Webhook {
            id: self.entropy.id(),
            name,
            url,
            events,
            insurer,
            client_id,
            secrets: Vec::new(),
            disabled_at: None,
            created_at: now,
            updated_at: now,
        };
        let secret = webhook.rotate_secret(&self.master, &self.entropy, now);
        let mut tx = self.db.begin().await?;
        webhook.insert(&mut tx).await?;
        let detail = json!({ "webhook": webhook.id, "url": webhook.url, "events": names(&webhook.events) });
        let event = act.event("webhook.created", detail).with_insurer(webhook.insurer.as_deref());
        self.record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(Ok((webhook, secret)))
    }

    /// Changes what it is told of and where; the URL must have been checked.
    pub async fn change_webhook(
        &self,
        mut webhook: Webhook,
        wanted: Wanted,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        if let Err(refused) = self.check_webhook(&wanted).await? {
            return Ok(Err(refused));
        }
        let Wanted { name, url, events, insurer, client_id } = wanted;
        let detail = json!({ "webhook": webhook.id, "url": url, "events": names(&events) });
        webhook.name = name;
        webhook.url = url;
        webhook.events = events;
        webhook.insurer = insurer;
        webhook.client_id = client_id;
        self.keep_webhook(&mut webhook, "webhook.changed", detail, act).await
    }

    /// Gives it a new secret, which is shown once; the one of before signs beside it for a day.
    pub async fn rotate_webhook_secret(
        &self,
        mut webhook: Webhook,
        act: Act<'_>,
    ) -> Result<Result<String, Refused>, Fault> {
        let secret = webhook.rotate_secret(&self.master, &self.entropy, self.clock.now());
        let detail = json!({ "webhook": webhook.id });
        let kept = self.keep_webhook(&mut webhook, "webhook.secret_rotated", detail, act).await?;
        Ok(kept.map(|()| secret))
    }

    /// Tells it nothing any more, or again what happens from now on.
    pub async fn enable_webhook(
        &self,
        mut webhook: Webhook,
        enabled: bool,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        if webhook.disabled_at.is_none() == enabled {
            return Ok(Err(Refused::Already));
        }
        webhook.disabled_at = (!enabled).then(|| self.clock.now());
        let action = if enabled { "webhook.enabled" } else { "webhook.disabled" };
        let detail = json!({ "webhook": webhook.id });
        self.keep_webhook(&mut webhook, action, detail, act).await
    }

    /// Sends it a test message, and gives the id of the delivery.
    pub async fn test_webhook(&self, webhook: &Webhook, act: Act<'_>) -> Result<String, Fault> {
        let event = WebhookEvent {
            id: self.entropy.id(),
            name: TEST.to_owned(),
            insurer: webhook.insurer.clone(),
            member_id: None,
            client_id: webhook.client_id.clone(),
            at: self.clock.now().millis(),
        };
        let mut tx = self.db.begin().await?;
        let delivery = webhook_event::tell_one(&mut tx, &event, &webhook.id).await?;
        let line = act.event("webhook.tested", json!({ "webhook": webhook.id }));
        self.record(&mut tx, line.with_insurer(webhook.insurer.as_deref())).await?;
        tx.commit().await?;
        self.deliveries.wake();
        Ok(delivery)
    }

    /// The newest messages to a webhook, each with the name of what happened.
    pub async fn webhook_deliveries(
        &self,
        webhook: &Webhook,
        limit: i64,
    ) -> Result<Vec<(Shown, String)>, Fault> {
        let filter = Filter { target: webhook.id.clone(), ..Filter::default() };
        let rows = self.queue_page(super::queues::Line::Webhooks, &filter, None, limit).await?;
        let mut named = Vec::with_capacity(rows.len());
        for row in rows {
            let event = row.id.split_once('.').map_or("", |(_, event)| event);
            let event = webhook_event::find(&self.db, event).await?;
            named.push((row, event.map(|event| event.name).unwrap_or_default()));
        }
        Ok(named)
    }

    async fn keep_webhook(
        &self,
        webhook: &mut Webhook,
        action: &'static str,
        detail: serde_json::Value,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        let mut tx = self.db.begin().await?;
        if !webhook.save(&mut tx, self.clock.now()).await? {
            return Ok(Err(Refused::Changed));
        }
        let event = act.event(action, detail).with_insurer(webhook.insurer.as_deref());
        self.record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    async fn check_webhook(&self, wanted: &Wanted) -> Result<Result<(), Refused>, Fault> {
        let length = wanted.name.chars().count();
        if length == 0 || length > MAX_NAME || wanted.name.chars().any(char::is_control) {
            return Ok(Err(Refused::Name));
        }
        if wanted.events.is_empty() {
            return Ok(Err(Refused::Events));
        }
        if wanted.insurer.as_deref().is_some_and(|code| self.insurer(code).is_none()) {
            return Ok(Err(Refused::Insurer));
        }
        let Some(id) = &wanted.client_id else { return Ok(Ok(())) };
        let Some(client) = Client::find(&self.db, id).await? else { return Ok(Err(Refused::Client)) };
        let other = client.metadata.insurer.is_some() && client.metadata.insurer != wanted.insurer;
        Ok(if other { Err(Refused::OtherInsurer) } else { Ok(()) })
    }
}

fn names(events: &[EventKind]) -> Vec<&'static str> {
    events.iter().map(|kind| kind.name()).collect()
}
