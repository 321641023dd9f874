//! Statements that write.

use super::expressions::Maker;
use super::schema::{Indexed, Kind, Shape};

/// A write's text.
pub(crate) fn write(maker: &mut Maker<'_>) -> String {
    let table = maker.table();
    let mut sql = match maker.dice.below(20) {
        0..=10 => insert(maker, table),
        11..=16 => update(maker, table),
        17 => return orders(maker),
        _ => delete(maker, table),
    };
    if maker.dice.one_in(4) {
        sql += &returning(maker, table);
    }
    sql
}

fn returning(maker: &mut Maker<'_>, table: &Shape) -> String {
    let scope = [(table.name, table)];
    let (column, kind) = maker.column(&scope);
    match maker.dice.below(4) {
        0 => " RETURNING *".to_owned(),
        1 => " RETURNING id".to_owned(),
        2 => format!(" RETURNING id, {column} AS v"),
        _ => format!(" RETURNING {}, id", maker.expression(&scope, kind)),
    }
}

fn or(maker: &mut Maker<'_>) -> &'static str {
    maker.dice.pick(&[
        "",
        "",
        "",
        "",
        " OR IGNORE",
        " OR REPLACE",
        " OR FAIL",
        " OR ABORT",
        " OR ROLLBACK",
    ])
}

/// Columns that an INSERT names.
fn named(maker: &mut Maker<'_>, table: &Shape) -> Vec<usize> {
    let kept = |maker: &mut Maker<'_>, at: &usize| {
        let column = &table.columns[*at];
        !maker.dice.one_in(if column.not_null { 12 } else { 4 })
    };
    let mut named: Vec<usize> = Vec::new();
    for at in 0..table.columns.len() {
        if kept(maker, &at) {
            named.push(at);
        }
    }
    if maker.dice.one_in(3) {
        named.reverse();
    }
    named
}

/// A value for a column, so that unique ones clash now and then only.
fn fresh(maker: &mut Maker<'_>, table: &Shape, at: usize) -> String {
    let column = &table.columns[at];
    if column.indexed == Indexed::Unique && !maker.dice.one_in(4) {
        let number = maker.number(500);
        return match column.kind {
            Kind::Integer => number,
            Kind::Real => format!("{number}.5"),
            Kind::Text => format!("'u{number}'"),
            Kind::Blob => {
                let digits = number.chars().map(|digit| format!("3{digit}"));
                format!("x'75{}'", digits.collect::<String>())
            }
        };
    }
    if column.not_null && !maker.dice.one_in(8) {
        maker.value_of(column.kind)
    } else {
        maker.value(column.kind)
    }
}

fn row(maker: &mut Maker<'_>, table: &Shape, key: bool, named: &[usize]) -> String {
    let mut values = Vec::new();
    if key {
        values.push(if maker.dice.one_in(8) { "NULL".to_owned() } else { maker.key(table) });
    }
    for at in named {
        values.push(fresh(maker, table, *at));
    }
    format!("({})", values.join(", "))
}

fn insert(maker: &mut Maker<'_>, table: &Shape) -> String {
    let verb = match maker.dice.below(12) {
        0 => "REPLACE".to_owned(),
        _ => format!("INSERT{}", or(maker)),
    };
    if maker.dice.one_in(24) {
        return format!("{verb} INTO {} DEFAULT VALUES", table.name);
    }
    let conflict = if verb == "INSERT" && maker.dice.one_in(4) {
        conflict(maker, table)
    } else {
        String::new()
    };
    // Of a value that fits no type, DO UPDATE makes what it wants.
    maker.tidy = conflict.contains("DO UPDATE");
    let named = named(maker, table);
    let key = table.text_key && !maker.dice.one_in(12) || maker.dice.one_in(3);
    let mut names: Vec<String> =
        named.iter().map(|at| format!("\"{}\"", table.columns[*at].name)).collect();
    if key {
        names.insert(0, "id".to_owned());
    }
    if names.is_empty() {
        return format!("{verb} INTO {} DEFAULT VALUES", table.name);
    }
    let source = if maker.dice.one_in(6) {
        select(maker, table, key, &named)
    } else {
        let mut rows = Vec::new();
        for _ in 0..1 + maker.dice.below(3) {
            rows.push(row(maker, table, key, &named));
        }
        format!("VALUES {}", rows.join(", "))
    };
    format!("{verb} INTO {} ({}) {source}{conflict}", table.name, names.join(", "))
}

/// The rows of an INSERT from a query, in one order.
fn select(maker: &mut Maker<'_>, table: &Shape, key: bool, named: &[usize]) -> String {
    let other = maker.table();
    let scope = [("s", other)];
    let mut wanted = Vec::new();
    if key {
        wanted.push(if table.text_key {
            format!("'k' || (length(s.id) + {})", maker.number(40))
        } else {
            format!("length(s.id) + {}", maker.number(40))
        });
    }
    for at in named {
        let kind = table.columns[*at].kind;
        let column = other.columns.iter().find(|column| column.kind == kind);
        wanted.push(match column {
            Some(column) => format!("s.\"{}\"", column.name),
            None => maker.value_of(kind),
        });
    }
    let condition = maker.condition(&scope, 1);
    format!(
        "SELECT {} FROM {} s WHERE {condition} ORDER BY s.id LIMIT 3",
        wanted.join(", "),
        other.name
    )
}

fn conflict(maker: &mut Maker<'_>, table: &Shape) -> String {
    let unique: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| column.indexed == Indexed::Unique)
        .map(|column| column.name)
        .chain(["id"])
        .collect();
    let target = format!(" (\"{}\")", maker.dice.pick(&unique));
    if maker.dice.one_in(2) {
        let target = if maker.dice.one_in(2) { "" } else { target.as_str() };
        return format!(" ON CONFLICT{target} DO NOTHING");
    }
    let column = &table.columns[maker.dice.below(table.columns.len())];
    let scope = [(table.name, table)];
    let value = match maker.dice.below(4) {
        0 => maker.expression(&scope, column.kind),
        1 => format!("coalesce({0}.\"{1}\", excluded.\"{1}\")", table.name, column.name),
        2 => format!("coalesce(excluded.\"{0}\", {1}.\"{0}\")", column.name, table.name),
        _ => format!("excluded.\"{}\"", column.name),
    };
    let mut sql = format!(" ON CONFLICT{target} DO UPDATE SET \"{}\" = {value}", column.name);
    if maker.dice.one_in(3) {
        sql += &match maker.dice.below(2) {
            0 => format!(" WHERE {}", maker.condition(&scope, 0)),
            _ => format!(" WHERE excluded.\"{0}\" IS NOT {1}.\"{0}\"", column.name, table.name),
        };
    }
    sql
}

fn update(maker: &mut Maker<'_>, table: &Shape) -> String {
    maker.in_order = true;
    let scope = [(table.name, table)];
    let or = or(maker);
    if maker.dice.one_in(12) {
        let key = maker.key(table);
        let new = maker.key(table);
        return format!("UPDATE{or} {} SET id = {new} WHERE id = {key}", table.name);
    }
    let mut sets = Vec::new();
    for _ in 0..1 + maker.dice.below(2) {
        let column = &table.columns[maker.dice.below(table.columns.len())];
        let value = maker.expression(&scope, column.kind);
        sets.push(format!("\"{}\" = {value}", column.name));
    }
    let sets = sets.join(", ");
    let condition = if maker.dice.one_in(3) {
        format!("{}.id = {}", table.name, maker.key(table))
    } else {
        maker.condition(&scope, 1)
    };
    if maker.dice.one_in(6) {
        let column = &table.columns[maker.dice.below(table.columns.len())];
        // A join visits rows in no order, which decides what OR FAIL leaves.
        let or = if or == " OR FAIL" { "" } else { or };
        return format!(
            "UPDATE{or} {0} SET \"{1}\" = o.{2} FROM (SELECT who, max(total) AS total, max(note) AS note FROM orders
             GROUP BY who) AS o WHERE o.who = {0}.id AND {condition}",
            table.name,
            column.name,
            if column.kind == Kind::Text { "note" } else { "total" },
        );
    }
    format!("UPDATE{or} {} SET {sets} WHERE {condition}", table.name)
}

fn delete(maker: &mut Maker<'_>, table: &Shape) -> String {
    if maker.dice.one_in(30) {
        return format!("DELETE FROM {}", table.name);
    }
    let condition = maker.condition(&[(table.name, table)], 0);
    format!("DELETE FROM {} WHERE {condition}", table.name)
}

/// A write of the plain table.
fn orders(maker: &mut Maker<'_>) -> String {
    match maker.dice.below(3) {
        0 => format!("DELETE FROM orders WHERE id = {}", maker.number(20)),
        _ => format!(
            "INSERT INTO orders (who, total, note) VALUES ({}, {}, {})",
            maker.number(20),
            maker.value_of(Kind::Real),
            maker.value_of(Kind::Text)
        ),
    }
}
