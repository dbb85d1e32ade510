//! Everything that a member's sessions and tokens rest on, read at once: it is looked at again with each of
//! them, so it is one statement.

use super::{
    On, StorageError,
    consent::Consent,
    db::query,
    member::{self, Member},
    profile::Profile,
    roster::{self, Person},
};

/// A member, and what belongs to the member.
pub struct Standing {
    /// The account.
    pub member: Member,
    /// The person of the roster.
    pub person: Person,
    /// What the member said about themselves.
    pub profile: Profile,
    /// What the member allows the client.
    pub consent: Option<Consent>,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    member: member::Prefixed,
    #[sqlx(flatten)]
    person: roster::Row,
    #[sqlx(flatten)]
    profile: Profile,
    client_id: Option<String>,
    scope: Option<String>,
    claims: Option<String>,
    first_granted_at: Option<i64>,
}

/// The member of this subject, and what the member allows a client.
pub async fn find(
    on: impl Into<On<'_>>,
    member_id: &str,
    client_id: &str,
) -> Result<Option<Standing>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!(
            "select m.*, p.*, nickname, gender, phone, postal_code, region, locality, street_address,
                    c.client_id, c.scope, c.claims, c.first_granted_at
             from (select ",
            member::prefixed!(),
            " from member) as m
             join (select ",
            roster::columns!(),
            " from roster_person) as p on p.id = m.member_person_id
             left join profile as f on f.member_id = m.member_id
             left join consent as c on c.member_id = m.member_id and c.client_id = $2
             where m.member_id = $1"
        ),
        member_id,
        client_id
    )?;
    let Some(row) = row else { return Ok(None) };
    let consent = row.client_id.zip(row.scope).zip(row.claims.zip(row.first_granted_at));
    Ok(Some(Standing {
        member: row.member.try_into()?,
        person: row.person.try_into()?,
        profile: row.profile,
        consent: consent.map(|((client_id, scope), (claims, first_granted_at))| Consent {
            client_id,
            scope,
            claims,
            first_granted_at,
        }),
    }))
}
