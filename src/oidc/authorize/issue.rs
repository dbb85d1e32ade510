//! The answer to a request that is allowed: a code, and for the response types that have them, tokens.

use axum::{http::StatusCode, response::Response};
use serde_json::Map;

use super::{
    checks::AuthorizationError,
    pushed::Pushed,
    request::AuthorizationRequest,
    respond::{self, Answer},
};
use crate::{
    app::App,
    clients::Client,
    fault::Fault,
    members::{Members, session::SignedIn},
    oidc::{
        access_token::{self, Claims},
        backchannel_logout, claims,
        grant::{self, Code, Grant, Holder, IssuedCode},
        scope::{Scope, Scopes},
        session_management::session_state,
        token::issue::{self, Beside},
    },
    web::{PageError, Visit},
};

/// Answers a request of the member who is signed in.
pub async fn issue(
    visit: &Visit,
    client: &Client,
    request: &AuthorizationRequest,
    signed_in: Option<SignedIn>,
) -> Result<Response, PageError> {
    let Some(signed_in) = signed_in else {
        return Err(Fault::internal("a code was about to be issued to nobody").into());
    };
    let app = visit.app();
    if let Some(id) = &request.pushed
        && !Pushed::spend(app, id).await?
    {
        let error = AuthorizationError::new("invalid_request_uri", "request_uri was used already");
        return respond::error(visit, client, &request.callback, &error);
    }
    let grant = Grant {
        resource: request.resource.clone(),
        claims: request.claims.clone(),
        nonce: request.nonce.clone(),
        ..grant::begin(app, client, &signed_in, request.scope.clone()).await?
    };
    let mut answer = Answer::default();
    let mut code = None;
    if request.response_type.code {
        let issued = new_code(app, request, &grant, &signed_in.name).await?;
        answer.put("code", issued.clone());
        code = Some(issued);
    }
    let state = session_state(app, &client.id, request.callback.redirect_uri(), &signed_in.session.sid);
    if request.response_type.is_front_channel() {
        if !backchannel_logout::note(app, client, &grant.sub, &signed_in.name).await? {
            return Err(PageError::status(StatusCode::CONFLICT).restarting_at("/login"));
        }
        tokens(app, client, request, grant, signed_in, code.as_deref(), &mut answer).await?;
    }
    if let Some(state) = state {
        answer.put("session_state", state);
    }
    respond::success(visit, client, &request.callback, answer)
}

/// A code for the grant.
async fn new_code(
    app: &App,
    request: &AuthorizationRequest,
    grant: &Grant,
    session: &str,
) -> Result<String, Fault> {
    let issued = IssuedCode {
        grant: grant.clone(),
        redirect_uri: request.callback.redirect_uri().to_owned(),
        code_challenge: request.code_challenge.clone(),
        session: session.to_owned(),
        expires_at: grant.expires_at,
    };
    let code = app.members.entropy.secret();
    let record = Code::Issued(Box::new(issued));
    app.members.ephemeral.put(&code, &record, app.config().lifetimes.code()).await?;
    Ok(code)
}

/// The tokens of the implicit and hybrid flows (OIDC Core §3.2.2.5, §3.3.2.5). The access token has a grant of
/// its own, which no refresh token ever comes of.
async fn tokens(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    grant: Grant,
    signed_in: SignedIn,
    code: Option<&str>,
    answer: &mut Answer,
) -> Result<(), Fault> {
    let members: &Members = &app.members;
    let mut access_token = None;
    if request.response_type.token {
        let life = app.config().lifetimes.access_token();
        let mut grant = Grant { expires_at: app.now().plus(life), ..grant.clone() };
        grant.scope.remove(Scope::OfflineAccess);
        let id = members.entropy.id();
        members.ephemeral.put(&id, &grant, grant.ttl(app)).await?;
        let audience = grant.resource.clone();
        let claims = Claims { client, grant: Some((&id, &grant)), scope: &grant.scope, audience };
        let (token, life) = access_token::issue(app, claims).await?;
        answer.put("access_token", token.clone());
        answer.put("token_type", "Bearer");
        answer.put("expires_in", life.as_secs().to_string());
        answer.put("scope", grant.scope.to_string());
        access_token = Some(token);
    }
    if request.response_type.id_token {
        // OIDC Core §5.4: who gets no access token cannot ask userinfo.
        let alone = !request.response_type.token && !request.response_type.code;
        let scopes = if alone { grant.scope.clone() } else { Scopes::default() };
        let claims = if alone || !grant.claims.id_token.is_empty() {
            let profile = members.profile(&signed_in.member).await?;
            let holder = Holder { member: signed_in.member, person: signed_in.person, profile };
            claims::id_token(members, client, &grant, &scopes, &holder)
        } else {
            Map::new()
        };
        let beside = Beside { access_token: access_token.as_deref(), code, claims };
        answer.put("id_token", issue::id_token(app, client, &grant, beside).await?);
    }
    Ok(())
}
