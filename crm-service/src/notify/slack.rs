//! A text as an incoming webhook of Slack takes it.

use hubkeep_webhook::Message;
use serde_json::json;

use super::Note;

/// The longest text, in characters: Slack cuts longer ones in places of its own choice.
const LONGEST: usize = 3_000;

/// The note as a message that says what its text says, letter for letter: no link, no mention, no format.
pub(super) fn message(note: &Note) -> Message {
    let body = json!({ "text": escaped(&note.text), "mrkdwn": false });
    Message {
        id: note.id.clone(),
        body: body.to_string().into(),
    }
}

/// Without what Slack takes for a link or a mention: `<!channel>`, `<@U1>`, `<https://…|text>`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| !letter.is_control()).take(LONGEST) {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_be_links_mentions_or_lines_are_text() {
        let text = "<!channel> & <@U1>\n<https://evil.example|acme>";
        assert_eq!(
            escaped(text),
            "&lt;!channel&gt; &amp; &lt;@U1&gt;&lt;https://evil.example|acme&gt;"
        );
        assert_eq!(
            escaped("&lt;"),
            "&amp;lt;",
            "what is escaped already is text, too"
        );
        assert_eq!(escaped(&"x".repeat(LONGEST + 1)).len(), LONGEST);
    }
}
