//! Which web pages may read what programs are answered.

use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, TestApp, metadata},
    http_browser::{HttpBrowser, Page},
    members::HANAKO,
};

fn header<'a>(page: &'a Page, name: &str) -> Option<&'a str> {
    page.headers.get(name).map(|value| value.to_str().unwrap())
}

async fn asked(app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> Page {
    let page = HttpBrowser::new().raw(method, &app.url(path), headers, "").await;
    assert_eq!(header(&page, "access-control-allow-credentials"), None, "{path}");
    page
}

#[tokio::test]
async fn pages_of_clients_may_read_and_no_others() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let preflight = ("Access-Control-Request-Method", "POST");
    for path in ["/token", "/userinfo", "/revoke"] {
        let ours = [("Origin", "https://app.example.jp"), preflight];
        let answer = asked(&app, Method::OPTIONS, path, &ours).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(header(&answer, "access-control-allow-origin"), Some("https://app.example.jp"));
        assert_eq!(header(&answer, "access-control-allow-methods"), Some("GET, POST"));
        assert_eq!(header(&answer, "access-control-allow-headers"), Some("authorization, content-type"));
        assert_eq!(header(&answer, "vary"), Some("origin"), "{path}");
        for origin in [
            "https://evil.example",
            "https://app.example.jp.evil.example",
            "http://app.example.jp",
            "https://app.example.jp:8443",
            "https://APP.example.jp",
            "null",
        ] {
            for (method, more) in [(Method::OPTIONS, Some(preflight)), (Method::POST, None)] {
                let headers: Vec<_> = [("Origin", origin)].into_iter().chain(more).collect();
                let answer = asked(&app, method, path, &headers).await;
                assert_eq!(header(&answer, "access-control-allow-origin"), None, "{origin} {path}");
            }
        }
    }
    // An error can be read too, with its challenge.
    let bearer = [("Origin", "https://app.example.jp"), ("Authorization", "Bearer x")];
    let answer = asked(&app, Method::GET, "/userinfo", &bearer).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(header(&answer, "access-control-allow-origin"), Some("https://app.example.jp"));
    assert_eq!(header(&answer, "access-control-expose-headers"), Some("www-authenticate"));
    let plain = asked(&app, Method::GET, "/userinfo", &[("Authorization", "Bearer x")]).await;
    assert_eq!(header(&plain, "access-control-allow-origin"), None);

    // What is public is everybody's; what is not for pages at all is nobody's.
    for path in ["/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let answer = asked(&app, Method::GET, path, &[("Origin", "https://evil.example")]).await;
        assert_eq!(
            (answer.status, header(&answer, "access-control-allow-origin")),
            (StatusCode::OK, Some("*"))
        );
        let headers = [("Origin", "https://evil.example"), preflight];
        let answer = asked(&app, Method::OPTIONS, path, &headers).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(header(&answer, "access-control-allow-methods"), Some("GET"));
    }
    let browser = app.activate(&HANAKO).await;
    for path in ["/introspect", "/device_authorization", "/authorize", "/account", "/login", "/healthz"] {
        for method in [Method::OPTIONS, Method::GET, Method::POST] {
            let headers = [("Origin", "https://app.example.jp"), preflight];
            let answer = browser.raw(method, &app.url(path), &headers, "").await;
            assert_eq!(header(&answer, "access-control-allow-origin"), None, "{path}");
        }
    }

    // A client that is registered or disabled later counts ten seconds later at most.
    let page = [("Origin", "https://late.example.jp")];
    app.register(metadata("https://late.example.jp")).await;
    app.clock.advance(std::time::Duration::from_secs(10));
    let allowed = async || {
        let answer = asked(&app, Method::POST, "/token", &page).await;
        header(&answer, "access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(allowed().await.as_deref(), Some("https://late.example.jp"));
    app.sql("update client set disabled_at = 1").await;
    app.clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(allowed().await, None);
    app.finish().await;
}
