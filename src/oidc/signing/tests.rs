use std::{path::Path, time::Duration};

use serde_json::json;

use super::*;
use crate::{clock::Timestamp, crypto::JwtError};

const ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];

async fn database(folder: &Path) -> Db {
    let db = Db::open(&format!("sqlite://{}", folder.join("test.sqlite").display()), 2).await.unwrap();
    db.migrate().await.unwrap();
    db
}

async fn node(db: &Db, clock: &Clock) -> Signing {
    let settings = config::Keys { algorithms: ALGORITHMS.to_vec(), ..config::Keys::default() };
    let master = MasterKey::from_bytes([5; 32]);
    Signing::load(db.clone(), master, clock.clone(), Entropy::system(), &settings).await.unwrap()
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(1_000_000_000))
}

fn kids(signing: &Signing, wanted: KeyState) -> Vec<(Algorithm, String)> {
    let ring = signing.current();
    let mut kids: Vec<_> = ring
        .keys()
        .filter(|(_, state)| *state == wanted)
        .map(|(key, _)| (key.alg(), key.kid().to_owned()))
        .collect();
    kids.sort();
    kids
}

#[tokio::test]
async fn nodes_that_start_together_share_one_active_and_one_next_key_of_each_algorithm() {
    let folder = tempfile::tempdir().unwrap();
    let db = [database(folder.path()).await, database(folder.path()).await];
    let clock = clock();
    let (a, b, c, d) =
        tokio::join!(node(&db[0], &clock), node(&db[1], &clock), node(&db[0], &clock), node(&db[1], &clock));
    for signing in [&a, &b, &c, &d] {
        signing.refresh().await.unwrap();
        for state in [KeyState::Active, KeyState::Next] {
            assert_eq!(kids(signing, state).iter().map(|(alg, _)| *alg).collect::<Vec<_>>(), ALGORITHMS);
            assert_eq!(kids(signing, state), kids(&a, state));
        }
        assert_eq!(signing.current().keys().count(), 4);
    }
}

#[tokio::test]
async fn a_rotation_by_one_node_reaches_the_other_and_old_tokens_still_verify() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let one = node(&database(folder.path()).await, &clock).await;
    let two = node(&database(folder.path()).await, &clock).await;
    let old = two.current().sign(Algorithm::Es256, None, &json!({ "sub": "a" })).unwrap();
    let (active, next) = (kids(&two, KeyState::Active), kids(&two, KeyState::Next));

    let report = one.rotate().await.unwrap();
    assert_eq!(report.rotated.len(), 2);
    assert!(two.refresh().await.unwrap());
    assert!(!two.refresh().await.unwrap(), "nothing changed since");
    assert_eq!(kids(&two, KeyState::Active), next);
    assert_eq!(kids(&two, KeyState::Retired), active);
    assert_eq!(two.current().jwks()["keys"].as_array().unwrap().len(), 6);
    assert_eq!(two.current().jwks(), one.current().jwks());
    assert!(two.current().verify(&old).is_ok());
    let new = one.current().sign(Algorithm::Es256, None, &json!({ "sub": "a" })).unwrap();
    assert!(two.current().verify(&new).is_ok());
}

#[tokio::test]
async fn a_retired_key_goes_when_its_time_is_over_and_its_tokens_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let signing = node(&database(folder.path()).await, &clock).await;
    let old = signing.current().sign(Algorithm::EdDsa, None, &json!({ "sub": "a" })).unwrap();
    signing.rotate().await.unwrap();
    clock.advance(config::Keys::default().keep_retired());
    assert!(!signing.refresh().await.unwrap());
    assert!(signing.current().verify(&old).is_ok());
    clock.advance(Duration::from_millis(1));
    assert!(signing.refresh().await.unwrap());
    assert!(matches!(signing.current().verify(&old), Err(JwtError::Invalid)));
    assert_eq!(signing.current().keys().count(), 4);
}

#[tokio::test]
async fn of_two_rotations_at_once_each_is_whole_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let one = node(&database(folder.path()).await, &clock).await;
    let two = node(&database(folder.path()).await, &clock).await;
    let (a, b) = tokio::join!(one.rotate(), two.rotate());
    let done = [&a, &b].into_iter().filter(|report| report.is_ok()).count();
    assert!(done >= 1, "{a:?} {b:?}");
    assert!([a, b].into_iter().filter_map(Result::err).all(|error| matches!(error, SigningError::Raced)));
    one.refresh().await.unwrap();
    assert_eq!(kids(&one, KeyState::Active).len(), 2);
    assert_eq!(kids(&one, KeyState::Next).len(), 2);
    assert_eq!(kids(&one, KeyState::Retired).len(), 2 * done);
}

#[tokio::test]
async fn an_algorithm_that_is_added_later_gets_its_keys_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let (db, clock) = (database(folder.path()).await, clock());
    let before = kids(&node(&db, &clock).await, KeyState::Active);
    let settings = config::Keys { algorithms: vec![Algorithm::Ps256], ..config::Keys::default() };
    let master = MasterKey::from_bytes([5; 32]);
    let after = Signing::load(db, master, clock, Entropy::system(), &settings).await.unwrap();
    assert!(before.iter().all(|key| kids(&after, KeyState::Active).contains(key)));
    assert!(after.current().sign(Algorithm::Ps256, None, &json!({})).is_ok());
}

#[tokio::test]
async fn while_the_database_is_down_the_keyring_of_before_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let db = database(folder.path()).await;
    let signing = node(&db, &clock()).await;
    db.close().await;
    assert!(signing.refresh().await.is_err());
    assert!(signing.rotate().await.is_err());
    let jwt = signing.current().sign(Algorithm::Es256, None, &json!({})).unwrap();
    assert!(signing.current().verify(&jwt).is_ok());
}

#[tokio::test]
async fn the_task_picks_up_a_rotation_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let one = node(&database(folder.path()).await, &clock).await;
    let settings =
        config::Keys { algorithms: ALGORITHMS.to_vec(), refresh_seconds: 0, ..config::Keys::default() };
    let (db, master) = (database(folder.path()).await, MasterKey::from_bytes([5; 32]));
    let two = Signing::load(db, master, clock, Entropy::system(), &settings).await.unwrap();
    let mut changes = two.0.current.subscribe();
    let task = two.spawn_refresh();
    one.rotate().await.unwrap();
    changes.changed().await.unwrap();
    assert_eq!(two.current().jwks(), one.current().jwks());
    task.abort();
}
