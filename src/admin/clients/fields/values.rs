//! The values of fields, as the texts that a form has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Field, Kind};
use crate::{clients::Metadata, web::templates::Message};

/// What stands in the fields of a form, by their names. Several values of one field stand on lines of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(BTreeMap<String, String>);

/// Values as they were typed, and what is wrong with their form already.
pub type Typed = Result<Map<String, Value>, (&'static str, Message)>;

impl Values {
    /// What a client has.
    pub fn of(fields: &[Field], metadata: &Metadata) -> Self {
        let stored = metadata.fields();
        let text =
            |field: &Field| stored.get(field.stored).map(|value| field.text(value)).unwrap_or_default();
        Self(fields.iter().map(|field| (field.name.to_owned(), text(field))).collect())
    }

    /// What a form sent. Outer spaces and empty lines are nobody's wish.
    pub fn read(fields: &[Field], pairs: &[(String, String)]) -> Self {
        let sent = |field: &Field| {
            let given = pairs.iter().filter(|(name, _)| name == field.name).map(|(_, value)| value.as_str());
            match field.kind {
                Kind::Several(..) => lines(given),
                Kind::Lines => lines(given.flat_map(str::lines)),
                Kind::Json => {
                    let text = given.take(1).collect::<String>();
                    let pretty = serde_json::from_str(&text).map(|value: Value| field.text(&value));
                    pretty.unwrap_or_else(|_| text.trim().replace("\r\n", "\n"))
                }
                _ => given.take(1).map(str::trim).collect(),
            }
        };
        Self(fields.iter().map(|field| (field.name.to_owned(), sent(field))).collect())
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Puts another value in place of one.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The values as the JSON of the metadata; `null` for what is empty.
    pub fn json(&self, fields: &[Field]) -> Typed {
        let mut json = Map::new();
        for field in fields {
            let value = field.value(self.get(field.name)).map_err(|text| (field.name, Message::new(text)))?;
            json.insert(field.stored.to_owned(), value);
        }
        Ok(json)
    }
}

fn lines<'a>(given: impl Iterator<Item = &'a str>) -> String {
    let kept: Vec<&str> = given.map(str::trim).filter(|line| !line.is_empty()).collect();
    kept.join("\n")
}

impl Field {
    /// A value of the JSON as text.
    fn text(&self, value: &Value) -> String {
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match (self.kind, value) {
            (_, Value::Null) => String::new(),
            (Kind::Flag, value) => if value == &json!(true) { "on" } else { "" }.to_owned(),
            (Kind::Json, value) => serde_json::to_string_pretty(value).unwrap_or_default(),
            (Kind::Several(_, true), Value::String(words)) => lines(words.split_ascii_whitespace()),
            (_, Value::Array(list)) => list.iter().map(word).collect::<Vec<_>>().join("\n"),
            (_, value) => word(value),
        }
    }

    /// A text as a value of the JSON; else the name of the text that says what is wrong.
    fn value(&self, text: &str) -> Result<Value, &'static str> {
        Ok(match self.kind {
            Kind::Flag => json!(text == "on"),
            Kind::Several(_, true) => json!(text.replace('\n', " ")),
            Kind::Several(_, false) if text.is_empty() => return Err("clients-error-choose"),
            Kind::Lines | Kind::Several(_, false) => json!(text.lines().collect::<Vec<_>>()),
            _ if text.is_empty() && self.name == "client_name" => json!(""),
            _ if text.is_empty() => Value::Null,
            Kind::Seconds => json!(text.parse::<u64>().map_err(|_| "clients-error-seconds")?),
            Kind::Json => serde_json::from_str(text).map_err(|_| "clients-error-json")?,
            Kind::Text | Kind::Choice(_) | Kind::Insurer => json!(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Topic, *};

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_a_client_has_is_the_same_after_a_form() {
        let metadata: Metadata = serde_json::from_value(json!({
            "client_name": "アプリ", "client_name#en": "App", "redirect_uris": ["https://a.example/1", "https://a.example/2"],
            "scope": "openid email", "grant_types": ["authorization_code", "refresh_token"],
            "jwks": { "keys": [] }, "access_token_lifetime": 60, "health_insurance_business": true,
            "id_token_signed_response_alg": "ES256", "response_types": ["code", "code id_token"],
        }))
        .unwrap();
        for topic in Topic::ALL {
            let values = Values::of(topic.fields(), &metadata);
            let changed = metadata.with_fields(values.json(topic.fields()).unwrap()).unwrap();
            assert_eq!(changed, metadata, "{}", topic.name());
        }
    }

    #[test]
    fn a_form_is_read_kindly_and_its_mistakes_have_a_field() {
        let fields = [Topic::Addresses, Topic::Lifetimes, Topic::Security, Topic::Scopes];
        let fields: Vec<Field> = fields.into_iter().flat_map(Topic::fields).copied().collect();
        let sent = pairs(&[
            ("redirect_uris", " https://a.example/1 \r\n\r\nhttps://a.example/2\r\n"),
            ("scope", "openid"),
            ("scope", "email"),
            ("grant_types", "authorization_code"),
            ("jwks", "{\"keys\":[]}"),
            ("id_token_lifetime", " 90 "),
        ]);
        let values = Values::read(&fields, &sent);
        let json = values.json(&fields).unwrap();
        assert_eq!(json["redirect_uris"], json!(["https://a.example/1", "https://a.example/2"]));
        assert_eq!((&json["scope"], &json["id_token_lifetime"]), (&json!("openid email"), &json!(90)));
        assert_eq!((&json["jwks"], &json["pkce_optional"]), (&json!({ "keys": [] }), &json!(false)));
        assert_eq!(json["access_token_lifetime"], Value::Null);
        for (name, text, expected) in [
            ("id_token_lifetime", "-1", "clients-error-seconds"),
            ("id_token_lifetime", "一時間", "clients-error-seconds"),
            ("jwks", "{", "clients-error-json"),
            ("grant_types", "", "clients-error-choose"),
        ] {
            let mut wrong = values.clone();
            wrong.set(name, text);
            assert_eq!(wrong.json(&fields).unwrap_err(), (name, Message::new(expected)));
        }
    }
}
