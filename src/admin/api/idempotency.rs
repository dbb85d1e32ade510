//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a POST that changes something may be repeated
//! after a lost answer, and is done once.
//!
//! The key belongs to the client. The answer is kept for [`KEPT`] among the ephemeral records, sealed with the
//! master key because it may hold a secret that is told once. Only an answer that says that it was done is kept:
//! whatever was refused may be tried again.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts as _, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response as HttpResponse, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    access::{self, Access},
    guard::Caller,
    problem::{Kind, Problem},
    read,
};
use crate::{
    app::App,
    clock::Timestamp,
    ephemeral::{Found, Record},
    fault::Fault,
};

/// Name of the header.
pub const HEADER: &str = "idempotency-key";
/// How long a key and its answer are remembered.
pub const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Purpose of the key that seals answers, and of the one that marks requests.
const SEALED: &str = "api-idempotency";
/// Longest answer that is kept, in bytes.
const LONGEST: usize = 1024 * 1024;
/// Headers that are kept with an answer.
const HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// A key that was seen.
#[derive(Serialize, Deserialize)]
struct Seen {
    /// Keyed hash of the request that came with it.
    request: String,
    state: Progress,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Progress {
    /// Somebody works on it, and has this long.
    Working { mark: String, until: Timestamp },
    /// It was done; the sealed answer.
    Done { answer: String },
}

impl Record for Seen {
    const KIND: &'static str = "api-idempotency";
}

/// An answer as it is sealed.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Does what comes with a key once.
pub async fn keep(State(app): State<App>, request: Request, next: Next) -> Response {
    match kept(&app, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn kept(app: &App, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let changes = match access::of(route, &parts.method) {
        Some(Access::May(permission)) => permission.changes(),
        _ => false,
    };
    // Nothing else needs it, and whoever sends it all the same asks for nothing.
    let key = if changes && parts.method == Method::POST { key(&parts.headers)? } else { None };
    let Some(key) = key else { return Ok(next.run(Request::from_parts(parts, body)).await) };
    let caller = Caller::from_request_parts(&mut parts, app).await?;
    let request = Request::from_parts(parts.clone(), body);
    let bytes = read::bytes(request, app).await?;
    let name = format!("{}.{key}", caller.client.id);
    let mark = mark(app, &parts.uri.to_string(), &bytes);
    let mine = match begin(app, &name, &mark).await? {
        Begun::Mine(mine) => mine,
        Begun::Before(answer) => return Ok(answer),
    };
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if !response.status().is_success() {
        forget(app, &name, &mine).await?;
        return Ok(response);
    }
    finish(app, &name, &mark, &mine, response).await
}

/// The key: visible characters, with or without the quotes of a structured field (RFC 8941 §3.3.3).
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let invalid = || Problem::parameter("Idempotency-Key", "must be one text of 1 to 255 visible characters");
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| invalid())?.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let fits = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    if fits && values.next().is_none() { Ok(Some(text.to_owned())) } else { Err(invalid()) }
}

/// A hash of the request under a key: the body may be guessed at.
fn mark(app: &App, uri: &str, body: &Bytes) -> String {
    app.members.master.mac_base64url(SEALED, &[uri.as_bytes(), b"\0", body].concat())
}

enum Begun {
    /// It is to be done now; the mark of who does it.
    Mine(String),
    /// It was done before.
    Before(Response),
}

async fn begin(app: &App, name: &str, request: &str) -> Result<Begun, Problem> {
    let ephemeral = &app.members.ephemeral;
    let mark = app.members.entropy.id();
    // A request that was cut off leaves its mark behind; after twice the time that a request may take, nobody
    // works on it any more.
    let until = app.now().plus(Duration::from_secs(app.config().server.request_timeout_seconds * 2));
    let working =
        Seen { request: request.to_owned(), state: Progress::Working { mark: mark.clone(), until } };
    if ephemeral.insert(name, &working, KEPT).await? {
        return Ok(Begun::Mine(mark));
    }
    let Some(seen) = ephemeral.get::<Seen>(name).await? else {
        return Err(Problem::new(Kind::IdempotencyInProgress));
    };
    if seen.value.request != request {
        return Err(Problem::new(Kind::IdempotencyMismatch));
    }
    match &seen.value.state {
        Progress::Done { answer } => Ok(Begun::Before(open(app, name, answer)?)),
        Progress::Working { until, .. } if app.now() < *until => {
            Err(Problem::new(Kind::IdempotencyInProgress))
        }
        Progress::Working { .. } => {
            if ephemeral.swap(name, &seen, &working, KEPT).await? {
                Ok(Begun::Mine(mark))
            } else {
                Err(Problem::new(Kind::IdempotencyInProgress))
            }
        }
    }
}

/// The record, if it is still the one that we work on.
async fn ours(app: &App, name: &str, mine: &str) -> Result<Option<Found<Seen>>, Fault> {
    let seen = app.members.ephemeral.get::<Seen>(name).await?;
    Ok(seen.filter(|seen| matches!(&seen.value.state, Progress::Working { mark, .. } if mark == mine)))
}

async fn forget(app: &App, name: &str, mine: &str) -> Result<(), Fault> {
    if ours(app, name, mine).await?.is_some() {
        app.members.ephemeral.remove::<Seen>(name).await?;
    }
    Ok(())
}

async fn finish(
    app: &App,
    name: &str,
    request: &str,
    mine: &str,
    response: Response,
) -> Result<Response, Problem> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LONGEST).await.map_err(Fault::internal)?;
    let texts = HEADERS
        .iter()
        .filter_map(|name| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned())));
    let answer = Answer {
        status: parts.status.as_u16(),
        headers: texts.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let text = serde_json::to_string(&answer).map_err(Fault::internal)?;
    let members = &app.members;
    let answer = members.master.seal(SEALED, name, text.as_bytes(), &members.entropy);
    if let Some(seen) = ours(app, name, mine).await? {
        let done = Seen { request: request.to_owned(), state: Progress::Done { answer } };
        members.ephemeral.swap(name, &seen, &done, KEPT).await?;
    }
    Ok(HttpResponse::from_parts(parts, Body::from(body)))
}

/// The answer from before, marked as such.
fn open(app: &App, name: &str, sealed: &str) -> Result<Response, Fault> {
    let text = app.members.master.open(SEALED, name, sealed).map_err(Fault::internal)?;
    let answer: Answer = serde_json::from_slice(&text).map_err(Fault::internal)?;
    let status = StatusCode::from_u16(answer.status).map_err(Fault::internal)?;
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_text() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, value.parse().unwrap());
            }
            key(&headers).map_err(|problem| problem.into_response().status().as_u16())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["8e03978e-40d5"]), Ok(Some("8e03978e-40d5".to_owned())));
        assert_eq!(read(&["\"8e03978e-40d5\""]), Ok(Some("8e03978e-40d5".to_owned())));
        for wrong in [&["a", "b"][..], &[""], &["\"\""], &["a b"], &["\""], &[&"x".repeat(256)]] {
            assert_eq!(read(wrong), Err(400), "{wrong:?}");
        }
    }
}
