//! What a request says, read strictly: what is not understood is refused, so that no typing mistake passes for an
//! option that was left out.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::problem::{FieldError, Kind, Problem};
use crate::{
    app::App,
    audit::{Act, Actor, Reason},
};

/// A body of JSON. Its type has `#[serde(deny_unknown_fields)]`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if !is_a("application/json", request.headers()) {
            return Err(Problem::new(Kind::UnsupportedMediaType));
        }
        let bytes = bytes(request, app).await?;
        // A list of the values would pass for an object with serde.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            let error = FieldError::at("", "invalid", "must be a JSON object");
            return Err(Problem::new(Kind::InvalidBody).and(error));
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let pointer = pointer(error.path());
            Problem::new(Kind::InvalidBody).and(FieldError::at(
                &pointer,
                "invalid",
                error.inner().to_string(),
            ))
        })?;
        json.end().map_err(|error| {
            Problem::new(Kind::InvalidBody).and(FieldError::at("", "invalid", error.to_string()))
        })?;
        Ok(Self(value))
    }
}

/// The body, within the limit of the route.
pub async fn bytes(request: Request, app: &App) -> Result<Bytes, Problem> {
    use axum::response::IntoResponse as _;
    Bytes::from_request(request, app).await.map_err(|rejection| {
        let too_large = rejection.into_response().status() == Kind::TooLarge.status();
        Problem::new(if too_large { Kind::TooLarge } else { Kind::InvalidRequest })
    })
}

/// Whether the body is of this media type, such as `application/json` (RFC 8259 §11).
pub(super) fn is_a(wanted: &str, headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// The JSON pointer (RFC 6901) to where reading stopped.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let steps = path.iter().map(|step| match step {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    });
    steps.collect()
}

/// Parameters of the query. Their type has `#[serde(deny_unknown_fields)]`.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        serde_html_form::from_str(query)
            .map(Self)
            .map_err(|error| Problem::parameter("query", error.to_string()))
    }
}

/// The one identifier of a path.
pub struct Id(pub String);

impl FromRequestParts<App> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Path(id) =
            Path::<String>::from_request_parts(parts, app).await.map_err(|_| Problem::not_found())?;
        // Nothing of ours has another name, and PostgreSQL refuses a text with NUL.
        let plausible = (1..=200).contains(&id.len()) && id.bytes().all(|b| matches!(b, 0x21..=0x7e));
        if plausible { Ok(Self(id)) } else { Err(Problem::not_found()) }
    }
}

/// Why something is done: the body of an act that takes nothing else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "asked for by telephone")]
    pub reason: String,
}

/// The reason of an act.
pub fn reason(text: &str) -> Result<Reason, Problem> {
    Reason::parse(text).map_err(|error| Problem::field("/reason", "invalid", error.to_string()))
}

/// An act: who does it and why.
pub const fn act<'a>(actor: &'a Actor, reason: &'a Reason) -> Act<'a> {
    Act { actor, reason }
}
