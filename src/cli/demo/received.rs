//! The mails that the demo's own relay took, decoded for people to read.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mail_parser::{MessageParser, PartType};
use serde::{Deserialize, Serialize};
use tokio::{fs, io::AsyncWriteExt as _, sync::watch};
use url::Url;

use crate::clock::Timestamp;

/// Mails that are kept; the oldest makes room.
const MOST: usize = 1_000;

/// A mail that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceivedMail {
    /// Counts up from 1.
    pub number: usize,
    /// When it was taken, in milliseconds.
    pub received_at: Timestamp,
    /// Sender of the envelope.
    pub from: String,
    /// Recipients of the envelope, as the client wrote them.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// The plain text, with `\n` line ends.
    pub text: String,
    /// The HTML part, if there is one.
    pub html: Option<String>,
    /// Header fields in order, unfolded and otherwise as they came.
    pub headers: Vec<(String, String)>,
}

impl ReceivedMail {
    /// First value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Whether this is a recipient; quoting of the local part and case make no difference.
    pub fn is_for(&self, address: &str) -> bool {
        let plain = |address: &str| address.replace(['"', '\\'], "").to_lowercase();
        self.to.iter().any(|to| plain(to) == plain(address))
    }

    /// The web addresses that stand alone on a line of the text.
    pub fn links(&self) -> Vec<Url> {
        self.text.lines().filter_map(web_address).collect()
    }

    fn parse(number: usize, envelope: &Envelope, message: &[u8]) -> Self {
        let mut mail = Self {
            number,
            received_at: envelope.received_at,
            from: envelope.from.clone(),
            to: envelope.to.clone(),
            subject: String::new(),
            text: String::new(),
            html: None,
            headers: Vec::new(),
        };
        let Some(parsed) = MessageParser::default().parse(message) else {
            mail.text = String::from_utf8_lossy(message).into_owned();
            return mail;
        };
        let unfold =
            |value: &str| value.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned();
        mail.headers = parsed.headers_raw().map(|(name, value)| (name.to_owned(), unfold(value))).collect();
        parsed.subject().unwrap_or_default().clone_into(&mut mail.subject);
        mail.text = parsed.body_text(0).unwrap_or_default().replace("\r\n", "\n");
        // Of a mail without HTML the parser would offer its text, marked up.
        mail.html = parsed.html_bodies().find_map(|part| match &part.body {
            PartType::Html(html) => Some(html.clone().into_owned()),
            _ => None,
        });
        mail
    }
}

/// The word as a web address, if it is one.
pub fn web_address(word: &str) -> Option<Url> {
    let web = word.starts_with("https://") || word.starts_with("http://");
    web.then(|| Url::parse(word).ok()).flatten()
}

/// What SMTP says of a mail, beside the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// MAIL FROM.
    pub from: String,
    /// Each RCPT TO.
    pub to: Vec<String>,
    /// When the message was complete.
    pub received_at: Timestamp,
}

/// A line of the file that keeps mails over a restart.
#[derive(Serialize, Deserialize)]
struct Line {
    envelope: Envelope,
    /// The message in base64.
    message: String,
}

/// The mails that were taken; clones share them.
#[derive(Clone, Debug)]
pub struct Received(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    mails: Mutex<VecDeque<Arc<ReceivedMail>>>,
    file: Option<tokio::sync::Mutex<fs::File>>,
    /// Number of the newest mail.
    newest: watch::Sender<usize>,
}

impl Received {
    /// Keeps mails in memory only.
    pub fn in_memory() -> Self {
        Self(Arc::new(Inner { mails: Mutex::default(), file: None, newest: watch::Sender::new(0) }))
    }

    /// Keeps mails in `file` too, one JSON object a line, and begins with those that are there.
    pub async fn in_file(file: &Path) -> io::Result<Self> {
        let lines = match fs::read_to_string(file).await {
            Ok(lines) => lines,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut opened = open_for_append(file.to_owned()).await?;
        if !lines.is_empty() && !lines.ends_with('\n') {
            opened.write_all(b"\n").await?;
        }
        let received = Self(Arc::new(Inner {
            mails: Mutex::default(),
            file: Some(tokio::sync::Mutex::new(opened)),
            newest: watch::Sender::new(0),
        }));
        // A line that a crash cut off is passed over.
        for line in lines.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            if let Ok(message) = BASE64_STANDARD.decode(&line.message) {
                received.keep(&line.envelope, &message);
            }
        }
        Ok(received)
    }

    /// Takes a message.
    pub async fn add(&self, envelope: &Envelope, message: &[u8]) -> io::Result<()> {
        if let Some(file) = &self.0.file {
            let line = Line { envelope: envelope.clone(), message: BASE64_STANDARD.encode(message) };
            let mut octets = serde_json::to_vec(&line)?;
            octets.push(b'\n');
            let mut file = file.lock().await;
            file.write_all(&octets).await?;
            file.flush().await?;
        }
        self.keep(envelope, message);
        Ok(())
    }

    /// Every mail, oldest first.
    pub fn all(&self) -> Vec<Arc<ReceivedMail>> {
        self.mails().iter().cloned().collect()
    }

    /// A mail by its number.
    pub fn get(&self, number: usize) -> Option<Arc<ReceivedMail>> {
        self.mails().iter().find(|mail| mail.number == number).cloned()
    }

    /// Gives the number of the newest mail, and tells when there is a newer one.
    pub fn newest(&self) -> watch::Receiver<usize> {
        self.0.newest.subscribe()
    }

    fn keep(&self, envelope: &Envelope, message: &[u8]) {
        self.0.newest.send_modify(|newest| {
            *newest += 1;
            let mail = ReceivedMail::parse(*newest, envelope, message);
            let mut mails = self.mails();
            if mails.len() == MOST {
                mails.pop_front();
            }
            mails.push_back(Arc::new(mail));
        });
    }

    fn mails(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<ReceivedMail>>> {
        self.0.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Mails hold links that work, so the file is for its owner alone.
async fn open_for_append(file: PathBuf) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(file).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "Subject: =?utf-8?B?5Yid5Zue55m76Yyy?=\r\nX-Folded: one\r\n two\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        44Ki44GP44CCCgpodHRwczovL2lkcC5leGFtcGxlL3IvYQo=\r\n\
        --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>x</p>\r\n--b--\r\n";

    fn envelope() -> Envelope {
        Envelope {
            from: "no-reply@idp.example".to_owned(),
            to: vec!["\"a..b.\"@docomo.ne.jp".to_owned()],
            received_at: Timestamp::from_millis(1),
        }
    }

    #[tokio::test]
    async fn mails_are_decoded_and_survive_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("mails.jsonl");
        let received = Received::in_file(&file).await.unwrap();
        received.add(&envelope(), MESSAGE.as_bytes()).await.unwrap();
        let mail = received.get(1).unwrap();
        assert_eq!(mail.subject, "初回登録");
        assert_eq!(mail.html.as_deref().map(str::trim), Some("<p>x</p>"));
        assert_eq!(mail.links(), ["https://idp.example/r/a".parse().unwrap()]);
        assert_eq!(mail.header("x-folded"), Some("one two"));
        assert!(mail.is_for("a..b.@docomo.ne.jp") && !mail.is_for("a@docomo.ne.jp"));

        let mut torn = std::fs::read(&file).unwrap();
        torn.extend_from_slice(b"{\"envelope\":");
        std::fs::write(&file, torn).unwrap();
        let restarted = Received::in_file(&file).await.unwrap();
        assert_eq!(restarted.all(), [mail]);
        restarted.add(&envelope(), MESSAGE.as_bytes()).await.unwrap();
        assert_eq!(Received::in_file(&file).await.unwrap().all().len(), 2);
    }

    #[tokio::test]
    async fn the_oldest_makes_room() {
        let received = Received::in_memory();
        for _ in 0..=MOST {
            received.add(&envelope(), b"Subject: a\r\n\r\nb").await.unwrap();
        }
        assert_eq!((received.all().len(), received.get(1)), (MOST, None));
        assert_eq!(*received.newest().borrow(), MOST + 1);
    }

    proptest::proptest! {
        #[test]
        fn no_message_is_too_broken_to_keep(message in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            ReceivedMail::parse(1, &Envelope::default(), &message);
        }
    }
}
