//! Budgets of guesses, and the pause of a login ID: shared by all nodes, the same for an ID that exists
//! and one that does not.

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Members, login_id::Typed};
use crate::{clock::Timestamp, ephemeral::Record, fault::Fault};

/// A login ID that pauses after too many wrong passwords.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pause {
    until: Timestamp,
}

impl Record for Pause {
    const KIND: &'static str = "pause";
}

/// Whether one more guess may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// It may.
    Open,
    /// Too many came from this address, its network, or altogether.
    Spent,
}

/// What a budget is counted by: the address itself (IPv6: its /64) and the network around it.
fn address_keys(address: IpAddr) -> (String, String) {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            (ip.to_string(), format!("{a}.{b}.{c}.0/24"))
        }
        IpAddr::V6(ip) => {
            let bits = ip.to_bits();
            (format!("{:x}/64", bits >> 64), format!("{:x}/56", bits >> 72))
        }
    }
}

impl Members {
    /// Takes one guess from the budgets of a client address and of everyone.
    pub async fn spend_guess(&self, address: IpAddr) -> Result<Budget, Fault> {
        let limits = &self.config.limits;
        let (address, network) = address_keys(address);
        self.spend([
            (format!("guess:address:{address}"), limits.per_address),
            (format!("guess:network:{network}"), limits.per_network),
            ("guess:all".to_owned(), limits.overall),
        ])
        .await
    }

    /// Takes one guess from the budget of a client address alone.
    pub(super) async fn spend_guess_at_home(&self, address: IpAddr) -> Result<Budget, Fault> {
        let (address, _) = address_keys(address);
        self.spend([(format!("guess:address:{address}"), self.config.limits.per_address)]).await
    }

    /// Takes one visit that leaves a record behind from the budget of a client address.
    pub async fn spend_visit(&self, address: IpAddr) -> Result<Budget, Fault> {
        let (address, _) = address_keys(address);
        self.spend([(format!("visit:address:{address}"), self.config.limits.visits_per_address)]).await
    }

    /// Takes one device authorization from the budgets of a client address and of the client: a name that a
    /// public client cannot keep to itself, so the address comes first and leaves the others theirs.
    pub async fn spend_device(&self, address: IpAddr, client_id: &str) -> Result<Budget, Fault> {
        let limits = &self.config.limits;
        let (address, _) = address_keys(address);
        self.spend([
            (format!("device:address:{address}"), limits.devices_per_address),
            (format!("device:client:{client_id}"), limits.devices_per_client),
        ])
        .await
    }

    /// Takes one from each budget, up to the first that is spent.
    async fn spend<const N: usize>(&self, budgets: [(String, u64); N]) -> Result<Budget, Fault> {
        let window = self.config.limits.window();
        for (what, most) in budgets {
            if self.ephemeral.count(&what, window).await? > most {
                return Ok(Budget::Spent);
            }
        }
        Ok(Budget::Open)
    }

    /// Under which the failures of a client address are written down.
    pub(super) fn address_mark(&self, address: IpAddr) -> String {
        self.master.mac_base64url("client-address", address_keys(address).0.as_bytes())
    }

    /// Under which the guesses at a login ID are counted.
    pub(super) fn guess_key(&self, login_id: &Typed) -> String {
        self.master.mac_base64url("login-id", login_id.key().as_bytes())
    }

    /// Whether more guesses may be made at the IDs of an insurer, of which few have failed lately.
    pub(super) async fn insurer_budget(&self, insurer: &str) -> Result<Budget, Fault> {
        let failed = self.ephemeral.counted(&format!("failed:insurer:{insurer}")).await?;
        Ok(if failed < self.config.limits.per_insurer { Budget::Open } else { Budget::Spent })
    }

    /// Takes a failed guess from the budget of an insurer.
    pub(super) async fn spend_failure(&self, insurer: &str) -> Result<(), Fault> {
        let window = self.config.limits.window();
        self.ephemeral.count(&format!("failed:insurer:{insurer}"), window).await?;
        Ok(())
    }

    /// Takes one of the guesses at a login ID *before* the password is looked at, so that parallel
    /// guesses cannot outrun the limit. False: the ID pauses.
    pub async fn begin_guess(
        &self,
        id_key: &str,
        policy: &crate::config::insurer::Policy,
    ) -> Result<bool, Fault> {
        let now = self.clock.now();
        if let Some(pause) = self.ephemeral.get::<Pause>(id_key).await?
            && now < pause.value.until
        {
            return Ok(false);
        }
        let window = Duration::from_secs(u64::from(policy.login_pause_minutes) * 60);
        let guesses = self.ephemeral.count(&format!("guess:id:{id_key}"), window).await?;
        let most = u64::from(policy.login_failures);
        if guesses >= most {
            // The last allowed guess starts the pause; the right password ends it again.
            self.ephemeral.put(id_key, &Pause { until: now.plus(window) }, window).await?;
        }
        Ok(guesses <= most)
    }

    /// Until when a login ID pauses, if it does.
    pub async fn paused_until(&self, login_id: &Typed) -> Result<Option<Timestamp>, Fault> {
        let pause = self.ephemeral.get::<Pause>(&self.guess_key(login_id)).await?;
        Ok(pause.map(|pause| pause.value.until).filter(|until| self.clock.now() < *until))
    }

    /// Forgets the wrong guesses at a login ID after the right one.
    pub async fn forget_guesses(&self, id_key: &str) -> Result<(), Fault> {
        self.ephemeral.forget(&format!("guess:id:{id_key}")).await?;
        self.ephemeral.remove::<Pause>(id_key).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network_and_not_an_address() {
        let keys = |text: &str| address_keys(text.parse().unwrap());
        assert_eq!(keys("192.0.2.1").1, keys("192.0.2.200").1);
        assert_ne!(keys("192.0.2.1").0, keys("192.0.2.200").0);
        assert_ne!(keys("192.0.2.1").1, keys("192.0.3.1").1);
        assert_eq!(keys("::ffff:192.0.2.1"), keys("192.0.2.1"));
        assert_eq!(keys("2001:db8:1:2::1").0, keys("2001:db8:1:2:ffff::9").0);
        assert_eq!(keys("2001:db8:1:2::1").1, keys("2001:db8:1:3::1").1);
        assert_ne!(keys("2001:db8:1:200::1").1, keys("2001:db8:1:300::1").1);
    }
}
