package bench_test

import (
	"testing"
	"time"

	"rappel/internal/bench"
)

func TestFigures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rounds []float64
		want   bench.Spread
	}{
		"of nothing":                    {nil, bench.Spread{}},
		"of one round":                  {[]float64{2}, bench.Spread{Median: 2, Low: 2, High: 2}},
		"the middle of an odd number":   {[]float64{9, 1, 3}, bench.Spread{Median: 3, Low: 1, High: 9}},
		"between two of an even number": {[]float64{4, 1, 2, 9}, bench.Spread{Median: 3, Low: 1, High: 9}},
	} {
		if got := bench.SpreadOf(c.rounds...); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	var waits []time.Duration
	for i := range 200 {
		waits = append(waits, time.Duration(200-i))
	}
	if p50, p99 := bench.Percentile(waits, 50), bench.Percentile(waits, 99); p50 != 100 || p99 != 198 {
		t.Errorf("p50 %d, p99 %d of 1 to 200", p50, p99)
	}
	if got := bench.Percentile([]time.Duration{7}, 99); got != 7 {
		t.Errorf("p99 of one is %d", got)
	}
}
