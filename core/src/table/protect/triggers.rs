//! Triggers on a sealed table: they stand on its physical side, in the file, where they see and write what is plain.

use super::plain::{Dependent, Plain};
use super::plan::Plan;
use crate::db::Conn;
use crate::db::schema::quote;
use crate::db::tokens::{Kind, Token, tokens};
use crate::error::{Result, fail};
use crate::table::definition::Protection;
use crate::table::schema::{Schema, physical_name};

/// A CREATE TRIGGER, read as far as it says what it is for.
pub(crate) struct Trigger<'s> {
    sql: &'s str,
    tokens: Vec<Token<'s>>,
    /// Where its name is among the tokens.
    at: usize,
    pub(crate) name: String,
    /// The table that it stands on.
    pub(crate) table: String,
    /// True for AFTER INSERT and AFTER DELETE. The engine also updates rows for ends of its own, and what comes before a
    /// write could keep it from being one.
    follows: bool,
}

/// Reads one that is kept in the file; none where the text is something else.
pub(crate) fn read(sql: &str) -> Option<Trigger<'_>> {
    let tokens = tokens(sql);
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    if !(is(0, "CREATE") && is(1, "TRIGGER")) {
        return None;
    }
    let mut at = if is(2, "IF") { 5 } else { 2 };
    if tokens.get(at + 1).is_some_and(|token| token.is_sign(".")) {
        at += 2;
    }
    let name = tokens.get(at)?.name()?;
    let follows = is(at + 1, "AFTER") && (is(at + 2, "INSERT") || is(at + 2, "DELETE"));
    let on = tokens.iter().skip(at + 1).position(|token| token.is("ON"))? + at + 2;
    let qualified = tokens.get(on + 1).is_some_and(|token| token.is_sign("."));
    let table = tokens.get(if qualified { on + 2 } else { on })?.name()?;
    Some(Trigger { sql, tokens, at, name, table, follows })
}

/// The first table that the WHEN or the body of a CREATE TRIGGER names and that is one of those; columns of that name are not
/// meant. `tokens` are those of the whole statement.
pub(crate) fn uses(tokens: &[Token<'_>], is_one: impl Fn(&str) -> bool) -> Option<String> {
    const BEFORE_TABLE: [&str; 5] = ["FROM", "JOIN", "INTO", "UPDATE", "IN"];
    const BEHIND_TABLES: [&str; 10] = [
        "SELECT", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "SET", "VALUES", "WINDOW", "UNION",
    ];
    let on = tokens.iter().position(|token| token.is("ON"))?;
    // For each parenthesis that is open, whether a comma there is followed by a table.
    let mut lists = vec![false];
    let mut expected = false;
    let rest = tokens.get(on..)?;
    for (at, token) in rest.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| rest.get(at));
        let is_before = |word: &str| before.is_some_and(|token| token.is(word));
        let list = lists.last_mut()?;
        if token.is_sign("(") {
            // `IN (a, b)` is a list of values.
            expected &= !is_before("IN");
            lists.push(expected);
        } else if token.is_sign(")") {
            lists.pop();
            expected = false;
        } else if token.is_sign(",") {
            expected = *list;
        } else if token.is_sign(";") {
            (lists, expected) = (vec![false], false);
        } else if BEFORE_TABLE.iter().any(|word| token.is(word)) {
            // `IS DISTINCT FROM` compares.
            expected = !is_before("DISTINCT");
            *list = expected && (token.is("FROM") || token.is("JOIN"));
        } else if BEHIND_TABLES.iter().any(|word| token.is(word)) {
            (*list, expected) = (false, false);
        } else if expected && (token.is("OR") || is_before("OR")) {
            // UPDATE OR IGNORE
        } else if expected && rest.get(at + 1).is_some_and(|token| token.is_sign(".")) {
            // The schema before the name.
        } else if expected && !token.is_sign(".") {
            expected = false;
            if let Some(name) = token.name().filter(|name| is_one(name)) {
                return Some(name);
            }
        }
    }
    None
}

/// For fuzzing: moved to another table, it is a trigger of the same name on that one.
#[cfg(any(test, fuzzing))]
pub(crate) fn survives(sql: &str) {
    let Some(trigger) = read(sql) else { return };
    let _ = trigger.obstacle(|name| name.len() > 3);
    let moved = trigger.on("elsewhere");
    let again = read(&moved);
    assert!(again.is_some_and(|again| again.tokens.len() == trigger.tokens.len()));
}

impl Trigger<'_> {
    /// Why it can't stand on a sealed table. `is_plain` tells of a name whether it may be read.
    fn obstacle(&self, is_plain: impl Fn(&str) -> bool) -> Option<String> {
        if !self.follows {
            return Some("is neither AFTER INSERT nor AFTER DELETE".to_owned());
        }
        let mut rest = self.tokens.iter().enumerate().skip(self.at + 1);
        rest.find_map(|(at, token)| {
            let before = |back: usize| at.checked_sub(back).and_then(|at| self.tokens.get(at));
            let is = |back: usize, word: &str| before(back).is_some_and(|token| token.is(word));
            let lists = ["SELECT", "DISTINCT", "ALL"].iter().any(|word| is(1, word))
                || before(1).is_some_and(|token| token.is_sign(",") || token.is_sign("."));
            if token.is_sign("*") && lists {
                return Some("has a *, which may stand for columns that are not plain".to_owned());
            }
            let name = name(token)?;
            let written = is(1, "INTO") || is(1, "UPDATE") || is(2, "OR");
            let written = written || is(1, "FROM") && is(2, "DELETE");
            if written && name.eq_ignore_ascii_case(&self.table) {
                return Some("writes the table that it stands on".to_owned());
            }
            (!is_plain(&name)).then(|| format!("uses column {name}, which is not plain"))
        })
    }

    /// Its text with another table in the place of its own.
    pub(crate) fn on(&self, table: &str) -> String {
        let mut text = String::new();
        let mut done = 0;
        for (at, token) in self.tokens.iter().enumerate().skip(self.at + 1) {
            let own = name(token).is_some_and(|name| name.eq_ignore_ascii_case(&self.table));
            // Behind a point stands a column, unless before it stands the schema.
            let before = |back: usize| at.checked_sub(back).and_then(|at| self.tokens.get(at));
            let column = before(1).is_some_and(|token| token.is_sign("."))
                && !before(2).is_some_and(|token| token.is("main"));
            if own && !column {
                text.push_str(self.sql.get(done..token.at).unwrap_or_default());
                // Two quoted names that touch would be one with a quote in it.
                text.push_str(if text.ends_with('"') { " " } else { "" });
                text.push_str(&quote(table));
                done = token.end();
                let rest = self.sql.get(done..).unwrap_or_default();
                text.push_str(if rest.starts_with('"') { " " } else { "" });
            }
        }
        text.push_str(self.sql.get(done..).unwrap_or_default());
        text
    }

    /// Its text for the physical side of the sealed table that it names.
    pub(crate) fn on_physical(&self, schema: &Schema) -> Result<String> {
        let is_plain = |name: &str| {
            let column = schema.position(name).and_then(|position| schema.column(position));
            column.map_or(true, |column| column.column.protection == Protection::Plain)
        };
        match self.obstacle(is_plain) {
            None => Ok(self.on(&schema.stored.physical())),
            Some(problem) => fail!(
                Refused,
                "trigger {} on the sealed table {} {problem}: the program does it instead",
                self.name,
                schema.name()
            ),
        }
    }
}

/// Creates one on a physical table, inside the caller's transaction.
///
/// # Errors
/// `refused` where it reads or writes what plain SQL can't: then every write of the table would fail.
pub(crate) fn create(conn: &Conn, physical: &str, sql: &str) -> Result<()> {
    conn.batch(sql)?;
    let physical = quote(physical);
    let writes = [
        format!("DELETE FROM main.{physical}"),
        format!("INSERT INTO main.{physical} DEFAULT VALUES"),
    ];
    match writes.iter().find_map(|write| conn.prepare(write).err()) {
        None => Ok(()),
        Some(error) => {
            fail!(Refused, "a trigger can't do that on a sealed table: {}", error.message())
        }
    }
}

impl Plan {
    /// Keeps a trigger on the table, where that can be.
    pub(super) fn dependent(&mut self, plain: &Plain, dependent: &Dependent) {
        let what = &dependent.what;
        let trigger = dependent.trigger(&plain.name);
        let problem = match &trigger {
            Some(trigger) => trigger.obstacle(|name| self.protection(name) == Protection::Plain),
            None => Some("uses it".to_owned()),
        };
        match (trigger, problem) {
            (Some(trigger), None) => {
                self.kept.push(what.clone());
                self.triggers.push(trigger.on(&physical_name(&plain.name)));
            }
            (_, problem) => {
                let problem = problem.unwrap_or_default();
                self.obstacles.push(format!("{what} {problem}: drop it first"));
            }
        }
    }
}

fn name(token: &Token<'_>) -> Option<String> {
    token.name().filter(|_| matches!(token.kind, Kind::Word | Kind::Quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_is_renamed() {
        let sql = "CREATE TRIGGER IF NOT EXISTS main.c AFTER DELETE ON [c] WHEN old.c > 1
                   BEGIN DELETE FROM t WHERE id NOT IN (SELECT C.c FROM main.c) OR x = 'c'; END";
        let trigger = read(sql).unwrap();
        assert_eq!((trigger.name.as_str(), trigger.table.as_str()), ("c", "c"));
        let expected = "CREATE TRIGGER IF NOT EXISTS main.c AFTER DELETE ON \"c_sealed\" WHEN old.c > 1
                   BEGIN DELETE FROM t WHERE id NOT IN (SELECT \"c_sealed\".c FROM main.\"c_sealed\") OR x = 'c'; END";
        assert_eq!(trigger.on("c_sealed"), expected);
        assert_eq!(trigger.obstacle(|_| true), None);
    }

    #[test]
    fn a_table_that_a_body_names_is_told_from_a_column_of_that_name() {
        let uses = |body: &str| {
            let sql = format!("CREATE TRIGGER t AFTER INSERT ON plain {body}; END");
            uses(&tokens(&sql), |name| name.eq_ignore_ascii_case("users"))
        };
        for body in [
            "BEGIN UPDATE users SET role = 1",
            "BEGIN UPDATE OR IGNORE main.users SET role = 1",
            "BEGIN DELETE FROM \"Users\"",
            "BEGIN INSERT OR REPLACE INTO 'users' VALUES (1)",
            "BEGIN REPLACE INTO [users] VALUES (1)",
            "BEGIN SELECT 1; INSERT INTO log SELECT id FROM other, users",
            "BEGIN SELECT * FROM other a, (SELECT 1), main . users",
            "BEGIN SELECT * FROM other JOIN x ON x.a = other.a LEFT JOIN users",
            "BEGIN SELECT * FROM other JOIN x ON f(x.a, 1), users",
            "BEGIN SELECT * FROM (users)",
            "BEGIN SELECT * FROM other WHERE id IN users",
            "BEGIN SELECT * FROM other WHERE id IN (SELECT id FROM users)",
            "BEGIN UPDATE log SET n = 1 FROM users",
            "WHEN (SELECT count(*) FROM users) > 0 BEGIN SELECT 1",
            "WHEN EXISTS (SELECT 1 FROM other UNION SELECT 1 FROM users) BEGIN SELECT 1",
        ] {
            assert!(uses(body).is_some(), "{body}");
        }
        for body in [
            "BEGIN UPDATE stats SET users = users + 1, n = users",
            "BEGIN INSERT INTO stats (n, users) VALUES (1, new.users)",
            "BEGIN INSERT INTO stats (users) VALUES (1) ON CONFLICT (users) DO UPDATE SET users = 2",
            "BEGIN SELECT n, users FROM stats, other WHERE n = users ORDER BY n, users",
            "BEGIN SELECT users FROM stats GROUP BY n, users HAVING users > 1",
            "BEGIN SELECT * FROM stats WHERE id IN (n, users) AND f(n, users)",
            "BEGIN SELECT * FROM stats WHERE n IS DISTINCT FROM users",
            "BEGIN SELECT 'users', stats.users FROM stats",
            "WHEN new.users > 1 BEGIN SELECT 1",
        ] {
            assert_eq!(uses(body), None, "{body}");
        }
    }

    #[test]
    fn names_that_touch_stay_two() {
        let sql = "CREATE TRIGGER t AFTER INSERT ON c BEGIN SELECT \"a\"[c] FROM [c]\"b\"; END";
        let expected =
            "CREATE TRIGGER t AFTER INSERT ON \"d\" BEGIN SELECT \"a\" \"d\" FROM \"d\" \"b\"; END";
        assert_eq!(read(sql).unwrap().on("d"), expected);
    }

    #[test]
    fn what_could_see_or_stop_a_sealed_row_is_an_obstacle() {
        for (sql, says) in [
            ("CREATE TRIGGER t INSERT ON c BEGIN SELECT 1; END", "neither"),
            ("CREATE TRIGGER t BEFORE DELETE ON c BEGIN SELECT 1; END", "neither"),
            ("CREATE TRIGGER t AFTER UPDATE OF b ON c BEGIN SELECT 1; END", "neither"),
            ("CREATE TRIGGER t AFTER INSERT ON c BEGIN SELECT new.\"SECRET\"; END", "not plain"),
            (
                "CREATE TRIGGER t AFTER INSERT ON c BEGIN UPDATE OR IGNORE c SET b = 1; END",
                "writes",
            ),
            ("CREATE TRIGGER t AFTER INSERT ON c BEGIN DELETE FROM c; END", "writes"),
            (
                "CREATE TRIGGER t AFTER INSERT ON c BEGIN INSERT INTO d SELECT 2 * 3, c.* FROM c; END",
                "has a *",
            ),
            ("CREATE TRIGGER t AFTER INSERT ON c BEGIN REPLACE INTO c VALUES (1); END", "writes"),
        ] {
            let trigger = read(sql).unwrap();
            let problem = trigger.obstacle(|name| !name.eq_ignore_ascii_case("secret"));
            assert!(problem.is_some_and(|problem| problem.contains(says)), "{sql}");
        }
        assert!(read("CREATE TEMP TRIGGER t AFTER INSERT ON c BEGIN SELECT 1; END").is_none());
        assert!(read("CREATE TRIGGER").is_none());
    }
}
