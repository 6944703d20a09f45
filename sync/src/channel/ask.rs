//! What both ends can ask of their channel.

use super::flow::Flow;
use super::kind::{Bounded, Kind};
use super::{Receiver, Sender};
use core::fmt;

/// What Debug shows of an end.
pub(super) fn show(f: &mut fmt::Formatter<'_>, name: &str, kind: &str, flow: &impl Flow) -> fmt::Result {
    let (senders, receivers) = flow.waiting();
    let mut shown = f.debug_struct(name);
    shown.field("kind", &format_args!("{kind}")).field("len", &flow.len());
    if let Some(capacity) = flow.capacity() {
        shown.field("capacity", &capacity);
    }
    shown
        .field("closed", &flow.is_closed())
        .field("senders", &flow.handles().senders())
        .field("receivers", &flow.handles().receivers())
        .field("waiting_senders", &senders)
        .field("waiting_receivers", &receivers)
        .finish()
}

macro_rules! ask {
    ($end:ident, $name:literal) => {
        impl<T, K: Kind> $end<T, K> {
            /// Whether nothing more can be sent, but by permits that are out.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
            /// assert!(!sender.is_closed());
            /// receiver.close();
            /// assert!(sender.is_closed() && receiver.is_closed());
            /// ```
            pub fn is_closed(&self) -> bool {
                self.flow().is_closed()
            }

            /// How many values are in the channel, counting those that are just being put in; never more than the capacity.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded(2);
            /// assert!(sender.try_send(1).is_ok());
            /// assert_eq!((sender.len(), receiver.len()), (1, 1));
            /// ```
            #[doc(alias = "qsize")]
            pub fn len(&self) -> usize {
                self.flow().len()
            }

            /// Whether no value is in the channel.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
            /// assert!(sender.is_empty() && receiver.is_empty());
            /// ```
            #[doc(alias = "empty")]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// How many senders there are; [weak](super::WeakSender) ones do not count.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
            /// let _other = sender.clone();
            /// assert_eq!((sender.sender_count(), receiver.receiver_count()), (2, 1));
            /// ```
            #[doc(alias("strong_count", "sender_strong_count"))]
            pub fn sender_count(&self) -> usize {
                self.flow().handles().senders()
            }

            /// How many receivers there are.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
            /// drop(receiver.clone());
            /// assert_eq!(sender.receiver_count(), 1);
            /// ```
            pub fn receiver_count(&self) -> usize {
                self.flow().handles().receivers()
            }
        }

        impl<T> $end<T, Bounded> {
            /// How many values fit.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(3);
            /// assert_eq!((sender.capacity(), receiver.capacity()), (3, 3));
            /// ```
            #[doc(alias("maxsize", "max_capacity"))]
            pub fn capacity(&self) -> usize {
                self.flow().slots()
            }

            /// Whether there is no room: every place holds a value or is reserved.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
            /// let permit = sender.try_reserve().expect("there is room");
            /// assert!(sender.is_full() && receiver.is_full() && receiver.is_empty());
            /// drop(permit);
            /// assert!(!sender.is_full());
            /// ```
            #[doc(alias = "full")]
            pub fn is_full(&self) -> bool {
                self.flow().is_full()
            }
        }

        impl<T, K: Kind> fmt::Debug for $end<T, K> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                show(f, $name, K::NAME, self.flow())
            }
        }
    };
}
ask!(Sender, "channel::Sender");
ask!(Receiver, "channel::Receiver");
