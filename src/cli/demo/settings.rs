//! What the demo is made of: a sample insurer, its made-up roster and one relying party.

use std::path::Path;

use anyhow::Context as _;

use crate::{
    app::App,
    clients::{ApplicationType, Client, Metadata, secret::StoredSecret},
    config::{Config, Insurer, insurer::Contact, mail::Security},
    crypto::digest,
    members::{
        LoginId,
        birth_date::today,
        roster::{Category, RosterImport},
        sample::{SamplePeople, SamplePerson, write_roster},
    },
    oidc::registration::supported,
    storage::roster,
};

use super::{SEED, health_app::HealthApp};

/// People on the sample roster.
const PEOPLE: usize = 10_000;

/// Sample members that are shown.
const SHOWN: usize = 3;

/// Origins of the demo's three sites.
pub struct Places {
    /// The provider.
    pub issuer: String,
    /// The sample health app.
    pub app: String,
    /// The mailbox.
    pub mailbox: String,
}

/// A made-up member to sign in as.
pub struct SampleMember {
    /// Login ID.
    pub login_id: String,
    /// Temporary password: the birth date.
    pub temporary_password: String,
    /// Name, which activation asks for.
    pub kana: String,
}

/// A made-up dependent to try the registration by oneself with.
pub struct SampleRelative {
    /// Symbol (記号).
    pub symbol: String,
    /// Number (番号).
    pub number: String,
    /// Branch (枝番).
    pub branch: String,
    /// Name.
    pub kana: String,
    /// Day of birth, ISO.
    pub birth_date: String,
}

/// The dependent of the sample roster who is old enough to register.
pub fn relative(app: &App) -> anyhow::Result<SampleRelative> {
    let members = &app.members;
    let insurer = members.config.insurers.first().context("the demo has an insurer")?;
    let person = SamplePeople::new(insurer, SEED)
        .take(PEOPLE)
        .find(|person| {
            person.category == Category::Dependent
                && person.birth_date.age_on(today(&members.clock)) >= insurer.policy.minimum_age
        })
        .context("the sample roster has no grown-up dependent")?;
    Ok(SampleRelative {
        symbol: person.symbol,
        number: person.number,
        branch: person.branch,
        kana: person.kana.as_str().to_owned(),
        birth_date: person.birth_date.iso(),
    })
}

/// The relying party with its secret.
pub struct SampleClient {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: String,
}

/// The configuration of the demo.
pub fn config(data: &Path, places: &Places, smtp_port: u16) -> Config {
    let mut config = Config { demo: true, insurers: vec![insurer()], ..Config::default() };
    config.server.issuer.clone_from(&places.issuer);
    config.database.url = format!("sqlite://{}", data.join("kenpos.sqlite").display());
    config.keys.directory = data.join("keys");
    "127.0.0.1".clone_into(&mut config.mail.host);
    config.mail.port = Some(smtp_port);
    config.mail.security = Security::None;
    if let Ok(sender) = "no-reply@kenpos.example".parse() {
        config.mail.from = sender;
    }
    config
}

/// A society that does not exist.
fn insurer() -> Insurer {
    Insurer {
        code: "7132".to_owned(),
        number: "06139497".to_owned(),
        name: "みほん健康保険組合".to_owned(),
        name_en: Some("Mihon Health Insurance Society (sample)".to_owned()),
        contact: Contact {
            name: "みほん健康保険組合 KENPOS事務局".to_owned(),
            name_en: Some("Mihon Health Insurance Society, KENPOS office".to_owned()),
            phone: Some("03-0000-0000".to_owned()),
            email: Some("office@kenpos.example".to_owned()),
            hours: Some("平日 9:00–17:00".to_owned()),
            hours_en: Some("Weekdays 9:00–17:00 (Japan)".to_owned()),
        },
        ..Insurer::default()
    }
}

/// Writes and imports the made-up roster at the first start, and gives people to sign in as.
pub async fn fill_roster(app: &App, data: &Path) -> anyhow::Result<Vec<SampleMember>> {
    let members = &app.members;
    let insurer = members.config.insurers.first().context("the demo has an insurer")?;
    let shown: Vec<SamplePerson> = SamplePeople::new(insurer, SEED)
        .take(PEOPLE)
        .filter(|person| {
            person.category == Category::Insured
                && person.birth_date.age_on(today(&members.clock)) >= insurer.policy.minimum_age
        })
        .take(SHOWN)
        .collect();
    let first = shown.first().context("the sample roster is empty")?;
    let there = roster::find_insured(&members.db, &insurer.code, &first.symbol, &first.number).await?;
    if there.is_none() {
        let path = data.join("roster.csv");
        write_roster(std::io::BufWriter::new(std::fs::File::create(&path)?), insurer, PEOPLE, SEED)?;
        let import = RosterImport {
            db: &members.db,
            clock: &members.clock,
            entropy: &members.entropy,
            insurer,
            file_name: "roster.csv",
            actor: "system",
            complete: false,
            preview: false,
        };
        import.run(std::fs::File::open(&path)?, |_, _| {}).await?;
    }
    shown
        .into_iter()
        .map(|person| {
            Ok(SampleMember {
                login_id: LoginId::from_parts(insurer, &person.symbol, &person.number)?.to_string(),
                temporary_password: person.birth_date.compact(),
                kana: person.kana.as_str().to_owned(),
            })
        })
        .collect()
}

/// Registers the sample health app, or moves it to this start's ports. Its secret follows from the master
/// key, so it stays the same and is stored nowhere.
pub async fn register_health_app(app: &App, places: &Places) -> anyhow::Result<SampleClient> {
    let members = &app.members;
    let now = members.clock.now();
    let secret = members.master.mac_base64url("demo-client", b"health-app");
    let metadata = Metadata {
        // Experiments of the reader come from other ports of this machine (RFC 8252 §7.3).
        application_type: ApplicationType::Native,
        ..HealthApp::metadata(&places.app.parse()?)
    };
    metadata.validate(&supported(&members.config))?;
    let hash = digest::sha256_base64url(&secret);
    let stored = StoredSecret { hash, created_at: now, expires_at: None, sealed: None };
    let id = "health-app".to_owned();
    let mut client = Client { secrets: vec![stored], ..Client::new(id, metadata, now) };
    match Client::find_any(&members.db, &client.id).await? {
        Some(before) => {
            client.version = before.version;
            client.save(&members.db, now).await?;
        }
        None => client.insert(&members.db, now).await?,
    }
    Ok(SampleClient { id: client.id, secret })
}
