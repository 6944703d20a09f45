//! Guards narrowed to a part of the value, written once for every lock that has them.
//!
//! Such a guard is a pointer to the part, beside the lock that keeps the part still and to itself. What it may be sent as
//! follows from the part and from what is dropped with the guard, and never from the pointer: auto traits that looked through
//! it would be wrong both ways (RUSTSEC-2020-0059).

/// Defines a guard that borrows a lock's protocol, `$raw`, and gives it back by `$unlock`. With `[mut]` it is a `&mut U`, with
/// `[]` a `&U`; `$sends` is what the part has to be for such a reference to be sent.
macro_rules! mapped_guard {
    (
        $(#[$doc:meta])*
        $name:ident, $raw:ty, $unlock:ident, [$($mutable:tt)?], $sends:ident,
        map: $(#[$map_doc:meta])*, try_map: $(#[$try_doc:meta])*
    ) => {
        $(#[$doc])*
        #[must_use = "the lock is given back at once when the guard is dropped"]
        pub struct $name<'a, U: ?Sized> {
            raw: &'a $raw,
            value: ::core::ptr::NonNull<U>,
            _like: ::core::marker::PhantomData<&'a $($mutable)? U>,
        }

        // SAFETY: it is a reference to a `U` and to a protocol that any thread may use.
        unsafe impl<U: ?Sized + $sends> Send for $name<'_, U> {}
        // SAFETY: a shared one gives no more than `&U`.
        unsafe impl<U: ?Sized + Sync> Sync for $name<'_, U> {}

        impl<'a, U: ?Sized> $name<'a, U> {
            /// # Safety
            /// The lock is held, and only this guard gives it back. `value` may be used as this guard's reference while it is.
            #[inline]
            pub(super) unsafe fn new(raw: &'a $raw, value: ::core::ptr::NonNull<U>) -> Self {
                Self { raw, value, _like: ::core::marker::PhantomData }
            }

            /// Narrows it further.
            ///
            $(#[$map_doc])*
            pub fn map<V: ?Sized>($($mutable)? this: Self, f: impl FnOnce(& $($mutable)? U) -> & $($mutable)? V) -> $name<'a, V> {
                let value = ::core::ptr::NonNull::from(f(& $($mutable)? this));
                // SAFETY: the lock is held, and by the forgotten guard no more.
                unsafe { $name::new(::core::mem::ManuallyDrop::new(this).raw, value) }
            }

            /// As [`map`](Self::map), where there may be no such part.
            ///
            /// # Errors
            /// The guard, if `f` returned `None`.
            ///
            $(#[$try_doc])*
            #[doc(alias = "filter_map")]
            pub fn try_map<V: ?Sized>(
                $($mutable)? this: Self,
                f: impl FnOnce(& $($mutable)? U) -> Option<& $($mutable)? V>,
            ) -> Result<$name<'a, V>, Self> {
                match f(& $($mutable)? this).map(::core::ptr::NonNull::from) {
                    // SAFETY: as in map.
                    Some(value) => Ok(unsafe { $name::new(::core::mem::ManuallyDrop::new(this).raw, value) }),
                    None => Err(this),
                }
            }
        }

        impl<U: ?Sized> Drop for $name<'_, U> {
            #[inline]
            fn drop(&mut self) {
                self.raw.$unlock();
            }
        }

        $crate::mapped::shows_the_part!($name, [], [$($mutable)?]);
    };
}

/// As [`mapped_guard`], for a guard that owns a share of the lock, `Arc<$lock<T>>`.
macro_rules! owned_mapped_guard {
    (
        $(#[$doc:meta])*
        $name:ident, $lock:ident, $unlock:ident, [$($mutable:tt)?], $sends:ident,
        map: $(#[$map_doc:meta])*, try_map: $(#[$try_doc:meta])*
    ) => {
        $(#[$doc])*
        #[must_use = "the lock is given back at once when the guard is dropped"]
        #[allow(clippy::disallowed_types, reason = "users hold Arcs of locks; our own protocols do not use it")]
        pub struct $name<T: ?Sized, U: ?Sized> {
            lock: ::std::sync::Arc<$lock<T>>,
            value: ::core::ptr::NonNull<U>,
            _like: ::core::marker::PhantomData<::std::boxed::Box<U>>,
        }

        // SAFETY: it is a reference to a `U`, and the share of the lock that it may drop.
        #[allow(clippy::disallowed_types, reason = "as above")]
        unsafe impl<T: ?Sized, U: ?Sized + $sends> Send for $name<T, U> where ::std::sync::Arc<$lock<T>>: Send {}
        // SAFETY: a shared one gives no more than `&U`.
        #[allow(clippy::disallowed_types, reason = "as above")]
        unsafe impl<T: ?Sized, U: ?Sized + Sync> Sync for $name<T, U> where ::std::sync::Arc<$lock<T>>: Sync {}

        #[allow(clippy::disallowed_types, reason = "as above")]
        impl<T: ?Sized, U: ?Sized> $name<T, U> {
            /// # Safety
            /// The lock is held, and only this guard gives it back. `value` may be used as this guard's reference while it is.
            pub(super) unsafe fn new(lock: ::std::sync::Arc<$lock<T>>, value: ::core::ptr::NonNull<U>) -> Self {
                Self { lock, value, _like: ::core::marker::PhantomData }
            }

            /// The lock stays held; whoever gets the share answers for it.
            fn into_share(this: Self) -> ::std::sync::Arc<$lock<T>> {
                let this = ::core::mem::ManuallyDrop::new(this);
                // SAFETY: moved out once, for `this` is not dropped and not used again.
                unsafe { ::core::ptr::read(&raw const this.lock) }
            }

            /// Narrows it further.
            ///
            $(#[$map_doc])*
            pub fn map<V: ?Sized>($($mutable)? this: Self, f: impl FnOnce(& $($mutable)? U) -> & $($mutable)? V) -> $name<T, V> {
                let value = ::core::ptr::NonNull::from(f(& $($mutable)? this));
                // SAFETY: the lock is held, by nobody but this share.
                unsafe { $name::new(Self::into_share(this), value) }
            }

            /// As [`map`](Self::map), where there may be no such part.
            ///
            /// # Errors
            /// The guard, if `f` returned `None`.
            ///
            $(#[$try_doc])*
            #[doc(alias = "filter_map")]
            pub fn try_map<V: ?Sized>(
                $($mutable)? this: Self,
                f: impl FnOnce(& $($mutable)? U) -> Option<& $($mutable)? V>,
            ) -> Result<$name<T, V>, Self> {
                match f(& $($mutable)? this).map(::core::ptr::NonNull::from) {
                    // SAFETY: as in map.
                    Some(value) => Ok(unsafe { $name::new(Self::into_share(this), value) }),
                    None => Err(this),
                }
            }
        }

        impl<T: ?Sized, U: ?Sized> Drop for $name<T, U> {
            fn drop(&mut self) {
                self.lock.raw.$unlock();
            }
        }

        $crate::mapped::shows_the_part!($name, [T], [$($mutable)?]);
    };
}

/// What all of them show of the part; `$who` is the first parameter of the guard, `[]` where that is a lifetime.
macro_rules! shows_the_part {
    ($name:ident, [$($who:ident)?], []) => {
        $crate::mapped::shows_the_part!(@read $name, [$($who)?]);
    };
    ($name:ident, [], [mut]) => {
        $crate::mapped::shows_the_part!(@read $name, []);
        impl<U: ?Sized> ::core::ops::DerefMut for $name<'_, U> {
            $crate::mapped::shows_the_part!(@deref_mut);
        }
    };
    ($name:ident, [$who:ident], [mut]) => {
        $crate::mapped::shows_the_part!(@read $name, [$who]);
        impl<$who: ?Sized, U: ?Sized> ::core::ops::DerefMut for $name<$who, U> {
            $crate::mapped::shows_the_part!(@deref_mut);
        }
    };
    (@read $name:ident, []) => {
        impl<U: ?Sized> ::core::ops::Deref for $name<'_, U> {
            $crate::mapped::shows_the_part!(@deref);
        }
        impl<U: ?Sized + ::core::fmt::Debug> ::core::fmt::Debug for $name<'_, U> {
            $crate::mapped::shows_the_part!(@fmt);
        }
        impl<U: ?Sized + ::core::fmt::Display> ::core::fmt::Display for $name<'_, U> {
            $crate::mapped::shows_the_part!(@fmt);
        }
    };
    (@read $name:ident, [$who:ident]) => {
        impl<$who: ?Sized, U: ?Sized> ::core::ops::Deref for $name<$who, U> {
            $crate::mapped::shows_the_part!(@deref);
        }
        impl<$who: ?Sized, U: ?Sized + ::core::fmt::Debug> ::core::fmt::Debug for $name<$who, U> {
            $crate::mapped::shows_the_part!(@fmt);
        }
        impl<$who: ?Sized, U: ?Sized + ::core::fmt::Display> ::core::fmt::Display for $name<$who, U> {
            $crate::mapped::shows_the_part!(@fmt);
        }
    };
    (@deref) => {
        type Target = U;
        #[inline]
        fn deref(&self) -> &U {
            // SAFETY: part of the value, which stays still, and is written by nobody else while the lock is held.
            unsafe { self.value.as_ref() }
        }
    };
    (@deref_mut) => {
        #[inline]
        fn deref_mut(&mut self) -> &mut U {
            // SAFETY: as in deref, and borrowed exclusively.
            unsafe { self.value.as_mut() }
        }
    };
    (@fmt) => {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            (**self).fmt(f)
        }
    };
}

pub(crate) use {mapped_guard, owned_mapped_guard, shows_the_part};
