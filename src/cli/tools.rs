//! What commands work with, and what they find by their options.

use std::path::Path;

use anyhow::Context as _;

use crate::{
    app::{App, open_database, open_master_key},
    clock::{Clock, Entropy},
    config::{Config, Insurer},
    crypto::MasterKey,
    members::login_id::{self, Typed},
    oidc::signing::Signing,
    storage::Db,
    texts::{Locale, Texts},
};

/// The provider without its listeners, for acts that do what a page would do.
pub(super) async fn office(file: Option<&Path>) -> anyhow::Result<App> {
    Ok(App::open(Config::load(file)?, Clock::system(), Entropy::system()).await?)
}

/// What commands beside `serve` work with.
pub struct Tools {
    /// The configuration.
    pub config: Config,
    /// The database, with its schema up to date.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Chance.
    pub entropy: Entropy,
}

impl Tools {
    /// Opens the database of a configuration.
    pub(super) async fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let config = Config::load(file)?;
        let db = open_database(&config).await?;
        Ok(Self { config, db, clock: Clock::system(), entropy: Entropy::system() })
    }

    pub(super) async fn master(&self) -> anyhow::Result<MasterKey> {
        Ok(open_master_key(&self.config, &self.db, &self.entropy).await?)
    }

    pub(super) async fn signing(&self) -> anyhow::Result<Signing> {
        let master = self.master().await?;
        let (db, clock, entropy) = (self.db.clone(), self.clock.clone(), self.entropy.clone());
        Ok(Signing::load(db, master, clock, entropy, &self.config.keys).await?)
    }
}

/// A login ID and its insurer: the one that a number names, and no other may be named beside it; or the one
/// named with an address.
pub(super) fn typed_of<'a>(
    config: &'a Config,
    typed: &str,
    code: Option<&str>,
) -> anyhow::Result<(Typed, &'a Insurer)> {
    let typed = login_id::parse(typed, &config.insurers).map_err(|error| {
        anyhow::anyhow!(Texts::load().map_or_else(
            |_| error.to_string(),
            |texts| texts.text(Locale::En, error.text_id(), &error.args()),
        ))
    })?;
    let named = match &typed {
        Typed::Number(id) => Some(id.insurer()),
        Typed::Email(_) => None,
    };
    if let (Some(named), Some(code)) = (named, code) {
        anyhow::ensure!(named == code, "this login ID is of insurer {named}, not of {code}");
    }
    let insurer = insurer_of(config, named.or(code))?;
    Ok((typed, insurer))
}

/// The insurer of a portal code, or the only one.
pub(super) fn insurer_of<'a>(config: &'a Config, code: Option<&str>) -> anyhow::Result<&'a Insurer> {
    match (code, config.insurers.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => anyhow::bail!("there are several insurers; name one with --insurer"),
        (Some(code), insurers) => insurers
            .iter()
            .find(|insurer| insurer.code == code)
            .with_context(|| format!("no insurer of the configuration has the code {code}")),
    }
}

/// The language of an option.
pub(super) fn locale(tag: &str) -> Result<Locale, String> {
    Locale::from_tag(tag).ok_or_else(|| "must be ja or en".to_owned())
}
