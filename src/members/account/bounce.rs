//! An address to which mails do not arrive, as far as its member is concerned.

use serde_json::json;

use crate::{
    audit::{self, Event},
    fault::Fault,
    members::Members,
    storage::{bounce, member::Member},
};

impl Members {
    /// Whether the office learnt that mails to an address do not arrive.
    pub async fn email_bounces(&self, email: Option<&str>) -> Result<bool, Fault> {
        match email {
            Some(email) => Ok(self.outbox.bounces(email).await?),
            None => Ok(false),
        }
    }

    /// The member says that the address is right all the same: mails go there again.
    pub async fn keep_email(&self, member: &Member) -> Result<(), Fault> {
        let Some(email) = &member.email else { return Ok(()) };
        let mut tx = self.db.begin().await?;
        if let Some(id) = bounce::clear_of(&mut tx, &self.outbox.mark_of(email)).await? {
            let event = Event::member("mail.bounce_cleared", member).with_detail(json!({ "bounce": id }));
            audit::record(&mut tx, &self.entropy, self.clock.now(), event).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
