//! Who may do what: every operation of the API with what it asks for. The `OpenAPI` document says the same, because
//! it is filled in from here.

use axum::http::Method;

use crate::operators::Permission as P;

/// What an operation asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: what describes the API.
    Open,
    /// Any access token for the API.
    Any,
    /// An access token with the scope of the permission.
    May(P),
}

use Access::{Any, May, Open};

/// Path as in `src/routes.rs`, method, what it asks for. HEAD is as GET.
pub const TABLE: &[(&str, Method, Access)] = &[
    ("/admin/api/v1/openapi.json", Method::GET, Open),
    ("/admin/api/v1/problems/{code}", Method::GET, Open),
    ("/admin/api/v1/self", Method::GET, Any),
    ("/admin/api/v1/insurers", Method::GET, Any),
    ("/admin/api/v1/numbers", Method::GET, May(P::SeeNumbers)),
    ("/admin/api/v1/documents", Method::GET, May(P::SeeDocuments)),
    ("/admin/api/v1/mails", Method::GET, May(P::SeeMails)),
    ("/admin/api/v1/mails/{mail}/retry", Method::POST, May(P::ManageMails)),
    ("/admin/api/v1/mails/{mail}/give-up", Method::POST, May(P::ManageMails)),
    ("/admin/api/v1/mails/{mail}/bounce", Method::POST, May(P::ManageMails)),
    ("/admin/api/v1/bounces", Method::GET, May(P::SeeMails)),
    ("/admin/api/v1/bounces/{bounce}/clear", Method::POST, May(P::ManageMails)),
    ("/admin/api/v1/deliveries", Method::GET, May(P::SeeWebhooks)),
    ("/admin/api/v1/deliveries/{delivery}/retry", Method::POST, May(P::ManageWebhooks)),
    ("/admin/api/v1/deliveries/{delivery}/give-up", Method::POST, May(P::ManageWebhooks)),
    ("/admin/api/v1/keys", Method::GET, May(P::SeeKeys)),
    ("/admin/api/v1/keys/rotate", Method::POST, May(P::RotateKeys)),
    ("/admin/api/v1/keys/{kid}/retire", Method::POST, May(P::RotateKeys)),
    ("/admin/api/v1/webhooks", Method::GET, May(P::SeeWebhooks)),
    ("/admin/api/v1/webhooks", Method::POST, May(P::ManageWebhooks)),
    ("/admin/api/v1/webhooks/{webhook}", Method::GET, May(P::SeeWebhooks)),
    ("/admin/api/v1/webhooks/{webhook}", Method::PUT, May(P::ManageWebhooks)),
    ("/admin/api/v1/webhooks/{webhook}/rotate-secret", Method::POST, May(P::ManageWebhooks)),
    ("/admin/api/v1/webhooks/{webhook}/disable", Method::POST, May(P::ManageWebhooks)),
    ("/admin/api/v1/webhooks/{webhook}/enable", Method::POST, May(P::ManageWebhooks)),
    ("/admin/api/v1/webhooks/{webhook}/test", Method::POST, May(P::ManageWebhooks)),
    ("/admin/api/v1/audit/search", Method::POST, May(P::SeeAudit)),
    ("/admin/api/v1/audit/export", Method::POST, May(P::SeeAudit)),
    ("/admin/api/v1/audit/verify", Method::POST, May(P::SeeAudit)),
    ("/admin/api/v1/clients", Method::GET, May(P::SeeClients)),
    ("/admin/api/v1/clients", Method::POST, May(P::ManageClients)),
    ("/admin/api/v1/clients/{client}", Method::GET, May(P::SeeClients)),
    ("/admin/api/v1/clients/{client}", Method::PATCH, May(P::ManageClients)),
    ("/admin/api/v1/clients/{client}/secret", Method::POST, May(P::ManageClients)),
    ("/admin/api/v1/clients/{client}/end-old-secrets", Method::POST, May(P::ManageClients)),
    ("/admin/api/v1/clients/{client}/disable", Method::POST, May(P::ManageClients)),
    ("/admin/api/v1/clients/{client}/enable", Method::POST, May(P::ManageClients)),
    ("/admin/api/v1/clients/{client}/delete", Method::POST, May(P::ManageClients)),
    ("/admin/api/v1/roster/imports", Method::GET, May(P::SeeRoster)),
    ("/admin/api/v1/roster/imports/{import}", Method::GET, May(P::SeeRoster)),
    ("/admin/api/v1/roster/imports/{import}", Method::PUT, May(P::ImportRoster)),
    ("/admin/api/v1/roster/imports/{import}/refused-rows", Method::GET, May(P::SeeRoster)),
    ("/admin/api/v1/roster/imports/{import}/apply", Method::POST, May(P::ImportRoster)),
    ("/admin/api/v1/roster/imports/{import}/discard", Method::POST, May(P::ImportRoster)),
    ("/admin/api/v1/roster/imports/{import}/undo", Method::GET, May(P::SeeRoster)),
    ("/admin/api/v1/roster/imports/{import}/undo", Method::POST, May(P::ImportRoster)),
    ("/admin/api/v1/members/search", Method::POST, May(P::SeeMembers)),
    ("/admin/api/v1/members/{member}", Method::GET, May(P::SeeMembers)),
    ("/admin/api/v1/members/{member}/timeline", Method::GET, May(P::SeeMembers)),
    ("/admin/api/v1/deletion-requests", Method::GET, May(P::SeeMembers)),
    ("/admin/api/v1/members/{member}/reset", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/reissue", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/unlock", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/end-sessions", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/freeze", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/unfreeze", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/delete", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/dismiss-deletion", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/correct-email", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/show-email", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/withdraw-app", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/members/{member}/export", Method::POST, May(P::ManageMembers)),
    ("/admin/api/v1/operators", Method::GET, May(P::SeeOperators)),
    ("/admin/api/v1/operators", Method::POST, May(P::ManageOperators)),
    ("/admin/api/v1/operators/{operator}", Method::GET, May(P::SeeOperators)),
    ("/admin/api/v1/operators/{operator}/role", Method::PUT, May(P::ManageOperators)),
    ("/admin/api/v1/operators/{operator}/disable", Method::POST, May(P::ManageOperators)),
    ("/admin/api/v1/operators/{operator}/enable", Method::POST, May(P::ManageOperators)),
    ("/admin/api/v1/operators/{operator}/reset", Method::POST, May(P::ManageOperators)),
];

/// What a request to a route asks for; none: the operation is not in the table.
pub fn of(route: &str, method: &Method) -> Option<Access> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    TABLE.iter().find(|(path, known, _)| *path == route && known == method).map(|(.., access)| *access)
}

/// Whether the table has the route, with any method.
pub fn has(route: &str) -> bool {
    TABLE.iter().any(|(path, ..)| *path == route)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Path and method of every operation as `src/routes.rs` has them.
    fn routed() -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        for rest in include_str!("../../routes.rs").split(".route(").skip(1) {
            let (path, rest) = rest.split_once('"').and_then(|(_, rest)| rest.split_once('"')).unwrap();
            if !path.starts_with("/admin/api") {
                continue;
            }
            let handlers = rest.split("\n        .").next().unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                let called =
                    [" ", ".", "("].iter().any(|before| handlers.contains(&format!("{before}{method}(")));
                if called {
                    found.insert((path.to_owned(), method.to_uppercase()));
                }
            }
        }
        found
    }

    #[test]
    fn every_operation_is_routed_guarded_and_described() {
        let known: BTreeSet<_> =
            TABLE.iter().map(|(path, method, _)| ((*path).to_owned(), method.to_string())).collect();
        assert_eq!(known.len(), TABLE.len(), "an operation stands there twice");
        assert_eq!(routed(), known);
        let document = serde_json::to_value(super::super::document::of("https://id.example.jp")).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (path.clone(), method.to_uppercase()))
        });
        assert_eq!(operations.collect::<BTreeSet<_>>(), known);
    }

    #[test]
    fn what_is_not_in_the_table_is_refused() {
        assert_eq!(of("/admin/api/v1/nowhere", &Method::GET), None);
        assert_eq!(of("/admin/api/v1/self", &Method::HEAD), Some(Any));
        assert_eq!(of("/admin/api/v1/self", &Method::DELETE), None);
    }
}
