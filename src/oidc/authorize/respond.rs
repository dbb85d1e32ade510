//! Authorization responses: back to the client, and only to a [`Callback`].

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
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

/// Parameters of a response.
#[derive(Debug, Default)]
pub struct Answer(Vec<(&'static str, String)>);

impl Answer {
    /// Adds a parameter.
    pub fn put(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, value.into()));
    }
}

/// What was asked for (RFC 6749 §4.1.2, OIDC Core §3.2.2.5 and §3.3.2.5).
pub fn success(
    visit: &Visit,
    client: &Client,
    callback: &Callback,
    answer: Answer,
) -> Result<Response, PageError> {
    send(visit, client, callback, answer)
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
    let mut answer = Answer::default();
    answer.put("error", error.code);
    answer.put("error_description", error.description.as_str());
    send(visit, client, callback, answer)
}

/// The answer to HEAD: whoever only looks whether the address is there starts and ends nothing.
pub fn nothing() -> Response {
    (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

/// Adds what every response has.
fn complete(visit: &Visit, callback: &Callback, mut answer: Answer) -> Vec<(&'static str, String)> {
    if let Some(state) = callback.state() {
        answer.put("state", state);
    }
    // `iss` keeps a client of several providers from mixing them up (RFC 9207 §2).
    answer.put("iss", visit.app().config().server.issuer.as_str());
    answer.0
}

fn send(visit: &Visit, client: &Client, callback: &Callback, answer: Answer) -> Result<Response, PageError> {
    let parameters = complete(visit, callback, answer);
    // The URI stays letter for letter as it was registered, whatever query it has.
    let uri = callback.redirect_uri();
    let joint = match callback.mode() {
        ResponseMode::Query if uri.contains('?') => '&',
        ResponseMode::Query => '?',
        ResponseMode::Fragment => '#',
        ResponseMode::FormPost => {
            let action = ExternalUrl::new(uri)
                .ok_or_else(|| Fault::internal("form_post to a URI that is not of the web"))?;
            let field = |(name, value): (&str, String)| HiddenField { name: name.to_owned(), value };
            let fields = parameters.into_iter().map(field).collect();
            let page = FormPost { action, fields, client: Some(client.name_in(visit.locale).to_owned()) };
            return Ok(visit.show(&page).leads_to(client.form_targets()).render()?);
        }
    };
    let encoded = Serializer::new(String::new()).extend_pairs(parameters).finish();
    Ok(visit.redirect(&format!("{uri}{joint}{encoded}"))?)
}
