//! Parameters of a request as they came: names and values, each name at most once.

use std::collections::{BTreeMap, btree_map::Entry};

/// Longest value that is looked at, in bytes; `state` and `nonce` of real clients are far shorter.
const LONGEST_VALUE: usize = 4096;

/// Decoded `application/x-www-form-urlencoded` parameters.
#[derive(Clone, Debug, Default)]
pub struct Params {
    values: BTreeMap<String, String>,
    repeated: Option<String>,
    too_long: Option<String>,
}

impl Params {
    /// Decodes a query string or a form body.
    pub fn parse(encoded: &[u8]) -> Self {
        let mut params = Self::default();
        for (name, value) in url::form_urlencoded::parse(encoded) {
            let (name, value) = (name.into_owned(), value.into_owned());
            if value.len() > LONGEST_VALUE {
                params.too_long.get_or_insert(name);
                continue;
            }
            match params.values.entry(name) {
                Entry::Occupied(earlier) => {
                    params.repeated.get_or_insert_with(|| earlier.key().clone());
                }
                Entry::Vacant(place) => {
                    place.insert(value);
                }
            }
        }
        params
    }

    /// The value, unless it is absent or empty: an empty value counts as absent (RFC 6749 §3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A parameter that came twice (RFC 6749 §3.1 forbids it).
    pub fn repeated(&self) -> Option<&str> {
        self.repeated.as_deref()
    }

    /// A parameter whose value is longer than any honest one.
    pub fn too_long(&self) -> Option<&str> {
        self.too_long.as_deref()
    }

    /// Whether this very parameter came once and whole, so that its value can be relied on.
    pub fn is_clear(&self, name: &str) -> bool {
        self.repeated.as_deref() != Some(name) && self.too_long.as_deref() != Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_named_and_an_empty_one_is_absent() {
        let params = Params::parse(b"a=1&b=&a=2&c=x+y%21");
        assert_eq!(params.repeated(), Some("a"));
        assert!(!params.is_clear("a"));
        assert_eq!(params.get("b"), None);
        assert_eq!(params.get("c"), Some("x y!"));
    }

    #[test]
    fn a_value_beyond_reason_is_named() {
        let params = Params::parse(format!("state={}", "x".repeat(5000)).as_bytes());
        assert_eq!(params.too_long(), Some("state"));
        assert_eq!(params.get("state"), None);
    }
}
