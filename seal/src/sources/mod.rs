//! Where key-encryption keys are: each source is a [`Kek`](crate::Kek).
//!
//! | file | the key lies in |
//! |---|---|
//! | `file` | a file |
//! | `vault` | the transit engine of Vault or OpenBao |
//! | `aws` | AWS KMS |
//! | `gcp` | Google Cloud KMS |

#[cfg(feature = "aws")]
mod aws;
mod aws_config;
mod file;
#[cfg(feature = "gcp")]
mod gcp;
mod gcp_config;
mod vault;

#[cfg(feature = "aws")]
pub(crate) use aws::AwsKek;
pub use aws_config::AwsKekConfig;
pub use file::{FileKek, FileKekError};
#[cfg(feature = "gcp")]
pub(crate) use gcp::GcpKek;
pub use gcp_config::GcpKekConfig;
pub(crate) use vault::VaultKek;
pub use vault::VaultKekConfig;

use crate::{kek::KekError, remote::RemoteError};

impl From<RemoteError> for KekError {
    fn from(error: RemoteError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
