//! Says which certificate follows the one that we call with.

use std::path::PathBuf;

use hubkeep_proto::credential::v1::{RenewCertificateRequest, handle_service_client::HandleServiceClient};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::{channel::Service, commands::time::day_and_time, errors::Error, output::Output, wire_json};

pub(super) async fn renew(file: PathBuf, service: &Service, output: &Output) -> Result<(), Error> {
    let certificate = CertificateDer::from_pem_file(&file)
        .map_err(|error| Error::Usage(format!("{}: no certificate in PEM: {error}", file.display())))?;
    let request = RenewCertificateRequest {
        certificate: certificate.to_vec(),
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
