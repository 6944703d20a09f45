//! Misuse that the compiler refuses, and what it says then: `ui/<part>/<mistake>.rs` beside its `.stderr`.
//!
//! After a message was changed on purpose, `TRYBUILD=overwrite cargo test -p weftwork-tests --test compile_fail` writes the
//! new ones.

#[test]
fn a_misused_attribute_is_refused_at_the_word_that_is_wrong() {
    trybuild::TestCases::new().compile_fail("ui/macros/*.rs");
}

#[test]
fn a_misused_select_or_join_is_told_what_to_write() {
    trybuild::TestCases::new().compile_fail("ui/select/*.rs");
}

#[test]
fn what_must_happen_once_or_stay_where_it_is_is_held_by_its_type() {
    trybuild::TestCases::new().compile_fail("ui/types/*.rs");
}
