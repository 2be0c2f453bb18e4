// Package chaos is the trial of rappel's one promise: kill any process at any
// moment, empty Redis, restart PostgreSQL, let the endpoint fail in every way –
// every person due a message gets it once, and the books close. It is all
// tests: they run the real program in many processes on real services, play the
// practice and its endpoint, break things by a seeded die, and count.
//
// It deliberately does not know how rappel keeps its promise. Who is due what it
// works out by itself; what it reads of rappel is what the contract lets
// everyone read, and it never mends anything that a main app, or whoever
// restarts processes, would not mend.
package chaos
