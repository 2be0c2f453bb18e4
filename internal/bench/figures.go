package bench

import (
	"slices"
	"time"
)

// A Spread is what several rounds came to.
type Spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// spread is zero for no rounds.
func spread(rounds []float64) Spread {
	if len(rounds) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(rounds))
	middle := len(sorted) / 2
	s := Spread{Median: sorted[middle], Low: sorted[0], High: sorted[len(sorted)-1]}
	if len(sorted)%2 == 0 {
		s.Median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return s
}

// ratios divides round by round: what else the machine did in a round touched
// both alike.
func ratios(of, by []float64) []float64 {
	all := make([]float64, min(len(of), len(by)))
	for i := range all {
		all[i] = of[i] / by[i]
	}
	return all
}

// percentile is the smallest of waits that so many in a hundred do not exceed.
func percentile(waits []time.Duration, hundredth int) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(waits))
	return sorted[(len(sorted)*hundredth+99)/100-1]
}
