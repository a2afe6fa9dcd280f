//! Which key of AWS KMS.

use hubkeep_core::config::Fault;
use serde::{Deserialize, Serialize};

use crate::remote::AwsConfig;

/// A symmetric key of AWS KMS. Needs a build with the feature `aws`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AwsKekConfig {
    /// The key's ARN, `arn:aws:kms:<region>:<account>:key/<id>`: not an alias, which may come to mean another key.
    pub key_arn: String,
    /// How AWS is reached.
    pub server: AwsConfig,
}

impl AwsKekConfig {
    pub(crate) fn validate(&self, faults: &mut Vec<Fault>) {
        self.server.validate("keys.kek.aws.server", faults);
        if self.region().is_none() {
            faults.push(Fault::new(
                "keys.kek.aws.key_arn",
                "must be the ARN of a key: arn:aws:kms:<region>:<account>:key/<id>",
            ));
        }
    }

    /// The region that the ARN names; `None` if it is not the ARN of a key.
    pub(crate) fn region(&self) -> Option<&str> {
        let mut parts = self.key_arn.split(':');
        let region = match (parts.next()?, parts.next()?, parts.next()?, parts.next()?) {
            ("arn", _, "kms", region) => region,
            _ => return None,
        };
        let key = parts.nth(1)?.strip_prefix("key/")?;
        (!region.is_empty() && !key.is_empty()).then_some(region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_arn_of_a_key_is_one() {
        let region = |arn: &str| {
            let config = AwsKekConfig {
                key_arn: arn.to_owned(),
                ..AwsKekConfig::default()
            };
            config.region().map(str::to_owned)
        };
        let good = "arn:aws:kms:eu-central-1:111122223333:key/1234";
        assert_eq!(region(good).as_deref(), Some("eu-central-1"));
        for bad in [
            "",
            "1234",
            "alias/a",
            "arn:aws:kms:eu-central-1:1:alias/a",
            "arn:aws:s3:eu:1:key/1",
        ] {
            assert_eq!(region(bad), None, "{bad}");
        }
    }
}
