//! E-mail addresses: romanised from the name, unique by construction.

use super::locale::Tables;
use super::rng::SplitMix64;

/// Domains that people share: reserved for documentation and tests by RFC 2606.
const SHARED_DOMAINS: [&str; 8] = [
    "example.com",
    "example.org",
    "example.net",
    "mail.example.com",
    "post.example.org",
    "students.example.net",
    "mail.example",
    "inbox.test",
];

/// Top-level domains of everything else, reserved by RFC 2606.
const RESERVED: [&str; 2] = ["example", "test"];

/// Writes an address for the Latin names `given` and `family`.
///
/// `tag` is unique to the person and stands, as a whole run of digits, either at the end of the
/// local part or, when that has no digit, at the end of the domain's first label. Nothing else in
/// the address is a digit, so two people never share one, in whatever case it is written.
pub(super) fn address(
    rng: &mut SplitMix64,
    tables: &Tables,
    given: &str,
    family: &str,
    tag: u64,
) -> String {
    let mut out = String::with_capacity(64);
    let own_domain = rng.chance(20);
    match rng.below(100) {
        0..45 => join(&mut out, given, ".", family),
        45..55 => join(&mut out, given, "_", family),
        55..70 => join(&mut out, given.get(..1).unwrap_or(given), "", family),
        70..82 => join(&mut out, family, ".", given),
        82..90 => join(&mut out, given, "-", family),
        _ => romanise(&mut out, given),
    }
    let tag = tag.to_string();
    if own_domain {
        out.push('@');
        match domain(rng, tables).filter(|_| rng.chance(50)) {
            Some(domain) => out.push_str(domain),
            None => romanise(&mut out, family),
        }
        out.push('-');
        out.push_str(&tag);
        out.push('.');
        out.push_str(rng.pick(&RESERVED));
    } else {
        if rng.chance(5) {
            // A sub-address (RFC 5233): no normaliser removes it.
            out.push('+');
        }
        out.push_str(&tag);
        out.push('@');
        match domain(rng, tables).filter(|_| rng.chance(30)) {
            Some(domain) => {
                out.push_str(domain);
                out.push('.');
                out.push_str(rng.pick(&RESERVED));
            }
            None => out.push_str(rng.pick(&SHARED_DOMAINS)),
        }
    }
    match rng.below(100) {
        0..10 => capitalise(&out),
        10..12 => out.to_uppercase(),
        _ => out,
    }
}

/// One of the locale's domains. Of the internationalised ones only every eighth: they are rare in practice, and a
/// benchmark over them would measure little but UTS 46.
fn domain<'t>(rng: &mut SplitMix64, tables: &'t Tables) -> Option<&'t str> {
    let domain: &str = rng.pick(&tables.domains);
    let usual = rng.chance(12);
    Some(domain).filter(|domain| domain.is_ascii() || usual)
}

fn join(out: &mut String, first: &str, separator: &str, second: &str) {
    romanise(out, first);
    out.push_str(separator);
    romanise(out, second);
}

/// Appends the letters and hyphens of `name` in lower case: "O'Brien" gives "obrien".
fn romanise(out: &mut String, name: &str) {
    let kept = name.chars().filter(|c| c.is_ascii_alphabetic() || *c == '-');
    out.extend(kept.map(|c| c.to_ascii_lowercase()));
}

/// Puts the ASCII letter at the start of each word in upper case.
fn capitalise(address: &str) -> String {
    let mut inside = false;
    address
        .chars()
        .map(|c| {
            let first = !std::mem::replace(&mut inside, c.is_alphanumeric());
            if first { c.to_ascii_uppercase() } else { c }
        })
        .collect()
}
