//! `doctor`: checks a configuration against the services it names and explains each finding.

use std::{io::Write, path::Path, process::ExitCode};

use serde_json::{Value, json};

use crate::{
    app::open_ephemeral,
    clock::{Clock, Entropy},
    config::{Config, Insurer},
    crypto::{KeyState, MasterKey, certificate},
    egress::Egress,
    mail::outbox::Outbox,
    members::documents::Documents,
    oidc::scope::Scope,
    storage::{Db, signing_key},
    texts::Texts,
    web::{colour::Colour, logos::Logos, tls::Tls},
};

/// Prints a line for each check, or a JSON array of them; exit code 1 if one failed.
pub async fn run(file: Option<&Path>, as_json: bool, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let mut report = Report { out, failed: false, told: as_json.then(Vec::new) };
    match Config::load(file) {
        Ok(config) => {
            report.good("configuration", "is complete and valid")?;
            examine(&config, &mut report).await?;
        }
        Err(error) => report.bad("configuration", &error.to_string(), "mend the keys named above")?,
    }
    if let Some(told) = report.told {
        super::output::print(&told.into(), report.out)?;
    }
    Ok(if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Report<'a, W> {
    out: &'a mut W,
    failed: bool,
    /// The findings, where they are told at once.
    told: Option<Vec<Value>>,
}

impl<W: Write> Report<'_, W> {
    fn good(&mut self, what: &str, finding: &str) -> std::io::Result<()> {
        self.line("ok", what, finding, None)
    }

    fn note(&mut self, what: &str, finding: &str, advice: &str) -> std::io::Result<()> {
        self.line("note", what, finding, Some(advice))
    }

    fn bad(&mut self, what: &str, finding: &str, advice: &str) -> std::io::Result<()> {
        self.failed = true;
        self.line("FAIL", what, finding, Some(advice))
    }

    fn line(&mut self, mark: &str, what: &str, finding: &str, advice: Option<&str>) -> std::io::Result<()> {
        if let Some(told) = &mut self.told {
            let result = mark.to_lowercase();
            told.push(json!({ "result": result, "check": what, "finding": finding, "advice": advice }));
            return Ok(());
        }
        writeln!(self.out, "{mark:<4}  {what}: {finding}")?;
        advice.map_or(Ok(()), |advice| writeln!(self.out, "      {advice}"))
    }
}

async fn examine(config: &Config, report: &mut Report<'_, impl Write>) -> anyhow::Result<()> {
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let master = match MasterKey::load_or_create(&config.keys.directory, &entropy) {
        Ok(master) => {
            report.good("master key", "is there and readable by its owner alone; keep a backup of it")?;
            Some(master)
        }
        Err(error) => {
            report.bad("master key", &error.to_string(), "see keys/README.md")?;
            None
        }
    };
    match Documents::read(&config.insurers) {
        Ok(_) => report.good("documents", "every insurer has its privacy notice and terms")?,
        Err(error) => report.bad("documents", &error.to_string(), "name files that the server may read")?,
    }
    insurers(&config.insurers, report)?;
    registration(config, report)?;
    tls(config, &clock, report).await?;
    let Some(db) = database(config, report).await? else { return Ok(()) };
    ephemeral(config, &db, &clock, report).await?;
    keys(config, &db, report).await?;
    if let Some(master) = master {
        let texts = std::sync::Arc::new(Texts::load()?);
        relay(config, Outbox::new(db, master, clock, entropy, texts, &config.mail), report).await?;
    }
    if config.server.metrics_listen.is_none() {
        report.note(
            "metrics",
            "are not served",
            "set server.metrics_listen to an address of your own network",
        )?;
    }
    Ok(())
}

/// What is allowed and yet seldom meant. What is wrong, the configuration has said already.
fn insurers(insurers: &[Insurer], report: &mut Report<'_, impl Write>) -> std::io::Result<()> {
    match Logos::read(insurers) {
        Ok(_) => {}
        Err(error) => report.bad("logo", &error.to_string(), "name a file that the server may read")?,
    }
    for (at, insurer) in insurers.iter().enumerate() {
        let what = format!("insurer {}", insurer.code);
        if let Some(worse) =
            Colour::from_hex(insurer.colour.trim_start_matches('#')).and_then(Colour::adapted)
        {
            let finding = format!("{} is too pale for text on white (WCAG 2.2 AA, 4.5:1)", insurer.colour);
            let advice = format!("buttons and links take #{} instead; the page's head keeps it", worse.hex());
            report.note(&what, &finding, &advice)?;
        }
        for other in insurers.iter().take(at).filter(|other| insurer.can_be_mistaken_for(other)) {
            let finding = format!("its login IDs look like those of {} without their hyphen", other.code);
            report.note(&what, &finding, "members must then type the hyphen; other digits would avoid it")?;
        }
        let built_in: Vec<_> =
            ["privacy", "terms"].into_iter().filter(|kind| !insurer.documents.contains_key(*kind)).collect();
        if !built_in.is_empty() {
            let finding = format!("has no {} of its own", built_in.join(" and no "));
            report.note(&what, &finding, "members accept the built-in text; name files in its documents")?;
        }
        if insurer.name_en.is_none() {
            let advice = "English pages and mails show the Japanese name; set name_en";
            report.note(&what, "has no English name", advice)?;
        }
    }
    report.good("insurers", &format!("{} with codes, numbers and hosts of their own", insurers.len()))
}

/// The way out to the servers of apps, and who may register one.
fn registration(config: &Config, report: &mut Report<'_, impl Write>) -> anyhow::Result<()> {
    match Egress::new(&config.egress) {
        Ok(_) => report.good("egress", "apps' servers can be called")?,
        Err(error) => report.bad("egress", &error.to_string(), "check [egress]")?,
    }
    let settings = &config.registration;
    for scope in settings.scopes.iter().filter(|scope| !Scope::NAMES.contains(&scope.as_str())) {
        let finding = format!("there is no scope {scope:?}");
        report.bad("registration", &finding, "no app can register until it leaves registration.scopes")?;
    }
    if settings.open {
        report.note(
            "registration",
            "anyone may register an app",
            "unset registration.open unless you mean it",
        )?;
    }
    if settings.certification {
        let advice = "unset registration.certification: it is for a run of the conformance suite alone";
        report.note("registration", "apps that register themselves may go without PKCE", advice)?;
    }
    Ok(())
}

/// Days before its end from which a certificate is told of: those made by ACME are long renewed by then.
const SOON: u64 = 21;

async fn tls(config: &Config, clock: &Clock, report: &mut Report<'_, impl Write>) -> anyhow::Result<()> {
    let what = "certificate";
    let (Some(file), Some(key)) = (&config.server.tls.certificate, &config.server.tls.key) else {
        let advice = "a proxy must end TLS and be named in server.trusted_proxies; or set server.tls";
        return Ok(report.note(what, "none: the server speaks plain HTTP", advice)?);
    };
    if let Err(error) = Tls::load(file, key).await {
        let advice = "server.tls names two PEM files; serve reads them again when they change";
        return Ok(report.bad(what, &error.to_string(), advice)?);
    }
    let pem = tokio::fs::read(file).await?;
    let issuer = url::Url::parse(&config.server.issuer)?;
    let host = issuer.host_str().unwrap_or_default();
    if Tls::names(&pem, host) {
        report.good(what, &format!("is for {host}"))?;
    } else {
        report.bad(what, &format!("is not for {host}"), "browsers will refuse it: get one for that name")?;
    }
    let (now, end) = (clock.now(), certificate::not_after(&pem)?);
    let days = end.since(now).as_secs() / 86_400;
    if end <= now {
        report.bad(what, "has expired", "put a new one into the files of server.tls")?;
    } else if days < SOON {
        report.note(what, &format!("expires in {days} days"), "see that it is renewed")?;
    } else {
        report.good(what, &format!("is valid for {days} more days"))?;
    }
    Ok(())
}

async fn database(config: &Config, report: &mut Report<'_, impl Write>) -> anyhow::Result<Option<Db>> {
    let opened = async {
        let db = Db::open(&config.database.url, config.database.connections).await?;
        db.ping().await?;
        Ok::<_, crate::storage::StorageError>(db)
    };
    let db = match opened.await {
        Ok(db) => db,
        Err(error) => {
            report.bad(
                "database",
                &error.to_string(),
                "check database.url, the network and the server's log",
            )?;
            return Ok(None);
        }
    };
    report.good("database", &format!("{} answers", db.engine()))?;
    match db.pending_migrations().await? {
        0 => report.good("schema", "is up to date")?,
        pending => {
            let finding = format!("{pending} migrations are pending");
            report.note("schema", &finding, "kenpos-idp migrate applies them; so does serve by default")?;
            return Ok(None);
        }
    }
    Ok(Some(db))
}

async fn ephemeral(
    config: &Config,
    db: &Db,
    clock: &Clock,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<()> {
    let answered = match open_ephemeral(config, db, clock).await {
        Ok(store) => store.ping().await.map(|()| store.engine()),
        Err(error) => Err(error),
    };
    match answered {
        Ok(engine) => report.good("ephemeral store", &format!("{engine} answers"))?,
        Err(error) => {
            report.bad("ephemeral store", &error.to_string(), "check ephemeral.url and the server's log")?;
        }
    }
    if config.ephemeral.url.is_none() && db.engine() == "PostgreSQL" {
        let advice = "fine for one small node; several nodes, or many members, want ephemeral.url";
        report.note("ephemeral store", "sessions and tokens are in PostgreSQL, not in Redis", advice)?;
    }
    Ok(())
}

async fn keys(config: &Config, db: &Db, report: &mut Report<'_, impl Write>) -> anyhow::Result<()> {
    let keys = signing_key::list(db).await?;
    for alg in &config.keys.algorithms {
        let active = keys.iter().any(|key| key.alg == *alg && key.state == KeyState::Active);
        if active {
            report.good("signing key", &format!("{alg} has an active key"))?;
        } else {
            report.note("signing key", &format!("{alg} has no key yet"), "serve makes one when it starts")?;
        }
    }
    Ok(())
}

async fn relay(
    config: &Config,
    outbox: Result<Outbox, crate::mail::outbox::OutboxError>,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<()> {
    let advice = "check [mail]; until it works, mails wait in the outbox and nothing is lost";
    match outbox {
        Err(error) => report.bad("mail relay", &error.to_string(), advice)?,
        Ok(outbox) => match outbox.relay().check().await {
            Ok(()) => report.good("mail relay", &format!("{} takes mail", config.mail.host))?,
            Err(refusal) => report.bad("mail relay", &format!("{refusal}"), advice)?,
        },
    }
    Ok(())
}
