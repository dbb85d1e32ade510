//! `--json` on the command line: the same for every command, errors too.

use std::process::{Command, Output};

use clap::CommandFactory as _;
use kenpos_idp::cli::Cli;
use serde_json::Value;

const CONFIG: &str = r#"
    server.issuer = "https://login.example.jp"
    mail.host = "127.0.0.1"
    mail.port = 1
    mail.security = "none"
    mail.from = "no-reply@example.jp"

    [[insurers]]
    code = "7132"
    number = "06139497"
    name = "みほん健康保険組合"
    contact = { name = "事務局" }
"#;

fn run(folder: &tempfile::TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kenpos-idp"))
        .args(arguments)
        .current_dir(folder.path())
        .env("KENPOS_CONFIG", folder.path().join("kenpos.toml"))
        .output()
        .unwrap()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(bytes)))
}

fn leaves<'a>(path: &str, command: &'a clap::Command, found: &mut Vec<(String, &'a clap::Command)>) {
    let mut below = command.get_subcommands().filter(|one| one.get_name() != "help").peekable();
    if below.peek().is_none() {
        found.push((path.to_owned(), command));
    }
    for one in below {
        leaves(&format!("{path} {}", one.get_name()), one, found);
    }
}

#[test]
fn every_command_takes_it() {
    let mut command = Cli::command();
    command.build();
    let mut found = Vec::new();
    leaves("kenpos-idp", &command, &mut found);
    assert!(found.len() > 20, "{}", found.len());
    for (path, command) in found {
        assert!(command.get_arguments().any(|argument| argument.get_long() == Some("json")), "{path}");
    }
}

#[test]
fn results_and_errors_are_json() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kenpos.toml"), CONFIG).unwrap();
    let roster = ["roster", "sample", "people.csv", "--count", "5"];
    // Before or after the command.
    let done = [
        vec!["migrate", "--json"],
        vec!["--json", "migrate"],
        [&roster[..], &["--json"]].concat(),
        vec!["roster", "import", "people.csv", "--json"],
        vec!["keys", "list", "--json"],
        vec!["client", "list", "--json"],
        vec!["operator", "list", "--json"],
        vec!["preferences", "export", "wanted.csv", "--json"],
        vec!["client", "initial-access-token", "create", "--note", "x", "--json"],
        vec!["audit", "verify", "--json"],
        vec!["backup", "copy.sqlite", "--json"],
        vec!["audit", "export", "audit.csv", "--json"],
    ];
    for arguments in done {
        let output = run(&folder, &arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let told = json(&output.stdout);
        assert!(told.is_object() || told.is_array(), "{arguments:?}: {told}");
    }
    let imported = json(&run(&folder, &["roster", "import", "people.csv", "--json"]).stdout);
    assert_eq!((&imported["outcome"], &imported["unchanged"]), (&"applied".into(), &5.into()));
    // A mail server that is not there is a finding, and the exit code says so.
    let doctor = run(&folder, &["doctor", "--json"]);
    assert!(json(&doctor.stdout).as_array().unwrap().iter().all(|one| one["check"].is_string()));

    let wrong = [
        (vec!["nonsense", "--json"], 2),
        (vec!["keys", "list", "--json", "--nonsense"], 2),
        (vec!["roster", "import", "nowhere.csv", "--json"], 1),
        (vec!["member", "show", "7132-1", "--json"], 1),
        (vec!["client", "show", "nobody", "--json"], 1),
        // A copy that is there already is not written over.
        (vec!["backup", "copy.sqlite", "--json"], 1),
        (vec!["--config", "nowhere.toml", "migrate", "--json"], 1),
    ];
    for (arguments, code) in wrong {
        let output = run(&folder, &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(json(&output.stderr)["error"].as_str().is_some_and(|text| !text.is_empty()), "{arguments:?}");
    }
    let told = run(&folder, &["client", "show", "nobody"]);
    assert!(String::from_utf8_lossy(&told.stderr).starts_with("kenpos-idp: "), "{told:?}");
}
