//! A backup is made while the provider runs, things go on, the machine is lost, and the backup is put in place:
//! what it has is there, what came later is not, and nobody gets what is not theirs.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use kenpos_idp::{audit::Actor, storage::backup};
use url::Url;

use crate::support::{
    app::{Backend, TestApp},
    backends::Postgres,
    http_browser::HttpBrowser,
    journey::{allow, complete, log_in, register, set_out},
    members::{HANAKO, ICHIRO},
    relying_party::{Ask, RelyingParty, Tokens},
};

/// A member who uses an app, and a newcomer whose mailed link is out.
struct Scene {
    rp: RelyingParty,
    member: HttpBrowser,
    tokens: Tokens,
    link: Url,
}

async fn set(app: &mut TestApp) -> Scene {
    let rp = app.relying_party().await;
    let member = app.activate(&ICHIRO).await;
    let tokens = sign_in(&rp, &member).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    register(&login, &HANAKO).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    Scene { rp, member, tokens, link }
}

async fn sign_in(rp: &RelyingParty, member: &HttpBrowser) -> Tokens {
    let attempt = rp.begin(&Ask::scopes(&["profile", "offline_access"]));
    let page = set_out(member, &attempt).await;
    let callback = match page.location() {
        Some(callback) => callback,
        None => allow(&page).await,
    };
    rp.finish(attempt, &callback).await
}

/// The same person with the same subject, the link that was out, and a sound audit.
async fn what_lasts_is_there(app: &mut TestApp, scene: &Scene) {
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let account = log_in(&login, ICHIRO.login_id, ICHIRO.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    let again = sign_in(&scene.rp, &browser).await;
    assert_eq!(again.claims["sub"], scene.tokens.claims["sub"]);
    let done = complete(&app.http_browser(), &scene.link, HANAKO.password).await;
    assert!(done.status.is_success() && done.text().contains("登録が完了しました"), "{}", done.text());
    app.mailbox.next(HANAKO.email).await;
    let verdict = app.app().operators.verify_audit(&Actor::system(), None).await.unwrap();
    assert!(verdict.lines > 0 && verdict.broken_at.is_none(), "{verdict:?}");
}

/// The folder of the keys as it was kept elsewhere.
fn put_keys_back(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(from.join("master.key"), to.join("master.key")).unwrap();
}

#[tokio::test]
async fn a_copy_of_sqlite_takes_the_place_of_the_file() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let scene = set(&mut app).await;
    let folder = app.directory().join("restored");
    fs::create_dir(&folder).unwrap();
    let copy = folder.join("kenpos.sqlite");
    backup::write(app.db(), &copy).await.unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(backup::write(app.db(), &copy).await, Err(backup::BackupError::File { .. })));

    // What comes later is lost: a refresh here.
    let refreshed = scene.rp.refresh(scene.tokens.refresh_token.as_deref().unwrap()).await.unwrap();
    put_keys_back(&app.app().config().keys.directory.clone(), &folder.join("keys"));
    app.restart_with(|config| {
        config.database.url = format!("sqlite://{}", copy.display());
        config.keys.directory = folder.join("keys");
    })
    .await;

    // Sessions and tokens are those of the moment of the copy.
    let account = scene.member.get(&app.url("/account")).await;
    assert!(account.status.is_success(), "{}", account.text());
    scene.rp.userinfo(&scene.tokens).await.unwrap();
    // A refresh token from after it is not known: the app lets the member sign in again.
    assert!(scene.rp.refresh(refreshed.refresh_token.as_deref().unwrap()).await.is_err());
    assert!(scene.rp.userinfo(&scene.tokens).await.is_err(), "its family has ended");
    what_lasts_is_there(&mut app, &scene).await;
    app.finish().await;
}

#[tokio::test]
async fn a_dump_of_postgresql_is_restored_and_redis_begins_anew() {
    let mut app = TestApp::start(Backend::PostgresRedis).await;
    let scene = set(&mut app).await;
    assert!(matches!(
        backup::write(app.db(), &app.directory().join("copy")).await,
        Err(backup::BackupError::NotEmbedded)
    ));
    let postgres = Postgres::shared();
    let url = app.app().config().database.url.clone();
    let database = url.rsplit('/').next().unwrap();
    let (file, restored) = (app.directory().join("kenpos.dump"), format!("{database}-restored"));
    let dumped = postgres.tool("pg_dump", &["-Fc", "-f", file.to_str().unwrap(), database]);
    assert!(dumped.status.success(), "{dumped:?}");
    let new = postgres.create_database(&restored);
    let put_back = postgres.tool("pg_restore", &["-d", &restored, file.to_str().unwrap()]);
    assert!(put_back.status.success(), "{put_back:?}");
    let keys = app.directory().join("keys-restored");
    put_keys_back(&app.app().config().keys.directory.clone(), &keys);
    app.restart_with(|config| {
        (config.database.url, config.keys.directory) = (new, keys);
        // A Redis that has nothing of before.
        config.ephemeral.prefix = format!("{}restored:", config.ephemeral.prefix);
    })
    .await;

    let account = scene.member.get(&app.url("/account")).await.follow_here().await;
    assert!(account.url.path().starts_with("/login/"), "the session is gone: {}", account.url);
    assert!(scene.rp.userinfo(&scene.tokens).await.is_err());
    assert!(scene.rp.refresh(scene.tokens.refresh_token.as_deref().unwrap()).await.is_err());
    what_lasts_is_there(&mut app, &scene).await;
    app.finish().await;
}
