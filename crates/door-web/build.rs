//! Puts the built web app (`ui/dist`, made by `make ui`) into the program, file by file. Without one the program is built
//! all the same, and its page says what is missing: who works on another room needs no Node.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "cargo tells build scripts where to write in a variable")]
fn main() -> Result<(), Box<dyn Error>> {
    let built = Path::new("../../ui/dist");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", built.display());
    let mut files = Vec::new();
    if built.join("index.html").exists() {
        list(&built.canonicalize()?, &mut files)?;
    }
    files.sort();
    let mut table = String::from("static FILES: &[File] = &[\n");
    for path in &files {
        let name = path.strip_prefix(built.canonicalize()?)?.to_str().ok_or("a name is not UTF-8")?;
        if name.ends_with(".br") || name.ends_with(".gz") || name.starts_with('.') {
            continue;
        }
        let packed = |ending: &str| {
            let packed = PathBuf::from(format!("{}.{ending}", path.display()));
            if packed.exists() { format!("Some(include_bytes!({packed:?}))") } else { "None".to_owned() }
        };
        let (brotli, gzip) = (packed("br"), packed("gz"));
        writeln!(
            table,
            "    File {{ path: {name:?}, plain: include_bytes!({path:?}), brotli: {brotli}, gzip: {gzip} }},"
        )?;
    }
    table.push_str("];\n");
    fs::write(Path::new(&env::var_os("OUT_DIR").ok_or("no OUT_DIR")?).join("files.rs"), table)?;
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
