//! `/admin/clients/{client}/settings`: what the app's developers copy into their programs.

use axum::{extract::Path, response::Response};
use serde::Serialize;

use super::{Named, find, snippets};
use crate::{
    admin::guard::Operator,
    clients::{AuthMethod, Client},
    pages::sample,
    web::{PageError, templates::Page},
};

/// The settings of a client, plain and for libraries.
#[derive(Clone, Debug, Serialize)]
pub struct SettingsPage {
    /// The client.
    pub client: Named,
    /// Names and values for any library.
    pub plain: Vec<(&'static str, String)>,
    /// Texts for libraries.
    pub libraries: Vec<Library>,
    /// Whether it signs assertions, which the texts leave to the developers.
    pub signs: bool,
    /// Whether it has a secret.
    pub secret: bool,
}

/// A library and the text for it.
#[derive(Clone, Debug, Serialize)]
pub struct Library {
    /// Names the part of the page.
    pub id: &'static str,
    /// The library, and its language.
    pub name: &'static str,
    /// The text to copy.
    pub text: String,
}

impl Page for SettingsPage {
    const TEMPLATE: &'static str = "admin/client_settings.html";

    fn samples() -> Vec<Self> {
        let client = super::edit::sample_client();
        let issuer = "https://login.example.jp";
        let hostile = Library { id: "other", name: sample::LONG, text: sample::HOSTILE.to_owned() };
        let several = Self {
            client: Named::sample(),
            plain: plain(issuer, &client),
            libraries: snippets::all(issuer, &client).into_iter().chain([hostile]).collect(),
            signs: true,
            secret: false,
        };
        let none = Self {
            client: Named::hostile(),
            libraries: Vec::new(),
            signs: false,
            secret: true,
            ..several.clone()
        };
        vec![several, none]
    }
}

fn plain(issuer: &str, client: &Client) -> Vec<(&'static str, String)> {
    let metadata = &client.metadata;
    let mut plain = vec![
        ("issuer", issuer.to_owned()),
        ("discovery", format!("{issuer}/.well-known/openid-configuration")),
        ("client_id", client.id.clone()),
        ("token_endpoint_auth_method", metadata.token_endpoint_auth_method.as_str().to_owned()),
    ];
    plain.extend(metadata.redirect_uris.iter().map(|uri| ("redirect_uri", uri.clone())));
    plain.extend(
        metadata.post_logout_redirect_uris.iter().map(|uri| ("post_logout_redirect_uri", uri.clone())),
    );
    plain.extend([
        ("scope", metadata.scope.clone()),
        ("response_type", metadata.response_types.0.join(", ")),
        ("code_challenge_method", "S256".to_owned()),
    ]);
    plain
}

/// GET `/admin/clients/{client}/settings`
pub async fn get(reader: Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let client = find(&reader, &id).await?;
    let issuer = &reader.app().config().server.issuer;
    let method = client.metadata.token_endpoint_auth_method;
    let page = SettingsPage {
        client: Named::of(&reader, &client),
        plain: plain(issuer, &client),
        libraries: snippets::all(issuer, &client),
        signs: matches!(method, AuthMethod::PrivateKeyJwt | AuthMethod::ClientSecretJwt),
        secret: method.has_secret(),
    };
    Ok(reader.show(&page).render()?)
}
