//! The flags that every server has.

use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;
use countersign_verifier::program::{Exit, Failed, Farewell};
use ipnet::IpNet;
use tokio::net::TcpListener;

use crate::bounds::Bounds;
use crate::descriptors;
use crate::door::Door;
use crate::figures;
use crate::forwarded::{self, Proxies};
use crate::limit::{Limit, count, span};
use crate::logging::LogFormat;
use crate::tls::Tls;

/// The flags that every server has.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// The server's certificate and those between it and a root, in PEM. Read again on SIGHUP and when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM. A file that others can read is refused
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// How many connections there may be at once
    #[arg(long, value_name = "N", default_value_t = Bounds::DEFAULT.connections, value_parser = connections)]
    max_connections: usize,
    /// How many of them may come from one address, or one IPv6 /64. This machine and trusted proxies are not counted
    #[arg(
        long,
        value_name = "N",
        default_value_t = Bounds::DEFAULT.connections_of_network,
        value_parser = connections
    )]
    max_connections_per_ip: usize,
    /// How many requests a second may come from one address, or one IPv6 /64, and twice as many at once; 0 for any
    /// number. This machine is not counted
    #[arg(long, value_name = "N", default_value_t = IP_RATE)]
    ip_rate: u32,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas
    #[arg(long, value_name = "NETWORKS", value_delimiter = ',', value_parser = forwarded::network)]
    trusted_proxies: Vec<IpNet>,
    #[command(flatten)]
    farewell: Farewell,
    /// Log lines for people or for programs
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
}

/// How many requests a second one network may make. One machine that submits in earnest makes hundreds.
const IP_RATE: u32 = 1000;

fn connections(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|count| (1..=100_000).contains(count))
        .ok_or("expected a number from 1 to 100000")
}

impl Flags {
    /// For whom log lines are.
    pub fn log_format(&self) -> LogFormat {
        self.log_format
    }

    /// How the server ends.
    pub fn farewell(&self) -> Farewell {
        self.farewell
    }

    /// Opens the door at `listen`, an address with a port, within these bounds but for those that have a flag.
    pub async fn open(&self, listen: &str, bounds: Bounds) -> Result<Door, Failed> {
        // The certificate is counted that is read here.
        figures::begin();
        descriptors::suffice_for(self.max_connections)?;
        let bounds = Bounds {
            connections: self.max_connections,
            connections_of_network: self.max_connections_per_ip,
            farewell: self.farewell.clients(),
            ..bounds
        };
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Some(Tls::load(cert, key).map_err(|error| {
                Failed::new(Exit::CouldNotCheck, "there is no TLS with these files").because(error)
            })?),
            _ => None,
        };
        let cannot = |error: io::Error| {
            let (exit, hint) = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    (Exit::CouldNotCheck, "another program listens there: end it, or name another port")
                }
                io::ErrorKind::AddrNotAvailable => (
                    Exit::CouldNotCheck,
                    "this machine has no such address, or not yet: name one that it has",
                ),
                io::ErrorKind::PermissionDenied => {
                    (Exit::CouldNotCheck, "ports below 1024 need permission: name another port")
                }
                _ => (Exit::Usage, "expected an address and a port, such as 127.0.0.1:8080"),
            };
            Failed::new(exit, format!("cannot listen on {listen}")).because(error).hint(hint)
        };
        let listener = TcpListener::bind(listen).await.map_err(cannot)?;
        let door = Door::on(listener, bounds).map_err(cannot)?.trusting(self.proxies());
        Ok(match tls {
            Some(tls) => door.with_tls(tls),
            None => door,
        })
    }

    /// How many requests a second each network may make.
    pub fn ip_rate(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.ip_rate)
    }

    /// The proxies whose word on where a request comes from is taken.
    pub fn proxies(&self) -> Proxies {
        Proxies::new(self.trusted_proxies.clone())
    }

    /// The limits that clients of a server with these bounds meet, for the manual.
    pub fn limits(bounds: &Bounds) -> Vec<Limit> {
        let rate = format!("{} requests/s, twice as many at once", count(IP_RATE));
        let mut limits = bounds.limits();
        limits.push(Limit::new("requests of one network", rate, Some("ip-rate")));
        limits.push(Limit::new("ending", span(Farewell::DEFAULT), Some("shutdown-timeout")));
        limits
    }
}
