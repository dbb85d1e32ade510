//! A connection of the load driver: HTTP/1.1, kept alive, as little work as possible for the driver.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

/// One connection, with the cookies of one browser.
pub struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
    cookies: Vec<(String, String)>,
    line: String,
}

/// What came back.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// `Location`, if there was one.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// A text member of a JSON body.
    pub fn member(&self, name: &str) -> io::Result<String> {
        let json: serde_json::Value = serde_json::from_slice(&self.body)?;
        json[name].as_str().map(str::to_owned).ok_or_else(|| self.unexpected(name))
    }

    /// The path and query of `Location`, whatever its origin.
    pub fn target(&self) -> io::Result<&str> {
        let location = self.location.as_deref().ok_or_else(|| self.unexpected("Location"))?;
        Ok(location
            .split_once("://")
            .map_or(location, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..])))
    }

    /// The answer, if its status is the expected one.
    pub fn expect(self, status: u16) -> io::Result<Self> {
        if self.status == status { Ok(self) } else { Err(self.unexpected(&status.to_string())) }
    }

    fn unexpected(&self, wanted: &str) -> io::Error {
        let start: String = self.text().chars().take(300).collect();
        io::Error::other(format!(
            "wanted {wanted}, got {} {:?}: {start}",
            self.status,
            self.location.as_deref().unwrap_or_default()
        ))
    }
}

impl Connection {
    /// Connects to a server that believes to be `host`.
    pub async fn open(address: SocketAddr, host: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (stream, host) = (BufReader::with_capacity(32 * 1024, stream), host.to_owned());
        Ok(Self { stream, host, cookies: Vec::new(), line: String::new() })
    }

    /// Becomes a browser that was never here.
    pub fn forget(&mut self) {
        self.cookies.clear();
    }

    /// GET with more header lines, each ended by CRLF.
    pub async fn get(&mut self, target: &str, headers: &str) -> io::Result<Answer> {
        self.send("GET", target, headers, None).await
    }

    /// POST of a form with more header lines, each ended by CRLF.
    pub async fn post(&mut self, target: &str, headers: &str, form: &str) -> io::Result<Answer> {
        self.send("POST", target, headers, Some(form)).await
    }

    async fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        form: Option<&str>,
    ) -> io::Result<Answer> {
        use std::fmt::Write as _;

        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n{headers}", self.host);
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _ = write!(request, "Cookie: {}\r\n", pairs.join("; "));
        }
        if let Some(form) = form {
            let length = form.len();
            let _ = write!(
                request,
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n"
            );
        }
        request.push_str("\r\n");
        request.push_str(form.unwrap_or_default());
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        self.read().await
    }

    async fn read(&mut self) -> io::Result<Answer> {
        let status = self.read_line().await?.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("this is no HTTP"))?;
        let (mut location, mut length) = (None, 0);
        loop {
            let line = self.read_line().await?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
            match name.to_ascii_lowercase().as_str() {
                "location" => location = Some(value.to_owned()),
                "content-length" => length = value.parse().map_err(io::Error::other)?,
                "set-cookie" => {
                    let value = value.to_owned();
                    self.keep_cookie(&value);
                }
                "transfer-encoding" => return Err(io::Error::other("chunks are not expected")),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Answer { status, location, body })
    }

    async fn read_line(&mut self) -> io::Result<String> {
        self.line.clear();
        if self.stream.read_line(&mut self.line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.line.trim_end().to_owned())
    }

    fn keep_cookie(&mut self, header: &str) {
        let pair = header.split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}
