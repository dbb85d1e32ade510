//! A second insurer beside the one of the other stories, with people who have the same 記号・番号.

use kenpos_idp::{
    config::{
        Config, Insurer,
        insurer::{Contact, MailOrigin},
    },
    members::roster::Outcome,
};

use super::{
    app::{Backend, TestApp},
    family::{self, Relative},
    http_browser::{HttpBrowser, Page},
    journey::complete,
    log,
    members::Someone,
};

/// Name of the second insurer; it has no English one.
pub const MOMIJI: &str = "もみじ健康保険組合";
/// Its host.
pub const MOMIJI_HOST: &str = "momiji.example.jp";

/// An insured member of it, with the 記号・番号 of Hanako.
pub const KAEDE: Someone = Someone {
    login_id: "8001-091200001",
    born: "19850720",
    kana: "モリ カエデ",
    email: "kaede.mori@mail.example",
    password: "夕暮れの橋でギターを弾く",
};

/// The roster of insurer 8001: the numbers of the other roster, with other people.
pub const MOMIJI_ROSTER: &str = "\
保険者番号,記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日
01040013,91,200001,00,一般被保険者,モリ カエデ,1985-07-20,2021-04-01,
01040013,91,200001,02,被扶養者,タケダ サクラ,2001-04-03,2021-04-01,
01040013,123,4567,00,一般被保険者,ハヤシ アキラ,1970-02-03,2004-04-01,
";

/// The second insurer.
pub fn momiji() -> Insurer {
    Insurer {
        code: "8001".to_owned(),
        number: "01040013".to_owned(),
        name: MOMIJI.to_owned(),
        colour: "#f5a623".to_owned(),
        hosts: vec![MOMIJI_HOST.to_owned()],
        contact: Contact {
            name: "もみじ事務局".to_owned(),
            phone: Some("06-9876-5432".to_owned()),
            hours: Some("平日 10:00–16:00".to_owned()),
            ..Contact::default()
        },
        mail: MailOrigin {
            from: "no-reply@momiji.example.jp".parse().ok(),
            reply_to: "Momiji <office@momiji.example.jp>".parse().ok(),
        },
        ..Insurer::default()
    }
}

impl TestApp {
    /// A provider with both insurers and their people.
    pub async fn of_two(backend: Backend) -> Self {
        Box::pin(Self::of_two_with(backend, |_| {})).await
    }

    /// The same with another configuration.
    pub async fn of_two_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        for secret in [KAEDE.born, KAEDE.kana, KAEDE.email, KAEDE.password] {
            log::keep_secret(secret);
        }
        let starting = Self::start_with(backend, |config| {
            config.insurers.push(momiji());
            change(config);
        });
        let app = Box::pin(starting).await;
        let report = app.import_roster_of("8001", MOMIJI_ROSTER, false).await;
        assert_eq!((report.outcome, report.refused), (Outcome::Applied, 0), "{:?}", report.refusals);
        app
    }

    /// The login page in the name of an insurer.
    pub async fn entry(&self, browser: &HttpBrowser, code: &str) -> Page {
        browser.get(&self.url(&format!("/i/{code}"))).await.follow_here().await
    }

    /// Registers a dependent at the entry of an insurer.
    pub async fn register_at(&mut self, code: &str, relative: &Relative) -> HttpBrowser {
        let browser = self.http_browser();
        let start = browser.get(&self.url(&format!("/i/{code}/registration"))).await.follow_here().await;
        let eligibility = start.click("#to-eligibility").await.follow_here().await;
        family::register(&eligibility, relative).await;
        let link = self.mailbox.next_link(relative.someone.email).await;
        let account = complete(&browser, &link, relative.someone.password).await;
        assert_eq!(account.url.path(), "/account", "{}", account.text());
        self.mailbox.next(relative.someone.email).await;
        browser
    }
}

/// Whose name stands in the head of a page.
pub fn head(page: &Page) -> String {
    page.select(".head-name")[0].text.clone()
}
