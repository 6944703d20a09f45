//! Benchmarks and demonstrations; each is a program under src/bin/.
