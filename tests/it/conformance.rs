//! What modules of the OpenID Foundation's conformance suite found here, under their names.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{Backend, TestApp};

/// The module registers redirect URIs of two hosts and says nothing of subjects: pairwise ones, our default, have
/// no sector there.
#[tokio::test]
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let request = json!({
        "redirect_uris": ["https://app.example.jp/callback", "https://example.org/redirect"],
        "response_types": ["code"], "grant_types": ["authorization_code"],
    });
    let mut pairwise = request.clone();
    pairwise["subject_type"] = json!("pairwise");
    for certification in [true, false] {
        let app = TestApp::start_with(Backend::Embedded, |config| {
            config.registration.open = true;
            config.registration.certification = certification;
        })
        .await;
        let url = app.url("/register");
        let created = app.json(Method::POST, &url, None, &request).await;
        let refused = app.json(Method::POST, &url, None, &pairwise).await;
        assert_eq!((refused.status, refused.error()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"));
        if certification {
            assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
            assert_eq!(created.json["subject_type"], "public");
        } else {
            assert_eq!(
                created.error(),
                "invalid_client_metadata",
                "public subjects are an operator's to give"
            );
        }
        app.finish().await;
    }
}
