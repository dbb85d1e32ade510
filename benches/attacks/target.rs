//! The server that is attacked, and what is known of it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kenpos_idp::clients::Metadata;
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use url::{Url, form_urlencoded};

use crate::{
    Options,
    support::{
        attack::{VERIFIER, encoded, good_request, parameter},
        http_browser::{HttpBrowser, Page},
        journey,
        members::Someone,
        relying_party::Registered,
    },
};

/// How long a mail may take to come.
const PATIENCE: Duration = Duration::from_secs(120);
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// What is attacked.
pub struct Target {
    pub issuer: String,
    pub client: Option<Registered>,
    /// An active member: login ID and password.
    pub member: Option<(String, String)>,
    pub demo: Option<Demo>,
    /// Asks as programs do, without cookies of a member.
    programs: HttpBrowser,
}

/// A demo of our own, which has a mailbox and people who have not registered yet.
pub struct Demo {
    pub people: Vec<Someone>,
    mailbox: String,
    child: Child,
    _folder: TempDir,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer to a program.
pub struct Answer {
    pub status: u16,
    pub json: Value,
}

impl Answer {
    /// `200` or `400 invalid_grant`.
    pub fn brief(&self) -> String {
        format!("{} {}", self.status, self.json["error"].as_str().unwrap_or_default()).trim().to_owned()
    }

    pub fn text(&self, name: &str) -> String {
        self.json[name].as_str().unwrap_or_default().to_owned()
    }
}

/// A text that lives as long as the program, as the people of the tests' roster do.
fn kept(text: &Value) -> &'static str {
    Box::leak(text.as_str().unwrap_or_default().to_owned().into_boxed_str())
}

fn registered(id: &str, secret: Option<String>, redirect_uri: &str) -> Registered {
    let metadata = Metadata { redirect_uris: vec![redirect_uri.to_owned()], ..Metadata::default() };
    Registered { id: id.to_owned(), secret, metadata }
}

impl Target {
    pub async fn open(options: &Options) -> Self {
        let Some(url) = &options.url else { return Self::demo().await };
        let client = options.client_id.as_ref().zip(options.redirect_uri.as_ref());
        Self {
            issuer: url.trim_end_matches('/').to_owned(),
            client: client.map(|(id, uri)| registered(id, options.client_secret.clone(), uri)),
            member: options.login_id.clone().zip(options.password.clone()),
            demo: None,
            programs: HttpBrowser::new(),
        }
    }

    /// Starts a demo, and registers one of its people through the mailed link.
    async fn demo() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_kenpos-idp"))
            .args(["demo", "--json", "--port", "0", "--log", "error", "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let told: Value = serde_json::from_str(&line).expect("the demo says where it is");
        let text =
            |pointer: &str| told.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let people = told["members"].as_array().into_iter().flatten().enumerate().map(|(at, person)| {
            let email = Value::String(format!("person{at}@mail.example"));
            Someone {
                login_id: kept(&person["login_id"]),
                born: kept(&person["temporary_password"]),
                kana: kept(&person["kana"]),
                email: kept(&email),
                password: "correct horse battery staple",
            }
        });
        let people: Vec<_> = people.collect();
        let callback = format!("{}/callback", text("/app"));
        let client = registered(&text("/client/id"), Some(text("/client/secret")), &callback);
        let demo = Demo { people, mailbox: text("/mailbox"), child, _folder: folder };
        let mut target = Self {
            issuer: text("/issuer"),
            client: Some(client),
            member: None,
            demo: Some(demo),
            programs: HttpBrowser::new(),
        };
        let someone = target.person(0);
        let browser = HttpBrowser::new();
        journey::register(&target.login(&browser).await, &someone).await;
        let link = target.mailed(&someone, "/registration/link/").await;
        journey::complete(&browser, &link, someone.password).await;
        target.member = Some((someone.login_id.to_owned(), someone.password.to_owned()));
        target
    }

    /// Somebody of the demo's roster.
    pub fn person(&self, at: usize) -> Someone {
        self.demo.as_ref().expect("a demo").people[at]
    }

    /// The link in the newest mail to somebody, whose path begins so.
    pub async fn mailed(&self, someone: &Someone, path: &str) -> Url {
        let mailbox = &self.demo.as_ref().expect("a demo").mailbox;
        let look = async {
            loop {
                let page = HttpBrowser::new().get(&format!("{mailbox}/api/mails")).await;
                let mails: Vec<Value> = serde_json::from_str(&page.body).unwrap_or_default();
                let theirs = mails.iter().rev().filter(|mail| mail["to"].to_string().contains(someone.email));
                let mut links = theirs.flat_map(|mail| mail["links"].as_array().cloned().unwrap_or_default());
                let link = links.find_map(|link| {
                    Url::parse(link.as_str()?).ok().filter(|link| link.path().starts_with(path))
                });
                if let Some(link) = link {
                    return link;
                }
                sleep(Duration::from_millis(200)).await;
            }
        };
        timeout(PATIENCE, look).await.expect("the mail comes")
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The page that asks for the login ID.
    pub async fn login(&self, browser: &HttpBrowser) -> Page {
        browser.get(&self.url("/login")).await.follow_here().await
    }

    /// A browser in which the member is signed in.
    pub async fn signed_in(&self) -> Option<HttpBrowser> {
        let (login_id, password) = self.member.as_ref()?;
        let browser = HttpBrowser::new();
        let page = journey::log_in(&self.login(&browser).await, login_id, password).await;
        assert_eq!(page.url.path(), "/account", "the member cannot sign in: {}", page.text());
        Some(browser)
    }

    /// `/authorize` with these parameters.
    pub fn authorize(&self, pairs: &[(&str, String)]) -> String {
        self.url(&format!("/authorize?{}", encoded(pairs)))
    }

    /// Where a request leads for somebody who is signed in, and allows it.
    pub async fn callback(&self, browser: &HttpBrowser, pairs: &[(&str, String)]) -> Page {
        let mut page = browser.get(&self.authorize(pairs)).await.follow_here().await;
        if page.url.path().starts_with("/consent/") {
            page = page.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
        }
        page
    }

    pub async fn code(&self, browser: &HttpBrowser, client: &Registered) -> String {
        let page = self.callback(browser, &good_request(client, "openid offline_access")).await;
        let back = page.location().unwrap_or_else(|| panic!("no callback: {} {}", page.url, page.text()));
        parameter(&back, "code").unwrap_or_else(|| panic!("no code: {back}"))
    }

    /// POST by the client, which proves itself unless it has no secret.
    pub async fn post(&self, path: &str, client: &Registered, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        let mut headers = vec![FORM];
        let basic;
        match &client.secret {
            Some(secret) => {
                basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{secret}", client.id)));
                headers.push(("Authorization", basic.as_str()));
            }
            None => fields.push(("client_id", client.id.as_str())),
        }
        self.program(Method::POST, path, &headers, &form(&fields)).await
    }

    /// A request of a program.
    pub async fn program(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let page = self.programs.raw(method, &self.url(path), headers, body).await;
        let json = serde_json::from_str(&page.body).unwrap_or_default();
        Answer { status: page.status.as_u16(), json }
    }

    /// Redeems a code as [`good_request`] asked for it, with some fields replaced or, where empty, left out.
    pub async fn redeem(&self, client: &Registered, code: &str, other: &[(&str, &str)]) -> Answer {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", client.metadata.redirect_uris[0].as_str()),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in other {
            fields.retain(|(known, _)| known != name);
            if !value.is_empty() {
                fields.push((*name, *value));
            }
        }
        self.post("/token", client, &fields).await
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.program(Method::GET, "/userinfo", &[("Authorization", bearer.as_str())], "").await
    }

    /// Octets as they are, and what comes back within a while; plain HTTP alone.
    pub async fn octets(&self, sent: &[u8], patience: Duration) -> Option<String> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let url = Url::parse(&self.issuer).expect("a URL");
        if url.scheme() != "http" {
            return None;
        }
        let mut stream = TcpStream::connect((url.host_str()?, url.port_or_known_default()?)).await.ok()?;
        let _ = stream.write_all(sent).await;
        let mut came = Vec::new();
        let _ = timeout(patience, stream.read_to_end(&mut came)).await;
        Some(String::from_utf8_lossy(&came).into_owned())
    }
}

/// A form body.
pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
