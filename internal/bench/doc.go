// Package bench measures rappel against what else could do its work, on services
// of its own: the same events, the same texts, the same endpoint, in one run on
// one machine. What it compares with is written here, as a team would write it
// that has no more to do than this.
//
// Each part of a measurement (a design at work, the endpoint) is a process of
// its own, as it would be where it serves, so that what each costs can be told
// apart. The package deliberately does not know how rappel works from inside: it
// sees events go in, requests come out, and rows change.
package bench
