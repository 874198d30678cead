//! By what clients are told apart.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What one client is counted as: an IPv4 address, or the /64 of an IPv6 address, which is the least that anyone is
/// given and all of which one machine may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        })
    }
}

impl Network {
    /// Whether it is this machine itself. Who can connect from here has more than connections to do harm with; and a
    /// proxy on this machine speaks for all of its clients.
    pub fn is_here(self) -> bool {
        match self.0 {
            IpAddr::V4(address) => address.is_loopback(),
            // The loopback address without its lower half is the unspecified one, which nobody connects from.
            IpAddr::V6(address) => address.is_unspecified(),
        }
    }

    /// No client in particular: what many share once there are too many to tell apart.
    pub(crate) const ANYBODY: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn addresses_of_one_holder_are_one_network() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::2"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"), "an IPv4 address in IPv6's clothes");
        assert_eq!(network("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn only_this_machine_is_here() {
        for here in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(network(here).is_here(), "{here}");
        }
        for elsewhere in ["192.0.2.1", "10.0.0.1", "2001:db8::1", "fe80::1", "fc00::1"] {
            assert!(!network(elsewhere).is_here(), "{elsewhere}");
        }
    }
}
