//! The authorization endpoint, to the letter: who is asked, what is told, how the answer travels, and where the
//! request may come from. Names of the official conformance suite stand where a module matches.

mod claims;
mod objects;
mod pushed;
mod responses;
mod sign_in;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::support::{
    app::TestApp,
    attack::{Pairs, parameter},
    http_browser::{HttpBrowser, Page},
};

/// The claims of a JWT.
fn claims_of(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).unwrap_or_else(|| panic!("no JWT: {jwt}"));
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A parameter of a fragment.
fn in_fragment(url: &Url, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

impl TestApp {
    /// `/authorize` with these parameters, to the page or the redirect at the end of it.
    async fn ask(&self, browser: &HttpBrowser, request: &Pairs<'_>) -> Page {
        browser.get(&self.authorize_url(request)).await.follow_here().await
    }

    /// The same, by a member who allows whatever is asked for; gives the callback.
    async fn allowed(&self, browser: &HttpBrowser, request: &Pairs<'_>) -> Url {
        let mut page = self.ask(browser, request).await;
        if page.url.path().starts_with("/consent/") {
            page = page.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
        }
        page.location().unwrap_or_else(|| panic!("no callback: {} {}", page.url, page.text()))
    }

    /// The `error` that a request is answered with, which state and issuer come with.
    async fn error(&self, browser: &HttpBrowser, request: &Pairs<'_>) -> String {
        let page = self.ask(browser, request).await;
        let callback = page.location().unwrap_or_else(|| panic!("no callback: {} {}", page.url, page.text()));
        assert_eq!(parameter(&callback, "code"), None, "{callback}");
        assert_eq!(parameter(&callback, "iss"), Some(self.url("")), "{callback}");
        assert_eq!(parameter(&callback, "state").as_deref(), Some("af0ifjsldkj"), "{callback}");
        parameter(&callback, "error").unwrap_or_else(|| panic!("no error: {callback}"))
    }
}
