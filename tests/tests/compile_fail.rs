//! Misuse that the compiler refuses, and what it says then: `ui/<part>/<mistake>.rs` beside its `.stderr`.
//!
//! After a message was changed on purpose, `TRYBUILD=overwrite cargo test -p weftwork-tests --test compile_fail` writes the
//! new ones.

#[test]
fn a_misused_attribute_is_refused_at_the_word_that_is_wrong() {
    trybuild::TestCases::new().compile_fail("ui/macros/*.rs");
}
