//! Whole requests through the whole provider: whatever comes, the answer is no fault of ours.

use std::{fmt::Write as _, net::SocketAddr};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderName, HeaderValue, Method, Request, header},
};
use kenpos_idp::routes;
use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tower::util::ServiceExt as _;

use super::{apply, change, octets, seeds};
use crate::support::app::{Backend, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

/// What is changed of a request.
enum Part {
    /// The query of this path.
    Query(&'static str),
    /// The body of this type, sent to this path.
    Body(&'static str, &'static str),
    /// This header, sent to this path.
    Header(&'static str, HeaderName),
}

fn request(part: &Part, octets: &[u8]) -> Option<Request<Body>> {
    let builder = Request::builder();
    let mut request = match part {
        Part::Query(path) => {
            // As a client writes it that encodes only what it must.
            let mut query = String::new();
            for octet in octets {
                let must = !octet.is_ascii_graphic() || b"\"<>#\\^`{|}".contains(octet);
                if must {
                    let _ = write!(query, "%{octet:02X}");
                } else {
                    query.push(char::from(*octet));
                }
            }
            builder.uri(format!("{path}?{query}")).body(Body::empty())
        }
        Part::Body(path, kind) => builder
            .method(Method::POST)
            .uri(*path)
            .header(header::CONTENT_TYPE, *kind)
            .body(Body::from(octets.to_vec())),
        Part::Header(path, name) => {
            builder.uri(*path).header(name, HeaderValue::from_bytes(octets).ok()?).body(Body::empty())
        }
    }
    .ok()?;
    let peer = SocketAddr::from(([192, 0, 2, 1], 4711));
    request.extensions_mut().insert(ConnectInfo(peer));
    Some(request)
}

/// Sends seeds of `corpus`, changed at random, and looks at the answers.
fn fuzz(corpus: &'static str, parts: &[Part]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::start_with(Backend::Embedded, |config| {
        config.limits.visits_per_address = u64::MAX;
        config.registration.open = true;
        config.registration.open_clients = 1_000_000;
        config.registration.per_address_hour = 1_000_000;
    }));
    let router = routes::router(app.app().clone());
    for (at, part) in parts.iter().enumerate() {
        let config = Config { source_file: Some(file!()), ..Config::default() };
        let cases = config.cases / u32::try_from(parts.len()).unwrap();
        let mut runner = TestRunner::new(Config { cases: cases.max(1), ..config });
        let outcome = runner.run(&octets(corpus), |octets| {
            let Some(request) = request(part, &octets) else { return Ok(()) };
            let status = runtime.block_on(router.clone().oneshot(request)).unwrap().status();
            if status.is_server_error() {
                return Err(TestCaseError::fail(format!("part {at} of {corpus}: {status}")));
            }
            Ok(())
        });
        if let Err(failure) = outcome {
            std::mem::forget(app);
            panic!("{failure}");
        }
    }
    runtime.block_on(app.finish());
}

#[test]
fn authorization_requests() {
    fuzz(
        "authorize.txt",
        &[Part::Query("/authorize"), Part::Body("/authorize", FORM), Part::Body("/par", FORM)],
    );
}

#[test]
fn token_requests() {
    let paths = ["/token", "/introspect", "/revoke", "/device_authorization", "/login/x/password"];
    fuzz("token.txt", &paths.map(|path| Part::Body(path, FORM)));
}

#[test]
fn registrations_of_clients() {
    let json = "application/json";
    fuzz("client_metadata.txt", &[Part::Body("/register", json), Part::Body("/admin/api/v1/clients", json)]);
}

#[test]
fn cookies() {
    fuzz("cookies.txt", &["/account", "/login", "/admin"].map(|path| Part::Header(path, header::COOKIE)));
}

#[test]
fn tokens_in_headers_and_hints() {
    fuzz("jwt.txt", &[Part::Header("/userinfo", header::AUTHORIZATION), Part::Query("/logout")]);
    fuzz(
        "authorization.txt",
        &["/userinfo", "/register/x"].map(|path| Part::Header(path, header::AUTHORIZATION)),
    );
}

#[test]
fn a_seed_that_is_not_changed_is_what_the_file_says() {
    assert_eq!(apply(seeds("cookies.txt")[0].clone(), Vec::new()), seeds("cookies.txt")[0]);
    let mut runner = TestRunner::deterministic();
    assert!(change().new_tree(&mut runner).is_ok());
}
