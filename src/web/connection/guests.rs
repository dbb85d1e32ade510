//! How many connections one address may have at once.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;

/// The connections of each address; clones share the count. Proxies that are trusted are not counted: behind
/// them are many.
#[derive(Clone, Debug, Default)]
pub struct Guests {
    most: usize,
    trusted: Arc<[IpNet]>,
    here: Arc<Mutex<HashMap<u128, usize>>>,
}

/// A connection that is counted until it ends.
#[derive(Debug)]
pub struct Guest {
    address: Option<u128>,
    guests: Guests,
}

impl Guests {
    /// At most `most` of each address (IPv6: its /64).
    pub fn new(most: usize, trusted: &[IpNet]) -> Self {
        Self { most, trusted: trusted.into(), here: Arc::default() }
    }

    /// Counts one more, unless that is one too many.
    pub fn enter(&self, address: IpAddr) -> Option<Guest> {
        let address = address.to_canonical();
        if self.trusted.iter().any(|network| network.contains(&address)) {
            return Some(Guest { address: None, guests: self.clone() });
        }
        let address = match address {
            IpAddr::V4(ip) => ip.to_bits().into(),
            // No IPv4 address is as large as this: the first half of a unicast address is not so small.
            IpAddr::V6(ip) => ip.to_bits() & !u128::from(u64::MAX),
        };
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let count = here.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Guest { address: Some(address), guests: self.clone() })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut here = self.guests.here.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = here.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                here.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let guests = Guests::new(2, &["10.0.0.0/8".parse().unwrap()]);
        let enter = |address: &str| guests.enter(address.parse().unwrap());
        let first = enter("192.0.2.1").unwrap();
        let _second = enter("::ffff:192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none());
        assert!(enter("192.0.2.2").is_some(), "its neighbour has a share of its own");
        drop(first);
        let again = enter("192.0.2.1");
        assert!(again.is_some());
        let neighbours = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"].map(enter);
        assert_eq!(neighbours.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, true]);
        let behind_a_proxy: Vec<_> = (0..9).map(|_| enter("10.1.2.3")).collect();
        assert!(behind_a_proxy.iter().all(Option::is_some));
        drop((again, neighbours, behind_a_proxy));
        assert_eq!(guests.here.lock().unwrap().len(), 1, "what ended is not remembered");
    }
}
