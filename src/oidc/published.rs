//! What is public and the same for everybody, discovery and keys: kept as the bytes that go out.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;

use crate::crypto::digest;

/// Short enough that a rotation of keys spreads, long enough to spare us: the next key is published long
/// before it signs.
const CACHE: &str = "public, max-age=300";

/// A document in JSON, with the entity tag of its content (RFC 9110 §8.8.3).
#[derive(Debug, Default)]
pub struct Published {
    body: Bytes,
    tag: String,
}

impl Published {
    /// Keeps a document.
    pub fn new(document: &Value) -> Self {
        let text = document.to_string();
        Self { tag: format!("\"{}\"", digest::sha256_base64url(&text)), body: text.into() }
    }

    /// The answer to a request: 304 where the asker has just this (RFC 9110 §13.1.2).
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let fresh = known
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.tag);
        let caching = [(header::CACHE_CONTROL, CACHE), (header::ETAG, &self.tag)];
        if fresh {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        (caching, [content_type], self.body.clone()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(published: &Published, tag: Option<&str>) -> StatusCode {
        let tag = tag.map(|tag| (header::IF_NONE_MATCH, HeaderValue::from_str(tag).unwrap()));
        published.answer(&tag.into_iter().collect()).status()
    }

    #[test]
    fn who_has_it_is_not_told_again() {
        let published = Published::new(&serde_json::json!({"issuer": "https://login.example.jp"}));
        let tag = published.tag.clone();
        let same = [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()];
        for known in same {
            assert_eq!(status(&published, Some(&known)), StatusCode::NOT_MODIFIED, "{known}");
        }
        for other in [None, Some("\"other\""), Some("")] {
            assert_eq!(status(&published, other), StatusCode::OK, "{other:?}");
        }
        assert_ne!(tag, Published::new(&serde_json::json!({"issuer": "https://other.example.jp"})).tag);
    }
}
