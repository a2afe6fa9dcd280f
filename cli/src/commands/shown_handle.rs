//! Where a handle comes from. On the command line it would stay in the shell's history, so it may also come from the
//! environment or from standard input.

use std::io::Read;

use clap::Args;
use zeroize::Zeroizing;

use crate::errors::Error;

/// Longer than any handle; what stands on standard input beyond it is not read.
const LONGEST: u64 = 1_024;

/// The handle to show.
#[derive(Args, Clone)]
pub(super) struct ShownHandle {
    /// The handle, or '-' to read it from standard input.
    #[arg(long, value_name = "HANDLE|-", env = "HUBKEEP_HANDLE", hide_env_values = true)]
    handle: Option<String>,
}

impl std::fmt::Debug for ShownHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShownHandle([redacted])")
    }
}

impl ShownHandle {
    /// The text, if there is one, instead of the option and the environment.
    pub(super) fn or(text: Option<String>, shown: Self) -> Self {
        Self {
            handle: text.or(shown.handle),
        }
    }

    /// The handle, if one was given. A variable that is set to nothing, as by a command that failed, gives none.
    ///
    /// # Errors
    /// If it should come from standard input and nothing stands there.
    pub(super) fn get(self) -> Result<Option<Zeroizing<String>>, Error> {
        self.handle
            .filter(|text| !text.is_empty())
            .map(|text| from_text_or_input(text, &mut std::io::stdin()))
            .transpose()
    }

    /// The handle.
    ///
    /// # Errors
    /// If none was given.
    pub(super) fn required(self) -> Result<Zeroizing<String>, Error> {
        let missing = "no handle: give --handle, the environment variable HUBKEEP_HANDLE, or --handle - for \
                       standard input (hubkeep handle issue makes one)";
        self.get()?.ok_or_else(|| Error::Usage(missing.to_owned()))
    }
}

/// The text itself, or what stands on `input` if the text is "-".
pub(super) fn from_text_or_input(text: String, input: &mut impl Read) -> Result<Zeroizing<String>, Error> {
    let text = Zeroizing::new(text);
    if text.as_str() != "-" {
        return Ok(text);
    }
    let mut read = Zeroizing::new(String::new());
    input.take(LONGEST).read_to_string(&mut read)?;
    let handle = read.trim();
    if handle.is_empty() {
        return Err(Error::Usage("standard input holds no handle".to_owned()));
    }
    Ok(Zeroizing::new(handle.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_reads_standard_input_and_drops_the_line_end() {
        let handle = from_text_or_input("-".to_owned(), &mut "hk1_abc\n".as_bytes()).expect("read");
        assert_eq!(handle.as_str(), "hk1_abc");
        assert!(from_text_or_input("-".to_owned(), &mut "\n".as_bytes()).is_err());
    }

    #[test]
    fn anything_else_is_the_handle_itself() {
        let handle = from_text_or_input("hk1_x".to_owned(), &mut "hk1_y".as_bytes()).expect("given");
        assert_eq!(handle.as_str(), "hk1_x");
    }

    #[test]
    fn printing_the_arguments_shows_no_handle() {
        let shown = ShownHandle {
            handle: Some("hk1_secret".to_owned()),
        };
        assert!(!format!("{shown:?}").contains("secret"));
    }
}
