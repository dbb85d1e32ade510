//! What is measured: the release binary on a database with a member and clients that came there as in
//! any story of the tests, through the pages.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use kenpos_idp::{
    clients::{AuthMethod, GrantType, GrantTypes, Metadata},
    crypto::Algorithm,
};
use tempfile::TempDir;

use super::{
    http::{Answer, Connection},
    process::Process,
};
use crate::support::{
    app::{Backend, TestApp, metadata},
    backends::free_port,
    members::HANAKO,
    relying_party::{Ask, Registered},
};

/// The issuer; the driver reaches it on a port of its own.
const ISSUER: &str = "https://login.bench.example";
/// Its host, as requests name it.
pub const HOST: &str = "login.bench.example";
/// A verifier and its S256 challenge (RFC 7636 appendix B).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// What the client asks for: claims of each kind, and a refresh token where one is measured.
const SCOPE: &str = "openid+profile+email+membership";

/// A client as the driver plays it.
pub struct Party {
    /// Who it is.
    pub registered: Registered,
    /// `Authorization` header line of its token requests.
    pub authorization: String,
}

impl Party {
    fn new(registered: Registered) -> Self {
        use base64::{Engine as _, prelude::BASE64_STANDARD};

        let secret = registered.secret.as_deref().unwrap_or_default();
        let pair = BASE64_STANDARD.encode(format!("{}:{secret}", registered.id));
        Self { registered, authorization: format!("Authorization: Basic {pair}\r\n") }
    }

    /// The target of an authorization request.
    pub fn authorize(&self, offline: bool) -> String {
        let (more, id) = (if offline { "+offline_access" } else { "" }, &self.registered.id);
        format!(
            "/authorize?response_type=code&client_id={id}&redirect_uri={}&scope={SCOPE}{more}\
             &state=af0ifjsldkj&nonce=n-0S6_WzA2Mj&code_challenge={CHALLENGE}&code_challenge_method=S256",
            self.callback()
        )
    }

    /// The body of the token request for a code.
    pub fn redeem(&self, code: &str) -> String {
        format!(
            "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
            self.callback()
        )
    }

    fn callback(&self) -> String {
        self.registered.metadata.redirect_uris[0].replace(':', "%3A").replace('/', "%2F")
    }
}

/// A database that is ready, and the configuration of the server for it.
pub struct World {
    /// Signs with RS256.
    pub rs256: Party,
    /// Signs with ES256.
    pub es256: Party,
    /// Speaks for itself.
    pub batch: Party,
    /// The configuration file of the server.
    pub config: PathBuf,
    /// Where the server is to listen.
    pub address: SocketAddr,
    /// URL of PostgreSQL, if it is used.
    pub database: String,
    _directory: TempDir,
}

impl World {
    /// Activates the member and registers the clients.
    pub async fn prepare(backend: Backend) -> Self {
        let mut app = TestApp::start(backend).await;
        let browser = app.activate(&HANAKO).await;
        let mut parties = Vec::new();
        for alg in [Algorithm::Rs256, Algorithm::Es256] {
            let metadata = Metadata {
                id_token_signed_response_alg: Some(alg),
                token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
                ..metadata(&format!("https://{}.bench.example", alg.name().to_lowercase()))
            };
            let registered = app.register(metadata).await;
            let party = app.relying_party_of(&registered).await;
            let scopes = ["profile", "email", "membership", "offline_access"];
            let attempt = party.begin(&Ask::scopes(&scopes));
            let consent = browser.get(attempt.url.as_str()).await.follow_here().await;
            crate::support::journey::allow(&consent).await;
            parties.push(Party::new(registered));
        }
        let batch = Metadata {
            grant_types: GrantTypes(vec![GrantType::ClientCredentials]),
            token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
            ..metadata("https://batch.bench.example")
        };
        let batch = Party::new(app.register(batch).await);
        let (config, directory) = app.leave_records().await;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let file = directory.path().join("bench.toml");
        let redis = match backend {
            Backend::Embedded => String::new(),
            Backend::PostgresRedis => {
                let url = crate::support::app::redis().url();
                format!("[ephemeral]\nurl = \"{url}\"\nprefix = \"{}\"\n", config.ephemeral.prefix)
            }
        };
        let text = format!(
            "[server]\nissuer = \"{ISSUER}\"\nlisten = \"{address}\"\n\
             [database]\nurl = \"{}\"\n{redis}\
             [keys]\ndirectory = \"{}\"\n\
             [mail]\nhost = \"127.0.0.1\"\nport = 9\nsecurity = \"none\"\nfrom = \"bench <bench@bench.example>\"\n\
             [limits]\nper_address = 1000000000\nper_network = 1000000000\nper_insurer = 1000000000\n\
             overall = 1000000000\nvisits_per_address = 1000000000\n\
             [telemetry]\nlevel = \"warn\"\n\
             [[insurers]]\ncode = \"7132\"\nnumber = \"06139497\"\nname = \"みほん健康保険組合\"\n\
             contact = {{ name = \"事務局\" }}\n",
            config.database.url,
            config.keys.directory.display(),
        );
        fs::write(&file, text).expect("the configuration file");
        let es256 = parties.pop().expect("two clients");
        let rs256 = parties.pop().expect("two clients");
        Self {
            rs256,
            es256,
            batch,
            config: file,
            address,
            database: config.database.url,
            _directory: directory,
        }
    }

    /// Starts the server on the core of the servers.
    pub async fn serve(&self, binary: &Path) -> io::Result<Process> {
        let (binary, config) = (binary.display().to_string(), self.config.display().to_string());
        Process::start(&[&binary, "--config", &config, "serve"], self.address, HOST, "/healthz").await
    }
}

/// Signs the member in on a connection, through the pages, and gives the code that the client gets.
pub async fn sign_in(connection: &mut Connection, party: &Party, offline: bool) -> io::Result<String> {
    let form = password_form(connection, &party.authorize(offline), HANAKO.login_id).await?;
    let password: String = url::form_urlencoded::byte_serialize(HANAKO.password.as_bytes()).collect();
    let answer = form.send(connection, &format!("password={password}")).await?;
    let answer = follow(connection, answer).await?;
    code_of(answer.target()?).ok_or_else(|| io::Error::other("the sign-in gives no code"))
}

/// Goes where the provider sends the browser, as far as a page or the client's callback.
async fn follow(connection: &mut Connection, mut answer: Answer) -> io::Result<Answer> {
    for _ in 0..6 {
        if answer.location.is_none() || code_of(answer.target()?).is_some() {
            return Ok(answer);
        }
        let target = answer.target()?.to_owned();
        answer = connection.get(&target, "").await?;
    }
    Err(io::Error::other("the sign-in does not end"))
}

/// The form of a page.
pub struct Form {
    action: String,
    csrf: String,
}

impl Form {
    fn of(page: &Answer) -> io::Result<Self> {
        let value = |before: &str| -> Option<String> {
            page.text().split_once(before)?.1.split('"').next().map(str::to_owned)
        };
        let action = value("<form method=\"post\" action=\"").ok_or_else(|| io::Error::other("no form"))?;
        let csrf = value("name=\"csrf\" value=\"").ok_or_else(|| io::Error::other("no csrf"))?;
        Ok(Self { action, csrf })
    }

    /// Sends it with one field more.
    pub async fn send(&self, connection: &mut Connection, field: &str) -> io::Result<Answer> {
        let origin = format!("Origin: {ISSUER}\r\n");
        connection.post(&self.action, &origin, &format!("csrf={}&{field}", self.csrf)).await
    }
}

/// The form for the password of a login ID, to which an authorization request leads.
pub async fn password_form(connection: &mut Connection, request: &str, login_id: &str) -> io::Result<Form> {
    let answer = connection.get(request, "").await?;
    let page = follow(connection, answer).await?.expect(200)?;
    let answer = Form::of(&page)?.send(connection, &format!("login_id={login_id}")).await?;
    Form::of(&follow(connection, answer).await?.expect(200)?)
}

/// The code of an authorization response.
pub fn code_of(target: &str) -> Option<String> {
    let query = target.strip_prefix("/callback?")?;
    query.split('&').find_map(|pair| pair.strip_prefix("code=")).map(str::to_owned)
}
