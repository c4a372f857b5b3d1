//! Documents: what of a PDF or Office file there can be, and the process that makes it, with Debian's LibreOffice and
//! poppler in a sandbox. It is told what to make by its arguments, gets the content on standard input, and writes what it
//! made to standard output.

use crate::sandbox::{self, WORK};
use crate::worker::{BROKEN, NO_PICTURE, NO_SANDBOX};
use crate::{Kind, Program, SOURCE_BYTES_MAX};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// LibreOffice, which makes a PDF of an Office file.
const SOFFICE: &str = "/usr/bin/soffice";
/// Where it keeps what it keeps. It would ask for a home folder of somebody whom the sandbox does not know.
const PROFILE: &str = "-env:UserInstallation=file:///work/profile";
/// Of poppler: draws a page.
const PDFTOPPM: &str = "/usr/bin/pdftoppm";
/// Of poppler: takes the text out.
const PDFTOTEXT: &str = "/usr/bin/pdftotext";

/// The longest side of a page, in pixels.
const PAGE_SIDE: &str = "2048";
/// Pages whose text is taken.
const TEXT_PAGES: &str = "1000";

/// What a process makes of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// A PDF of an Office file with that extension.
    Pdf(&'static str),
    /// A page of a PDF, from 1, as a PNG.
    Page(u16),
    /// The text of a PDF, UTF-8.
    Text,
}

impl Task {
    /// As [`Task::parse`] reads it.
    pub(crate) fn arguments(self) -> [String; 2] {
        let (task, argument) = match self {
            Self::Pdf(extension) => ("pdf", extension.to_owned()),
            Self::Page(page) => ("page", page.to_string()),
            Self::Text => ("text", String::new()),
        };
        [task.to_owned(), argument]
    }

    fn parse(task: &str, argument: &str) -> Option<Self> {
        match task {
            "pdf" => Kind::filter(argument).map(|(extension, _)| Self::Pdf(extension)),
            "page" => argument.parse().ok().filter(|page| *page > 0).map(Self::Page),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

/// The programs that read documents, as far as they are installed.
#[derive(Debug, Clone)]
pub struct Documents {
    /// What is started: a program that calls [`run`] with the three arguments that follow its own.
    pub program: Program,
    /// Whether PDFs are read.
    pub pdf: bool,
    /// Whether Office files are.
    pub office: bool,
}

impl Documents {
    /// What this machine has.
    #[must_use]
    pub fn found(program: Program) -> Self {
        let pdf = Path::new(PDFTOPPM).exists() && Path::new(PDFTOTEXT).exists();
        Self { program, pdf, office: pdf && Path::new(SOFFICE).exists() }
    }

    /// Whether there are programs for contents of that kind.
    pub(crate) fn read(&self, kind: Kind) -> bool {
        match kind {
            Kind::Image => false,
            Kind::Pdf => self.pdf,
            Kind::Office(_) => self.office,
        }
    }
}

/// The first of the three arguments, when the server starts the process.
pub(crate) const OUTSIDE: &str = "outside";
/// The same, when that process starts itself again in the sandbox.
const INSIDE: &str = "inside";

/// Makes one thing of a document and says how it went: 0, [`NO_PICTURE`], [`BROKEN`] or [`NO_SANDBOX`]. Call it before
/// anything else is begun, while there is one thread.
#[must_use]
pub fn run(stage: &str, task: &str, argument: &str) -> ExitCode {
    let Some(task) = Task::parse(task, argument) else { return ExitCode::from(BROKEN) };
    match stage {
        OUTSIDE => {
            let inside = |argument: OsString| if argument == OUTSIDE { INSIDE.into() } else { argument };
            sandbox::outside(std::env::args_os().skip(1).map(inside).collect())
        }
        INSIDE => match sandbox::inside() {
            Ok(()) => ExitCode::from(make(task).unwrap_or(BROKEN)),
            Err(error) => {
                eprintln!("no sandbox: {error}");
                ExitCode::from(NO_SANDBOX)
            }
        },
        _ => ExitCode::from(BROKEN),
    }
}

fn make(task: Task) -> io::Result<u8> {
    let made = match task {
        Task::Pdf(extension) => return pdf(extension),
        Task::Page(page) => {
            let page = page.to_string();
            let words = ["-q", "-png", "-singlefile", "-f", &page, "-l", &page, "-scale-to", PAGE_SIDE, "-"];
            tool(PDFTOPPM).args(words).status()?
        }
        Task::Text => tool(PDFTOTEXT).args(["-q", "-enc", "UTF-8", "-l", TEXT_PAGES, "-", "-"]).status()?,
    };
    Ok(if made.success() { 0 } else { NO_PICTURE })
}

fn pdf(extension: &str) -> io::Result<u8> {
    let Some((_, filter)) = Kind::filter(extension) else { return Ok(BROKEN) };
    let work = Path::new(WORK);
    let source = work.join("source").with_extension(extension);
    let mut input = io::stdin().lock().take(SOURCE_BYTES_MAX + 1);
    if io::copy(&mut input, &mut File::create(&source)?)? > SOURCE_BYTES_MAX {
        return Ok(NO_PICTURE);
    }
    let words = ["--headless", "--norestore", "--nologo", "--nolockcheck", "--convert-to", "pdf", "--outdir", WORK];
    let made = tool(SOFFICE)
        .arg(PROFILE)
        .arg(["--infilter=", filter].concat())
        .args(words)
        .arg(&source)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    let Ok(mut pdf) = File::open(source.with_extension("pdf")) else { return Ok(NO_PICTURE) };
    if !made.success() {
        return Ok(NO_PICTURE);
    }
    let mut out = io::stdout().lock();
    io::copy(&mut pdf, &mut out)?;
    out.flush()?;
    Ok(0)
}

/// A program that finds what it needs in the sandbox, with our standard input and output.
fn tool(path: &str) -> Command {
    let mut command = Command::new(path);
    command.env_clear().current_dir(WORK).stderr(Stdio::null());
    command.envs([("PATH", "/usr/bin:/bin"), ("HOME", WORK), ("TMPDIR", WORK), ("LANG", "C.UTF-8")]);
    command
}

#[cfg(test)]
mod tests {
    use super::Task;

    #[test]
    fn tasks_are_told_in_words() {
        for task in [Task::Pdf("docx"), Task::Page(1), Task::Page(700), Task::Text] {
            let [name, argument] = task.arguments();
            assert_eq!(Task::parse(&name, &argument), Some(task));
        }
        for (name, argument) in
            [("pdf", "exe"), ("pdf", "../a"), ("page", "0"), ("page", "-1"), ("page", "70000"), ("", "")]
        {
            assert_eq!(Task::parse(name, argument), None, "{name} {argument}");
        }
    }
}
