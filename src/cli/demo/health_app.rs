//! The demo's sample health app: a relying party as an app developer would write it.
//!
//! It is for the demo alone. It keeps its sessions in memory, so they are gone when it stops; it speaks
//! http, which is fine between a browser and its own machine only; and it shows tokens' claims that a real
//! app would keep to itself.

mod browsers;
mod pages;
mod provider;
mod relying_party;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawQuery, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, ORIGIN, REFERRER_POLICY,
            SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use cookie::{Cookie, SameSite};
use url::{Url, form_urlencoded};

use self::{
    browsers::Browsers,
    provider::Trouble,
    relying_party::{RelyingParty, SCOPES, SignedIn},
};
use crate::{
    clients::Metadata,
    clock::{Clock, Entropy},
};

/// Sites on other ports of this address see the cookie too, so its name is the app's own.
const COOKIE_NAME: &str = "healthapp-session";

/// `state` of a logout: it has come back, so it is done.
const SIGNED_OUT: &str = "signed-out";

/// The sample app.
#[derive(Clone)]
pub struct HealthApp(Arc<Parts>);

struct Parts {
    party: RelyingParty,
    browsers: Browsers,
    /// As browsers write it in `Origin`.
    origin: String,
    policy: String,
}

impl HealthApp {
    /// An app at `origin`, such as `http://127.0.0.1:8090`, that signs members in at `issuer`. Nothing is
    /// fetched before the first login, so the provider may start later.
    pub fn new(
        issuer: Url,
        origin: Url,
        client_id: String,
        client_secret: String,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
             form-action 'self' {}; frame-ancestors 'none'",
            issuer.origin().ascii_serialization() // the logout form leads there
        );
        let own = origin.origin().ascii_serialization();
        let browsers = Browsers::new(entropy.clone());
        let party = RelyingParty::new(issuer, origin, client_id, client_secret, clock, entropy);
        Self(Arc::new(Parts { party, browsers, origin: own, policy }))
    }

    /// What an app at `origin` registers with the provider.
    pub fn metadata(origin: &Url) -> Metadata {
        let origin = origin.origin().ascii_serialization();
        Metadata {
            client_name: pages::NAME.to_owned(),
            redirect_uris: vec![format!("{origin}/callback")],
            post_logout_redirect_uris: vec![format!("{origin}/")],
            client_uri: Some(format!("{origin}/")),
            initiate_login_uri: Some(format!("{origin}/login")),
            scope: format!("openid {}", SCOPES.join(" ")),
            translations: [("client_name#en".to_owned(), "Tekuteku, a sample health app".to_owned())].into(),
            ..Metadata::default()
        }
    }

    /// The site: `/`, `/login`, `/callback`, and by POST `/refresh` and `/logout`.
    pub fn router(self) -> Router {
        let styles = ([(CONTENT_TYPE, "text/css")], include_str!("health_app.css"));
        let icon = ([(CONTENT_TYPE, "image/svg+xml")], include_str!("health_app.svg"));
        Router::new()
            .route("/", get(home))
            .route("/login", get(login))
            .route("/callback", get(callback))
            .route("/refresh", post(refresh))
            .route("/logout", post(logout))
            .route("/health_app.css", get(styles))
            .route("/icon.svg", get(icon))
            .fallback(|| async {
                problem(StatusCode::NOT_FOUND, "ページが見つかりません", "There is no such page.", None)
            })
            .layer(middleware::from_fn_with_state(self.clone(), guard))
            .with_state(self)
    }
}

/// Hardens every answer.
async fn guard(State(HealthApp(app)): State<HealthApp>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&app, &request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&app.policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // `no-referrer` would take the Origin from the app's own forms (Fetch §4.6).
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Only the app's own name is answered to, and only the app's own pages may post: sites on other ports of
/// this address count as the same site, so `SameSite` does not keep them out.
fn refusal(app: &Parts, request: &Request) -> Option<Response> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    if text(HOST).is_none_or(|host| app.origin != format!("http://{host}")) {
        let (ja, en) = ("このアプリは別のアドレスにあります", "This app lives elsewhere.");
        return Some(problem(StatusCode::MISDIRECTED_REQUEST, ja, en, Some(&app.origin)));
    }
    if !request.method().is_safe() && text(ORIGIN) != Some(app.origin.as_str()) {
        let (ja, en) = ("ほかのサイトからの操作は受け付けません", "Another site sent this request.");
        return Some(problem(StatusCode::FORBIDDEN, ja, en, None));
    }
    None
}

async fn home(
    State(HealthApp(app)): State<HealthApp>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Html<String> {
    match signed_in(&app, &headers) {
        Some((_, member)) => Html(pages::member(&member)),
        None => Html(pages::welcome(parameter(query.as_deref(), "state").as_deref() == Some(SIGNED_OUT))),
    }
}

/// Starts a login. It is the `initiate_login_uri` too (OIDC Core §4): an `iss` must be our provider's, and
/// `target_link_uri` is ignored because there is but one page.
async fn login(
    State(HealthApp(app)): State<HealthApp>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Some(iss) = parameter(query.as_deref(), "iss")
        && iss != app.party.issuer()
    {
        let en = "This app signs in at another provider.";
        return problem(StatusCode::BAD_REQUEST, "このログイン先は使えません", en, Some(&iss));
    }
    let prompt = parameter(query.as_deref(), "prompt");
    let prompt = prompt.as_deref().filter(|prompt| ["login", "create"].contains(prompt));
    match app.party.begin(prompt).await {
        Ok((url, attempt)) => {
            let id = app.browsers.begin(browser_id(&headers), attempt);
            with_cookie(Redirect::to(url.as_str()).into_response(), &id)
        }
        Err(trouble) => failed(&trouble),
    }
}

/// The authorization response (RFC 6749 §4.1.2).
async fn callback(
    State(HealthApp(app)): State<HealthApp>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.as_deref();
    let attempt = browser_id(&headers).zip(parameter(query, "state")).and_then(|(id, state)| {
        let attempt = app.browsers.take(&id, &state)?;
        Some((id, attempt))
    });
    let Some((id, attempt)) = attempt else {
        let en = "This browser did not start this login, or it is finished already.";
        return problem(StatusCode::BAD_REQUEST, "このログインは続けられません", en, Some("state"));
    };
    // Whoever else sent this, it is not for us to answer with a code (RFC 9207 §2.4).
    if parameter(query, "iss").as_deref() != Some(app.party.issuer()) {
        let en = "The answer came from another provider.";
        return problem(StatusCode::BAD_REQUEST, "別のログイン先からの返答でした", en, Some("iss"));
    }
    if let Some(error) = parameter(query, "error") {
        return declined(&error, parameter(query, "error_description").as_deref());
    }
    let Some(code) = parameter(query, "code") else {
        let en = "The provider's answer is incomplete.";
        return problem(StatusCode::BAD_REQUEST, "ログイン先の返答が足りません", en, Some("code"));
    };
    match app.party.finish(code, attempt).await {
        Ok(member) => with_cookie(Redirect::to("/").into_response(), &app.browsers.sign_in(&id, member)),
        Err(trouble) => failed(&trouble),
    }
}

async fn refresh(State(HealthApp(app)): State<HealthApp>, headers: HeaderMap) -> Response {
    let Some((id, mut member)) = signed_in(&app, &headers) else {
        return Redirect::to("/").into_response();
    };
    let refreshed = app.party.refresh(&mut member).await;
    match refreshed {
        // The grant has ended, so the member is no longer signed in by it.
        Err(Trouble::Refused(_) | Trouble::Unproven(_)) => app.browsers.sign_out(&id),
        Ok(()) | Err(Trouble::Down(_)) => app.browsers.renew(&id, member),
    }
    match refreshed {
        Ok(()) => Redirect::to("/").into_response(),
        Err(trouble) => failed(&trouble),
    }
}

/// Signs out here, whatever happens at the provider, and then there.
async fn logout(State(HealthApp(app)): State<HealthApp>, headers: HeaderMap) -> Response {
    let Some((id, member)) = signed_in(&app, &headers) else { return Redirect::to("/").into_response() };
    app.browsers.sign_out(&id);
    match app.party.logout_url(&member, SIGNED_OUT).await {
        Ok(url) => Redirect::to(url.as_str()).into_response(),
        Err(trouble) => failed(&trouble),
    }
}

/// The member or the provider said no.
fn declined(error: &str, description: Option<&str>) -> Response {
    let detail = [Some(error), description].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let (status, ja, en) = match error {
        "access_denied" => (
            StatusCode::OK,
            "ログインを取りやめました",
            "You chose not to share your details, so nothing was sent to this app. You can log in at any time.",
        ),
        "server_error" | "temporarily_unavailable" => (
            StatusCode::BAD_GATEWAY,
            "ログイン先がいま使えません",
            "The provider cannot be used at the moment. Please try again a little later.",
        ),
        _ => (StatusCode::BAD_REQUEST, "ログインできませんでした", "The login did not work."),
    };
    problem(status, ja, en, Some(&detail))
}

fn failed(trouble: &Trouble) -> Response {
    tracing::warn!(%trouble, "the sample health app could not use the provider");
    let (status, ja, en) = match trouble {
        Trouble::Down(_) => (
            StatusCode::BAD_GATEWAY,
            "ログイン先につながりません",
            "The provider does not answer. Please try again a little later.",
        ),
        Trouble::Refused(_) => (
            StatusCode::UNAUTHORIZED,
            "もう一度ログインしてください",
            "The provider no longer accepts this login.",
        ),
        Trouble::Unproven(_) => (
            StatusCode::BAD_GATEWAY,
            "ログイン先の返答を確かめられません",
            "The provider's answer could not be verified, so it was thrown away.",
        ),
    };
    problem(status, ja, en, Some(&trouble.to_string()))
}

fn problem(status: StatusCode, ja: &str, en: &str, detail: Option<&str>) -> Response {
    (status, Html(pages::problem(ja, en, detail))).into_response()
}

/// The value of a query parameter that came exactly once.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut values =
        form_urlencoded::parse(query?.as_bytes()).filter(|(key, _)| key == name).map(|(_, value)| value);
    let value = values.next()?.into_owned();
    values.next().is_none().then_some(value)
}

fn browser_id(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == COOKIE_NAME).map(|cookie| cookie.value().to_owned())
}

fn signed_in(app: &Parts, headers: &HeaderMap) -> Option<(String, SignedIn)> {
    let id = browser_id(headers)?;
    let member = app.browsers.signed_in(&id)?;
    Some((id, member))
}

fn with_cookie(mut response: Response, id: &str) -> Response {
    let cookie = Cookie::build((COOKIE_NAME, id))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .build()
        .to_string();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
