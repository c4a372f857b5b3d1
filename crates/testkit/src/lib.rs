//! What tests of several rooms share. Only ever a dev-dependency.

mod stage;

pub use stage::Stage;
