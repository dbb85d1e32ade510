//! The answer to a request that is allowed: a code, and for the response types that have them, tokens.

use std::time::Duration;

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
    members::{
        Members,
        session::{Beside as Known, SignedIn},
    },
    oidc::{
        access_token::{self, Claims},
        backchannel_logout, claims,
        grant::{self, Basis, Grant, Holder, Pending},
        scope::{Scope, Scopes},
        session_management::session_state,
        ticket::{CODE, Ticket},
        token::issue::{self, Beside},
    },
    web::{PageError, Visit},
};

/// Answers a request of the member who is signed in.
pub async fn issue(
    visit: &Visit,
    client: &Client,
    request: &AuthorizationRequest,
    signed_in: Option<(SignedIn, Known)>,
) -> Result<Response, PageError> {
    let Some((signed_in, known)) = signed_in else {
        return Err(Fault::internal("a code was about to be issued to nobody").into());
    };
    let app = visit.app();
    if let Some(id) = &request.pushed
        && !Pushed::spend(app, id).await?
    {
        let error = AuthorizationError::new("invalid_request_uri", "request_uri was used already");
        return respond::error(visit, client, &request.callback, &error);
    }
    let sub = grant::subject(app, client, &signed_in.member.id, known.subject.as_deref()).await?;
    let basis = Basis::new(app, sub, known.consent.as_ref());
    let grant = Grant {
        resource: request.resource.clone(),
        claims: request.claims.clone(),
        nonce: request.nonce.clone(),
        ..grant::begin(app, client, &signed_in, basis, request.scope.clone())
    };
    let wanted = request.response_type;
    if wanted.is_front_channel() && !backchannel_logout::note(app, client, &grant.sub, &grant.sid).await? {
        return Err(PageError::status(StatusCode::CONFLICT).restarting_at("/login"));
    }
    let mut answer = Answer::default();
    let token = if wanted.token { Some(FrontToken::issue(app, client, &grant).await?) } else { None };
    let mut code = None;
    if wanted.code {
        let beside = token.as_ref().map(|token| token.grant.clone());
        let issued = new_code(app, request, &grant, beside).await?;
        answer.put("code", issued.clone());
        code = Some(issued);
    }
    if let Some(token) = &token {
        token.put(&mut answer);
    }
    let state = session_state(app, &client.id, request.callback.redirect_uri(), &signed_in.session.sid);
    if wanted.id_token {
        let access_token = token.as_ref().map(|token| token.text.as_str());
        let beside = Beside { access_token, code: code.as_deref(), claims: Map::new() };
        answer.put("id_token", id_token(app, client, &grant, signed_in, beside).await?);
    }
    if let Some(state) = state {
        answer.put("session_state", state);
    }
    respond::success(visit, client, &request.callback, answer)
}

/// A code for the grant; `beside` is that of the access token that goes with it, if one does.
async fn new_code(
    app: &App,
    request: &AuthorizationRequest,
    grant: &Grant,
    beside: Option<String>,
) -> Result<String, Fault> {
    let pending = Pending {
        redirect_uri: request.callback.redirect_uri().to_owned(),
        code_challenge: request.code_challenge.clone(),
    };
    let record = Grant { pending: Some(pending), beside, ..grant.clone() };
    let ticket = Ticket { grant: app.members.entropy.id(), sid: grant.sid.clone() };
    app.members.ephemeral.put(&ticket.grant, &record, app.config().lifetimes.code()).await?;
    Ok(ticket.write(&app.members.master, &app.members.entropy, CODE))
}

/// An access token of the implicit and hybrid flows (OIDC Core §3.2.2.5, §3.3.2.5). It has a grant of its own,
/// which no refresh token ever comes of.
struct FrontToken {
    grant: String,
    text: String,
    life: Duration,
    scope: String,
}

impl FrontToken {
    async fn issue(app: &App, client: &Client, grant: &Grant) -> Result<Self, Fault> {
        let mut grant = grant.clone();
        grant.scope.remove(Scope::OfflineAccess);
        let audience = grant.resource.clone();
        let (id, grant) = grant.start(app, client, &audience).await?;
        let claims = Claims { client, grant: Some((&id, &grant)), scope: &grant.scope, audience };
        let (text, life) = access_token::issue(app, claims).await?;
        Ok(Self { grant: id, text, life, scope: grant.scope.to_string() })
    }

    fn put(&self, answer: &mut Answer) {
        answer.put("access_token", self.text.as_str());
        answer.put("token_type", "Bearer");
        answer.put("expires_in", self.life.as_secs().to_string());
        answer.put("scope", self.scope.as_str());
    }
}

/// The ID token of the implicit and hybrid flows, with what is issued beside it.
async fn id_token(
    app: &App,
    client: &Client,
    grant: &Grant,
    signed_in: SignedIn,
    beside: Beside<'_>,
) -> Result<String, Fault> {
    let members: &Members = &app.members;
    // OIDC Core §5.4: who gets no access token cannot ask userinfo.
    let alone = beside.access_token.is_none() && beside.code.is_none();
    let scopes = if alone { grant.scope.clone() } else { Scopes::default() };
    let claims = if alone || !grant.claims.id_token.is_empty() {
        let profile = members.profile(&signed_in.member).await?;
        let holder = Holder { member: signed_in.member, person: signed_in.person, profile };
        claims::id_token(members, client, grant, &scopes, &holder)
    } else {
        Map::new()
    };
    issue::id_token(app, client, grant, Beside { claims, ..beside }).await
}
