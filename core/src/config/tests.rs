use std::{io::Write as _, time::Duration};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::*;

#[derive(Debug, Serialize, Deserialize, PartialEq)]
#[serde(default)]
struct Sample {
    listen: String,
    #[serde(skip_serializing)]
    secret: String,
    handles: Handles,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
#[serde(default)]
struct Handles {
    #[serde(with = "humantime_serde")]
    max_lifetime: Duration,
    per_caller: u32,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:1".to_owned(),
            secret: String::new(),
            handles: Handles::default(),
        }
    }
}

impl Default for Handles {
    fn default() -> Self {
        Self {
            max_lifetime: Duration::from_secs(900),
            per_caller: 64,
        }
    }
}

impl Validate for Sample {
    const ALIASES: &'static [Alias] = &[
        Alias {
            variable: "SAMPLE_LISTEN",
            key: "listen",
            secret: false,
        },
        Alias {
            variable: "SAMPLE_SECRET",
            key: "secret",
            secret: true,
        },
        Alias {
            variable: "SAMPLE_LIFETIME",
            key: "handles.max_lifetime",
            secret: false,
        },
    ];

    fn validate(&self, faults: &mut Vec<Fault>) {
        if self.handles.per_caller == 0 {
            faults.push(Fault {
                key: "handles.per_caller".to_owned(),
                problem: "must be at least 1".to_owned(),
            });
        }
    }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("temporary file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn the_environment_goes_over_the_file_and_the_file_over_the_defaults() {
    let file = file("[handles]\nmax_lifetime = \"5m\"\nper_caller = 3\n");
    let environment = environment(&[("HUBKEEP__HANDLES__MAX_LIFETIME", "10m"), ("UNRELATED", "x")]);
    let config: Sample = load(Some(file.path()), &environment).expect("valid");
    assert_eq!(
        config.handles,
        Handles {
            max_lifetime: Duration::from_secs(600),
            per_caller: 3
        }
    );
    assert_eq!(config.listen, "127.0.0.1:1");
}

#[test]
fn all_faults_are_told_at_once() {
    let file = file("listne = \"typo\"\nlisten = 7\n[handles]\nmax_lifetime = \"soon\"\nper_caller = 0\n");
    let error = load::<Sample>(Some(file.path()), &Environment::new()).expect_err("four faults");
    let keys: Vec<&str> = error.0.iter().map(|fault| fault.key.as_str()).collect();
    for key in ["listne", "listen", "handles.max_lifetime", "handles.per_caller"] {
        assert!(keys.contains(&key), "{key} is missing from {error}");
        assert_eq!(
            error.to_string().matches(key).count(),
            1,
            "{key} is told once: {error}"
        );
    }
}

#[test]
fn a_file_that_is_not_toml_is_a_fault_with_its_name() {
    let file = file("listen = \"a\"\n= nonsense");
    let error = load::<Sample>(Some(file.path()), &Environment::new()).expect_err("not TOML");
    assert_eq!(error.to_string().matches("line 2").count(), 1, "{error}");
    assert!(
        error.to_string().contains(&file.path().display().to_string()),
        "{error}"
    );
}

#[test]
fn a_variable_by_another_name_goes_over_the_file_and_under_our_own() {
    let file = file("[handles]\nmax_lifetime = \"5m\"\n");
    let mut variables = environment(&[("SAMPLE_LISTEN", "7"), ("SAMPLE_LIFETIME", "6m")]);
    let config: Sample = load(Some(file.path()), &variables).expect("valid");
    assert_eq!(config.listen, "7", "text, though it looks like a number");
    assert_eq!(config.handles.max_lifetime, Duration::from_secs(360));
    variables.insert("HUBKEEP__HANDLES__MAX_LIFETIME".to_owned(), "7m".to_owned());
    let config: Sample = load(Some(file.path()), &variables).expect("valid");
    assert_eq!(config.handles.max_lifetime, Duration::from_secs(420));
}

#[test]
fn a_secret_that_stands_in_a_file_is_a_fault() {
    let file = file("secret = \"s3cret\"\n");
    let error = load::<Sample>(Some(file.path()), &Environment::new()).expect_err("refused");
    let told = error.to_string();
    assert!(
        told.contains("SAMPLE_SECRET") && !told.contains("s3cret"),
        "{told}"
    );
}
