//! Claims about a member, scope by scope (OIDC Core §5.4).

use serde_json::{Map, Value, json};

use super::{
    grant::Holder,
    scope::{Scope, Scopes},
};
use crate::{clients::Client, config::Insurer, members::Members, members::birth_date::today};

/// Every claim that this provider can give, as metadata lists them.
pub const SUPPORTED: &[&str] = &[
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "at_hash",
    "sid",
    "azp",
    "name",
    "family_name",
    "given_name",
    "name#ja-Kana-JP",
    "family_name#ja-Kana-JP",
    "given_name#ja-Kana-JP",
    "locale",
    "zoneinfo",
    "updated_at",
    "birthdate",
    "email",
    "email_verified",
    "insurer_code",
    "insurer_name",
    "member_category",
    "eligibility_status",
    "eligible_from",
    "eligible_until",
    "identity_assurance",
    "insurer_number",
    "symbol",
    "number",
    "branch",
];

/// The claims that userinfo gives for these scopes.
pub fn userinfo(
    members: &Members,
    client: &Client,
    sub: &str,
    scopes: &Scopes,
    holder: &Holder,
) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(sub));
    let insurer = members.insurer(&holder.member.insurer);
    for scope in scopes.iter() {
        match scope {
            Scope::Profile => profile(&mut claims, holder),
            Scope::BirthDate => put(&mut claims, "birthdate", json!(holder.person.birth_date.iso())),
            Scope::Email => email(&mut claims, holder),
            Scope::Membership => membership(&mut claims, members, insurer, holder),
            // 健康保険法 §194-2: only for a health insurance business, looked at again here because the
            // flag can be taken away after the consent.
            Scope::InsuredNumber if client.metadata.health_insurance_business => {
                insured_number(&mut claims, insurer, holder);
            }
            Scope::InsuredNumber | Scope::OpenId | Scope::OfflineAccess => {}
        }
    }
    claims
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
