//! Certificates of clients: which one a peer showed, which ones applications are given, and how a pinned one is read.
//!
//! The front end asks every TLS client for a certificate and insists on none. One that is shown proves only that the peer
//! holds its key; whom it stands for is looked up by its fingerprint.

use super::tls::{authority_key, authority_params, day};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Days for which an application's certificate is valid.
const APPLICATION_DAYS: i64 = 825;

/// A certificate made for an application.
#[derive(Debug)]
pub struct Issued {
    /// Certificate and key.
    pub pem: String,
    /// SHA-256 of the certificate, lower-case hexadecimal.
    pub fingerprint: String,
    /// When it runs out, milliseconds since 1970.
    pub until: u64,
}

/// Takes any client certificate whose key the peer holds; who that is others decide.
pub fn any_client() -> Arc<dyn ClientCertVerifier> {
    Arc::new(AnyClient(Arc::new(rustls::crypto::ring::default_provider())))
}

#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The fingerprint of the certificate a client showed, if it showed one.
pub fn of_peer(stream: &TlsStream<TcpStream>) -> Option<String> {
    stream.get_ref().1.peer_certificates()?.first().map(|c| fingerprint(c))
}

pub(super) fn fingerprint(certificate: &[u8]) -> String {
    Sha256::digest(certificate).iter().map(|b| format!("{b:02x}")).collect()
}

/// The fingerprint of the first certificate in a PEM file.
///
/// # Errors
/// When the file cannot be read or holds no certificate.
pub fn of_file(file: &Path) -> Result<String, String> {
    let pem = std::fs::read(file).map_err(|e| format!("the certificate file {} cannot be read: {e}", file.display()))?;
    match CertificateDer::pem_slice_iter(&pem).next() {
        Some(Ok(certificate)) => Ok(fingerprint(&certificate)),
        _ => Err(format!("{} holds no certificate; it should be a PEM file", file.display())),
    }
}

/// Makes a certificate for an application, signed by the front end's authority in `directory`.
///
/// # Errors
/// When the authority's files cannot be used.
pub fn issue(directory: &Path, name: &str) -> Result<Issued, String> {
    let authority = Issuer::new(authority_params()?, authority_key(directory)?);
    let failed = |e: rcgen::Error| format!("no certificate can be made: {e}");
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    params.not_before = day(today.saturating_sub(jiff::ToSpan::days(1)));
    params.not_after = day(today.saturating_add(jiff::ToSpan::days(APPLICATION_DAYS)));
    let until = u64::try_from(params.not_after.unix_timestamp()).unwrap_or(0) * 1000;
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.signed_by(&key, &authority).map_err(failed)?;
    let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
    Ok(Issued { pem, fingerprint: fingerprint(certificate.der()), until })
}

/// Certificates and key of a PEM file.
pub(super) fn identity(file: &Path) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let pem = std::fs::read(file).map_err(|e| format!("the certificate file {} cannot be read: {e}", file.display()))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).flatten().collect();
    let key = PrivateKeyDer::from_pem_slice(&pem);
    match (chain.is_empty(), key) {
        (false, Ok(key)) => Ok((chain, key)),
        _ => Err(format!("{} must hold a certificate and its key (PEM); adsum trust add makes such a file", file.display())),
    }
}
