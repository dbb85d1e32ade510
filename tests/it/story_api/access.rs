//! Tokens of the API: how they are had, and what each of them opens.

use kenpos_idp::{
    admin::api::access::{Access, TABLE},
    clients::{Client, GrantType},
    oidc::registration::supported_with_api,
    operators::Permission,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    api::{all_scopes, program},
    app::{Backend, MINUTE, TestApp, metadata, on_both_backends},
    attack::Answer,
    members::HANAKO,
};

on_both_backends! {
    a_token_is_for_the_api_alone_and_ends
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn a_token_is_for_the_api_alone_and_ends(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid").await;
    let tokens = app.redeem(&app.client, &code).await;
    let program = app.program("admin:operators.read admin:audit.read", Some("7132")).await;
    let own = program.get("/self").await.done(200).json;
    assert_eq!(own["client_id"], json!(program.client.id));
    assert_eq!(own["scopes"], json!(["admin:audit.read", "admin:operators.read"]));
    assert_eq!(
        (&own["insurer"], &own["token_expires_at"]),
        (&json!("7132"), &json!("2026-11-23T01:25:00.000Z"))
    );
    let api = app.url("/admin/api/v1");
    let about = app.call("/introspect", &program.client, &[], &[("token", program.token.as_str())]).await;
    let about = Answer::of(about);
    assert_eq!(
        (about.text("aud"), about.text("scope")),
        (api.as_str(), "admin:audit.read admin:operators.read")
    );
    // It opens nothing else, and may be had for nothing else.
    assert_eq!(app.userinfo(&program.token).await.error(), "invalid_token");
    let ask = async |more: &[(&str, &str)]| app.token(&program.client, &[&[GRANT][..], more].concat()).await;
    assert_eq!(ask(&[("resource", api.as_str())]).await.status, StatusCode::OK);
    assert_eq!(ask(&[("resource", "https://other.example.jp/")]).await.error(), "invalid_target");
    assert_eq!(ask(&[("scope", "admin:keys.write")]).await.error(), "invalid_scope");
    // A narrower token opens less.
    let narrow = ask(&[("scope", "admin:audit.read")]).await;
    let narrow = app.program_with(program.client.clone(), narrow.text("access_token"));
    let refused = narrow.get("/operators").await;
    assert_eq!(refused.problem(403), "insufficient_scope");
    assert!(refused.header("www-authenticate").contains("scope=\"admin:operators.read\""), "{refused:?}");

    // Without a token, with none of ours, in the URL, and with one of a member.
    let missing = program.bare(Method::GET, "/self", &[]).await;
    assert_eq!(
        (missing.problem(401), missing.header("www-authenticate")),
        ("token_missing", "Bearer realm=\"kenpos-idp\"")
    );
    let basic = program.bare(Method::GET, "/self", &[("authorization", "Basic eDp5")]).await;
    assert_eq!(basic.problem(401), "token_missing");
    let unknown = app.program_with(program.client.clone(), &"A".repeat(43)).get("/self").await;
    assert_eq!(unknown.problem(401), "token_invalid");
    assert!(unknown.header("www-authenticate").contains("error=\"invalid_token\""));
    let in_url = program.bare(Method::GET, &format!("/self?access_token={}", program.token), &[]).await;
    assert_eq!(in_url.problem(400), "invalid_request");
    let member = app.program_with(app.client.clone(), tokens.text("access_token")).get("/self").await;
    assert_eq!(member.problem(401), "token_invalid");

    // It ends with its time, with the scope, and with the client.
    app.clock.advance(10 * MINUTE);
    assert_eq!(program.get("/self").await.problem(401), "token_invalid");
    let renewed = ask(&[]).await;
    let renewed = app.program_with(program.client.clone(), renewed.text("access_token"));
    renewed.get("/operators").await.done(200);
    let mut client = Client::find(app.db(), &program.client.id).await.unwrap().unwrap();
    client.metadata.scope = "admin:audit.read".to_owned();
    client.save(app.db(), app.clock.now()).await.unwrap();
    assert_eq!(renewed.get("/operators").await.problem(403), "insufficient_scope");
    client.disabled_at = Some(app.clock.now());
    client.save(app.db(), app.clock.now()).await.unwrap();
    assert_eq!(renewed.get("/self").await.problem(401), "token_invalid");
    app.finish().await;
}

#[tokio::test]
async fn each_operation_asks_for_its_scope_and_no_other_opens_it() {
    let app = TestApp::start(Backend::Embedded).await;
    let stranger = app.program("admin:numbers.read", None).await;
    for (path, method, access) in TABLE {
        let here = format!("{method} {path}");
        let filled = path.strip_prefix("/admin/api/v1").unwrap().replace("{code}", "conflict");
        let filled = filled.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let filled = filled.collect::<Vec<_>>().join("/");
        let bare = stranger.bare(method.clone(), &filled, &[]).await;
        let Access::May(permission) = access else {
            assert_eq!(bare.status == StatusCode::OK, *access == Access::Open, "{here}");
            assert_eq!(stranger.get(&filled).await.status, StatusCode::OK, "{here}");
            continue;
        };
        assert_eq!(bare.problem(401), "token_missing", "{here}");
        let others = Permission::ALL.into_iter().filter(|one| one != permission);
        let others = others.map(Permission::scope).collect::<Vec<_>>().join(" ");
        let without = app.program(&others, None).await.send(method.clone(), &filled, &[], Vec::new()).await;
        assert_eq!(without.problem(403), "insufficient_scope", "{here}");
        // With it, the request comes as far as what it says.
        let with = app.program(permission.scope(), None).await;
        let with = with.send(method.clone(), &filled, &[], Vec::new()).await;
        assert!(![401, 403, 405, 500].contains(&with.status.as_u16()), "{here}: {}", with.json);
    }
    app.finish().await;
}

#[tokio::test]
async fn nobody_but_an_operator_at_the_machine_gives_these_scopes() {
    let app = TestApp::start_with(Backend::Embedded, |config| config.registration.open = true).await;
    // A client that registers itself gets nothing of it.
    let request = json!({
        "redirect_uris": ["https://evil.example.jp/callback"], "grant_types": ["client_credentials", "authorization_code"],
        "scope": "openid admin:operators.write",
    });
    let registered = app.json(Method::POST, &app.url("/register"), None, &request).await.json;
    assert_eq!(registered["scope"], "openid", "{registered}");
    // No discovery document names them, and no member is asked for them.
    let url = app.url("/.well-known/openid-configuration");
    let found = Answer::of(app.http_browser().raw(Method::GET, &url, &[], "").await).json;
    assert!(!found["scopes_supported"].to_string().contains("admin:"), "{found}");
    // With a browser grant beside it, no rule lets it through.
    let app_config = app.app().config();
    let mut mixed = program(&all_scopes(), None);
    mixed.validate(&supported_with_api(app_config)).unwrap();
    mixed.redirect_uris.push("https://web.example.jp/callback".to_owned());
    mixed.grant_types.0.push(GrantType::AuthorizationCode);
    assert_eq!(mixed.validate(&supported_with_api(app_config)).unwrap_err().field, "grant_types");
    let mut web = metadata("https://web.example.jp");
    web.scope = format!("openid {}", all_scopes());
    assert_eq!(web.validate(&supported_with_api(app_config)).unwrap_err().field, "grant_types");
    app.finish().await;
}
