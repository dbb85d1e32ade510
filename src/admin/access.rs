//! Who may go where: every URL of the console with what looking (GET) and doing (POST) ask for.

use axum::http::Method;

use crate::operators::Permission as P;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody: the pages that lead in.
    Open,
    /// Any operator who is signed in.
    Own,
    /// An operator whose role may.
    May(P),
    /// Nobody: there is no such method.
    Never,
}

use Access::{May, Never, Open, Own};

/// Path as in `src/routes.rs`, GET, POST.
pub const TABLE: &[(&str, Access, Access)] = &[
    ("/admin", May(P::SeeNumbers), Never),
    ("/admin/sign-in", Open, Open),
    ("/admin/sign-out", Never, Own),
    ("/admin/setup/{token}", Open, Open),
    ("/admin/account", Own, Never),
    ("/admin/account/password", Own, Own),
    ("/admin/account/factor", Own, Own),
    ("/admin/account/recovery-codes", Own, Own),
    ("/admin/account/sessions", Never, Own),
    ("/admin/account/sessions/others", Never, Own),
    ("/admin/audit", May(P::SeeAudit), Never),
    ("/admin/audit/export", Never, May(P::SeeAudit)),
    ("/admin/audit/verify", Never, May(P::SeeAudit)),
    ("/admin/clients", May(P::SeeClients), Never),
    ("/admin/clients/new", May(P::ManageClients), May(P::ManageClients)),
    ("/admin/clients/{client}", May(P::SeeClients), Never),
    ("/admin/clients/{client}/edit/{topic}", May(P::ManageClients), May(P::ManageClients)),
    ("/admin/clients/{client}/secret", May(P::ManageClients), May(P::ManageClients)),
    ("/admin/clients/{client}/settings", May(P::SeeClients), Never),
    ("/admin/clients/{client}/try", May(P::ManageClients), May(P::ManageClients)),
    ("/admin/clients/{client}/try/callback", May(P::ManageClients), Never),
    ("/admin/clients/{client}/{act}", May(P::ManageClients), May(P::ManageClients)),
    ("/admin/roster", May(P::SeeRoster), Never),
    ("/admin/roster/new", May(P::ImportRoster), May(P::ImportRoster)),
    ("/admin/roster/{import}", May(P::SeeRoster), Never),
    ("/admin/roster/{import}/status", May(P::SeeRoster), Never),
    ("/admin/roster/{import}/refused", Never, May(P::SeeRoster)),
    ("/admin/roster/{import}/{act}", May(P::ImportRoster), May(P::ImportRoster)),
    ("/admin/members", May(P::SeeMembers), May(P::SeeMembers)),
    ("/admin/members/deletion-requests", May(P::SeeMembers), Never),
    ("/admin/members/{member}", May(P::SeeMembers), Never),
    ("/admin/members/{member}/email", May(P::ManageMembers), May(P::ManageMembers)),
    ("/admin/members/{member}/registration/{act}", May(P::ManageMembers), May(P::ManageMembers)),
    ("/admin/members/{member}/apps/{client}", May(P::ManageMembers), May(P::ManageMembers)),
    ("/admin/members/{member}/{act}", May(P::ManageMembers), May(P::ManageMembers)),
    ("/admin/documents", May(P::SeeDocuments), Never),
    ("/admin/documents/{insurer}/{kind}/{version}", May(P::SeeDocuments), Never),
    ("/admin/mails", May(P::SeeMails), Never),
    ("/admin/mails/{mail}/{act}", May(P::ManageMails), May(P::ManageMails)),
    ("/admin/bounces", May(P::SeeMails), Never),
    ("/admin/bounces/{bounce}/clear", May(P::ManageMails), May(P::ManageMails)),
    ("/admin/deliveries", May(P::SeeWebhooks), Never),
    ("/admin/deliveries/{delivery}/{act}", May(P::ManageWebhooks), May(P::ManageWebhooks)),
    ("/admin/webhooks", May(P::SeeWebhooks), Never),
    ("/admin/webhooks/new", May(P::ManageWebhooks), May(P::ManageWebhooks)),
    ("/admin/webhooks/{webhook}", May(P::SeeWebhooks), Never),
    ("/admin/webhooks/{webhook}/edit", May(P::ManageWebhooks), May(P::ManageWebhooks)),
    ("/admin/webhooks/{webhook}/{act}", May(P::ManageWebhooks), May(P::ManageWebhooks)),
    ("/admin/keys", May(P::SeeKeys), Never),
    ("/admin/keys/rotate", May(P::RotateKeys), May(P::RotateKeys)),
    ("/admin/keys/{kid}/retire", May(P::RotateKeys), May(P::RotateKeys)),
    ("/admin/operators", May(P::SeeOperators), Never),
    ("/admin/operators/new", May(P::ManageOperators), May(P::ManageOperators)),
    ("/admin/operators/{operator}", May(P::SeeOperators), Never),
    ("/admin/operators/{operator}/role", May(P::ManageOperators), May(P::ManageOperators)),
    ("/admin/operators/{operator}/{act}", May(P::ManageOperators), May(P::ManageOperators)),
];

/// What a request to a route asks for; none: the route is not in the table.
pub fn of(route: &str, method: &Method) -> Option<Access> {
    let (_, get, post) = TABLE.iter().find(|(path, ..)| *path == route)?;
    match *method {
        Method::GET | Method::HEAD => Some(*get),
        Method::POST => Some(*post),
        _ => Some(Never),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_url_of_the_console_is_in_the_table_and_no_other() {
        let source = include_str!("../routes.rs");
        let routed: BTreeSet<&str> = source
            .split(".route(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|path| path.starts_with("/admin") && !path.starts_with("/admin/api/"))
            .collect();
        let known: BTreeSet<&str> = TABLE.iter().map(|(path, ..)| *path).collect();
        assert_eq!(routed, known);
        assert_eq!(known.len(), TABLE.len(), "a path stands there twice");
    }

    #[test]
    fn what_is_not_in_the_table_is_refused() {
        assert_eq!(of("/admin/nowhere", &Method::GET), None);
        assert_eq!(of("/admin", &Method::HEAD), Some(May(P::SeeNumbers)));
        assert_eq!(of("/admin", &Method::DELETE), Some(Never));
    }
}
