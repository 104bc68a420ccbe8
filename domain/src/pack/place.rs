//! Where in its text a pack is wrong.

use super::PackError;

/// The line on which the text of a pack is wrong, counted from one; none when something is missing altogether.
pub fn line_of(text: &str, error: &PackError) -> Option<usize> {
    match error {
        PackError::Toml(error) => Some(line_at(text, error.span()?.start)),
        PackError::MissingKind { .. } => None,
        PackError::Twice { item, .. } => {
            last_line(text, |line| line.contains(&format!("\"{item}\"")))
        }
        PackError::Season { .. } => key_line(text, "reading.season_weights"),
        PackError::Order { .. } => key_line(text, "conduct"),
        PackError::Number { key, .. } => key_line(text, key),
    }
}

fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

fn last_line(text: &str, fits: impl Fn(&str) -> bool) -> Option<usize> {
    text.lines().zip(1..).filter(|(line, _)| fits(line)).map(|(_, number)| number).last()
}

/// The line of a value, or of its table where the value is not written.
fn key_line(text: &str, key: &str) -> Option<usize> {
    let (table, field) = key.rsplit_once('.').unwrap_or(("", key));
    let mut inside = "";
    let mut of_table = None;
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if let Some(header) = line.strip_prefix('[') {
            inside = header.trim_matches(['[', ']']);
            if inside == table || inside == key {
                of_table = of_table.or(Some(number));
            }
        }
        let name = line.split('=').next().map(str::trim);
        if inside == table && name == Some(field) {
            return Some(number);
        }
    }
    of_table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{BUILTIN, Pack};

    #[test]
    fn what_is_wrong_is_found_on_its_line() {
        for (from, to) in [
            ("drift_ppm = 200", "drift_ppm = -1"),
            ("drift_ppm = 200", "drift_ppm = \"much\""),
            ("detour = 1.4", "detour = 0.4"),
            ("high_coefficient = 1.25", "high_coefficient = 0.5"),
            ("id = \"leak\"", "id = \"tool_mat\""),
            ("2.49, 1.60", "0.0, 1.60"),
        ] {
            let text = BUILTIN.replacen(from, to, 1);
            let error = Pack::parse(&text).unwrap_err();

            let line = line_of(&text, &error).unwrap();

            assert!(
                text.lines().nth(line - 1).unwrap().contains(to),
                "{from} -> {to}: line {line}"
            );
        }
    }

    #[test]
    fn what_is_missing_has_no_line() {
        let (before, _) = BUILTIN.split_once("[kinds.emergency]").unwrap();
        let text =
            format!("hazards = []\n{}\n[kinds.repair]\n", before.replacen("[[hazards]]", "", 1));

        let error = Pack::parse(&text).unwrap_err();

        assert!(error.to_string().contains("add [kinds.emergency]"), "{error}");
        assert_eq!(line_of(&text, &error), None);
    }
}
