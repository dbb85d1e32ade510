//! `doctor`: checks a configuration against the services it names and explains each finding.

mod machine;
mod outside;
mod services;

use std::{io::Write, path::Path, process::ExitCode, sync::Arc};

use serde_json::{Value, json};

use crate::{
    clock::{Clock, Entropy},
    config::{Config, Insurer},
    crypto::MasterKey,
    egress::Egress,
    mail::render::Renderer,
    members::documents::Documents,
    oidc::scope::Scope,
    texts::Texts,
    web::{colour::Colour, logos::Logos, templates::Templates},
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

    fn warn(&mut self, what: &str, finding: &str, advice: &str) -> std::io::Result<()> {
        self.line("warn", what, finding, Some(advice))
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
    let master = master_key(config, report)?;
    match Documents::read(&config.insurers) {
        Ok(_) => report.good("documents", "every insurer has its privacy notice and terms")?,
        Err(error) => report.bad("documents", &error.to_string(), "name files that the server may read")?,
    }
    insurers(&config.insurers, report)?;
    registration(config, report)?;
    texts(report)?;
    machine::disk(config, report)?;
    machine::passwords(config, &entropy, report).await?;
    outside::tls(config, &clock, report).await?;
    outside::telemetry(config, report).await?;
    let db = services::database(config, &clock, report).await?;
    services::ephemeral(config, db.as_ref(), &clock, report).await?;
    services::relay(config, report).await?;
    if let Some(db) = db {
        let known = services::keys(config, &db, master.as_ref(), report).await?;
        outside::issuer(config, &known, report).await?;
    }
    Ok(())
}

/// The master key, if it is there: whoever makes it must be the user of the service, and on one node alone.
fn master_key(config: &Config, report: &mut Report<'_, impl Write>) -> std::io::Result<Option<MasterKey>> {
    let what = "master key";
    match MasterKey::load(&config.keys.directory) {
        Ok(Some(master)) => {
            report.good(what, "is there and readable by its owner alone; keep a backup of it")?;
            Ok(Some(master))
        }
        Ok(None) => {
            let advice = "the first node makes it when it starts; every other one needs a copy of that file";
            let finding = format!("is not in {} yet", config.keys.directory.display());
            report.warn(what, &finding, advice).map(|()| None)
        }
        Err(error) => report.bad(what, &error.to_string(), "see keys/README.md").map(|()| None),
    }
}

/// Pages and mails, in both languages.
fn texts(report: &mut Report<'_, impl Write>) -> std::io::Result<()> {
    let advice = "this program is damaged: install it again";
    let texts = match Texts::load() {
        Ok(texts) => Arc::new(texts),
        Err(error) => return report.bad("texts", &error.to_string(), advice),
    };
    let mails = Renderer::new(Arc::clone(&texts)).map_err(|error| error.to_string());
    match mails.and_then(|_| Templates::load(texts).map_err(|error| error.to_string())) {
        Ok(_) => report.good("texts", "pages and mails are complete in Japanese and English"),
        Err(error) => report.bad("texts", &error, advice),
    }
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
            report.warn(&what, &finding, &advice)?;
        }
        for other in insurers.iter().take(at).filter(|other| insurer.can_be_mistaken_for(other)) {
            let finding = format!("its login IDs look like those of {} without their hyphen", other.code);
            report.warn(&what, &finding, "members must then type the hyphen; other digits would avoid it")?;
        }
        let built_in: Vec<_> =
            ["privacy", "terms"].into_iter().filter(|kind| !insurer.documents.contains_key(*kind)).collect();
        if !built_in.is_empty() {
            let finding = format!("has no {} of its own", built_in.join(" and no "));
            report.warn(&what, &finding, "members accept the built-in text; name files in its documents")?;
        }
        if insurer.name_en.is_none() {
            let advice = "English pages and mails show the Japanese name; set name_en";
            report.warn(&what, "has no English name", advice)?;
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
        report.warn(
            "registration",
            "anyone may register an app",
            "unset registration.open unless you mean it",
        )?;
    }
    if settings.certification {
        let advice = "unset registration.certification: it is for a run of the conformance suite alone";
        report.warn("registration", "apps that register themselves may go without PKCE", advice)?;
    }
    Ok(())
}
