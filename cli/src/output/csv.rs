//! Comma-separated values (RFC 4180, lines end in a line feed).

use super::tree::Tree;

/// Appends a line of these cells.
pub(crate) fn line<'a>(cells: impl IntoIterator<Item = Option<&'a Tree>>, out: &mut String) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        match cell {
            None | Some(Tree::Null) => {}
            Some(Tree::Bool(value)) => out.push_str(if *value { "true" } else { "false" }),
            Some(Tree::Number(number)) => out.push_str(&number.to_string()),
            Some(Tree::Text(text)) => quoted(text, out),
            Some(Tree::Map(entries)) if entries.is_empty() => {}
            // What is nested is JSON in its cell: nothing else reads back exactly.
            Some(nested) => quoted(&serde_json::to_string(nested).unwrap_or_default(), out),
        }
    }
    out.push('\n');
}

/// Appends a cell, in quotes where it needs them.
pub(crate) fn quoted(text: &str, out: &mut String) {
    if !text.contains(['"', ',', '\n', '\r']) {
        out.push_str(text);
        return;
    }
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let tree: Tree =
            serde_json::from_str(r#"{"a":1,"b":null,"c":"x,y","d":"say \"hi\"","e":{"k":"v"},"f":{}}"#)
                .unwrap();
        let mut out = String::new();
        line(["a", "b", "c", "d", "e", "f"].map(|key| tree.get(key)), &mut out);
        assert_eq!(out, "1,,\"x,y\",\"say \"\"hi\"\"\",\"{\"\"k\"\":\"\"v\"\"}\",\n");
    }
}
