//! Mails from the outbox to a relay, over real connections.

use std::{
    fs,
    io::{self, Write},
    net::Ipv4Addr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use kenpos_idp::{
    cli::demo::{
        received::Received,
        smtp_server::{Ended, Offers, SmtpServer, Trouble},
    },
    clock::{Clock, Entropy, Timestamp},
    config::{
        Insurer,
        mail::{MailSettings, Security},
    },
    crypto::master_key::MasterKey,
    mail::{Mail, MailKind, Outbox},
    storage::Db,
    telemetry,
    texts::{Locale, Texts},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};
use tokio_util::sync::CancellationToken;

use crate::support::{log, mailbox::Mailbox};

const TO: &str = "hanako@example.jp";
const LINK: &str = "https://idp.example.jp/registration/s3cr3t-token";
const SECOND: Duration = Duration::from_secs(1);

/// An outbox on a database of its own.
struct Post {
    directory: TempDir,
    db: Db,
    clock: Clock,
}

impl Post {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("idp.sqlite").display());
        let db = Db::open(&url, 4).await.unwrap();
        db.migrate().await.unwrap();
        Self { directory, db, clock: Clock::manual(Timestamp::from_millis(1_795_310_100_000)) }
    }

    fn outbox(&self, settings: &MailSettings) -> Outbox {
        let entropy = Entropy::system();
        let master = MasterKey::load_or_create(&self.directory.path().join("keys"), &entropy).unwrap();
        let texts = Arc::new(Texts::load().unwrap());
        Outbox::new(self.db.clone(), master, self.clock.clone(), entropy, texts, settings).unwrap()
    }

    async fn enqueue(&self, outbox: &Outbox, to: &str) {
        let insurer = Insurer { name: "みほん健康保険組合".to_owned(), ..Insurer::default() };
        let kind = MailKind::ConfirmRegistration {
            link: LINK.parse().unwrap(),
            deadline: self.clock.now().plus(86_400 * SECOND),
        };
        let mail = Mail::of(&insurer, to, Locale::Ja, kind);
        let mut tx = self.db.begin().await.unwrap();
        outbox.enqueue(&mut tx, &mail).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Mails that wait, are sent, and are given up.
async fn counts(outbox: &Outbox) -> [i64; 3] {
    let counts = outbox.counts().await.unwrap();
    [counts.queued, counts.sent, counts.failed]
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_meant() {
    let post = Post::new().await;
    let mut mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&mailbox.settings());
    post.enqueue(&outbox, TO).await;
    post.clock.advance(5 * SECOND);
    assert_eq!(outbox.deliver_due().await, 1);
    let mail = mailbox.next(TO).await;
    assert_eq!(mail.subject, "【みほん健康保険組合】初回登録のご確認(24時間以内にお手続きください)");
    assert!(mail.text.contains("有効期限:2026年11月23日(月)10時15分まで(24時間)"), "{}", mail.text);
    assert_eq!(mail.links(), [LINK.parse().unwrap()]);
    assert!(mail.html.as_deref().unwrap().contains("まだ登録は完了していません"));
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    assert_eq!(mail.header("Date"), Some("Sun, 22 Nov 2026 01:15:00 +0000"));
    assert!(mail.header("Message-ID").unwrap().ends_with("@idp.example.jp>"));
    assert!(mail.header("Content-Type").unwrap().starts_with("multipart/alternative"));
    assert!(mailbox.unread().is_empty());
    assert_eq!(counts(&outbox).await, [0, 1, 0]);
}

#[tokio::test]
async fn addresses_of_old_carriers_are_spoken_quoted() {
    let post = Post::new().await;
    let mut mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&mailbox.settings());
    post.enqueue(&outbox, "a..b.@docomo.ne.jp").await;
    outbox.deliver_due().await;
    let mail = mailbox.next("a..b.@docomo.ne.jp").await;
    assert_eq!(mail.to, ["\"a..b.\"@docomo.ne.jp"]);
    assert_eq!(mail.header("To"), Some("\"a..b.\"@docomo.ne.jp"));
}

#[tokio::test]
async fn the_database_never_holds_a_mail_in_clear() {
    let files = |directory: &Path| -> Vec<u8> {
        let sqlite = |name: &str| fs::read(directory.join(name)).unwrap_or_default();
        [sqlite("idp.sqlite"), sqlite("idp.sqlite-wal")].concat()
    };
    let post = Post::new().await;
    let mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&mailbox.settings());
    mailbox.expect_trouble(Trouble::Answer("451 4.3.0 <hanako@example.jp> later"));
    post.enqueue(&outbox, TO).await;
    for moment in ["queued", "refused", "sent"] {
        let octets = files(post.directory.path());
        let holds = |text: &str| octets.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds("confirm_registration"), "the row is read at all when {moment}");
        for secret in [TO, "hanako", "s3cr3t-token", "初回登録"] {
            assert!(!holds(secret), "{secret} lies in clear when {moment}");
        }
        outbox.deliver_due().await;
        post.clock.advance(30 * SECOND);
    }
    assert_eq!(counts(&outbox).await, [0, 1, 0]);
}

#[tokio::test]
async fn the_log_tells_of_a_mail_but_not_what_is_in_it() {
    let logged = Log::default();
    let subscriber = tracing_subscriber::fmt()
        // Spans of one subscriber cannot be closed under another, as on the threads of SQLite.
        .with_env_filter(format!("trace,{}=off", telemetry::traces::TARGET))
        .with_writer({
            let logged = logged.clone();
            move || logged.clone()
        })
        .finish();
    // This test runs on one thread, and so does everything it starts.
    log::watch(); // or a test without a subscriber could switch the log's lines off for all
    let _guard = tracing::subscriber::set_default(subscriber);
    let post = Post::new().await;
    let mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&mailbox.settings());
    for refusal in ["451 4.3.0 <hanako@example.jp> later", "550 5.1.1 <hanako@example.jp> unknown"] {
        mailbox.expect_trouble(Trouble::Answer(refusal));
        post.enqueue(&outbox, TO).await;
        outbox.deliver_due().await;
    }
    post.clock.advance(30 * SECOND);
    outbox.deliver_due().await;
    let log = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
    for told in ["mail queued", "mail not sent", "451 4.3.0", "mail given up", "550 5.1.1", "mail sent"] {
        assert!(log.contains(told), "{told} is missing in\n{log}");
    }
    for secret in ["hanako", "s3cr3t-token", "初回登録"] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_passing_refusal_is_tried_again_later_and_later() {
    let post = Post::new().await;
    let mut mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&mailbox.settings());
    mailbox.expect_trouble(Trouble::Answer("451 4.3.0 <hanako@example.jp> later"));
    mailbox.expect_trouble(Trouble::Disconnect);
    post.enqueue(&outbox, TO).await;
    assert_eq!(outbox.deliver_due().await, 1);
    for (wait, attempts) in [(29, 0), (1, 1), (59, 0), (1, 1)] {
        post.clock.advance(wait * SECOND);
        assert_eq!(outbox.deliver_due().await, attempts, "after {wait} s more");
    }
    mailbox.next(TO).await;
    assert!(mailbox.unread().is_empty());
    assert_eq!(counts(&outbox).await, [0, 1, 0]);
}

#[tokio::test]
async fn a_final_refusal_ends_a_mail_at_once() {
    let post = Post::new().await;
    let mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&mailbox.settings());
    mailbox.expect_trouble(Trouble::Answer("550 5.1.1 <hanako@example.jp> unknown"));
    post.enqueue(&outbox, TO).await;
    post.enqueue(&outbox, "no address").await;
    assert_eq!(outbox.deliver_due().await, 2);
    assert_eq!(counts(&outbox).await, [0, 0, 2]);
    post.clock.advance(3_600 * SECOND);
    assert_eq!(outbox.deliver_due().await, 0);
    assert!(mailbox.unread().is_empty());
}

#[tokio::test]
async fn nothing_is_lost_while_the_relay_is_away() {
    let post = Post::new().await;
    let received = Received::in_memory();
    let server = SmtpServer::new(received.clone(), post.clock.clone());
    let listening = server.listen((Ipv4Addr::LOCALHOST, 0).into(), Offers::default()).await.unwrap();
    let address = listening.address;
    let settings = Mailbox::start(post.clock.clone()).await.settings();
    let outbox = post.outbox(&MailSettings { port: Some(address.port()), ..settings });
    drop(listening);
    for _ in 0..10 {
        post.enqueue(&outbox, TO).await;
    }
    let mut attempts = 0;
    for _ in 0..60 {
        attempts += outbox.deliver_due().await;
        post.clock.advance(60 * SECOND);
    }
    assert!((60..=80).contains(&attempts), "{attempts} attempts in the first hour");
    assert_eq!(counts(&outbox).await, [10, 0, 0]);
    let _listening = server.listen(address, Offers::default()).await.unwrap();
    post.clock.advance(3_600 * SECOND);
    outbox.deliver_due().await;
    assert_eq!(counts(&outbox).await, [0, 10, 0]);
    assert_eq!(received.all().len(), 10);
}

#[tokio::test]
async fn a_link_that_is_void_is_not_sent() {
    let post = Post::new().await;
    let mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&mailbox.settings());
    post.enqueue(&outbox, TO).await;
    post.clock.advance(86_400 * SECOND);
    outbox.deliver_due().await;
    assert_eq!(counts(&outbox).await, [0, 0, 1]);
    assert!(mailbox.unread().is_empty());
}

#[tokio::test]
async fn several_nodes_never_send_a_mail_twice() {
    let post = Post::new().await;
    let mailbox = Mailbox::start(post.clock.clone()).await;
    let nodes = [0, 1, 2].map(|_| post.outbox(&mailbox.settings()));
    for n in 0..40 {
        post.enqueue(&nodes[n % 3], &format!("member-{n}@example.jp")).await;
    }
    let [a, b, c] = &nodes;
    let (a, b, c) = tokio::join!(a.deliver_due(), b.deliver_due(), c.deliver_due());
    assert_eq!(a + b + c, 40);
    let mut ids: Vec<_> =
        mailbox.unread().iter().map(|mail| mail.header("Message-ID").unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 40);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

#[tokio::test]
async fn a_mail_that_comes_twice_can_be_told_to_be_one() {
    let post = Post::new().await;
    let mut mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&mailbox.settings());
    mailbox.expect_trouble(Trouble::LoseAnswer);
    post.enqueue(&outbox, TO).await;
    outbox.deliver_due().await;
    post.clock.advance(30 * SECOND);
    outbox.deliver_due().await;
    let (first, second) = (mailbox.next(TO).await, mailbox.next(TO).await);
    assert_eq!(first.headers, second.headers);
    assert_eq!((&first.text, &first.html), (&second.text, &second.html));
}

#[tokio::test]
async fn the_worker_sends_what_comes_and_stops_when_told() {
    let post = Post::new().await;
    let mut mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&mailbox.settings());
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn({
        let (outbox, shutdown) = (outbox.clone(), shutdown.clone());
        async move { outbox.run(shutdown).await }
    });
    for n in 0..9 {
        post.enqueue(&outbox, &format!("member-{n}@example.jp")).await;
        outbox.wake();
    }
    for n in 0..9 {
        assert_eq!(mailbox.next_link(&format!("member-{n}@example.jp")).await.as_str(), LINK);
    }
    shutdown.cancel();
    worker.await.unwrap();
    assert_eq!(counts(&outbox).await, [0, 9, 0]);
    assert!(mailbox.unread().is_empty());
}

/// A relay that wants a password, and TLS if `security` says so; its certificate is in `ca_file`.
async fn relay(directory: &Path, clock: &Clock, security: Security) -> (Received, MailSettings) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let ca_file = directory.join("relay.pem");
    fs::write(&ca_file, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(tls));
    let server = SmtpServer::new(Received::in_memory(), clock.clone());
    let received = server.received().clone();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let signing_in =
        Offers { credentials: Some(("kenpos".to_owned(), "pässword".to_owned())), starttls: false };
    let upgrade = Offers { starttls: true, ..Offers::default() };
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (server, tls) = (server.clone(), tls.clone());
            let (signing_in, upgrade) = (signing_in.clone(), upgrade.clone());
            tokio::spawn(async move {
                let greet = security != Security::StartTls;
                if !greet
                    && !matches!(server.converse(&mut stream, &upgrade, true).await, Ok(Ended::StartTls))
                {
                    return;
                }
                if security == Security::None {
                    let _ = server.converse(stream, &signing_in, greet).await;
                } else if let Ok(stream) = tls.accept(stream).await {
                    let _ = server.converse(stream, &signing_in, greet).await;
                }
            });
        }
    });
    let settings = MailSettings {
        host: "localhost".to_owned(),
        port: Some(port),
        security,
        username: Some("kenpos".to_owned()),
        password: Some("pässword".to_owned().into()),
        from: "KENPOS <no-reply@idp.example.jp>".parse().unwrap(),
        ca_file: Some(ca_file),
        ..MailSettings::default()
    };
    (received, settings)
}

#[tokio::test]
async fn mails_leave_with_a_password_and_every_kind_of_protection() {
    let post = Post::new().await;
    for security in [Security::StartTls, Security::Tls, Security::None] {
        let (received, settings) = relay(post.directory.path(), &post.clock, security).await;
        let outbox = post.outbox(&settings);
        outbox.relay().check().await.unwrap();
        post.enqueue(&outbox, TO).await;
        post.enqueue(&outbox, TO).await;
        outbox.deliver_due().await;
        assert_eq!(received.all().len(), 2, "{security:?}");
        assert!(received.all()[0].header("From").unwrap().starts_with("KENPOS <"), "{security:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_costs_no_mail() {
    let post = Post::new().await;
    let (received, settings) = relay(post.directory.path(), &post.clock, Security::StartTls).await;
    let outbox = post.outbox(&MailSettings { password: Some("old".to_owned().into()), ..settings.clone() });
    post.enqueue(&outbox, TO).await;
    outbox.deliver_due().await;
    assert_eq!(counts(&outbox).await, [1, 0, 0]);
    post.clock.advance(30 * SECOND);
    post.outbox(&settings).deliver_due().await;
    assert_eq!(received.all().len(), 1);
}

#[tokio::test]
async fn nothing_is_said_in_clear_or_to_a_stranger() {
    let post = Post::new().await;
    let clear = relay(post.directory.path(), &post.clock, Security::None).await;
    let stranger = relay(post.directory.path(), &post.clock, Security::Tls).await;
    for ((received, settings), security) in [(clear, Security::StartTls), (stranger, Security::Tls)] {
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let ca_file = post.directory.path().join("other.pem");
        fs::write(&ca_file, other.cert.pem()).unwrap();
        let outbox = post.outbox(&MailSettings { security, ca_file: Some(ca_file), ..settings });
        post.enqueue(&outbox, TO).await;
        outbox.deliver_due().await;
        assert!(received.all().is_empty(), "{security:?}");
        assert!(outbox.relay().check().await.is_err());
    }
}

#[tokio::test]
async fn a_relay_that_falls_silent_is_left() {
    let post = Post::new().await;
    let mut mailbox = Mailbox::start(post.clock.clone()).await;
    let outbox = post.outbox(&MailSettings { timeout_seconds: 1, ..mailbox.settings() });
    mailbox.expect_trouble(Trouble::Silence);
    post.enqueue(&outbox, TO).await;
    outbox.deliver_due().await;
    assert_eq!(counts(&outbox).await, [1, 0, 0]);
    post.clock.advance(30 * SECOND);
    outbox.deliver_due().await;
    mailbox.next(TO).await;
}
