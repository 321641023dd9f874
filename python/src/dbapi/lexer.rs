//! What Python's sqlite3 wants to know of a text before SQLite has seen it.

/// What is left after white space, comments and, where `semicolons`, semicolons.
fn skip(mut sql: &str, semicolons: bool) -> &str {
    loop {
        sql = sql.trim_start_matches(|c: char| c.is_ascii_whitespace() || (semicolons && c == ';'));
        if let Some(comment) = sql.strip_prefix("--") {
            sql = comment.find('\n').and_then(|at| comment.get(at..)).unwrap_or_default();
        } else if let Some(comment) = sql.strip_prefix("/*") {
            // One that is not closed goes on to the end.
            sql = comment.find("*/").and_then(|at| comment.get(at + 2..)).unwrap_or_default();
        } else {
            return sql;
        }
    }
}

/// True where nothing more is to be run.
pub(super) fn is_blank(sql: &str) -> bool {
    skip(sql, true).is_empty()
}

/// True for an INSERT, UPDATE, DELETE or REPLACE, which begin a transaction in the legacy mode.
pub(super) fn writes(sql: &str) -> bool {
    let sql = skip(sql, false);
    ["INSERT", "UPDATE", "DELETE", "REPLACE"]
        .iter()
        .any(|word| sql.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)))
}
