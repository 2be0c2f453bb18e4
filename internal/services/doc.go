// Package services starts throw-away PostgreSQL and Redis servers from the
// binaries found on the machine: private, on a Unix socket, in a temporary
// folder, and gone when the process that started them is gone, however it
// ended. Local development, tests and benchmarks stand on them.
//
// It deliberately does not know what the servers are used for, and it reads
// no configuration: its callers say where binaries and data are.
package services
