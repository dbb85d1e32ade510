//! The services that the configuration names: database, ephemeral store, mail relay.

use std::{collections::BTreeSet, io::Write, time::Duration};

use super::{Report, machine};
use crate::{
    clock::{Clock, Timestamp},
    config::{Config, mail::Security},
    crypto::{KeyState, MasterKey},
    ephemeral::{Ephemeral, EphemeralError},
    mail::smtp::Relay,
    storage::{Db, StorageError, signing_key},
};

/// Difference of two clocks that is told of, and one that is a failure.
const SKEWED: Duration = Duration::from_secs(1);
const TOO_SKEWED: Duration = Duration::from_secs(30);

/// Whether the database answers, has its schema and takes changes; none if there is nothing to go on with.
/// Nothing is made here: a file that the wrong user made would keep the service from starting.
pub(super) async fn database(
    config: &Config,
    clock: &Clock,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<Option<Db>> {
    if let Some(file) = machine::file_of(&config.database.url)
        && !machine::is_there(file, report)?
    {
        return Ok(None);
    }
    let opened = async {
        let db = Db::open(&config.database.url, config.database.connections).await?;
        db.ping().await?;
        let pending = db.pending_migrations().await?;
        Ok::<_, StorageError>((db, pending))
    };
    let (db, pending) = match opened.await {
        Ok(found) => found,
        Err(error) => {
            let advice = "check database.url, the network and the server's log";
            report.bad("database", &error.in_plain_words(), advice)?;
            return Ok(None);
        }
    };
    report.good("database", &format!("{} answers", db.engine()))?;
    if pending == 0 {
        report.good("schema", "is up to date")?;
    } else {
        let finding = format!("{pending} migrations are pending");
        report.warn("schema", &finding, "kenpos-idp migrate applies them; so does serve by default")?;
        return Ok(None);
    }
    match db.try_change().await {
        Ok(()) => report.good("database", "takes changes")?,
        Err(error) => {
            let advice =
                "the URL must lead to the primary, the disk must have room, the user must own the tables";
            report.bad("database", &error.in_plain_words(), advice)?;
        }
    }
    let before = clock.now();
    if let Some(theirs) = db.time().await? {
        skew("PostgreSQL", before, theirs, clock.now(), report)?;
    }
    Ok(Some(db))
}

/// Whether a server's clock agrees with this machine's; `before` and `after` are when it was asked.
fn skew(
    whose: &str,
    before: Timestamp,
    theirs: Timestamp,
    after: Timestamp,
    report: &mut Report<'_, impl Write>,
) -> std::io::Result<()> {
    // One of the two differences is nothing, and it may be any time in between.
    let difference = before.since(theirs).max(theirs.since(after));
    let finding = format!("differs from that of {whose} by {} ms", difference.as_millis());
    let advice = "let every machine follow NTP: codes, tokens and pauses go by the clock of the node";
    if difference >= TOO_SKEWED {
        report.bad("clock", &finding, advice)
    } else if difference >= SKEWED {
        report.warn("clock", &finding, advice)
    } else {
        report.good("clock", &format!("agrees with that of {whose}"))
    }
}

/// Whether what expires has its place; without a Redis that is the database.
pub(super) async fn ephemeral(
    config: &Config,
    db: Option<&Db>,
    clock: &Clock,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<()> {
    let what = "ephemeral store";
    let answered = async {
        let store = match (&config.ephemeral.url, db) {
            (Some(_), _) => Ephemeral::redis(&config.ephemeral, clock.clone()).await?,
            (None, Some(db)) => Ephemeral::sql(db.clone(), clock.clone()),
            // What is to be said of it was said.
            (None, None) => return Ok(None),
        };
        store.ping().await?;
        Ok::<_, EphemeralError>(Some(store))
    };
    match answered.await {
        Ok(Some(store)) => {
            report.good(what, &format!("{} answers", store.engine()))?;
            condition(&store, clock, report).await?;
        }
        Ok(None) => {}
        Err(error) => {
            report.bad(what, &error.to_string(), "check ephemeral.url and the server's log")?;
        }
    }
    if config.ephemeral.url.is_none() && db.is_some_and(|db| db.engine() == "PostgreSQL") {
        let advice = "fine for one small node; several nodes, or many members, want ephemeral.url";
        report.warn(what, "sessions and tokens are in PostgreSQL, not in Redis", advice)?;
    }
    Ok(())
}

/// Whether Redis keeps what it was given.
async fn condition(
    store: &Ephemeral,
    clock: &Clock,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<()> {
    let what = "ephemeral store";
    let before = clock.now();
    let condition = match store.condition().await {
        Ok(Some(condition)) => condition,
        Ok(None) => return Ok(()),
        Err(error) => {
            let advice = "its user should be allowed INFO and TIME, so that this can be looked at";
            return Ok(report.warn(what, &format!("does not tell its settings: {error}"), advice)?);
        }
    };
    if let Some(theirs) = condition.time {
        skew("Redis", before, theirs, clock.now(), report)?;
    }
    if condition.append_only {
        report.good(what, "keeps an append-only file")?;
    } else {
        let advice = "set appendonly yes: without it a restart signs every member out";
        report.warn(what, "keeps no append-only file", advice)?;
    }
    match condition.eviction.as_deref() {
        Some("noeviction") => report.good(what, "evicts nothing")?,
        Some(policy) => {
            let finding = format!("evicts by {policy} when its memory is full");
            let advice =
                "set maxmemory-policy noeviction: marks of used codes and counts of guesses must stay";
            report.bad(what, &finding, advice)?;
        }
        None => report.warn(what, "does not tell what it evicts", "it must be noeviction")?,
    }
    Ok(())
}

/// Whether the signing keys open and can be rotated; gives the IDs of those that relying parties must know.
pub(super) async fn keys(
    config: &Config,
    db: &Db,
    master: Option<&MasterKey>,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<BTreeSet<String>> {
    let what = "signing key";
    let keys = signing_key::list(db).await?;
    let advice = "this node needs the master.key with which the keys were made; see keys/README.md";
    match master {
        Some(master) => match signing_key::load(db, master).await {
            Ok(opened) => report.good(what, &format!("{} open with the master key", opened.len()))?,
            Err(error) => report.bad(what, &error.in_plain_words(), advice)?,
        },
        None if keys.is_empty() => {}
        None => report.bad(what, "the database has keys, and nothing to open them is here", advice)?,
    }
    for alg in &config.keys.algorithms {
        let has = |state| keys.iter().any(|key| key.alg == *alg && key.state == state);
        if !has(KeyState::Active) {
            report.warn(what, &format!("{alg} has no key yet"), "serve makes one when it starts")?;
        } else if has(KeyState::Next) {
            report.good(what, &format!("{alg} has an active key, and a next one to rotate to"))?;
        } else {
            report.warn(what, &format!("{alg} has no next key"), "serve makes one when it starts")?;
        }
    }
    Ok(keys.into_iter().filter(|key| key.state == KeyState::Active).map(|key| key.kid).collect())
}

/// Whether the relay takes mail from here.
pub(super) async fn relay(config: &Config, report: &mut Report<'_, impl Write>) -> anyhow::Result<()> {
    let what = "mail relay";
    let advice = "check [mail]; until it works, mails wait in the outbox and nothing is lost";
    let relay = match Relay::new(&config.mail) {
        Ok(relay) => relay,
        Err(error) => return Ok(report.bad(what, &error.to_string(), advice)?),
    };
    let (host, security) = (&config.mail.host, config.mail.security);
    match relay.check().await {
        Err(refusal) => report.bad(what, &format!("{refusal}"), advice)?,
        Ok(()) if security == Security::None => {
            report.good(what, &format!("{host} takes mail, without TLS"))?;
        }
        Ok(()) => {
            let how = if security == Security::Tls { "TLS" } else { "STARTTLS" };
            report.good(what, &format!("{host} takes mail, over {how}"))?;
        }
    }
    Ok(())
}
