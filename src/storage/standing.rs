//! Everything that a member's sessions and tokens rest on, read at once: it is looked at again with each of
//! them, so it is one statement, and one for all requests that ask together.

use std::sync::Arc;

use sqlx::FromRow;

use super::{
    Db, On, StorageError,
    columns::{AnyRow, Columns},
    consent::Consent,
    db::query,
    gather::Gather,
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

/// Looks at members for all requests; clones share the statements.
#[derive(Clone, Debug)]
pub struct Standings {
    db: Db,
    gather: Arc<Gather<Asked, Answer>>,
}

/// Who is looked at, and towards whom.
struct Asked {
    member_id: String,
    client_id: String,
    sector: Option<String>,
}

type Answer = Result<Option<Standing>, StorageError>;

struct Row {
    place: i64,
    member: member::Row,
    person: roster::Row,
    profile: Profile,
    client_id: Option<String>,
    scope: Option<String>,
    claims: Option<String>,
    first_granted_at: Option<i64>,
    sub: Option<String>,
    accepted: Option<String>,
}

impl<'r, R: AnyRow + sqlx::Row> FromRow<'r, R> for Row {
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let mut columns = Columns::of(row);
        Ok(Self {
            place: columns.next()?,
            member: member::Row::read(&mut columns)?,
            person: roster::Row::read(&mut columns)?,
            profile: Profile::read(&mut columns)?,
            client_id: columns.next()?,
            scope: columns.next()?,
            claims: columns.next()?,
            first_granted_at: columns.next()?,
            sub: columns.next()?,
            accepted: columns.next()?,
        })
    }
}

impl Standings {
    /// In this database.
    pub fn of(db: Db) -> Self {
        Self { db, gather: Arc::default() }
    }

    /// The member of this subject, and what the member has towards a client; as it is now, not as it was for
    /// somebody before.
    pub async fn find(&self, member_id: &str, towards: Towards<'_>) -> Answer {
        let asked = Asked {
            member_id: member_id.to_owned(),
            client_id: towards.client_id.to_owned(),
            sector: towards.sector.map(str::to_owned),
        };
        let db = self.db.clone();
        let answer = self.gather.ask(asked, async move |asked| find_all(&db, &asked).await);
        answer.await.unwrap_or_else(|| Err(sqlx::Error::WorkerCrashed.into()))
    }
}

/// Reads what several requests ask.
async fn find_all(db: &Db, asked: &[Asked]) -> Vec<Answer> {
    let mut answers: Vec<Answer> = asked.iter().map(|_| Ok(None)).collect();
    match read(db, asked).await {
        Ok(rows) => {
            for row in rows {
                let place = usize::try_from(row.place).ok().and_then(|place| answers.get_mut(place));
                // A row that holds what it never should is the trouble of one alone.
                if let Some(answer) = place {
                    *answer = row.into_standing().map(Some);
                }
            }
        }
        Err(error) => answers.fill_with(|| Err(error.clone())),
    }
    answers
}

/// The statement about those that are asked for in `$asked`, a table of `place`, `member_id`, `client_id` and
/// `sector`.
macro_rules! statement {
    ($asked:literal) => {
        concat!(
            "select a.place, m.*, p.*, nickname, gender, phone, postal_code, region, locality, street_address,
                    c.client_id, c.scope, c.claims, c.first_granted_at, s.sub,
                    (select string_agg(r.kind || ' ' || r.version, '\n') from receipt as r
                     where r.member_id = m.id) as accepted
             from (",
            $asked,
            ") as a
             join (select ",
            member::columns!(),
            " from member) as m on m.id = a.member_id
             join (select ",
            roster::columns!(),
            " from roster_person) as p on p.id = m.person_id
             left join profile as f on f.member_id = m.id
             left join consent as c on c.member_id = m.id and c.client_id = a.client_id
             left join pairwise_subject as s on s.member_id = m.id and s.sector = a.sector"
        )
    };
}

async fn read(db: &Db, asked: &[Asked]) -> Result<Vec<Row>, StorageError> {
    let on = On::from(db);
    if let [Asked { member_id, client_id, sector }] = asked {
        const ONE: &str =
            statement!("select cast(0 as bigint) as place, $1 as member_id, $2 as client_id, $3 as sector");
        return query!(on, fetch_all, ONE, member_id, client_id, sector);
    }
    let several = on.in_words_of(
        statement!(
            "select key as place, value ->> 0 as member_id, value ->> 1 as client_id, value ->> 2 as sector
             from json_each($1)"
        ),
        statement!(
            "select number - 1 as place, value ->> 0 as member_id, value ->> 1 as client_id,
                    value ->> 2 as sector
             from jsonb_array_elements($1::jsonb) with ordinality as asked (value, number)"
        ),
    );
    let asked: Vec<_> =
        asked.iter().map(|asked| (&asked.member_id, &asked.client_id, &asked.sector)).collect();
    query!(on, fetch_all, several, super::to_json(&asked))
}

impl Row {
    fn into_standing(self) -> Result<Standing, StorageError> {
        let accepted = self.accepted.unwrap_or_default();
        let accepted = accepted.lines().filter_map(|line| line.split_once(' '));
        let accepted =
            accepted.map(|(kind, version)| Accepted { kind: kind.into(), version: version.into() });
        let consent = self.client_id.zip(self.scope).zip(self.claims.zip(self.first_granted_at));
        Ok(Standing {
            member: self.member.try_into()?,
            person: self.person.try_into()?,
            profile: self.profile,
            subject: self.sub,
            accepted: accepted.collect(),
            consent: consent.map(|((client_id, scope), (claims, first_granted_at))| Consent {
                client_id,
                scope,
                claims,
                first_granted_at,
            }),
        })
    }
}
