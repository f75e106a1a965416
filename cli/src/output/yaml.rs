//! YAML: blocks of maps and lists; a scalar is plain where it cannot be taken for anything else.

use super::tree::Tree;

/// Appends a value as an item of a list.
pub(crate) fn item(value: &Tree, out: &mut String) {
    out.push_str("- ");
    block(value, 1, true, out);
}

/// Appends a document.
pub(crate) fn document(value: &Tree, out: &mut String) {
    block(value, 0, true, out);
}

/// `inline` says that the first line has its indentation already.
fn block(value: &Tree, depth: usize, inline: bool, out: &mut String) {
    match value {
        Tree::Map(entries) if !entries.is_empty() => {
            for (place, (key, value)) in entries.iter().enumerate() {
                if place > 0 || !inline {
                    indent(depth, out);
                }
                scalar(key, out);
                out.push(':');
                nested(value, depth, out);
            }
        }
        Tree::List(items) if !items.is_empty() => {
            for (place, value) in items.iter().enumerate() {
                if place > 0 || !inline {
                    indent(depth, out);
                }
                out.push_str("- ");
                block(value, depth + 1, true, out);
            }
        }
        leaf => {
            flat(leaf, out);
            out.push('\n');
        }
    }
}

/// What stands after a key.
fn nested(value: &Tree, depth: usize, out: &mut String) {
    match value {
        Tree::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            block(value, depth + 1, false, out);
        }
        Tree::List(items) if !items.is_empty() => {
            out.push('\n');
            block(value, depth + 1, false, out);
        }
        leaf => {
            out.push(' ');
            flat(leaf, out);
            out.push('\n');
        }
    }
}

fn flat(value: &Tree, out: &mut String) {
    match value {
        Tree::Null => out.push_str("null"),
        Tree::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Tree::Number(number) => out.push_str(&number.to_string()),
        Tree::Text(text) => scalar(text, out),
        Tree::List(_) => out.push_str("[]"),
        Tree::Map(_) => out.push_str("{}"),
    }
}

/// Text, in JSON's quotes (which YAML reads the same) unless it is a plain word.
fn scalar(text: &str, out: &mut String) {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        out.push_str(text);
    } else {
        // serde_json escapes every control character, so the line stays one.
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

fn indent(depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_indents_and_doubtful_words_are_quoted() {
        let json = r#"{"conn_id":12,"uid":"u1","device":null,"ok":"yes","at":"127.0.0.1:1","num":"12",
            "tags":{"a b":"c\nd"},"none":{},"list":[1,{"x":[],"z":2}]}"#;
        let tree: Tree = serde_json::from_str(json).unwrap();
        let mut out = String::new();
        item(&tree, &mut out);
        let expected = "\
- conn_id: 12
  uid: u1
  device: null
  ok: \"yes\"
  at: \"127.0.0.1:1\"
  num: \"12\"
  tags:
    \"a b\": \"c\\nd\"
  none: {}
  list:
    - 1
    - x: []
      z: 2
";
        assert_eq!(out, expected);
    }
}
