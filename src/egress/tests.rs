//! Only what needs no server: `tests/it/attacks_clients.rs` calls real ones.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    sync::Mutex,
};

use super::*;

const POLICY: Policy = Policy { max_bytes: 1000, content_types: &[] };

fn told(addresses: &'static [&'static str]) -> Egress {
    let resolver = Resolver::Told(Arc::new(|_| addresses.iter().map(|ip| ip.parse().unwrap()).collect()));
    Egress::with_resolver(&config::Egress { timeout_seconds: 1, ..config::Egress::default() }, &resolver)
        .unwrap()
}

#[tokio::test]
async fn what_the_text_of_a_url_tells_is_refused_before_anything_is_sent() {
    let egress = told(&["8.8.8.8"]);
    for url in [
        "http://app.example.com/jwks",
        "ftp://app.example.com/jwks",
        "file:///etc/passwd",
        "https://user@app.example.com/jwks",
        "https://app.example.com:25/jwks",
        "https://127.0.0.1/jwks",
        "https://2130706433/jwks",
        "https://0x7f.1/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/jwks",
        "https://[::ffff:10.0.0.1]/jwks",
        "https://[64:ff9b::a00:1]/jwks",
        "/jwks",
        "",
    ] {
        let refused = egress.fetch(url, &POLICY).await;
        assert!(matches!(refused, Err(EgressError::Refused(_))), "{url}: {refused:?}");
        assert!(matches!(egress.post(url, &[]).await, Err(EgressError::Refused(_))), "{url}");
    }
}

#[tokio::test]
async fn a_name_with_an_address_that_is_not_public_is_refused() {
    for addresses in [
        &["127.0.0.1"] as &[&str],
        &["169.254.169.254"],
        &["8.8.8.8", "10.0.0.1"],
        &["fd00::1"],
        &["::ffff:192.168.0.1"],
    ] {
        let refused = told(addresses).fetch("https://app.example.com/jwks", &POLICY).await.unwrap_err();
        assert_eq!(refused, EgressError::Refused("leads to an address that is not public"), "{addresses:?}");
    }
}

/// What is looked at is what is connected to: a request that could look a name up again might hear another
/// story (rebinding). The resolver refuses at its only chance.
#[tokio::test]
async fn a_name_is_looked_up_once() {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let resolver = Resolver::Told(Arc::new(move |_| {
        *count.lock().unwrap() += 1;
        vec![if *count.lock().unwrap() == 1 { "10.0.0.1" } else { "127.0.0.1" }.parse().unwrap()]
    }));
    let egress = Egress::with_resolver(&config::Egress::default(), &resolver).unwrap();
    let refused = egress.fetch("https://app.example.com/jwks", &POLICY).await.unwrap_err();
    assert!(matches!(refused, EgressError::Refused(_)), "{refused:?}");
    assert_eq!(*asked.lock().unwrap(), 1);
}

/// A name that is public when it is looked at and private a moment later: a request goes to the address that was
/// looked at, and the next one, which hears the other story, goes nowhere. Only this machine is called, so one of
/// its addresses plays the public one.
#[tokio::test]
async fn a_name_that_changes_its_address_never_leads_to_the_private_one() {
    const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let private = TcpListener::bind((PRIVATE, 0)).unwrap();
    let port = private.local_addr().unwrap().port();
    let public = TcpListener::bind((PUBLIC, port)).unwrap();
    for listener in [&private, &public] {
        listener.set_nonblocking(true).unwrap();
    }
    let answers = Arc::new(Mutex::new(vec![PRIVATE, PRIVATE, PUBLIC]));
    let told = Arc::clone(&answers);
    let resolver = Resolver::Told(Arc::new(move |_| vec![told.lock().unwrap().pop().unwrap()]));
    let settings = config::Egress { timeout_seconds: 1, ..config::Egress::default() };
    let egress = Egress::with(&settings, &resolver, |address| address == PUBLIC).unwrap();
    let url = format!("https://app.example.com:{port}/jwks");

    // Nobody answers there, but it is there that the connection was made, after one look.
    let unanswered = egress.fetch(&url, &POLICY).await.unwrap_err();
    assert!(matches!(unanswered, EgressError::Unreachable(_)), "{unanswered:?}");
    assert!(public.accept().is_ok(), "no connection to the address that was looked at");
    assert_eq!(answers.lock().unwrap().len(), 2);

    let refused = EgressError::Refused("leads to an address that is not public");
    assert_eq!(egress.fetch(&url, &POLICY).await.unwrap_err(), refused);
    assert_eq!(egress.post(&url, &[]).await.unwrap_err(), refused);
    for (which, listener) in [("private", private), ("public", public)] {
        let error = listener.accept().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "a connection to the {which} address");
    }
}

#[test]
fn cache_control_is_read() {
    assert_eq!(max_age("public, max-age=300"), Some(Duration::from_secs(300)));
    assert_eq!(max_age("Max-Age=\"5\""), Some(Duration::from_secs(5)));
    assert_eq!(max_age("no-store, max-age=300"), Some(Duration::ZERO));
    assert_eq!(max_age(""), None);
    assert_eq!(max_age("max-age=-1"), None);
}

#[test]
fn a_ca_file_that_is_none_is_an_error_that_names_it() {
    let settings = config::Egress { ca_file: Some("/nowhere.pem".into()), ..config::Egress::default() };
    assert!(Egress::new(&settings).unwrap_err().to_string().contains("/nowhere.pem"));
}
