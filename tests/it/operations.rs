//! The program as it runs in production: what it tells of itself, and how it goes. And that the dashboard, the
//! alarms and the runbook speak of the same things.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, StatusCode, redirect};
use serde_json::Value;

use crate::support::backends::free_port;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// `kenpos-idp serve` on SQLite, in a folder of its own.
struct Node {
    folder: tempfile::TempDir,
    process: Option<Child>,
    port: u16,
    metrics: u16,
    client: Client,
}

impl Node {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, metrics) = (free_port(), free_port());
        let config = format!(
            "[server]\nissuer = \"https://login.example.jp\"\nlisten = \"127.0.0.1:{port}\"\n\
             metrics_listen = \"127.0.0.1:{metrics}\"\nleave_seconds = 4\n\
             [mail]\nhost = \"127.0.0.1\"\nport = 1\nsecurity = \"none\"\nfrom = \"no-reply@example.jp\"\n\
             [passwords]\nmemory_kib = 8\niterations = 1\n[telemetry]\naudit = \"stdout\"\n\
             [[insurers]]\ncode = \"7132\"\nnumber = \"06139497\"\nname = \"x\"\ncontact = {{ name = \"y\" }}\n"
        );
        fs::write(folder.path().join("kenpos.toml"), config).unwrap();
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        let mut node = Self { folder, process: None, port, metrics, client };
        let create = ["client", "create", "--name", "x", "--redirect-uri", "https://app.example.jp/callback"];
        assert!(node.command().args(create).output().unwrap().status.success());
        node.process = Some(node.command().arg("serve").spawn().unwrap());
        node
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kenpos-idp"));
        command.current_dir(self.folder.path()).env("KENPOS_CONFIG", "kenpos.toml");
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    async fn get(&self, port: u16, path: &str) -> reqwest::Result<reqwest::Response> {
        self.client.get(format!("http://127.0.0.1:{port}{path}")).send().await
    }

    /// Status and JSON of `/readyz`, or why there is no answer.
    async fn ready(&self) -> reqwest::Result<(StatusCode, Value)> {
        let answer = self.get(self.port, "/readyz").await?;
        Ok((answer.status(), serde_json::from_slice(&answer.bytes().await?).unwrap()))
    }

    async fn until(&self, status: StatusCode) -> Value {
        for _ in 0..400 {
            if let Ok((found, told)) = self.ready().await
                && found == status
            {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never {status}");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Names of our metrics in a text; those of a histogram without their ending.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    let ours = words.filter(|word| word.starts_with("kenpos_") || word.starts_with("http_"));
    let bare = |word: &str| {
        let ends = ["_bucket", "_count", "_sum"];
        ends.iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word).to_owned()
    };
    ours.map(bare).collect()
}

#[tokio::test]
async fn a_node_tells_its_metrics_and_leaves_in_order() {
    let mut node = Node::start();
    let told = node.until(StatusCode::OK).await;
    assert_eq!((&told["ready"], &told["leaving"]), (&true.into(), &false.into()));
    let login = node.get(node.port, "/login").await.unwrap();
    assert!(!login.headers().contains_key("connection"));
    // What is counted at times has been counted once the mails are there.
    let mut text = String::new();
    for _ in 0..400 {
        text = node.get(node.metrics, "/metrics").await.unwrap().text().await.unwrap();
        if text.contains("kenpos_webhooks{") && text.contains("http_request_duration_seconds_bucket") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let exposed = metrics(&text);
    for (what, names) in [
        ("dashboard", metrics(&read("packaging/grafana/kenpos-idp.json"))),
        ("alarms", metrics(&read("packaging/prometheus/kenpos-idp.rules.yml"))),
    ] {
        let invented: Vec<_> = names.difference(&exposed).collect();
        assert!(names.len() > 10 && invented.is_empty(), "the {what}: {invented:?} are not in {text}");
    }
    let shown = metrics(&read("packaging/grafana/kenpos-idp.json"));
    let hidden: Vec<_> = exposed.difference(&shown).collect();
    assert!(hidden.is_empty(), "not on the dashboard: {hidden:?}");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(text.contains(&format!("# HELP {}", metrics(line).first().unwrap())), "no help for {line}");
    }

    let mut process = node.process.take().unwrap();
    let told = Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
    assert!(told.success());
    // It says so first, and still answers.
    let told = node.until(StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!((&told["leaving"], &told["database"]), (&true.into(), &"up".into()));
    let login = node.get(node.port, "/login").await.unwrap();
    assert_eq!(login.status(), StatusCode::SEE_OTHER);
    assert_eq!(login.headers()["connection"], "close");
    let (done, lines) = tokio::task::spawn_blocking(move || {
        let mut lines = String::new();
        process.stdout.take().unwrap().read_to_string(&mut lines).unwrap();
        (process.wait().unwrap(), lines)
    })
    .await
    .unwrap();
    assert!(done.success(), "{done}");
    assert!(node.ready().await.is_err(), "nobody listens any more");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<_> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(lines.iter().any(|line| line["action"] == "client.created"), "{lines:?}");
}

/// Every alarm has its section in the runbook and every section its alarm, and `promtool test rules` tries each, quiet
/// and ringing.
#[test]
fn the_runbook_knows_every_alarm() {
    let rules = read("packaging/prometheus/kenpos-idp.rules.yml");
    let after = |mark: &'static str| {
        rules.lines().filter_map(move |line| line.trim().strip_prefix(mark)).map(str::trim)
    };
    let alarms: BTreeSet<&str> = after("- alert:").collect();
    let links: Vec<&str> = after("runbook_url:").collect();
    let runbook = read("docs/runbook.md");
    let sections: Vec<(&str, &str)> =
        runbook.split("\n### ").skip(1).filter_map(|section| section.split_once('\n')).collect();
    let titles: BTreeSet<&str> = sections.iter().map(|(title, _)| *title).collect();
    assert!(alarms.len() > 15);
    assert_eq!(alarms, titles);
    assert_eq!(links.len(), alarms.len());
    let cases = read("packaging/prometheus/kenpos-idp.test.yml");
    for alarm in &alarms {
        let [quiet, rings] = [" }", "\n        exp_alerts:"].map(|end| format!("alertname: {alarm}{end}"));
        assert!(cases.contains(&quiet) && cases.contains(&rings), "{alarm} is not tried");
    }
    for (alarm, link) in after("- alert:").zip(&links) {
        assert_eq!(*link, format!("docs/runbook.md#{}", alarm.to_lowercase()));
    }
    for (title, section) in sections {
        for part in ["**Means**", "**Members see**", "**Look at**", "**Do**", "**Over when**"] {
            assert!(section.contains(part), "{title} lacks {part}");
        }
    }
}
