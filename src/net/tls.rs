//! TLS on both sides: a certificate authority of the front end's own, and clients that trust the system's authorities or
//! one that was named.

use super::certificates;
use super::dial::{ConnectError, Refused};
use super::judge::{Facts, Judge, Shown};
use super::stream::Ends;
use super::tcp;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore, ServerConfig};
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, PoisonError};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The authority's certificate in the front end's data directory; clients are given it.
pub const CA_FILE: &str = "ca.pem";

/// The authority's key beside it, readable by its owner only.
const CA_KEY_FILE: &str = "ca-key.pem";

/// Permissions of a file with a key in it.
pub(crate) const SECRET: u32 = 0o600;
/// Permissions of a file that everybody may read.
const PUBLIC: u32 = 0o644;

/// Years for which the authority is valid; a server's certificate is made anew at every start and valid as long as browsers
/// of today accept.
const CA_YEARS: i16 = 10;
const LEAF_DAYS: i64 = 397;

/// Whom a client trusts.
#[derive(Clone, Debug)]
pub struct Trust {
    provider: Arc<CryptoProvider>,
    judge: Arc<dyn ServerCertVerifier>,
    /// Our own certificate and its key.
    identity: Option<Arc<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>>,
    own_authority: bool,
    pin: Option<String>,
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
        let judge = match authority {
            Some(file) => named(file, &provider)?,
            None => system(provider.clone())?,
        };
        let shown = identity.map(certificates::identity).transpose()?.map(Arc::new);
        let trust = Trust { provider, judge, identity: shown, own_authority: authority.is_some(), pin: None };
        if let Some(file) = identity {
            let unfit = |e| format!("the certificate in {} cannot be used: {e}", file.display());
            trust.config(trust.judge.clone()).map_err(unfit)?;
        }
        Ok(trust)
    }

    /// Trusts exactly the certificate of this fingerprint, `sha256:` and 64 hexadecimal digits, whoever has signed it.
    ///
    /// # Errors
    /// When it is no fingerprint.
    pub fn pinned(mut self, pin: &str) -> Result<Trust, String> {
        let digits: String = pin.trim().trim_start_matches("sha256:").chars().filter(|c| *c != ':').collect();
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!("“{pin}” is no fingerprint of a certificate; it is sha256: and 64 hexadecimal digits"));
        }
        self.pin = Some(digits.to_ascii_lowercase());
        Ok(self)
    }

    /// The same for other servers than the pinned one.
    #[must_use]
    pub fn without_pin(&self) -> Trust {
        Trust { pin: None, ..self.clone() }
    }

    fn config(&self, judge: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(self.provider.clone()).with_safe_default_protocol_versions()?;
        let builder = builder.dangerous().with_custom_certificate_verifier(judge);
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some(identity) => builder.with_client_auth_cert(identity.0.clone(), identity.1.clone_key()),
        }
    }
}

fn named(authority: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let unfit = |e| format!("the authority in {} cannot be used: {e}", authority.display());
    let roots = Arc::new(roots(authority)?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build().map_err(unfit)?;
    Ok(verifier)
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

/// Connects to `host:port` with TLS; the certificate must be for one of `names`, the first of which is asked for.
///
/// # Errors
/// One sentence that says what failed and what to do.
pub async fn connect(
    host: &str,
    port: u16,
    names: &[String],
    trust: &Trust,
) -> Result<(TlsStream<TcpStream>, Ends), ConnectError> {
    attempt(host, port, names, trust).await.map_err(|refused| refused.error)
}

/// The same; a refusal comes with the certificate that was shown.
///
/// # Errors
/// As [`connect`].
pub async fn attempt(host: &str, port: u16, names: &[String], trust: &Trust) -> Result<(TlsStream<TcpStream>, Ends), Refused> {
    let (socket, ends) = tcp::connect(host, port).await?;
    let fits: Vec<ServerName<'static>> = names.iter().filter_map(|n| ServerName::try_from(n.clone()).ok()).collect();
    let Some(asked) = fits.first().cloned() else {
        let text = format!("“{}” is no host name that a certificate could be for", names.first().map_or(host, String::as_str));
        return Err(ConnectError::Tls(text).into());
    };
    let shown = Shown::default();
    let judge =
        Judge { inner: trust.judge.clone(), names: fits, domains: names.to_vec(), pin: trust.pin.clone(), shown: shown.clone() };
    let config = trust.config(Arc::new(judge)).map_err(|e| ConnectError::Tls(format!("TLS cannot be set up: {e}")))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(asked, socket);
    match tokio::time::timeout(tcp::CONNECT_TIMEOUT, handshake).await {
        Err(_) => {
            Err(ConnectError::Tls(format!("{host}:{port} does not answer the TLS handshake; is it a port for TLS?")).into())
        }
        Ok(Err(e)) => {
            let facts = shown.lock().unwrap_or_else(PoisonError::into_inner).as_deref().map(Facts::of);
            let mut text = explain(host, port, &e, trust);
            if let (Some(facts), Some(rustls::Error::InvalidCertificate(_))) = (&facts, inner(&e)) {
                text = format!("{text} ({facts})");
            }
            Err(Refused { error: ConnectError::Tls(text), certificate: facts.map(Box::new) })
        }
        Ok(Ok(stream)) => Ok((stream, ends)),
    }
}

fn inner(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>())
}

fn explain(host: &str, port: u16, error: &std::io::Error, trust: &Trust) -> String {
    use rustls::Error as E;
    let own_authority = trust.own_authority;
    match inner(error) {
        Some(E::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) if trust.pin.is_some() => {
            format!(
                "{host} shows another certificate than the one pinned for this account; ask whoever runs the server, and change pin when it is right"
            )
        }
        Some(E::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })) => {
            format!("the certificate of {host} is for another name; set server to a name it was made for, or pin it")
        }
        // Every front end's own authority has the same name, so a stranger's shows as a bad signature.
        Some(E::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) if own_authority => {
            format!(
                "the certificate of {host} was not signed by the authority in ca_file; fetch the right ca.pem from the server"
            )
        }
        Some(E::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            format!(
                "nobody this system trusts has signed the certificate of {host}; name its authority with ca_file (--ca), or pin it (--pin)"
            )
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
    write(&key, SECRET, &pair.serialize_pem())?;
    write(&certificate, PUBLIC, &signed.pem())?;
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

/// Writes a file with these permissions. One that is there already gets them before anything secret is in it.
///
/// # Errors
/// When the file cannot be written, or is not ours to restrict.
pub(crate) fn write(path: &Path, mode: u32, text: &str) -> Result<(), String> {
    let save = || {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())
    };
    save().map_err(|e: std::io::Error| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn shake(client: &Trust, host: &str, names: &[&str], dir: &Path) -> Result<(), ConnectError> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        shake_with(client, &[host.to_owned()], ensure_certificates(dir, &names).unwrap()).await
    }

    async fn shake_with(client: &Trust, asked: &[String], acceptor: TlsAcceptor) -> Result<(), ConnectError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async { acceptor.accept(listener.accept().await.unwrap().0).await.is_ok() };
        let (result, _) = tokio::join!(connect("localhost", port, asked, client), server);
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
        let facts = "it is for chat.example, issued by adsum front end authority, valid from 20";
        assert!(wrong_name.to_string().contains(facts), "{wrong_name}");
        let stranger = shake(&trust, "localhost", &["localhost"], other.path()).await.unwrap_err();
        assert!(stranger.to_string().contains("not signed by the authority in ca_file"), "{stranger}");
    }

    #[tokio::test]
    async fn one_of_several_names_is_enough_and_a_sip_domain_counts() {
        let dir = tempfile::tempdir().unwrap();
        ensure_certificates(dir.path(), &["localhost".into()]).unwrap();
        let trust = Trust::new(Some(&dir.path().join(CA_FILE))).unwrap();
        let asked = ["example.test".to_owned(), "sip.example.test".to_owned()];
        let with = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
            ensure_certificates(dir.path(), &names).unwrap()
        };
        assert_eq!(shake_with(&trust, &asked, with(&["sip.example.test"])).await, Ok(()));
        assert!(shake_with(&trust, &asked, with(&["other.test"])).await.is_err());
        let authority = Issuer::new(authority_params().unwrap(), authority_key(dir.path()).unwrap());
        let mut params = leaf_params(&["host.other.test".into()]).unwrap();
        params.subject_alt_names.push(rcgen::SanType::URI("sip:example.test".try_into().unwrap()));
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &authority).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .unwrap();
        assert_eq!(shake_with(&trust, &asked, TlsAcceptor::from(Arc::new(config))).await, Ok(()));
    }

    #[tokio::test]
    async fn a_pinned_certificate_is_trusted_whoever_signed_it_and_no_other_is() {
        let dir = tempfile::tempdir().unwrap();
        let nobody = tempfile::tempdir().unwrap();
        ensure_certificates(nobody.path(), &["localhost".into()]).unwrap();
        let trust = Trust::new(Some(&nobody.path().join(CA_FILE))).unwrap();
        let acceptor = ensure_certificates(dir.path(), &["other.test".into()]).unwrap();
        let asked = ["localhost".to_owned()];
        let text = shake_with(&trust, &asked, acceptor.clone()).await.unwrap_err().to_string();
        let pin: String = text.chars().skip_while(|c| *c != '(').collect();
        let pin = pin.split("sha256:").nth(1).unwrap().get(..64).unwrap();
        let pinned = trust.clone().pinned(&format!("sha256:{pin}")).unwrap();
        assert_eq!(shake_with(&pinned, &asked, acceptor).await, Ok(()));
        let renewed = ensure_certificates(dir.path(), &["other.test".into()]).unwrap();
        let changed = shake_with(&pinned, &asked, renewed).await.unwrap_err().to_string();
        assert!(changed.contains("another certificate than the one pinned"), "{changed}");
        assert!(trust.pinned("sha1:00").unwrap_err().contains("no fingerprint"));
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
    fn a_key_in_a_file_that_was_there_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bot.pem");
        std::fs::write(&file, "an old one, longer than the key").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        write(&file, SECRET, "key").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, SECRET);
        assert_eq!(std::fs::read(&file).unwrap(), b"key");
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
