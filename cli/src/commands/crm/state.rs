//! Where a walk goes on, kept in a file or told at its end.

use std::{fs, io, path::PathBuf};

use crate::{errors::Error, output::Output};

/// Where a walk goes on.
#[derive(Debug)]
pub(super) struct State {
    token: String,
    file: Option<PathBuf>,
}

impl State {
    /// As it was left: by this token, or by what stands in this file if there is one.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn left(token: Option<String>, file: Option<PathBuf>) -> Result<Self, Error> {
        let kept = match &file {
            Some(path) => match fs::read_to_string(path) {
                Ok(text) => Some(text.trim().to_owned()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(Error::Usage(format!("{}: {error}", path.display()))),
            },
            None => None,
        };
        let token = token.or(kept).unwrap_or_default();
        Ok(Self { token, file })
    }

    /// The token; empty at the beginning.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The records before this token are written. An empty one means that all are.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn reached(&mut self, token: String) -> Result<(), Error> {
        self.token = token;
        let Some(file) = &self.file else { return Ok(()) };
        if self.token.is_empty() {
            return match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            };
        }
        // Whole or not at all: a run that is killed while it writes must not leave half a token.
        let mut beside = file.clone().into_os_string();
        beside.push(".new");
        fs::write(&beside, format!("{}\n", self.token))?;
        Ok(fs::rename(&beside, file)?)
    }

    /// Tells how to go on, where the walk has not come to its end.
    ///
    /// # Errors
    /// If it cannot be told.
    pub(super) fn tell(&self, output: &Output) -> Result<(), Error> {
        match (&self.file, self.token.as_str()) {
            (_, "") => Ok(()),
            (Some(file), _) => output.note(&format!("to go on: --state {}", file.display())),
            (None, token) => output.note(&format!("to go on: --resume {token}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_the_token_until_the_walk_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("walk");
        let left = || State::left(None, Some(file.clone())).expect("read");
        let mut state = left();
        assert_eq!(state.token(), "");
        state.reached("abc".to_owned()).expect("written");
        assert_eq!(left().token(), "abc");
        state.reached(String::new()).expect("removed");
        assert_eq!(left().token(), "");
        assert!(!file.exists());
        state.reached(String::new()).expect("it is gone already");
    }

    #[test]
    fn without_a_file_the_token_is_told() {
        let mut state = State::left(Some("abc".to_owned()), None).expect("given");
        let (output, answers, notes) = Output::on_paper(false);
        state.tell(&output).expect("told");
        assert_eq!(
            (answers.text().as_str(), notes.text().as_str()),
            ("", "to go on: --resume abc\n")
        );
        state.reached(String::new()).expect("nothing to write");
        state.tell(&output).expect("nothing to tell");
        assert_eq!(notes.text().lines().count(), 1);
    }
}
