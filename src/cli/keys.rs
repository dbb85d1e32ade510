//! `keys list`, `keys rotate` and `keys retire`.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use crate::{
    audit::{Act, Actor, Reason},
    clock::Timestamp,
    crypto::{Algorithm, KeyState},
    oidc::signing::Signing,
    storage::{
        Db,
        signing_key::{self, KeyRecord},
    },
};

/// A key as it is shown; instants as RFC 3339 in UTC.
#[derive(Serialize)]
struct Shown {
    kid: String,
    alg: Algorithm,
    state: KeyState,
    created: String,
    activated: Option<String>,
    retired: Option<String>,
}

impl From<KeyRecord> for Shown {
    fn from(record: KeyRecord) -> Self {
        Self {
            kid: record.kid,
            alg: record.alg,
            state: record.state,
            created: instant(record.created_at),
            activated: record.activated_at.map(instant),
            retired: record.retired_at.map(instant),
        }
    }
}

/// Lists the signing keys as a table or as a JSON array.
pub async fn list(db: &Db, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let keys: Vec<Shown> = signing_key::list(db).await?.into_iter().map(Shown::from).collect();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&keys)?)?;
        return Ok(());
    }
    let mut line = |kid: &str, alg: &str, state: &str, created: &str, activated: &str, retired: &str| {
        let text = format!("{kid:43}  {alg:5}  {state:7}  {created:20}  {activated:20}  {retired}");
        writeln!(out, "{}", text.trim_end())
    };
    line("KID", "ALG", "STATE", "CREATED", "ACTIVATED", "RETIRED")?;
    for key in &keys {
        let [activated, retired] = [&key.activated, &key.retired].map(|at| at.as_deref().unwrap_or("-"));
        line(&key.kid, key.alg.name(), key.state.name(), &key.created, activated, retired)?;
    }
    Ok(())
}

/// Who changes the keys, and why.
#[derive(Clone, Debug, Args)]
pub struct KeysArgs {
    /// Why, for the audit.
    #[arg(long, default_value = "regular rotation")]
    pub reason: String,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    pub operator: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl KeysArgs {
    fn why(&self) -> anyhow::Result<(Actor, Reason)> {
        Ok((Actor::command_line(&self.operator), Reason::parse(&self.reason)?))
    }
}

/// Options of `keys retire`.
#[derive(Clone, Debug, Args)]
pub struct RetireArgs {
    /// Key ID, as `keys list` shows it.
    #[arg(allow_hyphen_values = true)]
    pub kid: String,
    /// Why, for the audit.
    #[arg(long)]
    pub reason: String,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    pub operator: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Withdraws a key at once and says what changed.
pub async fn retire(signing: &Signing, args: &RetireArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (actor, reason) = (Actor::command_line(&args.operator), Reason::parse(&args.reason)?);
    let retired = signing.retire(&args.kid, Act { actor: &actor, reason: &reason }).await?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&retired)?)?;
        return Ok(());
    }
    writeln!(out, "{:5}  {} is gone: what it signed is refused from now on", retired.alg, retired.retired)?;
    if let Some(active) = retired.active {
        writeln!(out, "       {active} signs now")?;
    }
    Ok(())
}

/// Rotates the signing keys and says what changed.
pub async fn rotate(signing: &Signing, args: &KeysArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (actor, reason) = args.why()?;
    let report = signing.rotate_by(Act { actor: &actor, reason: &reason }).await?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        return Ok(());
    }
    for key in &report.rotated {
        writeln!(out, "{:5}  {} signs now, in place of {}", key.alg, key.active, key.retired)?;
        writeln!(out, "       {} is published and will be the next", key.next)?;
    }
    if report.deleted > 0 {
        writeln!(out, "{} keys retired long ago were deleted", report.deleted)?;
    }
    Ok(())
}

/// RFC 3339, in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map_or_else(|_| at.millis().to_string(), |at| format!("{at:.0}"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::{
        clock::{Clock, Entropy},
        config,
        crypto::MasterKey,
    };

    fn args(json: bool) -> KeysArgs {
        KeysArgs { reason: "regular rotation".to_owned(), operator: "root".to_owned(), json }
    }

    #[tokio::test]
    async fn the_list_shows_each_key_with_its_life_and_a_rotation_says_what_it_did() {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let clock = Clock::manual(Timestamp::from_millis(1_784_000_000_000));
        let settings = config::Keys { algorithms: vec![Algorithm::EdDsa], ..config::Keys::default() };
        let master = MasterKey::from_bytes([6; 32]);
        let signing = Signing::load(db.clone(), master, clock, Entropy::system(), &settings).await.unwrap();

        let mut out = Vec::new();
        rotate(&signing, &args(false), &mut out).await.unwrap();
        let said = String::from_utf8(out).unwrap();
        let mut out = Vec::new();
        list(&db, true, &mut out).await.unwrap();
        let keys: Vec<Value> = serde_json::from_slice(&out).unwrap();
        assert_eq!(keys.len(), 3);
        let mut out = Vec::new();
        list(&db, false, &mut out).await.unwrap();
        let table = String::from_utf8(out).unwrap();
        assert_eq!(table.lines().count(), 4);
        for key in &keys {
            let [kid, state] = ["kid", "state"].map(|name| key[name].as_str().unwrap());
            assert!(said.contains(kid), "{said}");
            let line = table.lines().find(|line| line.starts_with(kid)).unwrap();
            assert!(line.contains("EdDSA") && line.contains(state), "{line}");
            assert_eq!(key["created"], "2026-07-14T03:33:20Z");
            assert_eq!(key["retired"].is_string(), state == "retired");
            assert_eq!(key["activated"].is_null(), state == "next");
        }
        assert!(!table.contains("\"d\""));

        let mut out = Vec::new();
        rotate(&signing, &args(true), &mut out).await.unwrap();
        let report: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(report["rotated"][0]["alg"], "EdDSA");

        // The one that signs is gone at once, and the next one takes over.
        let (gone, next) = (&report["rotated"][0]["active"], &report["rotated"][0]["next"]);
        let mut retirement = RetireArgs {
            kid: gone.as_str().unwrap().to_owned(),
            reason: " ".to_owned(),
            operator: "root".to_owned(),
            json: true,
        };
        assert!(retire(&signing, &retirement, &mut Vec::new()).await.is_err(), "a reason is asked for");
        "leaked".clone_into(&mut retirement.reason);
        let mut out = Vec::new();
        retire(&signing, &retirement, &mut out).await.unwrap();
        let done: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&done["retired"], &done["active"]), (gone, next));
        let ring = signing.current();
        assert!(ring.keys().all(|(key, _)| Some(key.kid()) != gone.as_str()));
        assert_eq!(ring.keys().filter(|(_, state)| *state == KeyState::Next).count(), 1);
        assert!(retire(&signing, &retirement, &mut Vec::new()).await.is_err(), "there is none any more");
        let search = crate::operators::log::until_now(Timestamp::from_millis(i64::MAX - 1));
        let lines = crate::storage::audit_search::page(&db, &search, None, 9).await.unwrap();
        let noted: Vec<&str> = lines.iter().map(|line| line.action.as_str()).collect();
        assert_eq!(noted.iter().filter(|action| **action == "key.rotated").count(), 2, "{noted:?}");
        assert_eq!(noted.iter().filter(|action| **action == "key.retired").count(), 1, "{noted:?}");
    }
}
