use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, thread};

use openssl::{md::Md, pkey::Id, pkey_ctx::PkeyCtx};
use proptest::prelude::*;

use super::*;

const ENTROPY: Entropy = Entropy::system();

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn the_first_start_makes_a_private_file_and_the_next_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("a/keys");
    let made = MasterKey::load_or_create(&directory, &ENTROPY).unwrap();
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join(FILE)), 0o600);
    let read = MasterKey::load_or_create(&directory, &ENTROPY).unwrap();
    assert_eq!(made.derive("a"), read.derive("a"));
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "the draft is gone");
    let other = MasterKey::load_or_create(&folder.path().join("b"), &ENTROPY).unwrap();
    assert_ne!(made.derive("a"), other.derive("a"));
}

#[test]
fn processes_that_start_together_end_with_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("keys");
    let start = || MasterKey::load_or_create(&directory, &ENTROPY).unwrap().derive("a");
    let keys: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
    // Whoever comes too late to create must take what is there.
    create(&directory, &directory.join(FILE), &ENTROPY).unwrap();
    assert_eq!(start(), keys[0]);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_file_that_others_can_read_is_refused_by_name_and_mode() {
    let folder = tempfile::tempdir().unwrap();
    MasterKey::load_or_create(folder.path(), &ENTROPY).unwrap();
    let path = folder.path().join(FILE);
    for (bits, usable) in [(0o640, false), (0o604, false), (0o660, false), (0o400, true), (0o600, true)] {
        fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
        match MasterKey::load_or_create(folder.path(), &ENTROPY) {
            Ok(_) => assert!(usable, "{bits:o}"),
            Err(error) => {
                assert!(!usable, "{bits:o}");
                let text = error.to_string();
                assert!(text.contains("master.key") && text.contains(&format!("{bits:04o}")), "{text}");
            }
        }
    }
}

#[test]
fn a_file_that_holds_no_key_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let long = "A".repeat(44);
    for content in ["", "short", "not base64url!", &long, &"A".repeat(10_000)] {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let refused = MasterKey::load_or_create(folder.path(), &ENTROPY);
        assert!(matches!(refused, Err(MasterKeyError::Malformed { .. })), "{content}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn derivation_is_the_hkdf_of_openssl() {
    let master = MasterKey::from_bytes([7; 32]);
    for purpose in ["", "cookie", "signing-key"] {
        let mut hkdf = PkeyCtx::new_id(Id::HKDF).unwrap();
        hkdf.derive_init().unwrap();
        hkdf.set_hkdf_md(Md::sha256()).unwrap();
        hkdf.set_hkdf_key(&[7; 32]).unwrap();
        hkdf.set_hkdf_salt(SALT).unwrap();
        hkdf.add_hkdf_info(purpose.as_bytes()).unwrap();
        let mut expected = [0; 32];
        hkdf.derive(Some(&mut expected)).unwrap();
        assert_eq!(master.derive(purpose), expected, "{purpose}");
    }
    assert_ne!(master.mac("a", b"x"), master.mac("b", b"x"));
    assert_eq!(master.mac_base64url("a", b"x").len(), 43);
}

#[test]
fn a_stamp_is_known_for_its_purpose_and_body_alone() {
    let master = MasterKey::from_bytes([7; 32]);
    for body in ["", "grant.7", "a.b.c"] {
        let text = master.stamp("a", body);
        assert_eq!(master.stamped("a", &text), Some(body));
        assert_eq!(master.stamped("b", &text), None);
        assert_eq!(MasterKey::from_bytes([8; 32]).stamped("a", &text), None);
        for altered in [format!("{text}A"), format!("x{text}"), text[..text.len() - 1].to_owned()] {
            assert_eq!(master.stamped("a", &altered), None, "{altered}");
        }
    }
    for text in ["", ".", "grant", "grant."] {
        assert_eq!(master.stamped("a", text), None, "{text}");
    }
}

#[test]
fn nothing_shows_the_key() {
    let master = MasterKey::from_bytes([65; 32]);
    assert_eq!(format!("{master:?}"), "MasterKey(hidden)");
}

#[test]
fn a_value_opens_only_where_it_was_sealed() {
    let master = MasterKey::from_bytes([1; 32]);
    let sealed = master.seal("outbox", "row-1", b"secret", &ENTROPY);
    assert_ne!(sealed, master.seal("outbox", "row-1", b"secret", &ENTROPY), "a nonce of its own");
    assert_eq!(master.open("outbox", "row-1", &sealed).unwrap(), b"secret");
    assert_eq!(master.open("outbox", "row-2", &sealed), Err(SealError));
    assert_eq!(master.open("cookie", "row-1", &sealed), Err(SealError));
    assert_eq!(MasterKey::from_bytes([2; 32]).open("outbox", "row-1", &sealed), Err(SealError));
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_and_whatever_is_altered_does_not(
        plain in proptest::collection::vec(any::<u8>(), 0..200), at in any::<proptest::sample::Index>(), bit in 0..8_u8
    ) {
        let master = MasterKey::from_bytes([1; 32]);
        let sealed = master.seal("a", "b", &plain, &ENTROPY);
        prop_assert_eq!(&master.open("a", "b", &sealed).unwrap(), &plain);
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        let at = at.index(bytes.len());
        prop_assert!(master.open("a", "b", &BASE64_URL_SAFE_NO_PAD.encode(&bytes[..at])).is_err());
        bytes[at] ^= 1 << bit;
        prop_assert!(master.open("a", "b", &BASE64_URL_SAFE_NO_PAD.encode(&bytes)).is_err());
    }

    #[test]
    fn opening_anything_never_panics(text in ".*") {
        prop_assert!(MasterKey::from_bytes([1; 32]).open("a", "b", &text).is_err());
    }
}
