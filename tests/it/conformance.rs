//! Each demand of the OpenID Foundation's conformance suite is a test of our own, named after the module: here, or
//! in the story that it belongs to.

mod metadata;
mod objects;
mod registration;
mod requests;

use std::{collections::BTreeSet, env, fs, path::Path, process::Command};

use kenpos_idp::crypto::Algorithm;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    attacks_clients::register,
    support::{
        app::{Backend, TestApp},
        documents::Documents,
    },
};

/// The modules of all plans, as `conformance/run` exports them with their results.
fn modules() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/results");
    let mut modules = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let plan: Value = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let names =
            plan["modules"].as_array().unwrap().iter().map(|module| module["module"].as_str().unwrap());
        modules.extend(names.map(str::to_owned));
    }
    modules
}

#[test]
fn every_module_has_a_test_of_its_name() {
    let listed = Command::new(env::current_exe().unwrap()).args(["--list", "--format", "terse"]).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let tests: BTreeSet<_> =
        listed.lines().filter_map(|line| line.strip_suffix(": test")?.rsplit("::").next()).collect();
    let modules = modules();
    assert!(modules.len() >= 77, "some are lost: {modules:?}");
    let name_of = |module: &String| module.replace('-', "_").to_lowercase();
    let missing: Vec<_> = modules.iter().filter(|module| !tests.contains(name_of(module).as_str())).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
}

/// What the provider says of itself.
async fn discovered(app: &TestApp) -> Value {
    let url = app.url("/.well-known/openid-configuration");
    app.json(Method::GET, &url, None, &Value::Null).await.json
}

/// Its public keys.
async fn keys(app: &TestApp) -> Vec<Value> {
    let answer = app.json(Method::GET, &app.url("/jwks"), None, &Value::Null).await;
    answer.json["keys"].as_array().unwrap().clone()
}

/// A provider where every client may register, and a server from which it may fetch documents.
async fn open() -> (TestApp, Documents) {
    let documents = Documents::start().await;
    let app = TestApp::start_with(Backend::Embedded, |config| {
        documents.allow(config);
        config.registration.open = true;
        config.keys.algorithms = Algorithm::ALL.to_vec();
    });
    (app.await, documents)
}

/// A registration with these fields must be refused.
async fn refused(app: &TestApp, fields: Value) -> String {
    let answer = register(app, fields).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.json);
    answer.error().to_owned()
}
