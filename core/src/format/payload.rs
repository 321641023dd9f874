//! The plaintext of a record: for each sealed column that is not NULL its id, type tag, length and value, in ascending
//! order of the ids; then zeros up to the padded length. Column ids start at 1, so the first zero byte in the place of
//! an id begins the padding.

use std::ops::Range;

use super::Malformed;
use super::bytes::{Reader, put_varint};
use super::context::{tag, with_bytes};
use super::padding::Padding;
use crate::secret::make_room;
use crate::value::ValueRef;

/// Appends one value. NULL is not written: its absence says it.
pub(crate) fn put_column(out: &mut Vec<u8>, id: u32, value: ValueRef<'_>) {
    if value.is_null() {
        return;
    }
    with_bytes(value, |tag, bytes| {
        make_room(out, MAX_FRAMING + bytes.len());
        put_varint(out, id);
        out.push(tag);
        put_varint(out, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(bytes);
    });
}

/// Appends the zeros; `start` is where the payload began.
pub(crate) fn pad(out: &mut Vec<u8>, start: usize, padding: Padding) {
    let length = out.len() - start;
    let padded = start + padding.padded(length);
    make_room(out, padded - out.len());
    out.resize(padded, 0);
}

/// Walks over the values of an opened payload.
pub(crate) struct Columns<'a> {
    payload: &'a [u8],
    reader: Reader<'a>,
    last: u32,
    /// The whole payload as text, once that has been asked.
    text: Whole<'a>,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Columns { payload, reader: Reader::new(payload), last: 0, text: Whole::Unknown }
    }

    /// The next column, or `None` at the padding, which must be all zeros.
    pub(crate) fn next(&mut self) -> Result<Option<(u32, ValueRef<'a>)>, Malformed> {
        let Some((id, tag, range)) = self.next_place()? else { return Ok(None) };
        let bytes = self.payload.get(range.clone()).ok_or(Malformed)?;
        let value = match tag {
            tag::TEXT => ValueRef::Text(self.text(range, bytes)?),
            tag::JSON => ValueRef::Json(self.text(range, bytes)?),
            _ => value(tag, bytes)?,
        };
        Ok(Some((id, value)))
    }

    /// The next column as its id, its tag and where its bytes are in the payload; `None` as of [`Columns::next`].
    pub(crate) fn next_place(&mut self) -> Result<Option<(u32, u8, Range<usize>)>, Malformed> {
        if self.reader.rest().first().is_none_or(|byte| *byte == 0) {
            let zeros = self.reader.rest().iter().all(|byte| *byte == 0);
            return if zeros { Ok(None) } else { Err(Malformed) };
        }
        let id = self.reader.varint()?;
        if id <= self.last {
            return Err(Malformed);
        }
        self.last = id;
        let tag = self.reader.u8()?;
        let length = self.reader.bytes()?.len();
        let end = self.payload.len() - self.reader.rest().len();
        Ok(Some((id, tag, end - length..end)))
    }

    /// Bytes of the payload as text.
    ///
    /// What stands between the texts of a usual row is ASCII: then the payload is UTF-8 as a whole, which is checked
    /// faster than many short texts are, and a part of it that begins and ends between two characters is UTF-8 too.
    fn text(&mut self, range: Range<usize>, bytes: &'a [u8]) -> Result<&'a str, Malformed> {
        if let Whole::Unknown = self.text {
            let short = Some(self.payload).filter(|payload| payload.len() <= CHECKED_WHOLE);
            let text = short.and_then(|payload| simdutf8::basic::from_utf8(payload).ok());
            self.text = text.map_or(Whole::NotText, Whole::Text);
        }
        match self.text {
            Whole::Text(whole) => whole.get(range).ok_or(Malformed),
            _ => simdutf8::basic::from_utf8(bytes).map_err(|_| Malformed),
        }
    }
}

/// The longest id, tag and length before a value, in bytes.
const MAX_FRAMING: usize = 11;

/// Whether a payload is UTF-8 as a whole.
#[derive(Clone, Copy)]
enum Whole<'a> {
    Unknown,
    NotText,
    Text(&'a str),
}

/// The longest payload in bytes that is checked as a whole: a longer one may be a large blob and a short text.
const CHECKED_WHOLE: usize = 4096;

/// The value of a tag and its bytes; NULL has no bytes.
pub(crate) fn value(tag: u8, bytes: &[u8]) -> Result<ValueRef<'_>, Malformed> {
    let eight = || <[u8; 8]>::try_from(bytes).map_err(|_| Malformed);
    let text = || std::str::from_utf8(bytes).map_err(|_| Malformed);
    Ok(match tag {
        tag::NULL if bytes.is_empty() => ValueRef::Null,
        tag::INTEGER => ValueRef::Integer(i64::from_be_bytes(eight()?)),
        tag::REAL => ValueRef::Real(f64::from_bits(u64::from_be_bytes(eight()?))),
        tag::TEXT => ValueRef::Text(text()?),
        tag::BLOB => ValueRef::Blob(bytes),
        tag::BOOLEAN => match bytes {
            [0] => ValueRef::Boolean(false),
            [1] => ValueRef::Boolean(true),
            _ => return Err(Malformed),
        },
        tag::JSON => ValueRef::Json(text()?),
        _ => return Err(Malformed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back_as_they_were_written() {
        let values = [
            (1, ValueRef::Integer(i64::MIN)),
            (2, ValueRef::Real(-0.0)),
            (9, ValueRef::Text("a\0é")),
            (10, ValueRef::Json("\"ü\"")),
            (200, ValueRef::Blob(&[])),
            (201, ValueRef::Boolean(true)),
            (70_000, ValueRef::Json("{ }")),
        ];
        for padding in [Padding::None, Padding::Block(32), Padding::Padme] {
            let mut out = vec![9; 3];
            for (id, value) in values {
                put_column(&mut out, id, value);
            }
            put_column(&mut out, 70_001, ValueRef::Null);
            pad(&mut out, 3, padding);
            let mut columns = Columns::new(&out[3..]);
            for (id, value) in values {
                let (read_id, read) = columns.next().expect("well formed").expect("present");
                assert!(read_id == id && read == value);
                if let (ValueRef::Real(a), ValueRef::Real(b)) = (read, value) {
                    assert_eq!(a.to_bits(), b.to_bits());
                }
            }
            assert!(columns.next().expect("padding").is_none());
        }
    }

    #[test]
    fn texts_are_checked_each_by_itself_though_the_payload_is_utf8_as_a_whole() {
        // The two bytes of é, with the end of one text and the frame of the next between them or not.
        let whole = [1, tag::TEXT, 2, 0xc3, 0xa9, 2, tag::TEXT, 0];
        let mut columns = Columns::new(&whole);
        assert!(columns.next().is_ok_and(|found| found == Some((1, ValueRef::Text("é")))));
        assert!(columns.next().is_ok_and(|found| found == Some((2, ValueRef::Text("")))));
        // UTF-8 from end to end: U+0142 is what a length and a text's last byte make together.
        let mut cut = vec![1, tag::TEXT, 1, 0xc5];
        cut.extend([0x82, 0x01, tag::BLOB, 0]);
        assert!(std::str::from_utf8(&cut).is_ok());
        assert_eq!(Columns::new(&cut).next(), Err(Malformed));
        let mut long = vec![1, tag::TEXT, 2, 0xc3, 0xa9, 2, tag::BLOB, 0x80, 0x40];
        long.resize(9 + 8192, b'x');
        assert!(Columns::new(&long).next().is_ok_and(|f| f == Some((1, ValueRef::Text("é")))));
    }

    #[test]
    fn disorder_repetition_and_dirty_padding_are_refused() {
        let walk = |payload: &[u8]| {
            let mut columns = Columns::new(payload);
            loop {
                match columns.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        };
        assert!(walk(&[1, tag::BOOLEAN, 1, 1, 2, tag::TEXT, 0]).is_ok());
        for bad in [
            &[2, tag::TEXT, 0, 1, tag::TEXT, 0][..],
            &[1, tag::TEXT, 0, 1, tag::TEXT, 0],
            &[1, tag::TEXT, 0, 0, 1],
            &[1, tag::TEXT, 9],
            &[1, 99, 0],
            &[1, tag::INTEGER, 1, 0],
            &[1, tag::BOOLEAN, 1, 2],
            &[1, tag::TEXT, 1, 0xff],
        ] {
            assert_eq!(walk(bad), Err(Malformed), "{bad:x?}");
        }
    }
}
