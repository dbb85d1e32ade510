//! A change of category changes what the login ID is: a number for insured persons, the address for all
//! others. The one from before works until its member has been told the new one and takes it.

use super::{
    Members,
    login_id::Typed,
    roster::{FormerLogin, Person},
    session::SignedIn,
};
use crate::{
    audit::{self, Event},
    fault::Fault,
    storage::roster,
};

/// Whether what was typed is the login ID from before a change of category.
pub const fn is_former(typed: &Typed, person: &Person) -> bool {
    matches!(
        (typed, person.former_login),
        (Typed::Number(_), Some(FormerLogin::Number)) | (Typed::Email(_), Some(FormerLogin::Email))
    )
}

impl Members {
    /// The member uses the new login ID from now on; the one from before is no login ID any more.
    pub async fn take_new_login_id(&self, signed_in: &SignedIn) -> Result<(), Fault> {
        let mut tx = self.db.begin().await?;
        if roster::end_former_login(&mut tx, &signed_in.person.id).await? {
            let event = Event::member("member.login_id_changed", &signed_in.member);
            audit::record(&mut tx, &self.entropy, self.clock.now(), event).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
