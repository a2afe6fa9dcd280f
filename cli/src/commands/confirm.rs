//! Whether somebody who types a command means what cannot be undone.

use std::io::{self, BufRead, IsTerminal as _};

use crate::{errors::Error, output::Output};

/// Asks, unless `--yes` was typed. Where nobody can be asked, `--yes` is needed.
///
/// # Errors
/// If the answer is not yes: then nothing was sent.
pub(crate) fn sure(question: &str, yes: bool, output: &Output) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Error::Usage(format!(
            "{question} Nothing was sent: say --yes to do it"
        )));
    }
    output.note(&format!("{question} Type yes to do it:"))?;
    said_yes(io::stdin().lock())
}

fn said_yes(mut input: impl BufRead) -> Result<(), Error> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    match line.trim().eq_ignore_ascii_case("yes") {
        true => Ok(()),
        false => Err(Error::Usage(
            "nothing was sent: the answer was not yes".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_yes_is_yes() {
        assert!(said_yes(&b"yes\n"[..]).is_ok() && said_yes(&b" YES"[..]).is_ok());
        for no in [&b"y\n"[..], b"", b"no\n", b"yes please\n"] {
            assert!(matches!(said_yes(no), Err(Error::Usage(_))), "{no:?}");
        }
    }

    #[test]
    fn who_typed_yes_is_not_asked() {
        let (output, answers, notes) = Output::on_paper(false);
        sure("Erase it?", true, &output).expect("sure");
        assert_eq!((answers.text(), notes.text()), (String::new(), String::new()));
    }
}
