//! Both services with certificates, a list of what is revoked, and a clock that the test moves.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use hubkeep_core::{
    clock::{MockClock, SystemClock},
    tls::{Certificate, Config},
};
use hubkeep_proto::credential::v1::{IntrospectHandleRequest, handle_service_client::HandleServiceClient};
use hubspot_sim::World;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt as _;

use super::{
    certificates::Certificates,
    crm::Crm,
    hubkeep::{Hubkeep, Service},
};
use crate::eventually;

/// The only client.
pub const CLIENT: &str = "client-0001";
/// Between two looks of a test. The services look at their files every few seconds of the same clock.
const STEP: Duration = Duration::from_millis(200);

/// Both services.
pub struct Certified {
    /// They.
    pub hubkeep: Hubkeep,
    /// Their clock.
    pub clock: Arc<MockClock>,
}

impl Certified {
    /// Started, after `change` of the section `[tls]` of both.
    pub async fn start(change: fn(&mut Config)) -> Self {
        let clock = MockClock::at(SystemClock::shared().now());
        let changed = move |tls: &mut Option<Config>| {
            let tls = tls.as_mut().expect("it has certificates");
            tls.crl_file = Some(tls.ca_file.with_extension("crl"));
            change(tls);
        };
        let setup = Hubkeep::over(World::of_portals(1))
            .certificates()
            .clock(clock.clone())
            .credential(move |config| changed(&mut config.tls))
            .crm(move |config| changed(&mut config.tls));
        let hubkeep = setup.start().await;
        hubkeep.onboard_all().await;
        Self { hubkeep, clock }
    }

    /// Who has certificates.
    pub fn certificates(&self) -> &Certificates {
        self.hubkeep.certificates()
    }

    /// A file among the certificates.
    pub fn file(&self, name: &str) -> PathBuf {
        self.hubkeep.folder().join("certs").join(name)
    }

    /// The files of a service, as they were made.
    pub fn files(&self, service: Service) -> Config {
        Config {
            certificate_file: self.file(&format!("{}.crt", service.name())),
            key_file: self.file(&format!("{}.key", service.name())),
            ..Config::default()
        }
    }

    /// Puts a list in place that revokes these and one more, and waits until the service goes by it: then it has looked
    /// at all its files.
    pub async fn until_looked_at(&self, service: Service, revoked: &mut Vec<Vec<u8>>, days: u32) {
        let witness = self.certificates().another("witness");
        let open = witness.connect(self.hubkeep.door(service).address());
        assert_eq!(self.told(service, &open).await, "HANDLE_MALFORMED");
        revoked.push(witness.serial());
        self.certificates().revoke(revoked, days);
        eventually!(self.told(service, &open).await == "CALLER_UNKNOWN");
    }

    /// The reason that a caller is given for a call that could succeed for nobody, a moment later. Whoever is let in
    /// hears of the handle, and who gets no connection an empty one.
    pub async fn told(&self, service: Service, channel: &Channel) -> String {
        let status = self.call(service, channel).await;
        let details = status.get_error_details();
        details
            .error_info()
            .map_or_else(String::new, |info| info.reason.clone())
    }

    /// What that call ends with.
    pub async fn call(&self, service: Service, channel: &Channel) -> Status {
        self.clock.advance(STEP);
        let channel = channel.clone();
        let question = IntrospectHandleRequest {
            handle: "none".to_owned(),
        };
        let answer = match service {
            Service::Credential => HandleServiceClient::new(channel)
                .introspect_handle(question)
                .await
                .map(drop),
            Service::Crm => {
                let crm = Crm::of(channel, "").silent().naming(CLIENT);
                crm.get("contacts", "1").await.map(drop)
            }
        };
        answer.expect_err("there is no such handle")
    }

    /// The thumbprint of what a service shows to somebody who connects a moment later.
    pub async fn shown(&self, service: Service) -> Vec<u8> {
        self.clock.advance(STEP);
        shown(self.hubkeep.door(service).address(), self.certificates().ca()).await
    }
}

async fn shown(address: SocketAddr, ca: &str) -> Vec<u8> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca.as_bytes()).expect("PEM");
    roots.add(ca).expect("a CA");
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.expect("accepted");
    let connector = TlsConnector::from(Arc::new(config));
    let connected = connector.connect(ServerName::from(address.ip()), stream).await;
    let connected = connected.expect("it shows its certificate before it looks at ours");
    let leaf = connected.get_ref().1.peer_certificates().expect("shown");
    Certificate::read(&leaf[0]).expect("read").thumbprint().to_vec()
}
