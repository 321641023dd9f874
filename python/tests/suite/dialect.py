"""SQLAlchemy's own tests of a dialect, as they come."""

from sqlalchemy.testing.suite import *  # noqa: F403
