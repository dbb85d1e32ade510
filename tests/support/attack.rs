//! What the attack stories share: requests written by hand, answers read as they came, and a look at what the
//! provider has stored.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use kenpos_idp::{
    clients::{
        Metadata,
        registration::{Registrar, create_initial_access_token},
    },
    storage::Db,
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use url::{Url, form_urlencoded};

use super::{
    app::{HOUR, TestApp},
    http_browser::{HttpBrowser, Page},
    relying_party::Registered,
};

/// A `code_verifier` (RFC 7636 appendix B).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Its `code_challenge`.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Parameters of a request, in order; a name may stand there twice.
pub type Pairs<'a> = Vec<(&'a str, String)>;

/// The parameters of a good authorization request.
pub fn good_request<'a>(client: &Registered, scope: &str) -> Pairs<'a> {
    vec![
        ("response_type", "code".to_owned()),
        ("client_id", client.id.clone()),
        ("redirect_uri", client.metadata.redirect_uris[0].clone()),
        ("scope", scope.to_owned()),
        ("state", "af0ifjsldkj".to_owned()),
        ("nonce", "n-0S6_WzA2Mj".to_owned()),
        ("code_challenge", CHALLENGE.to_owned()),
        ("code_challenge_method", "S256".to_owned()),
    ]
}

/// The same parameters with one of them replaced or added.
pub fn with<'a>(mut pairs: Pairs<'a>, name: &'a str, value: &str) -> Pairs<'a> {
    pairs.retain(|(known, _)| *known != name);
    pairs.push((name, value.to_owned()));
    pairs
}

/// As a query or a form body.
pub fn encoded(pairs: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A parameter of a URL.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// A part of a JWT: 0 is the header, 1 the claims.
pub fn part(jwt: &str, index: usize) -> Value {
    let part = jwt.split('.').nth(index).unwrap_or_else(|| panic!("no JWT: {jwt}"));
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// An answer to a program.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
}

impl Answer {
    pub fn of(page: Page) -> Self {
        let json = serde_json::from_str(&page.body);
        let json = json.unwrap_or_else(|_| panic!("not JSON: {} {:?}", page.status, page.body));
        Self { status: page.status, headers: page.headers, json }
    }

    /// A text in it.
    pub fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.json))
    }

    /// The client that it tells of.
    pub fn registered(&self) -> Registered {
        let redirect_uris = serde_json::from_value(self.json["redirect_uris"].clone()).unwrap();
        let metadata = Metadata { redirect_uris, ..Metadata::default() };
        let secret = self.json["client_secret"].as_str().map(str::to_owned);
        Registered { id: self.text("client_id").to_owned(), secret, metadata }
    }

    /// `error`, or nothing if it is none.
    pub fn error(&self) -> &str {
        self.json["error"].as_str().unwrap_or_default()
    }
}

impl TestApp {
    /// `/authorize` with these parameters.
    pub fn authorize_url(&self, pairs: &[(&str, String)]) -> String {
        self.url(&format!("/authorize?{}", encoded(pairs)))
    }

    /// A code for the member who is signed in to the browser; consent is given on the way.
    pub async fn code(&self, browser: &HttpBrowser, client: &Registered, scope: &str) -> String {
        let mut page =
            browser.get(&self.authorize_url(&good_request(client, scope))).await.follow_here().await;
        if page.url.path().starts_with("/consent/") {
            page = page.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
        }
        let callback = page.location().unwrap_or_else(|| panic!("no callback: {} {}", page.url, page.text()));
        parameter(&callback, "code").unwrap_or_else(|| panic!("no code: {callback}"))
    }

    /// POST `/token` by a client; see [`call`](Self::call).
    pub async fn token(&self, client: &Registered, fields: &[(&str, &str)]) -> Answer {
        Answer::of(self.call("/token", client, &[], fields).await)
    }

    /// POST to an endpoint for programs by a client that proves itself as it registered:
    /// `client_secret_basic`, or `none`.
    pub async fn call(
        &self,
        path: &str,
        client: &Registered,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Page {
        let mut fields = fields.to_vec();
        let mut headers = headers.to_vec();
        let authorization;
        match &client.secret {
            Some(secret) => {
                let credential = BASE64_STANDARD.encode(format!("{}:{secret}", client.id));
                authorization = format!("Basic {credential}");
                headers.push(("Authorization", authorization.as_str()));
            }
            None => fields.push(("client_id", &client.id)),
        }
        headers.push(("Content-Type", "application/x-www-form-urlencoded"));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        HttpBrowser::new().raw(Method::POST, &self.url(path), &headers, &body).await
    }

    /// POST `/token` with other headers.
    pub async fn token_with(&self, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        let headers: Vec<_> = headers.iter().copied().chain([form]).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Answer::of(HttpBrowser::new().raw(Method::POST, &self.url("/token"), &headers, &body).await)
    }

    /// A request with a JSON body, and a Bearer token if one is given.
    pub async fn json(&self, method: Method, url: &str, token: Option<&str>, body: &Value) -> Answer {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(authorization.as_deref().map(|text| ("Authorization", text)));
        Answer::of(HttpBrowser::new().raw(method, url, &headers, &body.to_string()).await)
    }

    /// An initial access token for so many clients.
    pub async fn initial_access_token(&self, uses: i64) -> String {
        let members = &self.app().members;
        let by = Registrar {
            db: &members.db,
            master: &members.master,
            entropy: &members.entropy,
            now: self.clock.now(),
        };
        create_initial_access_token(by, "a story".to_owned(), uses, HOUR).await.unwrap().1
    }

    /// Redeems a code of [`code`](Self::code).
    pub async fn redeem(&self, client: &Registered, code: &str) -> Answer {
        let redirect_uri = client.metadata.redirect_uris[0].as_str();
        self.token(
            client,
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirect_uri),
                ("code_verifier", VERIFIER),
            ],
        )
        .await
    }

    /// Exchanges a refresh token.
    pub async fn refresh(&self, client: &Registered, token: &str) -> Answer {
        self.token(client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// GET `/userinfo`.
    pub async fn userinfo(&self, token: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [("Authorization", authorization.as_str())];
        Answer::of(HttpBrowser::new().raw(Method::GET, &self.url("/userinfo"), &headers, "").await)
    }

    /// Changes stored rows behind the provider's back; the number of them.
    pub async fn sql(&self, statement: &str) -> u64 {
        let statement = AssertSqlSafe(statement.to_owned());
        let changed = match self.db() {
            Db::Sqlite(pool, _) => sqlx::query(statement).execute(pool).await.unwrap().rows_affected(),
            Db::Postgres(pool, _) => sqlx::query(statement).execute(pool).await.unwrap().rows_affected(),
        };
        // The provider would see it within a second; stories do not wait.
        self.app().clients.clear();
        changed
    }

    /// Reads a number.
    pub async fn number(&self, statement: &str) -> i64 {
        let statement = AssertSqlSafe(statement.to_owned());
        match self.db() {
            Db::Sqlite(pool, _) => sqlx::query_scalar(statement).fetch_one(pool).await.unwrap(),
            Db::Postgres(pool, _) => sqlx::query_scalar(statement).fetch_one(pool).await.unwrap(),
        }
    }

    /// Runs a statement, as somebody who got hold of the database would.
    pub async fn run(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        match self.db() {
            Db::Sqlite(pool, _) => drop(sqlx::query(statement).execute(pool).await.unwrap()),
            Db::Postgres(pool, _) => drop(sqlx::query(statement).execute(pool).await.unwrap()),
        }
    }

    /// All that is stored of people and of what is under way, to see whether anything changed. Reads `SQLite`.
    pub async fn stored(&self) -> Vec<String> {
        let Db::Sqlite(pool, _) = self.db() else { panic!("only the embedded backend is read") };
        let statement = "select key || value from ephemeral_record
            union all select key || count from ephemeral_count
            union all select id || state || email || password_hash || sessions_valid_from from member
            union all select id || token_hash || misses || sends from registration
            union all select member_id || client_id || scope from consent
            union all select id || role || sessions_valid_from || coalesce(password_hash, '') from operator
            union all select operator_id || code_hash || coalesce(used_at, 0) from operator_recovery_code
            union all select id || temporary_failures || temporary_kana_misses from roster_person
            union all select id from outbox union all select id from bounce
            union all select id || updated_at from webhook union all select id || give_up_at from delivery
            union all select kid || state from signing_key
            union all select id || state from roster_import
            union all select id from audit order by 1";
        sqlx::query_scalar(statement).fetch_all(pool).await.unwrap()
    }

    /// A whole request with `Connection: close`, octet by octet as it is, and the answer.
    pub async fn octets(&self, sent: &[u8]) -> String {
        self.exchange(sent, false).await
    }

    /// What need not be a whole request: nothing follows it.
    pub async fn fragment(&self, sent: &[u8]) -> String {
        self.exchange(sent, true).await
    }

    async fn exchange(&self, sent: &[u8], nothing_follows: bool) -> String {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        // A server that has seen enough may close before everything is written.
        let _ = stream.write_all(sent).await;
        if nothing_follows {
            let _ = stream.shutdown().await;
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}
