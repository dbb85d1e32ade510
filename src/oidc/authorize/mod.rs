//! `/authorize` (OIDC Core §3.1.2): a request is checked, parked while pages are shown, and answered.

pub mod checks;
pub mod decide;
mod issue;
mod object;
pub mod par;
pub mod params;
mod pushed;
pub mod request;
pub(in crate::oidc) mod respond;
pub mod response_type;
mod source;

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use self::{
    checks::{AuthorizationError, PageRefusal, Provider},
    decide::{Known, Next, Progress},
    issue::issue,
    params::Params,
    pushed::Pushed,
    request::AuthorizationRequest,
};
use super::{
    grant,
    interaction::{self, Interaction},
    permission::Permission,
    posted,
};
use crate::{
    app::App,
    clients::Client,
    ephemeral::Found,
    fault::Fault,
    members::session::{Beside, SignedIn},
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
    if visit.is_head {
        return Ok(respond::nothing());
    }
    let app = visit.app().clone();
    let client = client_of(&app, params).await?;
    let source = match source::of_request(&app, &client, params).await? {
        Ok(source) => source,
        Err(error) => return no_request(&visit, &client, params, &error),
    };
    let callback = checks::callback(&source.params, &client).map_err(|refusal| refused(&refusal))?;
    let request = match checks::check(&Provider::of(&app), &source.params, &client, callback.clone()) {
        Ok(request) => AuthorizationRequest { pushed: source.pushed, ..request },
        Err(error) => return respond::error(&visit, &client, &callback, &error),
    };
    visit.prefer(request.locale);
    let signed_in = visit.signed_in_towards(Some(&client)).await?;
    let progress = Progress::default();
    match next(&app, &client, &request, signed_in.as_ref(), progress).await? {
        Next::Issue => issue(&visit, &client, &request, signed_in).await,
        Next::Refuse(error) => respond::error(&visit, &client, &request.callback, &error),
        page => {
            let parked = interaction::park(&visit, Some(request), client.metadata.insurer.as_deref()).await?;
            Ok(visit.redirect(&path_of(&page, &parked.id))?)
        }
    }
}

/// A request object or a reference that cannot be used. Nothing in it is proven, so the error goes back only
/// where the parameters beside it name a registered address.
fn no_request(
    visit: &Visit,
    client: &Client,
    params: &Params,
    error: &AuthorizationError,
) -> Result<Response, PageError> {
    if let Ok(callback) = checks::callback(params, client) {
        return respond::error(visit, client, &callback, error);
    }
    tracing::info!(client = client.id, error = error.code, reason = error.description, "no request");
    let text = if error.code == "invalid_request_uri" { "error-request-uri" } else { "error-request-object" };
    Err(PageError::explained(StatusCode::BAD_REQUEST, Message::new(text)))
}

/// The client of a request. Without one there is nobody to answer to but the person at the browser.
async fn client_of(app: &App, params: &Params) -> Result<Arc<Client>, PageError> {
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
    if visit.is_head {
        return Ok(respond::nothing());
    }
    let app = visit.app();
    let interaction = &found.value;
    let Some(request) = &interaction.request else { return finish_without_request(visit, interaction).await };
    let client = app
        .client(&request.client_id)
        .await?
        .ok_or_else(|| refused(&PageRefusal { parameter: "client_id", text: "error-client-unknown" }))?;
    let signed_in = visit.signed_in_towards(Some(&client)).await?;
    match next(app, &client, request, signed_in.as_ref(), Progress::of(interaction)).await? {
        Next::Issue => {
            // Taking it is what makes one answer of two tabs or a double submit.
            let taken =
                app.members.ephemeral.take::<Interaction>(&interaction.id).await.map_err(Fault::from)?;
            let Some(request) = taken.and_then(|taken| taken.request) else {
                return Err(PageError::status(StatusCode::GONE).restarting_at("/login"));
            };
            Box::pin(issue(visit, &client, &request, signed_in)).await
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
    if let Some(id) = &request.pushed {
        Pushed::spend(app, id).await?;
    }
    let error = AuthorizationError::new("access_denied", "the member did not allow it");
    respond::error(visit, &client, &request.callback, &error)
}

async fn finish_without_request(visit: &Visit, interaction: &Interaction) -> Result<Response, PageError> {
    let to = match visit.signed_in_towards(None).await? {
        Some((_, beside)) if beside.documents_due => path_of(&Next::Documents, &interaction.id),
        Some(_) => interaction.goal.clone().unwrap_or_else(|| "/account".to_owned()),
        None => path_of(&Next::Login, &interaction.id),
    };
    Ok(visit.redirect(&to)?)
}

async fn next(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    signed_in: Option<&(SignedIn, Beside)>,
    progress: Progress,
) -> Result<Next, Fault> {
    let known = match signed_in {
        Some((signed_in, beside)) => known(app, client, request, &signed_in.member.id, beside).await?,
        None => Known::default(),
    };
    let signed_in = signed_in.map(|(signed_in, _)| signed_in);
    let known = match signed_in {
        // Only who has just signed in is asked: others cost nothing.
        Some(SignedIn { session, member, .. }) if progress.signed_in.as_ref() == Some(&session.sid) => {
            Known { email_bounces: app.members.email_bounces(member.email.as_deref()).await?, ..known }
        }
        _ => known,
    };
    let turned_away = signed_in.is_some_and(|signed_in| !client.admits(&signed_in.member.insurer));
    let progress = Progress { turned_away, ..progress };
    Ok(decide::next(request, signed_in, &known, &progress, app.now()))
}

async fn known(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    member: &str,
    beside: &Beside,
) -> Result<Known, Fault> {
    let is_another = match &request.subjects {
        Some(subjects) => {
            !subjects.contains(&grant::subject(app, client, member, beside.subject.as_deref()).await?)
        }
        None => false,
    };
    let allowed = beside.consent.as_ref().map(Permission::given).unwrap_or_default();
    Ok(Known { allowed, is_another, documents_due: beside.documents_due, ..Known::default() })
}

fn path_of(page: &Next, id: &str) -> String {
    match page {
        Next::SelectAccount => format!("/login/{id}/account"),
        Next::OtherMembers => format!("/login/{id}/members-only"),
        Next::Registration => format!("/registration?i={id}"),
        Next::Documents => format!("/documents/{id}"),
        Next::Email => format!("/login/{id}/email"),
        Next::Consent => format!("/consent/{id}"),
        Next::Login | Next::Issue | Next::Refuse(_) => format!("/login/{id}"),
    }
}
