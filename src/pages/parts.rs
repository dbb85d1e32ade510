//! What several pages show: the errors of a form, how a login ID is composed, links that leave the service.

use serde::Serialize;

use crate::{
    clients::{Client, Shown},
    config::Insurer,
    texts::{Given, Locale},
    web::{logos, templates::Message},
};

/// What is wrong with a form, in the order in which its page lists it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct FormErrors(Vec<FormError>);

/// One thing that is wrong: with a field, or with the form as a whole.
#[derive(Clone, Debug, Serialize)]
struct FormError {
    /// Name of the field.
    field: Option<&'static str>,
    message: Message,
}

impl FormErrors {
    /// Nothing is wrong.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The form as a whole is refused.
    pub fn form(message: Message) -> Self {
        Self(vec![FormError { field: None, message }])
    }

    /// One field is wrong.
    pub fn field(field: &'static str, message: Message) -> Self {
        Self(vec![FormError { field: Some(field), message }])
    }

    /// One more field is wrong.
    pub fn add(&mut self, field: &'static str, message: Message) {
        self.0.push(FormError { field: Some(field), message });
    }

    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How an insurer's login IDs are made of its code, 記号 and 番号.
#[derive(Clone, Debug, Serialize)]
pub struct IdRule {
    code: String,
    symbol_digits: usize,
    number_digits: usize,
    examples: Vec<IdExample>,
}

/// A login ID and what it was made of.
#[derive(Clone, Debug, Serialize)]
struct IdExample {
    symbol: String,
    number: String,
    symbol_padded: String,
    number_padded: String,
    login_id: String,
}

impl IdRule {
    /// The rule of an insurer, with the two examples of the members' guide: a 記号 that is too short, and a
    /// 番号 that is.
    pub fn of(insurer: &Insurer) -> Self {
        let example = |symbol: &str, number: &str| {
            let (symbol, number) = (last(symbol, insurer.symbol_digits), last(number, insurer.number_digits));
            let symbol_padded = format!("{symbol:0>width$}", width = insurer.symbol_digits);
            let number_padded = format!("{number:0>width$}", width = insurer.number_digits);
            IdExample {
                symbol: symbol.to_owned(),
                number: number.to_owned(),
                login_id: format!("{}-{symbol_padded}{number_padded}", insurer.code),
                symbol_padded,
                number_padded,
            }
        };
        Self {
            code: insurer.code.clone(),
            symbol_digits: insurer.symbol_digits,
            number_digits: insurer.number_digits,
            examples: vec![example("91", "200001"), example("123", "4567")],
        }
    }
}

/// The last digits of an example that is longer than the insurer's own.
fn last(digits: &str, count: usize) -> &str {
    &digits[digits.len().saturating_sub(count)..]
}

/// An insurer among several, to pick from.
#[derive(Clone, Debug, Serialize)]
pub struct InsurerChoice {
    /// Portal code.
    pub code: String,
    /// Name, in the language of the page if it has one there.
    pub name: Given,
    /// 保険者番号.
    pub number: String,
    /// Path of the logo.
    pub logo: Option<String>,
}

impl InsurerChoice {
    /// An insurer for readers of `locale`.
    pub fn of(insurer: &Insurer, locale: Locale) -> Self {
        Self {
            code: insurer.code.clone(),
            name: insurer.name_in(locale),
            number: insurer.number.clone(),
            logo: logos::path_of(insurer),
        }
    }
}

/// A URL outside the service that a page may lead to, letter for letter as it was registered: `http` or
/// `https`, never `javascript:` or another scheme that runs or opens something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ExternalUrl(String);

impl ExternalUrl {
    /// The URL, if its scheme is one of the web.
    pub fn new(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        // The parser forgives a leading space, tabs and line breaks; a registered URL has none.
        let clean = !text.contains(|c: char| c.is_control() || c.is_whitespace());
        (clean && matches!(url.scheme(), "https" | "http")).then(|| Self(text.to_owned()))
    }

    /// A URI that a client has registered, of whatever scheme: none can be registered that runs a script.
    pub const fn registered(uri: String) -> Self {
        Self(uri)
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a page shows of a relying party beside its name.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AboutClient {
    /// Path of its picture (`logo_uri`), from our own origin.
    logo: Option<String>,
    /// How it uses the data (`policy_uri`).
    policy: Option<ExternalUrl>,
    /// Its terms (`tos_uri`).
    terms: Option<ExternalUrl>,
}

impl AboutClient {
    /// What a client registered, in the language of the reader.
    pub fn of(client: &Client, locale: Locale) -> Self {
        let link = |what| client.metadata.shown(what, locale).and_then(ExternalUrl::new);
        let id: String = url::form_urlencoded::byte_serialize(client.id.as_bytes()).collect();
        Self {
            logo: client.metadata.logo_uri.as_ref().map(|_| format!("/logo/{}", id.replace('+', "%20"))),
            policy: link(Shown::Policy),
            terms: link(Shown::Terms),
        }
    }

    /// One that registered everything.
    pub(crate) fn sample() -> Self {
        Self {
            logo: Some("/logo/sample".to_owned()),
            policy: ExternalUrl::new("https://app.example.com/privacy"),
            terms: ExternalUrl::new("https://app.example.com/terms"),
        }
    }
}

/// A page of a relying party.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// Name of the relying party.
    pub name: String,
    /// Where it starts a login, or its home page.
    pub url: ExternalUrl,
}

/// A field that a form sends along unseen.
#[derive(Clone, Debug, Serialize)]
pub struct HiddenField {
    /// Name of the parameter.
    pub name: String,
    /// Value of the parameter.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_those_of_the_guide() {
        let examples = super::super::sample::id_rule().examples;
        let login_ids: Vec<_> = examples.iter().map(|example| example.login_id.as_str()).collect();
        assert_eq!(login_ids, ["7132-091200001", "7132-123004567"]);
        assert_eq!(last("200001", 4), "0001");
        assert_eq!(last("91", 3), "91");
    }

    #[test]
    fn only_the_web_is_linked() {
        for good in ["https://app.example.com/cb?x=1", "http://127.0.0.1:8090/", "https://app.example.com"] {
            assert_eq!(ExternalUrl::new(good).map(|url| url.0).as_deref(), Some(good));
        }
        for bad in [
            "javascript:alert(1)",
            " https://a.example/",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "/login",
            "",
        ] {
            assert_eq!(ExternalUrl::new(bad), None, "{bad}");
        }
    }
}
