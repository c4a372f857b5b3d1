//! Public functions: no `get_`, no boolean parameters.

use crate::{
    complaint::Complaint,
    repository::{Repository, SourceFile},
};

const STARTS: &[&str] = &["pub fn ", "pub async fn ", "pub const fn "];

/// Public functions of the product that begin with `get_` or take a boolean.
pub fn check(repository: &Repository) -> Vec<Complaint> {
    repository.ending(".rs").filter(|file| !file.is_test()).flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let lines: Vec<(usize, &str)> = file.product_lines().collect();
    for (index, (number, line)) in lines.iter().enumerate() {
        let Some(rest) = STARTS.iter().find_map(|start| line.trim_start().strip_prefix(start)) else { continue };
        if let Some(wanted) = rest.strip_prefix("get_") {
            let wanted = wanted.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
            let remedy = format!("call it `{wanted}`");
            complaints.push(Complaint::new(&file.path, *number, "`get_` says nothing", remedy));
        }
        // A signature that does not end within 40 lines is not one that this reader understands.
        let following = lines.iter().skip(index + 1).take(40).map(|(_, line)| *line);
        let signature: Vec<&str> = std::iter::once(rest).chain(following).collect();
        for parameter in parameters(&signature.join(" ")) {
            if parameter.split_once(':').is_some_and(|(_, kind)| kind.trim() == "bool") {
                let what = format!("a public function takes `{}`", parameter.trim());
                let remedy = "make it an enum, so that the call can be read";
                complaints.push(Complaint::new(&file.path, *number, what, remedy));
            }
        }
    }
    complaints
}

/// The parameters of a function, given the text that begins with its name.
fn parameters(text: &str) -> Vec<String> {
    let mut parameters = vec![String::new()];
    let mut depth = 0_i32;
    let mut inside = false;
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            // The arrow of a closure's type closes nothing.
            '>' if before == '-' => {}
            ')' | ']' | '}' | '>' => depth -= 1,
            _ => {}
        }
        before = c;
        match (inside, depth, c) {
            // Generic parameters come before the first parenthesis at depth 0.
            (false, 1, '(') => inside = true,
            (false, ..) => {}
            (true, 0, _) => break,
            (true, 1, ',') => parameters.push(String::new()),
            (true, ..) => parameters.last_mut().into_iter().for_each(|last| last.push(c)),
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        check(&Repository::of(&[("crates/tree/src/items.rs", text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn get_is_found_in_public_functions() {
        let found = told("    pub async fn get_item(&self) {}\n    fn get_private(&self) {}\n    pub fn getter() {}\n");
        assert_eq!(found, ["crates/tree/src/items.rs:1: `get_` says nothing; call it `item`"]);
    }

    #[test]
    fn a_boolean_parameter_is_found_on_any_line_of_the_signature() {
        let text = "pub fn delete<F: Fn(bool) -> bool>(\n    item: ItemId,\n    recursive: bool,\n) -> bool {\n";
        assert_eq!(told(text).len(), 1);
    }

    #[test]
    fn closures_results_tuples_and_tests_may_be_boolean() {
        assert!(told("pub fn keep(&mut self, f: impl Fn(bool) -> bool, t: (bool, u8)) -> bool {\n").is_empty());
        assert!(told("#[cfg(test)]\nmod tests {\n    pub fn build(x: bool) {}\n}\n").is_empty());
    }
}
