use std::sync::mpsc;

use argon2::PasswordVerifier as _;
use futures_util::future::poll_immediate;
use tokio::sync::oneshot;

use super::*;

fn cheap(concurrent: usize, queue: usize) -> Passwords {
    let settings = config::Passwords { memory_kib: 8, iterations: 1, parallelism: 1, concurrent, queue };
    Passwords::new(&settings, Entropy::system()).unwrap()
}

#[tokio::test]
async fn a_hash_verifies_its_own_password_alone() {
    let passwords = cheap(2, 2);
    let hash = passwords.hash("正しい馬の電池".into()).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
    assert_ne!(hash, passwords.hash("正しい馬の電池".into()).await.unwrap(), "salted");
    assert!(passwords.verify("正しい馬の電池".into(), Some(hash.clone())).await.unwrap());
    for wrong in ["正しい馬の電地", "", "正しい馬の電池 "] {
        assert!(!passwords.verify(wrong.into(), Some(hash.clone())).await.unwrap(), "{wrong}");
    }
}

#[tokio::test]
async fn an_unknown_id_and_an_oversized_password_cost_one_run_each() {
    let passwords = cheap(1, 0);
    let hash = passwords.hash("x".repeat(MAX_BYTES).into()).await.unwrap();
    let oversized = || SecretString::from("x".repeat(MAX_BYTES + 1));
    let cases: [(SecretString, Option<&String>, bool); 5] = [
        ("x".repeat(MAX_BYTES).into(), Some(&hash), true),
        ("wrong".into(), Some(&hash), false),
        ("anything".into(), None, false),
        (oversized(), Some(&hash), false),
        (oversized(), None, false),
    ];
    for (i, (password, hash, verdict)) in cases.into_iter().enumerate() {
        let before = passwords.runs();
        assert_eq!(passwords.verify(password, hash.cloned()).await.unwrap(), verdict, "case {i}");
        assert_eq!(passwords.runs() - before, 1, "case {i}");
    }
    let before = passwords.runs();
    assert!(matches!(passwords.hash(oversized()).await, Err(PasswordError::TooLong)));
    assert_eq!(passwords.runs(), before);
}

#[tokio::test]
async fn no_password_matches_the_dummy_not_even_an_empty_one() {
    let passwords = cheap(1, 0);
    let dummy = passwords.0.dummy.to_string();
    assert!(!passwords.needs_rehash(&dummy), "it must cost what a real one costs");
    // An oversized password is worked on as an empty one; against the hash of an empty one it fails too.
    let empty = passwords.hash("".into()).await.unwrap();
    assert!(!passwords.verify("x".repeat(MAX_BYTES + 1).into(), Some(empty)).await.unwrap());
    assert!(!passwords.verify("".into(), None).await.unwrap());
}

#[tokio::test]
async fn past_the_queue_everyone_is_told_to_come_back() {
    let passwords = cheap(1, 1);
    let running = Arc::clone(&passwords.0.running).acquire_owned().await.unwrap();
    let mut first = Box::pin(passwords.verify("a".into(), None));
    let mut second = Box::pin(passwords.hash("b".into()));
    assert!(poll_immediate(&mut first).await.is_none());
    assert!(poll_immediate(&mut second).await.is_none());
    assert_eq!(passwords.in_progress(), 2);
    assert!(matches!(passwords.verify("c".into(), None).await, Err(PasswordError::Busy)));
    assert!(matches!(passwords.hash("c".into()).await, Err(PasswordError::Busy)));
    // Whoever hangs up makes room.
    drop(second);
    assert_eq!(passwords.in_progress(), 1);
    drop(running);
    assert!(!first.await.unwrap());
    assert!(passwords.hash("c".into()).await.is_ok());
}

#[tokio::test]
async fn a_cancelled_request_keeps_its_place_until_its_run_ends() {
    let passwords = cheap(1, 0);
    let (started, has_started) = oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let task = {
        let passwords = passwords.clone();
        tokio::spawn(async move {
            let work = move |_: &Inner, _: &mut Room| {
                started.send(()).ok();
                released.recv().ok();
                Ok(())
            };
            passwords.admit()?.run(work).await
        })
    };
    has_started.await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert!(matches!(passwords.verify("a".into(), None).await, Err(PasswordError::Busy)));
    release.send(()).unwrap();
    drop(passwords.0.running.acquire().await.unwrap());
}

#[tokio::test]
async fn a_malformed_hash_is_an_error_and_costs_nothing() {
    let passwords = cheap(1, 0);
    let bad = ["", "x", "$argon2id$v=19$m=8,t=1,p=1", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ", "$2b$12$abc"];
    for hash in bad.into_iter().chain([
        "$scrypt$ln=1$c2FsdHNhbHQ$c2FsdHNhbHQ",
        "$argon2id$v=19$m=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
    ]) {
        let verdict = passwords.verify("a".into(), Some(hash.to_owned())).await;
        assert!(matches!(verdict, Err(PasswordError::Malformed(_))), "{hash}: {verdict:?}");
        assert!(passwords.needs_rehash(hash), "{hash}");
    }
    assert_eq!(passwords.runs(), 0);
}

#[tokio::test]
async fn a_hash_of_other_parameters_verifies_and_asks_to_be_made_anew() {
    let passwords = cheap(1, 0);
    let stronger =
        config::Passwords { memory_kib: 16, iterations: 2, parallelism: 1, concurrent: 1, queue: 0 };
    let stronger = Passwords::new(&stronger, Entropy::system()).unwrap();
    let hash = passwords.hash("a".into()).await.unwrap();
    assert!(stronger.verify("a".into(), Some(hash.clone())).await.unwrap());
    assert!(stronger.needs_rehash(&hash));
    assert!(!passwords.needs_rehash(&hash));
    assert!(passwords.needs_rehash(&hash.replace("argon2id", "argon2i")));
}

#[test]
fn settings_that_argon2_cannot_take_are_an_error() {
    let settings = config::Passwords { memory_kib: 7, ..config::Passwords::default() };
    assert!(Passwords::new(&settings, Entropy::system()).is_err());
}

#[tokio::test]
async fn room_that_was_used_before_changes_no_hash() {
    let small = cheap(1, 0);
    let settings =
        config::Passwords { memory_kib: 64, iterations: 2, parallelism: 1, concurrent: 1, queue: 0 };
    let large = Passwords::new(&settings, Entropy::system()).unwrap();
    let known = small.hash("馬".into()).await.unwrap();
    let larger = large.hash("馬".into()).await.unwrap();
    for passwords in [&small, &large, &small] {
        for (hash, password, verdict) in
            [(&larger, "馬", true), (&known, "馬", true), (&known, "鹿", false), (&larger, "鹿", false)]
        {
            let said = passwords.verify(password.into(), Some(hash.clone())).await.unwrap();
            assert_eq!(said, verdict, "{hash}");
        }
    }
    // Another implementation agrees: that of the library, in memory of its own.
    assert!(Argon2::default().verify_password("馬".as_bytes(), &parse(&larger).unwrap()).is_ok());
}
