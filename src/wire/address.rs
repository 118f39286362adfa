//! Which addresses are the public internet (T15).
//!
//! Decided here: the reach of one IP address. Who may call which is `guard`'s business.
//! Source: IANA's special-purpose address registries for IPv4 and IPv6. What is not known to be public is forbidden.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The internet.
    Public,
    /// This machine or a network of its owner: called only where a policy says so.
    Private,
    /// Nowhere a server should be: link-local (cloud metadata), multicast, reserved, or a wrapping of another address.
    Forbidden,
}

/// Returns where `address` leads.
pub(crate) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private,
        // Shared by a provider's customers, and used by overlay networks.
        [100, 64..=127, ..] => Reach::Private,
        // This network, link-local, protocol assignments, documentation, 6to4 relays, benchmarks, multicast, reserved.
        [0, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Reach::Forbidden,
        [..] => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        [0xfc00..=0xfdff, ..] => Reach::Private,
        // NAT64: what resolvers of IPv6-only networks answer for an IPv4 host. Never a way into a private one.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            match reach_v4(Ipv4Addr::new(a, b, c, d)) {
                Reach::Public => Reach::Public,
                Reach::Private | Reach::Forbidden => Reach::Forbidden,
            }
        }
        // Protocol assignments with Teredo, documentation, 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Forbidden,
        [0x2000..=0x3fff, ..] => Reach::Public,
        // Unspecified, IPv4-mapped and -compatible, link-local, site-local, multicast, discard-only, unassigned.
        [..] => Reach::Forbidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(expected: Reach, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(reach(address.parse().expect("an address")), expected, "{address}");
        }
    }

    #[test]
    fn public_addresses_are_public() {
        check(Reach::Public, &["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1"]);
        check(Reach::Public, &["192.0.1.1", "198.17.255.255", "198.20.0.0", "223.255.255.255", "11.0.0.0"]);
        check(Reach::Public, &["2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "64:ff9b::8.8.8.8"]);
    }

    #[test]
    fn an_owners_networks_are_private() {
        check(Reach::Private, &["127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255"]);
        check(Reach::Private, &["192.168.1.1", "100.64.0.1", "100.127.255.255", "::1", "fc00::1", "fd12:3456::1"]);
    }

    #[test]
    fn the_rest_leads_nowhere() {
        check(Reach::Forbidden, &["0.0.0.0", "0.1.2.3", "169.254.169.254", "192.0.0.8", "192.0.2.1", "192.88.99.1"]);
        check(Reach::Forbidden, &["198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1"]);
        check(Reach::Forbidden, &["255.255.255.255", "::", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1"]);
        check(Reach::Forbidden, &["fe80::1", "fec0::1", "ff02::1", "100::1", "2001:db8::1", "3fff::1", "5f00::1"]);
        check(Reach::Forbidden, &["2002:7f00:1::", "2002:808:808::", "2001:0:7f00:1::", "2001:10::1"]);
        check(Reach::Forbidden, &["64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "4000::1"]);
    }

    proptest! {
        #[test]
        fn no_wrapping_of_an_ipv4_address_is_more_public_than_it(bits: u32) {
            let inner = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = inner.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            prop_assert_eq!(reach(inner.to_ipv6_mapped().into()), Reach::Forbidden);
            prop_assert_eq!(reach(Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1).into()), Reach::Forbidden);
            let nat64 = reach(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low).into());
            prop_assert_eq!(nat64 == Reach::Public, reach(inner.into()) == Reach::Public);
        }
    }
}
