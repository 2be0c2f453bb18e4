package bench_test

import (
	"os"
	"slices"
	"testing"

	"rappel/internal/bench"
	"rappel/internal/services"
)

func TestGrowthIsMeasuredInEveryRespect(t *testing.T) {
	t.Parallel()
	if _, err := services.FindPostgres(os.Getenv("PG_BIN")); err != nil && os.Getenv("CI") == "" {
		t.Skip("skipped: ", err)
	}
	g := bench.Growth{Rows: 200_000, Beside: 160_000, Day: 40_000, Progress: silent}
	grown, err := g.Run(t.Context(), os.Getenv("PG_BIN"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range grown.Changes {
		all = append(all, c.What)
		if !sane(c.Small.Millis.Median) || !sane(c.Large.Millis.Median) || !sane(c.Small.Pages) || !sane(c.Large.Pages) {
			t.Errorf("%+v", c)
		}
	}
	for _, want := range []string{"account of the last hour", "claim 100 messages", "record 100 outcomes", "retention, 500 addresses"} {
		if !slices.Contains(all, want) {
			t.Errorf("no %q in %q", want, all)
		}
	}
	for _, s := range grown.Sizes {
		if s.Rows == 0 || s.Bytes == 0 || s.Index == 0 {
			t.Errorf("%+v", s)
		}
	}
}

func TestSeveralProcessesShareTheWork(t *testing.T) {
	t.Parallel()
	p := bench.Processes{Events: 60, Rounds: 1, Counts: []int{1, 2}, Launcher: self(), Progress: silent}
	all, err := p.Run(t.Context(), start(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if !sane(one.Rate.Median) || !sane(one.OfFirst.Median) || !sane(one.Logged.Median) || one.Connections == 0 {
			t.Errorf("%+v", one)
		}
	}
	if len(all) != 2 || all[1].Processes != 2 {
		t.Errorf("%d counts", len(all))
	}
}
