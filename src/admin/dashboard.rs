//! `/admin`: the numbers of the last days.

use axum::response::Response;
use serde::Serialize;

use super::{guard::Operator, plot::Plot};
use crate::{
    operators::{
        Permission,
        numbers::{DAYS, FAILURES, SERIES, Series, Waiting},
    },
    pages::sample,
    storage::queue::Counts,
    texts::{Given, Locale},
    web::{PageError, templates::Page},
};

/// What happened, by day, and what waits.
#[derive(Clone, Debug, Serialize)]
pub struct Dashboard {
    /// Days that are shown.
    pub days: i64,
    /// The series.
    pub plots: Vec<Plot>,
    /// Failures by kind.
    pub failures: Vec<Failure>,
    /// Spray alarms of these days.
    pub alarms: i64,
    /// Names of the insurers with an alarm now.
    pub alarmed: Vec<Given>,
    /// What waits to be sent; empty for those who work for one insurer.
    pub queues: Vec<Queue>,
}

/// A kind of failure.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Name of its text.
    pub text: String,
    /// How often.
    pub count: i64,
}

/// The length of a queue, as a bar.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Queue {
    /// `mails`, `deliveries` or `webhooks`, as in names of texts and ids.
    pub id: &'static str,
    /// Where it is looked at, for those who may.
    pub path: Option<&'static str>,
    /// Waiting, or being sent.
    pub queued: i64,
    /// Given up in the last days.
    pub failed: i64,
    /// Units of 100 of the bar of those that wait.
    pub queued_width: i64,
    /// Units of 100 of the bar of those that were given up.
    pub failed_width: i64,
}

/// Name of the text for an action of the audit: `member.signed_in` is `audit-member-signed_in`.
pub fn action_text(action: &str) -> String {
    format!("audit-{}", action.replace('.', "-"))
}

impl Page for Dashboard {
    const TEMPLATE: &'static str = "admin/dashboard.html";

    fn samples() -> Vec<Self> {
        let counts = |queued, failed| Counts { queued, failed, ..Counts::default() };
        let first = jiff::civil::date(2026, 11, 10);
        let days: Vec<_> = first.series(jiff::Span::new().days(1)).take(14).collect();
        let series = |counts: [i64; 14]| days.iter().copied().zip(counts).collect::<Vec<_>>();
        let busy = series([120, 131, 99, 40, 38, 150, 142, 160, 133, 128, 51, 47, 170, 12]);
        let quiet = Self {
            days: DAYS,
            plots: SERIES.map(|(one, _)| plot(one, &series([0; 14]))).into(),
            failures: failures(FAILURES.map(|action| (action, 0)).as_slice()),
            alarms: 0,
            alarmed: vec![],
            queues: vec![],
        };
        let usual = Self {
            plots: SERIES.map(|(one, _)| plot(one, &busy)).into(),
            failures: failures(FAILURES.map(|action| (action, 17)).as_slice()),
            alarms: 2,
            alarmed: ["さくら健康保険組合", sample::HOSTILE]
                .map(|name| Given::choose(Locale::Ja, name, None))
                .into(),
            queues: queues(
                &[
                    (Waiting::Mails, counts(12, 3)),
                    (Waiting::Deliveries, counts(0, 0)),
                    (Waiting::Webhooks, counts(90_000, 1)),
                ],
                true,
            ),
            ..quiet.clone()
        };
        let calm = Self { queues: queues(&[(Waiting::Mails, counts(0, 0))], false), ..quiet.clone() };
        vec![usual, quiet, calm]
    }
}

fn plot(series: Series, days: &[(jiff::civil::Date, i64)]) -> Plot {
    match series {
        Series::Activations => Plot::new("activations", "dashboard-activations", days),
        Series::SignIns => Plot::new("sign-ins", "dashboard-sign-ins", days),
        Series::Failures => Plot::new("failures", "dashboard-failures", days),
        Series::Alarms => Plot::new("spray-alarms", "dashboard-alarms", days),
    }
}

/// Bars of the same measure, so that the longest fills the width. `linked`: the reader may look at them.
fn queues(counts: &[(Waiting, Counts)], linked: bool) -> Vec<Queue> {
    let most = counts.iter().map(|(_, counts)| counts.queued.max(counts.failed)).max().unwrap_or(0).max(1);
    // What waits at all is seen.
    let width = |count: i64| if count > 0 { (count.saturating_mul(100) / most).max(1) } else { 0 };
    let bar = |(waiting, counts): &(Waiting, Counts)| {
        let (id, path) = match waiting {
            Waiting::Mails => ("mails", "/admin/mails"),
            Waiting::Deliveries => ("deliveries", "/admin/deliveries?line=protocol"),
            Waiting::Webhooks => ("webhooks", "/admin/deliveries?line=webhooks"),
        };
        Queue {
            id,
            path: linked.then_some(path),
            queued: counts.queued,
            failed: counts.failed,
            queued_width: width(counts.queued),
            failed_width: width(counts.failed),
        }
    };
    counts.iter().map(bar).collect()
}

fn failures(counts: &[(&str, i64)]) -> Vec<Failure> {
    counts.iter().map(|(action, count)| Failure { text: action_text(action), count: *count }).collect()
}

/// GET `/admin`
pub async fn get(operator: Operator) -> Result<Response, PageError> {
    let app = operator.app();
    let numbers = app.operators.numbers(operator.scope()).await?;
    let name = |code: &String| {
        let insurer = app.members.insurer(code);
        insurer
            .map_or_else(|| Given::choose(Locale::Ja, code, None), |one| one.name_in(operator.visit.locale))
    };
    let page = Dashboard {
        days: DAYS,
        plots: numbers.series.iter().map(|(series, days)| plot(*series, days)).collect(),
        failures: failures(&numbers.failures),
        alarms: numbers.alarms,
        alarmed: numbers.alarmed.iter().map(name).collect(),
        queues: queues(
            &numbers.queues,
            operator.may(Permission::SeeMails) && operator.may(Permission::SeeWebhooks),
        ),
    };
    Ok(operator.show(&page).render()?)
}
