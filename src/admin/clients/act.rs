//! `/admin/clients/{client}/disable`, `…/enable`, `…/delete` and `…/end-old-secrets`.

use axum::{extract::Path, http::StatusCode, response::Response};

use super::{Named, find, refusal, rules};
use crate::{
    admin::{
        confirm::{Confirm, Fact, ReasonForm},
        guard::{Operator, OperatorForm},
    },
    audit::Act,
    clients::Client,
    fault::Fault,
    pages::parts::FormErrors,
    web::{PageError, templates::Message},
};

/// Which act a path names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Disable,
    Enable,
    Delete,
    EndOldSecrets,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Disable, Self::Enable, Self::Delete, Self::EndOldSecrets];

    fn of(name: &str) -> Result<Self, PageError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Delete => "delete",
            Self::EndOldSecrets => "end-old-secrets",
        }
    }

    fn page(self, reader: &Operator, client: &Client) -> Confirm {
        let (name, client) = (self.name(), Named::of(reader, client));
        Confirm {
            title: Message::new(format!("clients-{name}-title")),
            text: Message::new(format!("clients-{name}-text")),
            facts: vec![Fact::new("clients-name", client.name), Fact::new("clients-id", client.id)],
            action: format!("{}/{name}", client.path),
            back: client.path,
            grave: self != Self::Enable,
            reason: String::new(),
            errors: FormErrors::none(),
        }
    }
}

/// GET `/admin/clients/{client}/{act}`
pub async fn get(reader: Operator, Path((id, act)): Path<(String, String)>) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let client = find(&reader, &id).await?;
    let empty = ReasonForm { reason: String::new() };
    kind.page(&reader, &client).show(&reader, &empty, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/clients/{client}/{act}`
pub async fn post(
    Path((id, act)): Path<(String, String)>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let client = find(&reader, &id).await?;
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(refusal) => return kind.page(&reader, &client).show(&reader, &form, refusal),
    };
    let (rules, act) = (rules(&reader), Act { actor: &reader.actor, reason: &reason });
    let outcome = match kind {
        Kind::Disable => rules.disable(&client, act).await.map(|done| done.map(drop)),
        Kind::Enable => rules.enable(&client, act).await.map(|done| done.map(drop)),
        Kind::Delete => rules.delete(&client, act).await,
        Kind::EndOldSecrets => rules.end_old_secrets(&client, act).await.map(|done| done.map(drop)),
    };
    let path = Named::of(&reader, &client).path;
    match (outcome.map_err(Fault::from)?, kind) {
        (Ok(()), Kind::Delete) => Ok(reader.visit.redirect("/admin/clients?done=client-delete")?),
        (Ok(()), kind) => Ok(reader.visit.redirect(&format!("{path}?done=client-{}", kind.name()))?),
        (Err(refused), kind) => kind.page(&reader, &client).show(&reader, &form, refusal(&refused, &[])),
    }
}
