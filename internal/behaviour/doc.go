// Package behaviour holds the tests in the words of the product: a practice
// books, moves and cancels, time passes, and these people read these messages
// and nobody reads anything else. Everything in between is real: PostgreSQL,
// Redis, the worker, and HTTP to a main app's admin endpoints.
//
// It deliberately holds no code that anything else could use.
package behaviour
