//! A member asks for the account to be deleted. It is a request to the office, which must keep what the
//! law has it keep; nothing is deleted here.

use std::net::IpAddr;

use secrecy::SecretString;

use super::{Credential, credential::Asked};
use crate::{
    audit::{self, Event},
    clock::Timestamp,
    fault::Fault,
    mail::message::AccountMail,
    members::{Members, session::SignedIn},
    storage::{deletion_request, member::Member},
};

impl Members {
    /// Hands the request to the office, if the password is right. A second one changes nothing.
    pub async fn request_deletion(
        &self,
        signed_in: &SignedIn,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<Credential, Fault> {
        let member = &signed_in.member;
        let proof = self.check_password(Asked::in_session(signed_in), password, address, "deletion").await?;
        if proof != Credential::Right {
            return Ok(proof);
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if deletion_request::add(&mut tx, &member.id, now).await? {
            self.tell(&mut tx, member, AccountMail::DeletionRequested).await?;
            let office = AccountMail::OfficeDeletion { member: member.id.clone() };
            self.tell_office(&mut tx, member, office).await?;
            let event = Event::member("member.deletion_requested", member);
            audit::record(&mut tx, &self.entropy, now, event).await?;
        }
        tx.commit().await?;
        self.outbox.wake();
        Ok(Credential::Right)
    }

    /// Takes the request back.
    pub async fn withdraw_deletion(&self, member: &Member) -> Result<(), Fault> {
        let mut tx = self.db.begin().await?;
        if deletion_request::withdraw(&mut tx, &member.id).await? {
            let event = Event::member("member.deletion_withdrawn", member);
            audit::record(&mut tx, &self.entropy, self.clock.now(), event).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Since when the request is with the office, if there is one.
    pub async fn deletion_requested_at(&self, member: &Member) -> Result<Option<Timestamp>, Fault> {
        Ok(deletion_request::of_member(&self.db, &member.id).await?)
    }
}
