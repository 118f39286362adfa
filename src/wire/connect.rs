//! From a checked URL to an open connection.
//!
//! Decided here: whom a name resolves to, in which order its addresses are tried, and whose certificates are trusted (the
//! box's root certificates). Nothing of a request exists yet, so every failure here is `NotSent`.
//!
//! Invariant (T15): a name is looked up once per request, all its addresses are checked, and only those are dialled.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use clock::{Boot, Clock, within};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Host;

use crate::NotSent;
use crate::guard::{Scheme, Target};

/// An open connection, encrypted or not.
pub(crate) trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Line for S {}

pub(crate) type Resolved = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks up host names.
pub(crate) trait Resolve: Send + Sync {
    fn resolve(&self, host: &str, port: u16) -> Resolved;
}

/// The system's name service.
pub(crate) struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, host: &str, port: u16) -> Resolved {
        let host = host.to_owned();
        Box::pin(async move { Ok(lookup_host((host.as_str(), port)).await?.collect()) })
    }
}

/// Opens connections.
pub(crate) struct Dialler {
    names: Arc<dyn Resolve>,
    /// `None` if this build's cryptography offers no safe protocol version.
    tls: Option<TlsConnector>,
}

impl Dialler {
    /// Trusts `roots` for encrypted connections.
    pub(crate) fn new(names: Arc<dyn Resolve>, roots: RootCertStore) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok();
        let tls = config.map(|config| {
            let mut config = config.with_root_certificates(roots).with_no_client_auth();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            // Early data may be replayed on the way: a request must not travel in it.
            config.enable_early_data = false;
            TlsConnector::from(Arc::new(config))
        });
        Self { names, tls }
    }

    /// Opens a fresh connection to `target`, sharing the time until `deadline` among its addresses.
    pub(crate) async fn dial(
        &self,
        target: &Target,
        clock: &dyn Clock,
        deadline: Boot,
    ) -> Result<Box<dyn Line>, NotSent> {
        let addresses = self.addresses(target).await?;
        let stream = reach_one(&addresses, clock, deadline).await?;
        // Without this a small request may wait for an acknowledgement; failing to set it harms nothing.
        stream.set_nodelay(true).ok();
        match target.scheme {
            Scheme::Plain => Ok(Box::new(stream)),
            Scheme::Encrypted => self.encrypt(target, stream).await,
        }
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, NotSent> {
        let addresses = match (&target.host, target.literal()) {
            (_, Some(literal)) => vec![literal],
            (Host::Domain(name), None) => {
                self.names.resolve(name, target.port).await.map_err(|_| NotSent::Unresolved)?
            }
            (Host::Ipv4(_) | Host::Ipv6(_), None) => Vec::new(),
        };
        target.admit_all(&addresses).map_err(NotSent::Guarded)?;
        if addresses.is_empty() { Err(NotSent::Unresolved) } else { Ok(addresses) }
    }

    async fn encrypt(&self, target: &Target, stream: TcpStream) -> Result<Box<dyn Line>, NotSent> {
        let name = match &target.host {
            // A certificate never has the dot that ends a full name.
            Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()),
            Host::Ipv4(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
            Host::Ipv6(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
        };
        let name = name.map_err(|_| NotSent::Tls)?;
        let tls = self.tls.as_ref().ok_or(NotSent::Tls)?;
        let stream = tls.connect(name, stream).await.map_err(|_| NotSent::Tls)?;
        Ok(Box::new(stream))
    }
}

/// Returns the box's root certificates; those that cannot be read are left out, and without any no TLS comes about.
pub(crate) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// Tries one address after the other, each with its share of the time left; tells of the last failure.
async fn reach_one(addresses: &[SocketAddr], clock: &dyn Clock, deadline: Boot) -> Result<TcpStream, NotSent> {
    let mut failure = NotSent::Unreachable;
    for (tried, address) in addresses.iter().enumerate() {
        let share = share(deadline.since(clock.boot()), addresses.len() - tried);
        #[expect(clippy::disallowed_methods, reason = "this is the one way onto the network")]
        let dialled = within(clock, share, TcpStream::connect(*address)).await;
        failure = match dialled {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => NotSent::Refused,
            Ok(Err(_)) => NotSent::Unreachable,
            Err(_) => NotSent::Late,
        };
    }
    Err(failure)
}

fn share(left: Duration, among: usize) -> Duration {
    let among = u32::try_from(among).unwrap_or(u32::MAX);
    left.checked_div(among).unwrap_or(left)
}
