//! The kinds of problems: status, stable name, and what to do about each.

use axum::http::StatusCode;

/// What can be wrong. The name of a kind, its `code`, never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read.
    InvalidRequest,
    /// A parameter of path or query is none that the operation takes.
    InvalidParameter,
    /// The body is not JSON of the expected shape.
    InvalidBody,
    /// There is no access token.
    TokenMissing,
    /// The access token is void, unknown, or for something else.
    TokenInvalid,
    /// The access token lacks the scope.
    InsufficientScope,
    /// There is no such thing within reach of the client.
    NotFound,
    /// The thing has no such method.
    MethodNotAllowed,
    /// The state of the thing forbids it.
    Conflict,
    /// The same `Idempotency-Key` is being worked on.
    IdempotencyInProgress,
    /// The thing was changed since it was read.
    PreconditionFailed,
    /// The body is too large.
    TooLarge,
    /// The body is of another media type than the operation takes.
    UnsupportedMediaType,
    /// The request came to another host.
    Misdirected,
    /// A field says what it must not.
    InvalidFields,
    /// The same `Idempotency-Key` was sent with another request.
    IdempotencyMismatch,
    /// `If-Match` is missing.
    PreconditionRequired,
    /// The client asks too often.
    TooManyRequests,
    /// The request failed on our side.
    Internal,
    /// A service that is needed is down or busy.
    Unavailable,
}

use Kind as K;

/// Kind, status, code, title, and what to do about it.
pub(super) const TABLE: &[(Kind, u16, &str, &str, &str)] = &[
    (
        K::InvalidRequest,
        400,
        "invalid_request",
        "The request cannot be read",
        "Mend the request; a repetition fails alike.",
    ),
    (
        K::InvalidParameter,
        400,
        "invalid_parameter",
        "A parameter is not one that the operation takes",
        "`errors` names the parameter. A cursor belongs to one list, one client and one search.",
    ),
    (
        K::InvalidBody,
        400,
        "invalid_body",
        "The body is not what the operation takes",
        "`errors` points to the place: JSON that cannot be parsed, a field that is missing, unknown or of another type.",
    ),
    (
        K::TokenMissing,
        401,
        "token_missing",
        "There is no access token",
        "Send `Authorization: Bearer …` (RFC 6750 section 2.1) with a token of the client credentials grant.",
    ),
    (
        K::TokenInvalid,
        401,
        "token_invalid",
        "The access token is not valid here",
        "It is void, unknown, or not for this API: get another one from the token endpoint.",
    ),
    (
        K::InsufficientScope,
        403,
        "insufficient_scope",
        "The access token lacks a scope",
        "`WWW-Authenticate` names the scope. The client must be registered for it and ask for it.",
    ),
    (
        K::NotFound,
        404,
        "not_found",
        "There is no such thing",
        "It does not exist, or belongs to an insurer that the client does not reach.",
    ),
    (
        K::MethodNotAllowed,
        405,
        "method_not_allowed",
        "The method is not allowed here",
        "`Allow` names those that are.",
    ),
    (
        K::Conflict,
        409,
        "conflict",
        "The state of the thing forbids it",
        "`errors` says why. Read the thing again before another try.",
    ),
    (
        K::IdempotencyInProgress,
        409,
        "idempotency_in_progress",
        "A request with this Idempotency-Key is being worked on",
        "Try again a little later with the same key and the same body.",
    ),
    (
        K::PreconditionFailed,
        412,
        "precondition_failed",
        "The thing was changed since it was read",
        "Read it again, and send the change with the new `ETag` in `If-Match`.",
    ),
    (K::TooLarge, 413, "too_large", "The body is too large", "Send less at once."),
    (
        K::UnsupportedMediaType,
        415,
        "unsupported_media_type",
        "The body has another media type",
        "Send JSON as `Content-Type: application/json`, a roster as `text/csv`.",
    ),
    (
        K::Misdirected,
        421,
        "misdirected",
        "The request came to another host",
        "Use the issuer's own host, as the description of the API names it.",
    ),
    (
        K::InvalidFields,
        422,
        "invalid_fields",
        "A field has a value that it must not have",
        "`errors` points to each such field.",
    ),
    (
        K::IdempotencyMismatch,
        422,
        "idempotency_mismatch",
        "This Idempotency-Key belongs to another request",
        "Use a new key for each new request.",
    ),
    (
        K::PreconditionRequired,
        428,
        "precondition_required",
        "If-Match is missing",
        "Read the thing, and send its `ETag` in `If-Match`, so that no change of somebody else is lost.",
    ),
    (
        K::TooManyRequests,
        429,
        "too_many_requests",
        "The client asks too often",
        "Wait for the seconds of `Retry-After`.",
    ),
    (
        K::Internal,
        500,
        "internal",
        "The request failed on our side",
        "`instance` finds the cause in the log of the provider.",
    ),
    (
        K::Unavailable,
        503,
        "unavailable",
        "The service is busy or down for the moment",
        "Wait for the seconds of `Retry-After`, and repeat with the same `Idempotency-Key`.",
    ),
];

impl Kind {
    pub(super) fn row(self) -> &'static (Self, u16, &'static str, &'static str, &'static str) {
        // Every kind stands there; a test says so.
        TABLE.iter().find(|(kind, ..)| *kind == self).unwrap_or(&TABLE[0])
    }

    /// Its status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its stable name.
    pub fn code(self) -> &'static str {
        self.row().2
    }

    /// The stable name of every kind.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(_, _, code, ..)| *code)
    }

    /// What fits an answer that says no more than its status.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let exact = TABLE.iter().find(|(_, known, ..)| *known == status.as_u16());
        match exact {
            Some((kind, ..)) => *kind,
            None if status.is_server_error() => Self::Internal,
            None => Self::InvalidRequest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_every_kind_is_described() {
        let codes: std::collections::BTreeSet<_> = TABLE.iter().map(|(_, _, code, ..)| code).collect();
        assert_eq!(codes.len(), TABLE.len());
        for (kind, status, code, ..) in TABLE {
            assert_eq!((kind.code(), kind.status().as_u16()), (*code, *status));
        }
        assert_eq!(Kind::Unavailable.code(), "unavailable");
        assert_eq!(Kind::of_status(StatusCode::IM_A_TEAPOT), Kind::InvalidRequest);
        assert_eq!(Kind::of_status(StatusCode::GATEWAY_TIMEOUT), Kind::Internal);
    }
}
