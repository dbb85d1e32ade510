//! `/admin/clients`: relying parties. A file is a page; the rules are in [`crate::clients::manage`], and what the
//! forms ask is in [`fields`].

pub mod act;
pub mod detail;
pub mod edit;
pub mod fields;
pub mod list;
pub mod new;
pub mod secret;
pub mod settings;
mod snippets;
pub mod told;
pub mod trial;

use axum::http::StatusCode;
use serde::Serialize;

use self::fields::Field;
use super::{Refusal, guard::Operator, queue::path_part, wrong};
use crate::{
    audit::Reason,
    clients::{Client, Clients, manage::Refused},
    fault::Fault,
    oidc::registration,
    pages::{parts::FormErrors, sample},
    web::{PageError, templates::Message},
};

/// A form as it was sent: names and values, in order.
pub type Pairs = Vec<(String, String)>;

/// A client as every page about it names it.
#[derive(Clone, Debug, Serialize)]
pub struct Named {
    /// `client_id`.
    pub id: String,
    /// Where its pages begin.
    pub path: String,
    /// Name in the language of the reader.
    pub name: String,
    /// `enabled` or `disabled`.
    pub state: &'static str,
}

impl Named {
    /// The client for this reader.
    pub fn of(reader: &Operator, client: &Client) -> Self {
        Self {
            id: client.id.clone(),
            path: path_of(&client.id),
            name: client.name_in(reader.visit.locale).to_owned(),
            state: if client.disabled_at.is_some() { "disabled" } else { "enabled" },
        }
    }

    /// For samples.
    pub fn sample() -> Self {
        Self {
            id: sample::INTERACTION.to_owned(),
            path: path_of(sample::INTERACTION),
            name: sample::CLIENT.to_owned(),
            state: "enabled",
        }
    }

    /// For samples: a name that wants to be markup.
    pub fn hostile() -> Self {
        Self { name: sample::HOSTILE.to_owned(), state: "disabled", ..Self::sample() }
    }
}

/// Where the pages of a client begin. The command line gave out ids with any printable character once.
pub fn path_of(id: &str) -> String {
    format!("/admin/clients/{}", path_part(id))
}

/// The client of a path, if the reader reaches one of this id.
pub async fn find(reader: &Operator, id: &str) -> Result<Client, PageError> {
    let found = Client::find_any(&reader.app().members.db, id).await.map_err(Fault::from)?;
    let found = found.ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))?;
    reader.reach(found.metadata.insurer.as_deref())?;
    Ok(found)
}

/// The rules.
pub fn rules(reader: &Operator) -> Clients<'_> {
    registration::clients(reader.app())
}

/// The first value of this name, or nothing.
pub fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// The reason that a form gives.
pub fn reason(pairs: &[(String, String)]) -> Result<Reason, Refusal> {
    Reason::parse(value(pairs, "reason")).map_err(|error| wrong("reason", Message::new(error.text_id())))
}

/// What to say about an act that was refused, beside the fields of its form.
pub fn refusal(refused: &Refused, fields: &[Field]) -> Refusal {
    let form = |text: &str| (StatusCode::CONFLICT, FormErrors::form(Message::new(text)));
    match refused {
        Refused::Metadata(error) => {
            let message = match &error.uri {
                Some((uri, rule)) => Message::new(format!("clients-error-uri-{rule}")).with("uri", uri),
                None => fields::complaint(error),
            };
            let shown = fields.iter().find(|field| field.name == error.field);
            let errors = shown.map_or_else(
                || FormErrors::form(message.clone()),
                |field| FormErrors::field(field.name, message.clone()),
            );
            (StatusCode::UNPROCESSABLE_ENTITY, errors)
        }
        Refused::Id => wrong("client_id", Message::new("clients-error-id")),
        Refused::IdTaken => {
            let errors = FormErrors::field("client_id", Message::new("clients-error-id-taken"));
            (StatusCode::CONFLICT, errors)
        }
        Refused::Overlap => wrong("overlap", Message::new("clients-error-overlap")),
        Refused::Changed => form("clients-error-changed"),
        Refused::NoSecret => form("clients-error-no-secret"),
        Refused::NoOldSecret => form("clients-error-no-old-secret"),
        Refused::Already => form("clients-error-already"),
        Refused::Api => form("clients-error-api"),
        Refused::Enabled => form("clients-error-enabled"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_part_of_a_path() {
        assert_eq!(path_of("app-1_x.y"), "/admin/clients/app-1_x.y");
        assert_eq!(path_of("a b/c+d?e"), "/admin/clients/a%20b%2Fc%2Bd%3Fe");
    }
}
