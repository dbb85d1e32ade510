//! `/admin/clients/{client}/try`: 「試す」, and `…/try/callback`, where the login of a trial comes back to.

use axum::{
    extract::{Path, RawQuery},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use serde_json::Value;

use super::{Named, Pairs, find};
use crate::{
    admin::{
        Refusal,
        guard::{Operator, OperatorForm},
    },
    audit::Event,
    clients::Client,
    oidc::{
        authorize::params::Params,
        scope::Scope,
        trial::{self, Examined, Form, Obstacle, Trial},
    },
    pages::{parts::FormErrors, sample},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Characters of a token or a code that are shown.
const SHOWN: usize = 8;

/// Asks what to ask for. Posts `scope`, several times, to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct TryPage {
    /// The client.
    pub client: Named,
    /// Where the response will go.
    pub redirect_uri: String,
    /// Scopes that the client may ask for.
    pub scopes: Vec<ScopeChoice>,
    /// Text that says why it cannot be tried.
    pub obstacle: Option<&'static str>,
    /// Texts about what a trial leaves out and the app has to do.
    pub notes: Vec<&'static str>,
    /// What is wrong.
    pub errors: FormErrors,
}

/// A scope that can be asked for.
#[derive(Clone, Debug, Serialize)]
pub struct ScopeChoice {
    name: String,
    chosen: bool,
}

impl Page for TryPage {
    const TEMPLATE: &'static str = "admin/client_try.html";

    fn samples() -> Vec<Self> {
        let scope = |name: &str| ScopeChoice { name: name.to_owned(), chosen: name != "email" };
        let open = Self {
            client: Named::sample(),
            redirect_uri: "https://login.example.jp/admin/clients/x/try/callback".to_owned(),
            scopes: ["openid", "profile", "email"].map(scope).to_vec(),
            obstacle: None,
            notes: vec!["clients-try-note-proof", "clients-try-note-pushed", "clients-try-note-signed"],
            errors: FormErrors::none(),
        };
        let refused = Message::new("clients-try-error").with("code", "invalid_scope").with("reason", "x");
        let wrong = Self { errors: FormErrors::form(refused), client: Named::hostile(), ..open.clone() };
        let shut = Self { obstacle: Some("clients-try-disabled"), ..open.clone() };
        vec![open, wrong, shut]
    }
}

/// What became of a trial.
#[derive(Clone, Debug, Serialize)]
pub struct TriedPage {
    /// The client.
    pub client: Named,
    /// Whether it went as it should.
    pub good: bool,
    /// The parameters of the authorization request.
    pub request: Vec<(String, String)>,
    /// Those of the response.
    pub response: Vec<(String, String)>,
    /// `error` and `error_description`, of whichever of the two answers has one.
    pub error: Option<(String, String)>,
    /// Status and JSON of the token response, tokens shortened.
    pub token: Option<(u16, String)>,
    /// The tokens, taken apart.
    pub tokens: Vec<TokenView>,
    /// Checks by the names of their texts, and whether they hold.
    pub checks: Vec<(&'static str, bool)>,
}

/// A token that was taken apart.
#[derive(Clone, Debug, Serialize)]
pub struct TokenView {
    name: &'static str,
    form: &'static str,
    header: String,
    claims: String,
}

impl TokenView {
    fn of(examined: Examined) -> Self {
        let (form, header, claims) = match examined.form {
            Form::Signed { header, claims, verified: true } => ("verified", pretty(&header), pretty(&claims)),
            Form::Signed { header, claims, .. } => ("unverified", pretty(&header), pretty(&claims)),
            Form::Encrypted { header } => ("encrypted", pretty(&header), String::new()),
            Form::Opaque => ("opaque", String::new(), String::new()),
        };
        Self { name: examined.name, form, header, claims }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A secret as it may be shown: its beginning, and how long it is.
fn shortened(secret: &str) -> String {
    let start: String = secret.chars().take(SHOWN).collect();
    format!("{start}… ({})", secret.len())
}

impl Page for TriedPage {
    const TEMPLATE: &'static str = "admin/client_tried.html";

    fn samples() -> Vec<Self> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let token = |name, form| TokenView {
            name,
            form,
            header: "{ \"alg\": \"RS256\" }".to_owned(),
            claims: sample::HOSTILE.to_owned(),
        };
        let good = Self {
            client: Named::sample(),
            good: true,
            request: vec![pair("client_id", sample::INTERACTION), pair("state", sample::HOSTILE)],
            response: vec![pair("code", "abc… (43)"), pair("iss", sample::LONG)],
            error: None,
            token: Some((200, format!("{{ \"scope\": \"{}\" }}", sample::HOSTILE))),
            tokens: vec![token("id_token", "verified"), token("access_token", "opaque")],
            checks: vec![("state", true), ("iss-response", true), ("signature", true), ("at_hash", true)],
        };
        let refused = Self {
            client: Named::hostile(),
            good: false,
            error: Some(pair("access_denied", sample::HOSTILE)),
            token: None,
            tokens: Vec::new(),
            checks: vec![("state", true), ("iss-response", false)],
            ..good.clone()
        };
        let strange = Self {
            good: false,
            token: Some((400, "{}".to_owned())),
            tokens: vec![token("id_token", "unverified"), token("access_token", "encrypted")],
            checks: ["signature", "iss", "aud", "nonce", "exp", "at_hash"].map(|name| (name, false)).to_vec(),
            ..good.clone()
        };
        vec![good, refused, strange]
    }
}

/// GET `/admin/clients/{client}/try`
pub async fn get(reader: Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let client = find(&reader, &id).await?;
    let all: Vec<&str> = client.metadata.scope.split_ascii_whitespace().collect();
    page(&reader, &client, &all, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/clients/{client}/try`
pub async fn post(
    Path(id): Path<String>,
    OperatorForm(reader, pairs): OperatorForm<Pairs>,
) -> Result<Response, PageError> {
    let client = find(&reader, &id).await?;
    let chosen: Vec<&str> =
        pairs.iter().filter(|(name, _)| name == "scope").map(|(_, value)| value.as_str()).collect();
    if trial::obstacle(&client).is_some() {
        return page(&reader, &client, &chosen, (StatusCode::CONFLICT, FormErrors::none()));
    }
    let (named, session) = (Named::of(&reader, &client), &reader.signed_in.name);
    let redirect_uri = trial::redirect_uri(reader.app(), &named.path);
    let scope = chosen.join(" ");
    match trial::begin(&reader.visit, &client, (session, &redirect_uri, &scope)).await? {
        Ok(path) => {
            let event = Event::by(&reader.actor, "client_try.begun").with_client(Some(&client.id));
            let event = event.with_insurer(client.metadata.insurer.as_deref());
            reader.app().operators.record(&reader.app().members.db, event).await?;
            Ok(reader.visit.redirect(&path)?)
        }
        Err(error) => {
            let message = Message::new("clients-try-error").with("code", error.code);
            let errors = FormErrors::form(message.with("reason", error.description));
            page(&reader, &client, &chosen, (StatusCode::UNPROCESSABLE_ENTITY, errors))
        }
    }
}

fn page(
    reader: &Operator,
    client: &Client,
    chosen: &[&str],
    (status, errors): Refusal,
) -> Result<Response, PageError> {
    let named = Named::of(reader, client);
    let scopes = Scope::NAMES.into_iter().filter(|name| client.metadata.allows(name));
    let notes = [
        ("clients-try-note-proof", client.metadata.token_endpoint_auth_method.as_str() != "none"),
        ("clients-try-note-pushed", client.metadata.require_pushed_authorization_requests),
        ("clients-try-note-signed", client.metadata.require_signed_request_object),
    ];
    let page = TryPage {
        redirect_uri: trial::redirect_uri(reader.app(), &named.path),
        client: named,
        scopes: scopes
            .map(|name| ScopeChoice { name: name.to_owned(), chosen: chosen.contains(&name) })
            .collect(),
        obstacle: trial::obstacle(client).map(|obstacle| match obstacle {
            Obstacle::Disabled => "clients-try-disabled",
            Obstacle::NoCode => "clients-try-no-code",
        }),
        notes: notes.into_iter().filter(|(_, applies)| *applies).map(|(text, _)| text).collect(),
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}

/// GET `/admin/clients/{client}/try/callback`
pub async fn callback(
    reader: Operator,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let client = find(&reader, &id).await?;
    if reader.visit.is_head {
        // Whoever only looks whether the page is there ends nothing.
        return Ok(StatusCode::OK.into_response());
    }
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let (app, session) = (reader.app(), reader.signed_in.name.as_str());
    let state = params.get("state").unwrap_or_default();
    let Some(trial) = Trial::take(app, state, (session, &client.id)).await? else {
        let again = format!("{}/try", Named::of(&reader, &client).path);
        let message = Message::new("clients-try-over");
        return Err(PageError::explained(StatusCode::GONE, message).restarting_at(again));
    };
    let tried = finish(&reader, &client, &trial, &params).await?;
    Ok(reader.show(&tried).render()?)
}

async fn finish(
    reader: &Operator,
    client: &Client,
    trial: &Trial,
    params: &Params,
) -> Result<TriedPage, PageError> {
    let app = reader.app();
    let issuer = params.get("iss") == Some(app.config().server.issuer.as_str());
    let mut page = TriedPage {
        client: Named::of(reader, client),
        good: false,
        request: trial.request.clone(),
        response: response_of(params),
        error: params
            .get("error")
            .map(|error| (error.to_owned(), params.get("error_description").unwrap_or_default().to_owned())),
        token: None,
        tokens: Vec::new(),
        checks: vec![("state", true), ("iss-response", issuer)],
    };
    // A response of somebody else's is not acted on (RFC 9207 §2.4).
    let Some(code) = params.get("code").filter(|_| issuer && page.error.is_none()) else { return Ok(page) };
    let (status, mut body) = trial.redeem(app, client, code).await?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    page.error = text("error").map(|error| (error, text("error_description").unwrap_or_default()));
    let (tokens, checks) = trial::examine(app, client, trial, &body);
    page.tokens = tokens.into_iter().map(TokenView::of).collect();
    page.checks.extend(checks);
    page.good = status == 200 && page.checks.iter().all(|(_, good)| *good);
    for name in ["access_token", "refresh_token", "id_token"] {
        if let Some(secret) = body[name].as_str().map(shortened) {
            body[name] = Value::String(secret);
        }
    }
    page.token = Some((status, pretty(&body)));
    Ok(page)
}

/// The parameters of the response that we know; the code is spent, and not shown even so.
fn response_of(params: &Params) -> Vec<(String, String)> {
    let known = ["code", "error", "error_description", "state", "iss", "session_state"];
    let shown = known.into_iter().filter_map(|name| {
        let value = params.get(name)?;
        Some((name.to_owned(), if name == "code" { shortened(value) } else { value.to_owned() }))
    });
    shown.collect()
}
