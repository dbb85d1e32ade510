//! Against requests that other sites make a browser send (OWASP CSRF Prevention): a token in every form,
//! derived from the browser's own secret, and what the browser says about where the request comes from.

use axum::http::{HeaderMap, header};

use crate::crypto::{MasterKey, digest};

/// The token of a browser's forms.
pub fn token(master: &MasterKey, browser: &str) -> String {
    master.mac_base64url("csrf", browser.as_bytes())
}

/// Whether a posted token is the browser's.
pub fn verify(master: &MasterKey, browser: &str, posted: &str) -> bool {
    digest::equal(token(master, browser).as_bytes(), posted.as_bytes())
}

/// Whether the browser says, or at least does not deny, that one of our pages sent the request.
pub fn same_origin(headers: &HeaderMap, issuer: &str) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site"))
        && site != "same-origin"
    {
        return false;
    }
    match text(header::ORIGIN) {
        None => true,
        Some(origin) if origin == issuer => true,
        // A page with `Referrer-Policy: no-referrer` sends this; Sec-Fetch-Site tells more.
        Some("null") => headers.contains_key("sec-fetch-site"),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        same_origin(&headers, "https://login.example.jp")
    }

    #[test]
    fn only_our_own_pages_may_post() {
        assert!(allowed(&[("origin", "https://login.example.jp"), ("sec-fetch-site", "same-origin")]));
        assert!(allowed(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(allowed(&[]));
        assert!(!allowed(&[("origin", "https://evil.example")]));
        assert!(!allowed(&[("origin", "https://login.example.jp.evil")]));
        assert!(!allowed(&[("origin", "null")]));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&[("sec-fetch-site", "same-site")]));
        assert!(!allowed(&[("origin", "https://login.example.jp"), ("sec-fetch-site", "none")]));
    }

    #[test]
    fn a_token_belongs_to_one_browser() {
        let master = MasterKey::from_bytes([7; 32]);
        let token = token(&master, "browser");
        assert!(verify(&master, "browser", &token));
        assert!(!verify(&master, "other", &token));
        assert!(!verify(&master, "browser", ""));
    }
}
