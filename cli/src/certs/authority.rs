//! A CA that signs certificates for callers and services. Its keys are ECDSA P-256, which every TLS library has; they
//! come from the cryptographic library's own generator.

use std::{net::IpAddr, time::Duration};

use hubkeep_core::{
    clock::Timestamp,
    id::CallerName,
    random::{Random, RandomError},
    tls::{self, RevocationList, Revoked},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use thiserror::Error as ThisError;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Certificates hold from a little before they are made, for machines whose clocks are behind.
const BEFORE: Duration = Duration::from_secs(300);
/// Long enough that nobody draws the same twice (CA/Browser Forum: at least 64 bits).
const SERIAL_BYTES: usize = 16;

/// A certificate that could not be made.
#[derive(Debug, ThisError)]
pub enum Error {
    /// What should be a CA's certificate or key is none.
    #[error("this is not the certificate and private key of a CA: {0}")]
    NotAnAuthority(String),
    /// The CA ends before the certificate would.
    #[error("the CA's own certificate ends before that: ask for fewer days, or make a new CA")]
    EndsTooLate,
    /// A host is neither a DNS name nor an IP address.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    Host(String),
    /// The time is out of range.
    #[error("this time cannot stand in a certificate")]
    Time,
    /// The library refused.
    #[error("the certificate cannot be made: {0}")]
    Library(#[from] rcgen::Error),
    /// No randomness for a serial number.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// From when until when a certificate holds.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// Its first moment.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

impl Validity {
    /// From just before `now` for this many days.
    pub fn days(now: Timestamp, days: u32) -> Self {
        Self {
            from: now.minus(BEFORE),
            until: now.plus(Duration::from_secs(u64::from(days).saturating_mul(86_400))),
        }
    }
}

/// A certificate that is asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The caller that it names.
    pub name: CallerName,
    /// The trust domain of that name.
    pub trust_domain: String,
    /// DNS names and IP addresses under which its holder serves; none for somebody who only calls.
    pub hosts: Vec<String>,
    /// How long it holds.
    pub validity: Validity,
}

/// A certificate and its private key, both PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its private key (PKCS #8).
    pub key: Zeroizing<String>,
}

/// A CA that signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    ends: Timestamp,
}

impl Authority {
    /// A new CA. What is given back with it must be kept: the key is nowhere else.
    ///
    /// # Errors
    /// If the machine gives no randomness, or the times are out of range.
    pub fn make(validity: Validity, random: &dyn Random) -> Result<(Self, Issued), Error> {
        let mut params = described("hubkeep CA", validity, random)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        let issued = Issued {
            certificate,
            key: Zeroizing::new(key.serialize_pem()),
        };
        let authority = Self {
            issuer: Issuer::new(params, key),
            ends: validity.until,
        };
        Ok((authority, issued))
    }

    /// The CA of this certificate and private key, both PEM.
    ///
    /// # Errors
    /// If they are not a CA's, or not of the same one.
    pub fn read(certificate: &str, key: &str) -> Result<Self, Error> {
        let not_one = |why: &dyn std::fmt::Display| Error::NotAnAuthority(why.to_string());
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|error| not_one(&error))?;
        let read = tls::Certificate::read(&der).ok_or_else(|| not_one(&"not a certificate"))?;
        let key = KeyPair::from_pem(key).map_err(|error| not_one(&error))?;
        if !read.is_of(key.public_key_raw()) {
            return Err(not_one(&"the key is another certificate's"));
        }
        Ok(Self {
            issuer: Issuer::from_ca_cert_der(&der, key).map_err(|error| not_one(&error))?,
            ends: read.not_after(),
        })
    }

    /// Makes a certificate with a key of its own: for a client, and for a server too where hosts are named.
    ///
    /// # Errors
    /// If a host is none, or the CA ends before the certificate would.
    pub fn issue(&self, wish: &Wish, random: &dyn Random) -> Result<Issued, Error> {
        if wish.validity.until > self.ends {
            return Err(Error::EndsTooLate);
        }
        self.sign(self.params(wish, random)?)
    }

    /// What is signed for a wish.
    ///
    /// # Errors
    /// If a host is none.
    pub fn params(&self, wish: &Wish, random: &dyn Random) -> Result<CertificateParams, Error> {
        let mut params = described(wish.name.as_str(), wish.validity, random)?;
        let uri = format!("spiffe://{}/{}", wish.trust_domain, wish.name);
        params.subject_alt_names.push(SanType::URI(uri.try_into()?));
        for host in &wish.hosts {
            params.subject_alt_names.push(san(host)?);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if !wish.hosts.is_empty() {
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }

    /// Signs the list of what it revoked, PEM, which says that a newer one comes before the end of `validity`.
    ///
    /// # Errors
    /// If the times are out of range.
    pub fn revoke(&self, list: &RevocationList, validity: Validity) -> Result<String, Error> {
        let entry = |revoked: &Revoked| {
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&revoked.serial),
                revocation_time: moment(revoked.since)?,
                reason_code: None,
                invalidity_date: None,
            })
        };
        let params = CertificateRevocationListParams {
            this_update: moment(validity.from)?,
            next_update: moment(validity.until)?,
            crl_number: SerialNumber::from(list.number),
            issuing_distribution_point: None,
            revoked_certs: list.revoked.iter().map(entry).collect::<Result<_, Error>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer)?.pem()?)
    }

    /// Signs what is described, with a new key, as it is: for certificates that nobody should wish for.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn sign(&self, params: CertificateParams) -> Result<Issued, Error> {
        let key = KeyPair::generate()?;
        Ok(Issued {
            certificate: params.signed_by(&key, &self.issuer)?.pem(),
            key: Zeroizing::new(key.serialize_pem()),
        })
    }
}

fn described(common_name: &str, validity: Validity, random: &dyn Random) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = moment(validity.from)?;
    params.not_after = moment(validity.until)?;
    let mut serial = random.bytes::<SERIAL_BYTES>()?;
    // A serial number is positive (RFC 5280, 4.1.2.2).
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn moment(time: Timestamp) -> Result<OffsetDateTime, Error> {
    OffsetDateTime::from_unix_timestamp(time.as_micros().div_euclid(1_000_000)).map_err(|_| Error::Time)
}

fn san(host: &str) -> Result<SanType, Error> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(ip));
    }
    let no_host = || Error::Host(host.to_owned());
    rustls::pki_types::DnsName::try_from(host).map_err(|_| no_host())?;
    Ok(SanType::DnsName(host.try_into().map_err(|_| no_host())?))
}
