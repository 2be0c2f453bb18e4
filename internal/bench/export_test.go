package bench

import "time"

// SpreadOf is spread, for tests.
func SpreadOf(rounds ...float64) Spread { return spread(rounds) }

// Percentile is percentile, for tests.
func Percentile(waits []time.Duration, hundredth int) time.Duration {
	return percentile(waits, hundredth)
}
