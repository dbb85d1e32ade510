//! `/admin/keys`: the signing keys, and what can be done with them.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Serialize;

use super::{
    confirm::{Confirm, Fact, ReasonForm},
    guard::{Operator, OperatorForm},
};
use crate::{
    audit::Act,
    crypto::KeyState,
    fault::Fault,
    oidc::signing::SigningError,
    operators::Permission,
    pages::{parts::FormErrors, sample},
    storage::signing_key::KeyRecord,
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// The keys, by algorithm and age.
#[derive(Clone, Debug, Serialize)]
pub struct Keys {
    /// The keys.
    pub keys: Vec<Key>,
    /// Whether this operator may change anything.
    pub may_rotate: bool,
}

/// A signing key.
#[derive(Clone, Debug, Serialize)]
pub struct Key {
    /// Key ID.
    pub kid: String,
    /// Algorithm.
    pub alg: String,
    /// `active`, `next` or `retired`.
    pub state: &'static str,
    /// When it was made, in words.
    pub created: String,
    /// When it began to sign.
    pub activated: Option<String>,
    /// When it ceased to.
    pub retired: Option<String>,
}

impl Page for Keys {
    const TEMPLATE: &'static str = "admin/keys.html";

    fn samples() -> Vec<Self> {
        let at = "2026年11月23日(月)10時15分".to_owned();
        let key = |state: &'static str| Key {
            kid: "kFYz0bVfH0Vt1g0hM6mL2j6w8bq9Yk3nq2oQv4yXc1A".to_owned(),
            alg: "RS256".to_owned(),
            state,
            created: at.clone(),
            activated: (state != "next").then(|| at.clone()),
            retired: (state == "retired").then(|| at.clone()),
        };
        let long = Key { alg: sample::LONG.to_owned(), ..key("next") };
        let all = Self { keys: vec![key("retired"), key("active"), key("next"), long], may_rotate: true };
        vec![Self { may_rotate: false, ..all.clone() }, all]
    }
}

/// GET `/admin/keys`
pub async fn get(reader: Operator) -> Result<Response, PageError> {
    let keys = reader.app().signing.list().await.map_err(fault)?;
    let shown = |key: KeyRecord| Key {
        kid: key.kid,
        alg: key.alg.name().to_owned(),
        state: key.state.name(),
        created: reader.date_time(key.created_at),
        activated: key.activated_at.map(|at| reader.date_time(at)),
        retired: key.retired_at.map(|at| reader.date_time(at)),
    };
    let page = Keys {
        keys: keys.into_iter().map(shown).collect(),
        // The keys are those of every insurer.
        may_rotate: reader.may(Permission::RotateKeys) && reader.scope().is_none(),
    };
    Ok(reader.show(&page).render()?)
}

fn rotation() -> Confirm {
    Confirm {
        title: Message::new("keys-rotate-title"),
        text: Message::new("keys-rotate-text"),
        facts: vec![],
        action: "/admin/keys/rotate".to_owned(),
        back: "/admin/keys".to_owned(),
        grave: false,
        reason: String::new(),
        errors: FormErrors::none(),
    }
}

/// GET `/admin/keys/rotate`
pub async fn ask_rotate(reader: Operator) -> Result<Response, PageError> {
    reader.reach(None)?;
    let empty = ReasonForm { reason: String::new() };
    rotation().show(&reader, &empty, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/keys/rotate`
pub async fn rotate(OperatorForm(reader, form): OperatorForm<ReasonForm>) -> Result<Response, PageError> {
    reader.reach(None)?;
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(refusal) => return rotation().show(&reader, &form, refusal),
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    match reader.app().signing.rotate_by(act).await {
        Ok(_) => Ok(reader.visit.redirect("/admin/keys?done=rotated")?),
        Err(SigningError::Raced) => rotation().show(&reader, &form, raced()),
        Err(error) => Err(fault(error).into()),
    }
}

fn retirement(key: &KeyRecord) -> Confirm {
    Confirm {
        title: Message::new("keys-retire-title"),
        text: Message::new(match key.state {
            KeyState::Active => "keys-retire-active",
            KeyState::Next => "keys-retire-next",
            KeyState::Retired => "keys-retire-retired",
        }),
        facts: vec![Fact::new("keys-kid", &key.kid), Fact::new("keys-alg", key.alg.name())],
        action: format!("/admin/keys/{}/retire", key.kid),
        back: "/admin/keys".to_owned(),
        grave: true,
        reason: String::new(),
        errors: FormErrors::none(),
    }
}

async fn find(reader: &Operator, kid: &str) -> Result<KeyRecord, PageError> {
    reader.reach(None)?;
    let keys = reader.app().signing.list().await.map_err(fault)?;
    keys.into_iter().find(|key| key.kid == kid).ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))
}

/// GET `/admin/keys/{kid}/retire`
pub async fn ask_retire(reader: Operator, Path(kid): Path<String>) -> Result<Response, PageError> {
    let key = find(&reader, &kid).await?;
    let empty = ReasonForm { reason: String::new() };
    retirement(&key).show(&reader, &empty, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/keys/{kid}/retire`
pub async fn retire(
    Path(kid): Path<String>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    let key = find(&reader, &kid).await?;
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(refusal) => return retirement(&key).show(&reader, &form, refusal),
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    match reader.app().signing.retire(&kid, act).await {
        Ok(_) => Ok(reader.visit.redirect("/admin/keys?done=retired")?),
        Err(SigningError::Raced | SigningError::Unknown) => retirement(&key).show(&reader, &form, raced()),
        Err(error) => Err(fault(error).into()),
    }
}

fn raced() -> super::Refusal {
    (StatusCode::CONFLICT, FormErrors::form(Message::new("keys-error-raced")))
}

fn fault(error: SigningError) -> Fault {
    match error {
        SigningError::Storage(error) => error.into(),
        error => Fault::internal(error),
    }
}
