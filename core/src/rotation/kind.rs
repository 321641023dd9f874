//! What is rotated, and for whom.

use std::fmt;

use crate::error::Result;
use crate::keys::ring::{Owner, Purpose};
use crate::table::definition::check_tenant;

/// Which key a rotation replaces. The names are stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum RotationKind {
    /// The key that records are sealed under, and those of the subjects that own rows.
    Data,
    /// The key that the values of blind indexes are made with.
    Index,
    /// The pepper of tokens.
    Token,
    /// The key of the audit trail.
    Audit,
}

/// A key to rotate: of a kind, and of the vault itself or of one tenant. See [`crate::Keys`].
///
/// ```
/// use sealite::Rotation;
///
/// let own = Rotation::data(None);
/// let acme = Rotation::index(Some("acme"));
/// # assert_eq!((own.tenant(), acme.tenant()), (None, Some("acme")));
/// # assert_eq!(acme.kind().name(), "index");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rotation {
    kind: RotationKind,
    tenant: Option<String>,
}

impl RotationKind {
    const ALL: [RotationKind; 4] =
        [RotationKind::Data, RotationKind::Index, RotationKind::Token, RotationKind::Audit];

    /// The name: `data`, `index`, `token` or `audit`.
    pub fn name(self) -> &'static str {
        self.purpose().name()
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(super) fn purpose(self) -> Purpose {
        match self {
            RotationKind::Data => Purpose::Data,
            RotationKind::Index => Purpose::Index,
            RotationKind::Token => Purpose::Token,
            RotationKind::Audit => Purpose::Audit,
        }
    }
}

impl Rotation {
    /// The data keys of a tenant, or of the vault itself where none is named.
    pub fn data(tenant: Option<&str>) -> Self {
        Self::new(RotationKind::Data, tenant)
    }

    /// The index key of a tenant, or of the vault itself.
    pub fn index(tenant: Option<&str>) -> Self {
        Self::new(RotationKind::Index, tenant)
    }

    /// The pepper of the tokens of a tenant, or of the vault itself.
    pub fn token(tenant: Option<&str>) -> Self {
        Self::new(RotationKind::Token, tenant)
    }

    /// The audit key. There is one, the vault's.
    pub fn audit() -> Self {
        Self::new(RotationKind::Audit, None)
    }

    /// Of that kind. The audit key is the vault's own, whichever tenant is named.
    pub fn new(kind: RotationKind, tenant: Option<&str>) -> Self {
        let tenant = tenant.filter(|_| kind != RotationKind::Audit).map(str::to_owned);
        Rotation { kind, tenant }
    }

    /// The kind.
    pub fn kind(&self) -> RotationKind {
        self.kind
    }

    /// The tenant; none for the vault itself.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    pub(super) fn owner(&self) -> Owner<'_> {
        Owner::of(self.kind.purpose(), self.tenant())
    }

    pub(super) fn check(&self) -> Result<()> {
        self.tenant().map_or(Ok(()), check_tenant)
    }

    /// The key of its row.
    pub(super) fn id(&self) -> String {
        match &self.tenant {
            Some(tenant) => format!("{}:{tenant}", self.kind.name()),
            None => self.kind.name().to_owned(),
        }
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.tenant.is_some() { "a tenant's" } else { "the vault's own" };
        write!(f, "{whose} {} key", self.kind.name())
    }
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A tenant's name may be personal.
        write!(f, "Rotation({self})")
    }
}
