//! `/admin/clients`: the relying parties, the newest first.

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use serde::{Deserialize, Serialize};

use super::{Named, rules};
use crate::{
    admin::{
        guard::Operator,
        paging::{Pager, cut},
    },
    clients::{
        ApplicationType, AuthMethod, Client,
        manage::{Search, position},
    },
    fault::Fault,
    operators::Permission,
    pages::sample,
    texts::{Given, Locale},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Clients on a page.
const ON_A_PAGE: usize = 50;
/// Characters of what is searched for, at most.
const LONGEST: usize = 100;

/// The clients that fit.
#[derive(Clone, Debug, Serialize)]
pub struct ClientsPage {
    /// What was searched for.
    pub query: String,
    /// The clients.
    pub clients: Vec<Row>,
    /// The other pages.
    pub pager: Pager,
    /// Whether this operator may register others.
    pub may_manage: bool,
}

/// A client in the list.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    client: Named,
    insurer: Option<Given>,
    kind: Kind,
    secret: Option<Message>,
    overlap: Option<String>,
}

/// What kind of client it is.
#[derive(Clone, Debug, Serialize)]
pub struct Kind {
    /// `public`, `secret` or `key`: how it proves itself.
    pub proof: &'static str,
    /// `web` or `native`.
    pub application: &'static str,
}

impl Kind {
    /// The kind of a client.
    pub const fn of(client: &Client) -> Self {
        let method = client.metadata.token_endpoint_auth_method;
        Self {
            proof: match method {
                AuthMethod::None => "public",
                AuthMethod::PrivateKeyJwt => "key",
                _ => "secret",
            },
            application: match client.metadata.application_type {
                ApplicationType::Web => "web",
                ApplicationType::Native => "native",
            },
        }
    }
}

/// How long ago, in days.
pub fn age(reader: &Operator, at: crate::clock::Timestamp) -> Message {
    let days = reader.app().now().since(at).as_secs() / 86_400;
    if days == 0 { Message::new("clients-today") } else { Message::new("clients-days").with("days", days) }
}

impl Row {
    fn of(reader: &Operator, client: &Client) -> Self {
        let locale = reader.visit.locale;
        let named = |code: &str| {
            let insurer = reader.app().members.insurer(code);
            insurer.map_or_else(|| Given::choose(locale, code, None), |one| one.name_in(locale))
        };
        let valid = client.valid_secrets(reader.app().now());
        let until = valid.iter().skip(1).filter_map(|secret| secret.expires_at).max();
        Self {
            client: Named::of(reader, client),
            insurer: client.metadata.insurer.as_deref().map(named),
            kind: Kind::of(client),
            secret: valid.first().map(|secret| age(reader, secret.created_at)),
            overlap: until.map(|until| reader.date_time(until)),
        }
    }

    fn sample() -> Self {
        Self {
            client: Named::sample(),
            insurer: Some(Given::choose(Locale::Ja, "さくら健康保険組合", None)),
            kind: Kind { proof: "secret", application: "web" },
            secret: Some(Message::new("clients-days").with("days", 120)),
            overlap: Some("2026年11月24日(火)10時15分".to_owned()),
        }
    }
}

impl Page for ClientsPage {
    const TEMPLATE: &'static str = "admin/clients.html";

    fn samples() -> Vec<Self> {
        let hostile = Row {
            client: Named::hostile(),
            insurer: None,
            kind: Kind { proof: "public", application: "native" },
            secret: None,
            overlap: None,
        };
        let key = Row {
            client: Named { name: sample::LONG.to_owned(), ..Named::sample() },
            kind: Kind { proof: "key", application: "web" },
            secret: None,
            overlap: None,
            ..Row::sample()
        };
        let several = Self {
            query: sample::HOSTILE.to_owned(),
            clients: vec![Row::sample(), hostile, key],
            pager: Pager::new("/admin/clients", &[("q", "x")], Some("5.x"), true),
            may_manage: true,
        };
        let none =
            Self { query: String::new(), clients: Vec::new(), pager: Pager::default(), may_manage: false };
        vec![several, none]
    }
}

/// What is searched for, and where the page begins.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

/// GET `/admin/clients`
pub async fn get(
    reader: Operator,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, PageError> {
    let Asked { q, after } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let query: String = q.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    let after = position(&after);
    let search = Search { text: &query, insurer: reader.scope() };
    let found = rules(&reader).search(search, after.as_ref(), ON_A_PAGE + 1).await;
    let mut found = found.map_err(Fault::from)?;
    let more = cut(&mut found, ON_A_PAGE);
    let cursor = found.last().filter(|_| more).map(|last| last.position().to_string());
    let page = ClientsPage {
        clients: found.iter().map(|client| Row::of(&reader, client)).collect(),
        pager: Pager::new("/admin/clients", &[("q", &query)], cursor.as_deref(), after.is_some()),
        may_manage: reader.may(Permission::ManageClients),
        query,
    };
    Ok(reader.show(&page).render()?)
}
