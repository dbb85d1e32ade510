//! The web site of a relying party, so that a real browser can come from an app and go back to one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{OriginalUri, State},
    response::{Html, Redirect},
    routing::get,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use url::Url;

use super::{
    app::{TestApp, metadata},
    relying_party::{Ask, Attempt, Registered, RelyingParty, Tokens},
};

/// A web site whose home page leads to the login.
pub struct WebApp {
    /// Its address, without a path.
    pub origin: String,
    site: Site,
    server: JoinHandle<()>,
}

/// What its pages share.
#[derive(Clone)]
struct Site {
    origin: String,
    relying_party: RelyingParty,
    attempts: Arc<Mutex<HashMap<String, Attempt>>>,
    newest: watch::Sender<Option<Arc<Tokens>>>,
}

/// A web site with an address and no client yet.
pub struct Vacant {
    listener: TcpListener,
    origin: String,
}

impl Vacant {
    /// An absolute URL of the site.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Serves the pages of a client that is registered.
    pub async fn serve(self, app: &TestApp, client: &Registered) -> WebApp {
        let Self { listener, origin } = self;
        let site = Site {
            origin: origin.clone(),
            relying_party: app.relying_party_of(client).await,
            attempts: Arc::default(),
            newest: watch::Sender::new(None),
        };
        let router = Router::new()
            .route("/", get(home))
            .route("/login", get(login))
            .route("/callback", get(callback))
            .route("/logout", get(logout))
            .route("/goodbye", get(|| async { page("また来てください", "") }))
            .with_state(site.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        WebApp { origin, site, server }
    }
}

impl WebApp {
    /// Takes a free port.
    pub async fn listen() -> Vacant {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Vacant { listener, origin }
    }

    /// Registers a client at the provider and serves its pages on a free port.
    pub async fn start(app: &TestApp) -> Self {
        let vacant = Self::listen().await;
        let client = app.register(metadata(&vacant.origin)).await;
        vacant.serve(app, &client).await
    }

    /// An absolute URL of the site.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// What the newest sign-in gave.
    pub fn tokens(&self) -> Arc<Tokens> {
        self.site.newest.borrow().clone().expect("somebody signed in")
    }
}

impl Drop for WebApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn page(title: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=ja><meta name=viewport content='width=device-width'>\
         <title>{title}</title><h1>{title}</h1>{body}"
    ))
}

async fn home() -> Html<String> {
    page("からだ手帳", "<p><a id=login href=/login>ログイン</a></p>")
}

async fn login(State(site): State<Site>) -> Redirect {
    let attempt = site.relying_party.begin(&Ask::scopes(&["profile", "email", "membership"]));
    let url = attempt.url.to_string();
    site.attempts.lock().unwrap().insert(attempt.state.clone(), attempt);
    Redirect::to(&url)
}

async fn callback(State(site): State<Site>, OriginalUri(uri): OriginalUri) -> Html<String> {
    let url = Url::parse(&format!("{}{uri}", site.origin)).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned());
    let attempt = state.and_then(|state| site.attempts.lock().unwrap().remove(&state));
    let Some(attempt) = attempt else { return page("知らないログインです", "") };
    let tokens = match site.relying_party.code(&attempt, &url) {
        Ok(code) => site.relying_party.redeem(attempt, code).await,
        Err(error) => Err(error),
    };
    let tokens = match tokens {
        Ok(tokens) => Arc::new(tokens),
        Err(error) => return page("ログインできませんでした", &format!("<p id=error>{error}</p>")),
    };
    let claims = site.relying_party.userinfo(&tokens).await.unwrap_or(Value::Null);
    site.newest.send_replace(Some(tokens));
    let name = claims["name"].as_str().unwrap_or("どなたか").to_owned();
    page("ようこそ", &format!("<p id=name>{name}</p><p><a id=logout href=/logout>ログアウト</a></p>"))
}

async fn logout(State(site): State<Site>) -> Redirect {
    let tokens = site.newest.borrow().clone();
    match tokens {
        Some(tokens) => Redirect::to(site.relying_party.logout_url(&tokens, "bye").as_str()),
        None => Redirect::to("/"),
    }
}
