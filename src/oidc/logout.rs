//! `/logout` (OpenID Connect RP-Initiated Logout 1.0).
//!
//! An ID token of ours that names this very session ends it at once. Anything else asks the member
//! first, so that no other site can sign people out. Only a registered URI is ever redirected to, and
//! only for a client that is known from a genuine hint, or by its `client_id` once the member agreed.

mod frontchannel;

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::Value;

use super::{
    authorize::{params::Params, respond},
    backchannel_logout::sid_for,
    posted,
};
use crate::{
    audit::{self, Event},
    clients::Client,
    fault::Fault,
    members::{
        login_id,
        session::{Session, SignedIn},
    },
    pages::{
        logged_out::LoggedOut,
        logout::Logout,
        parts::{ExternalUrl, HiddenField, Service},
    },
    texts::Locale,
    web::{PageError, Visit, csrf, form::is_form},
};

/// Parameters that travel through the confirmation page.
const KEPT: [&str; 6] =
    ["id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

/// Those of them that say where to go afterwards.
const LEADING_ON: [&str; 2] = ["post_logout_redirect_uri", "state"];

/// What a logout request turned out to be.
struct LogoutRequest {
    client: Option<Arc<Client>>,
    /// `sid` of a genuine hint, in a request with nothing wrong in it.
    sid: Option<String>,
    /// Where to go afterwards, registered by the client.
    target: Option<String>,
}

/// GET `/logout`
pub async fn get(visit: Visit, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    logout(visit, &params, false).await
}

/// GET `/logout/posted/{id}`; see [`posted`].
pub async fn get_posted(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let params = posted::find(&visit, "/logout", &id).await?;
    logout(visit, &params, false).await
}

/// POST `/logout`: from a relying party, or from our confirmation page with its token.
pub async fn post(visit: Visit, headers: HeaderMap, body: Bytes) -> Result<Response, PageError> {
    if !is_form(&headers) {
        return Err(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    if visit.is_unbound {
        return posted::keep(&visit, "/logout", &body).await;
    }
    let params = Params::parse(&body);
    let issuer = &visit.app().config().server.issuer;
    let confirmed = params
        .get("csrf")
        .is_some_and(|token| visit.csrf_matches(token) && csrf::same_origin(&headers, issuer));
    logout(visit, &params, confirmed).await
}

async fn logout(mut visit: Visit, params: &Params, confirmed: bool) -> Result<Response, PageError> {
    if visit.is_head {
        return Ok(respond::nothing());
    }
    visit.prefer(params.get("ui_locales").and_then(Locale::from_tag));
    let request = read(&visit, params).await?;
    let signed_in = visit.signed_in().await?;
    let named = signed_in.as_ref().zip(request.client.as_ref()).is_some_and(|(signed_in, client)| {
        let told = sid_for(visit.app(), &client.id, &signed_in.session.sid);
        request.sid.as_ref() == Some(&told) && is_meant(&visit, signed_in, &told, params)
    });
    let nobody =
        signed_in.is_none() && (request.sid.is_some() || params.get("post_logout_redirect_uri").is_none());
    if !(confirmed || named || nobody) {
        return ask(&visit, params, &request);
    }
    let ended = match signed_in {
        Some(signed_in) => end(&mut visit, &signed_in, request.client.as_deref()).await?,
        None => None,
    };
    leave(&visit, &request, params.get("state"), ended).await
}

async fn read(visit: &Visit, params: &Params) -> Result<LogoutRequest, PageError> {
    let app = visit.app();
    let hint = params.get("id_token_hint").and_then(|hint| app.signing.current().verify(hint).ok());
    let hint = hint.filter(|claims| claims["iss"] == app.config().server.issuer.as_str());
    let text = |name: &str| hint.as_ref().and_then(|claims| claims[name].as_str()).map(str::to_owned);
    let (audience, sid) = (text("aud"), text("sid"));
    let asked = params.get("client_id").filter(|_| params.is_clear("client_id")).map(str::to_owned);
    // A client_id that contradicts the hint makes neither of them trustworthy (RP-Initiated Logout §2).
    let contradiction = audience.is_some() && asked.is_some() && audience != asked;
    // A hint that was sent and is not genuine is not passed over in silence.
    let forged = params.get("id_token_hint").is_some() && hint.is_none();
    let id = audience.or(asked).filter(|_| !contradiction && !forged);
    let client = match id {
        Some(id) => app.client(&id).await?,
        None => None,
    };
    let target = params
        .get("post_logout_redirect_uri")
        .filter(|uri| {
            params.is_clear("post_logout_redirect_uri")
                && params.is_clear("state")
                && client.as_ref().is_some_and(|client| client.post_logout_redirect_uri_matches(uri))
        })
        .map(str::to_owned);
    // A request that leads to an address which is not the client's is not valid: the member is asked first.
    let astray = params.get("post_logout_redirect_uri").is_some() && target.is_none();
    Ok(LogoutRequest { sid: sid.filter(|_| client.is_some() && !astray), client, target })
}

/// Whether a `logout_hint`, where there is one, means the member who is signed in: by the `sid`, the login ID
/// or the address. Somebody else is not logged out unasked. `sid` is the one that the client was told.
fn is_meant(visit: &Visit, SignedIn { member, person, .. }: &SignedIn, sid: &str, params: &Params) -> bool {
    let Some(hint) = params.get("logout_hint") else { return true };
    let members = &visit.app().members;
    let typed = login_id::parse(hint, &members.config.insurers).ok().map(|typed| typed.to_string());
    let login_id = members.login_id_of(member, person).map(|known| known.to_string());
    hint == sid || (typed.is_some() && typed == login_id) || member.email.as_deref() == Some(hint)
}

fn ask(visit: &Visit, params: &Params, request: &LogoutRequest) -> Result<Response, PageError> {
    // An address that leads nowhere is not carried along.
    let useful = |name: &&str| request.target.is_some() || !LEADING_ON.contains(name);
    let fields = KEPT
        .into_iter()
        .filter(useful)
        .filter_map(|name| Some(HiddenField { name: name.to_owned(), value: params.get(name)?.to_owned() }))
        .collect();
    let client = request.client.as_deref();
    let page = Logout { client: client.map(|client| client.name_in(visit.locale).to_owned()), fields };
    let targets = client.map(Client::form_targets).unwrap_or_default();
    Ok(visit.show(&page).leads_to(targets).render()?)
}

async fn end(
    visit: &mut Visit,
    signed_in: &SignedIn,
    client: Option<&Client>,
) -> Result<Option<Session>, Fault> {
    let ended = visit.end_session().await?;
    let app = visit.app();
    let event = Event::member("member.signed_out", &signed_in.member)
        .with_client(client.map(|client| client.id.as_str()))
        .with_detail(Value::Null);
    audit::record(&app.members.db, &app.members.entropy, app.now(), event).await?;
    Ok(ended)
}

/// Back to where the client wants, over the page that has the relying parties told in frames if there are any.
async fn leave(
    visit: &Visit,
    request: &LogoutRequest,
    state: Option<&str>,
    ended: Option<Session>,
) -> Result<Response, PageError> {
    let target = request.target.as_ref().map(|target| with_state(target, state));
    let frames = match ended {
        Some(session) => frontchannel::frames(visit.app(), &session).await?,
        None => Vec::new(),
    };
    match target {
        Some(target) if frames.is_empty() => Ok(visit.redirect(&target)?),
        target => {
            let onward = target.map(ExternalUrl::registered);
            let service = service(visit, request.client.as_deref());
            let origins = frontchannel::origins(&frames);
            let page = LoggedOut { service, frames, onward };
            Ok(visit.show(&page).framing(origins).render()?)
        }
    }
}

fn with_state(target: &str, state: Option<&str>) -> String {
    match state {
        None => target.to_owned(),
        Some(state) => with_query(target, &[("state", state)]),
    }
}

/// The URI letter for letter as it was registered, with these parameters behind its own.
fn with_query(uri: &str, parameters: &[(&str, &str)]) -> String {
    let joint = if uri.contains('?') { '&' } else { '?' };
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{uri}{joint}{query}")
}

/// The page of a client that a member can go on to. One that starts a login is told which provider to start
/// it at (OIDC Core §4).
pub fn service(visit: &Visit, client: Option<&Client>) -> Option<Service> {
    let client = client?;
    let url = match &client.metadata.initiate_login_uri {
        Some(uri) => with_query(uri, &[("iss", &visit.app().config().server.issuer)]),
        None => client.way_back()?.to_owned(),
    };
    Some(Service { name: client.name_in(visit.locale).to_owned(), url: ExternalUrl::new(&url)? })
}
