//! The words connctl and its agent share.
