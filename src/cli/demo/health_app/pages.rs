//! The app's pages: Japanese, each line of weight in English below it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{
    super::mailbox::{escape, japan_time},
    relying_party::SignedIn,
};
use crate::clock::Timestamp;

/// The app's name.
pub const NAME: &str = "てくてく手帳";

/// What the claims and scopes are, in a few words for whoever tries the demo.
const MEANINGS: &[(&str, &str)] = &[
    ("openid", "ログインすること"),
    ("profile", "氏名など"),
    ("email", "メールアドレス"),
    ("birthdate", "生年月日"),
    ("membership", "加入している健康保険組合と資格"),
    ("offline_access", "アプリを閉じたあとも情報を更新すること"),
    ("iss", "発行者"),
    ("sub", "このアプリでの利用者の識別子"),
    ("aud", "宛先のアプリ"),
    ("azp", "受け取ったアプリ"),
    ("exp", "期限"),
    ("iat", "発行日時"),
    ("auth_time", "ログインした日時"),
    ("nonce", "このログインの目印"),
    ("acr", "認証の強さ"),
    ("amr", "認証の方法"),
    ("sid", "ログインセッション"),
    ("at_hash", "アクセストークンのハッシュ"),
    ("name", "氏名"),
    ("family_name", "姓"),
    ("given_name", "名"),
    ("name#ja-Kana-JP", "氏名(カナ)"),
    ("family_name#ja-Kana-JP", "姓(カナ)"),
    ("given_name#ja-Kana-JP", "名(カナ)"),
    ("locale", "言語"),
    ("zoneinfo", "時間帯"),
    ("updated_at", "更新日時"),
    ("email_verified", "メールアドレスの確認"),
    ("insurer_code", "健康保険組合のコード"),
    ("insurer_name", "健康保険組合"),
    ("member_category", "加入の種別"),
    ("eligibility_status", "資格の状態"),
    ("eligible_from", "資格取得日"),
    ("eligible_until", "資格の最終日"),
    ("identity_assurance", "本人確認の水準"),
];

/// Claims that are seconds since the epoch (RFC 7519 §2).
const DATES: [&str; 4] = ["exp", "iat", "auth_time", "updated_at"];

/// Made-up steps of the last seven days.
const STEPS: [(&str, u32); 7] = [
    ("火", 7_204),
    ("水", 5_118),
    ("木", 8_930),
    ("金", 6_075),
    ("土", 9_412),
    ("日", 4_290),
    ("今日", 6_482),
];
const GOAL: u32 = 8_000;

/// A whole page.
pub fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<link rel=\"stylesheet\" href=\"/health_app.css\">\n\
         <link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n</head>\n<body>\n\
         <header><a href=\"/\"><img src=\"/icon.svg\" alt=\"\" width=\"32\" height=\"32\">{NAME}</a>\
         <span class=\"badge\">見本<span lang=\"en\">Sample app</span></span></header>\n\
         <main>\n{body}\n</main>\n\
         <footer><p>KENPOS IDのデモのための架空のアプリです。歩数は作りもので、データはこのコンピューターの外へ送られません。</p>\
         <p lang=\"en\">A made-up app for the demo. The steps are invented; nothing leaves this computer.</p></footer>\n\
         </body>\n</html>\n",
        title = escape(title),
    )
}

/// For whoever is not signed in; `notice` says that the logout is done.
pub fn welcome(notice: bool) -> String {
    let notice = if notice {
        "<p class=\"notice\" role=\"status\">ログアウトしました。<span lang=\"en\">You are logged out.</span></p>\n"
    } else {
        ""
    };
    let body = format!(
        "{notice}<div class=\"columns\"><section class=\"hero\">\n<h1>歩いた日々を、<wbr>一冊に。</h1>\n\
         <p lang=\"en\">Your steps and your health records in one notebook.</p>\n\
         <p>健康保険組合のログインIDで始められます。パスワードがこのアプリに渡ることはありません。</p>\n\
         <p lang=\"en\">Log in with the login ID of your health insurance society. This app never sees your password.</p>\n\
         <div class=\"buttons\"><a class=\"button\" href=\"/login\">ログイン<span lang=\"en\">Log in</span></a>\n\
         <a class=\"button second\" href=\"/login?prompt=create\">はじめての方(初回登録)\
         <span lang=\"en\">First-time registration</span></a></div>\n\
         </section>\n{}</div>",
        steps()
    );
    page(NAME, &body)
}

/// For a member.
pub fn member(member: &SignedIn) -> String {
    let text = |name: &str| member.userinfo.get(name).and_then(Value::as_str);
    let name = text("name").unwrap_or("ご利用者");
    let mut body = notice(member);
    let _ = write!(
        body,
        "<div class=\"columns\"><section class=\"hero\">\n<h1>{name}さん、<wbr>こんにちは</h1>\n\
         <p lang=\"en\">Hello, {name}</p>\n",
        name = escape(name),
    );
    if let Some(insurer) = text("insurer_name") {
        let category = text("member_category").map(category).unwrap_or_default();
        let _ = writeln!(body, "<p class=\"insurer\">{}{category}</p>", escape(insurer));
    }
    body.push_str("<div class=\"buttons\">\n");
    if member.can_refresh() {
        body.push_str(&post("/refresh", "button", "情報を更新する", "Refresh"));
    }
    body.push_str(
        "<a class=\"button second\" href=\"/login?prompt=login\">もう一度ログインする\
         <span lang=\"en\">Log in again (<code>prompt=login</code>)</span></a>\n",
    );
    body.push_str(&post("/logout", "button second", "ログアウト", "Log out"));
    let _ = write!(body, "</div>\n</section>\n{}</div>\n", steps());
    body.push_str(
        "<section>\n<h2>このアプリが受け取ったもの<span lang=\"en\">What this app was given</span></h2>\n",
    );
    body.push_str(&granted(member));
    body.push_str(&table("会員情報", "Userinfo", "userinfo", &member.userinfo));
    body.push_str(&table("IDトークン", "ID token", "id-token", &member.id_claims));
    body.push_str("</section>");
    page(NAME, &body)
}

/// Something did not work. `detail` is for whoever looks into it and may be anybody's word.
pub fn problem(ja: &str, en: &str, detail: Option<&str>) -> String {
    let mut body = format!("<section class=\"hero\">\n<h1>{ja}</h1>\n<p lang=\"en\">{en}</p>\n");
    if let Some(detail) = detail {
        let _ = writeln!(body, "<p class=\"detail\"><code>{}</code></p>", escape(detail));
    }
    body.push_str(
        "<div class=\"buttons\"><a class=\"button\" href=\"/login\">ログインする<span lang=\"en\">Log in</span></a>\n\
         <a class=\"button second\" href=\"/\">はじめの画面へ<span lang=\"en\">Home</span></a></div>\n</section>",
    );
    page(&format!("{ja} | {NAME}"), &body)
}

fn notice(member: &SignedIn) -> String {
    let Some((at, rotated)) = member.refreshed else { return String::new() };
    let (ja, en) = if rotated {
        (
            "更新トークンは新しいものに替わりました(ローテーション)。",
            "The refresh token was replaced (rotation).",
        )
    } else {
        ("更新トークンはそのままです。", "The refresh token stayed the same.")
    };
    format!(
        "<p class=\"notice\" role=\"status\">{at}に情報を更新しました。{ja}\
         <span lang=\"en\">Refreshed. {en}</span></p>\n",
        at = japan_time(at)
    )
}

fn category(category: &str) -> &'static str {
    match category {
        "insured" => " 被保険者",
        "voluntary" => " 任意継続被保険者",
        "dependent" => " 被扶養者",
        _ => "",
    }
}

fn post(path: &str, class: &str, ja: &str, en: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{path}\"><button class=\"{class}\">{ja}<span lang=\"en\">{en}</span>\
         </button></form>\n"
    )
}

/// Scopes and ends.
fn granted(member: &SignedIn) -> String {
    let until = |at: Option<Timestamp>| at.map_or_else(|| "不明".to_owned(), japan_time);
    let id_until = member.id_claims.get("exp").and_then(seconds);
    let refresh = if member.can_refresh() {
        "あり(使うたびに新しいものに替わります)"
    } else {
        "なし"
    };
    let mut html =
        "<h3>許可されたこと<span lang=\"en\">Granted scopes</span></h3>\n<ul class=\"scopes\">\n".to_owned();
    for scope in &member.scopes {
        let _ = writeln!(html, "<li><code>{}</code>{}</li>", escape(scope), meaning(scope));
    }
    let _ = write!(
        html,
        "</ul>\n<h3>期限<span lang=\"en\">Expiry</span></h3>\n<table>\n\
         <tr><th scope=\"row\">アクセストークン<span lang=\"en\">Access token</span></th><td>{}</td></tr>\n\
         <tr><th scope=\"row\">IDトークン<span lang=\"en\">ID token</span></th><td>{}</td></tr>\n\
         <tr><th scope=\"row\">更新トークン<span lang=\"en\">Refresh token</span></th><td>{refresh}</td></tr>\n</table>\n",
        until(member.access_until),
        until(id_until),
    );
    html
}

fn table(ja: &str, en: &str, id: &str, claims: &Map<String, Value>) -> String {
    let mut html = format!("<h3 id=\"{id}\">{ja}<span lang=\"en\">{en}</span></h3>\n<table>\n");
    for (name, value) in claims {
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\"><code>{}</code>{}</th><td>{}</td></tr>",
            escape(name).replace('_', "_<wbr>"),
            meaning(name),
            shown(name, value)
        );
    }
    html.push_str("</table>\n");
    html
}

fn meaning(name: &str) -> String {
    let known = MEANINGS.iter().find(|(known, _)| *known == name);
    known.map_or_else(String::new, |(_, meaning)| format!("<span>{meaning}</span>"))
}

/// A claim's value as it came; an instant also as people read it.
fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => escape(text),
        Value::Number(number) if DATES.contains(&name) => {
            let at = seconds(value).map(japan_time).unwrap_or_default();
            format!("{number}<span>{at} 日本時間</span>")
        }
        other => escape(&other.to_string()),
    }
}

fn seconds(value: &Value) -> Option<Timestamp> {
    Some(Timestamp::from_millis(value.as_i64()?.saturating_mul(1_000)))
}

/// The invented steps: today's as a ring, the week's as bars.
fn steps() -> String {
    let today = STEPS.last().map_or(0, |(_, steps)| *steps);
    let mut html = format!(
        "<section class=\"steps\" aria-label=\"歩数の見本\">\n<h2>今日の歩数<span lang=\"en\">Steps today</span></h2>\n\
         <svg class=\"ring\" viewBox=\"0 0 120 120\" aria-hidden=\"true\">\
         <circle cx=\"60\" cy=\"60\" r=\"52\"/><circle class=\"done\" cx=\"60\" cy=\"60\" r=\"52\" pathLength=\"100\" \
         stroke-dasharray=\"{percent} 100\" transform=\"rotate(-90 60 60)\"/></svg>\n\
         <p class=\"count\"><strong>{today}</strong>歩<span>目標 {goal}歩</span></p>\n\
         <svg class=\"week\" viewBox=\"0 0 280 120\" role=\"img\" aria-label=\"この一週間の歩数の見本\">",
        percent = today * 100 / GOAL,
        today = grouped(today),
        goal = grouped(GOAL),
    );
    for (place, (day, steps)) in STEPS.iter().enumerate() {
        let (x, height) = (place * 40, steps * 88 / 10_000);
        let class = if place + 1 == STEPS.len() { " class=\"now\"" } else { "" };
        let _ = write!(
            html,
            "<rect{class} x=\"{}\" y=\"{}\" width=\"20\" height=\"{height}\" rx=\"5\"/>\
             <text{class} x=\"{}\" y=\"114\">{day}</text>",
            x + 10,
            92 - height,
            x + 20,
        );
    }
    html.push_str("</svg>\n</section>\n");
    html
}

fn grouped(number: u32) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}
