//! Declaring tables.

use std::ffi::c_char;

use sealite::{Column, Padding, TableDefinition};

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::status::Failure;
use crate::status::sealite_status;

/// How the sealed values of a row are padded, so that their length does not show.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum sealite_padding {
    /// Not at all: the length shows.
    SEALITE_PADDING_NONE = 0,
    /// To the next multiple of a number of bytes. The default, with 32 bytes.
    SEALITE_PADDING_BLOCK = 1,
    /// Padmé (Nikitin et al., PETS 2019): at most 12% longer, and only O(log log n) bits of the length show.
    SEALITE_PADDING_PADME = 2,
}

/// The declaration of a table. Not for two threads at once (SEALITE_BUSY).
pub struct sealite_definition {
    _opaque: [u8; 0],
}

impl Kind for sealite_definition {
    type Object = Builder<TableDefinition>;
}

/// The padding of those numbers.
pub(crate) fn padding(kind: Choice, block: u32) -> crate::status::Result<Padding> {
    Ok(match kind {
        Choice::None => Padding::None,
        Choice::Block => Padding::Block(
            u16::try_from(block)
                .map_err(|_| Failure::invalid("a padding block has 1 to 65,534 bytes"))?,
        ),
        Choice::Padme => Padding::Padme,
    })
}

/// A kind of padding.
#[derive(Clone, Copy)]
pub(crate) enum Choice {
    None,
    Block,
    Padme,
}

/// The kinds, at the places of their numbers.
pub(crate) const PADDINGS: [Choice; 3] = [Choice::None, Choice::Block, Choice::Padme];

/// Declares a table with an integer primary key named `id`. Free it with sealite_definition_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_definition_create(
    name: *const c_char,
    name_length: usize,
    definition: *mut *mut sealite_definition,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(name, name_length), out(definition); {
        definition.give(Builder::new(TableDefinition::new(name)))?;
    })
}

/// Names the primary key; with `is_text` 1 it is a text that the application chooses, compared byte for byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_definition_set_key(
    definition: *mut sealite_definition,
    name: *const c_char,
    name_length: usize,
    is_text: i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), text(name, name_length), flag(is_text); {
        definition.step(|table| {
            if is_text { table.text_key(name) } else { table.integer_key(name) }
        })?;
    })
}

/// Makes every row belong to a tenant, sealed under that tenant's key: the table is reached through sealite_tenant_table()
/// only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_definition_set_per_tenant(
    definition: *mut sealite_definition,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition); { definition.step(TableDefinition::per_tenant)?; })
}

/// Sets the padding: a sealite_padding, and for SEALITE_PADDING_BLOCK the bytes of a block, 1 to 65,534.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_definition_set_padding(
    definition: *mut sealite_definition,
    kind: i32,
    block: u32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), choice(kind, &PADDINGS), plain(block); {
        let padding = padding(kind, block)?;
        definition.step(|table| table.padding(padding))?;
    })
}

/// Names the column, of integers or texts, whose value says whose a row is; it is authenticated. Each subject's rows are
/// sealed under a key of its own, which sealite_vault_erase_subject() destroys. The name of the primary key makes every row
/// its own subject. A subject's name stays readable in the file: an id, never an e-mail address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_definition_set_subject(
    definition: *mut sealite_definition,
    column: *const c_char,
    column_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), text(column, column_length); {
        definition.step(|table| table.subject(column))?;
    })
}

/// Adds a column, from its specification:
///
///     NAME [TYPE] [plain | authenticated | sealed] [not null] [default LITERAL]
///          [unique [NORMALISER] | lookup COUNT [NORMALISER]] [accept leakage 'REASON']
///
/// such as `email text sealed not null unique email` or `surname text sealed lookup 50000 text`. Types: integer, real,
/// text, blob, boolean, json. Normalisers: exact, text, email, digits.
///
/// SEALITE_INVALID_INPUT where it is no such text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_definition_add_column(
    definition: *mut sealite_definition,
    specification: *const c_char,
    specification_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), text(specification, specification_length); {
        let column = Column::parse(specification)?;
        definition.step(|table| table.column(column))?;
    })
}

/// Frees the declaration. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_definition_free(definition: *mut sealite_definition) {
    free(definition);
}
