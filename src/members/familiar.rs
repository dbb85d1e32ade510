//! Where a login ID was signed in from before, so that a flood of guesses from elsewhere does not keep its
//! member out: neither the pause of the ID nor the budgets of everyone count there.

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Members, limits::Budget};
use crate::{clock::Timestamp, config::insurer::Policy, ephemeral::Record, fault::Fault};

/// For how long an address stays familiar after a sign-in from it.
const FAMILIAR: Duration = Duration::from_secs(90 * 24 * 3600);

/// That a login ID was signed in from an address.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SignedIn {
    until: Timestamp,
}

impl Record for SignedIn {
    const KIND: &'static str = "signed-in-from";
}

/// A guess that may be made, and by whose leave.
pub(super) struct Leave {
    /// The login ID does not pause.
    anywhere: bool,
    /// Guesses from a familiar address are counted under this too, and it does not pause.
    here: Option<String>,
}

impl Members {
    /// Under which a login ID at an address is remembered; the address is kept as a keyed hash only.
    fn familiar_key(&self, id_key: &str, address: IpAddr) -> String {
        format!("{id_key}:{}", self.address_mark(address))
    }

    /// The name of the pair of ID and address, if it is familiar.
    pub(super) async fn familiar(&self, id_key: &str, address: IpAddr) -> Result<Option<String>, Fault> {
        let key = self.familiar_key(id_key, address);
        let found = self.ephemeral.get::<SignedIn>(&key).await?;
        Ok(found.filter(|found| self.clock.now() < found.value.until).map(|_| key))
    }

    /// Remembers a sign-in.
    pub(super) async fn make_familiar(&self, id_key: &str, address: IpAddr) -> Result<(), Fault> {
        let until = self.clock.now().plus(FAMILIAR);
        let key = self.familiar_key(id_key, address);
        Ok(self.ephemeral.put(&key, &SignedIn { until }, FAMILIAR).await?)
    }

    /// Takes one sign-in from the budgets; from a familiar address only that of the address itself.
    pub(super) async fn spend_sign_in(&self, address: IpAddr, familiar: bool) -> Result<Budget, Fault> {
        if familiar { self.spend_guess_at_home(address).await } else { self.spend_guess(address).await }
    }

    /// Takes one of the guesses at a login ID; see [`Members::begin_guess`]. While the ID pauses, its member goes on
    /// from a familiar address, with as many guesses as the policy gives. `None`: there, too, it pauses.
    pub(super) async fn begin_sign_in(
        &self,
        id_key: &str,
        familiar: Option<String>,
        policy: &Policy,
    ) -> Result<Option<Leave>, Fault> {
        let anywhere = self.begin_guess(id_key, policy).await?;
        let here = match familiar {
            Some(key) if self.begin_guess(&key, policy).await? => Some(key),
            _ => None,
        };
        Ok((anywhere || here.is_some()).then_some(Leave { anywhere, here }))
    }

    /// Forgets the wrong guesses after the right one; those from elsewhere only if they made no pause.
    pub(super) async fn end_sign_in(&self, id_key: &str, leave: Leave) -> Result<(), Fault> {
        if let Some(key) = leave.here {
            self.forget_guesses(&key).await?;
        }
        if leave.anywhere {
            self.forget_guesses(id_key).await?;
        }
        Ok(())
    }
}
