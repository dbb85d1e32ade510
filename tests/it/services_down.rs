//! Redis or PostgreSQL goes away in the middle, and comes back: what cannot be done is refused honestly, and
//! everything goes on without a restart of the provider.

use kenpos_idp::{
    members::roster::{ImportError, LEASE},
    storage::{Db, StorageError},
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{
    app::{Backend, TestApp},
    backends::{Postgres, Redis},
    http_browser::{HttpBrowser, Page},
    journey::{accept_documents, allow, complete, confirm, give_details, log_in, register, set_out},
    members::{HANAKO, ICHIRO, ROSTER},
    relying_party::{Ask, RelyingParty, Tokens},
    way::Way,
};

/// A page that says, in Japanese, to come back later.
fn assert_refused(page: &Page) {
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{} {}", page.url, page.text());
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.text().contains("ただいまご利用いただけません"), "{}", page.text());
    assert!(page.headers.contains_key("retry-after"));
    assert!(!page.select("#reference").is_empty(), "a number for the help desk");
}

/// An error in JSON that says to come back later.
fn assert_refused_for_programs(answer: &Page) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    let json: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(json["error"], "temporarily_unavailable");
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.headers["cache-control"], "no-store");
}

async fn assert_ready(app: &TestApp, database: &str, ephemeral: &str) {
    let ready = app.http_browser().get(&app.url("/readyz")).await;
    let json: Value = serde_json::from_str(&ready.body).unwrap();
    assert_eq!((json["database"].as_str(), json["ephemeral"].as_str()), (Some(database), Some(ephemeral)));
    let up = database == "up" && ephemeral == "up";
    assert_eq!(ready.status, if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE });
    assert_eq!(app.http_browser().get(&app.url("/healthz")).await.status, StatusCode::OK);
}

/// Waits until the provider has found its services again; connections are made anew in the background.
async fn until_ready(app: &TestApp) {
    for _ in 0..200 {
        if app.http_browser().get(&app.url("/readyz")).await.status == StatusCode::OK {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the provider does not find its services again");
}

/// A member who uses the app, and someone who is in the middle of registering.
struct Scene {
    rp: RelyingParty,
    member: HttpBrowser,
    tokens: Tokens,
    newcomer: HttpBrowser,
    documents: Page,
}

impl Scene {
    async fn set(app: &mut TestApp) -> Self {
        let rp = app.relying_party().await;
        let member = app.activate(&ICHIRO).await;
        let attempt = rp.begin(&Ask::scopes(&["profile", "offline_access"]));
        let callback = allow(&set_out(&member, &attempt).await).await;
        let tokens = rp.finish(attempt, &callback).await;
        let newcomer = app.http_browser();
        let login = newcomer.get(&app.url("/login")).await.follow_here().await;
        let documents = log_in(&login, HANAKO.login_id, HANAKO.born).await;
        Self { rp, member, tokens, newcomer, documents }
    }

    /// Nothing works, nothing breaks, nothing is told falsely.
    async fn nothing_works(&self, app: &TestApp) {
        assert_refused(&self.member.get(&app.url("/account")).await);
        assert_refused(&self.newcomer.get(self.documents.url.as_str()).await);
        let form = self.documents.form("#documents-form").set("privacy", "on").set("terms", "on");
        assert_refused(&form.submit().await);
        // Not even "nobody is signed in", which would be false.
        let silent = self.rp.begin(&Ask::default().silently());
        assert_refused(&self.member.get(silent.url.as_str()).await);
        let english = [("accept", "text/html"), ("accept-language", "en")];
        let page = self.member.raw(Method::GET, &app.url("/account"), &english, "").await;
        assert!(page.body.contains("lang=\"en\""), "in the reader's language: {}", page.text());
        assert_refused_for_programs(&self.refresh(app).await);
        let bearer = format!("Bearer {}", self.tokens.access_token);
        let headers = [("authorization", bearer.as_str())];
        let userinfo = self.member.raw(Method::GET, &app.url("/userinfo"), &headers, "").await;
        assert_refused_for_programs(&userinfo);
        for path in ["/jwks", "/.well-known/openid-configuration"] {
            assert_eq!(app.http_browser().get(&app.url(path)).await.status, StatusCode::OK, "{path}");
        }
    }

    /// The refresh request as it goes over the wire.
    async fn refresh(&self, app: &TestApp) -> Page {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let secret = self.rp.client.secret.as_deref();
        let basic = client.get("http://localhost").basic_auth(&self.rp.client.id, secret).build().unwrap();
        let basic = basic.headers()["authorization"].to_str().unwrap().to_owned();
        let headers =
            [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let token = self.tokens.refresh_token.as_deref().unwrap();
        let body = format!("grant_type=refresh_token&refresh_token={token}");
        HttpBrowser::new().raw(Method::POST, &app.url("/token"), &headers, &body).await
    }

    /// What was under way goes on, with what it had before.
    async fn everything_goes_on(self, app: &mut TestApp) {
        let refreshed = self.rp.refresh(self.tokens.refresh_token.as_deref().unwrap()).await.unwrap();
        assert_eq!(refreshed.claims["sid"], self.tokens.claims["sid"]);
        self.rp.userinfo(&self.tokens).await.unwrap();
        let silent = self.rp.begin(&Ask::default().silently());
        let callback = self.member.get(silent.url.as_str()).await.location().unwrap();
        assert_eq!(self.rp.finish(silent, &callback).await.claims["sid"], self.tokens.claims["sid"]);
        let details = accept_documents(&self.documents).await;
        confirm(&give_details(&details, &HANAKO).await).await;
        let link = app.mailbox.next_link(HANAKO.email).await;
        let account = complete(&self.newcomer, &link, HANAKO.password).await;
        assert_eq!(account.url.path(), "/account", "{}", account.text());
        app.mailbox.next(HANAKO.email).await;
    }
}

#[tokio::test]
async fn redis_goes_away_and_comes_back() {
    let mut redis = Redis::start();
    let url = redis.url();
    let mut app = TestApp::start_with(Backend::PostgresRedis, |config| {
        config.ephemeral.url = Some(url.into());
        (config.ephemeral.connect_timeout_ms, config.ephemeral.response_timeout_ms) = (500, 500);
    })
    .await;
    let scene = Scene::set(&mut app).await;
    assert_ready(&app, "up", "up").await;
    redis.stop();
    assert_ready(&app, "up", "down").await;
    scene.nothing_works(&app).await;
    redis.start_again();
    until_ready(&app).await;
    Box::pin(scene.everything_goes_on(&mut app)).await;
    app.finish().await;
}

/// Redis goes away while the database completes a registration: what is done is done, and the page says so.
#[tokio::test]
async fn a_registration_that_was_completed_says_so_whatever_fails_afterwards() {
    let mut redis = Redis::start();
    let url = redis.url();
    let mut app = TestApp::start_with(Backend::PostgresRedis, |config| {
        config.ephemeral.url = Some(url.into());
        (config.ephemeral.connect_timeout_ms, config.ephemeral.response_timeout_ms) = (500, 500);
    })
    .await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    register(&login, &HANAKO).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    let page = browser.get(link.as_str()).await;

    // Holds the completion up until Redis is gone.
    let Db::Postgres(pool, _) = app.db() else { panic!("PostgreSQL") };
    let mut hold = pool.begin().await.unwrap();
    sqlx::query("select id from roster_person for update").execute(&mut *hold).await.unwrap();
    let answer =
        tokio::spawn(async move { page.form("#link-form").set("password", HANAKO.password).submit().await });
    let waiting = "select count(*) from pg_stat_activity
                   where wait_event_type = 'Lock' and datname = current_database()";
    while app.number(waiting).await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    redis.stop();
    hold.rollback().await.unwrap();
    let done = answer.await.unwrap();
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    assert!(done.text().contains("登録が完了しました"), "{}", done.text());
    assert_eq!(done.select("#to-login").len(), 1);
    assert_eq!(app.number("select count(*) from member where state = 'active'").await, 1);
    redis.start_again();
    until_ready(&app).await;
    app.mailbox.next(HANAKO.email).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    assert_eq!(log_in(&login, HANAKO.login_id, HANAKO.password).await.url.path(), "/account");
    app.finish().await;
}

#[tokio::test]
async fn postgresql_goes_away_and_comes_back() {
    let mut postgres = Postgres::start();
    let url = postgres.create_database("kenpos");
    let mut app = TestApp::start_with(Backend::PostgresRedis, |config| config.database.url = url).await;
    let scene = Scene::set(&mut app).await;
    assert_ready(&app, "up", "up").await;
    postgres.stop();
    assert_ready(&app, "down", "up").await;
    scene.nothing_works(&app).await;
    postgres.start_again();
    until_ready(&app).await;
    Box::pin(scene.everything_goes_on(&mut app)).await;
    app.finish().await;
}

/// As while a password or a name is changed: nothing of ours is wrong, and it may be right again soon.
#[tokio::test]
async fn a_database_that_lets_nobody_in_is_unavailable() {
    let address = Postgres::shared().address();
    for who in ["postgres@ADDRESS/nonesuch", "nobody@ADDRESS/postgres"] {
        let db = Db::open(&format!("postgres://{}", who.replace("ADDRESS", &address)), 1).await.unwrap();
        let error = db.ping().await.unwrap_err();
        assert!(matches!(error, StorageError::Unavailable(_)), "{error}");
    }
}

/// The machine of PostgreSQL vanishes without a word while an answer is waited for, and another takes its place:
/// nothing waits for the dead one for ever, neither a request nor the work in the background.
#[tokio::test]
async fn a_database_that_falls_silent_is_left_for_its_successor() {
    let postgres = Postgres::shared();
    let url = postgres.create_database("silent");
    let way = Way::to(postgres.address()).await;
    let far = url.replace(&postgres.address(), &way.address.to_string());
    let mut app = TestApp::start_with(Backend::PostgresRedis, |config| {
        // For the worker, the request, the housekeeping that may come upon the locked table, and the question
        // whether all is well.
        (config.database.url, config.database.connections) = (far, 4);
        config.server.request_timeout_seconds = 8;
    })
    .await;
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let mut hold = pool.begin().await.unwrap();
    sqlx::query("lock table outbox, registration in access exclusive mode")
        .execute(&mut *hold)
        .await
        .unwrap();
    // The worker of the outbox, and a request.
    let waiting = "select count(distinct query) from pg_stat_activity
                   where wait_event_type = 'Lock' and datname = current_database()
                     and (query like 'update outbox %' or query like '%from registration where token_hash%')";
    let request = app.http_browser();
    let link = app.url(&format!("/registration/link/{}", "x".repeat(43)));
    let answer = tokio::spawn(async move { request.get(&link).await });
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&pool).await.unwrap() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_ready(&app, "up", "up").await;
    way.fall_silent();
    // The connection that has just served says nothing any more: that is told before the request is over.
    let ready = app.http_browser().get(&app.url("/readyz")).await;
    assert!(
        serde_json::from_str::<Value>(&ready.body).is_ok_and(|told| told["ephemeral"] == "up"),
        "{}",
        ready.text()
    );
    hold.rollback().await.unwrap();
    assert_refused(&answer.await.unwrap());
    until_ready(&app).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    register(&login, &HANAKO).await;
    // Within the longest wait for an answer the worker gives up and begins anew.
    for _ in 0..600 {
        if app.queued_mails().await == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let link = app.mailbox.next_link(HANAKO.email).await;
    assert_eq!(complete(&browser, &link, HANAKO.password).await.url.path(), "/account");
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

/// The same in the middle of a roster: the import ends, says why, and leaves room for the next.
#[tokio::test]
async fn a_roster_import_does_not_wait_for_a_database_that_fell_silent() {
    let postgres = Postgres::shared();
    let url = postgres.create_database("silent_import");
    let way = Way::to(postgres.address()).await;
    let far = url.replace(&postgres.address(), &way.address.to_string());
    let app = TestApp::start_with(Backend::PostgresRedis, |config| config.database.url = far).await;
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    // What waits is the insert alone.
    let trigger = "create function wait() returns trigger language plpgsql
                       as 'begin perform pg_advisory_xact_lock(1); return null; end';
                   create trigger wait before insert on roster_staging execute function wait()";
    sqlx::raw_sql(trigger).execute(&pool).await.unwrap();
    let mut hold = pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(1)").execute(&mut *hold).await.unwrap();
    let waiting = "select count(*) from pg_stat_activity
                   where wait_event_type = 'Lock' and datname = current_database()
                     and query like 'insert into roster_staging %'";
    let silence = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&pool).await.unwrap() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        way.fall_silent();
        // With the machine, its transactions are gone.
        let end = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()";
        sqlx::query(end).execute(&pool).await.unwrap();
    };
    let (imported, ()) = tokio::join!(app.try_to_import(ROSTER), silence);
    let error = imported.unwrap_err();
    assert!(matches!(error, ImportError::Storage(StorageError::Unavailable(_))), "{error}");
    app.clock.advance(LEASE);
    app.import_full_roster(ROSTER).await;
    app.finish().await;
}
