//! A way to a server that can fall silent, as when a machine vanishes or a firewall forgets.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Passes connections on to a server.
pub struct Way {
    /// Where it begins.
    pub address: SocketAddr,
    silences: watch::Sender<u32>,
}

impl Way {
    /// A way to `HOST:PORT`.
    pub async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (silences, heard) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (server, mut silence) = (server.clone(), heard.clone());
                silence.mark_unchanged();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(&server).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        // Open, and nothing comes through any more, not even the end.
                        Ok(()) = silence.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { address, silences }
    }

    /// The connections that stand carry nothing any more; new ones do.
    pub fn fall_silent(&self) {
        self.silences.send_modify(|times| *times += 1);
    }
}
