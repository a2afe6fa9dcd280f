//! The commands that a page of the documentation shows.

use std::path::PathBuf;

use super::sources::source;

/// The commands of a page's blocks that are marked as such (`sh`), each in one line.
pub fn commands(page: &str) -> Vec<String> {
    let page_source = source(page);
    let (mut found, mut inside) = (Vec::new(), false);
    for line in page_source.text.lines() {
        match line.trim_end() {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside && !line.is_empty() && !line.starts_with('#') => found.push(line.to_owned()),
            _ => {}
        }
    }
    assert!(!found.is_empty(), "{page} has no commands");
    found
}

/// The files that a page shows: blocks that are marked with a kind and a name, as `toml details.toml`.
pub fn files(page: &str) -> Vec<(PathBuf, String)> {
    let page_source = source(page);
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    let mut inside = false;
    for line in page_source.text.lines() {
        let mark = line.strip_prefix("```");
        match mark.map(|mark| mark.split_once(' ')) {
            Some(Some((_, name))) => {
                inside = true;
                found.push((PathBuf::from(name.trim()), String::new()));
            }
            Some(None) => inside = false,
            None if inside => {
                if let Some((_, text)) = found.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            None => {}
        }
    }
    found
}

/// The words after `start` in a command, where it has them.
pub fn words_after(command: &str, start: &str) -> Option<Vec<String>> {
    let (_, words) = command.split_once(start)?;
    // Within $( … ) the command ends with the bracket.
    let words = words.strip_suffix(')').unwrap_or(words);
    let (mut split, mut quoted) = (vec![String::new()], false);
    for letter in words.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => split.push(String::new()),
            letter => split.last_mut().expect("never empty").push(letter),
        }
    }
    Some(split)
}
