//! The people of the tests' roster.

/// A person of the roster, and what such a person knows and chooses.
#[derive(Clone, Copy, Debug)]
pub struct Someone {
    /// Login ID.
    pub login_id: &'static str,
    /// Birth date as `YYYYMMDD`: the temporary password.
    pub born: &'static str,
    /// Kana name.
    pub kana: &'static str,
    /// The address that the person registers with.
    pub email: &'static str,
    /// The password that the person chooses.
    pub password: &'static str,
}

/// An insured member, the one of most stories.
pub const HANAKO: Someone = Someone {
    login_id: "7132-091200001",
    born: "19990101",
    kana: "タケダ ハナコ",
    email: "hanako.takeda@mail.example",
    password: "なのはな畑で3時に会う",
};

/// Another insured member.
pub const ICHIRO: Someone = Someone {
    login_id: "7132-123004567",
    born: "19800505",
    kana: "スズキ イチロウ",
    email: "ichiro.suzuki@mail.example",
    password: "correct horse battery staple",
};

/// An insured person of 14 years.
pub const TOO_YOUNG: Someone = Someone {
    login_id: "7132-091200002",
    born: "20120402",
    kana: "サトウ ミツキ",
    email: "mitsuki.sato@mail.example",
    password: "correct horse battery staple",
};

/// Someone who was insured until three weeks ago.
pub const LOST: Someone = Someone {
    login_id: "7132-091200003",
    born: "19750315",
    kana: "ナカムラ ジロウ",
    email: "jiro.nakamura@mail.example",
    password: "correct horse battery staple",
};

/// A login ID in good form that stands for nobody.
pub const NOBODY: Someone = Someone {
    login_id: "7132-999999999",
    born: "19991231",
    kana: "ダレ モイナイ",
    email: "nobody@mail.example",
    password: "correct horse battery staple",
};

/// [`ROSTER`] in which Hanako's eligibility ends before this day (資格喪失日).
pub fn hanako_until(day: &str) -> String {
    ROSTER.replace("1999-01-01,2021-04-01,\n", &format!("1999-01-01,2021-04-01,{day}\n"))
}

/// The roster of insurer 7132; Hanako has a dependent.
pub const ROSTER: &str = "\
記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日
91,200001,00,一般被保険者,タケダ ハナコ,1999-01-01,2021-04-01,
91,200001,01,被扶養者,タケダ ケンタ,平成31年1月15日,2021-04-01,
123,4567,00,一般被保険者,スズキ イチロウ,S55.5.5,2004-04-01,
91,200002,00,一般被保険者,サトウ ミツキ,2012-04-02,2026-04-01,
91,200003,00,一般被保険者,ナカムラ ジロウ,1975-03-15,1998-04-01,2026-11-01
";
