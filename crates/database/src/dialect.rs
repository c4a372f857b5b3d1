//! The few differences between engines. Statements are written once, for both.

/// Prepares a migration for SQLite: keeps tables with a natural key clustered by it.
///
/// Migrations mark such tables with a trailing `/* clustered */`, which other engines read as a comment.
pub(crate) fn sqlite_schema(sql: &str) -> String {
    sql.replace("/* clustered */", "WITHOUT ROWID").replace(" BYTEA", " BLOB").replace(" BIGINT", " INTEGER")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_clustered_table_has_no_rowid() {
        let sql = super::sqlite_schema("CREATE TABLE t (a BIGINT, b BYTEA) /* clustered */;");
        assert_eq!(sql, "CREATE TABLE t (a INTEGER, b BLOB) WITHOUT ROWID;");
    }
}
