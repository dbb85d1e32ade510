//! Each rule with what keeps it and what breaks it.

use serde_json::json;

use super::*;
use crate::{
    clients::{Metadata, ResponseTypes},
    clock::Timestamp,
    crypto::{Algorithm, KeyState, SigningKey},
    texts::Locale,
};

const GOOD: &str = "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb\
    &scope=openid+email+offline_access&state=s&nonce=n\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

fn client() -> Client {
    let metadata = Metadata {
        client_name: "App".to_owned(),
        redirect_uris: vec!["https://app.example.com/cb".to_owned()],
        scope: "openid email".to_owned(),
        ..Metadata::default()
    };
    Client::new("app".to_owned(), metadata, Timestamp::from_millis(0))
}

fn provider() -> Provider {
    Provider {
        keyring: Arc::default(),
        issuer: "https://id.example.jp".to_owned(),
        front_channel_tokens: false,
    }
}

fn checked_by(
    provider: &Provider,
    client: &Client,
    query: &str,
) -> Result<AuthorizationRequest, AuthorizationError> {
    let params = Params::parse(query.as_bytes());
    let callback = callback(&params, client).expect("the callback is fine");
    check(provider, &params, client, callback)
}

fn checked(query: &str) -> Result<AuthorizationRequest, AuthorizationError> {
    checked_by(&provider(), &client(), query)
}

fn with_claims(claims: &serde_json::Value) -> Result<AuthorizationRequest, AuthorizationError> {
    let claims: String = url::form_urlencoded::byte_serialize(claims.to_string().as_bytes()).collect();
    checked(&format!("{GOOD}&claims={claims}"))
}

#[test]
fn a_good_request_keeps_what_the_client_may_have() {
    let request = checked(GOOD).unwrap();
    assert_eq!(request.scope.to_string(), "openid email");
    assert_eq!(request.callback.state(), Some("s"));
    assert_eq!(request.callback.mode(), ResponseMode::Query);
    assert_eq!(checked(&format!("{GOOD}&extra=foobar&ui_locales=se+en")).unwrap().locale, Some(Locale::En));
}

#[test]
fn each_broken_rule_has_its_error() {
    let replaced = |from: &str, to: &str| checked(&GOOD.replace(from, to)).unwrap_err().code;
    assert_eq!(replaced("response_type=code", "response_type=token"), "unsupported_response_type");
    assert_eq!(replaced("response_type=code", "response_type=id_token"), "unsupported_response_type");
    assert_eq!(replaced("response_type=code&", ""), "invalid_request");
    assert_eq!(replaced("openid+", ""), "invalid_scope");
    assert_eq!(replaced("S256", "plain"), "invalid_request");
    assert_eq!(replaced("&code_challenge_method=S256", ""), "invalid_request");
    assert_eq!(replaced("cM&", "&"), "invalid_request");
    let added = |more: &str| checked(&format!("{GOOD}&{more}")).unwrap_err().code;
    assert_eq!(added("prompt=none+login"), "invalid_request");
    assert_eq!(added("prompt=nonsense"), "invalid_request");
    assert_eq!(added("max_age=-1"), "invalid_request");
    assert_eq!(added("nonce=again"), "invalid_request");
    assert_eq!(added("response_mode=web_message"), "invalid_request");
    assert_eq!(added("registration=%7B%7D"), "registration_not_supported");
    assert_eq!(added("claims=%5B%5D"), "invalid_request");
    assert_eq!(added("id_token_hint=a.b.c"), "invalid_request");
}

#[test]
fn what_only_suggests_is_never_an_error() {
    for more in [
        "display=page",
        "display=popup",
        "display=touch",
        "display=wap",
        "display=hologram",
        "ui_locales=se",
        "claims_locales=se",
        "acr_values=1+2",
        "acr_values=aal1",
        "login_hint=buffy%40host",
        "prompt=login+consent+select_account",
        "extra=foobar",
    ] {
        assert!(checked(&format!("{GOOD}&{more}")).is_ok(), "{more}");
    }
}

#[test]
fn no_callback_without_the_exact_redirect_uri_in_any_response_mode() {
    for query in [
        "client_id=app",
        "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb%2Fmore",
        "redirect_uri=https%3A%2F%2Fapp.example.com.evil%2Fcb&response_mode=form_post",
        "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&redirect_uri=https%3A%2F%2Fevil",
        "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb%23x&response_mode=query",
        "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb%23x&response_mode=fragment",
    ] {
        assert!(callback(&Params::parse(query.as_bytes()), &client()).is_err(), "{query}");
    }
}

#[test]
fn pkce_may_be_left_out_only_by_a_client_flagged_so() {
    let query = GOOD.split("&code_challenge=").next().unwrap();
    assert_eq!(checked(query).unwrap_err().code, "invalid_request");
    let mut client = client();
    client.metadata.pkce_optional = true;
    assert!(checked_by(&provider(), &client, query).is_ok());
}

#[test]
fn tokens_from_here_need_the_setting_the_registration_and_a_nonce() {
    let on = Provider { front_channel_tokens: true, ..provider() };
    let query = |text: &str| GOOD.replace("response_type=code", &format!("response_type={text}"));
    for name in ResponseType::NAMES.into_iter().filter(|name| *name != "code") {
        let query = query(&name.replace(' ', "+"));
        assert_eq!(checked(&query).unwrap_err().code, "unsupported_response_type", "{name}");
        assert_eq!(checked_by(&on, &client(), &query).unwrap_err().code, "unauthorized_client", "{name}");
        let mut legacy = client();
        legacy.metadata.response_types = ResponseTypes(vec![name.to_owned()]);
        let request = checked_by(&on, &legacy, &query).unwrap();
        assert_eq!(request.response_type.name(), name);
        assert_eq!(request.callback.mode(), ResponseMode::Fragment);
        let nameless = checked_by(&on, &legacy, &query.replace("&nonce=n", ""));
        assert_eq!(nameless.is_err(), name.contains("id_token"), "{name}");
        let in_query = checked_by(&on, &legacy, &format!("{query}&response_mode=query"));
        assert_eq!(in_query.unwrap_err().code, "invalid_request", "{name}");
        assert!(checked_by(&on, &legacy, &format!("{query}&response_mode=form_post")).is_ok());
        assert_eq!(
            checked_by(&on, &legacy, GOOD).unwrap_err().code,
            "unauthorized_client",
            "code is not {name}"
        );
        let bare = query.split("&code_challenge=").next().unwrap();
        assert_eq!(
            checked_by(&on, &legacy, bare).is_ok(),
            !name.contains("code"),
            "PKCE is for codes: {name}"
        );
    }
}

#[test]
fn a_registered_max_age_holds_where_the_request_does_not_say() {
    let mut client = client();
    client.metadata.default_max_age = Some(300);
    assert_eq!(checked_by(&provider(), &client, GOOD).unwrap().max_age, Some(300));
    assert_eq!(checked_by(&provider(), &client, &format!("{GOOD}&max_age=9")).unwrap().max_age, Some(9));
}

#[test]
fn errors_travel_as_the_answer_would() {
    let mode = |query: &str| callback(&Params::parse(query.as_bytes()), &client()).unwrap().mode();
    let uri = "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
    assert_eq!(mode(uri), ResponseMode::Query);
    assert_eq!(mode(&format!("{uri}&response_type=token")), ResponseMode::Fragment);
    assert_eq!(mode(&format!("{uri}&response_type=id_token+nonsense")), ResponseMode::Fragment);
    assert_eq!(mode(&format!("{uri}&response_type=id_token&response_mode=query")), ResponseMode::Fragment);
    assert_eq!(
        mode(&format!("{uri}&response_type=id_token&response_mode=form_post")),
        ResponseMode::FormPost
    );
    assert_eq!(mode(&format!("{uri}&response_type=code&response_mode=fragment")), ResponseMode::Fragment);
    assert_eq!(mode(&format!("{uri}&response_type=code&response_mode=odd")), ResponseMode::Query);
}

#[test]
fn an_essential_acr_that_is_never_reached_is_an_error_and_a_wish_is_not() {
    let acr = |said: serde_json::Value| with_claims(&json!({ "id_token": { "acr": said } }));
    assert!(acr(json!({ "essential": true, "values": ["aal9", "aal1"] })).is_ok());
    assert!(acr(json!({ "essential": true })).is_ok());
    assert!(acr(json!({ "values": ["aal9"] })).is_ok());
    assert_eq!(
        acr(json!({ "essential": true, "value": "aal9" })).unwrap_err().code,
        "unmet_authentication_requirements"
    );
}

#[test]
fn a_hint_is_an_id_token_of_ours_whether_its_key_is_active_or_retired() {
    let key = |()| Arc::new(SigningKey::generate(Algorithm::Es256).unwrap());
    let [active, retired, foreign] = [(); 3].map(key);
    let signed = |key: &Arc<SigningKey>, iss: &str, typ: Option<&str>| {
        let ring = Keyring::new(vec![(Arc::clone(key), KeyState::Active)]);
        // Expired long ago.
        ring.sign(Algorithm::Es256, typ, &json!({ "iss": iss, "sub": "hanako", "aud": "app", "exp": 1 }))
            .unwrap()
    };
    let ring = Keyring::new(vec![
        (Arc::clone(&active), KeyState::Active),
        (Arc::clone(&retired), KeyState::Retired),
    ]);
    let provider = Provider { keyring: Arc::new(ring), ..provider() };
    let asked = |hint: &str| checked_by(&provider, &client(), &format!("{GOOD}&id_token_hint={hint}"));
    let ours = "https://id.example.jp";
    for key in [&active, &retired] {
        assert_eq!(asked(&signed(key, ours, None)).unwrap().subjects, Some(vec!["hanako".to_owned()]));
    }
    for hint in [
        signed(&foreign, ours, None),
        signed(&active, "https://evil.example", None),
        signed(&active, ours, Some("at+jwt")),
        signed(&active, ours, None) + "x",
    ] {
        assert_eq!(asked(&hint).unwrap_err().code, "invalid_request");
    }
    // Two conditions that nobody meets both of.
    let other = "%7B%22id_token%22%3A%7B%22sub%22%3A%7B%22value%22%3A%22jiro%22%7D%7D%7D";
    let both = format!("{GOOD}&id_token_hint={}&claims={other}", signed(&active, ours, None));
    assert_eq!(checked_by(&provider, &client(), &both).unwrap().subjects, Some(Vec::new()));
}

#[test]
fn descriptions_have_only_the_characters_of_the_standard() {
    let error = AuthorizationError::new("x", "a\r\nb\tc\"d\\e漢f g");
    assert_eq!(error.description, "abcdef g");
}
