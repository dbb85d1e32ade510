//! Which language a request asks for.

use axum::http::{HeaderMap, header};

use crate::texts::Locale;

/// Language ranges that are looked at; no browser sends so many.
const MOST_RANGES: usize = 100;

/// The language that a link on a page of ours asks for.
pub fn asked(query: Option<&str>) -> Option<Locale> {
    let (_, tags) = url::form_urlencoded::parse(query?.as_bytes()).find(|(name, _)| name == "ui_locales")?;
    Locale::of_list(&tags)
}

/// The first language of `Accept-Language` that is ours, by weight (RFC 9110 §12.5.4). What is malformed is
/// passed over.
pub fn accepted(headers: &HeaderMap) -> Option<Locale> {
    let lines = headers.get_all(header::ACCEPT_LANGUAGE).into_iter().filter_map(|line| line.to_str().ok());
    let mut ranges: Vec<(u16, Locale)> =
        lines.flat_map(|line| line.split(',')).take(MOST_RANGES).filter_map(language_range).collect();
    ranges.retain(|(weight, _)| *weight > 0);
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    ranges.first().map(|(_, locale)| *locale)
}

/// One range with its weight in thousandths: `en-GB;q=0.8`.
fn language_range(text: &str) -> Option<(u16, Locale)> {
    let (tag, weight) = match text.split_once(';') {
        Some((tag, parameter)) => (tag, thousandths(parameter)?),
        None => (text, 1000),
    };
    Some((weight, Locale::from_tag(tag.trim())?))
}

/// A weight (RFC 9110 §12.4.2): 0 to 1 with at most three decimals.
fn thousandths(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.trim().split_once('=')?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let plain = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    if !name.eq_ignore_ascii_case("q") || !plain || !matches!(whole, "0" | "1") {
        return None;
    }
    let fraction: u16 = format!("{decimals:0<3}").parse().ok()?;
    let weight = if whole == "1" { 1000 + fraction } else { fraction };
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weightiest_language_wins() {
        let accepted = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, text.parse().unwrap());
            super::accepted(&headers)
        };
        assert_eq!(accepted("en;q=0.5, ja"), Some(Locale::Ja));
        assert_eq!(accepted("fr, en-GB;q=0.8, ja;q=0.1"), Some(Locale::En));
        assert_eq!(accepted("en;q=0"), None);
        assert_eq!(accepted("*"), None);
        assert_eq!(accepted(";;q=,,"), None);
        assert_eq!(accepted("EN-us;Q=0.9,ja;q=0.899"), Some(Locale::En));
        assert_eq!(accepted("ja;q=0.5,en;q=0.5"), Some(Locale::Ja), "the first of equals");
        assert_eq!(accepted("ja;q=0.000,en;q=0.001"), Some(Locale::En));
        // What is malformed counts for nothing, and what is right beside it still does.
        for weight in
            ["", "q", "q=", "q=x", "q=nan", "q=inf", "q=1.001", "q=2", "q=-1", "q=0.1234", "q=.5", "r=1"]
        {
            assert_eq!(accepted(&format!("en;{weight}, ja;q=0.1")), Some(Locale::Ja), "{weight}");
            assert_eq!(accepted(&format!("en;{weight}")), None, "{weight}");
        }
        let mut lines = HeaderMap::new();
        for line in ["fr", "ja;q=0.2", "en;q=0.3"] {
            lines.append(header::ACCEPT_LANGUAGE, line.parse().unwrap());
        }
        lines.append(header::ACCEPT_LANGUAGE, axum::http::HeaderValue::from_bytes(b"ja\xff").unwrap());
        assert_eq!(super::accepted(&lines), Some(Locale::En));
        assert_eq!(accepted(&"x,".repeat(5000)), None);
    }

    proptest::proptest! {
        #[test]
        fn no_header_is_too_strange(text in "[ -~]{0,60}") {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, text.parse().unwrap());
            super::accepted(&headers);
            asked(Some(&text));
        }
    }

    #[test]
    fn the_first_language_that_is_ours_is_asked_for() {
        for (query, expected) in [
            ("ui_locales=en", Some(Locale::En)),
            ("ui_locales=fr-CA+fr+en", Some(Locale::En)),
            ("ui_locales=%20ja-JP%20en", Some(Locale::Ja)),
            ("ui_locales=fr", None),
            ("ui_locales=", None),
            ("ui_locales=%FF%00", None),
            ("UI_LOCALES=en", None),
        ] {
            assert_eq!(asked(Some(query)), expected, "{query}");
        }
    }
}
