use anyhow::{Context, Result, ensure};
use std::{fs, path::Path, process::Command};

/// A text file of the checkout.
#[derive(Debug)]
pub struct SourceFile {
    /// Relative to the root of the checkout, with `/`.
    pub path: String,
    /// The whole of it.
    pub text: String,
}

/// Every text file that is tracked, or would be once added. In memory, so that a check is a function of it.
#[derive(Debug, Default)]
pub struct Repository {
    files: Vec<SourceFile>,
    /// Files that are there but are not text; links may still lead to them.
    others: Vec<String>,
}

impl Repository {
    /// Reads what git lists under `root`. Fails when `root` is not a checkout or git is not installed.
    pub fn read(root: &Path) -> Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("could not run git; install it")?;
        ensure!(output.status.success(), "git could not list the files of {}; is it a checkout?", root.display());
        let mut repository = Self::default();
        for path in String::from_utf8_lossy(&output.stdout).split('\0').filter(|path| !path.is_empty()) {
            match fs::read(root.join(path)).map(String::from_utf8) {
                Ok(Ok(text)) => repository.files.push(SourceFile { path: path.to_owned(), text }),
                Ok(Err(_)) => repository.others.push(path.to_owned()),
                // Removed but still listed: there is nothing to check.
                Err(_) => {}
            }
        }
        repository.files.sort_by(|a, b| a.path.cmp(&b.path));
        repository.files.dedup_by(|a, b| a.path == b.path);
        Ok(repository)
    }

    /// A repository made up for a test.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| SourceFile { path: (*path).into(), text: (*text).into() });
        Self { files: files.collect(), others: Vec::new() }
    }

    /// All text files, in order of paths.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The text files whose name ends so.
    pub fn ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| file.path.ends_with(ending))
    }

    /// The file at exactly that path.
    pub fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is a file at that path, or a folder with files in it.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let known = |candidate: &str| candidate == path || candidate.starts_with(&folder);
        self.files.iter().any(|file| known(&file.path)) || self.others.iter().any(|other| known(other))
    }
}

impl SourceFile {
    /// The last part of the path, without its extension.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.split_once('.').map_or(name, |(stem, _)| stem)
    }

    /// The folder that it is in; empty at the root.
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The folder of its package below `crates`, such as `door-box`; `xtask` for the tools.
    pub fn package(&self) -> Option<&str> {
        match self.path.strip_prefix("crates/") {
            Some(rest) => rest.split('/').next(),
            None => self.path.starts_with("xtask/").then_some("xtask"),
        }
    }

    /// Whether it holds tests alone.
    pub fn is_test(&self) -> bool {
        self.stem() == "tests" || self.path.contains("/tests/") || self.path.starts_with("tests/")
    }

    /// Its lines with their numbers from 1, up to the test module at its end.
    pub fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.lines().find(|(_, line)| *line == "#[cfg(test)]").map_or(usize::MAX, |(number, _)| number);
        self.lines().take_while(move |(number, _)| *number < end)
    }

    /// Its lines with their numbers from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The first line that contains `part`, from 1; 1 when there is none.
    pub fn line_of(&self, part: &str) -> usize {
        self.lines().find(|(_, line)| line.contains(part)).map_or(1, |(number, _)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_package_stem_and_whether_it_is_a_test() {
        let repository = Repository::of(&[
            ("crates/door-box/src/wire/file.rs", ""),
            ("crates/door-box/tests/box.rs", ""),
            ("crates/tree/src/access/tests.rs", ""),
            ("xtask/src/main.rs", ""),
        ]);
        let told: Vec<_> = repository.files().iter().map(|f| (f.package(), f.stem(), f.is_test())).collect();
        assert_eq!(
            told,
            [
                (Some("door-box"), "file", false),
                (Some("door-box"), "box", true),
                (Some("tree"), "tests", true),
                (Some("xtask"), "main", false),
            ]
        );
        assert!(repository.has("crates/door-box") && repository.has("xtask/src/main.rs"));
        assert!(!repository.has("crates/door"));
    }

    #[test]
    fn product_lines_end_at_the_test_module() {
        let repository = Repository::of(&[("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {}\n")]);
        let lines: Vec<_> = repository.files()[0].product_lines().collect();
        assert_eq!(lines, [(1, "fn a() {}")]);
    }
}
