//! What operators of one insurer do and see.

use std::{path::Path, process::Output};

use kenpos_idp::cli::operate::{self, ActArgs};

use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    family::{Relative, SAKURA},
    insurers::KAEDE,
    members::{HANAKO, Someone},
};

on_both_backends! {
    an_act_reaches_the_insurer_that_was_named
}

async fn an_act_reaches_the_insurer_that_was_named(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    app.with_families().await;
    let there = Relative {
        someone: Someone { password: "もみじ狩りの朝に8人", ..SAKURA.someone }, ..SAKURA
    };
    app.register_at("7132", &SAKURA).await;
    app.register_at("8001", &there).await;
    app.activate(&HANAKO).await;
    let act = |login_id: &str, insurer: Option<&str>| ActArgs {
        login_id: login_id.to_owned(),
        reason: "電話で本人確認済み".to_owned(),
        operator: "jimu".to_owned(),
        insurer: insurer.map(str::to_owned),
        json: true,
    };
    let refused = |result: anyhow::Result<()>, why: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    let (out, address) = (&mut Vec::new(), SAKURA.someone.email);
    // An address names no insurer, even where one alone knows it.
    refused(operate::end_sessions(app.app(), &act(address, None), out).await, "--insurer");
    refused(operate::end_sessions(app.app(), &act(HANAKO.email, None), out).await, "--insurer");
    refused(operate::end_sessions(app.app(), &act(HANAKO.email, Some("8001")), out).await, "nobody");
    refused(operate::unlock(app.app(), &act(HANAKO.login_id, Some("8001")), out).await, "not of 8001");
    refused(operate::unlock(app.app(), &act(address, Some("9999")), out).await, "9999");
    app.clock.advance(crate::support::app::MINUTE);
    operate::end_sessions(app.app(), &act(address, Some("8001")), out).await.unwrap();
    let ended = "select count(*) from member where sessions_valid_from > activated_at and insurer = ";
    assert_eq!(app.number(&format!("{ended}'8001'")).await, 1);
    assert_eq!(app.number(&format!("{ended}'7132'")).await, 0);
    app.finish().await;
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_kenpos-idp"))
        .args(["--config", "kenpos.toml"])
        .args(arguments)
        .current_dir(folder)
        .env_remove("KENPOS_CONFIG")
        .output()
        .unwrap()
}

const CONFIGURATION: &str = r##"
[server]
issuer = "https://login.example.jp"
[mail]
host = "localhost"
port = 9
security = "none"
from = "no-reply@example.jp"
[[insurers]]
code = "7132"
number = "06139497"
name = "みほん健康保険組合"
name_en = "Mihon"
contact = { name = "事務局" }
[[insurers]]
code = "8001"
number = "01040013"
name = "もみじ健康保険組合"
colour = "#f5c400"
contact = { name = "もみじ事務局" }
"##;

#[test]
fn commands_ask_for_the_insurer_when_nothing_else_says_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kenpos.toml"), CONFIGURATION).unwrap();
    std::fs::write(folder.path().join("roster.csv"), crate::support::insurers::MOMIJI_ROSTER).unwrap();
    let asked = |arguments: &[&str]| {
        let output = run(folder.path(), arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains("--insurer"), "{arguments:?}: {error}");
    };
    asked(&["roster", "import", "roster.csv"]);
    asked(&["roster", "sample", "sample.csv"]);
    asked(&["preferences", "export", "wanted.csv"]);
    asked(&["member", "show", "somebody@mail.example"]);
    asked(&["member", "reset", "somebody@mail.example", "--reason", "x"]);
    let done = |arguments: &[&str]| {
        let output = run(folder.path(), arguments);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    };
    done(&["roster", "import", "roster.csv", "--insurer", "8001"]);
    assert!(done(&["member", "show", KAEDE.login_id]).contains("もみじ健康保険組合"));
    let other = run(folder.path(), &["member", "show", HANAKO.login_id]);
    assert!(!other.status.success(), "the same number is nobody at the other insurer");
    done(&["preferences", "export", "wanted.csv", "--insurer", "7132"]);
    let create =
        ["client", "create", "--name", "x", "--redirect-uri", "https://a.example.jp/cb", "--insurer"];
    done(&[&create[..], &["8001"]].concat());
    assert!(!run(folder.path(), &[&create[..], &["9999"]].concat()).status.success());
}

#[test]
fn doctor_tells_what_is_wrong_between_insurers() {
    let examine = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kenpos.toml"), text).unwrap();
        let output = run(folder.path(), &["doctor"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let good = examine(CONFIGURATION);
    for finding in
        ["#f5c400 is too pale", "has no English name", "has no privacy and no terms", "ok    insurers: 2"]
    {
        assert!(good.contains(finding), "{finding} in\n{good}");
    }
    for (change, to, finding) in [
        ("\"8001\"", "\"7132\"", "insurers[1].code: must differ"),
        ("\"01040013\"", "\"06139497\"", "insurers[1].number: must differ"),
        ("\"01040013\"", "\"01040014\"", "insurers[1].number: must be the 8 digits"),
        ("\"8001\"", "\"713\"\nnumber_digits = 7", "look like those of 7132 without their hyphen"),
        ("\"#f5c400\"", "\"#f5c400\"\nlogo = \"/nowhere/logo.png\"", "/nowhere/logo.png cannot be read"),
        ("\"#f5c400\"", "\"#f5c400\"\nhosts = [\"login.example.jp\"]", "insurers[1].hosts: login.example.jp"),
        (
            "\"#f5c400\"",
            "\"#f5c400\"\ndocuments.terms = { version = \"1\", ja = \"/nowhere/ja.txt\", en = \"/nowhere/en.txt\" }",
            "/nowhere/ja.txt cannot be read",
        ),
    ] {
        let report = examine(&CONFIGURATION.replace(change, to));
        assert!(report.contains(finding), "{finding} in\n{report}");
    }
}
