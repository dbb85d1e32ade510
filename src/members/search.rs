//! Finding a person for the office, by whatever is on the letter, on the telephone or in the mail: login ID,
//! 記号・番号, name in kana, e-mail address or subject, typed into one box.

use super::{
    EmailAddress, KanaName, Members,
    login_id::{self, LoginId, Typed, canonical, fold_numeric},
    operator::Subject,
};
use crate::{
    config::Insurer,
    fault::Fault,
    storage::{
        member::{self, Member},
        member_search::{self, Account, Found, Key, Place},
        roster,
    },
};

/// Characters that are looked at.
const MOST_TYPED: usize = 254;
/// Length of subjects and identifiers of persons.
const ID_LENGTH: usize = 22;

/// What is looked for.
#[derive(Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The person of a login ID of a number.
    LoginId(LoginId),
    /// 記号 and 番号, as they stand on a document: with or without the zeros in front.
    Number {
        /// 記号.
        symbol: String,
        /// 番号.
        number: String,
    },
    /// How a name begins, as names are compared.
    Kana(String),
    /// How an address begins, in lower case.
    Email(String),
    /// A subject, or the identifier of a person.
    Id(String),
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wanted(***)")
    }
}

/// Why nobody can be looked for. Nothing in it repeats the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WantedError {
    /// Nothing was typed.
    #[error("nothing to look for")]
    Empty,
    /// Longer than anything that is looked for.
    #[error("too long")]
    TooLong,
    /// Digits that are neither a login ID nor 記号 and 番号.
    #[error("write a number as SYMBOL-NUMBER, such as 91-200001, or the whole login ID")]
    Number,
    /// Neither kana nor digits nor an address.
    #[error("look for a login ID, SYMBOL-NUMBER, a name in kana, an e-mail address or a subject")]
    Other,
}

impl WantedError {
    /// Name of the text that tells the person.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::Empty => "members-error-empty",
            Self::TooLong => "members-error-long",
            Self::Number => "members-error-number",
            Self::Other => "members-error-other",
        }
    }
}

impl Wanted {
    /// Reads what was typed.
    pub fn parse(text: &str, insurers: &[Insurer]) -> Result<Self, WantedError> {
        if text.chars().count() > MOST_TYPED {
            return Err(WantedError::TooLong);
        }
        let text = canonical(text);
        if text.is_empty() {
            return Err(WantedError::Empty);
        }
        // Hyphens of every kind first: the sign of a long vowel is one of them between digits.
        let folded = fold_numeric(&text);
        if folded.chars().all(|c| c.is_ascii_digit() || is_separator(c)) {
            return Self::number(&folded, insurers);
        }
        if let Ok(name) = KanaName::parse(&text) {
            return Ok(Self::Kana(name.folded().to_owned()));
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err(WantedError::Other);
        }
        let is_id = text.len() == ID_LENGTH
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        Ok(if is_id { Self::Id(text) } else { Self::Email(text.to_ascii_lowercase()) })
    }

    fn number(text: &str, insurers: &[Insurer]) -> Result<Self, WantedError> {
        if let Ok(Typed::Number(id)) = login_id::parse(text, insurers) {
            return Ok(Self::LoginId(id));
        }
        let parts: Vec<&str> = text.split(is_separator).filter(|part| !part.is_empty()).collect();
        // A branch (枝番) behind them does no harm: the family is listed together.
        let ([symbol, number] | [symbol, number, _]) = parts.as_slice() else {
            return Err(WantedError::Number);
        };
        Ok(Self::Number { symbol: (*symbol).to_owned(), number: (*number).to_owned() })
    }
}

/// What stands between 記号 and 番号.
const fn is_separator(c: char) -> bool {
    matches!(c, '-' | ' ' | '・' | '/' | ',' | '、')
}

impl Members {
    /// Up to `limit` people at the insurers that `scope` names (none: at all), by insurer and then by name,
    /// address or branch, after the person of the identifier `after`.
    pub async fn search(
        &self,
        wanted: &Wanted,
        scope: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Found>, Fault> {
        let mut insurers: Vec<&Insurer> =
            self.config.insurers.iter().filter(|one| scope.is_none_or(|code| one.code == code)).collect();
        if let Wanted::Id(id) = wanted {
            let found = self.subject(id).await?.filter(|found| {
                after.is_none() && insurers.iter().any(|insurer| insurer.code == found.person.insurer)
            });
            return Ok(found.into_iter().map(Found::from).collect());
        }
        let mut last = match after {
            Some(id) => self.subject(id).await?,
            None => None,
        };
        if let Some(last) = &last {
            let at = insurers.iter().position(|insurer| insurer.code == last.person.insurer);
            insurers.drain(..at.unwrap_or(0));
        }
        let mut found = Vec::new();
        for insurer in insurers {
            let rest = i64::try_from(limit.saturating_sub(found.len())).unwrap_or(i64::MAX);
            if rest == 0 {
                break;
            }
            found.extend(self.search_at(insurer, wanted, last.take().as_ref(), rest).await?);
        }
        Ok(found)
    }

    async fn search_at(
        &self,
        insurer: &Insurer,
        wanted: &Wanted,
        last: Option<&Subject>,
        limit: i64,
    ) -> Result<Vec<Found>, Fault> {
        let last = last.filter(|last| last.person.insurer == insurer.code);
        let padded;
        let key = match wanted {
            Wanted::LoginId(id) if id.insurer() == insurer.code => Key::Number(id.symbol(), id.number()),
            Wanted::Number { symbol, number } => match LoginId::from_parts(insurer, symbol, number) {
                Ok(id) => {
                    padded = id;
                    Key::Number(padded.symbol(), padded.number())
                }
                // More digits than this insurer's numbers have.
                Err(_) => return Ok(Vec::new()),
            },
            Wanted::LoginId(_) | Wanted::Id(_) => return Ok(Vec::new()),
            Wanted::Kana(start) => Key::Kana(start),
            Wanted::Email(start) => Key::Email(start),
        };
        let value = last.map(|last| place_value(key, last)).unwrap_or_default();
        let after = last.map(|last| {
            let account = last.member.as_ref().map_or("", |member| member.id.as_str());
            Place { value: &value, id: if matches!(key, Key::Email(_)) { account } else { &last.person.id } }
        });
        Ok(member_search::page(&self.db, &insurer.code, key, after, limit).await?)
    }

    /// The person of an identifier, or of the account of a subject.
    pub async fn subject(&self, id: &str) -> Result<Option<Subject>, Fault> {
        // A subject is base64url, a person its import and a number. Nothing else is one; PostgreSQL would answer a NUL with an error.
        if id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        {
            return Ok(None);
        }
        if let Some(person) = roster::find(&self.db, id).await? {
            let member = member::of_person(&self.db, &person.id).await?;
            return Ok(Some(Subject { person, member }));
        }
        let Some(member) = member::find(&self.db, id).await? else { return Ok(None) };
        let person = roster::find(&self.db, &member.person_id).await?;
        Ok(person.map(|person| Subject { person, member: Some(member) }))
    }
}

/// What the list is ordered by, of the person that a page ended with.
fn place_value(key: Key<'_>, last: &Subject) -> String {
    let address = |member: &Member| member.email.as_deref().map(str::to_ascii_lowercase);
    match key {
        Key::Number(..) => last.person.branch.clone().unwrap_or_default(),
        Key::Kana(_) => last.person.kana.folded().to_owned(),
        // Whoever lost the address meanwhile was on the page before: the list begins again.
        Key::Email(start) => last.member.as_ref().and_then(address).unwrap_or_else(|| start.to_owned()),
    }
}

impl From<Subject> for Found {
    fn from(subject: Subject) -> Self {
        let account =
            subject.member.map(|member| Account { id: member.id, state: member.state, email: member.email });
        Self { person: subject.person, account }
    }
}

/// An address for a list: never the whole.
pub fn masked_email(email: Option<&str>) -> Option<String> {
    EmailAddress::parse(email?).ok().map(|email| email.masked())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::login_id::tests::insurer;

    fn wanted(text: &str) -> Result<Wanted, WantedError> {
        Wanted::parse(text, &[insurer()])
    }

    #[test]
    fn one_box_understands_what_is_typed() {
        let number = |symbol: &str, number: &str| {
            Ok(Wanted::Number { symbol: symbol.to_owned(), number: number.to_owned() })
        };
        for text in ["7132-091200001", "７１３２ー０９１２００００１", " 7132091200001 "] {
            let Ok(Wanted::LoginId(id)) = wanted(text) else { panic!("{text}") };
            assert_eq!((id.symbol(), id.number()), ("091", "200001"), "{text}");
        }
        for text in
            ["91-200001", "９１ー２００００１", "91 200001", "91・200001", "91 / 200001", "91-200001-01"]
        {
            assert_eq!(wanted(text), number("91", "200001"), "{text}");
        }
        assert_eq!(wanted("123-4567"), number("123", "4567"));
        for text in ["タケダ", "たけだ", "ﾀｹﾀﾞ", "タケ ダ"] {
            assert_eq!(wanted(text), Ok(Wanted::Kana("タケダ".to_owned())), "{text}");
        }
        assert_eq!(wanted("しょ"), Ok(Wanted::Kana("シヨ".to_owned())));
        assert_eq!(wanted("Hanako.T"), Ok(Wanted::Email("hanako.t".to_owned())));
        assert_eq!(wanted("ｔａｒｏ＠example"), Ok(Wanted::Email("taro@example".to_owned())));
        assert_eq!(wanted("q7Zk3vX0aJm2Yt8RbLwN1g"), Ok(Wanted::Id("q7Zk3vX0aJm2Yt8RbLwN1g".to_owned())));
    }

    #[test]
    fn what_finds_nobody_says_why() {
        assert_eq!(wanted(" \u{3000}\u{200b}"), Err(WantedError::Empty));
        assert_eq!(wanted("200001"), Err(WantedError::Number));
        assert_eq!(wanted("1-2-3-4"), Err(WantedError::Number));
        assert_eq!(wanted("-"), Err(WantedError::Number));
        assert_eq!(wanted("武田花子"), Err(WantedError::Other));
        assert_eq!(wanted("a\u{0}b"), Err(WantedError::Other));
        assert_eq!(wanted("a b"), Err(WantedError::Other));
        assert_eq!(wanted(&"ア".repeat(255)), Err(WantedError::TooLong));
        assert_eq!(format!("{:?}", wanted("タケダ")), "Ok(Wanted(***))");
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in proptest::prelude::any::<String>()) {
            drop(wanted(&text));
        }
    }
}
