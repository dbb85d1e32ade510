//! The refused rows of a file as a file of their own, in its encoding, with the line and the reason before
//! each: to be mended and uploaded again.

use std::io::Read;

use encoding_rs::SHIFT_JIS;

use super::{ImportError, Refusal, staging::Source};
use crate::{
    members::{
        csv_cell::inert,
        roster_csv::{Column, Record, RosterCsv},
    },
    storage::StorageError,
    texts::{Locale, Texts},
};

/// Takes the lines of the file.
pub trait Sink {
    /// Takes whole lines.
    fn take(&mut self, lines: &[u8]) -> impl Future<Output = Result<(), StorageError>> + Send;
}

/// Reads a file again and writes the rows that were refused, which are given by line.
pub async fn write<S: Source>(
    mut csv: RosterCsv<S>,
    (refusals, shift_jis): (&[Refusal], bool),
    (texts, locale): (&Texts, Locale),
    sink: &mut (impl Sink + Send),
) -> Result<(), ImportError> {
    let encode = |cells: &[String]| encoded(cells, shift_jis);
    if !shift_jis {
        // Spreadsheets take UTF-8 for UTF-8 only with a byte order mark.
        sink.take("\u{feff}".as_bytes()).await?;
    }
    sink.take(&encode(&header(&csv, locale))).await?;
    let mut refusals = refusals.iter().peekable();
    loop {
        while let Some(record) = csv.next_record()? {
            while refusals.next_if(|refusal| refusal.line < record.line).is_some() {}
            let Some(refusal) = refusals.next_if(|refusal| refusal.line == record.line) else { continue };
            let reason = texts.text(locale, refusal.reason.text_id(), &refusal.reason.args());
            let cells = [refusal.line.to_string(), reason]
                .into_iter()
                .chain(cells(&csv, &record))
                .collect::<Vec<_>>();
            sink.take(&encode(&cells)).await?;
        }
        if refusals.peek().is_none() || !csv.source().more().await? {
            return Ok(());
        }
    }
}

fn header<R: Read>(csv: &RosterCsv<R>, locale: Locale) -> Vec<String> {
    let ours = [Column::Line, Column::Reason];
    let theirs = csv.header().filter(|(column, _)| !ours.contains(column)).map(|(_, name)| name.to_owned());
    ours.map(|column| column.name_in(locale).to_owned()).into_iter().chain(theirs).collect()
}

/// The cells of a row; of a row that has none, its text as far as it can be read, in the first.
fn cells<R: Read>(csv: &RosterCsv<R>, record: &Record) -> Vec<String> {
    let ours = [Column::Line, Column::Reason];
    let columns = csv.header().map(|(column, _)| column).filter(|column| !ours.contains(column));
    if let Ok(fields) = &record.fields {
        return columns.map(|column| fields.get(column).unwrap_or_default().to_owned()).collect();
    }
    let rest = columns.count().saturating_sub(1);
    std::iter::once(csv.line_text()).chain(std::iter::repeat_n(String::new(), rest)).collect()
}

fn encoded(cells: &[String], shift_jis: bool) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into memory cannot fail.
    writer.write_record(cells.iter().map(|cell| inert(cell).into_owned())).ok();
    let line = writer.into_inner().unwrap_or_default();
    if !shift_jis {
        return line;
    }
    let text = String::from_utf8_lossy(&line);
    // What the encoding lacks would become a numeric entity; a question mark is what spreadsheets write.
    let known: String =
        text.chars().map(|c| if SHIFT_JIS.encode(c.encode_utf8(&mut [0; 4])).2 { '?' } else { c }).collect();
    SHIFT_JIS.encode(&known).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::{roster::staging::Whole, roster_row::Reason};

    struct Memory(Vec<u8>);

    impl Sink for Memory {
        async fn take(&mut self, lines: &[u8]) -> Result<(), StorageError> {
            self.0.extend_from_slice(lines);
            Ok(())
        }
    }

    async fn refused(file: &[u8], refusals: &[Refusal], shift_jis: bool, locale: Locale) -> Vec<u8> {
        let csv = RosterCsv::open(Whole(file)).unwrap().unwrap();
        let mut sink = Memory(Vec::new());
        let texts = Texts::load().unwrap();
        write(csv, (refusals, shift_jis), (&texts, locale), &mut sink).await.unwrap();
        sink.0
    }

    #[tokio::test]
    async fn rows_come_back_with_line_and_reason_and_run_nothing() {
        let file = "番号,記号,氏名カナ,区分,生年月日\n1,2,=cmd(),x,\n3,4,ア,insured,1999\n5,\"6\n";
        let refusals =
            [Refusal { line: 2, reason: Reason::Kana }, Refusal { line: 4, reason: Reason::Quotes }];
        let text = String::from_utf8(refused(file.as_bytes(), &refusals, false, Locale::Ja).await).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "\u{feff}行番号,理由,番号,記号,氏名カナ,区分,生年月日");
        assert_eq!(lines[1], "2,氏名カナはカタカナで、空にはできません。,1,2,'=cmd(),x,");
        assert_eq!(lines[2], "4,\"引用符(\"\")が閉じていません。\",\"5,\"\"6\",,,,");
        assert_eq!(lines.len(), 4);

        // It can be read again, and what it is about is not taken for data.
        let again = RosterCsv::open(text.as_bytes()).unwrap().unwrap();
        assert_eq!(again.header().count(), 7);
    }

    #[tokio::test]
    async fn shift_jis_stays_shift_jis() {
        let file =
            SHIFT_JIS.encode("記号,番号,区分,氏名カナ,生年月日\n1,2,被扶養者,山田,19990121\n").0.into_owned();
        let bytes = refused(&file, &[Refusal { line: 2, reason: Reason::Kana }], true, Locale::Ja).await;
        let (text, _, garbled) = SHIFT_JIS.decode(&bytes);
        assert!(!garbled && text.starts_with("行番号,理由,記号,"), "{text}");
        assert!(text.contains(",1,2,被扶養者,山田,19990121\r\n"), "{text}");
        assert_eq!(encoded(&["髙😀".to_owned()], true), [&[0xfb, 0xfc][..], b"?\r\n"].concat());
    }
}
