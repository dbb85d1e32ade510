//! `/admin/api/v1/openapi.json`: the description of the API (`OpenAPI` 3.1), made from the code.
//!
//! What an operation asks for, and the problems that it may answer with, are filled in here from [`access`] and
//! from its parameters, so that handlers describe only what is their own.

use axum::{Json, extract::State};
use utoipa::{
    OpenApi as _,
    openapi::{
        Components, Content, Info, OpenApi, Paths, Ref, RefOr, Required, Server,
        header::Header,
        path::{Operation, Parameter, ParameterIn, PathItem},
        response::Response,
        schema::{ObjectBuilder, Schema, Type},
        security::{ClientCredentials, Flow, OAuth2, Scopes, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    access::{self, Access},
    audit, audit_export, bounces, client_acts, clients, documents, insurers, keys, member_acts, members,
    numbers, operators, own, problem, queues, roster, roster_acts, roster_upload, webhooks,
};
use crate::{app::App, operators::Permission};

/// Name of the security scheme.
const SCHEME: &str = "client_credentials";

/// The operations of each file of this folder.
fn parts() -> Vec<OpenApi> {
    vec![
        Doc::openapi(),
        problem::Doc::openapi(),
        own::Doc::openapi(),
        insurers::Doc::openapi(),
        numbers::Doc::openapi(),
        documents::Doc::openapi(),
        queues::Doc::openapi(),
        bounces::Doc::openapi(),
        webhooks::Doc::openapi(),
        keys::Doc::openapi(),
        audit::Doc::openapi(),
        audit_export::Doc::openapi(),
        roster::Doc::openapi(),
        roster_acts::Doc::openapi(),
        roster_upload::Doc::openapi(),
        members::Doc::openapi(),
        member_acts::Doc::openapi(),
        operators::Doc::openapi(),
        clients::Doc::openapi(),
        client_acts::Doc::openapi(),
    ]
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(get))]
struct Doc;

/// Describes the API
///
/// This document. Needs no token: it says nothing of the installation but its address.
#[utoipa::path(
    get, path = "/admin/api/v1/openapi.json", tag = "Description", operation_id = "describeApi",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub async fn get(State(app): State<App>) -> Json<OpenApi> {
    Json(of(&app.config().server.issuer))
}

/// The document of the provider with this issuer.
pub fn of(issuer: &str) -> OpenApi {
    let mut info = Info::new("Operators' API of kenpos-idp", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut document = OpenApi::new(info, Paths::new());
    document.servers = Some(vec![Server::new(issuer)]);
    for part in parts() {
        document.merge(part);
    }
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(SCHEME, scheme(issuer));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete(path, &method, operation);
        }
    }
    document
}

/// What a reader should know first.
const ABOUT: &str = "What operators do in the console, for programs. Get an access token with the client \
credentials grant; the client is registered with `kenpos-idp client create --api`. Errors are problem details \
(RFC 9457) whose `code` is stable. Lists have pages: `next` is the `cursor` of the next one. A POST that changes \
something may carry an `Idempotency-Key` and may then be repeated for 24 hours. Acts have a `reason`, which stands \
in the audit beside the client.";

fn scheme(issuer: &str) -> SecurityScheme {
    let scopes = Permission::ALL.map(|permission| (permission.scope(), permission.meaning()));
    let flow = ClientCredentials::new(format!("{issuer}/token"), Scopes::from_iter(scopes));
    SecurityScheme::OAuth2(OAuth2::new([Flow::ClientCredentials(flow)]))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (axum::http::Method, &mut Operation)> {
    use axum::http::Method;
    let all = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds what follows from the table, the path and the parameters.
fn complete(path: &str, method: &axum::http::Method, operation: &mut Operation) {
    let access = access::of(path, method).unwrap_or(Access::Any);
    let changes = matches!(access, Access::May(permission) if permission.changes());
    operation.security = Some(match access {
        Access::Open => vec![],
        Access::Any => vec![SecurityRequirement::new(SCHEME, [] as [&str; 0])],
        Access::May(permission) => vec![SecurityRequirement::new(SCHEME, [permission.scope()])],
    });
    if changes && *method == axum::http::Method::POST {
        operation.parameters.get_or_insert_with(Vec::new).push(RefOr::T(idempotency_key()));
    }
    let has = |wanted: &ParameterIn, name: Option<&str>| {
        operation.parameters.iter().flatten().any(|parameter| match parameter {
            RefOr::T(one) => {
                one.parameter_in == *wanted && name.is_none_or(|name| one.name.eq_ignore_ascii_case(name))
            }
            RefOr::Ref(_) => false,
        })
    };
    let kind = match &operation.request_body {
        Some(RefOr::T(body)) => body.content.keys().next(),
        _ => None,
    };
    let another = format!("The body is not {}", kind.map_or("there", String::as_str));
    let body = kind.is_some();
    let conditional = has(&ParameterIn::Header, Some("If-Match"));
    let open = access == Access::Open;
    let may = [
        (400, body || has(&ParameterIn::Query, None) || (changes && !open), "The request cannot be read"),
        (401, !open, "There is no valid access token"),
        (403, matches!(access, Access::May(_)), "The access token lacks the scope"),
        (404, has(&ParameterIn::Path, None), "There is no such thing within reach"),
        (409, changes, "The state of the thing forbids it, or the same request is being worked on"),
        (412, conditional, "The thing was changed since it was read"),
        (413, body, "The body is too large"),
        (415, body, &another),
        (422, body, "A field has a value that it must not have"),
        (428, conditional, "If-Match is missing"),
        (429, !open, "The client asks too often"),
        (500, true, "The request failed on our side"),
        (503, true, "The service is busy or down for the moment"),
    ];
    for (status, applies, description) in may {
        if applies {
            operation.responses.responses.insert(status.to_string(), RefOr::T(refusal(status, description)));
        }
    }
}

/// An answer with a problem.
fn refusal(status: u16, description: &str) -> Response {
    let mut response = Response::new(description);
    let schema: RefOr<Schema> = Ref::from_schema_name("Problem").into();
    response.content.insert(problem::MEDIA_TYPE.to_owned(), RefOr::T(Content::new(Some(schema))));
    let header = match status {
        401 | 403 => Some(("WWW-Authenticate", "Bearer challenge (RFC 6750 section 3)", Type::String)),
        429 | 503 => Some(("Retry-After", "Seconds to wait", Type::Integer)),
        _ => None,
    };
    if let Some((name, description, kind)) = header {
        let mut header = Header::new(ObjectBuilder::new().schema_type(kind).build());
        header.description = Some(description.to_owned());
        response.headers.insert(name.to_owned(), RefOr::T(header));
    }
    response
}

fn idempotency_key() -> Parameter {
    let mut parameter = Parameter::new("Idempotency-Key");
    parameter.parameter_in = ParameterIn::Header;
    parameter.required = Required::False;
    parameter.description = Some(
        "Any text; the same request with the same key is done once, and answered alike for 24 hours"
            .to_owned(),
    );
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!#-~]+$"))
        .build();
    parameter.schema = Some(RefOr::T(Schema::Object(schema)));
    parameter
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_operation_says_what_it_is_what_it_asks_for_and_what_it_answers() {
        let document = serde_json::to_value(of("https://id.example.jp")).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut ids = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let here = format!("{method} {path}");
                let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
                assert!(!text("summary").is_empty() && !text("summary").ends_with('.'), "{here}");
                assert!(!text("description").is_empty(), "{here}");
                assert!(ids.insert(text("operationId")), "{here}");
                assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{here}");
                let answers = operation["responses"].as_object().unwrap();
                assert!(answers.keys().any(|status| status.starts_with('2')), "{here}");
                assert!(operation["security"].is_array(), "{here}");
                for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                    let told = operation["parameters"].as_array().into_iter().flatten();
                    assert!(
                        told.into_iter().any(|one| one["name"] == name && one["in"] == "path"),
                        "{here}: {name}"
                    );
                }
            }
        }
        references(&document, &document);
    }

    /// Every reference leads somewhere.
    fn references(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(to)) = fields.get("$ref") {
                    assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                }
                fields.values().for_each(|one| references(one, document));
            }
            Value::Array(list) => list.iter().for_each(|one| references(one, document)),
            _ => {}
        }
    }
}
