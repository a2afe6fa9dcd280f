//! The one place that prints. Answers go to standard output, everything about the run to standard error; colours
//! reach terminals only.

use std::{
    fs::{File, FileType},
    io::{self, IsTerminal as _, Write},
    os::{fd::AsFd, unix::fs::FileTypeExt as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anstyle::{AnsiColor, Style};
use comfy_table::Table;
use serde_json::{Value, json};

use crate::{errors::Error, tables, wording};

/// Bold: the word that matters in a line.
pub const STRONG: Style = Style::new().bold();
/// Dim: what may be passed over.
pub const FAINT: Style = Style::new().dimmed();
/// Green: it was done.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Red: it was refused, or failed.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Yellow: it was stopped, as it should be.
pub const HALT: Style = AnsiColor::Yellow.on_default();
/// Cyan: something to copy.
pub const COPY: Style = AnsiColor::Cyan.on_default();

/// Where a command prints. Clones print to the same place.
#[derive(Clone)]
pub struct Output {
    sinks: Arc<Mutex<Sinks>>,
    json: bool,
    piped: bool,
    /// How many characters a line of the terminal has, where answers go to one.
    width: Option<usize>,
}

struct Sinks {
    answers: Box<dyn Write + Send>,
    notes: Box<dyn Write + Send>,
}

impl Output {
    /// The process's standard output and standard error.
    pub fn standard(json: bool) -> Self {
        let standard = Self::to(json, Box::new(anstream::stdout()), Box::new(anstream::stderr()));
        Self {
            piped: is_pipe(&io::stdout()),
            width: io::stdout()
                .is_terminal()
                .then(|| Table::new().width().map(usize::from))
                .flatten(),
            ..standard
        }
    }

    /// These two places.
    pub fn to(json: bool, answers: Box<dyn Write + Send>, notes: Box<dyn Write + Send>) -> Self {
        Self {
            sinks: Arc::new(Mutex::new(Sinks { answers, notes })),
            json,
            piped: false,
            width: None,
        }
    }

    /// Whether answers go into a pipe, whose reader may leave without having read all that was written.
    pub const fn is_piped(&self) -> bool {
        self.piped
    }

    /// Whether answers are JSON.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// A line of the answer, for people.
    ///
    /// # Errors
    /// If it cannot be written; so for all methods here.
    pub fn line(&self, text: &str) -> Result<(), Error> {
        let mut sinks = self.sinks();
        writeln!(sinks.answers, "{text}")?;
        Ok(sinks.answers.flush()?)
    }

    /// The whole answer as one JSON document, indented.
    pub fn document(&self, document: &Value) -> Result<(), Error> {
        self.line(&format!("{document:#}"))
    }

    /// One of many answers: a JSON document on a line.
    pub fn json_line(&self, document: &Value) -> Result<(), Error> {
        self.line(&document.to_string())
    }

    /// A table with a header; a sentence instead if it has no rows.
    pub fn table(&self, header: &[&str], rows: Vec<Vec<String>>, if_empty: &str) -> Result<(), Error> {
        self.table_without(&[], header, rows, if_empty)
    }

    /// The same; on a narrow terminal these columns may be left out, the first ones first.
    pub fn table_without(
        &self,
        may_go: &[&str],
        header: &[&str],
        rows: Vec<Vec<String>>,
        if_empty: &str,
    ) -> Result<(), Error> {
        if rows.is_empty() {
            return self.note(if_empty);
        }
        let shown = tables::fitted(header, &rows, self.width, may_go);
        self.line(&shown.text)?;
        if shown.left_out.is_empty() {
            return Ok(());
        }
        let left_out = shown.left_out.join(", ");
        self.note(&format!(
            "{FAINT}a wider terminal, a pipe or --json shows also: {left_out}{FAINT:#}"
        ))
    }

    /// A remark about the run, on standard error.
    pub fn note(&self, text: &str) -> Result<(), Error> {
        let mut sinks = self.sinks();
        writeln!(sinks.notes, "{text}")?;
        Ok(sinks.notes.flush()?)
    }

    /// An error: in words on standard error, or as JSON on standard output.
    pub fn error(&self, error: &Error) -> Result<(), Error> {
        let refusal = error.refusal();
        if self.json {
            return self.json_line(&json!({ "error": refusal }));
        }
        let message = wording::typed(&error.to_string());
        let message: Vec<String> = message.lines().map(printable).collect();
        self.note(&format!("{BAD}error{BAD:#}: {}", message.join("\n")))?;
        for line in refusal.lines() {
            self.note(&format!(
                "  {FAINT}{}{FAINT:#}",
                printable(&wording::typed(&line))
            ))?;
        }
        if let Error::Unreachable { service, address, .. } = error {
            let mut hint = format!("is it running, and is --{service} its address?");
            // TLS 1.3 refuses a certificate after our part is done: what was sent by then may break off first.
            if address.starts_with("https:") {
                hint.push_str(" If it is: its log says whether it refused your certificate");
            }
            self.note(&format!("  {FAINT}{hint}{FAINT:#}"))?;
        }
        Ok(())
    }

    /// A panic while printing leaves nothing half-made that the next line could be harmed by.
    fn sinks(&self) -> MutexGuard<'_, Sinks> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this is a pipe, or a socket. Where it cannot be known it is taken for one.
fn is_pipe(stream: &impl AsFd) -> bool {
    let kind = || -> io::Result<FileType> {
        let copy = stream.as_fd().try_clone_to_owned()?;
        Ok(File::from(copy).metadata()?.file_type())
    };
    kind().map_or(true, |kind| kind.is_fifo() || kind.is_socket())
}

/// Text from elsewhere, fit for a terminal: control characters, which could rewrite the screen, become '�'.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() { '\u{fffd}' } else { char })
        .collect()
}

/// A place to print to that a test can read.
#[cfg(test)]
#[derive(Clone, Default)]
pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

#[cfg(test)]
impl Paper {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
    }
}

#[cfg(test)]
impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
impl Output {
    /// The same on a terminal of this width.
    pub(crate) fn on_terminal(self, width: usize) -> Self {
        Self {
            width: Some(width),
            ..self
        }
    }

    pub(crate) fn on_paper(json: bool) -> (Self, Paper, Paper) {
        let (answers, notes) = (Paper::default(), Paper::default());
        let output = Self::to(json, Box::new(answers.clone()), Box::new(notes.clone()));
        (output, answers, notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_json_on_standard_output_or_words_on_standard_error() {
        let error = Error::Usage("no such thing".to_owned());
        let (json, answers, notes) = Output::on_paper(true);
        json.error(&error).expect("written");
        let document: Value = serde_json::from_str(&answers.text()).expect("JSON");
        assert_eq!(document["error"]["message"], "no such thing");
        assert_eq!(notes.text(), "");
        let (words, answers, notes) = Output::on_paper(false);
        words.error(&error).expect("written");
        assert_eq!(answers.text(), "");
        assert_eq!(
            anstream::adapter::strip_str(&notes.text()).to_string(),
            "error: no such thing\n"
        );
    }

    #[test]
    fn text_from_elsewhere_cannot_steer_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        let (output, answers, _) = Output::on_paper(false);
        let row = vec!["\u{1b}]0;owned".to_owned()];
        output.table(&["name"], vec![row], "none").expect("written");
        assert!(!answers.text().contains('\u{1b}'));
    }

    #[test]
    fn a_table_without_rows_is_a_remark() {
        let (output, answers, notes) = Output::on_paper(false);
        output
            .table(&["name"], Vec::new(), "no portals yet")
            .expect("written");
        assert_eq!(
            (answers.text().as_str(), notes.text().as_str()),
            ("", "no portals yet\n")
        );
    }
}
