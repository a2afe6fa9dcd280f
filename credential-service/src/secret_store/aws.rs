//! Sealed bytes in AWS Secrets Manager.

use aws_sdk_secretsmanager::{
    Client,
    primitives::Blob,
    types::{Filter, FilterNameStringType},
};
use hubkeep_seal::remote::{RemoteError, aws_lost, aws_settings};

use super::config::AwsSecretsConfig;

/// The secrets of one deployment.
#[derive(Clone, Debug)]
pub(super) struct AwsSecrets {
    client: Client,
    config: AwsSecretsConfig,
    prefix: String,
}

impl AwsSecrets {
    pub(super) async fn new(config: &AwsSecretsConfig, deployment: &str) -> Self {
        let settings = aws_settings(&config.server, &config.region).await;
        Self {
            client: Client::new(&settings),
            config: config.clone(),
            prefix: format!("hubkeep/{deployment}/"),
        }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) async fn put(&self, name: &str, sealed: &[u8]) -> Result<(), RemoteError> {
        let ask = self
            .client
            .create_secret()
            .name(self.full(name))
            .secret_binary(Blob::new(sealed));
        let put = ask.send().await;
        put.map_err(|error| aws_lost(error, &self.config.server))?;
        Ok(())
    }

    pub(super) async fn get(&self, name: &str) -> Result<Vec<u8>, RemoteError> {
        let ask = self.client.get_secret_value().secret_id(self.full(name));
        let answer = ask.send().await;
        let answer = answer.map_err(|error| aws_lost(error, &self.config.server))?;
        if answer.name() != Some(self.full(name).as_str()) {
            return Err(RemoteError::Nonsense("another secret came than was asked for"));
        }
        let sealed = answer.secret_binary.map(Blob::into_inner);
        sealed.ok_or(RemoteError::Nonsense("there are no bytes in the secret"))
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), RemoteError> {
        let ask = self.client.delete_secret().secret_id(self.full(name));
        let deleted = ask.force_delete_without_recovery(true).send().await;
        match deleted.map_err(|error| aws_lost(error, &self.config.server)) {
            Ok(_) | Err(RemoteError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn list(&self) -> Result<Vec<String>, RemoteError> {
        let ours = Filter::builder()
            .key(FilterNameStringType::Name)
            .values(&self.prefix)
            .build();
        let mut pages = self.client.list_secrets().filters(ours).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| aws_lost(error, &self.config.server))?;
            let ours = page.secret_list().iter().filter_map(|secret| secret.name());
            let ours = ours.filter_map(|name| name.strip_prefix(&self.prefix));
            names.extend(ours.map(str::to_owned));
        }
        Ok(names)
    }
}
