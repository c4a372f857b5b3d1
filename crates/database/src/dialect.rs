//! The few differences between engines. Statements and migrations are written once, for both; what one engine needs to
//! be told is a comment to the other.

/// Prepares a migration for SQLite: keeps tables with a natural key clustered by it.
///
/// Migrations mark such tables with a trailing `/* clustered */`.
pub(crate) fn sqlite_schema(sql: &str) -> String {
    sql.replace("/* clustered */", "WITHOUT ROWID").replace(" BYTEA", " BLOB").replace(" BIGINT", " INTEGER")
}

/// Prepares a migration for PostgreSQL: text is sorted and compared by its bytes, as SQLite does, whatever the
/// database was made with.
pub(crate) fn postgres_schema(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + sql.len() / 8);
    let mut rest = sql;
    while let Some(at) = rest.find(" TEXT") {
        let (before, after) = rest.split_at(at + " TEXT".len());
        out.push_str(before);
        // The name of a type, and not the beginning of a word in a comment.
        if !after.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
            out.push_str(" COLLATE \"C\"");
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Writes a statement as PostgreSQL expects it: `$1` for `?1`, and the locks that SQLite's only writer does not need.
///
/// `/* skip locked */` at the end of a `SELECT` locks its rows and leaves out those that others have locked.
pub(crate) fn postgres_statement(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut quoted = false;
    for letter in sql.chars() {
        quoted ^= letter == '\'';
        out.push(if letter == '?' && !quoted { '$' } else { letter });
    }
    out.replace("/* skip locked */", "FOR UPDATE SKIP LOCKED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clustered_table_has_no_rowid() {
        let sql = sqlite_schema("CREATE TABLE t (a BIGINT, b BYTEA) /* clustered */;");
        assert_eq!(sql, "CREATE TABLE t (a INTEGER, b BLOB) WITHOUT ROWID;");
    }

    #[test]
    fn text_is_compared_by_bytes() {
        let sql = postgres_schema("CREATE TABLE t (a TEXT, b TEXT NOT NULL, c BIGINT);");
        assert_eq!(sql, "CREATE TABLE t (a TEXT COLLATE \"C\", b TEXT COLLATE \"C\" NOT NULL, c BIGINT);");
    }

    #[test]
    fn parameters_are_named_in_either_way() {
        let sql = "SELECT '?' FROM t WHERE a = ?1 AND b = ?12 LIMIT ?2 /* skip locked */";
        let expected = "SELECT '?' FROM t WHERE a = $1 AND b = $12 LIMIT $2 FOR UPDATE SKIP LOCKED";
        assert_eq!(postgres_statement(sql), expected);
    }
}
