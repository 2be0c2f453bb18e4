// Package schedule works out when a message goes: the moment a rule falls due
// in the zone of its visit, what a late booking, the SMS window and a nearer
// reminder make of that moment, and until when the message is still of use.
//
// It is pure. The clock comes in as a value, and the same values give the same
// answer on every machine. It deliberately does not know who is told, by which
// channel, what they read, what was decided before, or where any of it is
// kept: whoever asks remembers what has gone out.
package schedule
