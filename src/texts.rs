//! Every text that a person reads, in Japanese and English, through Fluent.
//!
//! The texts live in `templates/texts/*.{ja,en}.ftl` and are compiled in. A missing text is a failing
//! test, not a surprise for a member.

use std::{fmt, time::Duration};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use jiff::{
    civil::Weekday,
    tz::{self, TimeZone},
};
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

use crate::clock::Timestamp;

/// The languages of the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// Japanese, the default.
    #[default]
    Ja,
    /// English.
    En,
}

impl Locale {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::Ja, Self::En];

    /// BCP 47 tag, as in `lang` attributes and `ui_locales_supported`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// The language of a BCP 47 tag such as `ja-JP`, if it is one of ours.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "ja" => Some(Self::Ja),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

impl Locale {
    /// The first of ours in a list of BCP 47 tags with spaces between them, the preferred one first
    /// (`ui_locales`, OIDC Core §3.1.2.1).
    pub fn of_list(tags: &str) -> Option<Self> {
        tags.split_whitespace().find_map(Self::from_tag)
    }
}

/// A count as both languages write it: `12,345`.
pub fn grouped(count: impl Into<i128>) -> String {
    let count = count.into();
    let digits = count.unsigned_abs().to_string();
    let mut text = String::from(if count < 0 { "-" } else { "" });
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A text that an insurer gave, in the language that it is in: not always that of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The text.
    pub text: String,
    /// Its language, for the `lang` of the element that holds it (WCAG 2.2, success criterion 3.1.2).
    pub lang: Locale,
}

impl Given {
    /// The text for a reader of `locale`: the English one if there is one, else the Japanese one as such.
    pub fn choose(locale: Locale, ja: &str, en: Option<&str>) -> Self {
        match (locale, en.filter(|text| !text.trim().is_empty())) {
            (Locale::En, Some(en)) => Self { text: en.to_owned(), lang: Locale::En },
            _ => Self { text: ja.to_owned(), lang: Locale::Ja },
        }
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// The files of a language, in `templates/texts/`.
const JA: &[&str] = &[
    include_str!("../templates/texts/pages.ja.ftl"),
    include_str!("../templates/texts/account.ja.ftl"),
    include_str!("../templates/texts/admin.ja.ftl"),
    include_str!("../templates/texts/clients.ja.ftl"),
    include_str!("../templates/texts/insurers.ja.ftl"),
    include_str!("../templates/texts/desk.ja.ftl"),
    include_str!("../templates/texts/device.ja.ftl"),
    include_str!("../templates/texts/mail.ja.ftl"),
    include_str!("../templates/texts/members.ja.ftl"),
    include_str!("../templates/texts/recovery.ja.ftl"),
    include_str!("../templates/texts/roster.ja.ftl"),
    include_str!("../templates/texts/rules.ja.ftl"),
    include_str!("../templates/texts/service.ja.ftl"),
];
const EN: &[&str] = &[
    include_str!("../templates/texts/pages.en.ftl"),
    include_str!("../templates/texts/account.en.ftl"),
    include_str!("../templates/texts/admin.en.ftl"),
    include_str!("../templates/texts/clients.en.ftl"),
    include_str!("../templates/texts/insurers.en.ftl"),
    include_str!("../templates/texts/desk.en.ftl"),
    include_str!("../templates/texts/device.en.ftl"),
    include_str!("../templates/texts/mail.en.ftl"),
    include_str!("../templates/texts/members.en.ftl"),
    include_str!("../templates/texts/recovery.en.ftl"),
    include_str!("../templates/texts/roster.en.ftl"),
    include_str!("../templates/texts/rules.en.ftl"),
    include_str!("../templates/texts/service.en.ftl"),
];

/// The texts of all languages.
pub struct Texts {
    ja: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Texts")
    }
}

/// A text file is malformed or names a text twice.
#[derive(Debug, thiserror::Error)]
#[error("the {locale} texts cannot be read: {reason}")]
pub struct TextsError {
    locale: Locale,
    reason: String,
}

impl Texts {
    /// Reads the texts that are compiled in.
    pub fn load() -> Result<Self, TextsError> {
        Ok(Self { ja: bundle(Locale::Ja, JA)?, en: bundle(Locale::En, EN)? })
    }

    /// The text `id` with its arguments; a missing one falls back to Japanese and then to its name.
    pub fn text(&self, locale: Locale, id: &str, args: &[(&str, String)]) -> String {
        let mut fluent = FluentArgs::new();
        for (name, value) in args {
            fluent.set(*name, FluentValue::from(value.clone()));
        }
        self.format(locale, id, &fluent)
            .or_else(|| self.format(Locale::Ja, id, &fluent))
            .unwrap_or_else(|| id.to_owned())
    }

    /// An instant as people in Japan read it off their calendars and clocks, in words.
    pub fn date_time(&self, locale: Locale, at: Timestamp) -> String {
        // Asia/Tokyo has kept this offset since 1951.
        let tokyo = TimeZone::fixed(tz::offset(9));
        let Ok(at) = jiff::Timestamp::from_millisecond(at.millis()) else { return String::new() };
        let at = at.to_zoned(tokyo);
        let args = [
            ("year", at.year().to_string()),
            ("month", at.month().to_string()),
            ("monthname", MONTHS[usize::from(at.month().unsigned_abs() - 1) % 12].to_owned()),
            ("day", at.day().to_string()),
            ("weekday", weekday(at.weekday()).to_owned()),
            ("hour", at.hour().to_string()),
            ("minute", format!("{:02}", at.minute())),
        ];
        self.text(locale, "date-time", &args)
    }

    /// How long something lives, in words: in minutes up to an hour, then in hours; a begun one counts.
    pub fn lifetime(&self, locale: Locale, life: Duration) -> String {
        let minutes = life.as_millis().div_ceil(60_000);
        match minutes {
            0 | 1 => self.text(locale, "lifetime-minute", &[]),
            2..=60 => self.text(locale, "lifetime-minutes", &[("minutes", minutes.to_string())]),
            _ => self.text(locale, "lifetime-hours", &[("hours", minutes.div_ceil(60).to_string())]),
        }
    }

    /// Whether the language has the text.
    pub fn has(&self, locale: Locale, id: &str) -> bool {
        self.of(locale).get_message(id).is_some_and(|message| message.value().is_some())
    }

    fn format(&self, locale: Locale, id: &str, args: &FluentArgs<'_>) -> Option<String> {
        let bundle = self.of(locale);
        let pattern = bundle.get_message(id)?.value()?;
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(text = id, %locale, ?errors, "a text lacks an argument");
        }
        Some(text)
    }

    const fn of(&self, locale: Locale) -> &FluentBundle<FluentResource> {
        match locale {
            Locale::Ja => &self.ja,
            Locale::En => &self.en,
        }
    }
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    }
}

fn bundle(locale: Locale, sources: &[&str]) -> Result<FluentBundle<FluentResource>, TextsError> {
    let failed = |reason: String| TextsError { locale, reason };
    let language: LanguageIdentifier = locale.tag().parse().map_err(|error| failed(format!("{error}")))?;
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks around arguments would end up in mails and in copied login IDs.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new((*source).to_owned())
            .map_err(|(_, errors)| failed(format!("{errors:?}")))?;
        bundle.add_resource(resource).map_err(|errors| failed(format!("{errors:?}")))?;
    }
    Ok(bundle)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(sources: &[&str]) -> BTreeSet<String> {
        sources
            .iter()
            .flat_map(|source| source.lines())
            .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
            .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim().to_owned()))
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        assert_eq!(names(JA), names(EN));
        let texts = Texts::load().unwrap();
        for name in names(JA) {
            for locale in Locale::ALL {
                assert!(texts.has(locale, &name), "{locale} lacks {name}");
            }
        }
    }

    #[test]
    fn a_lifetime_is_in_minutes_up_to_an_hour() {
        let texts = Texts::load().unwrap();
        for (seconds, ja, en) in [
            (1, "1分", "1 minute"),
            (61, "2分", "2 minutes"),
            (3_600, "60分", "60 minutes"),
            (3_601, "2時間", "2 hours"),
            (86_399, "24時間", "24 hours"),
        ] {
            let said = Locale::ALL.map(|locale| texts.lifetime(locale, Duration::from_secs(seconds)));
            assert_eq!(said, [ja, en]);
        }
    }

    #[test]
    fn counts_are_grouped_by_three_digits() {
        let told = [0, 7, 999, 1_000, 12_345, 1_000_000, -1_299].map(grouped);
        assert_eq!(told, ["0", "7", "999", "1,000", "12,345", "1,000,000", "-1,299"]);
    }

    #[test]
    fn tags_are_matched_by_language() {
        assert_eq!(Locale::from_tag("ja-JP"), Some(Locale::Ja));
        assert_eq!(Locale::from_tag("EN_us"), Some(Locale::En));
        assert_eq!(Locale::from_tag("se"), None);
    }
}
