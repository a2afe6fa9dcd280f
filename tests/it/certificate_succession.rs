//! Handles go on with the certificate that replaces their caller's, because the old key said so, and for no other reason.

use hubkeep_proto::credential::v1::{
    RenewCertificateRequest, RenewCertificateResponse, RevokeHandleRequest,
    handle_service_client::HandleServiceClient, revoke_handle_request::Target,
};
use hubkeep_tests::{Crm, Handle, Hubkeep, Refused, Service, World, support::certificates::Holder};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tonic::Code;

const A: &str = "client-0001";

async fn certified() -> Hubkeep {
    let hubkeep = Hubkeep::over(World::of_portals(1)).certificates().start().await;
    hubkeep.onboard_all().await;
    hubkeep
}

fn der(holder: &Holder) -> Vec<u8> {
    let der = CertificateDer::from_pem_slice(holder.certificate().as_bytes());
    der.expect("a certificate").to_vec()
}

/// Says over a connection of this holder's that a certificate will take the place of its own.
async fn renew(
    hubkeep: &Hubkeep,
    holder: &Holder,
    certificate: Vec<u8>,
) -> Result<RenewCertificateResponse, Refused> {
    let channel = holder.connect(hubkeep.door(Service::Credential).address());
    let mut handles = HandleServiceClient::new(channel);
    let answer = handles
        .renew_certificate(RenewCertificateRequest {
            certificate,
            intermediates: Vec::new(),
        })
        .await;
    answer
        .map(tonic::Response::into_inner)
        .map_err(|status| Refused::of(&status))
}

async fn get(hubkeep: &Hubkeep, holder: &Holder, handle: &Handle) -> Result<(), Refused> {
    let channel = holder.connect(hubkeep.door(Service::Crm).address());
    let crm = Crm::of(channel, "").silent().with(handle);
    let answer = crm.get("contacts", "101").await;
    answer.map(drop).map_err(|status| Refused::of(&status))
}

fn is_invalid(result: Result<(), Refused>) -> bool {
    result.is_err_and(|refused| refused.said() == (Code::Unauthenticated, "HANDLE_INVALID"))
}

#[tokio::test]
async fn a_handle_works_with_the_certificate_that_its_callers_old_key_named() {
    let hubkeep = certified().await;
    let handle = hubkeep.handle(A).issue().await;
    let old = hubkeep.certificates().of("sync");
    let [new, newer, thief] = [0, 1, 2].map(|_| hubkeep.certificates().another("sync"));
    assert!(
        is_invalid(get(&hubkeep, &new, &handle).await),
        "nobody said so yet"
    );

    renew(&hubkeep, &old, der(&new)).await.expect("by the old key");
    get(&hubkeep, &new, &handle).await.expect("with the new one");
    get(&hubkeep, &old, &handle)
        .await
        .expect("and with the old one still");
    assert!(is_invalid(get(&hubkeep, &thief, &handle).await), "with no third");

    renew(&hubkeep, &new, der(&newer)).await.expect("once more");
    get(&hubkeep, &newer, &handle)
        .await
        .expect("through both renewals");
    let later = hubkeep.handle(A).issue().await;
    get(&hubkeep, &newer, &later)
        .await
        .expect("whatever the old certificate still takes");
}

#[tokio::test]
async fn no_certificate_takes_the_place_of_another_callers() {
    let hubkeep = certified().await;
    let handle = hubkeep.handle(A).issue().await;
    let certificates = hubkeep.certificates();
    let (old, thief) = (certificates.of("sync"), certificates.another("sync"));
    // The thief has a certificate of the same name, and says what it can say: that a third one follows it.
    let third = certificates.another("sync");
    renew(&hubkeep, &thief, der(&third))
        .await
        .expect("its own business");
    assert!(is_invalid(get(&hubkeep, &third, &handle).await));
    assert!(is_invalid(get(&hubkeep, &thief, &handle).await));

    let unusable = [
        der(&certificates.of("agent")),
        der(&certificates.expired("sync")),
        der(&certificates.not_yet("sync")),
        der(&old),
        b"not a certificate".to_vec(),
        Vec::new(),
    ];
    for (number, certificate) in unusable.into_iter().enumerate() {
        let refused = renew(&hubkeep, &old, certificate).await.expect_err("refused");
        assert_eq!(
            refused.said(),
            (Code::FailedPrecondition, "CERTIFICATE_REFUSED"),
            "{number}"
        );
    }
}

#[tokio::test]
async fn who_renewed_its_certificate_ends_its_handles_by_their_ids_as_before() {
    let hubkeep = certified().await;
    let handle = hubkeep.handle(A).issue().await;
    let certificates = hubkeep.certificates();
    let [new, thief] = [0, 1].map(|_| certificates.another("sync"));
    renew(&hubkeep, &certificates.of("sync"), der(&new))
        .await
        .expect("by the old key");
    let revoke = async |holder: &Holder| {
        let channel = holder.connect(hubkeep.door(Service::Credential).address());
        let request = RevokeHandleRequest {
            target: Some(Target::HandleId(handle.id.clone())),
            ..RevokeHandleRequest::default()
        };
        let ended = HandleServiceClient::new(channel).revoke_handle(request).await;
        ended.map(drop).map_err(|status| Refused::of(&status))
    };
    assert!(is_invalid(revoke(&thief).await));
    get(&hubkeep, &new, &handle).await.expect("it lives");
    revoke(&new).await.expect("ended");
    assert!(is_invalid(get(&hubkeep, &new, &handle).await));
}

#[tokio::test]
async fn a_certificate_by_an_intermediate_ca_follows_another_with_what_stands_between() {
    let hubkeep = certified().await;
    let handle = hubkeep.handle(A).issue().await;
    let (old, certificates) = (hubkeep.certificates().of("sync"), hubkeep.certificates());
    let (new, between) = certificates.by_intermediate("sync");
    let refused = renew(&hubkeep, &old, der(&new))
        .await
        .expect_err("by nobody who is trusted");
    assert_eq!(refused.said(), (Code::FailedPrecondition, "CERTIFICATE_REFUSED"));
    let request = RenewCertificateRequest {
        certificate: der(&new),
        intermediates: vec![between],
    };
    let channel = old.connect(hubkeep.door(Service::Credential).address());
    let renewed = HandleServiceClient::new(channel).renew_certificate(request).await;
    renewed.expect("with what stands between");
    get(&hubkeep, &new, &handle).await.expect("it works on");
}
