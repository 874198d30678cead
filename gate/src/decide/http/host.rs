//! By which name a decision point was asked.
//!
//! A page in a browser on this machine can have a name of its own stand for 127.0.0.1, and then ask here as if it had come from
//! here. Its requests carry that name.

use url::Url;

/// A name or an address, without port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Host(String);

impl Host {
    /// What this machine calls itself.
    pub(super) fn here() -> [Self; 3] {
        ["localhost", "127.0.0.1", "[::1]"].map(|name| Self(name.to_owned()))
    }

    /// The one in an address.
    pub(super) fn of(url: &Url) -> Option<Self> {
        url.host_str().map(|host| Self(host.to_ascii_lowercase()))
    }

    /// Whether a header `Host` names this one, at whatever port.
    pub(super) fn is(&self, header: &str) -> bool {
        let rest =
            header.split_at_checked(self.0.len()).filter(|(name, _)| name.eq_ignore_ascii_case(&self.0));
        rest.is_some_and(|(_, rest)| match rest.strip_prefix(':') {
            Some(port) => !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()),
            None => rest.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_its_name_alone() {
        let known = |header: &str| {
            let own = Host::of(&Url::parse("https://pdp.example:8443/a").unwrap());
            Host::here().into_iter().chain(own).any(|host| host.is(header))
        };
        for good in
            ["localhost", "127.0.0.1:8082", "[::1]:1", "LocalHost:80", "pdp.example", "PDP.example:443"]
        {
            assert!(known(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "localhost:",
            "localhost:x",
            "pdp.example.",
            "[::1]x",
            "127.0.0.2",
        ] {
            assert!(!known(bad), "{bad}");
        }
    }
}
