//! Prints things of one kind in the form that was asked for. They come as JSON lines; what a form does not need
//! to read, it hands on as it is.

use std::io::Write;
use std::marker::PhantomData;

use anyhow::Result;
use connctl_api::client::split;

use super::columns::{Chosen, Record, named, usual};
use super::line::read;
use super::table::{Look, Table};
use super::tree::Tree;
use super::{csv, yaml};
use crate::args::output::Format;
use crate::invocation::Invocation;

/// Prints things of kind `R`.
#[derive(Debug)]
pub(crate) struct Printer<R> {
    form: Form,
    /// The columns that were asked for, if any were.
    asked: Option<Vec<Chosen>>,
    /// The document has more than the list.
    wrapped: bool,
    printed: u64,
    text: String,
    kind: PhantomData<fn() -> R>,
}

#[derive(Debug)]
enum Form {
    Table(Table),
    Json,
    Jsonl,
    Csv { headers: bool },
    Yaml,
    Name,
}

impl<R: Record> Printer<R> {
    /// A printer of a plain list; `columns` are those that were asked for.
    pub(crate) fn list(invocation: &Invocation, columns: &[String]) -> Result<Self> {
        let asked = if columns.is_empty() { None } else { Some(named::<R>(columns)?) };
        let form = match invocation.format {
            format @ (Format::Table | Format::Wide) => {
                let wide = format == Format::Wide;
                let look = Look {
                    style: invocation.style,
                    headers: invocation.headers,
                    width: invocation.width.filter(|_| !wide),
                    droppable: asked.is_none() && !wide,
                };
                Form::Table(Table::new(asked.clone().unwrap_or_else(|| usual::<R>(wide)), look))
            }
            Format::Json => Form::Json,
            Format::Jsonl => Form::Jsonl,
            Format::Csv => Form::Csv { headers: invocation.headers },
            Format::Yaml => Form::Yaml,
            Format::Name => Form::Name,
        };
        Ok(Self { form, asked, wrapped: false, printed: 0, text: String::new(), kind: PhantomData })
    }

    /// A printer of items that a summary follows.
    pub(crate) fn items(invocation: &Invocation) -> Result<Self> {
        Ok(Self { wrapped: true, ..Self::list(invocation, &[])? })
    }

    /// Prints a block of whole lines; `observe` sees each one that the form needed to read.
    pub(crate) fn block(
        &mut self,
        block: &[u8],
        out: &mut dyn Write,
        observe: &mut dyn FnMut(&R::View<'_>),
    ) -> Result<()> {
        if matches!(self.form, Form::Jsonl) && self.asked.is_none() {
            out.write_all(block)?;
            if !block.ends_with(b"\n") {
                out.write_all(b"\n")?;
            }
            return Ok(());
        }
        split(block).try_for_each(|line| self.line(line, out, observe))
    }

    /// Prints one thing.
    pub(crate) fn line(
        &mut self,
        line: &[u8],
        out: &mut dyn Write,
        observe: &mut dyn FnMut(&R::View<'_>),
    ) -> Result<()> {
        self.text.clear();
        match &mut self.form {
            Form::Table(table) => {
                let view = R::read(line)?;
                observe(&view);
                table.row(out, |chosen, cell| R::cell(&view, chosen, cell))?;
            }
            Form::Name => self.name(line)?,
            Form::Json => {
                let open = if self.wrapped { "{\"items\":[\n" } else { "[\n" };
                out.write_all(if self.printed == 0 { open.as_bytes() } else { b",\n" })?;
                self.json(line, out)?;
            }
            Form::Jsonl => {
                self.json(line, out)?;
                out.write_all(b"\n")?;
            }
            Form::Csv { headers } => {
                let has_header = *headers && self.printed == 0;
                self.csv(line, has_header)?;
            }
            Form::Yaml => self.yaml(line)?,
        }
        self.printed += 1;
        out.write_all(self.text.as_bytes())?;
        Ok(())
    }

    fn name(&mut self, line: &[u8]) -> Result<()> {
        R::name(&R::read(line)?, &mut self.text);
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        Ok(())
    }

    fn json(&self, line: &[u8], out: &mut dyn Write) -> Result<()> {
        match &self.asked {
            None => Ok(out.write_all(line)?),
            Some(asked) => Ok(serde_json::to_writer(out, &Tree::Map(projected::<R>(line, asked)?))?),
        }
    }

    fn csv(&mut self, line: &[u8], has_header: bool) -> Result<()> {
        if has_header {
            csv_header::<R>(self.asked.as_deref(), &mut self.text);
        }
        match &self.asked {
            None => {
                let tree = read::<Tree>(line)?;
                csv::line(R::FIELDS.iter().map(|field| tree.get(field)), &mut self.text);
            }
            Some(asked) => {
                let entries = projected::<R>(line, asked)?;
                csv::line(entries.iter().map(|(_, value)| Some(value)), &mut self.text);
            }
        }
        Ok(())
    }

    fn yaml(&mut self, line: &[u8]) -> Result<()> {
        if self.wrapped && self.printed == 0 {
            self.text.push_str("items:\n");
        }
        let tree = match &self.asked {
            None => read::<Tree>(line)?,
            Some(asked) => Tree::Map(projected::<R>(line, asked)?),
        };
        yaml::item(&tree, &mut self.text);
        Ok(())
    }

    /// Hands out what there is so far: more comes later.
    pub(crate) fn pause(&mut self, out: &mut dyn Write) -> Result<()> {
        if let Form::Table(table) = &mut self.form {
            table.begin_now(out)?;
        }
        Ok(out.flush()?)
    }

    /// Ends the document. `summary` is the JSON of the last line of a bulk operation's answer.
    pub(crate) fn finish(self, summary: Option<&str>, out: &mut dyn Write) -> Result<()> {
        match summary {
            Some(summary) => self.finish_with(&[("summary", summary)], out),
            None => self.finish_with(&[], out),
        }
    }

    /// The same, where that line has more: each is a name and its JSON.
    pub(crate) fn finish_with(mut self, last: &[(&str, &str)], out: &mut dyn Write) -> Result<()> {
        self.text.clear();
        match &mut self.form {
            Form::Table(table) => table.finish(out)?,
            Form::Name => {}
            Form::Json => {
                let none = if self.wrapped { "{\"items\":[" } else { "[" };
                self.text.push_str(if self.printed == 0 { none } else { "\n" });
                self.text.push(']');
                if self.wrapped {
                    for (name, json) in last {
                        self.text += &format!(",\"{name}\":{json}");
                    }
                    self.text.push('}');
                }
                self.text.push('\n');
            }
            Form::Jsonl => {
                let fields: Vec<_> = last.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
                if !fields.is_empty() {
                    self.text += &format!("{{{}}}\n", fields.join(","));
                }
            }
            Form::Csv { headers } => {
                if *headers && self.printed == 0 {
                    csv_header::<R>(self.asked.as_deref(), &mut self.text);
                }
            }
            Form::Yaml => {
                if self.printed == 0 {
                    self.text.push_str(if self.wrapped { "items: []\n" } else { "[]\n" });
                }
                if !last.is_empty() {
                    let entry =
                        |(name, json): &(&str, &str)| Ok(((*name).to_owned(), read(json.as_bytes())?));
                    let tree = Tree::Map(last.iter().map(entry).collect::<Result<_>>()?);
                    yaml::document(&tree, &mut self.text);
                }
            }
        }
        out.write_all(self.text.as_bytes())?;
        out.flush()?;
        Ok(())
    }
}

fn csv_header<R: Record>(asked: Option<&[Chosen]>, text: &mut String) {
    let names: Vec<Tree> = match asked {
        None => R::FIELDS.iter().map(|field| Tree::text(*field)).collect(),
        Some(asked) => asked.iter().map(|chosen| Tree::Text(chosen.wire())).collect(),
    };
    csv::line(names.iter().map(Some), text);
}

/// Only the columns that were asked for, in their order.
fn projected<R: Record>(line: &[u8], asked: &[Chosen]) -> Result<Vec<(String, Tree)>> {
    let tree = read::<Tree>(line)?;
    let view = R::read(line)?;
    let value = |chosen: &Chosen| match tree.get(chosen.column.wire) {
        Some(value) if !chosen.column.wire.is_empty() => value.clone(),
        _ => R::computed(&view, chosen),
    };
    Ok(asked.iter().map(|chosen| (chosen.wire(), value(chosen))).collect())
}
