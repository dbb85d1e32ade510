use super::*;
use crate::{
    audit::{Actor, Reason},
    clients::{AuthMethod, GrantType, GrantTypes, secret::StoredSecret},
    clock::{Clock, Entropy},
    crypto::{Algorithm, MasterKey},
    storage::Db,
};

const HOUR: Duration = Duration::from_secs(3600);

struct Office {
    db: Db,
    master: MasterKey,
    entropy: Entropy,
    clock: Clock,
    insurers: Vec<Insurer>,
    egress: Egress,
    actor: Actor,
    reason: Reason,
}

impl Office {
    async fn open() -> Self {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        Self {
            db,
            master: MasterKey::from_bytes([7; 32]),
            entropy: Entropy::system(),
            clock: Clock::manual(Timestamp::from_millis(1_784_000_000_000)),
            insurers: vec![Insurer { code: "7132".to_owned(), ..Insurer::default() }],
            egress: Egress::new(&crate::config::Egress::default()).unwrap(),
            actor: Actor::operator("o1"),
            reason: Reason::parse("依頼書 12").unwrap(),
        }
    }

    fn clients(&self) -> Clients<'_> {
        let now = self.clock.now();
        Clients {
            registrar: Registrar { db: &self.db, master: &self.master, entropy: &self.entropy, now },
            supported: Supported {
                scopes: &["openid", "profile", "insured_number"],
                signing: &[Algorithm::Rs256],
                response_types: &["code"],
                grant_types: &[GrantType::AuthorizationCode],
            },
            insurers: &self.insurers,
            egress: &self.egress,
        }
    }

    fn act(&self) -> Act<'_> {
        Act { actor: &self.actor, reason: &self.reason }
    }

    async fn create(&self, id: &str, name: &str) -> Client {
        let metadata = Metadata { client_name: name.to_owned(), ..metadata() };
        self.clients().create(Some(id.to_owned()), metadata, self.act()).await.unwrap().unwrap().client
    }

    async fn events(&self) -> Vec<String> {
        let search = crate::storage::audit_search::Search { until: i64::MAX, ..Default::default() };
        let lines = crate::storage::audit_search::page(&self.db, &search, None, 100).await.unwrap();
        lines.into_iter().map(|line| format!("{} {}", line.action, line.detail)).collect()
    }
}

fn metadata() -> Metadata {
    Metadata {
        client_name: "健康アプリ".to_owned(),
        redirect_uris: vec!["https://app.example.com/callback".to_owned()],
        scope: "openid profile".to_owned(),
        ..Metadata::default()
    }
}

#[tokio::test]
async fn nobody_writes_over_what_they_have_not_seen() {
    let office = Office::open().await;
    let seen = office.create("app", "はじめ").await;
    let renamed = Metadata { client_name: "つぎ".to_owned(), ..seen.metadata.clone() };
    let first = office.clients().update(&seen, renamed.clone(), office.act()).await.unwrap().unwrap();
    assert_eq!((first.client.version, first.secret), (2, None));
    let other = Metadata { scope: "openid".to_owned(), ..seen.metadata.clone() };
    for refused in [
        office.clients().update(&seen, other, office.act()).await.unwrap().map(|_| ()),
        office.clients().rotate_secret(&seen, HOUR, office.act()).await.unwrap().map(|_| ()),
        office.clients().disable(&seen, office.act()).await.unwrap().map(|_| ()),
    ] {
        assert_eq!(refused, Err(Refused::Changed));
    }
    let stored = Client::find(&office.db, "app").await.unwrap().unwrap();
    assert_eq!((stored.metadata, stored.secrets), (renamed.clone(), seen.secrets));
    let again = office.clients().update(&first.client, renamed, office.act()).await.unwrap();
    assert_eq!(again.unwrap_err(), Refused::Already);
    let events = office.events().await;
    let updated = events.iter().find(|event| event.starts_with("client.updated")).unwrap();
    assert!(updated.contains("client_name") && updated.contains("依頼書 12"), "{updated}");
    assert_eq!(events.len(), 2, "{events:?}");
}

#[tokio::test]
async fn two_secrets_work_until_the_overlap_ends_or_is_ended() {
    let office = Office::open().await;
    let rules = || office.clients();
    let made = rules().create(Some("app".to_owned()), metadata(), office.act()).await.unwrap().unwrap();
    let first = made.secret.unwrap();
    let second = rules().rotate_secret(&made.client, HOUR, office.act()).await.unwrap().unwrap();
    let (client, second) = (second.client, second.secret.unwrap());
    let works = |client: &Client, text: &str| client.verify_secret(text, office.clock.now());
    assert!(works(&client, &first) && works(&client, &second));
    let valid = client.valid_secrets(office.clock.now());
    assert!(valid[0].expires_at.is_none() && valid[1].expires_at.is_some());

    let ended = rules().end_old_secrets(&client, office.act()).await.unwrap().unwrap();
    assert!(!works(&ended, &first) && works(&ended, &second));
    let again = rules().end_old_secrets(&ended, office.act()).await.unwrap();
    assert_eq!(again.unwrap_err(), Refused::NoOldSecret);
    let long = rules().rotate_secret(&ended, LONGEST_OVERLAP + HOUR, office.act()).await.unwrap();
    assert_eq!(long.unwrap_err(), Refused::Overlap);

    let public = Metadata { token_endpoint_auth_method: AuthMethod::None, ..metadata() };
    let public = rules().update(&ended, public, office.act()).await.unwrap().unwrap().client;
    assert_eq!(public.secrets, Vec::<StoredSecret>::new());
    let none = rules().rotate_secret(&public, HOUR, office.act()).await.unwrap();
    assert_eq!(none.unwrap_err(), Refused::NoSecret);
    let told = rules().update(&public, metadata(), office.act()).await.unwrap().unwrap();
    assert!(works(&told.client, &told.secret.unwrap()), "its method needs one again");
}

#[tokio::test]
async fn a_client_is_disabled_before_it_is_deleted() {
    let office = Office::open().await;
    let client = office.create("app", "健康アプリ").await;
    let refused = office.clients().delete(&client, office.act()).await.unwrap();
    assert_eq!(refused, Err(Refused::Enabled));
    let client = office.clients().disable(&client, office.act()).await.unwrap().unwrap();
    let refused = office.clients().disable(&client, office.act()).await.unwrap();
    assert_eq!(refused.unwrap_err(), Refused::Already);
    assert!(Client::find(&office.db, "app").await.unwrap().is_none());
    let client = office.clients().enable(&client, office.act()).await.unwrap().unwrap();
    assert!(Client::find(&office.db, "app").await.unwrap().is_some());
    let client = office.clients().disable(&client, office.act()).await.unwrap().unwrap();
    office.clients().delete(&client, office.act()).await.unwrap().unwrap();
    assert!(Client::find_any(&office.db, "app").await.unwrap().is_none());
    let refused = office.clients().delete(&client, office.act()).await.unwrap();
    assert_eq!(refused, Err(Refused::Changed));
}

#[tokio::test]
async fn a_program_of_the_operators_api_is_neither_stopped_nor_taken_over() {
    let office = Office::open().await;
    let metadata = Metadata {
        client_name: "事務システム".to_owned(),
        grant_types: GrantTypes(vec![GrantType::ClientCredentials]),
        scope: "admin:operators.write".to_owned(),
        ..Metadata::default()
    };
    let refused = office.clients().create(None, metadata.clone(), office.act()).await.unwrap();
    assert!(matches!(refused.unwrap_err(), Refused::Metadata(_)), "nobody gives more than they have");
    let (db, master, entropy, now) = (&office.db, &office.master, &office.entropy, office.clock.now());
    let (program, _) = Client::create(db, master, entropy, now, None, metadata.clone()).await.unwrap();
    let rules = || office.clients();
    let harmless = Metadata { scope: String::new(), ..metadata };
    for refused in [
        rules().update(&program, harmless, office.act()).await.unwrap().map(drop),
        rules().rotate_secret(&program, HOUR, office.act()).await.unwrap().map(drop),
        rules().end_old_secrets(&program, office.act()).await.unwrap().map(drop),
        rules().disable(&program, office.act()).await.unwrap().map(drop),
        rules().enable(&program, office.act()).await.unwrap().map(drop),
        rules().delete(&program, office.act()).await.unwrap(),
    ] {
        assert_eq!(refused, Err(Refused::Api));
    }
}

#[tokio::test]
async fn what_an_operator_types_is_checked() {
    let office = Office::open().await;
    office.create("taken", "x").await;
    let long = "x".repeat(101);
    for (id, expected) in [
        ("taken", Refused::IdTaken),
        ("", Refused::Id),
        ("a b", Refused::Id),
        ("a/b", Refused::Id),
        ("..", Refused::Id),
        ("new", Refused::Id),
        ("アプリ", Refused::Id),
        (&long, Refused::Id),
    ] {
        let made = office.clients().create(Some(id.to_owned()), metadata(), office.act()).await.unwrap();
        assert_eq!(made.unwrap_err(), expected, "{id}");
    }
    let elsewhere = Metadata { insurer: Some("9999".to_owned()), ..metadata() };
    let made = office.clients().create(None, elsewhere, office.act()).await.unwrap();
    assert!(matches!(made.unwrap_err(), Refused::Metadata(MetadataError { field: "insurer", .. })));
    let bad = Metadata { redirect_uris: vec!["http://app.example.com/".to_owned()], ..metadata() };
    let Refused::Metadata(error) =
        office.clients().create(None, bad, office.act()).await.unwrap().unwrap_err()
    else {
        panic!("not about the metadata")
    };
    assert_eq!(
        (error.field, error.uri),
        ("redirect_uris", Some(("http://app.example.com/".to_owned(), "https")))
    );
    assert_eq!(office.events().await.len(), 1, "nothing that was refused left a trace");
}

#[tokio::test]
async fn clients_are_found_by_name_and_id_page_by_page() {
    let office = Office::open().await;
    for (id, name) in [("a1", "からだ手帳"), ("b1", "Health App"), ("a2", "けんしん"), ("c1", "健康App")]
    {
        office.create(id, name).await;
    }
    let own = Metadata { insurer: Some("7132".to_owned()), ..metadata() };
    office.clients().create(Some("own".to_owned()), own, office.act()).await.unwrap().unwrap();
    let ids = async |text, insurer| {
        let found = office.clients().search(Search { text, insurer }, None, 10).await.unwrap();
        let mut ids: Vec<String> = found.into_iter().map(|client| client.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids("app", None).await, ["b1", "c1"]);
    assert_eq!(ids(" A", None).await, ["a1", "a2", "b1", "c1"]);
    assert_eq!(ids("手帳", None).await, ["a1"]);
    assert_eq!(ids("", Some("7132")).await, ["own"]);
    assert_eq!(ids("", Some("8001")).await, [""; 0]);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = office.clients().search(Search::default(), after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = position(&last.position().to_string());
        seen.extend(page.into_iter().map(|client| client.id));
    }
    seen.sort();
    assert_eq!(seen, ["a1", "a2", "b1", "c1", "own"]);
    assert_eq!(position("1.\0"), None);
    assert_eq!(position("x"), None);
}
