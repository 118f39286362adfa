//! The other end: a server that misbehaves and counts, names that resolve as told, a certificate.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clock::{Clock, ManualClock, RealClock};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::connect::{Resolve, Resolved};

/// What the server does with a request that has fully arrived.
#[derive(Clone)]
pub(super) enum Does {
    /// Sends these bytes, then closes.
    Says(Vec<u8>),
    /// Sends these bytes and keeps the connection open for more requests.
    SaysAndWaits(Vec<u8>),
    /// Sends these bytes, then resets.
    SaysAndResets(Vec<u8>),
    /// Sends these bytes, then the second ones without end.
    SaysForEver(Vec<u8>, Vec<u8>),
    /// Closes before a request arrives.
    ClosesAtOnce,
}

#[derive(Default)]
pub(super) struct Seen {
    pub(super) connections: AtomicUsize,
    pub(super) requests: AtomicUsize,
    pub(super) written: AtomicU64,
    pub(super) closed: AtomicUsize,
    pub(super) heads: Mutex<Vec<String>>,
}

impl Seen {
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.connections.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst))
    }
}

pub(super) struct Server {
    pub(super) at: SocketAddr,
    pub(super) seen: Arc<Seen>,
}

impl Server {
    pub(super) async fn start(does: Does) -> Self {
        Self::start_tls(does, None).await
    }

    pub(super) async fn start_tls(does: Does, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let at = listener.local_addr().expect("bound");
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (does, seen, tls) = (does.clone(), Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    if matches!(does, Does::SaysAndResets(_)) {
                        stream.set_zero_linger().expect("linger can be set");
                    }
                    // How a connection ends is the test's business; that it ended is counted.
                    match tls {
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &does, &seen).await.ok(),
                            Err(_) => None,
                        },
                        None => serve(stream, &does, &seen).await.ok(),
                    };
                    seen.closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self { at, seen }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/post", self.at)
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, does: &Does, seen: &Seen) -> io::Result<()> {
    if matches!(does, Does::ClosesAtOnce) {
        return stream.shutdown().await;
    }
    loop {
        let Some(head) = read_request(&mut stream).await? else { return Ok(()) };
        seen.requests.fetch_add(1, Ordering::SeqCst);
        seen.heads.lock().expect("not poisoned").push(head);
        match does {
            Does::Says(bytes) => {
                stream.write_all(bytes).await?;
                return stream.shutdown().await;
            }
            Does::SaysAndResets(bytes) => {
                stream.write_all(bytes).await?;
                // Lets what was said arrive first: a reset would overtake it.
                RealClock.sleep_until_boot(RealClock.boot().plus(Duration::from_millis(50))).await;
                return Ok(());
            }
            Does::SaysAndWaits(bytes) => stream.write_all(bytes).await?,
            Does::SaysForEver(first, more) => {
                stream.write_all(first).await?;
                loop {
                    stream.write_all(more).await?;
                    seen.written.fetch_add(more.len() as u64, Ordering::SeqCst);
                }
            }
            Does::ClosesAtOnce => return Ok(()),
        }
    }
}

/// Reads one request with a body of the announced length; `None` when the connection ends instead.
async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<String>> {
    let mut got = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&got).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.parse().expect("a length"));
            if body.len() >= length {
                return Ok(Some(head.to_owned()));
            }
        }
        if stream.read_buf(&mut got).await? == 0 {
            return Ok(None);
        }
    }
}

/// Knows the names it was told, and counts how often it was asked.
#[derive(Default)]
pub(super) struct Names {
    pub(super) known: BTreeMap<&'static str, Vec<SocketAddr>>,
    pub(super) asked: AtomicUsize,
    pub(super) delay: Option<(ManualClock, Duration)>,
}

impl Resolve for Names {
    fn resolve(&self, host: &str, port: u16) -> Resolved {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some((clock, by)) = &self.delay {
            clock.advance(*by);
        }
        let known = self.known.get(host).cloned().unwrap_or_default();
        let addresses =
            known.into_iter().map(|at| SocketAddr::new(at.ip(), if at.port() == 0 { port } else { at.port() }));
        let addresses: Vec<SocketAddr> = addresses.collect();
        Box::pin(async move { Ok(addresses) })
    }
}

pub(super) fn names(known: &[(&'static str, &[SocketAddr])]) -> Arc<Names> {
    let known = known.iter().map(|(name, addresses)| (*name, addresses.to_vec())).collect();
    Arc::new(Names { known, ..Names::default() })
}

/// A server certificate for a name, signed by itself.
pub(super) fn certificate(name: &str) -> (CertificateDer<'static>, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let certificate = made.cert.der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("safe versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("fits its key");
    (certificate, TlsAcceptor::from(Arc::new(config)))
}
