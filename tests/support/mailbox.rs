//! The mailbox of a test: a relay on loopback, and the mails that it took.

use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc, time::Duration};

use kenpos_idp::{
    cli::demo::{
        received::{Received, ReceivedMail},
        smtp_server::{Listening, Offers, SmtpServer, Trouble},
    },
    clock::Clock,
    config::mail::{MailSettings, Security},
    storage::Db,
};
use url::Url;

/// How long a mail may take before the test fails; far more than it needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes mails and hands each out once.
#[derive(Debug)]
pub struct Mailbox {
    server: SmtpServer,
    listening: Listening,
    read: BTreeSet<usize>,
    outbox: Option<Db>,
}

impl Mailbox {
    /// Listens on a free port.
    pub async fn start(clock: Clock) -> Self {
        let server = SmtpServer::new(Received::in_memory(), clock);
        let listening = server
            .listen((Ipv4Addr::LOCALHOST, 0).into(), Offers::default())
            .await
            .expect("a free port on loopback");
        Self { server, listening, read: BTreeSet::new(), outbox: None }
    }

    /// The `[mail]` section that sends mails here.
    pub fn settings(&self) -> MailSettings {
        MailSettings {
            host: self.listening.address.ip().to_string(),
            port: Some(self.listening.address.port()),
            security: Security::None,
            from: "no-reply@idp.example.jp".parse().expect("an address"),
            ..MailSettings::default()
        }
    }

    /// Lets a coming mail go wrong.
    pub fn expect_trouble(&self, trouble: Trouble) {
        self.server.expect_trouble(trouble);
    }

    /// From now on a mail counts as arrived when this outbox has noted that it did: a clock that moves before
    /// that would end the lease, and the mail would be sent again.
    pub fn belongs_to(&mut self, outbox: Db) {
        self.outbox = Some(outbox);
    }

    /// Waits until no mail is on its way to the relay. An outbox that is closed or down sends none.
    async fn settle(&self) {
        let Some(db) = &self.outbox else { return };
        let leased = "select count(*) from outbox where state = 'queued' and leased_until > 0";
        let settled = async {
            loop {
                let on_their_way: Result<i64, _> = match db {
                    Db::Sqlite(pool, _) => sqlx::query_scalar(leased).fetch_one(pool).await,
                    Db::Postgres(pool, _) => sqlx::query_scalar(leased).fetch_one(pool).await,
                };
                if on_their_way.is_ok_and(|mails| mails > 0) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                } else {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("the outbox notes what was delivered");
    }

    /// The next unread mail to `address`, waiting for it.
    ///
    /// # Panics
    /// When none comes.
    pub async fn next(&mut self, address: &str) -> Arc<ReceivedMail> {
        let mut newest = self.server.received().newest();
        let arrival = async {
            loop {
                newest.mark_unchanged();
                if let Some(mail) = self.unread().into_iter().find(|mail| mail.is_for(address)) {
                    return mail;
                }
                newest.changed().await.expect("the mailbox outlives the wait");
            }
        };
        let mail = tokio::time::timeout(PATIENCE, arrival).await.expect("a mail arrives");
        self.read.insert(mail.number);
        self.settle().await;
        mail
    }

    /// The link of the next unread mail to `address`, waiting for it.
    ///
    /// # Panics
    /// When none comes, or it has not exactly one link.
    pub async fn next_link(&mut self, address: &str) -> Url {
        let mail = self.next(address).await;
        let links = mail.links();
        assert_eq!(links.len(), 1, "one link in\n{}", mail.text);
        links[0].clone()
    }

    /// Takes every mail that has come, unread, where a story is not about mails.
    pub async fn forget_all(&mut self) {
        self.settle().await;
        let all: Vec<_> = self.unread().iter().map(|mail| mail.number).collect();
        self.read.extend(all);
    }

    /// Mails that no test has asked for yet.
    pub fn unread(&self) -> Vec<Arc<ReceivedMail>> {
        self.server.received().all().into_iter().filter(|mail| !self.read.contains(&mail.number)).collect()
    }
}
