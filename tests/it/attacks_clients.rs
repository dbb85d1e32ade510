//! Clients that are not what they say: registrations that ask for too much, URLs that lead inside, and
//! assertions that prove nothing.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use kenpos_idp::{
    clients::{AuthMethod, Metadata},
    crypto::Algorithm,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    app::{Backend, HOUR, TestApp, metadata, on_both_backends},
    assertions::{ClientKey, TYPE, with_assertion},
    attack::Answer,
    documents::{Document, Documents},
    http_browser::HttpBrowser,
};

on_both_backends! {
    an_assertion_proves_one_client_to_us_once
    registering_is_for_those_who_may_and_as_often_as_they_may
}

async fn open(documents: &Documents) -> TestApp {
    TestApp::start_with(Backend::Embedded, |config| {
        documents.allow(config);
        config.registration.open = true;
        config.registration.per_address_hour = 1_000;
        config.egress.timeout_seconds = 1;
    })
    .await
}

/// POST `/register` with a good redirect URI and these fields.
pub async fn register(app: &TestApp, fields: Value) -> Answer {
    let mut request = json!({ "redirect_uris": ["https://app.example.jp/callback"] });
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    app.json(Method::POST, &app.url("/register"), None, &request).await
}

#[tokio::test]
async fn metadata_that_breaks_a_rule_is_refused_by_its_name() {
    let documents = Documents::start().await;
    let app = open(&documents).await;
    let (uris, other) = ("invalid_redirect_uri", "invalid_client_metadata");
    let many: Vec<String> = (0..21).map(|n| format!("https://app.example.jp/{n}")).collect();
    for (fields, code, field) in [
        (json!({ "redirect_uris": [] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": null }), uris, "redirect_uris"),
        (json!({ "redirect_uris": "https://app.example.jp/" }), uris, "redirect_uris"),
        (json!({ "redirect_uris": [1] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": many }), uris, "redirect_uris"),
        (json!({ "redirect_uris": ["https://app.example.jp/#x"] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": ["http://app.example.jp/"] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": ["http://127.0.0.1/"] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": ["https://x.example;sandbox/"] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": ["https://x.example,frame-src/"] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": ["data:text/html,x"] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": [" https://app.example.jp/"] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": ["https://app.example.jp/\u{7}"] }), uris, "redirect_uris"),
        (json!({ "redirect_uris": ["https://a@app.example.jp/"] }), uris, "redirect_uris"),
        (json!({ "application_type": "native", "redirect_uris": ["javascript:x"] }), uris, "redirect_uris"),
        (json!({ "post_logout_redirect_uris": ["javascript:x"] }), uris, "post_logout_redirect_uris"),
        (json!({ "initiate_login_uri": "http://app.example.jp/" }), other, "initiate_login_uri"),
        (json!({ "initiate_login_uri": "http://127.0.0.1/" }), other, "initiate_login_uri"),
        (json!({ "initiate_login_uri": "https://app.example.jp/login#x" }), other, "initiate_login_uri"),
        (
            json!({ "frontchannel_logout_uri": "https://other.example.jp/out" }),
            other,
            "frontchannel_logout_uri",
        ),
        (
            json!({ "frontchannel_logout_uri": "https://app.example.jp/out#x" }),
            other,
            "frontchannel_logout_uri",
        ),
        (json!({ "logo_uri": "http://app.example.jp/logo" }), other, "logo_uri"),
        (json!({ "policy_uri": "javascript:alert(1)" }), other, "policy_uri"),
        (json!({ "policy_uri#en": "javascript:alert(1)" }), other, "policy_uri"),
        (json!({ "client_name": "\u{202e}xinU" }), other, "client_name"),
        (json!({ "client_name": "x".repeat(81) }), other, "client_name"),
        (json!({ "id_token_signed_response_alg": "none" }), other, "id_token_signed_response_alg"),
        (json!({ "userinfo_signed_response_alg": "none" }), other, "userinfo_signed_response_alg"),
        (json!({ "id_token_signed_response_alg": "HS256" }), other, "id_token_signed_response_alg"),
        (json!({ "token_endpoint_auth_method": "tls_client_auth" }), other, "token_endpoint_auth_method"),
        (json!({ "token_endpoint_auth_method": "private_key_jwt" }), other, "jwks"),
        (json!({ "jwks": { "keys": [{ "kty": "oct", "k": "AA" }] } }), other, "jwks"),
        (json!({ "subject_type": "public" }), other, "subject_type"),
        (json!({ "response_types": ["code token"] }), other, "response_types"),
        (json!({ "grant_types": ["password"] }), other, "grant_types"),
        (json!({ "default_max_age": -1 }), other, "default_max_age"),
        (json!({ "software_statement": "e30.e30." }), "unapproved_software_statement", "software"),
    ] {
        let refused = register(&app, fields.clone()).await;
        assert_eq!((refused.status, refused.error()), (StatusCode::BAD_REQUEST, code), "{fields}");
        assert!(refused.text("error_description").contains(field), "{fields}: {}", refused.json);
    }
    for body in ["", "[]", "{", "null", "\"x\""] {
        let kind = [("Content-Type", "application/json")];
        let page = HttpBrowser::new().raw(Method::POST, &app.url("/register"), &kind, body).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(app.number("select count(*) from client_registration").await, 0);
    app.finish().await;
}

#[tokio::test]
async fn what_only_operators_grant_cannot_be_had_by_asking() {
    let documents = Documents::start().await;
    let app = open(&documents).await;
    let asked = register(
        &app,
        json!({
            "scope": "openid birthdate membership insured_number email offline_access",
            "health_insurance_business": true, "pkce_optional": true, "sector": "app.other.example",
            "introspects": ["https://records.example.jp"], "access_token_lifetime": 1_000_000,
        }),
    )
    .await;
    assert_eq!((asked.status, asked.text("scope")), (StatusCode::CREATED, "email openid"));
    let stored = app.app().client(asked.text("client_id")).await.unwrap().unwrap().metadata.clone();
    assert!(!stored.health_insurance_business && !stored.pkce_optional && !stored.allows("insured_number"));
    assert!(
        stored.sector.is_none() && stored.introspects.is_empty() && stored.access_token_lifetime.is_none()
    );
    // Nor by changing it later.
    let change = json!({
        "client_id": asked.text("client_id"), "redirect_uris": ["https://app.example.jp/callback"],
        "scope": "openid insured_number", "health_insurance_business": true, "subject_type": "public",
    });
    let (here, token) = (asked.text("registration_client_uri"), asked.text("registration_access_token"));
    let refused = app.json(Method::PUT, here, Some(token), &change).await;
    assert_eq!(refused.error(), "invalid_client_metadata");
    for (name, value) in [
        ("client_id", json!("other")),
        ("client_secret", json!("guessed")),
        ("client_secret", json!(null)),
        ("registration_access_token", json!(token)),
        ("client_id_issued_at", json!(1)),
    ] {
        let mut change = json!({
            "client_id": asked.text("client_id"), "redirect_uris": ["https://app.example.jp/callback"],
        });
        change[name] = value;
        let refused = app.json(Method::PUT, here, Some(token), &change).await;
        assert_eq!((refused.status, refused.error()), (StatusCode::BAD_REQUEST, "invalid_request"), "{name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_provider_calls_nothing_that_only_it_can_reach() {
    let documents = Documents::start().await;
    // Its certificate is known, but its host is loopback and not allowed.
    let app = TestApp::start_with(Backend::Embedded, |config| {
        documents.trust(config);
        config.registration.open = true;
        config.registration.per_address_hour = 1_000;
        config.egress.timeout_seconds = 1;
    })
    .await;
    let list = json!(["https://app.example.jp/callback"]).to_string();
    let inside = documents.serve("/sector", "application/json", list);
    for target in [
        inside.as_str(),
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:7f00:1]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
    ] {
        let refused = register(&app, json!({ "sector_identifier_uri": target })).await;
        assert_eq!((refused.status, refused.error()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"));
        assert!(refused.text("error_description").contains("not public"), "{target}: {}", refused.json);
        if target != inside {
            for field in ["jwks_uri", "logo_uri", "backchannel_logout_uri"] {
                let refused = register(&app, json!({ field: target })).await;
                assert_eq!(refused.error(), "invalid_client_metadata", "{field} {target}");
            }
        }
    }
    // A name is looked up when it is used; then it is refused all the same.
    let key = ClientKey::new(Algorithm::Es256);
    let url = documents.serve("/jwks", "application/json", key.jwks().to_string());
    let logo = documents.serve("/logo", "image/png", b"\x89PNG\r\n\x1a\n".as_slice());
    let client = register(
        &app,
        json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": url, "logo_uri": logo,
        }),
    )
    .await;
    let id = client.text("client_id");
    assert_eq!(app.prove(&key.sign(&app.assertion_claims(id, "1"))).await.error(), "invalid_client");
    let page = app.http_browser().get(&app.url(&format!("/logo/{id}"))).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    for path in ["/sector", "/jwks", "/logo"] {
        assert_eq!(documents.asked(path), 0, "{path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn what_a_server_answers_is_taken_only_as_what_it_should_be() {
    let documents = Documents::start().await;
    let app = open(&documents).await;
    let good = json!(["https://app.example.jp/callback"]).to_string();
    documents.serve("/good", "application/json", good.clone());
    let answer = |status, headers: Vec<(&'static str, String)>, body: &str, delay| Document {
        status,
        headers,
        body: body.into(),
        delay: Duration::from_secs(delay),
    };
    let json_type = || vec![("Content-Type", "application/json".to_owned())];
    let onward = |target: String| vec![("Location", target), ("Content-Type", "application/json".to_owned())];
    let huge = format!("[\"{}\"]", "x".repeat(70_000));
    for (path, document) in [
        ("/moved", answer(302, onward(format!("{}/good", documents.origin)), &good, 0)),
        ("/inside", answer(302, onward("https://169.254.169.254/".to_owned()), &good, 0)),
        ("/error", answer(500, json_type(), &good, 0)),
        ("/html", answer(200, vec![("Content-Type", "text/html".to_owned())], &good, 0)),
        ("/huge", answer(200, json_type(), &huge, 0)),
        ("/slow", answer(200, json_type(), &good, 3)),
        ("/object", answer(200, json_type(), "{}", 0)),
        ("/missing", answer(200, json_type(), "[\"https://app.example.jp/other\"]", 0)),
    ] {
        let url = documents.put(path, document);
        let refused = register(&app, json!({ "sector_identifier_uri": url })).await;
        assert_eq!(refused.error(), "invalid_client_metadata", "{path}: {}", refused.json);
    }
    assert_eq!(documents.asked("/good"), 0, "a redirect was followed");
    let fine = format!("{}/good", documents.origin);
    assert_eq!(register(&app, json!({ "sector_identifier_uri": fine })).await.status, StatusCode::CREATED);

    // What is no image never leaves from our origin as one.
    for (path, kind, body) in [
        ("/page.png", "image/png", "<script>alert(1)</script>"),
        ("/logo.svg", "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("/logo.html", "text/html", "<p>"),
    ] {
        let url = documents.serve(path, kind, body);
        let client = register(&app, json!({ "logo_uri": url })).await;
        let logo = app.http_browser().get(&app.url(&format!("/logo/{}", client.text("client_id")))).await;
        assert_eq!(logo.status, StatusCode::NOT_FOUND, "{path}");
    }
    app.finish().await;
}

async fn registering_is_for_those_who_may_and_as_often_as_they_may(backend: Backend) {
    let app = TestApp::start_with(backend, |config| config.registration.per_address_hour = 30).await;
    let request = json!({ "redirect_uris": ["https://app.example.jp/callback"] });
    let url = app.url("/register");
    let closed = app.json(Method::POST, &url, None, &request).await;
    assert_eq!(closed.status, StatusCode::UNAUTHORIZED);
    assert!(closed.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    let stranger = app.json(Method::POST, &url, Some("guessed"), &request).await;
    assert_eq!((stranger.status, stranger.error()), (StatusCode::UNAUTHORIZED, "invalid_token"));
    // Of many at once as many get in as the token says; a mistake costs no use.
    let token = app.initial_access_token(3).await;
    let wrong = app.json(Method::POST, &url, Some(&token), &json!({})).await;
    assert_eq!(wrong.error(), "invalid_redirect_uri");
    let tries = (0..10).map(|_| app.json(Method::POST, &url, Some(&token), &request));
    let answers = futures_util::future::join_all(tries).await;
    let created: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).collect();
    assert_eq!(created.len(), 3);
    assert!(answers.iter().all(|answer| [201, 401].contains(&answer.status.as_u16())));
    let late = app.initial_access_token(1).await;
    app.clock.advance(HOUR);
    assert_eq!(app.json(Method::POST, &url, Some(&late), &request).await.error(), "invalid_token");

    // One client's token is nothing to another, and nothing is told of who is there.
    let (one, two) = (&created[0], &created[1]);
    let theirs = two.text("registration_access_token");
    for here in [one.text("registration_client_uri"), &app.url(&format!("/register/{}", app.client.id))] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let refused = app.json(method, here, Some(theirs), &request).await;
            assert_eq!((refused.status, refused.error()), (StatusCode::UNAUTHORIZED, "invalid_token"));
        }
    }
    let nobody = app.json(Method::GET, &app.url("/register/nobody"), Some(theirs), &request).await;
    assert_eq!((nobody.status, nobody.error()), (StatusCode::UNAUTHORIZED, "invalid_token"));
    // The tries of an address end.
    let mut last = app.json(Method::POST, &url, None, &request).await;
    for _ in 0..30 {
        last = app.json(Method::POST, &url, None, &request).await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(last.headers["retry-after"], "3600");
    app.finish().await;
}

async fn an_assertion_proves_one_client_to_us_once(backend: Backend) {
    let app = TestApp::start(backend).await;
    let (key, stranger) = (ClientKey::new(Algorithm::Es256), ClientKey::new(Algorithm::Es256));
    let with_key = Metadata {
        token_endpoint_auth_method: AuthMethod::PrivateKeyJwt,
        jwks: Some(key.jwks()),
        ..metadata("https://app.example.jp")
    };
    let client = app.register(with_key.clone()).await;
    let claims = |jti: &str| app.assertion_claims(&client.id, jti);
    // Many at once: one is the first.
    let proof = key.sign(&claims("1"));
    let answers = futures_util::future::join_all((0..8).map(|_| app.prove(&proof))).await;
    let accepted = answers.iter().filter(|answer| answer.error() == "invalid_grant").count();
    assert_eq!(accepted, 1);
    assert!(answers.iter().all(|answer| ["invalid_grant", "invalid_client"].contains(&answer.error())));

    let altered = |name: &str, value: Value| {
        let mut claims = claims(name);
        claims[name] = value;
        key.sign(&claims)
    };
    let now = app.clock.now().seconds();
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let [_, payload, signature]: [&str; 3] = proof.split('.').collect::<Vec<_>>().try_into().unwrap();
    let public = key.jwks()["keys"][0].clone();
    let hs256 = {
        let payload = josekit::jwt::JwtPayload::from_map(claims("hs").as_object().unwrap().clone()).unwrap();
        let signer = josekit::jws::HS256.signer_from_bytes(public.to_string().as_bytes()).unwrap();
        josekit::jwt::encode_with_signer(&payload, &josekit::jws::JwsHeader::new(), &signer).unwrap()
    };
    let embedded = {
        let own = stranger.jwks()["keys"][0].clone();
        let signed = stranger.sign(&claims("jwk"));
        let [_, payload, signature]: [&str; 3] = signed.split('.').collect::<Vec<_>>().try_into().unwrap();
        format!("{}.{payload}.{signature}", part(json!({ "alg": "ES256", "jwk": own })))
    };
    for (what, bad) in [
        ("another issuer's", altered("iss", json!("other"))),
        ("for somebody else", altered("aud", json!("https://other.example/token"))),
        ("for userinfo", altered("aud", json!(app.url("/userinfo")))),
        ("expired", altered("exp", json!(now - 300))),
        ("good for a day", altered("exp", json!(now + 86_400))),
        ("from the future", altered("iat", json!(now + 120))),
        ("without jti", altered("jti", json!(null))),
        ("a stranger's", stranger.sign(&claims("2"))),
        ("an access token", key.sign_as(Some("at+jwt"), &claims("typ"))),
        ("a logout token", key.sign_as(Some("logout+jwt"), &claims("typ"))),
        ("unsigned", format!("{}.{payload}.", part(json!({ "alg": "none" })))),
        ("with another header", format!("{}.{payload}.{signature}", part(json!({ "alg": "RS256" })))),
        ("with the public key as a secret", hs256),
        ("with its own key", embedded),
        ("cut", proof[..proof.len() - 4].to_owned()),
        ("nothing", "..".to_owned()),
    ] {
        let refused = app.prove(&bad).await;
        assert_eq!((refused.status, refused.error()), (StatusCode::UNAUTHORIZED, "invalid_client"), "{what}");
    }
    for typ in ["JWT", "client-authentication+jwt"] {
        let typed = key.sign_as(Some(typ), &claims(typ));
        assert_eq!(app.prove(&typed).await.error(), "invalid_grant", "{typ}");
    }
    // Exactly one method, and exactly the registered one.
    let good = key.sign(&claims("3"));
    for more in [("client_secret", "x"), ("client_id", "other")] {
        let mut fields = with_assertion(&good);
        fields.push(more);
        assert_eq!(app.token_with(&[], &fields).await.error(), "invalid_request", "{more:?}");
    }
    let basic = [("Authorization", "Basic eDp5")];
    assert_eq!(app.token_with(&basic, &with_assertion(&good)).await.error(), "invalid_request");
    let untyped: Vec<_> = with_assertion(&good).into_iter().filter(|(_, value)| *value != TYPE).collect();
    assert_eq!(app.token_with(&[], &untyped).await.error(), "invalid_request");
    let bare = [("grant_type", "refresh_token"), ("client_id", client.id.as_str())];
    assert_eq!(app.token_with(&[], &bare).await.error(), "invalid_client");
    let by_secret = app.register(metadata("https://app.example.jp")).await;
    let for_other = key.sign(&app.assertion_claims(&by_secret.id, "4"));
    assert_eq!(app.prove(&for_other).await.error(), "invalid_client");
    // A registered algorithm is the only one, although the key could do another.
    let bound = Metadata {
        token_endpoint_auth_signing_alg: serde_json::from_value(json!("PS256")).unwrap(),
        jwks: Some(json!({ "keys": [without_alg(&ClientKey::new(Algorithm::Rs256).jwks())] })),
        ..with_key
    };
    let bound = app.register(bound).await;
    assert_eq!(app.prove(&key.sign(&app.assertion_claims(&bound.id, "5"))).await.error(), "invalid_client");
    assert_eq!(app.prove(&good).await.error(), "invalid_grant", "none of this spent a good assertion");
    app.finish().await;
}

fn without_alg(jwks: &Value) -> Value {
    let mut key = jwks["keys"][0].clone();
    key.as_object_mut().unwrap().remove("alg");
    key
}
