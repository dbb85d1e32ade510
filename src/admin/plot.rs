//! A series by day as bars, drawn here so that the page needs neither script nor inline style.

use jiff::civil::Date;
use serde::Serialize;

use crate::web::templates::Message;

/// Units between the left edges of two bars.
const STEP: i64 = 20;
/// Units of the widest part of a bar.
const BAR: i64 = 14;
/// Units of the highest bar.
const HEIGHT: i64 = 80;

/// A plot with its table.
#[derive(Clone, Debug, Serialize)]
pub struct Plot {
    /// Name of the series in ids, such as `sign-ins`.
    pub id: &'static str,
    /// What is counted.
    pub title: Message,
    /// All of it.
    pub total: i64,
    /// Units of the picture's width.
    pub width: i64,
    /// Units of the picture's height.
    pub height: i64,
    /// The days, the oldest first.
    pub bars: Vec<Bar>,
}

/// A day of a [`Plot`].
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// Month and day.
    pub day: String,
    /// How often.
    pub count: i64,
    /// Left edge.
    pub x: i64,
    /// Upper edge.
    pub y: i64,
    /// Width.
    pub width: i64,
    /// Height.
    pub height: i64,
}

impl Plot {
    /// The plot of a series.
    pub fn new(id: &'static str, title: &str, days: &[(Date, i64)]) -> Self {
        let most = days.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
        let bars = (0_i64..).zip(days).map(|(at, (day, count))| {
            // What happened at all is seen.
            let height = if *count > 0 { (count.saturating_mul(HEIGHT) / most).max(2) } else { 0 };
            Bar {
                day: format!("{}/{}", day.month(), day.day()),
                count: *count,
                x: at * STEP + (STEP - BAR) / 2,
                y: HEIGHT - height,
                width: BAR,
                height,
            }
        });
        let bars: Vec<Bar> = bars.collect();
        Self {
            id,
            title: Message::new(title),
            total: days.iter().map(|(_, count)| count).sum(),
            width: i64::try_from(bars.len()).unwrap_or(0) * STEP,
            height: HEIGHT,
            bars,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_within_the_picture() {
        let day = jiff::civil::date(2026, 11, 23);
        let plot = Plot::new("x", "x", &[(day, 0), (day, 1), (day, 1_000_000)]);
        let heights: Vec<i64> = plot.bars.iter().map(|bar| bar.height).collect();
        assert_eq!(heights, [0, 2, HEIGHT]);
        assert!(plot.bars.iter().all(|bar| bar.y + bar.height == HEIGHT && bar.x + bar.width <= plot.width));
        assert_eq!((plot.total, plot.bars[0].day.as_str()), (1_000_001, "11/23"));
        assert_eq!(Plot::new("x", "x", &[]).width, 0);
    }
}
