//! The demo's own mail relay: takes every mail, on this machine only, and sends none on (RFC 5321).
//!
//! The tests use it too, and make it fail.

use std::{
    collections::VecDeque,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use super::received::{Envelope, Received};
use crate::clock::Clock;

/// Octets of the largest message.
const LARGEST: usize = 1 << 20;
/// Octets of the longest line (RFC 5321 §4.5.3.1.6 asks for at least 1000).
const LONGEST_LINE: u64 = 4_096;
/// Most recipients of a message (RFC 5321 §4.5.3.1.8 asks for at least 100).
const MOST_RECIPIENTS: usize = 100;
/// A client that is silent for so long is sent away (RFC 5321 §4.5.3.2.7).
const PATIENCE: Duration = Duration::from_secs(300);
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
        let mut client = Client { stream: BufReader::new(&mut stream) };
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
                    let answer = state.rcpt(rest);
                    state.trouble = self.next_trouble();
                    match state.trouble {
                        Some(Trouble::Answer(refusal)) => client.say(refusal).await?,
                        Some(Trouble::Disconnect) => return Ok(Ended::Closed),
                        Some(Trouble::Silence) => {
                            // Until the client loses its patience and goes.
                            let _ = client.line().await;
                            return Ok(Ended::Closed);
                        }
                        Some(Trouble::LoseAnswer) | None => client.say(answer).await?,
                    }
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

    fn next_trouble(&self) -> Option<Trouble> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
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

/// Address and parameters of `FROM:<address> parameters`; the local part may be quoted, with any
/// character in it (RFC 5321 §4.1.2).
fn path(rest: &str, keyword: &str) -> Option<(String, String)> {
    let (given, rest) = rest.split_at_checked(keyword.len())?;
    let rest = rest.trim_start().strip_prefix('<')?;
    let (mut quoted, mut escaped) = (false, false);
    let end = rest.find(|c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return true,
            _ => {}
        }
        false
    })?;
    let (address, parameters) = rest.split_at(end);
    given.eq_ignore_ascii_case(keyword).then(|| (address.to_owned(), parameters[1..].trim().to_owned()))
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

/// The lines to and from a client.
struct Client<'a, S> {
    stream: BufReader<&'a mut S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<'_, S> {
    async fn say(&mut self, answer: &str) -> io::Result<()> {
        self.stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    /// Up to the next line feed; an error when the client is gone, silent or endless.
    async fn octets(&mut self) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        let mut line = (&mut self.stream).take(LONGEST_LINE);
        timeout(PATIENCE, line.read_until(b'\n', &mut octets)).await??;
        if octets.ends_with(b"\n") { Ok(octets) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    async fn line(&mut self) -> io::Result<String> {
        let octets = self.octets().await?;
        Ok(String::from_utf8_lossy(&octets).trim_end_matches(['\r', '\n']).to_owned())
    }

    async fn answer(&mut self, given: Option<String>, challenge: &str) -> io::Result<String> {
        match given {
            Some(given) => Ok(given),
            None => {
                self.say(challenge).await?;
                self.line().await
            }
        }
    }

    /// The message up to the dot; none if it is too large. Only CRLF ends a line, so a lone line feed
    /// cannot pretend that a message ends (RFC 5321 §2.3.8).
    async fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        let mut size = 0;
        let mut line_begins = true;
        loop {
            let octets = self.octets().await?;
            if line_begins && octets == b".\r\n" {
                return Ok((size <= LARGEST).then_some(message));
            }
            // RFC 5321 §4.5.2
            let line = if line_begins { octets.strip_prefix(b".").unwrap_or(&octets) } else { &octets };
            size += line.len();
            if size <= LARGEST {
                message.extend_from_slice(line);
            }
            line_begins = octets.ends_with(b"\r\n");
        }
    }
}
