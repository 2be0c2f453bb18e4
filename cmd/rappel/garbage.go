package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Little stays in memory and much goes through it: Go's own rule, a collection
// whenever the heap has doubled, took a fifth of the worker's time where twice
// the heap is 20 MB (rappel bench pipeline: 190 µs of CPU a message against 142).
// Below this many bytes the heap may grow further, up to fivefold; beyond it Go's
// rule holds, and so memory stays in bounds.
const (
	roomy    = 64 << 20
	fivefold = 400 // percent beyond what stays
	twofold  = 100
)

// growth is by how many percent the heap may grow beyond what stays in it.
func growth(stays uint64) int {
	return int(min(max(100*roomy/max(stays, 1), twofold+100)-100, fivefold))
}

// collectSeldom sets the growth anew after each collection.
func collectSeldom() {
	debug.SetGCPercent(fivefold)
	runtime.SetFinalizer(&collected{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}, (*collected).again)
}

// collected is garbage from the beginning: what happens to it is a collection.
type collected struct{ live []metrics.Sample }

func (c *collected) again() {
	metrics.Read(c.live)
	debug.SetGCPercent(growth(c.live[0].Value.Uint64()))
	runtime.SetFinalizer(c, (*collected).again)
}
