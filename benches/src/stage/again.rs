//! Services that are started anew, over what they have kept.

use hubkeep_credential_service as credential_service;
use hubkeep_crm_service as crm_service;
use hubkeep_seal::{FileKek, KekConfig};

use super::{Here, Services, Stage, deps};
use crate::{Failure, parts::Place};

impl Stage {
    /// Starts credential-service anew, with a second version of its key-encryption key.
    ///
    /// # Errors
    /// If it does not start, or does not run in this process.
    pub(crate) async fn restart_with_second_key(self, place: &Place) -> Result<Self, Failure> {
        let Services::Here(here) = self.services else {
            return Err("the service is another process".into());
        };
        let Here {
            credential,
            crm,
            credential_config: mut config,
            crm_config,
        } = *here;
        config.grpc.listen = credential.address();
        credential.stop().await;
        let second = config.keys.kek_file.with_extension("2.kek");
        FileKek::create(&second, &*place.random)?;
        config.keys.kek = vec![KekConfig::in_file(2, &second)];
        let credential_config = config.clone();
        let credential = credential_service::server::start(config, deps(place)?).await?;
        let here = Here {
            credential,
            crm,
            credential_config,
            crm_config,
        };
        Ok(Self {
            services: Services::Here(Box::new(here)),
            ..self
        })
    }

    /// Stops crm-service, lets something be done to its log, and starts it anew.
    ///
    /// # Errors
    /// If it does not start, does not run in this process, or what is done fails.
    pub(crate) async fn with_crm_stopped(
        self,
        place: &Place,
        change: impl AsyncFnOnce(&hubkeep_audit_log::Config) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let Services::Here(here) = self.services else {
            return Err("the service is another process".into());
        };
        here.crm.stop().await;
        change(&here.crm_config.audit).await?;
        let crm = crm_service::server::start(here.crm_config.clone(), deps(place)?).await?;
        let here = Here { crm, ..*here };
        Ok(Self {
            services: Services::Here(Box::new(here)),
            ..self
        })
    }
}
