//! `/admin/webhooks/{webhook}/rotate-secret`, `…/disable`, `…/enable` and `…/test`.

use axum::{extract::Path, http::StatusCode, response::Response};

use super::{
    confirm::{Confirm, Fact, ReasonForm},
    guard::{Operator, OperatorForm},
    webhook_form::{WebhookSecret, refusal},
    webhooks::find,
};
use crate::{
    audit::Act,
    clients::webhook::Webhook,
    pages::parts::FormErrors,
    web::{PageError, templates::Message},
};

/// Which act a path names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    RotateSecret,
    Disable,
    Enable,
    Test,
}

impl Kind {
    fn of(name: &str) -> Result<Self, PageError> {
        [Self::RotateSecret, Self::Disable, Self::Enable, Self::Test]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::RotateSecret => "rotate-secret",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Test => "test",
        }
    }

    fn page(self, webhook: &Webhook) -> Confirm {
        let name = self.name();
        Confirm {
            title: Message::new(format!("webhooks-{name}-title")),
            text: Message::new(format!("webhooks-{name}-text")),
            facts: vec![Fact::new("webhooks-name", &webhook.name), Fact::new("webhooks-url", &webhook.url)],
            action: format!("/admin/webhooks/{}/{name}", webhook.id),
            back: format!("/admin/webhooks/{}", webhook.id),
            grave: self == Self::Disable,
            reason: String::new(),
            errors: FormErrors::none(),
        }
    }
}

/// GET `/admin/webhooks/{webhook}/{act}`
pub async fn get(reader: Operator, Path((id, act)): Path<(String, String)>) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let webhook = find(&reader, &id).await?;
    let empty = ReasonForm { reason: String::new() };
    kind.page(&webhook).show(&reader, &empty, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/webhooks/{webhook}/{act}`
pub async fn post(
    Path((id, act)): Path<(String, String)>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let webhook = find(&reader, &id).await?;
    let page = kind.page(&webhook);
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(refusal) => return page.show(&reader, &form, refusal),
    };
    let (operators, act) = (&reader.app().operators, Act { actor: &reader.actor, reason: &reason });
    let next = format!("/admin/webhooks/{id}");
    let (done, outcome) = match kind {
        Kind::RotateSecret => match operators.rotate_webhook_secret(webhook, act).await? {
            Ok(secret) => return Ok(reader.show(&WebhookSecret { secret, rotated: true, next }).render()?),
            Err(refused) => ("", Err(refused)),
        },
        Kind::Disable => ("webhook-disabled", operators.enable_webhook(webhook, false, act).await?),
        Kind::Enable => ("webhook-enabled", operators.enable_webhook(webhook, true, act).await?),
        Kind::Test => {
            operators.test_webhook(&webhook, act).await?;
            ("webhook-tested", Ok(()))
        }
    };
    match outcome {
        Ok(()) => Ok(reader.visit.redirect(&format!("{next}?done={done}"))?),
        Err(refused) => page.show(&reader, &form, refusal(refused)),
    }
}
