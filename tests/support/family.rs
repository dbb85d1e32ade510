//! People without a login ID of their own, and how they register by themselves.

use super::{
    app::TestApp,
    http_browser::{HttpBrowser, Page},
    journey::{accept_documents, complete, confirm},
    log,
    members::Someone,
};

/// What a dependent or voluntarily insured person types at 資格照会, and registers with.
#[derive(Clone, Copy, Debug)]
pub struct Relative {
    /// 記号.
    pub symbol: &'static str,
    /// 番号.
    pub number: &'static str,
    /// 枝番.
    pub branch: &'static str,
    /// Everything else; the login ID is the address.
    pub someone: Someone,
}

/// A grown-up dependent of Hanako.
pub const SAKURA: Relative = Relative {
    symbol: "91",
    number: "200001",
    branch: "",
    someone: Someone {
        login_id: "sakura.takeda@mail.example",
        born: "平成13年4月3日",
        kana: "たけだ さくら",
        email: "Sakura.Takeda@mail.example",
        password: "さくら咲く坂道の9月",
    },
};

/// Another one.
pub const TSUTOMU: Relative = Relative {
    branch: "3",
    someone: Someone {
        login_id: "tsutomu@mail.example",
        born: "19620730",
        kana: "タケダツトム",
        email: "tsutomu@mail.example",
        password: "correct horse battery staple",
    },
    ..SAKURA
};

/// A voluntarily insured person.
pub const KIYOSHI: Relative = Relative {
    symbol: "900",
    number: "100001",
    branch: "00",
    someone: Someone {
        login_id: "kiyoshi.ota@mail.example",
        born: "S30.8.15",
        kana: "ｵｵﾀ ｷﾖｼ",
        email: "kiyoshi.ota@mail.example",
        password: "夕焼けの港で釣りをする",
    },
};

/// A dependent who is not eligible any more.
pub const MIDORI: Relative = Relative {
    symbol: "91",
    number: "200009",
    branch: "01",
    someone: Someone {
        login_id: "midori@mail.example",
        born: "1990-01-01",
        kana: "ニシ ミドリ",
        email: "midori@mail.example",
        password: "correct horse battery staple",
    },
};

/// Their rows in the roster of insurer 7132.
pub const FAMILIES: &str = "\
記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日
91,200001,02,被扶養者,タケダ サクラ,2001-04-03,2021-04-01,
91,200001,03,被扶養者,タケダ ツトム,1962-07-30,2021-04-01,
900,100001,00,任意継続被保険者,オオタ キヨシ,1955-08-15,2026-04-01,
91,200009,01,被扶養者,ニシ ミドリ,1990-01-01,2010-04-01,2026-10-01
";

/// 「上記同意の上、個人情報・利用規約同意ステップに進む」
pub async fn inquire(page: &Page, relative: &Relative) -> Page {
    let Relative { symbol, number, branch, someone } = relative;
    let form = page.form("#eligibility-form").set("symbol", symbol).set("number", number);
    let form = form.set("branch", branch).set("kana", someone.kana).set("birth_date", someone.born);
    form.submit().await.follow_here().await
}

/// 「確認ステップに進む」, with neither name nor birth date to type.
pub async fn give_address(page: &Page, someone: &Someone) -> Page {
    let form = page.form("#details-form").set("password", someone.password);
    form.set("email", someone.email).submit().await.follow_here().await
}

/// From 資格照会 to 「メールを送信しました」.
pub async fn register(eligibility: &Page, relative: &Relative) -> Page {
    let documents = inquire(eligibility, relative).await;
    let details = accept_documents(&documents).await;
    let sent = confirm(&give_address(&details, &relative.someone).await).await;
    assert!(sent.url.path().ends_with("/sent"), "not sent: {} {}", sent.url, sent.text());
    sent
}

impl TestApp {
    /// Puts the families into the roster; from now on nothing of theirs may be logged.
    pub async fn with_families(&self) {
        for Relative { someone, .. } in [SAKURA, TSUTOMU, KIYOSHI, MIDORI] {
            for secret in [someone.kana, someone.born, someone.email, someone.login_id, someone.password] {
                log::keep_secret(secret);
            }
        }
        self.import_roster(FAMILIES).await;
    }

    /// The page 資格照会 in this browser.
    pub async fn eligibility(&self, browser: &HttpBrowser) -> Page {
        let page = browser.get(&self.url("/registration")).await;
        page.click("#to-eligibility").await.follow_here().await
    }

    /// Registers someone in a browser of their own that ends signed in.
    pub async fn activate_relative(&mut self, relative: &Relative) -> HttpBrowser {
        let browser = self.http_browser();
        register(&self.eligibility(&browser).await, relative).await;
        let link = self.mailbox.next_link(relative.someone.email).await;
        let account = complete(&browser, &link, relative.someone.password).await;
        assert_eq!(account.url.path(), "/account", "{}", account.text());
        self.mailbox.next(relative.someone.email).await;
        browser
    }
}
