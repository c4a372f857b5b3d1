//! A database on PostgreSQL.

use crate::servers::{PostgresEndpoint, endpoints, fresh_name};
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// The server. Commits are on disk when they are acknowledged; at most 300 connections at once, for all tests together.
#[derive(Clone, Copy)]
pub struct Postgres {
    found: &'static PostgresEndpoint,
}

/// The server. Panics when the servers cannot be started.
pub fn postgres() -> Postgres {
    Postgres { found: &endpoints().postgres }
}

impl Postgres {
    /// The URL of its superuser, with the password, in the database `postgres`. That one is everybody's: make no
    /// table there.
    pub fn url_of_admin(&self) -> &str {
        &self.found.url
    }

    /// The folder with the server's Unix socket, for a `host=` of a connection.
    pub fn socket_folder(&self) -> &Path {
        &self.found.socket_folder
    }

    /// An empty database under a new name, gone with the value. Its owner is the superuser; text sorts by its bytes.
    ///
    /// It is one that an earlier test has left, emptied, where there is one: to create and to drop a database costs
    /// hundreds of files and a checkpoint.
    pub fn fresh_database(&self) -> Database {
        let name = fresh_name();
        let took = self.select("postgres", &TAKE_A_SPARE.replace("{name}", &name));
        if took.unwrap_or_else(|trouble| panic!("look for a spare database: {trouble}")).is_empty() {
            self.execute(&format!("CREATE DATABASE {name}"));
        }
        let url =
            format!("postgres://{}:{}@127.0.0.1:{}/{name}", self.found.user, self.found.password, self.found.port);
        Database { url, name, server: *self }
    }

    /// The names of the databases that there are, of all tests.
    pub fn databases(&self) -> Vec<String> {
        self.execute("SELECT datname FROM pg_database").lines().map(str::to_owned).collect()
    }

    /// Runs statements as the superuser in the database `postgres`, and gives what they select, a line for each row.
    /// Panics when the server refuses one.
    pub fn execute(&self, statements: &str) -> String {
        self.select("postgres", statements).unwrap_or_else(|trouble| panic!("{statements}: {trouble}"))
    }

    /// What statements select; or what the server, or its own client, had against one of them. Later ones are not run.
    fn select(&self, database: &str, statements: &str) -> Result<String, String> {
        let mut client = Command::new(self.found.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
            .args(["--host=127.0.0.1", "--file=-"])
            .arg(format!("--dbname={database}"))
            .arg(format!("--port={}", self.found.port))
            .arg(format!("--username={}", self.found.user))
            .env("PGPASSWORD", &self.found.password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|trouble| format!("cannot run psql: {trouble}"))?;
        if let Some(mut input) = client.stdin.take() {
            // A client that has given up does not read; it says why.
            let _ = input.write_all(statements.as_bytes());
        }
        let ran = client.wait_with_output().map_err(|trouble| format!("psql: {trouble}"))?;
        let said = if ran.status.success() { Ok(ran.stdout) } else { Err(ran.stderr) };
        let text = |said: Vec<u8>| String::from_utf8_lossy(&said).trim().to_owned();
        said.map(text).map_err(text)
    }
}

/// A database of one test. It goes with the value, whoever is still connected; keep it as long as it is used.
pub struct Database {
    url: String,
    name: String,
    server: Postgres,
}

impl Database {
    /// Where it is, with user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs a statement in it as the superuser, and gives what it selects, a line for each row. Panics when the server
    /// refuses it.
    pub fn execute(&self, statement: &str) -> String {
        self.server.select(&self.name, statement).unwrap_or_else(|trouble| panic!("{statement}: {trouble}"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let emptied = self.server.select(&self.name, &MAKE_IT_A_SPARE.replace("{name}", &self.name));
        if let Err(trouble) = emptied {
            // It may have gone with the server; whatever is left when we end is swept by `test-servers.sh`.
            eprintln!("a database could not be emptied, so it is dropped: {trouble}");
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            let _ = self.server.select("postgres", &drop);
        }
    }
}

/// Gives one spare database the new name, and selects it; nothing when there is none. Several may try for the same.
const TAKE_A_SPARE: &str = "
DO $$
DECLARE spare name;
BEGIN
    FOR spare IN SELECT datname FROM pg_database WHERE datname LIKE 'spare%' ORDER BY random() LOOP
        BEGIN
            EXECUTE format('ALTER DATABASE %I RENAME TO {name}', spare);
            RETURN;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
END
$$;
SELECT datname FROM pg_database WHERE datname = '{name}';
";

/// Empties the database that it runs in, and puts it among the spare ones. Fails when somebody connects meanwhile.
const MAKE_IT_A_SPARE: &str = "
SET client_min_messages = error;
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$
DECLARE made name;
BEGIN
    FOR made IN SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', made);
    END LOOP;
END
$$;
CREATE SCHEMA public;
ALTER DATABASE {name} RESET ALL;
\\connect postgres
ALTER DATABASE {name} RENAME TO spare{name};
";
