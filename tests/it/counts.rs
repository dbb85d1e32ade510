//! What each flow costs PostgreSQL and Redis: counts, which no noise of a machine can move. A change that costs
//! more shows here; one that costs less lowers the numbers (docs/performance.md).

use kenpos_idp::clients::{GrantType, GrantTypes};
use reqwest::StatusCode;

use crate::support::{
    app::{Backend, TestApp, metadata},
    attack::{Answer, good_request, parameter},
    backends::{Postgres, Redis},
    http_browser::HttpBrowser,
    members::HANAKO,
    relying_party::Registered,
};

/// What works in the background does less than this in the meantime, so it is not counted.
const TIMES: u32 = 25;

/// What one flow costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    /// Statements of PostgreSQL.
    statements: u32,
    /// Commands of Redis, those that its scripts call too.
    commands: u32,
    /// How often Redis found something to read: commands that are sent together count once.
    round_trips: u32,
}

const fn cost(statements: u32, commands: u32, round_trips: u32) -> Cost {
    Cost { statements, commands, round_trips }
}

/// Measures a provider whose services nobody else uses.
struct Meter {
    database: String,
    redis: Redis,
}

impl Meter {
    async fn cost_of(&self, mut flow: impl AsyncFnMut()) -> Cost {
        // What is done once, as to give a member a subject in a sector, is not counted.
        flow().await;
        Postgres::shared().query(&self.database, "select pg_stat_statements_reset()");
        self.redis.ask(&["CONFIG", "RESETSTAT"]);
        for _ in 0..TIMES {
            flow().await;
        }
        let commands = self.redis.ask(&["INFO", "commandstats"]);
        let commands = commands.lines().filter_map(|line| {
            line.strip_prefix("cmdstat_")?.split_once(":calls=")?.1.split(',').next()?.parse::<u32>().ok()
        });
        let reads = self.redis.ask(&["INFO", "stats"]);
        let reads = reads.lines().find_map(|line| line.strip_prefix("total_reads_processed:"));
        let sql = format!(
            "select coalesce(sum(calls / {TIMES}), 0) from pg_stat_statements
             where dbid = (select oid from pg_database where datname = current_database())"
        );
        Cost {
            statements: Postgres::shared().query(&self.database, &sql).trim().parse().unwrap(),
            commands: commands.map(|calls| calls / TIMES).sum(),
            round_trips: reads.unwrap().trim().parse::<u32>().unwrap() / TIMES,
        }
    }
}

async fn code_flow(app: &TestApp, browser: &HttpBrowser, client: &Registered, scope: &str) -> String {
    let answer = browser.get(&app.authorize_url(&good_request(client, scope))).await;
    let code = parameter(&answer.location().expect("a callback"), "code").expect("a code");
    let tokens = app.redeem(client, &code).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.json);
    let access_token = tokens.text("access_token").to_owned();
    assert_eq!(app.userinfo(&access_token).await.status, StatusCode::OK);
    access_token
}

#[tokio::test]
async fn flows_cost_so_many_statements_and_commands() {
    let redis = Redis::start();
    let url = redis.url();
    let mut app = TestApp::start_with(Backend::PostgresRedis, |config| {
        config.ephemeral.url = Some(url.into());
        config.limits.visits_per_address = 10_000;
    })
    .await;
    let database = app.app().config().database.url.rsplit('/').next().unwrap().to_owned();
    Postgres::shared().query(&database, "create extension if not exists pg_stat_statements");
    let meter = Meter { database, redis };
    let browser = app.activate(&HANAKO).await;
    let client = app.client.clone();
    let mut batch = metadata("https://batch.example.jp");
    batch.grant_types = GrantTypes(vec![GrantType::ClientCredentials]);
    let batch = app.register(batch).await;
    app.code(&browser, &client, "openid profile email offline_access").await;

    let flow = meter.cost_of(async || drop(code_flow(&app, &browser, &client, "openid profile email").await));
    assert_eq!(flow.await, cost(3, 7, 5), "authorize, token and userinfo of a member who is signed in");

    let token = code_flow(&app, &browser, &client, "openid profile email").await;
    let userinfo = async || assert_eq!(app.userinfo(&token).await.status, StatusCode::OK);
    assert_eq!(meter.cost_of(userinfo).await, cost(1, 2, 1), "userinfo");

    let introspect = async || {
        let answer = Answer::of(app.call("/introspect", &client, &[], &[("token", &token)]).await);
        assert_eq!(answer.json["active"], true, "{}", answer.json);
    };
    assert_eq!(meter.cost_of(introspect).await, cost(1, 2, 1), "introspection");

    let code = app.code(&browser, &client, "openid profile email offline_access").await;
    let mut refresh_token = app.redeem(&client, &code).await.text("refresh_token").to_owned();
    let refresh = async || {
        let tokens = app.refresh(&client, &refresh_token).await;
        refresh_token = tokens.text("refresh_token").to_owned();
    };
    assert_eq!(meter.cost_of(refresh).await, cost(1, 5, 3), "refresh");

    let speak = async || {
        let tokens = app.token(&batch, &[("grant_type", "client_credentials")]).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.json);
    };
    assert_eq!(meter.cost_of(speak).await, cost(0, 1, 1), "client credentials");

    for path in ["/.well-known/openid-configuration", "/jwks"] {
        let read = async || assert_eq!(browser.get(&app.url(path)).await.status, StatusCode::OK);
        assert_eq!(meter.cost_of(read).await, cost(0, 0, 0), "{path}");
    }
    app.finish().await;
}
