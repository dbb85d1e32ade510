//! The authorization endpoint, to the letter: who is asked, what is told, how the answer travels, and where the
//! request may come from. Names of the official conformance suite stand where a module matches.

mod claims;
pub mod objects;
mod pushed;
mod responses;
mod sign_in;

use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::support::{
    app::TestApp,
    attack::{Pairs, parameter, part},
    http_browser::{HttpBrowser, Page},
};

/// The claims of a JWT.
fn claims_of(jwt: &str) -> Value {
    part(jwt, 1)
}

/// A parameter of a fragment.
pub fn in_fragment(url: &Url, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

impl TestApp {
    /// `/authorize` with these parameters, to the page or the redirect at the end of it.
    pub async fn ask(&self, browser: &HttpBrowser, request: &Pairs<'_>) -> Page {
        browser.get(&self.authorize_url(request)).await.follow_here().await
    }

    /// The same, by a member who allows whatever is asked for; gives the callback.
    pub async fn allowed(&self, browser: &HttpBrowser, request: &Pairs<'_>) -> Url {
        let mut page = self.ask(browser, request).await;
        if page.url.path().starts_with("/consent/") {
            page = page.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
        }
        page.location().unwrap_or_else(|| panic!("no callback: {} {}", page.url, page.text()))
    }

    /// The `error` that a request is answered with, which state and issuer come with.
    pub async fn error(&self, browser: &HttpBrowser, request: &Pairs<'_>) -> String {
        let page = self.ask(browser, request).await;
        let callback = page.location().unwrap_or_else(|| panic!("no callback: {} {}", page.url, page.text()));
        assert_eq!(parameter(&callback, "code"), None, "{callback}");
        assert_eq!(parameter(&callback, "iss"), Some(self.url("")), "{callback}");
        assert_eq!(parameter(&callback, "state").as_deref(), Some("af0ifjsldkj"), "{callback}");
        parameter(&callback, "error").unwrap_or_else(|| panic!("no error: {callback}"))
    }
}
