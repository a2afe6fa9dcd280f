//! A bucket, as the configuration names it.

use std::{path::PathBuf, time::Duration};

use hubkeep_core::address::is_protected;
use serde::{Deserialize, Serialize};
use url::Url;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A bucket of S3-compatible storage, made with Object Lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// What the names of all objects begin with: `<prefix>/<log>/<size>`.
    pub prefix: String,
    /// Where it is: "eu-central-1".
    pub region: String,
    /// The address of another storage than AWS's: https, or http on loopback. Buckets are named in the path there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Url>,
    /// The certificates (PEM) that sign the storage's; left out, the system's roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The file with the credentials, for nobody but its owner and group to read: JSON with `AccessKeyId`, `SecretAccessKey` and,
    /// where they are temporary, `SessionToken`, as `aws configure export-credentials` writes it. Read for each object.
    pub credentials_file: PathBuf,
    /// Who may delete an object before its time.
    pub mode: LockMode,
    /// For how long from now on nobody may: a year unless set.
    #[serde(with = "humantime_serde")]
    pub retain: Duration,
    /// How long one request may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

/// Who may delete an object before its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockMode {
    /// Nobody, not even the owner of the account.
    #[default]
    Compliance,
    /// Whoever the account allows to (`s3:BypassGovernanceRetention`).
    Governance,
}

impl LockMode {
    /// As S3 writes it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Compliance => "COMPLIANCE",
            Self::Governance => "GOVERNANCE",
        }
    }
}

impl Default for S3 {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            prefix: "hubkeep".to_owned(),
            region: String::new(),
            endpoint: None,
            ca_file: None,
            credentials_file: PathBuf::new(),
            mode: LockMode::default(),
            retain: 365 * DAY,
            timeout: Duration::from_secs(20),
        }
    }
}

impl S3 {
    /// Where requests go to.
    pub(super) fn address(&self) -> Result<Url, url::ParseError> {
        match &self.endpoint {
            Some(endpoint) => Ok(endpoint.clone()),
            None => {
                let region = &self.region;
                let china = if region.starts_with("cn-") { ".cn" } else { "" };
                format!("https://s3.{region}.amazonaws.com{china}").parse()
            }
        }
    }

    /// Whether the bucket is named in the path: a name with a dot fits no certificate of AWS's.
    pub(super) fn is_by_path(&self) -> bool {
        self.endpoint.is_some() || self.bucket.contains('.')
    }

    pub(super) fn check(&self, mut fault: impl FnMut(&str, &str)) {
        if !(3..=63).contains(&self.bucket.len()) || !is_made_of(&self.bucket, ".-") {
            fault(
                "bucket",
                "must be the name of a bucket: 3 to 63 of a-z, 0-9, '.' and '-'",
            );
        }
        if self.region.is_empty() || !is_made_of(&self.region, "-") {
            fault("region", "must be the name of a region, such as eu-central-1");
        }
        if !self.has_plain_prefix() {
            fault(
                "prefix",
                "must be at most 256 of letters, digits, '.', '_', '-' and '/'",
            );
        }
        if self.endpoint.as_ref().is_some_and(|url| !is_protected(url)) {
            fault("endpoint", "must be https, or http on loopback");
        }
        if self.credentials_file.as_os_str().is_empty() {
            fault(
                "credentials_file",
                "name the file with AccessKeyId and SecretAccessKey",
            );
        }
        if self.retain < DAY {
            fault("retain", "must be at least 1day");
        }
        if self.timeout.is_zero() || self.timeout > Duration::from_secs(40) {
            fault("timeout", "must be more than 0 and at most 40s");
        }
    }

    /// An address can name no part that is empty, or that leads up.
    fn has_plain_prefix(&self) -> bool {
        let good = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
        let prefix = self.prefix.trim_matches('/');
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        prefix.len() <= 256
            && prefix.chars().all(good)
            && (prefix.is_empty() || prefix.split('/').all(is_plain))
    }
}

fn is_made_of(text: &str, more: &str) -> bool {
    let good = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || more.contains(letter);
    text.chars().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_of_aws_is_a_host_and_one_of_others_or_with_a_dot_is_in_the_path() {
        let of = |region: &str, bucket: &str, endpoint: Option<&str>| {
            let config = S3 {
                region: region.to_owned(),
                bucket: bucket.to_owned(),
                endpoint: endpoint.map(|url| url.parse().expect("an address")),
                ..S3::default()
            };
            let address = config.address().expect("an address");
            (address.to_string(), config.is_by_path())
        };
        let aws = "https://s3.eu-central-1.amazonaws.com/";
        assert_eq!(of("eu-central-1", "anchors", None), (aws.to_owned(), false));
        assert_eq!(of("eu-central-1", "a.b", None), (aws.to_owned(), true));
        let china = "https://s3.cn-north-1.amazonaws.com.cn/";
        assert_eq!(of("cn-north-1", "anchors", None), (china.to_owned(), false));
        let own = "https://s3.example.com/";
        assert_eq!(of("any", "anchors", Some(own)), (own.to_owned(), true));
    }

    #[test]
    fn a_prefix_is_parts_that_lead_down() {
        for (prefix, good) in [
            ("", true),
            ("a", true),
            ("/a/b_c.d-e/", true),
            ("a//b", false),
            ("a/../b", false),
            ("a b", false),
            (".", false),
        ] {
            let config = S3 {
                prefix: prefix.to_owned(),
                ..S3::default()
            };
            assert_eq!(config.has_plain_prefix(), good, "{prefix}");
        }
    }
}
