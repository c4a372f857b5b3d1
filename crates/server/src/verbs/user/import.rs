//! Many users at once, from a file with a line for each.

use super::super::people::Office;
use crate::cli::UserImportArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Format, print};
use entente_identity::Login;
use entente_model::UserRole;
use entente_tree::{Error, GroupChange, MembershipRole, NewMembership, NewPerson, UserChange};
use entente_world::World;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// Bytes of a line.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// Lines of a file.
const LINES_MAX: usize = 2_000_000;
/// Between the names of groups.
const BETWEEN_GROUPS: char = ';';

/// What became of a line.
struct Report {
    line: usize,
    login: String,
    outcome: Result<&'static str, String>,
}

pub(super) async fn run(world: &World, arguments: &UserImportArgs) -> Result<Exit, Failure> {
    let named = |error| Failure::new(Exit::Usage, format!("{}: {error}", arguments.file.display()));
    let mut file = BufReader::new(File::open(&arguments.file).map_err(named)?);
    let office = Office::open(world, &arguments.target).await?;
    let (mut reports, mut number) = (Vec::new(), 0);
    loop {
        let mut line = Vec::new();
        let read = (&mut file).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(named)?;
        if read == 0 {
            break;
        }
        number += 1;
        if read as u64 == LINE_BYTES_MAX || number > LINES_MAX {
            let message = format!("line {number}: the file has too long a line, or too many");
            return Err(Failure::new(Exit::Usage, message));
        }
        let Ok(text) = std::str::from_utf8(&line) else {
            reports.push(Report { line: number, login: String::new(), outcome: Err("it is not UTF-8".to_owned()) });
            continue;
        };
        let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
        if text.trim().is_empty() || (number == 1 && text.starts_with("login")) {
            continue;
        }
        let (login, outcome) = one(&office, text).await;
        let report = Report { line: number, login, outcome };
        if office.format == Format::Text {
            println!("{}", said(&report));
        }
        reports.push(report);
    }
    let failed = reports.iter().filter(|report| report.outcome.is_err()).count();
    let lines: Vec<Value> = reports.iter().map(value).collect();
    print(office.format, &json!({ "lines": lines, "failed": failed }), || {
        format!("{} lines, {failed} failed", reports.len())
    });
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

fn said(report: &Report) -> String {
    match &report.outcome {
        Ok(what) => format!("line {}: {what} {}", report.line, report.login),
        Err(why) => format!("line {}: failed: {} {why}", report.line, report.login),
    }
}

fn value(report: &Report) -> Value {
    let (outcome, error) = match &report.outcome {
        Ok(what) => (*what, None),
        Err(why) => ("failed", Some(why)),
    };
    json!({ "line": report.line, "login": report.login, "outcome": outcome, "error": error })
}

async fn one(office: &Office, text: &str) -> (String, Result<&'static str, String>) {
    let Some(fields) = fields(text) else { return (String::new(), Err("a quotation mark is not closed".to_owned())) };
    let field = |index: usize| fields.get(index).map(|field| field.trim()).unwrap_or_default();
    let login = field(0).to_owned();
    let role = match field(2) {
        "" | "user" => UserRole::User,
        "co-admin" | "coadmin" => UserRole::CoAdmin,
        "admin" => UserRole::Admin,
        _ => return (login, Err("the role is none of user, co-admin and admin".to_owned())),
    };
    if let Err(error) = Login::new(&*login) {
        return (login, Err(error.to_string()));
    }
    let new = NewPerson { login: login.clone(), name: field(1).to_owned(), role, rest: UserChange::default() };
    let made = match office.tree.create_user(&office.caller, new).await {
        Ok(_) => "made",
        Err(Error::LoginInUse) => "already there",
        Err(error) => return (login, Err(error.to_string())),
    };
    for group in field(3).split(BETWEEN_GROUPS).map(str::trim).filter(|group| !group.is_empty()) {
        if let Err(why) = join(office, &login, group).await {
            return (login, Err(format!("{made}, and not put into the group {group:?}: {why}")));
        }
    }
    (login, Ok(made))
}

async fn join(office: &Office, login: &str, group: &str) -> Result<(), String> {
    let user = office.user(login).map_err(|failure| failure.to_text())?.id;
    let group = match office.group_if_there(group).map_err(|failure| failure.to_text())? {
        Some(group) => group.id,
        None => {
            let new = GroupChange { name: Some(group.to_owned()), ..GroupChange::default() };
            let made = office.tree.create_group(&office.caller, new).await;
            made.map_err(|error| error.to_string())?.group.id
        }
    };
    let new = NewMembership { group, user, role: MembershipRole::Member, permissions: None };
    match office.tree.add_member(&office.caller, new).await {
        Ok(_) | Err(Error::AlreadyExists(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// The fields of a line (RFC 4180, without line breaks in fields). `None` when a quotation mark is not closed.
fn fields(line: &str) -> Option<Vec<String>> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    fields.push(field);
    (!quoted).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn fields_stand_between_commas_and_may_be_quoted() {
        let all = |line| fields(line).expect("a line");
        assert_eq!(all("a@x,Anna,user,A;B"), ["a@x", "Anna", "user", "A;B"]);
        assert_eq!(all(r#"a@x,"Anna ""A"", B",,"#), ["a@x", r#"Anna "A", B"#, "", ""]);
        assert_eq!(all(""), [""]);
        assert_eq!(fields(r#"a,"b"#), None);
    }
}
