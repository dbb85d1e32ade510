//! `/admin/clients/{client}`: everything that a client has, and what can be done.

use axum::{extract::Path, response::Response};
use serde::Serialize;

use super::{
    Named,
    fields::{FieldView, Offer, Topic, Values, Word},
    find,
    list::{Kind, age},
};
use crate::{
    admin::guard::Operator,
    clients::Client,
    operators::Permission,
    texts::Locale,
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// The client, with links to the acts.
#[derive(Clone, Debug, Serialize)]
pub struct ClientPage {
    /// The client.
    pub client: Named,
    /// What kind it is.
    pub kind: Kind,
    /// Since when, in words.
    pub created: String,
    /// Its secrets.
    pub secrets: Vec<SecretView>,
    /// What it registered.
    pub topics: Vec<TopicView>,
    /// Whether this operator may change it.
    pub may_manage: bool,
    /// A program of the operators' API, which only the command line changes.
    pub is_for_api: bool,
}

/// A secret that works; which one it is, nobody can see.
#[derive(Clone, Debug, Serialize)]
pub struct SecretView {
    created: String,
    age: Message,
    until: Option<String>,
}

impl SecretView {
    /// The secrets of a client that work, the newest first.
    pub fn list(reader: &Operator, client: &Client) -> Vec<Self> {
        let valid = client.valid_secrets(reader.app().now()).into_iter();
        valid
            .map(|secret| Self {
                created: reader.date_time(secret.created_at),
                age: age(reader, secret.created_at),
                until: secret.expires_at.map(|until| reader.date_time(until)),
            })
            .collect()
    }

    /// For samples: one, and one that ends.
    pub fn samples() -> Vec<Self> {
        let at = "2026年11月23日(月)10時15分".to_owned();
        let newest = Self { created: at.clone(), age: Message::new("clients-today"), until: None };
        let days = Message::new("clients-days").with("days", 400);
        vec![newest, Self { created: at.clone(), age: days, until: Some(at) }]
    }
}

/// A group of fields.
#[derive(Clone, Debug, Serialize)]
pub struct TopicView {
    name: &'static str,
    facts: Vec<FactView>,
}

#[derive(Clone, Debug, Serialize)]
struct FactView {
    name: &'static str,
    words: Vec<Word>,
}

impl TopicView {
    fn list(client: &Client, offer: &Offer, locale: Locale) -> Vec<Self> {
        let one = |topic: Topic| {
            let fields = offer.asked(topic.fields());
            let views = FieldView::list(&fields, &Values::of(&fields, &client.metadata), offer);
            let facts = views.iter().map(|view| FactView { name: view.name, words: view.words(locale) });
            Self { name: topic.name(), facts: facts.collect() }
        };
        Topic::ALL.into_iter().map(one).collect()
    }
}

impl Page for ClientPage {
    const TEMPLATE: &'static str = "admin/client.html";

    fn samples() -> Vec<Self> {
        let client = super::edit::sample_client();
        let enabled = Self {
            client: Named::sample(),
            kind: Kind { proof: "secret", application: "web" },
            created: "2026年11月23日(月)10時15分".to_owned(),
            secrets: SecretView::samples(),
            topics: TopicView::list(&client, &Offer::sample(), Locale::Ja),
            may_manage: true,
            is_for_api: false,
        };
        let disabled = Self {
            client: Named::hostile(),
            kind: Kind { proof: "public", application: "native" },
            secrets: Vec::new(),
            ..enabled.clone()
        };
        let program = Self { may_manage: false, is_for_api: true, ..enabled.clone() };
        vec![enabled.clone(), disabled, program, Self { may_manage: false, ..enabled }]
    }
}

/// GET `/admin/clients/{client}`
pub async fn get(reader: Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let client = find(&reader, &id).await?;
    let is_for_api = client.metadata.is_for_api();
    let page = ClientPage {
        client: Named::of(&reader, &client),
        kind: Kind::of(&client),
        created: reader.date_time(client.created_at),
        secrets: SecretView::list(&reader, &client),
        topics: TopicView::list(&client, &Offer::of(&reader), reader.visit.locale),
        may_manage: reader.may(Permission::ManageClients) && !is_for_api,
        is_for_api,
    };
    Ok(reader.show(&page).render()?)
}
