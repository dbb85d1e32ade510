//! Requests that the provider itself makes because a relying party named a URL: for its keys, its sector
//! document, its logo, its request objects, and to tell it of a logout. This is the one place that makes them.
//!
//! A client must not be able to make the provider call what only the provider can reach (SSRF). So: https
//! only; the name is looked up here and every address that it has must be public; the connection goes to the
//! address that was looked at, so that a second look-up cannot tell another story (rebinding); no redirect
//! is followed; time, size and content type are bounded; no proxy of the environment is used. Hosts of
//! `egress.allowed_hosts` may have any address.

mod address;
pub mod deliveries;
pub mod house;
mod resolve;
mod slots;

use std::{error::Error as _, fs, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use reqwest::{
    Certificate, Client, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE},
    redirect, tls,
};
use tracing::Instrument as _;
use url::{Host, Url};

use self::resolve::{Guarded, NotPublic};
pub use self::{resolve::Resolver, slots::Slots};
use crate::{config, telemetry::traces::TARGET};

/// Longest URL that is called, in bytes.
const LONGEST: usize = 2000;

/// What an answer may be.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Bytes that a body may have.
    pub max_bytes: usize,
    /// Content types that are taken, without parameters; empty: any.
    pub content_types: &'static [&'static str],
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The body.
    pub body: Vec<u8>,
    /// The content type, in lower case and without parameters; empty if the server gave none.
    pub content_type: String,
    /// How long the server lets it be kept (`max-age` of Cache-Control, RFC 9111 §5.2.2.1); zero for
    /// `no-store` and `no-cache`.
    pub max_age: Option<Duration>,
}

/// Why a request was not made, or its answer not taken. Names the rule, never the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The URL is one that the provider does not call. The client has to change it.
    #[error("the URL {0}")]
    Refused(&'static str),
    /// The server cannot be reached, has no valid certificate or took too long. May be over soon.
    #[error("the server {0}")]
    Unreachable(&'static str),
    /// The server answered with something else than what was asked for.
    #[error("the answer {0}")]
    Answer(&'static str),
}

/// The provider cannot make requests at all: a fault of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum EgressSetupError {
    /// `egress.ca_file` cannot be read or holds no certificate.
    #[error("egress.ca_file {path:?}: {reason}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// TLS could not be set up.
    #[error("no TLS client could be made: {0}")]
    Client(String),
}

/// Makes the provider's own requests; clones share connections.
#[derive(Clone, Debug)]
pub struct Egress {
    settings: config::Egress,
    /// Connects to public addresses only.
    guarded: Client,
    /// Connects anywhere; for hosts of `egress.allowed_hosts`.
    trusted: Client,
}

impl Egress {
    /// With the names of the system's resolver.
    pub fn new(settings: &config::Egress) -> Result<Self, EgressSetupError> {
        Self::with_resolver(settings, &Resolver::System)
    }

    /// With names of another source: tests tell their own stories about them.
    pub fn with_resolver(settings: &config::Egress, resolver: &Resolver) -> Result<Self, EgressSetupError> {
        Self::with(settings, resolver, address::is_public)
    }

    /// The same where `public` says which addresses of names are public.
    fn with(
        settings: &config::Egress,
        resolver: &Resolver,
        public: fn(IpAddr) -> bool,
    ) -> Result<Self, EgressSetupError> {
        let authorities = authorities(settings)?;
        let client = |permits| {
            let resolver = Arc::new(Guarded { resolver: resolver.clone(), permits });
            let builder = Client::builder()
                .https_only(true)
                .min_tls_version(tls::Version::TLS_1_2)
                .http1_only()
                .no_proxy()
                .referer(false)
                .redirect(redirect::Policy::none())
                .timeout(Duration::from_secs(settings.timeout_seconds))
                .user_agent("kenpos-idp")
                .dns_resolver(resolver);
            let builder =
                authorities.iter().cloned().fold(builder, reqwest::ClientBuilder::add_root_certificate);
            // `Display` of reqwest's error leaves the cause out.
            builder.build().map_err(|error| {
                let cause = error.source().map(ToString::to_string);
                EgressSetupError::Client(cause.unwrap_or_else(|| error.to_string()))
            })
        };
        Ok(Self { settings: settings.clone(), guarded: client(public)?, trusted: client(|_| true)? })
    }

    /// GETs a document.
    pub async fn fetch(&self, url: &str, policy: &Policy) -> Result<Fetched, EgressError> {
        let (client, url) = self.permitted(url)?;
        let accept =
            if policy.content_types.is_empty() { "*/*".to_owned() } else { policy.content_types.join(", ") };
        let request = client.get(url).header(ACCEPT, accept);
        let mut response = send(request).instrument(span("GET")).await?;
        if response.status() != StatusCode::OK {
            return Err(EgressError::Answer("has another status than 200; redirects are not followed"));
        }
        let content_type = header(&response, &CONTENT_TYPE)
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if !policy.content_types.is_empty() && !policy.content_types.contains(&content_type.as_str()) {
            return Err(EgressError::Answer("has another content type than it should have"));
        }
        let max_age = max_age(&header(&response, &CACHE_CONTROL));
        Ok(Fetched { body: body(&mut response, policy.max_bytes).await?, content_type, max_age })
    }

    /// POSTs a form and gives the status of the answer, whose body is not read.
    pub async fn post(&self, url: &str, form: &[(&str, &str)]) -> Result<u16, EgressError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.post_body(url, &[("content-type", "application/x-www-form-urlencoded")], body).await
    }

    /// POSTs a body with these header fields, its content type among them, and gives the status of the
    /// answer, whose body is not read.
    pub async fn post_body(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<u16, EgressError> {
        let (client, url) = self.permitted(url)?;
        let request = client.post(url).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Ok(send(request).instrument(span("POST")).await?.status().as_u16())
    }

    /// Whether a URL may be called as far as its text tells: a look at it before it is stored.
    pub fn check(&self, url: &str) -> Result<(), EgressError> {
        self.permitted(url).map(|_| ())
    }

    /// The client that may call the URL.
    fn permitted(&self, text: &str) -> Result<(&Client, Url), EgressError> {
        let refused = |rule| Err(EgressError::Refused(rule));
        if text.len() > LONGEST {
            return refused("is longer than 2000 bytes");
        }
        let Ok(url) = Url::parse(text) else { return refused("is not absolute") };
        if url.scheme() != "https" {
            return refused("must use https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("must name no user");
        }
        let port = url.port_or_known_default().unwrap_or(443);
        let (Some(host), Some(name)) = (url.host(), url.host_str()) else { return refused("has no host") };
        if self.settings.allows(name, port) {
            return Ok((&self.trusted, url));
        }
        // Well-known ports belong to other protocols.
        if port != 443 && port < 1024 {
            return refused("names a port that is not for https");
        }
        let public = match host {
            Host::Ipv4(address) => address::is_public(address.into()),
            Host::Ipv6(address) => address::is_public(address.into()),
            Host::Domain(_) => true, // looked at when it is resolved
        };
        if public { Ok((&self.guarded, url)) } else { refused("leads to an address that is not public") }
    }
}

fn authorities(settings: &config::Egress) -> Result<Vec<Certificate>, EgressSetupError> {
    let Some(path) = &settings.ca_file else { return Ok(Vec::new()) };
    let wrong = |reason: String| EgressSetupError::Authority { path: path.clone(), reason };
    let pem = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|_| wrong("not a PEM file".to_owned()))?;
    if found.is_empty() { Err(wrong("it holds no certificate".to_owned())) } else { Ok(found) }
}

/// The span of a request. Where it goes is not said: a URL may hold what is secret.
fn span(method: &'static str) -> tracing::Span {
    tracing::trace_span!(
        target: TARGET, "egress", otel.kind = "client", otel.name = method, http.request.method = method
    )
}

async fn send(request: RequestBuilder) -> Result<Response, EgressError> {
    request.send().await.map_err(|error| explain(&error))
}

/// Which rule or failure stands behind an error; its text may hold the URL, so it is dropped.
fn explain(error: &reqwest::Error) -> EgressError {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<NotPublic>() {
            return EgressError::Refused("leads to an address that is not public");
        }
        cause = inner.source();
    }
    EgressError::Unreachable(if error.is_timeout() {
        "took too long"
    } else if error.is_connect() {
        "cannot be reached, or its certificate is not valid"
    } else {
        "broke off"
    })
}

fn header(response: &Response, name: &reqwest::header::HeaderName) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn body(response: &mut Response, most: usize) -> Result<Vec<u8>, EgressError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        if body.len() + chunk.len() > most {
            return Err(EgressError::Answer("is larger than it may be"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn max_age(cache_control: &str) -> Option<Duration> {
    let directives = || cache_control.split(',').map(|part| part.trim().to_ascii_lowercase());
    if directives().any(|part| part == "no-store" || part == "no-cache") {
        return Some(Duration::ZERO);
    }
    directives()
        .find_map(|part| part.strip_prefix("max-age=")?.trim_matches('"').parse().ok())
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
