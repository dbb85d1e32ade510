//! Which passwords a member may choose (NIST SP 800-63B §5.1.1.2: long, not composed, not guessable).

use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::{
    matching::{Match, patterns::MatchPattern},
    zxcvbn,
};

use super::{BirthDate, EmailAddress, KanaName, LoginId, login_id::canonical, romaji};
use crate::config::insurer::Policy;

/// Characters of a password at most, after normalisation.
pub const MAX_CHARS: usize = 128;
/// Bytes of input at most, so that normalising and hashing stay cheap.
pub const MAX_BYTES: usize = 2048;
/// Characters that zxcvbn scores: its time grows with the length (a contrived 100 characters take a
/// second), and what these are worth the whole is worth at least.
const SCORED_CHARS: usize = 32;
/// Letters or digits from which on a forbidden word counts wherever it stands in a password.
const TELLING: usize = 6;
/// The same for one part of a name.
const TELLING_NAME: usize = 5;

/// What an attacker may know of the person.
#[derive(Clone, Debug)]
pub struct PersonalWords<'a> {
    /// Day of birth, if it is known.
    pub birth_date: Option<BirthDate>,
    /// Login ID of an insured person.
    pub login_id: Option<&'a LoginId>,
    /// Name.
    pub kana: Option<&'a KanaName>,
    /// E-mail address, which is the login ID of dependents.
    pub email: Option<&'a EmailAddress>,
}

/// Why a password is refused. Nothing in it repeats the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Fewer characters than the insurer asks for.
    #[error("the password has fewer than {min} characters")]
    TooShort {
        /// Fewest characters.
        min: usize,
    },
    /// More than [`MAX_CHARS`] characters.
    #[error("the password has more than {MAX_CHARS} characters")]
    TooLong,
    /// It contains the day of birth.
    #[error("the password contains the birth date")]
    BirthDate,
    /// It contains the login ID, or symbol and number.
    #[error("the password contains the login ID")]
    LoginId,
    /// It contains the name, in kana or in Latin letters.
    #[error("the password contains the name")]
    Name,
    /// It contains the e-mail address.
    #[error("the password contains the e-mail address")]
    Email,
    /// It is a password of many people.
    #[error("the password is common")]
    Common,
    /// It can be guessed.
    #[error("the password is easy to guess")]
    Weak,
}

impl PasswordRefusal {
    /// Name of the text that tells the person.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password-too-short",
            Self::TooLong => "password-too-long",
            Self::BirthDate => "password-birth-date",
            Self::LoginId => "password-login-id",
            Self::Name => "password-name",
            Self::Email => "password-email",
            Self::Common => "password-common",
            Self::Weak => "password-weak",
        }
    }

    /// Arguments of that text.
    pub fn args(self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooShort { min } => vec![("min", min.to_string())],
            Self::TooLong => vec![("max", MAX_CHARS.to_string())],
            _ => Vec::new(),
        }
    }
}

/// The one spelling of a password, before it is hashed or compared (NIST SP 800-63B §5.1.1.2): the same
/// characters typed on another keyboard are the same password. Spaces stay.
pub fn normalise(password: &str) -> String {
    password.nfkc().collect()
}

/// Whether a person may choose the password. Costs some milliseconds, for contrived input 100, so it
/// belongs on a thread that may block and behind a rate limit.
pub fn check(password: &str, policy: &Policy, person: &PersonalWords<'_>) -> Result<(), PasswordRefusal> {
    if password.len() > MAX_BYTES {
        return Err(PasswordRefusal::TooLong);
    }
    let password = normalise(password);
    let length = password.chars().count();
    if length < policy.password_min_length {
        return Err(PasswordRefusal::TooShort { min: policy.password_min_length });
    }
    if length > MAX_CHARS {
        return Err(PasswordRefusal::TooLong);
    }
    let folded = fold(&password);
    let names = person.kana.map(Names::of).unwrap_or_default();
    for (words, refusal) in [
        (person.birth_date.map(birth_date_forms).unwrap_or_default(), PasswordRefusal::BirthDate),
        (person.login_id.map(login_id_forms).unwrap_or_default(), PasswordRefusal::LoginId),
        (names.forbidden, PasswordRefusal::Name),
        (person.email.map(|email| vec![fold(&email.key())]).unwrap_or_default(), PasswordRefusal::Email),
    ] {
        if words.iter().any(|word| folded.contains(word.as_str())) {
            return Err(refusal);
        }
    }
    let word = folded.trim_matches(|c: char| c.is_ascii_digit());
    if COMMON_IN_JAPAN.iter().any(|common| *common == word || *common == folded) {
        return Err(PasswordRefusal::Common);
    }
    let mut known: Vec<&str> = names.parts.iter().map(String::as_str).collect();
    known.extend(person.email.map(EmailAddress::local_part));
    known.extend(COMMON_IN_JAPAN);
    let scored: String = password.chars().take(SCORED_CHARS).collect();
    let strength = zxcvbn(&scored, &known);
    if u8::from(strength.score()) >= policy.password_min_score {
        return Ok(());
    }
    // One match that is the whole password: it stands in a list as it is.
    match strength.sequence() {
        [Match { pattern: MatchPattern::Dictionary(_), .. }] => Err(PasswordRefusal::Common),
        _ => Err(PasswordRefusal::Weak),
    }
}

/// Letters and digits only, in lower case, so that separators and capitals hide nothing.
fn fold(text: &str) -> String {
    canonical(text).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The day of birth as people write it: 19990121, 990121, 01211999, 21011999, H110121, 平成11年1月21日…
fn birth_date_forms(born: BirthDate) -> Vec<String> {
    let date = born.date();
    let (year, month, day) = (date.year(), date.month(), date.day());
    let short = year.rem_euclid(100);
    let mut forms = Vec::new();
    for year in [format!("{year:04}"), format!("{short:02}")] {
        forms.extend([
            format!("{year}{month:02}{day:02}"),
            format!("{month:02}{day:02}{year}"),
            format!("{day:02}{month:02}{year}"),
            format!("{year}{month}{day}"),
            format!("{year}年{month}月{day}日"),
            format!("{year}年{month:02}月{day:02}日"),
        ]);
    }
    for (era, year) in born.in_eras() {
        let initial = era.initial.to_ascii_lowercase();
        forms.push(format!("{year:02}{month:02}{day:02}"));
        let first = (year == 1).then(|| "元".to_owned());
        for year in [format!("{year}"), format!("{year:02}")].into_iter().chain(first) {
            forms.push(format!("{initial}{year}{month:02}{day:02}"));
            forms.push(format!("{initial}{year}{month}{day}"));
            forms.push(format!("{}{year}年{month}月{day}日", era.name));
            forms.push(format!("{}{year}年{month:02}月{day:02}日", era.name));
            for name in romaji::spellings(era.reading) {
                forms.push(format!("{name}{year}{month:02}{day:02}"));
            }
        }
    }
    forms.retain(|form| form.chars().count() >= TELLING);
    forms
}

/// Login ID, symbol with number, and those without their leading zeros.
fn login_id_forms(login_id: &LoginId) -> Vec<String> {
    let digits = format!("{}{}", login_id.symbol(), login_id.number());
    let bare = digits.trim_start_matches('0').to_owned();
    let mut forms = vec![format!("{}{digits}", login_id.insurer()), digits, bare];
    forms.retain(|form| form.len() >= TELLING);
    forms
}

#[derive(Default)]
struct Names {
    /// What a password must not contain.
    forbidden: Vec<String>,
    /// What makes a password easier to guess.
    parts: Vec<String>,
}

impl Names {
    fn of(kana: &KanaName) -> Self {
        let parts: Vec<Vec<String>> = kana
            .as_str()
            .split([' ', '・'])
            .map(|part| romaji::spellings(part).into_iter().collect())
            .collect();
        let mut forbidden: Vec<String> = match parts.as_slice() {
            [family, .., given] => family
                .iter()
                .flat_map(|family| given.iter().flat_map(move |given| [(family, given), (given, family)]))
                .map(|(first, second)| format!("{first}{second}"))
                .collect(),
            _ => Vec::new(),
        };
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        forbidden.extend(parts.iter().filter(|part| part.len() >= TELLING_NAME).cloned());
        let whole: String = kana.as_str().chars().filter(|c| c.is_alphanumeric()).collect();
        if whole.chars().count() > 2 {
            forbidden.push(whole);
        }
        Self { forbidden, parts }
    }
}

/// Words that Japanese leaks are full of and an English list lacks.
const COMMON_IN_JAPAN: [&str; 60] = [
    "sakura",
    "arigatou",
    "arigato",
    "ohayou",
    "konnichiwa",
    "sayonara",
    "daisuki",
    "aishiteru",
    "watashi",
    "nihon",
    "nippon",
    "japan",
    "tokyo",
    "osaka",
    "kyoto",
    "yokohama",
    "nagoya",
    "sapporo",
    "fukuoka",
    "hokkaido",
    "okinawa",
    "doraemon",
    "pokemon",
    "pikachu",
    "totoro",
    "naruto",
    "onepiece",
    "gundam",
    "anpanman",
    "hellokitty",
    "yamada",
    "tanaka",
    "suzuki",
    "satou",
    "sato",
    "takahashi",
    "watanabe",
    "nakamura",
    "kobayashi",
    "hanako",
    "taro",
    "tarou",
    "himawari",
    "momiji",
    "hikari",
    "kibou",
    "shiawase",
    "kenkou",
    "kenkouhoken",
    "kenpo",
    "kenpos",
    "hoken",
    "hokensho",
    "kumiai",
    "kaisha",
    "pasuwado",
    "pasuwaado",
    "anshou",
    "himitsu",
    "tomodachi",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::members::login_id::tests::insurer;

    fn verdict(password: &str) -> Result<(), PasswordRefusal> {
        let login_id = LoginId::from_parts(&insurer(), "91", "200001").unwrap();
        let kana = KanaName::parse("アオヤマ リョウコ").unwrap();
        let email = EmailAddress::parse("ryo-a@example.jp").unwrap();
        let person = PersonalWords {
            birth_date: Some(BirthDate::parse("19990121").unwrap()),
            login_id: Some(&login_id),
            kana: Some(&kana),
            email: Some(&email),
        };
        check(password, &Policy::default(), &person)
    }

    #[test]
    fn long_and_uncommon_is_enough() {
        for password in [
            "correct horse battery staple",
            "Xk7!vQ2m#pLw",
            "あかさたなはまやらわをん",
            "雨の日は図書館へ行こう",
            "  surprising kettle  ",
            "🦊🐻🌋🎻🚲🍋🧲🪁🐙🌵",
        ] {
            assert_eq!(verdict(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn length_counts_characters_after_normalisation() {
        assert_eq!(verdict("Xk7!vQ2m#"), Err(PasswordRefusal::TooShort { min: 10 }));
        assert_eq!(
            verdict("か\u{3099}か\u{3099}か\u{3099}か\u{3099}か\u{3099}"),
            Err(PasswordRefusal::TooShort { min: 10 })
        );
        assert_eq!(verdict(&"Xk7!vQ2m#pLw-".repeat(10)), Err(PasswordRefusal::TooLong));
        assert_eq!(verdict(&"x".repeat(1_000_000)), Err(PasswordRefusal::TooLong));
        assert_eq!(normalise("Ｐａｓｓ ｶﾞ"), "Pass ガ");
    }

    #[test]
    fn no_form_of_the_birth_date_is_taken() {
        for form in [
            "19990121",
            "1999-01-21",
            "1999/1/21",
            "990121",
            "01211999",
            "21011999",
            "012199",
            "H110121",
            "h11.1.21",
            "平成11年1月21日",
            "１９９９０１２１",
            "heisei110121",
            "110121",
            "1999年01月21日",
        ] {
            assert_eq!(verdict(&format!("Xk7!vQ {form} mpLw")), Err(PasswordRefusal::BirthDate), "{form}");
        }
    }

    #[test]
    fn neither_login_id_nor_name_nor_address_is_taken() {
        for form in ["7132-091200001", "7132091200001", "091-200001", "91200001"] {
            assert_eq!(verdict(&format!("Xk!vQ{form}mpLw")), Err(PasswordRefusal::LoginId), "{form}");
        }
        for form in
            ["Aoyama", "Ryouko", "RyokoAoyama", "aoyama-ryohko", "アオヤマリョウコ", "アオヤマ　リョウコ"]
        {
            assert_eq!(verdict(&format!("Xk!vQ {form} mp7Lw")), Err(PasswordRefusal::Name), "{form}");
        }
        assert_eq!(verdict("Xk7 ryo-a@example.jp"), Err(PasswordRefusal::Email));
    }

    #[test]
    fn what_many_people_use_is_not_taken() {
        for password in ["sakura2024!", "1234567890", "Kenkouhoken", "daisuki0000", "qwertyuiop"] {
            assert_eq!(verdict(password), Err(PasswordRefusal::Common), "{password}");
        }
        for password in ["aaaaaaaaaaaa", "abcdefghijkl", "passwordpassword", "2024/05/06 x"] {
            assert_eq!(verdict(password), Err(PasswordRefusal::Weak), "{password}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn arbitrary_text_never_panics(password in any::<String>()) {
            let _ = verdict(&password);
            prop_assert_eq!(normalise(&normalise(&password)), normalise(&password));
        }
    }
}
