//! The guard before every operation of the API, and what a handler behind it is handed.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    access::{self, Access},
    problem::{Kind, Problem},
};
use crate::{
    app::App,
    audit::Actor,
    clients::Client,
    clock::Timestamp,
    oidc::{
        access_token::{AccessToken, Standing},
        error::OAuthError,
        resource::API,
        scope::Scopes,
        userinfo,
    },
    operators::{Permission, is_within},
};

/// For how long requests of a client are counted.
/// The time over which the requests of a client are counted.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// A client that may do what is asked for.
#[derive(Clone)]
pub struct Caller {
    app: App,
    /// The client.
    pub client: Arc<Client>,
    /// What its access token opens.
    pub scopes: Scopes,
    /// When the access token is void.
    pub expires_at: Timestamp,
    /// Who it is, as the audit says it.
    pub actor: Actor,
}

/// Lets a request pass if the table of [`access`] has its operation and the access token says so; else 401, 403,
/// or 404 as for what is not there.
pub async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    match judge(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn judge(app: &App, request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let unknown = || Problem::new(if access::has(route) { Kind::MethodNotAllowed } else { Kind::NotFound });
    let access = access::of(route, &parts.method).ok_or_else(unknown)?;
    if access != Access::Open {
        let caller = caller(app, &parts).await?;
        let asked = format!("api:{}", caller.client.id);
        if app.members.ephemeral.count(&asked, MINUTE).await? > app.config().limits.api_per_minute {
            return Err(Problem::new(Kind::TooManyRequests));
        }
        if let Access::May(permission) = access
            && !caller.may(permission)
        {
            return Err(lacks(permission));
        }
        parts.extensions.insert(caller);
    }
    Ok(Request::from_parts(parts, body))
}

/// Who sends this access token (RFC 6750 §2.1). It must be a client's own, and for this API.
async fn caller(app: &App, parts: &Parts) -> Result<Caller, Problem> {
    let text = userinfo::bearer(&parts.headers, parts.uri.query(), None)
        .map_err(|error| Problem::of_token(&error))?;
    let refused = |description| {
        Problem::of_token(&OAuthError::bearer(StatusCode::UNAUTHORIZED, "invalid_token", description))
    };
    let void = || refused("the access token is void or unknown");
    let token = AccessToken::find(app, &text).await?.ok_or_else(void)?;
    let Standing { token, client, behind } = token.standing(app).await?.ok_or_else(void)?;
    if behind.is_some() || !token.audience.contains(&app.config().server.url(API)) {
        return Err(refused("the access token is for another resource"));
    }
    Ok(Caller {
        app: app.clone(),
        // What the client is registered for may have become less since.
        scopes: token.scope.allowed_to(&client),
        expires_at: token.expires_at,
        actor: Actor::client(&client.id),
        client,
    })
}

/// RFC 6750 §3.1
pub(super) fn lacks(permission: Permission) -> Problem {
    let scope = permission.scope();
    let description = format!("the access token lacks the scope {scope}");
    let challenge = format!(
        "Bearer realm=\"kenpos-idp\", error=\"insufficient_scope\", error_description=\"{description}\", \
         scope=\"{scope}\""
    );
    Problem::new(Kind::InsufficientScope).saying(description).challenging(challenge)
}

impl Caller {
    /// The provider.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Whether the access token allows something more than what was asked for.
    pub fn may(&self, permission: Permission) -> bool {
        self.scopes.permissions().any(|one| one == permission)
    }

    /// The one insurer whose things the client may see; none: all.
    pub fn scope(&self) -> Option<&str> {
        self.client.metadata.insurer.as_deref()
    }

    /// Whether a thing of this insurer (none: of several, or of none) is this client's business; else it is as
    /// if it was not there.
    pub fn reach(&self, insurer: Option<&str>) -> Result<(), Problem> {
        if is_within(self.scope(), insurer) { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// The insurer that a search is for: the one named if the client reaches it, or the client's own. A name
    /// that is out of reach is as one that is not there.
    pub fn searched(&self, named: Option<&str>) -> Result<Option<String>, Problem> {
        let unknown =
            || Problem::field("/insurer", "unknown", "no insurer of the configuration has this code");
        if let Some(code) = named {
            let known = self.app.members.insurer(code).is_some() && is_within(self.scope(), named);
            return if known { Ok(Some(code.to_owned())) } else { Err(unknown()) };
        }
        Ok(self.scope().map(str::to_owned))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        // A handler that the guard does not stand before serves nobody.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::not_found)
    }
}
