//! Secrets that are planted and must not be found again, in whatever disguise: raw, base64 at each alignment and in both
//! alphabets, hex, UTF-16, URL-encoded, as a list of numbers, reversed.

use std::{fs, io::ErrorKind, path::Path};

use aho_corasick::AhoCorasick;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use walkdir::WalkDir;

/// Secrets, in all their disguises.
pub struct Canaries {
    finder: AhoCorasick,
    /// For each pattern of the finder: which secret, and how it is disguised.
    disguises: Vec<(String, &'static str)>,
    planted: usize,
}

impl Canaries {
    /// These secrets, each with a name that may be told.
    ///
    /// # Panics
    /// If one is too short to mean anything.
    pub fn planted(secrets: &[(String, Vec<u8>)]) -> Self {
        let (mut patterns, mut names) = (Vec::new(), Vec::new());
        for (name, secret) in secrets {
            assert!(secret.len() >= 12, "{name} is too short");
            for (disguise, pattern) in disguised(secret) {
                patterns.push(pattern);
                names.push((name.clone(), disguise));
            }
        }
        Self {
            finder: AhoCorasick::new(patterns).expect("they fit"),
            disguises: names,
            planted: secrets.len(),
        }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.planted
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.planted == 0
    }

    /// What is found in these bytes: which secret, and how it is disguised.
    pub fn in_bytes(&self, bytes: &[u8]) -> Vec<String> {
        let mut found: Vec<String> = self
            .finder
            .find_iter(bytes)
            .filter_map(|hit| self.disguises.get(hit.pattern().as_usize()))
            .map(|(name, disguise)| format!("{name} as {disguise}"))
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// What is found in the files below a folder, and how many bytes were searched.
    pub fn below(&self, folder: &Path) -> (Vec<String>, usize) {
        let (mut found, mut searched) = (Vec::new(), 0);
        for file in WalkDir::new(folder).into_iter().filter_map(Result::ok) {
            if !file.file_type().is_file() {
                continue;
            }
            let bytes = match fs::read(file.path()) {
                Ok(bytes) => bytes,
                // Whoever writes here may also take away.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => panic!("{}: {error}", file.path().display()),
            };
            searched += bytes.len();
            let hits = self.in_bytes(&bytes);
            found.extend(
                hits.into_iter()
                    .map(|hit| format!("{}: {hit}", file.path().display())),
            );
        }
        (found, searched)
    }
}

/// A secret in every disguise, each with its name.
pub fn disguised(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![
        ("itself", secret.to_vec()),
        ("hex", hex::encode(secret).into_bytes()),
        ("capital hex", hex::encode_upper(secret).into_bytes()),
        (
            "UTF-16, low byte first",
            secret.iter().flat_map(|byte| [*byte, 0]).collect(),
        ),
        (
            "UTF-16, high byte first",
            secret.iter().flat_map(|byte| [0, *byte]).collect(),
        ),
        ("URL-encoded throughout", percent(secret, |_| true)),
        (
            "URL-encoded",
            percent(secret, |byte| {
                !byte.is_ascii_alphanumeric() && !b"-_.~".contains(&byte)
            }),
        ),
        ("a list of numbers", numbers(secret)),
        ("reversed", secret.iter().rev().copied().collect()),
    ];
    for offset in 0..3 {
        all.push(("base64", base64(&STANDARD_NO_PAD, secret, offset)));
        all.push(("base64 for URLs", base64(&URL_SAFE_NO_PAD, secret, offset)));
    }
    all
}

fn percent(secret: &[u8], escaped: impl Fn(u8) -> bool) -> Vec<u8> {
    let letter = |byte: &u8| match escaped(*byte) {
        true => format!("%{byte:02X}").into_bytes(),
        false => vec![*byte],
    };
    secret.iter().flat_map(letter).collect()
}

/// As `Debug` writes bytes.
fn numbers(secret: &[u8]) -> Vec<u8> {
    let numbers: Vec<String> = secret.iter().map(u8::to_string).collect();
    numbers.join(", ").into_bytes()
}

/// The letters that stand for the secret alone, where so many bytes stand before it.
fn base64(engine: &impl base64::Engine, secret: &[u8], offset: usize) -> Vec<u8> {
    let before = vec![0; offset];
    let text = engine.encode([before.as_slice(), secret].concat());
    // A letter stands for 6 bits: those that hold bits of what is before or after are left out.
    let first = (offset * 8).div_ceil(6);
    let last = (offset + secret.len()) * 8 / 6;
    text.as_bytes()[first..last].to_vec()
}
