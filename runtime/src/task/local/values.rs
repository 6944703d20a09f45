//! The values of task locals, as a list that is copied to be changed.
//!
//! A spawn hands the whole list on by counting one more owner. There are few variables in a program, so a list that is looked
//! through and copied is the quickest there is.

use crate::task::birth;
use core::any::Any;
use weftwork_sync::primitive::Shared;

/// One variable: the address of its static.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name(pub(super) usize);

/// The value of a variable, which the lists of several tasks may hold.
#[derive(Clone)]
pub(crate) struct Value(Shared<Box<dyn Any + Send + Sync>>);

impl Value {
    pub(crate) fn new<T: Send + Sync + 'static>(value: T) -> Self {
        Self(Shared::new(Box::new(value)))
    }
}

#[derive(Clone)]
struct Entry {
    name: Name,
    value: Value,
}

/// All values at a place.
#[derive(Clone, Default)]
pub(crate) struct Values(Option<Shared<Vec<Entry>>>);

impl Values {
    fn entries(&self) -> &[Entry] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    pub(crate) fn find<T: 'static>(&self, name: Name) -> Option<&T> {
        let entry = self.entries().iter().find(|entry| entry.name == name)?;
        // A variable has one type, so it is always found to be of it.
        (**entry.value.0).downcast_ref()
    }

    /// The same list with one value set, or taken out.
    pub(crate) fn changed(&self, name: Name, value: Option<Value>) -> Self {
        let mut entries: Vec<Entry> = self.entries().iter().filter(|entry| entry.name != name).cloned().collect();
        if let Some(value) = value {
            birth::attend_from_now_on();
            entries.push(Entry { name, value });
        }
        Self((!entries.is_empty()).then(|| Shared::new(entries)))
    }
}
