//! Where a walk goes on, kept in a file or told at its end.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{errors::Error, output::Output};

/// What a pipe may hold that its reader has not read, in bytes: as large as any may be made without privileges.
const IN_A_PIPE: u64 = 1024 * 1024;

/// Where a walk goes on.
#[derive(Debug)]
pub(super) struct State {
    /// After all that was written.
    token: String,
    file: Option<PathBuf>,
    /// Whether what is written goes into a pipe, whose reader may leave without having read it.
    piped: bool,
    /// What was written in all, in bytes.
    written: u64,
    /// Tokens that are not in the file yet, each with what was written before it: a pipe may still hold some of that.
    unread: VecDeque<(u64, String)>,
}

impl State {
    /// As it was left: by this token, or by what stands in this file if there is one. Makes sure that the file can be
    /// written before anything depends on it.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(super) fn left(token: Option<String>, file: Option<PathBuf>, piped: bool) -> Result<Self, Error> {
        let unusable = |path: &PathBuf, error| Error::Usage(format!("--state {}: {error}", path.display()));
        let kept = match &file {
            Some(path) => match fs::read_to_string(path) {
                Ok(text) => Some(text.trim().to_owned()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(unusable(path, error)),
            },
            None => None,
        };
        if let Some(path) = &file {
            let beside = beside(path);
            let probed = fs::write(&beside, "").and_then(|()| fs::remove_file(&beside));
            probed.map_err(|error| unusable(path, error))?;
        }
        let token = token.or(kept).unwrap_or_default();
        Ok(Self {
            token,
            file,
            piped,
            written: 0,
            unread: VecDeque::new(),
        })
    }

    /// The token; empty at the beginning.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The records before this token are written, the last of them in so many bytes. An empty one means that all are.
    /// The file says so as soon as no pipe can hold them any more.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn reached(&mut self, token: String, bytes: usize) -> Result<(), Error> {
        self.token = token;
        self.written = self
            .written
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.token.is_empty() {
            self.unread.clear();
            return self.remove();
        }
        self.unread.push_back((self.written, self.token.clone()));
        let held = if self.piped { IN_A_PIPE } else { 0 };
        let mut read = None;
        while let Some((before, _)) = self.unread.front()
            && self.written.saturating_sub(*before) >= held
        {
            read = self.unread.pop_front();
        }
        read.map_or(Ok(()), |(_, token)| self.keep(&token))
    }

    /// The walk has ended before it was complete, and whoever reads what was written is there still: it will be read.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        match self.unread.pop_back() {
            Some((_, token)) => self.keep(&token),
            None => Ok(()),
        }
    }

    fn keep(&self, token: &str) -> Result<(), Error> {
        let Some(file) = &self.file else { return Ok(()) };
        // Whole or not at all: a run that is killed while it writes must not leave half a token.
        let beside = beside(file);
        fs::write(&beside, format!("{token}\n"))?;
        Ok(fs::rename(&beside, file)?)
    }

    fn remove(&self) -> Result<(), Error> {
        let Some(file) = &self.file else { return Ok(()) };
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Tells how to go on, where the walk has not come to its end.
    ///
    /// # Errors
    /// If it cannot be told.
    pub(super) fn tell(&self, output: &Output) -> Result<(), Error> {
        match (&self.file, self.token.as_str()) {
            (_, "") => Ok(()),
            (Some(file), _) if file.exists() => output.note(&format!(
                "to go on: the same again, with --state {}",
                file.display()
            )),
            (_, token) => output.note(&format!("to go on: --resume {token}")),
        }
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    beside.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_the_token_until_the_walk_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("walk");
        let left = || State::left(None, Some(file.clone()), false).expect("read");
        let mut state = left();
        assert_eq!(state.token(), "");
        state.reached("abc".to_owned(), 10).expect("written");
        assert_eq!(left().token(), "abc");
        state.reached(String::new(), 10).expect("removed");
        assert_eq!(left().token(), "");
        assert!(!file.exists());
        state.reached(String::new(), 0).expect("it is gone already");
    }

    #[test]
    fn into_a_pipe_the_file_says_only_what_no_pipe_can_still_hold() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("walk");
        let left = || State::left(None, Some(file.clone()), true).expect("read");
        let half = usize::try_from(IN_A_PIPE / 2).expect("small");
        let mut state = left();
        for (token, kept) in [("a", ""), ("b", ""), ("c", "a"), ("d", "b")] {
            state.reached(token.to_owned(), half).expect("kept");
            assert_eq!(left().token(), kept, "after {token}");
        }
        assert_eq!(state.token(), "d", "this run goes on where it is");
        state.settle().expect("written");
        assert_eq!(left().token(), "d", "whoever reads is there still");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told_before_anything_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let nowhere = folder.path().join("no-such-folder").join("walk");
        for file in [nowhere, folder.path().to_owned()] {
            let error = State::left(None, Some(file), false).expect_err("unusable");
            assert!(
                matches!(&error, Error::Usage(told) if told.starts_with("--state ")),
                "{error:?}"
            );
        }
    }

    #[test]
    fn without_a_file_the_token_is_told() {
        let mut state = State::left(Some("abc".to_owned()), None, false).expect("given");
        let (output, answers, notes) = Output::on_paper(false);
        state.tell(&output).expect("told");
        assert_eq!(
            (answers.text().as_str(), notes.text().as_str()),
            ("", "to go on: --resume abc\n")
        );
        state.reached(String::new(), 0).expect("nothing to write");
        state.tell(&output).expect("nothing to tell");
        assert_eq!(notes.text().lines().count(), 1);
    }
}
