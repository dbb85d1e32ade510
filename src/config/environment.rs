//! The environment as a source of the configuration: `KENPOS_SERVER__ISSUER` is `server.issuer`.
//!
//! Values are read as in TOML, so lists, numbers and truth values can be given. What is text in the
//! configuration stays text, though, or a password of digits alone would become a number.

use figment::{
    Error, Metadata, Profile, Provider,
    providers::Env,
    util::nest,
    value::{Dict, Map, Value},
};
use serde_json::Value as Json;

use super::Config;

/// Keys without a default that are no text.
const NUMBERS: [&str; 2] = ["lifetimes.insured_number_sign_in_seconds", "mail.port"];

/// The variables that begin with `KENPOS_`.
pub struct Environment {
    variables: Env,
    defaults: Json,
}

impl Environment {
    /// Reads the defaults, which tell what is text. `KENPOS_CONFIG` names the file itself.
    pub fn new() -> Self {
        Self {
            variables: Env::prefixed("KENPOS_").ignore(&["config"]).split("__"),
            defaults: serde_json::to_value(Config::default()).unwrap_or_default(),
        }
    }

    /// Whether a key is text: its default is, or there is none. Secrets have none that could be seen.
    fn is_text(&self, key: &str) -> bool {
        let default = key.split('.').try_fold(&self.defaults, |section, step| section.get(step));
        default.is_none_or(|value| value.is_string() || value.is_null()) && !NUMBERS.contains(&key)
    }

    /// A text in quotation marks is what is between them, as in TOML.
    fn value(&self, key: &str, text: &str) -> Value {
        match text.parse::<Value>() {
            Ok(value @ Value::String(..)) => value,
            Ok(value) if !self.is_text(key) => value,
            _ => Value::from(text),
        }
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        self.variables.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut dict = Dict::new();
        for (key, text) in self.variables.iter() {
            let key = key.as_str().to_ascii_lowercase();
            if let Some(nested) = nest(&key, self.value(&key, &text)).into_dict() {
                merge(&mut dict, nested);
            }
        }
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// Puts the keys of `more` beside those of `dict`.
fn merge(dict: &mut Dict, more: Dict) {
    for (key, value) in more {
        match (dict.get_mut(&key), value) {
            (Some(Value::Dict(_, inner)), Value::Dict(_, more)) => merge(inner, more),
            (_, value) => {
                dict.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, text: &str) -> Json {
        serde_json::to_value(Environment::new().value(key, text)).unwrap()
    }

    #[test]
    fn text_stays_text_however_it_looks() {
        for key in [
            "mail.password",
            "mail.username",
            "ephemeral.sentinel_password",
            "ephemeral.url",
            "server.issuer",
        ] {
            for text in ["12345", "00012", "1e5", "true", "0.10", "[1]", "{", "s3cret", ""] {
                assert_eq!(read(key, text), Json::from(text), "{key}");
            }
            assert_eq!(read(key, "\"12345\""), Json::from("12345"), "as it had to be written once");
        }
    }

    #[test]
    fn what_is_no_text_is_read_as_in_toml() {
        assert_eq!(read("mail.port", "25"), Json::from(25));
        assert_eq!(read("lifetimes.insured_number_sign_in_seconds", "600"), Json::from(600));
        assert_eq!(read("limits.overall", "7"), Json::from(7));
        assert_eq!(read("database.migrate_at_start", "false"), Json::from(false));
        assert_eq!(read("server.trusted_proxies", "[\"10.0.0.0/8\"]"), serde_json::json!(["10.0.0.0/8"]));
    }
}
