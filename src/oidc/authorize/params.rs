//! Parameters of a request as they came: names and values, each name at most once.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde::{Deserialize, Serialize};

/// Longest value that is looked at, in bytes; `state` and `nonce` of real clients are far shorter.
const LONGEST_VALUE: usize = 4096;
/// Longest value that is a document of its own.
const LONGEST_DOCUMENT: usize = 12 * 1024;
/// The parameters that are JWTs or JSON.
const DOCUMENTS: [&str; 4] = ["request", "claims", "id_token_hint", "client_assertion"];

/// Decoded `application/x-www-form-urlencoded` parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Params {
    values: BTreeMap<String, String>,
    repeated: BTreeSet<String>,
    too_long: BTreeSet<String>,
    resources: Vec<String>,
}

/// The one parameter that may be repeated (RFC 8707 §2).
const RESOURCE: &str = "resource";

impl Params {
    /// Decodes a query string or a form body.
    pub fn parse(encoded: &[u8]) -> Self {
        let mut params = Self::default();
        for (name, value) in url::form_urlencoded::parse(encoded) {
            params.put(&name, value.into_owned());
        }
        params
    }

    /// Adds a parameter.
    pub fn put(&mut self, name: &str, value: String) {
        let longest = if DOCUMENTS.contains(&name) { LONGEST_DOCUMENT } else { LONGEST_VALUE };
        if value.len() > longest {
            self.too_long.insert(name.to_owned());
            return;
        }
        if name == RESOURCE {
            self.resources.push(value);
            return;
        }
        match self.values.entry(name.to_owned()) {
            Entry::Occupied(known) => {
                self.repeated.insert(known.key().clone());
            }
            Entry::Vacant(free) => {
                free.insert(value);
            }
        }
    }

    /// All but these.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let mut rest = self.clone();
        rest.values.retain(|name, _| !names.contains(&name.as_str()));
        rest
    }

    /// Both together; of a name that is in both, the value of `upper`.
    #[must_use]
    pub fn overlaid(mut self, upper: Self) -> Self {
        self.values.extend(upper.values);
        self.repeated.extend(upper.repeated);
        self.too_long.extend(upper.too_long);
        if !upper.resources.is_empty() {
            self.resources = upper.resources;
        }
        self
    }

    /// The value, unless it is absent or empty: an empty value counts as absent (RFC 6749 §3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Every `resource`, in order; an empty one counts as absent.
    pub fn resources(&self) -> impl Iterator<Item = &String> {
        self.resources.iter().filter(|value| !value.is_empty())
    }

    /// Whether any parameter came twice (RFC 6749 §3.1 forbids it).
    pub fn has_repeated(&self) -> bool {
        !self.repeated.is_empty()
    }

    /// Whether any value is longer than an honest one.
    pub fn has_too_long(&self) -> bool {
        !self.too_long.is_empty()
    }

    /// Whether this very parameter came once and whole, so that its value can be relied on.
    pub fn is_clear(&self, name: &str) -> bool {
        !self.repeated.contains(name) && !self.too_long.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_named_and_an_empty_one_is_absent() {
        let params = Params::parse(b"a=1&b=&a=2&c=x+y%21&d=3&d=3");
        assert!(params.has_repeated());
        assert!(!params.is_clear("a"));
        assert!(!params.is_clear("d"), "not only the first one counts");
        assert!(params.is_clear("c"));
        assert_eq!(params.get("b"), None);
        assert_eq!(params.get("c"), Some("x y!"));
    }

    #[test]
    fn a_value_beyond_reason_is_named() {
        let long = "x".repeat(5000);
        let params = Params::parse(format!("state={long}&nonce={long}&scope=openid").as_bytes());
        assert!(params.has_too_long());
        assert_eq!(["state", "nonce", "scope"].map(|name| params.is_clear(name)), [false, false, true]);
        assert_eq!(params.get("state"), None);
    }
}
