//! `/admin/clients/{client}/secret`: the secrets that work, and another one.

use std::time::Duration;

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Serialize;

use super::{Named, Pairs, detail::SecretView, find, reason, refusal, rules, told, value};
use crate::{
    admin::{
        Refusal,
        guard::{Operator, OperatorForm},
        wrong,
    },
    audit::Act,
    clients::Client,
    fault::Fault,
    pages::{parts::FormErrors, sample},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Hours that an old secret may work beside a new one.
const OVERLAPS: [u64; 6] = [0, 1, 24, 72, 168, 720];

/// Asks for the overlap. Posts `overlap`, `version` and `reason` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct SecretPage {
    /// The client.
    pub client: Named,
    /// Whether its method takes a secret.
    pub takes: bool,
    /// The secrets that work.
    pub secrets: Vec<SecretView>,
    /// Which state of the client the form was made from, so that sending it twice makes one secret.
    pub version: i64,
    /// Hours to choose from.
    pub overlaps: [u64; 6],
    /// The chosen ones.
    pub overlap: u64,
    /// The reason, as typed.
    pub reason: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for SecretPage {
    const TEMPLATE: &'static str = "admin/client_secret.html";

    fn samples() -> Vec<Self> {
        let two = Self {
            client: Named::sample(),
            takes: true,
            secrets: SecretView::samples(),
            version: 3,
            overlaps: OVERLAPS,
            overlap: 24,
            reason: String::new(),
            errors: FormErrors::none(),
        };
        let one = SecretView::samples().into_iter().take(1).collect();
        let mut errors = FormErrors::field("overlap", Message::new("clients-error-overlap"));
        errors.add("reason", Message::new("console-error-reason-long"));
        let wrong = Self { secrets: one, reason: sample::HOSTILE.to_owned(), errors, ..two.clone() };
        let errors = FormErrors::form(Message::new("clients-error-secret-changed"));
        let changed = Self { errors, ..two.clone() };
        let none = Self { client: Named::hostile(), takes: false, secrets: Vec::new(), ..two.clone() };
        vec![two, wrong, changed, none]
    }
}

/// GET `/admin/clients/{client}/secret`
pub async fn get(reader: Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let client = find(&reader, &id).await?;
    page(&reader, &client, (24, ""), (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/clients/{client}/secret`
pub async fn post(
    Path(id): Path<String>,
    OperatorForm(reader, pairs): OperatorForm<Pairs>,
) -> Result<Response, PageError> {
    let client = find(&reader, &id).await?;
    let hours = value(&pairs, "overlap").parse::<u64>().ok();
    let typed = (hours.unwrap_or(24), value(&pairs, "reason"));
    if value(&pairs, "version") != client.version.to_string() {
        // A reload of the answer that told the new secret, or somebody else was first.
        let errors = FormErrors::form(Message::new("clients-error-secret-changed"));
        return page(&reader, &client, typed, (StatusCode::CONFLICT, errors));
    }
    let Some(hours) = hours else {
        return page(&reader, &client, typed, wrong("overlap", Message::new("clients-error-overlap")));
    };
    let reason = match reason(&pairs) {
        Ok(reason) => reason,
        Err(refusal) => return page(&reader, &client, typed, refusal),
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    let overlap = Duration::from_secs(hours.saturating_mul(3600));
    match rules(&reader).rotate_secret(&client, overlap, act).await.map_err(Fault::from)? {
        Ok(done) => told::answer(&reader, done, ("rotated", "client-changed")),
        Err(refused) => page(&reader, &client, typed, refusal(&refused, &[])),
    }
}

fn page(
    reader: &Operator,
    client: &Client,
    (overlap, reason): (u64, &str),
    (status, errors): Refusal,
) -> Result<Response, PageError> {
    let page = SecretPage {
        client: Named::of(reader, client),
        takes: client.metadata.token_endpoint_auth_method.has_secret(),
        secrets: SecretView::list(reader, client),
        version: client.version,
        overlaps: OVERLAPS,
        overlap,
        reason: reason.to_owned(),
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}
