//! How new records of a table are made: worked out once for each schema, used for each row.

use super::schema::{Outside, Plan, Slot, SlotSource, Stored};
use super::subject::Whose;

/// Where the values of a new row go.
pub(crate) struct WritePlan {
    pub(crate) layout: u16,
    /// The active positions of the columns with a blind index.
    pub(crate) indexed: Vec<usize>,
    /// Where each slot's value comes from.
    pub(crate) slots: Vec<From>,
    /// Where each authenticated value comes from, by surrogate id.
    pub(crate) authenticated: Vec<(u32, From)>,
    /// Surrogate id and active position of the sealed columns.
    pub(crate) sealed: Vec<(u32, usize)>,
    /// What says whose the row is: a column by its active position.
    pub(crate) subject: Option<Whose<usize>>,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(crate) enum From {
    /// The column at an active position.
    Column(usize),
    /// The blind index at a position in [`WritePlan::indexed`].
    Index(usize),
    Null,
}

impl WritePlan {
    /// `plan` is of the layout that new records have.
    pub(super) fn new(stored: &Stored, active: &[usize], slots: &[Slot], plan: &Plan) -> Self {
        let position_of = |at: usize| active.iter().position(|active| *active == at);
        let has_index = |at: &usize| {
            let column = stored.columns.get(*at);
            column.is_some_and(|column| column.blind.is_some() && column.column.index.is_some())
        };
        let indexed: Vec<usize> =
            active.iter().enumerate().filter(|(_, at)| has_index(at)).map(|(p, _)| p).collect();
        let from = |source: SlotSource| match source {
            SlotSource::Column(at) => match position_of(at) {
                Some(position) if matches!(plan.outside.get(position), Some(Outside::Slot(_))) => {
                    From::Column(position)
                }
                _ => From::Null,
            },
            SlotSource::Blind(at) => {
                let position = position_of(at);
                let index = indexed.iter().position(|indexed| Some(*indexed) == position);
                index.map_or(From::Null, From::Index)
            }
            SlotSource::Retired => From::Null,
        };
        let slots: Vec<From> = slots.iter().map(|slot| from(slot.source)).collect();
        let authenticated = plan
            .authenticated
            .iter()
            .map(|(id, slot, _)| (*id, slots.get(*slot).copied().unwrap_or(From::Null)))
            .collect();
        let sealed =
            plan.sealed.iter().filter_map(|(id, position)| Some((*id, (*position)?))).collect();
        let by_id = |id: u32| {
            active.iter().position(|at| stored.columns.get(*at).is_some_and(|c| c.id == id))
        };
        let subject = stored.subject.as_ref().and_then(|whose| whose.place(|id| by_id(*id)));
        WritePlan { layout: plan.layout, indexed, slots, authenticated, sealed, subject }
    }
}
