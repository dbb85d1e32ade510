//! Which web pages may read the answers to programs (Fetch §3.2).
//!
//! Discovery and keys are for everybody. `/token`, `/userinfo` and `/revoke` answer the pages of registered
//! clients, which are those at the origins of their redirect URIs. Cookies never count there, so no page can
//! do more than a program could; other pages are kept from reading all the same.

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tokio::sync::RwLock;

use crate::{
    app::App,
    clients::{Client, redirect_uri},
    clock::Timestamp,
    fault::Fault,
    oidc::error::OAuthError,
};

/// How long the origins are remembered: a new client waits for as long at most.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Seconds for which a browser need not ask again.
const MAX_AGE: &str = "600";

/// The origins of all clients, as they were read last.
#[derive(Debug, Default)]
pub struct Origins(RwLock<Option<(Timestamp, Arc<HashSet<String>>)>>);

impl Origins {
    /// Whether a page at this origin belongs to a client.
    async fn has(&self, app: &App, origin: &str) -> Result<bool, Fault> {
        let now = app.now();
        if let Some((read_at, origins)) = &*self.0.read().await
            && now.since(*read_at) < REMEMBERED
        {
            return Ok(origins.contains(origin));
        }
        let clients = Client::list(&app.members.db).await?;
        let enabled = clients.iter().filter(|client| client.disabled_at.is_none());
        let origins: HashSet<String> = enabled
            .flat_map(|client| &client.metadata.redirect_uris)
            .filter_map(|uri| redirect_uri::origin(uri))
            .collect();
        let origins = Arc::new(origins);
        *self.0.write().await = Some((now, Arc::clone(&origins)));
        Ok(origins.contains(origin))
    }
}

/// Whose pages may read the answers of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// None but our own.
    Ours,
    /// Any; for what is public.
    Anyone,
    /// Those of clients.
    Clients,
}

impl Readers {
    /// Answers a request so that these may read it.
    pub async fn admit<F>(self, app: &App, request: Request, answer: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response>,
    {
        let origin = request.headers().get(header::ORIGIN).filter(|_| self == Self::Clients).cloned();
        let allowed = match origin.as_ref().and_then(|origin| origin.to_str().ok()) {
            None => Ok(false),
            Some(origin) => app.cors.has(app, origin).await,
        };
        let allowed = match allowed {
            Ok(allowed) => allowed,
            Err(fault) => return OAuthError::from(fault).into_response(),
        };
        let mut response = match self.preflight(&request) {
            Some(response) => response,
            None => answer(request).await,
        };
        let headers = response.headers_mut();
        match self {
            Self::Ours => {}
            Self::Anyone => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Self::Clients => {
                headers.append(header::VARY, HeaderValue::from_static("origin"));
                if let Some(origin) = origin.filter(|_| allowed) {
                    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                    let exposed = HeaderValue::from_static("www-authenticate");
                    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
                }
            }
        }
        response
    }

    /// The answer to a browser that asks before it sends the request proper (Fetch §3.2.2).
    fn preflight(self, request: &Request) -> Option<Response> {
        let methods = match self {
            Self::Ours => return None,
            Self::Anyone => "GET",
            Self::Clients => "GET, POST",
        };
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ORIGIN)
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let headers = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ];
        asks.then(|| (StatusCode::NO_CONTENT, headers).into_response())
    }
}
