//! The internal tables of tokens. Every decision is taken on authenticated or sealed columns.

use crate::keys::table_id;
use crate::table::{Column, Index, Join, TableDefinition, Target};

/// The tokens of the vault itself, and of tenants.
pub(super) const TABLES: [&str; 2] = ["sealite_tokens", "sealite_tenant_tokens"];
/// Up to when what was issued to a subject is revoked; one row a subject, under its MAC.
pub(super) const SUBJECTS: [&str; 2] = ["sealite_token_subjects", "sealite_tenant_token_subjects"];

/// The columns of a token by position.
pub(super) mod column {
    pub(in crate::token) const KIND: usize = 0;
    pub(in crate::token) const OWNER: usize = 1;
    pub(in crate::token) const EPOCH: usize = 2;
    pub(in crate::token) const FAMILY: usize = 3;
    pub(in crate::token) const SCOPES: usize = 4;
    pub(in crate::token) const ENABLED: usize = 5;
    pub(in crate::token) const NOT_BEFORE: usize = 6;
    pub(in crate::token) const EXPIRES_AT: usize = 7;
    pub(in crate::token) const USES_LEFT: usize = 8;
    pub(in crate::token) const ARMED_UNTIL: usize = 9;
    pub(in crate::token) const ENDED_AT: usize = 10;
    pub(in crate::token) const HASH: usize = 11;
    pub(in crate::token) const SCHEME: usize = 12;
    pub(in crate::token) const KEY: usize = 13;
    pub(in crate::token) const PREFIX: usize = 14;
    pub(in crate::token) const CREATED_AT: usize = 15;
    pub(in crate::token) const LAST_USED_AT: usize = 16;
    pub(in crate::token) const TOUCH_MS: usize = 17;
    pub(in crate::token) const IDLE_MS: usize = 18;
    pub(in crate::token) const SUBJECT: usize = 19;
    pub(in crate::token) const LABEL: usize = 20;
    pub(in crate::token) const LIMITS: usize = 21;
    pub(in crate::token) const DATA: usize = 22;
    pub(in crate::token) const ATTEMPTS_LEFT: usize = 23;
    pub(in crate::token) const ARMED_REASON: usize = 24;
    pub(in crate::token) const RENEW_UNTIL: usize = 25;
    pub(in crate::token) const ROTATED_AT: usize = 26;
    pub(in crate::token) const GRACE_UNTIL: usize = 27;
    pub(in crate::token) const SUCCESSOR: usize = 28;
    pub(in crate::token) const REVOKED_AT: usize = 29;
    pub(in crate::token) const REFUSED_AT: usize = 30;
    pub(in crate::token) const COUNT: usize = 31;
}

/// The column of a subject.
pub(super) const SUBJECT_EPOCH: usize = 0;

/// Different subjects and families that are expected; the indexes on authenticated columns are SQLite's own.
const EXPECTED_DISTINCT: u64 = 10_000;

fn which(tenant: Option<&str>) -> usize {
    usize::from(tenant.is_some())
}

/// The tokens of a tenant, or of the vault itself.
pub(super) fn tokens(tenant: Option<&str>) -> Target<'_> {
    let [own, of_tenants] = TABLES;
    Target { name: if which(tenant) == 0 { own } else { of_tenants }, tenant }
}

/// Their subjects.
pub(super) fn subjects(tenant: Option<&str>) -> Target<'_> {
    let [own, of_tenants] = SUBJECTS;
    Target { name: if which(tenant) == 0 { own } else { of_tenants }, tenant }
}

/// A token with its subject's row and the vault's clock.
pub(super) fn join(tenant: Option<&str>) -> Join<'_> {
    Join {
        table: tokens(tenant),
        other: subjects(tenant),
        over: ("owner", column::OWNER),
        mark: table_id::CLOCK,
    }
}

/// `owner` is the MAC of the subject; `ended_at` is from when on the token is of no use to anybody.
pub(super) fn token_table(tenant: Option<&str>) -> TableDefinition {
    let lookup = || Index::lookup(EXPECTED_DISTINCT);
    let integer = |name| Column::integer(name).authenticated();
    let definition = TableDefinition::new(tokens(tenant).name)
        .text_key("id")
        .column(Column::text("kind").authenticated().not_null())
        .column(Column::text("owner").authenticated().index(lookup()))
        .column(integer("epoch"))
        .column(Column::text("family").authenticated().index(lookup()))
        .column(Column::text("scopes").authenticated().not_null())
        .column(Column::boolean("enabled").authenticated().not_null())
        .column(integer("not_before"))
        .column(integer("expires_at"))
        .column(integer("uses_left"))
        .column(integer("armed_until"))
        .column(integer("ended_at").index(lookup()))
        .column(Column::blob("hash").sealed().not_null())
        .column(Column::integer("scheme").sealed().not_null())
        .column(integer("key").not_null())
        .column(Column::text("prefix").sealed().not_null())
        .column(Column::integer("created_at").sealed().not_null())
        .column(Column::integer("last_used_at").sealed())
        .column(Column::integer("touch_ms").sealed().not_null())
        .column(Column::integer("idle_ms").sealed())
        .column(Column::text("subject").sealed())
        .column(Column::text("label").sealed())
        .column(Column::text("limits").sealed())
        .column(Column::json("data").sealed())
        .column(Column::integer("attempts_left").sealed())
        .column(Column::text("armed_reason").sealed())
        .column(Column::integer("renew_until").sealed())
        .column(Column::integer("rotated_at").sealed())
        .column(Column::integer("grace_until").sealed())
        .column(Column::text("successor").sealed())
        .column(Column::integer("revoked_at").sealed())
        .column(Column::integer("refused_at").sealed());
    if tenant.is_some() { definition.per_tenant() } else { definition }
}

/// A token that carries an earlier epoch than its subject's is revoked. Epochs are never given out twice.
pub(super) fn subject_table(tenant: Option<&str>) -> TableDefinition {
    let definition = TableDefinition::new(subjects(tenant).name)
        .text_key("mac")
        .column(Column::integer("epoch").authenticated().not_null());
    if tenant.is_some() { definition.per_tenant() } else { definition }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_the_declaration() {
        let table = token_table(None);
        assert_eq!(table.columns().len(), column::COUNT);
        let at = |name| table.columns().iter().position(|c| c.name() == name).unwrap();
        for (name, position) in [
            ("kind", column::KIND),
            ("owner", column::OWNER),
            ("ended_at", column::ENDED_AT),
            ("hash", column::HASH),
            ("prefix", column::PREFIX),
            ("idle_ms", column::IDLE_MS),
            ("subject", column::SUBJECT),
            ("data", column::DATA),
            ("armed_reason", column::ARMED_REASON),
            ("successor", column::SUCCESSOR),
            ("refused_at", column::REFUSED_AT),
        ] {
            assert_eq!(at(name), position, "{name}");
        }
    }
}
