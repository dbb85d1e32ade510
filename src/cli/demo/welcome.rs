//! What the demo says when it is up: for people, or as JSON for scripts.

use std::{io::Write as _, path::Path};

use serde_json::json;

use super::settings::{Places, SampleClient, SampleMember, SampleRelative};

/// Everything that it says.
pub struct Welcome<'a> {
    /// Where the sites are.
    pub places: &'a Places,
    /// Whom to sign in as.
    pub people: &'a [SampleMember],
    /// Who registers without a login ID.
    pub relative: &'a SampleRelative,
    /// The relying party.
    pub client: &'a SampleClient,
    /// Where everything is kept.
    pub data: &'a Path,
}

impl Welcome<'_> {
    /// Prints it to standard output, which scripts read line by line.
    pub fn print(&self, as_json: bool) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if as_json {
            writeln!(out, "{}", self.json())?;
        } else {
            writeln!(out, "{}", self.text())?;
        }
        out.flush()
    }

    fn json(&self) -> serde_json::Value {
        let members: Vec<_> = self
            .people
            .iter()
            .map(|person| {
                json!({
                    "login_id": person.login_id,
                    "temporary_password": person.temporary_password,
                    "kana": person.kana,
                })
            })
            .collect();
        json!({
            "issuer": self.places.issuer,
            "app": self.places.app,
            "mailbox": self.places.mailbox,
            "members": members,
            "dependent": {
                "symbol": self.relative.symbol,
                "number": self.relative.number,
                "branch": self.relative.branch,
                "kana": self.relative.kana,
                "birth_date": self.relative.birth_date,
            },
            "client": { "id": self.client.id, "secret": self.client.secret },
        })
    }

    fn text(&self) -> String {
        let people: Vec<_> = self
            .people
            .iter()
            .map(|p| format!("  {:<18}{:<22}{}", p.login_id, p.temporary_password, p.kana))
            .collect();
        let people = people.join("\n");
        let Places { issuer, app, mailbox } = self.places;
        let SampleRelative { symbol, number, branch, kana, birth_date } = self.relative;
        format!(
            "KENPOS demo — 健康保険組合の会員ログイン

  Sample health app   {app}/      ← start here
  Mailbox             {mailbox}/
  Provider            {issuer}/
  Discovery           {issuer}/.well-known/openid-configuration

Sample members of a made-up roster
  Login ID          Temporary password    Name (asked for at activation)
  ----------------  --------------------  ------------------------------
{people}

A dependent, who has no login ID yet
  記号 {symbol}  番号 {number}  枝番 {branch}  氏名 {kana}  生年月日 {birth_date}

What to try
  1. Open the sample health app and press 「ログイン」.
  2. Enter a login ID, then the temporary password (the birth date).
  3. Accept the documents, choose a password and an e-mail address (any address will do).
  4. Open the mail in the mailbox, follow its link and enter the password you chose.
  5. You are back in the app, signed in. Sign out and in again: ID, password, done.
  6. The dependent: on the login page follow 「初回登録ページに移動する」, and give the data above.

For your own experiments: client_id {}, client_secret {},
redirect_uri http://127.0.0.1:PORT/callback with any port, client_secret_basic, PKCE
Everything is kept in {} ; delete it to start anew. Stop with Ctrl-C.
",
            self.client.id,
            self.client.secret,
            self.data.display(),
        )
    }
}
