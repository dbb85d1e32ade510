//! `/admin`: the numbers of the last days.

use axum::response::Response;
use serde::Serialize;

use super::{guard::Operator, plot::Plot};
use crate::{
    operators::numbers::{DAYS, FAILURES, Series},
    pages::sample,
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
    /// Mails that wait, and that were given up; for those who work for all insurers.
    pub mails: Option<Mails>,
}

/// A kind of failure.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Name of its text.
    pub text: String,
    /// How often.
    pub count: i64,
}

/// The queue of mails.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Mails {
    /// Waiting, or being sent.
    pub queued: i64,
    /// Given up.
    pub failed: i64,
}

/// Name of the text for an action of the audit: `member.signed_in` is `audit-member-signed_in`.
pub fn action_text(action: &str) -> String {
    format!("audit-{}", action.replace('.', "-"))
}

impl Page for Dashboard {
    const TEMPLATE: &'static str = "admin/dashboard.html";

    fn samples() -> Vec<Self> {
        let first = jiff::civil::date(2026, 11, 10);
        let days: Vec<_> = first.series(jiff::Span::new().days(1)).take(14).collect();
        let series = |counts: [i64; 14]| days.iter().copied().zip(counts).collect::<Vec<_>>();
        let busy = series([120, 131, 99, 40, 38, 150, 142, 160, 133, 128, 51, 47, 170, 12]);
        let quiet = Self {
            days: DAYS,
            plots: [Series::Activations, Series::SignIns, Series::Failures]
                .map(|one| plot(one, &series([0; 14])))
                .into(),
            failures: failures(FAILURES.map(|action| (action, 0)).as_slice()),
            alarms: 0,
            alarmed: vec![],
            mails: None,
        };
        let usual = Self {
            plots: [Series::Activations, Series::SignIns, Series::Failures]
                .map(|one| plot(one, &busy))
                .into(),
            failures: failures(FAILURES.map(|action| (action, 17)).as_slice()),
            alarms: 2,
            alarmed: ["さくら健康保険組合", sample::HOSTILE]
                .map(|name| Given::choose(Locale::Ja, name, None))
                .into(),
            mails: Some(Mails { queued: 12, failed: 3 }),
            ..quiet.clone()
        };
        let calm = Self { mails: Some(Mails { queued: 0, failed: 0 }), ..quiet.clone() };
        vec![usual, quiet, calm]
    }
}

fn plot(series: Series, days: &[(jiff::civil::Date, i64)]) -> Plot {
    match series {
        Series::Activations => Plot::new("activations", "dashboard-activations", days),
        Series::SignIns => Plot::new("sign-ins", "dashboard-sign-ins", days),
        Series::Failures => Plot::new("failures", "dashboard-failures", days),
    }
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
        mails: numbers.mails.map(|mails| Mails { queued: mails.queued, failed: mails.failed }),
    };
    Ok(operator.show(&page).render()?)
}
