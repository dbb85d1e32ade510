//! The roster file: bytes to fields, in bounded memory.
//!
//! A CSV file (RFC 4180) whose first line names the columns, in any order, by the Japanese or the English
//! name:
//!
//! | column | or | | |
//! |---|---|---|---|
//! | 保険者番号 | `insurer_number` | | must be the insurer's own where the column is present |
//! | 記号 | `symbol` | required | digits, padded with zeros |
//! | 番号 | `number` | required | digits, padded with zeros |
//! | 枝番 | `branch` | | two digits |
//! | 区分 | `category` | required | 一般被保険者 `insured`, 被扶養者 `dependent`, 任意継続被保険者 `voluntary` |
//! | 氏名カナ | `kana` | required | hiragana or katakana of any width |
//! | 生年月日 | `birth_date` | required | any form of [`parse_date`](super::birth_date::parse_date) |
//! | 資格取得日 | `valid_from` | | first day of eligibility |
//! | 資格喪失日 | | | first day that is *not* eligible: the day after the last one |
//! | | `valid_until` | | last day of eligibility; instead of 資格喪失日 |
//! | 個人キー | `person_key` | | the insurer's own key, the same for a person whatever changes |
//! | メールアドレス | `email` | | address that the insurer knows |
//! | 行番号, 理由 | `line`, `reason` | | of a file of refused rows that was mended; not read |
//!
//! The encoding is UTF-8, with or without a byte order mark, or `Shift_JIS` (Windows-31J). A row is one line
//! of at most [`MAX_ROW_BYTES`]: no field of a roster has a line break, so a stray quotation mark spoils
//! its own row and no other.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::SHIFT_JIS;

use super::{login_id::canonical, roster_row::Reason};
use crate::texts::Locale;

/// The header of the files that this service writes.
pub const HEADER: &str =
    "保険者番号,記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日,個人キー,メールアドレス";
/// Bytes of a row at most.
pub const MAX_ROW_BYTES: usize = 64 * 1024;

/// A column of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// 保険者番号.
    InsurerNumber,
    /// 記号.
    Symbol,
    /// 番号.
    Number,
    /// 枝番.
    Branch,
    /// 区分.
    Category,
    /// 氏名カナ.
    Kana,
    /// 生年月日.
    BirthDate,
    /// 資格取得日: first day of eligibility.
    ValidFrom,
    /// 資格喪失日: the day after the last day of eligibility.
    LostOn,
    /// Last day of eligibility.
    ValidUntil,
    /// 個人キー.
    PersonKey,
    /// メールアドレス.
    Email,
    /// Line of the file that a refused row came from; not read.
    Line,
    /// Why it was refused; not read.
    Reason,
}

impl Column {
    const ALL: [Self; 14] = [
        Self::InsurerNumber,
        Self::Symbol,
        Self::Number,
        Self::Branch,
        Self::Category,
        Self::Kana,
        Self::BirthDate,
        Self::ValidFrom,
        Self::LostOn,
        Self::ValidUntil,
        Self::PersonKey,
        Self::Email,
        Self::Line,
        Self::Reason,
    ];
    const REQUIRED: [Self; 5] = [Self::Symbol, Self::Number, Self::Category, Self::Kana, Self::BirthDate];

    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::InsurerNumber => &["保険者番号", "insurer_number"],
            Self::Symbol => &["記号", "symbol"],
            Self::Number => &["番号", "number"],
            Self::Branch => &["枝番", "branch"],
            Self::Category => &["区分", "category"],
            Self::Kana => &["氏名カナ", "kana"],
            Self::BirthDate => &["生年月日", "birth_date"],
            Self::ValidFrom => &["資格取得日", "valid_from"],
            Self::LostOn => &["資格喪失日"],
            Self::ValidUntil => &["valid_until"],
            Self::PersonKey => &["個人キー", "person_key"],
            Self::Email => &["メールアドレス", "email"],
            Self::Line => &["行番号", "line"],
            Self::Reason => &["理由", "reason"],
        }
    }

    /// The name in messages.
    pub const fn label(self) -> &'static str {
        self.names()[0]
    }

    /// The name in the header of a file for readers of `locale`.
    pub fn name_in(self, locale: Locale) -> &'static str {
        let names = self.names();
        match locale {
            Locale::En => names.get(1).unwrap_or(&names[0]),
            Locale::Ja => names[0],
        }
    }

    fn named(name: &str) -> Option<Self> {
        let name = canonical(name).to_ascii_lowercase();
        Self::ALL.into_iter().find(|column| column.names().iter().any(|known| canonical(known) == name))
    }
}

/// Why a file is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The first line names no column.
    #[error("the first line is not a header")]
    NoHeader,
    /// Neither UTF-8 nor `Shift_JIS`.
    #[error("the file is neither UTF-8 nor Shift_JIS")]
    Encoding,
    /// A column has a name of its own; a misspelled one must not be passed over.
    #[error("column {position} of the header is unknown")]
    UnknownColumn {
        /// Counted from 1.
        position: usize,
    },
    /// A column stands there twice.
    #[error("the column {} stands in the header twice", .0.label())]
    Twice(Column),
    /// A required column is not there.
    #[error("the header lacks the column {}", .0.label())]
    Missing(Column),
    /// A full roster without persons would end everybody's eligibility.
    #[error("the full roster is empty")]
    Empty,
    /// Not a single row can be imported.
    #[error("no row of the file can be imported")]
    Nothing,
}

impl FileError {
    /// Name of the text that tells the operator.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::NoHeader => "roster-file-header",
            Self::Encoding => "roster-file-encoding",
            Self::UnknownColumn { .. } => "roster-file-column-unknown",
            Self::Twice(_) => "roster-file-column-twice",
            Self::Missing(_) => "roster-file-column-missing",
            Self::Empty => "roster-file-empty",
            Self::Nothing => "roster-file-nothing",
        }
    }

    /// Arguments of that text.
    pub fn args(self) -> Vec<(&'static str, String)> {
        match self {
            Self::NoHeader => vec![("header", HEADER.to_owned())],
            Self::UnknownColumn { position } => vec![("position", position.to_string())],
            Self::Twice(column) | Self::Missing(column) => vec![("column", column.label().to_owned())],
            Self::Encoding | Self::Empty | Self::Nothing => Vec::new(),
        }
    }
}

/// A row, or why it is none.
#[derive(Debug)]
pub struct Record {
    /// Line of the file, from 1.
    pub line: u64,
    /// What stands in the columns.
    pub fields: Result<Fields, Reason>,
}

/// What stands in the columns of a row.
pub struct Fields(Vec<(Column, String)>);

impl Fields {
    /// The cell, if the file has the column.
    pub fn get(&self, column: Column) -> Option<&str> {
        self.0.iter().find(|(found, _)| *found == column).map(|(_, text)| text.as_str())
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fields(***)")
    }
}

/// A roster file that is being read.
pub struct RosterCsv<R> {
    input: BufReader<R>,
    columns: Vec<Column>,
    header: Vec<String>,
    encoding: Encoding,
    line: u64,
    bytes: u64,
    raw: Vec<u8>,
    cells: Cells,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// So far everything was ASCII.
    Unknown,
    Utf8,
    ShiftJis,
}

impl<R: Read> RosterCsv<R> {
    /// Reads the header.
    pub fn open(input: R) -> io::Result<Result<Self, FileError>> {
        let mut csv = Self {
            input: BufReader::with_capacity(MAX_ROW_BYTES, input),
            columns: Vec::new(),
            header: Vec::new(),
            encoding: Encoding::Unknown,
            line: 0,
            bytes: 0,
            raw: Vec::new(),
            cells: Cells::new(),
        };
        if !matches!(csv.read_line()?, Some(Ok(()))) {
            return Ok(Err(FileError::NoHeader));
        }
        if let Some(text) = csv.raw.strip_prefix(b"\xef\xbb\xbf") {
            csv.raw = text.to_vec();
            csv.encoding = Encoding::Utf8;
        }
        let Some(header) = csv.decode() else { return Ok(Err(FileError::Encoding)) };
        Ok(csv.read_header(&header).map(|(columns, header)| Self { columns, header, ..csv }))
    }

    /// Where the bytes come from. After [`RosterCsv::next_record`] has found no more, it may have more to give,
    /// beginning with a new line.
    pub fn source(&mut self) -> &mut R {
        self.input.get_mut()
    }

    /// The columns and what they are called here.
    pub fn header(&self) -> impl Iterator<Item = (Column, &str)> {
        self.columns.iter().copied().zip(self.header.iter().map(String::as_str))
    }

    /// Whether the file is in `Shift_JIS`, as far as it was read.
    pub fn is_shift_jis(&self) -> bool {
        self.encoding == Encoding::ShiftJis
    }

    /// The line of the last record, as far as it can be read; empty if it was too long.
    pub fn line_text(&self) -> String {
        match self.encoding {
            Encoding::ShiftJis => SHIFT_JIS.decode(&self.raw).0.into_owned(),
            _ => String::from_utf8_lossy(&self.raw).into_owned(),
        }
    }

    /// The next row that is not blank.
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        while let Some(read) = self.read_line()? {
            let fields = match read {
                Err(reason) => Err(reason),
                Ok(()) if self.raw.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b',') => continue,
                Ok(()) => self.fields(),
            };
            return Ok(Some(Record { line: self.line, fields }));
        }
        Ok(None)
    }

    /// Bytes read so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_header(&mut self, text: &str) -> Result<(Vec<Column>, Vec<String>), FileError> {
        let names = self.cells.split(text).map_err(|_| FileError::NoHeader)?;
        let found: Vec<Option<Column>> = names.iter().map(|name| Column::named(name)).collect();
        if found.iter().flatten().next().is_none() {
            return Err(FileError::NoHeader);
        }
        let mut columns: Vec<Column> = Vec::new();
        for (index, column) in found.into_iter().enumerate() {
            let column = column.ok_or(FileError::UnknownColumn { position: index + 1 })?;
            let same_end = column == Column::ValidUntil && columns.contains(&Column::LostOn)
                || column == Column::LostOn && columns.contains(&Column::ValidUntil);
            if columns.contains(&column) || same_end {
                return Err(FileError::Twice(column));
            }
            columns.push(column);
        }
        match Column::REQUIRED.into_iter().find(|column| !columns.contains(column)) {
            Some(column) => Err(FileError::Missing(column)),
            None => Ok((columns, names)),
        }
    }

    fn fields(&mut self) -> Result<Fields, Reason> {
        let text = self.decode().ok_or(Reason::Encoding)?;
        let cells = self.cells.split(&text)?;
        if cells.len() != self.columns.len() {
            return Err(Reason::Columns { expected: self.columns.len() });
        }
        Ok(Fields(self.columns.iter().copied().zip(cells).collect()))
    }

    /// Puts the next line into `raw`, without its end. What exceeds the limit is read past, not kept.
    fn read_line(&mut self) -> io::Result<Option<Result<(), Reason>>> {
        self.raw.clear();
        let (mut length, mut ended) = (0_usize, false);
        while !ended {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            ended = end.is_some();
            let part = &available[..end.unwrap_or(available.len())];
            if length + part.len() <= MAX_ROW_BYTES {
                self.raw.extend_from_slice(part);
            }
            let used = part.len() + usize::from(ended);
            length = length.saturating_add(part.len());
            self.bytes += used as u64;
            self.input.consume(used);
        }
        if length == 0 && !ended {
            return Ok(None);
        }
        self.line += 1;
        if length > MAX_ROW_BYTES {
            self.raw.clear();
            return Ok(Some(Err(Reason::TooLong)));
        }
        if self.raw.ends_with(b"\r") {
            self.raw.pop();
        }
        Ok(Some(Ok(())))
    }

    /// The text of `raw`. The first line that is not ASCII settles the encoding of the file.
    fn decode(&mut self) -> Option<String> {
        if self.raw.is_ascii() {
            return String::from_utf8(self.raw.clone()).ok();
        }
        let utf8 = || std::str::from_utf8(&self.raw).ok().map(str::to_owned);
        let shift_jis = || {
            let text = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(&self.raw);
            text.map(std::borrow::Cow::into_owned)
        };
        let (encoding, text) = match self.encoding {
            Encoding::Utf8 => (Encoding::Utf8, utf8()),
            Encoding::ShiftJis => (Encoding::ShiftJis, shift_jis()),
            // Half-width kana of Shift_JIS can be valid UTF-8 by chance, but then as letters below
            // U+0800, which no Japanese text begins with.
            Encoding::Unknown => match utf8().filter(|text| !text.chars().any(is_latin_or_near)) {
                Some(text) => (Encoding::Utf8, Some(text)),
                None => (Encoding::ShiftJis, shift_jis()),
            },
        };
        let text = text.filter(|text| !text.contains('\u{fffd}'))?;
        self.encoding = encoding;
        Some(text)
    }
}

const fn is_latin_or_near(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{7ff}')
}

/// Splits a line into its cells.
struct Cells {
    parser: csv_core::Reader,
    text: Vec<u8>,
    ends: [usize; 64],
}

impl Cells {
    fn new() -> Self {
        let parser = csv_core::ReaderBuilder::new().terminator(csv_core::Terminator::Any(b'\n')).build();
        // A half-width kana is one byte in Windows-31J and three in UTF-8.
        Self { parser, text: vec![0; MAX_ROW_BYTES * 3], ends: [0; 64] }
    }

    fn split(&mut self, line: &str) -> Result<Vec<String>, Reason> {
        self.parser.reset();
        let (mut written, mut cells) = (0, 0);
        let mut result = csv_core::ReadRecordResult::InputEmpty;
        for input in [line.as_bytes(), b"\n".as_slice()] {
            let (found, read, text, ends) =
                self.parser.read_record(input, &mut self.text[written..], &mut self.ends[cells..]);
            (written, cells) = (written + text, cells + ends);
            result = found;
            if read < input.len() {
                break;
            }
        }
        match result {
            csv_core::ReadRecordResult::Record => {}
            csv_core::ReadRecordResult::OutputEndsFull => return Err(Reason::TooManyCells),
            // The closing quotation mark is still awaited.
            _ => return Err(Reason::Quotes),
        }
        let mut start = 0;
        self.ends[..cells]
            .iter()
            .map(|end| {
                let cell = std::str::from_utf8(&self.text[start..*end]).map_err(|_| Reason::Encoding)?;
                start = *end;
                Ok(cell.to_owned())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
