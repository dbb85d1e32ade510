//! `/admin/webhooks/new` and `/admin/webhooks/{webhook}/edit`: what a webhook is told of, and where.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    guard::{Operator, OperatorForm},
    webhooks::find,
    wrong,
};
use crate::{
    audit::{Act, Reason},
    clients::webhook::{EventKind, Webhook},
    operators::webhooks::{Refused, Wanted},
    pages::{
        parts::{FormErrors, InsurerChoice},
        sample,
    },
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks what it is. Posts `name`, `url`, `events`, `insurer`, `client`, `version` and `reason` to `action`.
#[derive(Clone, Debug, Serialize)]
pub struct WebhookForm {
    /// `new` or `edit`, as in names of texts.
    pub kind: &'static str,
    /// Where the form goes.
    pub action: String,
    /// Where 「戻る」 leads.
    pub back: String,
    /// What was typed.
    pub typed: Typed,
    /// Events to choose from: name, and whether it is chosen.
    pub events: Vec<(&'static str, bool)>,
    /// Insurers to choose from.
    pub insurers: Vec<InsurerChoice>,
    /// Whether 「すべての保険者」 can be chosen.
    pub all: bool,
    /// What is wrong.
    pub errors: FormErrors,
}

/// What the page sends.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Typed {
    name: String,
    url: String,
    #[serde(skip_serializing)]
    events: Vec<String>,
    insurer: String,
    client: String,
    /// Version of the webhook that was on the screen.
    version: String,
    reason: String,
}

/// A secret, shown once: the answer to the form that made it.
#[derive(Clone, Debug, Serialize)]
pub struct WebhookSecret {
    /// The secret.
    pub secret: String,
    /// Whether the one of before signs beside it for a while.
    pub rotated: bool,
    /// Where 「保管しました」 leads.
    pub next: String,
}

impl Page for WebhookForm {
    const TEMPLATE: &'static str = "admin/webhook_form.html";

    fn samples() -> Vec<Self> {
        let chosen = |kind: EventKind| (kind.name(), kind == EventKind::Activated);
        let empty = Self {
            kind: "new",
            action: "/admin/webhooks/new".to_owned(),
            back: "/admin/webhooks".to_owned(),
            typed: Typed::default(),
            events: EventKind::ALL.map(chosen).into(),
            insurers: sample::insurers(),
            all: true,
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("name", Message::new("webhooks-error-name"));
        errors.add("url", Message::new("webhooks-error-url"));
        errors.add("events", Message::new("webhooks-error-events"));
        errors.add("client", Message::new("webhooks-error-client"));
        errors.add("reason", Message::new("console-error-reason-empty"));
        let typed = Typed {
            name: sample::HOSTILE.to_owned(),
            url: sample::LONG.to_owned(),
            client: sample::HOSTILE.to_owned(),
            insurer: "7132".to_owned(),
            ..Typed::default()
        };
        let wrong = Self { kind: "edit", typed, all: false, errors, ..empty.clone() };
        let changed = Self {
            kind: "edit",
            errors: FormErrors::form(Message::new("webhooks-error-changed")),
            ..empty.clone()
        };
        vec![empty, wrong, changed]
    }
}

impl Page for WebhookSecret {
    const TEMPLATE: &'static str = "admin/webhook_secret.html";

    fn samples() -> Vec<Self> {
        let made = Self {
            secret: format!("whsec_{}=", "A".repeat(43)),
            rotated: false,
            next: "/admin/webhooks/q7Zk3vX0aJm2Yt8RbLwN1g".to_owned(),
        };
        vec![Self { rotated: true, ..made.clone() }, made]
    }
}

/// GET `/admin/webhooks/new`
pub async fn get_new(reader: Operator) -> Result<Response, PageError> {
    let typed = Typed { insurer: reader.scope().unwrap_or_default().to_owned(), ..Typed::default() };
    page(&reader, None, typed, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/webhooks/new`
pub async fn post_new(OperatorForm(reader, typed): OperatorForm<Typed>) -> Result<Response, PageError> {
    let (wanted, reason) = match read(&reader, &typed)? {
        Ok(read) => read,
        Err(refusal) => return page(&reader, None, typed, refusal),
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    match reader.app().operators.add_webhook(wanted, act).await? {
        Ok((webhook, secret)) => {
            let next = format!("/admin/webhooks/{}", webhook.id);
            Ok(reader.show(&WebhookSecret { secret, rotated: false, next }).render()?)
        }
        Err(refused) => page(&reader, None, typed, refusal(refused)),
    }
}

/// GET `/admin/webhooks/{webhook}/edit`
pub async fn get_edit(reader: Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let webhook = find(&reader, &id).await?;
    let typed = Typed {
        name: webhook.name.clone(),
        url: webhook.url.clone(),
        events: webhook.events.iter().map(|kind| kind.name().to_owned()).collect(),
        insurer: webhook.insurer.clone().unwrap_or_default(),
        client: webhook.client_id.clone().unwrap_or_default(),
        version: webhook.updated_at.millis().to_string(),
        reason: String::new(),
    };
    page(&reader, Some(&webhook), typed, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/webhooks/{webhook}/edit`
pub async fn post_edit(
    Path(id): Path<String>,
    OperatorForm(reader, typed): OperatorForm<Typed>,
) -> Result<Response, PageError> {
    let webhook = find(&reader, &id).await?;
    let (wanted, reason) = match read(&reader, &typed)? {
        Ok(read) => read,
        Err(refusal) => return page(&reader, Some(&webhook), typed, refusal),
    };
    // What was on the screen may have been changed by a colleague since.
    if typed.version != webhook.updated_at.millis().to_string() {
        return page(&reader, Some(&webhook), typed, refusal(Refused::Changed));
    }
    let act = Act { actor: &reader.actor, reason: &reason };
    match reader.app().operators.change_webhook(webhook.clone(), wanted, act).await? {
        Ok(()) => Ok(reader.visit.redirect(&format!("/admin/webhooks/{id}?done=webhook-changed"))?),
        Err(refused) => page(&reader, Some(&webhook), typed, refusal(refused)),
    }
}

/// What is wanted and why, or what is wrong with it.
fn read(reader: &Operator, typed: &Typed) -> Result<Result<(Wanted, Reason), Refusal>, PageError> {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let insurer = some(&typed.insurer);
    // Nobody has others told of what is not their business.
    reader.reach(insurer.as_deref())?;
    let url = typed.url.trim().to_owned();
    if reader.app().egress.check(&url).is_err() {
        return Ok(Err(wrong("url", Message::new("webhooks-error-url"))));
    }
    let reason = match Reason::parse(&typed.reason) {
        Ok(reason) => reason,
        Err(error) => return Ok(Err(wrong("reason", Message::new(error.text_id())))),
    };
    let chosen = |kind: &EventKind| typed.events.iter().any(|name| name == kind.name());
    let wanted = Wanted {
        name: typed.name.trim().to_owned(),
        url,
        events: EventKind::ALL.into_iter().filter(chosen).collect(),
        insurer,
        client_id: some(&typed.client),
    };
    Ok(Ok((wanted, reason)))
}

/// What to say about an act that was refused.
pub fn refusal(refused: Refused) -> Refusal {
    let field = |name, text: &str| wrong(name, Message::new(text));
    let form = |text: &str| (StatusCode::CONFLICT, FormErrors::form(Message::new(text)));
    match refused {
        Refused::Name => field("name", "webhooks-error-name"),
        Refused::Events => field("events", "webhooks-error-events"),
        Refused::Insurer => field("insurer", "operators-error-insurer"),
        Refused::Client => field("client", "webhooks-error-client"),
        Refused::OtherInsurer => field("insurer", "webhooks-error-other-insurer"),
        Refused::Changed => form("webhooks-error-changed"),
        Refused::Already => form("operators-error-already"),
    }
}

fn page(
    reader: &Operator,
    webhook: Option<&Webhook>,
    typed: Typed,
    (status, errors): Refusal,
) -> Result<Response, PageError> {
    let config = reader.app().config();
    let insurers = config.insurers.iter().filter(|one| reader.reach(Some(&one.code)).is_ok());
    let path = |id: &str| format!("/admin/webhooks/{id}");
    let chosen = |kind: EventKind| (kind.name(), typed.events.iter().any(|name| name == kind.name()));
    let page = WebhookForm {
        kind: if webhook.is_some() { "edit" } else { "new" },
        action: webhook.map_or_else(|| path("new"), |one| path(&one.id) + "/edit"),
        back: webhook.map_or_else(|| "/admin/webhooks".to_owned(), |one| path(&one.id)),
        events: EventKind::ALL.map(chosen).into(),
        typed,
        insurers: insurers.map(|one| InsurerChoice::of(one, reader.visit.locale)).collect(),
        all: reader.scope().is_none(),
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}
