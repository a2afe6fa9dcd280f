//! Reports as one page that needs nothing else: no script, no font, no picture from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    charts,
    frame::Frame,
    page::{Page, Section},
};

const STYLE: &str = include_str!("report.css");
/// What the page may do: nothing but show itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The report as a page.
pub(super) fn written(frame: &Frame, page: &Page) -> String {
    let title = format!("{}: {}", frame.title, frame.client_slug);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p class="maker" { "Hubkeep" }
                    h1 { (frame.title) }
                    dl {
                        @for (name, value) in frame.facts().iter().chain(&page.facts) {
                            dt { (name) }
                            dd { @if value.is_empty() { span class="missing" { "not stated" } } @else { (value) } }
                        }
                    }
                }
                @if !page.gaps.is_empty() {
                    section class="gaps" {
                        h2 { "What is missing" }
                        ul { @for gap in &page.gaps { li { (gap) } } }
                    }
                }
                @for section in &page.sections { (one(section)) }
                footer {
                    p {
                        "Made from the audit logs alone. Asked for again as of the same positions, this page is the same, byte for byte."
                    }
                }
            }
        }
    }
    .into_string()
}

fn one(section: &Section) -> Markup {
    html! {
        section {
            h2 { (section.title) }
            p { (section.about) }
            @if section.rows.is_empty() {
                p class="none" { "Nothing in this period." }
            } @else {
                @if let Some(drawn) = section.drawn { (chart(section, drawn)) }
                table {
                    thead {
                        tr {
                            @for column in &section.columns {
                                th scope="col" class=[column.is_number.then_some("number")] { (column.name) }
                            }
                        }
                    }
                    tbody {
                        @for row in &section.rows {
                            tr {
                                @for (cell, column) in row.iter().zip(&section.columns) {
                                    td class=[column.is_number.then_some("number")] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn chart(section: &Section, drawn: usize) -> Markup {
    let values = section.rows.iter().filter_map(|row| {
        let value = row.get(drawn)?.parse().ok()?;
        Some((row.first()?.as_str(), value))
    });
    let name = section.columns.get(drawn).map_or("", |column| column.name);
    html! {
        figure {
            figcaption { (name) " by " (section.columns.first().map_or("", |column| column.name).to_lowercase()) }
            (charts::bars(section.title, values.collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_fetches_nothing() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains("</"));
    }
}
