//! Authorization responses: back to the client, and only to a [`Callback`].

use axum::response::Response;
use url::form_urlencoded::Serializer;

use super::{
    checks::AuthorizationError,
    request::{Callback, ResponseMode},
};
use crate::{
    clients::Client,
    fault::Fault,
    pages::{
        form_post::FormPost,
        parts::{ExternalUrl, HiddenField},
    },
    web::{PageError, Visit},
};

/// A code for the client (RFC 6749 §4.1.2).
pub fn success(
    visit: &Visit,
    client: &Client,
    callback: &Callback,
    code: &str,
) -> Result<Response, PageError> {
    send(visit, client, callback, &[("code", code)])
}

/// An error for the client (RFC 6749 §4.1.2.1).
pub fn error(
    visit: &Visit,
    client: &Client,
    callback: &Callback,
    error: &AuthorizationError,
) -> Result<Response, PageError> {
    tracing::info!(
        client = client.id,
        error = error.code,
        reason = error.description,
        "authorization refused"
    );
    send(visit, client, callback, &[("error", error.code), ("error_description", &error.description)])
}

fn send(
    visit: &Visit,
    client: &Client,
    callback: &Callback,
    answer: &[(&str, &str)],
) -> Result<Response, PageError> {
    // `iss` keeps a client of several providers from mixing them up (RFC 9207 §2).
    let issuer = visit.app().config().server.issuer.as_str();
    let state = callback.state().map(|state| ("state", state));
    let parameters = answer.iter().copied().chain(state).chain([("iss", issuer)]);
    match callback.mode() {
        ResponseMode::Query => {
            let mut query = Serializer::new(String::new());
            query.extend_pairs(parameters);
            // The URI stays letter for letter as it was registered, whatever query it has.
            let uri = callback.redirect_uri();
            let joint = if uri.contains('?') { '&' } else { '?' };
            Ok(visit.redirect(&format!("{uri}{joint}{}", query.finish()))?)
        }
        ResponseMode::FormPost => {
            let action = ExternalUrl::new(callback.redirect_uri())
                .ok_or_else(|| Fault::internal("form_post to a URI that is not of the web"))?;
            let fields = parameters
                .map(|(name, value)| HiddenField { name: name.to_owned(), value: value.to_owned() })
                .collect();
            let page = FormPost { action, fields, client: Some(client.name_in(visit.locale).to_owned()) };
            Ok(visit.show(&page).leads_to(client.form_targets()).render()?)
        }
    }
}
