//! Scopes, and which of them a client may have.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{clients::Client, operators::Permission};

/// A scope that this provider knows (OIDC Core §5.4, and our own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Makes it an OpenID Connect request.
    OpenId,
    /// Names and language.
    Profile,
    /// Birth date.
    BirthDate,
    /// Gender, where the member gave it.
    Gender,
    /// Verified e-mail address.
    Email,
    /// Telephone number, where the member gave it.
    Phone,
    /// Address, where the member gave it.
    Address,
    /// Insurer, category and eligibility.
    Membership,
    /// 保険者番号・記号・番号・枝番, from userinfo alone.
    InsuredNumber,
    /// A refresh token.
    OfflineAccess,
    /// What an operator may do, for a program that uses the operators' API.
    Admin(Permission),
}

/// Whose a scope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Member,
    Client,
}

impl Scope {
    /// Every scope that a member allows, in the order that the consent page lists them. Those of the operators'
    /// API are not among them: no member and no discovery document has to do with them.
    pub const ALL: [Self; 10] = [
        Self::OpenId,
        Self::Profile,
        Self::BirthDate,
        Self::Gender,
        Self::Email,
        Self::Phone,
        Self::Address,
        Self::Membership,
        Self::InsuredNumber,
        Self::OfflineAccess,
    ];

    /// Their names, as metadata lists them (OIDC Discovery §3 lets a provider not list others).
    pub const NAMES: [&'static str; 10] = [
        Self::OpenId.as_str(),
        Self::Profile.as_str(),
        Self::BirthDate.as_str(),
        Self::Gender.as_str(),
        Self::Email.as_str(),
        Self::Phone.as_str(),
        Self::Address.as_str(),
        Self::Membership.as_str(),
        Self::InsuredNumber.as_str(),
        Self::OfflineAccess.as_str(),
    ];

    /// The names of those above and of the operators' API: what an operator at the machine can register.
    pub const NAMES_WITH_API: [&'static str; Self::NAMES.len() + Permission::ALL.len()] = {
        let mut names = [""; Self::NAMES.len() + Permission::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = if at < Self::NAMES.len() {
                Self::NAMES[at]
            } else {
                Permission::ALL[at - Self::NAMES.len()].scope()
            };
            at += 1;
        }
        names
    };

    /// Name in requests and metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::BirthDate => "birthdate",
            Self::Gender => "gender",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Address => "address",
            Self::Membership => "membership",
            Self::InsuredNumber => "insured_number",
            Self::OfflineAccess => "offline_access",
            Self::Admin(permission) => permission.scope(),
        }
    }

    /// Those that a member is asked to allow, in the order of the consent page.
    pub fn of_members() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|scope| scope.belongs_to() == Owner::Member)
    }

    /// Whose it is: a member's to allow, or a client's own. The latter are had by client credentials alone.
    const fn belongs_to(self) -> Owner {
        match self {
            Self::OpenId
            | Self::Profile
            | Self::BirthDate
            | Self::Gender
            | Self::Email
            | Self::Phone
            | Self::Address
            | Self::Membership
            | Self::InsuredNumber
            | Self::OfflineAccess => Owner::Member,
            Self::Admin(_) => Owner::Client,
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let admin = || Permission::ALL.into_iter().map(Self::Admin);
        Self::ALL.into_iter().chain(admin()).find(|scope| scope.as_str() == name)
    }
}

/// A set of scopes; written space-separated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// The known scopes of a `scope` parameter; unknown ones are left out (OIDC Core §3.1.2.1).
    pub fn parse(text: &str) -> Self {
        Self(text.split_ascii_whitespace().filter_map(Scope::parse).collect())
    }

    /// Those that the client registered for.
    #[must_use]
    pub fn allowed_to(&self, client: &Client) -> Self {
        Self(self.0.iter().copied().filter(|scope| client.metadata.allows(scope.as_str())).collect())
    }

    /// Those of an authorization request (OIDC Core §3.1.2.1), which a member is asked to allow.
    pub fn asked_of_member(text: &str) -> Result<Self, &'static str> {
        let asked = Self::parse(text).owned_by(Owner::Member);
        if asked.has(Scope::OpenId) { Ok(asked) } else { Err("scope must include openid") }
    }

    /// Those that a client can have without a member (RFC 6749 §4.4).
    #[must_use]
    pub fn of_clients(&self) -> Self {
        self.owned_by(Owner::Client)
    }

    fn owned_by(&self, owner: Owner) -> Self {
        Self(self.0.iter().copied().filter(|scope| scope.belongs_to() == owner).collect())
    }

    /// What they let a program do through the operators' API.
    pub fn permissions(&self) -> impl Iterator<Item = Permission> + '_ {
        self.iter().filter_map(|scope| match scope {
            Scope::Admin(permission) => Some(permission),
            _ => None,
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the scope is among them.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Takes a scope out.
    pub fn remove(&mut self, scope: Scope) {
        self.0.remove(&scope);
    }

    /// Whether all of these are among `others`.
    pub fn within(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// Both together.
    #[must_use]
    pub fn union(&self, others: &Self) -> Self {
        Self(self.0.union(&others.0).copied().collect())
    }

    /// In the order of the consent page.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|scope| scope.as_str()).collect();
        f.write_str(&names.join(" "))
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_scopes_are_left_out_and_repeated_ones_count_once() {
        let scopes = Scopes::parse("email openid nonsense  openid");
        assert_eq!(scopes.to_string(), "openid email");
        assert!(scopes.within(&Scopes::parse("openid email profile")));
        assert!(!Scopes::parse("openid profile").within(&scopes));
    }

    #[test]
    fn every_scope_reads_back_from_its_name() {
        for (scope, name) in Scope::ALL.into_iter().zip(Scope::NAMES) {
            assert_eq!(Scope::parse(name), Some(scope));
        }
        for name in Scope::NAMES_WITH_API {
            assert_eq!(Scope::parse(name).map(Scope::as_str), Some(name));
        }
    }

    #[test]
    fn no_member_is_asked_for_what_operators_may() {
        let asked = Scopes::asked_of_member("openid admin:members.read").unwrap();
        assert_eq!(asked.to_string(), "openid");
        let scopes = Scopes::parse("openid admin:operators.write admin:members.read");
        assert_eq!(scopes.of_clients().to_string(), "admin:members.read admin:operators.write");
        let permissions: Vec<_> = scopes.permissions().collect();
        assert_eq!(permissions, [Permission::SeeMembers, Permission::ManageOperators]);
    }
}
