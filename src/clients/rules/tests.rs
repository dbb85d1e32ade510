use serde_json::json;

use super::*;
use crate::{
    clients::{GrantTypes, ResponseTypes},
    crypto::{ContentEncryption, KeyManagement, SigningKey},
    texts::Locale,
};

const SUPPORTED: Supported = Supported {
    scopes: &["openid", "profile", "insured_number", "offline_access"],
    signing: &[Algorithm::Rs256],
    response_types: &["code", "code id_token"],
    grant_types: &[
        GrantType::AuthorizationCode,
        GrantType::RefreshToken,
        GrantType::Implicit,
        GrantType::ClientCredentials,
    ],
};

fn metadata() -> Metadata {
    Metadata {
        client_name: "健康アプリ".to_owned(),
        redirect_uris: vec!["https://app.example.com/callback".to_owned()],
        scope: "openid profile".to_owned(),
        ..Metadata::default()
    }
}

fn set(field: &mut Option<String>, text: &str) {
    *field = Some(text.to_owned());
}

type Change = fn(&mut Metadata);

#[test]
fn each_rule_names_its_field() {
    assert_eq!(metadata().validate(&SUPPORTED), Ok(()));
    let cases: &[(&str, Change)] = &[
        ("client_name", |m| m.client_name = " ".to_owned()),
        ("client_name", |m| m.client_name = "x".repeat(81)),
        ("client_name", |m| m.client_name = "健康\u{202e}アプリ".to_owned()),
        ("client_name", |m| m.client_name = "健康\u{200b}アプリ".to_owned()),
        ("client_name", |m| _ = m.translations.insert("client_name#en".to_owned(), "\n".to_owned())),
        ("policy_uri", |m| _ = m.translations.insert("policy_uri#en".to_owned(), "javascript:1".to_owned())),
        ("metadata", |m| _ = m.translations.insert("nonsense".to_owned(), "x".to_owned())),
        ("metadata", |m| _ = m.translations.insert("scope#en".to_owned(), "x".to_owned())),
        ("metadata", |m| _ = m.translations.insert("client_name#<b>".to_owned(), "x".to_owned())),
        ("redirect_uris", |m| m.redirect_uris.clear()),
        ("redirect_uris", |m| m.redirect_uris.push("javascript:1".to_owned())),
        ("redirect_uris", |m| m.redirect_uris = vec!["https://app.example.com/".to_owned(); 51]),
        ("post_logout_redirect_uris", |m| m.post_logout_redirect_uris.push("data:,x".to_owned())),
        ("client_uri", |m| set(&mut m.client_uri, "http://evil.example")),
        ("logo_uri", |m| set(&mut m.logo_uri, "data:image/png,x")),
        ("policy_uri", |m| set(&mut m.policy_uri, "javascript:1")),
        ("tos_uri", |m| set(&mut m.tos_uri, "//x")),
        ("initiate_login_uri", |m| set(&mut m.initiate_login_uri, "http://app.example.com/login")),
        ("jwks_uri", |m| set(&mut m.jwks_uri, "http://localhost/jwks")),
        ("jwks_uri", |m| set(&mut m.jwks_uri, "https://app.example.com/jwks#x")),
        ("sector_identifier_uri", |m| set(&mut m.sector_identifier_uri, "http://app.example.com/")),
        ("backchannel_logout_uri", |m| set(&mut m.backchannel_logout_uri, "ftp://app.example.com/")),
        ("frontchannel_logout_uri", |m| set(&mut m.frontchannel_logout_uri, "javascript:1")),
        ("request_uris", |m| m.request_uris.push("http://app.example.com/request".to_owned())),
        ("contacts", |m| m.contacts.push("nobody".to_owned())),
        ("scope", |m| m.scope = "openid nonsense".to_owned()),
        ("scope", |m| m.scope = "profile".to_owned()),
        ("scope", |m| m.scope = "openid insured_number".to_owned()),
        ("id_token_signed_response_alg", |m| m.id_token_signed_response_alg = Some(Algorithm::Es256)),
        ("userinfo_signed_response_alg", |m| m.userinfo_signed_response_alg = Some(Algorithm::EdDsa)),
        ("id_token_encrypted_response_enc", |m| {
            m.id_token_encrypted_response_enc = Some(ContentEncryption::A256Gcm);
        }),
        ("jwks", |m| m.userinfo_encrypted_response_alg = Some(KeyManagement::EcdhEs)),
        ("jwks", |m| m.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt),
        ("jwks", |m| m.jwks = Some(json!({ "keys": [{ "kty": "oct", "k": "AA" }] }))),
        ("jwks", |m| m.jwks = Some(json!({ "keys": "x".repeat(40_000) }))),
        ("response_types", |m| m.response_types = ResponseTypes(vec!["token".to_owned()])),
        ("grant_types", |m| m.response_types = ResponseTypes(vec!["id_token code".to_owned()])),
        ("grant_types", |m| m.grant_types = GrantTypes(vec![GrantType::Ciba])),
        ("grant_types", |m| m.grant_types = GrantTypes(vec![GrantType::RefreshToken])),
        ("grant_types", |m| {
            m.token_endpoint_auth_method = AuthMethod::None;
            m.grant_types.0.push(GrantType::ClientCredentials);
        }),
        ("sector", |m| m.redirect_uris.push("https://other.example.com/".to_owned())),
        ("resources", |m| m.resources.push("records".to_owned())),
        ("access_token_lifetime", |m| m.access_token_lifetime = Some(1)),
        ("default_acr_values", |m| m.default_acr_values.push("a b".to_owned())),
        ("pkce_optional", |m| {
            m.pkce_optional = true;
            m.token_endpoint_auth_method = AuthMethod::None;
        }),
        ("introspects", |m| {
            m.introspects.push("https://records.example.com".to_owned());
            m.token_endpoint_auth_method = AuthMethod::None;
        }),
    ];
    for (index, (field, change)) in cases.iter().enumerate() {
        let mut metadata = metadata();
        change(&mut metadata);
        let refused = metadata.validate(&SUPPORTED).map_err(|error| error.field);
        assert_eq!(refused, Err(*field), "case {index}");
    }
}

#[test]
fn keys_stand_in_one_place_and_serve_what_needs_them() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let mut client = Metadata {
        token_endpoint_auth_method: AuthMethod::PrivateKeyJwt,
        jwks: Some(json!({ "keys": [key.public_jwk()] })),
        token_endpoint_auth_signing_alg: Some(AssertionAlgorithm::Key(Algorithm::Es256)),
        ..metadata()
    };
    assert_eq!(client.validate(&SUPPORTED), Ok(()));
    set(&mut client.jwks_uri, "https://app.example.com/jwks");
    assert_eq!(client.validate(&SUPPORTED).unwrap_err().field, "jwks");
    client.jwks_uri = None;
    client.token_endpoint_auth_signing_alg = serde_json::from_value(json!("HS256")).unwrap();
    assert_eq!(client.validate(&SUPPORTED).unwrap_err().field, "token_endpoint_auth_signing_alg");
    client.token_endpoint_auth_method = AuthMethod::ClientSecretJwt;
    assert_eq!(client.validate(&SUPPORTED), Ok(()));
}

#[test]
fn a_service_needs_neither_redirects_nor_openid() {
    let service = Metadata {
        client_name: "集計".to_owned(),
        grant_types: GrantTypes(vec![GrantType::ClientCredentials]),
        response_types: ResponseTypes(Vec::new()),
        ..Metadata::default()
    };
    assert_eq!(service.validate(&SUPPORTED), Ok(()));
    assert!(service.allows_grant(GrantType::ClientCredentials));
    assert!(!service.allows_grant(GrantType::AuthorizationCode) && !service.allows_response_type("code"));
}

#[test]
fn rows_of_before_are_still_readable_and_mean_the_code_flow() {
    let stored = json!({
        "client_name": "健康アプリ", "client_name#en": "Health app", "redirect_uris": [],
        "token_endpoint_auth_method": "client_secret_basic", "application_type": "web",
        "scope": "openid offline_access", "subject_type": "pairwise",
        "id_token_signed_response_alg": "ES256", "health_insurance_business": false, "pkce_optional": false,
    });
    let metadata: Metadata = serde_json::from_value(stored).unwrap();
    assert_eq!(metadata.shown(Shown::Name, Locale::En), Some("Health app"));
    assert_eq!(metadata.shown(Shown::Name, Locale::Ja), Some("健康アプリ"));
    assert_eq!(metadata.shown(Shown::Policy, Locale::Ja), None);
    assert!(metadata.allows_response_type("code") && metadata.allows_grant(GrantType::RefreshToken));
    let again: Metadata = serde_json::from_str(&serde_json::to_string(&metadata).unwrap()).unwrap();
    assert_eq!(again, metadata);
}

#[test]
fn the_translation_that_fits_best_is_shown() {
    let mut metadata = metadata();
    for (tag, name) in [("en-GB", "Colour"), ("en", "Color"), ("ja-Kana-JP", "ケンコウ")] {
        metadata.translations.insert(format!("client_name#{tag}"), name.to_owned());
    }
    assert_eq!(metadata.validate(&SUPPORTED), Ok(()));
    assert_eq!(metadata.shown(Shown::Name, Locale::En), Some("Color"));
}
