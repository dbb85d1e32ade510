//! Tokens where they do not belong, and requests that prove themselves in the wrong way.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use josekit::{
    jwk::{
        Jwk,
        alg::ec::{EcCurve, EcKeyPair},
    },
    jws::{ES256, HS256, JwsHeader, serialize_compact},
};
use kenpos_idp::clients::AuthMethod;
use openssl::{bn::BigNum, rsa::Rsa};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{EVERYTHING, assert_refused};
use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::{VERIFIER, encoded},
    http_browser::{HttpBrowser, Page},
    journey::register,
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    every_token_has_one_use
}

async fn every_token_has_one_use(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let unused = app.code(&browser, &app.client, EVERYTHING).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let tokens = app.redeem(&app.client, &code).await;
    let session = browser.cookie(&app.url("/"), "kenpos-session").unwrap();
    // A registration under way, for its mailed token and its interaction.
    let another = app.http_browser();
    let login = another.get(&app.url("/login")).await.follow_here().await;
    let interaction = login.url.path_segments().unwrap().next_back().unwrap().to_owned();
    let csrf = login.form("#login-id-form").value("csrf").unwrap().to_owned();
    register(&login, &ICHIRO).await;
    let link = app.mailbox.next_link(ICHIRO.email).await;
    let mailed = link.path_segments().unwrap().next_back().unwrap().to_owned();

    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let id_token = tokens.text("id_token");
    let browser_cookie = browser.cookie(&app.url("/"), "kenpos-browser").unwrap();
    let all = [
        ("code", unused.as_str()),
        ("access token", access),
        ("refresh token", refresh),
        ("ID token", id_token),
        ("session cookie", &session),
        ("browser cookie", &browser_cookie),
        ("CSRF token", &csrf),
        ("mailed token", &mailed),
        ("interaction", &interaction),
        ("client secret", app.client.secret.as_deref().unwrap()),
        ("client_id", &app.client.id),
    ];
    for (what, token) in all {
        if what != "access token" {
            assert_eq!(app.userinfo(token).await.error(), "invalid_token", "{what} at userinfo");
        }
        if what != "refresh token" {
            let refreshed = app.refresh(&app.client, token).await;
            assert_refused(&refreshed, "invalid_grant", &format!("{what} as refresh token"));
        }
        if what != "code" {
            let redeemed = app.redeem(&app.client, token).await;
            assert_refused(&redeemed, "invalid_grant", &format!("{what} as code"));
        }
        if what != "mailed token" {
            let page = app.http_browser().get(&app.url(&format!("/registration/link/{token}"))).await;
            assert_eq!(page.status, StatusCode::GONE, "{what} as mailed token");
        }
        if what != "session cookie" {
            let cookie = format!("kenpos-session={token}; kenpos-browser={browser_cookie}");
            let page =
                HttpBrowser::new().raw(Method::GET, &app.url("/account"), &[("Cookie", &cookie)], "").await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{what} as session");
        }
        if what != "interaction" {
            let page = another.get(&app.url(&format!("/login/{token}"))).await;
            assert_eq!(page.status, StatusCode::GONE, "{what} as interaction");
        }
    }
    // Each is still good for what it is.
    assert_eq!(app.userinfo(access).await.status, StatusCode::OK);
    assert_eq!(app.refresh(&app.client, refresh).await.status, StatusCode::OK);
    assert_eq!(app.redeem(&app.client, &unused).await.status, StatusCode::OK);
    assert_eq!(another.get(link.as_str()).await.status, StatusCode::OK);
    app.finish().await;
}

#[tokio::test]
async fn an_id_token_hint_that_we_did_not_sign_signs_nobody_out() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid").await;
    let genuine = app.redeem(&app.client, &code).await.text("id_token").to_owned();
    let [header, payload, signature]: [&str; 3] = genuine.split('.').collect::<Vec<_>>().try_into().unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
    let kid = decoded(header)["kid"].as_str().unwrap().to_owned();
    let jwks: Value = serde_json::from_str(&browser.get(&app.url("/jwks")).await.body).unwrap();
    let public = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    let es256 = jwks["keys"].as_array().unwrap().iter().find(|key| key["alg"] == "ES256").unwrap();

    let mut another = decoded(payload);
    another["sub"] = json!("another");
    let bare = |header: Value| BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
    let mut forged = vec![
        format!("{}.{payload}.", bare(json!({"alg": "none"}))),
        format!("{}.{payload}.", bare(json!({"alg": "none", "kid": kid}))),
        format!("{}.{payload}.{signature}", bare(json!({"alg": "None", "kid": kid}))),
        format!("{}.{payload}.{signature}", bare(json!({"alg": "RS256"}))),
        format!("{}.{payload}.{signature}", bare(json!({"alg": "RS256", "kid": "unknown"}))),
        format!("{}.{payload}.{signature}", bare(json!({"alg": "RS256", "kid": es256["kid"]}))),
        format!("{}.{payload}.{signature}", bare(json!({"alg": "PS256", "kid": kid}))),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{}.{signature}", bare(another)),
        genuine[..genuine.len() - 4].to_owned(),
        format!("{genuine}.{signature}"),
        "a.b.c".to_owned(),
        "ey".repeat(2000),
    ];
    for secret in public_key_forms(public) {
        let mut header = JwsHeader::new();
        header.set_key_id(&kid);
        let signer = HS256.signer_from_bytes(secret).unwrap();
        forged.push(serialize_compact(&claims, &header, &signer).unwrap());
    }
    let own = EcKeyPair::generate(EcCurve::P256).unwrap();
    for (kid, embedded) in [(es256["kid"].as_str().unwrap(), true), ("own", true), (&kid, false)] {
        let mut header = JwsHeader::new();
        header.set_key_id(kid);
        if embedded {
            header.set_jwk(own.to_jwk_public_key());
        } else {
            header.set_jwk_set_url("https://evil.example/jwks");
        }
        let signer = ES256.signer_from_jwk(&own.to_jwk_private_key()).unwrap();
        forged.push(serialize_compact(&claims, &header, &signer).unwrap());
    }
    for hint in &forged {
        let query = [
            ("id_token_hint", hint.clone()),
            ("client_id", app.client.id.clone()),
            ("post_logout_redirect_uri", app.client.metadata.post_logout_redirect_uris[0].clone()),
        ];
        let page = browser.get(&app.url(&format!("/logout?{}", encoded(&query)))).await;
        assert_eq!(page.status, StatusCode::OK, "{hint}");
        assert!(page.headers.get("set-cookie").is_none(), "{hint}");
        let confirmed = page.select("#logout-form");
        assert_eq!(confirmed.len(), 1, "only asks: {hint}");
        assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::OK, "{hint}");
    }
    // Even confirmed, a forged hint leads nowhere else.
    let query = [
        ("id_token_hint", forged[0].clone()),
        ("post_logout_redirect_uri", app.client.metadata.post_logout_redirect_uris[0].clone()),
    ];
    let page = browser.get(&app.url(&format!("/logout?{}", encoded(&query)))).await;
    let out = page.form("#logout-form").submit().await;
    assert_eq!((out.status, out.location()), (StatusCode::OK, None), "{}", out.text());
    app.finish().await;
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The octets that a confused verifier could take for a shared secret.
fn public_key_forms(jwk: &Value) -> Vec<Vec<u8>> {
    let number = |name: &str| {
        let octets = BASE64_URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        BigNum::from_slice(&octets).unwrap()
    };
    let key = Rsa::from_public_components(number("n"), number("e")).unwrap();
    vec![
        key.public_key_to_pem().unwrap(),
        key.public_key_to_pem_pkcs1().unwrap(),
        key.public_key_to_der().unwrap(),
        Jwk::from_map(jwk.as_object().unwrap().clone()).unwrap().to_string().into_bytes(),
        jwk["n"].as_str().unwrap().as_bytes().to_vec(),
    ]
}

#[tokio::test]
async fn a_client_proves_itself_in_one_way_and_its_own() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let mut by_post = metadata("https://post.example.jp");
    by_post.token_endpoint_auth_method = AuthMethod::ClientSecretPost;
    let by_post = app.register(by_post).await;
    let mut public = metadata("https://public.example.jp");
    public.token_endpoint_auth_method = AuthMethod::None;
    let public = app.register(public).await;
    let code = app.code(&browser, &app.client, "openid").await;
    let (id, secret) = (app.client.id.clone(), app.client.secret.clone().unwrap());
    let uri = app.client.metadata.redirect_uris[0].clone();
    let basic =
        |id: &str, secret: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")));
    let right = basic(&id, &secret);
    let post_secret = by_post.secret.clone().unwrap();

    let both = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let in_body = [("client_id", by_post.id.as_str()), ("client_secret", post_secret.as_str())];
    let cases: Vec<(&str, Vec<String>, &[(&str, &str)], &str)> = vec![
        ("two methods", vec![right.clone()], &both, "invalid_request"),
        ("two headers", vec![right.clone(), right.clone()], &[], "invalid_request"),
        ("two clients", vec![right.clone()], &in_body[..1], "invalid_request"),
        ("a method that was not registered", vec![], &both, "invalid_client"),
        (
            "Basic where the body was registered",
            vec![basic(&by_post.id, &post_secret)],
            &[],
            "invalid_client",
        ),
        ("no secret", vec![], &both[..1], "invalid_client"),
        ("an empty secret", vec![basic(&id, "")], &[], "invalid_client"),
        ("a public client with a secret", vec![basic(&public.id, "x")], &[], "invalid_client"),
        ("an unknown client", vec![basic("unknown", &secret)], &[], "invalid_client"),
        ("another's secret", vec![basic(&id, &post_secret)], &[], "invalid_client"),
        ("a NUL", vec![basic("a%00b", &secret)], &[], "invalid_client"),
        ("nobody", vec![], &[], "invalid_client"),
    ];
    let malformed =
        ["Basic", "Basic ", "Basic !!!", "Basic YQ==", "Bearer abc", "Digest a=b", "basic", "\t", "é"];
    let malformed =
        malformed.map(|header| ("malformed", vec![header.to_owned()], [].as_slice(), "invalid_client"));
    for (what, authorizations, more, error) in cases.into_iter().chain(malformed) {
        let headers: Vec<_> = authorizations.iter().map(|value| ("Authorization", value.as_str())).collect();
        let mut fields = vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", &uri)];
        fields.push(("code_verifier", VERIFIER));
        fields.extend(more);
        let answer = app.token_with(&headers, &fields).await;
        assert_refused(&answer, error, &format!("{what} {authorizations:?}"));
        assert_eq!(answer.headers.contains_key("www-authenticate"), error == "invalid_client", "{what}");
    }
    assert_eq!(app.redeem(&app.client, &code).await.status, StatusCode::OK, "still good");
    app.finish().await;
}

#[tokio::test]
async fn an_access_token_comes_once_and_never_in_the_url() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid email").await;
    let token = app.redeem(&app.client, &code).await.text("access_token").to_owned();
    let bearer = format!("Bearer {token}");
    let right = ("Authorization", bearer.as_str());
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let body = format!("access_token={token}");
    let twice = format!("access_token={token}&access_token={token}");
    let hidden = format!("x=1&x=2&access_token={token}&access_token={token}");
    let (get, post) = (Method::GET, Method::POST);
    let in_query = format!("?access_token={token}");
    let cases: Vec<(&str, Method, &str, Vec<(&str, &str)>, &str, u16)> = vec![
        ("in the query", get.clone(), &in_query, vec![], "", 400),
        ("in query and header", get.clone(), &in_query, vec![right], "", 400),
        ("in header and body", post.clone(), "", vec![right, form], &body, 400),
        ("twice in the body", post.clone(), "", vec![form], &twice, 400),
        ("twice in the body, after another", post.clone(), "", vec![form], &hidden, 400),
        ("two headers", get.clone(), "", vec![right, right], "", 400),
        ("another scheme", get.clone(), "", vec![("Authorization", "Basic YTpi")], "", 401),
        ("no token", get.clone(), "", vec![("Authorization", "Bearer")], "", 401),
        ("an empty token", get.clone(), "", vec![("Authorization", "Bearer  ")], "", 401),
        ("garbage", get.clone(), "", vec![("Authorization", "Bearer \"><script>")], "", 401),
        ("not ASCII", get.clone(), "", vec![("Authorization", "Bearer é")], "", 401),
        ("a body that is no form", post.clone(), "", vec![], &body, 401),
        ("nothing", get, "", vec![], "", 401),
        ("the header", post, "", vec![right], "", 200),
    ];
    for (what, method, query, headers, body, status) in cases {
        let url = app.url(&format!("/userinfo{query}"));
        let page: Page = HttpBrowser::new().raw(method, &url, &headers, body).await;
        assert_eq!(page.status.as_u16(), status, "{what}: {}", page.body);
        assert_eq!(page.headers.contains_key("www-authenticate"), status != 200, "{what}");
        assert!(status == 200 || !page.body.contains(HANAKO.email), "{what}");
        let challenge = page.headers.get("www-authenticate").map_or("", |value| value.to_str().unwrap());
        assert!(!challenge.contains('<'), "{what}: {challenge}");
    }
    app.finish().await;
}
