//! What SQL may set.

/// Reading a pragma is harmless; setting is allowed only for those that concern neither durability nor remnants.
pub(super) fn may_use_pragma(name: &str, value: Option<&str>) -> bool {
    const ABOUT: &[&str] = &[
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "foreign_key_check",
        "integrity_check",
        "quick_check",
        "optimize",
    ];
    const SETTABLE: &[&str] = &[
        "cache_size",
        "case_sensitive_like",
        "defer_foreign_keys",
        "recursive_triggers",
        // The application's own: the engine keeps the version of its format in a table.
        "user_version",
    ];
    let is = |list: &[&str]| list.iter().any(|item| name.eq_ignore_ascii_case(item));
    match value {
        None => true,
        Some(_) => is(ABOUT) || is(SETTABLE),
    }
}

/// What a program may set on a connection of its own: nothing that makes a commit less durable than the file's own log
/// does, writes temporary data to the disk or leaves remnants.
pub(super) fn concerns_itself(name: &str, value: &str) -> bool {
    const ANY: &[&str] = &["foreign_keys", "busy_timeout", "automatic_index", "threads"];
    const SOME: &[(&str, &[&str])] = &[
        ("journal_mode", &["wal"]),
        ("synchronous", &["normal", "full", "extra", "1", "2", "3"]),
        ("temp_store", &["memory", "2"]),
        ("secure_delete", &["on", "1", "true", "yes"]),
        ("encoding", &["utf-8", "utf8"]),
        ("mmap_size", &["0"]),
    ];
    let is = |item: &str| name.eq_ignore_ascii_case(item);
    ANY.iter().any(|item| is(item))
        || SOME.iter().any(|(item, values)| {
            is(item) && values.iter().any(|allowed| value.eq_ignore_ascii_case(allowed))
        })
}
