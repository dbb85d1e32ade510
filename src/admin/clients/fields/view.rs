//! Fields as pages show them.

use serde::Serialize;

use super::{Field, Kind, Source, Values};
use crate::{
    admin::guard::Operator,
    oidc::{registration, scope::Scope},
    pages::{parts::InsurerChoice, sample},
    texts::Locale,
    web::templates::Message,
};

/// What this provider has to choose from, and what this operator may give.
#[derive(Clone, Debug)]
pub struct Offer {
    signing: Vec<String>,
    grants: Vec<&'static str>,
    responses: Vec<&'static str>,
    insurers: Vec<InsurerChoice>,
    /// Whether the operator may give a client to all insurers.
    all: bool,
}

impl Offer {
    /// What `reader` may give.
    pub fn of(reader: &Operator) -> Self {
        let config = reader.app().config();
        let reached = config.insurers.iter().filter(|one| reader.reach(Some(&one.code)).is_ok());
        Self {
            signing: config.keys.algorithms.iter().map(|alg| alg.name().to_owned()).collect(),
            grants: registration::grant_types(config).iter().map(|grant| grant.as_str()).collect(),
            responses: registration::response_types(config).to_vec(),
            insurers: reached.map(|one| InsurerChoice::of(one, reader.visit.locale)).collect(),
            all: reader.scope().is_none(),
        }
    }

    /// For samples.
    pub fn sample() -> Self {
        Self {
            signing: vec!["RS256".to_owned(), "ES256".to_owned()],
            grants: registration::GRANT_TYPES.iter().map(|grant| grant.as_str()).collect(),
            responses: vec!["code", "code id_token"],
            insurers: sample::insurers(),
            all: true,
        }
    }

    /// The insurer that a new client is for unless another is chosen; empty: all.
    pub fn first_insurer(&self) -> &str {
        if self.all { "" } else { self.insurers.first().map_or("", |one| one.code.as_str()) }
    }

    /// The fields that this operator is asked: there must be something to choose.
    pub fn asked(&self, fields: &[Field]) -> Vec<Field> {
        let asked = |field: &&Field| match field.kind {
            Kind::Several(Source::Responses, _) => self.responses.len() > 1,
            _ => self.all || !field.for_all,
        };
        fields.iter().filter(asked).copied().collect()
    }

    fn options(&self, source: Source) -> Vec<(String, Option<Message>)> {
        let told = |value: &str| Message::new(format!("clients-option-{}", plain(value)));
        let scope = |name: &str| Message::new(format!("scope-{name}-title"));
        let plain = |value: &&str| ((*value).to_owned(), None);
        match source {
            Source::Told(values) => values.iter().map(|v| ((*v).to_owned(), Some(told(v)))).collect(),
            Source::Plain(values) => values.iter().map(plain).collect(),
            Source::Signing => self.signing.iter().map(|v| (v.clone(), None)).collect(),
            Source::Scopes => Scope::NAMES.iter().map(|v| ((*v).to_owned(), Some(scope(v)))).collect(),
            Source::Grants => self.grants.iter().map(|v| ((*v).to_owned(), Some(told(v)))).collect(),
            Source::Responses => self.responses.iter().map(plain).collect(),
        }
    }
}

/// The last word of a value, as names of texts may have it.
fn plain(value: &str) -> String {
    let last = value.rsplit(':').next().unwrap_or(value);
    last.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

/// A field of a form.
#[derive(Clone, Debug, Serialize)]
pub struct FieldView {
    /// Name; label and hint are the texts `clients-field-NAME` and `clients-hint-NAME`.
    pub name: &'static str,
    kind: &'static str,
    value: String,
    required: bool,
    options: Vec<OptionView>,
    insurers: Vec<InsurerChoice>,
    all: bool,
}

/// Something to choose.
#[derive(Clone, Debug, Serialize)]
struct OptionView {
    value: String,
    label: Option<Message>,
    chosen: bool,
}

impl FieldView {
    /// The fields with what stands in them.
    pub fn list(fields: &[Field], values: &Values, offer: &Offer) -> Vec<Self> {
        fields.iter().map(|field| Self::of(field, values.get(field.name), offer)).collect()
    }

    fn of(field: &Field, value: &str, offer: &Offer) -> Self {
        let (kind, source) = match field.kind {
            Kind::Text => ("text", None),
            Kind::Lines => ("lines", None),
            Kind::Seconds => ("seconds", None),
            Kind::Flag => ("flag", None),
            Kind::Json => ("json", None),
            Kind::Insurer => ("insurer", None),
            Kind::Choice(source) => ("choice", Some(source)),
            Kind::Several(source, _) => ("several", Some(source)),
        };
        let mut options = source.map(|source| offer.options(source)).unwrap_or_default();
        // What a client has stays on its form, also where it is offered no more.
        for kept in value.lines().filter(|_| source.is_some()) {
            if !options.iter().any(|(known, _)| known == kept) {
                options.push((kept.to_owned(), None));
            }
        }
        let chosen = |option: &str| value.lines().any(|line| line == option);
        Self {
            name: field.name,
            kind,
            value: value.to_owned(),
            required: field.required,
            options: options
                .into_iter()
                .map(|(value, label)| OptionView { chosen: chosen(&value), value, label })
                .collect(),
            insurers: if field.kind == Kind::Insurer { offer.insurers.clone() } else { Vec::new() },
            all: offer.all,
        }
    }

    /// The values in words, for a page that only shows them.
    pub fn words(&self, locale: Locale) -> Vec<Word> {
        let said = |id: &str| vec![Word { text: String::new(), label: Some(Message::new(id)), lang: locale }];
        let text = |text: &str, label| Word { text: text.to_owned(), label, lang: locale };
        match self.kind {
            "flag" if self.value == "on" => said("clients-yes"),
            "flag" => said("clients-no"),
            "insurer" if self.value.is_empty() => said("console-scope-all"),
            "insurer" => match self.insurers.iter().find(|one| one.code == self.value) {
                Some(one) => vec![Word {
                    text: format!("{} ({})", one.name.text, one.code),
                    label: None,
                    lang: one.name.lang,
                }],
                None => vec![text(&self.value, None)],
            },
            _ if self.value.is_empty() => said("clients-none"),
            "choice" | "several" => {
                let chosen = self.options.iter().filter(|option| option.chosen);
                chosen.map(|option| text(&option.value, option.label.clone())).collect()
            }
            "json" => vec![text(&self.value, None)],
            _ => self.value.lines().map(|line| text(line, None)).collect(),
        }
    }
}

/// A value as it is shown: a word of ours, a value as it is, or both.
#[derive(Clone, Debug, Serialize)]
pub struct Word {
    text: String,
    label: Option<Message>,
    lang: Locale,
}
