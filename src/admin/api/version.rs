//! Versions of a thing: `ETag`, and `If-Match` on a change, so that of two who change it at once the second is
//! told (RFC 9110 §8.8.3, §13.1.1; RFC 6585 §3).

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::{
    guard::Caller,
    problem::{Kind, Problem},
};
use crate::crypto::digest;

/// The entity tag of a thing: a hash of what is shown of it.
pub fn tag(view: &impl Serialize) -> String {
    let text = serde_json::to_string(view).unwrap_or_default();
    format!("\"{}\"", &digest::sha256_base64url(&text)[..22])
}

/// A thing with its entity tag.
pub fn tagged(view: &impl Serialize) -> Response {
    let mut response = Json(view).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag(view)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A thing that was just made, at `path`: where it is, and its entity tag. `told` may say more of it than it will
/// ever show again, such as a secret.
pub fn created(caller: &Caller, path: &str, told: &impl Serialize, thing: &impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(told)).into_response();
    let location = caller.app().config().server.url(path);
    for (name, value) in [(header::LOCATION, location), (header::ETAG, tag(thing))] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Refuses a change of a thing that is not shown any more as it was when it was read.
pub fn unchanged(headers: &HeaderMap, view: &impl Serialize) -> Result<(), Problem> {
    let mut given = headers.get_all(header::IF_MATCH).iter().peekable();
    if given.peek().is_none() {
        return Err(Problem::new(Kind::PreconditionRequired));
    }
    let now = tag(view);
    let fits = given.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|one| {
        // `*` asks only that the thing is there.
        one.trim() == now || one.trim() == "*"
    });
    if fits { Ok(()) } else { Err(Problem::new(Kind::PreconditionFailed)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_names_the_version_that_it_changes() {
        let status = |headers: &[&str], view: &str| {
            let mut map = HeaderMap::new();
            for value in headers {
                map.append(header::IF_MATCH, value.parse().unwrap());
            }
            unchanged(&map, &view).err().map(|problem| problem.into_response().status().as_u16())
        };
        let tag = tag(&"a");
        assert_eq!(status(&[], "a"), Some(428));
        assert_eq!(status(&[&tag], "a"), None);
        assert_eq!(status(&[&format!("\"x\", {tag}")], "a"), None);
        assert_eq!(status(&["*"], "a"), None);
        assert_eq!(status(&[&tag], "b"), Some(412));
        assert_eq!(status(&[&format!("W/{tag}")], "a"), Some(412), "weak tags do not match");
    }
}
