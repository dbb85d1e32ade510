//! The API against its own description, as schemathesis sees it: requests that fit and requests that do not, with
//! and without a token. What it checks is in `tests/relying_parties/schemathesis/schemathesis.toml`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use kenpos_idp::operators::Role;

use crate::support::{
    api::{API, all_scopes},
    app::{Backend, TestApp},
    party::installed,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_api_does_what_its_description_says() {
    let (root, folder) =
        (Path::new(env!("CARGO_MANIFEST_DIR")), installed("schemathesis", "requirements.txt"));
    let mut app = TestApp::start_with(Backend::Embedded, |config| {
        config.limits.api_per_minute = 10_000_000;
    })
    .await;
    for role in Role::ALL {
        app.staff(role, None).await;
    }
    let program = app.program(&all_scopes(), None).await;
    let report = root.join("target/test-artefacts/schemathesis.txt");
    fs::create_dir_all(report.parent().unwrap()).unwrap();
    let mut run = Command::new(folder.join("bin/schemathesis"));
    run.arg("--config-file")
        .arg(root.join("tests/relying_parties/schemathesis/schemathesis.toml"))
        .args(["--no-color", "run", "--checks", "all", "--warnings", "off"])
        .args(["--header", &format!("Authorization: Bearer {}", program.token)])
        .arg(app.url(&format!("{API}/openapi.json")))
        .current_dir(app.directory())
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || run.output()).await.unwrap().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    fs::write(&report, &text).unwrap();
    assert!(output.status.success(), "{text}\n(also in {})", report.display());
    // It went through everything: a run that found no operation would succeed too.
    let tested = text.lines().find(|line| line.contains("Tested:")).unwrap_or(&text);
    // The description itself is where it starts from.
    let table = kenpos_idp::admin::api::access::TABLE;
    let operations = table.iter().filter(|(path, ..)| !path.ends_with("/openapi.json")).count();
    assert!(tested.contains(&operations.to_string()), "{tested}");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while app.queued_mails().await > 0 {
        assert!(tokio::time::Instant::now() < deadline, "mails are left in the outbox");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.mailbox.forget_all().await;
    app.finish().await;
}
