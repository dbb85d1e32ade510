//! What surrounds every page of the console: who is signed in, where the role may go, what was just done.

use super::guard::Operator;
use crate::{
    operators::{Permission, Role},
    web::templates::{ConsoleFrame, Message, NavItem},
};

/// The parts of the console: name, path, and who may see it.
const PARTS: &[(&str, &str, Permission)] = &[
    ("dashboard", "/admin", Permission::SeeNumbers),
    ("members", "/admin/members", Permission::SeeMembers),
    ("roster", "/admin/roster", Permission::SeeRoster),
    ("clients", "/admin/clients", Permission::SeeClients),
    ("documents", "/admin/documents", Permission::SeeDocuments),
    ("mails", "/admin/mails", Permission::SeeMails),
    ("webhooks", "/admin/webhooks", Permission::SeeWebhooks),
    ("deliveries", "/admin/deliveries", Permission::SeeWebhooks),
    ("keys", "/admin/keys", Permission::SeeKeys),
    ("audit", "/admin/audit", Permission::SeeAudit),
    ("operators", "/admin/operators", Permission::SeeOperators),
];

/// The frame of an operator's page.
pub fn of(operator: &Operator) -> ConsoleFrame {
    let (visit, account) = (&operator.visit, &operator.signed_in.operator);
    let insurer = operator.scope().and_then(|code| operator.app().members.insurer(code));
    ConsoleFrame {
        name: account.name.clone(),
        role: account.role.as_str(),
        scope: insurer.map(|insurer| insurer.name_in(visit.locale)),
        who: operator.who(),
        nav: nav(account.role, visit.path()),
        notice: done(visit.query()).filter(|notice| operator.app().texts.has(visit.locale, notice.id())),
    }
}

/// The parts that a role may see; the one that `path` belongs to is the present one.
pub fn nav(role: Role, path: &str) -> Vec<NavItem> {
    let below = |href: &str| {
        let rest = path.strip_prefix(href);
        rest.is_some_and(|rest| rest.is_empty() || href != "/admin" && rest.starts_with('/'))
    };
    PARTS
        .iter()
        .filter(|(_, _, permission)| crate::operators::may(role, *permission))
        .map(|(id, href, _)| NavItem { id, href, current: below(href) })
        .collect()
}

/// `done=NAME` of a query.
fn done(query: &str) -> Option<Message> {
    let (_, name) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?;
    let ours = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    ours.then(|| Message::new(format!("console-notice-{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_is_the_present_one() {
        let current = |path: &str| {
            let nav = nav(Role::Administrator, path);
            nav.into_iter().filter(|item| item.current).map(|item| item.id).collect::<Vec<_>>()
        };
        assert_eq!(current("/admin"), ["dashboard"]);
        assert_eq!(current("/admin/operators/x/role"), ["operators"]);
        assert_eq!(current("/admin/operatorsx"), [""; 0]);
        assert_eq!(current("/admin/account"), [""; 0]);
        assert!(nav(Role::Office, "/admin").iter().all(|part| part.id != "operators" && part.id != "keys"));
    }

    #[test]
    fn a_notice_is_one_of_ours() {
        assert_eq!(
            done("x=1&done=disabled").map(|m| m.id().to_owned()).as_deref(),
            Some("console-notice-disabled")
        );
        assert_eq!(done("done=%3Cb%3E"), None);
        assert_eq!(done(""), None);
    }
}
