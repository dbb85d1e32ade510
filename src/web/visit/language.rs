//! The language of an answer, as the request asks for it.

use axum::http::{HeaderMap, header};

use crate::texts::Locale;

/// The language that a link on a page of ours asks for.
pub(super) fn query_locale(query: Option<&str>) -> Option<Locale> {
    let (_, tags) = url::form_urlencoded::parse(query?.as_bytes()).find(|(name, _)| name == "ui_locales")?;
    Locale::from_tag(&tags)
}

/// The first language of `Accept-Language` that is ours, by weight (RFC 9110 §12.5.4).
pub(super) fn accepted_locale(headers: &HeaderMap) -> Option<Locale> {
    let text = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut ranges: Vec<(f32, Locale)> = text
        .split(',')
        .filter_map(|range| {
            let mut parts = range.trim().split(';');
            let locale = Locale::from_tag(parts.next()?.trim())?;
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            Some((weight, locale))
        })
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    ranges.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    ranges.first().map(|(_, locale)| *locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weightiest_language_wins() {
        let accepted = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, text.parse().unwrap());
            accepted_locale(&headers)
        };
        assert_eq!(accepted("en;q=0.5, ja"), Some(Locale::Ja));
        assert_eq!(accepted("fr, en-GB;q=0.8, ja;q=0.1"), Some(Locale::En));
        assert_eq!(accepted("en;q=0"), None);
        assert_eq!(accepted("*"), None);
        assert_eq!(accepted(";;q=,,"), None);
    }
}
