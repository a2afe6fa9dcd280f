use super::*;

#[test]
fn a_write_by_a_token_that_is_not_proven_is_a_refusal() {
    let id = |id| PortalId::new(id).expect("not zero");
    let foreign = Error::OfAnotherPortal {
        expected: id(1),
        actual: id(2),
    };
    let told = [
        ("expected_portal_id", "1".to_owned()),
        ("actual_portal_id", "2".to_owned()),
    ];
    assert_eq!(foreign.metadata(), told);
    let silent = Error::HubSpot {
        error: hubkeep_hubspot::Error::NotSent("down".to_owned()),
        object_type: ObjectType::account(),
    };
    let table = [
        (
            foreign,
            ErrorKind::FailedPrecondition,
            ErrorReason::TokenOfAnotherPortal,
            false,
        ),
        (
            Error::Unproven(None),
            ErrorKind::Unavailable,
            ErrorReason::HubspotUnavailable,
            true,
        ),
        (
            Error::Unproven(Some(Arc::new(silent))),
            ErrorKind::Unavailable,
            ErrorReason::HubspotUnavailable,
            true,
        ),
    ];
    for (error, kind, reason, again) in table {
        assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
        assert_eq!(error.retry_after().is_some(), again, "{error}");
        assert!(!error.reached_hubspot(), "the write was not sent");
    }
}

#[test]
fn inner_errors_speak_for_themselves() {
    let error = Error::from(credentials::Error::Invalid);
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::Unauthenticated, ErrorReason::HandleInvalid)
    );
    assert!(!error.reached_hubspot());
    assert_eq!(Error::WrongAnswer.reason(), ErrorReason::Internal);
}

#[test]
fn a_call_that_a_stop_has_kept_from_being_sent_may_be_sent_again() {
    let error = Error::Stopping;
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::Unavailable, ErrorReason::Stopping)
    );
    assert!(error.retry_after().is_some() && !error.reached_hubspot());
}
