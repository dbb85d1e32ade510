//! 配信設定 and the language of mails, and which apps have access: what a member sets without a password.

use serde_json::json;

use crate::{
    audit::{self, Event},
    fault::Fault,
    members::{Members, registration::Topic},
    storage::{
        consent,
        member::Member,
        member_change,
        preference::{self, Preference},
    },
    texts::Locale,
};

impl Members {
    /// Sets every topic as it was ticked; what stays as it is keeps its proof, unless the member agreed
    /// to another wording.
    pub async fn save_preferences(
        &self,
        member: &Member,
        chosen: &[String],
        topics: &[Topic],
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let stored = preference::list(&mut tx, &member.id).await?;
        let mut changed = serde_json::Map::new();
        for topic in topics {
            let wanted = chosen.iter().any(|chosen| chosen == topic.id);
            let before = stored.iter().find(|stored| stored.topic == topic.id);
            let same = before.map_or(!wanted, |before| {
                before.wanted == wanted && (!wanted || before.wording == topic.wording)
            });
            if !same {
                let preference =
                    Preference { topic: topic.id.to_owned(), wanted, wording: topic.wording.clone() };
                preference::set(&mut tx, &member.id, &preference, now).await?;
                changed.insert(topic.id.to_owned(), wanted.into());
            }
        }
        if !changed.is_empty() {
            let event = Event::member("member.preferences_changed", member).with_detail(json!(changed));
            audit::record(&mut tx, &self.entropy, now, event).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Sets the language of mails.
    pub async fn set_locale(&self, member: &Member, locale: Locale) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if member.locale != locale && member_change::locale(&mut tx, &member.id, locale, now).await? {
            let event = Event::member("member.language_changed", member);
            let event = event.with_detail(json!({ "language": locale }));
            audit::record(&mut tx, &self.entropy, now, event).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Takes back what the member allows an app; every token that rests on it is dead at once. False when
    /// there was nothing to take back.
    pub async fn withdraw_consent(&self, member: &Member, client_id: &str) -> Result<bool, Fault> {
        // No client_id is another; PostgreSQL would answer a NUL with an error.
        if client_id.len() > 200 || client_id.contains('\0') {
            return Ok(false);
        }
        let mut tx = self.db.begin().await?;
        let withdrawn = consent::withdraw(&mut tx, &member.id, client_id).await?;
        if withdrawn {
            let event = Event::member("member.consent_withdrawn", member).with_client(Some(client_id));
            audit::record(&mut tx, &self.entropy, self.clock.now(), event).await?;
        }
        tx.commit().await?;
        Ok(withdrawn)
    }
}
