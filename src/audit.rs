//! The audit: who did what to whom, appended in the transaction of the act itself.
//!
//! What an operator does is a function that takes an [`Act`] (who, and why) and writes its line in the same
//! transaction; console, API and command line call the same one. [`chain`] proves that the lines are whole.

pub mod act;
pub mod chain;

pub use act::{Act, Actor, Reason, ReasonError};

use serde_json::Value;

use crate::{
    clock::{Entropy, Timestamp},
    storage::{
        On, StorageError, audit,
        webhook_event::{self, WebhookEvent},
    },
};

/// Something that happened, before it is written down.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Who: `member:ID`, `client:ID`, `system`, or an [`Actor`].
    pub actor: String,
    /// What, such as `member.signed_in`.
    pub action: &'static str,
    /// Portal code of the insurer concerned.
    pub insurer: Option<&'a str>,
    /// Member concerned.
    pub member: Option<&'a str>,
    /// Client concerned.
    pub client: Option<&'a str>,
    /// More, without personal data.
    pub detail: Value,
}

impl<'a> Event<'a> {
    /// An act of the server itself.
    pub fn system(action: &'static str) -> Self {
        Self {
            actor: Actor::system().to_string(),
            action,
            insurer: None,
            member: None,
            client: None,
            detail: Value::Null,
        }
    }

    /// An act of a member on the own account.
    pub fn member(action: &'static str, member: &'a crate::storage::member::Member) -> Self {
        Self {
            actor: format!("member:{}", member.id),
            insurer: Some(&member.insurer),
            member: Some(&member.id),
            ..Self::system(action)
        }
    }

    /// An act of an operator for which nobody asks a reason; see [`Act::event`] for the others.
    pub fn by(actor: &Actor, action: &'static str) -> Self {
        Self { actor: actor.to_string(), ..Self::system(action) }
    }

    /// Names the insurer concerned.
    #[must_use]
    pub const fn with_insurer(mut self, insurer: Option<&'a str>) -> Self {
        self.insurer = insurer;
        self
    }

    /// Names the client concerned.
    #[must_use]
    pub const fn with_client(mut self, client: Option<&'a str>) -> Self {
        self.client = client;
        self
    }

    /// Adds detail.
    #[must_use]
    pub fn with_detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }
}

/// What webhooks are told of an action of the audit. The loss of an eligibility is no act; it is told by
/// [`crate::storage::eligibility`].
fn told_as(action: &str) -> Option<&'static str> {
    match action {
        "member.activated" => Some("member.activated"),
        "member.reset" => Some("member.reset"),
        _ if action.starts_with("client.") => Some("client.changed"),
        _ => None,
    }
}

/// Writes an event down and, if webhooks ask for it, has them told: both hold with the caller's transaction.
pub async fn record(
    on: impl Into<On<'_>>,
    entropy: &Entropy,
    now: Timestamp,
    event: Event<'_>,
) -> Result<(), StorageError> {
    let entry = audit::Entry {
        id: entropy.id(),
        at: now.millis(),
        actor: event.actor,
        action: event.action.to_owned(),
        insurer: event.insurer.map(str::to_owned),
        member_id: event.member.map(str::to_owned),
        client_id: event.client.map(str::to_owned),
        detail: event.detail.to_string(),
    };
    let mut on: On<'_> = on.into();
    audit::append(on.again(), &entry).await?;
    let Some(name) = told_as(&entry.action) else { return Ok(()) };
    let event = WebhookEvent {
        id: entry.id,
        name: name.to_owned(),
        insurer: entry.insurer,
        member_id: entry.member_id,
        client_id: entry.client_id,
        at: entry.at,
    };
    webhook_event::publish(on, &event).await
}
