//! Spray detection: one birth date tried on many login IDs, or many IDs of an insurer failing.
//!
//! A tripped alarm stops activation by birth date alone for that insurer while it lasts, because by then every
//! hit is more likely the attacker's. Who has an activation code goes on with it, and members who are active already sign in as ever.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Members;
use crate::{
    audit::{self, Event},
    clock::Timestamp,
    ephemeral::Record,
    fault::Fault,
};

/// How long failures are remembered, and how long an alarm lasts.
const HOUR: Duration = Duration::from_secs(3600);

/// By how much an alarm that is on is prolonged at least.
const PROLONGED: Duration = Duration::from_secs(60);

/// Name of the alarm of e-mail login IDs; no portal code is like it.
const ADDRESSES: &str = "addresses";

/// An alarm of an insurer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SprayAlarm {
    until: Timestamp,
}

impl Record for SprayAlarm {
    const KIND: &'static str = "spray-alarm";
}

/// That an ID was counted already.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seen {}

impl Record for Seen {
    const KIND: &'static str = "spray-seen";
}

impl Members {
    /// Whether activation by birth date is stopped for an insurer.
    pub async fn spray_alarm(&self, insurer: &str) -> Result<bool, Fault> {
        let alarm = self.ephemeral.get::<SprayAlarm>(insurer).await?;
        Ok(alarm.is_some_and(|alarm| self.clock.now() < alarm.value.until))
    }

    /// Counts a failed guess. The guess comes as [`super::login_id::fold_numeric`] leaves it, which is how it
    /// was compared: a date is the same date in any width. It is kept as a keyed hash only.
    pub(super) async fn note_failure(&self, insurer: &str, id_key: &str, guess: &str) -> Result<(), Fault> {
        if self.tally(insurer, id_key, guess).await? {
            self.raise_alarm(insurer).await?;
        }
        Ok(())
    }

    /// Counts a right guess where no alarm looks: where the answer must not tell a hit from a miss, a hit
    /// takes the time of a miss.
    pub(super) async fn note_hit(&self, id_key: &str, guess: &str) -> Result<(), Fault> {
        self.tally("hits", id_key, guess).await.map(|_| ())
    }

    /// Whether the counts of a group are too high with this guess.
    async fn tally(&self, insurer: &str, id_key: &str, guess: &str) -> Result<bool, Fault> {
        let limits = &self.config.limits;
        self.spend_failure(insurer).await?;
        let failing = self.distinct(&format!("ids:{insurer}"), id_key).await?;
        let mut tripped = failing > limits.spray_ids_per_hour;
        if guess.len() == 8 && guess.bytes().all(|b| b.is_ascii_digit()) {
            let guess = self.master.mac_base64url("spray", guess.as_bytes());
            let same_date = self.distinct(&format!("date:{insurer}:{guess}"), id_key).await?;
            tripped |= same_date >= limits.spray_ids_per_date;
        }
        Ok(tripped)
    }

    /// Counts `item` into the group `what` once, and gives how many different ones there are; none for one that
    /// was counted already. A member who tries again during an alarm is no spray that goes on.
    async fn distinct(&self, what: &str, item: &str) -> Result<u64, Fault> {
        if self.ephemeral.insert(&format!("{what}:{item}"), &Seen {}, HOUR).await? {
            Ok(self.ephemeral.count(&format!("spray:{what}"), HOUR).await?)
        } else {
            Ok(0)
        }
    }

    /// Raises the alarm of an insurer, or makes one that is on last longer. Of several insurers an
    /// address may name none: then the alarm has none, stops nothing and only tells the operators.
    async fn raise_alarm(&self, insurer: &str) -> Result<(), Fault> {
        let now = self.clock.now();
        let (group, named) = if insurer.is_empty() { (ADDRESSES, None) } else { (insurer, Some(insurer)) };
        let alarm = SprayAlarm { until: now.plus(HOUR) };
        let raised = match self.ephemeral.get::<SprayAlarm>(group).await? {
            Some(on) if now < on.value.until => {
                // Once a minute is often enough; who loses against a parallel failure has nothing to add.
                if alarm.until.since(on.value.until) >= PROLONGED {
                    self.ephemeral.swap(group, &on, &alarm, HOUR).await?;
                }
                false
            }
            Some(over) => self.ephemeral.swap(group, &over, &alarm, HOUR).await?,
            None => self.ephemeral.insert(group, &alarm, HOUR).await?,
        };
        if raised {
            if let Some(insurer) = named {
                tracing::warn!(insurer, "spray alarm: activation by birth date is stopped for an hour");
            } else {
                tracing::warn!("spray alarm: many addresses are tried as login IDs");
            }
            metrics::counter!("kenpos_spray_alarms_total").increment(1);
            let action = if named.is_some() { "insurer.spray_alarm" } else { "addresses.spray_alarm" };
            let event = Event { insurer: named, ..Event::system(action) }
                .with_detail(json!({ "until": alarm.until }));
            audit::record(&self.db, &self.entropy, now, event).await?;
        }
        Ok(())
    }
}
