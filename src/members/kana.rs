//! Names in kana, as they are typed, kept and compared.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::login_id::canonical;

/// Characters of a name at most.
const MAX_CHARS: usize = 100;

/// A name in full-width katakana. Two names are equal when they differ only in spaces, middle dots
/// and the size of small kana, since rosters disagree on those.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KanaName {
    text: String,
    folded: String,
}

/// Why a name is not one. Nothing in it repeats the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KanaNameError {
    /// Nothing was typed.
    #[error("the name is empty")]
    Empty,
    /// Longer than any name.
    #[error("the name is too long")]
    TooLong,
    /// Something else than kana, spaces and middle dots, or it does not begin with a kana.
    #[error("the name is not written in kana")]
    NotKana,
}

impl KanaNameError {
    /// Name of the text that tells the person.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::Empty => "kana-empty",
            Self::TooLong => "kana-too-long",
            Self::NotKana => "kana-not-kana",
        }
    }
}

impl KanaName {
    /// Reads a name in hiragana or katakana of any width; parts are separated by one space.
    pub fn parse(text: &str) -> Result<Self, KanaNameError> {
        if text.len() > MAX_CHARS * 12 {
            return Err(KanaNameError::TooLong);
        }
        let text = if is_plain(text) { text.to_owned() } else { spelled_plainly(text) };
        if text.is_empty() {
            return Err(KanaNameError::Empty);
        }
        if text.chars().count() > MAX_CHARS {
            return Err(KanaNameError::TooLong);
        }
        if !text.starts_with(is_letter) || !text.chars().all(|c| is_within_a_part(c) || c == ' ') {
            return Err(KanaNameError::NotKana);
        }
        let folded = text.chars().filter(|c| !matches!(c, ' ' | '・')).map(enlarge).collect();
        Ok(Self { text, folded })
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name as it is compared: no spaces, no middle dots, no small kana.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

impl PartialEq for KanaName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for KanaName {}

impl fmt::Debug for KanaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KanaName(***)")
    }
}

impl TryFrom<String> for KanaName {
    type Error = KanaNameError;

    fn try_from(text: String) -> Result<Self, KanaNameError> {
        Self::parse(&text)
    }
}

impl From<KanaName> for String {
    fn from(name: KanaName) -> Self {
        name.text
    }
}

/// Whether a name is spelled as it is kept already; then there is nothing to do, and names are read all the time.
fn is_plain(text: &str) -> bool {
    text.split(' ').all(|part| !part.is_empty() && part.chars().all(is_within_a_part))
}

/// In full-width katakana, its parts separated by one space.
fn spelled_plainly(text: &str) -> String {
    // NFKC would part the stand-alone voicing marks from their kana.
    let joined = text.replace('\u{309b}', "\u{3099}").replace('\u{309c}', "\u{309a}");
    let katakana: String = canonical(&joined).chars().map(to_katakana).collect();
    katakana.split_whitespace().collect::<Vec<_>>().join(" ")
}

const fn is_within_a_part(c: char) -> bool {
    is_letter(c) || matches!(c, 'ー' | '・')
}

const fn is_letter(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | 'ヽ' | 'ヾ')
}

/// Katakana of a hiragana; the Latin middle dot becomes the Japanese one.
fn to_katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        '\u{b7}' => '・',
        _ => c,
    }
}

/// The large kana of a small one.
pub(super) const fn enlarge(c: char) -> char {
    match c {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        KanaName::parse(text).unwrap().as_str().to_owned()
    }

    #[test]
    fn every_kana_becomes_full_width_katakana() {
        assert_eq!(shown("やまだ　はなこ"), "ヤマダ ハナコ");
        assert_eq!(shown("ﾔﾏﾀﾞ ﾊﾅｺ"), "ヤマダ ハナコ");
        assert_eq!(shown("ハ゜ーカー"), "パーカー");
        assert_eq!(shown("ｼﾞｮｰｼﾞ･ﾊﾟｰｶｰ"), "ジョージ・パーカー");
        assert_eq!(shown("ゔぁん"), "ヴァン");
        assert_eq!(shown("  ヤマダ \u{3000} ハナコ "), "ヤマダ ハナコ");
    }

    #[test]
    fn matching_ignores_what_rosters_disagree_on() {
        let name = KanaName::parse("シヨウジ リユウツペイ").unwrap();
        assert_eq!(name, KanaName::parse("しょうじ・りゅうっぺい").unwrap());
        assert_eq!(name.folded(), "シヨウジリユウツペイ");
        assert_ne!(name, KanaName::parse("ショウシ リュウッペイ").unwrap());
        assert_eq!(KanaName::parse("ヵヶヮ").unwrap().folded(), "カケワ");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "山田",
            "Yamada",
            "ヤマダ1",
            "ヤマダ,",
            "=ヤマダ",
            "ー",
            "・ヤ",
            "ヤ\u{0}マ",
            "\u{3099}",
            "ヤ\u{fffd}",
        ] {
            assert_eq!(KanaName::parse(text), Err(KanaNameError::NotKana), "{text}");
        }
        assert_eq!(KanaName::parse("\u{3000}"), Err(KanaNameError::Empty));
        assert_eq!(KanaName::parse(&"ア".repeat(101)), Err(KanaNameError::TooLong));
        assert_eq!(KanaName::parse(&"ア".repeat(10_000)), Err(KanaNameError::TooLong));
    }

    #[test]
    fn debug_hides_the_name() {
        assert_eq!(format!("{:?}", KanaName::parse("ヤマダ").unwrap()), "KanaName(***)");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_the_same(text in "[ぁ-ゖァ-ヺｦ-ﾟー・ 　]{1,20}") {
            if let Ok(name) = KanaName::parse(&text) {
                let again = KanaName::parse(name.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), name.as_str());
                prop_assert_eq!(KanaName::parse(name.folded()).unwrap(), name);
            }
        }

        #[test]
        fn a_name_that_is_spelled_plainly_stays_as_it_is(text in "[ァ-ヾ ]{0,20}") {
            if is_plain(&text) {
                prop_assert_eq!(spelled_plainly(&text), text);
            }
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            drop(KanaName::parse(&text));
        }
    }
}
