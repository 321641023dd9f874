//! Which columns of an application's table are personal, by their names.

/// What a personal column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Email,
    Phone,
    Name,
    Address,
}

const PHONE: &[&str] = &[
    "phone",
    "phones",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "cellphone",
    "fax",
    "msisdn",
    "phonenumber",
];
const NAME: &[&str] = &[
    "name",
    "names",
    "firstname",
    "lastname",
    "surname",
    "forename",
    "fullname",
    "givenname",
    "familyname",
    "nickname",
];
const ADDRESS: &[&str] = &["address", "addresses", "addr", "street"];
/// A column with such a word is about the thing, or about something that is nobody's.
const NOT_PERSONAL: &[&str] = &[
    "at",
    "bounced",
    "class",
    "column",
    "company",
    "confirmed",
    "count",
    "database",
    "domain",
    "enabled",
    "event",
    "field",
    "file",
    "flag",
    "group",
    "hash",
    "host",
    "id",
    "ip",
    "is",
    "mac",
    "path",
    "plan",
    "product",
    "role",
    "sent",
    "server",
    "status",
    "table",
    "tag",
    "template",
    "type",
    "url",
    "verified",
    "version",
];
/// Columns that decide what somebody may do: worth authenticating where they stay readable.
const AUTHORITY: &[&str] =
    &["admin", "permission", "permissions", "privilege", "role", "roles", "scope", "scopes"];

/// What the column holds, if its name says that it is personal.
pub(super) fn kind(column: &str) -> Option<Kind> {
    let words = words(column);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if has(NOT_PERSONAL) {
        return None;
    }
    if words.iter().any(|word| word == "mail" || word.contains("email")) {
        Some(Kind::Email)
    } else if has(PHONE) {
        Some(Kind::Phone)
    } else if has(ADDRESS) {
        Some(Kind::Address)
    } else if has(NAME) {
        Some(Kind::Name)
    } else {
        None
    }
}

/// True where the name says that the column grants rights.
pub(super) fn grants_rights(column: &str) -> bool {
    words(column).iter().any(|word| AUTHORITY.contains(&word.as_str()))
}

/// The words of `snake_case`, `camelCase` and the like, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        lower_before = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_columns_are_told_by_their_names() {
        let expected = [
            (
                Kind::Email,
                &[
                    "email",
                    "E-Mail",
                    "mail",
                    "userEmail",
                    "email_address",
                    "EMAIL2",
                    "contact_mail",
                ][..],
            ),
            (Kind::Phone, &["phone", "phone_number", "Tel", "mobilePhone", "home_tel", "fax"]),
            (Kind::Name, &["name", "first_name", "lastName", "Surname", "full name", "fullname"]),
            (Kind::Address, &["address", "street", "home_address", "addressLine1", "addr"]),
        ];
        for (wanted, names) in expected {
            for name in names {
                assert_eq!(kind(name), Some(wanted), "{name}");
            }
        }
    }

    #[test]
    fn other_columns_are_left_alone() {
        for name in [
            "id",
            "role",
            "plan",
            "email_verified",
            "emailSentAt",
            "phone_type",
            "file_name",
            "hostname",
            "username_hash",
            "ip_address",
            "mac_address",
            "created_at",
            "renamed",
            "cellar",
            "telegraph",
            "",
            "_",
            "plan_name",
        ] {
            assert_eq!(kind(name), None, "{name}");
        }
    }

    #[test]
    fn columns_that_grant_rights_are_told_by_their_names() {
        for name in ["role", "user_role", "isAdmin", "permissions", "Scope"] {
            assert!(grants_rights(name), "{name}");
        }
        for name in ["plan", "email", "parole", "administration_fee", "microscope"] {
            assert!(!grants_rights(name), "{name}");
        }
    }
}
