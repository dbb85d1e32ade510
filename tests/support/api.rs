//! Programs that use the operators' API.

use kenpos_idp::{
    clients::{GrantType, GrantTypes, Metadata, ResponseTypes},
    operators::Permission,
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::Value;

use super::{app::TestApp, relying_party::Registered};

/// Where the API is.
pub const API: &str = "/admin/api/v1";

/// A program with an access token.
#[derive(Clone)]
pub struct Program {
    pub client: Registered,
    pub token: String,
    base: String,
    http: reqwest::Client,
}

/// What it was answered.
#[derive(Debug)]
pub struct Told {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body; a text where it is no JSON.
    pub json: Value,
}

impl Told {
    /// `code` of a problem with this status, in the media type of problems.
    #[track_caller]
    pub fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.headers["cache-control"], "no-store");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["instance"], self.headers["x-request-id"].to_str().unwrap());
        let code = self.json["code"].as_str().unwrap();
        assert!(self.json["type"].as_str().unwrap().ends_with(&format!("{API}/problems/{code}")));
        code
    }

    /// A header's text, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// What was asked for, with this status.
    #[track_caller]
    pub fn done(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        self
    }
}

/// Metadata of a program with these scopes.
pub fn program(scopes: &str, insurer: Option<&str>) -> Metadata {
    Metadata {
        client_name: "事務システム".to_owned(),
        grant_types: GrantTypes(vec![GrantType::ClientCredentials]),
        response_types: ResponseTypes(vec![]),
        scope: scopes.to_owned(),
        insurer: insurer.map(str::to_owned),
        ..Metadata::default()
    }
}

/// Every scope of the API.
pub fn all_scopes() -> String {
    Permission::ALL.map(Permission::scope).join(" ")
}

impl TestApp {
    /// Registers a program and gets it an access token.
    pub async fn program(&self, scopes: &str, insurer: Option<&str>) -> Program {
        let client = self.register(program(scopes, insurer)).await;
        let answer = self.token(&client, &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        self.program_with(client, answer.text("access_token"))
    }

    /// A program with another access token.
    pub fn program_with(&self, client: Registered, token: &str) -> Program {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Program { client, token: token.to_owned(), base: self.url(API), http }
    }
}

impl Program {
    /// Sends a request as it stands, with the token.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Told {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        told(headers.iter().fold(request.body(body), |request, (name, value)| request.header(*name, *value)))
            .await
    }

    /// Sends a request without a token.
    pub async fn bare(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Told {
        let request = self.http.request(method, format!("{}{path}", self.base));
        told(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Told {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// Does.
    pub async fn post(&self, path: &str, body: Value) -> Told {
        self.post_with(path, &[], body).await
    }

    /// Does, with more headers.
    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Told {
        let headers = [&[("content-type", "application/json")][..], headers].concat();
        self.send(Method::POST, path, &headers, body.to_string().into_bytes()).await
    }

    /// Changes what was read with this entity tag.
    pub async fn put(&self, path: &str, tag: &str, body: Value) -> Told {
        let headers = [("content-type", "application/json"), ("if-match", tag)];
        self.send(Method::PUT, path, &headers, body.to_string().into_bytes()).await
    }
}

async fn told(request: reqwest::RequestBuilder) -> Told {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let kind = headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
    let is_json = kind == "application/json" || kind == "application/problem+json";
    let text = response.text().await.unwrap();
    let json = match text.as_str() {
        "" => Value::Null,
        _ if !is_json => Value::String(text),
        _ => serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {status} {text}")),
    };
    Told { status, headers, json }
}
