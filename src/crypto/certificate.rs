//! What an X.509 certificate says of itself, for those who watch over it.

use openssl::{asn1::Asn1Time, error::ErrorStack, x509::X509};

use crate::clock::Timestamp;

/// When the first certificate of a PEM file ends to be valid (RFC 5280 §4.1.2.5), to the second.
pub fn not_after(pem: &[u8]) -> Result<Timestamp, ErrorStack> {
    let certificate = X509::from_pem(pem)?;
    let since = Asn1Time::from_unix(0)?.diff(certificate.not_after())?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    Ok(Timestamp::from_millis(seconds * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read_to_the_second() {
        let mut params = rcgen::CertificateParams::new(vec!["login.example.jp".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2027, 2, 28);
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        // 2027-02-28T00:00:00Z
        assert_eq!(not_after(pem.as_bytes()).unwrap().millis(), 1_803_772_800_000);
        assert!(not_after(b"").is_err());
    }
}
