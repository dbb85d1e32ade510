//! `response_type` (RFC 6749 §3.1.1, OAuth 2.0 Multiple Response Types §3 and §5).

use serde::{Deserialize, Serialize};

use super::request::ResponseMode;

/// What the authorization endpoint answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseType {
    /// An authorization code.
    pub code: bool,
    /// An ID token.
    pub id_token: bool,
    /// An access token.
    pub token: bool,
}

impl ResponseType {
    /// The authorization code flow.
    pub const CODE: Self = Self { code: true, id_token: false, token: false };

    /// Every type that there can be, the values in the order of the registry. `token` alone is none of them: it
    /// signs nobody in.
    pub const NAMES: [&'static str; 6] =
        ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];

    /// The type of a parameter; the order of its values does not matter (RFC 6749 §3.1.1).
    pub fn parse(text: &str) -> Option<Self> {
        let mut parsed = Self { code: false, id_token: false, token: false };
        for value in text.split(' ') {
            let part = match value {
                "code" => &mut parsed.code,
                "id_token" => &mut parsed.id_token,
                "token" => &mut parsed.token,
                _ => return None,
            };
            if std::mem::replace(part, true) {
                return None;
            }
        }
        (parsed.code || parsed.id_token).then_some(parsed)
    }

    /// Its name, as metadata and registrations have it.
    pub const fn name(self) -> &'static str {
        match (self.code, self.id_token, self.token) {
            (true, false, false) => "code",
            (true, true, false) => "code id_token",
            (true, false, true) => "code token",
            (true, true, true) => "code id_token token",
            (false, _, true) => "id_token token",
            (false, _, false) => "id_token",
        }
    }

    /// Whether tokens come from the authorization endpoint itself (implicit and hybrid flows).
    pub const fn is_front_channel(self) -> bool {
        self.id_token || self.token
    }

    /// How the answer travels when the request does not say (Multiple Response Types §5).
    pub const fn default_mode(self) -> ResponseMode {
        if self.is_front_channel() { ResponseMode::Fragment } else { ResponseMode::Query }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_back_from_its_name_and_the_order_does_not_matter() {
        for name in ResponseType::NAMES {
            let parsed = ResponseType::parse(name).unwrap();
            assert_eq!(parsed.name(), name);
            assert_eq!(parsed.default_mode() == ResponseMode::Query, name == "code");
        }
        assert_eq!(ResponseType::parse("token id_token code").unwrap().name(), "code id_token token");
        for text in
            ["", "token", "none", "code code", "code  token", " code", "code\ttoken", "CODE", "code none"]
        {
            assert_eq!(ResponseType::parse(text), None, "{text:?}");
        }
    }
}
