//! `/admin/clients/{client}/edit/{topic}`: a group of fields is changed. The form says which state of the client
//! it was made from; where somebody else changed that meanwhile, nothing is written, and the page says what
//! is different now.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Serialize;

use super::{
    Named, Pairs,
    fields::{Field, FieldView, Offer, Topic, Values, Word},
    find, reason, refusal, rules, told, value,
};
use crate::{
    admin::{
        Refusal,
        guard::{Operator, OperatorForm},
        wrong,
    },
    audit::Act,
    clients::{Client, Metadata, manage::Refused},
    clock::Timestamp,
    fault::Fault,
    pages::{parts::FormErrors, sample},
    texts::Locale,
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks for the fields of a topic. Posts them, `version`, `seen` and `reason` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct EditClient {
    /// The client.
    pub client: Named,
    /// Name of the topic.
    pub topic: &'static str,
    /// Which state of the client the form was made from.
    pub version: i64,
    /// What the fields had in that state, as JSON.
    pub seen: String,
    /// The fields.
    pub fields: Vec<FieldView>,
    /// What somebody else changed since.
    pub changes: Vec<Change>,
    /// The reason, as typed.
    pub reason: String,
    /// What is wrong.
    pub errors: FormErrors,
}

/// A field that somebody else changed.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    name: &'static str,
    before: Vec<Word>,
    now: Vec<Word>,
    /// Whether the operator at the form changed it too, so that one of both has to give way.
    clashes: bool,
}

/// A client with much of everything, for samples.
pub fn sample_client() -> Client {
    let metadata = Metadata {
        client_name: sample::HOSTILE.to_owned(),
        redirect_uris: vec!["https://app.example.com/callback".to_owned(), sample::LONG.to_owned()],
        scope: "openid profile email insured_number offline_access".to_owned(),
        health_insurance_business: true,
        contacts: vec![sample::HOSTILE.to_owned()],
        jwks: Some(serde_json::json!({ "keys": [{ "kty": "EC", "x": sample::LONG }] })),
        access_token_lifetime: Some(300),
        insurer: Some("8001".to_owned()),
        ..Metadata::default()
    };
    Client::new(sample::INTERACTION.to_owned(), metadata, Timestamp::from_millis(0))
}

impl Page for EditClient {
    const TEMPLATE: &'static str = "admin/client_edit.html";

    fn samples() -> Vec<Self> {
        let (client, offer) = (sample_client(), Offer::sample());
        let page = |topic: Topic| {
            let values = Values::of(topic.fields(), &client.metadata);
            Self {
                client: Named::sample(),
                topic: topic.name(),
                version: 3,
                seen: serde_json::to_string(&values).unwrap_or_default(),
                fields: FieldView::list(topic.fields(), &values, &offer),
                changes: Vec::new(),
                reason: String::new(),
                errors: FormErrors::none(),
            }
        };
        let mut samples: Vec<Self> = Topic::ALL.into_iter().map(page).collect();
        let before = Values::default();
        let (now, typed) = (
            Values::of(Topic::Basics.fields(), &client.metadata),
            Values::of(Topic::Basics.fields(), &Metadata::default()),
        );
        let errors = FormErrors::form(Message::new("clients-error-changed"));
        let changes = changes((Topic::Basics.fields(), &offer, Locale::Ja), &before, &now, &typed);
        let mut bad = FormErrors::field("jwks", Message::new("clients-error-json"));
        bad.add("id_token_encrypted_response_enc", Message::new("clients-error-other").with("reason", "x"));
        bad.add("pkce_optional", Message::new("clients-error-other").with("reason", "x"));
        samples.push(Self { changes, errors, client: Named::hostile(), ..page(Topic::Basics) });
        samples.push(Self { errors: bad, reason: sample::HOSTILE.to_owned(), ..page(Topic::Security) });
        samples
    }
}

/// What the form is made of.
struct Form {
    topic: Topic,
    fields: Vec<Field>,
    offer: Offer,
    values: Values,
    version: i64,
    seen: Values,
    reason: String,
}

/// GET `/admin/clients/{client}/edit/{topic}`
pub async fn get(reader: Operator, Path((id, topic)): Path<(String, String)>) -> Result<Response, PageError> {
    let (client, topic) = (find(&reader, &id).await?, topic_of(&topic)?);
    let offer = Offer::of(&reader);
    let fields = offer.asked(topic.fields());
    let values = Values::of(&fields, &client.metadata);
    let (version, seen) = (client.version, values.clone());
    let form = Form { topic, fields, offer, values, version, seen, reason: String::new() };
    page(&reader, &client, form, Vec::new(), (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/clients/{client}/edit/{topic}`
pub async fn post(
    Path((id, topic)): Path<(String, String)>,
    OperatorForm(reader, pairs): OperatorForm<Pairs>,
) -> Result<Response, PageError> {
    let (client, topic) = (find(&reader, &id).await?, topic_of(&topic)?);
    let offer = Offer::of(&reader);
    let fields = offer.asked(topic.fields());
    let values = Values::read(&fields, &pairs);
    if topic == Topic::Basics {
        // Nobody gives more than they have.
        reader.reach(Some(values.get("insurer")).filter(|code| !code.is_empty()))?;
    }
    let version = value(&pairs, "version").parse().unwrap_or_default();
    // Without it everything that is different counts as the other's change.
    let seen = serde_json::from_str(value(&pairs, "seen")).unwrap_or_default();
    let form =
        Form { topic, fields, offer, values, version, seen, reason: value(&pairs, "reason").to_owned() };
    if version != client.version {
        return overtaken(&reader, &client, form);
    }
    let refused = match save(&reader, &client, &form, &pairs).await? {
        Ok(response) => return Ok(response),
        Err(None) => {
            let now = find(&reader, &id).await?;
            return overtaken(&reader, &now, form);
        }
        Err(Some(refused)) => refused,
    };
    page(&reader, &client, form, Vec::new(), refused)
}

fn topic_of(name: &str) -> Result<Topic, PageError> {
    Topic::parse(name).ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))
}

/// Writes the fields; `None` where somebody else wrote first.
async fn save(
    reader: &Operator,
    client: &Client,
    form: &Form,
    pairs: &[(String, String)],
) -> Result<Result<Response, Option<Refusal>>, PageError> {
    let json = match form.values.json(&form.fields) {
        Ok(json) => json,
        Err((field, message)) => return Ok(Err(Some(wrong(field, message)))),
    };
    let reason = match reason(pairs) {
        Ok(reason) => reason,
        Err(refusal) => return Ok(Err(Some(refusal))),
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    let outcome = match client.metadata.with_fields(json) {
        Ok(metadata) => rules(reader).update(client, metadata, act).await.map_err(Fault::from)?,
        Err(error) => Err(Refused::Metadata(error)),
    };
    match outcome {
        Ok(done) => Ok(Ok(told::answer(reader, done, ("changed", "client-changed"))?)),
        Err(Refused::Changed) => Ok(Err(None)),
        Err(refused) => Ok(Err(Some(refusal(&refused, &form.fields)))),
    }
}

/// Tells what somebody else changed. What was typed stays; a field that was not touched here takes the other's
/// value, so that sending again loses neither.
fn overtaken(reader: &Operator, client: &Client, mut form: Form) -> Result<Response, PageError> {
    let now = Values::of(&form.fields, &client.metadata);
    let parts = (form.fields.as_slice(), &form.offer, reader.visit.locale);
    let changes = changes(parts, &form.seen, &now, &form.values);
    for field in &form.fields {
        if form.values.get(field.name) == form.seen.get(field.name) {
            form.values.set(field.name, now.get(field.name));
        }
    }
    let text = if changes.is_empty() { "clients-error-changed-elsewhere" } else { "clients-error-changed" };
    (form.version, form.seen) = (client.version, now);
    let refusal = (StatusCode::CONFLICT, FormErrors::form(Message::new(text)));
    page(reader, client, form, changes, refusal)
}

fn changes(
    (fields, offer, locale): (&[Field], &Offer, Locale),
    seen: &Values,
    now: &Values,
    typed: &Values,
) -> Vec<Change> {
    let words = |field: &Field, values: &Values| {
        let views = FieldView::list(&[*field], values, offer);
        views.iter().flat_map(|view| view.words(locale)).collect()
    };
    let changed = fields.iter().filter(|field| seen.get(field.name) != now.get(field.name));
    changed
        .map(|field| {
            let mine = typed.get(field.name);
            Change {
                name: field.name,
                before: words(field, seen),
                now: words(field, now),
                clashes: mine != seen.get(field.name) && mine != now.get(field.name),
            }
        })
        .collect()
}

fn page(
    reader: &Operator,
    client: &Client,
    form: Form,
    changes: Vec<Change>,
    (status, errors): Refusal,
) -> Result<Response, PageError> {
    let page = EditClient {
        client: Named::of(reader, client),
        topic: form.topic.name(),
        version: form.version,
        seen: serde_json::to_string(&form.seen).map_err(Fault::internal)?,
        fields: FieldView::list(&form.fields, &form.values, &form.offer),
        changes,
        reason: form.reason,
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}
