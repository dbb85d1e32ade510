//! The numbers of the dashboard: lines of the audit by day, from the counts that [`crate::audit::chain`] keeps,
//! so that a page costs the same at a thousand members and at a million.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date};

use super::Operators;
use crate::{
    clock::Timestamp,
    egress::deliveries::Lane,
    fault::Fault,
    storage::{audit_chain, queue::Counts, sign_in_failure},
};

/// Days that are shown, today included.
pub const DAYS: i64 = 14;

/// What is counted by day.
pub const SERIES: [(Series, &[&str]); 4] = [
    (Series::Activations, &["member.activated"]),
    (Series::SignIns, &["member.signed_in"]),
    (Series::Failures, &FAILURES),
    (Series::Alarms, &[SPRAY_ALARM]),
];

/// What the audit calls the alarm of a spray of birth dates.
const SPRAY_ALARM: &str = "insurer.spray_alarm";

/// What the audit calls the failed sign-in of a member.
const SIGN_IN_FAILED: &str = "member.sign_in_failed";

/// Kinds of failures, as the audit calls them.
pub const FAILURES: [&str; 6] = [
    SIGN_IN_FAILED,
    "member.password_wrong",
    "registration.eligibility_refused",
    "registration.name_mismatch",
    "recovery.refused",
    "operator.sign_in_failed",
];

/// A series of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// First-time registrations that were completed.
    Activations,
    /// Members who signed in.
    SignIns,
    /// Whatever of [`FAILURES`] happened.
    Failures,
    /// Spray alarms.
    Alarms,
}

/// What waits to be sent, and what was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Mails.
    Mails,
    /// Messages of the protocol to relying parties.
    Deliveries,
    /// Webhooks.
    Webhooks,
}

/// What the dashboard shows.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Each series by day, the oldest first, days without anything included.
    pub series: Vec<(Series, Vec<(Date, i64)>)>,
    /// Failures of these days by kind, in the order of [`FAILURES`].
    pub failures: Vec<(&'static str, i64)>,
    /// Spray alarms of these days.
    pub alarms: i64,
    /// Insurers whose activation by birth date is stopped now.
    pub alarmed: Vec<String>,
    /// The queues; empty for those who work for one insurer.
    pub queues: Vec<(Waiting, Counts)>,
}

impl Operators {
    /// The numbers that concern whoever works for the insurer `own` (none: for all).
    pub async fn numbers(&self, own: Option<&str>) -> Result<Numbers, Fault> {
        let today = self.clock.now().day_in_japan();
        let first = today.saturating_sub((DAYS - 1).days());
        let days: Vec<Date> = first.series(1.day()).take_while(|day| *day <= today).collect();
        let insurer = own.unwrap_or_default();
        let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
        for row in audit_chain::days(&self.db, &first.to_string(), insurer).await? {
            counts.insert((row.day, row.action), row.count);
        }
        // Failed sign-ins are counted beside the audit, so that a flood of them does not fill it.
        let since = Timestamp::start_of_day_in_japan(first);
        for hour in sign_in_failure::hours(&self.db, since, insurer).await? {
            let day = hour.began_at().day_in_japan().to_string();
            *counts.entry((day, SIGN_IN_FAILED.to_owned())).or_default() += hour.count;
        }
        let on = |day: &Date, action: &str| counts.get(&(day.to_string(), action.to_owned())).unwrap_or(&0);
        let all = |action: &str| days.iter().map(|day| on(day, action)).sum();
        let series = SERIES.map(|(series, actions)| {
            let by_day = days.iter().map(|day| (*day, actions.iter().map(|action| on(day, action)).sum()));
            (series, by_day.collect())
        });
        let mut alarmed = Vec::new();
        for insurer in self.config.insurers.iter().filter(|one| super::is_within(own, Some(&one.code))) {
            if self.spray_alarm(&insurer.code).await? {
                alarmed.push(insurer.code.clone());
            }
        }
        let mut queues = Vec::new();
        if own.is_none() {
            queues.push((Waiting::Mails, self.outbox.counts().await?));
            queues.push((Waiting::Deliveries, self.deliveries.counts(Lane::Protocol).await?));
            queues.push((Waiting::Webhooks, self.deliveries.counts(Lane::Webhooks).await?));
        }
        Ok(Numbers {
            series: series.into(),
            failures: FAILURES.map(|action| (action, all(action))).into(),
            alarms: all(SPRAY_ALARM),
            alarmed,
            queues,
        })
    }
}
