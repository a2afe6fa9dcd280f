//! What a handshake failed of, in a sentence that says what to do.

use std::{error::Error as StdError, io};

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use tonic::Status;

use super::stranger::TLS_ONLY;

/// What to do about a service that takes TLS only.
const HTTPS: &str = "it takes TLS only: call it by https://, with a certificate";

/// The alerts by which a handshake is refused. The HTTP/2 library keeps of one that comes after the client's part is
/// done, as all about its certificate do in TLS 1.3, nothing but the words.
const ALERTS: [AlertDescription; 13] = [
    AlertDescription::CertificateRequired,
    AlertDescription::UnknownCA,
    AlertDescription::BadCertificate,
    AlertDescription::DecryptError,
    AlertDescription::CertificateExpired,
    AlertDescription::UnsupportedCertificate,
    AlertDescription::CertificateUnknown,
    AlertDescription::CertificateRevoked,
    AlertDescription::HandshakeFailure,
    AlertDescription::AccessDenied,
    AlertDescription::ProtocolVersion,
    AlertDescription::NoApplicationProtocol,
    AlertDescription::UnrecognisedName,
];

/// If a call failed because no connection came through its handshake: why, in a sentence. Nothing was sent then that
/// anybody has read.
pub fn failed_handshake(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(why) = of_cause(error) {
            return Some(why);
        }
        cause = cause_of(error);
    }
    None
}

/// The same of what a call ended with.
pub fn refused_connection(status: &Status) -> Option<String> {
    if status.details().is_empty() && status.message() == TLS_ONLY {
        return Some(HTTPS.to_owned());
    }
    std::error::Error::source(status).and_then(failed_handshake)
}

/// What lies in an error. An I/O error hides what it was made of: its source is already the source of that.
fn cause_of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn of_cause(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(tls) = error.downcast_ref::<Error>() {
        return Some(why_refused(tls));
    }
    let words = error.to_string();
    if words.contains(TLS_ONLY) {
        return Some(HTTPS.to_owned());
    }
    let heard = |alert: &&AlertDescription| words.contains(&Error::AlertReceived(**alert).to_string());
    ALERTS.iter().find(heard).map(|alert| of_alert(*alert))
}

/// What an error says, without the page of its library's manual where a connection was cut.
pub fn plainly(error: &dyn StdError) -> String {
    let words = error.to_string();
    if words.contains("without sending TLS close_notify") {
        return "the connection was cut".to_owned();
    }
    words
}

/// The sentence about this error.
pub fn why_refused(error: &Error) -> String {
    match error {
        Error::NoCertificatesPresented => "no certificate was shown".to_owned(),
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::InvalidCertRevocationList(error) => {
            format!("the list of revoked certificates cannot be used: {error:?}")
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the other side does not speak TLS".to_owned()
        }
        Error::PeerIncompatible(_) => format!("no common version of TLS: take 1.3 ({error})"),
        Error::NoApplicationProtocol => "the other side does not speak HTTP/2 over TLS (ALPN h2)".to_owned(),
        Error::AlertReceived(alert) => of_alert(*alert),
        other => other.to_string(),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    let sentence = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired: take a new one"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate does not hold yet: compare the clocks"
        }
        CertificateError::Revoked => "its certificate was revoked: take a new one",
        CertificateError::UnknownRevocationStatus => {
            "the CA that signed its certificate has no list of what it revoked in tls.crl_file"
        }
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            "the list of revoked certificates is older than it may be: put a new one in place"
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is not signed by the CA that is trusted here"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for other hosts than the one that was called: issue it with --host"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not for this purpose: a client's serves no service, and a server's calls none"
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is a CA's own: a CA signs certificates and shows none"
        }
        CertificateError::Other(other) => return format!("its certificate is not accepted: {}", other.0),
        other => return format!("its certificate is not accepted: {other}"),
    };
    sentence.to_owned()
}

/// What the other side says of us.
fn of_alert(alert: AlertDescription) -> String {
    let sentence = match alert {
        AlertDescription::CertificateRequired => "it asks for a certificate, and none was shown",
        AlertDescription::UnknownCA | AlertDescription::BadCertificate | AlertDescription::DecryptError => {
            "it does not trust the CA of the certificate that was shown"
        }
        AlertDescription::CertificateExpired => {
            "the certificate that was shown has expired, or does not hold yet: take a new one, or compare the clocks"
        }
        AlertDescription::CertificateRevoked => "the certificate that was shown was revoked: take a new one",
        AlertDescription::UnsupportedCertificate | AlertDescription::CertificateUnknown => {
            "the certificate that was shown is not one that a client may show"
        }
        AlertDescription::ProtocolVersion => "it takes TLS 1.3 only",
        AlertDescription::NoApplicationProtocol => "it does not speak HTTP/2 over TLS (ALPN h2)",
        other => return format!("it ended the handshake ({other:?})"),
    };
    sentence.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_connection_is_told_without_a_page_of_a_manual() {
        let manual = "peer closed connection without sending TLS close_notify: https://docs.rs/rustls/latest/rustls/manual/";
        assert_eq!(plainly(&io::Error::other(manual)), "the connection was cut");
        assert_eq!(plainly(&io::Error::other("refused")), "refused");
    }

    #[test]
    fn a_handshake_that_failed_is_found_however_deep_it_lies() {
        let tls = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::other(tls.clone()));
        let expected = why_refused(&tls);
        assert_eq!(failed_handshake(&tls).as_deref(), Some(expected.as_str()));
        assert_eq!(failed_handshake(&wrapped).as_deref(), Some(expected.as_str()));
        let words = Error::AlertReceived(AlertDescription::UnknownCA).to_string();
        let said = failed_handshake(&io::Error::other(words)).expect("found");
        assert!(said.contains("does not trust the CA"), "{said}");
        assert_eq!(failed_handshake(&io::Error::other("connection refused")), None);
    }
}
