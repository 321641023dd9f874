"""What the suite may ask of SQLite: the same whichever driver it runs with."""

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements


def _yes(self: SuiteRequirements) -> exclusions.compound:
    return exclusions.open()


class Requirements(SuiteRequirements):
    """SQLite's, as far as the suite's own defaults don't have them."""


for _name in (
    "autocommit",
    "binary_literals",
    "check_constraint_reflection",
    "comment_reflection_not_supported",
    "cross_schema_fk_reflection_not_supported",
    "cte",
    "ctes_on_dml",
    "ctes_with_update_delete",
    "datetime_historic",
    "delete_returning",
    "emulated_lastrowid",
    "empty_inserts_executemany",
    "foreign_key_constraint_option_reflection_ondelete",
    "foreign_key_constraint_option_reflection_onupdate",
    "fk_constraint_option_reflection_ondelete_restrict",
    "fk_constraint_option_reflection_ondelete_noaction",
    "fk_constraint_option_reflection_onupdate_restrict",
    "fetch_null_from_numeric",
    "insert_from_select",
    "insert_order_dicts",
    "json_type",
    "json_array_indexes",
    "multivalues_inserts",
    "on_update_cascade",
    "percent_schema_names",
    "pragma_table_xinfo",
    "precision_numerics_many_significant_digits",
    "reflects_pk_names",
    "reflect_table_options",
    "reflects_json_type",
    "returning",
    "savepoints",
    "sql_expressions_inserted_as_primary_key",
    "supports_distinct_on_not",
    "tuple_in",
    "unicode_ddl",
    "unique_index_reflect_as_unique_constraints_not",
    "update_from",
    "update_returning",
    "upserts",
    "views",
    "window_functions",
    "window_range",
):
    if isinstance(getattr(SuiteRequirements, _name, None), property):
        setattr(Requirements, _name, property(_yes))
