//! Says which certificate follows the one that we call with.

use std::{collections::VecDeque, fmt::Display, path::PathBuf};

use hubkeep_proto::credential::v1::{RenewCertificateRequest, handle_service_client::HandleServiceClient};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::{channel::Service, commands::time::day_and_time, errors::Error, output::Output, wire_json};

pub(super) async fn renew(file: PathBuf, service: &Service, output: &Output) -> Result<(), Error> {
    let unreadable =
        |error: &dyn Display| Error::Usage(format!("{}: no certificate in PEM: {error}", file.display()));
    // The leaf comes first, and then what stands between it and the CA.
    let mut chain = CertificateDer::pem_file_iter(&file)
        .map_err(|error| unreadable(&error))?
        .map(|read| read.map(|der| der.to_vec()))
        .collect::<Result<VecDeque<_>, _>>()
        .map_err(|error| unreadable(&error))?;
    let certificate = chain.pop_front();
    let request = RenewCertificateRequest {
        certificate: certificate.ok_or_else(|| unreadable(&"it holds none"))?,
        intermediates: chain.into(),
    };
    let mut client = HandleServiceClient::new(service.connection());
    let answer = client.renew_certificate(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.RenewCertificateResponse",
            &answer,
        )?);
    }
    output.line(&format!(
        "our living handles work with the new certificate too, until {} UTC at the latest",
        day_and_time(answer.expire_time.as_ref())
    ))
}
