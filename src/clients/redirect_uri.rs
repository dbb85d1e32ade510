//! Redirect URIs: what may be registered, and when a requested one is the registered one.

use url::{Host, Url};

/// Longest redirect URI, in bytes.
const LONGEST: usize = 2000;

/// Whether `requested` is `registered`: character for character (RFC 9700 §2.1). The one exception is the
/// port of a native app's loopback address, which the app learns only when it starts (RFC 8252 §7.3).
pub fn matches(registered: &str, requested: &str, native: bool) -> bool {
    registered == requested
        || (native
            && loopback_without_port(registered)
                .is_some_and(|known| loopback_without_port(requested).is_some_and(|asked| asked == known)))
}

/// What stands before and after the port of `http://127.0.0.1:PORT/…` or `http://[::1]:PORT/…`.
fn loopback_without_port(uri: &str) -> Option<(&str, &str)> {
    let host = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|host| uri.starts_with(host))?;
    let rest = &uri[host.len()..];
    let after_port = match rest.strip_prefix(':') {
        Some(port) => {
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=5).contains(&digits) {
                return None;
            }
            &port[digits..]
        }
        None => rest,
    };
    // Anything but a path here, such as `@evil` or `.evil`, belongs to another host.
    (after_port.is_empty() || after_port.starts_with(['/', '?'])).then_some((host, after_port))
}

/// Why a URI cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct UriRefusal {
    /// Names the rule.
    pub rule: &'static str,
    /// The rule, for developers.
    reason: &'static str,
}

const fn refuse(rule: &'static str, reason: &'static str) -> UriRefusal {
    UriRefusal { rule, reason }
}

/// Checks a redirect URI that a client wants to register (RFC 6749 §3.1.2, RFC 8252 §7).
pub fn check(uri: &str, native: bool) -> Result<(), UriRefusal> {
    let url = parse(uri)?;
    if uri.contains('#') {
        return Err(refuse("fragment", "must have no fragment (RFC 6749 §3.1.2)"));
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => {
            Err(refuse("https", "must use https; http is for loopback addresses alone (RFC 8252 §7.3)"))
        }
        // A private-use scheme is a reversed domain name (RFC 8252 §7.1); this also keeps out
        // javascript:, data:, file: and their kin.
        scheme if native && scheme.contains('.') && !scheme.starts_with('.') => Ok(()),
        _ => Err(refuse(
            "scheme",
            "must use https, http on a loopback address, or for native apps a reversed domain name as its scheme",
        )),
    }
}

/// Checks a page that members are sent to, such as the client's home page or a logout URI.
pub fn check_page(uri: &str) -> Result<(), UriRefusal> {
    let url = parse(uri)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        _ => Err(refuse("https", "must use https, or http on a loopback address")),
    }
}

/// Checks a URL that the provider calls itself. Where it leads is looked at when it is called
/// ([`crate::egress`]).
pub fn check_service(uri: &str) -> Result<(), UriRefusal> {
    let https = parse(uri)?.scheme() == "https";
    if https { Ok(()) } else { Err(refuse("https-only", "must use https")) }
}

fn parse(uri: &str) -> Result<Url, UriRefusal> {
    if uri.len() > LONGEST {
        return Err(refuse("long", "must be 2000 bytes at most"));
    }
    // `Url` would quietly mend these, and what is compared later is the text itself.
    if uri.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\' || !c.is_ascii()) {
        return Err(refuse("characters", "must be ASCII without spaces, control characters or backslashes"));
    }
    let url = Url::parse(uri).map_err(|_| refuse("absolute", "must be an absolute URI"))?;
    if !url.username().is_empty() || url.password().is_some() || authority(uri).contains('@') {
        return Err(refuse("user", "must name no user"));
    }
    if uri.contains('*') {
        return Err(refuse("wildcard", "must have no wildcard"));
    }
    // Origins are written into headers, where other characters end a list or a directive (CSP3 §2.3.1).
    let is_plain = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if !matches!(url.host(), None | Some(Host::Ipv4(_) | Host::Ipv6(_)))
        && !url.host_str().is_some_and(is_plain)
    {
        return Err(refuse("host", "must have a host of letters, digits, dots, hyphens and underscores"));
    }
    Ok(url)
}

fn authority(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether a browser can post a form there.
pub fn is_of_the_web(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// The host of a URI, for the sector of pairwise subjects (OIDC Core §8.1).
pub fn host(uri: &str) -> Option<String> {
    Url::parse(uri).ok()?.host_str().map(str::to_owned)
}

/// The origin of the pages behind a URI of the web.
pub fn origin(uri: &str) -> Option<String> {
    let origin = Url::parse(uri).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Origins are written into headers.
    #[test]
    fn a_host_says_nothing_but_a_host() {
        for host in ["x.example;sandbox", "y.example,frame-src", "x.example'", "x!example"] {
            assert!(check(&format!("https://{host}/cb"), false).is_err(), "{host}");
            assert!(check(&format!("com.example.app://{host}/cb"), true).is_err(), "{host}");
        }
        for uri in ["https://app-1.example.com/cb", "https://[2001:db8::1]/cb", "https://192.0.2.1:8443/cb"] {
            assert_eq!(check(uri, false), Ok(()), "{uri}");
        }
        for uri in ["com.example.app:/cb", "com.example.app://callback", "com.example.app:///cb"] {
            assert_eq!(check(uri, true), Ok(()), "{uri}");
        }
        assert!(is_of_the_web("http://127.0.0.1/cb") && !is_of_the_web("http.example:/cb"));
    }

    #[test]
    fn only_the_very_same_text_matches() {
        let registered = "https://app.example.com/callback";
        assert!(matches(registered, registered, false));
        for requested in [
            "https://app.example.com/callback/",
            "https://app.example.com/Callback",
            "https://APP.example.com/callback",
            "https://app.example.com.evil/callback",
            "https://app.example.com@evil/callback",
            "https://a@b@evil/callback",
            "https://app.example.com/callback?x=1",
            "https://app.example.com/callback#x",
            "https://app.example.com/..;/callback",
            "https://app.example.com/%2e%2e/callback",
            "https://app.example.com\\callback",
            "https://app.example.com:443/callback",
            "https://аpp.example.com/callback",
            "http://app.example.com/callback",
            "",
        ] {
            assert!(!matches(registered, requested, false), "{requested}");
            assert!(!matches(registered, requested, true), "{requested}");
        }
    }

    #[test]
    fn a_native_app_may_choose_its_loopback_port_and_nothing_else() {
        let registered = "http://127.0.0.1/callback";
        assert!(matches(registered, "http://127.0.0.1:49152/callback", true));
        assert!(matches("http://[::1]:1/callback", "http://[::1]:49152/callback", true));
        assert!(!matches(registered, "http://127.0.0.1:49152/callback", false));
        for requested in [
            "http://127.0.0.1:49152/other",
            "http://127.0.0.1:49152@evil/callback",
            "http://127.0.0.1.evil/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:123456/callback",
            "http://[::1]:49152/callback",
            "http://localhost:49152/callback",
            "https://127.0.0.1:49152/callback",
        ] {
            assert!(!matches(registered, requested, true), "{requested}");
        }
    }

    #[test]
    fn dangerous_uris_cannot_be_registered() {
        for uri in [
            "javascript:alert(1)",
            "data:text/html,x",
            " https://app.example.com/",
            "https://app.example.com/\u{7}",
            "https://app.example.com/\r\nx",
            "https://user@app.example.com/",
            "https://@app.example.com/",
            "https://app.example.com/#x",
            "https://app.example.com/#",
            "https://*.example.com/",
            "http://app.example.com/",
            "https://例え.jp/",
            "https:\\\\app.example.com",
            "/callback",
            "myapp:/callback",
            "file:///etc/passwd",
        ] {
            assert!(check(uri, false).is_err(), "{uri}");
            assert!(check(uri, true).is_err(), "{uri}");
        }
        assert!(check("https://app.example.com/callback?tenant=1", false).is_ok());
        assert!(check("http://127.0.0.1:8081/callback", false).is_ok());
        assert!(check("jp.example.app:/callback", true).is_ok());
        assert!(check("jp.example.app:/callback", false).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(registered in ".{0,80}", requested in ".{0,80}") {
            let _ = matches(&registered, &requested, true);
            let _ = check(&registered, true);
        }

        #[test]
        fn without_the_exception_matching_is_equality(a in "http://127.0.0.1[:0-9/a-z]{0,12}", b in "http://127.0.0.1[:0-9/a-z]{0,12}") {
            prop_assert_eq!(matches(&a, &b, false), a == b);
        }
    }
}
