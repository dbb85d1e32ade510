//! An app that is for the members of one insurer.

use kenpos_idp::clients::Metadata;
use reqwest::StatusCode;

use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::{good_request, parameter, with},
    insurers::{KAEDE, MOMIJI, head},
    journey::{allow, give_login_id, log_in, set_out},
    members::HANAKO,
    relying_party::{Ask, Registered},
};

on_both_backends! {
    its_own_members_sign_in_and_others_get_a_clear_page
    no_way_around_it
}

async fn momiji_app(app: &TestApp) -> Registered {
    let origin = metadata("https://momiji-app.example.jp");
    app.register(Metadata { insurer: Some("8001".to_owned()), ..origin }).await
}

async fn its_own_members_sign_in_and_others_get_a_clear_page(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    let hanako = app.activate(&HANAKO).await;
    app.activate(&KAEDE).await;
    let client = momiji_app(&app).await;
    let rp = app.relying_party_of(&client).await;

    let browser = app.http_browser();
    let attempt = rp.begin(&Ask::scopes(&["membership"]));
    let login = set_out(&browser, &attempt).await;
    assert_eq!((head(&login), login.select("#choose-insurer").len()), (MOMIJI.to_owned(), 0));
    let refused = give_login_id(&login, HANAKO.login_id).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains(MOMIJI), "{}", refused.text());
    let callback = allow(&log_in(&login, KAEDE.login_id, KAEDE.password).await).await;
    let tokens = rp.finish(attempt, &callback).await;
    assert_eq!(rp.userinfo(&tokens).await.unwrap()["insurer_code"], "8001");

    // Whoever is signed in as a member of the other insurer is told so, and the app gets access_denied.
    let attempt = rp.begin(&Ask::default());
    let page = set_out(&hanako, &attempt).await;
    assert!(page.url.path().ends_with("/members-only"), "{} {}", page.url, page.text());
    assert_eq!(page.select("#for")[0].text, MOMIJI);
    let back = page.form("#members-only-form").click("choice", "back").submit().await.follow_here().await;
    let location = back.location().unwrap();
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"));
    assert!(rp.code(&attempt, &location).unwrap_err().contains("access_denied"));
    assert_eq!(hanako.get(&app.url("/account")).await.status, StatusCode::OK, "still signed in elsewhere");
    let silent = set_out(&hanako, &rp.begin(&Ask::default().silently())).await;
    assert_eq!(parameter(&silent.location().unwrap(), "error").as_deref(), Some("access_denied"));

    // Or signs in as somebody else.
    let attempt = rp.begin(&Ask::default());
    let page = set_out(&hanako, &attempt).await;
    let login = page.form("#members-only-form").click("choice", "another").submit().await.follow_here().await;
    let back = log_in(&login, KAEDE.login_id, KAEDE.password).await;
    assert!(rp.code(&attempt, &back.location().unwrap()).is_ok());
    app.finish().await;
}

async fn no_way_around_it(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    app.with_families().await;
    let hanako = app.activate(&HANAKO).await;
    let client = momiji_app(&app).await;
    let request = good_request(&client, "openid");
    let page = hanako.get(&app.authorize_url(&request)).await.follow_here().await;
    let id = page.url.path().split('/').nth(2).unwrap().to_owned();
    // The consent page of the interaction, its own resumption, and every prompt end at the same place.
    let consent = hanako.get(&app.url(&format!("/consent/{id}"))).await;
    if !consent.select("#consent-form").is_empty() {
        let next =
            consent.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
        assert!(next.url.path().ends_with("/members-only"), "{}", next.url);
    }
    let resumed = hanako.get(&app.url(&format!("/authorize/{id}"))).await.follow_here().await;
    assert!(resumed.url.path().ends_with("/members-only"), "{}", resumed.url);
    for prompt in ["consent", "select_account"] {
        let mut page = hanako
            .get(&app.authorize_url(&with(request.clone(), "prompt", prompt)))
            .await
            .follow_here()
            .await;
        if !page.select("#account-form").is_empty() {
            page = page.form("#account-form").click("choice", "continue").submit().await.follow_here().await;
        }
        assert!(page.url.path().ends_with("/members-only"), "{prompt}: {}", page.url);
    }
    // The insurer of the app cannot be exchanged for another.
    let choice = hanako.get(&app.url(&format!("/login/{id}/insurer"))).await;
    assert!(choice.location().is_some(), "{}", choice.text());
    // An app that becomes an insurer's own loses the grants of others' members.
    let open = app.register(metadata("https://open.example.jp")).await;
    let code = app.code(&hanako, &open, "openid offline_access").await;
    let tokens = app.redeem(&open, &code).await;
    let (access, refresh) = (tokens.text("access_token").to_owned(), tokens.text("refresh_token").to_owned());
    assert_eq!(app.userinfo(&access).await.status, StatusCode::OK);
    let mut bound = kenpos_idp::clients::Client::find(app.db(), &open.id).await.unwrap().unwrap();
    bound.metadata.insurer = Some("8001".to_owned());
    assert!(bound.save(app.db(), app.app().now()).await.unwrap());
    assert_eq!(app.userinfo(&access).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.refresh(&open, &refresh).await.error(), "invalid_grant");
    app.finish().await;
}
