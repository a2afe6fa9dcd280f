//! Connections to the two services: where they are, who we say we are, and the handle we show.

use std::time::Duration;

use hubkeep_core::{grpc::CALLER_HEADER, tls::Dialer};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint, Uri},
};

use crate::{
    errors::{Error, cut_off},
    login::Login,
};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);

/// The name of the service that keeps the tokens.
pub const CREDENTIAL_SERVICE: &str = "credential-service";
/// The name of the service that calls HubSpot.
pub const CRM_SERVICE: &str = "crm-service";

/// What the generated clients are built on.
pub type Connection = InterceptedService<Channel, Identity>;

/// One of the two services, as one caller reaches it. Opens its connection with the first call.
#[derive(Clone, Debug)]
pub struct Service {
    name: &'static str,
    address: String,
    channel: Channel,
    /// What opens its connections, where they are over TLS.
    dialer: Option<Dialer>,
    identity: Identity,
}

impl Service {
    /// The service of this name at this address, for whom `login` says we are.
    ///
    /// # Errors
    /// If the address is neither `https://`, for which `login` must have a certificate, nor `http://` on loopback:
    /// tokens and handles travel on it.
    pub fn at(name: &'static str, address: &str, login: &Login) -> Result<Self, Error> {
        let unusable = |why: &str| Error::Usage(format!("{address} is no address of {name}: {why}"));
        let uri: Uri = address
            .parse()
            .map_err(|_| unusable("expected https://<host>:<port>, or http://127.0.0.1:<port>"))?;
        let scheme = uri.scheme_str().map(str::to_owned);
        let with = |endpoint: Endpoint| endpoint.connect_timeout(CONNECT).tcp_nodelay(true);
        let (channel, dialer, caller) = match scheme.as_deref() {
            Some("https") => {
                let dialer = login.certified()?;
                let channel = dialer.channel(&uri, with);
                let channel = channel.map_err(|error| unusable(&error.to_string()))?;
                (channel, Some(dialer), None)
            }
            Some("http") if is_loopback(&uri) => (
                with(Endpoint::from(uri)).connect_lazy(),
                None,
                Some(login.name()?),
            ),
            _ => {
                return Err(unusable(
                    "tokens and handles travel over https:// (with --cert, --key and --ca), and over http:// on \
                     loopback only",
                ));
            }
        };
        let caller = caller
            .map(|caller| MetadataValue::try_from(caller.as_str()))
            .transpose()
            .map_err(|_| Error::Usage("--as is not a name that can be sent".to_owned()))?;
        let identity = Identity {
            caller,
            authorization: None,
            timeout: None,
        };
        Ok(Self {
            name,
            address: address.trim_end_matches('/').to_owned(),
            channel,
            dialer,
            identity,
        })
    }

    /// The same service, with this handle shown on every call.
    ///
    /// # Errors
    /// If the text cannot stand in a header. A handle that was cut is sent as it is: the service's refusal is on
    /// its audit log.
    pub fn with_handle(mut self, handle: &str) -> Result<Self, Error> {
        let mut value: MetadataValue<Ascii> = format!("Bearer {handle}")
            .parse()
            .map_err(|_| Error::Usage("the handle holds characters that no handle has".to_owned()))?;
        value.set_sensitive(true);
        self.identity.authorization = Some(value);
        Ok(self)
    }

    /// The same service, with this much time for each call.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.identity.timeout = Some(timeout);
        self
    }

    /// The same service, with no limit on how long a call takes: for streams.
    #[must_use]
    pub const fn without_timeout(mut self) -> Self {
        self.identity.timeout = None;
        self
    }

    /// What a generated client takes.
    pub fn connection(&self) -> Connection {
        InterceptedService::new(self.channel.clone(), self.identity.clone())
    }

    /// Its name: "crm-service".
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its address, `http://127.0.0.1:7402`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sorts out what a call to it ended with.
    pub fn ended(&self, status: Status) -> Error {
        self.refused(&status)
            .unwrap_or_else(|| Error::of_call(&status, self.name, &self.address))
    }

    /// Sorts out what a write to it ended with.
    pub fn write_ended(&self, status: Status) -> Error {
        self.refused(&status)
            .unwrap_or_else(|| Error::of_write(&status, self.name, &self.address))
    }

    /// If a call ended because the connection for it was refused: nobody has read what was sent.
    fn refused(&self, status: &Status) -> Option<Error> {
        let detail = self.dialer.as_ref()?.refused()?;
        cut_off(status).then(|| Error::Handshake {
            service: self.name,
            address: self.address.clone(),
            detail,
        })
    }
}

/// Says on each call who we are.
#[derive(Clone, Debug)]
pub struct Identity {
    /// In development; elsewhere the connection's certificate says it.
    caller: Option<MetadataValue<Ascii>>,
    authorization: Option<MetadataValue<Ascii>>,
    timeout: Option<Duration>,
}

impl Interceptor for Identity {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        if let Some(caller) = &self.caller {
            metadata.insert(CALLER_HEADER, caller.clone());
        }
        if let Some(handle) = &self.authorization {
            metadata.insert("authorization", handle.clone());
        }
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        Ok(request)
    }
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::Timestamp;

    use super::*;

    fn at(address: &str) -> Result<Service, Error> {
        let caller = "operator/dev".parse().expect("a name");
        Service::at(
            CRM_SERVICE,
            address,
            &Login::stated(caller, Timestamp::from_micros(0)),
        )
    }

    #[tokio::test]
    async fn plain_http_goes_to_loopback_only() {
        for good in [
            "http://127.0.0.1:7402",
            "http://localhost:1",
            "http://[::1]:7402/",
        ] {
            assert!(at(good).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1:7402",
            "https://127.0.0.1",
            "127.0.0.1:7402",
            "http://crm.internal",
            "",
        ] {
            assert!(matches!(at(bad), Err(Error::Usage(_))), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_service_that_does_not_listen_is_unreachable_and_named() {
        let service = at("http://127.0.0.1:1").expect("an address");
        let mut client =
            hubkeep_proto::crm::v1::owner_service_client::OwnerServiceClient::new(service.connection());
        let request = hubkeep_proto::crm::v1::ListOwnersRequest::default();
        let error = service.ended(client.list_owners(request).await.expect_err("nobody listens"));
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
        assert!(
            error.to_string().contains("crm-service at http://127.0.0.1:1"),
            "{error}"
        );
    }
}
