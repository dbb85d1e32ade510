//! 「身に覚えのない登録・ログイン」: the member stops the account, the office takes over.

use std::net::IpAddr;

use secrecy::SecretString;

use super::{Credential, credential::Asked};
use crate::{
    audit::{self, Event},
    fault::Fault,
    members::{Members, session::SignedIn},
};

/// What came of a report.
#[derive(Debug)]
pub enum Report {
    /// The account is frozen; every session and grant is void.
    Frozen,
    /// The current password was not proved.
    Credential(Credential),
}

impl Members {
    /// Freezes the account and tells the office. Asks for the password, or whoever finds an open browser
    /// could shut its owner out.
    pub async fn report_misuse(
        &self,
        signed_in: &SignedIn,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<Report, Fault> {
        let member = &signed_in.member;
        let proof = self.check_password(Asked::in_session(signed_in), password, address, "report").await?;
        if proof != Credential::Right {
            return Ok(Report::Credential(proof));
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if self.freeze(&mut tx, member).await? {
            let event = Event::member("member.reported", member);
            audit::record(&mut tx, &self.entropy, now, event).await?;
        }
        tx.commit().await?;
        self.outbox.wake();
        self.end_sessions(&member.id, None).await?;
        tracing::warn!(member = member.id, "a member reported misuse; the account is frozen");
        metrics::counter!("kenpos_misuse_reports_total").increment(1);
        Ok(Report::Frozen)
    }
}
