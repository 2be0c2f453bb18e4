// Package archtest holds the house in shape: which package may import which,
// who may read the environment and the clock, what every package says about
// itself, and which folders stand at the top. It consists of tests only, reads
// source and nothing else, and does not know what any of the packages does.
package archtest
