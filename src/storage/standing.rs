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

/// For whom the member is looked at: what is read beside the member is about this client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Towards<'a> {
    /// `client_id`; empty: for no client.
    pub client_id: &'a str,
    /// Its sector (OIDC Core §8.1), if its subjects are pairwise.
    pub sector: Option<&'a str>,
}

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
    /// The member's subject in the sector, if there is one yet.
    pub subject: Option<String>,
    /// The versions of documents that the member accepted.
    pub accepted: Vec<Accepted>,
}

/// A version of a document that a member accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// `privacy` or `terms`.
    pub kind: String,
    /// Version.
    pub version: String,
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
    sub: Option<String>,
    accepted: Option<String>,
}

/// The member of this subject, and what the member has towards a client.
pub async fn find(
    on: impl Into<On<'_>>,
    member_id: &str,
    towards: Towards<'_>,
) -> Result<Option<Standing>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!(
            "select m.*, p.*, nickname, gender, phone, postal_code, region, locality, street_address,
                    c.client_id, c.scope, c.claims, c.first_granted_at, s.sub,
                    (select string_agg(r.kind || ' ' || r.version, '\n') from receipt as r
                     where r.member_id = m.member_id) as accepted
             from (select ",
            member::prefixed!(),
            " from member) as m
             join (select ",
            roster::columns!(),
            " from roster_person) as p on p.id = m.member_person_id
             left join profile as f on f.member_id = m.member_id
             left join consent as c on c.member_id = m.member_id and c.client_id = $2
             left join pairwise_subject as s on s.member_id = m.member_id and s.sector = $3
             where m.member_id = $1"
        ),
        member_id,
        towards.client_id,
        towards.sector
    )?;
    let Some(row) = row else { return Ok(None) };
    let accepted = row.accepted.unwrap_or_default();
    let accepted = accepted.lines().filter_map(|line| line.split_once(' '));
    let accepted = accepted.map(|(kind, version)| Accepted { kind: kind.into(), version: version.into() });
    let consent = row.client_id.zip(row.scope).zip(row.claims.zip(row.first_granted_at));
    Ok(Some(Standing {
        member: row.member.try_into()?,
        person: row.person.try_into()?,
        profile: row.profile,
        subject: row.sub,
        accepted: accepted.collect(),
        consent: consent.map(|((client_id, scope), (claims, first_granted_at))| Consent {
            client_id,
            scope,
            claims,
            first_granted_at,
        }),
    }))
}
