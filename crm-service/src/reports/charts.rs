//! A column of numbers as bars, drawn as SVG: nothing is fetched, and it prints.

use maud::{Markup, html};

/// The most bars that are drawn.
const MOST: usize = 62;
const WIDTH: usize = 640;
const ROW: usize = 20;
/// Where bars begin: names stand before that.
const LEFT: usize = 190;
/// What is left for the number behind the longest bar.
const RIGHT: usize = 90;
/// Characters of a name that fit.
const NAME: usize = 26;

/// Bars of these, each a name and a number; the longest ones if there are too many.
pub(super) fn bars(title: &str, mut values: Vec<(&str, u64)>) -> Markup {
    if values.len() > MOST {
        values.sort_by_key(|(_, value)| std::cmp::Reverse(*value));
        values.truncate(MOST);
    }
    let most = values.iter().map(|(_, value)| *value).max().unwrap_or(0);
    let height = ROW * values.len();
    let room = WIDTH - LEFT - RIGHT;
    html! {
        svg class="bars" role="img" aria-label=(title) viewBox=(format!("0 0 {WIDTH} {height}")) width=(WIDTH) height=(height) {
            @for (place, (name, value)) in values.iter().enumerate() {
                @let top = place * ROW;
                @let long = length(*value, most, room);
                text x=(LEFT - 8) y=(top + 14) text-anchor="end" { (short(name)) }
                rect x=(LEFT) y=(top + 3) width=(long) height=(ROW - 6) rx="2" {}
                text class="value" x=(LEFT + long + 6) y=(top + 14) { (value) }
            }
        }
    }
}

/// How long a bar is: what is not nothing can be seen.
fn length(value: u64, most: u64, room: usize) -> usize {
    let room = u64::try_from(room).unwrap_or(0);
    let long = value.saturating_mul(room).checked_div(most).unwrap_or(0);
    let long = if value > 0 { long.max(1) } else { 0 };
    usize::try_from(long).unwrap_or(0)
}

fn short(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let kept: String = name.chars().take(NAME - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_room_and_the_smallest_can_be_seen() {
        assert_eq!(
            (length(50, 50, 360), length(1, 1_000_000, 360), length(0, 50, 360)),
            (360, 1, 0)
        );
        assert_eq!(length(0, 0, 360), 0);
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let drawn = bars("calls", vec![("<script>alert(1)</script>", 3)]).into_string();
        assert!(!drawn.contains("<script>"), "{drawn}");
        assert!(drawn.contains("&lt;script&gt;"), "{drawn}");
    }
}
