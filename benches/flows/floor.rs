//! The floor: a bare axum server that does only what no provider can leave out. One RSA-2048 signature
//! where there is an ID token, the same number of Redis round trips, answers of the same size; no checks,
//! no SQL, no templates.
//!
//! Given a database, it looks there once a request, as who lets nothing live that was withdrawn must.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use openssl::{
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
    sign::Signer,
};
use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Mutex;

/// What a session, a code or a grant weighs in Redis.
const RECORD: usize = 600;

#[derive(Clone)]
struct Floor {
    redis: MultiplexedConnection,
    rsa: PKey<Private>,
    ec: PKey<Private>,
    database: Option<Arc<Database>>,
}

/// As many connections as the provider keeps for single statements.
struct Database {
    connections: Vec<Mutex<PgConnection>>,
    next: AtomicUsize,
    member: String,
}

impl Database {
    async fn open(url: &str) -> Result<Self, sqlx::Error> {
        let mut connections = Vec::new();
        for _ in 0..8 {
            connections.push(Mutex::new(PgConnection::connect(url).await?));
        }
        let mut asked = PgConnection::connect(url).await?;
        let member = sqlx::query_scalar("select id from member limit 1").fetch_one(&mut asked).await?;
        Ok(Self { connections, next: AtomicUsize::new(0), member })
    }
}

impl Floor {
    /// One row by its primary key: the least that a look at the database can be.
    async fn look(&self) -> Result<(), StatusCode> {
        let Some(database) = &self.database else { return Ok(()) };
        let next = database.next.fetch_add(1, Ordering::Relaxed) % database.connections.len();
        let mut connection = database.connections[next].lock().await;
        let row = sqlx::query("select * from member where id = $1").bind(&database.member);
        row.fetch_one(&mut *connection).await.map(drop).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
    }
}

/// Serves until killed.
pub async fn serve(address: SocketAddr, redis: &str, database: Option<&str>) -> io::Result<()> {
    let database = match database {
        Some(url) => Some(Arc::new(Database::open(url).await.map_err(io::Error::other)?)),
        None => None,
    };
    let redis = redis::Client::open(redis).map_err(io::Error::other)?;
    let mut connection = redis.get_multiplexed_async_connection().await.map_err(io::Error::other)?;
    let _: () = connection.set("floor:record", "x".repeat(RECORD)).await.map_err(io::Error::other)?;
    let rsa = PKey::from_rsa(Rsa::generate(2048)?)?;
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let ec = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/authorize", get(authorize))
        .route("/token", post(|floor: State<Floor>| token(floor, Some(MessageDigest::sha256()), true)))
        .route("/token/es256", post(|floor: State<Floor>| token(floor, Some(MessageDigest::sha256()), false)))
        .route("/userinfo", get(userinfo))
        .route("/client", post(client))
        .route("/password", get(password))
        .route("/static", get(|| async { "x".repeat(3000) }))
        .with_state(Floor { redis: connection, rsa, ec, database });
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, router).await
}

/// Session read, code written.
async fn authorize(State(mut floor): State<Floor>) -> Result<Response, StatusCode> {
    floor.look().await?;
    let _: Option<String> = floor.redis.get("floor:record").await.map_err(down)?;
    put(&mut floor, "floor:code").await?;
    let location = format!("https://floor.example/callback?code={}&state=s", "x".repeat(43));
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// Code consumed, grant and access token written, one signature.
async fn token(
    State(mut floor): State<Floor>,
    digest: Option<MessageDigest>,
    rsa: bool,
) -> Result<Response, StatusCode> {
    floor.look().await?;
    let _: Option<String> = floor.redis.get("floor:record").await.map_err(down)?;
    put(&mut floor, "floor:grant").await?;
    put(&mut floor, "floor:access").await?;
    let signature = digest.map(|digest| sign(if rsa { &floor.rsa } else { &floor.ec }, digest));
    let signature = signature.transpose().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let weight = 700 + signature.map_or(0, |bytes| bytes.len() * 4 / 3);
    Ok(([(header::CONTENT_TYPE, "application/json")], "x".repeat(weight)).into_response())
}

/// Access token read.
async fn userinfo(State(mut floor): State<Floor>) -> Result<Response, StatusCode> {
    floor.look().await?;
    let _: Option<String> = floor.redis.get("floor:record").await.map_err(down)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], "x".repeat(500)).into_response())
}

/// Access token written.
async fn client(State(mut floor): State<Floor>) -> Result<Response, StatusCode> {
    put(&mut floor, "floor:access").await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], "x".repeat(120)).into_response())
}

/// One Argon2id with the parameters that the provider has by default.
async fn password() -> Result<&'static str, StatusCode> {
    let hashed = tokio::task::spawn_blocking(|| {
        let mut hash = [0; 32];
        argon2::Argon2::default().hash_password_into(&[b'x'; 12], &[b'x'; 16], &mut hash)
    });
    hashed.await.ok().and_then(Result::ok).map(|()| "ok").ok_or(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn put(floor: &mut Floor, key: &str) -> Result<(), StatusCode> {
    floor.redis.set_ex(key, "x".repeat(RECORD), 60).await.map_err(down)
}

fn sign(key: &PKey<Private>, digest: MessageDigest) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let mut signer = Signer::new(digest, key)?;
    signer.sign_oneshot_to_vec(&[b'x'; 500])
}

fn down(_: redis::RedisError) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}
