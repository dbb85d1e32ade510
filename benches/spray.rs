//! What somebody takes who tries birth dates on login IDs, without the rules of this provider and with them:
//! `cargo bench --bench spray`.
//!
//! The guesses go through the real sign-in, by a clock that is moved, on a roster of 30,000 whose birth dates gather
//! around one day so that the likeliest is that of about three. A third of the people are active members. Half of
//! those who sign in while the attack goes on do so from where they did before, half from an address that is new.
//!
//! `--people N` takes a smaller roster, `--days N` lets the patient attacker go on for longer, `--json` prints JSON.

use std::{
    fmt::Write as _,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    time::{Duration, Instant},
};

use kenpos_idp::{
    app::App,
    clock::{Clock, Entropy, Timestamp},
    config::{Config, Database, Insurer, Keys, Limits, MailSettings, Passwords, Server, mail::Security},
    crypto::Algorithm,
    members::{
        login_id,
        roster::{Outcome, RosterImport},
        sign_in::SignIn,
    },
    storage::Db,
};
use serde_json::json;
use sqlx::AssertSqlSafe;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// 2026-11-23, in the morning in Japan.
const BEGINNING: Timestamp = Timestamp::from_millis(1_795_396_500_000);
/// The password of every active member.
const PASSWORD: &str = "correct horse battery staple";
/// Half the span of birth dates, in days: they are spread like the sum of two dice with so many sides.
const SIDES: u64 = 10_957;
/// Members who sign in while an attack goes on.
const SIGN_INS: usize = 200;
/// Guesses that the impatient attacker sends in a second.
const RATE: u32 = 20;

/// An attack.
struct Attack {
    name: &'static str,
    dates: usize,
    addresses: u32,
    /// How long it waits between two guesses, and how many IDs it tries a date on before the next one.
    pause: Duration,
    ids_per_date: usize,
    /// Guesses in all, where that is not every date on every ID.
    guesses: Option<usize>,
}

/// What came of it.
#[derive(Default)]
struct Toll {
    guesses: u64,
    limited: u64,
    paused: u64,
    hits: u64,
    alarms: i64,
    kept_out_at_home: usize,
    kept_out_elsewhere: usize,
    kept_out_afterwards: usize,
    tried: usize,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: usize| -> Result<usize> {
        let at = arguments.iter().position(|argument| argument == name);
        let value = at.and_then(|at| arguments.get(at + 1));
        Ok(value.map(|value| value.parse()).transpose()?.unwrap_or(default))
    };
    let (people, days) = (number("--people", 30_000)?, number("--days", 3)?);
    let as_json = arguments.iter().any(|argument| argument == "--json");
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(people, days, as_json))
}

async fn run(people: usize, days: usize, as_json: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let template = folder.path().join("template");
    prepare(&template, people).await?;
    let quick = Duration::from_secs(1) / RATE;
    let attack = |name, dates, addresses| Attack {
        name,
        dates,
        addresses,
        pause: quick,
        ids_per_date: people,
        guesses: None,
    };
    // Just below both alarms: nine IDs a date and 288 in an hour.
    let patient = Attack {
        name: "nine IDs a date, 288 an hour, from 10,000 addresses",
        dates: 32,
        addresses: 10_000,
        pause: Duration::from_millis(12_500),
        ids_per_date: 9,
        guesses: Some(days * 24 * 288),
    };
    let attacks = [
        attack("one date over all, from one address", 1, 1),
        attack("one date over all, from 10,000 addresses", 1, 10_000),
        attack("five dates each, from one address", 5, 1),
        attack("five dates each, from 10,000 addresses", 5, 10_000),
        patient,
    ];
    let mut table = heading();
    let mut all = Vec::new();
    for (at, attack) in attacks.iter().enumerate() {
        for defended in [false, true] {
            let began = Instant::now();
            let home = folder.path().join(format!("{at}-{defended}"));
            let toll = simulate(&template, &home, people, attack, defended).await?;
            let row = line(attack, defended, &toll);
            eprintln!("{row}  after {:.0} s", began.elapsed().as_secs_f64());
            table += &row;
            all.push(as_value(attack, defended, &toll));
            fs::remove_dir_all(&home)?;
        }
    }
    if as_json {
        println!("{}", serde_json::to_string_pretty(&json!({ "people": people, "attacks": all }))?);
    } else {
        println!("{people} people, a third of them active members\n{table}");
    }
    Ok(())
}

fn heading() -> String {
    format!(
        "| {:<52} | {:<6} | {:>7} | {:>7} | {:>7} | {:>4} | {:>6} | {:>21} | {:>5} |\n{}\n",
        "attack",
        "rules",
        "guesses",
        "limited",
        "paused",
        "hits",
        "alarms",
        "kept out: home/new/of",
        "after",
        "|---|---|---|---|---|---|---|---|---|"
    )
}

fn line(attack: &Attack, defended: bool, toll: &Toll) -> String {
    let kept_out = format!("{}/{}/{}", toll.kept_out_at_home, toll.kept_out_elsewhere, toll.tried);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "| {:<52} | {:<6} | {:>7} | {:>7} | {:>7} | {:>4} | {:>6} | {kept_out:>21} | {:>5} |",
        attack.name,
        if defended { "ours" } else { "none" },
        toll.guesses,
        toll.limited,
        toll.paused,
        toll.hits,
        toll.alarms,
        toll.kept_out_afterwards,
    );
    text
}

fn as_value(attack: &Attack, defended: bool, toll: &Toll) -> serde_json::Value {
    json!({
        "attack": attack.name,
        "defended": defended,
        "guesses": toll.guesses,
        "limited": toll.limited,
        "paused": toll.paused,
        "hits": toll.hits,
        "alarms": toll.alarms,
        "members_tried": toll.tried,
        "kept_out_at_home": toll.kept_out_at_home,
        "kept_out_elsewhere": toll.kept_out_elsewhere,
        "kept_out_afterwards": toll.kept_out_afterwards,
    })
}

/// The settings; without defence only what any login has: five tries and a pause for each ID.
fn config(home: &Path, defended: bool) -> Config {
    let mut insurer = Insurer {
        code: "7132".to_owned(),
        number: "06139497".to_owned(),
        name: "みほん健康保険組合".to_owned(),
        ..Insurer::default()
    };
    let mut limits = Limits::default();
    if !defended {
        let none = u64::from(u32::MAX);
        limits = Limits {
            per_address: none,
            per_network: none,
            per_insurer: none,
            overall: none,
            spray_ids_per_date: none,
            spray_ids_per_hour: none,
            ..limits
        };
        insurer.policy.temporary_password_failures = 1_000_000;
        insurer.policy.ask_kana_name = false;
    }
    let mail = MailSettings {
        host: "127.0.0.1".to_owned(),
        security: Security::None,
        from: "no-reply@kenpos.example".parse().unwrap_or_default(),
        ..MailSettings::default()
    };
    Config {
        demo: true,
        mail,
        server: Server { issuer: "http://127.0.0.1:1".to_owned(), ..Server::default() },
        database: Database {
            url: format!("sqlite://{}", home.join("kenpos.sqlite").display()),
            ..Database::default()
        },
        keys: Keys { directory: home.join("keys"), algorithms: vec![Algorithm::Es256], ..Keys::default() },
        // The rules are on trial and not the hash: as cheap as RFC 9106 allows.
        passwords: Passwords { memory_kib: 8, iterations: 1, ..Passwords::default() },
        limits,
        insurers: vec![insurer],
        ..Config::default()
    }
}

fn digits(at: usize) -> String {
    format!("7132-091{:06}", 200_001 + at)
}

/// Day number of a date from the middle of the birth dates, as the eight digits of a password.
fn date(offset: i64) -> String {
    let middle = jiff::civil::date(1978, 1, 1);
    let day = middle.saturating_add(jiff::SignedDuration::from_hours(24 * offset));
    day.strftime("%Y%m%d").to_string()
}

/// A generator that gives the same people each time (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// A database with the roster and the active members, to be copied for each attack.
async fn prepare(home: &Path, people: usize) -> Result<()> {
    fs::create_dir_all(home)?;
    let config = config(home, true);
    let app = App::open(config, Clock::manual(BEGINNING), Entropy::system()).await?;
    let members = &app.members;
    let mut dice = Dice(7132);
    let mut csv = "記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日\n".to_owned();
    for at in 0..people {
        let offset = i64::try_from(dice.throw(SIDES) + dice.throw(SIDES))? - i64::try_from(SIDES)?;
        writeln!(csv, "91,{:06},00,一般被保険者,ミホン タロウ,{},2021-04-01,", 200_001 + at, date(offset))?;
    }
    let import = RosterImport {
        db: &members.db,
        clock: &members.clock,
        entropy: &members.entropy,
        insurer: members.insurer("7132").ok_or("no insurer")?,
        file_name: "roster.csv",
        actor: "bench",
        complete: false,
        preview: false,
    };
    let report = import.run(csv.as_bytes(), |_, _| ()).await?;
    assert_eq!((report.outcome, report.refused), (Outcome::Applied, 0));
    let hash = members.passwords.hash(PASSWORD.into()).await?;
    let active = format!(
        "insert into member (id, insurer, person_id, state, password_hash, locale, created_at, updated_at)
         select id, insurer, id, 'active', '{hash}', 'ja', 0, 0 from roster_person
         where cast(number as integer) % 3 = 0"
    );
    let Db::Sqlite(pool, _) = &members.db else { return Err("the embedded backend".into()) };
    sqlx::query(AssertSqlSafe(active)).execute(pool).await?;
    sqlx::query("pragma wal_checkpoint(truncate)").execute(pool).await?;
    members.db.close().await;
    Ok(())
}

async fn simulate(
    template: &Path,
    home: &Path,
    people: usize,
    attack: &Attack,
    defended: bool,
) -> Result<Toll> {
    fs::create_dir_all(home.join("keys"))?;
    fs::copy(template.join("kenpos.sqlite"), home.join("kenpos.sqlite"))?;
    for file in fs::read_dir(template.join("keys"))? {
        let file = file?;
        fs::copy(file.path(), home.join("keys").join(file.file_name()))?;
    }
    let clock = Clock::manual(BEGINNING);
    let app = App::open(config(home, defended), clock.clone(), Entropy::system()).await?;
    let members: Vec<usize> = (0..people).filter(|at| (200_001 + at) % 3 == 0).collect();
    let chosen: Vec<usize> = members.iter().copied().step_by((members.len() / SIGN_INS).max(1)).collect();
    for at in chosen.iter().step_by(2) {
        assert!(welcome(&app, *at, home_of(*at)).await?, "a member signs in before it begins");
    }
    clock.advance(Duration::from_secs(3600));
    let mut toll = Toll::default();
    let guesses = attack.guesses.unwrap_or(attack.dates * people);
    let every = (guesses / chosen.len()).max(1);
    for guess in 0..guesses {
        let round = guess / attack.ids_per_date;
        // The dates around the likeliest one, and with each the next IDs.
        let nth = i64::try_from(round % attack.dates)?;
        let offset = if nth % 2 == 0 { nth / 2 } else { -(nth + 1) / 2 };
        let from = attacker(u32::try_from(guess)? % attack.addresses);
        match sign_in(&app, guess % people, &date(offset), from).await? {
            SignIn::Activate(_) => toll.hits += 1,
            SignIn::Limited => toll.limited += 1,
            SignIn::Paused => toll.paused += 1,
            _ => {}
        }
        toll.guesses += 1;
        clock.advance(attack.pause);
        if guess % every == every - 1
            && let Some(at) = chosen.get(toll.tried)
        {
            let at_home = toll.tried % 2 == 0;
            let from = if at_home { home_of(*at) } else { elsewhere(*at) };
            let kept_out = usize::from(!welcome(&app, *at, from).await?);
            *if at_home { &mut toll.kept_out_at_home } else { &mut toll.kept_out_elsewhere } += kept_out;
            toll.tried += 1;
        }
    }
    // As long as the pause of an ID is, and nobody is kept out any more.
    clock.advance(Duration::from_secs(1800));
    for at in &chosen {
        toll.kept_out_afterwards += usize::from(!welcome(&app, *at, elsewhere(*at)).await?);
        clock.advance(Duration::from_secs(1));
    }
    let Db::Sqlite(pool, _) = &app.members.db else { return Err("the embedded backend".into()) };
    let alarms = "select count(*) from audit where action = 'insurer.spray_alarm'";
    toll.alarms = sqlx::query_scalar(alarms).fetch_one(pool).await?;
    app.members.db.close().await;
    Ok(toll)
}

/// Each in a network of its own, which is worse for the provider.
fn attacker(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0001 + (number << 8)).into()
}

fn home_of(member: usize) -> IpAddr {
    Ipv4Addr::from_bits(0x6440_0001 + (u32::try_from(member).unwrap_or_default() << 8)).into()
}

fn elsewhere(member: usize) -> IpAddr {
    Ipv4Addr::from_bits(0xac10_0002 + u32::try_from(member).unwrap_or_default() * 256).into()
}

async fn sign_in(app: &App, at: usize, password: &str, from: IpAddr) -> Result<SignIn> {
    let typed = login_id::parse(&digits(at), &app.config().insurers).map_err(|_| "no login ID")?;
    Ok(app.members.sign_in(&typed, None, password.into(), "", from).await.map_err(|_| "a fault")?)
}

async fn welcome(app: &App, at: usize, from: IpAddr) -> Result<bool> {
    Ok(matches!(sign_in(app, at, PASSWORD, from).await?, SignIn::Welcome(_)))
}
