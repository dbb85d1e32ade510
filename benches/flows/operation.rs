//! What is measured, as requests of one connection: against the provider, and against the floor.

use std::io;

use super::{
    http::Connection,
    world::{Party, World, code_of, sign_in},
};

/// An operation of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// authorize + token + userinfo of a member who is signed in, ID token with RS256.
    CodeRs256,
    /// The same with ES256.
    CodeEs256,
    /// A refresh with rotation and an ID token with RS256.
    Refresh,
    /// `/userinfo` alone.
    Userinfo,
    /// `/introspect` of an opaque access token of a member.
    Introspect,
    /// An opaque access token for a client itself.
    ClientCredentials,
    /// From an authorization request without a session over the pages of the password to the code.
    Login,
    /// Discovery.
    Discovery,
    /// The key set.
    Jwks,
}

impl Operation {
    /// Every operation, in the order of the table.
    pub const ALL: [Self; 9] = [
        Self::CodeRs256,
        Self::CodeEs256,
        Self::Refresh,
        Self::Userinfo,
        Self::Introspect,
        Self::ClientCredentials,
        Self::Discovery,
        Self::Jwks,
        Self::Login,
    ];

    /// Name in the table and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CodeRs256 => "code-rs256",
            Self::CodeEs256 => "code-es256",
            Self::Refresh => "refresh",
            Self::Userinfo => "userinfo",
            Self::Introspect => "introspect",
            Self::ClientCredentials => "client",
            Self::Login => "login",
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
        }
    }

    /// Connections that repeat it. Of one member, more sign-ins at once than there are tries would pause the
    /// login ID.
    pub const fn connections(self) -> usize {
        match self {
            Self::Login => 4,
            _ => 16,
        }
    }

    /// Whether it looks at what the database has of its member.
    pub const fn looks(self) -> bool {
        matches!(self, Self::CodeRs256 | Self::CodeEs256 | Self::Refresh | Self::Userinfo | Self::Introspect)
    }

    fn party(self, world: &World) -> &Party {
        match self {
            Self::CodeEs256 => &world.es256,
            Self::ClientCredentials => &world.batch,
            _ => &world.rs256,
        }
    }
}

/// One connection that repeats an operation.
pub struct Worker<'w> {
    operation: Operation,
    connection: Connection,
    /// `None`: against the floor.
    party: Option<&'w Party>,
    authorize: String,
    /// The refresh token that is next, or the access token of userinfo.
    token: String,
}

impl<'w> Worker<'w> {
    /// A worker on a connection to the provider, signed in as the operation needs.
    pub async fn at_provider(
        operation: Operation,
        mut connection: Connection,
        world: &'w World,
    ) -> io::Result<Self> {
        let party = operation.party(world);
        let offline = operation == Operation::Refresh;
        let mut token = String::new();
        let alone = [Operation::Discovery, Operation::Jwks, Operation::ClientCredentials];
        if !alone.contains(&operation) {
            let code = sign_in(&mut connection, party, offline).await?;
            let answer =
                connection.post("/token", &party.authorization, &party.redeem(&code)).await?.expect(200)?;
            token = answer.member(if offline { "refresh_token" } else { "access_token" })?;
        }
        Ok(Self { operation, connection, party: Some(party), authorize: party.authorize(false), token })
    }

    /// A worker on a connection to the floor.
    pub fn at_floor(operation: Operation, connection: Connection) -> Self {
        Self { operation, connection, party: None, authorize: String::new(), token: String::new() }
    }

    /// Does the operation once.
    pub async fn run(&mut self) -> io::Result<()> {
        match self.party {
            Some(party) => self.at_the_provider(party).await,
            None => self.at_the_floor().await,
        }
    }

    async fn at_the_provider(&mut self, party: &Party) -> io::Result<()> {
        let connection = &mut self.connection;
        match self.operation {
            Operation::CodeRs256 | Operation::CodeEs256 => {
                let answer = connection.get(&self.authorize, "").await?;
                let code = code_of(answer.target()?).ok_or_else(|| io::Error::other("no code"))?;
                let answer = connection
                    .post("/token", &party.authorization, &party.redeem(&code))
                    .await?
                    .expect(200)?;
                let bearer = format!("Authorization: Bearer {}\r\n", answer.member("access_token")?);
                connection.get("/userinfo", &bearer).await?.expect(200)?;
            }
            Operation::Refresh => {
                let form = format!("grant_type=refresh_token&refresh_token={}", self.token);
                let answer = connection.post("/token", &party.authorization, &form).await?.expect(200)?;
                self.token = answer.member("refresh_token")?;
            }
            Operation::Userinfo => {
                let bearer = format!("Authorization: Bearer {}\r\n", self.token);
                connection.get("/userinfo", &bearer).await?.expect(200)?;
            }
            Operation::Introspect => {
                let form = format!("token={}", self.token);
                let answer =
                    connection.post("/introspect", &party.authorization, &form).await?.expect(200)?;
                if !answer.text().contains("\"active\":true") {
                    return Err(io::Error::other("the token is not active"));
                }
            }
            Operation::ClientCredentials => {
                let form = "grant_type=client_credentials";
                connection.post("/token", &party.authorization, form).await?.expect(200)?;
            }
            Operation::Login => {
                connection.forget();
                sign_in(connection, party, false).await?;
            }
            Operation::Discovery => {
                connection.get("/.well-known/openid-configuration", "").await?.expect(200)?;
            }
            Operation::Jwks => {
                connection.get("/jwks", "").await?.expect(200)?;
            }
        }
        Ok(())
    }

    async fn at_the_floor(&mut self) -> io::Result<()> {
        let connection = &mut self.connection;
        match self.operation {
            Operation::CodeRs256 | Operation::CodeEs256 => {
                let token = if self.operation == Operation::CodeEs256 { "/token/es256" } else { "/token" };
                connection.get("/authorize?client_id=floor", "").await?.expect(303)?;
                connection.post(token, "", "grant_type=authorization_code").await?.expect(200)?;
                connection.get("/userinfo", "").await?.expect(200)?;
            }
            Operation::Refresh => {
                connection.post("/token", "", "grant_type=refresh_token").await?.expect(200)?;
            }
            Operation::Userinfo | Operation::Introspect => {
                connection.get("/userinfo", "").await?.expect(200)?;
            }
            Operation::ClientCredentials => {
                connection.post("/client", "", "grant_type=client_credentials").await?.expect(200)?;
            }
            Operation::Login => {
                connection.get("/password", "").await?.expect(200)?;
            }
            Operation::Discovery | Operation::Jwks => {
                connection.get("/static", "").await?.expect(200)?;
            }
        }
        Ok(())
    }
}
