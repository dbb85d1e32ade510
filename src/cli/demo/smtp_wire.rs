//! SMTP as it stands on the wire: lines, addresses and messages.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    time::timeout,
};

/// Octets of the largest message.
pub const LARGEST: usize = 1 << 20;
/// Octets of the longest line (RFC 5321 §4.5.3.1.6 asks for at least 1000).
pub const LONGEST_LINE: u64 = 4_096;
/// A client that is silent for so long is sent away (RFC 5321 §4.5.3.2.7).
const PATIENCE: Duration = Duration::from_secs(300);

/// The lines to and from a client.
pub struct Client<'a, S> {
    stream: BufReader<&'a mut S>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Client<'a, S> {
    /// The client at the other end of `stream`.
    pub fn new(stream: &'a mut S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// Sends an answer; lines within it end in CRLF.
    pub async fn say(&mut self, answer: &str) -> io::Result<()> {
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

    /// A command or an answer to a challenge.
    pub async fn line(&mut self) -> io::Result<String> {
        let octets = self.octets().await?;
        Ok(String::from_utf8_lossy(&octets).trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The response that came with the command, or else that to `challenge`.
    pub async fn answer(&mut self, given: Option<String>, challenge: &str) -> io::Result<String> {
        if let Some(given) = given {
            return Ok(given);
        }
        self.say(challenge).await?;
        self.line().await
    }

    /// The message up to the dot; none if it is too large. Only CRLF ends a line, so a lone line feed
    /// cannot pretend that a message ends (RFC 5321 §2.3.8).
    pub async fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
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

/// Address and parameters of `FROM:<address> parameters`; the local part may be quoted, with any
/// character in it (RFC 5321 §4.1.2).
pub fn path(rest: &str, keyword: &str) -> Option<(String, String)> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_path_is_too_broken_to_read(rest in any::<String>(), address in "[a-z.]{0,9}@[a-z]{1,9}") {
            let _ = path(&rest, "FROM:");
            let read = path(&format!("from:<{address}> BODY=8BITMIME"), "FROM:");
            prop_assert_eq!(read, Some((address, "BODY=8BITMIME".to_owned())));
        }
    }
}
