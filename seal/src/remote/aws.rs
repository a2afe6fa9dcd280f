//! AWS: who we are is found as its own tools find it, and every call has a bound.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{
    configs::AwsConfig,
    error::{RemoteError, sentence},
};

/// Before the second try, at most: a tenth of a second leaves time to hear what it is told.
const PAUSE: Duration = Duration::from_millis(100);

/// What every client of AWS is built from. Nothing is sent yet, unless credentials are looked for.
pub async fn settings(config: &AwsConfig, region: &str) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(config.limit)
        .operation_attempt_timeout(config.limit)
        .connect_timeout(config.limit)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(2)
                .with_initial_backoff(PAUSE),
        )
        .timeout_config(timeouts);
    if let Some(endpoint) = &config.endpoint {
        loader = loader.endpoint_url(endpoint.as_str().trim_end_matches('/'));
    }
    loader.load().await
}

/// What a call to AWS ended with.
pub fn lost<E>(error: SdkError<E, HttpResponse>, config: &AwsConfig) -> RemoteError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match &error {
        SdkError::TimeoutError(_) => RemoteError::Silent(config.limit),
        SdkError::ResponseError(_) => RemoteError::Nonsense("not an answer of AWS"),
        SdkError::ServiceError(said) => {
            let (code, status) = (
                said.err().code().unwrap_or_default(),
                said.raw().status().as_u16(),
            );
            let told = sentence(&format!("{code} {}", said.err().message().unwrap_or_default()));
            match code {
                "" => RemoteError::Nonsense("not an error of AWS"),
                "AccessDeniedException"
                | "AccessDenied"
                | "UnrecognizedClientException"
                | "InvalidSignatureException"
                | "InvalidClientTokenId"
                | "ExpiredTokenException" => RemoteError::Denied(told),
                "NotFoundException" | "ResourceNotFoundException" => RemoteError::NotFound(told),
                "ResourceExistsException" => RemoteError::Taken,
                _ => RemoteError::Refused { status, told },
            }
        }
        _ if is_slow(&error) => RemoteError::Silent(config.limit),
        _ => RemoteError::Unreachable(Box::new(error)),
    }
}

/// Whether time ran out below: the SDK has several words for it.
fn is_slow(error: &dyn std::error::Error) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| cause.to_string().contains("timeout"))
}
