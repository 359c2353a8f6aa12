//! The grammar that challenges, credentials and authentication info share: a scheme and comma separated parameters.

use crate::sip::header::{Headers, Name, split_quoted, unquote};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Param {
    name: String,
    value: String,
    quoted: bool,
}

/// Value of `WWW-Authenticate`, `Authorization`, `Authentication-Info` and their proxy siblings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthHeader {
    scheme: String,
    params: Vec<Param>,
}

impl AuthHeader {
    /// Without parameters.
    pub fn new(scheme: &str) -> AuthHeader {
        AuthHeader { scheme: scheme.to_owned(), params: Vec::new() }
    }

    /// Reads one header value. `None` without a scheme.
    pub fn parse(value: &str) -> Option<AuthHeader> {
        let value = value.trim();
        let (scheme, rest) = value.split_once([' ', '\t']).unwrap_or((value, ""));
        if scheme.is_empty() || scheme.contains(['=', ',', '"']) {
            return None;
        }
        let mut out = AuthHeader::new(scheme);
        for part in split_quoted(rest, ',') {
            let Some((name, value)) = part.split_once('=') else { continue };
            let value = value.trim();
            out.params.push(Param { name: name.trim().to_owned(), value: unquote(value), quoted: value.starts_with('"') });
        }
        Some(out)
    }

    /// The first header of this name with this scheme.
    pub fn find(headers: &Headers, name: &Name, scheme: &str) -> Option<AuthHeader> {
        AuthHeader::all(headers, name, scheme).next()
    }

    /// All headers of this name with this scheme.
    pub fn all<'a>(headers: &'a Headers, name: &'a Name, scheme: &'a str) -> impl Iterator<Item = AuthHeader> {
        headers.all(name).filter_map(AuthHeader::parse).filter(move |h| h.scheme.eq_ignore_ascii_case(scheme))
    }

    /// Scheme as written.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// A parameter without quotes and escapes; names compare without case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|p| p.name.eq_ignore_ascii_case(name)).map(|p| p.value.as_str())
    }

    /// Adds a quoted parameter.
    pub fn with(mut self, name: &str, value: &str) -> AuthHeader {
        self.params.push(Param { name: name.to_owned(), value: value.to_owned(), quoted: true });
        self
    }

    /// Adds a parameter without quotes.
    pub fn with_bare(mut self, name: &str, value: &str) -> AuthHeader {
        self.params.push(Param { name: name.to_owned(), value: value.to_owned(), quoted: false });
        self
    }
}

impl fmt::Display for AuthHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        let mut separator = " ";
        for Param { name, value, quoted } in &self.params {
            if *quoted {
                write!(f, "{separator}{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))?;
            } else {
                write!(f, "{separator}{name}={value}")?;
            }
            separator = ", ";
        }
        Ok(())
    }
}
