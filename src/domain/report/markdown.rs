//! A report as Markdown: what came from outside is drawn, never obeyed.

use super::{Part, Report};
use crate::text::Untrusted;

impl Report {
    /// Returns it as Markdown.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for (place, section) in self.sections().into_iter().enumerate() {
            let level = if place == 0 { "#" } else { "##" };
            out.push_str(&format!("{level} {}\n\n", plain(&section.title)));
            for part in &section.parts {
                write(&mut out, part);
            }
            // A list ends before the next title.
            if !out.ends_with("\n\n") {
                out.push('\n');
            }
        }
        out
    }
}

fn write(out: &mut String, part: &Part) {
    if !matches!(part, Part::Field(..) | Part::Bullet(_)) && !out.ends_with("\n\n") {
        out.push('\n');
    }
    match part {
        Part::Line(line) => out.push_str(&format!("{}\n\n", plain(line))),
        Part::Bullet(line) => out.push_str(&format!("- {}\n", plain(line))),
        Part::Field(name, value) => out.push_str(&format!("- {name}: {}\n", plain(value))),
        Part::Table(heads, rows) => {
            let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
            out.push_str(&line(heads.iter().map(|head| (*head).to_owned()).collect()));
            out.push_str(&line(heads.iter().map(|_| "---".to_owned()).collect()));
            for row in rows {
                out.push_str(&line(row.iter().map(|cell| plain(cell)).collect()));
            }
            out.push('\n');
        }
    }
}

/// Marks of Markdown and HTML that would be obeyed; `-`, `.` and `#` mean nothing inside a line.
const MARKS: [char; 9] = ['\\', '`', '*', '_', '[', ']', '<', '>', '|'];

fn plain(text: &str) -> String {
    let shown = Untrusted::new(text).show().to_string();
    let mut out = String::with_capacity(shown.len());
    for c in shown.chars() {
        if MARKS.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
