//! TLS on both sides: a certificate authority of the front end's own, and clients that trust the system's authorities or
//! one that was named.

use super::certificates;
use super::stream::Ends;
use super::tcp;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore, ServerConfig};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The authority's certificate in the front end's data directory; clients are given it.
pub const CA_FILE: &str = "ca.pem";

/// The authority's key beside it, readable by its owner only.
const CA_KEY_FILE: &str = "ca-key.pem";

/// Years for which the authority is valid; a server's certificate is made anew at every start and valid as long as browsers
/// of today accept.
const CA_YEARS: i16 = 10;
const LEAF_DAYS: i64 = 397;

/// Why a connection did not come up; one sentence each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The way there.
    #[error("{0}")]
    Connection(String),
    /// The certificate, or TLS itself.
    #[error("{0}")]
    Tls(String),
}

/// Whom a client trusts.
#[derive(Clone, Debug)]
pub struct Trust {
    config: Arc<ClientConfig>,
    own_authority: bool,
}

impl Trust {
    /// The system's authorities; with `authority` (a PEM file) only those in it.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate, or the system has no authorities.
    pub fn new(authority: Option<&Path>) -> Result<Trust, String> {
        Trust::with_identity(authority, None)
    }

    /// Likewise, showing a certificate of our own: a PEM file with the certificate and its key.
    ///
    /// # Errors
    /// As [`Trust::new`], and when the certificate cannot be used.
    pub fn with_identity(authority: Option<&Path>, identity: Option<&Path>) -> Result<Trust, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| format!("TLS cannot be set up: {e}"))?;
        let builder = match authority {
            Some(file) => builder.with_root_certificates(roots(file)?),
            None => builder.dangerous().with_custom_certificate_verifier(system(provider)?),
        };
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let (chain, key) = certificates::identity(file)?;
                let unfit = |e| format!("the certificate in {} cannot be used: {e}", file.display());
                builder.with_client_auth_cert(chain, key).map_err(unfit)?
            }
        };
        Ok(Trust { config: Arc::new(config), own_authority: authority.is_some() })
    }
}

fn roots(file: &Path) -> Result<RootCertStore, String> {
    let pem = std::fs::read(file).map_err(|e| format!("the certificate file {} cannot be read: {e}", file.display()))?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem).flatten() {
        store.add(certificate).map_err(|e| format!("{} holds a broken certificate: {e}", file.display()))?;
    }
    if store.is_empty() { Err(format!("{} holds no certificate; it should be a PEM file", file.display())) } else { Ok(store) }
}

fn system(provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let verifier = rustls_platform_verifier::Verifier::new(provider)
        .map_err(|e| format!("this system has no certificate authorities ({e}); install them, or name one with ca_file"))?;
    Ok(Arc::new(verifier))
}

/// Connects to `host:port` with TLS; the certificate must be for `host`.
///
/// # Errors
/// One sentence that says what failed and what to do.
pub async fn connect(host: &str, port: u16, trust: &Trust) -> Result<(TlsStream<TcpStream>, Ends), ConnectError> {
    let (socket, ends) = tcp::connect(host, port).await.map_err(ConnectError::Connection)?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| ConnectError::Tls(format!("“{host}” is no host name that a certificate could be for")))?;
    let handshake = TlsConnector::from(trust.config.clone()).connect(name, socket);
    match tokio::time::timeout(tcp::CONNECT_TIMEOUT, handshake).await {
        Err(_) => Err(ConnectError::Tls(format!("{host}:{port} does not answer the TLS handshake; is it a port for TLS?"))),
        Ok(Err(e)) => Err(ConnectError::Tls(explain(host, port, &e, trust.own_authority))),
        Ok(Ok(stream)) => Ok((stream, ends)),
    }
}

fn explain(host: &str, port: u16, error: &std::io::Error, own_authority: bool) -> String {
    use rustls::Error as E;
    match error.get_ref().and_then(|e| e.downcast_ref::<E>()) {
        Some(E::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })) => {
            format!("the certificate of {host} is for another name; use the name it was made for")
        }
        // Every front end's own authority has the same name, so a stranger's shows as a bad signature.
        Some(E::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) if own_authority => {
            format!(
                "the certificate of {host} was not signed by the authority in ca_file; fetch the right ca.pem from the server"
            )
        }
        Some(E::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            format!("nobody this system trusts has signed the certificate of {host}; name its authority with ca_file (--ca)")
        }
        Some(E::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            format!("the certificate of {host} has expired; tell whoever runs the server, and check this machine's clock")
        }
        Some(E::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. })) => {
            format!("the certificate of {host} is not valid yet; check this machine's clock")
        }
        Some(E::InvalidCertificate(other)) => format!("the certificate of {host} is not accepted: {other}"),
        Some(E::InvalidMessage(_)) => format!("{host}:{port} does not speak TLS; try TCP (tls = false), or another port"),
        Some(E::AlertReceived(_) | E::PeerIncompatible(_)) => {
            format!("{host} and adsum have no version of TLS in common; the server needs TLS 1.2 with ECDHE or later ({error})")
        }
        _ => format!("the TLS handshake with {host}:{port} failed: {error}"),
    }
}

/// A server's side of TLS. The authority in `directory` is made at the first start and kept; the certificate for `names`
/// (host names and addresses) is made at every start.
///
/// # Errors
/// When the files cannot be read or written.
pub fn ensure_certificates(directory: &Path, names: &[String]) -> Result<TlsAcceptor, String> {
    let key = authority_key(directory)?;
    let authority = Issuer::new(authority_params()?, key);
    let leaf_key = KeyPair::generate().map_err(|e| format!("no key can be made: {e}"))?;
    let leaf = leaf_params(names)?.signed_by(&leaf_key, &authority).map_err(|e| format!("no certificate can be made: {e}"))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|b| b.with_client_cert_verifier(certificates::any_client()).with_single_cert(vec![leaf.der().clone()], private))
        .map_err(|e| format!("TLS cannot be set up: {e}"))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The authority's key; both files are made when one is missing.
pub(super) fn authority_key(directory: &Path) -> Result<KeyPair, String> {
    let (certificate, key) = (directory.join(CA_FILE), directory.join(CA_KEY_FILE));
    if certificate.exists() && key.exists() {
        let pem = std::fs::read_to_string(&key).map_err(|e| format!("{}: {e}", key.display()))?;
        return KeyPair::from_pem(&pem)
            .map_err(|e| format!("{} is damaged ({e}); remove it and {CA_FILE} to make new ones", key.display()));
    }
    let pair = KeyPair::generate().map_err(|e| format!("no key can be made: {e}"))?;
    let signed = authority_params()?.self_signed(&pair).map_err(|e| format!("no certificate can be made: {e}"))?;
    write(&key, 0o600, &pair.serialize_pem())?;
    write(&certificate, 0o644, &signed.pem())?;
    Ok(pair)
}

pub(super) fn authority_params() -> Result<CertificateParams, String> {
    let mut params = CertificateParams::new(Vec::new()).map_err(|e| e.to_string())?;
    params.distinguished_name.push(DnType::CommonName, "adsum front end authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    params.not_before = day(today.saturating_sub(jiff::ToSpan::days(1)));
    params.not_after = rcgen::date_time_ymd(i32::from(today.year() + CA_YEARS), 1, 1);
    Ok(params)
}

fn leaf_params(names: &[String]) -> Result<CertificateParams, String> {
    let mut names = names.to_vec();
    names.dedup();
    let mut params = CertificateParams::new(names.clone()).map_err(|e| format!("{}: {e}", names.join(", ")))?;
    params.distinguished_name.push(DnType::CommonName, names.first().map_or("localhost", String::as_str));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    params.not_before = day(today.saturating_sub(jiff::ToSpan::days(1)));
    params.not_after = day(today.saturating_add(jiff::ToSpan::days(LEAF_DAYS)));
    Ok(params)
}

pub(super) fn day(date: jiff::civil::Date) -> time::OffsetDateTime {
    rcgen::date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
}

fn write(path: &Path, mode: u32, text: &str) -> Result<(), String> {
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path);
    file.and_then(|mut f| f.write_all(text.as_bytes())).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tokio::net::TcpListener;

    async fn shake(client: &Trust, host: &str, names: &[&str], dir: &Path) -> Result<(), ConnectError> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let acceptor = ensure_certificates(dir, &names).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async { acceptor.accept(listener.accept().await.unwrap().0).await.is_ok() };
        let (result, _) = tokio::join!(connect(host, port, client), server);
        result.map(drop)
    }

    #[tokio::test]
    async fn the_own_authority_is_trusted_when_named_and_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        ensure_certificates(dir.path(), &["localhost".into()]).unwrap();
        let trust = Trust::new(Some(&dir.path().join(CA_FILE))).unwrap();
        assert_eq!(shake(&trust, "localhost", &["localhost"], dir.path()).await, Ok(()));
        let wrong_name = shake(&trust, "localhost", &["chat.example"], dir.path()).await.unwrap_err();
        assert!(wrong_name.to_string().contains("for another name"), "{wrong_name}");
        let stranger = shake(&trust, "localhost", &["localhost"], other.path()).await.unwrap_err();
        assert!(stranger.to_string().contains("not signed by the authority in ca_file"), "{stranger}");
    }

    #[test]
    fn the_key_of_the_authority_is_private_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        ensure_certificates(dir.path(), &["localhost".into()]).unwrap();
        let key = dir.path().join(CA_KEY_FILE);
        let before = std::fs::read(&key).unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        ensure_certificates(dir.path(), &["localhost".into()]).unwrap();
        assert_eq!(std::fs::read(&key).unwrap(), before);
    }

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.pem");
        std::fs::write(&file, "hello").unwrap();
        assert!(Trust::new(Some(&file)).unwrap_err().contains("x.pem holds no certificate"));
        assert!(Trust::new(Some(&dir.path().join("none.pem"))).unwrap_err().contains("cannot be read"));
    }
}
