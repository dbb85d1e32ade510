use clap::Parser;

use super::*;
use crate::{
    clients::GrantType,
    clock::{Clock, Entropy, Timestamp},
    config::{Config, Keys},
    storage::Db,
};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: ClientCommand,
}

struct Office {
    tools: Tools,
    folder: tempfile::TempDir,
}

impl Office {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys { directory: folder.path().join("keys"), ..Keys::default() };
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let clock = Clock::manual(Timestamp::from_millis(1_784_000_000_000));
        let config = Config { keys, ..Config::default() };
        Self { tools: Tools { config, db, clock, entropy: Entropy::system() }, folder }
    }

    async fn try_run(&self, args: &[&str]) -> anyhow::Result<String> {
        let line = Line::try_parse_from(["client"].iter().chain(args))?;
        let mut out = Vec::new();
        Box::pin(run(&self.tools, line.command, &mut out)).await?;
        Ok(String::from_utf8(out)?)
    }

    async fn run(&self, args: &[&str]) -> String {
        self.try_run(args).await.unwrap()
    }

    async fn client(&self) -> Client {
        Client::find_any(&self.tools.db, "app").await.unwrap().unwrap()
    }
}

fn secret(said: &str) -> String {
    let line = said.lines().find(|line| line.starts_with("client_secret")).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

const CREATE: [&str; 7] =
    ["create", "--id", "app", "--name", "健康アプリ", "--redirect-uri", "https://app.example.com/callback"];

#[tokio::test]
async fn every_field_can_be_given_and_changed_and_a_mistake_names_it() {
    let office = Office::open().await;
    let file = office.folder.path().join("client.json");
    fs::write(&file, r#"{ "tos_uri": "https://app.example.com/terms", "client_name": "in the file" }"#)
        .unwrap();
    let file = file.to_str().unwrap();
    let more = ["--metadata", file, "--set", "grant_types=[\"authorization_code\",\"refresh_token\"]"];
    office.run(&[&CREATE as &[&str], &more].concat()).await;
    let metadata = office.client().await.metadata;
    assert_eq!(metadata.client_name, "健康アプリ");
    assert_eq!(metadata.tos_uri.as_deref(), Some("https://app.example.com/terms"));
    assert!(metadata.grant_types.0.contains(&GrantType::RefreshToken) && metadata.allows("email"));

    office.run(&["update", "app", "--set", "tos_uri=null", "--set", "client_name#en=Health"]).await;
    let metadata = office.client().await.metadata;
    assert_eq!((metadata.tos_uri, metadata.translations["client_name#en"].as_str()), (None, "Health"));
    assert!(office.run(&["show", "app"]).await.contains("client_name#en"));
    for (set, field) in [
        ("policy_uri=javascript:1", "policy_uri"),
        ("id_token_signed_response_alg=none", "id_token_signed_response_alg"),
        ("nonsense=1", "nonsense"),
        ("nonsense=x", "nonsense"),
        ("token_endpoint_auth_method=private_key_jwt", "jwks"),
    ] {
        let error = office.try_run(&["update", "app", "--set", set]).await.unwrap_err();
        assert!(format!("{error:#}").contains(field), "{set}: {error:#}");
    }
    assert!(office.try_run(&["update", "app"]).await.is_err());
    assert!(office.try_run(&["update", "other", "--set", "scope=openid"]).await.is_err());
}

#[tokio::test]
async fn two_secrets_work_during_a_rotation_and_a_method_gets_the_secret_that_it_needs() {
    let office = Office::open().await;
    let first = secret(&office.run(&CREATE).await);
    let second = secret(&office.run(&["rotate-secret", "app", "--overlap", "2"]).await);
    let works = |client: &Client, text: &str| client.verify_secret(text, office.tools.clock.now());
    let client = office.client().await;
    assert!(works(&client, &first) && works(&client, &second));
    office.tools.clock.advance(std::time::Duration::from_secs(2 * 3600));
    assert!(!works(&client, &first) && works(&client, &second));
    assert!(office.try_run(&["end-old-secrets", "app"]).await.is_err(), "it ended by itself");
    let said = office.run(&["rotate-secret", "app", "--json", "--reason", "leaked"]).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    let third = said["client_secret"].as_str().unwrap();
    assert_eq!(
        (said["done"].as_str(), said["secrets"].as_array().unwrap().len()),
        (Some("secret_rotated"), 2)
    );
    office.run(&["end-old-secrets", "app"]).await;
    let client = office.client().await;
    assert!(!works(&client, &second) && works(&client, third));

    // Only a client that signs with its secret has one that can be read.
    let said = office.run(&["update", "app", "--set", "token_endpoint_auth_method=client_secret_jwt"]).await;
    let (client, master) = (office.client().await, office.tools.master().await.unwrap());
    let opened = client.secrets.last().unwrap().open(&master, "app").unwrap().unwrap();
    assert_eq!(opened.as_slice(), secret(&said).as_bytes());
    assert!(!works(&client, third));
    let said = office.run(&["update", "app", "--set", "token_endpoint_auth_method=client_secret_post"]).await;
    assert!(!said.contains("client_secret "), "the secret works on: {said}");
    assert!(office.client().await.secrets.iter().all(|secret| secret.sealed.is_none()));
    office.run(&["update", "app", "--set", "token_endpoint_auth_method=none"]).await;
    assert!(office.client().await.secrets.is_empty());
    assert!(office.try_run(&["rotate-secret", "app"]).await.is_err());
}

#[tokio::test]
async fn a_disabled_client_can_be_enabled_again() {
    let office = Office::open().await;
    office.run(&CREATE).await;
    office.run(&["disable", "app"]).await;
    assert!(Client::find(&office.tools.db, "app").await.unwrap().is_none());
    office.run(&["enable", "app"]).await;
    assert!(Client::find(&office.tools.db, "app").await.unwrap().is_some());
    assert!(office.try_run(&["disable", "other"]).await.is_err());
    assert!(office.try_run(&["delete", "app"]).await.is_err(), "it is enabled");
    office.run(&["disable", "app"]).await;
    let said: Value = serde_json::from_str(&office.run(&["delete", "app", "--json"]).await).unwrap();
    assert_eq!((said["done"].as_str(), said["client_id"].as_str()), (Some("deleted"), Some("app")));
    assert!(office.try_run(&["show", "app"]).await.is_err());
}

#[tokio::test]
async fn initial_access_tokens_are_shown_once_and_can_be_revoked() {
    let office = Office::open().await;
    let said = office.run(&["initial-access-token", "create", "--note", "vendor X", "--uses", "3"]).await;
    let id = said.lines().next().unwrap().split_whitespace().nth(1).unwrap();
    let token = said.lines().nth(1).unwrap().split_whitespace().nth(1).unwrap();
    let listed = office.run(&["initial-access-token", "list"]).await;
    assert!(listed.contains(id) && listed.contains("3 left") && !listed.contains(token), "{listed}");
    office.run(&["initial-access-token", "revoke", id]).await;
    assert!(office.run(&["initial-access-token", "list", "--json"]).await.contains("\"revoked\": true"));
    assert!(office.try_run(&["initial-access-token", "revoke", id]).await.is_err());
}

#[tokio::test]
async fn clients_are_found_by_name_id_and_insurer() {
    let office = Office::open().await;
    office.run(&CREATE).await;
    office
        .run(&["create", "--id", "walk", "--name", "Walking", "--redirect-uri", "https://w.example.com/cb"])
        .await;
    let found = async |args: &[&str]| {
        let listed = office.run(&[&["list", "--json"], args].concat()).await;
        let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
        listed.iter().map(|one| one["client_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]).await, ["app", "walk"]);
    assert_eq!(found(&["--search", "WALK"]).await, ["walk"]);
    assert_eq!(found(&["--search", "アプリ"]).await, ["app"]);
    assert_eq!(found(&["--insurer", "7132"]).await, [""; 0]);
    assert!(office.run(&["list", "--search", "nobody"]).await.contains("no client fits"));
}
