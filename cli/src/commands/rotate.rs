//! `sealite rotate master`.

use std::fmt::Write as _;

use serde_json::json;

use crate::arguments::RotateMaster;
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::text::counted;
use crate::unlock;

const DATA_STAYS: &str = "whoever has taken data keys, or data, still has them: a new master key ends what they can \
     learn from the slots and wrapped keys of the file as it is now";

pub(super) fn master(arguments: &RotateMaster, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::existing(&arguments.file, arguments.open.checkpoint.as_deref())?;
    // In the order of the options in the help: that is the order of the lines of the standard input.
    let first = unlock::secret_of(&arguments.open.secret, console)?;
    let mut keep = vec![first.clone()];
    keep.extend(unlock::kept(arguments, console)?);
    vault.unlock(&first)?;
    let done = vault.keys().rotate_master(&keep, arguments.drop_others)?;
    let slots = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let wrapped = counted(done.keys.into(), "key");
    let mut text = format!(
        "The master key is new: {wrapped} wrapped again. Kept slots: {}.\n",
        slots(&done.kept)
    );
    if !done.dropped.is_empty() {
        let _ = writeln!(text, "Dropped slots: {}.", slots(&done.dropped));
    }
    let object = json!({"keys": done.keys, "kept": done.kept, "dropped": done.dropped});
    Ok(Report::new(text, object).warn(DATA_STAYS))
}
