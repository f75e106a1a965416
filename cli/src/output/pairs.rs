//! One thing in depth: names on the left, values on the right.

use std::io::Write;

use anyhow::Result;

use super::style::{RESET, Style};
use super::tree::Tree;
use super::{csv, stdout, yaml};
use crate::args::output::Format;
use crate::invocation::Invocation;

/// A heading, or a name with its value.
#[derive(Debug)]
pub(crate) enum Line {
    Heading(String),
    Pair(&'static str, String),
}

/// Prints a thing that the agent told as JSON; `lines` is what people see of it.
pub(crate) fn print(invocation: &Invocation, json: &str, name: &str, lines: &[Line]) -> Result<()> {
    let mut out = stdout();
    let mut text = String::new();
    match invocation.format {
        Format::Table | Format::Wide => table(lines, invocation.style, &mut text),
        Format::Name => text = format!("{name}\n"),
        Format::Json => text = serde_json::to_string_pretty(&tree_of(json)?)? + "\n",
        Format::Jsonl => text = serde_json::to_string(&tree_of(json)?)? + "\n",
        Format::Yaml => yaml::document(&tree_of(json)?, &mut text),
        Format::Csv => {
            let Tree::Map(entries) = tree_of(json)? else { return Ok(()) };
            if invocation.headers {
                let names: Vec<Tree> = entries.iter().map(|(key, _)| Tree::text(key)).collect();
                csv::line(names.iter().map(Some), &mut text);
            }
            csv::line(entries.iter().map(|(_, value)| Some(value)), &mut text);
        }
    }
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn tree_of(json: &str) -> Result<Tree> {
    super::line::read(json.as_bytes())
}

fn table(lines: &[Line], style: Style, out: &mut String) {
    let names = lines.iter().filter_map(|line| match line {
        Line::Pair(name, _) => Some(name.len()),
        Line::Heading(_) => None,
    });
    let width = names.max().unwrap_or(0);
    for line in lines {
        match (line, style.title()) {
            (Line::Heading(text), None) => *out += &format!("\n{text}\n"),
            (Line::Heading(text), Some(start)) => *out += &format!("\n{start}{text}{RESET}\n"),
            (Line::Pair(name, value), _) if value.is_empty() => *out += &format!("{name:width$}  -\n"),
            (Line::Pair(name, value), _) => *out += &format!("{name:width$}  {value}\n"),
        }
    }
}
