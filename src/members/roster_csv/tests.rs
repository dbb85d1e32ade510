use proptest::prelude::*;

use super::*;

const SHORT: &str = "symbol,number,category,kana,birth_date";

fn open(bytes: &[u8]) -> Result<RosterCsv<&[u8]>, FileError> {
    RosterCsv::open(bytes).unwrap()
}

fn kana(bytes: &[u8]) -> Vec<(u64, Result<String, Reason>)> {
    let mut csv = open(bytes).unwrap();
    let mut found = Vec::new();
    while let Some(record) = csv.next_record().unwrap() {
        let kana = record.fields.map(|fields| fields.get(Column::Kana).unwrap().to_owned());
        found.push((record.line, kana));
    }
    assert_eq!(csv.bytes(), bytes.len() as u64);
    found
}

fn shift_jis(text: &str) -> Vec<u8> {
    let (bytes, _, unmappable) = SHIFT_JIS.encode(text);
    assert!(!unmappable);
    bytes.into_owned()
}

#[test]
fn columns_are_found_by_either_name_in_any_order() {
    for header in
        [HEADER, SHORT, "生年月日,氏名カナ,ＫＡＮＡ".trim_end_matches(",ＫＡＮＡ"), "\u{feff}番号,記号"]
    {
        let read = open(header.as_bytes()).map(|csv| csv.columns.len());
        let expected = match header {
            HEADER => Ok(11),
            SHORT => Ok(5),
            "生年月日,氏名カナ" => Err(FileError::Missing(Column::Symbol)),
            _ => Err(FileError::Missing(Column::Category)),
        };
        assert_eq!(read, expected, "{header}");
    }
    let csv = open("\"氏名カナ\",BIRTH_DATE, 区分 ,番号,記号\r\n".as_bytes()).unwrap();
    assert_eq!(csv.columns[..2], [Column::Kana, Column::BirthDate]);
}

#[test]
fn a_header_says_exactly_what_the_columns_are() {
    let refused = |header: &str| open(header.as_bytes()).err();
    assert_eq!(refused(""), Some(FileError::NoHeader));
    assert_eq!(refused("91,200001,insured,ヤマ,19990121"), Some(FileError::NoHeader));
    assert_eq!(refused(&format!("{SHORT},資格喪失")), Some(FileError::UnknownColumn { position: 6 }));
    assert_eq!(refused(&format!("{SHORT},氏名カナ")), Some(FileError::Twice(Column::Kana)));
    assert_eq!(refused(&format!("{SHORT},valid_until,資格喪失日")), Some(FileError::Twice(Column::LostOn)));
    assert_eq!(open(b"\x95\xff\x80,\xff").err(), Some(FileError::Encoding));
    assert_eq!(refused(&"a".repeat(MAX_ROW_BYTES + 1)), Some(FileError::NoHeader));
}

#[test]
fn both_encodings_are_read_and_garbled_rows_refused() {
    let text = format!("{HEADER}\r\n,1,1,,,ヤマダ,,,,,\r\n,1,2,,,ﾊﾅｺ,,,,,");
    let expected = vec![(2, Ok("ヤマダ".to_owned())), (3, Ok("ﾊﾅｺ".to_owned()))];
    assert_eq!(kana(text.as_bytes()), expected);
    assert_eq!(kana(&shift_jis(&text)), expected);

    let mut mixed = format!("{SHORT}\n1,1,,ヤマダ,\n").into_bytes();
    mixed.extend(shift_jis("1,2,,ハナコ,\n"));
    mixed.extend("1,3,,ヤ\u{fffd},\n1,4,,アキ,\n".as_bytes());
    let found = kana(&mixed);
    assert_eq!(found[1], (3, Err(Reason::Encoding)));
    assert_eq!(found[2], (4, Err(Reason::Encoding)));
    assert_eq!(found[3], (5, Ok("アキ".to_owned())));

    // C3 B1: two half-width kana in Shift_JIS, ñ in UTF-8.
    let half_width = [SHORT.as_bytes(), b"\n1,1,,\xc3\xb1,"].concat();
    assert_eq!(kana(&half_width), [(2, Ok("ﾃｱ".to_owned()))]);
}

#[test]
fn a_spoilt_row_spoils_no_other() {
    let text =
        format!("{SHORT}\n1,1,,\"ア,x\n1,2,,\"イ\",\n\n,,,,\n1,3,,ウ\n1,4,,エ,,\n1,\"5\",,\"オ\"\"\",\n");
    let found = kana(text.as_bytes());
    assert_eq!(
        found,
        [
            (2, Err(Reason::Quotes)),
            (3, Ok("イ".to_owned())),
            (6, Err(Reason::Columns { expected: 5 })),
            (7, Err(Reason::Columns { expected: 5 })),
            (8, Ok("オ\"".to_owned())),
        ]
    );
    let many = format!("{SHORT}\n{}\n1,1,,ア,\n", ",1".repeat(200));
    assert_eq!(kana(many.as_bytes())[0], (2, Err(Reason::TooManyCells)));
    assert_eq!(kana(many.as_bytes())[1].0, 3);
}

/// Endless `a`, then one good row: a row of 10 MB that nobody holds in memory.
struct HugeRow {
    left: usize,
    rest: &'static [u8],
}

impl Read for HugeRow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return self.rest.read(buffer);
        }
        let count = self.left.min(buffer.len());
        buffer[..count].fill(b'a');
        self.left -= count;
        Ok(count)
    }
}

#[test]
fn a_huge_row_is_refused_in_bounded_memory() {
    let huge = HugeRow { left: 10 * 1024 * 1024, rest: "\n1,1,,ア,\n".as_bytes() };
    let header = format!("{SHORT}\n");
    let mut csv = RosterCsv::open(header.as_bytes().chain(huge)).unwrap().unwrap();
    let record = csv.next_record().unwrap().unwrap();
    assert_eq!((record.line, record.fields.err()), (2, Some(Reason::TooLong)));
    assert!(csv.raw.capacity() <= 4 * MAX_ROW_BYTES, "{}", csv.raw.capacity());
    assert!(csv.next_record().unwrap().unwrap().fields.is_ok());
    assert!(csv.next_record().unwrap().is_none());
}

#[test]
fn the_longest_row_fits_in_any_encoding() {
    let mut bytes = format!("{SHORT}\n1,1,,").into_bytes();
    bytes.extend(std::iter::repeat_n(0xb1, MAX_ROW_BYTES - 6));
    bytes.extend(b",\n");
    assert_eq!(kana(&bytes), [(2, Ok("ｱ".repeat(MAX_ROW_BYTES - 6)))]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let all = [SHORT.as_bytes(), b"\n", &bytes].concat();
        drop(kana(&all));
        drop(RosterCsv::open(bytes.as_slice()));
    }
}
