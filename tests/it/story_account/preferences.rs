//! 配信設定: off until wanted, with proof, and a file for those who send.

use kenpos_idp::{
    cli::{Tools, preferences::export},
    clock::Entropy,
    storage::preference,
};

use crate::support::{
    app::{Backend, MINUTE, TestApp, insurer, on_both_backends},
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    every_change_is_kept_with_its_wording
    the_file_for_senders_has_only_what_is_wanted
}

async fn every_change_is_kept_with_its_wording(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let page = app.account(&browser, "/preferences").await;
    assert!(page.select("input[type=checkbox][checked]").is_empty(), "off until wanted");
    let member = app.members_id().await;
    let at_first = preference::history(app.db(), &member).await.unwrap();
    assert!(at_first.iter().all(|change| !change.wanted && change.seq == 1), "{at_first:?}");

    app.clock.advance(MINUTE);
    let page = page.form("#preferences-form").set("topics", "checkup").submit().await.follow_here().await;
    assert!(page.select("#notice")[0].text.contains("保存しました"));
    let form = page.form("#preferences-form");
    assert_eq!(form.value("topics"), Some("checkup"));
    // Saving it again is no change, and in another language it is another wording.
    form.submit().await;
    let english = browser.get(&app.url("/account/preferences?ui_locales=en")).await;
    english.form("#preferences-form").submit().await;
    app.clock.advance(MINUTE);
    english.form("#preferences-form").unset("topics").submit().await;
    let history = preference::history(app.db(), &member).await.unwrap();
    let checkup: Vec<_> = history.iter().filter(|change| change.topic == "checkup").collect();
    let told: Vec<_> = checkup.iter().map(|change| (change.seq, change.wanted)).collect();
    assert_eq!(told, [(1, false), (2, true), (3, true), (4, false)]);
    assert_eq!(checkup[1].wording, "健診・人間ドックのお知らせ");
    assert!(checkup[2].wording.is_ascii(), "{:?}", checkup[2]);
    assert!(checkup[3].changed_at > checkup[1].changed_at);
    assert_eq!(history.len(), at_first.len() + 3, "the other topics were not touched");
    app.finish().await;
}

async fn the_file_for_senders_has_only_what_is_wanted(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    for (someone, topic) in [(&HANAKO, "checkup"), (&ICHIRO, "programme")] {
        let browser = app.activate(someone).await;
        let page = app.account(&browser, "/preferences").await;
        page.form("#preferences-form").set("topics", topic).submit().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wanted.csv");
    let tools = Tools {
        config: app.app().config().clone(),
        db: app.db().clone(),
        clock: app.clock.clone(),
        entropy: Entropy::system(),
    };
    assert_eq!(export(&tools, &insurer(), "hana", &file).await.unwrap(), 2);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.remove(0), "topic,email,member_id,agreed_at,wording");
    lines.sort_unstable();
    assert!(lines[0].starts_with(&format!("checkup,{},", HANAKO.email)), "{text}");
    assert!(lines[0].ends_with(",2026-11-23T01:15:00Z,健診・人間ドックのお知らせ"), "{text}");
    assert!(lines[1].starts_with(&format!("programme,{},", ICHIRO.email)), "{text}");
    for number in ["200001", "004567"] {
        assert!(!text.contains(number), "{number} in {text}");
    }

    // What a spreadsheet would run is only text, and who may not be written to is not there.
    app.sql("update member set email = '=cmd@mail.example' where email like 'ichiro%'").await;
    app.sql("update member set state = 'frozen' where email like 'hanako%'").await;
    assert_eq!(export(&tools, &insurer(), "hana", &file).await.unwrap(), 1);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(",'=cmd@mail.example,") && !text.contains("hanako"), "{text}");
    app.sql("update roster_person set valid_until = '2026-11-01'").await;
    assert_eq!(export(&tools, &insurer(), "hana", &file).await.unwrap(), 0);
    assert_eq!(app.number("select count(*) from audit where action = 'preferences.exported'").await, 3);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    app.finish().await;
}

impl TestApp {
    /// The subject of Hanako.
    async fn members_id(&self) -> String {
        let person =
            kenpos_idp::storage::roster::find_insured(self.db(), "7132", "091", "200001").await.unwrap();
        kenpos_idp::storage::member::of_person(self.db(), &person.unwrap().id).await.unwrap().unwrap().id
    }
}
