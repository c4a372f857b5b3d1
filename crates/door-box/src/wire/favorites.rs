//! Collections, of which every user has one: what they want to find again.

use super::fields::{Field, Fields, Members};
use entente_model::UserId;
use serde::{Serialize, Serializer};

/// `Collection`: a user's favorites. They have their user's id.
#[derive(Debug, Clone, Copy)]
pub struct Favorites {
    /// What to write.
    pub fields: Fields,
    /// Whose.
    pub user: UserId,
}

/// `Collection`.
pub const COLLECTION: Fields = Fields::of(&[Field::Type, Field::Id, Field::Name, Field::CollectionType]);

impl Favorites {
    /// A user's, as a whole.
    #[must_use]
    pub const fn of(user: UserId) -> Self {
        Self { fields: COLLECTION, user }
    }
}

impl Serialize for Favorites {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        members.put(Field::Type, "collection")?;
        members.put_with(Field::Id, || self.user.to_string())?;
        members.put(Field::Name, "Favorites")?;
        members.put(Field::CollectionType, "favorites")?;
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::Favorites;
    use entente_model::UserId;

    #[test]
    fn it_is_shown_as_box_shows_it() {
        let shown = serde_json::to_string(&Favorites::of(UserId::new(7))).expect("serializes");
        assert_eq!(shown, r#"{"type":"collection","id":"7","name":"Favorites","collection_type":"favorites"}"#);
    }
}
