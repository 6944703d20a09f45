//! The result for a program: numbers in base units, and names that do not change with the wording of the table.

use super::plan::Pace;
use super::report::{QUANTILES, Report};
use serde_json::{Map, Value, json};

/// The report as one JSON object; latencies are in nanoseconds. Those that nobody has are null.
pub fn of(report: &Report, target: &str) -> Value {
    let faults: Map<String, Value> = report
        .faults
        .iter()
        .map(|faults| (faults.kind.key().to_owned(), json!({ "count": faults.count, "first": faults.example })))
        .collect();
    let plan = &report.plan;
    let rate = match plan.pace {
        Pace::Open { per_second } => Some(per_second),
        Pace::Closed => None,
    };
    json!({
        "target": target,
        "connections": plan.connections,
        "rate": rate,
        "warmup_seconds": plan.warmup.as_secs_f64(),
        "duration_seconds": plan.duration.map(|duration| duration.as_secs_f64()),
        "requests": plan.requests,
        "timeout_seconds": plan.timeout.as_secs_f64(),
        "interrupted": report.interrupted,
        "elapsed_seconds": report.elapsed.as_secs_f64(),
        "answered": report.answered,
        "answered_per_second": report.rate(),
        "bytes": report.bytes,
        "connections_made": report.opened,
        "connections_lost": report.lost,
        "errors": report.errors(),
        "errors_by_kind": faults,
        "latency_nanoseconds": latencies(report),
    })
}

fn latencies(report: &Report) -> Value {
    if report.latencies.is_empty() {
        return Value::Null;
    }
    let mut latencies: Map<String, Value> = QUANTILES
        .iter()
        .map(|&(name, quantile)| (name.to_owned(), json!(report.latencies.value_at_quantile(quantile))))
        .collect();
    latencies.insert("min".to_owned(), json!(report.latencies.min()));
    latencies.insert("max".to_owned(), json!(report.latencies.max()));
    latencies.insert("mean".to_owned(), json!(report.latencies.mean()));
    Value::Object(latencies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::plan::Plan;
    use crate::load::report;
    use crate::load::tally::Tally;
    use weftwork::time::Instant;

    #[test]
    fn the_text_parses_and_says_what_the_report_says() {
        let report = report::tests::report();
        let text = of(&report, "tcp://a:1").to_string();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["target"], "tcp://a:1");
        assert_eq!((&read["answered"], &read["errors"]), (&json!(1000), &json!(2)));
        assert_eq!(read["errors_by_kind"]["bad_answer"]["first"], "a \"quoted\"\n\u{1b}[2Jline");
        assert_eq!(read["rate"], 100.0);
        assert_eq!(read["latency_nanoseconds"]["p99"], json!(report.latencies.value_at_quantile(0.99)));
        assert!(read["latency_nanoseconds"]["p99.9"].as_u64().unwrap() > 998_000_000);
    }

    #[test]
    fn what_is_not_there_is_null() {
        let report = Report::new(Plan::DEFAULT, &Tally::default(), Instant::now(), false);
        let read: Value = serde_json::from_str(&of(&report, "").to_string()).unwrap();
        assert!(read["latency_nanoseconds"].is_null() && read["rate"].is_null() && read["requests"].is_null());
        assert_eq!(read["errors_by_kind"], json!({}));
    }
}
