"""What SQLite can do beyond what the suite takes for granted: the same whichever driver it runs with."""

from typing import Any

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

OPEN = """
autocommit check_constraint_reflection computed_columns computed_columns_stored computed_columns_virtual
create_table_as create_temp_table_as ctes ctes_on_dml ctes_with_update_delete ctes_with_values date_historic
datetime_historic dbapi_lastrowid emulated_lastrowid except_ expression_server_defaults
fk_constraint_option_reflection_ondelete_restrict fk_constraint_option_reflection_onupdate_restrict
foreign_key_constraint_name_reflection foreign_key_constraint_option_reflection_ondelete
foreign_key_constraint_option_reflection_onupdate has_temp_table index_ddl_if_exists inline_check_constraint_reflection
intersect isolation_level json_type mod_operator_as_percent_sign non_updating_cascade nullsordering
order_by_label_with_expression percent_schema_names precision_numerics_enotation_small reflect_table_options
reflects_pk_names regexp_match savepoints server_defaults supports_bitwise_and supports_bitwise_not supports_bitwise_or
supports_bitwise_shift table_ddl_if_exists temp_table_names temporary_views timestamp_microseconds tuple_in unicode_ddl
update_from views window_functions window_range window_range_numeric
""".split()


class Requirements(SuiteRequirements):
    """SQLite's, of one file: the engine attaches no other."""

    @property
    def schemas(self) -> Any:
        return exclusions.closed()

    def get_isolation_levels(self, config: Any) -> dict[str, Any]:
        supported = list(config.db.dialect.get_isolation_level_values(None))
        return {"default": "SERIALIZABLE", "supported": supported}


def _open(self: Any) -> Any:
    return exclusions.open()


for _name in OPEN:
    assert isinstance(getattr(SuiteRequirements, _name), property), _name
    setattr(Requirements, _name, property(_open))
