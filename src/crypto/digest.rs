//! SHA-256, HMAC and the comparison that takes the same time whatever it finds.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use openssl::{memcmp, sha};

/// Bytes of a SHA-256 block (FIPS 180-4 §1).
const BLOCK: usize = 64;

/// SHA-256.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    sha::sha256(data)
}

/// SHA-256 of a text as 43 characters of base64url: the form in which a secret is stored or used as a
/// key, and the `S256` of RFC 7636 §4.2.
pub fn sha256_base64url(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()))
}

/// Whether two secrets are equal, in a time that tells nothing but whether their lengths are.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    // memcmp::eq would panic on different lengths.
    a.len() == b.len() && memcmp::eq(a, b)
}

/// HMAC-SHA-256 (RFC 2104 §2). Over OpenSSL's digest, which cannot fail, so a code or a cookie can be
/// bound without an error path that nothing ever takes.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&sha256(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let keyed = |pad: u8, data: &[u8]| {
        let mut hash = sha::Sha256::new();
        hash.update(&block.map(|byte| byte ^ pad));
        hash.update(data);
        hash.finish()
    };
    keyed(0x5c, &keyed(0x36, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        // RFC 7636 appendix B
        assert_eq!(
            sha256_base64url("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        assert_eq!(hex(&sha256(b"")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn macs_are_those_of_rfc_4231() {
        let cases: [(&[u8], &[u8], &str); 3] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, data, mac) in cases {
            assert_eq!(hex(&hmac_sha256(key, data)), mac);
        }
        // An empty key is a key of zeros, and longer than no data.
        assert_eq!(hmac_sha256(b"", b"x"), hmac_sha256(&[0; 64], b"x"));
    }

    #[test]
    fn equality_is_of_content_and_length() {
        assert!(equal(b"secret", b"secret"));
        assert!(equal(b"", b""));
        assert!(!equal(b"secret", b"secreT"));
        assert!(!equal(b"secret", b"secret "));
        assert!(!equal(b"", b"s"));
    }
}
