//! Table `operator`: who works in the console.

use super::{
    On, StorageError,
    db::{execute, query},
    instant, locale_of,
};
use crate::{clock::Timestamp, texts::Locale};

/// What an operator is there for; what that allows is said in [`crate::operators::role`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// 管理者: everything, operators too.
    Administrator,
    /// 事務局: members and their roster.
    Office,
    /// クライアント管理: relying parties.
    ClientManager,
    /// 監査: sees, and changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Administrator, Self::Office, Self::ClientManager, Self::Auditor];

    /// As in the column, on the command line and in names of texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Office => "office",
            Self::ClientManager => "client_manager",
            Self::Auditor => "auditor",
        }
    }

    /// The role of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// An operator.
#[derive(Clone)]
pub struct Operator {
    /// Names the operator in the audit; never changes.
    pub id: String,
    /// E-mail address, which is what is signed in with.
    pub email: String,
    /// Name, for colleagues.
    pub name: String,
    /// What for.
    pub role: Role,
    /// Portal code of the one insurer; none: all.
    pub insurer: Option<String>,
    /// Language of mails.
    pub locale: Locale,
    /// PHC string of the password.
    pub password_hash: Option<String>,
    /// Sealed secret of the second factor.
    pub totp_sealed: Option<String>,
    /// Time step of the newest code that was used.
    pub totp_step: i64,
    /// Sessions from before this instant are void.
    pub sessions_valid_from: Timestamp,
    /// When the link that sets up the factors is void, if one is out.
    pub setup_expires_at: Option<Timestamp>,
    /// Since when nobody may sign in.
    pub disabled_at: Option<Timestamp>,
    /// When the operator last signed in.
    pub signed_in_at: Option<Timestamp>,
    /// When the operator was added.
    pub created_at: Timestamp,
}

impl Operator {
    /// Whether the factors are set up and nobody disabled the operator.
    pub const fn is_active(&self) -> bool {
        self.disabled_at.is_none() && self.password_hash.is_some() && self.totp_sealed.is_some()
    }
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    email: String,
    name: String,
    role: String,
    insurer: Option<String>,
    locale: String,
    password_hash: Option<String>,
    totp_sealed: Option<String>,
    totp_step: i64,
    sessions_valid_from: i64,
    setup_expires_at: Option<i64>,
    disabled_at: Option<i64>,
    signed_in_at: Option<i64>,
    created_at: i64,
}

impl TryFrom<Row> for Operator {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let impossible = |column, reason: &str| StorageError::Impossible {
            table: "operator",
            column,
            row: row.id.clone(),
            reason: reason.to_owned(),
        };
        let role = Role::parse(&row.role).ok_or_else(|| impossible("role", "unknown role"))?;
        let locale = locale_of("operator", &row.id, &row.locale)?;
        Ok(Self {
            role,
            locale,
            id: row.id,
            email: row.email,
            name: row.name,
            insurer: row.insurer,
            password_hash: row.password_hash,
            totp_sealed: row.totp_sealed,
            totp_step: row.totp_step,
            sessions_valid_from: Timestamp::from_millis(row.sessions_valid_from),
            setup_expires_at: instant(row.setup_expires_at),
            disabled_at: instant(row.disabled_at),
            signed_in_at: instant(row.signed_in_at),
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, email, name, role, insurer, locale, password_hash, totp_sealed, totp_step,
                    sessions_valid_from, setup_expires_at, disabled_at, signed_in_at, created_at
             from operator ",
            $rest
        )
    };
}

/// The operator of this id.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<Operator>, StorageError> {
    let row: Option<Row> = query!(on, fetch_optional, select!("where id = $1"), id)?;
    row.map(Operator::try_from).transpose()
}

/// The operator of this address, lower-cased.
pub async fn by_email(on: impl Into<On<'_>>, key: &str) -> Result<Option<Operator>, StorageError> {
    let row: Option<Row> = query!(on, fetch_optional, select!("where email_key = $1"), key)?;
    row.map(Operator::try_from).transpose()
}

/// The operator whose live setup link this is.
pub async fn by_setup(
    on: impl Into<On<'_>>,
    hash: &str,
    now: Timestamp,
) -> Result<Option<Operator>, StorageError> {
    let sql = select!("where setup_hash = $1 and setup_expires_at > $2 and disabled_at is null");
    let row: Option<Row> = query!(on, fetch_optional, sql, hash, now.millis())?;
    row.map(Operator::try_from).transpose()
}

/// The next operators by address, after `after`; `insurer` empty: of all, and those for all.
pub async fn page(
    on: impl Into<On<'_>>,
    insurer: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Operator>, StorageError> {
    let sql = select!("where ($1 = '' or insurer = $1) and email_key > $2 order by email_key limit $3");
    let rows: Vec<Row> = query!(on, fetch_all, sql, insurer, after, limit)?;
    rows.into_iter().map(Operator::try_from).collect()
}

/// Adds an operator without factors. [`StorageError::Conflict`] when the address is taken.
pub async fn insert(on: impl Into<On<'_>>, operator: &Operator, email_key: &str) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into operator (id, email, email_key, name, role, insurer, locale, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        &operator.id,
        &operator.email,
        email_key,
        &operator.name,
        operator.role.as_str(),
        &operator.insurer,
        operator.locale.tag(),
        operator.created_at.millis()
    )?;
    Ok(())
}

/// Gives an operator another role or insurer; sessions go on, with the new rights. False: somebody else did
/// since `read` was read.
pub async fn set_role(
    on: impl Into<On<'_>>,
    read: &Operator,
    (role, insurer): (Role, Option<&str>),
    now: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update operator set role = $2, insurer = $3, updated_at = $4
         where id = $1 and role = $5 and coalesce(insurer, '') = $6",
        &read.id,
        role.as_str(),
        insurer,
        now.millis(),
        read.role.as_str(),
        read.insurer.as_deref().unwrap_or_default()
    )?;
    Ok(changed == 1)
}

/// Disables an operator: sessions and a setup link are void. False: it was before.
pub async fn disable(on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update operator set disabled_at = $2, updated_at = $2, sessions_valid_from = $3,
             setup_hash = null, setup_expires_at = null
         where id = $1 and disabled_at is null",
        id,
        now.millis(),
        now.millis() + 1
    )?;
    Ok(changed == 1)
}

/// Lets a disabled operator in again, with the factors from before. False: nobody disabled it.
pub async fn enable(on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<bool, StorageError> {
    let sql = "update operator set disabled_at = null, updated_at = $2
               where id = $1 and disabled_at is not null";
    Ok(execute!(on, sql, id, now.millis())? == 1)
}

/// Number of active administrators for all insurers, `but` not counted. The rows are locked where several
/// transactions can write at once, so that two administrators do not remove each other.
pub async fn other_administrators(on: impl Into<On<'_>>, but: &str) -> Result<usize, StorageError> {
    let others: Vec<(String,)> = query!(
        on,
        fetch_all,
        "update operator set updated_at = updated_at
         where role = 'administrator' and insurer is null and disabled_at is null
             and password_hash is not null and id <> $1 returning id",
        but
    )?;
    Ok(others.len())
}
