//! Whom a request comes from when proxies stand in between.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The proxies whose word on where a request comes from is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

/// What proxies write the addresses into that a request came from, the nearest last.
const FORWARDED_FOR: &str = "x-forwarded-for";

impl Proxies {
    /// Trusts the proxies in these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether this is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client of a request that came from `peer`.
    ///
    /// A proxy adds the address that it was asked from at the end, so the header is read from its end for as long as
    /// the address that wrote there is trusted. What stands further left, the client may have made up. An entry that
    /// is no address ends the reading: then the client is the proxy that wrote it.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
        let entries = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for entry in entries {
            match core::str::from_utf8(entry).ok().and_then(address) {
                Some(address) => client = address,
                None => break,
            }
            if !self.trusts(client) {
                break;
            }
        }
        client
    }
}

/// An address, with or without a port.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.parse().ok();
    let address =
        bare.or_else(|| entry.parse::<std::net::SocketAddr>().ok().map(|with_port| with_port.ip()))?;
    Some(address.to_canonical())
}

/// Reads a network, or an address, which is a network of one.
pub(crate) fn network(text: &str) -> Result<IpNet, &'static str> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    network.ok_or("expected addresses or networks, such as 10.0.0.1 or 10.0.0.0/8,2001:db8::/32")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn client(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
        let proxies = Proxies::new(trusted.iter().map(|text| network(text).unwrap()).collect());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_named() {
        assert_eq!(client(&[], "192.0.2.1", &["198.51.100.9"]), "192.0.2.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", &["198.51.100.9"]), "192.0.2.1");
    }

    #[test]
    fn the_header_is_read_from_its_end() {
        let trusted = &["10.0.0.0/8", "::1"];
        assert_eq!(client(trusted, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client(trusted, "10.0.0.1", &["198.51.100.9"]), "198.51.100.9");
        assert_eq!(client(trusted, "::1", &["198.51.100.9:4711"]), "198.51.100.9");
        assert_eq!(client(trusted, "10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(client(trusted, "10.0.0.1", &["1.2.3.4, 198.51.100.9 ,10.0.0.2"]), "198.51.100.9");
        assert_eq!(client(trusted, "10.0.0.1", &["1.2.3.4", "198.51.100.9, 10.0.0.2"]), "198.51.100.9");
        assert_eq!(client(trusted, "::ffff:10.0.0.1", &["198.51.100.9"]), "198.51.100.9");
        assert_eq!(client(trusted, "10.0.0.1", &["::ffff:198.51.100.9"]), "198.51.100.9");
    }

    #[test]
    fn what_is_no_address_ends_the_reading() {
        let trusted = &["10.0.0.0/8"];
        for odd in ["", "unknown", "1.2.3.4, nonsense", "_hidden", "1.2.3.4;"] {
            assert_eq!(client(trusted, "10.0.0.1", &[odd]), "10.0.0.1", "{odd:?}");
        }
        assert_eq!(client(trusted, "10.0.0.1", &["nonsense, 10.0.0.2"]), "10.0.0.2");
    }

    proptest! {
        #[test]
        fn whatever_stands_there_names_the_peer_or_what_stands_there(
            lines in prop::collection::vec("([0-9a-f:.]{1,12}|10\\.0\\.0\\.[1-9]|192\\.0\\.2\\.[1-9]|[ -~]{0,8}|,|, ){0,5}", 0..3),
        ) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            prop_assert_eq!(client(&["10.0.0.0/8"], "192.0.2.77", &lines), "192.0.2.77");
            let found: IpAddr = client(&["10.0.0.0/8"], "10.9.9.9", &lines).parse().unwrap();
            let mut stated = lines.iter().flat_map(|line| line.split(',')).filter_map(address);
            prop_assert!(found.to_string() == "10.9.9.9" || stated.any(|stated| stated == found), "{found}");
        }
    }
}
