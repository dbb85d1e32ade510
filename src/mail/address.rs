//! Addresses as a relay takes them.

use std::borrow::Cow;

use lettre::Address;
use url::Host;

/// Mail cannot be sent to this address; says nothing of the address itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("mail cannot be sent to this address")]
pub struct NotSendable;

/// Makes a recipient of what a member typed.
///
/// Old carrier addresses (`a..b.@docomo.ne.jp`) break the dot rules of an unquoted local part. Quoted
/// they are correct and mean the same mailbox (RFC 5321 §4.1.2), so that is how they are sent. A domain
/// in another script becomes its ASCII form; a local part in another script would need SMTPUTF8, which
/// relays seldom speak, and is refused.
pub fn sendable(typed: &str) -> Result<Address, NotSendable> {
    let (local, domain) = typed.trim().rsplit_once('@').ok_or(NotSendable)?;
    // Nothing that could end a line, a command or the angle brackets (RFC 5321 §4.1.2).
    let graphic = |part: &str| part.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>'));
    if !graphic(local) || local.is_empty() || local.len() > 64 {
        return Err(NotSendable);
    }
    let domain = ascii_domain(domain)?;
    if let Ok(address) = Address::new(local, &domain) {
        return Ok(address);
    }
    let quoted = format!("\"{}\"", local.replace('\\', "\\\\").replace('"', "\\\""));
    Address::new(&quoted, &domain).map_err(|_| NotSendable)
}

fn ascii_domain(domain: &str) -> Result<Cow<'_, str>, NotSendable> {
    if domain.is_ascii() {
        return Ok(Cow::Borrowed(domain));
    }
    match Host::parse(domain) {
        Ok(Host::Domain(ascii)) => Ok(Cow::Owned(ascii)),
        _ => Err(NotSendable),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_addresses_stay_as_they_are() {
        for typed in ["hanako@example.jp", "a.b+c@docomo.ne.jp", "\"a..b\"@docomo.ne.jp"] {
            assert_eq!(sendable(typed).unwrap().to_string(), typed);
        }
        assert_eq!(sendable("a@例え.jp").unwrap().to_string(), "a@xn--r8jz45g.jp");
    }

    #[test]
    fn old_carrier_addresses_are_quoted() {
        for (typed, sent) in [
            ("a..b.@docomo.ne.jp", "\"a..b.\"@docomo.ne.jp"),
            (".dot@ezweb.ne.jp", "\".dot\"@ezweb.ne.jp"),
            ("a...@softbank.ne.jp", "\"a...\"@softbank.ne.jp"),
        ] {
            assert_eq!(sendable(typed).unwrap().to_string(), sent);
        }
    }

    #[test]
    fn what_could_leave_its_place_is_refused() {
        for typed in [
            "",
            "a",
            "@example.jp",
            "a@",
            "a@b\r\nRCPT TO:<c@d>",
            "a\r\nBcc: b@example.jp",
            "a>@example.jp",
            "a b@example.jp",
            "花子@example.jp",
            "a@exa mple.jp",
        ] {
            assert_eq!(sendable(typed), Err(NotSendable), "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn a_sendable_address_is_one_ascii_word(typed in "\\PC{0,20}@\\PC{1,20}", raw in any::<String>()) {
            for text in [typed, raw] {
                if let Ok(address) = sendable(&text) {
                    let sent = address.to_string();
                    prop_assert!(sent.chars().all(|c| c.is_ascii_graphic() && c != '<' && c != '>'), "{sent:?}");
                }
            }
        }
    }
}
