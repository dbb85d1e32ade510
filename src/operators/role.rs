//! What each role may: the one table. Whether that holds for a thing depends on whose it is: an operator of
//! one insurer reaches the things of that insurer, and none that belong to several or to none.

use super::{Operator, Role};

/// Something that a role may do, in the console and through the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// See the numbers of the day.
    SeeNumbers,
    /// Find members and read about them.
    SeeMembers,
    /// Reset, unlock, sign out, reissue.
    ManageMembers,
    /// Read about imports of the roster.
    SeeRoster,
    /// Import a roster.
    ImportRoster,
    /// Read about relying parties.
    SeeClients,
    /// Register, change and disable relying parties, and rotate their secrets.
    ManageClients,
    /// Read the documents that members accept.
    SeeDocuments,
    /// Read about the queue of mails; never their content.
    SeeMails,
    /// Send mails again, or give them up.
    ManageMails,
    /// Read about the signing keys.
    SeeKeys,
    /// Rotate the signing keys.
    RotateKeys,
    /// Read about webhooks, and about messages to other systems.
    SeeWebhooks,
    /// Add, change and disable webhooks, and send messages to other systems again or give them up.
    ManageWebhooks,
    /// Search, export and verify the audit.
    SeeAudit,
    /// Read who the operators are.
    SeeOperators,
    /// Invite, change, disable and reset operators.
    ManageOperators,
}

use Permission as P;
use Role::{Administrator as ADMIN, Auditor as AUDIT, ClientManager as CLIENTS, Office as OFFICE};

/// Who may what.
const TABLE: [(Permission, &[Role]); 17] = [
    (P::SeeNumbers, &[ADMIN, OFFICE, CLIENTS, AUDIT]),
    (P::SeeMembers, &[ADMIN, OFFICE, AUDIT]),
    (P::ManageMembers, &[ADMIN, OFFICE]),
    (P::SeeRoster, &[ADMIN, OFFICE, AUDIT]),
    (P::ImportRoster, &[ADMIN, OFFICE]),
    (P::SeeClients, &[ADMIN, CLIENTS, AUDIT]),
    (P::ManageClients, &[ADMIN, CLIENTS]),
    (P::SeeDocuments, &[ADMIN, OFFICE, AUDIT]),
    (P::SeeMails, &[ADMIN, OFFICE, AUDIT]),
    (P::ManageMails, &[ADMIN, OFFICE]),
    (P::SeeKeys, &[ADMIN, CLIENTS, AUDIT]),
    (P::RotateKeys, &[ADMIN]),
    // Whoever decides which app gets what of members decides where it is told of them, too.
    (P::SeeWebhooks, &[ADMIN, CLIENTS, AUDIT]),
    (P::ManageWebhooks, &[ADMIN, CLIENTS]),
    (P::SeeAudit, &[ADMIN, AUDIT]),
    (P::SeeOperators, &[ADMIN, AUDIT]),
    (P::ManageOperators, &[ADMIN]),
];

impl Permission {
    /// Every permission, in the order of the table.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [P::SeeNumbers; TABLE.len()];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].0;
            at += 1;
        }
        all
    };

    /// The scope with which a program may do the same through the operators' API. Each begins with
    /// [`API_SCOPE`](crate::clients::metadata::API_SCOPE) and ends with `.read` if nothing is changed by it, and
    /// with `.write` otherwise.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::SeeNumbers => "admin:numbers.read",
            Self::SeeMembers => "admin:members.read",
            Self::ManageMembers => "admin:members.write",
            Self::SeeRoster => "admin:roster.read",
            Self::ImportRoster => "admin:roster.write",
            Self::SeeClients => "admin:clients.read",
            Self::ManageClients => "admin:clients.write",
            Self::SeeDocuments => "admin:documents.read",
            Self::SeeMails => "admin:mails.read",
            Self::ManageMails => "admin:mails.write",
            Self::SeeKeys => "admin:keys.read",
            Self::RotateKeys => "admin:keys.write",
            Self::SeeWebhooks => "admin:webhooks.read",
            Self::ManageWebhooks => "admin:webhooks.write",
            Self::SeeAudit => "admin:audit.read",
            Self::SeeOperators => "admin:operators.read",
            Self::ManageOperators => "admin:operators.write",
        }
    }

    /// Whether something is changed by it.
    pub fn changes(self) -> bool {
        self.scope().rsplit_once('.').is_some_and(|(_, act)| act == "write")
    }

    /// What the scope lets a program do, for the description of the API.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::SeeNumbers => "See the numbers of the day",
            Self::SeeMembers => "Find members and read about them",
            Self::ManageMembers => "Reset, unlock, sign out and reissue",
            Self::SeeRoster => "Read about imports of the roster",
            Self::ImportRoster => "Import a roster",
            Self::SeeClients => "Read about relying parties",
            Self::ManageClients => "Register, change and disable relying parties, and rotate their secrets",
            Self::SeeDocuments => "Read the documents that members accept",
            Self::SeeMails => "Read about the queue of mails",
            Self::ManageMails => "Send mails again, or give them up",
            Self::SeeKeys => "Read about the signing keys",
            Self::RotateKeys => "Rotate the signing keys",
            Self::SeeWebhooks => "Read about webhooks and messages to other systems",
            Self::ManageWebhooks => {
                "Change webhooks, and send messages to other systems again or give them up"
            }
            Self::SeeAudit => "Search and verify the audit",
            Self::SeeOperators => "Read who the operators are",
            Self::ManageOperators => "Invite, change, disable and reset operators",
        }
    }
}

/// Whether a role may do something at all.
pub fn may(role: Role, permission: Permission) -> bool {
    TABLE.iter().any(|(known, roles)| *known == permission && roles.contains(&role))
}

/// Whether a thing of this insurer (none: of several, or of none) is an operator's business.
pub fn reaches(operator: &Operator, insurer: Option<&str>) -> bool {
    is_within(operator.insurer.as_deref(), insurer)
}

/// The same for whoever works for the insurer `own` (none: for all).
pub fn is_within(own: Option<&str>, insurer: Option<&str>) -> bool {
    own.is_none_or(|own| insurer == Some(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_stands_in_the_table_once() {
        for (at, (permission, roles)) in TABLE.iter().enumerate() {
            assert!(TABLE[at + 1..].iter().all(|(other, _)| other != permission), "{permission:?}");
            assert!(roles.contains(&ADMIN), "{permission:?}");
        }
    }

    #[test]
    fn scopes_are_told_apart_and_say_whether_something_is_changed() {
        let scopes: std::collections::BTreeSet<_> = Permission::ALL.iter().map(|one| one.scope()).collect();
        assert_eq!(scopes.len(), Permission::ALL.len());
        for permission in Permission::ALL {
            let sees = format!("{permission:?}").starts_with("See");
            assert!(permission.scope().starts_with(crate::clients::metadata::API_SCOPE), "{permission:?}");
            assert_eq!(permission.scope().contains(".read"), sees, "{permission:?}");
            assert_eq!(permission.changes(), !sees, "{permission:?}");
        }
    }

    #[test]
    fn who_audits_changes_nothing() {
        for (permission, roles) in TABLE {
            let sees = format!("{permission:?}").starts_with("See");
            assert_eq!(roles.contains(&AUDIT), sees, "{permission:?}");
        }
    }
}
