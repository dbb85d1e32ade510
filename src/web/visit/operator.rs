//! The operator's side of a visit: a session of its own, beside that of a member.

use super::{Name, Visit, cookies};
use crate::{
    fault::Fault,
    operators::session::{SignedIn, name_of},
};

impl Visit {
    /// Which operator is signed in.
    pub async fn operator(&self) -> Result<Option<SignedIn>, Fault> {
        match &self.operator_cookie {
            Some(cookie) => self.app.operators.session(cookie).await,
            None => Ok(None),
        }
    }

    /// Gives the browser an operator's session; an earlier one ends, so its id never outlives a sign-in.
    pub async fn begin_operator_session(&mut self, secret: &str) -> Result<(), Fault> {
        if let Some(old) = self.operator_cookie.replace(secret.to_owned()) {
            self.app.operators.end_session(&name_of(&old)).await?;
        }
        let secure = self.app.config().server.secure();
        self.set_cookies.extend(cookies::set(Name::Operator, secret, secure));
        Ok(())
    }

    /// Takes the cookie of the operator's session away.
    pub fn forget_operator_session(&mut self) {
        self.operator_cookie = None;
        self.set_cookies.extend(cookies::clear(Name::Operator, self.app.config().server.secure()));
    }
}
