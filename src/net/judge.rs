//! The judgement of a server's certificate: signed by somebody trusted and for one of the right names, or pinned. What was
//! shown is kept, so that a refusal can say who issued it, until when it lasts and for which names it is.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Names of a certificate that are told.
const MOST_NAMES: usize = 8;

/// Characters of an issuer's name that are told.
const MOST_CHARS: usize = 200;

/// A certificate in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 of the certificate, lower-case hexadecimal.
    pub fingerprint: String,
    /// Who issued it.
    pub issuer: String,
    /// First and last day of its validity, `2026-03-01`.
    pub validity: (String, String),
    /// The names it is for, SIP domains included.
    pub names: Vec<String>,
    /// It was issued by nobody but itself.
    pub own: bool,
}

impl Facts {
    /// Reads a certificate; what cannot be read stays empty.
    pub fn of(certificate: &[u8]) -> Facts {
        let mut facts = Facts { fingerprint: super::certificates::fingerprint(certificate), ..Facts::default() };
        let Ok((_, read)) = X509Certificate::from_der(certificate) else { return facts };
        let organization = read.issuer().iter_organization().next().and_then(|o| o.as_str().ok()).and_then(told);
        let common = read.issuer().iter_common_name().next().and_then(|c| c.as_str().ok()).and_then(told);
        facts.issuer = match (common, organization) {
            (Some(c), Some(o)) if c != o => format!("{c} ({o})"),
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => "nobody named".into(),
        };
        facts.own = read.issuer() == read.subject();
        let day = |t: i64| jiff::Timestamp::from_second(t).map(|t| t.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
        facts.validity = (day(read.validity().not_before.timestamp()), day(read.validity().not_after.timestamp()));
        facts.names = names(&read);
        facts
    }

    /// As it is written into a configuration.
    pub fn pin(&self) -> String {
        format!("sha256:{}", self.fingerprint)
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = if self.names.is_empty() { "no names".to_owned() } else { self.names.join(", ") };
        let issuer = if self.own { "itself" } else { &self.issuer };
        write!(f, "it is for {names}, issued by {issuer}, valid from {} to {}, {}", self.validity.0, self.validity.1, self.pin())
    }
}

/// A name that whoever made the certificate chose, without what could steer a terminal; `None`: nothing is left of it.
fn told(name: &str) -> Option<String> {
    let clean: String = name.chars().filter(|c| !c.is_control()).take(MOST_CHARS).collect();
    (!clean.trim().is_empty()).then_some(clean)
}

/// Names in the certificate: hosts, addresses and SIP domains; without any, the common name.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut out = Vec::new();
    if let Ok(Some(others)) = certificate.subject_alternative_name() {
        for name in &others.value.general_names {
            match name {
                GeneralName::DNSName(n) => out.push((*n).to_owned()),
                GeneralName::URI(u) => out.push((*u).to_owned()),
                GeneralName::IPAddress(b) => match <[u8; 4]>::try_from(*b) {
                    Ok(four) => out.push(std::net::Ipv4Addr::from(four).to_string()),
                    Err(_) => out.extend(<[u8; 16]>::try_from(*b).ok().map(|six| std::net::Ipv6Addr::from(six).to_string())),
                },
                _ => {}
            }
        }
    }
    if out.is_empty() {
        out.extend(certificate.subject().iter_common_name().filter_map(|c| c.as_str().ok()).map(str::to_owned));
    }
    let mut clean: Vec<String> = out.into_iter().map(|n| n.chars().filter(|c| c.is_ascii_graphic()).collect()).collect();
    clean.dedup();
    clean.truncate(MOST_NAMES);
    clean
}

/// What was shown in one handshake.
pub(super) type Shown = Arc<Mutex<Option<Vec<u8>>>>;

/// Judges one handshake.
#[derive(Debug)]
pub(super) struct Judge {
    /// Who signs.
    pub inner: Arc<dyn ServerCertVerifier>,
    /// Names it may be for.
    pub names: Vec<ServerName<'static>>,
    /// SIP domains it may be for (RFC 5922 7.1).
    pub domains: Vec<String>,
    /// The fingerprint it must have; nothing else counts then.
    pub pin: Option<String>,
    pub shown: Shown,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _asked: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(end.to_vec());
        if let Some(pin) = &self.pin {
            let same = super::certificates::fingerprint(end) == *pin;
            let other = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
            return if same { Ok(ServerCertVerified::assertion()) } else { Err(other) };
        }
        let mut refused = Error::InvalidCertificate(CertificateError::NotValidForName);
        for name in &self.names {
            match self.inner.verify_server_cert(end, between, name, ocsp, now) {
                Err(Error::InvalidCertificate(
                    e @ (CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }),
                )) => refused = Error::InvalidCertificate(e),
                done => return done,
            }
        }
        // Signed by somebody trusted, and made for the domain in the way of RFC 5922.
        let spoken = Facts::of(end).names;
        let ours = |n: &String| n.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("sip:")) && self.speaks_for(n.get(4..));
        if spoken.iter().any(ours) { Ok(ServerCertVerified::assertion()) } else { Err(refused) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

impl Judge {
    fn speaks_for(&self, domain: Option<&str>) -> bool {
        self.domains.iter().any(|d| domain.is_some_and(|n| n.eq_ignore_ascii_case(d)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn issued_by(common: &str, organization: &str) -> Facts {
        let mut params = CertificateParams::new(vec!["sip.example.org".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        params.distinguished_name.push(DnType::OrganizationName, organization);
        Facts::of(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der())
    }

    #[test]
    fn an_issuer_cannot_steer_the_terminal_it_is_named_on() {
        let facts = issued_by("Böse\u{1b}[2J\u{9b}1m\r\n", "Trusted\u{7}");
        assert_eq!(facts.issuer, "Böse[2J1m (Trusted)");
        assert_eq!(issued_by("\u{1b}\u{7}", "\u{1}").issuer, "nobody named");
        assert_eq!(issued_by(&"x".repeat(5000), "").issuer.len(), MOST_CHARS);
    }
}
