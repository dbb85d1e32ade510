//! What each role may: the one table. Whether that holds for a thing depends on whose it is: an operator of
//! one insurer reaches the things of that insurer, and none that belong to several or to none.

use super::{Operator, Role};

/// Something that a role may do, in the console and through the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Whether a role may do something at all.
pub fn may(role: Role, permission: Permission) -> bool {
    TABLE.iter().any(|(known, roles)| *known == permission && roles.contains(&role))
}

/// Whether a thing of this insurer (none: of several, or of none) is an operator's business.
pub fn reaches(operator: &Operator, insurer: Option<&str>) -> bool {
    operator.insurer.as_deref().is_none_or(|own| insurer == Some(own))
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
    fn who_audits_changes_nothing() {
        for (permission, roles) in TABLE {
            let sees = format!("{permission:?}").starts_with("See");
            assert_eq!(roles.contains(&AUDIT), sees, "{permission:?}");
        }
    }
}
