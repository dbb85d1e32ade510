//! The demo's own mail relay: takes every mail, on this machine only, and sends none on (RFC 5321).
//!
//! The tests use it too, and make it fail.

use std::{
    collections::VecDeque,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use super::{
    received::{Envelope, Received},
    smtp_wire::{Client, LARGEST, path},
};
use crate::clock::Clock;

/// Most recipients of a message (RFC 5321 §4.5.3.1.8 asks for at least 100).
const MOST_RECIPIENTS: usize = 100;
/// Conversations at the same time.
const MOST_CLIENTS: usize = 32;

/// How the next message goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// RCPT is answered with this, such as `451 4.3.0 Later`.
    Answer(&'static str),
    /// The connection ends after RCPT, without an answer.
    Disconnect,
    /// The message is taken, but the connection ends before the client is told.
    LoseAnswer,
    /// RCPT is never answered.
    Silence,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// For good.
    Closed,
    /// The client was told to begin TLS.
    StartTls,
}

/// What a conversation offers.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// Name and password that clients must sign in with.
    pub credentials: Option<(String, String)>,
    /// STARTTLS, and nothing else before it.
    pub starttls: bool,
}

/// Takes mails.
#[derive(Clone)]
pub struct SmtpServer {
    received: Received,
    clock: Clock,
    troubles: Arc<Mutex<VecDeque<Trouble>>>,
}

/// A server that listens; it stops when this is dropped.
#[derive(Debug)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpServer")
    }
}

impl SmtpServer {
    /// Puts what it takes into `received`.
    pub fn new(received: Received, clock: Clock) -> Self {
        Self { received, clock, troubles: Arc::default() }
    }

    /// What was taken.
    pub const fn received(&self) -> &Received {
        &self.received
    }

    /// Lets a coming message go wrong; several wait in a row, one a message.
    pub fn expect_trouble(&self, trouble: Trouble) {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).push_back(trouble);
    }

    /// Listens at `address`, in clear: for this machine only.
    pub async fn listen(&self, address: SocketAddr, offers: Offers) -> io::Result<Listening> {
        if !address.ip().is_loopback() {
            return Err(io::Error::other("the demo's relay listens on this machine only"));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let server = self.clone();
        let task = tokio::spawn(async move {
            let mut clients = JoinSet::new();
            loop {
                if clients.len() >= MOST_CLIENTS {
                    clients.join_next().await;
                }
                while clients.try_join_next().is_some() {}
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (server, offers) = (server.clone(), offers.clone());
                clients.spawn(async move {
                    // A client that breaks off is no concern of ours.
                    let _ = server.converse(stream, &offers, true).await;
                });
            }
        });
        Ok(Listening { address, task })
    }

    /// Talks to one client until either is done. `greet` is false after STARTTLS (RFC 3207 §4.2).
    pub async fn converse<S>(&self, mut stream: S, offers: &Offers, greet: bool) -> io::Result<Ended>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // Octets that came too early with STARTTLS are lost with this reader, as they must be.
        let mut client = Client::new(&mut stream);
        if greet {
            client.say("220 localhost ESMTP kenpos-idp").await?;
        }
        let mut state = State { signed_in: offers.credentials.is_none(), ..State::default() };
        loop {
            let line = client.line().await?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => {
                    state.envelope = None;
                    client.say(&greeting(verb, offers)).await?;
                }
                "NOOP" => client.say("250 2.0.0 OK").await?,
                "RSET" => {
                    state.envelope = None;
                    client.say("250 2.0.0 OK").await?;
                }
                "QUIT" => {
                    client.say("221 2.0.0 Bye").await?;
                    return Ok(Ended::Closed);
                }
                "STARTTLS" if offers.starttls => {
                    client.say("220 2.0.0 Go ahead").await?;
                    return Ok(Ended::StartTls);
                }
                _ if offers.starttls => client.say("530 5.7.0 Must issue STARTTLS first").await?,
                "AUTH" => self.auth(&mut client, &mut state, offers, rest).await?,
                "MAIL" | "RCPT" if !state.signed_in => {
                    client.say("530 5.7.0 Authentication required").await?;
                }
                "MAIL" => client.say(state.mail(rest)).await?,
                "RCPT" => {
                    let Some(answer) = self.rcpt(&mut state, rest) else {
                        if state.trouble == Some(Trouble::Silence) {
                            // Until the client loses its patience and goes.
                            let _ = client.line().await;
                        }
                        return Ok(Ended::Closed);
                    };
                    client.say(answer).await?;
                }
                "DATA" => match state.envelope.take().filter(|envelope| !envelope.to.is_empty()) {
                    None => client.say("503 5.5.1 RCPT first").await?,
                    Some(envelope) => {
                        let taken = self.take(&mut client, envelope).await?;
                        if state.trouble.take() == Some(Trouble::LoseAnswer) {
                            return Ok(Ended::Closed);
                        }
                        client.say(taken).await?;
                    }
                },
                _ => client.say("500 5.5.2 Unknown command").await?,
            }
        }
    }

    /// The answer to RCPT; none when there shall be no answer.
    fn rcpt(&self, state: &mut State, rest: &str) -> Option<&'static str> {
        state.trouble = self.troubles.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match state.trouble {
            Some(Trouble::Answer(refusal)) => Some(refusal),
            Some(Trouble::Disconnect | Trouble::Silence) => None,
            Some(Trouble::LoseAnswer) | None => Some(state.rcpt(rest)),
        }
    }

    async fn take<S>(&self, client: &mut Client<'_, S>, mut envelope: Envelope) -> io::Result<&'static str>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        client.say("354 End with a dot on a line of its own").await?;
        let Some(message) = client.message().await? else {
            return Ok("552 5.3.4 The message is too large");
        };
        envelope.received_at = self.clock.now();
        Ok(match self.received.add(&envelope, &message).await {
            Ok(()) => "250 2.0.0 Taken",
            Err(_) => "452 4.3.1 The message cannot be stored",
        })
    }

    /// RFC 4954, with the mechanisms PLAIN (RFC 4616) and LOGIN.
    async fn auth<S>(
        &self,
        client: &mut Client<'_, S>,
        state: &mut State,
        offers: &Offers,
        rest: &str,
    ) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let decode = |text: &str| String::from_utf8(BASE64_STANDARD.decode(text).unwrap_or_default());
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let first = if first.is_empty() { None } else { Some(first.to_owned()) };
        let given = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let response = decode(&client.answer(first, "334 ").await?).unwrap_or_default();
                let mut parts = response.splitn(3, '\0').skip(1).map(str::to_owned);
                parts.next().zip(parts.next())
            }
            "LOGIN" => {
                let name = decode(&client.answer(first, "334 VXNlcm5hbWU6").await?);
                let password = decode(&client.answer(None, "334 UGFzc3dvcmQ6").await?);
                name.ok().zip(password.ok())
            }
            _ => return client.say("504 5.5.4 Unknown mechanism").await,
        };
        state.signed_in = given.is_some() && given == offers.credentials;
        client.say(if state.signed_in { "235 2.7.0 OK" } else { "535 5.7.8 Wrong credentials" }).await
    }
}

#[derive(Default)]
struct State {
    signed_in: bool,
    envelope: Option<Envelope>,
    trouble: Option<Trouble>,
}

impl State {
    fn mail(&mut self, rest: &str) -> &'static str {
        if self.envelope.is_some() {
            return "503 5.5.1 A message is under way";
        }
        let Some((from, parameters)) = path(rest, "FROM:") else { return "501 5.5.4 Not an address" };
        let size = parameters.split(' ').find_map(|parameter| parameter.strip_prefix("SIZE=")?.parse().ok());
        if size.is_some_and(|size: usize| size > LARGEST) {
            return "552 5.3.4 The message is too large";
        }
        self.envelope = Some(Envelope { from, ..Envelope::default() });
        "250 2.1.0 OK"
    }

    fn rcpt(&mut self, rest: &str) -> &'static str {
        let Some(envelope) = &mut self.envelope else { return "503 5.5.1 MAIL first" };
        match path(rest, "TO:") {
            Some((to, _)) if !to.is_empty() => {
                if envelope.to.len() == MOST_RECIPIENTS {
                    return "452 4.5.3 Too many recipients";
                }
                envelope.to.push(to);
                "250 2.1.5 OK"
            }
            _ => "501 5.5.4 Not an address",
        }
    }
}

fn greeting(verb: &str, offers: &Offers) -> String {
    if verb.eq_ignore_ascii_case("HELO") {
        return "250 localhost".to_owned();
    }
    let mut lines = vec!["localhost".to_owned(), format!("SIZE {LARGEST}"), "8BITMIME".to_owned()];
    if offers.starttls {
        lines.push("STARTTLS".to_owned());
    } else if offers.credentials.is_some() {
        lines.push("AUTH PLAIN LOGIN".to_owned());
    }
    let last = lines.len() - 1;
    let line = |(n, text)| format!("250{}{text}", if n == last { ' ' } else { '-' });
    lines.into_iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::{cli::demo::smtp_wire::LONGEST_LINE, clock::Timestamp};

    /// Says everything at once and gives the codes of the answers, and what was taken.
    async fn say(lines: &[u8]) -> (Vec<String>, Received) {
        let server = SmtpServer::new(Received::in_memory(), Clock::manual(Timestamp::default()));
        let (mut client, connection) = tokio::io::duplex(4 * LARGEST);
        client.write_all(lines).await.unwrap();
        client.shutdown().await.unwrap();
        let _ = server.converse(connection, &Offers::default(), true).await;
        let mut answers = String::new();
        client.read_to_string(&mut answers).await.unwrap();
        let codes =
            answers.lines().filter(|line| line.as_bytes()[3] == b' ').map(|line| line[..3].to_owned());
        (codes.collect(), server.received)
    }

    #[tokio::test]
    async fn a_message_is_taken_without_its_stuffed_dots() {
        let (codes, received) = say(b"EHLO me\r\nmail from:<a@b> SIZE=30\r\nRCPT TO:<\"x>y\"@c>\r\nDATA\r\n\
              Subject: s\r\n\r\n..one\r\nlone\n.\nfeed\r\n.\r\nQUIT\r\n")
        .await;
        assert_eq!(codes, ["220", "250", "250", "250", "354", "250", "221"]);
        let mail = received.get(1).unwrap();
        assert_eq!((mail.from.as_str(), mail.to[0].as_str()), ("a@b", "\"x>y\"@c"));
        assert_eq!(mail.text.trim_end(), ".one\nlone\n.\nfeed");
    }

    #[tokio::test]
    async fn commands_out_of_order_are_refused() {
        let (codes, received) =
            say(b"RCPT TO:<a@b>\r\nDATA\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\nRCPT TO:a@b\r\n\
              RSET\r\nRCPT TO:<a@b>\r\nMAIL FROM:<a@b> SIZE=99999999\r\nSTARTTLS\r\nAUTH X\r\n\r\n")
            .await;
        assert_eq!(
            codes,
            ["220", "503", "503", "250", "503", "503", "503", "250", "503", "552", "500", "504", "500"]
        );
        assert!(received.all().is_empty());
    }

    #[tokio::test]
    async fn what_is_too_large_is_read_and_refused() {
        let line = [vec![b'x'; 1_000], b"\r\n".to_vec()].concat();
        let message = line.repeat(LARGEST / line.len() + 1);
        let all = [b"MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n", &message[..], b".\r\nNOOP\r\n"].concat();
        let (codes, received) = say(&all).await;
        assert_eq!(codes, ["220", "250", "250", "354", "552", "250"]);
        assert!(received.all().is_empty());
        let endless = vec![b'x'; 2 * usize::try_from(LONGEST_LINE).unwrap()];
        assert_eq!(say(&endless).await.0, ["220"]);
    }

    #[tokio::test]
    async fn it_listens_on_this_machine_only() {
        let server = SmtpServer::new(Received::in_memory(), Clock::system());
        assert!(server.listen(([0, 0, 0, 0], 0).into(), Offers::default()).await.is_err());
    }
}
