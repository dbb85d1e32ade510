//! Every parser under input that was good once: seeds of `tests/corpus`, one a line, changed at random. A failure is
//! written to `tests/proptest-regressions` and tried first from then on.
//!
//! `PROPTEST_CASES=100000 cargo test --test it fuzz` goes on for longer.

mod requests;

use std::{fs, path::Path};

use kenpos_idp::{
    clients::Metadata,
    config::Insurer,
    crypto::{Algorithm, ForeignJwt, JwkSet},
    members::{
        BirthDate, KanaName,
        birth_date::parse_date,
        login_id::{self, Typed},
        roster_csv::{Column, RosterCsv},
    },
    oidc::{authorize::params::Params, claims_request::ClaimsRequest},
    web::cookies,
};
use proptest::{
    prelude::*,
    sample::{Index, select},
};

use crate::support::app::insurer;

/// What parsers stumble over.
const PIECES: &[&str] = &[
    "\0",
    "\r\n",
    "\t",
    " ",
    "%",
    "%00",
    "%ff",
    "&",
    "=",
    ";",
    ",",
    "\"",
    "'",
    "\\",
    "..",
    "//",
    "@",
    "#",
    "?",
    ":",
    "[",
    "]",
    "{",
    "}",
    "-1",
    "0",
    "99999999999999999999",
    "1e999",
    "null",
    "true",
    "\u{feff}",
    "\u{202e}",
    "\u{3000}",
    "ー",
    "㈱",
    "\u{309a}",
    "é",
    "e\u{301}",
    "\u{10ffff}",
    "eyJhbGciOiJub25lIn0",
    "javascript:",
    "<script>",
    "平成",
    "２０",
];

/// A change of octets.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Cut(Index),
    Drop(Index),
    Insert(Index, &'static str),
    Repeat(Index, u16),
    Double,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, octet)| Change::Set(at, octet)),
        any::<Index>().prop_map(Change::Cut),
        any::<Index>().prop_map(Change::Drop),
        (any::<Index>(), select(PIECES)).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<Index>(), 2..300_u16).prop_map(|(at, times)| Change::Repeat(at, times)),
        Just(Change::Double),
    ]
}

fn apply(mut octets: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for change in changes {
        let length = octets.len();
        let place = |at: Index| at.index(length.max(1));
        match change {
            Change::Set(at, octet) if length > 0 => octets[place(at)] = octet,
            Change::Cut(at) if length > 0 => octets.truncate(place(at)),
            Change::Drop(at) if length > 0 => {
                octets.remove(place(at));
            }
            Change::Insert(at, piece) => {
                let at = at.index(length + 1);
                octets.splice(at..at, piece.bytes());
            }
            Change::Repeat(at, times) if length > 0 => {
                let at = place(at);
                let octet = octets[at];
                octets.splice(at..at, std::iter::repeat_n(octet, times.into()));
            }
            Change::Double if length < 20_000 => octets.extend_from_within(..),
            _ => {}
        }
    }
    octets
}

/// The seeds of a parser; `\n` and `\r` stand for line ends.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let seeds: Vec<_> =
        text.lines().map(|line| line.replace("\\n", "\n").replace("\\r", "\r").into_bytes()).collect();
    assert!(seeds.len() > 3, "{name} has few seeds");
    seeds
}

/// A seed with some changes, or with none.
fn octets(name: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    (select(seeds(name)), prop::collection::vec(change(), 0..6))
        .prop_map(|(seed, changes)| apply(seed, changes))
}

fn text(name: &str) -> impl Strategy<Value = String> + use<> {
    octets(name).prop_map(|octets| String::from_utf8_lossy(&octets).into_owned())
}

fn insurers() -> Vec<Insurer> {
    vec![insurer()]
}

proptest! {
    #[test]
    fn login_ids(typed in text("login_id.txt")) {
        if let Ok(Typed::Number(id)) = login_id::parse(&typed, &insurers()) {
            let again = login_id::parse(&id.to_string(), &insurers());
            prop_assert!(matches!(again, Ok(Typed::Number(same)) if same == id), "{typed:?}");
        }
    }

    #[test]
    fn dates(typed in text("dates.txt")) {
        let _ = parse_date(&typed);
        if let Ok(date) = BirthDate::parse(&typed) {
            prop_assert_eq!(BirthDate::parse(&date.compact()), Ok(date));
            prop_assert_eq!(BirthDate::parse(&date.iso()), Ok(date));
        }
    }

    #[test]
    fn names(typed in text("kana.txt")) {
        if let Ok(name) = KanaName::parse(&typed) {
            let again = KanaName::parse(name.as_str()).map(|again| again.as_str().to_owned());
            prop_assert_eq!(again.as_deref().ok(), Some(name.as_str()));
        }
    }

    #[test]
    fn rosters(file in octets("roster.txt")) {
        if let Ok(mut csv) = RosterCsv::open(&file[..]).unwrap() {
            let mut rows = 0;
            while let Some(record) = csv.next_record().unwrap() {
                rows += 1;
                if let Ok(fields) = record.fields {
                    let _ = fields.get(Column::Kana);
                }
            }
            prop_assert!(rows <= file.len(), "more rows than octets");
            prop_assert_eq!(csv.bytes(), file.len() as u64);
        }
    }

    #[test]
    fn parameters(query in octets("authorize.txt")) {
        let params = Params::parse(&query);
        for name in ["client_id", "redirect_uri", "scope", "state", "claims", "request"] {
            prop_assert!(params.get(name).is_none_or(|value| !value.is_empty() && value.len() <= 12 * 1024));
        }
        prop_assert!(params.has_repeated() || params.is_clear("client_id") || params.has_too_long());
    }

    #[test]
    fn claims_parameters(claims in text("claims.txt")) {
        if let Ok(request) = ClaimsRequest::parse(&claims) {
            let _ = (request.names().count(), request.subjects(), request.essential_acr());
        }
    }

    #[test]
    fn tokens(jwt in text("jwt.txt")) {
        let keys = JwkSet::from_json(br#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#);
        if let Ok(read) = ForeignJwt::read(&jwt) {
            let _ = (read.alg(), read.kid(), read.is_of_kind("x"), read.unverified("sub"));
            prop_assert!(read.verify_hs256(b"another secret than that of the seeds").is_err());
            for alg in [Algorithm::Rs256, Algorithm::Es256] {
                let keys = keys.as_ref().map(|keys| keys.for_verification(alg, read.kid())).unwrap_or_default();
                prop_assert!(read.verify(alg, &keys).is_err());
            }
        }
    }

    #[test]
    fn key_sets(set in octets("jwks.txt")) {
        if let Ok(keys) = JwkSet::from_json(&set) {
            for alg in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa] {
                let _ = keys.for_verification(alg, Some("1")).len();
            }
        }
    }

    #[test]
    fn client_metadata(document in octets("client_metadata.txt")) {
        if let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(&document)
            && let Ok(metadata) = Metadata::from_fields(fields)
        {
            let again = Metadata::from_fields(metadata.fields()).map(|again| again.fields());
            prop_assert_eq!(again.ok(), Some(metadata.fields()));
        }
    }

    #[test]
    fn cookie_headers(header in octets("cookies.txt")) {
        if let Ok(value) = axum::http::HeaderValue::from_bytes(&header) {
            let headers = [(axum::http::header::COOKIE, value)].into_iter().collect();
            for secure in [true, false] {
                let _ = cookies::read(&headers, cookies::Name::Session, secure);
            }
        }
    }
}
