//! What the office decides about members who asked for the deletion of their account, and about accounts that
//! a report has stopped.

use super::{Act, Refused, Subject};
use crate::{
    fault::Fault,
    mail::message::AccountMail,
    members::{Members, account::next_epoch},
    storage::{
        consent, deletion_request, delivery, member::MemberState, member_change, preference, profile,
        registration, roster,
    },
};

impl Members {
    /// Lets a frozen account be used again, and a person register again whose registration was reported as
    /// somebody else's. Whoever holds the password gets in: if that may be the wrong one, a reset is due.
    pub async fn unfreeze(&self, subject: &Subject, act: Act<'_>) -> Result<Result<(), Refused>, Fault> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let allowed = roster::allow(&mut tx, &subject.person.id).await?;
        let frozen = match &subject.member {
            Some(member) => member_change::unfreeze(&mut tx, &member.id, now).await?,
            None => false,
        };
        if !allowed && !frozen {
            return Ok(Err(Refused::NotStopped));
        }
        if let Some(member) = subject.member.as_ref().filter(|_| frozen) {
            self.tell(&mut tx, member, AccountMail::Unfrozen).await?;
        }
        self.write_act(&mut tx, "member.unfrozen", subject, act).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(Ok(()))
    }

    /// Freezes an account: its sessions and grants end, and nobody signs in. Without an account that could be
    /// used, no registration of the person begins. The member is told.
    pub async fn freeze_subject(
        &self,
        subject: &Subject,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        let now = self.clock.now();
        let usable = subject.member.as_ref().filter(|member| member.state != MemberState::Reset);
        let mut tx = self.db.begin().await?;
        match usable {
            Some(member) if self.stop_account(&mut tx, member).await? => {
                self.tell(&mut tx, member, AccountMail::FrozenByOffice).await?;
            }
            None if subject.person.stopped_at.is_none() => {
                roster::stop(&mut tx, &subject.person.id, now).await?;
                registration::erase_of_person(&mut tx, &subject.person.id).await?;
            }
            Some(member) if member.state == MemberState::Closed => return Ok(Err(Refused::Closed)),
            _ => return Ok(Err(Refused::Stopped)),
        }
        self.write_act(&mut tx, "member.frozen", subject, act).await?;
        tx.commit().await?;
        self.outbox.wake();
        if let Some(member) = usable {
            self.end_sessions(&member.id, None).await?;
        }
        Ok(Ok(()))
    }

    /// Carries a request for deletion out, or with `unasked` what a member asked for by letter or telephone.
    /// Erased are address, name, password, choices, consents, links and a
    /// registration under way, and sessions and tokens end. What stays: the row of the roster, which is the
    /// insurer's; the subject, so that it becomes nobody else's; receipts, history of choices and audit.
    pub async fn delete_member(
        &self,
        subject: &Subject,
        unasked: bool,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        let Some(member) = &subject.member else { return Ok(Err(Refused::NoAccount)) };
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if !deletion_request::withdraw(&mut tx, &member.id).await? && !unasked {
            return Ok(Err(Refused::NotRequested));
        }
        // To the address that is erased in the same moment.
        self.tell(&mut tx, member, AccountMail::Deleted).await?;
        if !member_change::close(&mut tx, &member.id, now, next_epoch(member, now)).await? {
            return Ok(Err(Refused::Closed));
        }
        delivery::sessions_ended(&mut tx, &member.id, now).await?;
        consent::withdraw_all(&mut tx, &member.id).await?;
        profile::erase(&mut tx, &member.id).await?;
        preference::erase_of_member(&mut tx, &member.id).await?;
        self.void_links(&mut tx, &member.id).await?;
        registration::erase_of_person(&mut tx, &subject.person.id).await?;
        roster::end_former_login(&mut tx, &subject.person.id).await?;
        self.write_act(&mut tx, "member.deleted", subject, act).await?;
        tx.commit().await?;
        self.outbox.wake();
        self.end_sessions(&member.id, None).await?;
        Ok(Ok(()))
    }

    /// Dismisses a request for deletion and tells the member.
    pub async fn dismiss_deletion(
        &self,
        subject: &Subject,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        let Some(member) = &subject.member else { return Ok(Err(Refused::NoAccount)) };
        let mut tx = self.db.begin().await?;
        if !deletion_request::withdraw(&mut tx, &member.id).await? {
            return Ok(Err(Refused::NotRequested));
        }
        self.tell(&mut tx, member, AccountMail::DeletionDismissed).await?;
        self.write_act(&mut tx, "member.deletion_dismissed", subject, act).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(Ok(()))
    }
}
