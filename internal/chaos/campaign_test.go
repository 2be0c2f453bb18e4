package chaos_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"
)

// The short form goes with every run of the tests. Its seed is always the same
// unless told otherwise: what fails then was broken by a change, and not by the
// dice.
func TestShortForm(t *testing.T) { //nolint:paralleltest // it wants both cores for itself, as far as it can
	if option[bool](t, "full") {
		t.Skip("the whole campaign runs instead")
	}
	seed := option[uint64](t, "seed")
	if seed == 0 {
		seed = 1
	}
	s, z := short()
	trial(t, build(t), s, z, seed)
}

// TestCampaign is what make chaos runs: every scenario, and the table of the
// README out of what came of them.
func TestCampaign(t *testing.T) { //nolint:paralleltest // one trial at a time: they are measured
	if !option[bool](t, "full") {
		t.Skip("make chaos runs it")
	}
	seed := option[uint64](t, "seed")
	if seed == 0 {
		seed = uint64(rand.Uint32())
	}
	only, err := regexp.Compile(option[string](t, "scenario"))
	if err != nil {
		t.Fatal(err)
	}
	began, binary := time.Now(), build(t)
	var results []result
	chosen := slices.DeleteFunc(scenarios(), func(s scenario) bool { return !only.MatchString(s.name) })
	for i, s := range chosen { //nolint:paralleltest // see above
		t.Log(course(i, len(chosen), s.name, time.Since(began)))
		program := binary
		if s.skew > 0 {
			program = buildSkewed(t)
		}
		t.Run(s.name, func(t *testing.T) {
			results = append(results, trial(t, program, s, whole(), seed))
		})
	}
	table := newTable(results)
	table += newCaption(whole(), time.Since(began))
	t.Logf("seed %d\n\n%s", seed, table)
	if option[bool](t, "update") {
		if err := table.intoReadme("../../README.md"); err != nil {
			t.Error(err)
		}
	}
}

// trial runs one scenario and fails where a count is not zero.
func trial(t *testing.T, binary string, s scenario, z size, seed uint64) result {
	t.Helper()
	w := newWorld(t, binary, s, z, seed)
	r := w.run()
	t.Logf("%s\n%s", s.name, newTable([]result{r}))
	if !r.clean() {
		t.Errorf("%s, seed %d: the promise was broken:\n\t%s", s.name, seed, shorten(r.why, 30))
	}
	if s.prompt && r.held > 30*time.Second {
		t.Errorf("%s, seed %d: what a dead worker left took %s to be in hand again, %s; 30 s are promised", s.name, seed, r.held, r.heldLast)
	}
	return r
}
