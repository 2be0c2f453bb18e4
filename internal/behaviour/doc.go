// Package behaviour holds the tests in the words of the product: a practice
// books, moves and cancels, time passes, and these people read these messages
// and nobody reads anything else. Everything in between is real: PostgreSQL,
// Redis, the worker, and HTTP: to the admin endpoints of a main app or to a
// carrier, and from them to the ops server.
//
// It deliberately holds no code that anything else could use.
package behaviour
