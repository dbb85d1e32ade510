//! Claims about a member, scope by scope (OIDC Core §5.4) and one by one (§5.5).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    claims_request::Wanted,
    grant::{Grant, Holder},
    scope::{Scope, Scopes},
};
use crate::{
    clients::Client,
    config::Insurer,
    members::{Members, birth_date::today},
    storage::profile::Profile,
};

/// Every claim that this provider can give, as metadata lists them, with the scope that has it (OIDC Core §5.4);
/// none for those of the protocol.
const CLAIMS: &[(&str, Option<Scope>)] = &[
    ("sub", None),
    ("iss", None),
    ("aud", None),
    ("exp", None),
    ("iat", None),
    ("auth_time", None),
    ("nonce", None),
    ("acr", None),
    ("amr", None),
    ("at_hash", None),
    ("sid", None),
    ("azp", None),
    ("name", Some(Scope::Profile)),
    ("family_name", Some(Scope::Profile)),
    ("given_name", Some(Scope::Profile)),
    ("name#ja-Kana-JP", Some(Scope::Profile)),
    ("family_name#ja-Kana-JP", Some(Scope::Profile)),
    ("given_name#ja-Kana-JP", Some(Scope::Profile)),
    ("nickname", Some(Scope::Profile)),
    ("locale", Some(Scope::Profile)),
    ("zoneinfo", Some(Scope::Profile)),
    ("updated_at", Some(Scope::Profile)),
    ("birthdate", Some(Scope::BirthDate)),
    ("gender", Some(Scope::Gender)),
    ("email", Some(Scope::Email)),
    ("email_verified", Some(Scope::Email)),
    ("phone_number", Some(Scope::Phone)),
    ("phone_number_verified", Some(Scope::Phone)),
    ("address", Some(Scope::Address)),
    ("insurer_code", Some(Scope::Membership)),
    ("insurer_name", Some(Scope::Membership)),
    ("member_category", Some(Scope::Membership)),
    ("eligibility_status", Some(Scope::Membership)),
    ("eligible_from", Some(Scope::Membership)),
    ("eligible_until", Some(Scope::Membership)),
    ("identity_assurance", Some(Scope::Membership)),
    ("insurer_number", Some(Scope::InsuredNumber)),
    ("symbol", Some(Scope::InsuredNumber)),
    ("number", Some(Scope::InsuredNumber)),
    ("branch", Some(Scope::InsuredNumber)),
];

/// Every claim that this provider can give.
pub fn supported() -> impl Iterator<Item = &'static str> {
    CLAIMS.iter().map(|(name, _)| *name)
}

/// The claims about the member, which can be asked for one by one, in the order of the scopes that have them.
pub fn about_members() -> impl Iterator<Item = &'static str> {
    CLAIMS.iter().filter(|(_, scope)| scope.is_some()).map(|(name, _)| *name)
}

/// The scope that a claim about the member belongs to; none for those of the protocol.
pub fn scope_of(claim: &str) -> Option<Scope> {
    CLAIMS.iter().find(|(name, _)| *name == claim)?.1
}

/// The name by which this provider knows a claim that is asked for. Language tags are compared without case
/// (OIDC Core §5.2), and a tag also finds a longer one that it begins (RFC 4647 §3.3.1).
pub fn canonical(asked: &str) -> Option<&'static str> {
    let Some((base, tag)) = asked.split_once('#') else {
        return supported().find(|name| *name == asked);
    };
    supported().find(|name| {
        name.split_once('#').is_some_and(|(known_base, known_tag)| {
            let begins = known_tag.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
            let whole = matches!(known_tag.as_bytes().get(tag.len()), None | Some(b'-'));
            known_base == base && !tag.is_empty() && begins && whole
        })
    })
}

/// Whether the client may have the claims of a scope. 健康保険法 §194-2: the numbers are only for a health
/// insurance business, looked at whenever they are given because the flag can be taken away after the consent.
pub fn may_have(client: &Client, scope: Scope) -> bool {
    client.metadata.allows(scope.as_str())
        && (scope != Scope::InsuredNumber || client.metadata.health_insurance_business)
}

/// The claims that userinfo gives: those of `scopes`, which an access token may have fewer of than its grant,
/// and those that the `claims` parameter asked for.
pub fn userinfo(
    members: &Members,
    client: &Client,
    grant: &Grant,
    scopes: &Scopes,
    holder: &Holder,
) -> Map<String, Value> {
    let mut claims = about(members, holder, open_to(client), scopes, &grant.claims.userinfo);
    claims.insert("sub".to_owned(), json!(grant.sub));
    claims
}

/// The claims about the member that the ID token has: those that the `claims` parameter asked for there. Where
/// no access token is issued, those of the scopes are there too (OIDC Core §5.4), as `scopes` say; else they
/// are empty. 記号・番号 and their like never are.
pub fn id_token(
    members: &Members,
    client: &Client,
    grant: &Grant,
    scopes: &Scopes,
    holder: &Holder,
) -> Map<String, Value> {
    let open = open_to(client).filter(|scope| *scope != Scope::InsuredNumber);
    about(members, holder, open, scopes, &grant.claims.id_token)
}

/// The scopes whose claims the client may have.
fn open_to(client: &Client) -> impl Iterator<Item = Scope> {
    Scope::ALL.into_iter().filter(|scope| may_have(client, *scope))
}

/// What is known about the member, among the claims of these scopes: all that `scopes` have, and those that are
/// `asked` for.
fn about(
    members: &Members,
    holder: &Holder,
    among: impl Iterator<Item = Scope>,
    scopes: &Scopes,
    asked: &BTreeMap<String, Wanted>,
) -> Map<String, Value> {
    let mut all = Map::new();
    let insurer = members.insurer(&holder.member.insurer);
    for scope in among {
        let whole = scopes.has(scope);
        if !whole && asked.is_empty() {
            continue;
        }
        let mut claims = Map::new();
        match scope {
            Scope::Profile => profile(&mut claims, holder),
            Scope::BirthDate => put(&mut claims, "birthdate", json!(holder.person.birth_date.iso())),
            Scope::Gender => put(&mut claims, "gender", json!(holder.profile.gender)),
            Scope::Email => email(&mut claims, holder),
            Scope::Phone => phone(&mut claims, holder),
            Scope::Address => put(&mut claims, "address", address(&holder.profile)),
            Scope::Membership => membership(&mut claims, members, insurer, holder),
            Scope::InsuredNumber => insured_number(&mut claims, insurer, holder),
            Scope::OpenId | Scope::OfflineAccess | Scope::Admin(_) => {}
        }
        all.extend(claims.into_iter().filter(|(name, _)| whole || asked.contains_key(name)));
    }
    all
}

fn put(claims: &mut Map<String, Value>, name: &str, value: Value) {
    if !value.is_null() {
        claims.insert(name.to_owned(), value);
    }
}

/// Names as the member typed them. The roster knows them in katakana alone, so the plain claims hold
/// that too. `preferred_username` is left out: an insured member's login ID is the 記号・番号.
fn profile(claims: &mut Map<String, Value>, holder: &Holder) {
    if let Some(kana) = &holder.member.kana {
        let mut parts = kana.splitn(2, [' ', '\u{3000}']);
        let (family, given) = (parts.next(), parts.next().map(str::trim));
        for suffix in ["", "#ja-Kana-JP"] {
            put(claims, &format!("name{suffix}"), json!(kana));
            put(claims, &format!("family_name{suffix}"), json!(family));
            put(claims, &format!("given_name{suffix}"), json!(given));
        }
    }
    put(claims, "nickname", json!(holder.profile.nickname));
    put(claims, "locale", json!(holder.member.locale.tag()));
    put(claims, "zoneinfo", json!("Asia/Tokyo"));
    put(claims, "updated_at", json!(holder.member.updated_at.seconds()));
}

fn email(claims: &mut Map<String, Value>, holder: &Holder) {
    if let Some(email) = &holder.member.email {
        put(claims, "email", json!(email));
        put(claims, "email_verified", json!(holder.member.email_verified_at.is_some()));
    }
}

/// As the member gave it; nobody called there.
fn phone(claims: &mut Map<String, Value>, holder: &Holder) {
    if let Some(phone) = &holder.profile.phone {
        put(claims, "phone_number", json!(phone));
        put(claims, "phone_number_verified", json!(false));
    }
}

/// The address claim (OIDC Core §5.1.1); null if the member gave none.
fn address(profile: &Profile) -> Value {
    let parts = [
        ("postal_code", &profile.postal_code),
        ("region", &profile.region),
        ("locality", &profile.locality),
        ("street_address", &profile.street_address),
    ];
    let mut address = Map::new();
    for (name, part) in parts {
        put(&mut address, name, json!(part));
    }
    if address.is_empty() {
        return Value::Null;
    }
    // As Japanese addresses are written: from the large to the small, the postal code above.
    let line: String = parts[1..].iter().filter_map(|(_, part)| part.as_deref()).collect();
    let code = profile.postal_code.as_ref().map(|code| format!("〒{code}"));
    let lines: Vec<_> = code.into_iter().chain(Some(line).filter(|line| !line.is_empty())).collect();
    address.insert("formatted".to_owned(), json!(lines.join("\n")));
    address.insert("country".to_owned(), json!("JP"));
    address.into()
}

fn membership(
    claims: &mut Map<String, Value>,
    members: &Members,
    insurer: Option<&Insurer>,
    holder: &Holder,
) {
    let person = &holder.person;
    let current = person.eligible_on(today(&members.clock), 0);
    put(claims, "insurer_code", json!(holder.member.insurer));
    put(claims, "insurer_name", json!(insurer.map(|insurer| &insurer.name)));
    put(claims, "member_category", json!(person.category));
    put(claims, "eligibility_status", json!(if current { "eligible" } else { "grace" }));
    put(claims, "eligible_from", json!(person.valid_from.map(|date| date.to_string())));
    put(claims, "eligible_until", json!(person.valid_until.map(|date| date.to_string())));
    // 0: the birth date matched the roster. 1 needs a code handed over or a roster e-mail address.
    put(claims, "identity_assurance", json!(0));
}

fn insured_number(claims: &mut Map<String, Value>, insurer: Option<&Insurer>, holder: &Holder) {
    let person = &holder.person;
    put(claims, "insurer_number", json!(insurer.map(|insurer| &insurer.number)));
    put(claims, "symbol", json!(person.symbol));
    put(claims, "number", json!(person.number));
    put(claims, "branch", json!(person.branch));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_claim_is_there_twice_and_one_without_its_language_is_there_too() {
        for (index, name) in supported().enumerate() {
            assert!(!supported().skip(index + 1).any(|other| other == name), "{name}");
            let plain = name.split('#').next().unwrap();
            assert_eq!(scope_of(plain), scope_of(name), "{name}");
        }
    }
}
