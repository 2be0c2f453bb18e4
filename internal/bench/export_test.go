package bench

import "time"

// SpreadOf is spread, for tests.
func SpreadOf(rounds ...float64) Spread { return spread(rounds) }

// Percentile is percentile, for tests.
func Percentile(waits []time.Duration, hundredth int) time.Duration {
	return percentile(waits, hundredth)
}

// DesignNames are the names of what a Pipeline compares.
func DesignNames() []string {
	var names []string
	for _, d := range designs() {
		names = append(names, d.Name)
	}
	return names
}
