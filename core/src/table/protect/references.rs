//! Foreign keys of a table that is converted, and of others to it.

use super::job::{Elsewhere, Job};
use super::plain::{Plain, PlainColumn};
use super::plan::Plan;
use super::written::names;
use crate::db::Conn;
use crate::error::Result;
use crate::table::definition::Protection;
use crate::table::engine::State;

impl Plan {
    /// Foreign keys to other tables.
    pub(super) fn references(&mut self, plain: &Plain) {
        for reference in &plain.written.references {
            let columns = reference.columns.join(", ");
            let what = format!("foreign key ({columns}) to {}", reference.parent);
            let plainly = |name: &String| self.protection(name) == Protection::Plain;
            let sets = |word: &str| names(&reference.tail, |name| name.eq_ignore_ascii_case(word));
            let not_null = |name: &String| {
                let mut columns = self.definition.columns.iter();
                columns.any(|column| column.name.eq_ignore_ascii_case(name) && column.not_null)
            };
            if sets("DEFAULT") || sets("NULL") && reference.columns.iter().any(not_null) {
                // The engine keeps both, and the file does not know them.
                self.against(format!("{what} sets a default, or NULL where NULL may not be"));
            } else if reference.columns.iter().all(plainly) {
                self.kept.push(what);
                self.references.push(reference.clone());
            } else {
                self.against(format!("{what} is over a column that is not plain"));
            }
        }
    }

    /// Foreign keys of other tables to this one.
    pub(super) fn children(
        &mut self,
        plain: &Plain,
        key: &PlainColumn,
        (text_key, job): (bool, &Job<'_>),
    ) {
        for child in &plain.children {
            if let Some(elsewhere) = job.elsewhere {
                let comes = |name: &String| name.eq_ignore_ascii_case(&child.table);
                if !elsewhere.coming.iter().any(comes) {
                    self.against(format!(
                        "the foreign key of table {} refers to it, and stays",
                        child.table
                    ));
                }
                continue;
            }
            let table = &child.table;
            let problem = match &child.to {
                None if text_key => Some("names no column, and the key is text".to_owned()),
                None => None,
                Some(to) if to.eq_ignore_ascii_case(&key.name) => None,
                Some(to) if self.protection(to) == Protection::Plain => None,
                Some(to) => Some(format!("refers to {to}, which is not plain")),
            };
            match problem {
                Some(problem) => {
                    self.against(format!("the foreign key of table {table} {problem}"));
                }
                None => self.kept.push(format!("foreign key of table {table}")),
            }
        }
    }

    /// Of a table from another file: its foreign keys lead to what this file has, or will have, and others are let go.
    pub(super) fn find_parents(&mut self, conn: &Conn, state: &State, job: &Job<'_>) -> Result<()> {
        let own = self.definition.name.clone();
        for mut reference in std::mem::take(&mut self.references) {
            let parent = reference.parent.clone();
            let comes = |elsewhere: Elsewhere<'_>| {
                elsewhere.coming.iter().any(|name| name.eq_ignore_ascii_case(&parent))
            };
            if let Ok(schema) = state.table(&parent) {
                reference.parent = schema.stored.physical();
                self.references.push(reference);
            } else if parent.eq_ignore_ascii_case(&own)
                || super::plain::read(conn, &parent)?.is_some()
                || job.elsewhere.is_some_and(comes)
            {
                self.references.push(reference);
            } else {
                let what = format!("foreign key ({}) to {parent}", reference.columns.join(", "));
                self.kept.retain(|kept| *kept != what);
                self.changed.push(format!("{what} is let go: {parent} stays where it is"));
            }
        }
        Ok(())
    }
}
