//! Who asks about a known person and who asks about nobody get the same answer, octet for octet. How long the
//! answers took is written to `target/test-artefacts/enumeration.txt` for a person to judge; no test can. With more
//! rounds, as in `ENUMERATION_ROUNDS=100 cargo test --test it attacks_enumeration`, the statistics there mean something.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, DAY, TestApp},
    family::{Relative, SAKURA, inquire},
    http_browser::{HttpBrowser, Page},
    journey::{give_login_id, register},
    members::{HANAKO, ICHIRO, NOBODY, Someone, TOO_YOUNG},
    recovery::{send_login_id_form, send_password_form},
};

/// A member gets no more mails of recovery a day.
const MAILS_A_DAY: usize = 5;

/// Questions of each kind.
fn rounds() -> usize {
    let wished = std::env::var("ENUMERATION_ROUNDS").ok();
    wished.map_or(MAILS_A_DAY, |rounds| rounds.parse().expect("ENUMERATION_ROUNDS is a number"))
}

/// An answer without what is the request's own.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    status: StatusCode,
    headers: BTreeMap<String, Vec<String>>,
    octets: usize,
    body: String,
}

/// `own` is what the request itself named, such as a login ID.
fn shape(page: &Page, own: &[&str]) -> Shape {
    let csrf: Vec<_> =
        page.select("input[name=csrf]").iter().filter_map(|i| i.attr("value").map(str::to_owned)).collect();
    let references: Vec<_> = page.select("#reference").into_iter().map(|reference| reference.text).collect();
    let interaction =
        page.url.path_segments().unwrap().nth(1).filter(|part| part.len() > 20).map(str::to_owned);
    let mut varying: Vec<&str> = own.to_vec();
    varying.extend(csrf.iter().chain(&references).chain(&interaction).map(String::as_str));
    // What varies keeps its length, so that a difference in octets is one.
    let blank = |text: &str| {
        varying
            .iter()
            .fold(text.to_owned(), |text, part| text.replace(part, &"*".repeat(part.chars().count())))
    };
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &page.headers {
        let value = value.to_str().unwrap();
        // Secrets differ each time; that they are set, and how, must not.
        let secret = value.split_once('=').filter(|_| name == "set-cookie").map(|(name, rest)| {
            let (value, attributes) = rest.split_once(';').unwrap();
            format!("{name}={};{attributes}", "*".repeat(value.len()))
        });
        let value = if ["date", "x-request-id"].contains(&name.as_str()) { "varies" } else { value };
        headers.entry(name.to_string()).or_default().push(secret.unwrap_or_else(|| blank(value)));
    }
    Shape { status: page.status, headers, octets: page.body.len(), body: blank(&page.body) }
}

/// The answers to one question about somebody known and about nobody, with the times they took.
#[derive(Default)]
struct Question {
    known: Vec<(Shape, Duration)>,
    unknown: Vec<(Shape, Duration)>,
}

fn median(answers: &[(Shape, Duration)]) -> Duration {
    let mut times: Vec<Duration> = answers.iter().map(|(_, time)| *time).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// The Mann-Whitney U test, two-sided: the share of pairs in which the known one is slower, and the probability of a
/// share at least so far from one half if both were alike (normal approximation).
#[expect(clippy::cast_precision_loss, reason = "there are some hundreds at most")]
fn rank_sums(known: &[(Shape, Duration)], unknown: &[(Shape, Duration)]) -> (f64, f64) {
    let pairs = known.iter().flat_map(|(_, one)| unknown.iter().map(move |(_, other)| (one, other)));
    let slower: f64 = pairs
        .map(|(one, other)| match one.cmp(other) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
        .sum();
    let (n, m) = (known.len() as f64, unknown.len() as f64);
    let z = (slower - n * m / 2.0).abs() / (n * m * (n + m + 1.0) / 12.0).sqrt();
    (slower / (n * m), two_sided(z))
}

/// The probability that a normal variable is further from its mean than `z` deviations (Abramowitz and Stegun
/// 26.2.17).
fn two_sided(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let powers = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let series = powers.iter().rev().fold(0.0, |sum, factor| (sum + factor) * t);
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (2.0 * density * series).clamp(0.0, 1.0)
}

#[test]
fn the_statistics_are_those_of_the_tables() {
    for (z, p) in [(0.0, 1.0), (1.0, 0.3173), (1.96, 0.05), (3.29, 0.001)] {
        assert!((two_sided(z) - p).abs() < 0.0005, "{z}: {}", two_sided(z));
    }
}

impl Question {
    async fn ask(&mut self, known: bool, own: &[&str], answer: impl Future<Output = Page>) {
        let begin = Instant::now();
        let page = answer.await;
        let time = begin.elapsed();
        if known { &mut self.known } else { &mut self.unknown }.push((shape(&page, own), time));
    }

    /// A line of the report, once all answers are the same.
    fn line(&self, name: &str) -> String {
        let first = &self.known[0].0;
        for (other, _) in self.known.iter().chain(&self.unknown) {
            assert_eq!(first, other, "{name}: answers can be told apart");
        }
        let (effect, p) = rank_sums(&self.known, &self.unknown);
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let (known, unknown) = (milliseconds(median(&self.known)), milliseconds(median(&self.unknown)));
        let (status, octets) = (first.status.as_u16(), first.octets);
        format!("{name:<38} {status:>6} {octets:>7} {known:>9.2} {unknown:>9.2} {effect:>7.2} {p:>7.3}\n")
    }
}

async fn login(app: &TestApp, someone: &Someone) -> Page {
    let page = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    give_login_id(&page, someone.login_id).await
}

async fn login_ids(app: &TestApp, known: &Someone) -> (Question, Question) {
    let (mut identifiers, mut passwords) = (Question::default(), Question::default());
    for _ in 0..rounds() {
        for someone in [known, &NOBODY] {
            let is_known = someone.login_id == known.login_id;
            let start = app.http_browser().get(&app.url("/login")).await.follow_here().await;
            let form = start.form("#login-id-form").set("login_id", someone.login_id);
            let interaction = start.url.path_segments().unwrap().nth(1).unwrap();
            identifiers.ask(is_known, &[someone.login_id, interaction], form.submit()).await;
            let page = login(app, someone).await;
            let form = page.form("#password-form").set("password", "a wrong password");
            passwords.ask(is_known, &[someone.login_id], form.submit()).await;
        }
    }
    (identifiers, passwords)
}

/// 「パスワードをお忘れの方」 and 「ログインIDをお忘れの方」: whoever is known gets a mail, the page is the same.
async fn forgotten(app: &mut TestApp) -> (Question, Question) {
    let (mut password, mut login_id) = (Question::default(), Question::default());
    for round in 0..rounds() {
        if round > 0 && round % MAILS_A_DAY == 0 {
            app.clock.advance(DAY);
        }
        for (known, one, other) in [(true, HANAKO, ICHIRO), (false, NOBODY, NOBODY)] {
            let page = app.http_browser().get(&app.url("/recovery/password")).await;
            password.ask(known, &[], send_password_form(&page, one.login_id, one.born)).await;
            let page = app.http_browser().get(&app.url("/recovery/login-id")).await;
            login_id.ask(known, &[], send_login_id_form(&page, other.email, other.born)).await;
        }
        app.mailbox.next(HANAKO.email).await;
        app.mailbox.next(ICHIRO.email).await;
    }
    (password, login_id)
}

/// 資格照会 with another birth date.
async fn eligibility(app: &TestApp) -> Question {
    let mut question = Question::default();
    for _ in 0..rounds() {
        for (known, number) in [(true, SAKURA.number), (false, "300001")] {
            let someone = Someone { born: "19710101", ..SAKURA.someone };
            let page = app.eligibility(&app.http_browser()).await;
            let inquiry = Relative { number, someone, ..SAKURA };
            let typed = format!("value=\"{number}\"");
            question.ask(known, &[&typed], inquire(&page, &inquiry)).await;
        }
    }
    question
}

/// 「メールを再送する」 by a stranger, for somebody's registration and for one that is not there.
async fn resend(app: &mut TestApp) -> Question {
    let waiting =
        register(&app.http_browser().get(&app.url("/login")).await.follow_here().await, &TSUNEO).await;
    app.mailbox.next(TSUNEO.email).await;
    let real = waiting.url.path_segments().unwrap().nth(1).unwrap().to_owned();
    let made_up = real.chars().rev().collect::<String>();
    let mut question = Question::default();
    for _ in 0..rounds() {
        for (known, interaction) in [(true, real.as_str()), (false, made_up.as_str())] {
            let browser: HttpBrowser = app.http_browser();
            let start = browser.get(&app.url("/login")).await.follow_here().await;
            let csrf = start.form("#login-id-form").value("csrf").unwrap().to_owned();
            let url = app.url(&format!("/registration/{interaction}/resend"));
            let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
            let body = format!("csrf={csrf}");
            question.ask(known, &[interaction], browser.raw(Method::POST, &url, &headers, &body)).await;
        }
    }
    question
}

/// Somebody whose registration waits.
const TSUNEO: Someone = Someone {
    login_id: "7132-123004568",
    born: "19810102",
    kana: "タナカ ツネオ",
    email: "tsuneo@mail.example",
    password: "correct horse battery staple",
};

#[tokio::test]
async fn answers_about_somebody_and_about_nobody_are_the_same() {
    let patient = |config: &mut kenpos_idp::config::Config| {
        config.insurers[0].policy.login_failures = 1_000;
        // As dear as in production, for the times to mean something.
        (config.passwords.memory_kib, config.passwords.iterations) = (19_456, 2);
    };
    let mut app = TestApp::start_with(Backend::Embedded, patient).await;
    app.with_families().await;
    app.import_roster(
        "記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日\n\
         123,4568,00,一般被保険者,タナカ ツネオ,1981-01-02,2004-04-01,\n",
    )
    .await;
    app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    let mut report = format!(
        "{:<38} {:>6} {:>7} {:>9} {:>9} {:>7} {:>7}\n",
        "question, asked in turns", "status", "octets", "known ms", "nobody ms", "slower", "p"
    );
    let (identifier, password) = login_ids(&app, &HANAKO).await;
    report += &identifier.line("login ID of a member");
    report += &password.line("wrong password of a member");
    let (_, temporary) = login_ids(&app, &TOO_YOUNG).await;
    report += &temporary.line("wrong temporary password");
    let (forgot_password, forgot_login_id) = forgotten(&mut app).await;
    report += &forgot_password.line("forgotten password");
    report += &forgot_login_id.line("forgotten login ID");
    report += &eligibility(&app).await.line("eligibility with a wrong birth date");
    report += &resend(&mut app).await.line("resend of a registration");
    let rounds = rounds();
    writeln!(
        report,
        "\nMedians of {rounds} each, on a machine that did other work too. `slower`: how often an answer about somebody \
         took longer than one about nobody; 0.5 tells nothing. `p`: how likely that is by chance (Mann-Whitney U test)."
    )
    .unwrap();
    println!("{report}");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-artefacts");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("enumeration.txt"), report).unwrap();
    app.finish().await;
}
