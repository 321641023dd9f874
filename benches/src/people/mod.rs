//! Realistic people for the demonstration and the benchmarks: the same ones for the same seed, for
//! ever.
//!
//! Names, addresses and telephone numbers are written in the scripts and styles of 16 locales;
//! e-mail addresses use only domains that RFC 2606 reserves. The telephone numbers are made up, but
//! have the form of real ones: nothing may ever dial them.

mod alphabets;
mod asian;
mod email;
mod latin;
mod locale;
pub(crate) mod rng;
#[cfg(test)]
mod tests;

use locale::{Order, Tables};
use rng::SplitMix64;

/// One made-up person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// 1, 2, 3 and so on.
    pub id: i64,
    /// The full name in the person's own script; several people may bear one name.
    pub name: String,
    /// Unique, also when upper and lower case are not told apart. The local part is ASCII, the
    /// domain may be an internationalised one in its Unicode form, and some are in mixed case.
    pub email: String,
    /// At least 9 digits, written as in the person's country, some in the digits of the script. The
    /// digits alone are unique among the first 10 million people.
    pub phone: String,
    /// Street, number, postal code and city in the order of the person's country, on one line.
    pub address: String,
    /// `user` (94 %), `editor` (4.5 %) or `admin` (1.5 %).
    pub role: &'static str,
    /// `free` (70 %), `pro` (22 %) or `team` (8 %).
    pub plan: &'static str,
}

/// The first `count` people of the run `seed`, with ids from 1.
///
/// A longer run begins with the people of a shorter one. E-mail addresses are unique for any
/// `count`, telephone numbers up to 10 million people.
pub fn people(count: usize, seed: u64) -> impl Iterator<Item = Person> {
    people_from(1, count, seed)
}

/// `count` people of the run `seed`, with ids from `first`: none before them is made.
pub fn people_from(first: i64, count: usize, seed: u64) -> impl Iterator<Item = Person> {
    let locales = locale::all();
    (first..).take(count).map(move |id| person(locales, id, seed))
}

fn person(locales: &[Tables], id: i64, seed: u64) -> Person {
    let number = id.cast_unsigned();
    let mut rng = SplitMix64::for_item(seed, number);
    let Some(tables) = locales.get(rng.below(locales.len() as u64) as usize) else {
        unreachable!("a draw below the number of locales is the place of one")
    };
    let given = rng.pick_common(&tables.given);
    let family = rng.pick_common(&tables.family);
    let name = match tables.order {
        Order::GivenFamily => [given.0, " ", family.0].concat(),
        Order::GivenTwoFamilies => {
            [given.0, " ", family.0, " ", rng.pick_common(&tables.family).0].concat()
        }
        Order::FamilySpaceGiven => [family.0, " ", given.0].concat(),
        Order::FamilyGiven => [family.0, given.0].concat(),
    };
    let email = email::address(&mut rng, tables, given.1, family.1, same_length(number, seed));
    let mut phone = phone(rng.pick(tables.phones), number, seed);
    let mut address = address(&mut rng, tables);
    if let Some(digits) = tables.native_digits
        && rng.chance(digits.percent)
    {
        phone = in_digits_from(digits.zero, &phone);
        address = in_digits_from(digits.zero, &address);
    }
    let role = match rng.below(1_000) {
        0..940 => "user",
        940..985 => "editor",
        _ => "admin",
    };
    let plan = match rng.below(100) {
        0..70 => "free",
        70..92 => "pro",
        _ => "team",
    };
    Person { id, name, email, phone, address, role, plan }
}

/// A prime above 5: multiplying by it permutes the remainders modulo 10^n and modulo 9 * 10^n.
const STRIDE: u128 = 2_654_435_761;

/// Permutes the numbers from 1 among those of the same decimal length: short ones for small runs.
fn same_length(number: u64, seed: u64) -> u64 {
    let lowest = 10_u128.pow(number.max(1).ilog10());
    let span = 9 * lowest;
    let place = u128::from(number.max(1)) - lowest;
    (lowest + (place * STRIDE + u128::from(seed)) % span) as u64
}

/// Fills the `#` of `pattern` with a permutation of `number` among the numbers of as many digits.
fn phone(pattern: &str, number: u64, seed: u64) -> String {
    let blanks = pattern.bytes().filter(|byte| *byte == b'#').count();
    let span = 10_u64.pow(blanks as u32);
    let moved = u128::from(number) * STRIDE + u128::from(seed);
    let mut rest = (moved % u128::from(span)) as u64;
    let mut unit = span / 10;
    pattern
        .chars()
        .map(|c| {
            if c != '#' {
                return c;
            }
            let digit = (rest / unit) as u8;
            rest %= unit;
            unit = (unit / 10).max(1);
            char::from(b'0' + digit)
        })
        .collect()
}

fn address(rng: &mut SplitMix64, tables: &Tables) -> String {
    let (city, postal_code) = rng.pick_common(&tables.cities);
    let mut out = String::with_capacity(96);
    for part in rng.pick(tables.addresses).split_inclusive(['{', '}']) {
        match part {
            "s}" => out.push_str(rng.pick(&tables.streets)),
            "n}" => out.push_str(&(1 + rng.below(180)).to_string()),
            "u}" => out.push_str(&(1 + rng.below(12)).to_string()),
            "p}" => fill(&mut out, postal_code, rng),
            "c}" => out.push_str(city),
            text => out.push_str(text.trim_end_matches('{')),
        }
    }
    out
}

/// Appends a postal code: `#` becomes a digit, `@` a letter that British postal codes end in.
fn fill(out: &mut String, pattern: &str, rng: &mut SplitMix64) {
    for c in pattern.chars() {
        out.push(match c {
            '#' => char::from(b'0' + rng.below(10) as u8),
            '@' => char::from(rng.pick(b"ABDEFGHJLNPQRSTUWXYZ")),
            other => other,
        });
    }
}

/// `text` with its ASCII digits replaced by those of the script whose zero is `zero`.
fn in_digits_from(zero: char, text: &str) -> String {
    let native = |c: char| c.to_digit(10).and_then(|digit| char::from_u32(zero as u32 + digit));
    text.chars().map(|c| native(c).unwrap_or(c)).collect()
}
