//! The stores outside of the database, behind one contract: put under a new name, get, delete, list. All of them hold
//! sealed bytes, and none can open them.

use hubkeep_core::clock::SharedClock;
use hubkeep_seal::remote::RemoteError;

#[cfg(feature = "aws")]
use super::aws::AwsSecrets;
#[cfg(feature = "gcp")]
use super::gcp::GcpSecrets;
use super::{
    BuildError,
    config::{Config, StoreKind},
    pass::Pass,
    vault_kv::VaultKv,
};

/// A store outside of the database.
#[derive(Clone, Debug)]
pub(super) enum Outside {
    Vault(VaultKv),
    #[cfg(feature = "aws")]
    Aws(AwsSecrets),
    #[cfg(feature = "gcp")]
    Gcp(GcpSecrets),
    Pass(Pass),
}

impl Outside {
    /// Every store that is configured.
    pub(super) async fn all(
        config: &Config,
        deployment: &str,
        clock: &SharedClock,
    ) -> Result<Vec<Self>, BuildError> {
        let mut stores = Vec::new();
        if let Some(vault) = &config.vault {
            stores.push(Self::Vault(VaultKv::new(vault, deployment)?));
        }
        if let Some(pass) = &config.pass {
            stores.push(Self::Pass(Pass::new(pass, deployment, clock.clone())));
        }
        #[cfg(feature = "aws")]
        if let Some(aws) = &config.aws {
            stores.push(Self::Aws(AwsSecrets::new(aws, deployment).await));
        }
        #[cfg(feature = "gcp")]
        if let Some(gcp) = &config.gcp {
            stores.push(Self::Gcp(GcpSecrets::new(gcp, deployment, clock.clone())?));
        }
        if cfg!(not(feature = "aws")) && config.aws.is_some() {
            return Err(BuildError::NotBuilt("aws"));
        }
        if cfg!(not(feature = "gcp")) && config.gcp.is_some() {
            return Err(BuildError::NotBuilt("gcp"));
        }
        Ok(stores)
    }

    pub(super) const fn kind(&self) -> StoreKind {
        match self {
            Self::Vault(_) => StoreKind::Vault,
            #[cfg(feature = "aws")]
            Self::Aws(_) => StoreKind::Aws,
            #[cfg(feature = "gcp")]
            Self::Gcp(_) => StoreKind::Gcp,
            Self::Pass(_) => StoreKind::Pass,
        }
    }

    /// Puts sealed bytes under a name that is not taken.
    pub(super) async fn put(&self, name: &str, sealed: &[u8]) -> Result<(), RemoteError> {
        match self {
            Self::Vault(store) => store.put(name, sealed).await,
            #[cfg(feature = "aws")]
            Self::Aws(store) => store.put(name, sealed).await,
            #[cfg(feature = "gcp")]
            Self::Gcp(store) => store.put(name, sealed).await,
            Self::Pass(store) => store.put(name, sealed).await,
        }
    }

    /// The bytes under this name.
    pub(super) async fn get(&self, name: &str) -> Result<Vec<u8>, RemoteError> {
        match self {
            Self::Vault(store) => store.get(name).await,
            #[cfg(feature = "aws")]
            Self::Aws(store) => store.get(name).await,
            #[cfg(feature = "gcp")]
            Self::Gcp(store) => store.get(name).await,
            Self::Pass(store) => store.get(name).await,
        }
    }

    /// Deletes what lies under this name, for good. Nothing there is no fault.
    pub(super) async fn delete(&self, name: &str) -> Result<(), RemoteError> {
        match self {
            Self::Vault(store) => store.delete(name).await,
            #[cfg(feature = "aws")]
            Self::Aws(store) => store.delete(name).await,
            #[cfg(feature = "gcp")]
            Self::Gcp(store) => store.delete(name).await,
            Self::Pass(store) => store.delete(name).await,
        }
    }

    /// Every name of this deployment.
    pub(super) async fn list(&self) -> Result<Vec<String>, RemoteError> {
        match self {
            Self::Vault(store) => store.list().await,
            #[cfg(feature = "aws")]
            Self::Aws(store) => store.list().await,
            #[cfg(feature = "gcp")]
            Self::Gcp(store) => store.list().await,
            Self::Pass(store) => store.list().await,
        }
    }
}

impl StoreKind {
    /// The name as it is stored. Never changes.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Vault => "vault",
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Pass => "pass",
        }
    }
}
