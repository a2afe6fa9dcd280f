//! The page on which somebody consents, in plain HTML. It has a form and no script.

use std::fmt::Write as _;

/// What the page shows.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) app_id: u64,
    pub(super) scopes: Vec<String>,
    pub(super) optional_scopes: Vec<String>,
    pub(super) accounts: Vec<Account>,
}

/// An account that can be chosen, and who can.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: u64,
    pub(super) name: String,
    /// Number and e-mail address.
    pub(super) users: Vec<(u64, String)>,
}

/// The page with the form. It is sent to the address of the page itself, whose query says what is asked for.
pub(super) fn consent(shown: &Shown) -> String {
    let mut body = format!(
        "<h1>Connect app {} to HubSpot</h1><p>This is a simulator: choose the account, and who you are in it.</p>\
         <form method=\"post\"><fieldset><legend>Account and user</legend>",
        shown.app_id
    );
    for account in &shown.accounts {
        for (user_id, email) in &account.users {
            let _ = write!(
                body,
                "<p><label><input type=\"radio\" name=\"user\" required value=\"{id}/{user_id}\"> {} in {} ({id})</label></p>",
                escaped(email),
                escaped(&account.name),
                id = account.id,
            );
        }
    }
    body.push_str("</fieldset><h2>The app may</h2><ul>");
    for (scopes, note) in [(&shown.scopes, ""), (&shown.optional_scopes, " (optional)")] {
        for scope in scopes {
            let _ = write!(body, "<li><code>{}</code>{note}</li>", escaped(scope));
        }
    }
    body.push_str(
        "</ul><p><button name=\"decision\" value=\"allow\">Connect app</button> \
         <button name=\"decision\" value=\"deny\" formnovalidate>Cancel</button></p></form>",
    );
    whole(&body)
}

/// The page that says what is wrong with the request.
pub(super) fn refusal(what: &str) -> String {
    whole(&format!(
        "<h1>The app cannot be connected</h1><p>{}</p>",
        escaped(what)
    ))
}

fn whole(body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>HubSpot (simulator)</title>\
         <style>body{{font:16px/1.5 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}}button{{font:inherit;padding:.4rem 1rem}}</style>\
         </head><body><main>{body}</main></body></html>"
    )
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_becomes_part_of_the_page() {
        let page = consent(&Shown {
            app_id: 1,
            scopes: vec!["<script>".to_owned()],
            optional_scopes: Vec::new(),
            accounts: vec![Account {
                id: 7,
                name: "a&b".to_owned(),
                users: vec![(1, "\"x\"@a.example".to_owned())],
            }],
        });
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
        assert!(page.contains("a&amp;b") && page.contains("&quot;x&quot;"));
        assert!(page.contains("value=\"7/1\""));
    }
}
