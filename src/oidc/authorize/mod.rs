//! `/authorize` (OIDC Core §3.1.2): a request is checked, parked while pages are shown, and answered.

pub mod checks;
pub mod decide;
pub mod params;
pub mod request;
mod respond;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use self::{
    checks::{AuthorizationError, PageRefusal},
    decide::{Next, Progress, Remembered},
    params::Params,
    request::AuthorizationRequest,
};
use super::{
    grant::{self, Code, Grant, IssuedCode},
    interaction::{self, Interaction},
    posted,
    scope::Scopes,
};
use crate::{
    app::App,
    clients::Client,
    ephemeral::Found,
    fault::Fault,
    members::session::{AAL1, SignedIn},
    storage::consent,
    web::{PageError, Visit, form::is_form, templates::Message},
};

/// GET `/authorize`
pub async fn get(visit: Visit, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    authorize(visit, &Params::parse(query.unwrap_or_default().as_bytes())).await
}

/// POST `/authorize` (OIDC Core §3.1.2.1): sent by relying parties, so it bears no token of ours.
pub async fn post(visit: Visit, headers: HeaderMap, body: Bytes) -> Result<Response, PageError> {
    if !is_form(&headers) {
        return Err(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    if visit.is_unbound {
        return posted::keep(&visit, "/authorize", &body).await;
    }
    authorize(visit, &Params::parse(&body)).await
}

/// GET `/authorize/posted/{id}`; see [`posted`].
pub async fn get_posted(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let params = posted::find(&visit, "/authorize", &id).await?;
    authorize(visit, &params).await
}

/// GET `/authorize/{interaction}`: goes on with a parked request.
pub async fn resume(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let found = interaction::load(&visit, &id).await?;
    proceed(&visit, found).await
}

async fn authorize(mut visit: Visit, params: &Params) -> Result<Response, PageError> {
    let app = visit.app().clone();
    let client = client_of(&app, params).await?;
    let callback = checks::callback(params, &client).map_err(|refusal| refused(&refusal))?;
    let request = match checks::check(params, &client, callback.clone()) {
        Ok(request) => request,
        Err(error) => return respond::error(&visit, &client, &callback, &error),
    };
    visit.prefer(request.locale);
    let signed_in = visit.signed_in().await?;
    let progress = Progress::default();
    match next(&app, &request, signed_in.as_ref(), &progress).await? {
        Next::Issue => issue(&visit, &client, &request, signed_in).await,
        Next::Refuse(error) => respond::error(&visit, &client, &request.callback, &error),
        page => {
            let parked = interaction::park(&visit, Some(request)).await?;
            Ok(visit.redirect(&path_of(&page, &parked.id))?)
        }
    }
}

/// The client of a request. Without one there is nobody to answer to but the person at the browser.
async fn client_of(app: &App, params: &Params) -> Result<Client, PageError> {
    let refuse = |text| refused(&PageRefusal { parameter: "client_id", text });
    if !params.is_clear("client_id") {
        return Err(refuse("error-client-unknown"));
    }
    let id = params.get("client_id").ok_or_else(|| refuse("error-client-missing"))?;
    app.client(id).await?.ok_or_else(|| refuse("error-client-unknown"))
}

fn refused(refusal: &PageRefusal) -> PageError {
    tracing::info!(
        parameter = refusal.parameter,
        reason = refusal.text,
        "an authorization request was refused"
    );
    PageError::explained(StatusCode::BAD_REQUEST, Message::new(refusal.text))
}

/// Goes on with an interaction as far as it has come: to a page that is still needed, or back to the
/// client. Where nothing was parked, the member's own page is the goal.
pub async fn proceed(visit: &Visit, found: Found<Interaction>) -> Result<Response, PageError> {
    let app = visit.app();
    let interaction = &found.value;
    let Some(request) = &interaction.request else { return finish_without_request(visit, interaction).await };
    let client = app
        .client(&request.client_id)
        .await?
        .ok_or_else(|| refused(&PageRefusal { parameter: "client_id", text: "error-client-unknown" }))?;
    let signed_in = visit.signed_in().await?;
    match next(app, request, signed_in.as_ref(), &Progress::of(interaction)).await? {
        Next::Issue => {
            // Taking it is what makes one answer of two tabs or a double submit.
            let taken =
                app.members.ephemeral.take::<Interaction>(&interaction.id).await.map_err(Fault::from)?;
            let Some(request) = taken.and_then(|taken| taken.request) else {
                return Err(PageError::status(StatusCode::GONE).restarting_at("/login"));
            };
            issue(visit, &client, &request, signed_in).await
        }
        Next::Refuse(error) => {
            app.members.ephemeral.remove::<Interaction>(&interaction.id).await.map_err(Fault::from)?;
            respond::error(visit, &client, &request.callback, &error)
        }
        page => Ok(visit.redirect(&path_of(&page, &interaction.id))?),
    }
}

/// The member refused: the client is told, and nothing is remembered.
pub async fn deny(visit: &Visit, found: Found<Interaction>) -> Result<Response, PageError> {
    let app = visit.app();
    let taken = app.members.ephemeral.take::<Interaction>(&found.value.id).await.map_err(Fault::from)?;
    let request = taken.and_then(|taken| taken.request);
    let request = request.ok_or_else(|| PageError::status(StatusCode::GONE).restarting_at("/login"))?;
    let client = app.client(&request.client_id).await?.ok_or_else(|| PageError::status(StatusCode::GONE))?;
    let error = AuthorizationError::new("access_denied", "the member did not allow it");
    respond::error(visit, &client, &request.callback, &error)
}

async fn finish_without_request(visit: &Visit, interaction: &Interaction) -> Result<Response, PageError> {
    let to = match visit.signed_in().await? {
        Some(signed_in) if documents_due(visit.app(), &signed_in).await? => {
            path_of(&Next::Documents, &interaction.id)
        }
        Some(_) => interaction.goal.clone().unwrap_or_else(|| "/account".to_owned()),
        None => path_of(&Next::Login, &interaction.id),
    };
    Ok(visit.redirect(&to)?)
}

async fn next(
    app: &App,
    request: &AuthorizationRequest,
    signed_in: Option<&SignedIn>,
    progress: &Progress,
) -> Result<Next, Fault> {
    let remembered = match signed_in {
        Some(signed_in) => {
            let db = &app.members.db;
            let scope = consent::scope(db, &signed_in.member.id, &request.client_id).await?;
            let documents_due = documents_due(app, signed_in).await?;
            Remembered { scope: Scopes::parse(&scope.unwrap_or_default()), documents_due }
        }
        None => Remembered::default(),
    };
    Ok(decide::next(request, signed_in, &remembered, progress, app.now()))
}

async fn documents_due(app: &App, signed_in: &SignedIn) -> Result<bool, Fault> {
    Ok(app.members.documents_due(&signed_in.member).await?.contains(&true))
}

fn path_of(page: &Next, id: &str) -> String {
    match page {
        Next::SelectAccount => format!("/login/{id}/account"),
        Next::Registration => format!("/registration?i={id}"),
        Next::Documents => format!("/documents/{id}"),
        Next::Consent => format!("/consent/{id}"),
        Next::Login | Next::Issue | Next::Refuse(_) => format!("/login/{id}"),
    }
}

/// Issues a code to the client.
async fn issue(
    visit: &Visit,
    client: &Client,
    request: &AuthorizationRequest,
    signed_in: Option<SignedIn>,
) -> Result<Response, PageError> {
    let app = visit.app();
    let Some(SignedIn { name, session, member, .. }) = signed_in else {
        return Err(Fault::internal("a code was about to be issued to nobody").into());
    };
    let now = app.now();
    let life = app.config().lifetimes.code();
    let grant = Grant {
        client_id: client.id.clone(),
        sub: grant::subject(app, client, &member.id).await?,
        member_id: member.id,
        scope: request.scope.clone(),
        sid: session.sid,
        auth_time: session.auth_time,
        acr: AAL1.to_owned(),
        amr: session.amr,
        nonce: request.nonce.clone(),
        // A sign-out everywhere that another node's clock dates later does not concern this session.
        created_at: now.max(member.sessions_valid_from),
        expires_at: now.plus(life),
        family: None,
    };
    let issued = IssuedCode {
        grant,
        redirect_uri: request.callback.redirect_uri().to_owned(),
        code_challenge: request.code_challenge.clone(),
        session: name,
        expires_at: now.plus(life),
    };
    let code = app.members.entropy.secret();
    let record = Code::Issued(Box::new(issued));
    app.members.ephemeral.put(&code, &record, life).await.map_err(Fault::from)?;
    respond::success(visit, client, &request.callback, &code)
}
