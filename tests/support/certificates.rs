//! A CA and certificates from it, made by the product's own code; and those that it would not make.

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use hubkeep::certs::{Authority, CertsDir, Issued, Validity, Wish};
use hubkeep_core::{
    clock::Timestamp,
    random::SystemRandom,
    tls::{Certificate as Read, Config, DEFAULT_TRUST_DOMAIN, RevocationList, Revoked},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// The hosts under which services are called here.
pub const HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];
const DAYS: u32 = 30;

/// A CA, and who has a certificate from it.
pub struct Certificates {
    authority: Authority,
    ca: String,
    dir: PathBuf,
    now: Timestamp,
    known: Mutex<HashMap<String, Holder>>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates(…)")
    }
}

/// Somebody with a certificate.
#[derive(Clone)]
pub struct Holder {
    issued: Arc<Issued>,
    /// The CA by which services are known.
    ca: String,
    channels: Arc<Mutex<HashMap<SocketAddr, Channel>>>,
}

impl Certificates {
    /// A new CA, in a folder below this one.
    pub fn new(folder: &Path, now: Timestamp) -> Self {
        let dir = folder.join("certs");
        let made = Authority::make(Validity::days(now, DAYS + 1), &*SystemRandom::shared());
        let (authority, issued) = made.expect("a CA");
        CertsDir::at(&dir).keep_authority(&issued).expect("written");
        let this = Self {
            authority,
            ca: issued.certificate.clone(),
            dir,
            now,
            known: Mutex::default(),
        };
        this.revoke(&[], DAYS);
        this
    }

    /// Puts a list in place that revokes these, and is to be followed by a newer one after so many days.
    pub fn revoke(&self, serials: &[Vec<u8>], days: u32) -> PathBuf {
        let revoked = serials.iter().map(|serial| Revoked {
            serial: serial.clone(),
            since: self.now,
        });
        let list = RevocationList {
            number: 1,
            revoked: revoked.collect(),
        };
        let list = self.authority.revoke(&list, Validity::days(self.now, days));
        let dir = CertsDir::at(&self.dir);
        dir.keep_list(&list.expect("signed")).expect("written")
    }

    /// Puts another certificate with another key in the place of a service's, and gives it.
    pub fn renew(&self, files: &Config, name: &str) -> Read {
        let issued = self.of_service(name);
        replace(&files.key_file, &issued.key);
        replace(&files.certificate_file, &issued.certificate);
        read(&issued.certificate)
    }

    /// The serial number of a service's certificate.
    pub fn serial_of(&self, files: &Config) -> Vec<u8> {
        let text = std::fs::read_to_string(&files.certificate_file).expect("read");
        read(&text).serial().to_vec()
    }

    /// A certificate with which a service of this name serves.
    pub fn of_service(&self, name: &str) -> Issued {
        let wish = Wish {
            hosts: HOSTS.map(str::to_owned).to_vec(),
            ..self.wish(name)
        };
        self.authority
            .issue(&wish, &*SystemRandom::shared())
            .expect("issued")
    }

    /// The CA, PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// What is asked for when nothing else is said: a certificate for calling, of this name.
    pub fn wish(&self, name: &str) -> Wish {
        Wish {
            name: name.parse().expect("a caller's name"),
            trust_domain: DEFAULT_TRUST_DOMAIN.to_owned(),
            hosts: Vec::new(),
            validity: Validity::days(self.now, DAYS),
        }
    }

    /// The files of a service of this name.
    pub fn service(&self, name: &str) -> Config {
        let issued = self.of_service(name);
        let dir = CertsDir::at(&self.dir);
        let files = dir.keep(&self.wish(name).name, &issued).expect("written");
        Config {
            certificate_file: files.certificate,
            key_file: files.key,
            ca_file: dir.authority().certificate,
            ..Config::default()
        }
    }

    /// The holder of this name: each time the same certificate.
    pub fn of(&self, name: &str) -> Holder {
        let mut known = self.known.lock().expect("no panic");
        let holder = known
            .entry(name.to_owned())
            .or_insert_with(|| self.by_wish(&self.wish(name)));
        holder.clone()
    }

    /// Somebody with another certificate of this name.
    pub fn another(&self, name: &str) -> Holder {
        self.by_wish(&self.wish(name))
    }

    /// Somebody whose certificate ended a moment ago.
    pub fn expired(&self, name: &str) -> Holder {
        let second = Duration::from_secs(1);
        let validity = Validity {
            from: self.now.minus(Duration::from_secs(3_600)),
            until: self.now.minus(second),
        };
        self.by_wish(&Wish {
            validity,
            ..self.wish(name)
        })
    }

    /// Somebody whose certificate will hold in an hour.
    pub fn not_yet(&self, name: &str) -> Holder {
        let hour = Duration::from_secs(3_600);
        let validity = Validity {
            from: self.now.plus(hour),
            until: self.now.plus(2 * hour),
        };
        self.by_wish(&Wish {
            validity,
            ..self.wish(name)
        })
    }

    /// Somebody with what was wished for.
    pub fn by_wish(&self, wish: &Wish) -> Holder {
        self.holder(
            self.authority
                .issue(wish, &*SystemRandom::shared())
                .expect("issued"),
        )
    }

    /// Somebody with a certificate that is like this one's but for a change.
    pub fn changed(&self, name: &str, change: impl FnOnce(&mut rcgen::CertificateParams)) -> Holder {
        let params = self.authority.params(&self.wish(name), &*SystemRandom::shared());
        let mut params = params.expect("described");
        change(&mut params);
        self.holder(self.authority.sign(params).expect("signed"))
    }

    /// Somebody whose certificate is issued by a CA that this one has issued, and shown with that; and that one, as DER.
    pub fn by_intermediate(&self, name: &str) -> (Holder, Vec<u8>) {
        let wish = self.wish(name);
        let params = self.authority.params(&wish, &*SystemRandom::shared());
        let mut params = params.expect("described");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![
            rcgen::KeyUsagePurpose::KeyCertSign,
            rcgen::KeyUsagePurpose::CrlSign,
        ];
        params.extended_key_usages.clear();
        params.subject_alt_names.clear();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "between");
        let between = self.authority.sign(params).expect("signed");
        let authority = Authority::read(&between.certificate, &between.key).expect("a CA");
        // It ends before the one that it is issued by.
        let wish = Wish {
            validity: Validity::days(self.now, DAYS - 1),
            ..wish
        };
        let mut issued = authority.issue(&wish, &*SystemRandom::shared()).expect("issued");
        issued.certificate.push_str(&between.certificate);
        let der = CertificateDer::from_pem_slice(between.certificate.as_bytes());
        (self.holder(issued), der.expect("a certificate").to_vec())
    }

    fn holder(&self, issued: Issued) -> Holder {
        Holder {
            issued: Arc::new(issued),
            ca: self.ca.clone(),
            channels: Arc::default(),
        }
    }
}

impl Holder {
    /// The same, trusting services of this CA.
    #[must_use]
    pub fn trusting(self, ca: &str) -> Self {
        Self {
            ca: ca.to_owned(),
            channels: Arc::default(),
            ..self
        }
    }

    /// The serial number of its certificate.
    pub fn serial(&self) -> Vec<u8> {
        read(&self.issued.certificate).serial().to_vec()
    }

    /// The certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.issued.certificate
    }

    /// The private key, PEM.
    pub fn key(&self) -> &str {
        &self.issued.key
    }

    /// Its side of TLS.
    pub fn tls(&self) -> ClientTlsConfig {
        let own = Identity::from_pem(&self.issued.certificate, self.issued.key.as_str());
        by_ca(&self.ca).identity(own)
    }

    /// Its connection to this address: each time the same.
    pub fn connect(&self, address: SocketAddr) -> Channel {
        let mut channels = self.channels.lock().expect("no panic");
        let channel = channels
            .entry(address)
            .or_insert_with(|| over_tls(address, self.tls()));
        channel.clone()
    }

    /// Puts certificate, key and CA into a folder, and gives the options that name them to the operator's command.
    pub fn options(&self, folder: &Path) -> Vec<String> {
        let files = self.files(folder).into_iter();
        files
            .flat_map(|(option, file)| [format!("--{option}"), file])
            .collect()
    }

    /// The same as the environment in which a client finds them.
    pub fn environment(&self, folder: &Path) -> Vec<(String, String)> {
        let files = self.files(folder).into_iter();
        files
            .map(|(option, file)| (format!("HUBKEEP_{}", option.to_uppercase()), file))
            .collect()
    }

    fn files(&self, folder: &Path) -> [(&'static str, String); 3] {
        use std::os::unix::fs::PermissionsExt as _;
        let files = [
            ("cert", &self.issued.certificate),
            ("key", &*self.issued.key),
            ("ca", &self.ca),
        ];
        files.map(|(option, text)| {
            let file = folder.join(format!("own--{option}.pem"));
            std::fs::write(&file, text).expect("written");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
            (option, file.display().to_string())
        })
    }
}

fn read(certificate: &str) -> Read {
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM");
    Read::read(&der).expect("a certificate")
}

/// Puts a file in another's place, as whoever renews a certificate does.
pub fn replace(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let beside = file.with_extension("new");
    std::fs::write(&beside, text).expect("written");
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o600)).expect("set");
    std::fs::rename(&beside, file).expect("renamed");
}

/// TLS that trusts services of this CA, without a certificate of its own.
pub fn by_ca(ca: &str) -> ClientTlsConfig {
    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca))
}

/// A connection by these rules.
pub fn over_tls(address: SocketAddr, tls: ClientTlsConfig) -> Channel {
    let endpoint = Endpoint::from_shared(format!("https://{address}")).expect("valid");
    endpoint.tls_config(tls).expect("valid").connect_lazy()
}
