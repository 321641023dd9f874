//! Queries.

use super::expressions::{Maker, Scope};
use super::schema::{Kind, Shape};

/// A query's text, and whether its rows come in one order only.
pub(crate) fn query(maker: &mut Maker<'_>) -> (String, bool) {
    let table = maker.table();
    match maker.dice.below(16) {
        0..=4 => simple(maker, table),
        5 | 6 => (join(maker), false),
        7 => (aggregate(maker, table), false),
        8 => (grouped(maker, table), false),
        9 => (distinct(maker, table), false),
        10 => (compound(maker), false),
        11 => (window(maker, table), false),
        12 => (common(maker, table), false),
        13 => (recursive(maker, table), false),
        14 => (nested(maker, table), false),
        _ => (format!("SELECT count(*) FROM {}", table.name), false),
    }
}

fn wanted(maker: &mut Maker<'_>, scope: &Scope<'_>) -> String {
    if maker.dice.one_in(4) {
        return "*".to_owned();
    }
    let mut wanted = Vec::new();
    for _ in 0..1 + maker.dice.below(3) {
        let (column, kind) = maker.column(scope);
        wanted.push(if maker.dice.one_in(3) { maker.expression(scope, kind) } else { column });
    }
    wanted.join(", ")
}

fn simple(maker: &mut Maker<'_>, table: &Shape) -> (String, bool) {
    let scope = [("t", table)];
    let wanted = wanted(maker, &scope);
    let mut sql = format!("SELECT {wanted} FROM {} t", table.name);
    if !maker.dice.one_in(5) {
        sql += &format!(" WHERE {}", maker.condition(&scope, 2));
    }
    if maker.dice.one_in(2) {
        return (sql, false);
    }
    let (by, _) = maker.column(&scope);
    let how =
        maker.dice.pick(&["", " DESC", " NULLS LAST", " DESC NULLS FIRST", " COLLATE NOCASE"]);
    let key = maker.dice.pick(&["t.id", "t.id DESC"]);
    sql += &match maker.dice.below(3) {
        0 => format!(" ORDER BY {key}"),
        1 => format!(" ORDER BY {by}{how}, {key}"),
        // Equal rows may come in either order.
        _ => return (format!("{sql} ORDER BY {by}{how}"), false),
    };
    if maker.dice.one_in(2) {
        sql += &format!(" LIMIT {} OFFSET {}", maker.number(6), maker.number(3));
    }
    (sql, true)
}

fn join(maker: &mut Maker<'_>) -> String {
    let (left, right) = (maker.table(), maker.table());
    let scope = [("l", left), ("r", right)];
    let kind =
        maker.dice.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", ","]);
    if maker.dice.one_in(3) {
        let kind = if kind == "," { "JOIN" } else { kind };
        let condition = maker.condition(&scope[..1], 1);
        return format!(
            "SELECT l.id, o.id, o.total FROM {} l {kind} orders o ON o.who = l.id WHERE {condition}",
            left.name
        );
    }
    let on = match maker.dice.below(3) {
        0 => "l.id = r.id".to_owned(),
        1 => maker.condition(&scope, 1),
        _ => {
            let ((a, _), (b, _)) = (maker.column(&scope[..1]), maker.column(&scope[1..]));
            format!("{a} = {b}")
        }
    };
    let wanted = wanted(maker, &scope);
    if kind == "," {
        return format!("SELECT {wanted} FROM {} l, {} r WHERE {on}", left.name, right.name);
    }
    let condition = maker.condition(&scope, 1);
    format!(
        "SELECT {wanted} FROM {} l {kind} {} r ON {on} WHERE {condition}",
        left.name, right.name
    )
}

/// Aggregates that don't depend on the order of the rows.
fn aggregates(maker: &mut Maker<'_>, scope: &Scope<'_>) -> String {
    let mut found = Vec::new();
    for _ in 0..1 + maker.dice.below(3) {
        let (column, _) = maker.exact_column(scope);
        let of = maker.dice.pick(&[
            "count({})",
            "count(DISTINCT {})",
            "min({})",
            "max({})",
            "total({})",
            "count(*)",
            "group_concat({}, '/' ORDER BY t.id)",
            "count(*) FILTER (WHERE {} IS NOT NULL)",
        ]);
        found.push(of.replace("{}", &column));
    }
    found.join(", ")
}

fn aggregate(maker: &mut Maker<'_>, table: &Shape) -> String {
    let scope = [("t", table)];
    let aggregates = aggregates(maker, &scope);
    let condition = maker.condition(&scope, 1);
    format!("SELECT {aggregates} FROM {} t WHERE {condition}", table.name)
}

fn grouped(maker: &mut Maker<'_>, table: &Shape) -> String {
    let scope = [("t", table)];
    let (by, _) = maker.exact_column(&scope);
    let aggregates = aggregates(maker, &scope);
    let having = maker.dice.pick(&["", " HAVING count(*) > 1", " HAVING max(t.id) IS NOT NULL"]);
    format!("SELECT {by}, {aggregates} FROM {} t GROUP BY {by}{having}", table.name)
}

fn distinct(maker: &mut Maker<'_>, table: &Shape) -> String {
    let scope = [("t", table)];
    let ((a, _), (b, _)) = (maker.exact_column(&scope), maker.exact_column(&scope));
    let condition = maker.condition(&scope, 1);
    format!("SELECT DISTINCT {a}, {b} FROM {} t WHERE {condition}", table.name)
}

fn compound(maker: &mut Maker<'_>) -> String {
    let mut sql = String::new();
    for part in 0..2 + maker.dice.below(2) {
        let table = maker.table();
        let scope = [("t", table)];
        if part > 0 {
            sql += maker.dice.pick(&[" UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT "]);
        }
        let (column, _) = maker.exact_column(&scope);
        let condition = maker.condition(&scope, 1);
        sql += &format!("SELECT {column} FROM {} t WHERE {condition}", table.name);
    }
    sql
}

fn window(maker: &mut Maker<'_>, table: &Shape) -> String {
    let scope = [("t", table)];
    let ((a, _), (b, _)) = (maker.column(&scope), maker.column(&scope));
    let function = maker.dice.pick(&[
        "row_number() OVER (PARTITION BY {a} ORDER BY t.id)",
        "rank() OVER (ORDER BY {a})",
        "dense_rank() OVER (PARTITION BY {a} ORDER BY {b} DESC)",
        "lag({b}) OVER (ORDER BY t.id)",
        "first_value({b}) OVER (PARTITION BY {a} ORDER BY t.id)",
        "count(*) OVER (ORDER BY t.id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
        "count({b}) OVER (PARTITION BY {a})",
    ]);
    let function = function.replace("{a}", &a).replace("{b}", &b);
    format!("SELECT t.id, {function} FROM {} t", table.name)
}

fn common(maker: &mut Maker<'_>, table: &Shape) -> String {
    let (column, _) = maker.column(&[("t", table)]);
    let condition = maker.condition(&[("t", table)], 1);
    let how = maker.dice.pick(&["", "MATERIALIZED ", "NOT MATERIALIZED "]);
    format!(
        "WITH c (k, v) AS {how}(SELECT t.id, {column} FROM {0} t WHERE {condition})
         SELECT c.v, s.* FROM c JOIN {0} s ON s.id = c.k",
        table.name
    )
}

fn recursive(maker: &mut Maker<'_>, table: &Shape) -> String {
    let scope = [("t", table)];
    let (column, _) = maker.column(&scope);
    let key = if table.text_key { "'k' || n.i" } else { "n.i" };
    format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
         SELECT n.i, {column} FROM n LEFT JOIN {} t ON t.id = {key}",
        maker.number(12),
        table.name
    )
}

fn nested(maker: &mut Maker<'_>, table: &Shape) -> String {
    let other = maker.table();
    let (column, _) = maker.column(&[("i", other)]);
    let (mine, _) = maker.column(&[("t", table)]);
    let condition = maker.condition(&[("i", other)], 0);
    let scalar = match maker.dice.below(2) {
        0 => format!(
            "(SELECT count({column}) FROM {} i WHERE {condition} AND i.id >= t.id)",
            other.name
        ),
        _ => format!("(SELECT {column} FROM {} i WHERE i.id = t.id)", other.name),
    };
    let limit = maker.value_of(Kind::Integer);
    format!(
        "SELECT s.id, s.v, s.w FROM (SELECT t.id, {mine} AS v, {scalar} AS w FROM {} t) s WHERE s.w IS NOT {limit}",
        table.name
    )
}
