//! Takes a webhook's message to its receiver: made and signed when it is sent, so that a secret that was rotated
//! or a change of address holds for what waits, too.

use serde_json::{Value, json};

use super::grant;
use crate::{
    app::App,
    clients::{
        Client,
        webhook::{self, Signed, Webhook},
    },
    clock::Timestamp,
    egress::{
        EgressError,
        deliveries::{Message, Outcome},
    },
    fault::Fault,
    storage::webhook_event::{self, WebhookEvent},
};

/// POSTs the message of a delivery.
pub async fn tell(app: &App, message: &Message) -> Result<Outcome, Fault> {
    let db = &app.members.db;
    let failed = |why: &str| Ok(Outcome::Failed(why.to_owned()));
    let Some(webhook) = Webhook::find(db, &message.target).await? else {
        return failed("the webhook was removed");
    };
    if webhook.disabled_at.is_some() {
        return failed("the webhook is disabled");
    }
    let event = message.id.strip_prefix(&webhook.id).and_then(|rest| rest.strip_prefix('.'));
    let Some(event) = webhook_event::find(db, event.unwrap_or_default()).await? else {
        return failed("what happened is not on record any more");
    };
    let Some(data) = data(app, &webhook, &event).await? else {
        return failed("the client whose names for members it gets is not there");
    };
    let body = webhook::body(&event.name, Timestamp::from_millis(event.at), &data);
    let signed = webhook.sign(&message.id, &body, &app.members.master, app.now());
    let Signed { id, timestamp, signature, body } = signed.map_err(Fault::internal)?;
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", &id),
        ("webhook-timestamp", &timestamp),
        ("webhook-signature", &signature),
    ];
    Ok(outcome(app.egress.post_body(&webhook.url, &headers, body).await))
}

/// Identifiers of what the event concerns; none when members cannot be named. A webhook of a client gets the
/// subjects that this client finds in its ID tokens, so that two receivers cannot compare their members
/// (OIDC Core §8.1); one without a client gets the provider's own.
async fn data(app: &App, webhook: &Webhook, event: &WebhookEvent) -> Result<Option<Value>, Fault> {
    let mut data = json!({});
    if let Some(insurer) = &event.insurer {
        data["insurer"] = json!(insurer);
    }
    let Some(member) = &event.member_id else {
        if let Some(client) = &event.client_id {
            data["client_id"] = json!(client);
        }
        return Ok(Some(data));
    };
    data["sub"] = match &webhook.client_id {
        None => json!(member),
        Some(id) => {
            let Some(client) = Client::find(&app.members.db, id).await? else { return Ok(None) };
            json!(grant::subject(app, &client, member, None).await?)
        }
    };
    Ok(Some(data))
}

/// What an answer means: a receiver that is down, or not ready yet, is asked again.
fn outcome(answer: Result<u16, EgressError>) -> Outcome {
    match answer {
        Ok(200..=299) => Outcome::Sent,
        Ok(410) => Outcome::Failed("the receiver wants no more messages: 410".to_owned()),
        Ok(status @ 300..=399) => Outcome::Failed(format!("redirects are not followed: {status}")),
        Ok(status) => Outcome::Again(format!("the receiver answered {status}")),
        Err(error @ EgressError::Refused(_)) => Outcome::Failed(error.to_string()),
        Err(error) => Outcome::Again(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_may_come_back_is_asked_again() {
        assert_eq!(outcome(Ok(204)), Outcome::Sent);
        for again in [400, 401, 404, 429, 500, 503] {
            assert!(matches!(outcome(Ok(again)), Outcome::Again(_)), "{again}");
        }
        for failed in [302, 307, 410] {
            assert!(matches!(outcome(Ok(failed)), Outcome::Failed(_)), "{failed}");
        }
        assert!(matches!(outcome(Err(EgressError::Refused("must use https"))), Outcome::Failed(_)));
        assert!(matches!(outcome(Err(EgressError::Unreachable("took too long"))), Outcome::Again(_)));
    }
}
