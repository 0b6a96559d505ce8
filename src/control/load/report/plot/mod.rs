//! Line plots as SVG that needs nothing beside it but the page's style sheet.

mod scale;

use super::markup::Markup;
pub(super) use scale::Scale;

/// Pixels of a plot that has a row for itself, and of one that shares it: letters are as large in both.
pub(super) const WHOLE: f64 = 1_180.0;
pub(super) const HALF: f64 = 580.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;

/// An axis and what it measures.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) title: &'static str,
    pub(super) scale: Scale,
}

/// A line. Where there is no value it has a gap.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// Class of the style sheet that gives colour and dashes.
    pub(super) class: &'static str,
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// What a reader is told who points at a stretch of the x axis.
#[derive(Clone, Debug)]
pub(super) struct Hint {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) text: String,
}

/// A plot.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    /// `WHOLE` or `HALF`.
    pub(super) width: f64,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<Line>,
    pub(super) hints: Vec<Hint>,
    /// A value of the x axis that is marked, and why.
    pub(super) mark: Option<(f64, &'static str)>,
}

impl Plot {
    /// Writes a figure: title, drawing, legend.
    pub(super) fn draw(&self, markup: &mut Markup) {
        let class = if self.width > HALF { "whole" } else { "half" };
        markup.element("figure", &[("class", &class)], |figure| {
            figure.line("figcaption", &[], &self.title);
            let view = format!("0 0 {} {HEIGHT}", self.width);
            figure.element("svg", &[("viewBox", &view), ("role", &"img"), ("aria-label", &self.title)], |svg| {
                self.grid(svg);
                self.mark(svg);
                self.lines.iter().for_each(|line| self.line(svg, line));
                self.hints.iter().for_each(|hint| self.hint(svg, hint));
            });
            self.legend(figure);
        });
    }

    fn grid(&self, svg: &mut Markup) {
        let (left, right, bottom) = (at(LEFT), at(self.width - RIGHT), at(HEIGHT - BOTTOM));
        for tick in self.y.scale.ticks() {
            let y = at(self.y_at(tick.at));
            svg.empty("line", &[("class", &"grid"), ("x1", &left), ("x2", &right), ("y1", &y), ("y2", &y)]);
            let place: [(&'static str, &dyn std::fmt::Display); 4] =
                [("class", &"tick y"), ("x", &at(LEFT - 8.0)), ("y", &y), ("dy", &"0.35em")];
            svg.line("text", &place, &tick.label);
        }
        for tick in self.x.scale.ticks() {
            let x = at(self.x_at(tick.at));
            svg.empty("line", &[("class", &"grid"), ("x1", &x), ("x2", &x), ("y1", &at(TOP)), ("y2", &bottom)]);
            svg.line("text", &[("class", &"tick x"), ("x", &x), ("y", &at(HEIGHT - BOTTOM + 17.0))], &tick.label);
        }
        self.titles(svg);
    }

    fn titles(&self, svg: &mut Markup) {
        let (x, y) = (at((LEFT + self.width - RIGHT) / 2.0), at((TOP + HEIGHT - BOTTOM) / 2.0));
        svg.line("text", &[("class", &"axis"), ("x", &x), ("y", &at(HEIGHT - 8.0))], self.x.title);
        let turned = format!("translate(13 {y}) rotate(-90)");
        svg.line("text", &[("class", &"axis"), ("transform", &turned)], self.y.title);
    }

    fn mark(&self, svg: &mut Markup) {
        let Some((value, why)) = self.mark else { return };
        let x = at(self.x_at(value));
        let (top, bottom) = (at(TOP), at(HEIGHT - BOTTOM));
        svg.empty("line", &[("class", &"mark"), ("x1", &x), ("x2", &x), ("y1", &top), ("y2", &bottom)]);
        let label = at(self.x_at(value) - 4.0);
        svg.line("text", &[("class", &"mark"), ("x", &label), ("y", &at(TOP + 10.0))], why);
    }

    fn line(&self, svg: &mut Markup, line: &Line) {
        let mut path = String::new();
        let mut joined = false;
        for (x, y) in &line.points {
            let Some(y) = y else {
                joined = false;
                continue;
            };
            path += &format!("{}{} {}", if joined { "L" } else { "M" }, at(self.x_at(*x)), at(self.y_at(*y)));
            // A value between two gaps is a dot: a line of no length with round ends.
            path += if joined { "" } else { "h0" };
            joined = true;
        }
        svg.empty("path", &[("class", &format!("line {}", line.class)), ("d", &path)]);
    }

    fn hint(&self, svg: &mut Markup, hint: &Hint) {
        let (from, to) = (self.x_at(hint.from), self.x_at(hint.to));
        let (x, width, y, height) = (at(from), at(to - from), at(TOP), at(HEIGHT - BOTTOM - TOP));
        let place: [(&'static str, &dyn std::fmt::Display); 5] =
            [("class", &"hint"), ("x", &x), ("y", &y), ("width", &width), ("height", &height)];
        svg.element("rect", &place, |rect| rect.line("title", &[], &hint.text));
    }

    fn legend(&self, figure: &mut Markup) {
        figure.element("ul", &[("class", &"legend")], |list| {
            for line in &self.lines {
                list.element("li", &[], |item| {
                    item.element("svg", &[("viewBox", &"0 0 28 10"), ("aria-hidden", &"true")], |svg| {
                        svg.empty("path", &[("class", &format!("line {}", line.class)), ("d", &"M2 5h24")]);
                    });
                    item.text(&line.name);
                });
            }
        });
    }

    fn x_at(&self, value: f64) -> f64 {
        LEFT + self.x.scale.place(value) * (self.width - RIGHT - LEFT)
    }

    fn y_at(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.scale.place(value) * (HEIGHT - BOTTOM - TOP)
    }
}

/// A coordinate: a tenth of a pixel is enough.
fn at(coordinate: f64) -> String {
    format!("{coordinate:.1}")
}
