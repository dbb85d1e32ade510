//! Cells of CSV files that people open in a spreadsheet.

use std::borrow::Cow;

/// The text with an apostrophe before it where a spreadsheet would take it for a formula (OWASP CSV
/// Injection).
pub fn inert(text: &str) -> Cow<'_, str> {
    // NFKC-minded spreadsheets take the full-width signs for the same.
    let formula =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.trim_start_matches(' ').starts_with(formula) {
        Cow::Owned(format!("'{text}"))
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_only_text() {
        for formula in ["=1+1", "+1", "-2@example.jp", "@SUM(A1)", "\t=1", " =1", "＝1"] {
            assert_eq!(inert(formula), format!("'{formula}"));
        }
        for text in ["", "taro@example.jp", "健診のお知らせ", "a=b", "1-2"] {
            assert_eq!(inert(text), text);
        }
    }
}
