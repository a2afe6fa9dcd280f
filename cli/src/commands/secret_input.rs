//! Secrets from files and from standard input: never from the command line, which others can read.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::errors::Error;

/// The longest secret that is read, in bytes.
const LONGEST: u64 = 1_024;

/// One line of a file, or of standard input where none is named; `what` says what it holds.
///
/// # Errors
/// If it cannot be read, is empty, is longer than any such secret, or has several lines.
pub(crate) fn read(file: Option<&Path>, what: &str) -> Result<Zeroizing<String>, Error> {
    match file {
        Some(path) => {
            let place = path.display().to_string();
            let file = File::open(path)
                .map_err(|error| Error::Usage(format!("{place} cannot be read for the {what}: {error}")))?;
            line_of(file, &place, what)
        }
        None => line_of(io::stdin().lock(), "standard input", what),
    }
}

fn line_of(input: impl Read, place: &str, what: &str) -> Result<Zeroizing<String>, Error> {
    let unusable = |why: &str| Error::Usage(format!("{place} holds no {what}: {why}"));
    let mut text = Zeroizing::new(String::new());
    input
        .take(LONGEST + 2)
        .read_to_string(&mut text)
        .map_err(|_| unusable("it cannot be read as text"))?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(unusable("it is empty"));
    }
    if u64::try_from(line.len()).unwrap_or(u64::MAX) > LONGEST {
        return Err(unusable("it is longer than 1,024 bytes"));
    }
    if !line.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unusable(
            "it has spaces, several lines, or characters that stand in none",
        ));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_of_bounded_length_and_is_never_repeated() {
        let read = |text: &str| line_of(text.as_bytes(), "here", "token");
        assert_eq!(*read("pat-1\r\n").expect("valid"), "pat-1");
        let long = "x".repeat(1_025);
        for bad in ["", "\n", "a b", "a\nb", "pät", &long] {
            let error = read(bad).expect_err("refused").to_string();
            assert!(
                error.starts_with("here holds no token") && !error.contains(&long),
                "{error}"
            );
        }
    }
}
