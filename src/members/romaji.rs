//! Kana names in Latin letters, in the spellings that people use in passwords.

use std::collections::BTreeSet;

/// `(kana, Hepburn, Kunrei)`; kana that are spelled alike in both have one spelling.
const KANA: &[(&str, &str, &str)] = &[
    ("アイウエオ", "a i u e o", ""),
    ("カキクケコ", "ka ki ku ke ko", ""),
    ("サシスセソ", "sa shi su se so", "sa si su se so"),
    ("タチツテト", "ta chi tsu te to", "ta ti tu te to"),
    ("ナニヌネノ", "na ni nu ne no", ""),
    ("ハヒフヘホ", "ha hi fu he ho", "ha hi hu he ho"),
    ("マミムメモ", "ma mi mu me mo", ""),
    ("ヤユヨ", "ya yu yo", ""),
    ("ラリルレロ", "ra ri ru re ro", ""),
    ("ワヰヱヲンヴ", "wa i e o n vu", ""),
    ("ガギグゲゴ", "ga gi gu ge go", ""),
    ("ザジズゼゾ", "za ji zu ze zo", "za zi zu ze zo"),
    ("ダヂヅデド", "da ji zu de do", "da zi zu de do"),
    ("バビブベボ", "ba bi bu be bo", ""),
    ("パピプペポ", "pa pi pu pe po", ""),
    ("ャュョヮ", "ya yu yo wa", ""),
    ("ァィゥェォヵヶ", "a i u e o ka ke", ""),
];

/// Every usual spelling of a name in katakana, without spaces and in lower case: Hepburn and Kunrei,
/// long vowels in full (`satou`), short (`sato`) and with h (`satoh`), ン as n or m. Large kana in the
/// place of small ones (シヨウコ) are read both ways, since rosters write them so.
pub fn spellings(kana: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for contract in [false, true] {
        for kunrei in [false, true] {
            let full = spell(kana, kunrei, contract);
            let short = shorten(&full, "");
            let with_h = shorten(&full, "h");
            for spelling in [full, short, with_h] {
                let labial = spelling.replace("nb", "mb").replace("np", "mp").replace("nm", "mm");
                found.insert(labial);
                found.insert(spelling);
            }
        }
    }
    found.remove("");
    found
}

/// One spelling. `contract` reads a large ヤユヨ after キシチ… as a small one.
fn spell(kana: &str, kunrei: bool, contract: bool) -> String {
    let mut text = String::new();
    let mut double = false;
    for c in kana.chars() {
        if c == 'ッ' {
            double = true;
            continue;
        }
        if c == 'ー' {
            text.extend(text.chars().next_back().filter(|c| "aiueo".contains(*c)));
            continue;
        }
        let Some(sound) = sound(c, kunrei) else { continue };
        let glide = matches!(c, 'ャ' | 'ュ' | 'ョ') || contract && matches!(c, 'ヤ' | 'ユ' | 'ヨ');
        let ends_in_i = text.len() > 1 && text.ends_with('i');
        if glide && ends_in_i {
            text.pop();
            let merged = ["sh", "ch", "j"].iter().any(|end| text.ends_with(end));
            text.push_str(if merged { &sound[1..] } else { sound });
        } else if matches!(c, 'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ') && text.len() > 1 {
            text.pop();
            text.push_str(sound);
        } else {
            if double {
                text.extend(if sound.starts_with("ch") { Some('t') } else { sound.chars().next() });
            }
            text.push_str(sound);
        }
        double = false;
    }
    text
}

fn sound(kana: char, kunrei: bool) -> Option<&'static str> {
    KANA.iter().find_map(|(row, hepburn, other)| {
        let at = row.chars().position(|c| c == kana)?;
        let sounds = if kunrei && !other.is_empty() { other } else { hepburn };
        sounds.split(' ').nth(at)
    })
}

/// Replaces the second half of long vowels; `satou` becomes `sato` or `satoh`.
fn shorten(text: &str, mark: &str) -> String {
    ["ou", "oo", "uu"]
        .iter()
        .fold(text.to_owned(), |text, long| text.replace(long, &format!("{}{mark}", &long[..1])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_spelled_as_people_spell_them() {
        for (kana, expected) in [
            ("サトウ", vec!["satou", "sato", "satoh"]),
            ("オオノ", vec!["oono", "ono", "ohno"]),
            ("シンイチ", vec!["shinichi", "siniti"]),
            ("ツチヤ", vec!["tsuchiya", "tutiya"]),
            ("ショウコ", vec!["shouko", "shoko", "syouko"]),
            ("シヨウコ", vec!["shouko", "shiyouko"]),
            ("ハットリ", vec!["hattori"]),
            ("ホッチ", vec!["hotchi", "hotti"]),
            ("ナンバ", vec!["nanba", "namba"]),
            ("ジョージ", vec!["jooji", "joji", "zyoozi"]),
            ("フジ", vec!["fuji", "huzi"]),
            ("フェリ", vec!["feri"]),
            ("キョウ", vec!["kyou", "kyo"]),
        ] {
            let found = spellings(kana);
            for spelling in expected {
                assert!(found.contains(spelling), "{spelling} in {found:?}");
            }
        }
        assert!(spellings("・").is_empty());
    }

    proptest! {
        #[test]
        fn any_kana_gives_lower_case_letters(kana in "[ァ-ヺーヽ・ ]{0,12}", other in any::<String>()) {
            for spelling in spellings(&kana).into_iter().chain(spellings(&other)) {
                prop_assert!(spelling.bytes().all(|byte| byte.is_ascii_lowercase()), "{}", spelling);
            }
        }
    }
}
