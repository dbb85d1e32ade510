//! What stands between this node and everybody else: its certificate, its name, who watches it.

use std::{collections::BTreeSet, io::Write};

use serde_json::Value;
use tokio::net::{TcpStream, UnixDatagram};

use super::Report;
use crate::{
    clock::Clock,
    config::{Config, telemetry::AuditTarget},
    crypto::certificate,
    egress::house,
    telemetry::traces::PATIENCE,
    web::tls::Tls,
};

/// Days before its end from which a certificate is told of: those made by ACME are long renewed by then.
const SOON: u64 = 21;

pub(super) async fn tls(
    config: &Config,
    clock: &Clock,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<()> {
    let what = "certificate";
    let (Some(file), Some(key)) = (&config.server.tls.certificate, &config.server.tls.key) else {
        if !config.server.trusted_proxies.is_empty() {
            return Ok(report.good(what, "none of the server's own: a trusted proxy ends TLS")?);
        }
        let advice = "a proxy must end TLS and be named in server.trusted_proxies; or set server.tls";
        return Ok(report.warn(what, "none: the server speaks plain HTTP", advice)?);
    };
    if let Err(error) = Tls::load(file, key).await {
        let advice = "server.tls names two PEM files; serve reads them again when they change";
        return Ok(report.bad(what, &error.to_string(), advice)?);
    }
    let pem = tokio::fs::read(file).await?;
    let issuer = url::Url::parse(&config.server.issuer)?;
    let host = issuer.host_str().unwrap_or_default();
    if Tls::names(&pem, host) {
        report.good(what, &format!("is for {host}"))?;
    } else {
        report.bad(what, &format!("is not for {host}"), "browsers will refuse it: get one for that name")?;
    }
    let (now, end) = (clock.now(), certificate::not_after(&pem)?);
    let days = end.since(now).as_secs() / 86_400;
    if end <= now {
        report.bad(what, "has expired", "put a new one into the files of server.tls")?;
    } else if days < SOON {
        report.warn(what, &format!("expires in {days} days"), "see that it is renewed")?;
    } else {
        report.good(what, &format!("is valid for {days} more days"))?;
    }
    Ok(())
}

/// Whether the issuer's address leads to this deployment: to its name, and to its keys.
pub(super) async fn issuer(
    config: &Config,
    keys: &BTreeSet<String>,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<()> {
    let (what, issuer) = ("issuer", &config.server.issuer);
    let found = async {
        let (status, body) = house::get(&format!("{issuer}/.well-known/openid-configuration")).await?;
        Ok::<_, crate::egress::EgressError>((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    };
    let told = match found.await {
        Ok((200, told)) => told,
        Ok((status, _)) => {
            let advice = "the proxy must hand every path on to this server";
            return Ok(report.bad(what, &format!("answers its metadata with {status}"), advice)?);
        }
        Err(error) => {
            let advice = "fine before the first start; else look at DNS, proxy and certificate";
            return Ok(report.warn(what, &format!("{issuer}: {error}"), advice)?);
        }
    };
    if told["issuer"] != issuer.as_str() {
        let finding = format!("another provider answers there: {}", told["issuer"]);
        return Ok(report.bad(what, &finding, "the proxy leads elsewhere, or server.issuer is wrong")?);
    }
    let published = house::get(&format!("{issuer}/jwks"))
        .await
        .map_or(Value::Null, |(_, body)| serde_json::from_slice(&body).unwrap_or(Value::Null));
    let published: BTreeSet<&str> =
        published["keys"].as_array().into_iter().flatten().filter_map(|key| key["kid"].as_str()).collect();
    if keys.iter().all(|kid| published.contains(kid.as_str())) {
        return Ok(report.good(what, &format!("{issuer} is served, with the keys of this database"))?);
    }
    let advice = "the nodes must share one database; see server.issuer and database.url";
    Ok(report.bad(what, "is served with other keys than those of this database", advice)?)
}

/// Who watches: metrics, the collector of traces, the receiver of the audit.
pub(super) async fn telemetry(config: &Config, report: &mut Report<'_, impl Write>) -> anyhow::Result<()> {
    if let Some(address) = config.server.metrics_listen {
        report.good("metrics", &format!("are served on {address}"))?;
    } else {
        let advice = "set server.metrics_listen to an address of your own network";
        report.warn("metrics", "are not served", advice)?;
    }
    if let Some(url) = &config.telemetry.traces_url {
        let advice = "until it takes them, traces are dropped and nothing else happens";
        match house::post_protobuf(url).await {
            Ok(status @ 200..=299) => report.good("traces", &format!("the collector answers {status}"))?,
            Ok(status) => report.bad("traces", &format!("the collector answers {status}"), advice)?,
            Err(error) => report.bad("traces", &format!("the collector: {error}"), advice)?,
        }
    }
    if let Some(target) = config.telemetry.audit_target() {
        let reached = tokio::time::timeout(PATIENCE, reach(&target)).await;
        match reached.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
            Ok(()) => report.good("audit", "its receiver takes lines")?,
            Err(error) => {
                let advice = "check telemetry.audit; until it works, lines wait and none is lost";
                report.bad("audit", &format!("its receiver: {error}"), advice)?;
            }
        }
    }
    Ok(())
}

async fn reach(target: &AuditTarget) -> std::io::Result<()> {
    match target {
        AuditTarget::Stdout => Ok(()),
        AuditTarget::Unix(path) => UnixDatagram::unbound()?.connect(path),
        AuditTarget::Tcp(address) => TcpStream::connect(address).await.map(|_| ()),
    }
}
