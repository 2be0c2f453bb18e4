package main

import "testing"

func TestTheHeapGrowsByLessTheMoreStaysInIt(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	for stays, want := range map[uint64]int{
		0: 400, 4 * mb: 400, 12 * mb: 400, 16 * mb: 300, 24 * mb: 166, 32 * mb: 100, 64 * mb: 100, 1000 * mb: 100,
	} {
		if got := growth(stays); got != want {
			t.Errorf("%d MB stay: %d %%, want %d %%", stays/mb, got, want)
		}
	}
}
