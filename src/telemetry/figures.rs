//! What `/metrics` tells: a help text for each figure, and a zero for what has not happened yet, so that an alert
//! on it works from the first scrape.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// A step of the registration, in their order: the funnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The page that asks for the login ID was shown.
    LoginPage,
    /// A temporary password was right.
    TemporaryPassword,
    /// The documents were accepted.
    Documents,
    /// Name, password and address were given.
    Details,
    /// The mail with the link was handed to the outbox.
    MailSent,
    /// The link was opened.
    LinkOpened,
    /// The member is active.
    Activated,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 7] = [
        Self::LoginPage,
        Self::TemporaryPassword,
        Self::Documents,
        Self::Details,
        Self::MailSent,
        Self::LinkOpened,
        Self::Activated,
    ];

    /// Its name in the label `step`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoginPage => "login_page",
            Self::TemporaryPassword => "temporary_password",
            Self::Documents => "documents",
            Self::Details => "details",
            Self::MailSent => "mail_sent",
            Self::LinkOpened => "link_opened",
            Self::Activated => "activated",
        }
    }
}

/// Counts a step of the registration. `insurer` is a portal code of the configuration, or empty where the insurer
/// is not known yet: never what somebody typed.
pub fn count_step(step: Step, insurer: &str) {
    add_step(step, insurer, 1);
}

fn add_step(step: Step, insurer: &str, times: u64) {
    metrics::counter!("kenpos_registration_steps_total", "step" => step.name(), "insurer" => insurer.to_owned())
        .increment(times);
}

/// The funnel of these insurers begins with zeros.
pub fn begin_funnel<'a>(insurers: impl IntoIterator<Item = &'a str>) {
    for insurer in std::iter::once("").chain(insurers) {
        for step in Step::ALL {
            add_step(step, insurer, 0);
        }
    }
}

/// Describes every figure, and begins those without labels.
pub(super) fn begin() {
    describe();
    for counter in [
        metrics::counter!("kenpos_sql_errors_total"),
        metrics::counter!("kenpos_redis_errors_total"),
        metrics::counter!("kenpos_password_hashes_refused_total"),
        metrics::counter!("kenpos_sign_ins_total"),
        metrics::counter!("kenpos_sign_in_failures_total"),
        metrics::counter!("kenpos_tokens_total"),
        metrics::counter!("kenpos_activations_total"),
        metrics::counter!("kenpos_registrations_sent_total"),
        metrics::counter!("kenpos_code_replays_total"),
        metrics::counter!("kenpos_refresh_replays_total"),
        metrics::counter!("kenpos_spray_alarms_total"),
        metrics::counter!("kenpos_misuse_reports_total"),
        metrics::counter!("kenpos_panics_total"),
        metrics::counter!("kenpos_traces_failed_total"),
        metrics::counter!("kenpos_audit_lines_sent_total"),
        metrics::counter!("kenpos_mail_attempts_total", "result" => "sent"),
        metrics::counter!("kenpos_mail_attempts_total", "result" => "retried"),
        metrics::counter!("kenpos_mail_attempts_total", "result" => "failed"),
    ] {
        counter.increment(0);
    }
    metrics::gauge!("kenpos_audit_behind").set(0.0);
    // Made known; a histogram without a value says nothing yet.
    let _ = metrics::histogram!("kenpos_redis_duration_seconds");
    let _ = metrics::histogram!("kenpos_sql_duration_seconds");
    let _ = metrics::histogram!("kenpos_sql_wait_seconds");
    let _ = metrics::histogram!("kenpos_password_hash_duration_seconds");
    let _ = metrics::histogram!("kenpos_password_hash_wait_seconds");
}

fn describe() {
    for (name, help) in [
        ("http_requests_total", "Requests, by method, route and status"),
        ("kenpos_sql_errors_total", "SQL statements that failed, but for rows that exist already"),
        ("kenpos_redis_errors_total", "Redis commands that failed"),
        ("kenpos_password_hashes_refused_total", "Passwords that were not looked at, for the queue was full"),
        ("kenpos_sign_ins_total", "Sign-ins of members"),
        ("kenpos_sign_in_failures_total", "Wrong passwords"),
        ("kenpos_tokens_total", "Answers of the token endpoint with an access token"),
        ("kenpos_activations_total", "Registrations that were completed"),
        ("kenpos_registrations_sent_total", "Registrations whose mail was handed to the outbox"),
        ("kenpos_registration_steps_total", "Steps of the registration, by step and insurer"),
        ("kenpos_code_replays_total", "Codes that came a second time"),
        ("kenpos_refresh_replays_total", "Refresh tokens that came a second time"),
        ("kenpos_spray_alarms_total", "Alarms that stopped registration by birth date"),
        ("kenpos_misuse_reports_total", "Reports of somebody else's registration or sign-in"),
        ("kenpos_panics_total", "Faults of the program"),
        ("kenpos_traces_failed_total", "Batches of traces that the collector did not take"),
        ("kenpos_audit_lines_sent_total", "Lines of the audit that were sent on"),
        ("kenpos_mail_attempts_total", "Attempts to hand a mail to the relay, by result"),
    ] {
        describe_counter!(name, help);
    }
    for (name, help) in [
        ("http_request_duration_seconds", "Time to answer, by method, route and class of status"),
        ("kenpos_sql_duration_seconds", "Time of an SQL statement, without the wait for a connection"),
        ("kenpos_sql_wait_seconds", "Wait for a connection to the database"),
        ("kenpos_redis_duration_seconds", "Time of a Redis command"),
        ("kenpos_password_hash_duration_seconds", "Time of an Argon2id run"),
        ("kenpos_password_hash_wait_seconds", "Wait for an Argon2id run to begin"),
    ] {
        describe_histogram!(name, help);
    }
    for (name, help) in [
        ("http_requests_in_progress", "Requests that are being answered"),
        ("kenpos_sql_connections", "Connections to the database, by state"),
        ("kenpos_sql_waiting", "Statements that wait for a connection"),
        ("kenpos_password_hashes_in_progress", "Passwords that are hashed or wait for it"),
        ("kenpos_password_hash_capacity", "Passwords that may be hashed or wait for it"),
        ("kenpos_mails", "Mails, by state"),
        ("kenpos_mail_oldest_seconds", "Age of the oldest mail that waits"),
        ("kenpos_deliveries", "Logout messages to apps, by state"),
        ("kenpos_delivery_oldest_seconds", "Age of the oldest logout message that waits"),
        ("kenpos_webhooks", "Messages to webhooks, by state"),
        ("kenpos_webhook_oldest_seconds", "Age of the oldest message to a webhook that waits"),
        ("kenpos_audit_behind", "Lines of the audit that were not sent on yet"),
        ("kenpos_leaving", "1 from the signal to stop on"),
    ] {
        describe_gauge!(name, help);
    }
}
