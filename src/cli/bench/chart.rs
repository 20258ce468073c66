//! Line charts as inline SVG; classes of the page give the colours.

use std::fmt::Write;

use super::verdict::number;

/// In units of the SVG, which is scaled to the available width.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;

/// The most points of a line, which has no more pixels.
const MAX_POINTS: usize = 280;

/// A line, with gaps where there is no value.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    /// The CSS class, which gives the colour.
    pub(super) class: &'a str,
    pub(super) points: Vec<(f64, Option<f64>)>,
}

pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) unit: &'a str,
    pub(super) lines: Vec<Line<'a>>,
    /// Labels of the x axis.
    pub(super) marks: Vec<(f64, String)>,
    /// The end of the ramp on the x axis.
    pub(super) ramp: f64,
    /// Whether the y axis is logarithmic, as for latencies.
    pub(super) logarithmic: bool,
}

impl Chart<'_> {
    /// The SVG; None without positive values.
    pub(super) fn draw(&self) -> Option<String> {
        let values = || self.lines.iter().flat_map(|line| &line.points).filter_map(|(_, value)| *value);
        let most = values().fold(0.0, f64::max);
        let last = self.lines.iter().flat_map(|line| &line.points).map(|(at, _)| *at).fold(0.0, f64::max);
        if most <= 0.0 || last <= 0.0 {
            return None;
        }
        let least = values().filter(|value| *value > 0.0).fold(most, f64::min);
        let scale = Scale::over(least, most, self.logarithmic);
        let x = |at: f64| LEFT + at / last * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| TOP + (1.0 - scale.place(value)) * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<figure><figcaption>{} <span>{}</span></figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            self.title, self.unit, self.title
        );
        if self.ramp > 0.0 {
            let _ = write!(
                svg,
                "<rect class=\"ramp\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/><text class=\"hint\" x=\"{:.1}\" y=\"{:.1}\">ramp</text>",
                x(self.ramp.min(last)) - LEFT,
                HEIGHT - TOP - BOTTOM,
                LEFT + 5.0,
                TOP + 13.0
            );
        }
        for tick in &scale.ticks {
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {0:.1}H{1}\"/><text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{4}</text>",
                y(*tick),
                WIDTH - RIGHT,
                LEFT - 7.0,
                y(*tick) + 4.0,
                number(*tick)
            );
        }
        for (at, text) in &self.marks {
            let anchor = match x(*at) {
                at if at < LEFT + 10.0 => "start",
                at if at > WIDTH - RIGHT - 15.0 => "end",
                _ => "middle",
            };
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{text}</text>",
                x(*at),
                HEIGHT - 7.0
            );
        }
        let lines = || self.lines.iter().filter(|line| line.points.iter().any(|(_, value)| value.is_some()));
        for line in lines() {
            let _ = write!(svg, "<path class=\"line {}\" d=\"{}\"/>", line.class, path(&line.points, x, y));
        }
        svg += "</svg><ul class=\"legend\">";
        for line in lines() {
            let _ = write!(svg, "<li class=\"{}\">{}</li>", line.class, line.name);
        }
        Some(svg + "</ul></figure>")
    }
}

/// Labels in seconds, with a round step.
pub(super) fn seconds(last: f64) -> Vec<(f64, String)> {
    let step = round_up(last / 6.0).max(1.0);
    let count = (last / step + 1e-9).floor() as usize;
    (0..=count).map(|index| index as f64 * step).map(|at| (at, format!("{} s", number(at)))).collect()
}

/// The path of a line, reduced to `MAX_POINTS` by keeping the highest of neighbouring points, so that peaks stay.
fn path(points: &[(f64, Option<f64>)], x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut pen = "M";
    for chunk in points.chunks(points.len().div_ceil(MAX_POINTS).max(1)) {
        let highest = chunk.iter().filter_map(|(at, value)| Some((*at, (*value)?)));
        match highest.reduce(|one, other| if other.1 > one.1 { other } else { one }) {
            Some((at, value)) => {
                let _ = write!(path, "{pen}{:.1} {:.1}", x(at), y(value));
                pen = "L";
            }
            None => pen = "M",
        }
    }
    path
}

/// The y axis.
struct Scale {
    from: f64,
    to: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
}

impl Scale {
    fn over(least: f64, most: f64, logarithmic: bool) -> Self {
        if logarithmic {
            let (from, to) = (least.log10().floor(), (most.log10().ceil()).max(least.log10().floor() + 1.0));
            let ticks = (from as i32..=to as i32).map(|power| 10f64.powi(power)).collect();
            return Self { from, to, logarithmic, ticks };
        }
        let step = round_up(most / 4.0);
        let count = (most / step).ceil() as usize;
        let ticks = (0..=count).map(|index| index as f64 * step).collect();
        Self { from: 0.0, to: count as f64 * step, logarithmic, ticks }
    }

    /// From 0 at the bottom to 1 at the top.
    fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.max(1e-9).log10() } else { value };
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

/// The next number of the form 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|round| *round >= value * 0.999)
        .unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers() {
        assert_eq!([0.3, 1.0, 1.2, 7.0, 42.0, 180.0].map(round_up), [0.5, 1.0, 2.0, 10.0, 50.0, 200.0]);
        assert_eq!(Scale::over(1.0, 37.0, false).ticks, [0.0, 10.0, 20.0, 30.0, 40.0]);
        let scale = Scale::over(0.2, 30.0, true);
        assert_eq!((scale.from, scale.to), (-1.0, 2.0));
        assert!((scale.place(1.0) - 1.0 / 3.0).abs() < 1e-9);
        let marks: Vec<_> = seconds(35.0).into_iter().map(|(at, _)| at).collect();
        assert_eq!(marks, [0.0, 10.0, 20.0, 30.0]);
    }

    #[test]
    fn long_line_keeps_its_peaks_and_gaps() {
        let mut points: Vec<_> = (0..5000).map(|at| (f64::from(at), Some(1.0))).collect();
        points[2345].1 = Some(99.0);
        points[4000..4200].iter_mut().for_each(|point| point.1 = None);
        let path = path(&points, |x| x, |y| y);
        assert!(path.contains("2345.0 99.0") && path.matches(['M', 'L']).count() <= MAX_POINTS);
        assert_eq!(path.matches('M').count(), 2);
    }
}
