//! Whom a request may call (T15).
//!
//! Decided here: which URLs are usable and which resolved addresses may be called. The addresses that passed are the ones
//! `connect` dials, so a name that resolves otherwise a moment later changes nothing.
//!
//! Invariant: host, port and scheme are read once, by the URL parser that browsers share; connection, certificate check
//! and `Host` header all take them from here.

use std::net::{IpAddr, SocketAddr};

use http::Uri;
use url::{Host, Url};

use crate::address::{Reach, reach};

/// Which hosts may be called. By default public ones, encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostPolicy {
    /// Also hosts on this machine and in private networks, there even without encryption: twins and test servers.
    pub allow_private_hosts: bool,
}

/// An address may not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GuardRefusal {
    /// The text is no URL.
    #[error("this is no web address; give one like https://mastodon.example")]
    Unreadable,
    /// Another scheme than http or https.
    #[error("only https addresses are called")]
    Scheme,
    /// Not encrypted.
    #[error("unencrypted http is not used; give the https address")]
    PlainHttp,
    /// The URL carries a user name or password.
    #[error("the address holds a user name or password; leave them out")]
    UserInfo,
    /// Port 0.
    #[error("port 0 cannot be called")]
    Port,
    /// The host is on this machine or in a private network.
    #[error("the host is on this machine or in a private network; a policy must allow private hosts")]
    PrivateAddress,
    /// The host has a link-local, multicast, reserved or wrapped address.
    #[error("the host has an address that no server may have (link-local, multicast, reserved or wrapped)")]
    ForbiddenAddress,
    /// Unencrypted, to a public host.
    #[error("unencrypted http is used to private hosts only; this one is public")]
    PlainToPublic,
}

/// Returns the address that a person typed, in its one normal form, if `policy` lets it be called.
///
/// International names become their ASCII form, and every way to write an IPv4 address the dotted one. Names are not
/// looked up here; what they resolve to is checked on each call. A fragment is dropped.
pub fn checked_url(text: &str, policy: HostPolicy) -> Result<Uri, GuardRefusal> {
    let mut url = Url::parse(text).map_err(|_| GuardRefusal::Unreadable)?;
    Target::of_url(&url, policy)?;
    url.set_fragment(None);
    url.as_str().parse().map_err(|_| GuardRefusal::Unreadable)
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Plain,
    Encrypted,
}

/// Whom one request is for. Exists only if its URL passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// As the `Host` header has it: the port only where it is not the scheme's own.
    pub(crate) authority: String,
    policy: HostPolicy,
}

impl Target {
    /// Reads whom a request is for.
    pub(crate) fn of(uri: &Uri, policy: HostPolicy) -> Result<Self, GuardRefusal> {
        // The URL parser drops an empty user name unseen.
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(GuardRefusal::UserInfo);
        }
        let url = Url::parse(&uri.to_string()).map_err(|_| GuardRefusal::Unreadable)?;
        Self::of_url(&url, policy)
    }

    fn of_url(url: &Url, policy: HostPolicy) -> Result<Self, GuardRefusal> {
        let scheme = match url.scheme() {
            "https" => Scheme::Encrypted,
            "http" if policy.allow_private_hosts => Scheme::Plain,
            "http" => return Err(GuardRefusal::PlainHttp),
            _ => return Err(GuardRefusal::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GuardRefusal::UserInfo);
        }
        let host = url.host().ok_or(GuardRefusal::Unreadable)?.to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(GuardRefusal::Port)?;
        let authority = url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        let target = Self { scheme, host, port, authority, policy };
        if let Some(literal) = target.literal() {
            target.admit(literal.ip())?;
        }
        Ok(target)
    }

    /// Returns the address if the URL names one instead of a host name.
    pub(crate) fn literal(&self) -> Option<SocketAddr> {
        let ip: IpAddr = match &self.host {
            Host::Domain(_) => return None,
            Host::Ipv4(ip) => (*ip).into(),
            Host::Ipv6(ip) => (*ip).into(),
        };
        Some(SocketAddr::new(ip, self.port))
    }

    /// Checks all addresses of the host: one bad one among good ones refuses the host.
    pub(crate) fn admit_all(&self, addresses: &[SocketAddr]) -> Result<(), GuardRefusal> {
        addresses.iter().try_for_each(|address| self.admit(address.ip()))
    }

    fn admit(&self, address: IpAddr) -> Result<(), GuardRefusal> {
        match (reach(address), self.scheme) {
            (Reach::Public, Scheme::Encrypted) => Ok(()),
            (Reach::Public, Scheme::Plain) => Err(GuardRefusal::PlainToPublic),
            (Reach::Private, Scheme::Plain | Scheme::Encrypted) if self.policy.allow_private_hosts => Ok(()),
            (Reach::Private, Scheme::Plain | Scheme::Encrypted) => Err(GuardRefusal::PrivateAddress),
            (Reach::Forbidden, Scheme::Plain | Scheme::Encrypted) => Err(GuardRefusal::ForbiddenAddress),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use GuardRefusal::{
        ForbiddenAddress, PlainHttp, PlainToPublic, Port, PrivateAddress, Scheme as OddScheme, Unreadable, UserInfo,
    };
    use proptest::prelude::*;

    const PUBLIC_ONLY: HostPolicy = HostPolicy { allow_private_hosts: false };
    const PRIVATE_TOO: HostPolicy = HostPolicy { allow_private_hosts: true };

    /// Checks what becomes of a typed URL under either policy: its normal form, or why not.
    fn check(text: &str, public_only: Result<&str, GuardRefusal>, private_too: Result<&str, GuardRefusal>) {
        for (policy, expected) in [(PUBLIC_ONLY, public_only), (PRIVATE_TOO, private_too)] {
            let got = checked_url(text, policy).map(|uri| uri.to_string());
            assert_eq!(got.as_deref().map_err(|refusal| *refusal), expected, "{text} {policy:?}");
        }
    }

    fn both(text: &str, expected: Result<&str, GuardRefusal>) {
        check(text, expected, expected);
    }

    #[test]
    fn every_form_of_a_private_address_is_seen_through() {
        let local = Ok("https://127.0.0.1/");
        for text in [
            "https://127.0.0.1",
            "https://127.1",
            "https://2130706433",
            "https://0x7f000001",
            "https://0x7F.0.0.1",
            "https://0177.0.0.1",
            "https://017700000001",
            "https://127.0.0.1.",
            "https://%31%32%37.0.0.1",
            "https://①②⑦.0.0.1",
            "https://127。0。0。1",
            "HTTPS:\\\\127.0.0.1",
            "https:127.0.0.1",
            " https://127.0.0.1\n",
        ] {
            check(text, Err(PrivateAddress), local);
        }
        check("https://10.0.0.7:8443/a?b=c", Err(PrivateAddress), Ok("https://10.0.0.7:8443/a?b=c"));
        check("https://[::1]/", Err(PrivateAddress), Ok("https://[::1]/"));
        check("https://[fd00::5]/", Err(PrivateAddress), Ok("https://[fd00::5]/"));
        check("http://127.0.0.1:4000/x", Err(PlainHttp), Ok("http://127.0.0.1:4000/x"));
    }

    #[test]
    fn addresses_of_no_server_are_refused_even_where_private_ones_are_allowed() {
        for text in [
            "https://0",
            "https://0.0.0.0",
            "https://169.254.169.254/latest/meta-data",
            "https://2852039166",
            "https://[::ffff:127.0.0.1]",
            "https://[::ffff:7f00:1]",
            "https://[::127.0.0.1]",
            "https://[::]",
            "https://[fe80::1]",
            "https://[64:ff9b::7f00:1]",
            "https://[2002:7f00:1::]",
            "https://[2001:0:7f00:1::]",
            "https://224.0.0.1",
            "https://255.255.255.255",
        ] {
            both(text, Err(ForbiddenAddress));
        }
    }

    #[test]
    fn urls_that_are_more_than_an_address_are_refused() {
        both("https://user@mastodon.example", Err(UserInfo));
        both("https://user:secret@mastodon.example", Err(UserInfo));
        both("https://mastodon.example@127.0.0.1", Err(UserInfo));
        both("https://:secret@mastodon.example", Err(UserInfo));
        both("https://mastodon.example:0", Err(Port));
        both("https://mastodon.example:65536", Err(Unreadable));
        both("ftp://mastodon.example", Err(OddScheme));
        both("file:///etc/passwd", Err(OddScheme));
        both("gopher://127.0.0.1:25/", Err(OddScheme));
        both("data:text/plain,x", Err(OddScheme));
        both("javascript:alert(1)", Err(OddScheme));
        both("mastodon.example", Err(Unreadable));
        both("//mastodon.example", Err(Unreadable));
        both("https://", Err(Unreadable));
        both("https://256.1.1.1", Err(Unreadable));
        both("https://[::1", Err(Unreadable));
        both("https://mastodon .example", Err(Unreadable));
        both("", Err(Unreadable));
        check("http://mastodon.example", Err(PlainHttp), Ok("http://mastodon.example/"));
        check("http://8.8.8.8", Err(PlainHttp), Err(PlainToPublic));
    }

    #[test]
    fn public_addresses_get_their_one_normal_form() {
        both("https://Mastodon.EXAMPLE:443/About#rules", Ok("https://mastodon.example/About"));
        both("https://bücher.example/ä?q=ä", Ok("https://xn--bcher-kva.example/%C3%A4?q=%C3%A4"));
        both("https://ＭＡＳＴＯＤＯＮ.example", Ok("https://mastodon.example/"));
        both("https://mastodon.example:8443", Ok("https://mastodon.example:8443/"));
        both("https://8.8.8.8/", Ok("https://8.8.8.8/"));
        both("https://134744072/", Ok("https://8.8.8.8/"));
        both("https://[2606:4700::1111]/", Ok("https://[2606:4700::1111]/"));
    }

    #[test]
    fn a_request_is_judged_by_the_same_rules() {
        let target = |uri: &str| Target::of(&uri.parse().expect("a URI"), PUBLIC_ONLY);
        assert_eq!(target("https://2130706433/x"), Err(PrivateAddress));
        assert_eq!(target("https://user@mastodon.example/"), Err(UserInfo));
        assert_eq!(target("https://@mastodon.example/"), Err(UserInfo));
        assert_eq!(target("http://mastodon.example/"), Err(PlainHttp));
        assert_eq!(target("/only/a/path"), Err(Unreadable));
        let good = target("https://Mastodon.example:8443/x").expect("passes");
        assert_eq!((good.authority.as_str(), good.port), ("mastodon.example:8443", 8443));
        assert_eq!(target("https://mastodon.example:443/").expect("passes").authority, "mastodon.example");
    }

    #[test]
    fn one_bad_address_among_good_ones_refuses_the_host() {
        let check = |uri: &str, policy, addresses: &[&str], expected| {
            let target = Target::of(&uri.parse().expect("a URI"), policy).expect("the URL passes");
            let addresses: Vec<SocketAddr> = addresses.iter().map(|text| text.parse().expect("an address")).collect();
            assert_eq!(target.admit_all(&addresses), expected, "{uri} {addresses:?}");
        };
        let (https, http) = ("https://a.example/", "http://a.example/");
        check(https, PUBLIC_ONLY, &["8.8.8.8:443", "[2606:4700::1]:443"], Ok(()));
        check(https, PUBLIC_ONLY, &["8.8.8.8:443", "127.0.0.1:443"], Err(PrivateAddress));
        check(https, PRIVATE_TOO, &["8.8.8.8:443", "127.0.0.1:443"], Ok(()));
        check(https, PRIVATE_TOO, &["127.0.0.1:443", "169.254.169.254:443"], Err(ForbiddenAddress));
        check(http, PRIVATE_TOO, &["127.0.0.1:80", "[::1]:80"], Ok(()));
        check(http, PRIVATE_TOO, &["127.0.0.1:80", "8.8.8.8:80"], Err(PlainToPublic));
    }

    proptest! {
        #[test]
        fn what_passed_passes_again_unchanged(text in "(https?://)?[a-z0-9.@:\\[\\]/%x-]{0,24}") {
            for policy in [PUBLIC_ONLY, PRIVATE_TOO] {
                if let Ok(uri) = checked_url(&text, policy) {
                    prop_assert_eq!(checked_url(&uri.to_string(), policy), Ok(uri.clone()));
                    prop_assert!(Target::of(&uri, policy).is_ok());
                }
            }
        }
    }
}
