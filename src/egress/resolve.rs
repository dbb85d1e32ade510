//! Names to addresses, each of which is looked at before it is connected to.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Tells the addresses of a name.
pub type Tell = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// Where the addresses of a name come from.
#[derive(Clone)]
pub enum Resolver {
    /// The system's resolver.
    System,
    /// A function, for tests.
    Told(Arc<Tell>),
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Told(_) => "Told",
        })
    }
}

impl Resolver {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()),
            Self::Told(tell) => Ok(tell(name)),
        }
    }
}

/// A name has an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("the name has an address that is not public")]
pub(super) struct NotPublic;

/// What the HTTP client asks for addresses: it connects to what this gives and to nothing else.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) resolver: Resolver,
    /// Which addresses may be connected to.
    pub(super) permits: fn(IpAddr) -> bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, permits) = (self.resolver.clone(), self.permits);
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            // One bad address spoils the name: whoever mixes them is trying something.
            if !addresses.iter().all(|address| permits(*address)) {
                return Err(NotPublic.into());
            }
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
