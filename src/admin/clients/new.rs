//! `/admin/clients/new`: a client is registered.

use axum::{http::StatusCode, response::Response};
use serde::Serialize;

use super::{
    Pairs,
    fields::{Field, FieldView, NEW, Offer, Values},
    reason, refusal, rules, told, value,
};
use crate::{
    admin::{
        Refusal,
        guard::{Operator, OperatorForm},
        wrong,
    },
    audit::Act,
    clients::{Metadata, manage::Refused},
    fault::Fault,
    pages::{parts::FormErrors, sample},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks for a client. Posts `client_id`, the fields and `reason` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct NewClient {
    /// `client_id`: made up beforehand, so that a form that is sent twice registers one client.
    pub client_id: String,
    /// The fields.
    pub fields: Vec<FieldView>,
    /// The reason, as typed.
    pub reason: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for NewClient {
    const TEMPLATE: &'static str = "admin/client_new.html";

    fn samples() -> Vec<Self> {
        let offer = Offer::sample();
        let empty = Self {
            client_id: sample::INTERACTION.to_owned(),
            fields: FieldView::list(NEW, &beginning(NEW, &offer), &offer),
            reason: String::new(),
            errors: FormErrors::none(),
        };
        let mut typed = Values::default();
        typed.set("client_name", sample::HOSTILE);
        typed.set("redirect_uris", &format!("http://x.example\n{}", sample::HOSTILE));
        typed.set("scope", "openid\nunknown");
        typed.set("insurer", "9");
        let mut errors = FormErrors::field("client_id", Message::new("clients-error-id-taken"));
        let https = Message::new("clients-error-uri-https").with("uri", sample::HOSTILE);
        errors.add("redirect_uris", https);
        errors.add("scope", Message::new("clients-error-scope").with("reason", "x"));
        errors.add("grant_types", Message::new("clients-error-choose"));
        errors.add("client_name", Message::new("clients-error-client_name").with("reason", "x"));
        errors.add("insurer", Message::new("clients-error-insurer").with("reason", "x"));
        errors.add("health_insurance_business", Message::new("clients-error-other").with("reason", "x"));
        errors.add("reason", Message::new("console-error-reason-empty"));
        let wrong = Self { fields: FieldView::list(NEW, &typed, &offer), errors, ..empty.clone() };
        vec![empty, wrong]
    }
}

/// What an untouched form has.
fn beginning(fields: &[Field], offer: &Offer) -> Values {
    let standard = Metadata { scope: "openid profile email".to_owned(), ..Metadata::default() };
    let mut values = Values::of(fields, &standard);
    values.set("insurer", offer.first_insurer());
    values
}

/// GET `/admin/clients/new`
pub async fn get(reader: Operator) -> Result<Response, PageError> {
    let id = reader.app().members.entropy.id();
    let offer = Offer::of(&reader);
    let fields = offer.asked(NEW);
    let values = beginning(&fields, &offer);
    page(&reader, (&id, ""), (&fields, &values, &offer), (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/clients/new`
pub async fn post(OperatorForm(reader, pairs): OperatorForm<Pairs>) -> Result<Response, PageError> {
    let offer = Offer::of(&reader);
    let fields = offer.asked(NEW);
    let values = Values::read(&fields, &pairs);
    // Nobody gives more than they have.
    reader.reach(Some(values.get("insurer")).filter(|code| !code.is_empty()))?;
    match register(&reader, &fields, &values, &pairs).await? {
        Ok(response) => Ok(response),
        Err(refusal) => {
            let typed = (value(&pairs, "client_id").trim(), value(&pairs, "reason"));
            page(&reader, typed, (&fields, &values, &offer), refusal)
        }
    }
}

async fn register(
    reader: &Operator,
    fields: &[Field],
    values: &Values,
    pairs: &[(String, String)],
) -> Result<Result<Response, Refusal>, PageError> {
    let id = value(pairs, "client_id").trim();
    let metadata = match values.json(fields) {
        Ok(json) => Metadata::default().with_fields(json),
        Err((field, message)) => return Ok(Err(wrong(field, message))),
    };
    let reason = match reason(pairs) {
        Ok(reason) => reason,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(error) => return Ok(Err(refusal(&Refused::Metadata(error), fields))),
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    match rules(reader).create(Some(id.to_owned()), metadata, act).await.map_err(Fault::from)? {
        Ok(done) => Ok(Ok(told::answer(reader, done, ("registered", "client-registered"))?)),
        Err(refused) => Ok(Err(refusal(&refused, fields))),
    }
}

fn page(
    reader: &Operator,
    (client_id, reason): (&str, &str),
    (fields, values, offer): (&[Field], &Values, &Offer),
    (status, errors): Refusal,
) -> Result<Response, PageError> {
    let page = NewClient {
        client_id: client_id.to_owned(),
        fields: FieldView::list(fields, values, offer),
        reason: reason.to_owned(),
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}
