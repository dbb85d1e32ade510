//! `/admin/api/v1/numbers`: the numbers of the dashboard.

use axum::Json;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{guard::Caller, problem::Problem};
use crate::operators::numbers::{Series, Waiting};

#[derive(OpenApi)]
#[openapi(paths(get))]
pub(super) struct Doc;

/// What happened on a day in Japan.
#[derive(Debug, Serialize, ToSchema)]
pub struct Day {
    /// The day.
    #[schema(format = Date)]
    pub day: String,
    /// First-time registrations that were completed.
    pub activations: i64,
    /// Members who signed in.
    pub sign_ins: i64,
    /// Failures of all kinds.
    pub failures: i64,
}

/// Failures of a kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failures {
    /// As the audit calls them.
    #[schema(example = "member.sign_in_failed")]
    pub action: String,
    /// How many there were on all these days.
    pub count: i64,
}

/// A queue of what is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueNumbers {
    /// What waits to be sent.
    pub queued: i64,
    /// What the receiver took.
    pub sent: i64,
    /// What was refused for good or given up.
    pub failed: i64,
}

/// The numbers of two weeks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Numbers {
    /// The days, the oldest first, today included.
    pub days: Vec<Day>,
    /// Failures by kind.
    pub failures: Vec<Failures>,
    /// Spray alarms of these days.
    pub alarms: i64,
    /// Portal codes of the insurers whose activation by birth date is stopped now.
    pub alarmed: Vec<String>,
    /// The queue of mails; absent for clients of one insurer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mails: Option<QueueNumbers>,
    /// The queue of messages of the protocol to apps; absent for clients of one insurer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<QueueNumbers>,
    /// The queue of webhooks; absent for clients of one insurer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<QueueNumbers>,
}

/// Shows the numbers
///
/// Activations, sign-ins, failures, alarms and the queues: what the dashboard shows.
#[utoipa::path(
    get, path = "/admin/api/v1/numbers", tag = "Numbers", operation_id = "getNumbers",
    responses((status = 200, description = "The numbers", body = Numbers)),
)]
pub async fn get(caller: Caller) -> Result<Json<Numbers>, Problem> {
    let numbers = caller.app().operators.numbers(caller.scope()).await?;
    let of = |wanted: Series, at: usize| {
        let found = numbers.series.iter().find(|(series, _)| *series == wanted);
        found.and_then(|(_, days)| days.get(at)).map_or(0, |(_, count)| *count)
    };
    let days = numbers.series.first().map(|(_, days)| days.as_slice()).unwrap_or_default();
    let day = |(at, (day, _)): (usize, &(jiff::civil::Date, i64))| Day {
        day: day.to_string(),
        activations: of(Series::Activations, at),
        sign_ins: of(Series::SignIns, at),
        failures: of(Series::Failures, at),
    };
    let failures = numbers.failures.iter();
    let queue = |wanted: Waiting| {
        let found = numbers.queues.iter().find(|(waiting, _)| *waiting == wanted);
        found.map(|(_, counts)| QueueNumbers {
            queued: counts.queued,
            sent: counts.sent,
            failed: counts.failed,
        })
    };
    Ok(Json(Numbers {
        days: days.iter().enumerate().map(day).collect(),
        failures: failures
            .map(|(action, count)| Failures { action: (*action).to_owned(), count: *count })
            .collect(),
        alarms: numbers.alarms,
        mails: queue(Waiting::Mails),
        deliveries: queue(Waiting::Deliveries),
        webhooks: queue(Waiting::Webhooks),
        alarmed: numbers.alarmed,
    }))
}
