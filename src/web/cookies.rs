//! Our cookies: host-only, for the whole site, out of the reach of scripts, and not sent with requests
//! that other sites post.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time::Duration};

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// The session of a signed-in member.
    Session,
    /// Binds interactions and forms to this browser.
    Browser,
    /// The language that was chosen on a page.
    Locale,
    /// What the script of `check_session_iframe` reads (Session Management 1.0 §4): it opens nothing.
    State,
}

impl Name {
    /// The name on the wire. `__Host-` (RFC 6265bis §4.1.3.2) needs https, so only the demo goes without.
    pub const fn as_str(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-kenpos-session",
            (Self::Session, false) => "kenpos-session",
            (Self::Browser, true) => "__Host-kenpos-browser",
            (Self::Browser, false) => "kenpos-browser",
            (Self::Locale, true) => "__Host-kenpos-locale",
            (Self::Locale, false) => "kenpos-locale",
            (Self::State, true) => "__Host-kenpos-state",
            (Self::State, false) => "kenpos-state",
        }
    }
}

/// The value of a cookie in a request.
pub fn read(headers: &HeaderMap, name: Name, secure: bool) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == name.as_str(secure))
        .map(|cookie| cookie.value().to_owned())
}

/// A `Set-Cookie` that lasts as long as the browser is open, or a year for the language.
pub fn set(name: Name, value: &str, secure: bool) -> Option<HeaderValue> {
    let mut cookie = base(name, value, secure);
    if name == Name::Locale {
        cookie.set_max_age(Duration::days(365));
    }
    HeaderValue::from_str(&cookie.to_string()).ok()
}

/// A `Set-Cookie` that removes the cookie.
pub fn clear(name: Name, secure: bool) -> Option<HeaderValue> {
    let mut cookie = base(name, "", secure);
    cookie.set_max_age(Duration::ZERO);
    HeaderValue::from_str(&cookie.to_string()).ok()
}

fn base(name: Name, value: &str, secure: bool) -> Cookie<'_> {
    // Read by our own script in frames of relying parties, which are other sites. `SameSite=None` needs
    // `Secure`; browsers take a loopback address for secure, so the demo can have it too.
    let framed = name == Name::State;
    Cookie::build((name.as_str(secure), value))
        .path("/")
        .http_only(!framed)
        .same_site(if framed { SameSite::None } else { SameSite::Lax })
        .secure(secure || framed)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_https_a_cookie_has_every_protection() {
        let cookie = set(Name::Session, "abc", true).unwrap();
        assert_eq!(cookie, "__Host-kenpos-session=abc; HttpOnly; SameSite=Lax; Secure; Path=/");
        let state = set(Name::State, "abc", true).unwrap();
        assert_eq!(state, "__Host-kenpos-state=abc; SameSite=None; Secure; Path=/");
        assert!(!clear(Name::Session, true).unwrap().to_str().unwrap().contains("Domain"));
    }

    #[test]
    fn a_malformed_cookie_header_is_no_cookie() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static(";;=; kenpos-session"));
        headers.append(header::COOKIE, HeaderValue::from_bytes(b"kenpos-session=\xff").unwrap());
        assert_eq!(read(&headers, Name::Session, false), None);
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; kenpos-session=x"));
        assert_eq!(read(&headers, Name::Session, false).as_deref(), Some("x"));
        assert_eq!(read(&headers, Name::Session, true), None);
    }
}
