//! What all pages have around them.

use maud::{DOCTYPE, Markup, html};

use super::LIST;

/// A page. `caller` is who reads it, where that is known.
pub(super) fn page(title: &str, caller: Option<&str>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Hubkeep" }
                link rel="icon" href="/web/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/web/viewer.css";
                script src="/web/viewer.js" defer {}
            }
            body {
                a class="skip" href="#content" { "Skip to the content" }
                header class="top" {
                    a class="brand" href=(LIST) { span class="mark" aria-hidden="true" {} "Hubkeep" }
                    span class="where" { "Audit log of crm-service" }
                    @if let Some(caller) = caller { span class="who" { "You are " strong { (caller) } } }
                }
                main id="content" { (content) }
                footer class="bottom" {
                    p {
                        "Every reading is on record, this one too. What credential-service keeps of handles and portals is read with "
                        code { "hubkeep audit list --from credential-service" } "."
                    }
                }
            }
        }
    }
}
