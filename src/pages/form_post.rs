//! Back to the relying party by a form (OAuth 2.0 Form Post Response Mode).

use serde::Serialize;

use super::{
    parts::{ExternalUrl, HiddenField},
    sample,
};
use crate::web::templates::Page;

/// A form that the script submits by itself. It carries the response and nothing else: no token against
/// forgery, which is nobody else's business.
#[derive(Clone, Debug, Serialize)]
pub struct FormPost {
    /// The redirect URI, letter for letter.
    pub action: ExternalUrl,
    /// The parameters of the authorization response.
    pub fields: Vec<HiddenField>,
    /// Name of the relying party.
    pub client: Option<String>,
}

impl Page for FormPost {
    const TEMPLATE: &'static str = "pages/form_post.html";

    fn samples() -> Vec<Self> {
        let field = |name: &str, value: &str| HiddenField { name: name.to_owned(), value: value.to_owned() };
        let to = |url: &str, client: Option<&str>, state: &str| {
            Some(Self {
                action: ExternalUrl::new(url)?,
                fields: vec![
                    field("code", "SplxlOBeZQQYbYS6WxSbIA"),
                    field("state", state),
                    field("iss", "https://id.example.com"),
                ],
                client: client.map(str::to_owned),
            })
        };
        let samples = [
            to("https://app.example.com/callback?a=1&b=2", Some(sample::CLIENT), "af0ifjsldkj"),
            to("https://app.example.com/\"><script>", Some(sample::HOSTILE), sample::HOSTILE),
            to("http://127.0.0.1:8090/callback", None, ""),
        ];
        samples.into_iter().flatten().collect()
    }
}
